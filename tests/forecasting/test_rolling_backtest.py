from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from common.errors import InvalidInput
from forecasting.backtest import backtest
from forecasting.boosting import TreeSettings
from forecasting.model import ForecastConfig
from forecasting.panel import Panel, read_panel

STATIONS = Path(__file__).parent / "six_stations.csv.gz"
MEASURES = {"mase", "rmsse", "wape", "bias", "pinball", "coverage80", "rows"}


@pytest.fixture(scope="module")
def answer(panel: Panel, quick: ForecastConfig) -> dict:
    return backtest(panel, origins=6, step=2, config=quick, refit_origins=4)


def test_the_answer_has_the_published_keys_and_is_json(answer: dict) -> None:
    assert answer["origins"] == 6
    assert answer["trainings"] == 2
    for method in ("model", "seasonal_naive"):
        assert set(answer[method]) >= MEASURES | {"by_horizon"}
        assert set(answer[method]["by_horizon"]) == {"1", "2", "3"}
        assert set(answer[method]["pinball"]) == {"0.1", "0.5", "0.9"}
    assert answer["train_seconds"] > 0
    assert json.loads(json.dumps(answer)) == answer


def test_both_methods_are_scored_on_the_same_days(answer: dict) -> None:
    assert answer["model"]["rows"] == answer["seasonal_naive"]["rows"] == 6 * 3 * 4


def test_the_last_origin_leaves_room_for_the_horizon(answer: dict, panel: Panel) -> None:
    assert (panel.last_day - __import__("datetime").date.fromisoformat(answer["last_origin"])).days == 3


def test_days_after_the_last_target_do_not_count(panel: Panel, quick: ForecastConfig) -> None:
    """The measures of the first origins stay the same when later demand is cut off or changed."""
    small = replace(quick, max_rows=1000)
    longer = backtest(panel, origins=3, step=1, config=small)
    changed = panel.quantity.copy()
    first = panel.days - 1 - 3 - 2
    changed[:, first + 1 :] *= 3.0
    other = backtest(replace(panel, quantity=changed), origins=3, step=1, config=small)
    assert longer["model"]["mase"] != other["model"]["mase"]
    # Bias rises with the demand alone: the forecasts of the first origin did not see it.
    assert other["model"]["by_horizon"]["1"]["bias"] < longer["model"]["by_horizon"]["1"]["bias"] - 0.1


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
