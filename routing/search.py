"""Searches for good orders of visits with OR-Tools; all OR-Tools routing code of the day plan is here.

It knows nothing of times and reports: it answers with orders of visits, better and better ones. Another search takes
its place by offering the same :func:`search`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from routing.day import NEVER, Day

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Orders = list[list[int]]
"""Positions of visits in order, for each rep by position."""

COST_SCALE = 10
"""OR-Tools counts in whole numbers; a cost keeps one decimal."""
LIGHT_OPERATORS = frozenset({"use_relocate", "use_exchange", "use_two_opt", "use_cross"})
"""Local search between ruin steps must be cheap: the ruin step finds the improvements (docs/decisions/0020)."""
OPTIONAL_OPERATORS = frozenset({"use_make_active", "use_make_inactive", "use_swap_active"})
"""Added when visits may be left out; on other days they only slow the search down."""
REMOVED_VISITS_PRIZES, REMOVED_VISITS_FIXED = 20, 10
LONGEST_STRING = 10
HOTTEST, COLDEST = 1.0, 0.03
"""Temperatures, relative to the median way from a visit to its nearest neighbour."""


@dataclass(frozen=True, slots=True)
class SearchTask:
    """One search.

    Attributes
    ----------
    candidates : list of list of int
        For each visit the reps who could take it; visits without any are left out.
    end_s : float
        When to stop, on ``time.monotonic()``'s clock.
    seed : int
        Changes the order in which visits are numbered, and with it every tie; 0 keeps the given order.
    """

    day: Day
    candidates: list[list[int]]
    end_s: float
    seed: int = 0


def search(task: SearchTask, on_better: Callable[[Orders], None]) -> None:
    """Look for better orders until ``task.end_s`` and hand each to ``on_better``.

    Iterated local search: slack induction by string removals (Christiaens and Vanden Berghe 2020), cheapest insertion,
    light local search, acceptance by simulated annealing. The costs that it minimises are those of
    :class:`routing.problem.ObjectiveWeights`, with a mandatory visit worth more than all optional ones.
    """
    visits = task.day.problem.visits
    everyone = all(visits[visit].mandatory for visit, reps in enumerate(task.candidates) if reps)
    # Where nobody may be left out, saying so outright finds better plans than a high price; but it may find none.
    if not (everyone and _search(_Model(task, firm=True), task.end_s, on_better)):
        _search(_Model(task, firm=False), task.end_s, on_better)


def _search(model: _Model, end_s: float, on_better: Callable[[Orders], None]) -> bool:
    """Search with one model and return whether there was any plan."""
    best = float("inf")

    def notice() -> None:
        nonlocal best
        cost = model.routing.CostVar().Max()
        if cost < best:
            best = cost
            on_better(model.orders())

    left_ms = int((end_s - time.monotonic()) * 1000)
    if not model.visits or left_ms <= 0:
        return True
    model.routing.AddAtSolutionCallback(notice)
    model.routing.SolveWithIteratedLocalSearch(_parameters(model, left_ms))
    return best < float("inf")


class _Model:
    """The OR-Tools model of a task: nodes are visits, then starts and ends, one of them nowhere, for open ends."""

    def __init__(self, task: SearchTask, *, firm: bool) -> None:
        import numpy as np
        from ortools.constraint_solver import pywrapcp

        self.day, self.firm, problem = task.day, firm, task.day.problem
        visits = np.array([visit for visit, reps in enumerate(task.candidates) if reps], dtype=int)
        if task.seed:
            visits = np.random.default_rng(task.seed).permutation(visits)
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
        self.node = [self.manager.NodeToIndex(node) for node in range(count)]
        self.leg_cost = self._legs(np.array(self.day.leg_cost) * COST_SCALE)
        self.routing.SetArcCostEvaluatorOfAllVehicles(self.routing.RegisterTransitMatrix(self.leg_cost.tolist()))
        self._add_time()
        self._add_limits()
        self._add_prizes(task.candidates)

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

    def _legs(self, table: NDArray[Any]) -> NDArray[np.int64]:
        """Return ``table`` by node; the way to an open end is 0."""
        import numpy as np

        legs = table[np.ix_(self.rows, self.rows)]
        legs[:, self.rows < 0] = 0
        legs[self.rows < 0, :] = 0
        whole: NDArray[np.int64] = np.rint(legs).astype(np.int64)
        return whole

    def _add_time(self) -> None:
        import numpy as np

        problem, routing = self.day.problem, self.routing
        service = np.zeros(len(self.rows), dtype=np.int64)
        service[: len(self.visits)] = [self.day.service_s[visit] for visit in self.visits]
        transit = self._legs(self.day.table.duration_s) + service[:, None]
        horizon = max(rep.shift_end_s + rep.overtime_s for rep in problem.reps)
        routing.AddDimension(routing.RegisterTransitMatrix(transit.tolist()), horizon, horizon, False, "time")
        self.time = routing.GetDimensionOrDie("time")
        for visit, index in zip(self.visits, self.node, strict=True):
            spans = [span for span in self.day.spans[visit] if span[0] <= horizon]
            moment = self.time.CumulVar(index)
            moment.SetRange(spans[0][0], min(spans[-1][1], horizon))
            for (_, end), (start, _) in pairwise(spans):
                if start - end > 1:
                    moment.RemoveInterval(end + 1, start - 1)
        visit_s = [0] * routing.Size()
        for index, seconds in zip(self.node, service.tolist(), strict=False):
            visit_s[index] = seconds
        for number, rep in enumerate(problem.reps):
            start, end = routing.Start(number), routing.End(number)
            self.time.CumulVar(start).SetRange(rep.shift_start_s, rep.shift_end_s)
            self.time.CumulVar(end).SetRange(rep.shift_start_s, rep.shift_end_s + rep.overtime_s)
            if rep.overtime_s:
                price = round(problem.weights.overtime_s * COST_SCALE)
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
                self.time.SetBreakIntervalsOfVehicle(breaks, number, visit_s)

    def _add_limits(self) -> None:
        routing, reps = self.routing, self.day.problem.reps
        empty = [0] * (len(self.rows) - len(self.visits))
        if any(rep.max_visits is not None for rep in reps):
            one = routing.RegisterUnaryTransitVector([1] * len(self.visits) + empty)
            limits = [len(self.visits) if rep.max_visits is None else rep.max_visits for rep in reps]
            routing.AddDimensionWithVehicleCapacity(one, 0, limits, True, "visits")
        if any(rep.capacity is not None for rep in reps):
            loads = [self.day.load[visit] for visit in self.visits]
            load = routing.RegisterUnaryTransitVector(loads + empty)
            limits = [NEVER if rep.capacity is None else rep.capacity for rep in reps]
            routing.AddDimensionWithVehicleCapacity(load, 0, limits, True, "load")

    def _add_prizes(self, candidates: Sequence[Sequence[int]]) -> None:
        visits = self.day.problem.visits
        optional = sum(self.day.prize[visit] for visit in self.visits if not visits[visit].mandatory)
        longest = float(self.leg_cost.max()) / COST_SCALE
        # Serving it must be worth every optional visit and any detour, and stay far below OR-Tools' 64-bit sums.
        above_all = min(optional + longest * (len(self.visits) + 2 * len(self.reps)) + 1, 1e12)
        for visit, index in zip(self.visits, self.node, strict=True):
            prize = self.day.prize[visit] + (above_all if visits[visit].mandatory else 0)
            if not self.firm:
                self.routing.AddDisjunction([index], round(prize * COST_SCALE))
            if len(candidates[visit]) < len(self.reps):
                # SetAllowedVehiclesForIndex takes no Python list in OR-Tools 9.15.
                self.routing.VehicleVar(index).SetValues([-1, *candidates[visit]])

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


def _parameters(model: _Model, limit_ms: int) -> Any:
    import numpy as np
    from ortools.constraint_solver import pywrapcp
    from ortools.constraint_solver.routing_enums_pb2 import FirstSolutionStrategy
    from ortools.util.optional_boolean_pb2 import BOOL_FALSE, BOOL_TRUE

    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.time_limit.FromMilliseconds(limit_ms)
    operators = parameters.local_search_operators
    chosen = LIGHT_OPERATORS if model.firm else LIGHT_OPERATORS | OPTIONAL_OPERATORS
    for operator in operators.DESCRIPTOR.fields:
        setattr(operators, operator.name, BOOL_TRUE if operator.name in chosen else BOOL_FALSE)
    count = len(model.visits)
    nearest = model.leg_cost[:count, :count] + np.eye(count, dtype=np.int64) * NEVER
    scale = float(np.median(nearest.min(axis=1))) if count > 1 else 1.0
    iterated = parameters.iterated_local_search_parameters
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    annealing.initial_temperature = max(1.0, HOTTEST * scale)
    annealing.final_temperature = max(0.1, COLDEST * scale)
    ruin = iterated.ruin_recreate_parameters.ruin_strategies.add().sisr
    ruin.avg_num_removed_visits = REMOVED_VISITS_FIXED if model.firm else REMOVED_VISITS_PRIZES
    ruin.max_removed_sequence_size = LONGEST_STRING
    ruin.bypass_factor = 0.5
    return parameters
