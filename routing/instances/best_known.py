"""Best known distances: from a table, or from the solution files that lie beside instances."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from pathlib import Path

from common.errors import InvalidInput, Text
from common.text_files import decode
from routing.instances.model import Instance
from routing.instances.plain import numbers_of

COST_UNITS = (1, 10, 100, 1000)
"""Solution files give their cost in the instance's unit or in one of these fractions of it."""
CLOSE = 0.02
"""A cost this near to that of the file's routes is meant in the same unit; roundings differ by less."""
ROUTE = re.compile(r"route\s*#?\s*(\d+)\s*:(.*)", re.IGNORECASE)
COST = re.compile(r"cost\s*:?\s+(\S+)\s*$", re.IGNORECASE)


def read_best_table(path: Path) -> dict[str, float]:
    """Return best known distances by instance from a CSV with ``instance`` and ``best_known_distance``.

    Raises
    ------
    InvalidInput
        When the file cannot be read, lacks a column, or a distance is no number.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(Text(f"cannot read {path}: {error.strerror}", f"无法读取 {path}")) from error
    rows = csv.DictReader(io.StringIO(decode(content, name=path.name)))
    try:
        return {row["instance"]: float(row["best_known_distance"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            Text(
                f"{path.name} needs the columns instance and best_known_distance",
                f"{path.name} 需要 instance 和 best_known_distance 两列",
            )
        ) from error


def best_of_solution(content: bytes, instance: Instance, *, name: str = "solution") -> float | None:
    """Return the cost that a VRPLIB solution file claims, in the instance's unit and convention.

    Files state their cost in several units and roundings. Where the routes can be followed, and come to the stated cost
    in one of the units (2 % apart at most, for roundings), it is the routes' cost under the instance's own rounding.
    Otherwise it is the stated one.

    Raises
    ------
    InvalidInput
        When a line of the file is broken.
    """
    routes, cost = _read_solution(decode(content, name=name))
    followed = _cost_of(instance, routes) if routes else None
    if cost is None or followed is None:
        return followed if cost is None else cost
    same = any(abs(cost / unit - followed) <= CLOSE * followed for unit in COST_UNITS)
    return followed if same else cost


def _read_solution(text: str) -> tuple[dict[int, list[int]], float | None]:
    """Return customers' rows by number of the route from 1, and the stated cost."""
    routes: dict[int, list[int]] = {}
    cost = None
    for line, content in enumerate(text.splitlines(), start=1):
        pointer = f"row {line}"
        if found := ROUTE.match(content.strip()):
            stops = numbers_of(found[2].split(), pointer)
            routes[int(found[1])] = [int(stop) for stop in stops]
        elif found := COST.match(content.strip()):
            cost = numbers_of([found[1]], pointer)[0]
    return routes, cost


def _cost_of(instance: Instance, routes: dict[int, list[int]]) -> float | None:
    """Return the routes' cost, or None when they do not name this instance's customers, or leave out one they must."""
    problem, far = instance.problem, instance.table.distance_m
    stops = [instance.visit_at.get(row) for rows in routes.values() for row in rows]
    served = set(stops)
    if None in served or len(served) < len(stops) or max(routes, default=0) > len(problem.reps):
        return None
    left = [visit for place, visit in enumerate(problem.visits) if place not in served]
    if any(visit.mandatory for visit in left):
        return None
    starts, cost = problem.start_places(), sum(problem.weights.prize(visit) for visit in left)
    for number, rows in routes.items():
        if rows:
            home = starts[number - 1]
            places = [home, *(instance.visit_at[row] for row in rows), home]
            cost += sum(int(far[leg]) for leg in pairwise(places)) + problem.reps[number - 1].fixed_cost
    return cost / instance.scale
