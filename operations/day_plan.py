"""Day plans: solving a problem in a job, storing the plan, and reading it as each role may."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from operations.access import Actor
from operations.plan_records import (
    plan_record,
    problem_record,
    read_plan,
    read_problem,
    read_unusable,
    report_record,
    unusable_record,
)
from operations.store.database import Database
from operations.store.tables import Customer, Person, PlannedStop, RoutePlan, RoutePlanVersion
from operations.visit_candidates import problem_for_region
from routing.check import check
from routing.plan import DayPlan, Route
from routing.problem import DayProblem, SizeLimits
from routing.problem_files import travel_from_mapping
from routing.relaxations import with_relaxations
from routing.solve import solve as search
from routing.travel.for_problem import travel_for, travel_record
from routing.travel_times import TravelTimes
from routing.usable_visits import Unusable

__all__ = [
    "PlanSummary",
    "StoredPlan",
    "latest_plans",
    "payload",
    "plan",
    "problem_for_region",
    "solve",
    "store",
    "unstored",
]


RELAXATIONS_WITHIN_S = 1.0
"""How long, after the search, changes are tried that would bring left-out visits into the plan."""


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A stored plan in a line."""

    id: str
    plan_date: date
    region_code: str | None
    status: str
    feasible: bool
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    solve_s: float
    created_at: datetime
    created_by: str
    version: int = 1
    published_version: int | None = None
    published_at: datetime | None = None
    published_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A stored plan with the problem that it solves and the checker's report.

    ``rhythm`` says who was visited again for which reason, and who was not offered (`visit_repeats.record_of`).
    """

    summary: PlanSummary
    problem: DayProblem
    plan: DayPlan
    report: dict[str, Any]
    rhythm: dict[str, Any] = field(default_factory=dict)
    unusable: tuple[Unusable, ...] = ()

    @property
    def lines(self) -> dict[str, str]:
        """By rep id the line of the round on the streets, as an encoded polyline; only those that are known."""
        lines: dict[str, str] = self.report.get("geometry", {})
        return lines


def payload(
    problem: DayProblem,
    plan_date: date,
    region_code: str | None,
    *,
    time_limit_s: float,
    seed: int = 0,
    travel: dict[str, Any] | None = None,
    unusable: Sequence[Unusable] = (),
) -> dict[str, Any]:
    """Return the JSON object that a job solves (see `solve`).

    Parameters
    ----------
    travel : dict, optional
        Travel times of the problem's own instead of the installation's, as ``routing.problem_files`` reads them.
    unusable : sequence of Unusable, optional
        Visits that were taken out of the problem because something is wrong with them; kept with the plan.
    """
    return {
        "problem": problem_record(problem),
        "plan_date": plan_date.isoformat(),
        "region": region_code,
        "time_limit_s": time_limit_s,
        "seed": seed,
        "travel": travel,
        "unusable": unusable_record(unusable),
    }


def solve(
    asked: dict[str, Any],
    travel_times: TravelTimes,
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Solve a payload and check the plan without the solver; changes nothing.

    Returns
    -------
    dict
        ``plan``, ``report``, ``feasible``, ``solve_s``: what `store` keeps.
    """
    problem = read_problem(asked["problem"])
    own = asked.get("travel")
    travel = travel_for(problem, travel_from_mapping(own) if own else travel_times)
    found = search(
        problem,
        travel.table,
        time_limit_s=asked["time_limit_s"],
        seed=asked["seed"],
        on_progress=(lambda progress: on_progress(asdict(progress))) if on_progress else None,
        should_stop=should_stop,
    )
    found = with_relaxations(problem, travel.table, found, within_s=RELAXATIONS_WITHIN_S)
    report = check(problem, travel.table, found)
    return {
        "plan": plan_record(found),
        "report": {**report_record(report), **travel_record(problem, found, travel)},
        "feasible": report.feasible,
        "solve_s": found.search.wall_s,
    }


def unstored(
    problem: DayProblem,
    travel_times: TravelTimes,
    plan_date: date,
    *,
    time_limit_s: float,
    seed: int = 0,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> StoredPlan:
    """Solve and check a problem that belongs to no record; the plan is returned and kept nowhere."""
    asked = payload(problem, plan_date, None, time_limit_s=time_limit_s, seed=seed)
    solved = solve(asked, travel_times, on_progress=on_progress)
    found = read_plan(solved["plan"])
    totals = found.summary
    summary = PlanSummary(
        "unstored",
        plan_date,
        None,
        "draft",
        solved["feasible"],
        totals.served,
        totals.unassigned,
        totals.travel_s,
        totals.distance_m,
        solved["solve_s"],
        datetime.now(UTC),
        "nobody",
    )
    return StoredPlan(summary, problem, found, solved["report"])


def store(
    database: Database, actor: str, plan_id: str, asked: dict[str, Any], solved: dict[str, Any]
) -> dict[str, Any]:
    """Keep a solved plan under an id; a plan that is kept already stays as it is.

    Returns
    -------
    dict
        ``route_plan_id``, ``feasible``, ``assigned``, ``unassigned``.
    """
    with database.write(actor) as session:
        row = session.get(RoutePlan, plan_id)
        if row is None:
            row = _row(plan_id, asked, solved)
            session.add(row)
            session.flush()
            keep_stops(session, plan_id, read_plan(solved["plan"]))
        return {
            "route_plan_id": plan_id,
            "feasible": row.feasible,
            "assigned": row.assigned_visits,
            "unassigned": row.unassigned_visits,
        }


def keep_stops(session: Session, plan_id: str, found: DayPlan) -> None:
    """Keep the stops of a plan as those that reps see, in the place of any before."""
    session.execute(delete(PlannedStop).where(PlannedStop.plan_id == plan_id))
    session.add_all(_stops(session, plan_id, found))


def _row(plan_id: str, asked: dict[str, Any], solved: dict[str, Any]) -> RoutePlan:
    totals = read_plan(solved["plan"]).summary
    return RoutePlan(
        id=plan_id,
        plan_date=date.fromisoformat(asked["plan_date"]),
        region_code=asked["region"],
        feasible=solved["feasible"],
        assigned_visits=totals.served,
        unassigned_visits=totals.unassigned,
        travel_s=totals.travel_s,
        distance_m=totals.distance_m,
        solve_s=solved["solve_s"],
        problem=asked["problem"],
        travel=asked.get("travel"),
        report={
            "plan": solved["plan"],
            "check": solved["report"],
            "rhythm": asked.get("rhythm") or {},
            "unusable": asked.get("unusable") or [],
        },
    )


def _stops(session: Session, plan_id: str, found: DayPlan) -> list[PlannedStop]:
    rep_ids = {route.rep_id for route in found.routes}
    visit_ids = {stop.visit_id for route in found.routes for stop in route.stops}
    people = set(session.scalars(select(Person.code).where(Person.code.in_(rep_ids))))
    customers = set(session.scalars(select(Customer.code).where(Customer.code.in_(visit_ids))))
    return [
        PlannedStop(
            plan_id=plan_id,
            rep_ref=route.rep_id,
            position=position,
            visit_ref=stop.visit_id,
            rep_code=route.rep_id if route.rep_id in people else None,
            customer_code=stop.visit_id if stop.visit_id in customers else None,
            arrival_s=stop.arrival_s,
            start_s=stop.start_s,
            departure_s=stop.departure_s,
        )
        for route in found.routes
        for position, stop in enumerate(route.stops, start=1)
    ]


def plan(session: Session, actor: Actor, plan_id: str) -> StoredPlan:
    """Return a stored plan; a rep sees its own route of it only, as published once any version is.

    Raises
    ------
    NotFound
        When there is none, or the actor may not know that there is.
    """
    row = required_row(session, actor, plan_id)
    if actor.own_records_only:
        row = published_part(session, row)
    found, problem = read_plan(row.report["plan"]), read_problem(row.problem)
    if actor.own_records_only:
        own = tuple(route for route in found.routes if route.rep_id == actor.code)
        if not own:
            raise _no_plan(plan_id)
        return _own_part(row, problem, own)
    unusable = read_unusable(row.report.get("unusable", []))
    return StoredPlan(_summary(row), problem, found, row.report["check"], row.report.get("rhythm", {}), unusable)


def required_row(session: Session, actor: Actor, plan_id: str, *, for_update: bool = False) -> RoutePlan:
    """Return the record of a plan that the actor may know of.

    Raises
    ------
    NotFound
        When there is none, or the actor may not know that there is.
    """
    actor.require("routes:read")
    row = session.get(RoutePlan, plan_id, with_for_update=for_update or None)
    if row is None or not _visible(row, actor):
        raise _no_plan(plan_id)
    return row


def published_part(session: Session, row: RoutePlan) -> RoutePlan:
    """Return the plan as its reps see it: a copy that is bound to no session holds the published version."""
    number = row.published_version
    kept = None if number in (None, row.version) else session.get(RoutePlanVersion, (row.id, number))
    if kept is None:
        return row
    names = ("feasible", "assigned_visits", "unassigned_visits", "travel_s", "distance_m", "solve_s", "problem")
    shown = {name: getattr(kept, name) for name in (*names, "report", "published_at", "published_by", "version")}
    whole = {name: getattr(row, name) for name in ("id", "plan_date", "region_code", "created_at", "created_by")}
    return RoutePlan(**whole, **shown, status="published", published_version=number)


def latest_plans(session: Session, actor: Actor, *, limit: int = 10) -> list[PlanSummary]:
    """Return the newest plans that the actor may see, the newest first."""
    actor.require("routes:read")
    query = select(RoutePlan).order_by(RoutePlan.created_at.desc(), RoutePlan.id).limit(limit)
    if actor.region_code is not None:
        query = query.where(RoutePlan.region_code == actor.region_code)
    if actor.own_records_only:
        own = select(PlannedStop.plan_id).where(PlannedStop.rep_code == actor.code)
        query = query.where(RoutePlan.id.in_(own))
    return [_summary(row) for row in session.scalars(query)]


def _visible(row: RoutePlan, actor: Actor) -> bool:
    # A plan without a region belongs to whoever asked for it, besides those who see all regions.
    return actor.region_code is None or row.region_code == actor.region_code or row.created_by == actor.code


def summary_of(row: RoutePlan) -> PlanSummary:
    """Return a plan's record in a line."""
    return _summary(row)


def _own_part(row: RoutePlan, problem: DayProblem, own: tuple[Route, ...]) -> StoredPlan:
    served = {stop.visit_id for route in own for stop in route.stops}
    # Only to show it: what ties the round to other visits and reps is left aside.
    visits = tuple(replace(visit, allowed_reps=None, after="") for visit in problem.visits if visit.id in served)
    mine = {route.rep_id for route in own}
    reps = tuple(replace(rep, first_stops=()) for rep in problem.reps if rep.id in mine)
    part = DayProblem(visits, reps, problem.weights, SizeLimits(outlier_km=math.inf))
    lines = row.report["check"].get("geometry", {})
    report = {
        "feasible": row.feasible,
        "geometry": {route.rep_id: lines[route.rep_id] for route in own if route.rep_id in lines},
    }
    return StoredPlan(_summary(row), part, DayPlan(own, (), 0.0), report)


def _summary(row: RoutePlan) -> PlanSummary:
    return PlanSummary(
        row.id,
        row.plan_date,
        row.region_code,
        row.status,
        row.feasible,
        row.assigned_visits,
        row.unassigned_visits,
        row.travel_s,
        row.distance_m,
        row.solve_s,
        row.created_at,
        row.created_by,
        row.version,
        row.published_version,
        row.published_at,
        row.published_by,
    )


def _no_plan(plan_id: str) -> NotFound:
    return NotFound(Text(f"there is no route plan {plan_id!r}", f"没有路线计划 {plan_id!r}"))
