"""The exact answer to small days is the best of all plans, and says nothing where it cannot know."""

import math
import time

import numpy as np
from hypothesis import HealthCheck, given, settings

from common.places import Location
from routing.alone import AloneTable
from routing.check import check
from routing.day import Day
from routing.problem import DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.proof.proving import MOST_VISITS, prove
from routing.solve import candidates, solve
from routing.travel_times import MatrixTravelTimes
from tests.routing.every_plan import best_of_every_plan, cost_by_check
from tests.routing.rich_days import rich_days

H = 3600
PLACE = Location(30.5, 114.3)


def everybody(day):
    return [list(range(len(day.problem.reps)))] * len(day.problem.visits)


def proof_of(day, seconds=60.0):
    return prove(day, everybody(day), end_s=time.monotonic() + seconds)


def assert_same_cost(one, other):
    assert one[0] == other[0]
    assert math.isclose(one[1], other[1], rel_tol=1e-9, abs_tol=1e-6), (one, other)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rich_days(most_visits=4))
def test_the_proven_plan_is_the_best_of_every_plan(case):
    day = Day(*case)
    proof, best = proof_of(day), best_of_every_plan(day)
    assert best is not None
    assert proof is not None
    assert proof.proven
    assert_same_cost(proof.cost, best)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rich_days(most_visits=8))
def test_the_proven_plan_passes_the_checker_at_the_cost_that_it_states(case):
    day = Day(*case)
    proof = proof_of(day)
    cost = cost_by_check(day, proof.orders)
    assert cost is not None
    assert_same_cost(proof.cost, cost)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rich_days(most_visits=5))
def test_the_proven_plan_is_not_worse_than_what_solve_finds(case):
    day = Day(*case)
    proof = prove(day, candidates(AloneTable(day)), end_s=time.monotonic() + 60)
    plan = solve(case.problem, case.table, time_limit_s=0.3)
    report = check(case.problem, case.table, plan)
    if report.drivable and proof is not None:
        left = {visit.visit_id for visit in plan.unassigned}
        missed = sum(day.firm[number] for number, visit in enumerate(case.problem.visits) if visit.id in left)
        assert (missed, report.objective + 1e-6) >= proof.cost


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rich_days(least_visits=2, most_visits=4, always=("first_stops", "after", "collect", "capacity", "fairness")))
def test_days_with_orders_locks_and_fairness_are_proven_too(case):
    day = Day(*case)
    assert_same_cost(proof_of(day).cost, best_of_every_plan(day))


def small_day(count, **weights):
    places = np.random.default_rng(7).integers(0, 3000, (count + 2, 2))
    ways = np.abs(places[:, None] - places[None, :]).sum(axis=2)
    visits = tuple(Visit(f"v{number}", "", PLACE, 900) for number in range(count))
    reps = tuple(Rep(f"r{number}", "", PLACE, 8 * H, 17 * H) for number in range(2))
    problem = DayProblem(visits, reps, ObjectiveWeights(**weights))
    return Day(problem, MatrixTravelTimes(ways, ways).table(problem.locations()))


def test_a_day_with_too_many_visits_is_not_tried():
    assert proof_of(small_day(MOST_VISITS + 1)) is None
    assert proof_of(small_day(4)) is not None


def test_no_answer_comes_after_the_end_of_the_time():
    assert proof_of(small_day(4), seconds=0.0) is None


def test_a_day_on_which_longer_ways_pay_gives_up_rather_than_run_on():
    assert proof_of(small_day(10, fairness=50.0)) is None


def test_locked_stops_that_cannot_be_kept_leave_the_day_unproven():
    late = Visit("late", "", PLACE, 0, (TimeWindow(20 * H, 21 * H),))
    problem = DayProblem((late,), (Rep("r", "", PLACE, 8 * H, 17 * H, first_stops=("late",)),))
    ways = np.zeros((2, 2), dtype=int)
    day = Day(problem, MatrixTravelTimes(ways, ways).table(problem.locations()))
    assert proof_of(day) is None


def test_a_visit_that_is_possible_only_over_a_third_place_is_proven_where_ways_are_crooked():
    visits = (Visit("far", "", PLACE, 0, mandatory=True), Visit("gate", "", PLACE, 0))
    problem = DayProblem(visits, (Rep("r", "", PLACE, 8 * H, 9 * H),))
    ways = np.array([[0, 60, 60], [60, 0, 60], [9999, 60, 0]])
    day = Day(problem, MatrixTravelTimes(ways, ways).table(problem.locations()))
    assert prove(day, candidates(AloneTable(day)), end_s=time.monotonic() + 60).orders == [[1, 0]]


def day_with(visits, reps, ways, **weights):
    problem = DayProblem(tuple(visits), tuple(reps), ObjectiveWeights(**weights))
    return Day(problem, MatrixTravelTimes(ways, ways).table(problem.locations()))


def test_a_longer_way_is_found_where_it_makes_the_days_more_equal():
    ways = np.full((5, 5), 5000) * ~np.eye(5, dtype=bool)
    ways[3, 0] = 1000
    ways[4, 1], ways[1, 2], ways[4, 2], ways[2, 1] = 100, 200, 300, 600
    visits = [
        Visit(f"v{number}", "", PLACE, 0, allowed_reps=frozenset({"b" if number else "a"})) for number in range(3)
    ]
    day = day_with(visits, [Rep(name, "", PLACE, 8 * H, 17 * H) for name in "ab"], ways, fairness=10.0)
    proof = proof_of(day)
    assert proof.orders == [[0], [2, 1]]
    assert_same_cost(proof.cost, best_of_every_plan(day))


def test_a_longer_way_is_found_where_it_keeps_room_for_packs_of_a_later_visit():
    places = [1, 2, 3, 4, 5, 0]
    ways = np.abs(np.subtract.outer(places, places)) * 600
    fields = [{"collect": 2}, {"load": 1}, {"load": 2, "after": "v0"}, {}, {"load": 1, "after": "v3"}]
    visits = [Visit(f"v{number}", "", PLACE, 0, **given) for number, given in enumerate(fields)]
    day = day_with(visits, [Rep("r", "", PLACE, 8 * H, 17 * H, capacity=3)], ways)
    proof = proof_of(day)
    assert sorted(proof.orders[0]) == [0, 1, 2, 3, 4]
    assert_same_cost(proof.cost, best_of_every_plan(day))
