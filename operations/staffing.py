"""Lending reps between regions: the day's predicted work against the people there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import FieldProblem, InvalidInput, NotFound, Text
from common.places import Location
from operations.access import Actor
from operations.store.database import Database
from operations.store.tables import Customer, Event, PlannedActivity, StaffReallocation, Visit
from operations.store.tables import Person as PersonRow
from operations.store.tables import Region as RegionRow
from operations.vocabulary import SKILLS
from routing.reallocate import Reallocation, reallocate
from routing.staffing_problem import LendingRules, Person, ReallocationProblem, Region


@dataclass(frozen=True, slots=True)
class WorkPolicy:
    """How much work a day holds; the defaults are those of the field's rules.

    Attributes
    ----------
    hours_per_visit : float
        Visit, way and record of one planned visit.
    event_skill : tuple of (event kind, skill)
        What an event asks of the people who work it.
    visitors_per_hour : float
        Visitors of an event whom one rep can speak to in an hour.
    visitor_share : float
        Share of an event's visitors who come to the stand.
    weeks_back : int
        Where no visits are planned yet, the same weekday of so many weeks tells.
    """

    hours_per_visit: float = 0.6
    event_skill: tuple[tuple[str, str], ...] = (
        ("fair", "fair"),
        ("exam", "campus"),
        ("term_start", "campus"),
        ("community_day", "community"),
        ("promotion", "mall"),
        ("opening", "mall"),
    )
    visitors_per_hour: float = 20.0
    visitor_share: float = 0.1
    weeks_back: int = 4


@dataclass(frozen=True, slots=True)
class StoredReallocation:
    """A proposal with the work and the people that it answers."""

    id: str
    work_date: date
    problem: ReallocationProblem
    answer: Reallocation


def staffing_problem(
    session: Session,
    actor: Actor,
    work_date: date,
    *,
    work_h: Mapping[str, Mapping[str, float]] | None = None,
    absent: Sequence[str] = (),
    rules: LendingRules | None = None,
    policy: WorkPolicy | None = None,
) -> ReallocationProblem:
    """Return the staffing problem of a day from the organisation's records.

    Parameters
    ----------
    work_h : mapping of region to (mapping of skill to hours), optional
        Replaces the predicted work of these regions; the skill ``""`` is work that anybody can do.
    absent : sequence of str
        Reps who are away.

    Raises
    ------
    InvalidInput
        For unknown regions, skills or reps.
    """
    actor.require("staffing:plan")
    actor.require_region(None)  # lending looks into the people and the work of every region
    rows = list(session.scalars(select(RegionRow).order_by(RegionRow.code)))
    reps = list(
        session.scalars(select(PersonRow).where(PersonRow.role == "rep", PersonRow.active).order_by(PersonRow.code))
    )
    _check(rows, reps, work_h or {}, absent)
    policy = policy or WorkPolicy()
    predicted = {
        row.code: dict((work_h or {}).get(row.code) or _work_h(session, row, work_date, policy)) for row in rows
    }
    regions = tuple(
        Region(row.code, Location(row.latitude, row.longitude), row.minimum_staff, predicted[row.code]) for row in rows
    )
    away = set(absent)
    people = tuple(_person(row) for row in reps if row.code not in away and row.region_code is not None)
    return ReallocationProblem(regions, people, rules or LendingRules())


def _check(
    regions: Sequence[RegionRow],
    reps: Sequence[PersonRow],
    work_h: Mapping[str, Mapping[str, float]],
    absent: Sequence[str],
) -> None:
    known_regions, known_reps = {row.code for row in regions}, {row.code for row in reps}
    problems = [
        FieldProblem(f"/work_h/{code}", Text(f"there is no region {code!r}", f"没有区域 {code!r}"))
        for code in work_h
        if code not in known_regions
    ]
    problems += [
        FieldProblem(f"/work_h/{code}/{skill}", Text(f"there is no skill {skill!r}", f"没有技能 {skill!r}"))
        for code, hours in work_h.items()
        for skill in hours
        if skill not in ("", *SKILLS)
    ]
    problems += [
        FieldProblem(f"/absent/{position}", Text(f"there is no active rep {code!r}", f"没有在职地推专员 {code!r}"))
        for position, code in enumerate(absent)
        if code not in known_reps
    ]
    if problems:
        raise InvalidInput(Text("the staffing request has wrong fields", "人员调配请求有误"), fields=problems)


def _person(row: PersonRow) -> Person:
    hours = (row.shift_end_s - row.shift_start_s) / 3600 - 1  # an hour of the shift is lunch
    return Person(row.code, row.region_code or "", frozenset(item.skill for item in row.skills), max(0.5, hours))


def _work_h(session: Session, region: RegionRow, day: date, policy: WorkPolicy) -> dict[str, float]:
    """Return the predicted hours of a region by skill: planned (or else usual) visits, and events."""
    work = {"": _visits(session, region, day, policy) * policy.hours_per_visit}
    skills = dict(policy.event_skill)
    query = select(Event).where(
        Event.starts_on <= day, Event.ends_on >= day, Event.region_code.is_(None) | (Event.region_code == region.code)
    )
    for event in session.scalars(query):
        days = (event.ends_on - event.starts_on).days + 1
        hours = event.expected_visitors / days * policy.visitor_share / policy.visitors_per_hour
        skill = skills[event.kind]
        work[skill] = work.get(skill, 0.0) + hours
    return {skill: round(hours, 2) for skill, hours in work.items()}


def _visits(session: Session, region: RegionRow, day: date, policy: WorkPolicy) -> float:
    planned = session.get(PlannedActivity, (region.code, day))
    if planned is not None:
        return planned.planned_visits
    zone = ZoneInfo(region.time_zone)
    counts = []
    for week in range(1, policy.weeks_back + 1):
        begins = datetime.combine(day - timedelta(weeks=week), time(), zone)
        query = (
            select(func.count())
            .select_from(Visit)
            .join(Customer, Customer.code == Visit.customer_code)
            .where(
                Customer.region_code == region.code,
                Visit.started_at >= begins,
                Visit.started_at < begins + timedelta(days=1),
            )
        )
        counts.append(session.scalar(query) or 0)
    return sum(counts) / len(counts)


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def payload(problem: ReallocationProblem, work_date: date) -> dict[str, Any]:
    """Return the JSON object that a job solves."""
    return {
        "work_date": work_date.isoformat(),
        "problem": _adapter(ReallocationProblem).dump_python(problem, mode="json"),
    }


def solve(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the moves for a payload as JSON can hold them; changes nothing."""
    problem: ReallocationProblem = _adapter(ReallocationProblem).validate_python(asked["problem"])
    answer: dict[str, Any] = _adapter(Reallocation).dump_python(reallocate(problem), mode="json")
    return answer


def store(
    database: Database, actor: str, proposal_id: str, asked: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    """Keep a proposal under an id; one that is kept already stays as it is."""
    with database.write(actor) as session:
        if session.get(StaffReallocation, proposal_id) is None:
            work_date = date.fromisoformat(asked["work_date"])
            row = StaffReallocation(id=proposal_id, work_date=work_date, problem=asked["problem"], answer=answer)
            session.add(row)
    return {"staff_reallocation_id": proposal_id, "moves": len(answer["moves"])}


def reallocation(session: Session, actor: Actor, proposal_id: str) -> StoredReallocation:
    """Return a stored proposal.

    Raises
    ------
    NotFound
        When there is none.
    """
    actor.require("staffing:plan")
    actor.require_region(None)  # lending looks into the people and the work of every region
    row = session.get(StaffReallocation, proposal_id)
    if row is None:
        raise NotFound(Text(f"there is no staffing proposal {proposal_id!r}", f"没有人员调配方案 {proposal_id!r}"))
    problem = _adapter(ReallocationProblem).validate_python(row.problem)
    return StoredReallocation(row.id, row.work_date, problem, _adapter(Reallocation).validate_python(row.answer))
