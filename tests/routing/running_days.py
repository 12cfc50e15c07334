"""Random days that are under way, for tests of what may change during the day."""

import numpy as np
from hypothesis import strategies as st

from common.places import Location
from routing.day import Day, Round
from routing.during_day.running import RunningDay
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.solve import evaluate
from routing.travel_times import MatrixTravelTimes

H = 3600
PLACE = Location(30.5, 114.3)


class SameWays:
    """A new place is as far from all others as its id says."""

    def table(self, locations):
        size = len(locations)
        gaps = np.full((size, size), 600)
        return MatrixTravelTimes(gaps, gaps * 7).table(locations)


def planned(problem, table, **options):
    """A day with a plan by plain insertion, so that it holds and nobody waits for a search."""
    day = Day(problem, table)
    rounds = [Round(day, rep) for rep in range(len(problem.reps))]
    for visit in range(len(problem.visits)):
        found = [(place[0], one.rep, place[1]) for one in rounds if (place := one.best_insertion(visit))]
        if found:
            _, rep, position = min(found)
            rounds[rep].insert(visit, position)
    ids = [visit.id for visit in problem.visits]
    orders = {problem.reps[one.rep].id: [ids[stop] for stop in one.stops] for one in rounds}
    plan, report = evaluate(problem, table, orders)
    assert report.drivable, [violation.text.en for violation in report.violations]
    return RunningDay(problem, plan, table, **options)


@st.composite
def visits(draw, name):
    def window():
        start = 8 * H + draw(st.integers(0, 28)) * 900
        return TimeWindow(start, start + draw(st.sampled_from([600, 3600, 7200])))

    return Visit(
        name, name, PLACE, draw(st.sampled_from([0, 600, 1800, 3600])),
        tuple(window() for _ in range(draw(st.integers(0, 2)))),
        value=draw(st.sampled_from([0.1, 1.0, 3.0])), grade=draw(st.sampled_from(["", "A", "C"])),
        skills=draw(st.frozensets(st.sampled_from(["fair"]), max_size=1)), mandatory=draw(st.booleans()),
        load=draw(st.integers(0, 2)),
    )  # fmt: skip


@st.composite
def running_days(draw, most_visits=10, most_reps=3, promised=None):
    """A planned day; some of them with promised times, some with breaks, open ends and limits."""
    reps = tuple(
        Rep(
            f"r{index}", f"r{index}", PLACE, 8 * H, draw(st.sampled_from([12, 16])) * H,
            draw(st.sampled_from([None, PLACE])),
            tuple(
                Break(earliest, earliest + draw(st.sampled_from([0, 900, 3600])), draw(st.sampled_from([900, 2700])))
                for earliest in draw(st.sampled_from([(), (10 * H,), (9 * H, 11 * H)]))
            ),
            frozenset({"fair"}) if draw(st.booleans()) else frozenset(),
            draw(st.sampled_from([None, 3])), draw(st.sampled_from([None, 4])), draw(st.sampled_from([0, 1800])),
        )
        for index in range(draw(st.integers(1, most_reps)))
    )  # fmt: skip
    asked = tuple(draw(visits(f"v{index}")) for index in range(draw(st.integers(1, most_visits))))
    problem = DayProblem(asked, reps, ObjectiveWeights())
    size = len(problem.locations())
    gaps = np.random.default_rng(draw(st.integers(0, 10_000))).integers(60, 1800, (size, size))
    day = planned(problem, MatrixTravelTimes(gaps, gaps * 7).table(problem.locations()))
    if promised if promised is not None else draw(st.booleans()):
        starts = {stop.visit_id: stop.start_s for route in day.plan.routes for stop in route.stops}
        day = RunningDay(problem, day.plan, day.table, promised=starts)
    return day
