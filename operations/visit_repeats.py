"""Repeats: visits to customers who are already planned or were just visited.

They are shown and blocked; a reason excuses them, and is kept with the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Conflict, FieldProblem, Text
from operations.access import Actor
from operations.contact_records import ContactBook, Replaced
from operations.store.tables import Customer, PlannedStop, Region, RoutePlan
from operations.visit_candidates import RegionDay, Wishes
from operations.visit_rhythm import Contacts, NotDue, OfDay, RhythmPolicy, due_or_not, rest_days
from routing.problem import DayProblem


@dataclass(frozen=True, slots=True)
class Repeat:
    """A customer whom a plan would visit again too soon, with why."""

    customer_code: str
    why: NotDue


def repeats_among(
    session: Session,
    day: date,
    codes: Collection[str],
    *,
    rep_codes: Collection[str],
    counted: Callable[[Contacts, ZoneInfo], Contacts] | None = None,
) -> list[Repeat]:
    """Return which of these customers would be visited again too soon on a day; codes of nobody are passed over.

    Parameters
    ----------
    rep_codes : collection of str
        Who goes out: the new plan takes the place of their other rounds of that day.
    counted : callable, optional
        Takes away from the contacts with a customer what does not count; it gets the zone of the region as well.
    """
    policy = RhythmPolicy()
    wanted = select(Customer).where(Customer.code.in_(list(codes))).order_by(Customer.code)
    by_region: dict[str, list[Customer]] = {}
    for customer in session.scalars(wanted):
        by_region.setdefault(customer.region_code, []).append(customer)
    if not by_region:
        return []
    ((rest, _),) = rest_days(day, 1, policy.country)
    replaced, known_at = Replaced(frozenset(rep_codes), frozenset({day})), session.info["clock"].now()
    found = []
    for region_code, customers in sorted(by_region.items()):
        region = session.get_one(Region, region_code)
        contacts = ContactBook(session, region, customers, known_at=known_at).before(day, replaced)
        zone = ZoneInfo(region.time_zone)
        of = OfDay(datetime.combine(day, time(), zone), rest, policy)
        for code, each in contacts.items():
            answer = due_or_not(counted(each, zone) if counted else each, of)
            if isinstance(answer, NotDue) and answer.repeat:
                found.append(Repeat(code, answer))
    return found


def refuse_repeats(
    session: Session,
    actor: Actor,
    day: date,
    problem: DayProblem,
    *,
    reasons: Mapping[str, str],
) -> dict[str, Any]:
    """Make sure that visits asked for by hand repeat no others without a reason, and return what a plan keeps of it.

    Parameters
    ----------
    problem : DayProblem
        Visits whose ids are codes of customers are looked at; the plan takes the place of its reps' other rounds.
    reasons : mapping of customer code to str
        Why somebody is visited again all the same.

    Raises
    ------
    Conflict
        Naming each visit that would be a repeat. Whoever is bound to a region is not told who visits elsewhere.
    """
    visit_ids = [visit.id for visit in problem.visits]
    repeats = repeats_among(session, day, visit_ids, rep_codes={rep.id for rep in problem.reps})
    codes = [one.customer_code for one in repeats]
    query = select(Customer.code, Customer.region_code).where(Customer.code.in_(codes))
    regions = {row.code: row.region_code for row in session.execute(query)}
    place = {code: position for position, code in enumerate(visit_ids)}
    refused = [
        FieldProblem(
            f"/visits/{place[one.customer_code]}/id",
            one.why.text if actor.region_code in (None, regions[one.customer_code]) else _ELSEWHERE,
        )
        for one in repeats
        if one.customer_code not in reasons
    ]
    if refused:
        text = Text(
            f"{len(refused)} visits would be repeats: leave them out, or give a reason for each in repeat_reasons",
            f"有 {len(refused)} 次重复拜访：请去掉，或在 repeat_reasons 中逐一说明理由",
        )
        raise Conflict(text, fields=refused)
    return {"repeats": [_kept(one, reasons[one.customer_code]) for one in repeats]} if repeats else {}


_ELSEWHERE = Text("somebody of another region visits this customer", "其他区域的同事正在拜访该客户")


def record_of(found: RegionDay, wishes: Wishes) -> dict[str, Any]:
    """Return what a region's plan keeps of the rhythm: excused repeats, who was blocked, and where values come from."""
    excused = [
        {"customer_code": item.customer.code, "reason": wishes.again[item.customer.code], **_texts(item.why.text)}
        for item in found.due
        if item.why.code == "asked_again"
    ]
    blocked = [
        {"customer_code": item.customer.code, "code": item.why.code, **_texts(item.why.text)}
        for item in found.excluded
        if item.why.code != "not_due_yet"
    ]
    return {"repeats": excused, "excluded": blocked, "method": found.method, "basis": _texts(found.basis)}


def _kept(repeat: Repeat, reason: str) -> dict[str, Any]:
    return {"customer_code": repeat.customer_code, "reason": reason, **_texts(repeat.why.text)}


def _texts(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def repeats_of_plan(session: Session, row: RoutePlan) -> list[Repeat]:
    """Return the customers of a stored plan whom it would visit again too soon and for whom no reason was given.

    It is asked before the plan is published: what was published or visited since it was made is seen here. Drafts do
    not count, nor do published plans of the same region and day, whose place it takes; nor, once its day has come, the
    visits of that day, which may be its own.
    """
    query = select(PlannedStop.customer_code, PlannedStop.rep_ref).where(PlannedStop.plan_id == row.id)
    stops = session.execute(query).all()
    codes = {stop.customer_code for stop in stops if stop.customer_code is not None}
    replaced_plans = {row.id}
    if row.region_code is not None:
        same = (RoutePlan.region_code == row.region_code) & (RoutePlan.plan_date == row.plan_date)
        replaced_plans |= set(session.scalars(select(RoutePlan.id).where(same)))
    today = session.info["clock"].now()

    def counted(contacts: Contacts, zone: ZoneInfo) -> Contacts:
        planned = tuple(stop for stop in contacts.planned if stop.published and stop.plan_id not in replaced_plans)
        if row.plan_date <= today.astimezone(zone).date():
            return replace(contacts, planned=planned, last_visit_at=None)
        return replace(contacts, planned=planned)

    excused = {item["customer_code"] for item in row.report.get("rhythm", {}).get("repeats", ())}
    reps = {stop.rep_ref for stop in stops}
    found = repeats_among(session, row.plan_date, codes, rep_codes=reps, counted=counted)
    return [one for one in found if one.customer_code not in excused]


def refuse_repeats_of_plan(session: Session, row: RoutePlan, reasons: Mapping[str, str]) -> None:
    """Make sure that a plan which is to be published repeats no others without a reason, and keep the reasons with it.

    Raises
    ------
    Conflict
        Naming each customer.
    """
    found = repeats_of_plan(session, row)
    refused = [
        FieldProblem(f"/repeat_reasons/{one.customer_code}", one.why.text)
        for one in found
        if one.customer_code not in reasons
    ]
    if refused:
        text = Text(
            f"{len(refused)} visits have become repeats since the plan was made: change it, or give a reason for each",
            f"计划制定后有 {len(refused)} 次拜访已成为重复拜访：请修改计划，或逐一说明理由",
        )
        raise Conflict(text, fields=refused)
    if found:
        rhythm = row.report.get("rhythm", {})
        kept = [*rhythm.get("repeats", ()), *(_kept(one, reasons[one.customer_code]) for one in found)]
        row.report = {**row.report, "rhythm": {**rhythm, "repeats": kept}}
