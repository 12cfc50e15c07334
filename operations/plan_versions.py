"""Versions of a route plan: what it was before each change, what differs, and which one the reps see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Conflict, Forbidden, InvalidInput, NotFound, Text
from operations import day_plan
from operations.access import Actor
from operations.plan_records import read_plan, read_problem
from operations.store.tables import RoutePlan, RoutePlanVersion
from operations.visit_repeats import refuse_repeats_of_plan
from routing.comparison import Move, moves_between, names_in
from routing.fairness import Fairness, fairness_of
from routing.plan import DayPlan
from routing.problem import DayProblem

_COPIED = (
    "feasible", "assigned_visits", "unassigned_visits", "travel_s", "distance_m", "solve_s", "problem", "report",
)  # fmt: skip


class VersionConflict(Conflict):
    """Somebody else has changed the plan since it was read."""


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version in a line. ``change`` is what was asked and what it moved (see `plan_changes`), empty for the first."""

    version: int
    made_at: datetime
    made_by: str
    published_at: datetime | None
    published_by: str | None
    note: str
    feasible: bool
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    change: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with its plan."""

    summary: VersionSummary
    stored: day_plan.StoredPlan


@dataclass(frozen=True, slots=True)
class Side:
    """One of two plans that are compared: which it is, its totals, the parts of its cost and how equal its days are."""

    plan_id: str
    version: int
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    overtime_s: int
    value: float
    cost: dict[str, float]
    fairness: Fairness


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from the first plan to the second."""

    before: Side
    after: Side
    moves: tuple[Move, ...]


def whole_plan(
    session: Session, actor: Actor, plan_id: str, *, scope: str = "routes:read", for_update: bool = False
) -> RoutePlan:
    """Return the record of a plan for somebody who may see all of it.

    Raises
    ------
    Forbidden
        When the actor lacks the scope, or sees own routes only.
    NotFound
        When there is none, or the actor may not know that there is.
    """
    actor.require(scope)
    row = day_plan.required_row(session, actor, plan_id, for_update=for_update)
    if actor.own_records_only:
        raise Forbidden(Text("you see your own route only", "您只能查看自己的路线"))
    return row


def versions(session: Session, actor: Actor, plan_id: str) -> list[VersionSummary]:
    """Return all versions of a plan, the newest first."""
    row = whole_plan(session, actor, plan_id)
    query = select(RoutePlanVersion).where(RoutePlanVersion.plan_id == plan_id)
    kept = list(session.scalars(query.order_by(RoutePlanVersion.version.desc())))
    newest = [] if kept and kept[0].version == row.version else [copy_of(row)]
    return [_summary(item) for item in (*newest, *kept)]


def version(session: Session, actor: Actor, plan_id: str, number: int) -> StoredVersion:
    """Return one version of a plan.

    Raises
    ------
    NotFound
        When there is no such version.
    """
    row = whole_plan(session, actor, plan_id)
    kept = _kept(session, row, number)
    problem, found = read_problem(kept.problem), read_plan(kept.report["plan"])
    summary = day_plan.PlanSummary(
        id=row.id,
        plan_date=row.plan_date,
        region_code=row.region_code,
        status="published" if kept.published_at else "draft",
        feasible=kept.feasible,
        assigned_visits=kept.assigned_visits,
        unassigned_visits=kept.unassigned_visits,
        travel_s=kept.travel_s,
        distance_m=kept.distance_m,
        solve_s=kept.solve_s,
        created_at=row.created_at,
        created_by=row.created_by,
        version=kept.version,
        published_version=row.published_version,
        published_at=kept.published_at,
        published_by=kept.published_by,
    )
    stored = day_plan.StoredPlan(summary, problem, found, kept.report["check"], kept.report.get("rhythm", {}))
    return StoredVersion(_summary(kept), stored)


def copy_of(row: RoutePlan) -> RoutePlanVersion:
    """Return the newest version of a plan as a version record of its own, not yet in any session."""
    first = row.version == 1
    return RoutePlanVersion(
        plan_id=row.id,
        version=row.version,
        made_at=row.created_at if first else row.updated_at,
        made_by=row.created_by if first else row.updated_by,
        published_at=row.published_at if row.published_version == row.version else None,
        published_by=row.published_by if row.published_version == row.version else None,
        note="",
        change={},
        **{name: getattr(row, name) for name in _COPIED},
    )


def _kept(session: Session, row: RoutePlan, number: int) -> RoutePlanVersion:
    kept = session.get(RoutePlanVersion, (row.id, number))
    if kept is None and number == row.version:
        return copy_of(row)
    if kept is None:
        text = Text(f"route plan {row.id} has no version {number}", f"路线计划 {row.id} 没有第 {number} 版")
        raise NotFound(text)
    return kept


def keep_version(session: Session, row: RoutePlan) -> RoutePlanVersion:
    """Make sure that the newest version of a plan has a record of its own, and return it."""
    kept = session.get(RoutePlanVersion, (row.id, row.version))
    if kept is None:
        kept = copy_of(row)
        session.add(kept)
    return kept


def require_version(row: RoutePlan, expected: int) -> None:
    """Make sure that a plan is still at the version that somebody has seen.

    Raises
    ------
    VersionConflict
        When it is not.
    """
    if row.version != expected:
        raise VersionConflict(
            Text(
                f"the plan is at version {row.version} by now, you saw version {expected}: read it again",
                f"该计划已更新到第 {row.version} 版，您看到的是第 {expected} 版：请重新读取",
            )
        )


def publish(
    session: Session, actor: Actor, plan_id: str, *, expected: int, repeat_reasons: Mapping[str, str] | None = None
) -> day_plan.PlanSummary:
    """Publish the newest version of a plan to its reps; another published plan of its region and day is superseded.

    Publishing a version that is published already changes nothing.

    Parameters
    ----------
    repeat_reasons : mapping of customer code to str, optional
        Why somebody is visited again too soon all the same; kept with the plan.

    Raises
    ------
    Conflict
        When it would visit somebody whom another published plan visits, and no reason is given.
    VersionConflict
        When the newest version is not the expected one.
    """
    row = whole_plan(session, actor, plan_id, scope="routes:plan", for_update=True)
    require_version(row, expected)
    if row.published_version != row.version or row.status != "published":
        refuse_repeats_of_plan(session, row, repeat_reasons or {})
        publish_row(session, row)
        session.flush()
    return day_plan.summary_of(row)


def publish_row(session: Session, row: RoutePlan) -> None:
    """Make the newest version the one that reps see; its starts are what customers are promised."""
    kept = keep_version(session, row)
    found = read_plan(row.report["plan"])
    row.status, row.published_version = "published", row.version
    row.published_at, row.published_by = session.info["clock"].now(), session.info["actor"]
    kept.published_at, kept.published_by = row.published_at, row.published_by
    promised = {stop.visit_id: stop.start_s for route in found.routes for stop in route.stops}
    row.running = {**(row.running or {}), "promised": promised}
    day_plan.keep_stops(session, row.id, found)
    if row.region_code is None:
        return
    others = select(RoutePlan).where(
        RoutePlan.region_code == row.region_code,
        RoutePlan.plan_date == row.plan_date,
        RoutePlan.status == "published",
        RoutePlan.id != row.id,
    )
    for other in session.scalars(others):
        other.status = "superseded"


def compare(session: Session, actor: Actor, plan_id: str, against: str, *, number: int | None = None) -> Comparison:
    """Return what differs between a version of a plan and another version or another plan.

    Parameters
    ----------
    against : str
        The plan that stands before: the number of a version of the same plan, or the id of another plan, with
        ``@`` and a number for one of its versions.
    number : int, optional
        The version that stands after; the newest by default.

    Raises
    ------
    InvalidInput
        When ``against`` cannot be read.
    NotFound
        When one of them does not exist, or the actor may not know that it does.
    """
    row = whole_plan(session, actor, plan_id)
    after = _kept(session, row, number or row.version)
    other_id, _, other_number = against.rpartition("@") if "@" in against else (against, "", "")
    if against.isascii() and against.isdigit() and len(against) < 7:
        other, wanted = row, int(against)
    else:
        if other_number and not (other_number.isascii() and other_number.isdigit() and len(other_number) < 7):
            raise InvalidInput.at("query/with", "must end with a version's number after @", "@ 之后须为版本号")
        other = whole_plan(session, actor, other_id)
        wanted = int(other_number) if other_number else other.version
    before = _kept(session, other, wanted)
    first, second = _read(before), _read(after)
    moves = moves_between(first[1], second[1], names_in(first[0], second[0]))
    return Comparison(_side(before, *first), _side(after, *second), moves)


def _read(kept: RoutePlanVersion) -> tuple[DayProblem, DayPlan]:
    return read_problem(kept.problem), read_plan(kept.report["plan"])


def _side(kept: RoutePlanVersion, problem: DayProblem, found: DayPlan) -> Side:
    fairness, totals = fairness_of(problem, found), found.summary
    return Side(
        plan_id=kept.plan_id,
        version=kept.version,
        assigned_visits=totals.served,
        unassigned_visits=totals.unassigned,
        travel_s=totals.travel_s,
        distance_m=totals.distance_m,
        overtime_s=totals.overtime_s,
        value=round(sum(day.value for day in fairness.days), 4),
        cost=dict(kept.report["check"].get("cost") or {}),
        fairness=fairness,
    )


def _summary(kept: RoutePlanVersion) -> VersionSummary:
    return VersionSummary(
        kept.version,
        kept.made_at,
        kept.made_by,
        kept.published_at,
        kept.published_by,
        kept.note,
        kept.feasible,
        kept.assigned_visits,
        kept.unassigned_visits,
        kept.travel_s,
        kept.distance_m,
        kept.change,
    )
