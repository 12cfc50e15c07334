"""Chooses one round for each rep, so that no visit is made twice and the day costs least (numba).

Without fairness a day costs the sum of its rounds, and dynamic programming over sets finds the best. With fairness the
sums are lower bounds: the sets that could be served are worked through from the best bound on, and all ways to share a
set out are tried as far as bounds allow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

import routing.kernel  # noqa: F401  (chooses the folder of compiled code)

INFINITE = 1e300
"""Cost of what cannot be done."""
NOBODY = -1
MOST_STEPS = 5_000_000
"""Ways to share visits out that are tried before the best is given without proof."""


class Rounds(NamedTuple):
    """The finished rounds of all reps, sorted by rep and set.

    Attributes
    ----------
    first : int64 array of shape (reps, 2^n + 1)
        Where the rounds of a rep and set begin; they end where those of the next set begin.
    cost, amount : float64 arrays
        Cost, and what the round counts for fairness.
    """

    first: NDArray[np.int64]
    cost: NDArray[np.float64]
    amount: NDArray[np.float64]


@njit(cache=True, nogil=True)
def cheapest(rounds, rep, stops):  # type: ignore[no-untyped-def]
    """Return the least cost of a rep's rounds of exactly these visits."""
    best = INFINITE
    for index in range(rounds.first[rep, stops], rounds.first[rep, stops + 1]):
        best = min(best, rounds.cost[index])
    return best


@njit(cache=True, nogil=True)
def share_out(rounds):  # type: ignore[no-untyped-def]
    """Return, by rep and set, the least cost at which the reps up to this one serve the set, and this rep's part."""
    reps, sets = len(rounds.first), rounds.first.shape[1] - 1
    least = np.full((reps, sets), INFINITE)
    part = np.full((reps, sets), NOBODY)
    alone = np.empty(sets)
    for rep in range(reps):
        for stops in range(sets):
            alone[stops] = cheapest(rounds, rep, stops)
        for stops in range(sets):
            if rep == 0:
                least[0, stops], part[0, stops] = alone[stops], stops
                continue
            own = stops
            while True:
                cost = alone[own] + least[rep - 1, stops ^ own]
                if cost < least[rep, stops]:
                    least[rep, stops], part[rep, stops] = cost, own
                if own == 0:
                    break
                own = (own - 1) & stops
    return least, part


@njit(cache=True, nogil=True)
def unfairness(amounts, first, fairness):  # type: ignore[no-untyped-def]
    """Return the least price of unfairness when the amounts from ``first`` on are known."""
    count = len(amounts) - first
    if count < 2:
        return 0.0
    mean = amounts[first:].sum() / count
    apart = 0.0
    for index in range(first, len(amounts)):
        apart += (amounts[index] - mean) ** 2
    return fairness * np.sqrt(len(amounts) * apart)


@njit(cache=True, nogil=True)
def share_fairly(rounds, least, stops, bound, fairness, chosen, steps):  # type: ignore[no-untyped-def]
    """Return the least cost below ``bound`` at which all reps serve exactly the set; ``chosen`` gets the rounds.

    Reps are worked through from the last; ``steps[0]`` counts down, and the search ends when it is 0.
    """
    reps = len(rounds.first)
    rest = np.zeros(reps + 1, dtype=np.int64)
    own, index = np.zeros(reps, dtype=np.int64), np.zeros(reps, dtype=np.int64)
    spent, amounts, pick = np.zeros(reps + 1), np.zeros(reps), np.zeros(reps, dtype=np.int64)
    rep = reps - 1
    rest[reps] = stops
    own[rep], index[rep] = stops, rounds.first[rep, stops]
    while rep < reps and steps[0] > 0:
        if index[rep] == rounds.first[rep, own[rep] + 1]:
            # The next part of what is left; the first rep takes all of it.
            if own[rep] == 0 or rep == 0:
                rep += 1
                continue
            own[rep] = (own[rep] - 1) & rest[rep + 1]
            index[rep] = rounds.first[rep, own[rep]]
            continue
        steps[0] -= 1
        pick[rep] = index[rep]
        index[rep] += 1
        spent[rep] = spent[rep + 1] + rounds.cost[pick[rep]]
        amounts[rep] = rounds.amount[pick[rep]]
        rest[rep] = rest[rep + 1] ^ own[rep]
        cost = spent[rep] + unfairness(amounts, rep, fairness)
        if cost + (least[rep - 1, rest[rep]] if rep else 0.0) >= bound:
            continue
        if rep == 0:
            bound = cost
            chosen[:] = pick
            continue
        rep -= 1
        own[rep] = rest[rep + 1]
        index[rep] = rounds.first[rep, own[rep]]
    return bound
