"""Who is where on a day: own people less those who are off or lent, and those lent to the region."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.store.tables import DayOff, LentDay, Person

FAIRNESS_DAYS = 28
"""Who was lent in so many days before is spared."""


def present_on(
    session: Session, region_code: str, people: Sequence[Person], days: Sequence[date]
) -> dict[date, list[Person]]:
    """Return by day who works in a region: ``people`` less those off or lent elsewhere, and those lent to it."""
    off = days_off(session, days)
    lent = list(session.scalars(select(LentDay).where(LentDay.day.in_(days))))
    away = {(row.person_code, row.day) for row in lent if row.to_region != region_code}
    coming = {row.person_code for row in lent if row.to_region == region_code} - {one.code for one in people}
    guests = {
        one.code: one
        for one in session.scalars(select(Person).where(Person.code.in_(coming), Person.role == "rep", Person.active))
    }
    found = {}
    for day in days:
        here = [one for one in people if (one.code, day) not in away and (one.code, day) not in off]
        here += [
            guests[row.person_code]
            for row in sorted(lent, key=lambda row: row.person_code)
            if row.day == day and row.to_region == region_code and row.person_code in guests
            if (row.person_code, day) not in off
        ]
        found[day] = here
    return found


def days_off(session: Session, days: Sequence[date]) -> set[tuple[str, date]]:
    """Return who has which of the days off on record."""
    query = select(DayOff.person_code, DayOff.day).where(DayOff.day.in_(days))
    return {(row[0], row[1]) for row in session.execute(query)}


def lent_before(session: Session, day: date) -> dict[str, int]:
    """Return on how many of the days before ``day`` each person was lent."""
    query = (
        select(LentDay.person_code, func.count())
        .where(LentDay.day < day, LentDay.day >= day - timedelta(days=FAIRNESS_DAYS))
        .group_by(LentDay.person_code)
    )
    return {row[0]: row[1] for row in session.execute(query)}
