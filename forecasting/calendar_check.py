"""What the calendar knows of one year, and what it does not: holidays, make-up days, and whether they fit together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from common.errors import InvalidInput, Text
from forecasting.calendar import rest_days
from forecasting.calendar_days import (
    NEXT_NOTICE_FROM,
    CountryDays,
    country_days,
    exchanged_days,
    holiday_names,
    name_of_run,
    run_edges,
)

YEARS = (1970, 2100)
_LONGEST_RUN_DAYS = 30


@dataclass(frozen=True, slots=True)
class HolidayRun:
    """Days off in a row with a public holiday among them."""

    name: Text
    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        """How many days it lasts."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True, slots=True)
class CalendarCheck:
    """What is known of a year.

    Attributes
    ----------
    published : bool
        Whether the year's make-up days are in the package, or the country has none.
    holidays : tuple of HolidayRun
        Days off in a row, by the plain weekday rule where make-up days are not published.
    make_up_days : tuple of date
        Days off by law, got in exchange for a worked weekend day.
    weekend_workdays : tuple of date
        Weekend days on which people work; empty when not published.
    note : Text
        What is unknown, and whether the days off in exchange and the worked weekends match.
    """

    country: str
    year: int
    published: bool
    holidays: tuple[HolidayRun, ...]
    make_up_days: tuple[date, ...]
    weekend_workdays: tuple[date, ...]
    note: Text


def check_calendar(country: str, year: int) -> CalendarCheck:
    """Return what the calendar knows of a year of a country.

    Parameters
    ----------
    country : str
        ISO 3166 code with an optional subdivision.
    year : int
        1970 to 2100.

    Raises
    ------
    InvalidInput
        For a year out of range or a country that the ``holidays`` package does not know.
    """
    if not YEARS[0] <= year <= YEARS[1]:
        raise InvalidInput.at("/year", f"must lie in {YEARS[0]} to {YEARS[1]}", f"应在 {YEARS[0]} 到 {YEARS[1]} 之间")
    known = country_days(country, year, year)
    published = known.last_known is None or year <= known.last_known
    exchanged = exchanged_days(country, year)
    worked = tuple(day for day in known.make_up.tolist() if day.year == year)
    return CalendarCheck(
        country=country,
        year=year,
        published=published,
        holidays=tuple(_runs_of(country, year, known)),
        make_up_days=tuple(sorted(day for day in exchanged if day.year == year)),
        weekend_workdays=worked,
        note=_note(year, known, exchanged),
    )


def _runs_of(country: str, year: int, known: CountryDays) -> list[HolidayRun]:
    """Return the runs of days off with a holiday in them that touch the year, whole."""
    names = holiday_names(country)
    first, last = date(year, 1, 1), date(year, 12, 31)
    around = timedelta(days=_LONGEST_RUN_DAYS)
    days = np.arange(np.datetime64(first - around), np.datetime64(last + around))
    runs = []
    for start, end in run_edges(rest_days(days, known)):
        inside = np.isin(known.holidays, days[start:end])
        begin, stop = days[start].item(), days[end - 1].item()
        if inside.any() and begin <= last and stop >= first:
            runs.append(HolidayRun(names[name_of_run(known.codes[inside])], begin, stop))
    return runs


def _note(year: int, known: CountryDays, exchanged: dict[date, date]) -> Text:
    if known.last_known is None:
        return Text("this country has no make-up working days", "该国没有调休上班日")
    if year > known.last_known:
        return Text(
            f"unknown: the make-up working days of {year} are not in the calendar (the last year there is "
            f"{known.last_known}); until then weekends count as rest days, and days off that are exchanged for them "
            "are missing",
            f"未知：日历中尚无 {year} 年的调休安排（最近一年为 {known.last_known} 年）；"
            "在此之前按普通周末处理，调休放假的日子未列入",
        )
    odd = _mismatches(year, known, exchanged)
    if odd:
        listed = ", ".join(day.isoformat() for day in odd)
        return Text(
            f"make-up working days and days off in exchange do not match: {listed}",
            f"调休上班日与调休放假日不一致：{listed}",
        )
    if year == known.last_known:
        month, day = NEXT_NOTICE_FROM
        return Text(
            f"published; working days from {date(year, month, day)} on may still be named by the notice for {year + 1}",
            f"已公布；{date(year, month, day)} 以后的上班日仍可能由 {year + 1} 年的通知规定",
        )
    return Text("published", "已公布")


def _mismatches(year: int, known: CountryDays, exchanged: dict[date, date]) -> list[date]:
    """Return worked weekend days of the year that no day off was exchanged for, and the other way round.

    A country whose table never says what was exchanged cannot be checked. A day off that makes up for a holiday on a
    weekend (Russia) has no worked day against it.
    """
    if not exchanged:
        return []
    worked = {day for day in known.make_up.tolist() if day.year == year}
    free = set(known.holidays.tolist())
    given = {day for day in exchanged.values() if day.year == year and day not in free}
    return sorted(worked ^ given)
