"""What the records say of the contacts with a region's customers, as of a moment: visits, follow-ups, planned stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.store.tables import Customer, FollowUp, Person, PlannedStop, Region, RoutePlan, Visit
from operations.visit_rhythm import Contacts, Owed, PlannedVisit

LONGEST_RHYTHM = timedelta(days=90)
"""Plans further from the day than this are not looked at."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Whose rounds of which days a new plan takes the place of."""

    reps: frozenset[str] = frozenset()
    days: frozenset[date] = frozenset()


class ContactBook:
    """What has passed between customers of one region and the organisation, read once for any number of days.

    Parameters
    ----------
    known_at : datetime
        What was recorded later is not looked at.
    """

    def __init__(self, session: Session, region: Region, customers: Sequence[Customer], *, known_at: datetime) -> None:
        self._session, self._customers, self._zone = session, customers, ZoneInfo(region.time_zone)
        self._codes = [customer.code for customer in customers]
        self._today = known_at.astimezone(self._zone).date()
        self._visits = _last_visits(session, self._codes, known_at)
        self._kept = _last_kept(session, self._codes, known_at)
        self._owed = _owed(session, self._codes, known_at)

    def before(self, day: date, replaced: Replaced | None = None) -> dict[str, Contacts]:
        """Return the contacts by customer, with the planned visits that a plan of ``day`` has to respect.

        Parameters
        ----------
        replaced : Replaced, optional
            Whose rounds that plan replaces; by default nobody's.
        """
        stops = planned_stops(self._session, self._codes, day, self._today)
        planned = standing(stops, day, replaced or Replaced())
        return {customer.code: self._of(customer, planned.get(customer.code, ())) for customer in self._customers}

    def _of(self, customer: Customer, planned: tuple[PlannedVisit, ...]) -> Contacts:
        last_at, last_rep = self._visits.get(customer.code, (None, ""))
        kept_at = self._kept.get(customer.code)
        return Contacts(
            customer.grade or "",
            customer.customer_type,
            customer.created_at.astimezone(self._zone),
            last_at.astimezone(self._zone) if last_at else None,
            last_rep,
            kept_at.astimezone(self._zone) if kept_at else None,
            tuple(Owed(kind, due_at.astimezone(self._zone)) for kind, due_at in self._owed.get(customer.code, ())),
            planned,
        )


def _last_visits(session: Session, codes: Sequence[str], known_at: datetime) -> dict[str, tuple[datetime, str]]:
    """Return moment and rep of the last visit by customer."""
    newest = (
        select(Visit.customer_code, func.max(Visit.started_at).label("at"))
        .where(Visit.customer_code.in_(codes), Visit.started_at < known_at)
        .group_by(Visit.customer_code)
        .subquery()
    )
    query = (
        select(Visit.customer_code, Visit.started_at, Person.name)
        .join(newest, (newest.c.customer_code == Visit.customer_code) & (newest.c.at == Visit.started_at))
        .join(Person, Person.code == Visit.rep_code)
        .order_by(Visit.id)
    )
    return {code: (at, name) for code, at, name in session.execute(query)}


def _last_kept(session: Session, codes: Sequence[str], known_at: datetime) -> dict[str, datetime]:
    query = (
        select(FollowUp.customer_code, func.max(FollowUp.done_at))
        .where(FollowUp.customer_code.in_(codes), FollowUp.done_at < known_at)
        .group_by(FollowUp.customer_code)
    )
    return {code: at for code, at in session.execute(query) if at is not None}


def _owed(session: Session, codes: Sequence[str], known_at: datetime) -> dict[str, list[tuple[str, datetime]]]:
    """Return kind and moment of what is still open; what was done only after ``known_at`` was still open then."""
    made = select(Visit.recorded_at).where(Visit.id == FollowUp.visit_id).scalar_subquery()
    query = (
        select(FollowUp.customer_code, FollowUp.kind, FollowUp.due_at)
        .where(
            FollowUp.customer_code.in_(codes),
            (FollowUp.status == "open") | (FollowUp.done_at >= known_at),
            FollowUp.visit_id.is_(None) | (made < known_at),
        )
        .order_by(FollowUp.due_at, FollowUp.kind)
    )
    found: dict[str, list[tuple[str, datetime]]] = {}
    for code, kind, due_at in session.execute(query):
        found.setdefault(code, []).append((kind, due_at))
    return found


def planned_stops(
    session: Session, codes: Sequence[str], day: date, today: date
) -> list[tuple[str, PlannedVisit, datetime]]:
    """Return all stops, from today on, of the reps who are to visit one of these customers, with the plan's making.

    Superseded plans, and days far from ``day``, are left out.
    """
    near = RoutePlan.plan_date.between(max(today, day - LONGEST_RHYTHM), day + LONGEST_RHYTHM)
    stands = near & (RoutePlan.status != "superseded")
    joined = select(PlannedStop.rep_ref).join(RoutePlan, RoutePlan.id == PlannedStop.plan_id).where(stands)
    reps = joined.where(PlannedStop.customer_code.in_(codes))
    query = (
        select(
            PlannedStop.customer_code,
            PlannedStop.plan_id,
            RoutePlan.plan_date,
            PlannedStop.rep_ref,
            RoutePlan.status,
            RoutePlan.created_at,
        )
        .join(RoutePlan, RoutePlan.id == PlannedStop.plan_id)
        .where(stands, PlannedStop.rep_ref.in_(reps))
        .order_by(RoutePlan.plan_date, PlannedStop.plan_id, PlannedStop.rep_ref, PlannedStop.position)
    )
    return [
        (code or "", PlannedVisit(plan_id, plan_date, rep_ref, status == "published"), made_at)
        for code, plan_id, plan_date, rep_ref, status, made_at in session.execute(query)
    ]


def standing(
    stops: Sequence[tuple[str, PlannedVisit, datetime]], day: date, replaced: Replaced
) -> Mapping[str, tuple[PlannedVisit, ...]]:
    """Return the planned visits that a new plan of ``day`` has to respect, by customer.

    A rep walks one plan a day: the published one, else the newest. A new plan takes the place of the rounds of its own
    reps; what others are to do on that day stands. Days before it stand as they are; later days once they are
    published.
    """
    anew = {day, *replaced.days}
    walked: dict[tuple[date, str], tuple[bool, datetime, str]] = {}
    for _, stop, made_at in stops:
        key, rank = (stop.plan_date, stop.rep_ref), (stop.published, made_at, stop.plan_id)
        walked[key] = max(walked.get(key, rank), rank)
    found: dict[str, list[PlannedVisit]] = {}
    for customer, stop, _ in stops:
        of_another_plan = walked[stop.plan_date, stop.rep_ref][2] != stop.plan_id
        planned_anew = stop.plan_date in anew and stop.rep_ref in replaced.reps
        not_sure = stop.plan_date > day and not stop.published
        if not (of_another_plan or planned_anew or not_sure):
            found.setdefault(customer, []).append(stop)
    return {customer: tuple(visits) for customer, visits in found.items()}
