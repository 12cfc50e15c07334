"""How much work each region has on the coming days, by skill: visits due and planned, forecast demand, events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.contact_records import ContactBook, Replaced
from operations.store.tables import Customer, DailyConsumption, Event, Forecast, Person, PlannedActivity, Region, Visit
from operations.visit_rhythm import Due, OfDay, RhythmPolicy, due_or_not, rest_days

ANYBODY = ""


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
    required_events : tuple of str
        Kinds of event whose stand must be staffed.
    backlog_days : int
        Visits that are overdue on the first day are made up over so many days.
    demand_share : float
        By so many per cent the visits' work changes when the forecast demand for materials is one per cent above its
        usual level on that weekday.
    most_demand_change : float
        It changes by this share at most.
    rhythm : RhythmPolicy
        Who is due.
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
    required_events: tuple[str, ...] = ("fair", "opening")
    backlog_days: int = 5
    demand_share: float = 0.3
    most_demand_change: float = 0.25
    rhythm: RhythmPolicy = field(default_factory=RhythmPolicy)


@dataclass(frozen=True, slots=True)
class RegionWork:
    """The predicted work of a region by day.

    Attributes
    ----------
    work_h, required_h : tuple of dict of str to float
        Hours by skill, and the part that must be done.
    open_h : float
        Hours between the first door that opens and the last that closes.
    """

    work_h: tuple[dict[str, float], ...]
    required_h: tuple[dict[str, float], ...]
    open_h: float


def predicted_work(
    session: Session, regions: Sequence[Region], days: Sequence[date], policy: WorkPolicy
) -> dict[str, RegionWork]:
    """Return the predicted work of each region on consecutive days.

    Visits count as many as are planned (or, without a plan, as were made on that weekday), and at least as many as are
    due by the rhythm of contact; customers who are closed on a day are not due on it.
    """
    events = list(
        session.scalars(select(Event).where(Event.starts_on <= days[-1], Event.ends_on >= days[0]).order_by(Event.code))
    )
    demand = _demand_factors(session, days, policy)
    return {
        region.code: _region_work(session, region, days, policy, events=events, demand=demand) for region in regions
    }


def _region_work(
    session: Session,
    region: Region,
    days: Sequence[date],
    policy: WorkPolicy,
    *,
    events: Sequence[Event],
    demand: Mapping[tuple[str, date], float],
) -> RegionWork:
    customers = list(
        session.scalars(select(Customer).where(Customer.region_code == region.code).order_by(Customer.code))
    )
    due = _due_by_skill(session, region, customers, days, policy)
    work, required = [], []
    for place, day in enumerate(days):
        visits = _visit_hours(_visits(session, region, day, policy), due[place], policy)
        factor = demand.get((region.code, day), 1.0)
        hours = defaultdict(float, {skill: value * factor for skill, value in visits.items()})
        must: dict[str, float] = defaultdict(float)
        for event in events:
            if event.region_code in (None, region.code) and event.starts_on <= day <= event.ends_on:
                skill, needed = dict(policy.event_skill)[event.kind], _event_hours(event, policy)
                hours[skill] += needed
                must[skill] += needed if event.kind in policy.required_events else 0.0
        work.append({skill: round(value, 2) for skill, value in hours.items()})
        required.append({skill: round(value, 2) for skill, value in must.items() if value})
    return RegionWork(tuple(work), tuple(required), _open_hours(customers))


def _event_hours(event: Event, policy: WorkPolicy) -> float:
    days = (event.ends_on - event.starts_on).days + 1
    return event.expected_visitors / days * policy.visitor_share / policy.visitors_per_hour


def _visit_hours(visits: float, due: Mapping[str, float], policy: WorkPolicy) -> dict[str, float]:
    """Return the hours of a day's visits by skill, shared out as those that are due."""
    total = sum(due.values())
    count = max(visits, total)
    shares = {skill: number / total for skill, number in due.items()} if total else {}
    hours = {skill: count * share * policy.hours_per_visit for skill, share in shares.items() if skill and share}
    return {ANYBODY: count * policy.hours_per_visit - sum(hours.values()), **hours}


def _due_by_skill(
    session: Session, region: Region, customers: Sequence[Customer], days: Sequence[date], policy: WorkPolicy
) -> list[dict[str, float]]:
    """Return by day how many customers become due on it, by the skill that they ask for.

    Who waits on the first day, for a first visit or overdue, is shared out over the first days. No plan is made for the
    days yet, so planned visits are left out of account.
    """
    zone, skills = ZoneInfo(region.time_zone), dict(policy.rhythm.skill_for_type)
    off = rest_days(days[0], len(days), policy.rhythm.country)
    book = ContactBook(session, region, customers, known_at=session.info["clock"].now())
    reps = session.scalars(select(Person.code).where(Person.role == "rep"))
    contacts = book.before(days[0], Replaced(frozenset(reps), frozenset(days)))
    found: list[dict[str, float]] = [{} for _ in days]
    spread = min(policy.backlog_days, len(days))
    for customer in customers:
        skill = skills.get(customer.customer_type, ANYBODY)
        for place, day in enumerate(days):
            of = OfDay(datetime.combine(day, time(), zone), off[place][0], policy.rhythm)
            answer = due_or_not(contacts[customer.code], of)
            if isinstance(answer, Due):
                waiting = place == 0 and (answer.due_on < day or answer.code == "first_visit")
                if not waiting:
                    found[place][skill] = found[place].get(skill, 0.0) + 1
                else:
                    for late in range(spread):
                        found[late][skill] = found[late].get(skill, 0.0) + 1 / policy.backlog_days
                break
    return found


def _visits(session: Session, region: Region, day: date, policy: WorkPolicy) -> float:
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


def _open_hours(customers: Sequence[Customer]) -> float:
    """Return the hours in which there is anybody to visit; 24 where a customer has no opening hours."""
    spans = [(one.open_from_s, one.open_until_s) for one in customers]
    known = [(start, end) for start, end in spans if start is not None and end is not None]
    if not known or len(known) < len(spans):
        return 24.0
    return (max(end for _, end in known) - min(start for start, _ in known)) / 3600


def _demand_factors(session: Session, days: Sequence[date], policy: WorkPolicy) -> dict[tuple[str, date], float]:
    """Return by region and day the factor of the forecast demand; days without a forecast have none."""
    origin = session.scalar(select(func.max(Forecast.origin)))
    if origin is None:
        return {}
    query = (
        select(Forecast.region_code, Forecast.day, func.sum(Forecast.quantity_units))
        .where(Forecast.origin == origin, Forecast.quantile == 0.5, Forecast.day.in_(days))
        .group_by(Forecast.region_code, Forecast.day)
    )
    factors = {}
    for region, day, units in session.execute(query):
        usual = _usual_units(session, region, day, origin, policy.weeks_back)
        if usual > 0:
            change = policy.demand_share * (units / usual - 1)
            factors[region, day] = 1 + max(-policy.most_demand_change, min(policy.most_demand_change, change))
    return factors


def _usual_units(session: Session, region: str, day: date, origin: date, weeks_back: int) -> float:
    back = [day - timedelta(weeks=week) for week in range(1, weeks_back + 2)]
    query = select(func.sum(DailyConsumption.quantity_units), func.count(func.distinct(DailyConsumption.day))).where(
        DailyConsumption.region_code == region,
        DailyConsumption.day.in_([one for one in back if one <= origin][:weeks_back]),
    )
    units, count = session.execute(query).one()
    return float(units or 0) / count if count else 0.0
