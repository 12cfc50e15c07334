"""OR-Tools on a day problem: guided local search, and iterated local search with string removals (9.15)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from benchmarks.routing_tasks import Found, NotModelledError, Places, RivalTask, may_serve, refuse

LIGHT = frozenset({"use_relocate", "use_exchange", "use_two_opt", "use_cross"})
OPTIONAL = frozenset({"use_make_active", "use_make_inactive", "use_swap_active"})
"""Local search between ruin steps; with more operators the iterated search is worse (docs/decisions/0020)."""


def solve_with_guided_search(task: RivalTask) -> Found:
    """Insert in parallel by cost, then search with all default operators under guided local search."""
    model = _Model(task)
    parameters = _parameters(task.seconds)
    from ortools.constraint_solver.routing_enums_pb2 import LocalSearchMetaheuristic

    parameters.local_search_metaheuristic = LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    solution = model.routing.SolveWithParameters(parameters)
    return model.found(solution)


def solve_with_iterated_search(task: RivalTask) -> Found:
    """Remove strings, insert cheaply, search a little, accept by simulated annealing: what Fieldwise used before."""
    import numpy as np
    from ortools.util.optional_boolean_pb2 import BOOL_FALSE, BOOL_TRUE

    model = _Model(task)
    parameters = _parameters(task.seconds)
    optional = any(not visit.mandatory for visit in task.problem.visits)
    operators = parameters.local_search_operators
    chosen = LIGHT | OPTIONAL if optional else LIGHT
    for operator in operators.DESCRIPTOR.fields:
        setattr(operators, operator.name, BOOL_TRUE if operator.name in chosen else BOOL_FALSE)
    count = len(task.problem.visits)
    near = model.costs[:count, :count] + np.eye(count, dtype=np.int64) * 10**9
    scale = float(np.median(near.min(axis=1))) if count > 1 else 1.0
    iterated = parameters.iterated_local_search_parameters
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    annealing.initial_temperature, annealing.final_temperature = max(1.0, scale), max(0.1, 0.03 * scale)
    ruin = iterated.ruin_recreate_parameters.ruin_strategies.add().sisr
    ruin.avg_num_removed_visits = 20 if optional else 10
    ruin.max_removed_sequence_size = 10
    ruin.bypass_factor = 0.5
    return model.found(model.routing.SolveWithIteratedLocalSearch(parameters))


def _parameters(seconds: float) -> Any:
    from ortools.constraint_solver import pywrapcp
    from ortools.constraint_solver.routing_enums_pb2 import FirstSolutionStrategy

    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.time_limit.FromMilliseconds(round(seconds * 1000))
    return parameters


class _Model:
    """The routing model of a task."""

    def __init__(self, task: RivalTask) -> None:
        from ortools.constraint_solver import pywrapcp

        refuse(task, also=("collect",))
        self.task, self.places = task, Places(task)
        self.costs, self.scale = self.places.costs()
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.places.rows), len(task.problem.reps), self.places.starts, self.places.ends
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.routing.SetArcCostEvaluatorOfAllVehicles(self.routing.RegisterTransitMatrix(self.costs.tolist()))
        for rep, person in enumerate(task.problem.reps):
            self.routing.SetFixedCostOfVehicle(round(person.fixed_cost * self.scale), rep)
        self._add_time()
        self._add_loads()
        self._add_prizes()

    def _add_time(self) -> None:
        import numpy as np

        problem, routing = self.task.problem, self.routing
        count = len(problem.visits)
        service = np.zeros(len(self.places.rows), dtype=np.int64)
        service[:count] = [visit.service_s for visit in problem.visits]
        transit = self.places.durations() + service[:, None]
        horizon = max(rep.shift_end_s + rep.overtime_s for rep in problem.reps)
        routing.AddDimension(routing.RegisterTransitMatrix(transit.tolist()), horizon, horizon, False, "time")
        time = routing.GetDimensionOrDie("time")
        for number, visit in enumerate(problem.visits):
            spans = sorted((window.start_s, window.end_s) for window in visit.windows) or [(0, horizon)]
            moment = time.CumulVar(self.manager.NodeToIndex(number))
            moment.SetRange(spans[0][0], min(spans[-1][1], horizon))
            for (_, end), (start, _) in pairwise(spans):
                if start - end > 1:
                    moment.RemoveInterval(end + 1, start - 1)
        visit_s = [0] * routing.Size()
        for number in range(count):
            visit_s[self.manager.NodeToIndex(number)] = int(service[number])
        for number, rep in enumerate(problem.reps):
            time.CumulVar(routing.Start(number)).SetRange(rep.shift_start_s, rep.shift_end_s)
            time.CumulVar(routing.End(number)).SetRange(rep.shift_start_s, rep.shift_end_s + rep.overtime_s)
            if rep.overtime_s:
                price = round(problem.weights.overtime_s * self.scale)
                time.SetCumulVarSoftUpperBound(routing.End(number), rep.shift_end_s, price)
            breaks = [
                routing.solver().FixedDurationIntervalVar(
                    pause.earliest_s, pause.latest_s, pause.duration_s, False, f"break {number}"
                )
                for pause in rep.breaks
            ]
            if breaks:
                time.SetBreakIntervalsOfVehicle(breaks, number, visit_s)

    def _add_loads(self) -> None:
        routing, problem = self.routing, self.task.problem
        empty = [0] * (len(self.places.rows) - len(problem.visits))
        many = 10**9
        if any(rep.capacity is not None for rep in problem.reps):
            load = routing.RegisterUnaryTransitVector([visit.load for visit in problem.visits] + empty)
            limits = [many if rep.capacity is None else rep.capacity for rep in problem.reps]
            routing.AddDimensionWithVehicleCapacity(load, 0, limits, True, "load")
        if any(rep.max_visits is not None for rep in problem.reps):
            one = routing.RegisterUnaryTransitVector([1] * len(problem.visits) + empty)
            limits = [many if rep.max_visits is None else rep.max_visits for rep in problem.reps]
            routing.AddDimensionWithVehicleCapacity(one, 0, limits, True, "visits")

    def _add_prizes(self) -> None:
        reps = range(len(self.task.problem.reps))
        for number, visit in enumerate(self.task.problem.visits):
            index = self.manager.NodeToIndex(number)
            if not visit.mandatory:
                self.routing.AddDisjunction([index], round(self.task.problem.weights.prize(visit) * self.scale))
            able = [rep for rep in reps if may_serve(self.task, number, rep)]
            if len(able) < len(reps):
                self.routing.VehicleVar(index).SetValues([-1, *able])

    def found(self, solution: Any) -> Found:
        """Return the orders of a solution."""
        if solution is None:
            raise NotModelledError("no plan within the time limit")
        sequences: dict[str, list[str]] = {}
        for number, rep in enumerate(self.task.problem.reps):
            index, order = self.routing.Start(number), []
            while not self.routing.IsEnd(index := solution.Value(self.routing.NextVar(index))):
                order.append(self.task.problem.visits[self.manager.IndexToNode(index)].id)
            if order:
                sequences[rep.id] = order
        return Found(sequences)
