"""What is known of a day from the calendar: weekday, season, public holidays, make-up working days (调休).

Holidays and make-up days come from the ``holidays`` package (MIT; for China it follows the yearly notices of the State
Council). A notice appears only in November of the year before, so the make-up days of later years are unknown; they are
reported as unknown and the plain weekday rule is used instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput

HORIZON_DAYS = 15
"""Distances to holidays are counted up to this many days; further away they say nothing."""
_FIRST_NOTICE_YEAR = 2000
_LAST_LOOKED_YEAR = 2051


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar features of a range of days.

    Attributes
    ----------
    columns : dict of str to float array, shape (days,)
        ``weekday`` (0 Monday … 6 Sunday), ``day_of_month``, ``day_of_year``; with a country also
        ``holiday`` (0/1), ``rest_day`` (0/1: nobody is expected at work), ``make_up_day`` (0/1, NaN in years whose
        make-up days are unknown), ``rest_days_in_a_row`` and ``rest_position`` (length of the run of rest days around
        the day and its place in it, 0 on working days), ``days_since_holiday``, ``days_to_holiday`` (0…15), and
        ``spring_festival`` (-15…15, NaN further away) where the country keeps it.
    unknown_years : tuple of int
        Years among the days whose make-up working days are not published in the package.
    """

    columns: dict[str, NDArray[np.float64]]
    unknown_years: tuple[int, ...]


def build_calendar(first_day: date, days: int, *, country: str | None = "CN") -> Calendar:
    """Return the calendar features of ``days`` days from ``first_day``.

    Parameters
    ----------
    first_day : date
        Day 0.
    days : int
        Number of days.
    country : str or None
        ISO 3166 code with an optional subdivision (``CN``, ``US-IL``); ``None`` leaves holidays out.

    Raises
    ------
    InvalidInput
        When the country is not known to the ``holidays`` package.
    """
    if country is None:
        return Calendar(_plain_columns(first_day, days), ())
    margin = HORIZON_DAYS + 1
    start = np.datetime64(first_day, "D") - margin
    wide = start + np.arange(days + 2 * margin)
    years = wide.astype("datetime64[Y]").astype(int) + 1970
    holidays, make_up, spring, last_known = _country_days(country, int(years.min()), int(years.max()))
    is_holiday = np.isin(wide, holidays)
    is_make_up = np.isin(wide, make_up)
    weekday = _weekday(wide)
    rest = (is_holiday | (weekday >= 5)) & ~is_make_up
    unknown = years > last_known if last_known is not None else np.zeros(len(wide), dtype=bool)
    run, position = _runs(rest)
    columns = _plain_columns(first_day, days)
    inner = slice(margin, margin + days)
    columns["holiday"] = is_holiday[inner].astype(float)
    columns["rest_day"] = rest[inner].astype(float)
    columns["make_up_day"] = np.where(unknown, np.nan, is_make_up)[inner]
    columns["rest_days_in_a_row"] = run[inner]
    columns["rest_position"] = position[inner]
    columns["days_since_holiday"] = _distance_back(is_holiday)[inner]
    columns["days_to_holiday"] = _distance_back(is_holiday[::-1])[::-1][inner]
    if len(spring):
        columns["spring_festival"] = _signed_distance(wide, spring)[inner]
    return Calendar(columns, tuple(int(year) for year in np.unique(years[inner][unknown[inner]])))


def _plain_columns(first_day: date, days: int) -> dict[str, NDArray[np.float64]]:
    day = np.datetime64(first_day, "D") + np.arange(days)
    month_start = day.astype("datetime64[M]")
    return {
        "weekday": _weekday(day).astype(float),
        "day_of_month": (day - month_start).astype(float) + 1,
        "day_of_year": (day - day.astype("datetime64[Y]")).astype(float) + 1,
    }


def _weekday(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday


@lru_cache(maxsize=32)
def _country_days(country: str, first_year: int, last_year: int) -> tuple[Any, Any, Any, int | None]:
    """Return holidays, make-up days, first days of Spring Festival, and the last year with known make-up days."""
    code, _, subdivision = country.partition("-")
    found = _holiday_days(code.upper(), subdivision or None, first_year - 1, last_year + 1)
    work = sorted(day for day in getattr(found, "weekend_workdays", ()) if first_year <= day.year <= last_year)
    last_known = _last_year_with_make_up_days(code.upper(), subdivision or None)
    days = np.array(sorted(found), dtype="datetime64[D]")
    spring: dict[int, date] = {}
    for day, name in sorted(found.items()):
        if "Spring Festival" in name and "observed" not in name:
            spring.setdefault(day.year, day)
    firsts = np.array(sorted(spring.values()), dtype="datetime64[D]")
    return days, np.array(work, dtype="datetime64[D]"), firsts, last_known


@lru_cache(maxsize=32)
def _last_year_with_make_up_days(code: str, subdivision: str | None) -> int | None:
    """Return the last year with make-up working days; ``None`` for countries that do not have any."""
    found = _holiday_days(code, subdivision, _FIRST_NOTICE_YEAR, _LAST_LOOKED_YEAR)
    return max((day.year for day in getattr(found, "weekend_workdays", ())), default=None)


def _holiday_days(code: str, subdivision: str | None, first_year: int, last_year: int) -> Any:
    """Return the package's holidays of both years and all between."""
    import warnings

    import holidays

    with warnings.catch_warnings():
        # The package warns of years outside its tables; those simply have no holidays here.
        warnings.simplefilter("ignore")
        try:
            years = range(first_year, last_year + 1)
            return holidays.country_holidays(code, subdiv=subdivision, years=years, language="en_US")
        except (NotImplementedError, KeyError) as error:
            name = f"{code}-{subdivision}" if subdivision else code
            raise InvalidInput.at(
                "/country", f"no holiday calendar for {name!r}", f"没有 {name!r} 的节假日历"
            ) from error


def _runs(rest: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each day the length of its run of rest days and its place in the run, counted from 1."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], rest.astype(np.int8), [0]))))
    length, position = np.zeros(len(rest)), np.zeros(len(rest))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        length[start:end] = end - start
        position[start:end] = np.arange(1, end - start + 1)
    return length, position


def _distance_back(marked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the days since the last marked day, today included, at most ``HORIZON_DAYS``."""
    index = np.arange(len(marked))
    last = np.maximum.accumulate(np.where(marked, index, -HORIZON_DAYS - 1))
    return np.minimum(index - last, HORIZON_DAYS).astype(float)


def _signed_distance(days: NDArray[np.datetime64], firsts: NDArray[np.datetime64]) -> NDArray[np.float64]:
    gap = (days[:, None] - firsts[None, :]).astype(np.int64)
    nearest = gap[np.arange(len(days)), np.abs(gap).argmin(axis=1)].astype(float)
    return np.where(np.abs(nearest) <= HORIZON_DAYS, nearest, np.nan)
