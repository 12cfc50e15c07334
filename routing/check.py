"""Checks a plan without the solver: every constraint has a name, a function that looks for breaches, and a test.

Nothing here trusts a number that the plan states: times are followed leg by leg with the travel table, and cost is
recomputed from the order of the visits. The constraints lie in ``routing/constraints_of_*.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from routing.constraints.case import Case, Violation
from routing.constraints.of_order import collected_together, first_stops, stop_order
from routing.constraints.of_service import (
    allowed_reps,
    each_visit_once,
    known_ids,
    load_limit,
    mandatory_served,
    one_route_per_rep,
    skills,
    visit_limit,
)
from routing.constraints.of_time import (
    breaks_taken,
    breaks_undisturbed,
    distance_limit,
    service_time,
    shift,
    time_windows,
    travel_limit,
    travel_times,
)
from routing.plan import DayPlan
from routing.plan_cost import NOTHING, PlanCost, cost_of_plan
from routing.problem import DayProblem
from routing.travel_times import TravelTimes

__all__ = ["CONSTRAINTS", "CheckReport", "PlanCost", "Violation", "check"]

CONSTRAINTS: dict[str, Callable[[Case], Iterator[Violation]]] = {
    function.__name__: function
    for function in (
        each_visit_once,
        one_route_per_rep,
        mandatory_served,
        time_windows,
        service_time,
        travel_times,
        shift,
        breaks_taken,
        breaks_undisturbed,
        travel_limit,
        distance_limit,
        skills,
        allowed_reps,
        visit_limit,
        load_limit,
        stop_order,
        collected_together,
        first_stops,
    )
}
"""The constraints by name. ``known_ids`` comes before them: without it nothing can be computed."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checker found.

    Attributes
    ----------
    feasible : bool
        No constraint is broken.
    drivable : bool
        Every route holds as it stands; at most mandatory or locked visits are missing.
    objective : float
        Cost, recomputed.
    travel_s, distance_m, served : int
        Totals, recomputed.
    checked : tuple of str
        Names of the constraints that were looked at, whether broken or not.
    cost : PlanCost
        The parts of ``objective``.
    """

    feasible: bool
    drivable: bool
    violations: tuple[Violation, ...]
    objective: float
    travel_s: int
    distance_m: int
    served: int
    checked: tuple[str, ...] = ()
    cost: PlanCost = NOTHING


def check(problem: DayProblem, travel: TravelTimes, plan: DayPlan) -> CheckReport:
    """Return everything that is wrong with ``plan``, and its recomputed cost.

    A plan that names unknown visits or reps is reported for that alone, because nothing else about it can be computed.
    """
    case = Case(problem, travel.table(problem.locations()), plan)
    unknown = tuple(known_ids(case))
    if unknown:
        return CheckReport(False, False, unknown, 0.0, 0, 0, 0, ("known_ids",))
    violations = tuple(found for constraint in CONSTRAINTS.values() for found in constraint(case))
    cost = cost_of_plan(case)
    return CheckReport(
        feasible=not violations,
        drivable=all(_only_missing(case, found) for found in violations),
        violations=violations,
        objective=cost.total,
        travel_s=sum(case.travel_s(route) for route in plan.routes),
        distance_m=sum(case.distance_m(route) for route in plan.routes),
        served=len(case.served),
        checked=("known_ids", *CONSTRAINTS),
        cost=cost,
    )


def _only_missing(case: Case, found: Violation) -> bool:
    """Return whether a breach is nothing but a visit that should have been made and is left out."""
    return found.constraint in ("mandatory_served", "first_stops") and found.visit_id not in case.served
