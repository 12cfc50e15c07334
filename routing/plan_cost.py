"""What a plan costs, part by part, from the order of its visits."""

from __future__ import annotations

from dataclasses import dataclass, fields

from routing.constraints.case import Case
from routing.problem import ObjectiveWeights, Visit


@dataclass(frozen=True, slots=True)
class PlanCost:
    """The parts of a plan's cost, in seconds of travel (see :class:`routing.problem.ObjectiveWeights`).

    Attributes
    ----------
    travel, distance, overtime : float
        Of all routes.
    left_out : float
        Worth of the visits that are left out.
    fixed : float
        Of the reps who go out.
    change : float
        Of the visits that another than their usual rep makes.
    fairness : float
        Of how unequal the days of all reps are; a rep who stays at home counts as 0.
    """

    travel: float = 0.0
    distance: float = 0.0
    overtime: float = 0.0
    left_out: float = 0.0
    fixed: float = 0.0
    change: float = 0.0
    fairness: float = 0.0

    @property
    def total(self) -> float:
        """All parts together: what a search makes small."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


NOTHING = PlanCost()


def cost_of_plan(case: Case) -> PlanCost:
    """Return the cost of a plan whose visits and reps are known; no figure that the plan states is used but its ends.

    That the stated ends are not too early is the business of the constraint ``travel_times``.
    """
    weights, routes = case.problem.weights, case.plan.routes
    overtime_s = sum(max(0, route.end_s - case.reps[route.rep_id].shift_end_s) for route in routes)
    used = {route.rep_id for route in routes if route.stops}
    moved = sum(bool(usual) and usual != rep_id for usual, rep_id in _usual_and_actual(case))
    return PlanCost(
        travel=weights.travel_s * sum(case.travel_s(route) for route in routes),
        distance=weights.distance_m * sum(case.distance_m(route) for route in routes),
        overtime=weights.overtime_s * overtime_s,
        left_out=sum(weights.prize(visit) for visit in case.problem.visits if visit.id not in case.served),
        fixed=sum(rep.fixed_cost for rep in case.problem.reps if rep.id in used),
        change=weights.change * moved,
        fairness=weights.unfairness(amounts_by_rep(case)),
    )


def _usual_and_actual(case: Case) -> list[tuple[str, str]]:
    return [(case.visits[stop.visit_id].usual_rep, route.rep_id) for route, stop in case.stops()]


def amounts_by_rep(case: Case) -> list[float]:
    """Return what the weights' fairness measure counts of each rep's day, in the order of the problem's reps."""
    weights = case.problem.weights
    amounts = dict.fromkeys(case.reps, 0.0)
    for route in case.plan.routes:
        visits = [case.visits[stop.visit_id] for stop in route.stops]
        amounts[route.rep_id] += sum(_amount(weights, visit) for visit in visits)
        if weights.fairness_measure == "minutes" and visits:
            amounts[route.rep_id] += case.travel_s(route)
    return list(amounts.values())


def _amount(weights: ObjectiveWeights, visit: Visit) -> float:
    if weights.fairness_measure == "visits":
        return 1.0
    return weights.points(visit) if weights.fairness_measure == "value" else float(visit.service_s)
