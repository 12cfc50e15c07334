"""Trailing statistics of demand that skip unknown days: nothing here ever looks forward in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]
LEVEL_DAYS = 28
YEAR_DAYS = 364
_ENOUGH_DAYS = 14


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
    def of(cls, cells: Cells) -> TrailingSums:
        """Prepare the sums of ``cells``; NaN counts as unknown."""
        known = ~np.isnan(cells)
        zero = np.zeros((cells.shape[0], 1))
        return cls(
            np.hstack([zero, np.cumsum(np.where(known, cells, 0.0), axis=1)]),
            np.hstack([zero, np.cumsum(known, axis=1, dtype=np.float64)]),
        )

    def count(self, days: int) -> Cells:
        """Return how many of the last ``days`` days are known, shape (series, days)."""
        return _windowed(self.known, days)

    def sum(self, days: int) -> Cells:
        """Return the sum of the known values of the last ``days`` days, shape (series, days)."""
        return _windowed(self.total, days)

    def mean(self, days: int) -> Cells:
        """Return the mean of the known values of the last ``days`` days; NaN where none is known."""
        count = self.count(days)
        return mean_of(self.sum(days), count)


def mean_of(total: Cells, count: Cells) -> Cells:
    """Return ``total`` over ``count``; NaN where nothing was counted."""
    mean: Cells = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _windowed(cumulative: Cells, days: int) -> Cells:
    ends = cumulative[:, 1:]
    starts = np.zeros_like(ends)
    if days < cumulative.shape[1]:
        starts[:, days:] = cumulative[:, 1:-days]
    window: Cells = ends - starts
    return window


def trailing_level(sums: TrailingSums, items: NDArray[np.int64], *, floor: float) -> Cells:
    """Return the level by which demand is divided: the mean of the last 28 days, floored.

    With fewer than 14 known days the level leans on the series' own mean of the last 364 days, or, while there is less
    than a week of it, on the mean level of the same item elsewhere: a new region starts from its neighbours.

    Parameters
    ----------
    sums : TrailingSums
        Of the quantities.
    items : int array, shape (series,)
        Item of each series.
    floor : float
        Smallest level, in units; positive.
    """
    known = sums.count(LEVEL_DAYS)
    own_year = np.where(sums.count(YEAR_DAYS) >= 7, sums.mean(YEAR_DAYS), np.nan)
    pooled = _pool(sums.mean(LEVEL_DAYS), items)
    fallback = np.where(np.isnan(own_year), pooled, own_year)
    weight = 3.0 * np.clip(1.0 - known / _ENOUGH_DAYS, 0.0, None)
    weight = np.where(np.isnan(fallback), 0.0, weight)
    total = sums.sum(LEVEL_DAYS) + weight * np.nan_to_num(fallback)
    level = mean_of(total, known + weight)
    # A yearly share keeps the level of a dormant series above zero, so that its ratios stay finite.
    floored: Cells = np.fmax(np.fmax(level, 0.1 * np.nan_to_num(own_year)), floor)
    return floored


def _pool(level: Cells, items: NDArray[np.int64]) -> Cells:
    """Return for each series the mean level of its item over all regions, or of everything when the item is new."""
    known = ~np.isnan(level)
    values = np.where(known, level, 0.0)
    number = int(items.max()) + 1
    total, count = np.zeros((number, level.shape[1])), np.zeros((number, level.shape[1]))
    np.add.at(total, items, values)
    np.add.at(count, items, known)
    by_item = mean_of(total, count)
    all_count = known.sum(axis=0)
    overall = mean_of(values.sum(axis=0), all_count.astype(np.float64))
    pooled: Cells = np.where(np.isnan(by_item), overall[None, :], by_item)[items]
    return pooled


def days_since(marked: NDArray[np.bool_], *, cap: int) -> Cells:
    """Return for each day the days since the last marked one, at most ``cap``."""
    index = np.arange(marked.shape[1])
    last = np.maximum.accumulate(np.where(marked, index, -cap - 1), axis=1)
    distance: Cells = np.minimum(index - last, cap).astype(np.float64)
    return distance


def weekday_means(quantity: Cells, weeks: int) -> Cells:
    """Return the mean of the same weekday in the ``weeks`` weeks before each day; the day itself is not in it."""
    shape = quantity.shape
    total, count = np.zeros(shape), np.zeros(shape)
    for week in range(1, weeks + 1):
        shift = 7 * week
        if shift >= shape[1]:
            break
        past = quantity[:, :-shift]
        known = ~np.isnan(past)
        total[:, shift:] += np.where(known, past, 0.0)
        count[:, shift:] += known
    return mean_of(total, count)
