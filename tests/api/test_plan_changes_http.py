"""A plan during its day over HTTP: changes, conflicts, versions, publication, slots, fairness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.services import Services
from operations import people
from operations.access import Actor
from tests.api.conftest import Client

Plan = dict[str, Any]


def place(number: int) -> dict[str, float]:
    return {"latitude": round(30.65 + number * 0.004, 4), "longitude": 104.06}


DAY = {
    "plan_date": "2026-11-23",
    "time_limit_s": 1,
    "visits": [{"id": f"v{number}", "location": place(number), "service_s": 1800} for number in range(8)],
    "reps": [
        {"id": rep, "name": name, "start": place(home), "end": place(home)}
        for rep, name, home in (("r1", "李伟", 0), ("r2", "周敏", 7))
    ],
}
NEW = {"id": "new", "name": "新店", "location": place(3), "service_s": 900, "grade": "A"}


@pytest.fixture
def plan(signed_in: Client, worker: object) -> Plan:
    answer = signed_in("logistics").post("/v1/route-plans", json=DAY, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    found: Plan = answer.json()
    return found


@pytest.fixture
def patch(signed_in: Client, plan: Plan) -> Callable[..., Any]:
    """A function that sends a change to the plan as the logistics lead."""

    def send(*changes: Plan, role: str = "logistics", headers: dict[str, str] | None = None, **fields: Any) -> Any:
        body = {"version": 1, "now": "08:00", "changes": list(changes), "search": "never", **fields}
        body = {name: value for name, value in body.items() if value is not None}
        return signed_in(role).patch(f"/v1/route-plans/{plan['id']}", json=body, headers=headers)

    return send


def orders(plan: Plan) -> dict[str, list[str]]:
    return {route["rep_id"]: [stop["visit_id"] for stop in route["stops"]] for route in plan["routes"]}


def test_a_change_gives_the_next_version_with_what_moved_and_why_in_the_askers_language(
    signed_in: Client, plan: Plan, patch: Callable[..., Any]
) -> None:
    first = orders(plan)
    victim = first["r1"][0]
    answer = patch({"kind": "cancel_visit", "visit_id": victim}, {"kind": "add_visit", "visit": NEW})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["version"], answer.headers["etag"]) == (2, '"2"')
    assert after["check"]["violations"] == []
    moves = {move["visit_id"]: move for move in after["moves"]}
    assert (moves[victim]["change"], moves[victim]["reason"]) == ("removed", "cancelled")
    assert (moves["new"]["change"], moves["new"]["from_rep"]) == ("added", None)
    assert "a new customer" in moves["new"]["text"]
    for rep, order in orders(after).items():
        assert [visit for visit in order if visit != "new"] == [visit for visit in first[rep] if visit != victim]
    got = signed_in("logistics").get(f"/v1/route-plans/{plan['id']}")
    assert got.headers["etag"] == '"2"'
    assert orders(got.json()) == orders(after)
    chinese = patch({"kind": "rep_absent", "rep_id": "r2"}, version=2, headers={"Accept-Language": "zh"}).json()
    assert any("人员不在岗" in move["text"] for move in chinese["moves"])


def test_two_dispatchers_do_not_overwrite_each_other(plan: Plan, patch: Callable[..., Any]) -> None:
    change = {"kind": "cancel_visit", "visit_id": "v1"}
    assert patch(change, headers={"If-Match": '"1"'}, version=None).status_code == 200
    late = patch({"kind": "cancel_visit", "visit_id": "v2"})
    assert (late.status_code, late.headers["content-type"]) == (409, "application/problem+json")
    assert "version 2" in late.json()["detail"]
    assert patch(change, headers={"If-Match": '"1"'}, version=None).status_code == 412
    blind = patch(change, version=None)
    assert blind.status_code == 422
    assert blind.json()["errors"][0]["pointer"] == "/version"


def test_done_stops_keep_the_times_that_were_reported(plan: Plan, patch: Callable[..., Any]) -> None:
    order = orders(plan)["r1"]
    report = {
        "rep_id": "r1",
        "made": [{"visit_id": order[0], "start": "09:10", "departure": "09:55"}],
        "running": {"visit_id": order[1], "start": "10:05"},
    }
    after = patch({"kind": "add_visit", "visit": NEW}, progress=[report], now="10:10").json()
    stops = next(route for route in after["routes"] if route["rep_id"] == "r1")["stops"]
    assert [(stop["visit_id"], stop["start"], stop["departure"]) for stop in stops[:2]] == [
        (order[0], "09:10", "09:55"),
        (order[1], "10:05", "10:35"),
    ]
    assert after["check"]["feasible"]
    later = patch(version=2, now="11:00").json()
    assert next(route for route in later["routes"] if route["rep_id"] == "r1")["stops"][:2] == stops[:2]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"changes": [{"kind": "cancel_visit"}]}, "/changes/0/visit_id"),
        ({"changes": [{"kind": "cancel_visit", "visit_id": "nobody"}]}, "/changes/0/visit_id"),
        ({"changes": [{"kind": "cancel_visit", "visit_id": "v0", "rep_id": "r1"}]}, "/changes/0/rep_id"),
        ({"changes": [{"kind": "explode"}]}, "/changes/0/kind"),
        ({"changes": [{"kind": "rep_absent", "rep_id": "x"}]}, "/changes/0/rep_id"),
        ({"changes": [{"kind": "rep_absent", "rep_id": "r1", "since": "25:99"}]}, "/changes/0/since"),
        ({"changes": [{"kind": "ways_take_longer"}]}, "/changes/0/factor"),
        ({"changes": [{"kind": "ways_take_longer", "factor": 2, "from_place": "moon"}]}, "/changes/0/from_place"),
        ({"changes": [{"kind": "lock_first", "rep_id": "r1"}]}, "/changes/0/count"),
        ({"changes": [{"kind": "unlock"}]}, "/changes/0"),
        ({"changes": [{"kind": "add_visit", "visit": {**NEW, "id": "v1"}}]}, "/changes/0/visit/id"),
        ({"changes": [{"kind": "add_visit", "visit": {**NEW, "service_s": -1}}]}, "/changes/0/visit/service_s"),
        ({"changes": [{"kind": "add_visit", "visit": {**NEW, "location": {"latitude": 50, "longitude": 4}}}]},
         "/changes/0/visit/location"),
        ({"progress": [{"rep_id": "r1", "made": [{"visit_id": "v0", "start": "07:00", "departure": "06:00"}]}]},
         "/progress/0/made/0/departure"),
        ({"progress": [{"rep_id": "x"}]}, "/progress/0/rep_id"),
        ({"now": "soon"}, "/now"),
        ({"search_s": 100}, "/search_s"),
    ],
)  # fmt: skip
def test_a_wrong_change_names_its_field_and_changes_nothing(
    signed_in: Client, plan: Plan, patch: Callable[..., Any], fields: Plan, pointer: str
) -> None:
    answer = patch(**fields)
    assert answer.status_code == 422, answer.text
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text
    assert signed_in("logistics").get(f"/v1/route-plans/{plan['id']}").json()["version"] == 1


def test_history_comparison_and_publication(signed_in: Client, plan: Plan, patch: Callable[..., Any]) -> None:
    logistics, path = signed_in("logistics"), f"/v1/route-plans/{plan['id']}"
    patch({"kind": "cancel_visit", "visit_id": "v3"}, note="closed today")
    items = logistics.get(f"{path}/versions").json()["items"]
    assert [(item["version"], item["note"]) for item in items] == [(2, "closed today"), (1, "")]
    assert items[0]["moved_visits"] >= 1
    assert orders(logistics.get(f"{path}/versions/1").json()) == orders(plan)
    assert logistics.get(f"{path}/versions/9").status_code == 404
    found = logistics.get(f"{path}/compare", params={"with": "1"}).json()
    assert ("v3", "removed") in {(move["visit_id"], move["change"]) for move in found["moves"]}
    assert found["after"]["travel_s"] - found["before"]["travel_s"] == found["cost_difference"]["travel"]
    assert logistics.get(f"{path}/compare", params={"with": "other"}).status_code == 404
    assert logistics.post(f"{path}/publish", json={"version": 1}).status_code == 409
    published = logistics.post(f"{path}/publish", json={"version": 2}).json()
    assert (published["status"], published["published_version"]) == ("published", 2)
    assert logistics.get(f"{path}/versions").json()["items"][0]["published_by"]


def test_a_new_customer_gets_slots_and_the_first_one_can_be_kept(
    signed_in: Client, plan: Plan, patch: Callable[..., Any]
) -> None:
    logistics, path = signed_in("logistics"), f"/v1/route-plans/{plan['id']}"
    found = logistics.post(f"{path}/slots", json={"visit": NEW, "now": "08:00"}).json()["items"]
    assert len(found) >= 2
    slot = found[0]
    assert slot["added_travel_min"] == min(item["added_travel_min"] for item in found)
    visit = {**NEW, "windows": [{"start_s": slot["offer"]["start"], "end_s": slot["offer"]["end"]}]}
    after = patch({"kind": "add_visit", "visit": visit, "rep_id": slot["rep_id"], "position": slot["position"]}).json()
    assert orders(after)[slot["rep_id"]][slot["position"] - 1] == "new"
    assert after["check"]["feasible"]
    nobody = logistics.post(
        f"{path}/slots", json={"visit": {**NEW, "id": "other", "skills": ["welding"]}, "now": "08:00"}
    )
    assert [reason["code"] for reason in nobody.json()["reasons"]] == ["no_skill"]


def test_equality_has_a_price_that_is_shown(signed_in: Client, plan: Plan) -> None:
    logistics, path = signed_in("logistics"), f"/v1/route-plans/{plan['id']}"
    found = logistics.get(f"{path}/fairness").json()
    assert sum(day["visits"] for day in found["days"]) == plan["assigned_visits"]
    assert set(found["spread"]) == {"minutes", "visits", "value"}
    body = {"fairness": 10, "measure": "visits", "time_limit_s": 1}
    answer = logistics.post(f"{path}/fairness-price", json=body, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    price = answer.json()
    assert price["cost"] >= 0
    assert price["with_knob"]["fairness"]["spread"]["visits"]["deviation"] <= (
        price["without"]["fairness"]["spread"]["visits"]["deviation"] + 1e-6
    )


def test_a_plan_of_an_organisations_day_changes_by_the_clock_and_its_reps_see_what_is_published(
    signed_in: Client, services: Services, worker: object
) -> None:
    rep = signed_in("rep").get("/v1/me").json()
    with services.database.read() as session:
        codes = [card.code for card in people.people(session, Actor.system("test"), role="rep")]
    colleagues = [code for code in codes if code[:4] == rep["code"][:4]][:3]
    body = {
        "region": rep["region"],
        "plan_date": str(services.today() + timedelta(days=1)),
        "time_limit_s": 2,
        "rep_codes": colleagues,
    }
    manager = signed_in("logistics")
    plan = manager.post("/v1/route-plans", json=body, headers={"Prefer": "wait=30"}).json()
    path = f"/v1/route-plans/{plan['id']}"
    assert manager.post(f"{path}/publish", json={"version": 1}).status_code == 200
    mine = orders(signed_in("rep").get(path).json())[rep["code"]]
    change = {"version": 1, "changes": [{"kind": "cancel_visit", "visit_id": mine[0]}]}
    assert signed_in("rep").patch(path, json=change).status_code == 403
    assert signed_in("rep").get(f"{path}/versions").status_code == 403
    after = manager.patch(path, json=change)
    assert after.status_code == 200, after.text
    assert orders(signed_in("rep").get(path).json())[rep["code"]] == mine
    assert manager.post(f"{path}/publish", json={"version": 2}).status_code == 200
    assert mine[0] not in orders(signed_in("rep").get(path).json())[rep["code"]]


def test_a_plan_whose_day_is_over_needs_a_moment(signed_in: Client, worker: object) -> None:
    old = signed_in("logistics").post("/v1/route-plans", json={**DAY, "plan_date": "2020-01-06"}).json()
    path = f"/v1/route-plans/{old['id']}"
    refused = signed_in("logistics").patch(path, json={"version": 1})
    assert refused.json()["errors"][0]["pointer"] == "/now"
    assert signed_in("logistics").patch(path, json={"version": 1, "now": "12:00"}).status_code == 200


def test_nobody_who_has_not_signed_in_changes_a_plan(anonymous: TestClient, plan: Plan) -> None:
    assert anonymous.patch(f"/v1/route-plans/{plan['id']}", json={"version": 1}).status_code == 401
