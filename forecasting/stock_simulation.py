"""A day simulator of stock on past demand, the same for every policy.

A day runs so: in the morning what was ordered arrives and what is too old goes; on review days the policy, which knows
demand up to yesterday, orders; it may move stock between regions within the hour; then the day's demand takes what
there is, and what is short is lost. An order placed on day ``d`` arrives in the morning of day ``d + lead_time_days``,
so that it and the stock must last for lead time plus review period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.order_policy import Arrival, OrderPolicy
from forecasting.panel_table import SeriesKey
from forecasting.stock_measures import IDLE_AFTER_DAYS, StockMeasures, idle_rate, measure, measure_groups
from forecasting.stock_store import StockStore

__all__ = [
    "IDLE_AFTER_DAYS",
    "ItemTerms",
    "Morning",
    "Move",
    "StockMeasures",
    "StockRule",
    "StockRun",
    "StockTrial",
    "idle_rate",
    "measure",
    "measure_groups",
    "simulate",
]

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """What one series is ordered by and what it costs: ``order_cny`` for each order placed."""

    order: OrderPolicy
    holding_cny_per_day: float
    order_cny: float = 0.0


@dataclass(frozen=True, slots=True)
class StockTrial:
    """What is the same for all policies.

    Attributes
    ----------
    first_day : date
        Day of column 0.
    series : tuple of SeriesKey
        One for each row.
    wanted : float array, shape (series, days)
        Demand in units, as it would be if stock never ran out; NaN where it is not known: nothing is taken on such a
        day, and it counts in no measure.
    terms : tuple of ItemTerms
        One for each row.
    start, stop : int
        First column that is simulated, and the one after the last.
    opening : float array, shape (series,)
        Units on the morning of the first day.
    seen : float array, shape (series, days), optional
        What an organisation knew of demand, for policies that learn from it; by default ``wanted``.
    travel_s : mapping of (donor, receiver) to float
        Seconds between regions, for policies that move stock.

    Raises
    ------
    InvalidInput
        When shapes or days do not fit, or stock or demand is negative.
    """

    first_day: date
    series: tuple[SeriesKey, ...]
    wanted: Cells
    terms: tuple[ItemTerms, ...]
    start: int
    stop: int
    opening: Cells
    seen: Cells | None = None
    travel_s: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.series)
        if not (len(self.terms) == len(self.wanted) == len(self.opening) == rows):
            raise InvalidInput.at("/terms", "each series needs terms, demand and stock", "每个序列须有条件、需求和库存")
        if not 0 <= self.start < self.stop <= self.wanted.shape[1]:
            raise InvalidInput.at("/start", "the days lie outside the history", "日期不在历史之内")
        if np.nanmin(self.wanted, initial=0.0) < 0:
            raise InvalidInput.at("/wanted", "demand must not be negative", "需求不能为负数")
        if not (np.isfinite(self.opening).all() and (self.opening >= 0).all()):
            raise InvalidInput.at("/opening", "stock must not be negative", "库存不能为负数")

    @property
    def days(self) -> int:
        """Number of days simulated."""
        return self.stop - self.start

    @property
    def known(self) -> Cells:
        """What policies know of demand, shape (series, days)."""
        return self.wanted if self.seen is None else self.seen

    def day_of(self, column: int) -> date:
        """Return the day of a column."""
        return self.first_day + timedelta(days=column)

    def notes(self) -> tuple[Text, ...]:
        """Return what is to be known of the trial: days without known demand, which are skipped."""
        unknown = int(np.isnan(self.wanted[:, self.start : self.stop]).sum())
        if not unknown:
            return ()
        share = unknown / (self.days * len(self.series))
        return (
            Text(
                f"{unknown} days of series ({share:.1%}) have no known demand (closed, sold out, or no row): skipped",
                f"{unknown} 个序列日（{share:.1%}）的需求未知（停业、缺货或无记录），已跳过",
            ),
        )


@dataclass(frozen=True, slots=True)
class Morning:
    """What a policy sees before it orders.

    Attributes
    ----------
    column : int
        The day that begins; demand is known up to the column before it.
    on_hand : float array, shape (series,)
        Units that can be used today.
    coming : tuple of tuple of Arrival
        For each series what is under way; ``ahead`` 1 would be today, an order of today has lead time + 1.
    reviewing : tuple of int
        Rows for which today is a review day.
    stock, used : float array, shape (series, days so far)
        Stock at the end of each simulated day up to yesterday, and what was taken on it.
    """

    column: int
    on_hand: Cells
    coming: tuple[tuple[Arrival, ...], ...]
    reviewing: tuple[int, ...]
    stock: Cells
    used: Cells

    def position(self, row: int) -> float:
        """Return stock and all orders under way."""
        return float(self.on_hand[row]) + sum(arrival.units for arrival in self.coming[row])


@dataclass(frozen=True, slots=True)
class Move:
    """Units that go from the row of one region to that of another before the day's use."""

    donor: int
    receiver: int
    units: int


class StockRule(Protocol):
    """Decides what is ordered, and what is moved."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def orders(self, trial: StockTrial, morning: Morning) -> Mapping[int, int]:
        """Return units to order by row; rows that are not reviewing are ignored."""
        ...

    def moves(self, trial: StockTrial, morning: Morning) -> Sequence[Move]:
        """Return what is moved; a donor gives at most what it has."""
        ...


@dataclass(frozen=True, slots=True)
class StockRun:
    """What happened; all arrays have shape (series, days simulated), in units.

    ``stock`` is that of the end of a day; ``moved`` is what came from other regions less what went to them. For every
    series: opening + received + moved = used + spoiled + closing.
    """

    name: str
    stock: Cells
    used: Cells
    short: Cells
    received: Cells
    ordered: Cells
    spoiled: Cells
    moved: Cells


def simulate(trial: StockTrial, rule: StockRule) -> StockRun:
    """Play the days of the trial through under one policy.

    Raises
    ------
    InvalidInput
        When the policy orders a negative amount or moves what a region does not have.
    """
    run = StockRun(rule.name, *(np.zeros((len(trial.series), trial.days)) for _ in range(7)))
    stores = [
        StockStore(each.order, trial.start, float(units))
        for each, units in zip(trial.terms, trial.opening, strict=True)
    ]
    for place in range(trial.days):
        column = trial.start + place
        for row, store in enumerate(stores):
            run.received[row, place] += store.receive(column)
            run.spoiled[row, place] = store.drop_old(column)
        morning = _morning(trial, run, stores, place)
        for row, units in rule.orders(trial, morning).items():
            if row in morning.reviewing and units:
                _require_units(units)
                run.ordered[row, place] = units
                run.received[row, place] += stores[row].order(column, units)
        _move(rule.moves(trial, _morning(trial, run, stores, place)), stores, run, place)
        for row, store in enumerate(stores):
            wanted = trial.wanted[row, column]
            taken = 0.0 if np.isnan(wanted) else store.take(float(wanted))
            run.used[row, place] = taken
            run.short[row, place] = 0.0 if np.isnan(wanted) else wanted - taken
            run.stock[row, place] = store.on_hand
    return run


def _morning(trial: StockTrial, run: StockRun, stores: Sequence[StockStore], place: int) -> Morning:
    column = trial.start + place
    reviewing = tuple(row for row, terms in enumerate(trial.terms) if place % terms.order.review_days == 0)
    coming = tuple(tuple(Arrival(due - column + 1, units) for due, units in store.under_way) for store in stores)
    on_hand = np.array([store.on_hand for store in stores])
    return Morning(column, on_hand, coming, reviewing, run.stock[:, :place], run.used[:, :place])


def _move(moves: Sequence[Move], stores: Sequence[StockStore], run: StockRun, place: int) -> None:
    for move in moves:
        _require_units(move.units)
        if move.units > stores[move.donor].on_hand + 1e-9:
            raise InvalidInput.at("/moves", "a region cannot give what it does not have", "区域不能调出超过库存的数量")
        for spoils_on, units in stores[move.donor].take_batches(float(move.units)):
            stores[move.receiver].add_batch(spoils_on, units)
        run.moved[move.donor, place] -= move.units
        run.moved[move.receiver, place] += move.units


def _require_units(units: float) -> None:
    if not (np.isfinite(units) and units >= 0):
        raise InvalidInput.at("/orders", "must not be negative", "不能为负数")
