"""What similar series suggest for one that has no history yet: the item's level elsewhere times the region's size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecasting.history import LEVEL_DAYS, Cells, TrailingSums, mean_of
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

_BLOCK_CELLS = 1_000_000
_LEAST_DAYS = 7
"""Known days among the last 28 from which on a series tells others of its level."""


@dataclass(frozen=True, slots=True)
class PooledLevels:
    """Levels by item and the size of each region, day by day.

    Attributes
    ----------
    item_level : float array, shape (items, days)
        Mean trailing level of the item over all regions, in units; NaN where no region uses it.
    region_factor : float array, shape (regions, days)
        How much larger the region's levels are than those of the same items elsewhere; 1 where nothing is known.
    items, regions : mapping of str to int
        Rows of the arrays.
    similar_items : mapping of str to str
        Items that borrow from another one while they have no history.
    """

    item_level: Cells
    region_factor: Cells
    items: Mapping[str, int]
    regions: Mapping[str, int]
    similar_items: Mapping[str, str] = field(default_factory=dict)

    def of(self, series: Sequence[SeriesKey]) -> Cells:
        """Return the suggested level of ``series``, shape (series, days); NaN where nothing similar has a history."""
        items = [self.items[self.similar_items.get(key.item, key.item)] for key in series]
        level: Cells = self.item_level[items] * self.region_factor[[self.regions[key.region] for key in series]]
        return level


def pooled_levels(panel: Panel, similar_items: Mapping[str, str] | None = None) -> PooledLevels:
    """Measure the levels by item and the sizes of the regions in ``panel``; each day reads the past only."""
    similar = dict(similar_items or {})
    names = sorted({key.item for key in panel.series} | set(similar.values()))
    items = {name: row for row, name in enumerate(names)}
    regions = {name: row for row, name in enumerate(sorted({key.region for key in panel.series}))}
    item_of = np.array([items[key.item] for key in panel.series], dtype=np.int64)
    region_of = np.array([regions[key.region] for key in panel.series], dtype=np.int64)
    shape = (len(items), panel.days)
    total, count = np.zeros(shape), np.zeros(shape)
    for rows, level, told in _levels(panel):
        _add_by_group(total, item_of[rows], np.where(told, level, 0.0))
        _add_by_group(count, item_of[rows], told)
    item_level = mean_of(total, count)
    surplus, weight = np.zeros((len(regions), panel.days)), np.zeros((len(regions), panel.days))
    for rows, level, told in _levels(panel):
        usual = item_level[item_of[rows]]
        compared = told & (level > 0) & (usual > 0)
        ratio = np.divide(level, usual, out=np.ones_like(level), where=compared)
        _add_by_group(surplus, region_of[rows], np.log(ratio))
        _add_by_group(weight, region_of[rows], compared)
    # One item says little of a region's size: the factor is shrunk as if one more item were of usual size.
    return PooledLevels(item_level, np.exp(surplus / (weight + 1.0)), items, regions, similar)


def _levels(panel: Panel) -> Iterator[tuple[slice, Cells, NDArray[np.bool_]]]:
    """Yield blocks of series with their mean of the last 28 days, and where that rests on enough known days."""
    size = max(1, _BLOCK_CELLS // max(1, panel.days))
    for start in range(0, len(panel.series), size):
        rows = slice(start, start + size)
        quantity = panel.quantity[rows]
        sums = TrailingSums.of(quantity, ~np.isnan(quantity))
        known = sums.count(LEVEL_DAYS)
        yield rows, np.nan_to_num(mean_of(sums.sum(LEVEL_DAYS), known)), known >= _LEAST_DAYS


def _add_by_group(total: Cells, group: NDArray[np.int64], values: Cells | NDArray[np.bool_]) -> None:
    """Add the rows of ``values`` to the rows of ``total`` that ``group`` names."""
    members = np.zeros((len(total), len(group)))
    members[group, np.arange(len(group))] = 1.0
    total += members @ values.astype(np.float64)
