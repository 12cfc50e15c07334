"""A day as an OR-Tools routing model: times, breaks, limits, loads, orders, locks and prices.

Everything of :class:`routing.problem.DayProblem` is in it but fairness, which is no sum over legs and visits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from routing.day import NEVER, Day
from routing.ortools_search.order import add_loads, add_orders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from routing.search import Orders

COST_SCALE = 10
"""OR-Tools counts in whole numbers; a cost keeps one decimal."""


class Model:
    """The OR-Tools model of a task: nodes are visits, then starts and ends, one of them nowhere, for open ends.

    Parameters
    ----------
    able : list of list of int
        For each visit the reps who may make it (:func:`able_reps`); visits without any are left out.
    seed : int
        Numbers the visits in another order; 0 keeps the given one.
    firm : bool
        Every visit must be made, instead of at a price.

    Attributes
    ----------
    visits : list of int
        The visits that can be made, by node.
    index : dict of int to int
        OR-Tools' index of each of them.
    """

    def __init__(self, day: Day, able: list[list[int]], seed: int, *, firm: bool) -> None:
        import numpy as np
        from ortools.constraint_solver import pywrapcp

        self.day, self.able, self.firm, problem = day, able, firm, day.problem
        visits = np.array([visit for visit, reps in enumerate(able) if reps], dtype=int)
        if seed:
            visits = np.random.default_rng(seed).permutation(visits)
        self.visits: list[int] = visits.tolist()
        if not self.visits:
            return
        self.reps = range(len(problem.reps))
        count = len(self.visits)
        homes, starts, ends = self._shared_places()
        self.rows = np.array([*self.visits, *homes])
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.rows), len(problem.reps), [count + home for home in starts], [count + home for home in ends]
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index = {visit: self.manager.NodeToIndex(node) for node, visit in enumerate(self.visits)}
        self.leg_cost = self.legs(np.array(self.day.leg_cost) * COST_SCALE)
        self._add_costs()
        self._add_time()
        self._add_limits()
        add_loads(self)
        add_orders(self)
        self._lock_first_stops()
        self._add_prizes()

    def _shared_places(self) -> tuple[list[int], list[int], list[int]]:
        """Return the distinct starts and ends (rows of the travel table), and which of them each rep has.

        OR-Tools tries an empty round once for all reps who are alike, and takes only those for alike who share nodes.
        """
        table = self.day.table.duration_s
        number: dict[tuple[bytes, bytes], int] = {}
        homes: list[int] = []

        def home(row: int) -> int:
            key = (table[row].tobytes(), table[:, row].tobytes()) if row >= 0 else (b"", b"")
            if key not in number:
                number[key] = len(homes)
                homes.append(row)
            return number[key]

        return homes, [home(row) for row in self.day.start_place], [home(row) for row in self.day.end_place]

    def legs(self, table: NDArray[Any]) -> NDArray[np.int64]:
        """Return ``table`` by node; the way to an open end is 0, and so is that from a start to an end.

        That leg stands for a rep who stays at home. Its true length would make OR-Tools give up the whole day where it
        is above a limit.
        """
        import numpy as np

        legs = table[np.ix_(self.rows, self.rows)]
        legs[len(self.visits) :, len(self.visits) :] = 0
        legs[:, self.rows < 0] = 0
        legs[self.rows < 0, :] = 0
        whole: NDArray[np.int64] = np.rint(legs).astype(np.int64)
        return whole

    def by_node(self, values: Sequence[int]) -> int:
        """Register what each visit adds to a dimension; starts and ends add nothing."""
        number: int = self.routing.RegisterUnaryTransitVector([*values, *[0] * (len(self.rows) - len(self.visits))])
        return number

    def limits(self, name: str) -> list[int] | None:
        """Return the reps' limits called ``name``, or None when nobody has one."""
        given = [getattr(rep, name) for rep in self.day.problem.reps]
        if all(limit is None for limit in given):
            return None
        return [NEVER if limit is None else limit for limit in given]

    def _add_costs(self) -> None:
        import numpy as np

        problem, routing = self.day.problem, self.routing
        usual = [problem.visits[visit].usual_rep for visit in self.visits]
        change = round(problem.weights.change * COST_SCALE)
        if not change or not any(usual):
            routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(self.leg_cost.tolist()))
        else:
            # One matrix for each rep who is somebody's usual one, and one for all others.
            known: dict[str, int] = {}
            for number, rep in enumerate(problem.reps):
                name = rep.id if rep.id in usual else ""
                if name not in known:
                    added = [change if other and other != rep.id else 0 for other in usual]
                    legs = self.leg_cost + np.array([*added, *[0] * (len(self.rows) - len(added))])
                    known[name] = routing.RegisterTransitMatrix(legs.tolist())
                routing.SetArcCostEvaluatorOfVehicle(known[name], number)
        for number, rep in enumerate(problem.reps):
            routing.SetFixedCostOfVehicle(round(rep.fixed_cost * COST_SCALE), number)

    def _add_time(self) -> None:
        import numpy as np

        problem, routing = self.day.problem, self.routing
        service = np.zeros(len(self.rows), dtype=np.int64)
        service[: len(self.visits)] = [self.day.service_s[visit] for visit in self.visits]
        transit = self.legs(self.day.table.duration_s) + service[:, None]
        horizon = max(rep.shift_end_s + rep.overtime_s for rep in problem.reps)
        routing.AddDimension(routing.RegisterTransitMatrix(transit.tolist()), horizon, horizon, False, "time")
        self.time = routing.GetDimensionOrDie("time")
        for visit, index in self.index.items():
            spans = [span for span in self.day.spans[visit] if span[0] <= horizon]
            moment = self.time.CumulVar(index)
            moment.SetRange(spans[0][0], min(spans[-1][1], horizon))
            for (_, end), (start, _) in pairwise(spans):
                if start - end > 1:
                    moment.RemoveInterval(end + 1, start - 1)
        visit_s = [0] * routing.Size()
        for visit, index in self.index.items():
            visit_s[index] = self.day.service_s[visit]
        for rep in self.reps:
            self._add_shift(rep, visit_s)

    def _add_shift(self, number: int, visit_s: Sequence[int]) -> None:
        routing, rep = self.routing, self.day.problem.reps[number]
        start, end = routing.Start(number), routing.End(number)
        self.time.CumulVar(start).SetRange(rep.shift_start_s, rep.shift_end_s)
        self.time.CumulVar(end).SetRange(rep.shift_start_s, rep.shift_end_s + rep.overtime_s)
        if rep.overtime_s:
            price = round(self.day.problem.weights.overtime_s * COST_SCALE)
            self.time.SetCumulVarSoftUpperBound(end, rep.shift_end_s, price)
        if rep.breaks:
            solver = routing.solver()
            breaks = [
                solver.FixedDurationIntervalVar(
                    pause.earliest_s, pause.latest_s, pause.duration_s, False, f"break {number}"
                )
                for pause in rep.breaks
            ]
            for before, after in pairwise(breaks):
                solver.Add(after.StartExpr() >= before.EndExpr())
            self.time.SetBreakIntervalsOfVehicle(breaks, number, list(visit_s))

    def _add_limits(self) -> None:
        routing = self.routing
        if (limits := self.limits("max_visits")) is not None:
            routing.AddDimensionWithVehicleCapacity(self.by_node([1] * len(self.visits)), 0, limits, True, "visits")
        for name, table in (("max_travel_s", self.day.table.duration_s), ("max_distance_m", self.day.table.distance_m)):
            if (limits := self.limits(name)) is not None:
                legs = routing.RegisterTransitMatrix(self.legs(table).tolist())
                routing.AddDimensionWithVehicleCapacity(legs, 0, limits, True, name)

    def _lock_first_stops(self) -> None:
        for rep, locked in enumerate(self.day.first_stops):
            before = self.routing.Start(rep)
            for visit in locked:
                if visit in self.index:
                    self.routing.NextVar(before).SetValue(self.index[visit])
                    before = self.index[visit]

    def _add_prizes(self) -> None:
        weights, reps = self.day.problem.weights, self.day.problem.reps
        needed = needed_visits(self.day)
        optional = sum(self.day.prize[visit] for visit in self.visits if visit not in needed)
        longest = float(self.leg_cost.max()) / COST_SCALE + weights.change
        others = sum(rep.fixed_cost + weights.overtime_s * rep.overtime_s for rep in reps)
        # Serving it must be worth every optional visit and any detour, and stay far below OR-Tools' 64-bit sums.
        above_all = min(optional + longest * (len(self.visits) + 2 * len(reps)) + others + 1, 1e12)
        for visit, index in self.index.items():
            prize = self.day.prize[visit] + (above_all if visit in needed else 0)
            if not self.firm and self.day.locked_to[visit] < 0:
                self.routing.AddDisjunction([index], round(prize * COST_SCALE))
            if len(self.able[visit]) < len(reps):
                # SetAllowedVehiclesForIndex takes no Python list in OR-Tools 9.15.
                self.routing.VehicleVar(index).SetValues([-1, *self.able[visit]])

    def orders(self) -> Orders:
        """Return the visits by rep of the solution that was just found."""
        routing, orders = self.routing, []
        for rep in self.reps:
            order, index = [], routing.Start(rep)
            while not routing.IsEnd(index):
                index = routing.NextVar(index).Value()
                if not routing.IsEnd(index):
                    order.append(self.visits[self.manager.IndexToNode(index)])
            orders.append(order)
        return orders


def needed_visits(day: Day) -> set[int]:
    """Return the mandatory visits and all that they come after: alone those might not seem worth it."""
    needed: set[int] = set()
    for visit, facts in enumerate(day.problem.visits):
        here = visit if facts.mandatory else -1
        while here >= 0 and here not in needed:
            needed.add(here)
            here = day.after[here]
    return needed


def able_reps(day: Day, candidates: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return for each visit who may make it, once all that it depends on is counted in; nobody: it stays out."""
    able = [set(options) for options in candidates]
    for locked in day.first_stops:
        # Behind a locked visit that cannot be made, no other can stand where it is locked to.
        lost = next((place for place, visit in enumerate(locked) if not able[visit]), len(locked))
        for visit in locked[lost:]:
            able[visit] = set()
    # What a visit follows must be made by the same rep, and what is collected needs somebody to receive it.
    changed = True
    while changed:
        changed = False
        for visit, before in enumerate(day.after):
            if before < 0:
                continue
            common = able[visit] & able[before]
            changed |= common != able[visit]
            able[visit] = common
            if day.collect[before] and able[before] != common:
                able[before], changed = common, True
    return [sorted(options) for options in able]
