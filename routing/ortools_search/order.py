"""Loads and orders in the OR-Tools model: what is carried, and which visit follows which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routing.day import NEVER

if TYPE_CHECKING:
    from routing.ortools_search.model import Model


def add_loads(model: Model) -> None:
    """Limit what is on board at any time.

    What is handed over is on board from the start, unless it is collected for that visit on the way: see
    :attr:`routing.problem.Visit.collect`.
    """
    limits = model.limits("capacity")
    if limits is None:
        return
    routing, day = model.routing, model.day
    at_start = model.by_node([day.start_load[visit] for visit in model.visits])
    if not any(day.collect[visit] for visit in model.visits):
        # Summed up on the way instead: OR-Tools checks a load that only grows much faster.
        routing.AddDimensionWithVehicleCapacity(at_start, 0, limits, True, "load")
        return
    change = model.by_node([day.collect[visit] - day.load[visit] for visit in model.visits])
    # A visit may hand over more than was collected for it, and OR-Tools knows no loads below 0.
    below = sum(max(0, day.load[visit] - day.collect[visit] - day.start_load[visit]) for visit in model.visits)
    routing.AddDimensionWithVehicleCapacity(at_start, 0, [NEVER] * len(limits), True, "at start")
    routing.AddDimensionWithVehicleCapacity(change, 0, [limit + below for limit in limits], False, "load")
    load, start = routing.GetDimensionOrDie("load"), routing.GetDimensionOrDie("at start")
    for rep in model.reps:
        on_board = load.CumulVar(routing.Start(rep))
        routing.solver().Add(on_board >= start.CumulVar(routing.End(rep)) + below)


def add_orders(model: Model) -> None:
    """Let each visit that comes after another follow it on the same round."""
    day, routing = model.day, model.routing
    pairs = [(day.after[visit], visit) for visit in model.visits if day.after[visit] >= 0]
    if not pairs:
        return
    routing.AddDimension(model.by_node([1] * len(model.visits)), 0, len(model.visits) + 1, True, "rank")
    rank, paired = routing.GetDimensionOrDie("rank"), set[int]()
    for first, then in pairs:
        _follow(model, rank, first, then)
        if day.collect[first] and not {first, then} & paired:
            # OR-Tools then moves both together; a visit may belong to one such pair only.
            routing.AddPickupAndDelivery(model.index[first], model.index[then])
            paired |= {first, then}


def _follow(model: Model, rank: Any, first: int, then: int) -> None:
    routing, solver = model.routing, model.routing.solver()
    before, after = model.index[first], model.index[then]
    made, rep = routing.ActiveVar(after), routing.VehicleVar
    rank.AddNodePrecedence(before, after, 1)
    if model.day.collect[first]:
        solver.Add(rep(before) == rep(after))
    else:
        solver.Add(made <= routing.ActiveVar(before))
        solver.Add(made * (rep(after) - rep(before)) == 0)
    solver.Add(made * (rank.CumulVar(after) - rank.CumulVar(before)) >= made)
