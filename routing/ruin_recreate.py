"""Our own search: ruin and recreate with simulated annealing, compiled (``routing.kernel``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from routing.construct import rounds_of
from routing.day import Day
from routing.kernel.anneal import anneal, build, copy_plan, load_orders, whole_cost
from routing.kernel.fields import MANDATORY_FROM, NEXT, NOWHERE, ROUTE
from routing.search import Orders
from routing.search_arrays import empty_plan, search_arrays


class RuinRecreate:
    """A search over one day, advanced by a number of steps at a time.

    Attributes
    ----------
    best_cost : float
        Of the best plan so far.
    """

    def __init__(self, day: Day, candidates: Sequence[Sequence[int]], *, seed: int = 0, start: Orders | None = None):
        self._reps = range(len(day.problem.reps))
        self._visits = len(day.problem.visits)
        orders = start or [one.stops for one in rounds_of(day, day.first_stops)]
        placed = {visit for order in orders for visit in order}
        # A locked visit that its round cannot begin with has no other place.
        options = [reps if day.locked_to[visit] < 0 or visit in placed else () for visit, reps in enumerate(candidates)]
        self.arrays = search_arrays(day, options)
        self._fixed = self.arrays.fixed.copy()
        self._plans = tuple(empty_plan(self.arrays) for _ in range(3))
        self._dice = np.array([0x9E3779B97F4A7C15 ^ (seed + 1)], dtype=np.uint64)
        size, width = self._visits + 1, self.arrays.begin.shape[1]
        recreating = (
            np.zeros(size),
            np.zeros(len(self.arrays.kinds), dtype=np.int32),
            np.zeros(1, dtype=np.int64),
            np.zeros((2, width), dtype=np.int32),
        )
        touched = np.zeros(len(self._reps), dtype=np.uint8)
        self._scratch = (np.zeros(size, dtype=np.int32), touched, recreating)
        self._costs = np.zeros(2)
        self.load(orders)
        build(self.arrays, self._plans[0], self._scratch, self._dice)
        self._settle()

    def load(self, orders: Orders) -> None:
        """Go on from these orders, which must be such as can be kept."""
        first = np.cumsum([0, *map(len, orders)])
        stops = np.array([visit for order in orders for visit in order], dtype=np.int32)
        load_orders(self.arrays, self._plans[0], first, stops)
        self._costs[0] = whole_cost(self.arrays, self._plans[0])
        copy_plan(self._plans[0], self._plans[1])

    def _settle(self) -> None:
        copy_plan(self._plans[0], self._plans[1])
        copy_plan(self._plans[0], self._plans[2])
        self._costs[:] = whole_cost(self.arrays, self._plans[0])

    def back_to_best(self) -> None:
        """Go on from the best plan."""
        copy_plan(self._plans[2], self._plans[0])
        copy_plan(self._plans[2], self._plans[1])

    @property
    def best_cost(self) -> float:
        """The best plan's so far."""
        return float(self._costs[1])

    def advance(self, steps: int, hot: float, cold: float, removed: float, bonus: float = 0.0) -> int:
        """Make steps, cooling from ``hot`` to ``cold``, and return how often the best was bettered.

        Every route in use is worth ``bonus`` meanwhile: it is easy to give a route up and hard to open one.
        """
        if not len(self.arrays.possible):
            return 0
        self.arrays.fixed[:] = self._fixed - bonus
        self._costs[0] = whole_cost(self.arrays, self._plans[0])
        schedule = np.array([steps, hot, cold, removed, bonus], dtype=np.float64)
        return int(anneal(self.arrays, self._plans, self._costs, self._scratch, self._dice, schedule))

    def leg_scale(self) -> float:
        """Return the cost of an average leg of the present plan: what temperatures are measured by."""
        link, legs, cost = self._plans[0].link, 0, 0.0
        for node in np.flatnonzero(link[ROUTE, : self._visits] != NOWHERE):
            cost += float(self._plans[0].gap[node])
            legs += 1
        return max(1e-3, cost / max(1, legs))

    def prize_at_stake(self) -> float:
        """Return the median prize of the visits that need not be made, 0 where the present plan leaves none out."""
        possible = self.arrays.possible
        optional = possible[self.arrays.prize[possible] < self.arrays.price[MANDATORY_FROM]]
        left_out = self._plans[0].link[ROUTE, optional] == NOWHERE
        return float(np.median(self.arrays.prize[optional])) if left_out.any() else 0.0

    def best_orders(self) -> Orders:
        """Return the best orders of visits, by rep."""
        following = self._plans[2].link[NEXT].tolist()
        orders = []
        for rep in self._reps:
            order, node = [], following[self._visits + rep]
            while node < self._visits:
                order.append(node)
                node = following[node]
            orders.append(order)
        return orders


def warm() -> None:
    """Compile the search, or load it from the disk; a second call costs nothing."""
    from common.places import Location
    from routing.problem import DayProblem, Rep, SizeLimits, Visit
    from routing.travel_times import TravelTable

    here = Location(0.5, 0.5)
    visits = tuple(Visit(str(number), "", here, 1) for number in range(3))
    problem = DayProblem(visits, (Rep("a", "", here, 0, 99, here),), limits=SizeLimits())
    size = len(problem.locations())
    table = TravelTable(np.ones((size, size), dtype=np.int32), np.ones((size, size), dtype=np.int32))
    state = RuinRecreate(Day(problem, table), [[0], [0], [0]])
    state.advance(2, 1.0, 0.5, 2.0)
