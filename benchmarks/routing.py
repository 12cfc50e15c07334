"""Measures the routing engine: ``python -m benchmarks.routing --help``.

Prints one table for each part: Solomon instances (gap to the best known distance), a city's day, a large day, and the
lending of people. Numbers depend on the machine; nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from pathlib import Path

from common.places import Location
from routing.check import check
from routing.problem import Break, DayProblem, Rep, TimeWindow, Visit
from routing.reallocate import reallocate
from routing.solve import solve
from routing.staffing_problem import Person, ReallocationProblem, Region
from routing.travel_times import HaversineTravelTimes
from routing.visit_files import spread_reps, visits_from_csv
from routing.vrptw import bench

H = 3600
SHIFT = TimeWindow(9 * H, 18 * H)
LUNCH_AT_NOON = Break(12 * H, 12 * H, H)
LUNCH_WITHIN_AN_HOUR = Break(12 * H, 13 * H, 45 * 60)
SHOPS = Path(__file__).parent.parent / "tests" / "routing" / "chicago_shops.csv"
SAMPLE = ("C203", "R103", "R206", "RC105", "RC207")


def solomon(folder: Path, seconds: list[float], instances: list[str]) -> None:
    """Print the gap of each instance."""
    best = folder / "best_known.csv"
    result = bench(folder, seconds, best if best.exists() else None, instances=instances)
    print(f"{'instance':10} {'limit s':>8} {'wall s':>7} {'distance':>9} {'best':>9} {'gap %':>7} {'feasible':>9}")
    for run in result["runs"]:
        known = f"{run['best']:9.1f}" if run["best"] else f"{'-':>9}"
        gap = "-" if run["gap_percent"] is None else f"{run['gap_percent']:.2f}"
        row = f"{run['instance']:10} {run['seconds']:8g} {run['wall_s']:7.2f} {run['distance']:9.1f} {known} {gap:>7}"
        print(f"{row} {run['feasible']!s:>9}")
    print("mean gap %:", ", ".join(f"{limit} s: {gap}" for limit, gap in result["mean_gap_percent"].items()), "\n")


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
        Rep(f"R{n}", "", home, SHIFT.start_s, SHIFT.end_s, home, (LUNCH_WITHIN_AN_HOUR,))
        for n, home in enumerate(place() for _ in range(reps))
    )
    return DayProblem(customers, people)


def days(shops: Path, seconds: list[float]) -> None:
    """Print what the engine makes of whole days."""
    visits = visits_from_csv(shops.read_bytes(), service_s=1200)
    cases = {
        f"{len(visits)} shops, 8 reps": DayProblem(
            visits, spread_reps(visits, 8, shift=SHIFT, breaks=(LUNCH_AT_NOON,))
        ),
        "150 visits, 8 reps, seed 1": realistic_day(1),
        "150 visits, 8 reps, seed 2": realistic_day(2),
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


def staffing(regions: int, people: int) -> None:
    """Print what lending brings on random work."""
    dice = random.Random(1)
    wide = 0.17 * regions**0.5  # degrees: as many regions to the square as in a province
    skills = ("campus", "mall", "fair", "community", "demo")
    places = tuple(
        Region(
            f"G{n}",
            Location(30 + dice.random() * wide, 114 + dice.random() * wide),
            3,
            {**{skill: dice.choice((0.0, 0.0, 10.0, 25.0, 45.0)) for skill in skills}, "": dice.random() * 20},
        )
        for n in range(regions)
    )
    persons = tuple(
        Person(f"P{n}", f"G{dice.randrange(regions)}", frozenset(dice.sample(skills, dice.randint(0, 2))), 8.0, n % 3)
        for n in range(people)
    )
    began = time.perf_counter()
    result = reallocate(ReallocationProblem(places, persons))
    wall_s = time.perf_counter() - began
    print(f"{'regions':>8} {'people':>7} {'wall s':>7} {'moves':>6} {'undone before h':>16} {'after h':>9}")
    before, after = sum(result.unserved_before_h.values()), sum(result.unserved_after_h.values())
    print(f"{regions:8} {people:7} {wall_s:7.2f} {len(result.moves):6} {before:16.1f} {after:9.1f}")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("--solomon", type=Path, help="folder with Solomon files and best_known.csv")
    parser.add_argument("--instances", default=",".join(SAMPLE), help="instances, or 'all' (default: %(default)s)")
    parser.add_argument("--shops", type=Path, default=SHOPS, help="CSV of visits (default: %(default)s)")
    parser.add_argument("--seconds", default="5,10", help="time limits (default: %(default)s)")
    parser.add_argument("--parts", default="solomon,days,staffing", help="what to measure (default: %(default)s)")
    asked = parser.parse_args()
    seconds = [float(text) for text in asked.seconds.split(",")]
    parts = asked.parts.split(",")
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    if "solomon" in parts and asked.solomon:
        solomon(asked.solomon, seconds, [] if asked.instances == "all" else asked.instances.split(","))
    elif "solomon" in parts:
        print("Solomon: give --solomon FOLDER\n")
    if "days" in parts:
        days(asked.shops, seconds)
    if "staffing" in parts:
        staffing(5, 40)
        staffing(300, 3000)


if __name__ == "__main__":
    main()
