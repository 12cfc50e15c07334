"""Drift is seen when it lasts, not when a day is bad, and not before enough days have come."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.drift import (
    DailyErrors,
    ErrorLevel,
    MonitorSettings,
    error_level,
    population_stability,
    watch_errors,
    watch_inputs,
)

EXPECTED = ErrorLevel(0.20, 0.0, 0.80)


def lived(days: int = 56, *, seed: int = 1, wape: float = 0.2, bias: float = 0.0, cover: float = 0.8) -> DailyErrors:
    """Return days with noise around the given level; weekends have half again as much demand."""
    rng = np.random.default_rng(seed)
    demand = 100.0 * np.where(np.arange(days) % 7 >= 5, 1.5, 1.0)
    absolute = demand * wape * rng.uniform(0.6, 1.4, days)
    error = demand * (bias + 0.05 * rng.normal(size=days))
    rows = np.full(days, 30.0)
    return DailyErrors(absolute, error, demand, rng.binomial(30, cover, days).astype(float), rows)


def joined(*parts: DailyErrors) -> DailyErrors:
    names = ("absolute", "error", "demand", "inside", "rows")
    return DailyErrors(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def drifting(errors: DailyErrors) -> set[str]:
    return {signal.name for signal in watch_errors(errors, EXPECTED)[1] if signal.drifting}


def test_errors_as_in_the_backtest_are_stable() -> None:
    told = [watch_errors(lived(seed=seed), EXPECTED)[0] for seed in range(100)]
    assert told.count("stable") >= 98


@pytest.mark.parametrize(
    ("change", "name"),
    [({"wape": 0.3}, "wape"), ({"bias": 0.15}, "bias"), ({"bias": -0.15}, "bias"), ({"cover": 0.6}, "coverage80")],
)
def test_a_lasting_change_is_seen_within_three_weeks_and_named(change: dict[str, float], name: str) -> None:
    for seed in range(10):
        assert name in drifting(joined(lived(56, seed=seed), lived(21, seed=seed + 50, **change)))


def test_better_than_the_backtest_is_no_drift() -> None:
    assert not drifting(lived(wape=0.1, cover=0.95))


def test_one_terrible_day_is_no_drift() -> None:
    assert not drifting(joined(lived(40), lived(1, wape=1.5, bias=1.0, cover=0.0), lived(5, seed=3)))


def test_with_few_days_nothing_is_said() -> None:
    state, signals = watch_errors(lived(13, wape=0.9), EXPECTED)
    assert (state, signals) == ("too_few", ())


def test_what_the_backtest_did_not_measure_is_not_watched() -> None:
    state, signals = watch_errors(lived(wape=0.9), ErrorLevel(None, None, 0.8))
    assert [signal.name for signal in signals] == ["coverage80"]
    assert state == "stable"


def test_a_drift_that_half_recovers_is_still_one_and_one_that_recovers_is_over() -> None:
    bad = joined(lived(56), lived(28, seed=2, wape=0.4))
    assert "wape" in drifting(bad)
    assert "wape" in drifting(joined(bad, lived(2, seed=4)))
    assert "wape" not in drifting(joined(bad, lived(35, seed=3, wape=0.18)))


def test_a_quiet_day_with_a_large_share_of_errors_weighs_little() -> None:
    quiet = lived(28)
    demand = np.where(np.arange(28) % 7 == 6, 1.0, quiet.demand)
    absolute = np.where(np.arange(28) % 7 == 6, 3.0, quiet.absolute)
    assert not drifting(DailyErrors(absolute, quiet.error, demand, quiet.inside, quiet.rows))


def test_the_level_of_no_days_cannot_be_told() -> None:
    nothing = DailyErrors(*(np.zeros(0),) * 5)
    assert error_level(nothing) == ErrorLevel(None, None, None)
    assert error_level(lived(14)).wape == pytest.approx(0.2, rel=0.2)


shares = st.lists(st.floats(0, 100), min_size=7, max_size=7).filter(lambda values: sum(values) > 1)


@given(shares, shares)
@settings(deadline=None)
def test_the_stability_index_is_never_negative_and_has_no_direction(one: list[float], other: list[float]) -> None:
    index = population_stability(one, other)
    assert index >= -1e-12
    assert population_stability(other, one) == pytest.approx(index)
    assert population_stability(one, [2 * value for value in one]) == pytest.approx(0.0, abs=1e-9)


def demand(seed: int, days: int = 392, series: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rhythm = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.5, 1.4])[np.arange(days) % 7]
    return rng.poisson(np.arange(20, 20 + series)[:, None] * rhythm).astype(float)


def inputs(quantity: np.ndarray) -> dict[str, bool]:
    days = np.arange(quantity.shape[1])
    weekday = (date(2025, 1, 6).weekday() + days) % 7
    signals = watch_inputs(quantity, weekday, days >= len(days) - 28)
    return {signal.name: signal.drifting for signal in signals}


def test_the_same_demand_has_not_drifted() -> None:
    for seed in range(10):
        assert inputs(demand(seed)) == {"level": False, "weekday_mix": False}


def test_twice_the_demand_is_another_level_with_the_same_weekdays() -> None:
    changed = demand(1)
    changed[:, -28:] *= 2
    assert inputs(changed) == {"level": True, "weekday_mix": False}


def test_demand_that_moves_to_mondays_is_another_mix() -> None:
    changed = demand(1)
    days = np.arange(changed.shape[1])
    recent = days >= changed.shape[1] - 28
    changed[:, recent & (days % 7 == 0)] *= 8
    assert inputs(changed)["weekday_mix"]


def test_unknown_days_are_left_out_and_few_days_say_nothing() -> None:
    holes = demand(2)
    holes[:, ::9] = np.nan
    holes[0] = np.nan
    assert inputs(holes) == {"level": False, "weekday_mix": False}
    assert inputs(demand(2, days=35)) == {}
    short = MonitorSettings(least_days=5)
    assert watch_inputs(demand(2, days=40), np.arange(40) % 7, np.arange(40) >= 30, short)
