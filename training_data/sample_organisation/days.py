"""The days of the sample: weekday, public holidays, make-up working days, terms, Spring Festival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import holidays
import numpy as np
from numpy.typing import NDArray

HISTORY_DAYS = 548
FUTURE_DAYS = 10
LOCAL_OFFSET = timedelta(hours=8)
"""China Standard Time; the country has had no summer time since 1991."""
_FESTIVAL = "Chinese New Year (Spring Festival)"


@dataclass(frozen=True, slots=True)
class Days:
    """Consecutive days with what the calendar says of each; all arrays have one element a day.

    Attributes
    ----------
    days : tuple of date
        The days.
    history : int
        How many of them are the past; the others are the future.
    weekday : int array
        0 Monday … 6 Sunday.
    holiday : bool array
        Public holidays, and the weekend days that lie in a row of days off with one.
    holiday_day : int array
        1 on the first day of such a row, 2 on the second …, 0 elsewhere.
    make_up : bool array
        Weekend days worked in exchange for a holiday (调休).
    to_festival : int array
        Days until the nearest first day of Spring Festival: positive before it, negative after it.
    vacation : bool array
        Days on which universities are closed.
    """

    days: tuple[date, ...]
    history: int
    weekday: NDArray[np.int64]
    holiday: NDArray[np.bool_]
    holiday_day: NDArray[np.int64]
    make_up: NDArray[np.bool_]
    to_festival: NDArray[np.int64]
    vacation: NDArray[np.bool_]

    def index(self, day: date) -> int:
        """Return the position of ``day``; below 0 or beyond the last one when it is outside."""
        return (day - self.days[0]).days

    @property
    def rest(self) -> NDArray[np.bool_]:
        """Days off for people with an office job."""
        return self.holiday | ((self.weekday >= 5) & ~self.make_up)


def local_midnight(day: date) -> datetime:
    """Return the instant at which ``day`` begins in China, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - LOCAL_OFFSET


def make_days(end: date) -> Days:
    """Return the 548 days up to and including ``end``, and ten days after it."""
    days = tuple(end + timedelta(days=step) for step in range(1 - HISTORY_DAYS, FUTURE_DAYS + 1))
    years = range(days[0].year - 1, days[-1].year + 2)
    official = holidays.country_holidays("CN", years=years, language="en_US")
    weekday = np.array([day.weekday() for day in days])
    make_up = np.array([day.weekday() >= 5 and official.is_working_day(day) for day in days])
    festivals = [day for day, name in official.items() if name.split(";")[0] == _FESTIVAL]
    first_days = [day for day in festivals if day - timedelta(days=1) not in festivals]
    to_festival = [min(((first - day).days for first in first_days), key=abs) for day in days]
    position = np.array([_place_in_holiday(day, official) for day in days])
    return Days(
        days,
        HISTORY_DAYS,
        weekday,
        position > 0,
        position,
        make_up,
        np.array(to_festival),
        np.array([_university_closed(day) for day in days]),
    )


def _place_in_holiday(day: date, official: holidays.HolidayBase) -> int:
    """Return the place of ``day`` in its row of days off if the row has a public holiday, else 0."""
    if official.is_working_day(day):
        return 0
    first = day
    while not official.is_working_day(first - timedelta(days=1)):
        first -= timedelta(days=1)
    last = day
    while not official.is_working_day(last + timedelta(days=1)):
        last += timedelta(days=1)
    row = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    return (day - first).days + 1 if any(other in official for other in row) else 0


def _university_closed(day: date) -> bool:
    winter = date(day.year, 1, 21) <= day <= date(day.year, 2, 27)
    summer = date(day.year, 7, 4) <= day <= date(day.year, 8, 30)
    return winter or summer
