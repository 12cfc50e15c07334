"""Proposals about stock over HTTP and on the command line: planned, decided by who may, and booked once."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import app
from api.services import Services
from operations.store.tables import StockMovement, Warehouse
from tests.api.conftest import Client

MATERIAL = "board-sample"


def take_out(services: Services, region: str) -> int:
    """Use up all stock of a region, so that it is short; return how much it was."""
    with services.database.write("test") as session:
        warehouse = session.scalars(select(Warehouse.code).where(Warehouse.region_code == region)).one()
        lines = session.scalars(
            select(StockMovement.quantity_units).where(
                StockMovement.warehouse_code == warehouse, StockMovement.material_code == MATERIAL
            )
        )
        units, now = sum(lines), session.info["clock"].now()
        if units > 0:
            session.add(
                StockMovement(
                    warehouse_code=warehouse,
                    material_code=MATERIAL,
                    kind="adjustment",
                    quantity_units=-units,
                    moved_at=now,
                    reference="taken-out",
                    reason="water in the store",
                    recorded_at=now,
                    recorded_by="test",
                )
            )
    return units


@pytest.fixture(scope="module")
def short_region(services: Services, signed_in: Client) -> str:
    """The region of the manager, without any board samples."""
    region = str(signed_in("region_manager").get("/v1/me").json()["region"])
    take_out(services, region)
    return region


def stock_of(client: TestClient, region: str) -> dict[str, int]:
    (level,) = client.get("/v1/stock", params={"region": region, "material": MATERIAL}).json()["items"]
    return {name: level[f"{name}_units"] for name in ("on_hand", "incoming", "outgoing")}


def test_a_shortage_is_proposed_decided_and_booked_once(signed_in: Client, short_region: str) -> None:
    logistics, director = signed_in("logistics"), signed_in("director")
    made = logistics.post("/v1/stock/ladder", json={"materials": [MATERIAL]}, headers={"Idempotency-Key": "l-1"})
    assert made.status_code == 201, made.text
    again = logistics.post("/v1/stock/ladder", json={"materials": [MATERIAL]}, headers={"Idempotency-Key": "l-1"})
    assert again.json() == made.json()
    mine = [card for card in made.json()["proposals"] if card["to_region"] == short_region]
    assert mine
    card = mine[0]
    assert card["step"] in (1, 2)
    assert card["status"] == "proposed"
    assert card["consequence"].startswith("without it stock runs out")
    listed = director.get("/v1/stock/proposals", params={"status": "proposed", "region": short_region}).json()["items"]
    assert card in listed
    path = f"/v1/stock/proposals/{card['id']}"
    assert logistics.post(f"{path}/moved", json={}).status_code == 409
    for role in ("rep", "recorder", "analyst"):
        assert signed_in(role).post(f"{path}/approve", json={}).status_code == 403
    approved = signed_in("region_manager").post(f"{path}/approve", json={"reason": "we are out of it"})
    assert approved.status_code == 200, approved.text
    assert approved.json()["status"] == "approved"
    assert director.post(f"{path}/approve", json={}).json() == approved.json()
    more = {"units": card["quantity_units"] + 1, "reason": "why"}
    assert director.post(f"{path}/adjust", json=more).status_code == 409
    before = stock_of(director, short_region)
    assert before["incoming"] == card["quantity_units"]
    moved = logistics.post(f"{path}/moved", json={})
    assert moved.status_code == 200, moved.text
    assert moved.json()["moved_units"] == card["quantity_units"]
    assert logistics.post(f"{path}/moved", json={}).json() == moved.json()
    other = logistics.post(f"{path}/moved", json={"units": card["quantity_units"] + 1})
    assert other.status_code == 409
    assert "booked already" in other.json()["detail"]
    after = stock_of(director, short_region)
    assert (after["on_hand"], after["incoming"]) == (before["on_hand"] + card["quantity_units"], 0)
    chinese = director.get("/v1/stock/proposals", headers={"Accept-Language": "zh"}).json()["items"]
    assert next(each for each in chinese if each["id"] == card["id"])["consequence"].startswith("若不执行")


def test_orders_are_adjusted_or_rejected_with_a_reason(signed_in: Client, short_region: str) -> None:
    director = signed_in("director")
    made = director.post("/v1/stock/orders/propose", json={})
    assert made.status_code == 201, made.text
    card = made.json()["proposals"][0]
    assert (card["kind"], card["step"], card["from_region"]) == ("order", 0, None)
    path = f"/v1/stock/proposals/{card['id']}"
    wrong = director.post(f"{path}/adjust", json={"units": 0, "reason": "why"})
    assert wrong.json()["errors"][0]["pointer"] == "/units"
    assert director.post(f"{path}/reject", json={}).json()["errors"][0]["pointer"] == "/reason"
    twice = director.post(f"{path}/adjust", json={"units": 2 * card["quantity_units"], "reason": "a second stand"})
    assert twice.status_code == 200, twice.text
    assert (twice.json()["proposed_units"], twice.json()["quantity_units"]) == (
        card["quantity_units"],
        2 * card["quantity_units"],
    )
    gone = director.post(f"{path}/reject", json={"reason": "too dear"})
    assert (gone.json()["status"], gone.json()["decision_reason"]) == ("rejected", "too dear")
    assert director.post(f"{path}/approve", json={}).status_code == 409
    assert director.post("/v1/stock/proposals/none/approve", json={}).status_code == 404


def test_planning_names_what_is_unknown_and_needs_the_right(signed_in: Client) -> None:
    for path in ("/v1/stock/ladder", "/v1/stock/orders/propose"):
        wrong = signed_in("director").post(path, json={"materials": ["moon"]})
        assert wrong.json()["errors"][0]["pointer"] == "/materials/0"
        assert signed_in("analyst").post(path, json={}).status_code == 403
    assert signed_in("rep").get("/v1/stock/proposals").status_code == 403


def test_a_region_sees_its_own_rates(signed_in: Client, short_region: str) -> None:
    manager = signed_in("region_manager")
    rates = manager.get("/v1/stock/rates").json()["items"]
    assert {rate["region"] for rate in rates} == {short_region}
    assert all(0 <= rate["idle_rate"] <= 1 and rate["recorded_days"] == 28 for rate in rates)
    assert manager.get("/v1/stock/rates", params={"days": 0}).status_code == 422
    assert signed_in("rep").get("/v1/stock/rates").status_code == 403


def test_the_command_line_does_the_same(services: Services, short_region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(services.settings.data_folder))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*words: str) -> tuple[int, str]:
        told = CliRunner().invoke(app, ["stock", *words])
        return told.exit_code, told.output

    assert short_region in run("levels", "--material", MATERIAL)[1]
    assert json.loads(run("rates", "--json", "--region", short_region)[1])["items"]
    code, told = run("ladder", "--material", MATERIAL, "--json")
    assert code == 0, told
    code, told = run("orders", "--json")
    card = json.loads(told)["proposals"][0]
    assert card["id"] in [
        item["id"] for item in json.loads(run("proposals", "--status", "proposed", "--json")[1])["items"]
    ]
    units = str(2 * card["quantity_units"])
    assert (
        run("adjust", card["id"], units, "--reason", "a second stand")[1].strip() == f"{card['id']}: proposed, {units}"
    )
    assert "approved" in run("approve", card["id"])[1]
    code, told = run("moved", card["id"], "--json")
    assert (code, json.loads(told)["moved_units"]) == (0, int(units))
    code, told = run("reject", card["id"], "--reason", "too late")
    assert code == 1
    assert "already moved" in told
