"""Lending reps between regions: the predicted work of the coming days against the people there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import FieldProblem, InvalidInput, NotFound, Text
from common.places import Location
from operations.access import Actor
from operations.lendable_people import GUEST, LendingLimits, lendable_people
from operations.predicted_work import RegionWork, WorkPolicy, predicted_work
from operations.staffing_parts import part_of_region
from operations.store.database import Database
from operations.store.tables import Person as PersonRow
from operations.store.tables import Region as RegionRow
from operations.store.tables import StaffReallocation
from operations.vocabulary import SKILLS
from routing.reallocate import Reallocation, reallocate
from routing.staffing.problem import LendingRules, ReallocationProblem, Region

__all__ = [
    "MOST_DAYS",
    "StaffingWishes",
    "StoredReallocation",
    "WorkPolicy",
    "code_of",
    "payload",
    "read_stored",
    "reallocation",
    "solve",
    "staffing_problem",
    "store",
]

MOST_DAYS = 7
Hours = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class StaffingWishes:
    """What is asked beside the records.

    Attributes
    ----------
    days : int
        1 to 7 days, beginning with the first.
    work_h : mapping of region to (mapping of skill to hours)
        Replaces the predicted work of these regions on every day; the skill ``""`` is work that anybody can do.
    work_by_day : mapping of date to the same
        Replaces it on one day.
    absent : sequence of str
        Reps who are away on all days.
    absent_on : mapping of str to sequence of date
        Reps who are away on some.
    """

    days: int = 1
    work_h: Hours = field(default_factory=dict)
    work_by_day: Mapping[date, Hours] = field(default_factory=dict)
    absent: Sequence[str] = ()
    absent_on: Mapping[str, Sequence[date]] = field(default_factory=dict)
    rules: LendingRules = field(default_factory=LendingRules)
    limits: LendingLimits = field(default_factory=LendingLimits)
    policy: WorkPolicy = field(default_factory=WorkPolicy)


@dataclass(frozen=True, slots=True)
class StoredReallocation:
    """A proposal with the work and the people that it answers.

    Attributes
    ----------
    status : str
        ``proposed``, ``partly_approved``, ``approved``, ``rejected`` or ``withdrawn``.
    names : dict of str to str
        Names of the people in it by code.
    """

    id: str
    work_date: date
    problem: ReallocationProblem
    answer: Reallocation
    days: int = 1
    status: str = "proposed"
    names: dict[str, str] = field(default_factory=dict)


def staffing_problem(
    session: Session, actor: Actor, work_date: date, wishes: StaffingWishes | None = None
) -> ReallocationProblem:
    """Return the staffing problem of the days from ``work_date`` on, from the organisation's records.

    Raises
    ------
    InvalidInput
        For unknown regions, skills or reps, or days out of range.
    """
    actor.require("staffing:plan")
    actor.require_region(None)  # lending looks into the people and the work of every region
    wishes = wishes or StaffingWishes()
    if not 1 <= wishes.days <= MOST_DAYS:
        raise InvalidInput.at("/days", f"must be 1 to {MOST_DAYS}", f"应为 1 到 {MOST_DAYS}")
    days = [work_date + timedelta(days=ahead) for ahead in range(wishes.days)]
    rows = list(session.scalars(select(RegionRow).order_by(RegionRow.code)))
    reps = list(
        session.scalars(select(PersonRow).where(PersonRow.role == "rep", PersonRow.active).order_by(PersonRow.code))
    )
    _check(rows, reps, days, wishes)
    predicted = predicted_work(session, rows, days, wishes.policy)
    regions = tuple(_region(row, predicted[row.code], days, wishes) for row in rows)
    away = {code: frozenset(days) for code in wishes.absent}
    away |= {code: away.get(code, frozenset()) | frozenset(dates) for code, dates in wishes.absent_on.items()}
    bound = [row for row in reps if row.region_code is not None]
    people = lendable_people(session, bound, days, limits=wishes.limits, absent=away)
    return ReallocationProblem(regions, people, wishes.rules, tuple(day.isoformat() for day in days))


def _region(row: RegionRow, predicted: RegionWork, days: Sequence[date], wishes: StaffingWishes) -> Region:
    own = [(wishes.work_by_day.get(day) or {}).get(row.code) or wishes.work_h.get(row.code) for day in days]
    return Region(
        row.code,
        Location(row.latitude, row.longitude),
        row.minimum_staff,
        tuple(dict(given or work) for given, work in zip(own, predicted.work_h, strict=True)),
        # who states the work states all of it
        tuple({} if given else dict(must) for given, must in zip(own, predicted.required_h, strict=True)),
        predicted.open_h,
    )


def _check(
    regions: Sequence[RegionRow], reps: Sequence[PersonRow], days: Sequence[date], wishes: StaffingWishes
) -> None:
    known = {row.code for row in regions}
    problems = _work_problems("/work_h", wishes.work_h, known)
    for day, work in wishes.work_by_day.items():
        at = f"/work_by_day/{day.isoformat()}"
        if day not in days:
            problems.append(FieldProblem(at, Text("is none of the days", "不在计划日期内")))
        problems += _work_problems(at, work, known)
    known_reps = {row.code for row in reps}
    named = [(f"/absent/{place}", code) for place, code in enumerate(wishes.absent)]
    named += [(f"/absent_on/{code}", code) for code in wishes.absent_on]
    problems += [
        FieldProblem(at, Text(f"there is no active rep {code!r}", f"没有在职地推专员 {code!r}"))
        for at, code in named
        if code not in known_reps
    ]
    if problems:
        raise InvalidInput(Text("the staffing request has wrong fields", "人员调配请求有误"), fields=problems)


def _work_problems(at: str, work: Hours, known: set[str]) -> list[FieldProblem]:
    problems = [
        FieldProblem(f"{at}/{code}", Text(f"there is no region {code!r}", f"没有区域 {code!r}"))
        for code in work
        if code not in known
    ]
    problems += [
        FieldProblem(f"{at}/{code}/{skill}", Text(f"there is no skill {skill!r}", f"没有技能 {skill!r}"))
        for code, hours in work.items()
        for skill in hours
        if skill not in ("", *SKILLS)
    ]
    return problems


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def payload(
    problem: ReallocationProblem, work_date: date, *, time_limit_s: float = 25.0, seed: int = 0
) -> dict[str, Any]:
    """Return the JSON object that a job solves."""
    return {
        "work_date": work_date.isoformat(),
        "problem": _adapter(ReallocationProblem).dump_python(problem, mode="json"),
        "time_limit_s": time_limit_s,
        "seed": seed,
    }


def solve(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the moves for a payload as JSON can hold them; changes nothing."""
    problem: ReallocationProblem = _adapter(ReallocationProblem).validate_python(asked["problem"])
    found = reallocate(problem, time_limit_s=asked.get("time_limit_s", 25.0), seed=asked.get("seed", 0))
    answer: dict[str, Any] = _adapter(Reallocation).dump_python(_named(found), mode="json")
    return answer


def code_of(person_id: str) -> str:
    """Return the code of a person of a staffing problem, who may count as another region's on a day."""
    return person_id.partition(GUEST)[0]


def _named(found: Reallocation) -> Reallocation:
    moves = tuple(
        replace(move, cover_id=None if move.cover_id is None else code_of(move.cover_id)) for move in found.moves
    )
    return replace(found, moves=moves)


def store(
    database: Database, actor: str, proposal_id: str, asked: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    """Keep a proposal under an id; one that is kept already stays as it is."""
    with database.write(actor) as session:
        if session.get(StaffReallocation, proposal_id) is None:
            row = StaffReallocation(
                id=proposal_id,
                work_date=date.fromisoformat(asked["work_date"]),
                days=len(asked["problem"].get("days", ("",))),
                problem=asked["problem"],
                answer=answer,
            )
            session.add(row)
    return {"staff_reallocation_id": proposal_id, "moves": len(answer["moves"])}


def reallocation(session: Session, actor: Actor, proposal_id: str) -> StoredReallocation:
    """Return a stored proposal; who decides for one region sees what concerns that region.

    Raises
    ------
    Forbidden
        When the actor neither plans nor decides about lending.
    NotFound
        When there is none, or it has no move from or to the actor's region.
    """
    if not actor.may("staffing:approve"):
        actor.require("staffing:plan")
        actor.require_region(None)  # planning looks into the people and the work of every region
    stored = read_stored(session, require_proposal(session, proposal_id))
    if actor.region_code is None:
        return stored
    if not any(actor.region_code in (move.from_region, move.to_region) for move in stored.answer.moves):
        raise _no_proposal(proposal_id)
    return part_of_region(stored, actor.region_code)


def require_proposal(session: Session, proposal_id: str) -> StaffReallocation:
    """Return the row of a proposal.

    Raises
    ------
    NotFound
        When there is none.
    """
    row = session.get(StaffReallocation, proposal_id)
    if row is None:
        raise _no_proposal(proposal_id)
    return row


def _no_proposal(proposal_id: str) -> NotFound:
    return NotFound(Text(f"there is no staffing proposal {proposal_id!r}", f"没有人员调配方案 {proposal_id!r}"))


def read_stored(session: Session, row: StaffReallocation) -> StoredReallocation:
    """Return a proposal from its row."""
    problem = _adapter(ReallocationProblem).validate_python(row.problem)
    answer: Reallocation = _adapter(Reallocation).validate_python(row.answer)
    codes = {move.person_id for move in answer.moves} | {move.cover_id for move in answer.moves if move.cover_id}
    codes |= {one.person_id for one in answer.relaxations}
    names = {one[0]: one[1] for one in session.execute(select(PersonRow.code, PersonRow.name)) if one[0] in codes}
    return StoredReallocation(row.id, row.work_date, problem, answer, row.days, row.status, names)
