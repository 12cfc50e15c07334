"""Seasons that are no public holidays: shopping festivals, and the terms, exams and vacations of a campus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput

Days = NDArray[np.datetime64]
Columns = dict[str, NDArray[np.float64]]

AFTER_FESTIVAL_DAYS = 7
"""What was bought at a festival is not bought right after it: distances are counted this far beyond its peak."""
TERM_DAYS = 28
"""Days of a term are counted up to this one; later ones are alike."""


@dataclass(frozen=True, slots=True)
class ShoppingFestival:
    """A yearly shopping festival; each date is a month and a day.

    Attributes
    ----------
    name : str
        Name of its column.
    starts, peak, ends : tuple of int
        First day of the promotions, the day that gives it its name, last day.
    """

    name: str
    starts: tuple[int, int]
    peak: tuple[int, int]
    ends: tuple[int, int]


CHINESE_FESTIVALS = (
    ShoppingFestival("618", (6, 1), (6, 18), (6, 20)),
    ShoppingFestival("double_11", (10, 20), (11, 11), (11, 11)),
)
"""618 runs from 1 to 20 June; the presale of Double 11 has begun about 20 October since 2021."""


@dataclass(frozen=True, slots=True)
class AcademicYear:
    """When a campus teaches, examines and is empty.

    There are no national dates. The defaults follow what Chinese universities publish: two terms of about 20 weeks
    with their exams, the autumn term from the week of 1 September to mid-January (Harbin Institute of Technology 2025:
    1 September to 11 January), about five weeks of vacation around the Spring Festival, the spring term from the end of
    February to early July. A campus that matters deserves its own dates in ``vacations``.

    Attributes
    ----------
    autumn_starts : tuple of int
        Month and day; the term starts on the nearest Monday.
    autumn_weeks : int
        Weeks from there to the winter vacation.
    free_before_festival_days : int
        The winter vacation starts at least this many days before the Spring Festival.
    spring_after_festival_days : int
        The spring term starts on the Monday nearest to this many days after the Spring Festival.
    summer_starts : tuple of int
        Month and day; the summer vacation starts on the nearest Monday and ends when autumn starts.
    exam_days : int
        Days of exams before each vacation.
    vacations : tuple of (date, date)
        Known first and last days of vacations; each takes the place of the assumed one that it overlaps.
    """

    autumn_starts: tuple[int, int] = (9, 1)
    autumn_weeks: int = 20
    free_before_festival_days: int = 10
    spring_after_festival_days: int = 18
    summer_starts: tuple[int, int] = (7, 7)
    exam_days: int = 14
    vacations: tuple[tuple[date, date], ...] = ()

    def __post_init__(self) -> None:
        for position, (first, last) in enumerate(self.vacations):
            if last < first:
                raise InvalidInput.at(f"/vacations/{position}", "ends before it starts", "结束早于开始")

    def vacations_of(self, festivals: Sequence[date]) -> list[tuple[date, date]]:
        """Return first and last day of the vacations of the years whose Spring Festival is given, sorted."""
        assumed = []
        for festival in festivals:
            begin = _monday_near(festival.year - 1, self.autumn_starts) + timedelta(weeks=self.autumn_weeks)
            begin = min(begin, festival - timedelta(days=self.free_before_festival_days))
            spring = _nearest_monday(festival + timedelta(days=self.spring_after_festival_days))
            assumed.append((begin, spring - timedelta(days=1)))
            autumn = _monday_near(festival.year, self.autumn_starts)
            assumed.append((_monday_near(festival.year, self.summer_starts), autumn - timedelta(days=1)))
        kept = [
            (first, last)
            for first, last in assumed
            if not any(begin <= last and first <= end for begin, end in self.vacations)
        ]
        return sorted([*kept, *self.vacations])


def festival_columns(days: Days, festivals: Sequence[ShoppingFestival]) -> Columns:
    """Return for each festival the signed days from its peak, and whether any festival is on.

    Distances run from the festival's first day to a week after its peak, NaN further away.
    """
    columns: Columns = {}
    on = np.zeros(len(days), dtype=bool)
    years = np.unique(days.astype("datetime64[Y]").astype(int) + 1970)
    for festival in festivals:
        distance = np.full(len(days), np.nan)
        for year in years:
            start, peak, end = (
                np.datetime64(date(int(year), *day)) for day in (festival.starts, festival.peak, festival.ends)
            )
            near = (days >= start) & (days <= max(end, peak + AFTER_FESTIVAL_DAYS))
            distance[near] = (days[near] - peak).astype(float)
            on |= (days >= start) & (days <= end)
        columns[f"days_from_{festival.name}"] = distance
    columns["shopping_festival"] = on.astype(float)
    return columns


def campus_columns(days: Days, spring: Days, academic: AcademicYear) -> Columns:
    """Return whether the campus has vacation, whether it has exams, and the day of the term.

    Parameters
    ----------
    days : datetime64 array
        Unbroken days.
    spring : datetime64 array
        First days of the Spring Festival of all their years and one year around them.
    academic : AcademicYear
        The campus.
    """
    vacation, exams = np.zeros(len(days)), np.zeros(len(days))
    term_day = np.full(len(days), float(TERM_DAYS))
    vacations = academic.vacations_of([day.item() for day in spring])
    for first, last in vacations:
        begin, end = np.datetime64(first), np.datetime64(last)
        exams[(days >= begin - academic.exam_days) & (days < begin)] = 1.0
        fresh = (days > end) & (days <= end + TERM_DAYS)
        term_day[fresh] = (days[fresh] - end).astype(float)
    for first, last in vacations:
        free = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
        vacation[free], exams[free], term_day[free] = 1.0, 0.0, 0.0
    return {"campus_vacation": vacation, "campus_exams": exams, "campus_term_day": term_day}


def _monday_near(year: int, month_day: tuple[int, int]) -> date:
    return _nearest_monday(date(year, *month_day))


def _nearest_monday(day: date) -> date:
    return day + timedelta(days=(3 - day.weekday()) % 7 - 3)
