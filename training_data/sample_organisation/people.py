"""The people, the days on which the reps are at work, and how many visits the regions plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.days import Days
from training_data.sample_organisation.geography import DISTRICTS, Place, read_rows, scatter

SHIFT_START_S, SHIFT_END_S = 9 * 3600, 18 * 3600
VISITS_A_REP_DAY = {"jinjiang": 13.5, "qingyang": 12.0, "jinniu": 12.8, "wuhou": 13.0, "chenghua": 11.6}
"""Planned visits of a rep and day, strangers included; the target of the domain is 15."""
SUNDAYS_OFF = {"jinjiang": 4, "qingyang": 5, "jinniu": 4, "wuhou": 6, "chenghua": 5}
"""How many of a region's eight reps have their day off on Sunday; where malls count, fewer."""
EVENT_PLANNING = {"fair": 1.3, "promotion": 1.15, "opening": 1.25, "community_day": 1.2, "term_start": 1.15}


def make_people(places: list[Place], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return everybody as rows of the table ``person`` with ``skills``; reps have a home in their region."""
    rows = []
    for row in read_rows("people.csv"):
        region = row["region"] or None
        homes = [place for place in places if place.region == region and place.estates]
        home = scatter(homes[int(rng.integers(len(homes)))], rng) if row["role"] == "rep" else (None, None)
        rows.append(
            {
                "code": row["code"],
                "name": row["name"],
                "role": row["role"],
                "region_code": region,
                "language": row["language"],
                "home_latitude": home[0],
                "home_longitude": home[1],
                "shift_start_s": SHIFT_START_S,
                "shift_end_s": SHIFT_END_S,
                "max_visits": int(row["max_visits"]),
                "active": True,
                "skills": tuple(row["skills"].split()),
            }
        )
    return rows


def roster(days: Days, reps: list[dict[str, Any]], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return who works when, shape (reps, days).

    Some reps have Sundays off, the others a weekday, so that stands are staffed on Sundays too. On public holidays
    half of them work, at Spring Festival nobody; make-up days are worked by all. Everybody takes leave.
    """
    count = len(days.days)
    at_work = np.ones((len(reps), count), dtype=bool)
    places_in_region = _count_up(rep["region_code"] for rep in reps)
    for number, (rep, place) in enumerate(zip(reps, places_in_region, strict=True)):
        sundays_off = SUNDAYS_OFF[rep["region_code"]]
        day_off = 6 if place < sundays_off else place - sundays_off
        at_work[number, (days.weekday == day_off) & ~days.make_up] = False
        at_work[number, days.holiday & ((days.holiday_day + number) % 2 == 0)] = False
        for first in rng.choice(count, size=3, replace=False):
            at_work[number, first : first + int(rng.integers(2, 7))] = False
    at_work &= rng.random(at_work.shape) > 0.015
    at_work[:, (days.to_festival <= 1) & (days.to_festival >= -2)] = False
    return at_work


def _count_up(regions: Iterable[str]) -> list[int]:
    """Return for each element how many equal ones came before it."""
    seen: Counter[str] = Counter()
    places = []
    for region in regions:
        places.append(seen[region])
        seen[region] += 1
    return places


def plan_visits(
    days: Days,
    reps: list[dict[str, Any]],
    at_work: NDArray[np.bool_],
    events: list[dict[str, Any]],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the planned visits, shape (regions, days); the future is planned in the same way as the past was."""
    planned = np.empty((len(DISTRICTS), len(days.days)))
    for row, district in enumerate(DISTRICTS):
        own = np.array([rep["region_code"] == district.code for rep in reps])
        planned[row] = at_work[own].sum(axis=0) * VISITS_A_REP_DAY[district.code]
        for event in events:
            if event["region_code"] in (None, district.code):
                first, last = max(days.index(event["starts_on"]), 0), days.index(event["ends_on"]) + 1
                planned[row, first:last] *= EVENT_PLANNING.get(event["kind"], 1.0)
    planned[:, days.weekday == 5] *= 1.1
    planned *= rng.lognormal(0.0, 0.08, planned.shape)
    return np.rint(planned).astype(np.int64)


def make_planned_activity(days: Days, planned_visits: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return rows of the table ``planned_activity``."""
    return [
        {"region_code": district.code, "day": day, "planned_visits": int(planned_visits[row, column])}
        for row, district in enumerate(DISTRICTS)
        for column, day in enumerate(days.days)
    ]
