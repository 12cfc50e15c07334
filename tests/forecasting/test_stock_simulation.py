"""The stock simulator keeps its books, treats all policies alike, and its bounds hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.forecast_points import ForecastPoints
from forecasting.model import ForecastConfig
from forecasting.order_policy import OrderPolicy
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from forecasting.stock_measures import idle_rate, measure, measure_groups, unneeded_rate
from forecasting.stock_rules import (
    FixedLevelRule,
    ForecastRule,
    ForesightRule,
    LastWeekRule,
    usual_use,
)
from forecasting.stock_simulation import ItemTerms, Morning, Move, StockRule, StockRun, StockTrial, simulate
from forecasting.stock_trial import compare_policies, forecast_points, trial_on, usual_rules

HISTORY_DAYS = 63
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class ScriptedRule:
    """Orders the same on every review day, and moves half of what the first region has to the second."""

    units: int
    moving: bool = False
    name: str = "scripted"

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        return dict.fromkeys(range(len(trial.series)), self.units)

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        return [Move(0, 1, int(morning.on_hand[0]) // 2)] if self.moving else ()


def make_trial(seed: int = 1, *, opening: float = 60.0, unknown: float = 0.0, **order: int | None) -> StockTrial:
    """Two regions with a weekday rhythm and Poisson noise, 28 days to play after nine weeks."""
    rng = np.random.default_rng(seed)
    days = HISTORY_DAYS + 28
    rhythm = np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.5, 1.4])[np.arange(days) % 7]
    wanted = rng.poisson(20 * rhythm, (2, days)).astype(float)
    wanted[:, HISTORY_DAYS:][rng.random((2, 28)) < unknown] = np.nan
    policy = OrderPolicy(9.0, 1.0, **{"lead_time_days": 2, **order})  # type: ignore[arg-type]
    series = (SeriesKey("east", "pack"), SeriesKey("west", "pack"))
    travel_s = {("east", "west"): 600.0, ("west", "east"): 600.0}
    terms = (ItemTerms(policy, 0.1, 5.0),) * 2
    return StockTrial(
        date(2026, 1, 5), series, wanted, terms, HISTORY_DAYS, days, np.full(2, opening), travel_s=travel_s
    )


def true_points(trial: StockTrial) -> dict[int, ForecastPoints]:
    """Forecasts with the true means of the days, and honest quantiles around them."""
    rhythm = np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.5, 1.4])
    found = {}
    for origin in range(trial.start - 1, trial.stop - 1):
        mean = 20 * rhythm[(np.arange(3) + origin + 1) % 7]
        around = np.array([-1.28, 0.0, 1.28])
        days = np.tile((mean[:, None] + np.sqrt(mean)[:, None] * around)[None], (2, 1, 1))
        total = np.tile((mean.sum() + np.sqrt(mean.sum()) * around)[None], (2, 1))
        found[origin] = ForecastPoints(QUANTILES, days, total)
    return found


def every_rule(trial: StockTrial) -> list[StockRule]:
    points = true_points(trial)
    return [*usual_rules(points, transfers=True), ForesightRule(), ScriptedRule(25), ScriptedRule(40, moving=True)]


def assert_books_balance(trial: StockTrial, run: StockRun) -> None:
    before = np.concatenate([trial.opening[:, None], run.stock[:, :-1]], axis=1)
    assert np.allclose(before + run.received + run.moved, run.used + run.spoiled + run.stock)
    assert run.stock.min() >= -1e-9
    assert run.used.min() >= 0
    assert np.allclose(run.moved.sum(axis=0), 0)
    wanted = np.nan_to_num(trial.wanted[:, trial.start : trial.stop])
    assert np.allclose(run.used + run.short, wanted)
    assert ((run.short == 0) | (run.stock < 1e-9)).all()


@given(
    seed=st.integers(0, 50),
    opening=st.integers(0, 200),
    lead=st.integers(0, 6),
    review=st.integers(1, 7),
    pack=st.integers(1, 30),
    life=st.none() | st.integers(1, 12),
    unknown=st.sampled_from([0.0, 0.2]),
)
@settings(max_examples=10, deadline=None)
def test_stock_is_never_negative_and_every_unit_is_accounted_for(
    seed: int, opening: int, lead: int, review: int, pack: int, life: int | None, unknown: float
) -> None:
    trial = make_trial(
        seed,
        opening=opening,
        unknown=unknown,
        lead_time_days=lead,
        review_days=review,
        pack_size=pack,
        shelf_life_days=life,
    )
    for rule in every_rule(trial):
        run = simulate(trial, rule)
        assert_books_balance(trial, run)
        if life is None:
            assert run.spoiled.sum() == 0


@given(seed=st.integers(0, 100), lead=st.integers(0, 7), review=st.integers(1, 7), pack=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_perfect_foresight_has_no_shortage_after_the_first_lead_time(
    seed: int, lead: int, review: int, pack: int
) -> None:
    trial = make_trial(seed, opening=0, lead_time_days=lead, review_days=review, pack_size=pack)
    run = simulate(trial, ForesightRule())
    assert run.short[:, lead:].sum() == 0
    if lead:
        assert run.short[:, :lead].sum() > 0


@given(
    seed=st.integers(0, 100),
    units=st.integers(0, 40),
    opening=st.integers(0, 150),
    more=st.integers(0, 100),
    life=st.none() | st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_with_the_same_orders_more_stock_never_raises_shortage(
    seed: int, units: int, opening: int, more: int, life: int | None
) -> None:
    trial = make_trial(seed, opening=opening, shelf_life_days=life)
    richer = replace(trial, opening=trial.opening + more)
    rule = ScriptedRule(units)
    poor, rich = (simulate(each, rule).short.sum(axis=1) for each in (trial, richer))
    assert (rich <= poor + 1e-9).all()


@given(seed=st.integers(0, 100), safety=st.floats(1.0, 3.0))
@settings(max_examples=20, deadline=None)
def test_a_higher_level_never_raises_shortage_when_orders_come_at_once(seed: int, safety: float) -> None:
    trial = make_trial(seed, lead_time_days=0)
    low, high = (simulate(trial, FixedLevelRule(safety=each)).short.sum() for each in (1.0, safety))
    assert high <= low + 1e-9


def test_good_forecasts_beat_last_week_in_shortage_and_cost() -> None:
    trial = make_trial(3)
    results = {result.name: result.measures for result in compare_policies(trial, every_rule(trial))}
    forecast, last_week = results["forecast 35 d"], results["last week"]
    assert forecast.shortage_rate is not None
    assert last_week.shortage_rate is not None
    assert forecast.shortage_rate < 0.03 < last_week.shortage_rate
    assert forecast.cost_cny < last_week.cost_cny
    assert results["perfect foresight"].cost_cny < forecast.cost_cny
    ledger = results["last week, own ledger"].shortage_rate
    assert ledger is not None
    assert ledger >= last_week.shortage_rate


def test_all_policies_meet_the_same_demand() -> None:
    trial = make_trial(5)
    runs = [simulate(trial, rule) for rule in every_rule(trial)]
    for run in runs:
        assert np.array_equal(run.used + run.short, runs[0].used + runs[0].short)


def test_an_order_arrives_in_the_morning_after_its_lead_time() -> None:
    trial = make_trial(opening=0, lead_time_days=3, review_days=7)
    run = simulate(trial, ScriptedRule(30))
    assert np.flatnonzero(run.ordered[0]).tolist() == [0, 7, 14, 21]
    assert np.flatnonzero(run.received[0]).tolist() == [3, 10, 17, 24]


def test_stock_spoils_after_its_days_the_oldest_is_used_first() -> None:
    trial = make_trial(opening=100, shelf_life_days=3)
    still = replace(
        trial, wanted=np.where(np.arange(trial.wanted.shape[1]) >= trial.start, 10.0, 1.0) * np.ones((2, 1))
    )
    run = simulate(still, ScriptedRule(0))
    assert run.used[0, :4].tolist() == [10, 10, 10, 0]
    assert run.spoiled[0, :4].tolist() == [0, 0, 0, 70]


def test_days_of_unknown_demand_are_skipped_and_said() -> None:
    trial = make_trial(unknown=0.3)
    unknown = int(np.isnan(trial.wanted[:, trial.start :]).sum())
    run = simulate(trial, LastWeekRule())
    found = measure(trial, run)
    assert found.wanted_units == np.nansum(trial.wanted[:, trial.start :])
    assert run.used[np.isnan(trial.wanted[:, trial.start :])].sum() == 0
    assert trial.notes()[0].en.startswith(f"{unknown} days of series")
    assert "已跳过" in trial.notes()[0].zh
    assert make_trial().notes() == ()


def test_groups_add_up_to_the_whole() -> None:
    trial = make_trial(4)
    run = simulate(trial, LastWeekRule())
    whole, groups = measure(trial, run), measure_groups(trial, run, "region")
    assert list(groups) == ["east", "west"]
    assert sum(part.short_units for part in groups.values()) == pytest.approx(whole.short_units)
    assert sum(part.cost_cny for part in groups.values()) == pytest.approx(whole.cost_cny)


def test_transfers_help_a_region_that_runs_out() -> None:
    trial = replace(make_trial(2, opening=0, lead_time_days=6), opening=np.array([400.0, 0.0]))
    alone, together = (simulate(trial, ForecastRule(true_points(trial), transfers=each)) for each in (False, True))
    assert together.short[1, :3].sum() < alone.short[1, :3].sum()
    assert measure(trial, together).moved_units > 0
    assert_books_balance(trial, together)


def test_a_holiday_in_the_forecast_does_not_go_on_beyond_it() -> None:
    trial = make_trial(lead_time_days=5)
    points = true_points(trial)
    spike = {origin: replace(each, days=each.days * 3, totals=each.totals * 3) for origin, each in points.items()}
    usual, high = (simulate(trial, ForecastRule(each)).ordered[:, 0].sum() for each in (points, spike))
    # three of six days at three times the use: twice the use, where stretching the spike would make it three times
    assert usual + 60 < high < 2.6 * (usual + 120) - 120


def test_charging_what_is_left_over_for_longer_lowers_stock_and_service() -> None:
    trial = make_trial(3)
    points = true_points(trial)
    short, long = (measure(trial, simulate(trial, ForecastRule(points, leftover_days=days))) for days in (7, 70))
    assert long.mean_stock_units < short.mean_stock_units
    assert long.short_units > short.short_units


def test_a_series_without_a_forecast_goes_by_last_week() -> None:
    trial = make_trial(7)
    nothing = ForecastPoints(QUANTILES, np.full((2, 3, 3), np.nan), np.full((2, 3), np.nan))
    for points in ({}, dict.fromkeys(true_points(trial), nothing)):
        run = simulate(trial, ForecastRule(points))
        assert np.array_equal(run.ordered, simulate(trial, LastWeekRule()).ordered)


def test_idle_stock_is_what_the_next_days_do_not_use() -> None:
    assert idle_rate([10, 10, 10], [2] * 10) == 0.0
    assert idle_rate([20, 20, 20], [2] * 10) == pytest.approx(6 / 20)
    assert idle_rate([20, 0], [0] * 10, cover_days=3) == 1.0
    assert idle_rate([0, 0], [1] * 10) == 0.0
    assert idle_rate([5, 5], [1, 1]) is None
    assert idle_rate([20], [0, 2, np.nan, np.nan, 2, 2, 2, 2]) == pytest.approx(6 / 20)
    assert idle_rate([[10], [30]], [[2] * 8, [2] * 8]) == pytest.approx(16 / 40)
    for wrong in (lambda: idle_rate([1, 2], [1]), lambda: idle_rate([1], [1], cover_days=0)):
        with pytest.raises(InvalidInput):
            wrong()


@given(stock=st.lists(st.floats(0, 100), min_size=1, max_size=20), use=st.floats(0, 30), times=st.floats(1, 5))
def test_the_idle_rate_is_a_share_and_grows_when_all_stock_is_multiplied(
    stock: list[float], use: float, times: float
) -> None:
    days = [use] * (len(stock) + 7)
    rate = idle_rate(stock, days)
    more = idle_rate([units * times for units in stock], days)
    assert rate is not None
    assert more is not None
    assert 0 <= rate <= 1
    assert more >= rate - 1e-9


def test_what_a_month_never_needed_is_its_lowest_stock() -> None:
    assert unneeded_rate(100, [90, 80, 70], [10, 10, 10]) == pytest.approx(0.7)
    assert unneeded_rate(30, [20, 60, 20], [10, 10, 40]) == pytest.approx(20 / 80)
    assert unneeded_rate(0, [0, 0], [0, 0]) == 0.0


def test_the_usual_week_is_read_by_weekday() -> None:
    use = np.tile(np.arange(7.0), 3)
    assert usual_use(use, 9, weeks=2) == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    use[-7:] = np.nan
    assert usual_use(use, 7, weeks=2) == [0, 1, 2, 3, 4, 5, 6]
    assert usual_use(np.full(14, np.nan), 3, weeks=2) == [0, 0, 0]
    assert usual_use(np.array([4.0]), 7, weeks=1) == [4.0] * 7


def test_a_history_is_played_with_its_own_rolling_forecasts(panel: Panel, quick: ForecastConfig) -> None:
    trial = trial_on(panel, ItemTerms(OrderPolicy(9, 1, 2), 0.1), days=6)
    points, notes = forecast_points(panel, trial, config=quick)
    assert notes == ()
    assert sorted(points) == list(range(trial.start - 1, trial.stop - 1))
    assert points[trial.start - 1].days.shape == (4, 3, 8)
    results = compare_policies(trial, usual_rules(points))
    assert [result.name for result in results][:2] == ["forecast 35 d", "last week"]
    assert results[0].to_json()["groups"]["item"].keys() == {"item 0", "item 1"}


def test_a_short_history_is_said_and_goes_by_last_week(panel: Panel, quick: ForecastConfig) -> None:
    short = panel.tail(panel.days - 62)
    trial = trial_on(short, ItemTerms(OrderPolicy(9, 1, 2), 0.1), days=5)
    points, notes = forecast_points(short, trial, config=quick)
    assert points == {} or notes == ()
    assert len(compare_policies(trial, usual_rules(points))) == 4


@pytest.mark.parametrize(
    "build",
    [
        lambda panel: trial_on(panel, ItemTerms(OrderPolicy(9, 1, 2), 0.1), days=0),
        lambda panel: trial_on(panel, ItemTerms(OrderPolicy(9, 1, 2), 0.1), days=180),
        lambda panel: trial_on(panel, {"item 0": ItemTerms(OrderPolicy(9, 1, 2), 0.1)}, days=5),
        lambda panel: replace(make_trial(), opening=np.array([-1.0, 0.0])),
        lambda panel: replace(make_trial(), stop=1000),
        lambda panel: replace(make_trial(), terms=()),
        lambda panel: simulate(make_trial(), ScriptedRule(-1)),
    ],
)
def test_wrong_input_is_refused(build, panel: Panel) -> None:
    with pytest.raises(InvalidInput) as caught:
        build(panel)
    assert caught.value.text.zh
