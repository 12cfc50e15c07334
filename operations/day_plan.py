"""Day plans: solving a problem in a job, storing the plan, and reading it as each role may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from operations.access import Actor
from operations.plan_records import plan_record, problem_record, read_plan, read_problem, report_record
from operations.store.database import Database
from operations.store.tables import Customer, Person, PlannedStop, RoutePlan
from operations.visit_candidates import problem_for_region
from routing.check import check
from routing.plan import DayPlan, Route
from routing.problem import DayProblem
from routing.problem_files import travel_from_mapping
from routing.solve import solve as search
from routing.travel_times import TravelTimes

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


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A stored plan with the problem that it solves and the checker's report."""

    summary: PlanSummary
    problem: DayProblem
    plan: DayPlan
    report: dict[str, Any]


def payload(
    problem: DayProblem,
    plan_date: date,
    region_code: str | None,
    *,
    time_limit_s: float,
    seed: int = 0,
    travel: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the JSON object that a job solves (see `solve`).

    Parameters
    ----------
    travel : dict, optional
        Travel times of the problem's own instead of the installation's, as ``routing.problem_files`` reads them.
    """
    return {
        "problem": problem_record(problem),
        "plan_date": plan_date.isoformat(),
        "region": region_code,
        "time_limit_s": time_limit_s,
        "seed": seed,
        "travel": travel,
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
    table = (travel_from_mapping(own) if own else travel_times).table(problem.locations())
    found = search(
        problem,
        table,
        time_limit_s=asked["time_limit_s"],
        seed=asked["seed"],
        on_progress=(lambda progress: on_progress(asdict(progress))) if on_progress else None,
        should_stop=should_stop,
    )
    report = check(problem, table, found)
    return {
        "plan": plan_record(found),
        "report": report_record(report),
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
            session.add_all(_stops(session, plan_id, read_plan(solved["plan"])))
        return {
            "route_plan_id": plan_id,
            "feasible": row.feasible,
            "assigned": row.assigned_visits,
            "unassigned": row.unassigned_visits,
        }


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
        report={"plan": solved["plan"], "check": solved["report"]},
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
    """Return a stored plan; a rep sees its own route of it only.

    Raises
    ------
    NotFound
        When there is none, or the actor may not know that there is.
    """
    actor.require("routes:read")
    row = session.get(RoutePlan, plan_id)
    if row is None or not _visible(row, actor):
        raise _no_plan(plan_id)
    found, problem = read_plan(row.report["plan"]), read_problem(row.problem)
    if actor.own_records_only:
        own = tuple(route for route in found.routes if route.rep_id == actor.code)
        if not own:
            raise _no_plan(plan_id)
        return _own_part(row, problem, own)
    return StoredPlan(_summary(row), problem, found, row.report["check"])


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


def _own_part(row: RoutePlan, problem: DayProblem, own: tuple[Route, ...]) -> StoredPlan:
    served = {stop.visit_id for route in own for stop in route.stops}
    visits = tuple(visit for visit in problem.visits if visit.id in served)
    reps = tuple(rep for rep in problem.reps if rep.id in {route.rep_id for route in own})
    part = DayProblem(visits, reps, problem.weights)
    return StoredPlan(_summary(row), part, DayPlan(own, (), 0.0), {"feasible": row.feasible})


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
    )


def _no_plan(plan_id: str) -> NotFound:
    return NotFound(Text(f"there is no route plan {plan_id!r}", f"没有路线计划 {plan_id!r}"))
