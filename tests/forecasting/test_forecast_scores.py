from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.bands import ConformalBands, Spread
from forecasting.naive import score_naive, seasonal_naive
from forecasting.scores import Scales, Scored, measure


def scored(actual: list[float], point: list[float], low: float = 0.0, high: float = 100.0) -> Scored:
    size = len(actual)
    quantiles = {0.1: np.full(size, low), 0.5: np.array(point, dtype=float), 0.9: np.full(size, high)}
    zero = np.zeros(size, dtype=np.int64)
    return Scored(zero, zero + 1, np.array(actual, dtype=float), np.array(point, dtype=float), quantiles)


def test_measures_are_those_worked_out_by_hand() -> None:
    scales = Scales(np.array([2.0]), np.array([5.0]))
    found = measure(scored([10, 20], [12, 16], low=11, high=30), scales)
    assert found["mase"] == pytest.approx(3 / 2)
    assert found["rmsse"] == pytest.approx(np.sqrt(10 / 5))
    assert found["wape"] == pytest.approx(6 / 30)
    assert found["bias"] == pytest.approx(-2 / 30)
    assert found["coverage80"] == 0.5
    assert found["pinball"]["0.9"] == pytest.approx((0.1 * 20 + 0.1 * 10) / 2 / 2)
    assert found["pinball"]["0.1"] == pytest.approx((0.9 * 1 + 0.1 * 9) / 2 / 2)


def test_the_scale_is_the_mean_absolute_lag_7_difference() -> None:
    quantity = np.array([[1.0] * 7 + [3.0] * 6 + [np.nan] + [3.0] * 7, [4.0] * 21])
    scales = Scales.of(quantity)
    assert scales.absolute[0] == pytest.approx(12 / 12)
    assert np.isnan(scales.absolute[1])


def test_nothing_to_measure_is_none_not_a_failure() -> None:
    found = measure(scored([0.0], [0.0]), Scales(np.array([np.nan]), np.array([np.nan])))
    assert found["mase"] is None
    assert found["wape"] is None


def test_seasonal_naive_takes_the_latest_known_same_weekday() -> None:
    quantity = np.arange(30, dtype=float)[None, :].copy()
    quantity[0, 17] = np.nan
    forecast = seasonal_naive(quantity, 23, 9)
    assert forecast[0, :2].tolist() == [10.0, 18.0]
    assert forecast[0, 7] == 10.0
    assert forecast[0, 8] == 18.0


def test_seasonal_naive_reads_nothing_after_the_origin() -> None:
    quantity = np.random.default_rng(1).random((3, 60))
    changed = quantity.copy()
    changed[:, 41:] = 99.0
    before, after = score_naive(quantity, 40, 3), score_naive(changed, 40, 3)
    np.testing.assert_array_equal(before.point, after.point)
    np.testing.assert_array_equal(before.quantiles[0.9], after.quantiles[0.9])


@given(quantile=st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95]), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_calibrated_bands_cover_new_days_whatever_the_raw_widths(quantile: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.5, 2, 8000)
    spread = Spread.around(centre, centre - rng.uniform(0.01, 0.1), centre + rng.uniform(0.01, 0.1))
    actual = centre * rng.lognormal(0.05, 0.3, 8000)
    half = np.arange(8000) < 4000
    bands = ConformalBands.calibrate({1: spread.take(half).scores(actual[half])})
    share = np.mean(actual[~half] <= bands.quantile(spread.take(~half), 1, quantile))
    assert share == pytest.approx(quantile, abs=0.035)


def test_a_small_group_borrows_the_scores_of_all() -> None:
    bands = ConformalBands.calibrate({1: np.linspace(-1, 1, 500), 2: np.array([50.0])})
    assert bands.score(2, 0.5) < 1


def test_recent_errors_count_more_than_old_ones() -> None:
    scores = np.concatenate([np.linspace(-1, 1, 400), np.linspace(-3, 3, 400)])
    age = np.concatenate([np.full(400, 300), np.zeros(400, dtype=np.int64)])
    even = ConformalBands.calibrate({1: scores}).score(1, 0.9)
    recent = ConformalBands.calibrate({1: scores}, age_days={1: age}).score(1, 0.9)
    assert recent == pytest.approx(2.4, abs=0.1)
    assert even < recent - 0.3
