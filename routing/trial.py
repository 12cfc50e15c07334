"""One rep's round beside visits that are left out: a small problem that is changed and tried again.

Trying on the whole day would mean to build it anew for each change. What a change does to one round depends on that
round alone, so a trial holds only its stops, the visits that should join them, and their part of the travel table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from routing.day import Day, Round
from routing.problem import DayProblem, Rep, SizeLimits, Visit
from routing.travel_times import TravelTable

_ANY_SIZE = SizeLimits(outlier_km=math.inf)


@dataclass(frozen=True, slots=True)
class Found:
    """An order with the joining visits in it that can be kept, and what it costs more than before (prizes aside)."""

    added_cost: float
    order: tuple[int, ...]
    round: Round


class Whole:
    """A day as it was planned: the problem, its travel table, and the visits on each rep's round by position."""

    def __init__(self, problem: DayProblem, table: TravelTable, orders: Sequence[Sequence[int]]) -> None:
        self.problem = problem
        self.table = table
        self.orders = orders
        self.starts = problem.start_places()
        self.ends = problem.end_places()
        self.receivers: dict[str, list[str]] = {}
        collecting = {visit.id for visit in problem.visits if visit.collect}
        for visit in problem.visits:
            if visit.after in collecting:
                self.receivers.setdefault(visit.after, []).append(visit.id)

    def is_complete(self, rep_at: int) -> bool:
        """Return whether a round has what its stops come after, and those for whom they collect."""
        stops = [self.problem.visits[visit] for visit in self.orders[rep_at]]
        here = {visit.id for visit in stops}
        return all(
            (not visit.after or visit.after in here) and here.issuperset(self.receivers.get(visit.id, ()))
            for visit in stops
        )


class Trial:
    """A rep's round and the visits that should join it.

    Attributes
    ----------
    rep : Rep
    stops : tuple of Visit
        The round as it is.
    joining : tuple of Visit
        The visit in question and what has to come along, in the order in which they are made.
    """

    def __init__(self, whole: Whole, rep_at: int, joining: Sequence[int], visit: int) -> None:
        problem, rep, order = whole.problem, whole.problem.reps[rep_at], whole.orders[rep_at]
        chosen = [*order, *joining]
        here = {problem.visits[known].id for known in chosen}
        home = whole.ends[rep_at]
        self._table = whole.table.part([*chosen, whole.starts[rep_at], *([home] if home >= 0 else [])])
        self._weights = problem.weights
        # A locked stop is at its place only where those before it are on the round.
        self.rep = replace(rep, first_stops=tuple(takewhile(here.__contains__, rep.first_stops)))
        visits = tuple(_among(problem.visits[known], here, rep.id) for known in chosen)
        self.stops, self.joining = visits[: len(order)], visits[len(order) :]
        self._at = list(joining).index(visit)
        now = self._day(self.rep, self.joining)[1]
        self.holds = not self.stops or (whole.is_complete(rep_at) and _is_whole(now))
        self._cost = self._cost_of(now)

    @property
    def visit(self) -> Visit:
        """The visit in question."""
        return self.joining[self._at]

    @property
    def place(self) -> int:
        """Number of the visit in question in :attr:`Found.order`."""
        return len(self.stops) + self._at

    @property
    def prize(self) -> float:
        """What leaving the joining visits out costs; mandatory ones are worth any way."""
        if any(visit.mandatory for visit in self.joining):
            return math.inf
        return sum(self._weights.prize(visit) for visit in self.joining)

    def prize_of(self, visit: Visit) -> float:
        """Return what leaving ``visit`` out costs."""
        return self._weights.prize(visit)

    def value_for(self, prize: float) -> float:
        """Return what the visit in question would have to be worth, by its ``value``, for this prize of all."""
        others = sum(self._weights.prize(visit) for visit in self.joining) - self._weights.prize(self.visit)
        points = self._weights.prize(replace(self.visit, value=1.0))
        return (prize - others) / points if points else math.inf

    def orders(
        self, rep: Rep | None = None, visit: Visit | None = None, *, without: int | None = None
    ) -> Iterator[Found]:
        """Yield every order that can be kept with the joining visits, by their own price or not.

        Parameters
        ----------
        rep, visit : optional
            The rep and the visit in question as changed.
        without : int, optional
            A stop that is dropped for them.
        """
        joining = list(self.joining)
        joining[self._at] = visit or self.visit
        day, one = self._day(rep or self.rep, joining, without=without)
        first = len(self.stops)
        for found in _with_all(day, one, range(first, first + len(joining))):
            yield Found(self._cost_of(found) - self._cost, tuple(found.stops), found)

    def worthwhile(
        self, rep: Rep | None = None, visit: Visit | None = None, *, without: int | None = None
    ) -> list[Found]:
        """Return the orders that cost no more than the visits are worth, the cheapest first."""
        lost = 0.0 if without is None else self._weights.prize(self.stops[without])
        prize = self.prize
        if visit is not None and prize < math.inf:
            prize += self._weights.prize(visit) - self._weights.prize(self.visit)
        found = [item for item in self.orders(rep, visit, without=without) if item.added_cost + lost <= prize]
        return sorted(found, key=lambda item: (item.added_cost, item.order))

    def _day(self, rep: Rep, joining: Sequence[Visit], *, without: int | None = None) -> tuple[Day, Round]:
        problem = DayProblem((*self.stops, *joining), (rep,), self._weights, _ANY_SIZE)
        day = Day(problem, self._table)
        return day, Round(day, 0, [stop for stop in range(len(self.stops)) if stop != without])

    def _cost_of(self, one: Round) -> float:
        """Return what a round costs, without what is left out and without fairness, which concerns the other reps."""
        if not one.stops:
            return 0.0
        day, weights = one.day, self._weights
        rep = day.problem.reps[0]
        way = sum(
            weights.travel_s * int(day.table.duration_s[leg]) + weights.distance_m * int(day.table.distance_m[leg])
            for leg in day.legs(0, one.stops)
        )
        usual = (day.problem.visits[stop].usual_rep for stop in one.stops)
        moved = sum(bool(name) and name != rep.id for name in usual)
        return way + weights.overtime_s * one.overtime_s() + rep.fixed_cost + weights.change * moved


def _among(visit: Visit, here: set[str], rep_id: str) -> Visit:
    """Return ``visit`` as it stands where only one rep and some visits are known."""
    allowed = None if visit.allowed_reps is None else visit.allowed_reps & {rep_id}
    return replace(visit, allowed_reps=allowed, after=visit.after if visit.after in here else "")


def _with_all(day: Day, one: Round, joining: Sequence[int]) -> Iterator[Round]:
    """Yield every round with the joining visits in their order among the stops, that can be kept."""
    if len(joining) == 1:
        visit = joining[0]
        if one.has_room_for(visit):
            for position in range(len(one.stops) + 1):
                if one.fits(visit, position):
                    longer = Round(day, 0, [*one.stops[:position], visit, *one.stops[position:]])
                    if _is_whole(longer):
                        yield longer
        return
    for order in _merged(one.stops, joining, 0):
        longer = Round(day, 0, order)
        if _is_whole(longer):
            yield longer


def _is_whole(one: Round) -> bool:
    """Return whether a round can be kept, and collects for nobody who is not on it."""
    return one.feasible and not one.waits_for_others()


def _merged(stops: Sequence[int], joining: Sequence[int], begin: int) -> Iterator[list[int]]:
    """Yield all ways to put two visits among the stops in their order; more than two go in as one block."""
    if len(joining) > 2:
        for position in range(len(stops) + 1):
            yield [*stops[:position], *joining, *stops[position:]]
        return
    for first in range(begin, len(stops) + 1):
        for last in range(first, len(stops) + 1):
            yield [*stops[:first], joining[0], *stops[first:last], joining[1], *stops[last:]]
