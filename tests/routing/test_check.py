"""Each constraint is breached once on its own and reported by its name."""

import dataclasses
from pathlib import Path

import pytest

from common.places import Location
from routing.check import CONSTRAINTS, check
from routing.plan import DayPlan, Unassigned
from routing.problem import Break, DayProblem, Rep, TimeWindow, Visit
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes

H = 3600
TRAVEL = HaversineTravelTimes()


def visit(name, north, **options):
    return Visit(name, name, Location(30.5 + north / 100, 114.3), 1200, **options)


def rep(name, **options):
    here = Location(30.5, 114.3)
    usual = Rep(name, name, here, 9 * H, 18 * H, here, (Break(12 * H, 13 * H, H),))
    return dataclasses.replace(usual, **options)


def day(visits=None, reps=None):
    return DayProblem(tuple(visits or [visit(f"v{index}", index) for index in range(4)]), tuple(reps or [rep("r")]))


ALL = {"r": ["v0", "v1", "v2", "v3"]}


def names_of(problem, orders=ALL):
    return {violation.constraint for violation in evaluate(problem, TRAVEL, orders)[1].violations}


def tampered(change_route=None, change_stop=None, change_break=None):
    problem = day()
    plan = evaluate(problem, TRAVEL, ALL)[0]
    route = plan.routes[0]
    if change_stop:
        index, change = change_stop
        stops = list(route.stops)
        stops[index] = dataclasses.replace(stops[index], **change(stops[index]))
        route = dataclasses.replace(route, stops=tuple(stops))
    if change_break:
        route = dataclasses.replace(route, breaks=(dataclasses.replace(route.breaks[0], **change_break),))
    if change_route:
        route = dataclasses.replace(route, **change_route(route))
    report = check(problem, TRAVEL, dataclasses.replace(plan, routes=(route,)))
    return {violation.constraint for violation in report.violations}


def test_a_good_order_is_accepted_with_its_true_cost():
    problem = day()
    plan, report = evaluate(problem, TRAVEL, ALL)
    assert report.feasible
    assert report.objective == plan.objective == plan.summary.travel_s == report.travel_s
    assert report.served == 4


def test_each_visit_once_sees_a_visit_on_two_routes():
    assert names_of(day(reps=[rep("r"), rep("s")]), ALL | {"s": ["v1"]}) == {"each_visit_once"}


def test_each_visit_once_sees_a_visit_that_is_nowhere():
    problem = day()
    plan = evaluate(problem, TRAVEL, {"r": ["v0", "v1", "v2"]})[0]
    report = check(problem, TRAVEL, dataclasses.replace(plan, unassigned=()))
    assert [violation.visit_id for violation in report.violations] == ["v3"]


def test_one_route_per_rep_sees_a_rep_with_two_routes():
    problem = day()
    first = evaluate(problem, TRAVEL, {"r": ["v0", "v1"]})[0].routes
    second = evaluate(problem, TRAVEL, {"r": ["v2", "v3"]})[0].routes
    report = check(problem, TRAVEL, DayPlan((*first, *second), (), 0.0))
    assert {violation.constraint for violation in report.violations} == {"one_route_per_rep"}


def test_mandatory_served_sees_what_is_left_out_but_calls_the_routes_drivable():
    problem = day([visit("v0", 0, mandatory=True), visit("v1", 1)])
    report = evaluate(problem, TRAVEL, {"r": ["v1"]})[1]
    assert [violation.constraint for violation in report.violations] == ["mandatory_served"]
    assert report.drivable
    assert not report.feasible


def test_time_windows_sees_a_late_start_and_by_how_much():
    problem = day([visit("v0", 0, windows=(TimeWindow(8 * H, 9 * H - 600), TimeWindow(7 * H, 7 * H)))])
    report = evaluate(problem, TRAVEL, {"r": ["v0"]})[1]
    assert [(violation.constraint, violation.amount) for violation in report.violations] == [("time_windows", 600)]


def test_time_windows_accepts_the_second_of_two_windows():
    problem = day([visit("v0", 0, windows=(TimeWindow(8 * H, 8 * H), TimeWindow(15 * H, 16 * H)))])
    plan, report = evaluate(problem, TRAVEL, {"r": ["v0"]})
    assert report.feasible
    assert plan.routes[0].stops[0].start_s == 15 * H


def test_service_time_sees_a_visit_cut_short():
    assert tampered(change_stop=(3, lambda stop: {"start_s": stop.start_s + 60})) == {"service_time"}


def test_travel_times_sees_an_arrival_before_it_is_possible():
    earlier = lambda stop: {"arrival_s": stop.arrival_s - 30, "wait_s": 30}  # noqa: E731
    assert tampered(change_stop=(1, earlier)) == {"travel_times"}


def test_travel_times_sees_distances_that_are_not_true():
    assert tampered(change_stop=(1, lambda stop: {"distance_m": 1})) == {"travel_times"}


def test_travel_times_sees_a_way_home_that_is_too_short():
    assert tampered(change_route=lambda route: {"end_s": route.end_s - 1}) == {"travel_times"}


def test_shift_sees_a_round_that_ends_too_late():
    assert names_of(day(reps=[rep("r", shift_end_s=10 * H, breaks=())])) == {"shift"}


def test_shift_sees_a_departure_before_the_shift():
    assert tampered(change_route=lambda _: {"departure_s": 8 * H}) == {"shift"}


def test_overtime_is_allowed_as_far_as_the_rep_allows_and_costs():
    short = {"shift_end_s": 10 * H, "breaks": ()}
    plan, report = evaluate(day(reps=[rep("r", **short, overtime_s=4 * H)]), TRAVEL, ALL)
    assert report.feasible
    assert plan.routes[0].overtime_s > 0
    assert report.objective == plan.objective == report.travel_s + 2 * plan.routes[0].overtime_s


def test_breaks_taken_sees_a_missing_break():
    assert tampered(change_route=lambda _: {"breaks": ()}) == {"breaks_taken"}


def test_breaks_taken_sees_a_break_that_starts_too_late():
    assert "breaks_taken" in tampered(change_break={"start_s": 14 * H, "end_s": 15 * H})


def test_breaks_undisturbed_sees_a_service_that_reaches_into_a_break():
    assert tampered(change_break={"leg": 1, "travelled_s": 0}) == {"breaks_undisturbed", "travel_times"}


def test_breaks_undisturbed_accepts_a_trip_that_pauses_for_lunch():
    far = [visit("v0", 0), visit("v1", 45)]  # 3 h on the way
    plan, report = evaluate(day(far, [rep("r", breaks=(Break(11 * H, 11 * H, H),))]), TRAVEL, {"r": ["v0", "v1"]})
    assert report.feasible, report.violations
    lunch = plan.routes[0].breaks[0]
    assert 0 < lunch.travelled_s < plan.routes[0].stops[1].travel_s


def test_skills_sees_a_visit_with_a_rep_who_lacks_them():
    assert names_of(day([visit("v0", 0, skills=frozenset({"fair"}))]), {"r": ["v0"]}) == {"skills"}


def test_visit_limit_sees_too_many_visits():
    assert names_of(day(reps=[rep("r", max_visits=3)])) == {"visit_limit"}


def test_load_limit_sees_too_many_packs():
    loaded = [visit(f"v{index}", index, load=2) for index in range(4)]
    assert names_of(day(loaded, [rep("r", capacity=7)])) == {"load_limit"}


def test_known_ids_names_strangers_and_computes_nothing():
    problem = day()
    plan = evaluate(problem, TRAVEL, ALL)[0]
    report = check(problem, TRAVEL, dataclasses.replace(plan, unassigned=(Unassigned("ghost", False, ()),)))
    assert [(violation.constraint, violation.visit_id) for violation in report.violations] == [("known_ids", "ghost")]


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_constraint_has_a_test_here_or_in_test_check_rich(name):
    rich = Path(__file__).with_name("test_check_rich.py").read_text(encoding="utf-8")
    assert any(test.startswith(f"test_{name}_") for test in globals()) or f"\ndef test_{name}_" in rich


def test_every_violation_speaks_both_languages():
    reps = [rep("r", max_visits=1, capacity=1, shift_end_s=12 * H + 1)]
    problem = day(
        [visit(f"v{i}", i, load=1, skills=frozenset({"x"}), windows=(TimeWindow(0, 1),)) for i in range(9)], reps
    )
    report = evaluate(problem, TRAVEL, {"r": [f"v{i}" for i in range(8)] + ["v0"]})[1]
    assert len({violation.constraint for violation in report.violations}) >= 5
    for violation in report.violations:
        assert violation.text.en.isascii()
        assert any("一" <= letter <= "鿿" for letter in violation.text.zh)
