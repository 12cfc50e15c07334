"""Whom a region could visit on a day: who is due, what a visit is worth, and who can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import FieldProblem, InvalidInput, NotReady, Text
from common.places import Location
from operations.access import Actor
from operations.people import require_region
from operations.store.tables import Customer, FollowUp, Person, Region, Visit
from routing.problem import Break, DayProblem, Rep, TimeWindow
from routing.problem import Visit as PlannedVisit

LUNCH = Break(12 * 3600, 13 * 3600, 45 * 60)


@dataclass(frozen=True, slots=True)
class RhythmPolicy:
    """How often customers are visited, and how a day is filled; the defaults are those of the field's rules.

    Attributes
    ----------
    days_between : dict
        Days after which a customer of a grade is due again; the empty grade is for ungraded ones.
    repeat_within_days : int
        A visit within so many days of the last one is a repeat: not planned unless a follow-up is due.
    candidates_per_rep : int
        Customers offered to the plan for each rep; more than fit, so that the plan can choose.
    lunch : Break
        Of every rep.
    skill_for_type : dict
        The skill that a customer type asks of its visitor.
    """

    days_between: tuple[tuple[str, int], ...] = (("A", 2), ("B", 7), ("C", 45), ("", 14))
    repeat_within_days: int = 2
    candidates_per_rep: int = 20
    lunch: Break = LUNCH
    skill_for_type: tuple[tuple[str, str], ...] = (("companies", "key_account"),)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer who could be visited, with the worth of the visit in points."""

    customer: Customer
    points: float
    follow_up_due: bool


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
    region = require_region(session, region_code)
    actor.require_region(region_code)
    policy = policy or RhythmPolicy()
    present = _present(session, region, rep_codes)
    found = candidates(session, region, plan_date, policy=policy, most=policy.candidates_per_rep * len(present))
    if not found:
        raise NotReady(
            Text(
                f"no customer of {region_code} is due on {plan_date}", f"{plan_date} 区域 {region_code} 没有到期的客户"
            )
        )
    skills = dict(policy.skill_for_type)
    visits = tuple(_visit(item, skills) for item in found)
    return DayProblem(visits, tuple(_rep(person, region, policy) for person in present))


def candidates(
    session: Session, region: Region, plan_date: date, *, policy: RhythmPolicy, most: int
) -> list[Candidate]:
    """Return the customers of a region who are due on a day, the most worthwhile first.

    A visit is worth the customer's value in thousands of CNY (1 to 5 points), more the longer it is overdue (up to
    twice), and half as much again when a follow-up is due.
    """
    begins = datetime.combine(plan_date, time(), ZoneInfo(region.time_zone))
    last_visits = _last_visits(session, region.code, begins)
    owed = _follow_ups_due(session, region.code, begins + timedelta(days=1))
    rhythm = dict(policy.days_between)
    found = []
    for customer in session.scalars(select(Customer).where(Customer.region_code == region.code)):
        last = last_visits.get(customer.code)
        since_days = (begins - last) / timedelta(days=1) if last else None
        due = customer.code in owed
        wanted = rhythm[customer.grade or ""]
        if not due and since_days is not None and since_days < max(wanted, policy.repeat_within_days):
            continue
        overdue = 1.0 if since_days is None else min(2.0, since_days / wanted)
        points = min(5.0, max(1.0, customer.value_cny / 1000)) * max(1.0, overdue) * (1.5 if due else 1.0)
        found.append(Candidate(customer, round(points, 3), due))
    grade_first = {"A": 3.0, "B": 2.0}
    found.sort(key=lambda item: (-item.points * grade_first.get(item.customer.grade or "", 1.0), item.customer.code))
    return found[:most]


def _last_visits(session: Session, region_code: str, before: datetime) -> dict[str, datetime]:
    query = (
        select(Visit.customer_code, func.max(Visit.started_at))
        .join(Customer, Customer.code == Visit.customer_code)
        .where(Customer.region_code == region_code, Visit.started_at < before)
        .group_by(Visit.customer_code)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _follow_ups_due(session: Session, region_code: str, before: datetime) -> set[str]:
    query = (
        select(FollowUp.customer_code)
        .join(Customer, Customer.code == FollowUp.customer_code)
        .where(Customer.region_code == region_code, FollowUp.status == "open", FollowUp.due_at < before)
    )
    return set(session.scalars(query))


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


def _visit(item: Candidate, skills: dict[str, str]) -> PlannedVisit:
    customer = item.customer
    windows: tuple[TimeWindow, ...] = ()
    if customer.open_from_s is not None and customer.open_until_s is not None:
        # A visit must end before the door closes; where it is longer than that, it starts at opening.
        latest = max(customer.open_from_s, customer.open_until_s - customer.service_s)
        windows = (TimeWindow(customer.open_from_s, latest),)
    skill = skills.get(customer.customer_type)
    return PlannedVisit(
        id=customer.code,
        name=customer.name,
        location=Location(customer.latitude, customer.longitude),
        service_s=customer.service_s,
        windows=windows,
        value=item.points,
        grade=customer.grade or "",
        skills=frozenset({skill}) if skill else frozenset(),
    )
