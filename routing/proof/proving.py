"""Proves small days: the best of all plans, by trying everything that could belong to it.

All rounds of each rep come from dynamic programming over sets of visits (:mod:`routing.proof.labels`), and one for each
rep is then chosen (:mod:`routing.proof.packing`). Times, breaks, limits, loads, orders, locked stops, overtime, changes
and fairness are all exact; no bound, grid or rounding comes in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.places import Location
from routing.day import Day
from routing.problem import DayProblem, ObjectiveWeights, Rep, SizeLimits, Visit

if TYPE_CHECKING:
    from routing.proof.layout import Person, RoundsOfRep
    from routing.proof.packing import Rounds

MOST_VISITS = 13
"""Visits of the largest day that is tried: its tables of sets stay small."""
MOST_LABELS = 1_000_000
"""Orders of visits kept for one rep; a day that needs more is given up."""
LOOK_EVERY_S = 0.005
"""About how often the clock is looked at."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The best plan of a day.

    Attributes
    ----------
    orders : list of list of int
        Positions of visits in order, for each rep by position.
    cost : tuple of int and float
        Mandatory and locked visits left out, and cost, as :func:`routing.construct.cost_of` counts them; the smaller
        pair is the better plan.
    proven : bool
        No plan is better. False: the best of those that were tried (only where days must be fair, and a very large
        number of ways to share the visits out cost nearly the same).
    """

    orders: list[list[int]]
    cost: tuple[int, float]
    proven: bool


def prove(day: Day, candidates: Sequence[Sequence[int]], *, end_s: float) -> Proof | None:
    """Return the best plan of a small day, or None when the day is too large for it or for the time.

    Parameters
    ----------
    candidates : sequence of sequence of int
        For each visit the reps who could make it with nothing else to do. Only looked at where no way is shorter over
        a third place; elsewhere a visit may be possible on a round though it is not alone.
    end_s : float
        When to give up, on ``time.monotonic()``'s clock. The first call on a machine compiles for some seconds; see
        :func:`warm`.

    Notes
    -----
    None is also the answer where the locked first stops of a rep cannot be kept.
    """
    from routing.proof.arrays import visits_that_matter

    chosen = visits_that_matter(day, candidates)
    if len(chosen) > MOST_VISITS or time.monotonic() >= end_s:
        return None
    found = _rounds_by_rep(day, chosen, end_s)
    if found is None:
        return None
    packing = _Packing(day, chosen, found)
    choice = packing.fairest(end_s) if packing.fair else packing.cheapest()
    if choice is None:
        return None
    picked, cost, proven = choice
    return Proof(packing.orders(picked), cost, proven)


def warm() -> None:
    """Compile what :func:`prove` needs, or load it from the disk; a second call costs nothing."""
    import numpy as np

    from routing.travel_times import TravelTable

    here = Location(0.5, 0.5)
    reps = (Rep("a", "", here, 0, 9, here), Rep("b", "", here, 0, 9, here, fixed_cost=1.0))
    visits = (Visit("a", "", here, 1), Visit("b", "", here, 1))
    for fairness in (0.0, 1.0):
        problem = DayProblem(visits, reps, ObjectiveWeights(fairness=fairness), SizeLimits())
        size = len(problem.locations())
        table = TravelTable(np.zeros((size, size), dtype=np.int32), np.zeros((size, size), dtype=np.int32))
        prove(Day(problem, table), [[0, 1], [0, 1]], end_s=time.monotonic() + 3600)


def _rounds_by_rep(day: Day, chosen: Sequence[int], end_s: float) -> list[RoundsOfRep] | None:
    """Return each rep's rounds, or None when they are too many; reps who are alike share them."""
    from routing.proof.arrays import person_of

    known: dict[bytes, RoundsOfRep] = {}
    found = []
    for rep in range(len(day.problem.reps)):
        person = person_of(day, rep, chosen)
        key = b"|".join(array.tobytes() for array in person)
        if key not in known:
            rounds = _all_rounds(person, end_s)
            if rounds is None:
                return None
            known[key] = rounds
        found.append(known[key])
    return found


def _all_rounds(person: Person, end_s: float) -> RoundsOfRep | None:
    from routing.proof.labels import begin, extend, sort_rounds
    from routing.proof.layout import no_labels

    sets = 2 ** len(person.visit)
    labels = no_labels(len(person.visit), len(person.pause), MOST_LABELS)
    begin(person, labels)
    first, many = 0, 1
    while first < sets:
        began = time.monotonic()
        if began >= end_s or not extend(person, labels, first, min(first + many, sets)):
            return None
        first += many
        # Later sets have more labels than earlier ones.
        many = many * 2 if time.monotonic() - began < LOOK_EVERY_S else max(1, many // 4)
    return sort_rounds(labels)


Choice = tuple[list[int], tuple[int, float], bool]
"""Number of each rep's round, cost of the plan, and whether nothing is better."""


class _Packing:
    """Chooses one round for each rep."""

    def __init__(self, day: Day, chosen: Sequence[int], found: Sequence[RoundsOfRep]) -> None:
        import numpy as np

        from routing.proof.packing import share_out

        self.chosen, self.found = chosen, found
        self.fairness = day.problem.weights.fairness
        self.fair = self.fairness > 0 and len(found) > 1
        self.rounds, self._label = _side_by_side(found)
        self.least, self.part = share_out(self.rounds)
        beyond = set(range(len(day.problem.visits))) - set(chosen)
        sets = np.arange(2 ** len(chosen))
        self.left_out = np.full(len(sets), float(sum(day.prize[visit] for visit in beyond)))
        self.missed = np.full(len(sets), sum(day.firm[visit] for visit in beyond))
        for place, visit in enumerate(chosen):
            without = (sets >> place & 1) == 0
            self.left_out[without] += day.prize[visit]
            self.missed[without] += day.firm[visit]

    def _ranking(self) -> Any:
        """Return the sets that can be served, from the least (missed, bound of the cost) on."""
        import numpy as np

        from routing.proof.packing import INFINITE

        bound = self.least[-1] + self.left_out
        ranked = np.lexsort((bound, self.missed))
        return ranked[self.least[-1][ranked] < INFINITE]

    def cheapest(self) -> Choice | None:
        """Return the choice of least cost, or None when there is none."""
        import numpy as np

        ranking = self._ranking()
        if not len(ranking):
            return None
        best = rest = int(ranking[0])
        picked = [0] * len(self.found)
        for rep in range(len(self.found) - 1, -1, -1):
            own = int(self.part[rep, rest])
            first, last = self.rounds.first[rep, own : own + 2]
            picked[rep] = int(first + np.argmin(self.rounds.cost[first:last]))
            rest ^= own
        return picked, (int(self.missed[best]), float(self.least[-1, best] + self.left_out[best])), True

    def fairest(self, end_s: float) -> Choice | None:
        """Return the choice of least cost, fairness included, or None when there is none."""
        import numpy as np

        from routing.proof.packing import INFINITE, MOST_STEPS, share_fairly

        steps = np.array([MOST_STEPS])
        picked, chosen = np.zeros(len(self.found), dtype=np.int64), np.zeros(len(self.found), dtype=np.int64)
        best = (len(self.chosen) + int(self.missed.max()) + 1, INFINITE)
        for stops in self._ranking():
            missed, left_out = int(self.missed[stops]), float(self.left_out[stops])
            if (missed, self.least[-1, stops] + left_out) >= best:
                break
            if steps[0] <= 0 or time.monotonic() >= end_s:
                return None if best[1] >= INFINITE else (picked.tolist(), best, False)
            bound = best[1] - left_out if missed == best[0] else INFINITE
            cost = share_fairly(self.rounds, self.least, stops, bound, self.fairness, chosen, steps)
            if cost < bound:
                best = missed, float(cost + left_out)
                picked[:] = chosen
        return None if best[1] >= INFINITE else (picked.tolist(), best, bool(steps[0] > 0))

    def orders(self, picked: Sequence[int]) -> list[list[int]]:
        """Return the visits of the chosen rounds, by position in the problem."""
        orders = []
        for rounds, number in zip(self.found, picked, strict=True):
            order, label = [], int(self._label[number])
            while label >= 0 and rounds.stop[label] < len(self.chosen):
                order.append(self.chosen[rounds.stop[label]])
                label = int(rounds.parent[label])
            orders.append(order[::-1])
        return orders


def _side_by_side(found: Sequence[RoundsOfRep]) -> tuple[Rounds, Any]:
    """Return the rounds of all reps, sorted by rep and set, and the last label of each round."""
    import numpy as np

    from routing.proof.packing import Rounds

    begins: dict[int, int] = {}
    unlike: list[RoundsOfRep] = []
    for rounds in found:
        if id(rounds) not in begins:
            begins[id(rounds)] = sum(len(other.cost) for other in unlike)
            unlike.append(rounds)
    return Rounds(
        np.array([rounds.first + begins[id(rounds)] for rounds in found]),
        np.concatenate([rounds.cost for rounds in unlike]),
        np.concatenate([rounds.amount for rounds in unlike]),
    ), np.concatenate([rounds.label for rounds in unlike])
