"""What is owed after A and B visits, by the rules of the domain, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from training_data.sample_organisation.days import LOCAL_OFFSET

ON_TIME_SHARE = 0.80
LATE_SHARE = 0.165
"""Done, but after it was due; many of these are replaced before. With it, about 85 % of what is done is on time."""
FORGOTTEN_SHARE = 0.015
"""Never done; the rest is called off by the customer."""
NO_ANSWER_SHARE = 0.25
_DAY = timedelta(days=1)


def make_follow_ups(
    visits: list[dict[str, Any]], owners: dict[str, str], now: datetime, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the follow-ups of all visits as rows of the table ``follow_up``.

    Grade A: material within 24 h and a call the next day (by sales before 12:00 when the lead was entered by 16:00),
    and a personal text when nobody answered for 48 h. Grade B: one use case within a week. Nobody there: another visit
    within four days. A new visit replaces what is still open from the one before.

    Parameters
    ----------
    visits : list of dict
        Rows of the table ``visit`` in the order of time.
    owners : dict of str to str
        Person who is responsible, by customer.
    now : datetime
        The moment at which the sample is seen; nothing is done after it.
    """
    next_visit = _next_visits(visits)
    rows = []
    for visit in visits:
        for kind, due_at in _owed(visit, rng):
            status, done_at = _became(visit["recorded_at"], due_at, next_visit.get(visit["id"]), now, rng)
            rows.append(
                {
                    "id": f"f-{visit['id'][2:]}-{kind}",
                    "customer_code": visit["customer_code"],
                    "visit_id": visit["id"],
                    "owner_code": owners[visit["customer_code"]],
                    "kind": kind,
                    "status": status,
                    "due_at": due_at,
                    "done_at": done_at,
                }
            )
    return rows


def _next_visits(visits: list[dict[str, Any]]) -> dict[str, datetime]:
    """Return when the next visit that gave a grade was recorded, by visit."""
    found: dict[str, datetime] = {}
    latest: dict[str, datetime] = {}
    for visit in reversed(visits):
        if visit["customer_code"] in latest:
            found[visit["id"]] = latest[visit["customer_code"]]
        if visit["grade"] is not None:
            latest[visit["customer_code"]] = visit["recorded_at"]
    return found


def _owed(visit: dict[str, Any], rng: np.random.Generator) -> Iterator[tuple[str, datetime]]:
    local = visit["recorded_at"] + LOCAL_OFFSET
    midnight = visit["recorded_at"] - timedelta(hours=local.hour, minutes=local.minute)
    if visit["grade"] == "A":
        yield "send_material", visit["ended_at"] + _DAY
        if local.hour < 16:
            yield "sales_call", midnight + _DAY + timedelta(hours=12)
        else:
            yield "call_next_day", midnight + _DAY + timedelta(hours=18)
        if rng.random() < NO_ANSWER_SHARE:
            yield "personal_text", midnight + 3 * _DAY + timedelta(hours=18)
    elif visit["grade"] == "B":
        yield "use_case", midnight + 7 * _DAY + timedelta(hours=18)
    elif visit["outcome"] == "absent":
        yield "visit", midnight + 4 * _DAY + timedelta(hours=18)


def _became(
    recorded_at: datetime, due_at: datetime, replaced_at: datetime | None, now: datetime, rng: np.random.Generator
) -> tuple[str, datetime | None]:
    """Return status and moment of completion."""
    chance = rng.random()
    until_due = (due_at - recorded_at) * float(rng.beta(3.0, 1.6))
    overdue = timedelta(hours=1 + float(rng.exponential(30.0)))
    closed_at: datetime | None = recorded_at + until_due
    status = "done"
    if chance > ON_TIME_SHARE + LATE_SHARE + FORGOTTEN_SHARE:
        status = "cancelled"
    elif chance > ON_TIME_SHARE + LATE_SHARE:
        closed_at = None
    elif chance > ON_TIME_SHARE:
        closed_at = due_at + overdue
    if replaced_at is not None and (closed_at is None or replaced_at < closed_at):
        return "replaced", None
    if closed_at is None or closed_at > now:
        return "open", None
    return status, closed_at.replace(microsecond=0) if status == "done" else None
