"""Several days planned together: which visit on which day, before each day is solved by itself.

The choice weighs what it costs to let a visit wait against how near it lies to the others of its day, within the room
that each day has, so that days are compact and nothing urgent comes late. It is a sketch on purpose: what a day can
really hold, and in which order, `routing.solve` finds out, and what does not fit flows on to the next day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import FieldProblem, InvalidInput, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Seconds = NDArray[np.float64]

MOST_PASSES = 12
"""The improvement ends after so many rounds over all visits; mostly it has come to rest before."""
NEAREST = 2
"""How near a visit lies to a day is the mean way to so many nearest places of that day."""


@dataclass(frozen=True, slots=True)
class VisitOnDays:
    """A visit that can be made on one of several days.

    Attributes
    ----------
    need_s : float
        Room that it takes: the visit and a usual way to it, in seconds.
    cost_by_day : mapping of int to float
        For each day on which it may be made, what it costs that it is made only then, in seconds of travel.
    left_out_cost : float
        What it costs to leave it out, in seconds of travel.
    """

    id: str
    need_s: float
    cost_by_day: Mapping[int, float]
    left_out_cost: float


@dataclass(frozen=True, slots=True)
class DayRoom:
    """What a day can hold: seconds of work of all reps together, and visits."""

    work_s: float
    visits: int


def choose_days(
    visits: Sequence[VisitOnDays], rooms: Sequence[DayRoom], travel_s: Seconds, starts_s: Seconds
) -> list[int | None]:
    """Return the day of each visit, or ``None`` where it is left out. The same input gives the same answer.

    Parameters
    ----------
    rooms : sequence of DayRoom
        One for each day; a day without work has no room.
    travel_s : float array, shape (visits, visits)
        Seconds between the visits.
    starts_s : float array, shape (visits,)
        Seconds to each visit from the nearest place at which a rep starts.

    Raises
    ------
    InvalidInput
        When a visit names a day that does not exist, or the tables have another size.
    """
    _check(visits, rooms, travel_s, starts_s)
    if not visits:
        return []
    choice = _Choice(visits, rooms, (travel_s + travel_s.T) / 2, starts_s)
    for visit in choice.by_weight:
        choice.place_first(visit)
    for _ in range(MOST_PASSES):
        if not sum(choice.improve(visit) for visit in choice.by_weight):
            break
    return [None if day == choice.nowhere else day for day in choice.day_of]


def _check(visits: Sequence[VisitOnDays], rooms: Sequence[DayRoom], travel_s: Seconds, starts_s: Seconds) -> None:
    problems = [
        FieldProblem(f"/visits/{index}/cost_by_day", Text(f"there is no day {day}", f"没有第 {day} 天"))
        for index, visit in enumerate(visits)
        for day in visit.cost_by_day
        if not 0 <= day < len(rooms)
    ]
    if problems:
        raise InvalidInput(Text("a visit names a day that does not exist", "拜访指定了不存在的日期"), fields=problems)
    if travel_s.shape != (len(visits), len(visits)) or starts_s.shape != (len(visits),):
        raise InvalidInput.at("/travel_s", "must have a row and a column for each visit", "每次拜访需有对应的行和列")


class _Choice:
    """The days chosen so far. Beside the real days there is one with room for all: left out."""

    def __init__(
        self, visits: Sequence[VisitOnDays], rooms: Sequence[DayRoom], travel_s: Seconds, starts_s: Seconds
    ) -> None:
        import numpy as np

        self.nowhere = len(rooms)
        self._need_s = [visit.need_s for visit in visits]
        self._left_s = [room.work_s for room in rooms]
        self._left_visits = [room.visits for room in rooms]
        self._members: list[list[int]] = [[] for _ in rooms]
        self._travel_s, self._starts_s = travel_s.copy(), starts_s
        np.fill_diagonal(self._travel_s, np.inf)  # a visit is no neighbour of itself
        self._cost = np.full((len(visits), len(rooms) + 1), np.inf)
        for index, visit in enumerate(visits):
            for day, cost in visit.cost_by_day.items():
                self._cost[index, day] = cost
            self._cost[index, self.nowhere] = visit.left_out_cost
        self._near = np.zeros_like(self._cost)
        for day in range(len(rooms)):
            self._measure(day)
        self.day_of = [self.nowhere] * len(visits)
        weight = [(-visit.left_out_cost / max(visit.need_s, 1.0), index) for index, visit in enumerate(visits)]
        self.by_weight = [index for _, index in sorted(weight)]

    def place_first(self, visit: int) -> None:
        """Put a visit where it costs least, of the days with room."""
        total = self._cost[visit] + self._near[visit]
        order = total.argsort(kind="stable").tolist()
        best = next(day for day in order if self._has_room(visit, day))
        if best != self.nowhere:
            self._put(visit, best)

    def improve(self, visit: int) -> bool:
        """Move a visit to a better day, or let it change places with another one; return whether anything changed."""
        import numpy as np

        here = self.day_of[visit]
        total = self._cost + self._near
        now = total[visit, here]
        best, partner = now - 1e-6, None
        target = here
        for day in np.flatnonzero(np.isfinite(self._cost[visit])).tolist():
            if day == here:
                continue
            gain_to = total[visit, day]
            if self._has_room(visit, day):
                if gain_to < best:
                    best, target, partner = gain_to, day, None
                continue
            for other in self._members[day]:
                if not self._can_swap(visit, other):
                    continue
                changed = gain_to + total[other, here] - total[other, day]
                if changed < best:
                    best, target, partner = changed, day, other
        if target == here:
            return False
        if partner is not None:
            self._put(partner, self.nowhere)
            self._put(visit, target)
            self._put(partner, here)
        else:
            self._put(visit, target)
        return True

    def _has_room(self, visit: int, day: int) -> bool:
        if day == self.nowhere:
            return True
        allowed = self._cost[visit, day] < float("inf")
        return bool(allowed) and self._left_visits[day] > 0 and self._left_s[day] >= self._need_s[visit]

    def _can_swap(self, visit: int, other: int) -> bool:
        here, there = self.day_of[visit], self.day_of[other]
        if not self._cost[other, here] < float("inf"):
            return False
        more_s = self._need_s[visit] - self._need_s[other]
        return self._left_s[there] >= more_s and (here == self.nowhere or self._left_s[here] >= -more_s)

    def _put(self, visit: int, day: int) -> None:
        before = self.day_of[visit]
        self.day_of[visit] = day
        if before != self.nowhere:
            self._members[before].remove(visit)
            self._left_s[before] += self._need_s[visit]
            self._left_visits[before] += 1
            self._measure(before)
        if day != self.nowhere:
            self._members[day].append(visit)
            self._left_s[day] -= self._need_s[visit]
            self._left_visits[day] -= 1
            self._measure(day)

    def _measure(self, day: int) -> None:
        """Measure again how near each visit lies to the others of a day."""
        import numpy as np

        ways = np.column_stack([self._starts_s, self._travel_s[:, self._members[day]]])
        count = min(NEAREST, ways.shape[1])
        nearest = np.partition(ways, count - 1, axis=1)[:, :count]
        # The only member of a day is near to nothing but the start.
        self._near[:, day] = np.where(np.isfinite(nearest), nearest, self._starts_s[:, None]).mean(axis=1)
