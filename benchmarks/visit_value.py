"""What planning by value brings on past days of the sample organisation: ``python -m benchmarks.visit_value --help``.

For some past days and regions the same customers who were due, the same reps and the same search time are planned three
ways: all visits alike (distance only), by probability of conversion, and by value (probability × value × stock ×
urgency, as the product plans). What each plan would bring is then judged four ways: by the model of the eve, by a model
that has also seen all later visits, by the rules from which the sample was made (which nobody knows in real life), and
by what came of those visits that took place on that day.

**The organisation is synthetic**: this shows that the method works and what it costs in visits, not how much a real
organisation gains.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from common.clock import FixedClock
from forecasting.conversion import ConversionModel, train
from forecasting.visit_memory import PastVisit, VisitAhead, VisitMemory, in_order
from operations.access import Actor
from operations.people import people
from operations.sample import load_sample
from operations.store import schema
from operations.store.database import Database
from operations.store.tables import Customer, Visit
from operations.visit_candidates import RegionDay, RhythmPolicy, Wishes, problem_of, region_day
from operations.visit_history import past_visits
from routing.problem import DayProblem, ObjectiveWeights
from routing.solve import solve
from routing.travel_times import HaversineTravelTimes
from training_data.sample_organisation.days import Days, make_days
from training_data.sample_organisation.outcomes import SKILL_FOR_TYPE, Situation, ending_shares

END = date(2026, 11, 19)
REGIONS = ("jinjiang", "qingyang", "jinniu", "wuhou", "chenghua")
ZONE = ZoneInfo("Asia/Shanghai")
ALL_WHO_ARE_DUE = RhythmPolicy(candidates_per_rep=2000)


@dataclass(slots=True)
class Tally:
    """Sums over all days and regions of one way to plan."""

    visits: int = 0
    travel_h: float = 0.0
    eve: float = 0.0
    eve_cny: float = 0.0
    later: float = 0.0
    later_cny: float = 0.0
    rules: float = 0.0
    rules_cny: float = 0.0
    took_place: int = 0
    won: int = 0


@dataclass(slots=True)
class World:
    """The sample with all its visits, and what is known afterwards."""

    database: Database
    visits: list[PastVisit]
    later: ConversionModel
    days: Days
    tallies: dict[str, Tally] = field(default_factory=dict)


def open_world(folder: Path) -> World:
    """Return the sample organisation in a database of its own."""
    clock = FixedClock(datetime.combine(END + timedelta(days=1), time(), ZONE).astimezone(UTC))
    database = Database(f"sqlite:///{folder / 'sample.db'}", clock=clock)
    schema.upgrade(database)
    load_sample(database, end=END, password_hash=None)
    with database.read() as session:
        visits = past_visits(session, known_at=clock.now())
    return World(database, visits, train(visits), make_days(END))


def turn_back(world: World, day: date) -> set[str]:
    """Give each customer the grade that it had when the day began; return those who had been visited by then."""
    begins = datetime.combine(day, time(), ZONE)
    grades: dict[str, str] = {}
    met: set[str] = set()
    for visit in in_order(world.visits):
        if visit.recorded_at < begins:
            met.add(visit.customer)
            grades[visit.customer] = visit.grade or grades.get(visit.customer, "")
    with world.database.write("backtest") as session:
        for customer in session.scalars(select(Customer)):
            customer.grade = grades.get(customer.code) or None
    return met


def ways(found: RegionDay) -> Iterator[tuple[str, DayProblem]]:
    """Yield the same day with the three kinds of prizes; promises count for nothing, so that all is choice."""
    by_value = problem_of(found, ALL_WHO_ARE_DUE)
    chance = {item.customer.code: item.value.probability for item in found.due}
    plain = ObjectiveWeights(grade_factors={})
    optional = tuple(replace(visit, mandatory=False) for visit in by_value.visits)
    alike = tuple(replace(visit, value=1.0) for visit in optional)
    likely = tuple(replace(visit, value=chance[visit.id]) for visit in optional)
    yield "distance only", replace(by_value, visits=alike, weights=plain)
    yield "probability", replace(by_value, visits=likely, weights=plain)
    yield "value", replace(by_value, visits=optional)


def judge(world: World, found: RegionDay, name: str, served: dict[str, str], travel_s: int) -> None:
    """Add what a plan would bring; ``served`` maps a customer to the rep."""
    tally = world.tallies.setdefault(name, Tally())
    items = [item for item in found.due if item.customer.code in served]
    value_cny = [item.value.value_cny for item in items]
    begins = datetime.combine(found.day, time(), ZONE)
    known = [visit for visit in world.visits if visit.recorded_at < begins]
    skills = {person.code: frozenset(one.skill for one in person.skills) for person in found.present}
    ahead = [
        VisitAhead(
            item.customer.code,
            served[item.customer.code],
            item.customer.customer_type,
            datetime.combine(found.day, time(13), ZONE),
            item.customer.grade or "",
            skills[served[item.customer.code]],
        )
        for item in items
    ]
    later = world.later.probabilities(ahead, VisitMemory.of(known))
    rules = _by_the_rules(world, ahead, known)
    eve = [item.value.probability for item in items]
    tally.visits += len(items)
    tally.travel_h += travel_s / 3600
    for shares, name_of in ((eve, "eve"), (later, "later"), (rules, "rules")):
        setattr(tally, name_of, getattr(tally, name_of) + math.fsum(shares))
        worth = math.fsum(share * value for share, value in zip(shares, value_cny, strict=True))
        setattr(tally, f"{name_of}_cny", getattr(tally, f"{name_of}_cny") + worth)
    came = [v for v in world.visits if v.started_at.date() == found.day and v.customer in served]
    tally.took_place += len(came)
    tally.won += sum(visit.outcome == "won" for visit in came)


def _by_the_rules(world: World, ahead: Sequence[VisitAhead], known: Sequence[PastVisit]) -> list[float]:
    """Return the probability by the rules of the sample; the rep's own talent, which is hidden, is taken as usual."""
    of: dict[str, list[PastVisit]] = {}
    for visit in known:
        of.setdefault(visit.customer, []).append(visit)
    return [ending_shares(_situation(world, one, of.get(one.customer, [])))["won"] for one in ahead]


def _situation(world: World, ahead: VisitAhead, known: Sequence[PastVisit]) -> Situation:
    day = ahead.at.date()
    sales = [visit for visit in known if visit.outcome == "won"]
    refusals = 0
    for visit in known:
        if visit.outcome != "absent":
            refusals = refusals + 1 if visit.outcome in ("refused", "complaint") else 0
    index = world.days.index(day)
    return Situation(
        customer_type=ahead.customer_type,
        grade=ahead.grade or None,
        gap_days=(day - known[-1].started_at.date()).days if known else None,
        bought_days_ago=(day - sales[-1].started_at.date()).days if sales else None,
        refusals=refusals,
        skilled=SKILL_FOR_TYPE[ahead.customer_type] in ahead.rep_skills,
        talent=0.0,
        weekday=day.weekday(),
        promotion=False,
        vacation=bool(world.days.vacation[index]),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is planned: every day in every region with so many of its reps."""

    regions: Sequence[str]
    days: Sequence[date]
    reps: int
    seconds: float
    seed: int


def plan_all(world: World, asked: Asked) -> None:
    """Plan and judge every day and region every way."""
    travel = HaversineTravelTimes()
    with world.database.read() as session:
        reps = [card for card in people(session, Actor.system("backtest"), role="rep") if card.active]
    present = {
        region: tuple(card.code for card in reps if card.region_code == region)[: asked.reps]
        for region in asked.regions
    }
    for day in asked.days:
        met = turn_back(world, day)
        known_at = datetime.combine(day, time(), ZONE)
        for region in asked.regions:
            with world.database.read() as session:
                wishes = Wishes(present[region], policy=ALL_WHO_ARE_DUE, known_at=known_at)
                all_due = region_day(session, Actor.system("backtest"), region, day, wishes)
            found = replace(all_due, due=tuple(item for item in all_due.due if item.customer.code in met))
            for name, problem in ways(found):
                plan = solve(problem, travel, time_limit_s=asked.seconds, seed=asked.seed)
                served = {stop.visit_id: route.rep_id for route in plan.routes for stop in route.stops}
                judge(world, found, name, served, plan.summary.travel_s)
            print(f"{day} {region}: {len(found.due)} due, {found.basis.en}")


def show(tallies: dict[str, Tally]) -> None:
    """Print the comparison."""
    table = Table(title="Synthetic sample organisation; conversions and expected value in thousands of CNY")
    heads = (
        "prizes",
        "visits",
        "travel h",
        "eve",
        "k CNY",
        "later model",
        "k CNY",
        "rules",
        "k CNY",
        "took place: won",
    )
    for head in heads:
        table.add_column(head, justify="left" if head == "prizes" else "right")
    base = tallies["distance only"]
    for name, tally in tallies.items():
        table.add_row(
            name,
            str(tally.visits),
            f"{tally.travel_h:.1f}",
            *(
                cell
                for kind in ("eve", "later", "rules")
                for cell in (
                    _against(getattr(tally, kind), getattr(base, kind), 1.0),
                    _against(getattr(tally, f"{kind}_cny"), getattr(base, f"{kind}_cny"), 1000.0),
                )
            ),
            f"{tally.won} of {tally.took_place}",
        )
    Console(width=150).print(table)


def _against(value: float, base: float, unit: float) -> str:
    return f"{value / unit:.1f} ({100 * (value / base - 1):+.0f} %)" if base else f"{value / unit:.1f}"


def main() -> None:
    """Run the backtest that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visit_value", description=__doc__)
    parser.add_argument("--regions", default=",".join(REGIONS), help="default: %(default)s")
    parser.add_argument("--days", type=int, default=4, help="how many past days, eleven days apart (default: 4)")
    parser.add_argument(
        "--reps", type=int, default=3, help="present of the eight of each region, so that time is short (default: 3)"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="time limit of each plan (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the search (default: 0)")
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    # Eleven days apart: other weekdays, and none that has seen the other's visits.
    days = [END - timedelta(days=1 + 11 * step) for step in reversed(range(asked.days))]
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(Path(folder))
        with world.database.read() as session:
            print(f"{session.scalar(select(func.count()).select_from(Visit))} visits up to {END}")
        plan_all(world, Asked(asked.regions.split(","), days, asked.reps, asked.seconds, asked.seed))
        world.database.close()
    show(world.tallies)


if __name__ == "__main__":
    main()
