"""Problems and visits are read from JSON and CSV, and everything unreadable is named."""

import json
from pathlib import Path

import pytest

from common.errors import InvalidInput
from common.places import Location
from routing.check import check
from routing.problem import Break, DayProblem, TimeWindow
from routing.problem_files import problem_from_json, problem_from_mapping, problem_to_mapping, travel_from_mapping
from routing.solve import solve
from routing.travel_times import HaversineTravelTimes, MatrixTravelTimes
from routing.visit_files import spread_reps, visits_from_csv

H = 3600
SHOPS = Path(__file__).with_name("chicago_shops.csv")


def mapping():
    return {
        "visits": [
            {
                "id": "v1",
                "name": "一号店",
                "location": {"latitude": 30.5, "longitude": 114.3},
                "service_min": 20,
                "windows": [{"start_s": "09:30", "end_s": 36000}],
                "grade": "A",
                "skills": ["fair"],
                "mandatory": True,
            },
            {"id": 2, "location": {"latitude": 30.6, "longitude": 114.3}, "service_s": 600},
        ],
        "reps": [
            {
                "id": "r1",
                "start": {"latitude": 30.5, "longitude": 114.3},
                "shift_start_s": "09:00",
                "shift_end_s": "18:00",
                "breaks": [{"earliest_s": "12:00", "latest_s": "12:30", "duration_min": 45}],
                "max_visits": 15,
            }
        ],
        "weights": {"distance_m": 0.1},
    }


def pointers(content, read=problem_from_mapping):
    with pytest.raises(InvalidInput) as refused:
        read(content)
    return [field.pointer for field in refused.value.fields]


def test_clock_times_minutes_and_defaults_are_understood():
    problem = problem_from_json(json.dumps(mapping(), ensure_ascii=False).encode("gbk"))
    first, second = problem.visits
    assert (first.name, first.service_s, first.windows) == ("一号店", 1200, (TimeWindow(34_200, 36_000),))
    assert (second.id, second.name, second.value) == ("2", "2", 1.0)
    assert problem.reps[0].breaks == (Break(12 * H, 45_000, 2700),)
    assert problem.reps[0].end is None
    assert (problem.weights.distance_m, problem.weights.travel_s) == (0.1, 1.0)


def test_writing_and_reading_again_gives_an_equal_problem():
    problem = problem_from_mapping(mapping())
    assert problem_from_mapping(json.loads(json.dumps(problem_to_mapping(problem)))) == problem


def test_every_unreadable_field_is_named_at_once():
    wrong = mapping()
    wrong["visits"][0] |= {
        "servce_s": 5,
        "value": "much",
        "mandatory": "yes",
        "windows": [{"start_s": "25:99", "end_s": None}],
    }
    wrong["visits"][1]["location"] = {"latitude": 114.3, "longitude": 30.5}
    wrong["reps"][0] |= {"start": None, "skills": "fair", "shift_start_s": 1.5, "max_visits": []}
    assert sorted(pointers(wrong)) == [
        "/reps/0/max_visits",
        "/reps/0/shift_start_s",
        "/reps/0/skills",
        "/reps/0/start",
        "/visits/0/mandatory",
        "/visits/0/servce_s",
        "/visits/0/value",
        "/visits/0/windows/0/end_s",
        "/visits/0/windows/0/start_s",
        "/visits/1/location/latitude",
    ]


@pytest.mark.parametrize("content", [None, [], "x", 5, {"visits": 5, "reps": {}}, {"visits": [None], "reps": [[]]}, {}])
def test_things_that_are_no_problem_are_refused(content):
    assert pointers(content)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, -1, True])
def test_strange_numbers_never_get_through(number):
    wrong = mapping()
    wrong["visits"][0]["service_min"] = number
    assert pointers(wrong)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_broken_json_is_refused(content):
    with pytest.raises(InvalidInput):
        problem_from_json(content)


def test_travel_is_read_from_a_mapping():
    assert travel_from_mapping({}) == HaversineTravelTimes()
    assert travel_from_mapping({"speed_kmh": 15}) == HaversineTravelTimes(speed_kmh=15)
    assert isinstance(travel_from_mapping({"duration_s": [[0, 1], [1, 0]]}), MatrixTravelTimes)
    assert pointers({"url": "http://inside"}, travel_from_mapping) == ["/travel/url"]
    assert pointers({"speed_kmh": "fast"}, travel_from_mapping) == ["/travel/speed_kmh"]
    assert pointers({"duration_s": []}, travel_from_mapping) == ["/travel/duration_s"]


def test_columns_are_found_under_their_usual_names():
    table = (
        "Customer_ID,Lat,LNG,priority,service_min,window_start,window_end,skills,mandatory,ignored\n"
        "a,30.5,114.3,2.5,15,09:00,11:30,fair;demo,是,x\n"
        "b,30.6,114.4,,,,,,,\n"
    )
    first, second = visits_from_csv(table.encode("gbk"), service_s=900)
    assert first.location == Location(30.5, 114.3)
    assert (first.value, first.service_s, first.windows) == (2.5, 900, (TimeWindow(9 * H, 41_400),))
    assert (first.skills, first.mandatory) == (frozenset({"fair", "demo"}), True)
    assert (second.value, second.service_s, second.windows, second.mandatory) == (1.0, 900, (), False)


def test_wrong_cells_are_named_by_row_and_column():
    table = """id,lat,lon,service_min,window_start,window_end,mandatory
a,30,114,,,,
a,30,114,,,,
,30,114,,,,
d,abc,114,,,,
e,114,30,,,,
f,30,114,-5,,,
g,30,114,,12:00,11:00,
h,30,114,,noon,,
i,30,114,,,,perhaps
"""
    assert sorted(pointers(table.encode(), visits_from_csv)) == [
        "row 10, column mandatory",
        "row 3, column id",
        "row 4, column id",
        "row 5, column lat",
        "row 6, column lat",
        "row 7, column service_min",
        "row 8, column window_end",
        "row 9, column window_start",
    ]


def test_missing_columns_are_named():
    assert pointers(b"id,town\n1,Wuhan\n", visits_from_csv) == ["column latitude", "column longitude"]


def test_reps_are_spread_over_the_area_and_always_the_same():
    visits = visits_from_csv(SHOPS.read_bytes())
    reps = spread_reps(visits, 8, shift=TimeWindow(9 * H, 18 * H), breaks=(Break(12 * H, 12 * H, H),))
    assert reps == spread_reps(visits, 8, shift=TimeWindow(9 * H, 18 * H), breaks=(Break(12 * H, 12 * H, H),))
    assert len({rep.start for rep in reps}) == 8
    assert all(rep.end == rep.start and rep.shift_end_s == 18 * H for rep in reps)
    assert len(spread_reps(visits[:2], 5, shift=TimeWindow(0, 1))) == 5
    with pytest.raises(InvalidInput):
        spread_reps(visits, 0, shift=TimeWindow(0, 1))


def test_the_shops_of_a_whole_city_get_a_plan_that_the_checker_accepts():
    visits = visits_from_csv(SHOPS.read_bytes(), service_s=1200)
    reps = spread_reps(visits, 8, shift=TimeWindow(9 * H, 18 * H), breaks=(Break(12 * H, 12 * H, H),))
    problem, travel = DayProblem(visits, reps), HaversineTravelTimes()
    plan = solve(problem, travel, time_limit_s=3)
    report = check(problem, travel, plan)
    assert report.feasible
    assert report.served >= 110
    assert {(pause.start_s, pause.end_s) for route in plan.routes for pause in route.breaks} == {(12 * H, 13 * H)}
    assert {reason.code for left in plan.unassigned for reason in left.reasons} <= {"day_full", "not_worth_it"}
