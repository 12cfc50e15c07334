"""Changes to a plan during its day, slots for new customers, and what equal days cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, Text
from operations import day_plan
from operations.access import Actor
from operations.plan_records import plan_record, problem_record, read_plan, read_problem, report_record
from operations.plan_versions import keep_version, publish_row, require_version, whole_plan
from operations.store.database import Database
from operations.store.tables import RoutePlan, RoutePlanVersion
from routing.comparison import Move
from routing.during_day.replan import Calm, News, Refused, Replanned, replan
from routing.during_day.running import Delay, RunningDay, ways_like
from routing.during_day.slots import Slots, SlotWishes
from routing.during_day.slots import slots as find_slots
from routing.fairness import Fairness, fairness_of, price_of_fairness
from routing.problem import Visit
from routing.problem_files import travel_from_mapping
from routing.travel.for_problem import reachable_table, travel_for, working_span
from routing.travel_times import TravelTimes, for_hours

LONGEST_DAY_S = 48 * 3600


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What a dispatcher asks of a plan.

    Attributes
    ----------
    version : int
        The version that was seen.
    news : News
        What has happened; its moment counts only when ``at_moment``.
    note : str
        A word for the history.
    publish : bool
        Publish the new version at once.
    preview : bool
        Only show what would come of it.
    record : dict
        The request as JSON, for the history.
    """

    version: int
    news: News
    calm: Calm = field(default_factory=Calm)
    note: str = ""
    publish: bool = False
    preview: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangedPlan:
    """A plan after a change.

    Attributes
    ----------
    stored : StoredPlan
        With its new version in the summary (the old one for a preview).
    moves : tuple of Move
    refused : tuple of Refused
    method : str
    now_s : int
        The moment that the plan reckons with.
    took_s : float
        How long planning took.
    """

    stored: day_plan.StoredPlan
    moves: tuple[Move, ...]
    refused: tuple[Refused, ...]
    method: str
    now_s: int
    took_s: float


@dataclass(frozen=True, slots=True)
class _Running:
    """What is kept of a day under way beside problem and plan; see `routing.during_day.running.RunningDay`."""

    now_s: int = 0
    reported: dict[str, int] = field(default_factory=dict)
    delays: tuple[Delay, ...] = ()
    absences: dict[str, int] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    pinned: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    span: tuple[int, int] | None = None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def moment_of(plan_date: date, now: datetime, zone: ZoneInfo) -> int:
    """Return the present moment in seconds since the midnight that begins a plan's day; 0 before it.

    Raises
    ------
    InvalidInput
        When the day is long over: then the request has to say which moment is meant.
    """
    midnight = datetime.combine(plan_date, clock_time(), zone)
    seconds = int((now - midnight) / timedelta(seconds=1))
    if seconds > LONGEST_DAY_S:
        raise InvalidInput.at("/now", "the plan's day is over: say which moment is meant", "计划日已过：请指明时刻")
    return max(0, seconds)


def plan_day(session: Session, actor: Actor, plan_id: str) -> date:
    """Return the day of a plan that the actor may change."""
    return whole_plan(session, actor, plan_id, scope="routes:plan").plan_date


def change(
    database: Database, actor: Actor, plan_id: str, asked: AskedChange, travel_times: TravelTimes
) -> ChangedPlan:
    """Plan the rest of a plan's day anew after changes, and keep the result as its next version.

    Nothing is locked while it is planned: whoever comes second finds that the version is no longer the one seen.

    Raises
    ------
    Forbidden, NotFound
        When the actor may not change it, or may not know of it.
    VersionConflict
        When the plan has changed since the version that was seen.
    InvalidInput
        When a change or a report is wrong, by its pointer.
    """
    began = time.monotonic()
    with database.read() as session:
        row = whole_plan(session, actor, plan_id, scope="routes:plan")
        require_version(row, asked.version)
        _require_current(row)
    day, span, ways = _opened(row, travel_times)
    found = replan(day, asked.news, ways, asked.calm)
    took_s = time.monotonic() - began
    if asked.preview:
        return _answer(row, found, took_s)
    with database.write(actor.code) as session:
        row = whole_plan(session, actor, plan_id, scope="routes:plan", for_update=True)
        require_version(row, asked.version)
        keep_version(session, row)
        _write(row, found, span, took_s)
        session.add(_version_row(session, row, asked, found))
        session.flush()
        if asked.publish:
            publish_row(session, row)
        elif row.published_version is None:
            day_plan.keep_stops(session, row.id, found.plan)
        session.flush()
        return _answer(row, found, took_s)


def _require_current(row: RoutePlan) -> None:
    if row.status == "superseded":
        text = Text("another plan of this region and day is published", "该区域当日已发布其他计划，此计划已被取代")
        raise Conflict(text)


def _opened(row: RoutePlan, travel_times: TravelTimes) -> tuple[RunningDay, tuple[int, int], TravelTimes]:
    """Return a plan as a day under way, the working span of its travel times, and where new ways come from."""
    problem, state = read_problem(row.problem), _adapter(_Running).validate_python(row.running or {})
    span = state.span or working_span(problem)
    if row.travel:
        table = travel_from_mapping(row.travel).table(problem.locations())
        given = "duration_s" in row.travel
        ways: TravelTimes = ways_like(problem, table) if given else travel_from_mapping(row.travel)
    elif state.span is None:
        first = travel_for(problem, travel_times)
        table, ways = first.table, first.source
    else:
        ways = for_hours(travel_times, *span)
        table, _ = reachable_table(ways, problem.locations())
    day = RunningDay(
        problem,
        read_plan(row.report["plan"]),
        table,
        state.now_s,
        state.reported,
        state.delays,
        state.absences,
        state.promised,
        state.pinned,
    )
    return day, span, ways


def _write(row: RoutePlan, found: Replanned, span: tuple[int, int], took_s: float) -> None:
    """Put the new version in the place of the old one."""
    day, totals = found.day, found.plan.summary
    state = _Running(
        day.now_s,
        dict(day.reported),
        day.delays,
        dict(day.absences),
        dict(day.promised),
        dict(day.pinned),
        span,
    )
    if row.travel and "duration_s" in row.travel:
        # The matrix follows the problem's places, whose number may have changed.
        row.travel = {"duration_s": day.table.duration_s.tolist(), "distance_m": day.table.distance_m.tolist()}
    row.version, row.status = row.version + 1, "draft"
    row.feasible, row.solve_s = found.report.feasible, took_s
    row.assigned_visits, row.unassigned_visits = totals.served, totals.unassigned
    row.travel_s, row.distance_m = totals.travel_s, totals.distance_m
    row.problem = problem_record(day.problem)
    row.report = {**row.report, "plan": plan_record(found.plan), "check": _check_record(row, found)}
    row.running = _adapter(_Running).dump_python(state, mode="json")


def _check_record(row: RoutePlan, found: Replanned) -> dict[str, Any]:
    """Return the checker's report, with the lines on the map of the rounds that have not changed."""
    before = {route.rep_id: [stop.visit_id for stop in route.stops] for route in read_plan(row.report["plan"]).routes}
    orders = found.plan.sequences()
    lines = row.report["check"].get("geometry", {})
    kept = {rep_id: line for rep_id, line in lines.items() if orders.get(rep_id) == before.get(rep_id)}
    return {**report_record(found.report), "geometry": kept}


def _version_row(session: Session, row: RoutePlan, asked: AskedChange, found: Replanned) -> RoutePlanVersion:
    return RoutePlanVersion(
        plan_id=row.id,
        version=row.version,
        made_at=session.info["clock"].now(),
        made_by=session.info["actor"],
        note=asked.note,
        feasible=row.feasible,
        assigned_visits=row.assigned_visits,
        unassigned_visits=row.unassigned_visits,
        travel_s=row.travel_s,
        distance_m=row.distance_m,
        solve_s=row.solve_s,
        problem=row.problem,
        report=row.report,
        change={
            "asked": dict(asked.record),
            "now_s": found.day.now_s,
            "method": found.method,
            "moves": _adapter(tuple[Move, ...]).dump_python(found.moves, mode="json"),
        },
    )


def _answer(row: RoutePlan, found: Replanned, took_s: float) -> ChangedPlan:
    totals = found.plan.summary
    summary = replace(
        day_plan.summary_of(row),
        feasible=found.report.feasible,
        assigned_visits=totals.served,
        unassigned_visits=totals.unassigned,
        travel_s=totals.travel_s,
        distance_m=totals.distance_m,
        solve_s=took_s,
    )
    report, rhythm = report_record(found.report), row.report.get("rhythm", {})
    stored = day_plan.StoredPlan(summary, found.day.problem, found.plan, report, rhythm)
    return ChangedPlan(stored, found.moves, found.refused, found.method, found.day.now_s, took_s)


def slots(
    session: Session,
    actor: Actor,
    plan_id: str,
    visit: Visit,
    travel_times: TravelTimes,
    *,
    now_s: int,
    wishes: SlotWishes | None = None,
) -> Slots:
    """Return when a new customer could be visited on a plan's day; nothing is changed.

    Raises
    ------
    InvalidInput
        When the visit is wrong, by its pointer.
    """
    row = whole_plan(session, actor, plan_id)
    day, _, ways = _opened(row, travel_times)
    return find_slots(replace(day, now_s=max(now_s, day.now_s)), visit, ways, wishes)


def fairness(session: Session, actor: Actor, plan_id: str) -> Fairness:
    """Return how equal the reps' days of a plan are."""
    row = whole_plan(session, actor, plan_id)
    return fairness_of(read_problem(row.problem), read_plan(row.report["plan"]))


def fairness_payload(
    session: Session, actor: Actor, plan_id: str, *, weight: float, measure: str, time_limit_s: float
) -> dict[str, Any]:
    """Return the JSON object of a job that prices fairness for a plan's problem (see `price_fairness`)."""
    row = whole_plan(session, actor, plan_id, scope="routes:plan")
    weights = {**row.problem.get("weights", {}), "fairness": weight, "fairness_measure": measure}
    return {
        "problem": {**row.problem, "weights": weights},
        "travel": row.travel,
        "orders": read_plan(row.report["plan"]).sequences(),
        "time_limit_s": time_limit_s,
    }


def price_fairness(
    asked: dict[str, Any], travel_times: TravelTimes, *, should_stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Solve a payload's problem without and with its fairness weight; return the price as JSON. Changes nothing."""
    problem = read_problem(asked["problem"])
    own = asked.get("travel")
    travel = travel_for(problem, travel_from_mapping(own) if own else travel_times)
    found = price_of_fairness(
        problem,
        travel.table,
        time_limit_s=asked["time_limit_s"],
        start=asked["orders"],
        should_stop=should_stop,
    )
    return asdict(found)
