"""Measures of forecast accuracy (definitions: Hyndman & Koehler 2006; Makridakis et al. 2022, M5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.history import Cells

SCORED_QUANTILES = (0.1, 0.5, 0.9)


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
    series, ahead : int array
        Row of the panel and days ahead.
    actual, point : float array
        Demand and point forecast, in units.
    quantiles : mapping of float to float array
        Forecast at 0.1, 0.5 and 0.9.
    """

    series: NDArray[np.int64]
    ahead: NDArray[np.int64]
    actual: Cells
    point: Cells
    quantiles: Mapping[float, Cells]

    def take(self, index: NDArray[np.bool_]) -> Scored:
        """Return the rows picked by ``index``."""
        quantiles = {quantile: values[index] for quantile, values in self.quantiles.items()}
        return Scored(self.series[index], self.ahead[index], self.actual[index], self.point[index], quantiles)


def measure(scored: Scored, scales: Scales) -> dict[str, Any]:
    """Return all measures of ``scored``.

    Returns
    -------
    dict
        ``mase`` and ``rmsse`` (scaled per series, then averaged: over rows and over series), ``wape`` (sum of absolute
        errors over demand), ``bias`` (sum of forecast minus demand over demand; positive is too high), ``pinball``
        (mean loss at each quantile, in the unit of ``mase``), ``coverage80`` (share of days inside 0.1 … 0.9, bounds
        included), ``rows``. ``None`` where nothing can be measured.
    """
    error = scored.point - scored.actual
    scale = scales.absolute[scored.series]
    demand = float(scored.actual.sum())
    inside = (scored.actual >= scored.quantiles[0.1]) & (scored.actual <= scored.quantiles[0.9])
    pinball = {
        f"{quantile:g}": _mean(_pinball(scored.actual, values, quantile) / scale)
        for quantile, values in scored.quantiles.items()
    }
    return {
        "mase": _mean(np.abs(error) / scale),
        "rmsse": _rmsse(error, scored.series, scales),
        "wape": float(np.abs(error).sum()) / demand if demand > 0 else None,
        "bias": float(error.sum()) / demand if demand > 0 else None,
        "pinball": pinball,
        "coverage80": _mean(inside.astype(np.float64)),
        "rows": len(error),
    }


def measure_by_horizon(scored: Scored, scales: Scales) -> dict[str, Any]:
    """Return the measures of all rows, with ``by_horizon`` holding those of each number of days ahead."""
    by_horizon = {str(ahead): measure(scored.take(scored.ahead == ahead), scales) for ahead in np.unique(scored.ahead)}
    return {**measure(scored, scales), "by_horizon": by_horizon}


def _pinball(actual: Cells, forecast: Cells, quantile: float) -> Cells:
    gap = actual - forecast
    loss: Cells = np.maximum(quantile * gap, (quantile - 1.0) * gap)
    return loss


def _rmsse(error: Cells, series: NDArray[np.int64], scales: Scales) -> float | None:
    count = np.bincount(series, minlength=len(scales.square))
    square = np.bincount(series, np.square(error), minlength=len(scales.square))
    seen = count > 0
    return _mean(np.sqrt(square[seen] / count[seen] / scales.square[seen]))


def _mean(values: Cells) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
