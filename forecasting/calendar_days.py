"""Public holidays and make-up working days of a country, as the ``holidays`` package has them.

The package is MIT-licensed; for China it follows the yearly notices of the State Council.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text

Days = NDArray[np.datetime64]

GIVEN_UP_AFTER_YEARS = 3
"""A country whose newest make-up days are this many years older than China's no longer has any (Bulgaria, Ukraine)."""
NEXT_NOTICE_FROM = (12, 25)
"""Working days before New Year's Day stand in the notice of the year that follows (29 December 2018)."""
_LOOKED_YEARS = (2000, 2051)
_LEAST_YEARS = 5
_OBSERVED = re.compile(r"\s*\((?:observed|estimated|observed, estimated)\)$")
_EXCHANGED = re.compile(r"substituted from (\d\d)/(\d\d)/(\d{4})")
_NEW_YEAR = ("Chinese New Year", "Lunar New Year", "Korean New Year")


@dataclass(frozen=True, slots=True)
class CountryDays:
    """What the package knows of some years of a country.

    Attributes
    ----------
    holidays : datetime64 array
        Days off by law and those exchanged for a worked weekend day, sorted.
    codes : int array
        For each of ``holidays`` the number of its name (see :func:`holiday_names`); 0 for days that have no name of
        their own.
    make_up : datetime64 array
        Weekend days on which people work.
    spring : datetime64 array
        First day of the lunar year, where it is a holiday.
    last_known : int or None
        Last year whose make-up days are published in the package; ``None`` where there are none to publish.
    """

    holidays: Days
    codes: NDArray[np.int64]
    make_up: Days
    spring: Days
    last_known: int | None

    def unpublished(self, days: Days) -> NDArray[np.bool_]:
        """Return for each of ``days`` whether the notice with its make-up days is not in the package."""
        if self.last_known is None:
            return np.zeros(len(days), dtype=bool)
        month, day = NEXT_NOTICE_FROM
        unknown: NDArray[np.bool_] = days >= np.datetime64(date(self.last_known, month, day))
        return unknown


@lru_cache(maxsize=32)
def country_days(country: str, first_year: int, last_year: int) -> CountryDays:
    """Return the days of ``country`` from ``first_year`` to ``last_year`` and one year around them.

    Raises
    ------
    InvalidInput
        When the package does not know the country or its subdivision.
    """
    code, subdivision = split_country(country)
    found = load_days(code, subdivision, (first_year - 1, last_year + 1))
    days = sorted(found)
    names = {name.en: number for number, name in enumerate(holiday_names(country))}
    work = sorted(day for day in getattr(found, "weekend_workdays", ()) if first_year - 1 <= day.year <= last_year + 1)
    return CountryDays(
        np.array(days, dtype="datetime64[D]"),
        np.array([_code(found[day], names) for day in days], dtype=np.int64),
        np.array(work, dtype="datetime64[D]"),
        np.array(_lunar_years(found), dtype="datetime64[D]"),
        _last_year_with_make_up_days(code, subdivision),
    )


@lru_cache(maxsize=32)
def holiday_names(country: str) -> tuple[Text, ...]:
    """Return the names that the numbers of holidays stand for: 0 none, last any rare one, between them by season.

    The list does not depend on the days that are asked for, so a model finds the same numbers again. Chinese names
    are there where the package has them; elsewhere the English one stands in both languages.
    """
    code, subdivision = split_country(country)
    english = load_days(code, subdivision, _LOOKED_YEARS)
    chinese = load_days(code, subdivision, _LOOKED_YEARS, language="zh_CN")
    seasons: dict[str, list[int]] = {}
    translated: dict[str, str] = {}
    for day, name in english.items():
        own = list(_own_names(name))
        for each in own:
            seasons.setdefault(each, []).append(day.timetuple().tm_yday)
        if len(own) == 1 and own[0] == name:
            translated.setdefault(name, chinese.get(day) or name)
    usual = [name for name, days in seasons.items() if len(days) >= _LEAST_YEARS]
    usual.sort(key=lambda name: (median(seasons[name]), name))
    named = [Text(name, translated.get(name, name)) for name in usual]
    return (Text("no holiday", "非节假日"), *named, Text("special holiday", "特别假日"))


def exchanged_days(country: str, year: int) -> dict[date, date]:
    """Return the days off of a year that were exchanged, each with the weekend day that is worked for it."""
    code, subdivision = split_country(country)
    exchanged = {}
    for day, name in load_days(code, subdivision, (year - 1, year + 1)).items():
        match = _EXCHANGED.search(name)
        if match:
            exchanged[day] = date(int(match[3]), int(match[1]), int(match[2]))
    return exchanged


def run_edges(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first position of each unbroken run of marked days, and the position after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def name_of_run(codes: NDArray[np.int64]) -> int:
    """Return the number of the name that most days of one run of days off carry; of equals the first."""
    named = [int(code) for code in codes if code > 0]
    return Counter(named).most_common(1)[0][0] if named else 0


def split_country(country: str) -> tuple[str, str | None]:
    """Return the country's code in capitals, and its subdivision if one is named."""
    code, _, subdivision = country.partition("-")
    return code.upper(), subdivision or None


def load_days(code: str, subdivision: str | None, years: tuple[int, int], *, language: str = "en_US") -> Any:
    """Return the package's holidays of both years and all between: a mapping of days to names.

    Raises
    ------
    InvalidInput
        When the package does not know the country or its subdivision.
    """
    import warnings

    import holidays

    with warnings.catch_warnings():
        # The package warns of years outside its tables; those simply have no holidays here.
        warnings.simplefilter("ignore")
        try:
            wanted = range(years[0], years[1] + 1)
            return holidays.country_holidays(code, subdiv=subdivision, years=wanted, language=language)
        except (NotImplementedError, KeyError) as error:
            name = f"{code}-{subdivision}" if subdivision else code
            raise InvalidInput.at(
                "/country", f"no holiday calendar for {name!r}", f"没有 {name!r} 的节假日历"
            ) from error


def _own_names(name: str) -> Iterator[str]:
    """Return the names of the holidays on one day; a day off in exchange has none."""
    for part in name.split("; "):
        own = _OBSERVED.sub("", part)
        if not _EXCHANGED.search(own):
            yield own


def _code(name: str, names: dict[str, int]) -> int:
    own = list(_own_names(name))
    return names.get(own[0], len(names) - 1) if own else 0


def _lunar_years(found: Any) -> list[date]:
    """Return the first days of the lunar years among the holidays; New Year's Eve is not one."""
    firsts: dict[int, date] = {}
    for day, name in sorted(found.items()):
        parts = [part for part in name.split("; ") if part.startswith(_NEW_YEAR)]
        if any("Eve" not in part and "observed" not in part for part in parts):
            firsts.setdefault(day.year, day)
    # A country may keep the lunar new year on later days of the year too; less than 300 days apart it is the same one.
    days = sorted(firsts.values())
    return days[:1] + [later for earlier, later in pairwise(days) if (later - earlier).days > 300]


@lru_cache(maxsize=32)
def _last_year_with_make_up_days(code: str, subdivision: str | None) -> int | None:
    """Return the last year with make-up working days; ``None`` for countries that do not have any, or no longer."""
    found = load_days(code, subdivision, _LOOKED_YEARS)
    last = max((day.year for day in getattr(found, "weekend_workdays", ())), default=None)
    if last is None or code in ("CN", "CHN"):
        return last
    newest = _last_year_with_make_up_days("CN", None)
    return None if newest is not None and newest - last >= GIVEN_UP_AFTER_YEARS else last
