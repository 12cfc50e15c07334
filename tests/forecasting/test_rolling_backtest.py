from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from common.errors import InvalidInput
from forecasting.backtest import BacktestPlan, backtest, run_backtest
from forecasting.boosting import TreeSettings
from forecasting.model import ForecastConfig
from forecasting.naive import seasonal_naive
from forecasting.panel import Panel, read_panel
from forecasting.rival_forecasts import method_name, read_rivals
from forecasting.rolling import roll

STATIONS = Path(__file__).parent / "six_stations.csv.gz"
MEASURES = {"mase", "rmsse", "wape", "bias", "pinball", "coverage80", "interval_score", "rows", "intervals"}
METHODS = ("model", "seasonal_naive", "same_weekday_mean")


@pytest.fixture(scope="module")
def answer(panel: Panel, quick: ForecastConfig) -> dict:
    return backtest(panel, origins=6, step=2, config=quick, refit_origins=4)


def test_the_answer_has_the_published_keys_and_is_json(answer: dict) -> None:
    assert answer["origins"] == 6
    assert answer["trainings"] == 2
    for method in METHODS:
        assert set(answer[method]) >= MEASURES | {"by_horizon"}
        assert set(answer[method]["by_horizon"]) == {"1", "2", "3"}
        assert set(answer[method]["pinball"]) == {"0.1", "0.5", "0.9"}
    assert answer["train_seconds"] > 0
    assert json.loads(json.dumps(answer)) == answer


def test_all_methods_are_scored_on_the_same_days(answer: dict) -> None:
    assert [answer[method]["rows"] for method in METHODS] == [6 * 3 * 4] * 3


def test_the_improvement_is_one_minus_the_ratio_of_errors(answer: dict) -> None:
    ratio = answer["model"]["mase"] / answer["same_weekday_mean"]["mase"]
    assert answer["improvements"]["same_weekday_mean"]["mase"] == pytest.approx(1 - ratio)
    assert answer["improvement"] == answer["improvements"]["seasonal_naive"]["mase"]


def test_the_last_origin_leaves_room_for_the_horizon(answer: dict, panel: Panel) -> None:
    assert (panel.last_day - date.fromisoformat(answer["last_origin"])).days == 3


@pytest.mark.parametrize("seed", range(4))
def test_nothing_after_an_origin_changes_its_forecast(panel: Panel, quick: ForecastConfig, seed: int) -> None:
    """Later demand, later availability and later weather are rewritten; models and forecasts stay what they were."""
    rng = np.random.default_rng(seed)
    weather = rng.normal(15, 8, panel.quantity.shape)
    before = replace(panel, history_only={"temperature": weather})
    columns = [150, 153, 170]
    quantity, warmer = panel.quantity.copy(), weather.copy()
    later = quantity[:, columns[0] + 1 :].shape
    quantity[:, columns[0] + 1 :] = rng.choice([np.nan, 0.0, 1e6, 5.0], later)
    warmer[:, columns[0] + 1 :] = rng.choice([np.nan, 60.0], later)
    after = replace(panel, quantity=quantity, history_only={"temperature": warmer})
    small = replace(quick, max_rows=1000)
    one, other = (next(roll(told, columns[:1], config=small)).forecast for told in (before, after))
    assert one.days.equals(other.days)
    assert one.totals.equals(other.totals)
    # From a later origin the changed days are history: there the forecasts must differ, or nothing was read at all.
    late, changed = (next(roll(told, columns[2:], config=small)).forecast for told in (before, after))
    assert not late.days.equals(changed.days)


def test_a_model_of_an_earlier_origin_still_reads_nothing_ahead(panel: Panel, quick: ForecastConfig) -> None:
    """The model of the first origin is used at the second; changing what follows the second changes neither."""
    small = replace(quick, max_rows=1000)
    quantity = panel.quantity.copy()
    quantity[:, 161:] = 0.0
    before, after = (list(roll(told, [150, 160], config=small)) for told in (panel, replace(panel, quantity=quantity)))
    assert [rolled.train_s > 0 for rolled in before] == [True, False]
    for one, other in zip(before, after, strict=True):
        assert one.forecast.days.equals(other.forecast.days)


def test_planned_values_of_days_ahead_are_read(panel: Panel, quick: ForecastConfig) -> None:
    """The counterpart of the leakage test: a known-future covariate may and does change the forecast."""
    event = panel.covariates["event"].copy()
    event[:, 151:] = 1.0 - event[:, 151:]
    small = replace(quick, max_rows=1000)
    told = replace(panel, covariates={"event": event})
    before, after = (next(roll(known, [150], config=small)).forecast.days for known in (panel, told))
    assert not before.equals(after)


def test_rolling_tells_why_it_stopped(weekly_panel, quick: ForecastConfig) -> None:
    rolling = roll(weekly_panel(days=60), [30, 33], config=quick)
    assert list(rolling) == []
    assert rolling.short is not None
    assert rolling.short.known_days == 31
    assert rolling.trainings == 0


def test_groups_are_measured_when_asked_for(panel: Panel, quick: ForecastConfig, answer: dict) -> None:
    plan = BacktestPlan(2, 3, refit_origins=4, group_by="region")
    found = run_backtest(panel, plan, config=replace(quick, max_rows=1000))
    assert "by_group" not in answer["model"]
    for method in METHODS:
        assert set(found[method]["by_group"]) == {"region 0", "region 1"}
        assert sum(part["rows"] for part in found[method]["by_group"].values()) == found[method]["rows"]
    with pytest.raises(InvalidInput):
        BacktestPlan(2, group_by="colour")


def rival_file(panel: Panel, columns: list[int], *, method: str = "LastWeek", without: int = 0) -> bytes:
    """Return seasonal naive, written as a file of forecasts, without its first rows."""
    rows = []
    for column in columns:
        origin = panel.first_day + timedelta(days=column)
        for key, values in zip(panel.series, seasonal_naive(panel.quantity, column, 3), strict=True):
            for ahead, value in enumerate(values, start=1):
                rows.append(
                    f"{method},{origin},{key.region},{key.item},{ahead},{value},{value - 9},{value},{value + 9}"
                )
    return "\n".join(["method,date_of_origin,region,item,h,mean,q0.1,q0.5,q0.9", *rows[without:]]).encode()


def test_forecasts_of_a_file_are_scored_on_the_same_rows(panel: Panel, quick: ForecastConfig) -> None:
    """Seasonal naive from a file gets the figures of the built-in one; days it lacks count for nobody."""
    plan, small = BacktestPlan(8, 1), replace(quick, max_rows=1000)
    columns = plan.columns(panel.days - 1)
    rivals = read_rivals(rival_file(panel, columns, without=5), panel)
    found = run_backtest(panel, plan, config=small, rivals=rivals)
    assert found["last_week"]["mase"] == pytest.approx(found["seasonal_naive"]["mase"])
    assert found["last_week"]["by_horizon"]["2"]["bias"] == found["seasonal_naive"]["by_horizon"]["2"]["bias"]
    assert found["model"]["rows"] == found["last_week"]["rows"] == 8 * 3 * 4 - 5
    assert found["rows_left_out"] == {"model": 0, "seasonal_naive": 0, "same_weekday_mean": 0, "last_week": 5}
    assert any("last_week lacks 5" in note["en"] for note in found["notes"])
    low, high = found["improvements"]["last_week"]["intervals"]["mase"]
    assert low <= found["improvements"]["last_week"]["mase"] <= high


def test_a_file_without_any_common_origin_is_refused(panel: Panel, quick: ForecastConfig) -> None:
    rivals = read_rivals(rival_file(panel, [60]), panel)
    with pytest.raises(InvalidInput) as caught:
        run_backtest(panel, BacktestPlan(2, 1), config=quick, rivals=rivals)
    assert caught.value.fields[0].pointer == "/compare"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A,2024-02-30,region 0,item 0,1,5,,,", "date_of_origin"),
        ("A,2024-03-01,region 9,item 0,1,5,,,", "item"),
        ("A,2024-03-01,region 0,item 0,0,5,,,", "h"),
        ("A,2024-03-01,region 0,item 0,1.5,5,,,", "h"),
        ("A,2024-03-01,region 0,item 0,1,,,,", "mean"),
        ("A,2024-03-01,region 0,item 0,1,nan,,,", "mean"),
        ("A,2024-03-01,region 0,item 0,1,5,x,,", "q0.1"),
        ("A,2024-03-01,region 0,item 0,1,5,7,5,4", "q0.1"),
        ("A,2024-03-01,region 0,item 0,2,5,,,", "h"),
        ("Seasonal Naive,2024-03-01,region 0,item 0,1,5,,,", "method"),
        (",2024-03-01,region 0,item 0,1,5,,,", "method"),
    ],
)
def test_a_wrong_forecast_is_named_by_row_and_column(panel: Panel, row: str, column: str) -> None:
    good = "A,2024-03-01,region 0,item 0,2,5,4,5,6"
    content = "\n".join(["method,date_of_origin,region,item,h,mean,q0.1,q0.5,q0.9", good, row]).encode()
    with pytest.raises(InvalidInput) as caught:
        read_rivals(content, panel)
    assert [field.pointer for field in caught.value.fields] == [f"row 3, column {column}"]


def test_method_names_become_lower_snake_case() -> None:
    names = {"AutoETS": "auto_ets", "AutoTheta": "auto_theta", "our old sheet": "our_old_sheet", "现行做法": "现行做法"}
    assert {name: method_name(name) for name in names} == names


def test_a_short_history_is_a_reason_not_a_failure(weekly_panel, quick: ForecastConfig) -> None:
    for days, origins in ((50, 28), (20, 28)):
        answer = backtest(weekly_panel(days=days), origins=origins, config=quick)
        assert answer["origins"] == 0
        assert answer["reason"]["en"]
        assert answer["reason"]["zh"]


def test_gaps_are_left_out_of_the_scores(panel: Panel, quick: ForecastConfig) -> None:
    quantity = panel.quantity.copy()
    quantity[0, -4:] = np.nan
    answer = backtest(replace(panel, quantity=quantity), origins=2, step=1, config=replace(quick, max_rows=1000))
    assert answer["model"]["rows"] == 2 * 3 * 4 - 6


@pytest.mark.parametrize("wrong", [{"origins": 0}, {"origins": 2, "step": 0}, {"origins": 2, "horizon": 0}])
def test_wrong_numbers_are_refused(panel: Panel, wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        backtest(panel, **wrong)


def test_real_stations_are_forecast_at_least_a_third_better_than_seasonal_naive() -> None:
    panel = read_panel(STATIONS.read_bytes(), STATIONS.name)
    config = ForecastConfig(max_rows=8000, bags=1, trees=TreeSettings(iterations=120, learning_rate=0.1))
    answer = backtest(panel, origins=28, config=config)
    assert answer["improvement"] > 0.3
    assert abs(answer["model"]["bias"]) < 0.05
    assert 0.65 < answer["model"]["coverage80"] < 0.92
    assert answer["model"]["pinball"]["0.9"] < 0.8 * answer["seasonal_naive"]["pinball"]["0.9"]
