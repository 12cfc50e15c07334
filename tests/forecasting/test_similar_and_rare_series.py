from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from common.errors import InvalidInput
from forecasting.calendar import build_calendar
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from forecasting.similar_series import pooled_levels
from forecasting.training import holidays_show


def sized_panel(*, days: int = 200) -> Panel:
    """Two items in three regions; the third region is three times as large, and has no history of item b."""
    rng = np.random.default_rng(3)
    keys = [SeriesKey(region, item) for region in ("north", "south", "west") for item in ("a", "b")]
    level = np.array([50.0, 10.0, 50.0, 10.0, 150.0, 30.0])[:, None]
    quantity = rng.poisson(level * np.array([1, 1, 1, 1, 1, 1.5, 1.5])[np.arange(days) % 7], (6, days)).astype(float)
    quantity[5] = np.nan
    return Panel(date(2025, 1, 6), tuple(keys), quantity, {})


def test_a_new_item_of_a_large_region_starts_at_the_regions_size() -> None:
    panel = sized_panel()
    suggested = pooled_levels(panel).of(panel.series)[:, -1]
    usual = np.nanmean(panel.quantity[[1, 3], -28:])
    assert usual * 1.3 < suggested[5] < usual * 3.5
    assert suggested[1] < usual * 1.3


def test_levels_of_similar_series_read_the_past_only() -> None:
    panel = sized_panel()
    changed = panel.quantity.copy()
    changed[:, 150:] *= 9
    before, after = (pooled_levels(replace(panel, quantity=q)).of(panel.series) for q in (panel.quantity, changed))
    np.testing.assert_array_equal(before[:, :150], after[:, :150])
    assert not np.array_equal(before[:, 150:], after[:, 150:])


def test_an_item_without_any_history_borrows_from_the_one_that_is_named(quick: ForecastConfig) -> None:
    panel = sized_panel()
    new = SeriesKey("north", "c")
    keys = (*panel.series[:2], new, *panel.series[2:])
    wider = Panel(panel.first_day, keys, np.insert(panel.quantity, 2, np.nan, axis=0), {})
    trained = train(panel, quick)
    assert isinstance(trained, Forecaster)
    assert [note.series for note in trained.predict(wider).without_forecast] == [new]
    made = trained.predict(wider, similar_items={"c": "b"})
    assert made.without_forecast == ()
    assert new in {note.series for note in made.cold_starts}
    days = made.days.set_index(["region", "item"])["mean"]
    assert days.loc["north", "c"].mean() == pytest.approx(days.loc["north", "b"].mean(), rel=0.5)


@pytest.mark.parametrize("rate", [0.6, 1.5])
def test_rare_demand_is_forecast_without_bias(rate: float, quick: ForecastConfig) -> None:
    rng = np.random.default_rng(11)
    keys = tuple(SeriesKey(f"region {number:02}", "pack") for number in range(60))
    quantity = rng.poisson(rate * rng.uniform(0.7, 1.4, (60, 1)), (60, 330)).astype(float)
    panel = Panel(date(2025, 1, 1), keys, quantity, {})
    origins = [panel.first_day + timedelta(days=270 + 3 * step) for step in range(19)]
    trained = train(panel.until(origins[0]), replace(quick, max_rows=6_000))
    assert isinstance(trained, Forecaster)
    forecast = sum(trained.predict(panel, origin=origin).days["mean"].sum() for origin in origins)
    wanted = sum(
        panel.quantity[:, panel.column_of(origin) + 1 : panel.column_of(origin) + 4].sum() for origin in origins
    )
    # The median of such demand is 0 or 1: a forecast of medians would be a third too low or worse.
    assert forecast / wanted == pytest.approx(1.0, abs=0.12)


def test_a_history_only_column_helps_but_its_future_is_never_read(quick: ForecastConfig) -> None:
    rng = np.random.default_rng(5)
    heat = rng.normal(size=(4, 220)).cumsum(axis=1)
    heat -= heat.mean(axis=1, keepdims=True)
    quantity = rng.poisson(np.exp(4 + 0.1 * heat)).astype(float)
    keys = tuple(SeriesKey(f"region {number}", "pack") for number in range(4))
    panel = Panel(date(2025, 1, 1), keys, quantity, {}, {"heat": heat})
    origin = panel.first_day + timedelta(days=180)
    trained = train(panel.until(origin), quick)
    assert isinstance(trained, Forecaster)
    assert "heat_last" in trained.learned.feature_names
    changed = heat.copy()
    changed[:, 181:] = 1e6
    first, second = (
        trained.predict(replace(panel, history_only={"heat": cells}), origin=origin) for cells in (heat, changed)
    )
    np.testing.assert_array_equal(first.days["mean"], second.days["mean"])
    earlier = heat.copy()
    earlier[:, 180] += 50
    third = trained.predict(replace(panel, history_only={"heat": earlier}), origin=origin)
    assert not np.array_equal(first.days["mean"], third.days["mean"])


def test_a_history_only_column_that_is_missing_is_named() -> None:
    frame = sized_panel().to_frame()
    with pytest.raises(InvalidInput) as caught:
        Panel.from_frame(frame, history_only=["weather"])
    assert caught.value.fields[0].pointer == "column weather"


@pytest.mark.parametrize(("effects", "shows"), [((2.0, 0.5), True), ((1.0, 1.0), False)])
def test_holidays_that_fill_one_place_and_empty_another_show(effects: tuple[float, float], shows: bool) -> None:
    rng = np.random.default_rng(8)
    calendar = build_calendar(date(2024, 1, 1), 600, country="CN")
    special = (calendar.columns["rest_day"] > 0) & (calendar.columns["weekday"] < 5)
    mean = 100 * np.where(special[None, :], np.array(effects)[:, None], 1.0)
    keys = (SeriesKey("mall", "pack"), SeriesKey("office", "pack"))
    panel = Panel(date(2024, 1, 1), keys, rng.poisson(mean, (2, 600)).astype(float), {})
    assert holidays_show(panel, calendar) is shows
