"""A region that runs out is warned once, three days ahead, and the warning ends when stock suffices again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from common.errors import Forbidden, InvalidInput
from operations.access import Actor
from operations.stock_alerts import (
    AlertChanges,
    StockAlert,
    StockAlertPolicy,
    fingerprint,
    refresh_stock_alerts,
    stock_alerts,
)
from operations.store.database import Database
from operations.store.tables import Alert, Warehouse
from tests.operations.demand_records import LAST, add_forecast, add_model, set_up_materials
from tests.operations.test_stock_ladder import book

SYSTEM = Actor.system("test")


@pytest.fixture
def forecast(organisation: Database) -> Database:
    """Both regions need 120 gift packs (median) and 156 at most; wuhou has 400 and jinniu 100."""
    set_up_materials(organisation)
    add_model(organisation)
    with organisation.write("test") as session:
        session.add_all(
            Warehouse(code=f"w-{region}", region_code=region, name_zh="仓", name_en="w", latitude=30.6, longitude=104.0)
            for region in ("wuhou", "jinniu")
        )
    book(organisation, "w-wuhou", 400)
    book(organisation, "w-jinniu", 100)
    add_forecast(organisation, LAST)
    return organisation


def look(database: Database, policy: StockAlertPolicy | None = None) -> AlertChanges:
    with database.write("test") as session:
        return refresh_stock_alerts(session, SYSTEM, policy)


def packs(database: Database, region: str | None = None) -> list[StockAlert]:
    with database.read() as session:
        return stock_alerts(session, SYSTEM, region_code=region, material_code="gift_pack")


def test_the_region_that_runs_out_is_named_with_day_chance_and_what_to_do(forecast: Database) -> None:
    look(forecast)
    (alert,) = packs(forecast)
    assert (alert.region_code, alert.material_code, alert.status) == ("jinniu", "gift_pack", "open")
    assert alert.risk is not None
    assert alert.risk.probability > 0.5
    assert alert.risk.runs_out_on > LAST
    assert 1 <= alert.risk.ahead <= 3
    assert alert.due_at is not None
    assert alert.due_at > alert.opened_at
    assert "transferred from" in alert.text.en
    assert "调拨" in alert.text.zh


def test_looking_again_opens_nothing_twice(forecast: Database) -> None:
    first, second = look(forecast), look(forecast)
    assert first.opened
    assert second.opened == ()
    with forecast.read() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == len(first.opened)


def test_an_alert_closes_when_stock_suffices_again(forecast: Database) -> None:
    look(forecast)
    (alert,) = packs(forecast)
    book(forecast, "w-jinniu", 300, days_ago=0.1)
    assert alert.id in look(forecast).closed
    assert packs(forecast) == []


def test_between_its_two_limits_an_alert_neither_opens_nor_closes(forecast: Database) -> None:
    wide = StockAlertPolicy(opens_at=1.0, closes_below=0.0)
    look(forecast, wide)
    assert packs(forecast) == []
    opened = look(forecast).opened
    changes = look(forecast, wide)
    assert set(changes.closed).isdisjoint(opened)
    assert len(packs(forecast)) == 1


def test_a_region_manager_sees_own_alerts_and_cannot_run_the_look_for_all(forecast: Database) -> None:
    look(forecast)
    own = Actor.person("M1", "region_manager", "jinniu")
    other = Actor.person("M2", "region_manager", "wuhou")
    with forecast.read() as session:
        assert {alert.region_code for alert in stock_alerts(session, own)} == {"jinniu"}
        assert "jinniu" not in {alert.region_code for alert in stock_alerts(session, other)}
    with forecast.write("M1") as session, pytest.raises(Forbidden):
        refresh_stock_alerts(session, own)


@pytest.mark.parametrize(
    ("policy", "field"), [({"opens_at": 2.0}, "/opens_at"), ({"closes_below": 0.9}, "/closes_below")]
)
def test_a_wrong_policy_names_its_field(policy: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        StockAlertPolicy(**policy)  # type: ignore[arg-type]
    assert caught.value.fields[0].pointer == field


def test_a_small_alert_that_grows_is_yellow_due_sooner_and_open_again(forecast: Database) -> None:
    def leaflets() -> Alert:
        with forecast.read() as session:
            query = select(Alert).where(Alert.fingerprint == fingerprint("wuhou", "leaflet"), Alert.status != "closed")
            return session.scalars(query).one()

    book(forecast, "w-wuhou", 100, material="leaflet")
    look(forecast, StockAlertPolicy(yellow_share=1.0))
    blue = leaflets()
    assert (blue.level, blue.owner_code) == ("blue", "manager")
    assert blue.due_at == blue.created_at + timedelta(hours=2)
    with forecast.write("manager") as session:
        session.get_one(Alert, blue.id).status = "acknowledged"
    assert look(forecast, StockAlertPolicy(yellow_share=1.0)).updated == ()
    assert leaflets().status == "acknowledged"
    assert blue.id in look(forecast).updated
    yellow = leaflets()
    assert (yellow.id, yellow.level, yellow.status) == (blue.id, "yellow", "open")
    assert yellow.due_at is not None
    assert blue.due_at is not None
    assert yellow.due_at < blue.due_at
    assert look(forecast, StockAlertPolicy(yellow_share=1.0)).updated == ()
    assert leaflets().level == "yellow"


def test_long_codes_still_make_a_fingerprint_that_fits_and_differs() -> None:
    made = {fingerprint("r" * 64, "m" * 63 + letter) for letter in "ab"}
    assert len(made) == 2
    assert all(len(each) <= 120 for each in made)
