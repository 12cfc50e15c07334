"""The best plan of a tiny day by trying every plan, each order judged by the checker: what exact and near answers are
held against."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from routing.check import check
from routing.day import Day
from routing.plan import DayPlan, Unassigned
from routing.schedule import earliest_route

NEEDS_OTHERS = {"mandatory_served", "first_stops"}
"""Breaches that other reps' routes may mend."""

Order = tuple[int, ...]


def plan_of(day: Day, orders: Sequence[Sequence[int]]) -> DayPlan:
    """Return the plan of these orders with its times; its own cost is not stated.

    The times come from a day on which nothing but time counts, so that only the checker judges everything else.
    """
    timing = _timing_only(day)
    routes = tuple(earliest_route(timing, rep, order) for rep, order in enumerate(orders) if order)
    served = {visit for order in orders for visit in order}
    left = [visit for number, visit in enumerate(day.problem.visits) if number not in served]
    return DayPlan(routes, tuple(Unassigned(visit.id, visit.mandatory, ()) for visit in left), 0.0)


def _timing_only(day: Day) -> Day:
    problem = day.problem
    visits = tuple(
        replace(visit, skills=frozenset(), load=0, collect=0, after="", allowed_reps=None) for visit in problem.visits
    )
    free = {"max_visits": None, "capacity": None, "max_travel_s": None, "max_distance_m": None, "first_stops": ()}
    reps = tuple(replace(rep, **free) for rep in problem.reps)  # type: ignore[arg-type]
    return Day(replace(problem, visits=visits, reps=reps), day.table)


def cost_by_check(day: Day, orders: Sequence[Sequence[int]]) -> tuple[int, float] | None:
    """Return (mandatory visits left out, cost) as the checker sees it, or None where the plan does not hold."""
    report = check(day.problem, day.table, plan_of(day, orders))
    broken = [found for found in report.violations if found.constraint != "mandatory_served"]
    return None if broken else (len(report.violations), report.objective)


def best_of_every_plan(day: Day) -> tuple[int, float] | None:
    """Return the least (mandatory visits left out, cost) of all plans that hold, or None where no plan does."""
    rounds = [list(_rounds(day, rep)) for rep in range(len(day.problem.reps))]
    weights, visits = day.problem.weights, day.problem.visits
    best = None
    for chosen in itertools.product(*rounds):
        served = [visit for _, order, _ in chosen for visit in order]
        if len(set(served)) < len(served):
            continue
        left = [visit for number, visit in enumerate(visits) if number not in served]
        cost = sum(cost for cost, _, _ in chosen) + sum(weights.prize(visit) for visit in left)
        cost += weights.unfairness([amount for _, _, amount in chosen])
        found = (sum(visit.mandatory for visit in left), cost)
        best = found if best is None else min(best, found)
    return best


def _rounds(day: Day, rep: int) -> Iterator[tuple[float, Order, float]]:
    """Yield (cost, order, amount for fairness) of every round that holds."""
    locked = {visit_id for other in day.problem.reps for visit_id in other.first_stops}
    own = day.problem.reps[rep].first_stops
    free = [number for number, visit in enumerate(day.problem.visits) if visit.id not in locked or visit.id in own]
    for count in range(len(free) + 1):
        for order in itertools.permutations(free, count):
            if tuple(day.problem.visits[visit].id for visit in order[: len(own)]) != own:
                continue
            if not order:
                yield 0.0, (), 0.0
                continue
            orders: list[Order] = [()] * len(day.problem.reps)
            orders[rep] = order
            report = check(day.problem, day.table, plan_of(day, orders))
            if all(found.constraint in NEEDS_OTHERS for found in report.violations):
                cost = report.cost
                parts = cost.travel + cost.distance + cost.overtime + cost.fixed + cost.change
                yield parts, order, _amount(day, order, report.travel_s)


def _amount(day: Day, order: Order, travel_s: int) -> float:
    weights, visits = day.problem.weights, [day.problem.visits[visit] for visit in order]
    if weights.fairness_measure == "visits":
        return len(order)
    if weights.fairness_measure == "value":
        return sum(weights.points(visit) for visit in visits)
    return travel_s + sum(visit.service_s for visit in visits)
