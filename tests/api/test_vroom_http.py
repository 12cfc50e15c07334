"""A VROOM client works by changing its address: VROOM's documented examples, its errors, and what each field does."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Client

DEPOT = [2.35044, 48.71764]
PLACES = {
    1: [1.98935, 48.701],
    2: [2.03655, 48.61128],
    3: [2.39719, 49.07611],
    4: [2.41808, 49.22619],
    5: [2.28325, 48.5958],
    6: [2.89357, 48.90736],
}


def job(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "service": 300, "location": PLACES[number], **more}


def with_routing() -> dict[str, Any]:
    """The input of VROOM's documented example with a routing engine, but a longer day: town speeds are lower here."""
    vehicles = [
        {
            "id": number,
            "start": DEPOT,
            "end": DEPOT,
            "capacity": [4],
            "skills": [number, 14],
            "time_window": [28800, 72000],
            "breaks": [{"id": number, "service": 300, "time_windows": [[36000, 37800]]}],
        }
        for number in (1, 2)
    ]
    jobs = [
        job(1, delivery=[1], skills=[1], time_windows=[[32400, 39600]]),
        job(2, delivery=[1], skills=[1]),
        job(5, delivery=[1], skills=[14]),
        job(6, delivery=[1], skills=[14]),
    ]
    shipment = {
        "amount": [1],
        "skills": [2],
        "pickup": {"id": 4, "service": 300, "location": PLACES[4]},
        "delivery": {"id": 3, "service": 300, "location": PLACES[3]},
    }
    return {"vehicles": vehicles, "jobs": jobs, "shipments": [shipment]}


def with_matrix() -> dict[str, Any]:
    """The input of VROOM's documented example with a matrix of one's own."""
    return {
        "vehicles": [{"id": 0, "start_index": 0, "end_index": 3}],
        "jobs": [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}],
        "matrix": [[0, 2104, 197, 1299], [2103, 0, 2255, 3152], [197, 2256, 0, 1102], [1299, 3153, 1102, 0]],
    }


def in_plan_mode() -> dict[str, Any]:
    """The input of VROOM's documented example of plan mode: given rounds, ids as text, seconds since 1970."""
    window = [1600416000, 1600426800]
    tight = [[1600416000, 1600423200]]

    def vehicle(number: str, stops: str, start: dict[str, Any]) -> dict[str, Any]:
        steps = [{"type": "job", "id": stop} for stop in stops]
        ends = {"start": DEPOT, "end": DEPOT, "capacity": [4], "time_window": window}
        return {"id": number, **ends, "steps": [{"type": "start", **start}, *steps, {"type": "end"}]}

    return {
        "vehicles": [vehicle("1", "125", {}), vehicle("2", "643", {"service_after": 1600415200})],
        "jobs": [
            job(1, id="1", delivery=[2]),
            job(2, id="2", delivery=[2]),
            job(3, id="3", delivery=[1], time_windows=tight),
            job(4, id="4", delivery=[1], time_windows=tight),
            job(5, id="5", delivery=[3]),
            job(6, id="6", delivery=[1], time_windows=tight),
        ],
        "options": {"c": True},
    }


@pytest.fixture(scope="module")
def planner(signed_in: Client) -> TestClient:
    return signed_in("logistics")


def steps_of(route: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(step["type"], step.get("id")) for step in route["steps"]]


def test_the_example_with_a_matrix_is_answered_to_the_second_as_documented(planner: TestClient) -> None:
    answer = planner.post("/vroom", json=with_matrix())
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["code"] == 0
    times = found["summary"].pop("computing_times")
    assert set(times) == {"loading", "solving", "routing"}
    assert found["summary"] == {
        "cost": 5461,
        "routes": 1,
        "unassigned": 0,
        "setup": 0,
        "service": 0,
        "duration": 5461,
        "waiting_time": 0,
        "priority": 0,
        "violations": [],
    }
    (route,) = found["routes"]
    blank = {"setup": 0, "service": 0, "waiting_time": 0, "violations": []}
    assert route["steps"] == [
        {"type": "start", "location_index": 0, "arrival": 0, "duration": 0, **blank},
        {"type": "job", "location_index": 1, "id": 1414, "job": 1414, "arrival": 2104, "duration": 2104, **blank},
        {"type": "job", "location_index": 2, "id": 1515, "job": 1515, "arrival": 4359, "duration": 4359, **blank},
        {"type": "end", "location_index": 3, "arrival": 5461, "duration": 5461, **blank},
    ]


def test_the_example_with_routing_serves_everything_with_skills_breaks_and_the_shipment(planner: TestClient) -> None:
    found = planner.post("/vroom", json=with_routing()).json()
    assert (found["code"], found["unassigned"]) == (0, [])
    summary = found["summary"]
    assert (summary["routes"], summary["service"], summary["delivery"], summary["pickup"]) == (2, 2400, [5], [1])
    assert summary["cost"] == summary["duration"] == sum(route["duration"] for route in found["routes"])
    first, second = found["routes"]
    assert {("job", 1), ("job", 2), ("break", 1)} <= set(steps_of(first))
    assert ("break", 2) in steps_of(second)
    assert steps_of(second).index(("pickup", 4)) < steps_of(second).index(("delivery", 3))
    for route in found["routes"]:
        assert_times_follow(route)
        assert route["steps"][0]["location"] == route["steps"][-1]["location"] == DEPOT
        (rest,) = [step for step in route["steps"] if step["type"] == "break"]
        assert 36000 <= rest["arrival"] + rest["waiting_time"] <= 37800
        assert route["steps"][-1]["load"] == [0]


def assert_times_follow(route: dict[str, Any]) -> None:
    """Each step begins when the one before has ended and the way between is driven."""
    steps = route["steps"]
    for before, step in pairwise(steps):
        gone = before["arrival"] + before["waiting_time"] + before["setup"] + before["service"]
        assert step["arrival"] == gone + step["duration"] - before["duration"]
    assert route["waiting_time"] == sum(step["waiting_time"] for step in steps)
    assert route["service"] == sum(step["service"] for step in steps)


def test_the_example_of_plan_mode_times_the_given_rounds_and_names_what_they_break(planner: TestClient) -> None:
    found = planner.post("/vroom", json=in_plan_mode()).json()
    assert found["code"] == 0
    first, second = found["routes"]
    assert steps_of(first) == [("start", None), ("job", "1"), ("job", "2"), ("job", "5"), ("end", None)]
    assert steps_of(second) == [("start", None), ("job", "6"), ("job", "4"), ("job", "3"), ("end", None)]
    assert [step["load"] for step in first["steps"]] == [[7], [5], [3], [0], [0]]
    assert first["steps"][0]["violations"] == [{"cause": "load"}]
    assert second["steps"][0]["arrival"] == 1600415200
    assert second["steps"][0]["violations"] == [{"cause": "lead_time", "duration": 800}]
    assert any(cause["cause"] == "delay" for cause in second["steps"][-1]["violations"])
    assert {cause["cause"] for cause in found["summary"]["violations"]} == {"lead_time", "delay", "load"}
    for route in found["routes"]:
        assert_times_follow(route)


@pytest.mark.parametrize("path", ["/vroom", "/vroom/", "/v1/vroom", "/v1/vroom/"])
def test_every_spelling_of_the_address_answers(planner: TestClient, path: str) -> None:
    assert planner.post(path, json=with_matrix()).json()["code"] == 0


def test_a_client_that_only_knows_an_address_signs_in_through_it(anonymous: TestClient, signed_in: Client) -> None:
    director = signed_in("director")
    made = director.post("/v1/api-keys", json={"name": "vroom client", "scopes": ["routes:plan"]}).json()
    given = base64.b64encode(f"key:{made['secret']}".encode()).decode()
    answer = anonymous.post("/vroom", json=with_matrix(), headers={"Authorization": f"Basic {given}"})
    assert answer.json()["code"] == 0, answer.text
    wrong = base64.b64encode(b"key:fw_wrong").decode()
    refused = anonymous.post("/vroom", json=with_matrix(), headers={"Authorization": f"Basic {wrong}"})
    assert (refused.status_code, refused.json()["code"]) == (401, 2)
    assert anonymous.post("/vroom", json=with_matrix()).status_code == 401
    assert anonymous.get("/vroom/health").status_code == 200


def changed(**more: Any) -> dict[str, Any]:
    return {**with_matrix(), **more}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (changed(vehicles=[]), "vehicle"),
        (changed(jobs=[]), "no job"),
        (changed(vehicles=[{"id": 1}]), "no start or end"),
        (changed(jobs=[{"id": 1, "location_index": 9}]), "exceeds"),
        (changed(jobs=[{"id": 1}]), "/jobs/0"),
        (changed(jobs=[{"id": 1, "location_index": 1}, {"id": 1, "location_index": 2}]), "duplicate job id"),
        (changed(jobs=[{"id": 1, "location_index": 1, "priority": 101}]), "/jobs/0/priority"),
        (changed(jobs=[{"id": 1, "location_index": 1, "time_windows": [[5, 1]]}]), "invalid time window"),
        (changed(jobs=[{"id": 1, "location_index": 1, "delivery": [1]}]), "inconsistent delivery length"),
        (changed(jobs=[{"id": 1, "location_index": 1, "service": -1}]), "/jobs/0/service"),
        (changed(matrix=[*with_matrix()["matrix"][:3], [0]]), "square"),
        (changed(vehicles=[{"id": 1, "start_index": 0, "profile": "bike"}]), "bike"),
        (changed(options={"l": 1e6}), "/options/l"),
        (
            changed(
                vehicles=[
                    {"id": 1, "start_index": 0, "time_window": [0, 100]},
                    {"id": 2, "start_index": 0, "time_window": [900_000, 900_100]},
                ]
            ),
            "48 h",
        ),
        (
            changed(
                vehicles=[{"id": 1, "start_index": 0, "time_window": [0, 9], "breaks": [{"id": 1, "service": 10}]}]
            ),
            "break 1",
        ),
        ({"jobs": []}, "/vehicles"),
    ],
)
def test_wrong_input_is_an_error_of_vrooms_kind_that_names_the_field(
    planner: TestClient, body: dict[str, Any], told: str
) -> None:
    answer = planner.post("/vroom", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == 2
    assert told in answer.json()["error"]


def test_what_cannot_be_read_or_is_too_large_or_not_allowed_has_vrooms_shape_too(
    planner: TestClient, signed_in: Client
) -> None:
    broken = planner.post("/vroom", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, 2)
    many = [{"id": number, "location_index": 1} for number in range(2001)]
    large = planner.post("/vroom", json=changed(jobs=many))
    assert (large.status_code, large.json()["code"]) == (413, 4)
    refused = signed_in("rep").post("/vroom", json=with_matrix())
    assert (refused.status_code, refused.json()["code"]) == (403, 2)


def test_what_no_vehicle_can_do_is_a_result_and_not_an_error(planner: TestClient) -> None:
    impossible = [
        {"id": 7, "location_index": 1, "skills": [3], "description": "needs a skill"},
        {"id": 8, "location_index": 2},
        {"id": 9, "location_index": 2, "time_windows": [[10_000_000, 10_000_001]]},
    ]
    vehicles = [{"id": 0, "start_index": 0, "time_window": [0, 20_000]}]
    found = planner.post("/vroom", json=changed(jobs=impossible, vehicles=vehicles)).json()
    assert found["code"] == 0
    assert found["unassigned"] == [
        {"id": 7, "location_index": 1, "type": "job", "description": "needs a skill"},
        {"id": 9, "location_index": 2, "type": "job"},
    ]


def test_geometry_is_given_where_it_is_asked_for(planner: TestClient) -> None:
    body = {"vehicles": [{"id": 1, "start": [2.0, 48.0]}], "jobs": [{"id": 1, "location": [2.01, 48.0]}]}
    plain = planner.post("/vroom", json=body).json()["routes"][0]
    drawn = planner.post("/vroom", json={**body, "options": {"g": True}}).json()["routes"][0]
    assert "geometry" not in plain
    assert drawn["geometry"].startswith("__~cH_seK")
    assert drawn["distance"] > 700
