"""Plans a fleet: day problem, search, check, and each round's times in the fleet's own terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import Text, Unavailable
from routing.check import check
from routing.fleet.day import FleetDay, day_of
from routing.fleet.model import Fleet
from routing.fleet.timetable import Step, timetable
from routing.plan import DayPlan
from routing.solve import solve


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plan of a fleet: the day's plan, and the steps of each vehicle that goes out, by its id."""

    day: FleetDay
    plan: DayPlan
    rounds: Mapping[str, list[Step]]


def plan_fleet(
    fleet: Fleet, *, time_limit_s: float, seed: int = 0, start: Mapping[str, Sequence[str]] | None = None
) -> FleetPlan:
    """Return the best plan found within the time limit; it was checked without the solver.

    Parameters
    ----------
    start : mapping of vehicle id to task ids, optional
        A plan to begin the search with.

    Raises
    ------
    InvalidInput
        When the fleet does not fit into a day problem (see `routing.fleet.day.day_of`).
    Unavailable
        When the checker does not accept the plan found.
    """
    day = day_of(fleet)
    if start is None:
        plan = solve(day.problem, day.table, time_limit_s=time_limit_s, seed=seed)
    else:
        plan = solve(day.problem, day.table, time_limit_s=time_limit_s, seed=seed, start=start)
    report = check(day.problem, day.table, plan)
    if not report.drivable:
        broken = ", ".join(sorted({found.constraint for found in report.violations}))
        raise Unavailable(Text(f"the plan found breaks {broken}", f"得到的计划违反约束：{broken}"))
    vehicles = {vehicle.id: vehicle for vehicle in day.fleet.vehicles}
    rounds = {
        route.rep_id: timetable(day.fleet, vehicles[route.rep_id], route, day.origin_s, day.seconds)
        for route in plan.routes
    }
    return FleetPlan(day, plan, rounds)
