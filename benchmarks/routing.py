"""Measures the routing engine beside other solvers: ``python -m benchmarks.routing --help``.

Parts: ``instances`` (published ones: gap to the best known, by class), ``days`` (a field team's day,
``benchmarks.realistic_days``), ``shops`` (whole days of ours alone, up to 300 reps) and ``staffing`` (lending people).
Every solver runs in a process of its own on one core; every plan is timed, checked and priced by our own checker. Time
limits are on the wall and CPU time is shown beside them: nothing else should run on that core.

Example: python -m benchmarks.routing --solomon ../shared/data/solomon --seconds 1,5,10 --json gaps.json

Example: python -m benchmarks.routing --solomon large --instances all --reference-seconds 60 --rivals pyvrp
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.realistic_days import SHIFT, compare_days, realistic_day
from benchmarks.routing_rivals import run_rival
from benchmarks.routing_staffing import staffing
from benchmarks.routing_tables import Run, installed_rivals, means_of, print_gaps, solve_instance
from benchmarks.routing_tasks import RivalTask
from routing.check import check
from routing.instances.bench import find_instances, name_of
from routing.instances.best_known import best_of_solution, read_best_table
from routing.instances.model import Instance, read_instance
from routing.problem import Break, DayProblem
from routing.solve import evaluate, solve
from routing.travel_times import HaversineTravelTimes
from routing.visit_files import spread_reps, visits_from_csv

H = 3600
LUNCH_AT_NOON = Break(12 * H, 12 * H, H)
SHOPS = Path(__file__).parent.parent / "tests" / "routing" / "chicago_shops.csv"
SAMPLE = "C109,C203,C208,R103,R108,R112,R206,R211,RC105,RC108,RC205,RC207"
PARTS = "instances,days,shops,staffing"


def compare_instances(
    folder: Path, solvers: Sequence[str], seconds: Sequence[float], *, wanted: Sequence[str], reference_s: float = 0
) -> list[Run]:
    """Solve each instance with each solver and limit, print the gaps, and return all figures.

    The best cost is that of ``best_known.csv`` in the folder, of a ``.sol`` file beside the instance, or else of
    ``reference_s`` seconds of PyVRP.
    """
    table = folder / "best_known.csv"
    known = read_best_table(table) if table.exists() else {}
    runs: list[Run] = []
    for path in find_instances(folder, wanted):
        instance = read_instance(path.read_bytes(), name=name_of(path))
        best = known[instance.name] if instance.name in known else _best_beside(path, instance)
        if best is None and reference_s:
            best = _reference(instance, reference_s)
        for limit in seconds:
            for solver in solvers:
                runs.append(solve_instance(solver, instance, limit, best))
                _print_run(runs[-1])
    print()
    print_gaps(runs)
    return runs


def _best_beside(path: Path, instance: Instance) -> float | None:
    beside = path.with_name(f"{instance.name}.sol")
    return best_of_solution(beside.read_bytes(), instance, name=beside.name) if beside.exists() else None


def _reference(instance: Instance, seconds: float) -> float | None:
    answer = run_rival("pyvrp", RivalTask(instance.problem, instance.table, seconds, seed=1))
    if answer.found is None:
        return None
    _, report = evaluate(instance.problem, instance.table, answer.found.sequences)
    return instance.objective(report) if report.feasible else None


def _print_run(run: Run) -> None:
    cost = "no plan" if run["distance"] is None else f"{run['objective']:.1f}"
    gap = "-" if run["gap_percent"] is None else f"{run['gap_percent']:.2f} %"
    held = "" if run["feasible"] else "  NOT ACCEPTED"
    times = f"{run['seconds']:5g} s{run['wall_s']:8.2f} wall{run['cpu_s']:8.2f} cpu"
    print(f"{run['instance']:14}{run['solver']:13}{times}{cost:>12}{gap:>10}{held}  {run['note']}", flush=True)


def shops(path: Path, seconds: Sequence[float]) -> None:
    """Print what the engine makes of whole days."""
    visits = visits_from_csv(path.read_bytes(), service_s=1200)
    cases = {
        f"{len(visits)} shops, 8 reps": DayProblem(
            visits, spread_reps(visits, 8, shift=SHIFT, breaks=(LUNCH_AT_NOON,))
        ),
        "2000 visits, 300 reps": realistic_day(3, 2000, 300),
    }
    heads = f"{'day':28} {'limit s':>8} {'wall s':>7} {'first s':>8} {'served':>7} {'travel h':>9}"
    print(f"{heads} {'cost':>10} {'holds':>6}")
    travel = HaversineTravelTimes()
    for name, problem in cases.items():
        for limit in seconds:
            began = time.perf_counter()
            plan = solve(problem, travel, time_limit_s=limit)
            wall_s = time.perf_counter() - began
            report = check(problem, travel, plan)
            row = f"{name:28} {limit:8g} {wall_s:7.2f} {plan.search.first_plan_s:8.2f} {report.served:7}"
            print(f"{row} {report.travel_s / H:9.1f} {report.objective:10.0f} {report.drivable!s:>6}")
    print()


def main() -> None:
    """Run the parts that are asked for."""
    asked = _arguments()
    seconds = [float(text) for text in asked.seconds.split(",")]
    parts = asked.parts.split(",")
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{load}\n")
    figures: dict[str, Any] = {"machine": load}
    solvers = installed_rivals(asked.rivals)
    if "instances" in parts and asked.solomon:
        wanted = () if asked.instances == "all" else asked.instances.split(",")
        runs = compare_instances(asked.solomon, solvers, seconds, wanted=wanted, reference_s=asked.reference_seconds)
        figures |= {"runs": runs, "mean_gap_percent": means_of(runs)}
    elif "instances" in parts:
        print("instances: give --solomon FOLDER\n")
    if "days" in parts:
        figures["days"] = compare_days([int(seed) for seed in asked.seeds.split(",")], solvers)
    if "shops" in parts:
        shops(asked.shops, seconds)
    if "staffing" in parts:
        staffing(5, 40)
        staffing(300, 3000)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.routing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solomon", "--folder", type=Path, help="folder with Solomon, Homberger or VRPLIB files")
    parser.add_argument("--instances", default=SAMPLE, help="instances, or 'all' (default: %(default)s)")
    parser.add_argument("--rivals", default="installed", help="ortools-gls,ortools-ils,pyvrp,vroom, or '' for none")
    parser.add_argument("--seconds", default="1,5,10", help="time limits (default: %(default)s)")
    parser.add_argument("--reference-seconds", type=float, default=0, help="PyVRP's time where no best is known")
    parser.add_argument("--seeds", default="1,2,3", help="realistic days (default: %(default)s)")
    parser.add_argument("--shops", type=Path, default=SHOPS, help="CSV of visits (default: %(default)s)")
    parser.add_argument("--parts", default=PARTS, help="what to measure (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
