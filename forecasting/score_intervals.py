"""How sure measures of accuracy are: intervals from drawing the origins again.

Neighbouring origins share days and weather, so that whole blocks of them are drawn (circular block bootstrap, Politis &
Romano 1992); all methods see the same draws, so that the interval of an improvement is of the difference, not of two
independent measurements. Percentiles of few blocks give intervals that are too narrow; the tails are taken further out
by what the t distribution asks for (expanded percentile interval, Hesterberg 2015), with blocks for observations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.history import Cells, Index
from forecasting.scores import Draws, Scales, Scored, measure, nested, resampled

Interval = list[float] | None
COMPARED = ("mase", "pinball_0.9", "interval_score")
"""Measures whose improvement over a rival is told."""


@dataclass(frozen=True, slots=True)
class IntervalSettings:
    """How intervals are found.

    Attributes
    ----------
    level : float
        Share of draws inside, in 0 … 1.
    resamples : int
        Draws of the origins.
    least_origins : int
        With fewer origins there is no interval: the bootstrap of a handful gives one that is much too narrow.
    seed : int
        Of the draws: the same forecasts give the same intervals.
    """

    level: float = 0.95
    resamples: int = 2000
    least_origins: int = 8
    seed: int = 0


@dataclass(frozen=True, slots=True)
class OriginDraws:
    """The origins of a backtest, drawn many times.

    Attributes
    ----------
    columns : int array, shape (origins,)
        Columns of the origins, ascending.
    counts : float array, shape (draws, origins)
        How often each origin is in each draw; no draws when there are too few origins.
    tail : float
        Share of draws beyond each bound of an interval.
    """

    columns: Index
    counts: Draws
    tail: float

    @classmethod
    def of(cls, columns: Sequence[int], horizon: int, settings: IntervalSettings | None = None) -> OriginDraws:
        """Draw blocks of neighbouring ``columns``: as long as targets overlap, and at least their cube root."""
        settings = settings or IntervalSettings()
        number = len(columns)
        if number < settings.least_origins:
            return cls(np.array(columns, dtype=np.int64), np.zeros((0, number)), 0.0)
        apart = max(1, int(np.diff(columns).min()))
        block = min(number, max(-(-horizon // apart), round(float(np.cbrt(number)))))
        rng = np.random.default_rng(settings.seed)
        starts = rng.integers(0, number, size=(settings.resamples, -(-number // block)))
        places = ((starts[:, :, None] + np.arange(block)) % number).reshape(settings.resamples, -1)[:, :number]
        cell = np.arange(settings.resamples)[:, None] * number + places
        counts = np.bincount(cell.ravel(), minlength=settings.resamples * number).reshape(-1, number)
        tail = _expanded_tail(settings.level, number / block)
        return cls(np.array(columns, dtype=np.int64), counts.astype(np.float64), tail)

    def measures(self, scored: Scored, scales: Scales) -> dict[str, Cells]:
        """Return each measure in each draw, shape (draws,), by the names of :func:`scores.resampled`."""
        return resampled(scored, scales, np.searchsorted(self.columns, scored.origin), self.counts)

    def interval(self, values: Cells) -> Interval:
        """Return where ``values``, one a draw, lie; ``None`` without any."""
        known = values[np.isfinite(values)]
        if not len(known):
            return None
        return [float(bound) for bound in np.quantile(known, (self.tail, 1.0 - self.tail))]


def _expanded_tail(level: float, blocks: float) -> float:
    from scipy.stats import norm, t

    if blocks <= 1.0:
        return 0.0
    distance = t.ppf((1.0 - level) / 2.0, blocks - 1.0) * np.sqrt(blocks / (blocks - 1.0))
    return float(norm.cdf(distance))


def measure_surely(scored: Scored, scales: Scales, draws: OriginDraws) -> dict[str, Any]:
    """Return the measures of ``scored`` with ``intervals``: the same names, each with its bounds or ``None``."""
    drawn = draws.measures(scored, scales)
    bounds = {name: draws.interval(values) for name, values in drawn.items()}
    return {**measure(scored, scales), "intervals": nested(bounds)}


def measure_parts(
    scored: Scored, scales: Scales, draws: OriginDraws, groups: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the measures of all rows, of each number of days ahead, and of each group.

    Parameters
    ----------
    groups : sequence of str, optional
        Group of each row of the panel.

    Returns
    -------
    dict
        As :func:`measure_surely`, with ``by_horizon`` and, when asked for, ``by_group``.
    """
    found = measure_surely(scored, scales, draws)
    ahead = {str(day): scored.ahead == day for day in np.unique(scored.ahead)}
    found["by_horizon"] = {name: measure_surely(scored.take(rows), scales, draws) for name, rows in ahead.items()}
    if groups is not None:
        of_row = np.array(groups, dtype=object)[scored.series]
        picks = {str(name): of_row == name for name in sorted(set(groups))}
        found["by_group"] = {
            name: measure_surely(scored.take(rows), scales, draws) for name, rows in picks.items() if rows.any()
        }
    return found


def improvement(model: Scored, rival: Scored, scales: Scales, draws: OriginDraws) -> dict[str, Any]:
    """Return by which share the model's losses lie below the rival's, with intervals.

    Returns
    -------
    dict
        ``mase``, ``pinball_0.9`` and ``interval_score``, each 1 − model over rival (``None`` where one is unknown or
        the rival's is zero), and ``intervals`` of the same names.
    """
    once = np.ones((1, 1))

    def better(find: Callable[[Scored], dict[str, Cells]]) -> dict[str, Cells]:
        ours, theirs = find(model), find(rival)
        return {name: 1.0 - ours[name] / np.where(theirs[name] > 0, theirs[name], np.nan) for name in COMPARED}

    shares = better(lambda scored: resampled(scored, scales, np.zeros_like(scored.origin), once))
    drawn = better(lambda scored: draws.measures(scored, scales))
    found: dict[str, Any] = {
        name: float(values[0]) if np.isfinite(values[0]) else None for name, values in shares.items()
    }
    found["intervals"] = {name: draws.interval(values) for name, values in drawn.items()}
    return found
