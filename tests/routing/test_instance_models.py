"""Instances become day problems in the rounding that their kind asks for, and cost there what the file means."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from routing.check import check
from routing.instances.best_known import best_of_solution, read_best_table
from routing.instances.model import is_instance, read_instance
from routing.problem import LATEST_TIME_S
from routing.solve import evaluate
from tests.routing.instance_texts import CVRP, DEPOTS, PRIZES, SOLOMON, VRPTW


def _read(text: str, rounding: str = "auto"):
    return read_instance(text.encode(), name="small", rounding=rounding)


def test_solomon_distances_are_truncated_to_one_decimal():
    instance = _read(SOLOMON)
    problem, table = instance.problem, instance.table
    assert (instance.kind, instance.rounding, instance.scale) == ("VRPTW", "dimacs", 10)
    assert len(problem.visits) == 3
    assert len(problem.reps) == 2
    assert table.distance_m[0, 1] == 36  # the root of 13 is 3.605…
    assert table.distance_m[1, 3] == 14
    assert table.distance_m[3, 4] == 0  # the depot, for both vehicles
    assert problem.visits[1].windows[0].start_s == 500
    assert problem.visits[1].service_s == 100
    assert problem.reps[0].capacity == 20
    assert all(visit.mandatory for visit in problem.visits)


@pytest.mark.parametrize(
    ("text", "rounding", "scale", "distance"),
    [
        (SOLOMON, "auto", 10, 3.6),
        (SOLOMON, "exact", 1000, 3.606),
        (SOLOMON.replace("100         10", "190         10"), "exact", 100, 3.61),  # 200 × 1000 s: more than two days
        (SOLOMON, "nearest", 1, 4),
        (SOLOMON, "trunc", 1, 3),
        (SOLOMON, "ceil", 1, 4),
        (CVRP, "auto", 1, 4),
        (CVRP, "exact", 1000, 3.606),
        (CVRP, "dimacs", 10, 3.6),
        (VRPTW, "auto", 10, 3.6),
        (VRPTW.replace("EUC_2D", "FLOOR_2D"), "auto", 1, 3),
        (VRPTW.replace("EUC_2D", "FLOOR_2D\nSCALE : 10"), "auto", 10, 3.6),
        (CVRP.replace("EUC_2D", "CEIL_2D"), "auto", 1, 4),
        (CVRP.replace("EUC_2D", "EXACT_2D"), "auto", 1000, 3.606),
        (CVRP.replace("EOF", "PRIZE_SECTION\n1 0\n2 0\n3 4\n4 4\n5 4\nEOF"), "auto", 10, 3.6),
        (DEPOTS.replace("4 99 0", "4 3 3"), "auto", 10, 3.6),
    ],
)
def test_each_kind_of_file_is_rounded_by_its_convention(text, rounding, scale, distance):
    instance = _read(text, rounding)
    assert instance.scale == scale
    assert instance.table.distance_m[0, 1] / scale == distance


def test_given_whole_distances_stay_as_they_are_and_others_are_truncated():
    assert _read(PRIZES).scale == 1
    assert _read(PRIZES.replace("0 10 10 10 50\n", "0 10.19 10 10 50\n", 1)).table.distance_m[4, 0] == 101


def test_days_counted_in_seconds_fall_back_to_whole_numbers():
    long = VRPTW.replace("1\t0\t200", "1\t0\t100000").replace("4\t0\t100", "4\t0\t90000")
    instance = _read(long)
    assert (instance.rounding, instance.scale) == ("trunc", 1)
    with pytest.raises(InvalidInput, match="too long for a day problem"):
        _read(long, "dimacs")


def test_a_depot_without_an_end_closes_when_the_last_customer_can_be_back():
    instance = _read(VRPTW.replace("1\t0\t200", "1\t0\t99999999"))
    assert instance.scale == 10
    assert instance.problem.reps[0].shift_end_s == 1000 + 100 + 90


@pytest.mark.parametrize("reach", [1, 1_000_000])
def test_no_round_of_a_cvrp_fails_for_lack_of_time(reach):
    instance = _read(CVRP.replace("3 4\n", f"{3 * reach} {4 * reach}\n").replace("CAPACITY : 10", "CAPACITY : 18"))
    order = [visit.id for visit in instance.problem.visits]
    plan, report = evaluate(instance.problem, instance.table, {"V1": order})
    assert report.feasible
    assert plan.routes[0].end_s <= LATEST_TIME_S
    table = instance.table.distance_m
    assert instance.distance(report) == table[4, 0] + table[0, 1] + table[1, 2] + table[2, 3] + table[3, 4]
    assert instance.objective(report) == instance.distance(report)


def test_the_objective_is_distance_plus_the_prizes_that_were_not_collected():
    instance = _read(PRIZES)
    _, report = evaluate(instance.problem, instance.table, {"V1": ["2", "4"]})
    assert report.feasible
    assert instance.distance(report) == 30
    assert instance.objective(report) == 30 + 15 + 80
    _, report = evaluate(instance.problem, instance.table, {"V1": ["3"]})
    assert {found.constraint for found in report.violations} == {"mandatory_served"}
    assert instance.objective(report) == 20 + 25 + 80


def test_fixed_costs_of_the_vehicles_that_go_out_count():
    instance = _read(DEPOTS.replace("EOF", "VEHICLES_FIXED_COST_SECTION\n1 5\n2 5\n3 7\nEOF"))
    _, report = evaluate(instance.problem, instance.table, {"V1": ["3"], "V3": ["4", "5"]})
    assert report.feasible
    assert instance.distance(report) == 2 + 6
    assert instance.objective(report) == 2 + 6 + 5 + 7


def test_a_vehicle_starts_and_ends_at_its_own_depot_within_its_hours():
    instance = _read(DEPOTS)
    _, report = evaluate(instance.problem, instance.table, {"V1": ["3"], "V3": ["4", "5"]})
    assert report.feasible
    assert instance.distance(report) == 2 + 6
    assert [rep.shift_start_s for rep in instance.problem.reps] == [0, 0, 500]
    _, report = evaluate(instance.problem, instance.table, {"V1": ["3"], "V2": ["4", "5"]})
    assert not report.drivable or instance.distance(report) > 200


def test_what_customers_give_back_rides_along_to_the_depot():
    instance = _read(CVRP.replace("EOF", "BACKHAUL_SECTION\n1 0\n2 0\n3 5\n4 0\n5 0\nEOF"))
    assert [visit.collect for visit in instance.problem.visits] == [0, 5, 0, 0]


def test_loads_with_decimals_keep_their_proportions():
    instance = _read(CVRP.replace("2 6\n", "2 6.25\n"))
    assert [visit.load for visit in instance.problem.visits] == [625, 300, 400, 500]
    assert instance.problem.reps[0].capacity == 1000


def test_a_longest_duration_without_windows_is_the_shift():
    instance = _read(CVRP.replace("CAPACITY : 10", "CAPACITY : 18\nDISTANCE : 30\nSERVICE_TIME : 2"), "dimacs")
    _, report = evaluate(instance.problem, instance.table, {"V1": ["2", "3"], "V2": ["4"], "V3": ["5"]})
    assert report.feasible
    _, report = evaluate(instance.problem, instance.table, {"V1": ["2", "3", "4", "5"]})
    assert not report.feasible


@given(st.integers(10, 500), st.integers(1, 6))
def test_no_round_within_its_shift_lasts_longer_than_the_file_allows(longest, vehicles):
    text = VRPTW.replace("VEHICLES: 2", f"VEHICLES: {vehicles}\nVEHICLES_MAX_DURATION: {longest}")
    reps = _read(text).problem.reps
    assert all(rep.shift_end_s - rep.shift_start_s <= 10 * longest for rep in reps)
    assert min(rep.shift_start_s for rep in reps) == 0
    assert max(rep.shift_end_s for rep in reps) <= 2000


def test_customers_may_be_kept_to_some_vehicles():
    more = "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 3\n2 3 4\n3 4 5\nEOF"
    visits = _read(DEPOTS.replace("EOF", more)).problem.visits
    assert [sorted(visit.allowed_reps) for visit in visits] == [["V1", "V2"], ["V2", "V3"], ["V3"]]
    assert all(visit.allowed_reps is None for visit in _read(DEPOTS).problem.visits)


def test_packed_files_are_read_and_other_files_are_told_apart():
    assert read_instance(gzip.compress(VRPTW.encode())).problem == _read(VRPTW).problem
    assert is_instance(SOLOMON.encode(), name="a")
    assert is_instance(CVRP.encode(), name="a")
    assert not is_instance(b"Instances of 1987; see NUMBER 5\n", name="a")


def test_a_thousand_customers_and_250_vehicles_fit():
    dice = np.random.default_rng(1)
    rows = "\n".join(f"{n} {x} {y} 1 0 900 10" for n, (x, y) in enumerate(dice.integers(0, 500, (1001, 2))))
    instance = _read(f"BIG\n\nVEHICLE\nNUMBER CAPACITY\n250 200\n\nCUSTOMER\nCUST NO. X\n\n{rows}\n")
    assert len(instance.problem.visits) == 1000
    assert instance.table.distance_m.shape == (1500, 1500)


@pytest.mark.parametrize("unit", [1, 10, 1000])
def test_a_solution_files_routes_say_what_its_cost_means(unit):
    instance = _read(VRPTW)
    routes = "Route #1: 1 3\nRoute #2: 2\n"
    exact = 5 + 34**0.5 + 9 + 2 * 2**0.5
    cost = best_of_solution(f"{routes}Cost: {exact * unit}\n".encode(), instance)
    assert cost == pytest.approx(5 + 5.8 + 9 + 2.8)
    plan, report = evaluate(instance.problem, instance.table, {"V1": ["2", "4"], "V2": ["3"]})
    assert instance.distance(check(instance.problem, instance.table, plan)) == cost
    assert report.feasible


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("Cost 21.5\n", 21.5),
        ("Route #1: 1 3\nRoute #2: 2\n", 22.6),
        ("Route #1: 1 3\nCost 21.5\n", 21.5),  # a customer is missing
        ("Route #1: 1 3\nRoute #2: 2 9\nCost 21.5\n", 21.5),  # there is no customer 9
        ("Route #1: 1 3\nRoute #2: 2\nCost 29\n", 29),  # in none of the units
        ("Route #1: 1 3\nRoute #7: 2\nCost 21.5\n", 21.5),  # there is no seventh vehicle
        ("hello\n", None),
    ],
)
def test_a_solution_file_that_cannot_be_followed_is_taken_at_its_word(text, best):
    assert best_of_solution(text.encode(), _read(VRPTW)) == (None if best is None else pytest.approx(best))


def test_a_solution_file_of_a_prize_instance_counts_what_it_leaves_out():
    assert best_of_solution(b"Route #1: 1 3\nCost: 125\n", _read(PRIZES)) == 30 + 15 + 80


def test_a_broken_solution_file_or_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="row 2"):
        best_of_solution(b"Route #1: 1 3\nRoute #2: two\n", _read(VRPTW))
    with pytest.raises(InvalidInput, match="cannot read"):
        read_best_table(tmp_path / "none.csv")
