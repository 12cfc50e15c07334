"""The simplest rivals: last week's weekday, and the mean of its last four, with the quantiles of their past errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from forecasting.history import Cells
from forecasting.scores import SCORED_QUANTILES, Scored

_WEEKS_BACK = 8
_MEAN_WEEKS = 4
_ERROR_DAYS = 364


def seasonal_naive(quantity: Cells, origin: int, horizon: int) -> Cells:
    """Return the forecast for ``origin`` + 1 … ``horizon``, shape (series, horizon).

    The latest known same weekday of the last eight weeks is taken; NaN where there is none.
    """
    forecast = np.full((quantity.shape[0], horizon), np.nan)
    for ahead in range(1, horizon + 1):
        first = _last_same_weekday(origin, ahead)
        for column in range(first, max(-1, first - 7 * _WEEKS_BACK), -7):
            unknown = np.isnan(forecast[:, ahead - 1])
            forecast[unknown, ahead - 1] = quantity[unknown, column]
    return forecast


def same_weekday_mean(quantity: Cells, origin: int, horizon: int) -> Cells:
    """Return the forecast for ``origin`` + 1 … ``horizon``, shape (series, horizon).

    The mean of the known ones of the last four same weekdays; where none is known, that of :func:`seasonal_naive`.
    """
    forecast = seasonal_naive(quantity, origin, horizon)
    for ahead in range(1, horizon + 1):
        first = _last_same_weekday(origin, ahead)
        columns = [first - 7 * week for week in range(_MEAN_WEEKS) if first >= 7 * week]
        if not columns:
            continue
        values = quantity[:, columns]
        known = ~np.isnan(values)
        count = known.sum(axis=1)
        use = count > 0
        forecast[use, ahead - 1] = np.where(known, values, 0.0).sum(axis=1)[use] / count[use]
    return forecast


NAIVE_METHODS: Mapping[str, Callable[[Cells, int, int], Cells]] = {
    "seasonal_naive": seasonal_naive,
    "same_weekday_mean": same_weekday_mean,
}


def score_naive(quantity: Cells, origin: int, horizon: int, *, method: str = "seasonal_naive") -> Scored:
    """Return a method of ``NAIVE_METHODS`` next to what came after column ``origin``.

    Its bands come from its errors in the year before the origin.

    Returns
    -------
    Scored
        Series by series, each with the days 1 … ``horizon``.
    """
    point = NAIVE_METHODS[method](quantity, origin, horizon).ravel()
    weeks = 1 if method == "seasonal_naive" else _MEAN_WEEKS
    past = quantity[:, max(0, origin + 1 - _ERROR_DAYS) : origin + 1]
    offsets = _error_quantiles(past - _weekday_means(past, weeks))
    number = quantity.shape[0]
    series, ahead = np.repeat(np.arange(number), horizon), np.tile(np.arange(1, horizon + 1), number)
    quantiles = {
        quantile: np.maximum(point + offsets[place][series], 0.0) for place, quantile in enumerate(SCORED_QUANTILES)
    }
    actual = quantity[:, origin + 1 : origin + 1 + horizon].ravel()
    return Scored(np.full(len(point), origin), series, ahead, actual, point, quantiles)


def _last_same_weekday(origin: int, ahead: int) -> int:
    return origin + ahead - 7 * -(-ahead // 7)


def _weekday_means(past: Cells, weeks: int) -> Cells:
    """Return the mean of the known ones of the last ``weeks`` same weekdays before each day; NaN without any."""
    total, count = np.zeros(past.shape), np.zeros(past.shape)
    for week in range(1, weeks + 1):
        if past.shape[1] <= 7 * week:
            break
        values = past[:, : -7 * week]
        known = ~np.isnan(values)
        total[:, 7 * week :] += np.where(known, values, 0.0)
        count[:, 7 * week :] += known
    mean: Cells = np.divide(total, count, out=np.full(past.shape, np.nan), where=count > 0)
    return mean


def _error_quantiles(errors: Cells) -> Cells:
    """Return the quantiles of each series' errors, shape (quantiles, series); 0 where no error is known."""
    ordered, last = np.sort(errors, axis=1), (~np.isnan(errors)).sum(axis=1) - 1
    rows, offsets = np.arange(len(errors)), np.zeros((len(SCORED_QUANTILES), len(errors)))
    for place, quantile in enumerate(SCORED_QUANTILES):
        position = quantile * np.maximum(last, 0)
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(last, 0))
        share = position - below
        value = ordered[rows, below] * (1.0 - share) + ordered[rows, above] * share
        offsets[place] = np.where(last >= 0, value, 0.0)
    return offsets
