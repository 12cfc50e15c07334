"""Day plans, staffing, forecasts, stock and jobs over HTTP, with a real worker."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from api.jobs import Worker
from api.services import Services
from operations import people
from operations.access import Actor
from tests.api.conftest import Client

DAY = {
    "plan_date": "2026-11-23",
    "time_limit_s": 1,
    "visits": [
        {"id": "a", "location": {"latitude": 30.66, "longitude": 104.06}},
        {
            "id": "b",
            "location": {"latitude": 30.67, "longitude": 104.08},
            "windows": [{"start_s": "10:00", "end_s": "11:00"}],
        },
        {"id": "c", "location": {"latitude": 30.64, "longitude": 104.05}, "skills": ["welding"]},
    ],
    "reps": [
        {
            "id": "r",
            "name": "李伟",
            "start": {"latitude": 30.65, "longitude": 104.07},
            "end": {"latitude": 30.65, "longitude": 104.07},
            "breaks": [{"earliest_s": "12:00", "latest_s": "13:00", "duration_s": 2700}],
        }
    ],
}


def finished(client: TestClient, job_id: str, within_s: float = 60) -> dict[str, object]:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        state: dict[str, object] = client.get(f"/v1/jobs/{job_id}").json()
        if state["status"] in ("done", "failed", "cancelled"):
            return state
        time.sleep(0.1)
    raise AssertionError(f"job {job_id} did not end within {within_s} s")


@pytest.mark.usefixtures("worker")
def test_a_small_day_is_answered_at_once_in_three_formats(signed_in: Client) -> None:
    logistics = signed_in("logistics")
    answer = logistics.post("/v1/route-plans", json=DAY)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert plan["feasible"]
    assert plan["check"]["violations"] == []
    (route,) = plan["routes"]
    assert {stop["visit_id"] for stop in route["stops"]} == {"a", "b"}
    assert next("10:00" <= stop["start"] <= "11:00" for stop in route["stops"] if stop["visit_id"] == "b")
    (left_out,) = plan["unassigned"]
    assert (left_out["visit_id"], left_out["reasons"][0]["code"]) == ("c", "no_skill")

    path = f"/v1/route-plans/{plan['id']}"
    geojson = logistics.get(path, headers={"Accept": "application/geo+json"})
    assert geojson.headers["content-type"] == "application/geo+json"
    points = [item for item in geojson.json()["features"] if item["properties"]["kind"] == "stop"]
    assert {tuple(point["geometry"]["coordinates"]) for point in points} == {(104.06, 30.66), (104.08, 30.67)}
    table = logistics.get(path, headers={"Accept": "text/csv;q=0.9, image/png"})
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.strip().splitlines()) == 3
    assert logistics.get(path, headers={"Accept": "image/png"}).status_code == 406
    assert logistics.get(path).json() == plan


@pytest.mark.usefixtures("worker")
def test_a_long_solve_is_a_job_that_shows_progress_and_can_be_cancelled(signed_in: Client, services: Services) -> None:
    logistics = signed_in("logistics")
    body = {"region": "wuhou", "plan_date": str(services.today() + timedelta(days=1)), "time_limit_s": 100}
    answer = logistics.post("/v1/route-plans", json=body)
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    until = time.monotonic() + 30
    while time.monotonic() < until and not logistics.get(f"/v1/jobs/{job_id}").json()["progress"]:
        time.sleep(0.1)
    assert logistics.get(f"/v1/jobs/{job_id}").json()["progress"]["served"] > 0
    assert signed_in("region_manager").get(f"/v1/jobs/{job_id}").status_code == 404
    assert logistics.delete(f"/v1/jobs/{job_id}").status_code == 200
    assert finished(logistics, job_id, 20)["status"] == "cancelled"
    assert logistics.get(f"/v1/route-plans/{job_id}").status_code == 404


@pytest.mark.usefixtures("worker")
def test_a_region_is_planned_from_its_records_and_each_rep_sees_only_the_own_round(
    signed_in: Client, services: Services
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
    plan = signed_in("logistics").post("/v1/route-plans", json=body, headers={"Prefer": "wait=30"}).json()
    assert plan["feasible"]
    assert plan["assigned_visits"] > 20
    assert {route["rep_id"] for route in plan["routes"]} == set(colleagues)

    path = f"/v1/route-plans/{plan['id']}"
    own = signed_in("rep").get(path).json()
    assert [route["rep_id"] for route in own["routes"]] == [rep["code"]]
    assert own["unassigned"] == []
    assert signed_in("rep").get("/v1/route-plans").json()["items"][0]["id"] == plan["id"]
    assert signed_in("rep").post("/v1/route-plans", json=body).status_code == 403


@pytest.mark.usefixtures("worker")
def test_the_same_idempotency_key_makes_one_plan(signed_in: Client) -> None:
    headers = {"Idempotency-Key": "plan-1"}
    first = signed_in("logistics").post("/v1/route-plans", json=DAY, headers=headers)
    second = signed_in("logistics").post("/v1/route-plans", json=DAY, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotency-replayed"] == "true"


def changed(**changes: object) -> dict[str, object]:
    return {**DAY, **changes}


def visit(**changes: object) -> dict[str, object]:
    return {**DAY["visits"][0], **changes}  # type: ignore[index,dict-item]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed(visits=[]), "/visits"),
        (changed(visits=[visit(service_s=-5)]), "/visits/0/service_s"),
        (changed(visits=[visit(), visit()], strict=True), "/visits/1/id"),
        (changed(visits=[visit(location={"latitude": 104.06, "longitude": 30.66})]), "/visits/0/location/latitude"),
        (changed(visits=[visit(id="z", location={"latitude": 0, "longitude": 0})]), "/visits/0/location"),
        (changed(visits=[visit(windows=[{"start_s": "11:00", "end_s": "09:00"}])]), "/visits/0/windows/0"),
        (changed(visits=[visit(windows=[{"start_s": "25:99", "end_s": "26:00"}])]), "/visits/0/windows/0/start_s"),
        (changed(travel={"duration_s": [], "distance_m": []}), "/travel/duration_s"),
        (changed(travel={"duration_s": [[0, 1], [1, 0]], "distance_m": [[0, 1], [1, 0]]}), "/travel/duration_s"),
        (changed(time_limit_s=0), "/time_limit_s"),
        (changed(time_limit_s=1e9), "/time_limit_s"),
        (changed(reps=None), "/"),
        (changed(region="wuhou"), "/"),
        ({"plan_date": "2026-11-23", "region": "moon"}, "/region"),
        ({"plan_date": "2026-11-23", "region": "wuhou", "rep_codes": ["nobody"]}, "/rep_codes/0"),
        ({"plan_date": "23/11/2026", "region": "wuhou"}, "/plan_date"),
    ],
)
def test_a_wrong_day_names_its_field_and_starts_no_job(
    signed_in: Client, services: Services, body: dict[str, object], pointer: str
) -> None:
    before = len(services.jobs.list(limit=500))
    answer = signed_in("logistics").post("/v1/route-plans", json=body)
    assert answer.status_code == 422, answer.text
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text
    assert len(services.jobs.list(limit=500)) == before


def test_a_body_that_is_too_large_is_refused_before_it_is_parsed(signed_in: Client) -> None:
    answer = signed_in("logistics").post("/v1/route-plans", content=b'{"visits": "' + b"x" * 400_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    broken = signed_in("logistics").post(
        "/v1/route-plans", content=b'{"visits": ', headers={"Content-Type": "application/json"}
    )
    assert broken.status_code == 422


@pytest.mark.usefixtures("worker")
def test_people_are_lent_where_work_exceeds_them(signed_in: Client, services: Services) -> None:
    body = {
        "work_date": str(services.today() + timedelta(days=6)),
        "work_h": {
            "jinjiang": {"": 120},
            "qingyang": {"": 10},
            "jinniu": {"": 10},
            "wuhou": {"": 10},
            "chenghua": {"": 10},
        },
    }
    answer = signed_in("logistics").post("/v1/staff-reallocations", json=body, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    proposal = answer.json()
    assert proposal["moves"]
    assert {move["to_region"] for move in proposal["moves"]} == {"jinjiang"}
    assert all(move["reason"] for move in proposal["moves"])
    assert proposal["unserved_after_h"]["jinjiang"] < proposal["unserved_before_h"]["jinjiang"]
    path = f"/v1/staff-reallocations/{proposal['id']}"
    assert signed_in("director").get(path).json()["moves"] == proposal["moves"]
    wrong = signed_in("logistics").post("/v1/staff-reallocations", json={**body, "absent": ["nobody"]})
    assert wrong.json()["errors"][0]["pointer"] == "/absent/0"


def test_the_forecast_has_a_band_for_every_region_material_and_day(signed_in: Client) -> None:
    found = signed_in("director").get("/v1/forecasts", params={"quantiles": "0.1,0.5,0.9,0.95"}).json()
    assert len(found["days"]) == 5 * 12 * 3
    assert len(found["totals"]) == 5 * 12
    for item in (*found["days"], *found["totals"]):
        assert list(item["quantiles"]) == ["0.1", "0.5", "0.9", "0.95"]
        assert sorted(item["quantiles"].values()) == list(item["quantiles"].values())
        assert item["quantiles"]["0.1"] >= 0


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"region": "moon"}, "query/region"),
        ({"material": "gold"}, "query/material"),
        ({"days": 4}, "query/days"),
        ({"quantiles": "0.5,2"}, "query/quantiles"),
        ({"quantiles": "half"}, "query/quantiles"),
        ({"quantiles": "nan"}, "query/quantiles"),
    ],
)
def test_a_wrong_forecast_question_names_its_parameter(
    signed_in: Client, parameters: dict[str, object], pointer: str
) -> None:
    answer = signed_in("director").get("/v1/forecasts", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_stock_is_the_sum_of_the_ledger_with_an_outlook(signed_in: Client, services: Services) -> None:
    from sqlalchemy import func, select

    from operations.store.tables import StockMovement

    items = signed_in("director").get("/v1/stock").json()["items"]
    assert len(items) == 5 * 12
    with services.database.read() as session:
        total = session.scalar(select(func.sum(StockMovement.quantity_units)))
    assert sum(item["on_hand_units"] for item in items) == total
    for item in items:
        chances = [day["stockout_probability"] for day in item["outlook"]]
        assert chances == sorted(chances)
        assert item["order"]["reason"]


def test_transfers_leave_every_donor_its_upper_forecast(signed_in: Client) -> None:
    director = signed_in("director")
    plan = director.post("/v1/transfers/plan", json={})
    assert plan.status_code == 201, plan.text
    assert plan.json()["transfers"]
    stock = {
        (item["region"], item["material"]): item["on_hand_units"] for item in director.get("/v1/stock").json()["items"]
    }
    totals = director.get("/v1/forecasts", params={"quantiles": "0.9"}).json()["totals"]
    upper = {(item["region"], item["material"]): item["quantiles"]["0.9"] for item in totals}
    given: dict[tuple[str, str], int] = {}
    for move in plan.json()["transfers"]:
        place = (move["from_region"], move["material"])
        given[place] = given.get(place, 0) + move["quantity_units"]
    for place, units in given.items():
        assert stock[place] - units >= upper[place] - 0.01
    wrong = director.post("/v1/transfers/plan", json={"materials": ["gold"]})
    assert wrong.json()["errors"][0]["pointer"] == "/materials/0"


def test_only_analysts_and_directors_train(signed_in: Client) -> None:
    for role in ("rep", "recorder", "logistics", "region_manager"):
        assert signed_in(role).post("/v1/forecasts/train").status_code == 403


@pytest.mark.slow
def test_training_is_a_job_and_its_measures_can_be_read(signed_in: Client, worker: Worker) -> None:
    analyst = signed_in("analyst")
    answer = analyst.post("/v1/forecasts/train", headers={"Idempotency-Key": "train-1"})
    assert answer.status_code == 202
    again = analyst.post("/v1/forecasts/train", headers={"Idempotency-Key": "train-1"})
    assert again.json()["id"] == answer.json()["id"]
    state = finished(analyst, answer.json()["id"], 400)
    assert state["status"] == "done", state
    accuracy = analyst.get("/v1/forecasts/accuracy").json()
    assert accuracy["backtest"]["model"]["mase"] < accuracy["backtest"]["seasonal_naive"]["mase"]
    assert worker.name


def test_the_service_says_how_it_is(anonymous: TestClient) -> None:
    assert anonymous.get("/healthz").json() == {"status": "ok"}
    ready = anonymous.get("/readyz").json()
    assert ready["parts"]["database"] == "ok"
    text = anonymous.get("/metrics").text
    assert 'route="/healthz"' in text
    assert "fieldwise_http_request_seconds_bucket" in text
