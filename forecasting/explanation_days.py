"""What a day is in the calendar, in words: a holiday, a make-up working day, exams, a shopping festival."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from common.errors import Text
from forecasting.calendar import NEAR_DAYS, build_calendar
from forecasting.calendar_days import holiday_names

WEEKDAYS = (
    Text("Monday", "周一"),
    Text("Tuesday", "周二"),
    Text("Wednesday", "周三"),
    Text("Thursday", "周四"),
    Text("Friday", "周五"),
    Text("Saturday", "周六"),
    Text("Sunday", "周日"),
)
PLAIN, HOLIDAY, MAKE_UP = "plain", "holiday", "make_up"
_FESTIVALS = {"days_from_618": Text("618", "618"), "days_from_double_11": Text("Double 11", "双 11")}
_VACATION, _EXAMS = Text("vacation", "假期"), Text("exam weeks", "考试周")
_TERM_STARTS, _TERM = Text("first weeks of term", "开学初"), Text("term", "学期中")


@dataclass(frozen=True, slots=True)
class DayNature:
    """One day in the calendar of a country.

    Attributes
    ----------
    day : date
        The day.
    kind : str
        ``holiday`` (any day of a run of days off with a public holiday in it), ``make_up`` (a weekend day that is
        worked), or ``plain``.
    name : Text or None
        Of the holiday that it belongs to; of a plain day the nearest within a week.
    position : int
        Place in the run of days off, from 1; 0 on working days.
    days_to, days_since : int
        Days to the next and from the last public holiday, at most 15.
    campus : Text or None
        What the campus does.
    festival : Text or None
        The shopping festival whose season it is, and where in it the day lies.
    """

    day: date
    kind: str = PLAIN
    name: Text | None = None
    position: int = 0
    days_to: int = 15
    days_since: int = 15
    campus: Text | None = None
    festival: Text | None = None

    @property
    def said(self) -> Text | None:
        """What is special about the day in a few words; None for a plain one."""
        if self.kind == MAKE_UP:
            return Text("a make-up working day", "调休上班日")
        if self.kind != HOLIDAY:
            return None
        return self.name or Text("a public holiday", "公共假日")

    @property
    def near(self) -> Text | None:
        """How a plain day lies to the nearest holiday within a week; None where there is none."""
        if self.kind != PLAIN or self.name is None or min(self.days_to, self.days_since) > NEAR_DAYS:
            return None
        if self.days_to <= self.days_since:
            days = _days(self.days_to)
            return Text(f"{days} before {self.name.en}", f"{self.name.zh}前 {self.days_to} 天")
        return Text(f"{_days(self.days_since)} after {self.name.en}", f"{self.name.zh}后第 {self.days_since} 天")


@lru_cache(maxsize=1024)
def nature_of(day: date, country: str | None) -> DayNature:
    """Return what ``day`` is in the calendar of ``country`` (``CN``, ``US-IL``); a plain day without one."""
    if country is None:
        return DayNature(day)
    found = {name: float(values[0]) for name, values in build_calendar(day, 1, country=country).columns.items()}
    names = holiday_names(country)
    number, near = int(found["holiday_name"]), int(found["near_holiday"])
    kind = HOLIDAY if found["holiday"] > 0 or number else MAKE_UP if found["make_up_day"] > 0 else PLAIN
    code = number if kind == HOLIDAY else near
    return DayNature(
        day,
        kind,
        names[code] if code else None,
        int(found["rest_position"]),
        int(found["days_to_holiday"]),
        int(found["days_since_holiday"]),
        _campus(found),
        _festival(found),
    )


def _campus(found: Mapping[str, float]) -> Text | None:
    if "campus_vacation" not in found:
        return None
    if found["campus_vacation"] > 0:
        return _VACATION
    if found["campus_exams"] > 0:
        return _EXAMS
    return _TERM_STARTS if found["campus_term_day"] <= 14 else _TERM


def _festival(found: Mapping[str, float]) -> Text | None:
    for column, name in _FESTIVALS.items():
        distance = found.get(column, np.nan)
        if np.isnan(distance):
            continue
        days = abs(int(distance))
        if distance == 0:
            return name
        if distance < 0:
            return Text(f"{_days(days)} before {name.en}", f"{name.zh}前 {days} 天")
        return Text(f"{_days(days)} after {name.en}", f"{name.zh}后第 {days} 天")
    return None


def _days(count: int) -> str:
    return "the day" if count == 1 else f"{count} days"
