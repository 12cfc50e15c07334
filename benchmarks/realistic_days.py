"""Random days as field teams have them, and how well solvers plan them.

``python -m benchmarks.realistic_days --seeds 1,2,3``: eight reps from different homes, 150 customers in one city, half
with windows, grades A to C, visits of 10 to 30 min, 45 min lunch that starts from 12 to 13, work from 9 to 18. Ours
gets 5 s and the others 20 s, one core each; every plan is timed, checked and priced by our own checker.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.routing_tables import OURS, Run, installed_rivals, print_day, solve_day
from common.places import Location
from routing.problem import Break, DayProblem, Rep, TimeWindow, Visit
from routing.travel_times import HaversineTravelTimes

H = 3600
SHIFT = TimeWindow(9 * H, 18 * H)
LUNCH = Break(12 * H, 13 * H, 45 * 60)
FIRST_PLAN_S = 0.5
"""What is asked of the first valid plan."""


def realistic_day(seed: int, visits: int = 150, reps: int = 8) -> DayProblem:
    """Return a day in one city: half of the visits with windows, grades A, B, C, 10 to 30 min, lunch within an hour."""
    dice = random.Random(seed)

    def place() -> Location:
        return Location(round(dice.gauss(30.58, 0.06), 5), round(dice.gauss(114.30, 0.08), 5))

    def windows() -> tuple[TimeWindow, ...]:
        start = dice.randrange(9, 16) * H
        return (TimeWindow(start, start + dice.choice((1, 2, 3)) * H),) if dice.random() < 0.5 else ()

    customers = tuple(
        Visit(f"C{n}", "", place(), dice.randrange(10, 31, 5) * 60, windows(), grade=dice.choice("AABBBCCCCC"))
        for n in range(visits)
    )
    people = tuple(
        Rep(f"R{n}", "", home, SHIFT.start_s, SHIFT.end_s, home, (LUNCH,))
        for n, home in enumerate(place() for _ in range(reps))
    )
    return DayProblem(customers, people)


def compare_day(seed: int, solvers: Sequence[str], *, seconds: float = 5, rival_seconds: float = 20) -> dict[str, Any]:
    """Solve one day with all solvers and say whether ours is ahead.

    Returns
    -------
    dict
        ``{"seed", "runs", "first_plan_in_time", "value_not_below_vroom", "cost_below_all"}``; the last three are None
        where there is nothing to compare with. VROOM's value is that of ``seconds``, the costs of ``rival_seconds``.
    """
    problem = realistic_day(seed)
    table = HaversineTravelTimes().table(problem.locations())
    runs = [solve_day(OURS, problem, table, seconds)]
    for solver in solvers:
        if solver == "vroom" and seconds != rival_seconds:
            runs.append(solve_day(solver, problem, table, seconds))
        if solver != OURS:
            runs.append(solve_day(solver, problem, table, rival_seconds))
    return {"seed": seed, "runs": runs, **verdicts(runs, seconds, rival_seconds)}


def verdicts(runs: Sequence[Run], seconds: float, rival_seconds: float) -> dict[str, bool | None]:
    """Return what the issue asks of a day; a plan that the checker refuses does not count."""
    held = [run for run in runs if run["feasible"]]
    ours = next((run for run in held if run["solver"] == OURS), None)
    vroom = [run["value"] for run in held if run["solver"] == "vroom" and run["seconds"] == seconds]
    costs = [run["cost"] for run in held if run["solver"] != OURS and run["seconds"] == rival_seconds]
    first = None if ours is None or ours["first_plan_s"] is None else ours["first_plan_s"] < FIRST_PLAN_S
    return {
        "first_plan_in_time": first,
        "value_not_below_vroom": ours is not None and ours["value"] >= max(vroom) if vroom else None,
        "cost_below_all": ours is not None and ours["cost"] < min(costs) if costs else None,
    }


def compare_days(
    seeds: Sequence[int], solvers: Sequence[str], *, seconds: float = 5, rival_seconds: float = 20
) -> list[dict[str, Any]]:
    """Compare several days, printing each."""
    days = []
    for seed in seeds:
        day = compare_day(seed, solvers, seconds=seconds, rival_seconds=rival_seconds)
        print_day(f"150 customers, 8 reps, seed {seed}", day["runs"])
        days.append(day)
    for name in ("first_plan_in_time", "value_not_below_vroom", "cost_below_all"):
        known = [day[name] for day in days if day[name] is not None]
        print(f"{name}: {sum(known)} of {len(known)} days")
    print()
    return days


def main() -> None:
    """Compare the days that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realistic_days", description=__doc__)
    parser.add_argument("--seeds", default="1,2,3", help="days (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="our time limit (default: %(default)s)")
    parser.add_argument("--rival-seconds", type=float, default=20, help="the others' (default: %(default)s)")
    parser.add_argument(
        "--rivals", default="installed", help="ortools-gls,ortools-ils,pyvrp,vroom (default: installed)"
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    asked = parser.parse_args()
    seeds = [int(text) for text in asked.seeds.split(",")]
    days = compare_days(seeds, installed_rivals(asked.rivals), seconds=asked.seconds, rival_seconds=asked.rival_seconds)
    if asked.json:
        asked.json.write_text(json.dumps({"days": days}, indent=2) + "\n")


if __name__ == "__main__":
    main()
