"""VROOM's input as a day problem and a plan of it in VROOM's terms: times, loads, costs, violations."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from routing.fleet.day import day_of
from routing.fleet.model import Task, Vehicle
from routing.fleet.one_amount import one_amount
from routing.fleet.timetable import timetable
from routing.problem import LATEST_TIME_S
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes
from routing.vroom.problem import VroomProblem, read_vroom
from routing.vroom.translation import VroomOptions, answer_vroom

TABLE = [[0, 1500, 1200], [1500, 0, 500], [1200, 500, 0]]
TRAVEL = HaversineTravelTimes()


def read(**given: Any) -> VroomProblem:
    base = {"vehicles": [{"id": 1, "start_index": 0, "end_index": 0}], "jobs": [{"id": 1, "location_index": 1}]}
    return read_vroom({**base, "matrix": TABLE, **given}, TRAVEL)


def steps(problem: VroomProblem, order: list[str]) -> list[tuple[str, int, int, int, tuple[int, ...]]]:
    """Return (id, arrival, wait, travelled, load) of the first vehicle's round over tasks in a given order."""
    day = day_of(problem.fleet)
    vehicle = day.fleet.vehicles[0]
    plan, _ = evaluate(day.problem, day.table, {vehicle.id: order})
    timed = timetable(day.fleet, vehicle, plan.routes[0], day.origin_s, day.seconds)
    return [(one.id or one.kind, one.arrival_s, one.wait_s, one.travel_s, one.load) for one in timed]


def plan_mode(**given: Any) -> dict[str, Any]:
    base = {"jobs": [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}], "matrix": TABLE}
    return answer_vroom({**base, **given}, TRAVEL, VroomOptions(plan_mode=True))


def stops(*ids: int) -> list[dict[str, Any]]:
    return [{"type": "start"}, *({"type": "job", "id": number} for number in ids), {"type": "end"}]


def test_a_round_ends_as_early_as_it_can_and_sets_out_as_late_as_that_allows() -> None:
    jobs = [
        {"id": 1, "location_index": 1, "service": 100, "time_windows": [[3000, 4000]]},
        {"id": 2, "location_index": 2, "service": 100},
    ]
    vehicle = {
        "id": 1,
        "start_index": 0,
        "end_index": 0,
        "time_window": [0, 20000],
        "breaks": [{"id": 5, "service": 300, "time_windows": [[2000, 2000]]}],
    }
    found = steps(read(jobs=jobs, vehicles=[vehicle]), ["job:1", "job:2"])
    # The break at 2000 cannot move, so that the wait before the first window lies behind it.
    assert found == [
        ("start", 500, 0, 0, ()),
        ("5", 2000, 0, 1500, ()),
        ("job:1", 2300, 700, 1500, ()),
        ("job:2", 3600, 0, 2000, ()),
        ("end", 4900, 0, 3200, ()),
    ]


def test_times_since_1970_are_planned_on_a_clock_of_their_own() -> None:
    jobs = [{"id": 1, "location_index": 1, "time_windows": [[1_600_000_000, 1_600_003_600]]}]
    problem = read(jobs=jobs)
    assert day_of(problem.fleet).problem.visits[0].windows[0].end_s <= LATEST_TIME_S
    assert steps(problem, ["job:1"])[0] == ("start", 1_600_000_000 - 1500, 0, 0, ())


def test_setup_is_spent_only_on_arrival_from_another_place() -> None:
    jobs = [{"id": number, "location_index": 1, "setup": 50, "service": 100} for number in (1, 2)]
    found = steps(read(jobs=jobs), ["job:1", "job:2"])
    assert [arrival for _, arrival, *_ in found] == [0, 1500, 1650, 3250]


def test_what_is_delivered_rides_from_the_start_and_what_is_picked_up_to_the_end() -> None:
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "capacity": [9, 9]}
    jobs = [{"id": 1, "location_index": 1, "delivery": [2, 1], "pickup": [3, 0]}]
    shipments = [
        {"amount": [1, 4], "pickup": {"id": 7, "location_index": 1}, "delivery": {"id": 8, "location_index": 2}}
    ]
    found = steps(read(vehicles=[vehicle], jobs=jobs, shipments=shipments), ["pickup:7", "job:1", "delivery:8"])
    assert [load for *_, load in found] == [(2, 1), (3, 5), (4, 4), (3, 0), (3, 0)]


def test_an_open_start_is_anywhere_and_an_open_end_is_the_last_task() -> None:
    both = {"jobs": [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}]}
    to_depot = read(**both, vehicles=[{"id": 1, "end_index": 0}])
    assert [way for _, _, _, way, _ in steps(to_depot, ["job:1", "job:2"])] == [0, 0, 500, 1700]
    from_depot = read(**both, vehicles=[{"id": 1, "start_index": 0}])
    assert [way for _, _, _, way, _ in steps(from_depot, ["job:1", "job:2"])] == [0, 1500, 2000, 2000]


def test_vehicles_of_different_speeds_are_planned_by_the_slowest_and_timed_by_their_own() -> None:
    vehicles = [{"id": 1, "start_index": 0, "end_index": 0, "speed_factor": 2}, {"id": 2, "start_index": 0}]
    problem = read(vehicles=vehicles)
    assert int(day_of(problem.fleet).table.duration_s[0, 1]) == 1500
    assert [arrival for _, arrival, *_ in steps(problem, ["job:1"])] == [0, 750, 1500]


def test_priorities_outweigh_the_number_of_tasks_and_that_outweighs_every_way() -> None:
    jobs = [{"id": number, "location_index": 1, "priority": priority} for number, priority in ((1, 0), (2, 1), (3, 0))]
    low, high, other = (task.value for task in read(jobs=jobs).fleet.tasks)
    assert high > low + other
    assert low > 2 * 1500


def test_a_round_longer_than_two_days_is_planned_where_nothing_asks_for_the_time() -> None:
    table = [[0, 90_000, 90_000], [90_000, 0, 90_000], [90_000, 90_000, 0]]
    jobs = [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}]
    problem = read_vroom({"vehicles": [{"id": 1, "start_index": 0}], "jobs": jobs, "matrix": table}, TRAVEL)
    assert day_of(problem.fleet).seconds > 1
    assert [arrival for _, arrival, *_ in steps(problem, ["job:1", "job:2"])] == [0, 90_000, 180_000, 180_000]


def test_a_cost_matrix_decides_the_cost_and_not_the_time() -> None:
    costs = [[0, 7, 5], [3, 0, 1], [2, 4, 0]]
    given = {
        "vehicles": [{"id": 1, "start_index": 0, "end_index": 0, "steps": stops(1, 2)}],
        "jobs": [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}],
        "matrices": {"car": {"durations": TABLE, "costs": costs}},
    }
    found = answer_vroom(given, TRAVEL, VroomOptions(plan_mode=True))
    assert (found["summary"]["cost"], found["summary"]["duration"]) == (7 + 1 + 2, 1500 + 500 + 1200)


def test_costs_are_those_of_the_vehicle() -> None:
    vehicle = {"id": 1, "start_index": 0, "costs": {"fixed": 50, "per_hour": 7200, "per_km": 1000}, "steps": stops(1)}
    matrices = {"car": {"durations": [[0, 100], [100, 0]], "distances": [[0, 3000], [3000, 0]]}}
    given = {"vehicles": [vehicle], "jobs": [{"id": 1, "location_index": 1}], "matrices": matrices}
    found = answer_vroom(given, TRAVEL, VroomOptions(plan_mode=True))
    assert (found["summary"]["cost"], found["summary"]["distance"]) == (50 + 200 + 3000, 3000)


@pytest.mark.parametrize(
    ("vehicle", "job", "cause"),
    [
        ({"time_window": [0, 100]}, {}, {"cause": "delay", "duration": 3200 - 100}),
        ({}, {"time_windows": [[0, 1000]]}, {"cause": "delay", "duration": 500}),
        ({"skills": [1]}, {"skills": [2]}, {"cause": "skills"}),
        ({"max_tasks": 1}, {}, {"cause": "max_tasks"}),
        ({"max_travel_time": 1000}, {}, {"cause": "max_travel_time"}),
        ({"capacity": [0]}, {"delivery": [1]}, {"cause": "load"}),
        ({"breaks": [{"id": 1, "service": 60}]}, {}, {"cause": "missing_break"}),
    ],
)
def test_plan_mode_names_what_a_given_round_breaks(
    vehicle: dict[str, Any], job: dict[str, Any], cause: dict[str, Any]
) -> None:
    ends = {"id": 1, "start_index": 0, "end_index": 0, "steps": stops(1, 2)}
    jobs = [{"id": 1, "location_index": 1, **job}, {"id": 2, "location_index": 2}]
    found = plan_mode(vehicles=[{**ends, **vehicle}], jobs=jobs)
    assert found["summary"]["violations"] == [cause]


def test_plan_mode_names_a_delivery_without_its_pickup() -> None:
    shipment = {"pickup": {"id": 7, "location_index": 1}, "delivery": {"id": 8, "location_index": 2}}
    alone = [{"type": "delivery", "id": 8}]
    found = plan_mode(vehicles=[{"id": 1, "start_index": 0, "steps": alone}], shipments=[shipment])
    assert found["summary"]["violations"] == [{"cause": "precedence"}]
    assert {"id": 7, "location_index": 1, "type": "pickup"} in found["unassigned"]


@pytest.mark.parametrize(
    ("steps_given", "told"),
    [
        ([{"type": "job", "id": 9}], "no job"),
        ([{"type": "job", "id": 1}, {"type": "job", "id": 1}], "two places"),
        ([{"type": "break", "id": 3}], "no break"),
    ],
)
def test_steps_that_name_nothing_or_a_task_twice_are_wrong(steps_given: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        plan_mode(vehicles=[{"id": 1, "start_index": 0, "steps": steps_given}])


amounts = st.tuples(st.integers(0, 9), st.integers(0, 50), st.integers(0, 3))


@given(st.lists(amounts, min_size=1, max_size=12), st.lists(amounts, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_round_that_holds_in_one_amount_holds_in_every_one(
    loads: list[tuple[int, ...]], capacities: list[tuple[int, ...]]
) -> None:
    tasks = [Task(str(number), 0, leaves=load, takes=(0, 0, 0)) for number, load in enumerate(loads)]
    vehicles = [Vehicle(str(number), 0, 0, capacity=capacity) for number, capacity in enumerate(capacities)]
    found = one_amount(tasks, vehicles)
    for vehicle, most in zip(vehicles, found.capacities, strict=True):
        carried, total = 0, [0, 0, 0]
        for number, load in enumerate(loads):
            if most is None or carried + found.leaves[number] <= most:
                carried += found.leaves[number]
                total = [have + more for have, more in zip(total, load, strict=True)]
        assert vehicle.capacity is not None
        assert all(have <= room for have, room in zip(total, vehicle.capacity, strict=True))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_one_amount_alone_is_taken_as_it_is(loads: list[int], capacity: int) -> None:
    tasks = [Task(str(number), 0, leaves=(load, 1), takes=(0, 0)) for number, load in enumerate(loads)]
    found = one_amount(tasks, [Vehicle("v", 0, 0, capacity=(capacity, 1_000))])
    assert found.exact
    (most,) = found.capacities
    for size in range(len(loads) + 1):
        fits = most is None or sum(found.leaves[:size]) <= most
        assert fits == (sum(loads[:size]) <= capacity)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_a_pair_that_passes_nothing_on_is_tied_by_a_crumb_that_takes_no_room(passed: list[int], capacity: int) -> None:
    tasks = []
    for number, amount in enumerate(passed):
        tasks += [
            Task(f"p{number}", 0, takes=(amount,), leaves=(0,)),
            Task(f"d{number}", 0, takes=(0,), leaves=(amount,), after=f"p{number}"),
        ]
    found = one_amount(tasks, [Vehicle("v", 0, 0, capacity=(capacity,))])
    assert all(found.takes[place] == found.leaves[place + 1] > 0 for place in range(0, len(tasks), 2))
    (most,) = found.capacities
    assert (most is None or sum(found.takes) <= most) == (sum(passed) <= capacity)


@st.composite
def rounds(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a vehicle with a round over three jobs, with windows, setups, a break and hours."""
    seconds = st.integers(0, 3_000)
    table = [[0 if start == end else draw(st.integers(10, 900)) for end in range(4)] for start in range(4)]
    jobs = []
    for number in (1, 2, 3):
        begin = draw(seconds)
        windows = draw(st.sampled_from([None, [[begin, begin + draw(seconds)]]]))
        one = {"id": number, "location_index": draw(st.integers(1, 3)), "service": draw(seconds), "setup": 30}
        jobs.append({**one, **({"time_windows": windows} if windows else {})})
    vehicle: dict[str, Any] = {"id": 1, "start_index": 0, "end_index": 0, "steps": stops(1, 2, 3)}
    vehicle["time_window"] = [draw(seconds), 40_000]
    return {"vehicles": [vehicle], "jobs": jobs, "matrix": table}


@given(rounds())
@settings(max_examples=150, deadline=None)
def test_steps_follow_each_other_without_gap_or_overlap(given_round: dict[str, Any]) -> None:
    found = answer_vroom(given_round, TRAVEL, VroomOptions(plan_mode=True))
    (route,) = found["routes"]
    for before, step in pairwise(route["steps"]):
        gone = before["arrival"] + before["waiting_time"] + before["setup"] + before["service"]
        assert step["waiting_time"] >= 0
        assert step["arrival"] == gone + step["duration"] - before["duration"]
    assert route["cost"] == route["duration"] == route["steps"][-1]["duration"]
    assert route["steps"][0]["arrival"] >= given_round["vehicles"][0]["time_window"][0]
