"""Lays a small day out as the arrays of :mod:`routing.proof.layout`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from routing.day import NEVER, Day, drive
from routing.proof import layout as columns
from routing.proof.layout import Person

if TYPE_CHECKING:
    from numpy.typing import NDArray


def visits_that_matter(day: Day, candidates: Sequence[Sequence[int]]) -> list[int]:
    """Return the visits that may be on some round; locked ones always are."""
    direct = _is_direct(day.table.duration_s) and _is_direct(day.table.distance_m)
    reps = range(len(day.problem.reps))
    return [
        visit
        for visit, able in enumerate(candidates)
        if day.locked_to[visit] >= 0 or (able if direct else any(day.may_visit(visit, rep) for rep in reps))
    ]


def _is_direct(table: NDArray[np.int32]) -> bool:
    """Return whether no way is longer than the way over a third place."""
    ways = table.astype(np.int64)
    return all(bool((ways <= ways[:, [via]] + ways[[via], :]).all()) for via in range(len(ways)))


def person_of(day: Day, rep: int, chosen: Sequence[int]) -> Person:
    """Return the arrays of one rep and the ``chosen`` visits, whose positions are numbered anew."""
    person = day.problem.reps[rep]
    place = {visit: number for number, visit in enumerate(chosen)}
    rows = [*chosen, day.start_place[rep]]
    visit, span = _visit_columns(day, rep, place)
    return Person(
        _legs(day.table.duration_s, rows, day.end_place[rep]).astype(np.int64),
        _legs(day.table.distance_m, rows, day.end_place[rep]).astype(np.int64),
        _legs(np.array(day.leg_cost, dtype=float), rows, day.end_place[rep]) + _change_cost(day, rep, chosen),
        visit,
        span,
        _amounts(day, chosen),
        np.array([(b.earliest_s, b.latest_s, b.duration_s) for b in person.breaks], dtype=np.int64).reshape(-1, 3),
        _begins(day, rep),
        np.array([place[locked] for locked in day.first_stops[rep]], dtype=np.int64),
        _limits(day, rep),
        _prices(day, rep),
    )


def _legs(table: NDArray[Any], rows: Sequence[int], home: int) -> NDArray[Any]:
    """Return ``table`` from visits and start to visits, start (which nobody goes to) and end."""
    ways = np.zeros((len(rows), len(rows) + 1), dtype=table.dtype)
    ways[:, :-1] = table[np.ix_(rows, rows)]
    if home >= 0:
        ways[:, -1] = table[rows, home]
    return ways


def _change_cost(day: Day, rep: int, chosen: Sequence[int]) -> NDArray[np.float64]:
    cost = np.zeros(len(chosen) + 2)
    for number, visit in enumerate(chosen):
        usual = day.problem.visits[visit].usual_rep
        if usual and usual != day.problem.reps[rep].id:
            cost[number] = day.problem.weights.change
    return cost


def _visit_columns(day: Day, rep: int, place: dict[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    table = np.zeros((len(place), columns.VISIT_COLUMNS), dtype=np.int64)
    span: list[tuple[int, int]] = []
    for visit, number in place.items():
        row, before = table[number], day.after[visit]
        receivers = day.dependants[visit] if day.collect[visit] else []
        # Without what it follows, or without those for whom it collects, a visit is not made.
        needed = [*receivers, *([before] if before >= 0 else [])]
        row[columns.ABLE] = day.may_visit(visit, rep) and all(other in place for other in needed)
        row[columns.SERVICE] = day.service_s[visit]
        row[columns.FROM_START] = day.start_load[visit]
        row[columns.NET] = day.collect[visit] - day.load[visit]
        row[columns.BEFORE] = 1 << place[before] if before in place else 0
        row[columns.WITH] = sum(1 << place[other] for other in receivers if other in place)
        row[columns.SPAN], row[columns.SPANS] = len(span), len(day.spans[visit])
        span += day.spans[visit]
    return table, np.array(span, dtype=np.int64).reshape(-1, 2)


def _amounts(day: Day, chosen: Sequence[int]) -> NDArray[np.float64]:
    """Return what each visit adds to the fairness measure, the way aside."""
    weights = day.problem.weights
    if weights.fairness_measure == "visits":
        return np.ones(len(chosen))
    if weights.fairness_measure == "value":
        return np.array([weights.points(day.problem.visits[visit]) for visit in chosen], dtype=float)
    return np.array([day.service_s[visit] for visit in chosen], dtype=float)


def _begins(day: Day, rep: int) -> NDArray[np.int64]:
    person = day.problem.reps[rep]
    taken = range(1, len(person.breaks) + 1)
    begins = [max(person.shift_start_s, drive(-NEVER, 0, person.breaks[:count])) for count in taken]
    return np.array([person.shift_start_s, *begins], dtype=np.int64)


def _limits(day: Day, rep: int) -> NDArray[np.int64]:
    person, weights = day.problem.reps[rep], day.problem.weights
    limits = np.full(columns.PERSON_LIMITS, NEVER, dtype=np.int64)
    limits[columns.LATEST_END] = person.shift_end_s + person.overtime_s
    limits[columns.SHIFT_END] = person.shift_end_s
    limits[columns.COUNTS_WAY] = weights.fairness > 0 and weights.fairness_measure == "minutes"
    for column, limit in (
        (columns.MAX_VISITS, person.max_visits),
        (columns.CAPACITY, person.capacity),
        (columns.MAX_TRAVEL, person.max_travel_s),
        (columns.MAX_DISTANCE, person.max_distance_m),
    ):
        if limit is not None:
            limits[column] = limit
    return limits


def _prices(day: Day, rep: int) -> NDArray[np.float64]:
    person, weights, reps = day.problem.reps[rep], day.problem.weights, len(day.problem.reps)
    prices = np.zeros(columns.PERSON_PRICES)
    prices[columns.FIXED] = person.fixed_cost
    prices[columns.OVERTIME] = weights.overtime_s
    if weights.fairness_measure == "minutes":
        # The steepest that n × the standard deviation of n amounts rises with one of them.
        prices[columns.SLOPE] = weights.fairness * math.sqrt(reps - 1)
    return prices
