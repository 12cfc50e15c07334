"""Our own search: its plans hold, its cost is the true cost, and it gives the same plan for the same seed."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.places import Location
from routing.alone import AloneTable
from routing.check import check
from routing.construct import cost_of
from routing.day import Day, Round
from routing.problem import DayProblem, Rep, TimeWindow, Visit
from routing.ruin_recreate import RuinRecreate
from routing.search import SearchTask, search
from routing.solve import assemble, candidates
from routing.travel_times import MatrixTravelTimes
from tests.routing.rich_days import rich_days

PLACE = Location(30.5, 114.3)


def searched(problem, table, *, seed=0, steps=300):
    day = Day(problem, table)
    state = RuinRecreate(day, candidates(AloneTable(day)), seed=seed)
    scale = state.leg_scale()
    state.advance(steps, scale, 0.01 * scale, 6.0)
    return day, state


@settings(max_examples=150, deadline=None)
@given(rich_days(), st.integers(0, 5))
def test_every_plan_it_finds_passes_the_checker_but_for_visits_that_nobody_makes(case, seed):
    problem, table = case
    day, state = searched(problem, table, seed=seed)
    rounds = [Round(day, rep, order) for rep, order in enumerate(state.best_orders())]
    plan = assemble(day, rounds, AloneTable(day))
    broken = {found.constraint for found in check(problem, table, plan).violations}
    assert broken <= {"mandatory_served", "first_stops"}, broken
    assert all(one.feasible for one in rounds if one.stops)


@settings(max_examples=150, deadline=None)
@given(rich_days(), st.integers(0, 5))
def test_the_cost_that_it_counts_step_by_step_is_the_cost_of_its_plan(case, seed):
    problem, table = case
    day, state = searched(problem, table, seed=seed)
    _, cost = cost_of(day, [Round(day, rep, order) for rep, order in enumerate(state.best_orders())])
    placed = {visit for order in state.best_orders() for visit in order}
    firm = [visit for visit in range(len(problem.visits)) if day.firm[visit] and visit not in placed]
    above_all = sum(float(state.arrays.prize[visit]) - day.prize[visit] for visit in firm)
    assert math.isclose(state.best_cost - above_all, cost, rel_tol=1e-9, abs_tol=2.0)


def crowded_day(visits=60, reps=4, seed=1):
    numbers = np.random.default_rng(seed)
    plane = numbers.integers(0, 100, (visits + 2 * reps, 2))
    table = np.rint(20 * np.hypot(*(plane[:, None] - plane).transpose(2, 0, 1))).astype(int)
    windows = [int(numbers.integers(8, 15)) * 3600 for _ in range(visits)]
    problem = DayProblem(
        tuple(Visit(f"v{n}", "", PLACE, 900, (TimeWindow(windows[n], windows[n] + 7200),)) for n in range(visits)),
        tuple(Rep(f"r{n}", "", PLACE, 8 * 3600, 17 * 3600, PLACE) for n in range(reps)),
    )
    return problem, MatrixTravelTimes(table, table).table(problem.locations())


def test_the_same_seed_and_steps_give_the_same_plan():
    problem, table = crowded_day()
    assert searched(problem, table, seed=3)[1].best_orders() == searched(problem, table, seed=3)[1].best_orders()


def test_another_seed_takes_another_way():
    problem, table = crowded_day()
    assert searched(problem, table, seed=3)[1].best_cost != searched(problem, table, seed=4)[1].best_cost


def test_it_never_ends_worse_than_where_it_was_told_to_start():
    problem, table = crowded_day()
    day, good = searched(problem, table, steps=3000)
    again = RuinRecreate(day, candidates(AloneTable(day)), seed=9, start=good.best_orders())
    again.advance(50, 1e6, 1e5, 6.0)
    assert again.best_cost <= good.best_cost + 1e-6


def test_counting_steps_instead_of_seconds_gives_the_same_plan_twice():
    problem, table = crowded_day()
    day = Day(problem, table)
    ends = []
    for _ in range(2):
        found = []
        task = SearchTask(day, candidates(AloneTable(day)), time.monotonic() + 60, seed=5, steps=2000)
        search(task, found.append)
        ends.append((found[-1].orders, found[-1].steps))
    assert ends[0] == ends[1]
    assert ends[0][1] >= 2000


@pytest.mark.parametrize("neighbours", [1, 3])
def test_few_neighbours_still_serve_whoever_must_be_served(neighbours):
    from routing.search_arrays import search_arrays

    problem, table = crowded_day(visits=12, reps=4)
    firm = DayProblem(
        tuple(Visit(one.id, "", one.location, 900, one.windows, mandatory=True) for one in problem.visits), problem.reps
    )
    day = Day(firm, table)
    arrays = search_arrays(day, candidates(AloneTable(day)), neighbours=neighbours)
    assert arrays.pred.shape == (12, neighbours)
    assert (arrays.pred != np.arange(12)[:, None]).all()
