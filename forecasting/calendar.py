"""What is known of a day: weekday, season, public holidays, make-up working days (调休), festivals, campus terms.

Holidays and make-up days come from the ``holidays`` package (see `forecasting.calendar_days`). A notice appears only in
November of the year before, so the make-up days of later years are unknown; they are reported as unknown and the plain
weekday rule is used instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from forecasting.calendar_days import CountryDays, country_days, name_of_run, run_edges, split_country
from forecasting.calendar_seasons import CHINESE_FESTIVALS, AcademicYear, campus_columns, festival_columns

HORIZON_DAYS = 15
"""Distances to holidays are counted up to this many days; further away they say nothing."""
SPRING_DAYS = 25
"""Distance up to which the Spring Festival is counted: travel, closing shops and vacations begin weeks before it."""
NEAR_DAYS = 7
"""A holiday that begins or ended within this many days gives a day its ``near_holiday``."""
_MARGIN_DAYS = 2 * HORIZON_DAYS + 2  # a day's columns must not depend on where the asked range begins or ends

Columns = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar features of a range of days.

    Attributes
    ----------
    columns : dict of str to float array, shape (days,)
        Always ``weekday`` (0 Monday … 6 Sunday), ``day_of_month``, ``day_of_year``. With a country also

        - ``holiday`` (0/1), ``rest_day`` (0/1: nobody is expected at work), ``make_up_day`` (0/1: a weekend day that is
          worked; NaN where that is not published yet);
        - ``rest_days_in_a_row`` and ``rest_position``: length of the run of rest days around the day and its place in
          it, 0 on working days;
        - ``days_since_holiday``, ``days_to_holiday`` (0…15), and ``last_holiday_length``, ``next_holiday_length``: rest
          days of the run with a holiday in it that ends before or begins after the day within 15 days (the day's own
          run when it lies in one), 0 where there is none: they tell the days around a long holiday from those around a
          short one;
        - ``holiday_name`` and ``near_holiday``: number of the holiday's name (`calendar_days.holiday_names`) for each
          day of its run of rest days, and also for the 7 days before and after it (the nearer one; of equals the one
          to come); 0 for none;
        - ``spring_festival`` (-25…25, NaN further away) where the lunar new year is a holiday.

        With China also ``days_from_618``, ``days_from_double_11`` (signed days from the peak; NaN outside the season),
        ``shopping_festival`` (0/1), ``campus_vacation`` (0/1), ``campus_exams`` (0/1) and ``campus_term_day`` (1…28,
        later days are 28, vacations 0).
    unknown_years : tuple of int
        Years among the days whose make-up working days are not published in the package.
    """

    columns: Columns
    unknown_years: tuple[int, ...]


def build_calendar(
    first_day: date, days: int, *, country: str | None = "CN", academic: AcademicYear | None = None
) -> Calendar:
    """Return the calendar features of ``days`` days from ``first_day``.

    Parameters
    ----------
    first_day : date
        Day 0.
    days : int
        Number of days.
    country : str or None
        ISO 3166 code with an optional subdivision (``CN``, ``US-IL``); ``None`` leaves holidays out.
    academic : AcademicYear, optional
        The campus calendar for China; by default the usual one of Chinese universities.

    Raises
    ------
    InvalidInput
        When the country is not known to the ``holidays`` package.
    """
    if country is None:
        return Calendar(_plain_columns(first_day, days), ())
    wide = np.datetime64(first_day, "D") - _MARGIN_DAYS + np.arange(days + 2 * _MARGIN_DAYS)
    years = wide.astype("datetime64[Y]").astype(int) + 1970
    known = country_days(country, int(years.min()), int(years.max()))
    found = _holiday_columns(wide, known)
    if len(known.spring):
        found["spring_festival"] = _signed_distance(wide, known.spring)
    if split_country(country)[0] in ("CN", "CHN"):
        found.update(festival_columns(wide, CHINESE_FESTIVALS))
        found.update(campus_columns(wide, known.spring, academic or AcademicYear()))
    inner = slice(_MARGIN_DAYS, _MARGIN_DAYS + days)
    columns = _plain_columns(first_day, days)
    columns.update({name: values[inner] for name, values in found.items()})
    unknown = () if known.last_known is None else np.unique(years[inner][years[inner] > known.last_known])
    return Calendar(columns, tuple(int(year) for year in unknown))


def _plain_columns(first_day: date, days: int) -> Columns:
    day = np.datetime64(first_day, "D") + np.arange(days)
    month_start = day.astype("datetime64[M]")
    return {
        "weekday": _weekday(day).astype(float),
        "day_of_month": (day - month_start).astype(float) + 1,
        "day_of_year": (day - day.astype("datetime64[Y]")).astype(float) + 1,
    }


def _holiday_columns(days: NDArray[np.datetime64], known: CountryDays) -> Columns:
    is_holiday = np.isin(days, known.holidays)
    is_make_up = np.isin(days, known.make_up)
    rest = rest_days(days, known)
    run, position = _runs(rest)
    spans, names = _holiday_spans(days, rest, known)
    before, after = _neighbour_spans(len(days), spans)
    lengths = np.array([end - start for start, end in spans] + [0], dtype=float)
    return {
        "holiday": is_holiday.astype(float),
        "rest_day": rest.astype(float),
        "make_up_day": np.where(known.unpublished(days), np.nan, is_make_up),
        "rest_days_in_a_row": run,
        "rest_position": position,
        "days_since_holiday": _distance_back(is_holiday),
        "days_to_holiday": _distance_back(is_holiday[::-1])[::-1],
        "last_holiday_length": lengths[np.where(before[1] <= HORIZON_DAYS, before[0], -1)],
        "next_holiday_length": lengths[np.where(after[1] <= HORIZON_DAYS, after[0], -1)],
        **_name_columns(names, before, after),
    }


def rest_days(days: NDArray[np.datetime64], known: CountryDays) -> NDArray[np.bool_]:
    """Return for each day whether nobody is expected at work: weekends and holidays, but not make-up days."""
    off: NDArray[np.bool_] = np.isin(days, known.holidays) | (_weekday(days) >= 5)
    return off & ~np.isin(days, known.make_up)


def _weekday(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday


def _runs(rest: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each day the length of its run of rest days and its place in the run, counted from 1."""
    length, position = np.zeros(len(rest)), np.zeros(len(rest))
    for start, end in run_edges(rest):
        length[start:end] = end - start
        position[start:end] = np.arange(1, end - start + 1)
    return length, position


def _holiday_spans(
    days: NDArray[np.datetime64], rest: NDArray[np.bool_], known: CountryDays
) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Return the runs of rest days that have a holiday in them, and the number of each one's name."""
    place = np.searchsorted(known.holidays, days)
    place = np.minimum(place, max(0, len(known.holidays) - 1))
    spans, names = [], []
    for start, end in run_edges(rest):
        inside = place[start:end][np.isin(days[start:end], known.holidays)]
        if len(inside):
            spans.append((start, end))
            names.append(name_of_run(known.codes[inside]))
    return spans, np.array([*names, 0], dtype=np.int64)


_Neighbour = tuple[NDArray[np.int64], NDArray[np.int64]]


def _neighbour_spans(days: int, spans: list[tuple[int, int]]) -> tuple[_Neighbour, _Neighbour]:
    """Return for each day the last and the next span, its own being both, and how many days away each is.

    Where there is none its number is -1 and it lies beyond all horizons.
    """
    index = np.arange(days)
    starts = np.array([start for start, _ in spans], dtype=np.int64)
    lasts = np.array([end - 1 for _, end in spans], dtype=np.int64)
    if not spans:
        nowhere = (np.full(days, -1), np.full(days, days + HORIZON_DAYS))
        return nowhere, nowhere
    last = np.searchsorted(starts, index, side="right") - 1
    coming = np.searchsorted(lasts, index, side="left")
    far = days + HORIZON_DAYS
    since = np.where(last >= 0, np.maximum(index - lasts[last], 0), far)
    until = np.where(coming < len(spans), np.maximum(starts[np.minimum(coming, len(spans) - 1)] - index, 0), far)
    return (last, since), (np.where(coming < len(spans), coming, -1), until)


def _name_columns(names: NDArray[np.int64], before: _Neighbour, after: _Neighbour) -> Columns:
    nearer = np.where(after[1] <= before[1], after[0], before[0])
    distance = np.minimum(after[1], before[1])
    return {
        "holiday_name": np.where(distance == 0, names[nearer], 0).astype(float),
        "near_holiday": np.where(distance <= NEAR_DAYS, names[nearer], 0).astype(float),
    }


def _distance_back(marked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the days since the last marked day, today included, at most ``HORIZON_DAYS``."""
    index = np.arange(len(marked))
    last = np.maximum.accumulate(np.where(marked, index, -HORIZON_DAYS - 1))
    return np.minimum(index - last, HORIZON_DAYS).astype(float)


def _signed_distance(days: NDArray[np.datetime64], firsts: NDArray[np.datetime64]) -> NDArray[np.float64]:
    gap = (days[:, None] - firsts[None, :]).astype(np.int64)
    nearest = gap[np.arange(len(days)), np.abs(gap).argmin(axis=1)].astype(float)
    return np.where(np.abs(nearest) <= SPRING_DAYS, nearest, np.nan)
