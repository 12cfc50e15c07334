"""A first plan in milliseconds by cheapest insertion, and the filling of gaps that a search left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from routing.day import Day, Round
from routing.search import Orders

NEAREST_REPS = 12
"""How many reps are tried for a visit when there are more."""


def rounds_of(day: Day, orders: Orders) -> list[Round]:
    """Return each rep's round; an order that cannot be kept loses visits from its end until it can."""
    rounds = []
    for rep, order in enumerate(orders):
        one = Round(day, rep, order)
        while not one.feasible and one.stops:
            one = Round(day, rep, one.stops[:-1])
        rounds.append(one)
    return rounds


def candidates(day: Day) -> list[list[int]]:
    """Return for each visit the reps who could take it if they had nothing else to do."""
    empty = [Round(day, rep) for rep in range(len(day.problem.reps))]
    return [
        [one.rep for one in empty if one.has_room_for(visit) and one.fits(visit, 0)]
        for visit in range(len(day.problem.visits))
    ]


def fill(day: Day, rounds: Sequence[Round], options: Sequence[Sequence[int]], *, end_s: float | None = None) -> int:
    """Insert what is left out wherever it fits and is worth its way; return how many were inserted.

    Mandatory visits come first, then the dearest and least flexible. Stops at ``end_s`` (``time.monotonic()``).
    """
    placed = {visit for one in rounds for visit in one.stops}
    waiting = [visit for visit in range(len(options)) if options[visit] and visit not in placed]
    waiting.sort(key=lambda visit: _urgency(day, visit, len(options[visit])))
    inserted = 0
    for visit in waiting:
        if end_s is not None and time.monotonic() > end_s:
            break
        best: tuple[float, int, int] | None = None
        for rep in _near(day, visit, options[visit], rounds):
            found = rounds[rep].best_insertion(visit)
            if found is not None and (best is None or found[0] < best[0]):
                best = (found[0], rep, found[1])
        if best is not None and is_worth_it(day, rounds[best[1]], visit, best[2]):
            rounds[best[1]].insert(visit, best[2])
            inserted += 1
    return inserted


def is_worth_it(day: Day, one: Round, visit: int, position: int) -> bool:
    """Return whether serving ``visit`` at ``position`` costs no more than leaving it out, overtime included."""
    if day.problem.visits[visit].mandatory:
        return True
    cost = one.added_cost(visit, position)
    if day.problem.reps[one.rep].overtime_s:
        longer = Round(day, one.rep, [*one.stops[:position], visit, *one.stops[position:]])
        cost += day.problem.weights.overtime_s * (longer.overtime_s() - one.overtime_s())
    return cost <= day.prize[visit]


def _urgency(day: Day, visit: int, choices: int) -> tuple[bool, float, int, int]:
    spans = day.spans[visit]
    open_s = sum(end - start for start, end in spans)
    return (not day.problem.visits[visit].mandatory, -day.prize[visit], choices, open_s)


def _near(day: Day, visit: int, reps: Sequence[int], rounds: Sequence[Round]) -> Sequence[int]:
    """Return the reps whose round passes nearest to ``visit``."""
    if len(reps) <= NEAREST_REPS:
        return reps
    ways = day.travel_s[visit]
    return sorted(reps, key=lambda rep: min(ways[place] for place in [day.start_place[rep], *rounds[rep].stops]))[
        :NEAREST_REPS
    ]


def cost_of(day: Day, rounds: Sequence[Round]) -> tuple[int, float]:
    """Return (mandatory visits left out, cost); the smaller pair is the better plan."""
    placed = {visit for one in rounds for visit in one.stops}
    left = [visit for visit in range(len(day.problem.visits)) if visit not in placed]
    cost = sum(day.route_cost(one.rep, one.stops) for one in rounds)
    cost += day.problem.weights.overtime_s * sum(one.overtime_s() for one in rounds)
    cost += sum(day.prize[visit] for visit in left)
    return sum(day.problem.visits[visit].mandatory for visit in left), cost
