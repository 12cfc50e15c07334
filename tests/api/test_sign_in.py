"""Signing in, tokens, keys, and what each role may reach."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from fastapi.testclient import TestClient

from api.services import Services
from tests.api.conftest import Client

ROLES = ("rep", "recorder", "logistics", "region_manager", "analyst", "director")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_sample_can_sign_in_and_is_who_it_is(signed_in: Client, role: str) -> None:
    me = signed_in(role).get("/v1/me").json()
    assert me["role"] == role
    assert (me["region"] is None) == (role in ("logistics", "analyst", "director"))


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(anonymous: TestClient) -> None:
    answers = [
        anonymous.post("/v1/sign-in", json={"name": name, "password": "wrong"}, headers={"Accept-Language": "zh-CN"})
        for name in ("R-QY-01", "nobody-at-all")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["detail"] for answer in answers} == {"用户名或密码不正确"}


def test_the_sixth_wrong_password_has_to_wait(anonymous: TestClient, password: str) -> None:
    for _ in range(5):
        assert anonymous.post("/v1/sign-in", json={"name": "R-JN-02", "password": "wrong"}).status_code == 401
    answer = anonymous.post("/v1/sign-in", json={"name": "r-jn-02", "password": password})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 301


@pytest.mark.parametrize("path", ["/v1/me", "/v1/library", "/v1/stock", "/v1/jobs/1", "/v1/forecasts/accuracy"])
@pytest.mark.parametrize("credential", ["", "Basic abc", "Bearer ", "Bearer nonsense", "Bearer fw_unknown"])
def test_nobody_gets_nothing(anonymous: TestClient, path: str, credential: str) -> None:
    answer = anonymous.get(path, headers={"Authorization": credential} if credential else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_forged_or_expired_token_is_refused(anonymous: TestClient, services: Services) -> None:
    good = {"sub": "R-JJ-01", "iss": "fieldwise", "exp": services.clock.now() + timedelta(minutes=5)}
    forged = jwt.encode(good, "another secret that is long enough", algorithm="HS256")
    unsigned = jwt.encode(good, None, algorithm="none")
    late = jwt.encode(
        {**good, "exp": services.clock.now() - timedelta(seconds=1)},
        services.settings.signing_secret,
        algorithm="HS256",
    )
    for token in (forged, unsigned, late):
        assert anonymous.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_key_does_what_its_scopes_say_and_nothing_else(signed_in: Client, anonymous: TestClient) -> None:
    made = signed_in("director").post("/v1/api-keys", json={"name": "crm", "scopes": ["library:read"]})
    assert made.status_code == 201
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert anonymous.get("/v1/library", headers=headers).status_code == 200
    assert anonymous.get("/v1/stock", headers=headers).status_code == 403
    assert signed_in("director").delete(f"/v1/api-keys/{made.json()['id']}").json()["revoked_at"]
    assert anonymous.get("/v1/library", headers=headers).status_code == 401


def test_the_secret_of_a_new_key_is_not_kept_for_a_repeated_request(signed_in: Client) -> None:
    request = {"json": {"name": "once", "scopes": ["library:read"]}, "headers": {"Idempotency-Key": "key-once"}}
    first, second = (signed_in("director").post("/v1/api-keys", **request) for _ in range(2))
    assert first.json()["secret"].startswith("fw_")
    assert (second.status_code, second.json()["secret"]) == (201, None)
    assert second.json()["id"] == first.json()["id"]


REACH = {
    "/v1/customers": {*ROLES},
    "/v1/library": {*ROLES},
    "/v1/route-plans": {*ROLES},
    "/v1/forecasts": {"logistics", "region_manager", "analyst", "director"},
    "/v1/stock": {"logistics", "region_manager", "analyst", "director"},
    "/v1/people": {"logistics", "region_manager", "analyst", "director"},
    "/v1/api-keys": {"director"},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", REACH)
def test_each_role_reaches_what_the_rules_say(signed_in: Client, role: str, path: str) -> None:
    expected = 200 if role in REACH[path] else 403
    assert signed_in(role).get(path).status_code == expected


@pytest.mark.parametrize("role", ROLES)
def test_lists_of_customers_carry_no_contact_in_clear(signed_in: Client, role: str) -> None:
    items = signed_in(role).get("/v1/customers", params={"limit": 200}).json()["items"]
    assert items
    assert all("****" in item["phone"] for item in items if item["phone"])
    region = signed_in(role).get("/v1/me").json()["region"]
    assert region is None or {item["region_code"] for item in items} == {region}


def test_a_region_manager_cannot_look_into_another_region(signed_in: Client) -> None:
    manager = signed_in("region_manager")
    own = manager.get("/v1/me").json()["region"]
    other = next(item["code"] for item in manager.get("/v1/regions").json()["items"] if item["code"] != own)
    for path in ("/v1/forecasts", "/v1/stock", "/v1/customers"):
        assert manager.get(path, params={"region": other}).status_code == 403
    assert {day["region"] for day in manager.get("/v1/forecasts").json()["days"]} == {own}


def test_every_page_of_customers_is_reached_once(signed_in: Client) -> None:
    manager, seen, cursor = signed_in("region_manager"), [], None
    while True:
        page = manager.get("/v1/customers", params={"limit": 90, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) > 200
    assert manager.get("/v1/customers", params={"cursor": "bm9wZQ"}).status_code == 422
