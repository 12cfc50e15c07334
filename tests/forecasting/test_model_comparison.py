"""Whether a challenger is better beyond noise, and that neither side is ever measured on days it was trained on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting import trial
from forecasting.boosting import TreeSettings
from forecasting.comparison import (
    ComparisonSettings,
    OriginLosses,
    block_bootstrap_interval,
    compare_errors,
    losses_of,
)
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.scores import Scales
from forecasting.trial import TrialPlan, try_challenger

FIRST = date(2026, 1, 1)
PLAN = TrialPlan(origins=12)


def losses(values: np.ndarray, *, days_apart: int = 3) -> OriginLosses:
    origins = tuple(FIRST + timedelta(days=days_apart * place) for place in range(len(values)))
    return OriginLosses(origins, values)


def noisy(seed: int, *, mean: float = 1.0, origins: int = 28) -> np.ndarray:
    return np.random.default_rng(seed).gamma(4.0, mean / 4.0, size=(origins, 5, 3))


@pytest.fixture(scope="module")
def trained(panel: Panel, quick: ForecastConfig) -> dict[str, Forecaster]:
    """Forecasters with the same settings: one of all days, one that is 60 days older, one that is 10 days older."""

    def until(days_back: int, config: ForecastConfig = quick) -> Forecaster:
        made = train(panel.until(panel.last_day - timedelta(days=days_back)), config)
        assert isinstance(made, Forecaster)
        return made

    poor = replace(quick, trees=TreeSettings(iterations=1, learning_rate=0.01, leaves=2))
    return {
        "all": until(0),
        "old": until(60),
        "recent": until(10),
        "old and poor": until(60, poor),
        "recent and poor": until(10, poor),
        "poor": until(0, poor),
    }


def test_a_clear_gain_is_better_and_the_same_loss_is_not() -> None:
    one = losses(noisy(1))
    found = compare_errors(one, losses(noisy(1) * 0.8))
    assert found.better
    assert not found.worse
    assert found.interval is not None
    assert found.mean_difference == pytest.approx(-0.2 * noisy(1).mean())
    assert "smaller beyond noise (-20.0%" in found.reason.en
    assert "显著更小" in found.reason.zh
    same = compare_errors(one, one)
    assert (same.better, same.worse, same.interval) == (False, False, (0.0, 0.0))
    assert compare_errors(one, losses(noisy(1) * 1.2)).worse


def test_equal_models_are_rarely_told_apart() -> None:
    told = [compare_errors(losses(noisy(2 * seed)), losses(noisy(2 * seed + 1))) for seed in range(200)]
    assert sum(found.better for found in told) <= 14  # 2.5 % are meant; blocks and few origins cost something
    assert sum(found.worse for found in told) <= 14


def test_losses_that_depend_on_one_another_get_a_wider_interval() -> None:
    rng = np.random.default_rng(3)
    slow = np.repeat(rng.normal(size=10), 4)
    single = block_bootstrap_interval(slow, block=1)
    blocks = block_bootstrap_interval(slow, block=4)
    assert blocks[1] - blocks[0] > 1.5 * (single[1] - single[0])


def test_a_handful_of_origins_says_nothing() -> None:
    found = compare_errors(losses(noisy(1, origins=7)), losses(noisy(1, origins=7) * 0.5))
    assert not found.better
    assert found.mean_difference is None
    assert "7 common origins are too few" in found.reason.en


def test_only_common_days_count() -> None:
    champion, challenger = noisy(1), noisy(1) * 0.9
    champion[:, 0] = np.nan
    challenger[:, 0] = 100.0
    challenger[0] = np.nan
    found = compare_errors(losses(champion), losses(challenger))
    assert found.origins == 27
    assert found.challenger_loss == pytest.approx(0.9 * champion[1:, 1:].mean())


def test_other_origins_or_series_cannot_be_compared() -> None:
    for other in (losses(noisy(1), days_apart=1), losses(noisy(1)[:, :4])):
        with pytest.raises(InvalidInput, match="same for both"):
            compare_errors(losses(noisy(1)), other)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.integers(1, 10), st.floats(-3, 3))
@settings(deadline=None, max_examples=60)
def test_the_interval_holds_the_mean_of_equal_values_and_moves_with_them(
    values: list[float], block: int, shift: float
) -> None:
    quick = ComparisonSettings(resamples=200)
    low, high = block_bootstrap_interval(np.array(values), quick, block=block)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    moved = block_bootstrap_interval(np.array(values) + shift, quick, block=block)
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-9)
    assert block_bootstrap_interval(np.array(values), quick, block=block) == (low, high)


def test_the_loss_of_a_forecast_is_its_quantile_loss_over_the_weekly_difference(
    trained: dict[str, Forecaster], panel: Panel
) -> None:
    column = panel.days - 10
    scales = Scales.of(panel.quantity[:, :column])
    found = losses_of(trained["old"], panel, [column], scales)
    assert found.losses.shape == (1, 4, 3)
    made = trained["old"].predict(panel, origin=found.origins[0]).days
    first = made[made["h"] == 1].iloc[0]
    row = [tuple(key) for key in panel.series].index((first["region"], first["item"]))
    actual = panel.quantity[row, column + 1]
    pinball = [max(q * (actual - first[f"q{q}"]), (q - 1) * (actual - first[f"q{q}"])) for q in (0.1, 0.5, 0.9)]
    assert found.losses[0, row, 0] == pytest.approx(2 * np.mean(pinball) / scales.absolute[row])


def test_a_model_is_never_measured_on_days_it_was_trained_on(trained: dict[str, Forecaster], panel: Panel) -> None:
    with pytest.raises(InvalidInput, match="cannot be measured"):
        losses_of(trained["all"], panel, [panel.days - 10], Scales.of(panel.quantity))


def test_an_old_champion_is_compared_as_it_is_stored(
    trained: dict[str, Forecaster], panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = []

    def noted(history: Panel, config: ForecastConfig) -> object:
        cuts.append(history.last_observed_day)
        return train(history, config)

    monkeypatch.setattr(trial, "train", noted)
    found = try_challenger(panel, trained["old and poor"], trained["all"], PLAN)
    assert found.evidence == "stored_model"
    assert found.comparison is not None
    assert found.comparison.better
    assert found.comparison.origins == 12
    assert cuts == [panel.last_day - timedelta(days=12 * 3)]  # the probe has not seen what it is measured on
    worse = try_challenger(panel, trained["old"], trained["poor"], PLAN)
    assert worse.comparison is not None
    assert worse.comparison.worse


def test_with_the_same_settings_and_few_unseen_days_there_is_nothing_to_compare(
    trained: dict[str, Forecaster], panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "train", None)
    found = try_challenger(panel, trained["recent"], trained["all"], PLAN)
    assert (found.evidence, found.same_configuration, found.comparison) == ("none", True, None)
    assert "same settings" in found.reason.en


def test_other_settings_are_tried_until_the_same_cut_or_both_anew(
    trained: dict[str, Forecaster], panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = []

    def noted(history: Panel, config: ForecastConfig) -> object:
        cuts.append((history.last_observed_day, config.trees.iterations))
        return train(history, config)

    monkeypatch.setattr(trial, "train", noted)
    both = try_challenger(panel, trained["recent and poor"], trained["all"], PLAN)
    assert (both.evidence, both.same_configuration) == ("both_probes", False)
    assert both.comparison is not None
    assert both.comparison.better
    cut = panel.last_day - timedelta(days=12 * 3)
    assert cuts == [(cut, 40), (cut, 1)]
    cuts.clear()
    # 60 days unseen, but 25 origins reach further back
    same = try_challenger(panel, trained["old and poor"], trained["all"], TrialPlan(origins=25))
    assert same.evidence == "same_cut"
    assert same.comparison is not None
    assert same.comparison.better
    assert cuts == [(panel.last_day - timedelta(days=60), 40)]


def test_where_the_work_is_done_is_no_other_setting(
    trained: dict[str, Forecaster], panel: Panel, quick: ForecastConfig
) -> None:
    recent = trained["recent"]
    elsewhere = Forecaster(replace(recent.learned, config=replace(quick, threads=2)))
    assert try_challenger(panel, elsewhere, trained["all"], PLAN).same_configuration
