"""Prefetched hints over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.services import Services
from operations import people
from operations.access import Actor
from operations.store import schema
from operations.store.tables import Customer, Person, Region, Visit, VisitObjection
from tests.api.live_service import fake_services, quick_settings
from tests.fake_coach import add_cases


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A small organisation: one region, one rep, two customers, one visit."""
    services = fake_services(quick_settings(tmp_path_factory.mktemp("prefetch")))
    schema.upgrade(services.database)
    moment = datetime(2026, 11, 1, 2, tzinfo=UTC)
    place = {"latitude": 30.64, "longitude": 104.04}
    with services.database.write("test") as session:
        session.add(Region(code="wuhou", name_zh="武侯", name_en="Wuhou", **place))
        session.flush()
        session.add(Person(code="rep-1", name="李伟", role="rep", region_code="wuhou"))
        session.flush()
        for code in ("c1", "c2"):
            session.add(
                Customer(
                    code=code,
                    name="客户",
                    customer_type="shop_owners",
                    region_code="wuhou",
                    phone="13812345678",
                    address="一环路南段1号",
                    **place,
                )
            )
        session.flush()
        session.add(
            Visit(
                id="v1",
                customer_code="c1",
                rep_code="rep-1",
                started_at=moment,
                ended_at=moment,
                outcome="interested",
                recorded_at=moment,
            )
        )
        session.flush()
        session.add(VisitObjection(visit_id="v1", objection_type="quality_doubt"))
    add_cases(services.database)
    return services


@pytest.fixture(scope="module")
def client(services: Services) -> Iterator[TestClient]:
    with services.database.write("director") as session:
        director = Actor.person("director", "director", None)
        scopes = ["hints:ask", "customers:read"]
        secret = people.make_key(session, director, name="route", scopes=scopes, region_code="wuhou")[1]
    headers = {"Authorization": f"Bearer {secret}", "Accept-Language": "en"}
    app = create_app(services=services, console=False)
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        yield client


def post(client: TestClient, *customers: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/hints/prefetch", json={"customers": customers, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_route_gets_its_lines_with_steps_warnings_and_validity(client: TestClient) -> None:
    body = post(client, {"customer_id": "c1"}, {"known_objections": ["quality_doubt"], "customer_type": "shop_owners"})
    assert [item["objections"] for item in body["customers"]] == [[{"known": "quality_doubt", "answer": 0}]] * 2
    assert [item["from_records"] for item in body["customers"]] == [True, False]
    assert body["index_version"] == "fake/1"
    answer = body["answers"][0]
    assert answer["objection_types"][0]["code"] == "quality_doubt"
    suggestion = answer["suggestions"][0]
    assert suggestion["talk_track"]
    assert suggestion["steps"] == ["先听", "再比"]
    assert suggestion["warnings"][0]["bad_lines"] == ["我们就是贵"]
    assert suggestion["valid_until"] is None
    assert body["expires_on"] == answer["expires_on"] == body["customers"][0]["expires_on"]


def test_an_unknown_customer_is_a_problem_of_its_own(client: TestClient) -> None:
    body = post(client, {"customer_id": "nobody"}, {"customer_id": "c2"}, {"customer_id": "c1"}, {})
    unknown, silent, known, neither = body["customers"]
    assert (unknown["problem"]["status"], unknown["problem"]["type"]) == (404, "/problems/not-found")
    assert (silent["problem"], silent["reason"]) == (None, "no objection of this customer is known yet")
    assert known["objections"]
    assert neither["problem"]["errors"][0]["pointer"] == "/customers/3"


def test_no_contact_leaves_with_the_hints(client: TestClient) -> None:
    text = client.post("/v1/hints/prefetch", json={"customers": [{"customer_id": "c1"}]}).text
    assert "138" not in text
    assert "一环路" not in text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/customers"),
        ({"customers": []}, "/customers"),
        ({"customers": [{"customer_id": "c1"}] * 301}, "/customers"),
        ({"customers": [{"customer_id": "c1", "known_objections": [""]}]}, "/customers/0/known_objections/0"),
        ({"customers": [{"customer_id": "c1", "known_objections": ["x"] * 11}]}, "/customers/0/known_objections"),
        ({"customers": [{"customer": "c1"}]}, "/customers/0/customer"),
        ({"customers": [{"customer_id": "c1"}], "limit": 11}, "/limit"),
        ({"customers": [{"customer_id": "c1"}], "language": "fr"}, "/language"),
    ],
)
def test_a_wrong_list_names_the_field(client: TestClient, body: dict[str, Any], pointer: str) -> None:
    answer = client.post("/v1/hints/prefetch", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_three_hundred_customers_fit_into_one_call(client: TestClient) -> None:
    body = post(client, *[{"customer_id": "c1"}] * 300)
    assert (len(body["customers"]), len(body["answers"])) == (300, 1)


def test_nobody_and_other_regions_are_refused(client: TestClient) -> None:
    body = {"customers": [{"customer_id": "c1"}]}
    assert client.post("/v1/hints/prefetch", json=body, headers={"Authorization": ""}).status_code == 401
    assert client.post("/v1/hints/prefetch", json=body | {"region": "jinniu"}).status_code == 403
