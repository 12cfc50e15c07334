"""The people of a staffing problem, from their records: hours and days off, limits and wishes, lendings decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.places import Location
from operations.lent_people import days_off, lent_before
from operations.store.tables import LendingTerms, LentDay, Region, Visit
from operations.store.tables import Person as PersonRow
from routing.staffing.problem import Person

LUNCH_H = 1.0
HABIT_WEEKS = 4
ENOUGH_DAYS = 8
"""So many days with visits must be on record before a weekday without any is taken for a day of rest."""
GUEST = "@"
"""Stands between the code of somebody who is lent already and the region, where they count as its own."""


@dataclass(frozen=True, slots=True)
class LendingLimits:
    """Limits of a week where a person has none of their own."""

    max_moves: int = 2
    max_days: int = 3


def lendable_people(
    session: Session,
    reps: Sequence[PersonRow],
    days: Sequence[date],
    *,
    limits: LendingLimits,
    absent: Mapping[str, frozenset[date]],
) -> tuple[Person, ...]:
    """Return the reps as the engine knows them.

    Those whom a decision lends on a day are away from home on it, and count as people of the other region who stay.

    Parameters
    ----------
    absent : mapping of code to set of date
        Who is away beside what is on record.
    """
    codes = [row.code for row in reps]
    terms = {row.person_code: row for row in session.scalars(select(LendingTerms))}
    rest = usual_rest_days(session, codes, days[0])
    off, before = days_off(session, days), lent_before(session, days[0])
    lent: dict[str, list[LentDay]] = defaultdict(list)
    for decision in session.scalars(select(LentDay).where(LentDay.day.in_(days)).order_by(LentDay.day)):
        lent[decision.person_code].append(decision)
    found = []
    for row in reps:
        own = terms.get(row.code)
        resting = frozenset(own.rest_weekdays) if own and own.rest_weekdays else rest.get(row.code, frozenset())
        decided = {one.day for one in lent[row.code]}
        hours = tuple(
            0.0
            if day in decided or (row.code, day) in off or day in absent.get(row.code, ()) or day.weekday() in resting
            else _hours(row)
            for day in days
        )
        moves = (own.max_moves if own and own.max_moves is not None else limits.max_moves) - bool(decided)
        most = (own.max_days if own and own.max_days is not None else limits.max_days) - len(decided)
        found.append(_person(row, own, days, hours=hours, left=(max(0, moves), max(0, most)), lent=before))
        found += [_guest(row, one, days) for one in lent[row.code] if (row.code, one.day) not in off]
    return tuple(found)


def _hours(row: PersonRow) -> float:
    return max(0.5, (row.shift_end_s - row.shift_start_s) / 3600 - LUNCH_H)


def _person(
    row: PersonRow,
    terms: LendingTerms | None,
    days: Sequence[date],
    *,
    hours: tuple[float, ...],
    left: tuple[int, int],
    lent: Mapping[str, int],
) -> Person:
    home = None
    if row.home_latitude is not None and row.home_longitude is not None:
        home = Location(row.home_latitude, row.home_longitude)
    return Person(
        row.code,
        row.region_code or "",
        frozenset(item.skill for item in row.skills),
        hours,
        left[0],
        home,
        left[1],
        frozenset(terms.refused_regions) if terms else frozenset(),
        frozenset(terms.wished_regions) if terms else frozenset(),
        _positions(days, terms.refused_weekdays if terms else ()),
        _positions(days, terms.wished_weekdays if terms else ()),
        lent.get(row.code, 0),
    )


def _positions(days: Sequence[date], weekdays: Sequence[int]) -> frozenset[int]:
    return frozenset(place for place, day in enumerate(days) if day.weekday() in weekdays)


def _guest(row: PersonRow, lent: LentDay, days: Sequence[date]) -> Person:
    hours = tuple(_hours(row) if day == lent.day else 0.0 for day in days)
    skills = frozenset(item.skill for item in row.skills)
    return Person(f"{row.code}{GUEST}{lent.day.isoformat()}", lent.to_region, skills, hours, 0)


def usual_rest_days(session: Session, codes: Sequence[str], day: date) -> dict[str, frozenset[int]]:
    """Return by rep the weekdays on which no visit was made for some weeks, while there were visits on others."""
    zones = {row.code: ZoneInfo(row.time_zone) for row in session.scalars(select(Region))}
    home = {row[0]: row[1] for row in session.execute(select(PersonRow.code, PersonRow.region_code))}
    worked: dict[str, set[date]] = defaultdict(set)
    begins = day - timedelta(weeks=HABIT_WEEKS)
    utc = ZoneInfo("UTC")
    query = select(Visit.rep_code, Visit.started_at).where(
        Visit.rep_code.in_(codes),
        Visit.started_at >= datetime.combine(begins, time(), utc),
        Visit.started_at < datetime.combine(day, time(), utc),
    )
    for code, started_at in session.execute(query):
        worked[code].add(started_at.astimezone(zones.get(home.get(code) or "", utc)).date())
    return {
        code: frozenset(range(7)) - {one.weekday() for one in dates}
        for code, dates in worked.items()
        if len(dates) >= ENOUGH_DAYS
    }
