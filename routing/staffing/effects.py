"""What each move does: work covered there, work left at home, and who covers for the one who is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from common.places import great_circle_m
from routing.staffing.choices import Choice, Staffing
from routing.staffing.work import undone_by_kind

PlaceDay = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Step:
    """One choice with what it changes, after all choices before it.

    Attributes
    ----------
    kind : int
        The kind of work of which it does most: the bit of a skill, 0 for work that anybody can do.
    there, at_home : tuple of int
        Minutes undone before and after it.
    cover : int or None
        Who covers at home; None where nobody is left there.
    begins : bool
        Whether it begins a move; otherwise it goes on with that of the working day before.
    """

    choice: Choice
    kind: int
    there: tuple[int, int]
    at_home: tuple[int, int]
    cover: int | None
    begins: bool


class DayBooks:
    """Who is where, and what stays undone there, by region and day."""

    def __init__(self, staffing: Staffing) -> None:
        self.staffing = staffing
        self._changed: dict[PlaceDay, dict[int, int]] = {}

    def capacity(self, place: PlaceDay) -> dict[int, int]:
        """Return the minutes of the people who are there, by set of skills."""
        return self._changed.get(place) or dict(self.staffing.places[place[0]][place[1]].own)

    def undone(self, place: PlaceDay) -> dict[int, int]:
        """Return the minutes undone by kind of work."""
        return undone_by_kind(self.staffing.places[place[0]][place[1]].work, self.capacity(place))

    def required_undone(self, place: PlaceDay) -> int:
        """Return the minutes of required work that cannot be done."""
        work = self.staffing.places[place[0]][place[1]].required
        return sum(undone_by_kind(work, self.capacity(place)).values())

    def add(self, place: PlaceDay, mask: int, minutes: int) -> None:
        """Let people come, or leave where the minutes are negative."""
        capacity = self.capacity(place)
        capacity[mask] = capacity.get(mask, 0) + minutes
        self._changed[place] = capacity

    def move(self, choice: Choice, *, back: bool = False) -> None:
        """Send somebody, or take it back."""
        mask, home = self.staffing.masks[choice.person], self.staffing.homes[choice.person]
        sign = -1 if back else 1
        self.add((choice.region, choice.day), mask, sign * choice.minutes)
        self.add((home, choice.day), mask, -sign * choice.home_minutes)


def steps_of(staffing: Staffing, chosen: Sequence[Choice], books: DayBooks) -> list[Step]:
    """Return what each choice changes when they are made one after the other; ``books`` then hold the whole plan.

    Their effects add up to that of the plan.
    """
    covers = _covers(staffing, chosen)
    where = {(choice.person, choice.day): choice.region for choice in chosen}
    steps = []
    for choice in chosen:
        there, home = (choice.region, choice.day), (staffing.homes[choice.person], choice.day)
        before, home_before = books.undone(there), sum(books.undone(home).values())
        books.move(choice)
        after, home_after = books.undone(there), sum(books.undone(home).values())
        able = [kind for kind in before if not kind or kind & staffing.masks[choice.person]]
        kind = max(able, key=lambda one: (before[one] - after[one], one), default=0)
        steps.append(
            Step(
                choice,
                kind,
                (sum(before.values()), sum(after.values())),
                (home_before, home_after),
                covers[choice.person, choice.day],
                where.get((choice.person, _day_before(staffing, choice))) != choice.region,
            )
        )
    return steps


def _day_before(staffing: Staffing, choice: Choice) -> int:
    day = choice.day - 1
    while day >= 0 and not staffing.shift_min(choice.person, day):
        day -= 1
    return day


def _covers(staffing: Staffing, chosen: Sequence[Choice]) -> dict[tuple[int, int], int | None]:
    """Return who covers whom on which day.

    A colleague of the home region who is at work and stays: rather one who covers for that person already, who covers
    for few others on that day, who shares most skills, and who lives near.
    """
    away = {(choice.person, choice.day) for choice in chosen}
    that_day: dict[tuple[int, int], int] = defaultdict(int)
    for_whom: set[tuple[int, int]] = set()
    covers: dict[tuple[int, int], int | None] = {}
    for choice in chosen:
        person, day = choice.person, choice.day
        staying = [
            other
            for other in staffing.at_home[staffing.homes[person]]
            if other != person and (other, day) not in away and staffing.shift_min(other, day)
        ]
        best = min(
            staying, key=lambda other: _unfitness(staffing, (person, other, day), that_day, for_whom), default=None
        )
        covers[person, day] = best
        if best is not None:
            that_day[best, day] += 1
            for_whom.add((person, best))
    return covers


def _unfitness(
    staffing: Staffing,
    who: tuple[int, int, int],
    that_day: dict[tuple[int, int], int],
    for_whom: set[tuple[int, int]],
) -> tuple[int, bool, int, float, str]:
    person, other, day = who
    mine, theirs = staffing.problem.people[person], staffing.problem.people[other]
    shared = len(mine.skills & theirs.skills)
    here, there = mine.location, theirs.location
    apart = great_circle_m(here, there) if here is not None and there is not None else 0.0
    return that_day[other, day], (person, other) not in for_whom, -shared, apart, theirs.id
