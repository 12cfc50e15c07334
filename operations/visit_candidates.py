"""Whom a region could visit on a day: who is due, what a visit is worth, and who can go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import FieldProblem, InvalidInput, NotReady, Text
from common.places import Location
from operations.access import Actor
from operations.contact_records import ContactBook, Replaced
from operations.lent_people import present_on
from operations.people import require_region
from operations.store.tables import Customer, Person, Region
from operations.visit_rhythm import Due, NotDue, OfDay, RhythmPolicy, asked_again, due_or_not, rest_days
from operations.visit_value import URGENCY_BY_GRADE, Valuation, VisitValue
from routing.problem import DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow
from routing.problem import Visit as PlannedVisit
from routing.usable_visits import Area, Conditions, UsableDay, read_or_keep, usable_day

__all__ = [
    "DueCustomer",
    "ExcludedCustomer",
    "RegionDay",
    "RhythmPolicy",
    "Wishes",
    "problem_for_region",
    "problem_of",
    "region_day",
    "region_days",
    "usable_day_of",
]

REGION_RADIUS_KM = 150.0
"""A customer further than this from the centre of the region is taken for a wrong record."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a region's day beside the records.

    Attributes
    ----------
    rep_codes : tuple of str or None
        Only these reps are present; ``None``: all active ones of the region.
    again : mapping of customer code to str
        Customers who are visited although they are not due or the visit is a repeat, each with the reason.
    policy : RhythmPolicy
    known_at : datetime or None
        As if it were this moment (to look back); ``None``: now.
    """

    rep_codes: tuple[str, ...] | None = None
    again: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    policy: RhythmPolicy = field(default_factory=RhythmPolicy)
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueCustomer:
    """A customer to visit, with why, and what the visit is worth."""

    customer: Customer
    why: Due
    value: VisitValue
    rank: float
    """Points times the factor of the grade: the order in which customers are offered to a plan."""


@dataclass(frozen=True, slots=True)
class ExcludedCustomer:
    """A customer who is not offered to the plan, with why."""

    customer: Customer
    why: NotDue


@dataclass(frozen=True, slots=True)
class RegionDay:
    """A region's day before it is planned.

    Attributes
    ----------
    day : date
    rest_day, holiday : bool
        Nobody is expected at work (make-up working days counted); it is a public holiday.
    present : tuple of Person
        Who goes out.
    due : tuple of DueCustomer
        Those with a promise first, then the most worthwhile.
    excluded : tuple of ExcludedCustomer
        By code.
    basis : Text
        Where the probabilities come from.
    method : str
        ``model`` or ``rates``.
    """

    region: Region
    day: date
    rest_day: bool
    holiday: bool
    present: tuple[Person, ...]
    due: tuple[DueCustomer, ...]
    excluded: tuple[ExcludedCustomer, ...]
    basis: Text
    method: str


def problem_for_region(
    session: Session,
    actor: Actor,
    region_code: str,
    plan_date: date,
    *,
    rep_codes: Sequence[str] | None = None,
    policy: RhythmPolicy | None = None,
) -> DayProblem:
    """Return the day problem of a region from its records.

    Parameters
    ----------
    rep_codes : sequence of str, optional
        Only these reps are present; all active ones of the region by default.

    Raises
    ------
    InvalidInput
        When the region or a rep does not exist.
    NotReady
        When nobody is present, or nobody is due.
    """
    actor.require("routes:plan")
    wishes = Wishes(None if rep_codes is None else tuple(rep_codes), policy=policy or RhythmPolicy())
    return problem_of(region_day(session, actor, region_code, plan_date, wishes), wishes.policy)


def problem_of(found: RegionDay, policy: RhythmPolicy | None = None) -> DayProblem:
    """Return the day problem of a region's day: as many customers as its reps can choose from.

    Raises
    ------
    NotReady
        When nobody is present, or nobody is due.
    """
    return usable_day_of(found, policy).problem


def usable_day_of(
    found: RegionDay, policy: RhythmPolicy | None = None, conditions: Conditions | None = None
) -> UsableDay:
    """Return the same with the customers by name who cannot be planned, because something in their record is wrong.

    Without an area in ``conditions``, customers must lie within :data:`REGION_RADIUS_KM` of the region's centre.

    Raises
    ------
    InvalidInput
        When no customer can be planned, or something in a rep's record is wrong.
    NotReady
        When nobody is present, or nobody is due.
    """
    policy = policy or RhythmPolicy()
    region, day = found.region, found.day
    if not found.present:
        raise NotReady(Text(f"region {region.code} has no active rep", f"区域 {region.code} 没有在职人员"))
    if not found.due:
        raise NotReady(
            Text(f"no customer of {region.code} is due on {day}", f"{day} 区域 {region.code} 没有到期的客户")
        )
    most = min(policy.candidates_per_rep * len(found.present), SizeLimits().visits)
    reps = tuple(_rep(person, region, policy) for person in found.present)
    visits = [read_or_keep(item.customer.code, partial(_visit, item, policy, reps)) for item in found.due[:most]]
    conditions = conditions or Conditions()
    area = conditions.area or Area(Location(region.latitude, region.longitude), REGION_RADIUS_KM)
    held_to = replace(conditions, area=area, pointer=lambda _, code: f"/customers/{code}")
    return usable_day(visits, reps, ObjectiveWeights(grade_factors=URGENCY_BY_GRADE), conditions=held_to)


def region_day(session: Session, actor: Actor, region_code: str, day: date, wishes: Wishes | None = None) -> RegionDay:
    """Return who of a region is due on a day, what a visit is worth, and who is not to be visited and why.

    Raises
    ------
    InvalidInput
        When the region, a rep, or a customer who is to be visited again does not exist.
    NotReady
        When named reps are needed and the region has none.
    """
    return region_days(session, actor, region_code, [day], wishes)[0]


def region_days(
    session: Session, actor: Actor, region_code: str, days: Sequence[date], wishes: Wishes | None = None
) -> list[RegionDay]:
    """Return the same for consecutive days that are planned together: each as if the others were not yet planned."""
    wishes = wishes or Wishes()
    region = require_region(session, region_code)
    actor.require_region(region_code)
    present = _present(session, region, wishes.rep_codes)
    there = dict.fromkeys(days, present)
    if wishes.rep_codes is None:  # whoever names the reps knows who is there
        there = present_on(session, region.code, present, days)
        present = list(dict.fromkeys(person for day in days for person in there[day]))
    query = select(Customer).where(Customer.region_code == region.code).order_by(Customer.code)
    customers = list(session.scalars(query))
    _require_known(wishes.again, customers)
    zone = ZoneInfo(region.time_zone)
    known_at = wishes.known_at or session.info["clock"].now()
    valuation = Valuation(session, region, known_at=known_at, present=present)
    off = rest_days(days[0], (days[-1] - days[0]).days + 1, wishes.policy.country)
    replaced = Replaced(frozenset(person.code for person in present), frozenset(days))
    book = ContactBook(session, region, customers, known_at=known_at)
    found = []
    for day in days:
        rest, holiday = off[(day - days[0]).days]
        contacts = book.before(day, replaced)
        of = OfDay(datetime.combine(day, time(), zone), rest, wishes.policy)
        due, excluded = _sorted_out(
            customers, {code: due_or_not(each, of) for code, each in contacts.items()}, wishes, day
        )
        found.append(
            RegionDay(
                region,
                day,
                rest,
                holiday,
                tuple(there[day]),
                _valued(due, valuation, day),
                excluded,
                valuation.model.reason,
                valuation.model.method,
            )
        )
    return found


def _require_known(again: Mapping[str, str], customers: Sequence[Customer]) -> None:
    codes = {customer.code for customer in customers}
    problems = [
        FieldProblem(
            f"/repeat_reasons/{code}",
            Text(f"the region has no customer {code!r}", f"该区域没有客户 {code!r}"),
        )
        for code in again
        if code not in codes
    ]
    if problems:
        raise InvalidInput(Text("unknown customers", "客户不存在"), fields=problems)


def _sorted_out(
    customers: Sequence[Customer], answers: Mapping[str, Due | NotDue], wishes: Wishes, day: date
) -> tuple[list[tuple[Customer, Due]], tuple[ExcludedCustomer, ...]]:
    due: list[tuple[Customer, Due]] = []
    excluded = []
    for customer in customers:
        answer = answers[customer.code]
        reason = wishes.again.get(customer.code)
        if isinstance(answer, NotDue) and reason is not None:
            answer = asked_again(answer, reason, day)
        if isinstance(answer, Due):
            due.append((customer, answer))
        else:
            excluded.append(ExcludedCustomer(customer, answer))
    return due, tuple(excluded)


def _valued(due: Sequence[tuple[Customer, Due]], valuation: Valuation, day: date) -> tuple[DueCustomer, ...]:
    found = [
        DueCustomer(customer, why, value, value.points * URGENCY_BY_GRADE.get(customer.grade or "", 1.0))
        for (customer, why), value in zip(due, valuation.of(due, day), strict=True)
    ]
    found.sort(key=lambda item: (not item.why.mandatory, -item.rank, item.customer.code))
    return tuple(found)


def _present(session: Session, region: Region, rep_codes: Sequence[str] | None) -> list[Person]:
    query = select(Person).where(Person.role == "rep", Person.active).order_by(Person.code)
    if rep_codes is None:
        people = list(session.scalars(query.where(Person.region_code == region.code)))
        if not people:
            raise NotReady(Text(f"region {region.code} has no active rep", f"区域 {region.code} 没有在职人员"))
        return people
    by_code = {person.code: person for person in session.scalars(query.where(Person.code.in_(rep_codes)))}
    problems = [
        FieldProblem(f"/rep_codes/{position}", Text(f"there is no active rep {code!r}", f"没有在职地推专员 {code!r}"))
        for position, code in enumerate(rep_codes)
        if code not in by_code
    ]
    if problems:
        raise InvalidInput(Text("unknown reps", "人员不存在"), fields=problems)
    return [by_code[code] for code in dict.fromkeys(rep_codes)]


def _rep(person: Person, region: Region, policy: RhythmPolicy) -> Rep:
    if person.home_latitude is None or person.home_longitude is None:
        home = Location(region.latitude, region.longitude)
    else:
        home = Location(person.home_latitude, person.home_longitude)
    lunch_fits = person.shift_start_s <= policy.lunch.latest_s <= person.shift_end_s
    return Rep(
        id=person.code,
        name=person.name,
        start=home,
        end=home,
        shift_start_s=person.shift_start_s,
        shift_end_s=person.shift_end_s,
        breaks=(policy.lunch,) if lunch_fits else (),
        skills=frozenset(skill.skill for skill in person.skills),
        max_visits=person.max_visits,
    )


def _visit(item: DueCustomer, policy: RhythmPolicy, reps: Sequence[Rep]) -> PlannedVisit:
    customer = item.customer
    windows: tuple[TimeWindow, ...] = ()
    if customer.open_from_s is not None and customer.open_until_s is not None:
        # A visit must end before the door closes; where it is longer than that, it starts at opening.
        latest = max(customer.open_from_s, customer.open_until_s - customer.service_s)
        windows = (TimeWindow(customer.open_from_s, latest),)
    skill = dict(policy.skill_for_type).get(customer.customer_type)
    skills = frozenset({skill}) if skill else frozenset()
    return PlannedVisit(
        id=customer.code,
        name=customer.name,
        location=Location(customer.latitude, customer.longitude),
        service_s=customer.service_s,
        windows=windows,
        value=item.value.points,
        grade=customer.grade or "",
        skills=skills,
        mandatory=item.why.mandatory and _somebody_can(windows, skills, reps),
    )


def _somebody_can(windows: Sequence[TimeWindow], skills: frozenset[str], reps: Sequence[Rep]) -> bool:
    """Return whether anybody present has the skills, and is at work while the door is open.

    A promise that nobody can keep must not make every plan a broken one.
    """
    return any(
        skills <= rep.skills
        and (not windows or any(each.start_s < rep.shift_end_s and each.end_s >= rep.shift_start_s for each in windows))
        for rep in reps
    )
