"""Measures of forecast accuracy.

Definitions: Hyndman & Koehler 2006 (MASE); Makridakis et al. 2022, M5 (RMSSE); Gneiting & Raftery 2007 (pinball loss,
and the interval score, which is Winkler's of 1972).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.history import Cells, Index

SCORED_QUANTILES = (0.1, 0.5, 0.9)
_MISSED_SHARE = 0.2
"""What a band from 0.1 to 0.9 leaves out."""
_SERIES_AT_ONCE = 256

Draws = NDArray[np.float64]
Parts = Mapping[str, tuple[Cells, Cells]]


@dataclass(frozen=True, slots=True)
class Scales:
    """What errors of each series are divided by: its lag-7 differences before the first origin.

    Attributes
    ----------
    absolute, square : float arrays, shape (series,)
        Mean absolute and mean squared difference to the same weekday a week before; NaN where no pair of days is known
        or all differences are zero (such series have no scaled error).
    """

    absolute: Cells
    square: Cells

    @classmethod
    def of(cls, quantity: Cells) -> Scales:
        """Measure the scales on in-sample ``quantity``, shape (series, days)."""
        change = quantity[:, 7:] - quantity[:, :-7]
        known = ~np.isnan(change)
        count = known.sum(axis=1)
        filled = np.where(known, change, 0.0)
        absolute = np.divide(np.abs(filled).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
        square = np.divide(np.square(filled).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
        return cls(np.where(absolute > 0, absolute, np.nan), np.where(square > 0, square, np.nan))


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts next to what came; all arrays have one entry a row.

    Attributes
    ----------
    origin, series, ahead : int array
        Column of the origin, row of the panel, and days ahead.
    actual, point : float array
        Demand and point forecast, in units.
    quantiles : mapping of float to float array
        Forecast at 0.1, 0.5 and 0.9; NaN where a method gives none.
    """

    origin: Index
    series: Index
    ahead: Index
    actual: Cells
    point: Cells
    quantiles: Mapping[float, Cells]

    def take(self, index: NDArray[np.bool_]) -> Scored:
        """Return the rows picked by ``index``."""
        quantiles = {quantile: values[index] for quantile, values in self.quantiles.items()}
        origin, series, ahead = self.origin[index], self.series[index], self.ahead[index]
        return Scored(origin, series, ahead, self.actual[index], self.point[index], quantiles)

    @classmethod
    def joined(cls, parts: list[Scored]) -> Scored:
        """Return the rows of all ``parts``, at least one, one after another."""

        def whole(name: str) -> Any:
            return np.concatenate([getattr(part, name) for part in parts])

        quantiles = {q: np.concatenate([part.quantiles[q] for part in parts]) for q in SCORED_QUANTILES}
        return cls(whole("origin"), whole("series"), whole("ahead"), whole("actual"), whole("point"), quantiles)


def measure(scored: Scored, scales: Scales) -> dict[str, Any]:
    """Return all measures of ``scored``.

    Returns
    -------
    dict
        ``mase`` and ``rmsse`` (scaled per series, then averaged: over rows and over series), ``wape`` (sum of absolute
        errors over demand), ``bias`` (sum of forecast minus demand over demand; positive is too high), ``pinball``
        (mean loss at each quantile, in the unit of ``mase``), ``coverage80`` (share of days inside 0.1 … 0.9, bounds
        included), ``interval_score`` (width of that band, plus ten times what demand lies outside of it; in the unit
        of ``mase``), ``rows``. ``None`` where nothing can be measured.
    """
    once = np.ones((1, 1))
    drawn = resampled(scored, scales, np.zeros_like(scored.origin), once)
    return {**nested({name: _number(values[0]) for name, values in drawn.items()}), "rows": len(scored.actual)}


def resampled(scored: Scored, scales: Scales, place: Index, draws: Draws) -> dict[str, Cells]:
    """Return each measure for several weightings of the origins.

    Parameters
    ----------
    place : int array, shape (rows,)
        Column of ``draws`` of each row's origin.
    draws : float array, shape (draws, origins)
        How often each origin counts.

    Returns
    -------
    dict of str to float array, shape (draws,)
        By the names of :func:`measure`, with ``pinball_0.9`` and the like; NaN where nothing can be measured.
    """
    found = {"rmsse": _rmsse(scored, scales, place, draws)}
    for name, (numerator, denominator) in _as_ratios(scored, scales).items():
        above, below = (draws @ np.bincount(place, part, draws.shape[1]) for part in (numerator, denominator))
        found[name] = np.divide(above, below, out=np.full(len(draws), np.nan), where=below > 0)
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return measures in the order and form of the published answer: pinball losses by quantile."""
    pinball = {f"{quantile:g}": flat[f"pinball_{quantile:g}"] for quantile in SCORED_QUANTILES}
    first = {name: flat[name] for name in ("mase", "rmsse", "wape", "bias")}
    return {**first, "pinball": pinball, **{name: flat[name] for name in ("coverage80", "interval_score")}}


def _as_ratios(scored: Scored, scales: Scales) -> Parts:
    """Return the measures that are a sum over rows divided by another, with both parts of each row."""
    error, scale = scored.point - scored.actual, scales.absolute[scored.series]
    low, high = scored.quantiles[0.1], scored.quantiles[0.9]
    inside = np.where(np.isnan(low) | np.isnan(high), np.nan, (scored.actual >= low) & (scored.actual <= high))
    outside = np.maximum(low - scored.actual, 0.0) + np.maximum(scored.actual - high, 0.0)
    means = {
        "mase": np.abs(error) / scale,
        "coverage80": inside,
        "interval_score": (high - low + 2.0 / _MISSED_SHARE * outside) / scale,
    }
    for quantile, values in scored.quantiles.items():
        means[f"pinball_{quantile:g}"] = _pinball(scored.actual, values, quantile) / scale
    ratios = {name: _mean_parts(values) for name, values in means.items()}
    return {**ratios, "wape": (np.abs(error), scored.actual), "bias": (error, scored.actual)}


def _mean_parts(values: Cells) -> tuple[Cells, Cells]:
    known = np.isfinite(values)
    return np.where(known, values, 0.0), known.astype(np.float64)


def _pinball(actual: Cells, forecast: Cells, quantile: float) -> Cells:
    gap = actual - forecast
    loss: Cells = np.maximum(quantile * gap, (quantile - 1.0) * gap)
    return loss


def _rmsse(scored: Scored, scales: Scales, place: Index, draws: Draws) -> Cells:
    origins = draws.shape[1]
    names, row_series = np.unique(scored.series, return_inverse=True)
    cell, size = row_series * origins + place, len(names) * origins
    square = np.bincount(cell, np.square(scored.point - scored.actual), size).reshape(-1, origins)
    count = np.bincount(cell, minlength=size).reshape(-1, origins).astype(np.float64)
    total, known = np.zeros(len(draws)), np.zeros(len(draws))
    # In slices of series: all draws of thousands of series at once would fill the memory.
    for first in range(0, len(names), _SERIES_AT_ONCE):
        part = slice(first, first + _SERIES_AT_ONCE)
        above, below = draws @ square[part].T, (draws @ count[part].T) * scales.square[names[part]]
        root = np.sqrt(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))
        total, known = total + np.nansum(root, axis=1), known + (~np.isnan(root)).sum(axis=1)
    mean: Cells = np.divide(total, known, out=np.full(len(draws), np.nan), where=known > 0)
    return mean


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
