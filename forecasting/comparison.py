"""Whether one forecaster is better than another beyond noise, on the same series and the same days.

Both forecast from the same origins. The loss of a forecast is the mean of its quantile losses at 0.1, 0.5 and 0.9,
times two, over the series' mean lag-7 difference: one number for the middle and the band, from which orders are made,
and smallest in expectation for the true quantiles (Gneiting & Raftery 2007). Losses of one origin are averaged, so that
the difference of the two forecasters is one number for each origin (Diebold & Mariano 1995). Neighbouring origins are
alike, so that whole blocks of them are drawn to find its interval (circular block bootstrap, Politis & Romano 1992).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.forecaster import Forecaster, quantile_column
from forecasting.panel import Panel
from forecasting.scores import SCORED_QUANTILES, Scales

Losses = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """When a difference is beyond noise.

    Attributes
    ----------
    level : float
        Of the two-sided interval, inside 0 … 1.
    least_origins : int
        With fewer origins nothing is said: the bootstrap of a handful gives intervals that are much too narrow.
    resamples : int
        Draws of the bootstrap.
    seed : int
        Of the draws: the same losses give the same interval.
    """

    level: float = 0.95
    least_origins: int = 8
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class OriginLosses:
    """How far a forecaster was off, from each of some origins.

    Attributes
    ----------
    origins : tuple of date
        Last days whose demand was read, ascending.
    losses : float array, shape (origins, series, days ahead)
        Scaled quantile loss; NaN where demand, forecast or scale is unknown.
    """

    origins: tuple[date, ...]
    losses: Losses


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the losses of two forecasters say.

    Attributes
    ----------
    mean_difference : float or None
        Challenger minus champion, in units of the scaled loss: below zero the challenger is better.
    interval : tuple of float or None
        Where it lies beyond noise.
    origins : int
        Origins on which both have losses.
    champion_loss, challenger_loss : float or None
        Their means.
    better, worse : bool
        Whether the whole interval lies below, or above, zero.
    reason : Text
        The same in words.
    """

    mean_difference: float | None
    interval: tuple[float, float] | None
    origins: int
    champion_loss: float | None
    challenger_loss: float | None
    better: bool
    worse: bool
    reason: Text


def losses_of(forecaster: Forecaster, panel: Panel, columns: Sequence[int], scales: Scales) -> OriginLosses:
    """Forecast from the end of each of ``columns`` of ``panel`` and return how far off that was.

    The forecaster must not have been trained on the days after the first of ``columns``.

    Raises
    ------
    InvalidInput
        When it was.
    """
    days = [panel.first_day + timedelta(days=int(column)) for column in columns]
    if days and days[0] < forecaster.learned.trained_until:
        raise InvalidInput.at(
            "/origins",
            f"a forecaster trained until {forecaster.learned.trained_until} cannot be measured from {days[0]}",
            f"模型训练至 {forecaster.learned.trained_until}，不能从 {days[0]} 起衡量",
        )
    horizon = forecaster.learned.config.horizon
    row_of = {tuple(key): row for row, key in enumerate(panel.series)}
    losses = np.full((len(days), len(panel.series), horizon), np.nan)
    known = panel.reach(panel.last_day + timedelta(days=horizon))
    for place, (column, origin) in enumerate(zip(columns, days, strict=True)):
        made = forecaster.predict(panel, origin=origin, quantiles=SCORED_QUANTILES).days
        rows = np.array([row_of[key] for key in zip(made["region"], made["item"], strict=True)], dtype=np.int64)
        ahead = made["h"].to_numpy().astype(np.int64)
        actual = known.quantity[rows, column + ahead]
        loss = np.zeros(len(rows))
        for quantile in SCORED_QUANTILES:
            gap = actual - made[quantile_column(quantile)].to_numpy()
            loss += np.maximum(quantile * gap, (quantile - 1.0) * gap)
        losses[place, rows, ahead - 1] = 2.0 * loss / len(SCORED_QUANTILES) / scales.absolute[rows]
    return OriginLosses(tuple(days), losses)


def compare_errors(
    champion: OriginLosses, challenger: OriginLosses, settings: ComparisonSettings | None = None
) -> Comparison:
    """Say whether the challenger's losses are smaller than the champion's beyond noise.

    Only series and days on which both have a loss count.

    Raises
    ------
    InvalidInput
        When the two do not have the same origins, series and horizon.
    """
    if champion.origins != challenger.origins or champion.losses.shape != challenger.losses.shape:
        raise InvalidInput.at("/origins", "must be the same for both forecasters", "两个模型的起点必须相同")
    settings = settings or ComparisonSettings()
    both = ~np.isnan(champion.losses) & ~np.isnan(challenger.losses)
    used = both.any(axis=(1, 2))
    ours, theirs = (_by_origin(losses, both)[used] for losses in (challenger.losses, champion.losses))
    if len(ours) < settings.least_origins:
        return _too_few(len(ours), settings.least_origins)
    difference = ours - theirs
    low, high = block_bootstrap_interval(difference, settings, block=_block(champion.origins, champion.losses.shape[2]))
    better, worse = high < 0, low > 0
    reason = _in_words(float(ours.mean()), float(theirs.mean()), (low, high), len(ours))
    mean = float(difference.mean())
    return Comparison(mean, (low, high), len(ours), float(theirs.mean()), float(ours.mean()), better, worse, reason)


def block_bootstrap_interval(
    values: Losses, settings: ComparisonSettings | None = None, *, block: int = 1
) -> tuple[float, float]:
    """Return the interval in which the mean of ``values`` lies, which follow one another in time.

    Parameters
    ----------
    values : float array, shape (n,)
        At least one, none NaN.
    block : int
        Values drawn together, at least 1: as many as depend on one another.
    """
    settings = settings or ComparisonSettings()
    number = len(values)
    block = max(1, min(block, number))
    rng = np.random.default_rng(settings.seed)
    starts = rng.integers(0, number, size=(settings.resamples, -(-number // block)))
    places = (starts[:, :, None] + np.arange(block)) % number
    means = values[places.reshape(settings.resamples, -1)[:, :number]].mean(axis=1)
    tail = (1.0 - settings.level) / 2.0
    low, high = np.quantile(means, (tail, 1.0 - tail))
    return float(low), float(high)


def _by_origin(losses: Losses, both: NDArray[np.bool_]) -> Losses:
    count = both.sum(axis=(1, 2))
    total = np.where(both, losses, 0.0).sum(axis=(1, 2))
    mean: Losses = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean


def _block(origins: Sequence[date], horizon: int) -> int:
    """Return how many neighbouring origins depend on one another: they share target days, or a week's weather."""
    apart = min(((b - a).days for a, b in pairwise(origins)), default=1) or 1
    return max(-(-horizon // apart), round(math.cbrt(len(origins))))


def _too_few(found: int, needed: int) -> Comparison:
    reason = Text(
        f"{found} common origins are too few to tell the two models apart ({needed} are needed)",
        f"共同起点仅 {found} 个，不足以区分两个模型（至少需要 {needed} 个）",
    )
    return Comparison(None, None, found, None, None, False, False, reason)


def _in_words(challenger: float, champion: float, interval: tuple[float, float], origins: int) -> Text:
    share = (challenger / champion - 1.0) if champion > 0 else 0.0
    low, high = (bound / champion if champion > 0 else 0.0 for bound in interval)
    figures_en = f"({share:+.1%}, between {low:+.1%} and {high:+.1%}, over {origins} origins)"
    figures_zh = f"（{share:+.1%}，区间 {low:+.1%} 至 {high:+.1%}，共 {origins} 个起点）"
    if interval[1] < 0:
        return Text(
            f"the challenger's losses are smaller beyond noise {figures_en}", f"挑战者的损失显著更小{figures_zh}"
        )
    if interval[0] > 0:
        return Text(
            f"the challenger's losses are larger beyond noise {figures_en}", f"挑战者的损失显著更大{figures_zh}"
        )
    return Text(
        f"the two models cannot be told apart beyond noise {figures_en}", f"两个模型的差异未超出噪声{figures_zh}"
    )
