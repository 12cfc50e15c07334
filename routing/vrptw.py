"""Solves the VRPTW benchmark files of Solomon (1987) with the product's own engine.

The convention is that of the DIMACS challenge 2022: every distance is truncated to one decimal, total distance is
minimised, and the fleet's size is not. Problem times are tenths of the file's unit.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common.errors import InvalidInput, Text
from common.places import Location
from common.text_files import decode
from routing.check import check
from routing.problem import DayProblem, Rep, TimeWindow, Visit
from routing.solve import solve
from routing.travel_times import MatrixTravelTimes, TravelTable

DEGREES_PER_UNIT = 0.001
"""The files' plane is laid on the earth small and away from (0, 0), for maps only; times come from the plane."""


def read_solomon(content: bytes, *, name: str = "instance") -> tuple[DayProblem, TravelTable]:
    """Return the problem and the travel table of a file in Solomon's format.

    Every customer is mandatory; each vehicle is a rep with a capacity. Durations and distances are tenths of a unit.

    Raises
    ------
    InvalidInput
        When the file is not in this format; the line is named.
    """
    import numpy as np

    lines = [line.split() for line in decode(content, name=name).splitlines()]
    head = next((number for number, words in enumerate(lines) if words[:1] == ["NUMBER"]), None)
    first = next((number for number, words in enumerate(lines) if words[:1] == ["CUST"]), None)
    if head is None or first is None or head + 1 >= len(lines):
        raise InvalidInput(Text(f"{name} is not a Solomon file", f"{name} 不是 Solomon 格式的文件"))
    vehicles, capacity = _numbers(lines[head + 1], 2, head + 2)
    rows = [_numbers(words, 7, number) for number, words in enumerate(lines[first + 1 :], first + 2) if words]
    if len(rows) < 2:
        raise InvalidInput(Text(f"{name} has no customers", f"{name} 没有客户"))
    plane = np.array([row[1:3] for row in rows], dtype=float)
    tenths = np.floor(10 * np.sqrt(((plane[:, None] - plane) ** 2).sum(axis=2)) + 1e-9).astype(int)
    size = len(rows) - 1
    # Places are the customers, then a start and an end for each vehicle: all at row 0 of the file.
    places = [*range(1, size + 1), *[0] * (2 * vehicles)]
    given = MatrixTravelTimes(tenths[np.ix_(places, places)], tenths[np.ix_(places, places)])
    problem = DayProblem(
        tuple(_customer(row) for row in rows[1:]),
        tuple(_vehicle(f"V{number + 1}", rows[0], capacity) for number in range(vehicles)),
    )
    return problem, given.table(problem.locations())


def _numbers(words: Sequence[str], count: int, line: int) -> list[int]:
    try:
        numbers = [int(float(word)) for word in words]
    except (ValueError, OverflowError):
        numbers = []
    if len(numbers) != count or any(number < 0 for number in numbers):
        raise InvalidInput.at(f"row {line}", f"must have {count} numbers", f"应有 {count} 个数字")
    return numbers


def _place(row: Sequence[int]) -> Location:
    return Location((row[2] + 1) * DEGREES_PER_UNIT, (row[1] + 1) * DEGREES_PER_UNIT)


def _customer(row: Sequence[int]) -> Visit:
    number, _, _, demand, ready, due, service = row
    window = TimeWindow(10 * ready, 10 * due)
    return Visit(str(number), str(number), _place(row), 10 * service, (window,), mandatory=True, load=demand)


def _vehicle(name: str, depot: Sequence[int], capacity: int) -> Rep:
    home = _place(depot)
    return Rep(name, name, home, 10 * depot[4], 10 * depot[5], home, capacity=capacity)


def bench(
    directory: Path, seconds: Sequence[float], best: Path | None = None, *, instances: Sequence[str] = ()
) -> dict[str, Any]:
    """Solve the files of a directory one after another and return distances and gaps.

    Parameters
    ----------
    directory : Path
        With files ``*.txt`` in Solomon's format.
    seconds : sequence of float
        Time limits; every instance is solved with each.
    best : Path, optional
        CSV with ``instance`` and ``best_known_distance``.
    instances : sequence of str
        Only these (file names without ``.txt``); none: all.

    Returns
    -------
    dict
        ``{"runs": [{"instance", "seconds", "distance", "best", "gap_percent", "feasible", "wall_s"}],
        "mean_gap_percent": {"5": …}}``; ``best`` and ``gap_percent`` are None where no best distance is known. The
        distance counts served customers only; a run that leaves one out is not feasible and has no gap.

    Raises
    ------
    InvalidInput
        When the directory has no such files, or one is not in the format.
    """
    known = _best_known(best) if best is not None else {}
    paths = [path for path in sorted(directory.glob("*.txt")) if not instances or path.stem in instances]
    missing = set(instances) - {path.stem for path in paths}
    if not paths or missing:
        names = ", ".join(sorted(missing)) or "*.txt"
        raise InvalidInput(Text(f"{directory} has no {names}", f"{directory} 中没有 {names}"))
    runs = [run for limit in seconds for run in _runs(paths, limit, known)]
    means = {}
    for limit in seconds:
        gaps = [run["gap_percent"] for run in runs if run["seconds"] == limit and run["gap_percent"] is not None]
        means[f"{limit:g}"] = round(sum(gaps) / len(gaps), 3) if gaps else None
    return {"runs": runs, "mean_gap_percent": means}


def _best_known(path: Path) -> dict[str, float]:
    rows = csv.DictReader(io.StringIO(decode(path.read_bytes(), name=path.name)))
    try:
        return {row["instance"]: float(row["best_known_distance"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            Text(
                f"{path.name} needs the columns instance and best_known_distance",
                f"{path.name} 需要 instance 和 best_known_distance 两列",
            )
        ) from error


def _runs(paths: Sequence[Path], limit: float, known: dict[str, float]) -> Iterator[dict[str, Any]]:
    for path in paths:
        problem, table = read_solomon(path.read_bytes(), name=path.name)
        began = time.perf_counter()
        plan = solve(problem, table, time_limit_s=limit)
        wall_s = time.perf_counter() - began
        report = check(problem, table, plan)
        distance = report.distance_m / 10
        best = known.get(path.stem)
        gap = 100 * (distance / best - 1) if best and report.feasible else math.nan
        yield {
            "instance": path.stem,
            "seconds": limit,
            "distance": distance,
            "best": best,
            "gap_percent": None if math.isnan(gap) else round(gap, 3),
            "feasible": report.feasible,
            "wall_s": round(wall_s, 3),
        }
