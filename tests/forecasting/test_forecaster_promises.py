from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, NotReady
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig, TooLittleHistory
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

QUANTILES = ["q0.1", "q0.5", "q0.9"]


def test_each_series_gets_each_day_and_a_total(forecaster: Forecaster, panel: Panel) -> None:
    made = forecaster.predict(panel)
    assert list(made.days.columns) == ["date", "region", "item", "h", "mean", *QUANTILES]
    assert len(made.days) == 3 * len(panel.series)
    assert len(made.totals) == len(panel.series)
    assert made.days["date"].min().date() == panel.last_day + timedelta(days=1)
    assert np.isfinite(made.days[["mean", *QUANTILES]].to_numpy()).all()


def test_nothing_after_the_origin_moves_the_forecast(forecaster: Forecaster, panel: Panel) -> None:
    origin = panel.first_day + timedelta(days=150)
    before = forecaster.predict(panel, origin=origin)
    changed = panel.quantity.copy()
    changed[:, 151:] = changed[:, 151:] * 7 + 1000
    after = forecaster.predict(replace(panel, quantity=changed), origin=origin)
    pd.testing.assert_frame_equal(before.days, after.days, check_exact=True)
    pd.testing.assert_frame_equal(before.totals, after.totals, check_exact=True)


def test_the_last_day_before_the_origin_does_move_it(forecaster: Forecaster, panel: Panel) -> None:
    changed = panel.quantity.copy()
    changed[:, -7:] *= 2
    before, after = forecaster.predict(panel), forecaster.predict(replace(panel, quantity=changed))
    assert (after.days["mean"] > before.days["mean"]).all()


def test_training_reads_nothing_after_its_last_known_day(panel: Panel, quick: ForecastConfig) -> None:
    origin = panel.first_day + timedelta(days=150)
    changed = replace(panel, quantity=np.where(np.arange(panel.days) > 150, 1e6, panel.quantity))
    small = replace(quick, max_rows=1000)
    made = [train(each.until(origin), small) for each in (panel, changed)]
    assert all(isinstance(each, Forecaster) for each in made)
    first, second = (each.predict(panel, origin=origin).days for each in made if isinstance(each, Forecaster))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_known_event_raises_its_day(forecaster: Forecaster, panel: Panel) -> None:
    day = panel.last_day + timedelta(days=1)
    quiet, busy = (
        forecaster.predict(panel, future_covariates=pd.DataFrame({"date": [day], "event": [event]})).days
        for event in (0.0, 1.0)
    )
    ratio = busy.loc[busy.h == 1, "mean"].to_numpy() / quiet.loc[quiet.h == 1, "mean"].to_numpy()
    assert (ratio > 1.3).all()


def test_unknown_future_covariates_are_said(forecaster: Forecaster, panel: Panel) -> None:
    assert any("event is not known for 3 of the 3 days" in note.en for note in forecaster.predict(panel).notes)
    days = [panel.last_day + timedelta(days=ahead) for ahead in (1, 2, 3)]
    known = forecaster.predict(panel, future_covariates=pd.DataFrame({"date": days, "event": [0.0] * 3}))
    assert known.notes == ()


@given(seed=st.integers(0, 10**6), zeros=st.floats(0, 1), gaps=st.floats(0, 0.9))
@settings(max_examples=15, deadline=None)
def test_quantiles_never_cross_and_are_never_negative(
    forecaster: Forecaster, panel: Panel, seed: int, zeros: float, gaps: float
) -> None:
    rng = np.random.default_rng(seed)
    quantity = np.where(rng.random(panel.quantity.shape) < zeros, 0.0, panel.quantity * rng.lognormal(0, 1))
    quantity[rng.random(quantity.shape) < gaps] = np.nan
    quantity[0, 0] = 1.0
    levels = (0.02, 0.1, 0.35, 0.5, 0.65, 0.9, 0.98)
    made = forecaster.predict(replace(panel, quantity=quantity), quantiles=levels)
    for table in (made.days, made.totals):
        values = table[[f"q{level:g}" for level in levels]].to_numpy()
        assert (values >= 0).all()
        assert (np.diff(values, axis=1) >= 0).all()


def test_the_upper_band_of_the_total_is_tighter_than_the_sum_of_daily_ones(
    forecaster: Forecaster, panel: Panel
) -> None:
    made = forecaster.predict(panel)
    summed = made.days.groupby(["region", "item"])["q0.9"].sum().to_numpy()
    assert made.totals["q0.9"].sum() < summed.sum()


def test_a_new_region_leans_on_the_same_item_elsewhere(forecaster: Forecaster, panel: Panel) -> None:
    new = SeriesKey("region 9", "item 0")
    nothing = np.full((1, panel.days), np.nan)
    wider = Panel(
        panel.first_day,
        (*panel.series, new),
        np.vstack([panel.quantity, nothing]),
        {"event": np.zeros((5, panel.days))},
    )
    made = forecaster.predict(wider)
    assert [note.series for note in made.cold_starts] == [new]
    cold = made.days.loc[made.days.region == "region 9", "mean"].mean()
    others = made.days.loc[(made.days.item == "item 0") & (made.days.region != "region 9"), "mean"]
    assert others.min() * 0.5 < cold < others.max() * 2


def test_a_new_item_without_history_has_no_forecast_but_a_reason(forecaster: Forecaster, panel: Panel) -> None:
    new = SeriesKey("region 1", "item 9")
    nothing = np.full((1, panel.days), np.nan)
    wider = Panel(panel.first_day, (*panel.series, new), np.vstack([panel.quantity, nothing]), {})
    made = forecaster.predict(wider)
    assert [note.series for note in made.without_forecast] == [new]
    assert made.without_forecast[0].text.zh
    assert "item 9" not in set(made.days["item"])


def test_closed_days_are_not_taken_as_zeros(panel: Panel, forecaster: Forecaster) -> None:
    closed = panel.quantity.copy()
    closed[:, -10:-3] = np.nan
    as_zero = np.nan_to_num(closed)
    masked = forecaster.predict(replace(panel, quantity=closed)).days["mean"].sum()
    zeroed = forecaster.predict(replace(panel, quantity=as_zero)).days["mean"].sum()
    full = forecaster.predict(panel).days["mean"].sum()
    assert abs(masked / full - 1) < 0.1
    assert zeroed < 0.9 * full


@pytest.mark.parametrize("shape", ["single series", "constant", "all zero", "mostly zero", "huge", "all-NaN covariate"])
def test_odd_histories_are_learned_without_failing(shape: str, panel: Panel, quick: ForecastConfig) -> None:
    quantity, keys = panel.quantity, panel.series
    covariates = dict(panel.covariates)
    if shape == "single series":
        quantity, keys = quantity[:1], keys[:1]
        covariates = {"event": covariates["event"][:1]}
    elif shape == "constant":
        quantity = np.full_like(quantity, 12.0)
    elif shape == "all zero":
        quantity = np.zeros_like(quantity)
    elif shape == "mostly zero":
        quantity = np.where(np.random.default_rng(4).random(quantity.shape) < 0.9, 0.0, 3.0)
    elif shape == "huge":
        quantity = quantity * 1e9
    else:
        covariates["unknown"] = np.full_like(quantity, np.nan)
    odd = Panel(panel.first_day, keys, quantity, covariates)
    trained = train(odd, replace(quick, max_rows=1000))
    assert isinstance(trained, Forecaster)
    mean = trained.predict(odd).days["mean"].to_numpy()
    assert np.isfinite(mean).all()
    if shape in ("constant", "all zero"):
        np.testing.assert_allclose(mean, quantity[0, 0], atol=0.05 * max(quantity[0, 0], 1))


def test_too_little_history_is_a_result_with_a_reason(weekly_panel, quick: ForecastConfig) -> None:
    short = train(weekly_panel(days=30), quick)
    assert isinstance(short, TooLittleHistory)
    assert short.known_days == 30
    assert "30" in short.reason.en
    assert short.reason.zh


def test_training_twice_gives_the_same_forecaster(panel: Panel, quick: ForecastConfig, forecaster: Forecaster) -> None:
    again = train(panel, quick)
    assert isinstance(again, Forecaster)
    assert again.version == forecaster.version
    pd.testing.assert_frame_equal(again.predict(panel).days, forecaster.predict(panel).days, check_exact=True)


def test_training_tells_its_progress(panel: Panel, quick: ForecastConfig) -> None:
    told: list[float] = []
    train(panel, replace(quick, max_rows=1000), progress=lambda share, text: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"horizon": 4}, "/horizon"),
        ({"horizon": 0}, "/horizon"),
        ({"quantiles": (0.1, 1.0)}, "/quantiles/1"),
        ({"origin": __import__("datetime").date(2030, 1, 1)}, "/origin"),
    ],
)
def test_wrong_requests_name_the_field(forecaster: Forecaster, panel: Panel, arguments: dict, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        forecaster.predict(panel, **arguments)
    assert caught.value.fields[0].pointer == pointer


def test_a_panel_without_any_demand_is_not_ready(forecaster: Forecaster, panel: Panel) -> None:
    with pytest.raises(NotReady):
        forecaster.predict(replace(panel, quantity=np.full_like(panel.quantity, np.nan)))


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"threads": 0}, {"max_rows": 5}, {"calibration_days": 2}])
def test_a_wrong_configuration_names_its_field(wrong: dict) -> None:
    with pytest.raises(InvalidInput) as caught:
        ForecastConfig(**wrong)
    assert caught.value.fields[0].pointer == f"/{next(iter(wrong))}"
