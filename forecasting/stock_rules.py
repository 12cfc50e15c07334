"""Policies of ordering that the stock simulator compares: by forecast, by last week, to a fixed level, by foresight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.forecast_points import ForecastPoints
from forecasting.order_policy import OrderPolicy, propose_order, whole_orders
from forecasting.stock_measures import MONTH_DAYS, unneeded_rate
from forecasting.stock_simulation import Morning, Move, StockTrial
from forecasting.transfers import NEAR_S, RegionStock, plan_transfers

FIXED_LEVEL_DAYS = 56
"""A fixed level is set by the use of so many days before the trial."""
RHYTHM_WEEKS = 4
LEFTOVER_DAYS = 35
"""What is left over is charged so many days of holding. On the sample organisation this keeps shortage below 3 % with
about as little idle stock as orders by last week; charging only lead time plus review costs least, and holds more."""
_WEEK = 7

Cells = NDArray[np.float64]


@dataclass(frozen=True)
class LastWeekRule:
    """Keeps as much as the same weekdays of last week used, for as many days as an order must last.

    ``safety`` multiplies it. With ``own_use`` it counts what was really handed out under its own stock, as a ledger
    does, so that a stock-out lowers the next order; without, it knows what was wanted, which no ledger tells: a
    stronger rival than there is.
    """

    safety: float = 1.0
    own_use: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables."""
        suffix = "" if self.safety == 1 else f" ×{self.safety:g}"
        return ("last week, own ledger" if self.own_use else "last week") + suffix

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        """Return orders up to last week's use."""
        return {row: _order_up_to(self.level(trial, morning, row), trial, morning, row) for row in morning.reviewing}

    def level(self, trial: StockTrial, morning: Morning, row: int) -> float:
        """Return units to order up to."""
        use = trial.wanted[row, : morning.column]
        if self.own_use:
            use = np.concatenate([use[: trial.start], morning.used[row]])
        return self.safety * sum(usual_use(use, trial.terms[row].order.cover_days, weeks=1))

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        """Move nothing."""
        return ()


@dataclass(frozen=True)
class FixedLevelRule:
    """Orders up to a level that never changes: the newsvendor quantile of what the eight weeks before the trial used.

    ``safety`` multiplies the level.
    """

    safety: float = 1.0

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return "fixed level" + ("" if self.safety == 1 else f" ×{self.safety:g}")

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        """Return orders up to the fixed level."""
        return {
            row: _order_up_to(self.safety * fixed_level(trial, row), trial, morning, row) for row in morning.reviewing
        }

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        """Move nothing."""
        return ()


@dataclass(frozen=True)
class ForesightRule:
    """Knows the demand to come: the bound for every policy."""

    name: str = "perfect foresight"

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        """Return orders up to the demand of the days that an order must last."""
        found = {}
        for row in morning.reviewing:
            cover = trial.terms[row].order.cover_days
            level = float(np.nansum(trial.wanted[row, morning.column : morning.column + cover]))
            found[row] = _order_up_to(level, trial, morning, row)
        return found

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        """Move nothing."""
        return ()


@dataclass(frozen=True)
class ForecastRule:
    """Orders by the forecast of the night before, as `propose_order` says; where there is none, by last week.

    Attributes
    ----------
    points : mapping of int to ForecastPoints
        Forecasts by the column of their origin. A day without one uses the newest before it, up to a week old.
    transfers : bool
        Whether regions within the hour help one another out before the day's use.
    heeds_idleness : bool
        Whether stock that the last four weeks never needed lowers the level.
    need_quantile, upper_quantile : float
        For transfers: what a region asks for, and what a donor keeps.
    leftover_days : int or None
        Days of holding that a unit left over is charged; None for the holding cost of the terms.
    """

    points: Mapping[int, ForecastPoints]
    transfers: bool = False
    heeds_idleness: bool = True
    leftover_days: int | None = None
    need_quantile: float = 0.75
    upper_quantile: float = 0.9
    label: str = "forecast"
    _last_week: LastWeekRule = field(default_factory=LastWeekRule, repr=False)

    @property
    def name(self) -> str:
        """What it is called in tables."""
        charged = "" if self.leftover_days is None else f" {self.leftover_days} d"
        return f"{self.label}{charged}" + (" + transfers" if self.transfers else "")

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        """Return orders by the forecast."""
        return {row: self._order(trial, morning, row) for row in morning.reviewing}

    def _order(self, trial: StockTrial, morning: Morning, row: int) -> int:
        points = self.points.get(morning.column - 1)
        total = points.total(row) if points else None
        if points is None or total is None:
            return _order_up_to(self._last_week.level(trial, morning, row), trial, morning, row)
        terms, days = trial.terms[row], points.horizon
        policy = terms.order
        if self.leftover_days is not None:
            policy = replace(policy, holding_cost=terms.holding_cny_per_day * self.leftover_days)
        if self.heeds_idleness:
            policy = replace(policy, idle_rate=_idle_lately(morning, row))
        # Beyond the forecast the usual day is expected: a holiday that is forecast does not go on for ever.
        usual = usual_use(trial.known[row, : morning.column], _longest(policy), weeks=RHYTHM_WEEKS)
        rhythm = [*points.medians(row), *usual[days:]]
        demand = total
        if policy.cover_days == 1:
            demand, days = points.day(row, 1) or total, 1
        proposal = propose_order(
            demand,
            policy,
            demand_days=days,
            on_hand=float(morning.on_hand[row]),
            in_transit=morning.coming[row],
            rhythm=rhythm,
        )
        return proposal.order_units

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        """Return moves from regions above their own upper forecast to those that fall short of their need."""
        points = self.points.get(morning.column - 1)
        if not self.transfers or points is None:
            return ()
        found: list[Move] = []
        for item in sorted({key.item for key in trial.series}):
            rows = {key.region: row for row, key in enumerate(trial.series) if key.item == item}
            stocks = [self._region_stock(morning, points, region, row) for region, row in rows.items()]
            plan = plan_transfers(
                [stock for stock in stocks if stock is not None], trial.travel_s, longest_travel_s=NEAR_S
            )
            found.extend(Move(rows[one.donor], rows[one.receiver], one.units) for one in plan.transfers)
        return found

    def _region_stock(self, morning: Morning, points: ForecastPoints, region: str, row: int) -> RegionStock | None:
        total = points.total(row)
        if total is None:
            return None
        coming = sum(arrival.units for arrival in morning.coming[row] if arrival.ahead <= points.horizon)
        need, upper = total.at(self.need_quantile), total.at(self.upper_quantile)
        return RegionStock(region, float(morning.on_hand[row]), need, upper, incoming=coming)


def fixed_level(trial: StockTrial, row: int) -> float:
    """Return the newsvendor quantile of use over lead time plus review in the eight weeks before the trial."""
    policy = trial.terms[row].order
    use = trial.wanted[row, max(0, trial.start - FIXED_LEVEL_DAYS) : trial.start]
    cover = policy.cover_days
    if len(use) < cover:
        return float(np.nansum(use))
    windows = np.lib.stride_tricks.sliding_window_view(use, cover)
    # A day without known demand counts like the others of its window.
    known = (~np.isnan(windows)).sum(axis=1)
    sums = np.nansum(windows, axis=1)[known > 0] * cover / known[known > 0]
    return float(np.quantile(sums, policy.critical_ratio)) if len(sums) else 0.0


def usual_use(use: Cells, days: int, *, weeks: int) -> list[float]:
    """Return what the coming ``days`` usually use: the mean of the last ``weeks`` on the same weekday.

    ``use`` ends with yesterday. Weekdays that are not known in it count like the mean of those that are.
    """
    by_weekday = np.full((weeks, _WEEK), np.nan)
    recent = use[-weeks * _WEEK :]
    by_weekday.ravel()[len(by_weekday.ravel()) - len(recent) :] = recent
    known = (~np.isnan(by_weekday)).sum(axis=0)
    mean = np.nansum(by_weekday, axis=0) / np.maximum(known, 1)
    overall = float(mean[known > 0].mean()) if known.any() else 0.0
    mean[known == 0] = overall
    return [float(mean[day % _WEEK]) for day in range(days)]


def _longest(policy: OrderPolicy) -> int:
    life = policy.shelf_life_days or 0
    return max(policy.cover_days, policy.lead_time_days + life, _WEEK)


def _idle_lately(morning: Morning, row: int) -> float:
    stock = morning.stock[row, -MONTH_DAYS - 1 :]
    if len(stock) <= MONTH_DAYS:
        return 0.0
    return unneeded_rate(float(stock[0]), stock[1:], morning.used[row, -MONTH_DAYS:])


def _order_up_to(level: float, trial: StockTrial, morning: Morning, row: int) -> int:
    return whole_orders(level - morning.position(row), trial.terms[row].order)[1]
