"""Measured solves of benchmark instances and days, and the tables of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

from benchmarks.routing_rivals import run_rival
from benchmarks.routing_tasks import RivalTask
from routing.instances.bench import mean, measured
from routing.instances.model import Instance
from routing.problem import DayProblem
from routing.solve import evaluate
from routing.travel_times import TravelTable

OURS = "fieldwise"
LIBRARIES = {"ortools-gls": "ortools", "ortools-ils": "ortools", "pyvrp": "pyvrp", "vroom": "vroom"}
Run = dict[str, Any]


def installed_rivals(asked: str) -> list[str]:
    """Return the solvers to run: ours, then those asked for by name, or all that are installed.

    Raises
    ------
    SystemExit
        When one that was asked for is unknown or not installed.
    """
    there = [name for name, library in LIBRARIES.items() if importlib.util.find_spec(library)]
    if asked == "installed":
        return [OURS, *there]
    names = [name.strip() for name in asked.split(",") if name.strip() and name.strip() != OURS]
    missing = [name for name in names if name not in there]
    if missing:
        raise SystemExit(f"not installed or unknown: {', '.join(missing)} (pip install pyvrp pyvroom)")
    return [OURS, *names]


def solve_instance(name: str, instance: Instance, seconds: float, best: float | None, *, seed: int = 0) -> Run:
    """Solve a published instance with one solver; the plan is timed and checked by us."""
    answer = run_rival(name, RivalTask(instance.problem, instance.table, seconds, seed))
    run: Run = {"solver": name, "instance": instance.name, "seconds": seconds, "best": best}
    run |= {"wall_s": round(answer.wall_s, 3), "cpu_s": round(answer.cpu_s, 3)}
    if answer.found is None:
        return run | {"feasible": False, "gap_percent": None, "distance": None, "note": answer.problem}
    _, report = evaluate(instance.problem, instance.table, answer.found.sequences)
    return run | measured(instance, report, best) | {"note": answer.found.note}


def solve_day(name: str, problem: DayProblem, table: TravelTable, seconds: float, *, seed: int = 0) -> Run:
    """Solve a day with one solver; the plan is timed, checked and priced by us."""
    answer = run_rival(name, RivalTask(problem, table, seconds, seed))
    run: Run = {"solver": name, "seconds": seconds, "wall_s": round(answer.wall_s, 3), "cpu_s": round(answer.cpu_s, 3)}
    if answer.found is None:
        return run | {"feasible": False, "note": answer.problem, "value": None, "cost": None}
    _, report = evaluate(problem, table, answer.found.sequences)
    served = {visit for order in answer.found.sequences.values() for visit in order}
    return run | {
        "first_plan_s": answer.found.first_plan_s,
        "served": report.served,
        "value": sum(problem.weights.points(visit) for visit in problem.visits if visit.id in served),
        "travel_h": round(report.travel_s / 3600, 2),
        "cost": round(report.objective),
        "feasible": report.feasible,
        "broken": sorted({found.constraint for found in report.violations}),
        "note": answer.found.note,
    }


def means_of(runs: Sequence[Run]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return mean gaps by solver, limit and class; the class ``all`` holds every instance."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for run in runs:
        mine = found.setdefault(run["solver"], {}).setdefault(f"{run['seconds']:g}", {})
        for name in (run.get("class"), "all"):
            if name is not None and run["gap_percent"] is not None:
                mine.setdefault(name, []).append(run["gap_percent"])
    return {
        solver: {limit: {name: mean(gaps) for name, gaps in by_class.items()} for limit, by_class in limits.items()}
        for solver, limits in found.items()
    }


def print_gaps(runs: Sequence[Run]) -> None:
    """Print the mean gap by class, one column for each solver and limit, with CPU time and refused plans."""
    means = means_of(runs)
    columns = [(solver, limit) for solver, limits in means.items() for limit in limits]
    classes = sorted({run["class"] for run in runs if run.get("class")})
    print(f"{'mean gap %':12}" + "".join(f"{solver:>13}" for solver, _ in columns))
    print(f"{'':12}" + "".join(f"{limit + ' s':>13}" for _, limit in columns))
    for name in [*classes, "all"]:
        cells = [means[solver][limit].get(name) for solver, limit in columns]
        print(f"{name:12}" + "".join(f"{'-' if gap is None else format(gap, '.3f'):>13}" for gap in cells))
    for title, figure in (("worst", _worst), ("cpu s a run", _cpu), ("not accepted", _refused)):
        cells = [
            figure([run for run in runs if (run["solver"], f"{run['seconds']:g}") == column]) for column in columns
        ]
        print(f"{title:12}" + "".join(f"{cell:>13}" for cell in cells))
    print()


def _worst(runs: Sequence[Run]) -> str:
    gaps = [run["gap_percent"] for run in runs if run["gap_percent"] is not None]
    return f"{max(gaps):.2f}" if gaps else "-"


def _cpu(runs: Sequence[Run]) -> str:
    return f"{sum(run['cpu_s'] for run in runs) / len(runs):.2f}"


def _refused(runs: Sequence[Run]) -> str:
    return str(sum(not run["feasible"] for run in runs))


def print_day(title: str, runs: Sequence[Run]) -> None:
    """Print one row for each solver."""
    print(title)
    columns = (("limit", 7), ("wall", 8), ("cpu", 8), ("first", 7), ("served", 8), ("value", 7), ("travel h", 10))
    print(f"{'solver':13}" + "".join(f"{head:>{width}}" for head, width in columns) + f"{'cost':>11}  holds")
    for run in runs:
        times = f"{run['solver']:13}{run['seconds']:7g}{run['wall_s']:8.2f}{run['cpu_s']:8.2f}"
        if run["cost"] is None:
            print(f"{times}  no plan: {run['note']}")
            continue
        first = "-" if run["first_plan_s"] is None else f"{run['first_plan_s']:.2f}"
        figures = f"{first:>7}{run['served']:8}{run['value']:7g}{run['travel_h']:10.2f}{run['cost']:11}"
        holds = "yes" if run["feasible"] else "NO: " + ", ".join(run["broken"])
        print(f"{times}{figures}  {holds}{'  (' + run['note'] + ')' if run['note'] else ''}")
    print()
