"""What each person agrees to when lent, and the days on which people are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import FieldProblem, Forbidden, InvalidInput, NotFound, Text
from operations.access import Actor
from operations.store.tables import DayOff, LendingTerms, Person, Region


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person agrees to.

    Attributes
    ----------
    refused_regions, wished_regions : tuple of str
        Never lent there; rather there than elsewhere.
    refused_weekdays, wished_weekdays, rest_weekdays : tuple of int
        0 Monday … 6 Sunday: never lent, rather lent, never at work. Without days of rest, those count on which the
        person has made no visit for four weeks.
    max_moves, max_days : int or None
        In a week; None: as everybody.
    """

    refused_regions: tuple[str, ...] = ()
    wished_regions: tuple[str, ...] = ()
    refused_weekdays: tuple[int, ...] = ()
    wished_weekdays: tuple[int, ...] = ()
    rest_weekdays: tuple[int, ...] = ()
    max_moves: int | None = None
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class AgreedTerms:
    """The terms of a person, with the days off that are on record from a day on."""

    person_code: str
    terms: Terms
    days_off: tuple[date, ...]


def terms_of(session: Session, actor: Actor, person_code: str, since: date) -> AgreedTerms:
    """Return what a person agrees to; they see their own, the manager those of the region.

    Raises
    ------
    NotFound
        When there is no such rep, or the actor may not know that there is.
    """
    _visible(session, actor, person_code)
    row = session.get(LendingTerms, person_code)
    query = select(DayOff.day).where(DayOff.person_code == person_code, DayOff.day >= since).order_by(DayOff.day)
    return AgreedTerms(person_code, _terms(row) if row else Terms(), tuple(session.scalars(query)))


def set_terms(session: Session, actor: Actor, person_code: str, terms: Terms) -> None:
    """Keep what a person agrees to, in place of what they agreed to before.

    Raises
    ------
    InvalidInput
        For an unknown region, a weekday that is none, or a region both wished for and refused.
    """
    _visible(session, actor, person_code)
    _check(session, terms)
    row = session.get(LendingTerms, person_code)
    if row is None:
        row = LendingTerms(person_code=person_code)
        session.add(row)
    row.refused_regions, row.wished_regions = list(terms.refused_regions), list(terms.wished_regions)
    row.refused_weekdays, row.wished_weekdays = list(terms.refused_weekdays), list(terms.wished_weekdays)
    row.rest_weekdays, row.max_moves, row.max_days = list(terms.rest_weekdays), terms.max_moves, terms.max_days


def set_days_off(
    session: Session, actor: Actor, person_code: str, days: Sequence[date], *, since: date, reason: str | None = None
) -> None:
    """Keep the days off of a person from ``since`` on, in place of those on record.

    Raises
    ------
    Forbidden
        When a rep sets their own: the manager grants them.
    InvalidInput
        For a day before ``since``.
    """
    _visible(session, actor, person_code)
    if actor.own_records_only:
        raise Forbidden(Text("days off are granted by the manager", "休假由经理批准"))
    early = [FieldProblem(f"/days/{n}", Text("is over", "日期已过")) for n, day in enumerate(days) if day < since]
    if early:
        raise InvalidInput(Text("days off must lie ahead", "休假日期应在今天之后"), fields=early)
    wanted = set(days)
    kept = session.scalars(select(DayOff).where(DayOff.person_code == person_code, DayOff.day >= since))
    for row in list(kept):
        if row.day in wanted:
            wanted.discard(row.day)
        else:
            session.delete(row)
    session.add_all(DayOff(person_code=person_code, day=day, reason=reason) for day in sorted(wanted))


def _visible(session: Session, actor: Actor, person_code: str) -> Person:
    """Return the rep: a rep sees only itself, others those of their region."""
    person = session.get(Person, person_code)
    own = person is not None and actor.code == person_code
    if person is None or person.role != "rep" or (actor.own_records_only and not own):
        raise _nobody(person_code)
    if own:
        return person
    actor.require("people:read")
    if actor.region_code not in (None, person.region_code):
        raise _nobody(person_code)
    if not (actor.may("staffing:plan") or actor.may("staffing:approve")):
        raise Forbidden(Text("this needs the right to plan or approve lendings", "需要调配计划或审批权限"))
    return person


def _nobody(person_code: str) -> NotFound:
    return NotFound(Text(f"there is no rep {person_code!r}", f"没有地推专员 {person_code!r}"))


def _check(session: Session, terms: Terms) -> None:
    known = set(session.scalars(select(Region.code)))
    problems = [
        FieldProblem(f"/{name}/{place}", Text(f"there is no region {code!r}", f"没有区域 {code!r}"))
        for name in ("refused_regions", "wished_regions")
        for place, code in enumerate(getattr(terms, name))
        if code not in known
    ]
    problems += [
        FieldProblem(f"/{name}/{place}", Text("must be 0 (Monday) to 6 (Sunday)", "应为 0（周一）到 6（周日）"))
        for name in ("refused_weekdays", "wished_weekdays", "rest_weekdays")
        for place, weekday in enumerate(getattr(terms, name))
        if not 0 <= weekday <= 6
    ]
    problems += [
        FieldProblem(f"/wished_{name}/{place}", Text("is refused as well", "同时被拒绝"))
        for name in ("regions", "weekdays")
        for place, one in enumerate(getattr(terms, f"wished_{name}"))
        if one in getattr(terms, f"refused_{name}")
    ]
    problems += [
        FieldProblem(f"/{name}", Text("must be 0 to 7", "应为 0 到 7"))
        for name in ("max_moves", "max_days")
        if getattr(terms, name) is not None and not 0 <= getattr(terms, name) <= 7
    ]
    if problems:
        raise InvalidInput(Text("the terms have wrong fields", "外派意愿有误"), fields=problems)


def _terms(row: LendingTerms) -> Terms:
    return Terms(
        tuple(row.refused_regions),
        tuple(row.wished_regions),
        tuple(row.refused_weekdays),
        tuple(row.wished_weekdays),
        tuple(row.rest_weekdays),
        row.max_moves,
        row.max_days,
    )
