"""Searches for good orders of visits with OR-Tools; all OR-Tools routing code of the day plan is here and beside it.

It knows nothing of times and reports: it answers with orders of visits, better and better ones by its own cost. That
cost is that of :class:`routing.problem.ObjectiveWeights` without fairness, which is no sum over legs and visits: who
asks for the orders compares them by their true cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from routing.day import NEVER
from routing.ortools_search.model import Model, able_reps

if TYPE_CHECKING:
    from routing.search import Orders, SearchTask

LIGHT_OPERATORS = frozenset({"use_relocate", "use_exchange", "use_two_opt", "use_cross"})
"""Local search between ruin steps must be cheap: the ruin step finds the improvements (docs/decisions/0020)."""
OPTIONAL_OPERATORS = frozenset({"use_make_active", "use_make_inactive", "use_swap_active"})
"""Added when visits may be left out; on other days they only slow the search down."""
SMALL_DAY = 25
SMALL_DAY_OPERATORS = frozenset({"use_full_path_lns"})
"""Gives whole rounds to other reps, which small steps cannot where reps have fixed costs; slow on larger days."""
REMOVED_VISITS_PRIZES, REMOVED_VISITS_FIXED = 20, 10
LONGEST_STRING = 10
HOTTEST, COLDEST = 1.0, 0.03
"""Temperatures, relative to the median way from a visit to its nearest neighbour."""


def search(task: SearchTask, on_better: Callable[[Orders], None]) -> None:
    """Look for better orders until ``task.end_s`` and hand each to ``on_better``.

    Iterated local search: slack induction by string removals (Christiaens and Vanden Berghe 2020), cheapest insertion,
    light local search, acceptance by simulated annealing. A mandatory visit is worth more than all optional ones.
    """
    day, able = task.day, able_reps(task.day, task.candidates)
    # Where nobody may be left out, saying so outright finds better plans than a high price; but it may find none, and
    # where visits follow each other it takes all the time to see that.
    everyone = all(day.firm[visit] and day.after[visit] < 0 for visit, reps in enumerate(able) if reps)
    if not (everyone and _search(Model(day, able, task.seed, firm=True), task.end_s, on_better)):
        _search(Model(day, able, task.seed, firm=False), task.end_s, on_better)


def _search(model: Model, end_s: float, on_better: Callable[[Orders], None]) -> bool:
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


def _parameters(model: Model, limit_ms: int) -> Any:
    import numpy as np
    from ortools.constraint_solver import pywrapcp
    from ortools.constraint_solver.routing_enums_pb2 import FirstSolutionStrategy
    from ortools.util.optional_boolean_pb2 import BOOL_FALSE, BOOL_TRUE

    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.time_limit.FromMilliseconds(limit_ms)
    operators = parameters.local_search_operators
    count = len(model.visits)
    chosen = LIGHT_OPERATORS | (frozenset() if model.firm else OPTIONAL_OPERATORS)
    if count <= SMALL_DAY:
        chosen |= SMALL_DAY_OPERATORS
    for operator in operators.DESCRIPTOR.fields:
        setattr(operators, operator.name, BOOL_TRUE if operator.name in chosen else BOOL_FALSE)
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
