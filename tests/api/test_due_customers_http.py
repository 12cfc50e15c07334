"""Who is due, repeats that are blocked or excused, and several days planned together, over HTTP with a real worker."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.services import Services
from tests.api.conftest import Client

REGION = "wuhou"


def due(client: TestClient, **parameters: str) -> dict[str, Any]:
    answer = client.get("/v1/due-customers", params={"region": REGION, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_due_customers_come_with_why_and_what_the_visit_is_worth(signed_in: Client, services: Services) -> None:
    found = due(signed_in("director"))
    assert found["day"] == str(services.today() + timedelta(days=1))
    assert found["method"] == "model"
    assert "visits" in found["basis"]
    assert len(found["due"]) > 50
    assert {item["code"] for item in found["excluded"]} >= {"not_due_yet"}
    for item in found["due"]:
        assert 0 < item["probability"] < 1
        assert item["text"]
        worth = item["probability"] * item["value_cny"] / 1000 * item["stock_factor"]
        assert item["points"] == pytest.approx(max(0.05, worth) * item["urgency"], rel=0.02, abs=0.002)
    in_chinese = signed_in("director").get(
        "/v1/due-customers", params={"region": REGION}, headers={"Accept-Language": "zh"}
    )
    assert "拜访" in in_chinese.json()["basis"]


def test_probabilities_go_up_with_the_grade_and_value_decides_the_order(signed_in: Client) -> None:
    found = due(signed_in("director"))["due"]
    mean = {
        grade: sum(shares) / len(shares)
        for grade in "ABC"
        if (shares := [item["probability"] for item in found if item["grade"] == grade])
    }
    assert mean["A"] > mean["B"]
    mandatory = [item["mandatory"] for item in found]
    assert mandatory == sorted(mandatory, reverse=True)
    optional = [
        item["points"] * {"A": 1.5, "B": 1.2}.get(item["grade"], 1.0) for item in found if not item["mandatory"]
    ]
    assert optional == sorted(optional, reverse=True)


def test_a_rep_sees_own_customers_only(signed_in: Client) -> None:
    rep = signed_in("rep").get("/v1/me").json()
    answer = signed_in("rep").get("/v1/due-customers", params={"region": rep["region"]}).json()
    seen = {item["customer_code"] for item in (*answer["due"], *answer["excluded"])}
    assert len(seen) > 10
    assert all(signed_in("rep").get(f"/v1/customers/{code}").status_code == 200 for code in seen)
    assert len(seen) < len(due(signed_in("director"), region=rep["region"])["due"])


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"region": "moon"}, "query/region"),
        ({"region": REGION, "day": "1066-10-14"}, "query/day"),
        ({}, "query/region"),
    ],
)
def test_a_wrong_question_names_its_parameter(signed_in: Client, parameters: dict[str, str], pointer: str) -> None:
    answer = signed_in("director").get("/v1/due-customers", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_the_reliability_report_beats_the_base_rate_and_is_for_all_regions_only(signed_in: Client) -> None:
    report = signed_in("analyst").get("/v1/conversion-reliability").json()
    assert report["method"] == "model"
    assert report["model"]["brier"] < report["base"]["brier"]
    assert report["calibration_error"] < 0.03
    assert [part["grade"] for part in report["grades"]][:3] == ["A", "B", "C"]
    assert signed_in("region_manager").get("/v1/conversion-reliability").status_code == 403


def day_by_hand(services: Services, rep: str, *customers: str) -> dict[str, Any]:
    place = {"latitude": 30.64, "longitude": 104.04}
    return {
        "plan_date": str(services.today() + timedelta(days=1)),
        "time_limit_s": 1,
        "visits": [{"id": code, "location": place, "service_s": 600} for code in customers],
        "reps": [{"id": rep, "start": place}],
    }


@pytest.mark.usefixtures("worker")
def test_a_customer_who_is_planned_already_is_blocked_and_a_reason_is_kept(
    signed_in: Client, services: Services
) -> None:
    client = signed_in("director")
    customer = due(client)["due"][0]["customer_code"]
    first = client.post("/v1/route-plans", json=day_by_hand(services, "one", customer), headers={"Prefer": "wait=30"})
    assert first.status_code == 200, first.text
    assert first.json()["rhythm"]["repeats"] == []

    second = day_by_hand(services, "another", "somebody new", customer)
    refused = client.post("/v1/route-plans", json=second)
    assert refused.status_code == 409
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/visits/1/id"]
    blocked = {item["customer_code"]: item for item in due(client)["excluded"] if item["repeat"]}
    assert blocked[customer]["code"] == "planned_that_day"

    excused = {**second, "repeat_reasons": {customer: "asked us back"}}
    plan = client.post("/v1/route-plans", json=excused, headers={"Prefer": "wait=30"}).json()
    kept = client.get(f"/v1/route-plans/{plan['id']}").json()["rhythm"]["repeats"]
    assert [(item["customer_code"], item["reason"]) for item in kept] == [(customer, "asked us back")]
    assert "one" in kept[0]["text"]
    empty = client.post("/v1/route-plans", json={**second, "repeat_reasons": {customer: " "}})
    assert empty.status_code == 422
    unknown = client.post(
        "/v1/route-plans",
        json={"region": REGION, "plan_date": second["plan_date"], "repeat_reasons": {"ghost": "who"}},
    )
    assert unknown.json()["errors"][0]["pointer"] == "/repeat_reasons/ghost"


@pytest.mark.usefixtures("worker")
def test_what_became_a_repeat_since_is_published_only_with_a_reason_which_is_kept(
    signed_in: Client, services: Services
) -> None:
    client = signed_in("director")
    customer = due(client)["due"][1]["customer_code"]
    day = {"plan_date": str(services.today() + timedelta(days=2))}
    waiting = {"Prefer": "wait=30"}
    asked = {**day_by_hand(services, "one", customer), **day}
    mine = client.post("/v1/route-plans", json=asked, headers=waiting).json()["id"]
    again = {**day_by_hand(services, "another", customer), **day, "repeat_reasons": {customer: "twice"}}
    other = client.post("/v1/route-plans", json=again, headers=waiting)
    assert client.post(f"/v1/route-plans/{other.json()['id']}/publish", json={"version": 1}).status_code == 200

    path = f"/v1/route-plans/{mine}/publish"
    refused = client.post(path, json={"version": 1}, headers={"Accept-Language": "zh"})
    assert refused.status_code == 409
    (error,) = refused.json()["errors"]
    assert error["pointer"] == f"/repeat_reasons/{customer}"
    assert "计划" in error["detail"]
    assert client.get(f"/v1/route-plans/{mine}").json()["status"] == "draft"
    excused = client.post(path, json={"version": 1, "repeat_reasons": {customer: "two products"}})
    assert excused.status_code == 200, excused.text
    kept = client.get(f"/v1/route-plans/{mine}").json()["rhythm"]["repeats"]
    assert {item["customer_code"]: item["reason"] for item in kept}[customer] == "two products"


@pytest.mark.usefixtures("worker")
def test_a_week_is_a_job_that_stores_one_plan_a_day_and_visits_nobody_twice(
    signed_in: Client, services: Services
) -> None:
    client = signed_in("logistics")
    start = services.today() + timedelta(days=1)
    body = {"region": REGION, "start": str(start), "days": 3, "days_off": "none", "time_limit_s": 3}
    accepted = client.post("/v1/route-plans/week", json=body, headers={"Idempotency-Key": "week-1"})
    assert accepted.status_code == 202, accepted.text
    again = client.post("/v1/route-plans/week", json=body, headers={"Idempotency-Key": "week-1"})
    assert again.json()["id"] == accepted.json()["id"]
    job: dict[str, Any] = {}
    until = time.monotonic() + 90
    while time.monotonic() < until and job.get("status") not in ("done", "failed"):
        job = client.get(f"/v1/jobs/{accepted.json()['id']}").json()
        time.sleep(0.2)
    assert job["status"] == "done", job
    days = job["result"]["days"]
    assert [day["date"] for day in days] == [str(start + timedelta(days=step)) for step in range(3)]
    plans = [client.get(f"/v1/route-plans/{day['route_plan_id']}").json() for day in days if not day["skipped"]]
    visited = [stop["visit_id"] for plan in plans for route in plan["routes"] for stop in route["stops"]]
    assert len(visited) == len(set(visited)) > 50
    assert all(plan["feasible"] for plan in plans)
    left_out = {item["visit_id"] for item in job["result"]["not_placed"]}
    assert not left_out & set(visited)


@pytest.mark.usefixtures("worker")
def test_a_short_week_can_be_waited_for_and_is_read_in_ones_language(signed_in: Client, services: Services) -> None:
    body = {"region": "jinniu", "start": str(services.today() + timedelta(days=1)), "days": 1, "time_limit_s": 1}
    answer = signed_in("logistics").post(
        "/v1/route-plans/week", json={**body, "days_off": "none"}, headers={"Prefer": "wait=60"}
    )
    assert answer.status_code == 200, answer.text
    (day,) = answer.json()["days"]
    assert day["skipped"] is None
    assert day["assigned"] > 0
    holiday = {**body, "start": "2026-10-02", "days": 1}
    nobody = signed_in("logistics").post("/v1/route-plans/week", json=holiday)
    assert nobody.status_code == 503
    assert signed_in("rep").post("/v1/route-plans/week", json=body).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"days": 8}, "/days"),
        ({"days": 0}, "/days"),
        ({"days_off": "never"}, "/days_off"),
        ({"start": "tomorrow"}, "/start"),
        ({"region": "moon"}, "/region"),
        ({"rep_codes": ["nobody"]}, "/rep_codes/0"),
        ({"repeat_reasons": {"ghost": "who"}}, "/repeat_reasons/ghost"),
        ({"time_limit_s": 3600}, "/time_limit_s"),
    ],
)
def test_a_wrong_week_names_its_field_and_starts_no_job(
    signed_in: Client, services: Services, changes: dict[str, Any], pointer: str
) -> None:
    before = len(services.jobs.list(limit=500))
    body = {"region": REGION, "start": str(services.today() + timedelta(days=1)), **changes}
    answer = signed_in("logistics").post("/v1/route-plans/week", json=body)
    assert answer.status_code == 422, answer.text
    assert any(error["pointer"] == pointer for error in answer.json()["errors"]), json.dumps(answer.json())
    assert len(services.jobs.list(limit=500)) == before
