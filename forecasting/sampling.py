"""Which past forecasts a model is trained and calibrated on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasting.features import Rows
from forecasting.panel import Panel

_LISTED_PAIRS = 4_000_000
"""Up to this many (series, origin) are listed and drawn from without repetition; beyond, places are drawn at once."""
_FIRST_ORIGIN = 7


def forecasts_from(series: NDArray[np.int64], origin: NDArray[np.int64], horizon: int) -> Rows:
    """Return the rows of whole forecasts, the days of one forecast next to each other."""
    ahead = np.tile(np.arange(1, horizon + 1), len(series))
    return Rows(np.repeat(series, horizon), np.repeat(origin, horizon), ahead)


def sample_forecasts(panel: Panel, *, last: int, forecasts: int, horizon: int, seed: tuple[int, int]) -> Rows:
    """Draw whole forecasts of series that had begun by their origin and whose targets lie at or before ``last``.

    Parameters
    ----------
    panel : Panel
        Demand.
    last : int
        Last column that may be a target.
    forecasts : int
        How many are wanted; fewer when there are fewer.
    horizon : int
        Days ahead.
    seed : (int, int)
        Of the sample.
    """
    rng = np.random.default_rng(seed)
    number, origins = len(panel.series), np.arange(_FIRST_ORIGIN, last - horizon + 1)
    begun = first_known(panel)
    if not len(origins):
        return forecasts_from(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), horizon)
    if number * len(origins) <= _LISTED_PAIRS:
        series, origin = (axis.ravel() for axis in np.meshgrid(np.arange(number), origins, indexing="ij"))
    else:
        series, origin = rng.integers(0, number, 4 * forecasts), rng.choice(origins, 4 * forecasts)
    usable = begun[series] <= origin
    usable &= ~np.isnan(panel.quantity[series, origin + 1]) | ~np.isnan(panel.quantity[series, origin + horizon])
    index = np.flatnonzero(usable)
    if len(index) > forecasts:
        index = np.sort(rng.choice(index, forecasts, replace=False))
    return forecasts_from(series[index], origin[index], horizon)


def held_out_forecasts(panel: Panel, *, cut: int, last: int, forecasts: int, horizon: int) -> Rows:
    """Return whole forecasts made at or after ``cut`` whose days have come by ``last``, thinned by origin evenly.

    On panels of so many series that fewer than eight origins would remain, series are thinned instead.
    """
    begun = first_known(panel)
    origins = np.arange(max(cut, 0), last - horizon + 1)
    number = len(panel.series)
    most = max(8, forecasts // number)
    if len(origins) > most:
        origins = origins[np.unique(np.linspace(0, len(origins) - 1, most).astype(np.int64))]
    series, origin = (axis.ravel() for axis in np.meshgrid(np.arange(number), origins, indexing="ij"))
    usable = np.flatnonzero(begun[series] <= origin)
    if len(usable) > forecasts:
        usable = np.sort(np.random.default_rng(0).choice(usable, forecasts, replace=False))
    return forecasts_from(series[usable], origin[usable], horizon)


def first_known(panel: Panel) -> NDArray[np.int64]:
    """Return the column of each series' first known quantity; the number of days where there is none."""
    known = ~np.isnan(panel.quantity)
    return np.where(known.any(axis=1), known.argmax(axis=1), panel.days)
