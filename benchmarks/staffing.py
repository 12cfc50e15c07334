"""People between regions: work undone without and with lending, over weeks of the sample organisation, and its speed.

``python -m benchmarks.staffing`` plays six weeks of the sample organisation, each planned from what was on record on
the Sunday before it and then approved, once with and once without fairness; then it plans weeks of generated regions.
Everything has fixed seeds; times are CPU seconds of one core, so that other work on the machine hardly matters.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from common.clock import FixedClock
from common.places import Location
from operations.access import Actor
from operations.lending_decisions import Decision, decide
from operations.sample import load_sample
from operations.staffing import StaffingWishes, payload, solve, staffing_problem, store
from operations.store import schema
from operations.store.database import Database
from operations.store.tables import LentDay
from routing.reallocate import Reallocation, reallocate
from routing.staffing.problem import LendingRules, Person, ReallocationProblem, Region

END = date(2026, 10, 31)
SKILLS = ("campus", "mall", "fair", "community", "demo")
ACTOR = Actor.system("benchmark")


def absences(week: int, codes: list[str]) -> dict[str, list[int]]:
    """Return who is ill on which days of a week: about one in eight for two to four days, more in one region."""
    dice = random.Random(1000 + week)
    regions = sorted({code[:4] for code in codes})
    struck = regions[week % len(regions)]
    found = {}
    for code in codes:
        if dice.random() < (0.45 if code[:4] == struck else 0.06):
            first = dice.randrange(5)
            found[code] = list(range(first, min(7, first + dice.randint(2, 4))))
    return found


def play_weeks(folder: Path, weeks: int, rules: LendingRules, limit_s: float) -> None:
    """Print undone work before and after by week, and how evenly the days away are spread."""
    from sqlalchemy import select

    url = f"sqlite:///{folder / 'sample.db'}"
    database = Database(url, clock=FixedClock(datetime(2026, 10, 31, 12, tzinfo=UTC)))
    schema.upgrade(database)
    load_sample(database, end=END, password_hash=None)
    database.close()
    print(
        f"{'week of':>11} {'undone h':>9} {'after':>8} {'saved':>6} {'moves':>6} {'days':>5} {'gap %':>6} {'cpu s':>6}"
    )
    total = [0.0, 0.0]
    for week in range(weeks):
        monday = date(2026, 9, 14) + timedelta(weeks=week)
        sunday = datetime.combine(monday - timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=12)
        database = Database(url, clock=FixedClock(sunday))
        found, cpu_s = _plan(database, monday, week, rules=rules, limit_s=limit_s)
        before, after = (sum(part.values()) for part in (found.unserved_before_h, found.unserved_after_h))
        total = [total[0] + before, total[1] + after]
        gap = found.quality.gap_percent if found.quality else None
        moves = sum(move.begins for move in found.moves)
        saved = f"{100 * (1 - after / before):5.1f}%" if before else "–"
        tail = f"{'–' if gap is None else format(gap, '.2f'):>6} {cpu_s:6.1f}"
        print(f"{monday} {before:10.1f} {after:8.1f} {saved:>6} {moves:6} {len(found.moves):5} {tail}")
        database.close()
    with Database(url).read() as session:
        days = Counter(row.person_code for row in session.scalars(select(LentDay)))
    spread = sorted(days.values(), reverse=True)
    print(f"in all {total[0]:.0f} → {total[1]:.0f} h; {len(spread)} people lent, days each {spread}")
    print(f"most days of one person {max(spread, default=0)}, deviation {statistics.pstdev(spread or [0]):.2f}\n")


def _plan(
    database: Database, monday: date, week: int, *, rules: LendingRules, limit_s: float
) -> tuple[Reallocation, float]:
    from pydantic import TypeAdapter

    with database.read() as session:
        plain = staffing_problem(session, ACTOR, monday, StaffingWishes(7, rules=rules))
        ill = absences(week, [one.id for one in plain.people])
        away = {code: [monday + timedelta(days=day) for day in days] for code, days in ill.items()}
        problem = staffing_problem(session, ACTOR, monday, StaffingWishes(7, absent_on=away, rules=rules))
    asked = payload(problem, monday, time_limit_s=limit_s)
    began = time.process_time()
    answer = solve(asked)
    cpu_s = time.process_time() - began
    store(database, ACTOR.code, f"week-{week}", asked, answer)
    with database.write(ACTOR.code) as session:
        decide(session, ACTOR, f"week-{week}", Decision("approve"))
    found: Reallocation = TypeAdapter(Reallocation).validate_python(answer)
    return found, cpu_s


def generated(regions: int, people: int, days: int, seed: int = 1) -> ReallocationProblem:
    """Return a problem of random regions as dense as in a province, and people with homes, days off and limits."""
    dice = random.Random(seed)
    wide = 0.17 * regions**0.5
    places = [Location(30 + dice.random() * wide, 114 + dice.random() * wide) for _ in range(regions)]
    usual = [{skill: dice.choice((0.0, 0.0, 10.0, 25.0, 45.0)) for skill in SKILLS} for _ in places]

    def work(place: int) -> dict[str, float]:
        hours = {skill: round(h * dice.choice((0, 0.5, 1, 1.5)), 1) for skill, h in usual[place].items() if h}
        return {**hours, "": round(dice.random() * 20, 1)}

    def person(number: int) -> Person:
        home, off = dice.randrange(regions), dice.randrange(7)
        at = Location(places[home].latitude + dice.gauss(0, 0.03), places[home].longitude + dice.gauss(0, 0.03))
        hours = tuple(0.0 if day == off and days > 1 else 8.0 for day in range(days))
        skills = frozenset(dice.sample(SKILLS, dice.randint(0, 2)))
        lent = dice.choice((0, 0, 0, 1, 2))
        return Person(f"P{number}", f"G{home}", skills, hours, 2, at, 3, lent_days=lent)

    return ReallocationProblem(
        tuple(Region(f"G{place}", at, 3, tuple(work(place) for _ in range(days))) for place, at in enumerate(places)),
        tuple(person(number) for number in range(people)),
        LendingRules(),
        tuple((date(2026, 11, 30) + timedelta(days=day)).isoformat() for day in range(days)),
    )


def measure(regions: int, people: int, days: int, limit_s: float) -> None:
    """Print what a generated problem takes and brings."""
    problem = generated(regions, people, days)
    began, wall = time.process_time(), time.perf_counter()
    found = reallocate(problem, time_limit_s=limit_s)
    cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
    before, after = (sum(part.values()) for part in (found.unserved_before_h, found.unserved_after_h))
    gap = found.quality.gap_percent if found.quality else None
    moves = sum(move.begins for move in found.moves)
    tail = f"{before:10.0f} {after:9.0f} {'–' if gap is None else format(gap, '.2f'):>6}"
    print(f"{regions:8} {people:7} {days:5} {cpu_s:6.1f} {wall_s:7.1f} {moves:6} {len(found.moves):6} {tail}")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staffing", description=__doc__)
    parser.add_argument("--weeks", type=int, default=6, help="weeks of the sample organisation (default: %(default)s)")
    parser.add_argument("--parts", default="sample,fairness,generated", help="what to measure (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=25, help="time limit of a search (default: %(default)s)")
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    for part, rules in (("sample", LendingRules()), ("fairness", LendingRules(fairness_cost_h=0.0))):
        if part in parts:
            print("sample organisation" if part == "sample" else "the same without fairness over weeks")
            with tempfile.TemporaryDirectory() as folder:
                play_weeks(Path(folder), asked.weeks, rules, asked.seconds)
    if "generated" in parts:
        heads = f"{'regions':>8} {'people':>7} {'days':>5} {'cpu s':>6} {'wall s':>7} {'moves':>6} {'days':>6}"
        print(f"{heads} {'undone h':>10} {'after':>9} {'gap %':>6}")
        for size in ((5, 40, 1), (5, 40, 7), (300, 3000, 1), (300, 3000, 7)):
            measure(*size, asked.seconds)


if __name__ == "__main__":
    main()
