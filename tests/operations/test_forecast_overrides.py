"""What people say against the forecast counts in orders, stays on record, and shows its worth when the day has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from operations.access import Actor
from operations.forecast_overrides import (
    OverrideWish,
    effective_units,
    make_override,
    moved_curve,
    overrides,
    withdraw_override,
)
from operations.forecast_value import override_value
from operations.forecasts import ForecastQuestion, newest_forecast, stored_forecast
from operations.stock import stock_levels
from operations.store.database import Database
from operations.store.tables import AuditRecord, DailyConsumption, ForecastOverride, StockMovement, Warehouse
from tests.operations.demand_records import LAST, REGIONS, add_forecast, add_model, set_up_materials

DAY = LAST + timedelta(days=2)
WISH = OverrideWish("wuhou", "gift_pack", DAY, "a shop opens beside the stand", quantity_units=120.0)


@pytest.fixture
def forecast(organisation: Database) -> Database:
    """A forecast of 40 (median) for each day of three, and 120 for their total."""
    set_up_materials(organisation)
    add_model(organisation)
    add_forecast(organisation, LAST)
    return organisation


def came(database: Database, units: float, *, region: str = "wuhou", available: bool = True) -> None:
    with database.write("test") as session:
        session.add(
            DailyConsumption(
                region_code=region, material_code="gift_pack", day=DAY, quantity_units=units, available=available
            )
        )


def test_an_override_moves_day_and_total_and_the_model_stays_visible(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("manager") as session:
        card = make_override(session, actors["manager"], WISH)
    assert (card.model_units, card.effective_units, card.made_by, card.origin) == (40.0, 120.0, "manager", LAST)
    with forecast.read() as session:
        found = newest_forecast(session, actors["director"], quantiles=(0.1, 0.5, 0.9))
        plain = stored_forecast(session, actors["director"], ForecastQuestion(overridden=False))
    days = {(day.region_code, day.material_code, day.day): day for day in found.days}
    changed = days.pop(("wuhou", "gift_pack", DAY))
    assert changed.quantiles == {0.1: 84.0, 0.5: 120.0, 0.9: 156.0}  # 0.7, 1 and 1.3 times the median, as before
    assert changed.model_quantiles == {0.1: 28.0, 0.5: 40.0, 0.9: 52.0}
    assert changed.override == card
    assert all(day.override is None and day.quantiles[0.5] == 40.0 for day in days.values())
    totals = {(total.region_code, total.material_code): total for total in found.totals}
    moved = totals.pop(("wuhou", "gift_pack"))
    assert moved.quantiles[0.5] == 200.0  # 40 + 120 + 40
    assert moved.model_quantiles is not None
    assert moved.model_quantiles[0.5] == 120.0
    assert all(total.quantiles[0.5] == 120.0 and total.model_quantiles is None for total in totals.values())
    assert all(day.quantiles[0.5] == 40.0 for day in plain.days)


def test_the_total_is_of_the_whole_horizon_even_when_fewer_days_are_shown(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("manager") as session:
        make_override(session, actors["manager"], WISH)
    with forecast.read() as session:
        found = newest_forecast(session, actors["manager"], material_code="gift_pack", days=1)
    assert [day.override for day in found.days] == [None]
    assert found.totals[0].quantiles[0.5] == 200.0


def test_orders_go_by_what_counts(forecast: Database, actors: dict[str, Actor]) -> None:
    with forecast.write("test") as session:
        session.add(Warehouse(code="w", region_code="wuhou", name_zh="仓", name_en="W", latitude=30.6, longitude=104.0))
        session.flush()
        moment = session.info["clock"].now()
        session.add(
            StockMovement(
                warehouse_code="w",
                material_code="gift_pack",
                kind="opening",
                quantity_units=130,
                moved_at=moment,
                reference="r",
                recorded_at=moment,
                recorded_by="test",
            )
        )

    def order() -> tuple[int, float]:
        with forecast.read() as session:
            (level,) = stock_levels(session, actors["director"], region_code="wuhou", material_code="gift_pack")
        assert level.order is not None
        return level.order.order_units, level.outlook[-1].stockout_probability

    before = order()
    with forecast.write("logistics") as session:
        make_override(session, actors["logistics"], WISH)
    after = order()
    assert after[0] > before[0] + 50
    assert after[1] > before[1]


def test_a_factor_moves_with_the_next_forecast_and_a_quantity_stands(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("director") as session:
        make_override(session, actors["director"], replace(WISH, quantity_units=None, factor=1.5))
        make_override(session, actors["director"], replace(WISH, region_code="jinniu"))
    add_forecast(forecast, LAST + timedelta(days=1), median=50.0)
    with forecast.read() as session:
        found = newest_forecast(session, actors["director"], material_code="gift_pack", days=1)
    assert {day.region_code: day.quantiles[0.5] for day in found.days} == {"wuhou": 75.0, "jinniu": 120.0}


def test_a_later_word_on_the_day_replaces_the_earlier_which_stays_on_record(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("manager") as session:
        first = make_override(session, actors["manager"], WISH)
    with forecast.write("director") as session:
        second = make_override(session, actors["director"], replace(WISH, quantity_units=60.0))
    with forecast.read() as session:
        found = newest_forecast(session, actors["manager"], material_code="gift_pack")
        cards = {card.id: card for card in overrides(session, actors["manager"])}
        counting = overrides(session, actors["manager"], withdrawn=False)
        assert session.scalar(select(func.count(AuditRecord.id)).where(AuditRecord.subject == "forecast_override")) == 3
    assert found.days[1].quantiles[0.5] == 60.0
    assert cards[first.id].withdrawn_by == "director"
    assert cards[first.id].withdrawal_reason == f"→ {second.id}"
    assert [card.id for card in counting] == [second.id]


def test_what_is_withdrawn_no_longer_counts_and_keeps_its_reason(forecast: Database, actors: dict[str, Actor]) -> None:
    with forecast.write("manager") as session:
        card = make_override(session, actors["manager"], WISH)
    with forecast.write("director") as session:
        gone = withdraw_override(session, actors["director"], card.id, "called off")
        with pytest.raises(Conflict, match="already"):
            withdraw_override(session, actors["director"], card.id)
    assert (gone.reason, gone.withdrawal_reason, gone.withdrawn_by) == (WISH.reason, "called off", "director")
    with forecast.read() as session:
        found = newest_forecast(session, actors["manager"], material_code="gift_pack")
    assert [day.quantiles[0.5] for day in found.days] == [40.0, 40.0, 40.0]
    assert found.totals[0].model_quantiles is None


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"material_code": "moon"}, "/material"),
        ({"reason": "  "}, "/reason"),
        ({"quantity_units": None}, "/quantity_units"),
        ({"factor": 2.0}, "/quantity_units"),
        ({"quantity_units": -1.0}, "/quantity_units"),
        ({"quantity_units": None, "factor": 21.0}, "/factor"),
        ({"quantity_units": float("nan")}, "/quantity_units"),
        ({"day": LAST}, "/day"),
        ({"day": LAST + timedelta(days=4)}, "/day"),
    ],
)
def test_a_wrong_override_names_its_field_and_changes_nothing(
    forecast: Database, actors: dict[str, Actor], change: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught, forecast.write("manager") as session:
        make_override(session, actors["manager"], replace(WISH, **change))  # type: ignore[arg-type]
    assert [field.pointer for field in caught.value.fields] == [pointer]
    with forecast.read() as session:
        assert session.scalar(select(func.count()).select_from(ForecastOverride)) == 0


def test_nobody_overrides_a_day_that_has_come_nor_withdraws_what_counted_then(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("manager") as session:
        card = make_override(session, actors["manager"], WISH)
    came(forecast, 100.0)
    with forecast.write("manager") as session:
        with pytest.raises(InvalidInput, match="has come already"):
            make_override(session, actors["manager"], WISH)
        with pytest.raises(Conflict, match="has come"):
            withdraw_override(session, actors["manager"], card.id)


def test_only_logistics_the_own_manager_and_the_director_override(forecast: Database, actors: dict[str, Actor]) -> None:
    other = replace(WISH, region_code="jinniu")
    with forecast.write("test") as session:
        for name in ("rep-1", "recorder", "analyst"):
            with pytest.raises(Forbidden):
                make_override(session, actors[name], WISH)
        with pytest.raises(Forbidden, match="wuhou only"):
            make_override(session, actors["manager"], other)
        card = make_override(session, actors["logistics"], other)
        with pytest.raises(NotFound):
            withdraw_override(session, actors["manager"], card.id)
        make_override(session, actors["director"], WISH)
        assert [one.region_code for one in overrides(session, actors["manager"])] == ["wuhou"]
        assert {one.region_code for one in overrides(session, actors["analyst"])} == set(REGIONS)


def test_value_added_is_told_by_person_and_reason_once_the_day_has_come(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    with forecast.write("manager") as session:
        make_override(session, actors["manager"], WISH)
    with forecast.write("logistics") as session:
        wish = OverrideWish("jinniu", "gift_pack", DAY, "feeling", factor=0.5)
        make_override(session, actors["logistics"], wish)
        make_override(session, actors["logistics"], replace(wish, material_code="leaflet"))
    came(forecast, 100.0)  # model 40: off by 60; override 120: off by 20
    came(forecast, 38.0, region="jinniu")  # model 40: off by 2; override 20: off by 18
    # A later forecast changes nothing: the value is against what was overridden.
    add_forecast(forecast, LAST + timedelta(days=1), median=99.0)
    with forecast.read() as session:
        report = override_value(session, actors["director"])
        own = override_value(session, actors["manager"])
        later = override_value(session, actors["director"], since=DAY + timedelta(days=1))
    assert (report.total.days, report.total.better, report.waiting) == (2, 1, 1)
    assert report.total.value_added_units == 40.0 - 16.0
    assert {value.name: value.value_added_units for value in report.by_person} == {"manager": 40.0, "logistics": -16.0}
    assert {value.name for value in report.by_reason} == {WISH.reason, "feeling"}
    assert [value.name for value in own.by_person] == ["manager"]
    assert (later.total.days, later.waiting) == (0, 0)


def test_a_day_on_which_stock_ran_out_tells_nothing(forecast: Database, actors: dict[str, Actor]) -> None:
    with forecast.write("manager") as session:
        make_override(session, actors["manager"], WISH)
    came(forecast, 50.0, available=False)
    with forecast.read() as session:
        report = override_value(session, actors["manager"])
    assert (report.total.days, report.waiting) == (0, 0)


curves = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).map(
    lambda units: dict(zip((0.1, 0.5, 0.9), sorted(units), strict=True))
)


@given(curve=curves, quantity=st.none() | st.floats(0, 1e6), factor=st.floats(0, 20))
def test_whatever_is_said_the_median_is_it_and_quantiles_neither_cross_nor_go_below_nothing(
    curve: dict[float, float], quantity: float | None, factor: float
) -> None:
    said = effective_units(curve[0.5], quantity_units=quantity, factor=None if quantity is not None else factor)
    moved = moved_curve(curve, curve[0.5], said)
    assert moved[0.5] == pytest.approx(said, rel=1e-6, abs=1e-6)
    assert -1e-9 <= moved[0.1] <= moved[0.5] + 1e-6 <= moved[0.9] + 2e-6
