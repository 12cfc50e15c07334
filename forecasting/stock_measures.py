"""What stock was worth: shortage, idleness, average stock and cost, for any ledger or simulated run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import InvalidInput

if TYPE_CHECKING:
    from forecasting.stock_simulation import StockRun, StockTrial

IDLE_AFTER_DAYS = 7
"""Units that the coming days of this number do not use lie idle."""

MONTH_DAYS = 28
"""Four weeks stand for a month: every weekday counts as often."""

Cells = NDArray[np.float64]


def idle_rate(stock: ArrayLike, use: ArrayLike, *, cover_days: int = IDLE_AFTER_DAYS) -> float | None:
    """Return the share of stock that lay idle: what was on hand beyond the use of the next ``cover_days``.

    For each day the idle units are ``max(0, stock at its end - use of the next cover_days)``; the rate is the sum of
    idle units over the sum of stock. A month's rate takes the stock of its days.

    Parameters
    ----------
    stock : array, shape (days,) or (series, days)
        Units at the end of each day, never negative.
    use : array, shape (days or more,) or (series, days or more)
        Units used on the same days and, as far as known, on those after them. NaN where it is not known: such a day
        counts like the known days of its window.
    cover_days : int
        At least 1.

    Returns
    -------
    float or None
        0 … 1; 0 when there was no stock; None when no day can be judged, because ``use`` does not reach far enough.

    Raises
    ------
    InvalidInput
        When shapes do not fit or ``cover_days`` is below 1.
    """
    idle, judged = idle_units(stock, use, cover_days=cover_days)
    held = np.where(judged, np.atleast_2d(np.asarray(stock, dtype=float)), 0.0).sum()
    if not judged.any():
        return None
    return float(idle.sum() / held) if held > 0 else 0.0


def idle_units(
    stock: ArrayLike, use: ArrayLike, *, cover_days: int = IDLE_AFTER_DAYS
) -> tuple[Cells, NDArray[np.bool_]]:
    """Return the idle units of each day and whether it can be judged, both (series, days); see :func:`idle_rate`."""
    held = np.atleast_2d(np.asarray(stock, dtype=np.float64))
    used = np.atleast_2d(np.asarray(use, dtype=np.float64))
    if cover_days < 1:
        raise InvalidInput.at("/cover_days", "cover_days must be at least 1", "cover_days 至少为 1")
    if used.shape[0] != held.shape[0] or used.shape[1] < held.shape[1]:
        raise InvalidInput.at("/use", "must hold the days of the stock, for each series", "须含库存的每一天和每个序列")
    days = held.shape[1]
    known = ~np.isnan(used)
    units = _ahead(np.where(known, used, 0.0), days, cover_days)
    count = _ahead(known.astype(float), days, cover_days)
    reaches = np.arange(days) + cover_days < used.shape[1]
    judged = reaches[None, :] & (count > 0)
    need = np.divide(units * cover_days, count, out=np.zeros_like(units), where=count > 0)
    return np.where(judged, np.maximum(0.0, held - need), 0.0), judged


def _ahead(values: Cells, days: int, cover_days: int) -> Cells:
    """Return for each of the first ``days`` the sum of the ``cover_days`` after it, as far as there are any."""
    summed = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
    first = np.arange(days) + 1
    last = np.minimum(first + cover_days, values.shape[1])
    return np.asarray(summed[:, last] - summed[:, first])


def unneeded_rate(opening: float, stock: ArrayLike, use: ArrayLike) -> float:
    """Return the share of a period's stock that it never needed: the lowest stock over what was there and came in.

    The idle rate of a ledger's month (`operations.stock_rates`), which lowers the next level. It needs no later days,
    and is far below :func:`idle_rate` where stock comes and goes in large lots.

    Parameters
    ----------
    opening : float
        Units before the first day.
    stock, use : array, shape (days,)
        Units at the end of each day, and what was used on it.
    """
    held, used = np.asarray(stock, dtype=np.float64), np.asarray(use, dtype=np.float64)
    came = np.maximum(0.0, np.diff(held, prepend=opening) + used).sum()
    available = opening + came
    return float(min(1.0, held.min() / available)) if available > 0 and len(held) else 0.0


@dataclass(frozen=True, slots=True)
class StockMeasures:
    """How one policy did on one group of series.

    Attributes
    ----------
    wanted_units, short_units : float
        On days with known demand.
    shortage_rate : float or None
        Units short over units wanted; None when nothing was wanted.
    mean_shortage_rate : float or None
        Mean of the rates of the series, so that leaflets by the thousand do not hide ten sample boxes.
    stockout_days_share : float or None
        Share of days with known demand on which something was short.
    idle_rate, mean_idle_rate : float or None
        As :func:`idle_rate`, over all units and as the mean of the series.
    mean_unneeded_rate : float or None
        As :func:`unneeded_rate`, mean of all series and full months of four weeks; None when there is no full month.
    mean_stock_units : float
        At the end of a day, all series together.
    stock_days : float or None
        Stock over the wanted units of a day, mean of the series.
    orders, spoiled_units, moved_units : float
        Orders placed, units that spoiled, and units that other regions sent.
    shortage_cny, holding_cny, order_cny : float
        Cost of what was short, of stock held over a night, and of placing orders.
    """

    wanted_units: float
    short_units: float
    shortage_rate: float | None
    mean_shortage_rate: float | None
    stockout_days_share: float | None
    idle_rate: float | None
    mean_idle_rate: float | None
    mean_unneeded_rate: float | None
    mean_stock_units: float
    stock_days: float | None
    orders: int
    spoiled_units: float
    moved_units: float
    shortage_cny: float
    holding_cny: float
    order_cny: float

    @property
    def cost_cny(self) -> float:
        """All costs together."""
        return self.shortage_cny + self.holding_cny + self.order_cny


def measure(trial: StockTrial, run: StockRun, rows: Sequence[int] | None = None) -> StockMeasures:
    """Return the measures of a run over all series, or over those of ``rows``."""
    pick = np.arange(len(trial.series)) if rows is None else np.asarray(rows, dtype=np.int64)
    wanted = trial.wanted[pick, trial.start : trial.stop]
    known = ~np.isnan(wanted)
    wanted_units = np.where(known, wanted, 0.0).sum(axis=1)
    short = run.short[pick]
    stock = run.stock[pick]
    idle, judged = idle_units(stock, trial.wanted[pick, trial.start :])
    held = np.where(judged, stock, 0.0).sum(axis=1)
    terms = [trial.terms[row] for row in pick]
    orders = (run.ordered[pick] > 0).sum(axis=1)
    daily_use = wanted_units / np.maximum(1, known.sum(axis=1))
    return StockMeasures(
        wanted_units=float(wanted_units.sum()),
        short_units=float(short.sum()),
        shortage_rate=_ratio(short.sum(), wanted_units.sum()),
        mean_shortage_rate=_mean_ratio(short.sum(axis=1), wanted_units),
        stockout_days_share=_ratio((short > 0).sum(), known.sum()),
        idle_rate=_ratio(idle.sum(), held.sum()),
        mean_idle_rate=_mean_ratio(idle.sum(axis=1), held),
        mean_unneeded_rate=_mean_unneeded(trial, run, pick),
        mean_stock_units=float(stock.mean(axis=1).sum()),
        stock_days=_mean_ratio(stock.mean(axis=1), daily_use),
        orders=int(orders.sum()),
        spoiled_units=float(run.spoiled[pick].sum()),
        moved_units=float(np.maximum(run.moved[pick], 0.0).sum()),
        shortage_cny=float(short.sum(axis=1) @ [each.order.shortage_cost for each in terms]),
        holding_cny=float(stock.sum(axis=1) @ [each.holding_cny_per_day for each in terms]),
        order_cny=float(orders @ [each.order_cny for each in terms]),
    )


def measure_groups(trial: StockTrial, run: StockRun, by: str) -> Mapping[str, StockMeasures]:
    """Return the measures of a run by ``region`` or ``item``, in the order of their names."""
    names = [getattr(key, by) for key in trial.series]
    return {
        name: measure(trial, run, [row for row, own in enumerate(names) if own == name]) for name in sorted(set(names))
    }


def _mean_unneeded(trial: StockTrial, run: StockRun, pick: NDArray[np.int64]) -> float | None:
    rates = []
    for row in pick:
        for first in range(0, trial.days - MONTH_DAYS + 1, MONTH_DAYS):
            month = slice(first, first + MONTH_DAYS)
            opening = float(run.stock[row, first - 1] if first else trial.opening[row])
            rates.append(unneeded_rate(opening, run.stock[row, month], run.used[row, month]))
    return float(np.mean(rates)) if rates else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _mean_ratio(parts: Cells, wholes: Cells) -> float | None:
    some = wholes > 0
    return float((parts[some] / wholes[some]).mean()) if some.any() else None
