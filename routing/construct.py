"""A first plan in milliseconds by cheapest insertion, and the filling of gaps that a search left."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence

from routing.day import Day, Round
from routing.search import Orders

NEAREST_REPS = 12
"""How many reps are tried for a visit in a first plan."""
NEIGHBOURS = 10
"""How many visits near an inserted one get a new price at once; the others when their turn comes."""


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


def fill(
    day: Day, rounds: Sequence[Round], options: Sequence[Sequence[int]], *, end_s: float, nearest: int = NEAREST_REPS
) -> None:
    """Insert what is left out wherever it fits and is worth its way: mandatory first, then by price per value.

    The price of a visit is its detour and its service time. Only prices that an insertion may have changed are computed
    again. Stops at ``end_s`` (``time.monotonic()``). A visit is tried with the ``nearest`` reps.
    """
    placed = {visit for one in rounds for visit in one.stops}
    waiting = {visit for visit in range(len(options)) if options[visit] and visit not in placed}
    near = {visit: set(_near(day, visit, options[visit], rounds, nearest)) for visit in waiting}
    offers = [offer for visit in waiting for rep in near[visit] if (offer := _offer(day, rounds[rep], visit))]
    heapq.heapify(offers)
    while offers and time.monotonic() < end_s:
        _, _, visit, rep, position, stops = heapq.heappop(offers)
        one = rounds[rep]
        if visit not in waiting:
            continue
        if stops != len(one.stops):  # the round has changed since
            offer = _offer(day, one, visit)
            if offer is not None:
                heapq.heappush(offers, offer)
        elif is_worth_it(day, one, visit, position):
            one.insert(visit, position)
            waiting.remove(visit)
            ways = day.travel_s[visit]
            for other in heapq.nsmallest(NEIGHBOURS, waiting, key=lambda other: ways[other]):
                offer = _offer(day, one, other) if rep in near[other] else None
                if offer is not None:
                    heapq.heappush(offers, offer)


Offer = tuple[bool, float, int, int, int, int]
"""Optional, price per value, visit, rep, position, and the stops the round had then."""


def _offer(day: Day, one: Round, visit: int) -> Offer | None:
    found = one.best_insertion(visit)
    if found is None:
        return None
    price = (found[0] + day.problem.weights.travel_s * day.service_s[visit]) / max(day.prize[visit], 1e-9)
    return not day.problem.visits[visit].mandatory, price, visit, one.rep, found[1], len(one.stops)


def is_worth_it(day: Day, one: Round, visit: int, position: int) -> bool:
    """Return whether serving ``visit`` at ``position`` costs no more than leaving it out, overtime included."""
    if day.problem.visits[visit].mandatory:
        return True
    cost = one.added_cost(visit, position)
    if day.problem.reps[one.rep].overtime_s:
        longer = Round(day, one.rep, [*one.stops[:position], visit, *one.stops[position:]])
        cost += day.problem.weights.overtime_s * (longer.overtime_s() - one.overtime_s())
    return cost <= day.prize[visit]


def _near(day: Day, visit: int, reps: Sequence[int], rounds: Sequence[Round], nearest: int) -> Sequence[int]:
    """Return the reps whose round passes nearest to ``visit``."""
    if len(reps) <= nearest:
        return reps
    ways = day.travel_s[visit]
    return heapq.nsmallest(
        nearest, reps, key=lambda rep: min(ways[place] for place in [day.start_place[rep], *rounds[rep].stops])
    )


def cost_of(day: Day, rounds: Sequence[Round]) -> tuple[int, float]:
    """Return (mandatory visits left out, cost); the smaller pair is the better plan."""
    placed = {visit for one in rounds for visit in one.stops}
    left = [visit for visit in range(len(day.problem.visits)) if visit not in placed]
    cost = sum(day.route_cost(one.rep, one.stops) for one in rounds)
    cost += day.problem.weights.overtime_s * sum(one.overtime_s() for one in rounds)
    cost += sum(day.prize[visit] for visit in left)
    return sum(day.problem.visits[visit].mandatory for visit in left), cost
