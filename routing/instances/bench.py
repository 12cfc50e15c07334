"""Solves folders of published instances with the product's own engine and measures the gap to the best known."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import InvalidInput, Text
from routing.check import CheckReport, check
from routing.instances.best_known import best_of_solution, read_best_table
from routing.instances.model import Instance, is_instance, read_instance
from routing.instances.rounding import ROUNDINGS, Rounding
from routing.search_process import warm
from routing.solve import solve

LONGEST_COMPILING_S = 600.0
"""How long the first start after an installation may take."""
ENDINGS = (".txt", ".vrp", ".vrptw", ".gz")
Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to measure.

    Attributes
    ----------
    seconds : sequence of float
        Time limits; every instance is solved with each.
    best : Path, optional
        CSV with ``instance`` and ``best_known_distance``. Where it names none, a solution file beside the instance
        (``R101.sol``) does.
    instances : sequence of str
        Only these (file names without ending); none: all.
    rounding : str
        See :mod:`routing.instances.rounding`.
    seed : int
        Seed of the search.
    """

    seconds: Sequence[float]
    best: Path | None = None
    instances: Sequence[str] = ()
    rounding: Rounding = "auto"
    seed: int = 0


def bench(
    directory: Path, options: BenchOptions, on_run: Callable[[int, int, Run], None] | None = None
) -> dict[str, Any]:
    """Solve the instances of a directory one after another and return distances and gaps.

    Parameters
    ----------
    directory : Path
        With Solomon, Homberger or VRPLIB files (``.txt``, ``.vrp``, ``.vrptw``, each also packed as ``.gz``); other
        files are passed over.
    on_run : callable, optional
        Called with the number of runs done, the number of all, and the last one.

    Returns
    -------
    dict
        ``{"runs": [{"instance", "seconds", "distance", "best", "gap_percent", "feasible", "wall_s"}],
        "mean_gap_percent": {"5": …}, "worst_gap_percent": {"5": …}, "by_class": {"5": {"R1": …}}}``. Distances are in
        the file's unit; a run also has ``class``, ``kind``, ``rounding``, ``objective`` (distance, fixed costs and
        prizes not collected), ``served``, ``unserved``, ``vehicles`` and ``broken`` (names of constraints).
        The gap is that of the objective, which is the distance where there are no prizes and fixed costs. ``best``
        and ``gap_percent`` are None where no best distance is known; a plan that the checker refuses has no gap.

    Raises
    ------
    InvalidInput
        When an option is wrong, the directory has no instances, or one is broken.
    """
    _refuse_wrong(options)
    paths = find_instances(directory, options.instances)
    known = read_best_table(options.best) if options.best is not None else {}
    total = len(paths) * len(options.seconds)
    runs: list[Run] = []
    for path in paths:
        instance = read_instance(path.read_bytes(), name=name_of(path), rounding=options.rounding)
        best = known[instance.name] if instance.name in known else _best_beside(path, instance)
        if not runs:
            # As in a running service; after an installation the search is compiled first.
            warm(LONGEST_COMPILING_S)
        for limit in options.seconds:
            runs.append(_run(instance, limit, best, options.seed))
            if on_run is not None:
                on_run(len(runs), total, runs[-1])
    order = {limit: place for place, limit in enumerate(options.seconds)}
    runs.sort(key=lambda run: order[run["seconds"]])
    return {"runs": runs, **_summaries(runs)}


def class_of(name: str) -> str:
    """Return an instance's class: leading letters and the digit that follows, such as ``RC1`` for ``RC1_10_3``."""
    found = re.match(r"[A-Za-z]+\d?", name)
    return found[0].upper() if found else name


def _refuse_wrong(options: BenchOptions) -> None:
    if not options.seconds or not all(0 < limit <= 86_400 for limit in options.seconds):
        raise InvalidInput.at("seconds", "must be numbers above 0, such as 1,5,10", "应为正数，如 1,5,10")
    if options.rounding not in ROUNDINGS:
        names = ", ".join(ROUNDINGS)
        raise InvalidInput.at("rounding", f"must be one of {names}", f"应为 {names} 之一")


def name_of(path: Path) -> str:
    """Return an instance's name: the file's without its ending."""
    name = path.name.removesuffix(".gz")
    return name[: name.rindex(".")] if "." in name else name


def find_instances(directory: Path, wanted: Sequence[str] = ()) -> list[Path]:
    """Return the instance files of a directory, in the order of their names (``C1_10_2`` before ``C1_10_10``).

    Raises
    ------
    InvalidInput
        When there are none, or one of those wanted is missing.
    """
    files = [path for path in directory.glob("*") if path.suffix.lower() in ENDINGS and path.is_file()]
    paths = [
        path
        for path in sorted(files, key=lambda path: _in_order(name_of(path)))
        if (name_of(path) in wanted if wanted else is_instance(path.read_bytes(), name=path.name))
    ]
    missing = sorted(set(wanted) - {name_of(path) for path in paths})
    if not paths or missing:
        names = ", ".join(missing) or "instances (*.txt, *.vrp)"
        raise InvalidInput(Text(f"{directory} has no {names}", f"{directory} 中没有 {names}"))
    return paths


def _in_order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _best_beside(path: Path, instance: Instance) -> float | None:
    beside = path.with_name(f"{name_of(path)}.sol")
    return best_of_solution(beside.read_bytes(), instance, name=beside.name) if beside.exists() else None


def _run(instance: Instance, limit: float, best: float | None, seed: int) -> Run:
    began = time.perf_counter()
    plan = solve(instance.problem, instance.table, time_limit_s=limit, seed=seed)
    wall_s = time.perf_counter() - began
    run = measured(instance, check(instance.problem, instance.table, plan), best)
    return {**run, "seconds": limit, "wall_s": round(wall_s, 3), "vehicles": len(plan.routes)}


def measured(instance: Instance, report: CheckReport, best: float | None) -> Run:
    """Return what a checked plan comes to; see :func:`bench`."""
    objective = instance.objective(report)
    gap = 100 * (objective / best - 1) if best and report.feasible else None
    return {
        "instance": instance.name,
        "class": class_of(instance.name),
        "kind": instance.kind,
        "rounding": instance.rounding,
        "distance": round(instance.distance(report), 3),
        "objective": round(objective, 3),
        "best": best,
        "gap_percent": None if gap is None else round(gap, 3),
        "feasible": report.feasible,
        "served": report.served,
        "unserved": len(instance.problem.visits) - report.served,
        "broken": sorted({found.constraint for found in report.violations}),
    }


def _summaries(runs: Sequence[Run]) -> dict[str, Any]:
    limits = dict.fromkeys(f"{run['seconds']:g}" for run in runs)
    gaps: dict[str, dict[str, list[float]]] = {limit: {} for limit in limits}
    for run in runs:
        mine = gaps[f"{run['seconds']:g}"].setdefault(run["class"], [])
        if run["gap_percent"] is not None:
            mine.append(run["gap_percent"])
    everything = {limit: [gap for mine in by_class.values() for gap in mine] for limit, by_class in gaps.items()}
    return {
        "mean_gap_percent": {limit: mean(found) for limit, found in everything.items()},
        "worst_gap_percent": {limit: max(found, default=None) for limit, found in everything.items()},
        "by_class": {limit: {name: mean(found) for name, found in _sorted(mine)} for limit, mine in gaps.items()},
    }


def mean(gaps: Sequence[float]) -> float | None:
    """Return the mean, rounded to three decimals, or None of nothing."""
    return round(sum(gaps) / len(gaps), 3) if gaps else None


def _sorted(by_class: Mapping[str, list[float]]) -> Iterator[tuple[str, list[float]]]:
    return iter(sorted(by_class.items()))
