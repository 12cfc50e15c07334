"""What a rep takes along for a day: the stops in order with times, customers and places as the asker may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from common.places import Location
from operations import day_plan
from operations.access import Actor, mask_address
from operations.day_plan import StoredPlan
from operations.store.audit import record_reading
from operations.store.tables import Customer, PlannedStop, Region, RoutePlan
from routing.plan import DayPlan, Route
from routing.problem import DayProblem, Rep, Visit

FIRST_MINUTE = datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))
"""Revisions count minutes from here, so that they fit into 32 bits."""


@dataclass(frozen=True, slots=True)
class SheetStop:
    """One stop on a day sheet.

    Attributes
    ----------
    arrival, start, end : datetime
        In the plan's zone.
    address : str or None
        In clear only where the asker may read contacts; masked otherwise; ``None`` where none is known.
    packs : int
        Gift packs handed over.
    lines : tuple of str
        What to say or to think of at this stop, one paragraph each; a sheet leaves room to write where there is none.
    """

    position: int
    visit_id: str
    name: str
    grade: str
    location: Location
    address: str | None
    arrival: datetime
    start: datetime
    end: datetime
    packs: int
    travel_s: int
    distance_m: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetBreak:
    """A break as planned."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DaySheet:
    """One rep's round of one day.

    Attributes
    ----------
    revision : int
        Grows with every newer plan of the day, and with every version of one plan.
    made_at : datetime
        When the plan was made.
    """

    plan_id: str
    revision: int
    made_at: datetime
    plan_date: date
    region_code: str | None
    rep_id: str
    rep_name: str
    departure: datetime
    finish: datetime
    stops: tuple[SheetStop, ...]
    breaks: tuple[SheetBreak, ...]
    travel_s: int
    distance_m: int

    @property
    def packs(self) -> int:
        """Gift packs to take along."""
        return sum(stop.packs for stop in self.stops)


def round_of(stored: StoredPlan, rep_id: str) -> StoredPlan:
    """Return the part of a plan that concerns one rep: the own round, and nothing that was left out.

    Raises
    ------
    NotFound
        When the plan has no round of that rep, or the reader of ``stored`` may not know that it has.
    """
    own = tuple(route for route in stored.plan.routes if route.rep_id == rep_id)
    if not own:
        raise NotFound(Text(f"the plan has no round of {rep_id!r}", f"计划中没有 {rep_id!r} 的行程"))
    served = {stop.visit_id for stop in own[0].stops}
    visits = tuple(
        replace(visit, after=visit.after if visit.after in served else "", allowed_reps=None)
        for visit in stored.problem.visits
        if visit.id in served
    )
    reps = tuple(replace(rep, first_stops=()) for rep in stored.problem.reps if rep.id == rep_id)
    part = DayProblem(visits, reps, stored.problem.weights, stored.problem.limits)
    report: dict[str, Any] = {"feasible": stored.summary.feasible}
    if rep_id in stored.lines:
        report["geometry"] = {rep_id: stored.lines[rep_id]}
    return replace(stored, problem=part, plan=DayPlan(own, (), 0.0), report=report, rhythm={}, unusable=())


def day_sheets(
    session: Session, actor: Actor, plan_id: str, *, rep_id: str | None = None, zone: ZoneInfo
) -> list[DaySheet]:
    """Return the sheets of a plan's rounds; a rep gets the own one only.

    Addresses are in clear where the actor may read contacts and may see the customer; each such reading is logged, so
    that the session has to write then. Everybody else gets them masked.

    Parameters
    ----------
    rep_id : str, optional
        Only this rep's.
    zone : ZoneInfo
        Of plans that belong to no region.

    Raises
    ------
    NotFound
        When there is no such plan or round, or the actor may not know that there is.
    """
    stored = day_plan.plan(session, actor, plan_id)
    if rep_id is not None:
        stored = round_of(stored, rep_id)
    row = session.get(RoutePlan, plan_id)
    assert row is not None
    region = session.get(Region, row.region_code) if row.region_code else None
    local = ZoneInfo(region.time_zone) if region else zone
    addresses = _addresses(session, actor, plan_id, stored)
    visits = {visit.id: visit for visit in stored.problem.visits}
    reps = {rep.id: rep for rep in stored.problem.reps}
    minutes = int((row.created_at - FIRST_MINUTE) / timedelta(minutes=1))
    return [
        _sheet(row, reps[route.rep_id], route, (visits, addresses), (local, minutes + row.version))
        for route in stored.plan.routes
    ]


def _addresses(session: Session, actor: Actor, plan_id: str, stored: StoredPlan) -> dict[str, str]:
    """Return addresses by visit id, for visits to known customers, each in clear or masked."""
    served = {stop.visit_id for route in stored.plan.routes for stop in route.stops}
    query = (
        select(PlannedStop.visit_ref, Customer)
        .join(Customer, Customer.code == PlannedStop.customer_code)
        .where(PlannedStop.plan_id == plan_id, PlannedStop.visit_ref.in_(served))
    )
    found = {}
    for visit_id, customer in session.execute(query):
        if customer.address is None:
            continue
        if _may_read(actor, customer):
            record_reading(session, "customer", customer.code, ["address"])
            found[visit_id] = customer.address
        else:
            found[visit_id] = mask_address(customer.address) or ""
    return found


def _may_read(actor: Actor, customer: Customer) -> bool:
    return (
        actor.may("contacts:read")
        and actor.region_code in (None, customer.region_code)
        and (not actor.own_records_only or customer.owner_code == actor.code)
    )


def _sheet(
    row: RoutePlan,
    rep: Rep,
    route: Route,
    known: tuple[Mapping[str, Visit], Mapping[str, str]],
    clock: tuple[ZoneInfo, int],
) -> DaySheet:
    visits, addresses = known
    zone, revision = clock

    def at(seconds: int) -> datetime:
        # Clock times of the day, also where the clocks change.
        return (datetime.combine(row.plan_date, time()) + timedelta(seconds=seconds)).replace(tzinfo=zone)

    stops = [
        SheetStop(
            position,
            stop.visit_id,
            visits[stop.visit_id].name or stop.visit_id,
            visits[stop.visit_id].grade,
            visits[stop.visit_id].location,
            addresses.get(stop.visit_id),
            at(stop.arrival_s),
            at(stop.start_s),
            at(stop.departure_s),
            visits[stop.visit_id].load,
            stop.travel_s,
            stop.distance_m,
        )
        for position, stop in enumerate(route.stops, start=1)
    ]
    return DaySheet(
        row.id,
        revision,
        row.created_at,
        row.plan_date,
        row.region_code,
        rep.id,
        rep.name or rep.id,
        at(route.departure_s),
        at(route.end_s),
        tuple(stops),
        tuple(SheetBreak(at(pause.start_s), at(pause.end_s)) for pause in route.breaks),
        route.travel_s,
        route.distance_m,
    )
