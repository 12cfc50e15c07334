"""Features of one forecast row: a series, the origin it is made on, and how many days ahead it looks.

Everything about demand is read at or before the origin; of the days after it only known-future covariates and the
calendar are read. Quantities are divided by the trailing 28-day level and taken to logarithms, so that one model serves
large and small series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.calendar import Calendar
from forecasting.history import Cells, TrailingSums, days_since, mean_of, trailing_level, weekday_means
from forecasting.panel import Panel

Matrix = NDArray[np.float32]
SOFTENING = 0.1
"""Share of the level that is added before logarithms, so that zeros stay finite."""
EFFECT_DAYS = 728
"""What a covariate did is measured over this many days."""
MEMORY_DAYS = EFFECT_DAYS + 5 * 7
"""Days before the origin that features may read; a longer history changes nothing."""
_WEEKDAY_LAGS = 8
_NEIGHBOURS = (-1, 0, 1)
_REST_NEIGHBOURS = (-7, -1, 1)
CATEGORIES = ("series", "region", "item", "calendar_weekday")


@dataclass(frozen=True, slots=True)
class Rows:
    """Which forecasts are asked for; all arrays have one entry a row.

    Attributes
    ----------
    series : int array
        Row of the panel.
    origin : int array
        Column of the last day whose demand may be read.
    ahead : int array
        Days from the origin to the target, at least 1.
    """

    series: NDArray[np.int64]
    origin: NDArray[np.int64]
    ahead: NDArray[np.int64]

    @property
    def target(self) -> NDArray[np.int64]:
        """Column of the day that is forecast."""
        return self.origin + self.ahead

    def __len__(self) -> int:
        return len(self.series)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Rows:
        """Return the rows picked by ``index``."""
        return Rows(self.series[index], self.origin[index], self.ahead[index])


def soft_log(ratio: Cells) -> Cells:
    """Return the logarithm of a demand ratio, softened so that 0 is finite and 1 becomes 0."""
    softened: Cells = np.log((ratio + SOFTENING) / (1.0 + SOFTENING))
    return softened


def soft_exp(value: Cells) -> Cells:
    """Return the demand ratio whose :func:`soft_log` is ``value``, at least 0."""
    ratio: Cells = np.maximum(np.exp(value) * (1.0 + SOFTENING) - SOFTENING, 0.0)
    return ratio


@dataclass(frozen=True, slots=True)
class Codes:
    """Numbers of the series, regions and items that a model was trained on; others get NaN."""

    series: Mapping[tuple[str, str], int]
    region: Mapping[str, int]
    item: Mapping[str, int]

    @classmethod
    def of(cls, panel: Panel) -> Codes:
        """Return the numbers of the keys of ``panel``."""
        regions = sorted({key.region for key in panel.series})
        items = sorted({key.item for key in panel.series})
        return cls(
            {(key.region, key.item): number for number, key in enumerate(panel.series)},
            {name: number for number, name in enumerate(regions)},
            {name: number for number, name in enumerate(items)},
        )


class SeriesFeatures:
    """Prepares the trailing statistics of some series once and gathers features for any of their rows.

    Parameters
    ----------
    panel : Panel
        Demand of these series; it must reach at least to the last target day for covariates there to be seen.
    calendar : Calendar
        Of the panel's days.
    codes : Codes
        Numbers of the keys.
    floor : float
        Smallest level, in units.
    pooled : float array, shape (series, days), optional
        Level that series with little history of their own lean on, in units.
    """

    def __init__(
        self, panel: Panel, calendar: Calendar, *, codes: Codes, floor: float, pooled: Cells | None = None
    ) -> None:
        self.quantity = panel.quantity
        self._calendar = calendar
        self._covariates = panel.covariates
        self._observed = panel.history_only
        known = ~np.isnan(panel.quantity)
        self._sums = TrailingSums.of(panel.quantity, known)
        self._squares = TrailingSums.of(np.square(panel.quantity), known, counts=self._sums.known)
        self._zeros = TrailingSums.of((panel.quantity == 0).astype(np.float64), known, counts=self._sums.known)
        self.level = trailing_level(self._sums, pooled, floor=floor)
        self._known_gap = days_since(known, cap=60)
        self._demand_gap = days_since(panel.quantity > 0, cap=60)
        self._codes = {
            "series": _numbers([codes.series.get((key.region, key.item)) for key in panel.series]),
            "region": _numbers([codes.region.get(key.region) for key in panel.series]),
            "item": _numbers([codes.item.get(key.item) for key in panel.series]),
        }
        self._surprise = self._surprises()
        self._effects = {name: _Effect.of(cells, self._surprise) for name, cells in panel.covariates.items()}

    def _surprises(self) -> Cells:
        """Return how far each day's demand lay from the mean of its weekday over the four weeks before it."""
        expected = weekday_means(self.quantity, 4)
        softening = SOFTENING * self.level
        surprise: Cells = np.log((self.quantity + softening) / (expected + softening))
        return surprise

    def known_days(self, rows: Rows, days: int = 364) -> Cells:
        """Return how many of the last ``days`` days before each row's origin, itself included, are known."""
        return self._sums.count_at(rows.series, rows.origin, days)

    def names(self) -> tuple[str, ...]:
        """Return the feature names, in the order of the columns of :meth:`build`."""
        none = Rows(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        return tuple(self._columns(none))

    def build(self, rows: Rows, names: Sequence[str] | None = None) -> Matrix:
        """Return the feature matrix, shape (rows, features); unknown values are NaN.

        Parameters
        ----------
        rows : Rows
            Forecasts to describe.
        names : sequence of str, optional
            Columns wanted, in this order; a name that this panel does not have is all NaN.
        """
        columns = self._columns(rows)
        wanted = list(columns) if names is None else names
        matrix = np.full((len(rows), len(wanted)), np.nan, dtype=np.float32)
        for position, name in enumerate(wanted):
            if name in columns:
                matrix[:, position] = columns[name]
        return matrix

    def levels(self, rows: Rows) -> Cells:
        """Return the level at each row's origin, in units."""
        level: Cells = self.level[rows.series, rows.origin]
        return level

    def targets(self, rows: Rows) -> Cells:
        """Return demand over level on the target day; NaN where it is not known."""
        ratio: Cells = _at(self.quantity, rows.series, rows.target) / self.levels(rows)
        return ratio

    def _columns(self, rows: Rows) -> dict[str, Cells]:
        columns: dict[str, Cells] = {"ahead": rows.ahead.astype(np.float64)}
        columns.update({name: codes[rows.series] for name, codes in self._codes.items()})
        columns.update(self._trailing_columns(rows))
        columns.update(self._lag_columns(rows))
        columns.update(self._calendar_columns(rows))
        columns.update(self._covariate_columns(rows))
        columns.update(self._observed_columns(rows))
        return columns

    def _trailing_columns(self, rows: Rows) -> dict[str, Cells]:
        """Statistics of the origin day: recent means against the level, spread, zeros, how much is known."""
        place, level = (rows.series, rows.origin), self.levels(rows)
        mean = {days: self._sums.mean_at(*place, days) for days in (7, 14, 28, 91, 364)}
        variance = self._squares.mean_at(*place, 28) - np.square(mean[28])
        return {
            **{f"mean_{days}": soft_log(mean[days] / level) for days in (7, 14, 91, 364)},
            "spread_28": np.sqrt(np.maximum(variance, 0.0)) / level,
            "zeros_28": self._zeros.mean_at(*place, 28),
            "zeros_91": self._zeros.mean_at(*place, 91),
            "known_28": self._sums.count_at(*place, 28),
            "known_364": self._sums.count_at(*place, 364),
            "days_since_known": self._known_gap[place].astype(np.float64),
            "days_since_demand": self._demand_gap[place].astype(np.float64),
            "log_level": np.log(level),
        }

    def _lag_columns(self, rows: Rows) -> dict[str, Cells]:
        level = self.levels(rows)
        first = 7 * -(-rows.ahead // 7)  # the nearest same weekday that is already known
        past = np.stack([self._past(rows, rows.target - first - 7 * week) for week in range(_WEEKDAY_LAGS)], axis=0)
        columns = {f"weekday_lag_{week + 1}": soft_log(past[week] / level) for week in range(4)}
        columns["weekday_mean_4"] = soft_log(_mean(past[:4]) / level)
        columns["weekday_mean_8"] = soft_log(_mean(past) / level)
        columns["weekday_zeros_8"] = _mean(np.where(np.isnan(past), np.nan, past == 0))
        for back in range(3):
            columns[f"lag_{back}"] = soft_log(self._past(rows, rows.origin - back) / level)
        surprises = np.stack([_at(self._surprise, rows.series, rows.origin - back) for back in range(7)], axis=0)
        for back in range(3):
            columns[f"surprise_{back}"] = surprises[back]
        columns["surprise_mean_7"] = _mean(surprises)
        return columns

    def _past(self, rows: Rows, column: NDArray[np.int64]) -> Cells:
        return np.where(column <= rows.origin, _at(self.quantity, rows.series, column), np.nan)

    def _calendar_columns(self, rows: Rows) -> dict[str, Cells]:
        columns: dict[str, Cells] = {}
        for name, days in self._calendar.columns.items():
            columns[f"calendar_{name}"] = days[rows.target]
        if "rest_day" in self._calendar.columns:
            rest = self._calendar.columns["rest_day"][None, :]
            for shift in _REST_NEIGHBOURS:
                columns[f"calendar_rest_day{shift:+d}"] = _at(rest, np.zeros_like(rows.series), rows.target + shift)
        return columns

    def _covariate_columns(self, rows: Rows) -> dict[str, Cells]:
        columns: dict[str, Cells] = {}
        expected = np.zeros(len(rows))
        for name, cells in self._covariates.items():
            for shift in (*_NEIGHBOURS, -7):
                columns[f"{name}{shift:+d}"] = _at(cells, rows.series, rows.target + shift)
            effect = self._effects[name].at(rows)
            columns[f"{name}_effect"] = effect
            expected += effect * np.nan_to_num(columns[f"{name}+0"])
        if self._covariates:
            columns["covariates_effect"] = expected
        return columns

    def _observed_columns(self, rows: Rows) -> dict[str, Cells]:
        """Columns that are known up to the origin only: their last value, and how the last week differs from before."""
        columns: dict[str, Cells] = {}
        for name, cells in self._observed.items():
            sums = TrailingSums.of(cells, ~np.isnan(cells))
            week = sums.mean_at(rows.series, rows.origin, 7)
            columns[f"{name}_last"] = _at(cells, rows.series, rows.origin)
            columns[f"{name}_mean_7"] = week
            columns[f"{name}_change"] = week - sums.mean_at(rows.series, rows.origin, 28)
        return columns


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a covariate did to each series so far: slope of surprise on covariate, shrunk towards zero."""

    product: TrailingSums
    square: TrailingSums
    active: TrailingSums

    @classmethod
    def of(cls, cells: Cells, surprise: Cells) -> _Effect:
        value = np.where(np.isnan(cells) | np.isnan(surprise), 0.0, cells)
        always = np.ones(cells.shape, dtype=bool)
        none = np.zeros((0, 0))  # days are not counted: unknown ones add nothing
        product = TrailingSums.of(value * np.nan_to_num(surprise), always, counts=none)
        square = TrailingSums.of(np.square(value), always, counts=none)
        return cls(product, square, TrailingSums.of((value != 0).astype(np.float64), always, counts=none))

    def at(self, rows: Rows) -> Cells:
        """Return the shrunk slope at each row's origin."""
        place = (rows.series, rows.origin, EFFECT_DAYS)
        square, active = self.square.sum_at(*place), self.active.sum_at(*place)
        slope = np.divide(self.product.sum_at(*place), square, out=np.zeros(len(rows)), where=square > 1e-9)
        shrunk: Cells = slope * active / (active + 2.0)
        return shrunk


def _at(cells: Cells, series: NDArray[np.int64], column: NDArray[np.int64]) -> Cells:
    """Return ``cells`` at ``series`` and ``column``; NaN outside the days."""
    inside = (column >= 0) & (column < cells.shape[1])
    picked = cells[series, np.where(inside, column, 0)]
    return np.where(inside, picked, np.nan)


def _numbers(values: Sequence[int | None]) -> Cells:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _mean(stack: Cells) -> Cells:
    """Return the mean over axis 0 of the known values; NaN where none is known."""
    known = ~np.isnan(stack)
    return mean_of(np.where(known, stack, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
