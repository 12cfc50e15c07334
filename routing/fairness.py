"""How equal the reps' days are, and what it costs to make them more equal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from routing.check import check
from routing.plan import DayPlan
from routing.plan_cost import PlanCost
from routing.problem import FAIRNESS_MEASURES, DayProblem
from routing.solve import evaluate, solve
from routing.travel_times import TravelTable, TravelTimes


@dataclass(frozen=True, slots=True)
class RepDay:
    """What one rep's day comes to; a rep who stays at home has 0 of everything.

    Attributes
    ----------
    minutes : float
        Of travel and service.
    value : float
        Points of the visits times the factor of their grade.
    """

    rep_id: str
    minutes: float
    visits: int
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How unequal amounts are, one for each rep: least, most, mean and standard deviation."""

    least: float
    most: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """The reps' days, and the spread of each measure (``minutes``, ``visits``, ``value``)."""

    days: tuple[RepDay, ...]
    spread: Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A plan with its figures."""

    orders: Mapping[str, Sequence[str]]
    fairness: Fairness
    served: int
    value: float
    travel_s: int
    cost: PlanCost


@dataclass(frozen=True, slots=True)
class FairnessPrice:
    """What more equal days cost.

    Attributes
    ----------
    without, with_knob : PlannedDay
        The best plans found in the same time with the knob at 0 and as asked.
    travel_min, visits, value, cost : float
        How much more travel, how many more visits, how many more points, and how much more cost (in seconds of travel,
        without the price of unfairness itself) the fairer plan has; negative: less.
    deviation : float
        By how much the standard deviation of the measure falls.
    """

    measure: str
    without: PlannedDay
    with_knob: PlannedDay
    travel_min: float
    visits: int
    value: float
    cost: float
    deviation: float


def fairness_of(problem: DayProblem, plan: DayPlan) -> Fairness:
    """Return how equal the days of all reps of the problem are."""
    visits = {visit.id: visit for visit in problem.visits}
    routes = {route.rep_id: route for route in plan.routes}
    days = []
    for rep in problem.reps:
        route = routes.get(rep.id)
        stops = route.stops if route else ()
        busy_s = route.travel_s + route.service_s if route and stops else 0
        points = sum(problem.weights.points(visits[stop.visit_id]) for stop in stops)
        days.append(RepDay(rep.id, round(busy_s / 60, 2), len(stops), round(points, 4)))
    spread = {name: _spread([float(getattr(day, name)) for day in days]) for name in FAIRNESS_MEASURES}
    return Fairness(tuple(days), spread)


def _spread(amounts: Sequence[float]) -> Spread:
    mean, deviation = statistics.fmean(amounts), statistics.pstdev(amounts)
    return Spread(min(amounts), max(amounts), round(mean, 4), round(deviation, 4))


def price_of_fairness(
    problem: DayProblem,
    travel: TravelTimes,
    *,
    time_limit_s: float,
    start: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
) -> FairnessPrice:
    """Return what the fairness weight of a problem costs, by two solves of half the time each.

    The fairer plan is searched from the other one, so that the difference is the knob's and not the search's. When it
    turns out cheaper even without the knob, it stands for both, and fairness costs nothing.

    Parameters
    ----------
    start : mapping of rep id to visit ids, optional
        A plan from which to begin.

    Raises
    ------
    InvalidInput, Unavailable
        As :func:`routing.solve.solve`.
    """
    table = travel.table(problem.locations())
    plain = replace(problem, weights=replace(problem.weights, fairness=0.0))

    def searched(task: DayProblem, begin: Mapping[str, Sequence[str]] | None) -> DayPlan:
        half_s = time_limit_s / 2
        return solve(task, table, time_limit_s=half_s, seed=seed, start=begin, should_stop=should_stop)

    without = searched(plain, start)
    fair = searched(problem, without.sequences())
    first, second = _planned(plain, table, without), _planned(plain, table, fair)
    if second.cost.total < first.cost.total:
        first = second
    measure = problem.weights.fairness_measure
    return FairnessPrice(
        measure,
        first,
        second,
        travel_min=round((second.travel_s - first.travel_s) / 60, 2),
        visits=second.served - first.served,
        value=round(second.value - first.value, 4),
        cost=round(second.cost.total - first.cost.total, 2),
        deviation=round(first.fairness.spread[measure].deviation - second.fairness.spread[measure].deviation, 4),
    )


def _planned(problem: DayProblem, table: TravelTable, plan: DayPlan) -> PlannedDay:
    exact, _ = evaluate(problem, table, plan.sequences())
    report = check(problem, table, exact)
    fairness = fairness_of(problem, exact)
    value = round(sum(day.value for day in fairness.days), 4)
    return PlannedDay(exact.sequences(), fairness, report.served, value, report.travel_s, report.cost)
