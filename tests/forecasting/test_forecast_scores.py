from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.bands import ConformalBands, Scores, Spread
from forecasting.naive import NAIVE_METHODS, same_weekday_mean, score_naive, seasonal_naive
from forecasting.score_intervals import IntervalSettings, OriginDraws, improvement, measure_parts, measure_surely
from forecasting.scores import SCORED_QUANTILES, Scales, Scored, measure

ONE = Scales(np.array([1.0]), np.array([1.0]))


def scored(actual: list[float], point: list[float], low: float = 0.0, high: float = 100.0) -> Scored:
    """Return rows of one series, each from an origin of its own."""
    size = len(actual)
    quantiles = {0.1: np.full(size, low), 0.5: np.array(point, dtype=float), 0.9: np.full(size, high)}
    zero = np.zeros(size, dtype=np.int64)
    values = np.array(actual, dtype=float), np.array(point, dtype=float)
    return Scored(np.arange(size), zero, zero + 1, *values, quantiles)


def random_scored(seed: int, origins: int, series: int = 3) -> Scored:
    rng = np.random.default_rng(seed)
    size = origins * series
    actual = rng.gamma(2, 10, size)
    quantiles = {quantile: rng.gamma(2, 10, size) for quantile in SCORED_QUANTILES}
    ahead = rng.integers(1, 4, size)
    return Scored(
        np.repeat(np.arange(origins), series),
        np.tile(np.arange(series), origins),
        ahead,
        actual,
        actual + rng.normal(0, 5, size),
        quantiles,
    )


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
    # Both bands are 19 wide; 10 lies 1 below the first, which costs ten times as much.
    assert found["interval_score"] == pytest.approx((19 + 10 * 1 + 19) / 2 / 2)
    assert found["rows"] == 2


def test_scaled_measures_weigh_rows_in_mase_and_series_in_rmsse() -> None:
    scales = Scales(np.array([1.0, 4.0]), np.array([1.0, 16.0]))
    values = scored([10, 10, 10], [11, 13, 18])
    values = Scored(values.origin, np.array([0, 0, 1]), values.ahead, values.actual, values.point, values.quantiles)
    found = measure(values, scales)
    assert found["mase"] == pytest.approx((1 + 3 + 2) / 3)
    assert found["rmsse"] == pytest.approx((np.sqrt((1 + 9) / 2) + 2) / 2)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_interval_score_is_ten_times_the_pinball_losses_of_its_bounds(seed: int) -> None:
    """Gneiting & Raftery 2007, section 6.2: 2 / 0.2 times the sum of both losses, for bounds that do not cross."""
    values = random_scored(seed, 10)
    low, high = np.minimum(values.quantiles[0.1], values.quantiles[0.9]), values.quantiles[0.9]
    values = Scored(
        values.origin, values.series, values.ahead, values.actual, values.point, {0.1: low, 0.5: low, 0.9: high}
    )
    found = measure(values, Scales(np.array([1.0, 2.0, 5.0]), np.ones(3)))
    assert found["interval_score"] == pytest.approx(10 * (found["pinball"]["0.1"] + found["pinball"]["0.9"]))


def test_a_method_without_bands_has_no_band_measures() -> None:
    values = scored([10, 20], [12, 16], low=float("nan"), high=float("nan"))
    found = measure(values, ONE)
    assert found["mase"] == pytest.approx(3.0)
    assert found["coverage80"] is None
    assert found["interval_score"] is None
    assert found["pinball"]["0.9"] is None
    assert found["pinball"]["0.5"] == pytest.approx(1.5)


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


def test_the_weekday_mean_is_of_the_known_ones_of_the_last_four() -> None:
    quantity = np.array([np.arange(50.0), np.arange(50.0), np.full(50, np.nan)])
    quantity[0, [20, 13]] = np.nan
    quantity[1, [41, 34, 27, 20]] = np.nan
    forecast = same_weekday_mean(quantity, 42, 7)
    assert forecast[0, 5] == pytest.approx((41 + 34 + 27) / 3)
    # None of the four is known: the latest known one before them, as for seasonal naive.
    assert forecast[1, 5] == 13.0
    assert forecast[1, 0] == pytest.approx((36 + 29 + 22 + 15) / 4)
    assert np.isnan(forecast[2]).all()


def test_a_naive_band_is_the_method_s_past_errors_around_its_forecast() -> None:
    rng = np.random.default_rng(3)
    quantity = np.vstack([rng.poisson(50, 200), rng.poisson(5, 200)]).astype(float)
    quantity[0, 30:60] = np.nan
    found = score_naive(quantity, 150, 3)
    for row in range(2):
        errors = quantity[row, 7:151] - quantity[row, :144]
        offset = np.quantile(errors[~np.isnan(errors)], 0.9)
        expected = np.maximum(quantity[row, 144:147] + offset, 0)
        np.testing.assert_allclose(found.quantiles[0.9][3 * row : 3 * row + 3], expected)
    means = score_naive(quantity, 150, 1, method="same_weekday_mean")
    errors = quantity[1, 28:151] - np.mean(
        [quantity[1, 28 - 7 * week : 151 - 7 * week] for week in (1, 2, 3, 4)], axis=0
    )
    # The first four weeks have means of fewer days, which move the quantile a little.
    assert means.quantiles[0.9][1] == pytest.approx(means.point[1] + np.quantile(errors, 0.9), abs=0.6)


@pytest.mark.parametrize("method", list(NAIVE_METHODS))
@given(seed=st.integers(0, 1000), origin=st.integers(0, 58))
@settings(max_examples=20, deadline=None)
def test_naive_methods_read_nothing_after_the_origin(method: str, seed: int, origin: int) -> None:
    quantity = np.random.default_rng(seed).random((3, 62))
    changed = quantity.copy()
    changed[:, origin + 1 :] = np.random.default_rng(seed + 1).choice([0.0, np.nan, 1e9], (3, 61 - origin))
    before, after = (score_naive(cells, origin, 3, method=method) for cells in (quantity, changed))
    np.testing.assert_array_equal(before.point, after.point)
    np.testing.assert_array_equal(before.quantiles[0.9], after.quantiles[0.9])


def test_intervals_hold_the_measure_and_shrink_with_more_origins() -> None:
    scales = Scales(np.ones(3), np.ones(3))
    few, many = random_scored(4, 20), random_scored(4, 320)
    widths = []
    for values, origins in ((few, 20), (many, 320)):
        found = measure_surely(values, scales, OriginDraws.of(range(origins), 3))
        for name in ("mase", "rmsse", "wape", "bias", "coverage80", "interval_score"):
            low, high = found["intervals"][name]
            assert low < found[name] < high
        assert found["intervals"]["pinball"]["0.9"][0] < found["pinball"]["0.9"]
        widths.append(found["intervals"]["mase"][1] - found["intervals"]["mase"][0])
    assert widths[1] < widths[0] / 2.5


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """The true MASE of normal errors is known; over 200 backtests of 60 origins it lies inside 95 % of intervals."""
    inside = 0
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(0, 1, 60)
        values = scored([10.0] * 60, (10 + errors).tolist())
        low, high = measure_surely(values, ONE, OriginDraws.of(range(0, 180, 3), 3, IntervalSettings(resamples=300)))[
            "intervals"
        ]["mase"]
        inside += low <= np.sqrt(2 / np.pi) <= high
    assert 0.87 <= inside / 200 <= 0.98


def test_the_same_forecasts_give_the_same_intervals() -> None:
    scales, values = Scales(np.ones(3), np.ones(3)), random_scored(5, 12)
    draws = [OriginDraws.of(range(12), 3) for _ in range(2)]
    assert measure_surely(values, scales, draws[0]) == measure_surely(values, scales, draws[1])


def test_a_handful_of_origins_gives_no_interval() -> None:
    found = measure_surely(random_scored(6, 5), Scales(np.ones(3), np.ones(3)), OriginDraws.of(range(5), 3))
    assert found["mase"] is not None
    assert found["intervals"]["mase"] is None
    assert found["intervals"]["pinball"] == {"0.1": None, "0.5": None, "0.9": None}


def test_each_draw_has_as_many_origins_as_the_backtest_in_blocks_that_cover_the_horizon() -> None:
    draws = OriginDraws.of(range(40), 7, IntervalSettings(resamples=50))
    assert (draws.counts.sum(axis=1) == 40).all()
    # Blocks of seven: wherever an origin is drawn, a neighbour is drawn with it.
    drawn = draws.counts > 0
    alone = drawn & ~np.roll(drawn, 1, axis=1) & ~np.roll(drawn, -1, axis=1)
    assert alone.sum() < 0.05 * drawn.sum()


def test_a_rival_with_twice_the_errors_is_beaten_by_half_in_every_draw() -> None:
    """Draws are shared: the ratio is the same in each of them, although both losses vary."""
    scales = Scales(np.ones(3), np.ones(3))
    model = random_scored(7, 30)
    rival = Scored(
        model.origin,
        model.series,
        model.ahead,
        model.actual,
        model.actual + 2 * (model.point - model.actual),
        model.quantiles,
    )
    found = improvement(model, rival, scales, OriginDraws.of(range(30), 3))
    assert found["mase"] == pytest.approx(0.5)
    assert found["intervals"]["mase"] == pytest.approx([0.5, 0.5])
    assert found["pinball_0.9"] == pytest.approx(0.0)


def test_groups_and_days_ahead_are_measured_on_their_own_rows() -> None:
    scales = Scales(np.ones(3), np.ones(3))
    values = random_scored(8, 10)
    found = measure_parts(values, scales, OriginDraws.of(range(10), 3), ["north", "south", "north"])
    assert list(found["by_group"]) == ["north", "south"]
    own = measure(values.take(values.series == 1), scales)
    assert found["by_group"]["south"]["mase"] == pytest.approx(own["mase"])
    assert sum(part["rows"] for part in found["by_horizon"].values()) == found["rows"] == 30


def scores_of(values: np.ndarray, age_days: np.ndarray | None = None) -> Scores:
    """Return scores of regular series, made today unless ``age_days`` says otherwise."""
    today = np.zeros(len(values), dtype=np.int64)
    return Scores(values, today if age_days is None else age_days, np.zeros(len(values), dtype=bool))


@given(quantile=st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95]), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_calibrated_bands_cover_new_days_whatever_the_raw_widths(quantile: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.5, 2, 8000)
    spread = Spread.around(centre, centre - rng.uniform(0.01, 0.1), centre + rng.uniform(0.01, 0.1))
    actual = centre * rng.lognormal(0.05, 0.3, 8000)
    half = np.arange(8000) < 4000
    bands = ConformalBands.calibrate({1: scores_of(spread.take(half).scores(actual[half]))})
    rare = np.zeros(4000, dtype=bool)
    share = np.mean(actual[~half] <= bands.quantile(spread.take(~half), 1, rare, quantile))
    assert share == pytest.approx(quantile, abs=0.035)


def test_a_small_group_borrows_the_scores_of_all() -> None:
    bands = ConformalBands.calibrate({1: scores_of(np.linspace(-1, 1, 500)), 2: scores_of(np.array([50.0]))})
    assert bands.score(2, False, 0.5) < 1


def test_recent_errors_count_more_than_old_ones() -> None:
    scores = np.concatenate([np.linspace(-1, 1, 400), np.linspace(-3, 3, 400)])
    age = np.concatenate([np.full(400, 300), np.zeros(400, dtype=np.int64)])
    even = ConformalBands.calibrate({1: scores_of(scores)}).score(1, False, 0.9)
    recent = ConformalBands.calibrate({1: scores_of(scores, age)}).score(1, False, 0.9)
    assert recent == pytest.approx(2.4, abs=0.1)
    assert even < recent - 0.3
