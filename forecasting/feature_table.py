"""Features of any rows of a large panel, made in blocks of series so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from forecasting.calendar import Calendar
from forecasting.features import Codes, Matrix, Rows, SeriesFeatures
from forecasting.history import Cells
from forecasting.panel import Panel
from forecasting.similar_series import pooled_levels
from forecasting.task_runner import HERE, TaskRunner

BLOCK_CELLS = 600_000
"""Series times days whose features are made at a time: about 200 MB."""


@dataclass(frozen=True, slots=True)
class Described:
    """Rows with what the model reads and what it is to learn.

    Attributes
    ----------
    rows : Rows
        Which forecasts.
    features : float32 array, shape (rows, features)
        NaN where not known.
    level : float array, shape (rows,)
        Trailing level in units, by which demand is divided.
    target : float array, shape (rows,)
        Demand over level on the target day; NaN where not known.
    """

    rows: Rows
    features: Matrix
    level: Cells
    target: Cells

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Described:
        """Return the rows picked by ``index``."""
        return Described(self.rows.take(index), self.features[index], self.level[index], self.target[index])

    def columns(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Described:
        """Return the rows with only the features picked by ``index``."""
        return replace(self, features=self.features[:, index])


class FeatureTable:
    """All that is needed to describe rows of a panel.

    Parameters
    ----------
    panel : Panel
        Demand, reaching to the last target day.
    calendar : Calendar
        Of the panel's days.
    codes : Codes
        Numbers of the keys.
    floor : float
        Smallest level, in units.
    similar_items : mapping of str to str, optional
        Items without history that borrow from another one.
    pool : bool
        Whether series lean on similar ones; not needed where all of them have a history.
    """

    def __init__(
        self,
        panel: Panel,
        calendar: Calendar,
        *,
        codes: Codes,
        floor: float,
        similar_items: Mapping[str, str] | None = None,
        pool: bool = True,
    ) -> None:
        self.panel = panel
        self._calendar, self._codes, self._floor = calendar, codes, floor
        self._pooled = pooled_levels(panel, similar_items) if pool else None

    def names(self) -> tuple[str, ...]:
        """Return all feature names, in the order of the columns of :meth:`describe`."""
        return self._block(slice(0, 1)).features().names()

    def describe(self, rows: Rows, names: Sequence[str] | None = None, runner: TaskRunner = HERE) -> Described:
        """Return ``rows`` with their features, levels and targets, in the same order.

        Parameters
        ----------
        rows : Rows
            Forecasts to describe.
        names : sequence of str, optional
            Columns wanted; all by default.
        runner : TaskRunner
            Where the blocks are worked on.
        """
        names = self.names() if names is None else tuple(names)
        found = Described(
            rows, np.empty((len(rows), len(names)), dtype=np.float32), np.empty(len(rows)), np.empty(len(rows))
        )
        size = max(1, BLOCK_CELLS // max(1, self.panel.days))
        order = np.argsort(rows.series, kind="stable")
        edges = np.searchsorted(rows.series[order], np.arange(0, len(self.panel.series) + size, size))
        picked, tasks = [], []
        for number, (begin, end) in enumerate(pairwise(edges)):
            if begin == end:
                continue
            index = order[begin:end]
            start = number * size
            own = replace(rows.take(index), series=rows.series[index] - start)
            picked.append(index)
            tasks.append((self._block(slice(start, start + size)), own, names))
        for index, (features, level, target) in zip(picked, runner.run(describe_block, tasks), strict=True):
            found.features[index], found.level[index], found.target[index] = features, level, target
        return found

    def _block(self, series: slice) -> Block:
        panel = self.panel.pick(series)
        pooled = self._pooled.of(panel.series) if self._pooled else None
        return Block(panel, self._calendar, self._codes, self._floor, pooled)


@dataclass(frozen=True, slots=True)
class Block:
    """Some series with all that their features need; small enough to be sent to another machine."""

    panel: Panel
    calendar: Calendar
    codes: Codes
    floor: float
    pooled: Cells | None

    def features(self) -> SeriesFeatures:
        """Return the prepared features."""
        return SeriesFeatures(self.panel, self.calendar, codes=self.codes, floor=self.floor, pooled=self.pooled)


def describe_block(block: Block, rows: Rows, names: Sequence[str]) -> tuple[Matrix, Cells, Cells]:
    """Return features, levels and targets of rows of one block."""
    features = block.features()
    return features.build(rows, names), features.levels(rows), features.targets(rows)
