"""Measures changes during the day: ``python -m benchmarks.route_changes --help``.

On the realistic day of ``benchmarks.routing`` (150 visits, 8 reps): how long one new A visit, one cancellation, a slot
recommendation and a lost rep take, and how calm the new plan is. Numbers depend on the machine; nothing else should
run beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.routing import realistic_day
from common.places import Location
from routing.during_day.changes import AddVisit, CancelVisit, RepAbsent
from routing.during_day.replan import Calm, News, Replanned, replan
from routing.during_day.running import RunningDay
from routing.during_day.slots import slots
from routing.problem import Visit
from routing.solve import solve
from routing.travel_times import HaversineTravelTimes

H = 3600
WAYS = HaversineTravelTimes()


def running_day(seed: int, seconds: float) -> RunningDay:
    """Return a solved day of which every start is promised."""
    problem = realistic_day(seed)
    table = WAYS.table(problem.locations())
    plan = solve(problem, table, time_limit_s=seconds)
    promised = {stop.visit_id: stop.start_s for route in plan.routes for stop in route.stops}
    return RunningDay(problem, plan, table, promised=promised)


def new_visit(dice: random.Random, number: int) -> Visit:
    """Return an A customer somewhere in the city."""
    place = Location(round(dice.gauss(30.58, 0.04), 5), round(dice.gauss(114.30, 0.05), 5))
    return Visit(f"N{number}", "", place, 20 * 60, grade="A")


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(name: str, rounds: int, run: Callable[[int], Replanned | None]) -> None:
    """Print one line: latency, CPU time of this process (a busy machine does not show in it), and what changed."""
    spent_ms: list[float] = []
    busy_ms: list[float] = []
    found: list[Replanned] = []
    for number in range(rounds):
        began, busy = time.perf_counter(), time.process_time()
        replanned = run(number)
        spent_ms.append((time.perf_counter() - began) * 1000)
        busy_ms.append((time.process_time() - busy) * 1000)
        found += [replanned] if replanned is not None else []
    line = f"{name:28} {rounds:6} {statistics.median(spent_ms):8.0f} {percentile(spent_ms, 0.95):8.0f}"
    line += f" {statistics.median(busy_ms):8.0f} {percentile(busy_ms, 0.95):8.0f}"
    if found:
        moved = statistics.fmean(sum(move.change == "moved" for move in one.moves) for one in found)
        shifted = statistics.fmean(sum(move.change in ("later", "earlier") for move in one.moves) for one in found)
        left = statistics.fmean(sum(move.change == "left_out" for move in one.moves) for one in found)
        methods = sorted({one.method for one in found})
        holds = all(one.report.drivable for one in found)
        line += f" {moved:7.1f} {shifted:8.1f} {left:6.1f} {holds!s:>6}  {', '.join(methods)}"
    print(line)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.route_changes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="time to solve the morning's plan")
    parser.add_argument("--rounds", type=int, default=20, help="repetitions of each quick change")
    parser.add_argument("--lost", type=int, default=4, help="repetitions of a lost rep")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--search", type=float, default=Calm().search_s, help="seconds of search for a lost rep")
    asked = parser.parse_args()
    day, dice = running_day(asked.seed, asked.seconds), random.Random(asked.seed)
    quick, searching = Calm(search="never"), Calm(search_s=asked.search)
    planned = [stop.visit_id for route in day.plan.routes for stop in route.stops if stop.start_s > 11 * H]
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{len(planned)} of {len(day.problem.visits)} visits still to come at 11:00\n")
    heads = f"{'change':28} {'rounds':>6} {'p50 ms':>8} {'p95 ms':>8} {'cpu p50':>8} {'cpu p95':>8}"
    heads += f" {'moved':>7} {'shifted':>8} {'left':>6}"
    print(f"{heads} {'holds':>6}  how")

    def added(number: int) -> Replanned:
        return replan(day, News(11 * H, (AddVisit(new_visit(dice, number)),)), WAYS, quick)

    def cancelled(number: int) -> Replanned:
        return replan(day, News(11 * H, (CancelVisit(planned[number % len(planned)]),)), WAYS, quick)

    def recommended(number: int) -> None:
        slots(replace(day, now_s=11 * H), new_visit(dice, number), WAYS)

    def lost(number: int) -> Replanned:
        rep = day.plan.routes[number % len(day.plan.routes)].rep_id
        return replan(day, News(11 * H, (RepAbsent(rep),)), WAYS, searching)

    measure("one new A visit", asked.rounds, added)
    measure("one cancellation", asked.rounds, cancelled)
    measure("slots for a new customer", asked.rounds, recommended)
    measure("a lost rep, no search", asked.lost, lambda number: replan_without_search(day, number))
    measure("a lost rep", asked.lost, lost)


def replan_without_search(day: RunningDay, number: int) -> Replanned:
    """Return the day without one rep, by insertion only."""
    rep = day.plan.routes[number % len(day.plan.routes)].rep_id
    return replan(day, News(11 * H, (RepAbsent(rep),)), WAYS, Calm(search="never"))


if __name__ == "__main__":
    main()
