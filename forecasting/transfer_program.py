"""The integer program behind `forecasting.transfer_network`: several materials share the vehicles of a lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecasting.transfer_network import Key, MaterialNeeds


def solve_shared(
    needs: Sequence[MaterialNeeds], lanes: Mapping[tuple[str, str], float], lane_load_units: int, *, effort: float
) -> tuple[dict[Key, int], bool]:
    """Return units by (material, donor, receiver), and whether every goal was proven best.

    Goals in order: most shortage cost covered, the rank of the regions that get it (by conversion), least unit-seconds.
    """
    from ortools.sat.python import cp_model

    model: Any = cp_model.CpModel()
    units = _add_variables(model, needs, lanes, lane_load_units)
    cost = {each.material: max(1, round(100 * each.shortage_cost_cny)) for each in needs}
    ranks = _ranks(needs)
    goals: list[Any] = [
        sum(-cost[m] * x for (m, _, _), x in units.items()),
        sum(-cost[m] * ranks[m, receiver] * x for (m, _, receiver), x in units.items()),
        sum(round(lanes[donor, receiver]) * x for (_, donor, receiver), x in units.items()),
    ]
    best: dict[Key, int] = {}
    proven = True
    for goal in goals:
        model.minimize(goal)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            proven = False  # nothing moved is always feasible: only the limit can end here
            break
        proven = proven and status == cp_model.OPTIMAL
        best = {key: solver.value(x) for key, x in units.items()}
        model.add(goal <= round(solver.objective_value))
        model.clear_hints()
        for key, x in units.items():
            model.add_hint(x, best[key])
    return {key: value for key, value in best.items() if value > 0}, proven


def _add_variables(
    model: Any, needs: Sequence[MaterialNeeds], lanes: Mapping[tuple[str, str], float], lane_load_units: int
) -> dict[Key, Any]:
    units: dict[Key, Any] = {}
    on_lane: dict[tuple[str, str], list[Any]] = {}
    for each in needs:
        stocks = {stock.region: stock for stock in each.regions}
        given: dict[str, list[Any]] = {}
        got: dict[str, list[Any]] = {}
        for donor, receiver in lanes:
            if donor not in stocks or receiver not in stocks:
                continue
            most = min(stocks[donor].spare_units, stocks[receiver].short_units, lane_load_units // each.load_units)
            if most <= 0 or donor == receiver:
                continue
            x = model.new_int_var(0, most, "")
            units[each.material, donor, receiver] = x
            given.setdefault(donor, []).append(x)
            got.setdefault(receiver, []).append(x)
            on_lane.setdefault((donor, receiver), []).append(each.load_units * x)
        for donor, terms in given.items():
            model.add(sum(terms) <= stocks[donor].spare_units)
        for receiver, terms in got.items():
            model.add(sum(terms) <= stocks[receiver].short_units)
    for terms in on_lane.values():
        model.add(sum(terms) <= lane_load_units)
    return units


def _ranks(needs: Sequence[MaterialNeeds]) -> dict[tuple[str, str], int]:
    result: dict[tuple[str, str], int] = {}
    for each in needs:
        order = {w: rank for rank, w in enumerate(sorted({s.conversion_weight for s in each.regions}))}
        result |= {(each.material, stock.region): order[stock.conversion_weight] for stock in each.regions}
    return result
