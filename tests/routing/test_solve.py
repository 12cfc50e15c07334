"""A solve gives a plan that holds, within its time, and says why customers are left out."""

import csv
import dataclasses
import io
import json
import time

import pytest

from common.errors import InvalidInput
from common.places import Location
from routing.check import check
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow, Visit
from routing.render import COLUMNS, to_csv, to_geojson
from routing.solve import evaluate, solve
from routing.travel_times import HaversineTravelTimes

H = 3600
TRAVEL = HaversineTravelTimes()


def visit(number, **options):
    # 1 km apart on a line, and two rows
    place = Location(30.5 + number // 2 * 0.009, 114.3 + number % 2 * 0.01)
    return dataclasses.replace(Visit(f"v{number}", f"Shop {number}", place, 1200), **options)


def rep(name="r", **options):
    here = Location(30.5, 114.3)
    return dataclasses.replace(
        Rep(name, f"Rep {name}", here, 9 * H, 18 * H, here, (Break(12 * H, 13 * H, H),)), **options
    )


def solved(visits, reps, **options):
    problem = DayProblem(tuple(visits), tuple(reps), options.pop("weights", ObjectiveWeights()))
    plan = solve(problem, TRAVEL, **{"time_limit_s": 0.8} | options)
    return problem, plan, check(problem, TRAVEL, plan)


def codes(plan):
    return {left.visit_id: [reason.code for reason in left.reasons] for left in plan.unassigned}


def test_a_small_day_is_served_whole_within_its_time():
    began = time.monotonic()
    _, plan, report = solved([visit(number) for number in range(12)], [rep(), rep("s")], time_limit_s=1.5)
    assert time.monotonic() - began < 1.5 + 0.5
    assert report.feasible
    assert report.served == 12
    assert plan.objective == report.objective
    assert plan.search.ended == "proven"
    assert plan.search.first_plan_s < 0.5


def test_the_search_improves_on_the_first_plan():
    visits = [
        visit(number * 7 % 40, windows=(TimeWindow((9 + number % 8) * H, (10 + number % 8) * H),))
        for number in range(40)
    ]
    seen = []
    _, plan, report = solved(visits, [rep(), rep("s"), rep("t")], time_limit_s=3, on_progress=seen.append)
    assert report.feasible or report.drivable
    assert seen[-1].objective < seen[0].objective
    assert [event.objective for event in seen] == sorted((event.objective for event in seen), reverse=True)
    assert 1 <= plan.search.improvements <= len(seen)
    assert seen[-1].steps > 0
    assert plan.objective <= seen[-1].objective + 1e-6


def test_a_stop_gives_the_best_plan_so_far_at_once():
    began = time.monotonic()
    _, plan, report = solved(
        [visit(number) for number in range(30)],
        [rep()],
        time_limit_s=30,
        should_stop=lambda: time.monotonic() - began > 1,
    )
    assert time.monotonic() - began < 2
    assert plan.search.ended == "stopped"
    assert report.drivable
    assert report.served > 5


def test_a_day_that_nobody_can_serve_ends_at_once_with_reasons():
    began = time.monotonic()
    _, plan, report = solved([visit(0, skills=frozenset({"fair"}), mandatory=True)], [rep()], time_limit_s=20)
    assert time.monotonic() - began < 1
    assert plan.search.ended == "finished"
    assert codes(plan) == {"v0": ["no_skill"]}
    assert report.drivable
    assert not report.feasible


def test_each_reason_is_given_where_it_holds():
    busy = visit(1, service_s=3 * H + 1800, value=50.0)
    visits = [
        visit(0, skills=frozenset({"fair"})),
        busy,
        visit(2, service_s=5 * H + 1800),
        visit(3, windows=(TimeWindow(5 * H, 6 * H),)),
        visit(4, load=9),
        visit(5, service_s=5 * H - 1800),
        visit(6, value=0.0),
    ]
    _, plan, report = solved(visits, [rep(capacity=3)])
    assert report.feasible
    assert codes(plan) == {
        "v0": ["no_skill"],
        "v2": ["unreachable_within_shift"],
        "v3": ["window_impossible"],
        "v4": ["too_much_load"],
        "v5": ["day_full"],
        "v6": ["not_worth_it"],
    }
    for left in plan.unassigned:
        assert left.reasons[0].rep_ids == ("r",)
        assert left.reasons[0].text.en
        assert left.reasons[0].text.zh


def test_limits_of_reps_are_reasons_too():
    _, plan, _ = solved([visit(0, load=2), visit(1, load=2)], [rep("few", max_visits=1), rep("small", capacity=1)])
    assert list(codes(plan).values()) == [["too_much_load", "visit_limit"]]
    _, plan, _ = solved([visit(0, load=2), visit(1, load=2)], [rep(capacity=3)])
    assert list(codes(plan).values()) == [["load_full"]]


def test_mandatory_and_dear_visits_come_before_the_others():
    visits = [visit(number, service_s=2 * H) for number in range(8)]
    visits[7] = dataclasses.replace(visits[7], mandatory=True, value=0.1)
    visits[6] = dataclasses.replace(visits[6], grade="A")
    _, plan, _ = solved(visits, [rep()])
    served = {stop.visit_id for stop in plan.routes[0].stops}
    assert {"v6", "v7"} <= served
    assert len(served) == 3


def test_an_open_round_ends_at_its_last_visit_and_overtime_is_used_when_it_pays():
    visits = [visit(number, service_s=2 * H) for number in range(4)]
    _, plan, report = solved(visits, [rep(end=None, overtime_s=2 * H)])
    assert report.feasible
    assert report.served == 4
    route = plan.routes[0]
    assert route.end_s == route.stops[-1].departure_s
    assert route.return_travel_s == 0
    assert 0 < route.overtime_s <= 2 * H


def test_a_visit_with_two_windows_is_served_in_the_second_when_the_first_is_taken():
    windows = (TimeWindow(9 * H, 9 * H), TimeWindow(15 * H, 16 * H))
    visits = [visit(0, windows=(TimeWindow(9 * H, 9 * H),)), visit(0, id="w", windows=windows)]
    _, plan, report = solved(visits, [rep()])
    assert report.served == 2
    assert plan.routes[0].stops[-1].start_s >= 15 * H


def test_another_seed_searches_another_way_and_both_hold():
    visits = [visit(number) for number in range(14)]
    for seed in (0, 7):
        assert solved(visits, [rep()], seed=seed)[2].feasible


def test_a_limit_too_short_for_the_day_is_kept_and_said():
    visits = [visit(number, service_s=1800) for number in range(300)]
    began = time.monotonic()
    _, plan, report = solved(visits, [rep(str(number)) for number in range(8)], time_limit_s=0.25)
    assert time.monotonic() - began < 2
    assert report.feasible
    assert plan.search.ended == "limit"
    assert len(plan.unassigned) + report.served == 300
    assert all(codes(plan).values())


@pytest.mark.parametrize("limit", [0, -1, float("nan"), 10**6])
def test_a_time_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(InvalidInput, match="time_limit_s"):
        solved([visit(0)], [rep()], time_limit_s=limit)


def test_an_order_of_ones_own_names_strangers():
    problem = DayProblem((visit(0),), (rep(),))
    with pytest.raises(InvalidInput) as refused:
        evaluate(problem, TRAVEL, {"r": ["v0", "x"], "nobody": []})
    assert [field.pointer for field in refused.value.fields] == ["/routes/r/1", "/routes/nobody"]


def test_a_given_order_that_leaves_a_gap_says_so():
    problem = DayProblem((visit(0), visit(1)), (rep(),))
    plan, report = evaluate(problem, TRAVEL, {"r": ["v0"]})
    assert report.feasible
    assert codes(plan) == {"v1": ["has_room"]}


@pytest.fixture(scope="module")
def drawn():
    visits = [visit(0, name="=HYPERLINK(1)"), visit(1), visit(2, skills=frozenset({"x"}))]
    problem = DayProblem(tuple(visits), (rep(), rep("open", end=None)))
    return problem, evaluate(problem, TRAVEL, {"r": ["v1"], "open": ["v0"]})[0]


def test_geojson_has_lines_in_order_and_points_with_longitude_first(drawn):
    drawing = json.loads(json.dumps(to_geojson(*drawn)))
    kinds = [feature["properties"]["kind"] for feature in drawing["features"]]
    assert kinds == ["route", "stop", "route", "stop", "unassigned"]
    line, stop, open_line, _, left = drawing["features"]
    assert line["geometry"]["coordinates"] == [[114.3, 30.5], [114.31, 30.5], [114.3, 30.5]]
    assert len(open_line["geometry"]["coordinates"]) == 2
    assert stop["geometry"]["coordinates"] == [114.31, 30.5]
    assert stop["properties"]["order"] == 1
    assert stop["properties"]["arrival"] == "09:03"
    assert stop["properties"]["name"] == "Shop 1"
    assert left["properties"]["reasons"][0]["code"] == "no_skill"


def test_csv_has_a_line_for_each_stop_and_no_formulas(drawn):
    rows = list(csv.DictReader(io.StringIO(to_csv(*drawn))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["rep_id"], row["order"], row["visit_id"]) for row in rows] == [("r", "1", "v1"), ("open", "1", "v0")]
    assert rows[1]["visit"] == "'=HYPERLINK(1)"
    assert float(rows[0]["distance_km"]) > 1


def test_the_largest_allowed_day_is_planned_in_time_and_checked():
    side = 20
    visits = [
        Visit(f"v{n}", "", Location(30 + n // side / 100, 114 + n % side / 100), 1800) for n in range(side * side)
    ]
    reps = [rep(f"r{n}", start=visits[n * 8].location, end=visits[n * 8].location) for n in range(50)]
    problem = DayProblem(tuple(visits), tuple(reps), limits=SizeLimits(visits=400, reps=50))
    plan = solve(problem, TRAVEL, time_limit_s=3)
    assert check(problem, TRAVEL, plan).feasible
    assert plan.summary.served == 400
