"""Lays a day out as the arrays of the compiled search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from routing.day import NEVER, Day, Round
from routing.kernel import fields as f
from routing.kernel.fields import Plan, Search

NEAR = 100
"""Visits near a seed from which strings are taken."""
NEIGHBOURS = 20
"""Visits after which, and before which, a visit is tried."""
WAITING_COST = 0.2
"""Share of an unavoidable wait that counts as distance between two visits."""
VALUE_SCALE = 1000
"""The fairness measure is counted in whole numbers; a value keeps three decimals."""


def search_arrays(
    day: Day, candidates: Sequence[Sequence[int]], *, neighbours: int = NEIGHBOURS, near: int = NEAR
) -> Search:
    """Return the arrays of a day; ``candidates`` are the reps who could make each visit."""
    problem = day.problem
    visits, reps = len(problem.visits), len(problem.reps)
    rows, place = _places(day)
    travel = _by_place(day.table.duration_s, rows)
    distance = _by_place(day.table.distance_m, rows)
    leg = problem.weights.travel_s * travel + problem.weights.distance_m * distance.astype(np.float64)
    node, span = _nodes(day, place)
    able = np.zeros((visits, reps), dtype=np.uint8)
    for visit, able_reps in enumerate(candidates):
        able[visit, list(able_reps)] = 1
    possible = np.array([visit for visit in range(visits) if able[visit].any()], dtype=np.int32)
    prize, mandatory_from = _prizes(day, leg, possible)
    rep, pause, begin = _reps(day)
    kinds, member = _kinds(day, rep, place, able)
    dependant_row, dependant = _dependants(node, visits)
    has = _switches(day, node, rep, possible)
    pred, succ = _neighbours(leg, travel, node, possible, neighbours)
    measure = problem.weights.fairness_measure
    price = np.zeros(f.PRICES)
    price[f.OVERTIME_PRICE], price[f.CHANGE_PRICE] = problem.weights.overtime_s, problem.weights.change
    price[f.FAIRNESS_PRICE] = problem.weights.fairness / (VALUE_SCALE if measure == "value" else 1)
    price[f.MANDATORY_FROM] = mandatory_from
    limited = any(one.max_distance_m is not None for one in problem.reps)
    return Search(
        travel=travel,
        leg=leg.astype(np.float64),
        distance=distance if limited else np.zeros((1, 1), dtype=np.int32),
        node=node,
        rep=rep,
        pause=pause,
        begin=begin,
        span=span,
        prize=prize,
        weight=_fairness_weights(day),
        fixed=np.array([one.fixed_cost for one in problem.reps], dtype=np.float64),
        able=able,
        near=_near(leg, possible, visits, near),
        pred=pred,
        succ=succ,
        pred_leg=np.ascontiguousarray(leg.T)[np.arange(visits)[:, None], pred],
        succ_leg=leg[np.arange(visits)[:, None], succ],
        kinds=kinds,
        member=member,
        dependant_row=dependant_row,
        dependant=dependant,
        price=price,
        has=has,
        possible=possible,
    )


def empty_plan(search: Search) -> Plan:
    """Return a plan of the right size; it must be loaded before use."""
    nodes, width = len(search.node), search.begin.shape[1]
    return Plan(
        np.zeros((3, nodes), dtype=np.int32),
        np.zeros((nodes, width), dtype=np.int32),
        np.zeros((nodes, width), dtype=np.int32),
        np.zeros((len(search.fixed), f.TOTALS), dtype=np.int32),
        np.zeros(nodes, dtype=np.float64),
    )


def _places(day: Day) -> tuple[list[int], list[int]]:
    """Return the rows of the travel table that are needed (-1: nowhere, for open ends), and each node's row in them.

    Starts and ends that are the same place share a row: what the search reads most stays small.
    """
    visits = len(day.problem.visits)
    rows = list(range(visits))
    place = list(range(visits))
    table = day.table.duration_s
    known: dict[Any, int] = {}
    for row in [*day.start_place, *day.end_place]:
        key = (table[row].tobytes(), table[:, row].tobytes(), day.table.distance_m[row].tobytes()) if row >= 0 else -1
        if key not in known:
            known[key] = len(rows)
            rows.append(row)
        place.append(known[key])
    return rows, place


def _by_place(table: Any, rows: list[int]) -> Any:
    chosen = np.array(rows)
    part = table[np.ix_(chosen, chosen)].astype(np.int32)
    part[:, chosen < 0] = 0
    part[chosen < 0, :] = 0
    return np.ascontiguousarray(part)


def _nodes(day: Day, place: list[int]) -> tuple[Any, Any]:
    problem = day.problem
    at = {visit.id: index for index, visit in enumerate(problem.visits)}
    locked = {visit_id for rep in problem.reps for visit_id in rep.first_stops}
    node = np.zeros((len(place), f.NODE_COLUMNS), dtype=np.int32)
    node[:, f.PLACE] = place
    node[:, f.AFTER] = f.NOWHERE
    spans: list[tuple[int, int]] = []
    for index, visit in enumerate(problem.visits):
        own = day.spans[index]
        first = problem.visits[at[visit.after]] if visit.after in at else None
        collected = first is not None and first.collect > 0
        node[index, f.SERVICE] = visit.service_s
        node[index, f.OPENS], node[index, f.CLOSES] = own[0][0], own[-1][1]
        node[index, f.SPAN], node[index, f.SPANS] = len(spans), len(own)
        node[index, f.LOAD], node[index, f.DROP] = (0 if collected else visit.load), visit.load
        node[index, f.COLLECT] = visit.collect
        # Where the visit before it is not among these visits, nobody can make this one; it has no candidates then.
        node[index, f.AFTER] = at.get(visit.after, f.NOWHERE)
        node[index, f.LOCKED] = visit.id in locked
        node[index, f.USUAL] = day.usual[index]
        spans += own
    return node, np.array(spans, dtype=np.int32).reshape(-1, 2)


def _prizes(day: Day, leg: Any, possible: Any) -> tuple[Any, float]:
    """Return what leaving each visit out costs, and from where on a prize is that of a mandatory visit."""
    visits = day.problem.visits
    prize = np.array(day.prize, dtype=np.float64)
    firm = np.array([visit.mandatory for visit in visits])
    for rep in day.problem.reps:
        firm |= np.array([visit.id in rep.first_stops for visit in visits])
    weights = day.problem.weights
    longest = float(leg.max()) + weights.change + weights.overtime_s * max(one.overtime_s for one in day.problem.reps)
    fixed = sum(one.fixed_cost for one in day.problem.reps)
    unfair = weights.fairness * len(day.problem.reps) * 1e5
    above_all = prize[~firm].sum() + longest * (len(visits) + 2 * len(day.problem.reps)) + fixed + unfair + 1
    prize[firm] += above_all
    return prize, above_all if firm.any() else f.INFINITE


def _reps(day: Day) -> tuple[Any, Any, Any]:
    reps = day.problem.reps
    widest = max(len(rep.breaks) for rep in reps)
    table = np.full((len(reps), f.REP_COLUMNS), NEVER, dtype=np.int32)
    pause = np.zeros((len(reps), max(1, widest), 3), dtype=np.int32)
    begin = np.full((len(reps), widest + 1), NEVER, dtype=np.int32)
    for index, rep in enumerate(reps):
        table[index, f.SHIFT_END], table[index, f.OVERTIME] = rep.shift_end_s, rep.overtime_s
        table[index, f.LIMIT] = rep.shift_end_s + rep.overtime_s
        table[index, f.BREAKS] = len(rep.breaks)
        limits = (rep.max_visits, rep.capacity, rep.max_travel_s, rep.max_distance_m)
        for column, limit in zip((f.MAX_VISITS, f.CAPACITY, f.MAX_TRAVEL, f.MAX_DISTANCE), limits, strict=True):
            if limit is not None:
                table[index, column] = limit
        for number, one in enumerate(rep.breaks):
            pause[index, number] = one.earliest_s, one.latest_s, one.duration_s
        begin[index, : len(rep.breaks) + 1] = Round(day, index).earliest[0]
    return table, pause, begin


def _kinds(day: Day, rep: Any, place: list[int], able: Any) -> tuple[Any, Any]:
    """Group reps who are alike, so that only one empty route of each kind is tried, and note each rep's kind."""
    visits, reps = len(day.problem.visits), len(day.problem.reps)
    groups: dict[Any, list[int]] = {}
    for index, one in enumerate(day.problem.reps):
        alone = index if day.problem.weights.change else -1
        homes = (place[visits + index], place[visits + reps + index])
        key = (
            homes,
            one.shift_start_s,
            one.breaks,
            one.fixed_cost,
            rep[index].tobytes(),
            able[:, index].tobytes(),
            alone,
        )
        groups.setdefault(key, []).append(index)
    kinds: list[tuple[int, int]] = []
    member: list[int] = []
    for number, group in enumerate(groups.values()):
        kinds.append((len(member), len(member) + len(group)))
        member += group
        rep[group, f.KIND] = number
    return np.array(kinds, dtype=np.int32), np.array(member, dtype=np.int32)


def _dependants(node: Any, visits: int) -> tuple[Any, Any]:
    after = node[:visits, f.AFTER]
    order = np.argsort(after, kind="stable")
    order = order[after[order] >= 0]
    row = np.searchsorted(after[order], np.arange(visits + 1))
    return row.astype(np.int32), order.astype(np.int32)


def _switches(day: Day, node: Any, rep: Any, possible: Any) -> Any:
    problem, visits = day.problem, len(day.problem.visits)
    has = np.zeros(f.HAS_COLUMNS, dtype=np.uint8)
    has[f.HAS_OPTIONAL] = any(not problem.visits[visit].mandatory for visit in possible)
    has[f.HAS_FAIRNESS] = problem.weights.fairness > 0 and len(problem.reps) > 1
    limited = any(one.max_travel_s is not None or one.max_distance_m is not None for one in problem.reps)
    has[f.HAS_LIMITS] = limited or has[f.HAS_FAIRNESS]
    has[f.HAS_CHANGE] = problem.weights.change > 0 and (node[:visits, f.USUAL] != f.NOWHERE).any()
    has[f.HAS_ORDER] = (node[:visits, f.AFTER] >= 0).any()
    has[f.HAS_COLLECT] = (node[:visits, f.COLLECT] > 0).any()
    has[f.HAS_OVERTIME] = (rep[:, f.OVERTIME] > 0).any()
    has[f.WAY_COUNTS] = problem.weights.fairness_measure == "minutes"
    rare = [f.HAS_LIMITS, f.HAS_CHANGE, f.HAS_ORDER, f.HAS_COLLECT]
    has[f.IS_RICH] = has[rare].any() or node[:visits, f.LOCKED].any()
    return has


def _fairness_weights(day: Day) -> Any:
    weights = day.problem.weights
    if weights.fairness_measure == "visits":
        amounts = [1.0] * len(day.problem.visits)
    elif weights.fairness_measure == "value":
        amounts = [min(weights.points(visit), 1e5) * VALUE_SCALE for visit in day.problem.visits]
    else:
        amounts = [float(seconds) for seconds in day.service_s]
    return np.rint(amounts).astype(np.int32)


def _near(leg: Any, possible: Any, visits: int, many: int) -> Any:
    """Return for each visit the nearest others that can be made, filled up with -1."""
    many = min(many, max(1, len(possible)))
    near = np.full((visits, many), -1, dtype=np.int32)
    if not len(possible):
        return near
    ways = leg[np.ix_(possible, possible)]
    ways = ways + ways.T
    np.fill_diagonal(ways, -1.0)
    order = np.argsort(ways, axis=1, kind="stable")[:, :many]
    near[possible] = possible[order]
    return near


def _neighbours(leg: Any, travel: Any, node: Any, possible: Any, few: int) -> tuple[Any, Any]:
    """Return for each visit those that could well come right before it, and those right after it."""
    visits = int((node[:, f.SPANS] > 0).sum())
    horizon = 2 * 48 * 3600
    opens = node[possible, f.OPENS].astype(np.int64)
    closes = np.minimum(node[possible, f.CLOSES], horizon).astype(np.int64)
    done = node[possible, f.SERVICE][:, None] + travel[np.ix_(possible, possible)].astype(np.int64)
    way = leg[np.ix_(possible, possible)].copy()
    way += WAITING_COST * np.maximum(0, opens[None, :] - (closes[:, None] + done))
    way[opens[:, None] + done > closes[None, :]] = np.inf
    np.fill_diagonal(way, np.inf)
    few = min(few, max(1, len(possible) - 1))
    lists = []
    for table in (way.T, way):
        chosen = np.full((visits, few), -1, dtype=np.int32)
        if len(possible) > 1:
            order = np.argsort(table, axis=1, kind="stable")[:, :few]
            names = possible[order]
            names[~np.isfinite(np.take_along_axis(table, order, axis=1))] = -1
            chosen[possible] = names
        lists.append(chosen)
    return lists[0], lists[1]
