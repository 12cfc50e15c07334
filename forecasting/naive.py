"""Seasonal naive: the same weekday of last week, with the quantiles of its own past errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasting.history import Cells
from forecasting.scores import SCORED_QUANTILES, Scored

_WEEKS_BACK = 8
_ERROR_DAYS = 364


def seasonal_naive(quantity: Cells, origin: int, horizon: int) -> Cells:
    """Return the forecast for ``origin`` + 1 … ``horizon``, shape (series, horizon).

    The latest known same weekday of the last eight weeks is taken; NaN where there is none.
    """
    forecast = np.full((quantity.shape[0], horizon), np.nan)
    for ahead in range(1, horizon + 1):
        first = origin + ahead - 7 * -(-ahead // 7)
        for column in range(first, max(-1, first - 7 * _WEEKS_BACK), -7):
            unknown = np.isnan(forecast[:, ahead - 1])
            forecast[unknown, ahead - 1] = quantity[unknown, column]
    return forecast


def score_naive(quantity: Cells, origin: int, horizon: int) -> Scored:
    """Return seasonal naive next to what came after column ``origin``; its bands come from the year before it."""
    point = seasonal_naive(quantity, origin, horizon)
    past = quantity[:, max(0, origin + 1 - _ERROR_DAYS) : origin + 1]
    offsets = _error_quantiles(past[:, 7:] - past[:, :-7]) if past.shape[1] > 7 else np.zeros((3, len(past)))
    series, ahead = _grid(quantity.shape[0], horizon)
    flat = point.ravel()
    quantiles = {
        quantile: np.maximum(flat + offsets[place][series], 0.0) for place, quantile in enumerate(SCORED_QUANTILES)
    }
    actual = quantity[:, origin + 1 : origin + 1 + horizon].ravel()
    return Scored(series, ahead, actual, flat, quantiles)


def _error_quantiles(errors: Cells) -> Cells:
    """Return the quantiles of each series' errors, shape (quantiles, series); 0 where no error is known."""
    offsets = np.zeros((len(SCORED_QUANTILES), len(errors)))
    for row, values in enumerate(errors):
        known = values[~np.isnan(values)]
        if len(known):
            offsets[:, row] = np.quantile(known, SCORED_QUANTILES)
    return offsets


def _grid(number: int, horizon: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.repeat(np.arange(number), horizon), np.tile(np.arange(1, horizon + 1), number)
