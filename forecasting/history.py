"""Trailing statistics of demand that skip unknown days: nothing here ever looks forward in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]
Index = NDArray[np.int64]
LEVEL_DAYS = 28
YEAR_DAYS = 364
_ENOUGH_DAYS = 14
_LEAN_DAYS = 3.0
"""Days that the fallback counts for in a level without any known day of its own."""


@dataclass(frozen=True, slots=True)
class TrailingSums:
    """Sums of known values over the days up to and including each day.

    Attributes
    ----------
    total, known : float arrays, shape (series, days + 1)
        Cumulative sum and number of known values before each day.
    """

    total: Cells
    known: Cells

    @classmethod
    def of(cls, cells: Cells, known: NDArray[np.bool_], *, counts: Cells | None = None) -> TrailingSums:
        """Prepare the sums of ``cells`` where ``known``; ``counts`` are those of other sums over the same days."""
        return cls(_before(np.where(known, cells, 0.0)), _before(known) if counts is None else counts)

    def count(self, days: int) -> Cells:
        """Return how many of the last ``days`` days are known, shape (series, days)."""
        return _windowed(self.known, days)

    def sum(self, days: int) -> Cells:
        """Return the sum of the known values of the last ``days`` days, shape (series, days)."""
        return _windowed(self.total, days)

    def mean(self, days: int) -> Cells:
        """Return the mean of the known values of the last ``days`` days; NaN where none is known."""
        return mean_of(self.sum(days), self.count(days))

    def count_at(self, series: Index, column: Index, days: int) -> Cells:
        """Return :meth:`count` at single places."""
        return _window_at(self.known, series, column, days)

    def sum_at(self, series: Index, column: Index, days: int) -> Cells:
        """Return :meth:`sum` at single places."""
        return _window_at(self.total, series, column, days)

    def mean_at(self, series: Index, column: Index, days: int) -> Cells:
        """Return :meth:`mean` at single places."""
        return mean_of(self.sum_at(series, column, days), self.count_at(series, column, days))


def mean_of(total: Cells, count: Cells) -> Cells:
    """Return ``total`` over ``count``; NaN where nothing was counted."""
    mean: Cells = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _before(values: Cells | NDArray[np.bool_]) -> Cells:
    cumulative = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=cumulative[:, 1:])
    return cumulative


def _windowed(cumulative: Cells, days: int) -> Cells:
    window = cumulative[:, 1:].copy()
    if days < cumulative.shape[1]:
        window[:, days:] -= cumulative[:, 1:-days]
    return window


def _window_at(cumulative: Cells, series: Index, column: Index, days: int) -> Cells:
    window: Cells = cumulative[series, column + 1] - cumulative[series, np.maximum(column + 1 - days, 0)]
    return window


def trailing_level(sums: TrailingSums, pooled: Cells | None, *, floor: float) -> Cells:
    """Return the level by which demand is divided: the mean of the last 28 days, floored.

    With fewer than 14 known days the level leans on the series' own mean of the last 364 days, or, while there is less
    than a week of it, on ``pooled``: a new region starts from its neighbours.

    Parameters
    ----------
    sums : TrailingSums
        Of the quantities.
    pooled : float array, shape (series, days), optional
        What similar series suggest (:func:`forecasting.similar_series.pooled_levels`).
    floor : float
        Smallest level, in units; positive.
    """
    known = sums.count(LEVEL_DAYS)
    own_year = np.where(sums.count(YEAR_DAYS) >= 7, sums.mean(YEAR_DAYS), np.nan)
    fallback = own_year if pooled is None else np.where(np.isnan(own_year), pooled, own_year)
    weight = _LEAN_DAYS * np.clip(1.0 - known / _ENOUGH_DAYS, 0.0, None)
    weight[np.isnan(fallback)] = 0.0
    level = mean_of(sums.sum(LEVEL_DAYS) + weight * np.nan_to_num(fallback), known + weight)
    # A yearly share keeps the level of a dormant series above zero, so that its ratios stay finite.
    floored: Cells = np.fmax(np.fmax(level, 0.1 * np.nan_to_num(own_year)), floor)
    return floored


def days_since(marked: NDArray[np.bool_], *, cap: int) -> NDArray[np.int32]:
    """Return for each day the days since the last marked one, at most ``cap``."""
    index = np.arange(marked.shape[1], dtype=np.int32)
    last = np.maximum.accumulate(np.where(marked, index, np.int32(-cap - 1)), axis=1)
    distance: NDArray[np.int32] = np.minimum(index - last, cap)
    return distance


def weekday_means(quantity: Cells, weeks: int) -> Cells:
    """Return the mean of the same weekday in the ``weeks`` weeks before each day; the day itself is not in it."""
    known = ~np.isnan(quantity)
    filled = np.where(known, quantity, 0.0)
    total, count = np.zeros(quantity.shape), np.zeros(quantity.shape)
    for week in range(1, weeks + 1):
        shift = 7 * week
        if shift >= quantity.shape[1]:
            break
        total[:, shift:] += filled[:, :-shift]
        count[:, shift:] += known[:, :-shift]
    return mean_of(total, count)
