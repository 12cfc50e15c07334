"""A first plan of lending: the most helpful choice first, as long as one helps."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from routing.staffing.choices import Choice, Staffing
from routing.staffing.work import able_min


class _Shortage:
    """The undone minutes of a place while people come and go."""

    def __init__(self, staffing: Staffing, region: int, day: int) -> None:
        place = staffing.places[region][day]
        self._rows = (*place.rows, *place.required_rows)
        self._of_all = len(place.rows)
        self._extra = staffing.required_extra
        self._surplus = [row.minutes - able_min(row, place.own) for row in self._rows]
        self.weight = self._weigh(self._surplus)

    def _weigh(self, surplus: Sequence[int]) -> int:
        undone = max((0, *surplus[: self._of_all]))
        return undone + self._extra * max((0, *surplus[self._of_all :]))

    def _moved(self, mask: int, minutes: int) -> list[int]:
        return [
            left - minutes if row.holds(mask) else left for row, left in zip(self._rows, self._surplus, strict=True)
        ]

    def gained(self, mask: int, minutes: int) -> int:
        """Return by how much less is undone with so many minutes more of people with these skills."""
        return self.weight - self._weigh(self._moved(mask, minutes))

    def add(self, mask: int, minutes: int) -> None:
        """Let people come, or leave where the minutes are negative."""
        self._surplus = self._moved(mask, minutes)
        self.weight = self._weigh(self._surplus)


class FirstPlan:
    """Chooses step by step; never breaks a limit.

    Parameters
    ----------
    guide : sequence of float
        By choice: how much of it the relaxation makes.
    """

    def __init__(self, staffing: Staffing, choices: Sequence[Choice], guide: Sequence[float]) -> None:
        self.staffing, self.choices, self.guide = staffing, choices, guide
        self.chosen: list[int] = []
        self._shortages: dict[tuple[int, int], _Shortage] = {}
        self._where: dict[int, dict[int, int]] = defaultdict(dict)
        self._left: dict[tuple[int, int], int] = defaultdict(int)

    def choose(self, pool: Sequence[int]) -> list[int]:
        """Return the choices made among those of the pool."""
        by_person: dict[int, list[int]] = defaultdict(list)
        for number in pool:
            by_person[self.choices[number].person].append(number)
        heap = [(-self._rank(number), number) for number in pool]
        heapq.heapify(heap)
        while heap:
            rank, number = heapq.heappop(heap)
            now = -self._rank(number)
            if now >= 0 or not self._allowed(self.choices[number]):
                continue
            if now > rank and heap and now > heap[0][0]:
                heapq.heappush(heap, (now, number))
                continue
            self._make(number)
            # the other days of this person may have become cheaper: a stay is no new move
            for other in by_person[self.choices[number].person]:
                heapq.heappush(heap, (-self._rank(other), other))
        return self.chosen

    def _rank(self, number: int) -> float:
        gain = self._gain(self.choices[number])
        return gain * (0.25 + self.guide[number]) if gain > 0 else 0.0

    def _gain(self, choice: Choice) -> int:
        mask, home = self.staffing.masks[choice.person], self.staffing.homes[choice.person]
        gain = self._shortage(choice.region, choice.day).gained(mask, choice.minutes)
        if gain <= choice.price:
            return 0
        gain += self._shortage(home, choice.day).gained(mask, -choice.home_minutes)
        return gain - choice.price - (self._moves_added(choice) > 0) * choice.start_price

    def _shortage(self, region: int, day: int) -> _Shortage:
        found = self._shortages.get((region, day))
        if found is None:
            found = self._shortages[region, day] = _Shortage(self.staffing, region, day)
        return found

    def _moves(self, person: int, where: dict[int, int]) -> int:
        count, before = 0, -1
        for day in self.staffing.days:
            if self.staffing.shift_min(person, day):
                now = where.get(day, -1)
                count += now >= 0 and now != before
                before = now
        return count

    def _moves_added(self, choice: Choice) -> int:
        where = self._where[choice.person]
        return self._moves(choice.person, {**where, choice.day: choice.region}) - self._moves(choice.person, where)

    def _allowed(self, choice: Choice) -> bool:
        asked, where = self.staffing.problem.people[choice.person], self._where[choice.person]
        home = self.staffing.homes[choice.person]
        if choice.day in where or self._left[home, choice.day] >= self.staffing.spare(home, choice.day):
            return False
        if asked.days_left is not None and len(where) >= asked.days_left:
            return False
        return self._moves(choice.person, {**where, choice.day: choice.region}) <= asked.moves_left

    def _make(self, number: int) -> None:
        choice = self.choices[number]
        mask, home = self.staffing.masks[choice.person], self.staffing.homes[choice.person]
        self._shortage(choice.region, choice.day).add(mask, choice.minutes)
        self._shortage(home, choice.day).add(mask, -choice.home_minutes)
        self._where[choice.person][choice.day] = choice.region
        self._left[home, choice.day] += 1
        self.chosen.append(number)
