"""A first plan in milliseconds by cheapest insertion, and the last touches to a searched one."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence

from routing.day import Day, Round
from routing.search import Orders

NEAREST_REPS = 12
"""How many reps are tried for a visit in a first plan."""
NEIGHBOURS = 15
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


def fill(
    day: Day, rounds: Sequence[Round], options: Sequence[Sequence[int]], *, end_s: float, nearest: int = NEAREST_REPS
) -> None:
    """Insert what is left out wherever it fits and is worth its way: mandatory first, then by price per value.

    The price of a visit is its detour and its service time. Only prices that an insertion may have changed are computed
    again. Stops at ``end_s`` (``time.monotonic()``). A visit is tried with the ``nearest`` reps.
    """
    placed = {visit for one in rounds for visit in one.stops}
    waiting = {visit for visit in range(len(options)) if options[visit] and visit not in placed}
    near: dict[int, set[int]] = {}
    offers: list[Offer] = []
    for visit in sorted(waiting):
        if time.monotonic() > end_s:
            break
        near[visit] = set(_near(day, visit, options[visit], rounds, nearest))
        offers += [offer for rep in near[visit] if (offer := _offer(day, rounds[rep], visit))]
    neighbours = _neighbours(day, sorted(near))
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
            for other in neighbours[visit]:
                offer = _offer(day, one, other) if other in waiting and rep in near[other] else None
                if offer is not None:
                    heapq.heappush(offers, offer)
            for other in day.dependants[visit]:
                # What comes after the visit has a place from now on, and only on this round.
                offer = _offer(day, one, other) if other in waiting else None
                if offer is not None:
                    heapq.heappush(offers, offer)
    _withdraw_incomplete(day, rounds)


def _withdraw_incomplete(day: Day, rounds: Sequence[Round]) -> None:
    """Take out visits that collect for others who found no place."""
    for one in rounds:
        waiting = set(one.waits_for_others()) if any(day.collect) else set()
        while waiting:
            gone = waiting | {stop for stop in one.stops if day.after[stop] in waiting}
            one.keep([stop for stop in one.stops if stop not in gone])
            waiting = {stop for stop in one.stops if day.after[stop] in gone}


def _neighbours(day: Day, visits: Sequence[int]) -> dict[int, list[int]]:
    """Return for each of the visits those nearest to it."""
    import numpy as np

    if not visits:
        return {}
    chosen = np.array(visits)
    ways = day.table.duration_s[np.ix_(chosen, chosen)]
    order = np.argsort(ways, axis=1, kind="stable")[:, : NEIGHBOURS + 1]
    return {visit: chosen[near].tolist() for visit, near in zip(visits, order, strict=True)}


Offer = tuple[bool, float, int, int, int, int]
"""Optional, price per value, visit, rep, position, and the stops the round had then."""


def _offer(day: Day, one: Round, visit: int) -> Offer | None:
    found = one.best_insertion(visit)
    if found is None:
        return None
    price = (found[0] + day.problem.weights.travel_s * day.service_s[visit]) / max(day.prize[visit], 1e-9)
    return not day.firm[visit], price, visit, one.rep, found[1], len(one.stops)


def is_worth_it(day: Day, one: Round, visit: int, position: int) -> bool:
    """Return whether serving ``visit`` at ``position`` costs no more than leaving it out, overtime included."""
    if day.firm[visit]:
        return True
    cost = one.added_cost(visit, position)
    if day.problem.reps[one.rep].overtime_s:
        longer = Round(day, one.rep, [*one.stops[:position], visit, *one.stops[position:]])
        cost += day.problem.weights.overtime_s * (longer.overtime_s() - one.overtime_s())
    return cost <= day.prize[visit]


def drop(day: Day, rounds: list[Round]) -> None:
    """Take out stretches of optional visits that cost more than they are worth, the most wasteful of a round first."""
    for rep in range(len(rounds)):
        while (shorter := _without_waste(day, rounds[rep])) is not None:
            rounds[rep] = shorter


def _without_waste(day: Day, one: Round) -> Round | None:
    """Return the round without the stretch that saves most by going, or None when each is worth its cost."""
    stops, best, shortest = one.stops, 1e-6, None
    cost = _cost_of_round(day, one)
    for first in range(len(stops)):
        prize = 0.0
        for last in range(first, len(stops)):
            if day.problem.visits[stops[last]].mandatory:
                break
            prize += day.prize[stops[last]]
            if prize >= cost:
                break
            order = [*stops[:first], *stops[last + 1 :]]
            # Without overtime the way alone decides, and no timing is needed.
            if day.problem.reps[one.rep].overtime_s or cost - day.route_cost(one.rep, order) - prize > best:
                shorter = Round(day, one.rep, order)
                saved = cost - _cost_of_round(day, shorter) - prize
                if saved > best and shorter.feasible:
                    best, shortest = saved, shorter
    return shortest


def _cost_of_round(day: Day, one: Round) -> float:
    return day.route_cost(one.rep, one.stops) + day.problem.weights.overtime_s * one.overtime_s()


def _near(day: Day, visit: int, reps: Sequence[int], rounds: Sequence[Round], nearest: int) -> Sequence[int]:
    """Return the reps whose round passes nearest to ``visit``."""
    if len(reps) <= nearest:
        return reps
    ways, start = day.travel_s[visit], day.start_place

    def way(rep: int) -> int:
        stops = rounds[rep].stops
        return min(ways[start[rep]], *[ways[stop] for stop in stops]) if stops else ways[start[rep]]

    return heapq.nsmallest(nearest, reps, key=way)


def cost_of(day: Day, rounds: Sequence[Round]) -> tuple[int, float]:
    """Return (mandatory visits left out, cost); the smaller pair is the better plan."""
    placed = {visit for one in rounds for visit in one.stops}
    left = [visit for visit in range(len(day.problem.visits)) if visit not in placed]
    cost = sum(_cost_of_round(day, one) for one in rounds) + sum(day.prize[visit] for visit in left)
    cost += day.unfairness([one.stops for one in rounds])
    return sum(day.firm[visit] for visit in left), cost
