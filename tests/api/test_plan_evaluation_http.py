"""A plan of one's own is evaluated over HTTP and on the command line, and bad customers are named, not fatal."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import app
from api.services import Services
from common.chinese_coordinates import gcj02_from_wgs84
from common.places import Location
from operations.store.tables import Customer, Person, RoutePlan
from routing.check import CONSTRAINTS
from tests.api.conftest import Client

HOME = {"latitude": 30.65, "longitude": 104.07}
PLAN: dict[str, Any] = {
    "plan_date": "2026-11-23",
    "visits": [
        {"id": "a", "location": {"latitude": 30.66, "longitude": 104.06}},
        {
            "id": "b",
            "name": "兄弟五金店",
            "location": {"latitude": 30.67, "longitude": 104.08},
            "windows": [{"start_s": "10:00", "end_s": "11:00"}],
            "usual_rep": "s",
        },
        {"id": "c", "location": {"latitude": 30.64, "longitude": 104.05}},
    ],
    "reps": [
        {"id": "r", "name": "Li Wei", "start": HOME, "end": HOME, "shift_end_s": "10:40", "fixed_cost": 300},
        {"id": "s", "name": "Wang Fang", "start": HOME, "end": HOME, "max_visits": 0},
    ],
    "weights": {"change": 120, "fairness": 2, "fairness_measure": "visits", "distance_m": 0.1},
    "routes": {"r": ["a", "b"]},
}
PATH = "/v1/route-plans/evaluate"


def changed(**changes: object) -> dict[str, Any]:
    return {**copy.deepcopy(PLAN), **changes}


def plans(services: Services) -> int:
    with services.database.read() as session:
        return len(list(session.scalars(select(RoutePlan.id))))


def test_a_plan_of_ones_own_gets_times_waits_cost_by_part_and_what_was_checked(
    signed_in: Client, services: Services
) -> None:
    before = plans(services)
    answer = signed_in("logistics").post(PATH, json=PLAN)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["feasible"]
    assert found["violations"] == []
    assert set(CONSTRAINTS) < set(found["checked"])
    (route,) = found["routes"]
    assert [stop["visit_id"] for stop in route["stops"]] == ["a", "b"]
    assert route["stops"][1]["start"] == "10:00"
    assert route["stops"][1]["wait_s"] > 600
    assert found["wait_s"] == route["stops"][1]["wait_s"]
    cost = dict(found["cost"])
    assert cost.pop("total") == pytest.approx(sum(cost.values()))
    assert cost == {
        "travel": found["travel_s"],
        "distance": pytest.approx(0.1 * found["distance_m"]),
        "overtime": 0,
        "left_out": 14_400,
        "fixed": 300,
        "change": 120,
        "fairness": pytest.approx(2 * 2 * 1.0),
    }
    assert plans(services) == before


def test_what_a_plan_breaks_is_said_by_name_in_the_askers_language(signed_in: Client) -> None:
    body = changed(routes={"r": ["b", "a"], "s": ["c"]})
    body["visits"][0]["windows"] = [{"start_s": "09:00", "end_s": "09:10"}]
    body["reps"][0]["shift_end_s"] = "12:00"
    for language, words in (("en", "outside its windows"), ("zh-CN", "超出时间窗")):
        found = signed_in("logistics").post(PATH, json=body, headers={"Accept-Language": language}).json()
        assert not found["feasible"]
        broken = {item["constraint"]: item for item in found["violations"]}
        assert set(broken) == {"time_windows", "visit_limit"}
        assert (broken["time_windows"]["rep_id"], broken["time_windows"]["visit_id"]) == ("r", "a")
        assert broken["time_windows"]["amount"] > 3000
        assert words in broken["time_windows"]["text"]
        assert broken["visit_limit"]["rep_id"] == "s"


def test_new_rules_of_visits_and_reps_are_understood_and_checked(signed_in: Client) -> None:
    body = changed(routes={"r": ["a", "b"]})
    body["visits"][0] |= {"allowed_reps": ["s"], "collect": 2}
    body["visits"][1] |= {"after": "c"}
    body["visits"][2] |= {"after": "a", "load": 2}
    body["reps"][0] |= {"first_stops": ["c"], "max_travel_s": 60, "max_distance_m": 100, "capacity": 1}
    found = signed_in("logistics").post(PATH, json=body).json()
    assert {item["constraint"] for item in found["violations"]} == {
        "allowed_reps",
        "stop_order",
        "collected_together",
        "first_stops",
        "travel_limit",
        "distance_limit",
        "load_limit",
    }


def test_a_visit_left_out_is_told_what_would_serve_it(signed_in: Client) -> None:
    (left,) = signed_in("logistics").post(PATH, json=PLAN).json()["unassigned"]
    assert left["visit_id"] == "c"
    assert {reason["code"] for reason in left["reasons"]} == {"has_room", "visit_limit"}
    assert left["relaxations"][0]["code"] == "add_to_round"
    (left,) = signed_in("logistics").post(PATH, json=changed(routes={"s": []})).json()["unassigned"][2:]
    body = changed()
    body["reps"][0]["shift_end_s"] = "10:26"
    found = signed_in("logistics").post(PATH, json=body, headers={"Accept-Language": "zh"}).json()
    (left,) = [item for item in found["unassigned"] if item["visit_id"] == "c"]
    first = left["relaxations"][0]
    assert (first["code"], first["rep_id"]) in {("extend_day", "r"), ("one_more_visit", "s"), ("add_to_round", "r")}
    assert any("一" <= letter <= "鿿" for letter in first["text"])


def test_a_wrong_plan_names_its_fields(signed_in: Client) -> None:
    logistics = signed_in("logistics")
    for body, pointer in (
        (changed(routes={"r": ["a", "ghost"]}), "/routes/r/1"),
        (changed(routes={"nobody": ["a"]}), "/routes/nobody"),
        (changed(routes=None), "/routes"),
        (changed(reps=None), "/"),
        (changed(coordinate_system="mars"), "/coordinate_system"),
        (changed(weights={"fairness_measure": "luck"}), "/weights/fairness_measure"),
    ):
        answer = logistics.post(PATH, json=body)
        assert answer.status_code == 422, answer.text
        assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text
    assert signed_in("rep").post(PATH, json=PLAN).status_code == 403


BAD = [
    {"id": "zero", "location": {"latitude": 0, "longitude": 0}},
    {"id": "swapped", "location": {"latitude": 104.06, "longitude": 30.66}},
    {"id": "far", "location": {"latitude": 48.85, "longitude": 2.35}},
    {"id": "short", "location": {"latitude": 30.66, "longitude": 104.06}, "service_s": -5},
    {"id": "typo", "location": {"latitude": 30.66, "longitude": 104.06}, "servce_s": 5},
    {"name": "nobody"},
    "not a visit",
]


def test_bad_customers_are_left_out_and_named_and_leave_the_routes(signed_in: Client) -> None:
    body = changed(routes={"r": ["zero", "a", "swapped", "b", "typo"]})
    body["visits"] += BAD
    found = signed_in("logistics").post(PATH, json=body).json()
    assert found["feasible"], found["violations"]
    assert [stop["visit_id"] for stop in found["routes"][0]["stops"]] == ["a", "b"]
    named = {(item["id"], item["field"]) for item in found["unusable"]}
    assert named >= {
        ("zero", "/visits/3/location"),
        ("swapped", "/visits/4/location/latitude"),
        ("far", "/visits/5/location"),
        ("short", "/visits/6/service_s"),
        ("typo", "/visits/7/servce_s"),
        ("", "/visits/8/location"),
        ("", "/visits/9"),
    }
    texts = {item["id"]: item["text"] for item in found["unusable"]}
    assert "swapped" in texts["swapped"]


def test_strict_refuses_what_would_be_left_out(signed_in: Client) -> None:
    body = changed(strict=True)
    body["visits"] += BAD
    answer = signed_in("logistics").post(PATH, json=body)
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert {"/visits/3/location", "/visits/4/location/latitude", "/visits/9"} <= pointers


def test_a_day_without_a_usable_visit_or_with_a_wrong_rep_is_a_problem_with_all_fields(signed_in: Client) -> None:
    answer = signed_in("logistics").post(PATH, json=changed(visits=BAD[:2], routes={}))
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/visits/0/location", "/visits/1/location/latitude"}
    wrong = changed()
    wrong["reps"][0]["start"] = {"latitude": 0, "longitude": 0}
    wrong["visits"] += BAD[:1]
    answer = signed_in("logistics").post(PATH, json=wrong)
    assert {error["pointer"] for error in answer.json()["errors"]} >= {"/reps/0/start", "/visits/3/location"}


def test_coordinates_of_an_amap_plan_are_converted(signed_in: Client) -> None:
    shifted = changed(coordinate_system="gcj02")
    for visit in shifted["visits"]:
        place = gcj02_from_wgs84(Location(**visit["location"]))
        visit["location"] = {"latitude": place.latitude, "longitude": place.longitude}
    for rep in shifted["reps"]:
        rep["coordinate_system"] = "wgs84"
    found = signed_in("logistics").post(PATH, json=shifted).json()
    true = signed_in("logistics").post(PATH, json=PLAN).json()
    assert found["distance_m"] == pytest.approx(true["distance_m"], abs=3)
    place = found["routes"][0]["stops"][0]["location"]
    assert place == {"latitude": pytest.approx(30.66, abs=1e-6), "longitude": pytest.approx(104.06, abs=1e-6)}


def test_a_matrix_of_ones_own_loses_the_rows_of_bad_visits(signed_in: Client) -> None:
    body = changed(routes={"r": ["a", "b"]})
    body["visits"].insert(0, BAD[0])
    body["travel"] = {"duration_s": [[60 * abs(row - column) for column in range(8)] for row in range(8)]}
    found = signed_in("logistics").post(PATH, json=body).json()
    # a is row 1, b row 2, r's start row 4, its end row 6
    assert [stop["travel_s"] for stop in found["routes"][0]["stops"]] == [180, 60]
    assert found["travel_s"] == 180 + 60 + 240


@pytest.mark.usefixtures("worker")
def test_a_solved_plan_keeps_and_shows_its_bad_customers_and_relaxations(signed_in: Client) -> None:
    body = changed(time_limit_s=1)
    del body["routes"]
    body["visits"] += [BAD[0], {"id": "late", "location": HOME, "service_s": 9000}]
    plan = signed_in("logistics").post("/v1/route-plans", json=body, headers={"Prefer": "wait=30"}).json()
    assert [(item["id"], item["field"]) for item in plan["unusable"]] == [("zero", "/visits/3/location")]
    assert set(CONSTRAINTS) < set(plan["check"]["checked"])
    assert plan["check"]["cost"]["fixed"] == 300
    left = {item["visit_id"]: item["relaxations"] for item in plan["unassigned"]}
    assert left["late"]
    assert all(found["text"] for found in left["late"])
    again = signed_in("logistics").get(f"/v1/route-plans/{plan['id']}").json()
    assert (again["unusable"], again["unassigned"]) == (plan["unusable"], plan["unassigned"])


def test_a_regions_bad_customer_is_named_by_its_code_and_the_others_are_evaluated(
    signed_in: Client, services: Services
) -> None:
    body = {"region": "wuhou", "plan_date": str(services.today() + timedelta(days=1)), "routes": {}}
    logistics = signed_in("logistics")
    whole = logistics.post(PATH, json=body).json()
    chosen, other = [item["visit_id"] for item in whole["unassigned"][:2]]
    assert whole["unusable"] == []
    assert "not_tried" in {found["code"] for item in whole["unassigned"] for found in item["relaxations"]}
    with services.database.write("test") as session:
        row = session.scalars(select(Customer).where(Customer.code == chosen)).one()
        kept = row.latitude
        row.latitude = 0.0
    try:
        found = logistics.post(PATH, json={**body, "routes": {}}).json()
        assert [(item["id"], item["field"]) for item in found["unusable"]] == [
            (chosen, f"/customers/{chosen}/location")
        ]
        assert other in {item["visit_id"] for item in found["unassigned"]}
    finally:
        with services.database.write("test") as session:
            session.scalars(select(Customer).where(Customer.code == chosen)).one().latitude = kept


def test_a_plan_for_a_region_may_name_customers_who_are_not_due(signed_in: Client, services: Services) -> None:
    logistics = signed_in("logistics")
    body: dict[str, Any] = {"region": "wuhou", "plan_date": str(services.today() + timedelta(days=1)), "routes": {}}
    offered = {item["visit_id"] for item in logistics.post(PATH, json=body).json()["unassigned"]}
    with services.database.read() as session:
        people_ = select(Person.code).where(Person.region_code == "wuhou", Person.role == "rep", Person.active)
        rep = session.scalars(people_.order_by(Person.code)).first()
        everybody = session.scalars(select(Customer.code).where(Customer.region_code == "wuhou"))
        other = next(code for code in everybody if code not in offered)
    found = logistics.post(PATH, json={**body, "routes": {rep: [other]}}).json()
    assert [stop["visit_id"] for stop in found["routes"][0]["stops"]] == [other]
    wrong = logistics.post(PATH, json={**body, "routes": {rep: ["ghost"]}})
    assert [error["pointer"] for error in wrong.json()["errors"]] == [f"/routes/{rep}/0"]
    assert signed_in("region_manager").post(PATH, json=body).status_code in (200, 403)


def test_the_command_line_evaluates_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    plan = {name: PLAN[name] for name in ("visits", "reps", "weights", "routes")}
    plan = copy.deepcopy(plan)
    for visit in plan["visits"]:
        visit["service_s"] = 1200
    for rep in plan["reps"]:
        rep |= {"shift_start_s": "09:00", "shift_end_s": rep.get("shift_end_s", "18:00")}
    plan["visits"].append({**BAD[0], "service_s": 600})  # type: ignore[dict-item]
    file.write_text(json.dumps(plan), encoding="utf-8")
    run = CliRunner()
    told = run.invoke(app, ["routes", "evaluate", str(file)], env={"LANG": "en_US.UTF-8", "LC_ALL": ""})
    assert told.exit_code == 0, told.output
    assert "兄弟五金店" in told.output
    assert "zero /visits/3/location" in told.output
    assert "0 broken" in told.output
    told = run.invoke(app, ["routes", "evaluate", str(file), "--json"])
    assert json.loads(told.stdout)["feasible"]
    plan["routes"] = {"s": ["a"]}
    file.write_text(json.dumps(plan), encoding="utf-8")
    told = run.invoke(app, ["routes", "evaluate", str(file)], env={"LANG": "en_US.UTF-8", "LC_ALL": ""})
    assert told.exit_code == 1
    assert "visit_limit" in told.output
    for wrong in ("[]", "{", '{"routes": []}', '{"routes": {"r": ["a"]}, "visits": []}'):
        file.write_text(wrong, encoding="utf-8")
        told = run.invoke(app, ["routes", "evaluate", str(file)])
        assert told.exit_code == 2, told.output
