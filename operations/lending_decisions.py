"""Deciding proposals to lend people: the director decides them whole, a region's manager about the own people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from common.errors import Conflict, FieldProblem, InvalidInput, Text
from operations.access import Actor
from operations.lent_people import days_off
from operations.staffing import read_stored, require_proposal
from operations.store.tables import LentDay, Person, StaffReallocation
from routing.reallocate import Move

DECISIONS = ("approve", "reject", "withdraw")


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a proposal.

    Attributes
    ----------
    kind : str
        ``approve`` lends the people; ``reject`` ends a proposal of which nothing is approved; ``withdraw`` takes back
        what was approved.
    people : tuple of str or None
        Only these people; None: all whom the actor decides about.
    reason : str or None
        Why; needed to reject or to withdraw.
    """

    kind: str
    people: tuple[str, ...] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """Where a proposal stands: its state, and the days of people that are lent and those still open."""

    proposal_id: str
    status: str
    lent_days: int
    open_days: int


@dataclass(frozen=True, slots=True)
class Lending:
    """A person lent on a day, as decided."""

    person_code: str
    person_name: str
    day: date
    from_region: str
    to_region: str
    cover_code: str | None
    cover_name: str | None
    proposal_id: str


def decide(session: Session, actor: Actor, proposal_id: str, decision: Decision) -> Decided:
    """Approve, reject or withdraw a proposal, or the part of it that the actor decides about.

    From then on the plans of those days count on the lent people in the other region, and not at home.

    Raises
    ------
    Forbidden
        When the actor may not decide.
    NotFound
        When there is no such proposal.
    InvalidInput
        For a person who is not in it or not the actor's, or without a reason where one is needed.
    Conflict
        When the proposal is already rejected or withdrawn, somebody is lent elsewhere on one of the days by now, is
        off, or no longer there.
    """
    actor.require("staffing:approve")
    row = require_proposal(session, proposal_id)
    if decision.kind != "approve" and not decision.reason:
        raise InvalidInput.at("/reason", "a reason is needed", "需要填写原因")
    if row.status in ("rejected", "withdrawn"):
        raise Conflict(Text(f"the proposal is already {row.status}", "方案已被否决或撤回"))
    moves = read_stored(session, row).answer.moves
    mine = _mine(actor, moves, decision.people)
    before = {(one.person_code, one.day) for one in _lent(session, row)}
    if decision.kind == "approve":
        _approve(session, row, mine, before)
    elif decision.kind == "withdraw":
        _withdraw(session, row, mine)
    elif before:
        raise Conflict(Text("a part of it is approved: withdraw it instead", "方案已部分批准，请改为撤回"))
    elif len(mine) < len(moves):
        raise Conflict(
            Text(
                "it is about others' people too: leave yours unapproved, or let the director reject it",
                "方案还涉及其他区域人员：可不批准本区人员，或由总监否决",
            )
        )
    session.flush()
    lent = len(_lent(session, row))
    row.status = _status(decision.kind, lent, len(moves), whole=len(mine) == len(moves))
    row.decision_reason = decision.reason or row.decision_reason
    session.flush()
    return Decided(row.id, row.status, lent, len(moves) - lent)


def _status(kind: str, lent: int, moves: int, *, whole: bool) -> str:
    if lent:
        return "approved" if lent == moves else "partly_approved"
    if kind == "reject":
        return "rejected"
    if kind == "approve" and not moves:
        return "approved"
    return "withdrawn" if kind == "withdraw" and whole else "proposed"


def _mine(actor: Actor, moves: Sequence[Move], people: Sequence[str] | None) -> list[Move]:
    mine = [move for move in moves if actor.region_code in (None, move.from_region)]
    if people is None:
        return mine
    known = {move.person_id for move in mine}
    problems = [
        FieldProblem(
            f"/people/{place}",
            Text(f"{code!r} is not in the proposal, or not yours to lend", f"方案中没有 {code!r}，或该人员不由您审批"),
        )
        for place, code in enumerate(people)
        if code not in known
    ]
    if problems:
        raise InvalidInput(Text("unknown people", "人员不存在"), fields=problems)
    return [move for move in mine if move.person_id in set(people)]


def _lent(session: Session, row: StaffReallocation) -> list[LentDay]:
    return list(session.scalars(select(LentDay).where(LentDay.reallocation_id == row.id)))


def _approve(session: Session, row: StaffReallocation, moves: Sequence[Move], lent: set[tuple[str, date]]) -> None:
    days = {_day(row, move) for move in moves}
    off = days_off(session, sorted(days))
    others = {
        (one.person_code, one.day)
        for one in session.scalars(select(LentDay).where(LentDay.day.in_(days), LentDay.reallocation_id != row.id))
    }
    still = {one.code: one.region_code for one in session.scalars(select(Person).where(Person.active))}
    problems = []
    for place, move in enumerate(moves):
        who = (move.person_id, _day(row, move))
        if who in lent:
            continue
        text = _hindrance(who in others, who in off, still.get(move.person_id) == move.from_region)
        if text is not None:
            problems.append(FieldProblem(f"/moves/{place}", text))
            continue
        session.add(
            LentDay(
                person_code=move.person_id,
                day=who[1],
                from_region=move.from_region,
                to_region=move.to_region,
                cover_code=move.cover_id,
                reallocation_id=row.id,
                reason=move.reason.zh,
            )
        )
    if problems:
        raise Conflict(
            Text("somebody can no longer be lent as proposed: plan again", "有人员已无法按方案外派，请重新计划"),
            fields=problems,
        )


def _hindrance(elsewhere: bool, off: bool, at_home: bool) -> Text | None:
    if elsewhere:
        return Text("is lent by another proposal on that day", "当天已按其他方案外派")
    if off:
        return Text("is off on that day", "当天休假")
    if not at_home:
        return Text("no longer belongs to that region", "已不属于该区域")
    return None


def _withdraw(session: Session, row: StaffReallocation, moves: Sequence[Move]) -> None:
    people = {move.person_id for move in moves}
    for one in _lent(session, row):
        if one.person_code in people:
            session.delete(one)


def _day(row: StaffReallocation, move: Move) -> date:
    return date.fromisoformat(move.day) if move.day else row.work_date


def lendings(session: Session, actor: Actor, first: date, last: date) -> list[Lending]:
    """Return who is lent in a span of days: a rep sees the own ones, a region its people and its guests.

    Raises
    ------
    Forbidden
        When the actor may not read route plans, which rest on this.
    """
    actor.require("routes:read")
    query = select(LentDay).where(LentDay.day >= first, LentDay.day <= last).order_by(LentDay.day, LentDay.person_code)
    if actor.own_records_only:
        query = query.where(or_(LentDay.person_code == actor.code, LentDay.cover_code == actor.code))
    elif actor.region_code is not None:
        query = query.where(or_(LentDay.from_region == actor.region_code, LentDay.to_region == actor.region_code))
    rows = list(session.scalars(query))
    names = {one[0]: one[1] for one in session.execute(select(Person.code, Person.name))}
    return [
        Lending(
            row.person_code,
            names[row.person_code],
            row.day,
            row.from_region,
            row.to_region,
            row.cover_code,
            names.get(row.cover_code) if row.cover_code else None,
            row.reallocation_id,
        )
        for row in rows
    ]


def latest_proposals(session: Session, actor: Actor, *, limit: int) -> list[tuple[StaffReallocation, int]]:
    """Return the newest proposals that the actor may decide or plan, each with its number of moves that concern them.

    A region's manager sees those that would lend the region's people or bring people to it.
    """
    if not actor.may("staffing:approve"):
        actor.require("staffing:plan")
    query = select(StaffReallocation).order_by(StaffReallocation.created_at.desc(), StaffReallocation.id)
    found = []
    for row in session.scalars(query.limit(10 * limit)):
        moves = row.answer.get("moves", [])
        if actor.region_code is not None:
            moves = [move for move in moves if actor.region_code in (move["from_region"], move["to_region"])]
        if moves or actor.region_code is None:
            found.append((row, len(moves)))
    return found[:limit]
