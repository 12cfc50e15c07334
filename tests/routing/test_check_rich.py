"""The constraints on limits, permissions and order are each breached once on their own; the cost has all its parts."""

import dataclasses
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.places import Location
from routing.check import CONSTRAINTS, check
from routing.constraints.case import Case
from routing.constraints.of_service import heaviest_load
from routing.plan import DayPlan, Unassigned
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.schedule import earliest_route
from routing.travel_times import HaversineTravelTimes

H = 3600
TRAVEL = HaversineTravelTimes()
HERE = Location(30.5, 114.3)


def visit(name, north=1, **options):
    return Visit(name, name, Location(30.5 + north / 100, 114.3), 1200, **options)


def rep(name="r", **options):
    return dataclasses.replace(Rep(name, name, HERE, 9 * H, 18 * H, HERE), **options)


def laid_out(visits, reps, orders, weights=None):
    """A plan of the orders with true times, whatever else they break."""
    from routing.day import Day

    problem = DayProblem(tuple(visits), tuple(reps), weights or ObjectiveWeights())
    # Times come from a problem without the rules that are looked at here, so that only they can be broken.
    plain = DayProblem(
        tuple(
            dataclasses.replace(item, after="", collect=0, load=0, allowed_reps=None, usual_rep="") for item in visits
        ),
        tuple(dataclasses.replace(item, first_stops=(), max_travel_s=None, max_distance_m=None) for item in reps),
    )
    day = Day(plain, TRAVEL.table(plain.locations()))
    at = {item.id: index for index, item in enumerate(visits)}
    routes = tuple(
        earliest_route(day, index, [at[name] for name in orders[item.id]])
        for index, item in enumerate(reps)
        if orders.get(item.id)
    )
    placed = {name for order in orders.values() for name in order}
    left = tuple(Unassigned(item.id, item.mandatory, ()) for item in visits if item.id not in placed)
    return problem, DayPlan(routes, left, 0.0)


def report_of(visits, reps, orders, weights=None):
    problem, plan = laid_out(visits, reps, orders, weights)
    return check(problem, TRAVEL, plan)


def broken(*case):
    return [(found.constraint, found.rep_id, found.visit_id, found.amount) for found in report_of(*case).violations]


def test_a_report_lists_every_constraint_that_was_checked_also_when_none_is_broken():
    report = report_of([visit("a")], [rep()], {"r": ["a"]})
    assert report.feasible
    assert report.checked == ("known_ids", *CONSTRAINTS)
    assert {"allowed_reps", "stop_order", "collected_together", "first_stops"} < set(report.checked)
    assert {"travel_limit", "distance_limit", "load_limit"} < set(report.checked)


def test_allowed_reps_sees_a_visit_with_a_rep_who_is_not_named():
    visits, reps = [visit("a", allowed_reps=frozenset({"s"}))], [rep(), rep("s")]
    assert broken(visits, reps, {"r": ["a"]}) == [("allowed_reps", "r", "a", 1)]
    assert broken(visits, reps, {"s": ["a"]}) == []


def test_travel_limit_counts_the_way_home_and_says_by_how_much():
    way_s = report_of([visit("a")], [rep()], {"r": ["a"]}).travel_s
    assert broken([visit("a")], [rep(max_travel_s=way_s - 60)], {"r": ["a"]}) == [("travel_limit", "r", None, 60)]
    assert broken([visit("a")], [rep(max_travel_s=way_s)], {"r": ["a"]}) == []


def test_distance_limit_counts_the_way_home_and_says_by_how_much():
    way_m = report_of([visit("a")], [rep()], {"r": ["a"]}).distance_m
    assert broken([visit("a")], [rep(max_distance_m=way_m - 7)], {"r": ["a"]}) == [("distance_limit", "r", None, 7)]
    assert broken([visit("a")], [rep(max_distance_m=way_m)], {"r": ["a"]}) == []


def test_stop_order_sees_a_predecessor_later_elsewhere_or_nowhere():
    visits, reps = [visit("a"), visit("b", 2, after="a")], [rep(), rep("s")]
    wrong = [("stop_order", "r", "b", 1)]
    assert broken(visits, reps, {"r": ["b", "a"]}) == wrong
    assert broken(visits, reps, {"r": ["b"], "s": ["a"]}) == wrong
    assert broken(visits, reps, {"r": ["b"]}) == wrong
    assert broken(visits, reps, {"r": ["a", "b"]}) == []
    assert broken(visits, reps, {"r": ["a"]}) == []


def test_collected_together_sees_packs_taken_in_for_a_visit_that_is_not_made():
    visits = [visit("depot", collect=3), visit("shop", 2, load=3, after="depot")]
    assert broken(visits, [rep()], {"r": ["depot"]}) == [("collected_together", "r", "depot", 1)]
    assert broken(visits, [rep()], {"r": ["depot", "shop"]}) == []
    assert broken([visit("depot", collect=3), visit("shop", 2)], [rep()], {"r": ["depot"]}) == []


def test_first_stops_sees_another_beginning_another_rep_and_a_stop_between():
    visits = [visit(name, place) for place, name in enumerate("abc", 1)]
    reps = [rep(first_stops=("b", "a")), rep("s")]
    assert broken(visits, reps, {"r": ["b", "a", "c"]}) == []
    assert {found[2] for found in broken(visits, reps, {"r": ["a", "b", "c"]})} == {"a", "b"}
    assert broken(visits, reps, {"r": ["b", "c", "a"]}) == [("first_stops", "r", "a", 1)]
    assert broken(visits, reps, {"r": ["b"], "s": ["a", "c"]}) == [("first_stops", "r", "a", 1)]
    assert {found[2] for found in broken(visits, reps, {"s": ["b", "a"]})} == {"a", "b"}


def test_first_stops_that_are_left_out_are_named_and_leave_the_routes_drivable():
    visits, reps = [visit("a"), visit("b", 2)], [rep(first_stops=("a", "b"))]
    report = report_of(visits, reps, {"r": ["a"]})
    assert [(found.constraint, found.visit_id) for found in report.violations] == [("first_stops", "b")]
    assert report.drivable
    assert not report.feasible
    assert not report_of(visits, reps, {"r": ["b"]}).drivable  # b is the second stop or none
    visits.append(visit("c", 3))
    assert not report_of(visits, reps, {"r": ["c", "b"]}).drivable


@pytest.mark.parametrize(
    ("order", "most", "where"),
    [
        (["plain", "depot", "shop"], 5, "depot"),  # 2 from the start, handed over, then 5 taken in
        (["depot", "plain", "shop"], 7, "depot"),  # the packs from the start are still on board
        (["plain"], 2, None),
    ],
)
def test_load_limit_follows_what_is_on_board_at_any_time(order, most, where):
    visits = [visit("plain", load=2), visit("depot", 2, collect=5), visit("shop", 3, load=5, after="depot")]
    problem, plan = laid_out(visits, [rep()], {"r": order})
    assert heaviest_load(Case(problem, TRAVEL.table(problem.locations()), plan), order) == (most, where)
    assert broken(visits, [rep(capacity=most)], {"r": order}) == []
    assert broken(visits, [rep(capacity=most - 1)], {"r": order}) == [("load_limit", "r", where, 1)]


def test_load_limit_takes_packs_that_nobody_collects_for_along_from_the_start():
    visits = [visit("call"), visit("shop", 2, load=4, after="call")]
    assert broken(visits, [rep(capacity=3)], {"r": ["call", "shop"]}) == [("load_limit", "r", None, 1)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_the_heaviest_load_is_that_of_a_step_by_step_count(loads):
    visits = [visit(f"v{place}", place, load=load, collect=collect) for place, (load, collect) in enumerate(loads)]
    order = [item.id for item in visits]
    problem, plan = laid_out(visits, [rep()], {"r": order})
    on_board = [sum(load for load, _ in loads)]
    for load, collect in loads:
        on_board.append(on_board[-1] - load + collect)
    assert heaviest_load(Case(problem, TRAVEL.table(problem.locations()), plan), order)[0] == max(on_board)


def test_the_cost_is_the_sum_of_its_parts():
    weights = ObjectiveWeights(travel_s=2, distance_m=0.5, overtime_s=3, value=100, change=70)
    visits = [visit("a", usual_rep="s"), visit("b", 2, usual_rep="r"), visit("c", 3, value=2.0, grade="B")]
    reps = [rep(fixed_cost=11, shift_end_s=9 * H + 600, overtime_s=8 * H), rep("s", fixed_cost=500)]
    report = report_of(visits, reps, {"r": ["a", "b"]}, weights)
    cost = report.cost
    assert report.feasible
    assert (cost.travel, cost.distance) == (2 * report.travel_s, 0.5 * report.distance_m)
    assert cost.overtime == 3 * (2 * 1200 - 600 + report.travel_s)
    assert (cost.left_out, cost.fixed, cost.change, cost.fairness) == (100 * 2 * 2, 11, 70, 0)
    assert report.objective == cost.total == sum(dataclasses.astuple(cost))


@pytest.mark.parametrize("measure", ["minutes", "visits", "value"])
def test_fairness_counts_every_rep_those_at_home_too(measure):
    weights = ObjectiveWeights(fairness=10, fairness_measure=measure)
    visits = [visit("a", value=3.0, grade="A"), visit("b", 2, value=5.0)]
    reps = [rep("r"), rep("s"), rep("t")]
    report = report_of(visits, reps, {"r": ["a"], "s": ["b"]}, weights)
    alone = [report_of(visits, reps, orders).travel_s + 1200.0 for orders in ({"r": ["a"]}, {"s": ["b"]})]
    amounts = {"minutes": [*alone, 0.0], "visits": [1.0, 1.0, 0.0], "value": [9.0, 5.0, 0.0]}[measure]
    assert report.cost.fairness == pytest.approx(10 * 3 * statistics.pstdev(amounts))


def test_two_breaks_before_one_visit_do_not_make_its_arrival_later():
    breaks = (Break(10 * H, 10 * H + 900, 900), Break(12 * H, 12 * H + 900, 2700))
    late = visit("late", windows=(TimeWindow(14 * H, 15 * H),))
    early = visit("early", windows=(TimeWindow(9 * H, 9 * H + 1800),))
    day = [early, late], [rep(breaks=breaks)], {"r": ["early", "late"]}
    assert broken(*day) == []
    (route,) = laid_out(*day)[1].routes
    stop = route.stops[1]
    assert [pause.leg for pause in route.breaks] == [1, 1]
    assert stop.arrival_s <= route.breaks[0].start_s
    assert stop.wait_s == stop.start_s - stop.arrival_s - 900 - 2700


def test_equal_days_cost_no_fairness():
    weights = ObjectiveWeights(fairness=10, fairness_measure="visits")
    report = report_of([visit("a"), visit("b", 2)], [rep("r"), rep("s")], {"r": ["a"], "s": ["b"]}, weights)
    assert report.cost.fairness == 0
