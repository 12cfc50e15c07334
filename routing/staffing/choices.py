"""The staffing problem in whole minutes, and the choices that can help: a person, a day, and where to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.places import EARTH_RADIUS_M, Location
from routing.staffing.problem import Person, ReallocationProblem, WorkByDay, hours_on, work_on
from routing.staffing.work import ANYBODY, Row, able_min, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MINUTES = 60
MANY_PERSON_DAYS = 5_000
NEAREST, NEAREST_OF_MANY = 10, 5
"""To how many of the nearest regions in need a person may go on a day; fewer where there are many people."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One person in another region on one day.

    Attributes
    ----------
    minutes, home_minutes : int
        Working time there, and that which home loses.
    way_min : float
        One way.
    price : int
        Minutes that the day costs: the way there and back, and fairness.
    start_price : int
        Minutes that it costs besides when it begins a move.
    """

    person: int
    day: int
    region: int
    minutes: int
    home_minutes: int
    way_min: float
    price: int
    start_price: int


@dataclass(frozen=True, slots=True)
class Place:
    """A region on a day.

    Attributes
    ----------
    work, required : mapping of int to int
        Minutes by kind of work: the bit of a skill, 0 for work that anybody can do.
    rows, required_rows : tuple of Row
        The sets of kinds of work that decide what stays undone.
    own : mapping of int to int
        Minutes of the region's own people by their set of skills, while nobody is lent.
    present : int
        Own people at work.
    """

    work: Mapping[int, int]
    required: Mapping[int, int]
    rows: tuple[Row, ...]
    required_rows: tuple[Row, ...]
    own: Mapping[int, int]
    present: int


class Staffing:
    """A problem in minutes, positions and bits.

    Attributes
    ----------
    skills : tuple of str
        Their places are the bits of a set of skills.
    masks, homes : list of int
        Set of skills and home region of each person.
    places : list of list of Place
        By region and day.
    ways_min : float array, shape (people, regions)
        One way from where a person sets out.
    required_extra : int
        By how many minutes a minute of required work counts more than another.
    """

    def __init__(self, problem: ReallocationProblem) -> None:
        self.problem = problem
        named = {skill for region in problem.regions for skill in _named(region.work_h, region.required_h)} - {""}
        self.skills = tuple(sorted(named))
        self._bit = {skill: 1 << place for place, skill in enumerate(self.skills)} | {"": ANYBODY}
        region_at = {region.id: place for place, region in enumerate(problem.regions)}
        self.region_at = region_at
        self.homes = [region_at[person.region_id] for person in problem.people]
        self.masks = [sum(self._bit.get(skill, 0) for skill in person.skills) for person in problem.people]
        self.days = range(len(problem.days))
        self.at_home: list[list[int]] = [[] for _ in problem.regions]
        for person, home in enumerate(self.homes):
            self.at_home[home].append(person)
        self.open_min = [
            [round(hours_on(region.open_h, day) * MINUTES) for day in self.days] for region in problem.regions
        ]
        self.places = [[self._place(region, day) for day in self.days] for region in range(len(problem.regions))]
        self.ways_min = _ways_min(problem)
        self.required_extra = round(problem.rules.required_weight - 1)

    def skill_of(self, kind: int) -> str:
        """Return the name of a kind of work; empty for work that anybody can do."""
        return self.skills[kind.bit_length() - 1] if kind else ""

    def shift_min(self, person: int, day: int) -> int:
        """Return the minutes that a person works on a day, wherever."""
        return round(hours_on(self.problem.people[person].hours, day) * MINUTES)

    def home_min(self, person: int, day: int) -> int:
        """Return the minutes that a person who is not lent works on a day."""
        return min(self.shift_min(person, day), self.open_min[self.homes[person]][day])

    def _place(self, region: int, day: int) -> Place:
        asked = self.problem.regions[region]
        work, required = self._minutes(work_on(asked.work_h, day)), self._minutes(work_on(asked.required_h, day))
        for kind, minutes in required.items():
            work[kind] = max(work.get(kind, 0), minutes)
        own: dict[int, int] = defaultdict(int)
        present = 0
        for person in self.at_home[region]:
            if self.shift_min(person, day):
                present += 1
                own[self.masks[person]] += self.home_min(person, day)
        return Place(work, required, rows_of(work), rows_of(required), dict(own), present)

    def _minutes(self, work: Mapping[str, float]) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for skill, hours in work.items():
            if round(hours * MINUTES):
                found[self._bit[skill]] += round(hours * MINUTES)
        return dict(found)

    def choice(self, person: int, day: int, region: int) -> Choice | None:
        """Return a choice with its price whatever rules it breaks; None where no time is left after the way."""
        rules, asked = self.problem.rules, self.problem.people[person]
        way = float(self.ways_min[person, region])
        minutes = min(math.floor(self.shift_min(person, day) - 2 * way), self.open_min[region][day])
        if minutes <= 0 or region == self.homes[person]:
            return None
        wished = self.problem.regions[region].id in asked.wished_regions or day in asked.wished_days
        bonus = rules.wish_bonus_h if wished else 0.0
        price = round(2 * way + rules.fairness_cost_h * MINUTES * asked.lent_days)
        start_price = max(1, round((rules.move_cost_h - bonus) * MINUTES))
        return Choice(person, day, region, minutes, self.home_min(person, day), way, price, start_price)

    def spare(self, region: int, day: int) -> int:
        """Return how many of those at work may leave."""
        return max(0, self.places[region][day].present - self.problem.regions[region].minimum_staff)


def _named(*works: WorkByDay) -> Iterator[str]:
    for work in works:
        for part in work if isinstance(work, tuple) else (work,):
            yield from part


def _ways_min(problem: ReallocationProblem) -> NDArray[np.float64]:
    import numpy as np

    centre = {region.id: region.location for region in problem.regions}
    starts = _radians([person.location or centre[person.region_id] for person in problem.people])
    ends = _radians([region.location for region in problem.regions])
    half = np.sin((ends[None] - starts[:, None]) / 2) ** 2
    inner = half[..., 0] + np.cos(starts[:, None, 0]) * np.cos(ends[None, :, 0]) * half[..., 1]
    metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(inner, 0.0, 1.0)))
    rules = problem.rules
    ways: NDArray[np.float64] = metres * rules.detour_factor / 1000 / rules.speed_kmh * 60
    return ways


def _radians(places: list[Location]) -> NDArray[np.float64]:
    import numpy as np

    degrees = np.array([(place.latitude, place.longitude) for place in places], dtype=np.float64).reshape(-1, 2)
    return np.radians(degrees)


def choices_of(staffing: Staffing) -> list[Choice]:
    """Return the choices that keep every rule of their own and can do work that nobody does at home.

    For each person and day the nearest regions in need that can be reached in time, and those that the person wishes
    for. How many may leave, how often and for how long is left to the program.
    """
    import numpy as np

    problem = staffing.problem
    many = len(problem.people) * len(staffing.days) > MANY_PERSON_DAYS
    most = NEAREST_OF_MANY if many else NEAREST
    gains = _Gains(staffing)
    found: list[Choice] = []
    for person, asked in enumerate(problem.people):
        if asked.moves_left == 0 or asked.days_left == 0:
            continue
        ways = staffing.ways_min[person]
        near = np.flatnonzero(ways <= problem.rules.longest_way_min)
        near = near[np.argsort(ways[near], kind="stable")]
        targets = [int(region) for region in near if _agreed(staffing, asked, int(region))]
        for day in staffing.days:
            if day not in asked.refused_days and staffing.spare(staffing.homes[person], day):
                found += _nearest(staffing, gains, (person, day), targets=targets, most=most)
    return found


def _agreed(staffing: Staffing, person: Person, region: int) -> bool:
    name = staffing.problem.regions[region].id
    return name != person.region_id and name not in person.refused_regions


def _nearest(
    staffing: Staffing, gains: _Gains, who: tuple[int, int], *, targets: list[int], most: int
) -> Iterator[Choice]:
    person, day = who
    wished, mask = staffing.problem.people[person].wished_regions, staffing.masks[person]
    taken = 0
    for region in targets:
        if taken >= most and not wished:
            return
        any_work, required = gains.gain(region, day, mask)
        if any_work == 0 or (taken >= most and staffing.problem.regions[region].id not in wished):
            continue
        choice = staffing.choice(person, day, region)
        if choice is None:
            continue
        extra = staffing.required_extra * min(choice.minutes, required)
        if min(choice.minutes, any_work) + extra > choice.price:
            taken += 1
            yield choice


class _Gains:
    """The most minutes of undone work that people with some skills could do in a place."""

    def __init__(self, staffing: Staffing) -> None:
        self.staffing = staffing
        self._gain: dict[tuple[int, int, int], tuple[int, int]] = {}

    def gain(self, region: int, day: int, mask: int) -> tuple[int, int]:
        """Return the minutes of any kind of work, and those of required work."""
        known = self._gain.get((region, day, mask))
        if known is None:
            place = self.staffing.places[region][day]
            known = (_surplus(place.rows, place.own, mask), _surplus(place.required_rows, place.own, mask))
            self._gain[region, day, mask] = known
        return known


def _surplus(rows: tuple[Row, ...], own: Mapping[int, int], mask: int) -> int:
    return max((0, *(row.minutes - able_min(row, own) for row in rows if row.holds(mask))))
