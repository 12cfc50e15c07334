"""OR-Tools' orders hold for every field of the model, and reach the proven best where only single visits matter."""

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from common.places import Location
from routing.alone import AloneTable
from routing.day import Day
from routing.ortools_search.searching import search
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.proof.proving import prove
from routing.search import SearchTask
from routing.solve import candidates
from routing.travel_times import MatrixTravelTimes
from tests.routing.every_plan import cost_by_check
from tests.routing.rich_days import rich_days

H = 3600
PLACE = Location(30.5, 114.3)


def orders_found(day, seconds=0.3):
    found = []
    search(SearchTask(day, candidates(AloneTable(day)), time.monotonic() + seconds), found.append)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rich_days(least_visits=2, most_visits=7))
def test_every_order_found_passes_the_checker_and_none_is_better_than_the_proven_plan(case):
    day = Day(*case)
    costs = [cost_by_check(day, orders) for orders in orders_found(day, 0.15)]
    assert None not in costs
    proof = prove(day, candidates(AloneTable(day)), end_s=time.monotonic() + 30)
    if proof is not None and proof.proven:
        missed, cost = proof.cost
        assert all(found >= (missed, cost - 1e-6) for found in costs)


def day_of(visits, reps, *, weights=None, gap_s=900):
    """Visits on a line, ``gap_s`` apart; all reps start (and end) at its beginning."""
    problem = DayProblem(tuple(visits), tuple(reps), weights or ObjectiveWeights())
    places = [*range(1, len(visits) + 1), *[0] * (len(problem.locations()) - len(visits))]
    ways = np.abs(np.subtract.outer(places, places)) * gap_s
    return Day(problem, MatrixTravelTimes(ways, ways * 7).table(problem.locations()))


def visit(number, **fields):
    return Visit(f"v{number}", "", PLACE, 600, **fields)


def rep(name, **fields):
    return Rep(name, "", PLACE, 8 * H, 17 * H, PLACE, **fields)


FIELDS = {
    "allowed_reps": ([visit(0, allowed_reps=frozenset({"b"})), visit(1)], [rep("a"), rep("b")], {}),
    "after": ([visit(0, after="v2"), visit(1), visit(2)], [rep("a"), rep("b")], {}),
    "collect": (
        [visit(0, load=2, after="v2"), visit(1, load=1), visit(2, collect=2), visit(3, collect=1)],
        [rep("a", capacity=2)],
        {},
    ),
    "usual_rep": ([visit(0, usual_rep="b"), visit(1, usual_rep="b")], [rep("a"), rep("b")], {"change": 5000.0}),
    "fixed_cost": ([visit(0), visit(1)], [rep("a", fixed_cost=4000.0), rep("b")], {}),
    "max_travel_s": ([visit(number) for number in range(4)], [rep("a", max_travel_s=5400)], {}),
    "max_distance_m": ([visit(number) for number in range(4)], [rep("a", max_distance_m=7 * 5400)], {}),
    "first_stops": ([visit(number) for number in range(4)], [rep("a", first_stops=("v3", "v1")), rep("b")], {}),
    "breaks": ([visit(0), visit(1)], [rep("a", breaks=(Break(9 * H, 9 * H, 2700), Break(12 * H, 13 * H, H)))], {}),
    "windows": (
        [visit(0, windows=(TimeWindow(8 * H, 8 * H), TimeWindow(11 * H, 12 * H))), visit(1)],
        [rep("a")],
        {},
    ),
    "overtime": ([visit(0), visit(1, windows=(TimeWindow(16 * H, 17 * H),))], [rep("a", overtime_s=3600)], {}),
    "unequal ends": ([visit(0)], [rep("a"), rep("b", max_visits=0, max_travel_s=0)], {}),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_model_is_kept_at_the_least_cost(name):
    visits, reps, weights = FIELDS[name]
    day = day_of(visits, reps, weights=ObjectiveWeights(**weights))
    proof = prove(day, candidates(AloneTable(day)), end_s=time.monotonic() + 60)
    costs = [cost_by_check(day, orders) for orders in orders_found(day, 1.0)]
    assert None not in costs
    assert min(costs) == pytest.approx(proof.cost)


def test_a_rep_who_cannot_go_from_start_to_end_does_not_spoil_the_day():
    problem = DayProblem((visit(0),), (rep("a"), rep("b", max_travel_s=10)))
    ways = np.full((5, 5), 100) * ~np.eye(5, dtype=bool)
    day = Day(problem, MatrixTravelTimes(ways, ways).table(problem.locations()))
    assert [[0], []] in orders_found(day)
