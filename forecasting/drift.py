"""Watching a model in use: whether its errors are still the backtest's, and demand still what it was trained on.

Errors are watched by an exponentially weighted moving average of daily figures against control limits (Roberts 1959;
Lucas & Saccucci 1990), which sees small lasting changes sooner than single days would. Inputs are watched by the
population stability index (Siddiqi 2006), whose limit is raised where few days would exceed it by chance
(Yurdakul 2018: it is about chi-squared over the numbers of days).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from common.errors import Text

Days = NDArray[np.float64]
State = Literal["too_few", "stable", "drifting"]
_SPREAD_OF_RANGE = 0.954
"""Median range of two normal values over their standard deviation (Montgomery, Statistical Quality Control)."""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """When errors or inputs have drifted.

    Attributes
    ----------
    window_days : int
        Days over which the figures are shown, and recent inputs are taken.
    least_days : int
        With fewer days nothing is said.
    weight : float
        Of the newest day in the moving average, inside 0 … 1.
    sigmas : float
        Width of the control limits.
    lasting_days : int
        Days running beyond the limit after which it counts: one festival is no drift.
    wape_margin, bias_margin, coverage_margin : float
        What does not matter even when it is beyond noise: WAPE as a share of the backtest's, bias and coverage as they
        are.
    psi_limit : float
        Index from which on inputs count as changed; 0.25 is the usual limit.
    """

    window_days: int = 28
    least_days: int = 14
    weight: float = 0.15
    sigmas: float = 3.0
    lasting_days: int = 3
    wape_margin: float = 0.15
    bias_margin: float = 0.05
    coverage_margin: float = 0.08
    psi_limit: float = 0.25


@dataclass(frozen=True, slots=True)
class DailyErrors:
    """Errors of stored forecasts whose days have come, summed by day; all arrays have one entry a day, ascending.

    Attributes
    ----------
    absolute, error : float array
        Sums of absolute errors and of errors (forecast minus demand), in units.
    demand : float array
        What was used, in units.
    inside, rows : float array
        Forecasts whose day fell into the 80 % band, and all forecasts.
    """

    absolute: Days
    error: Days
    demand: Days
    inside: Days
    rows: Days

    def __len__(self) -> int:
        return len(self.rows)

    def last(self, days: int) -> DailyErrors:
        """Return the newest ``days``."""
        names = ("absolute", "error", "demand", "inside", "rows")
        return DailyErrors(*(getattr(self, name)[-days:] for name in names))


@dataclass(frozen=True, slots=True)
class ErrorLevel:
    """Share of demand that is missed (WAPE), that is forecast too much (bias), and of days inside the 80 % band.

    None where it cannot be told.
    """

    wape: float | None
    bias: float | None
    coverage80: float | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure that is watched.

    Attributes
    ----------
    name : str
        ``wape``, ``bias``, ``coverage80``, ``level`` or ``weekday_mix``.
    value, expected, limit : float
        The figure now (for errors their moving average), what it should be, and the limit on the side where it lies.
    drifting : bool
        Whether it has been beyond the limit long enough.
    reason : Text
        The same in words.
    """

    name: str
    value: float
    expected: float
    limit: float
    drifting: bool
    reason: Text


def error_level(errors: DailyErrors) -> ErrorLevel:
    """Return the figures over all days of ``errors``."""
    demand, rows = float(errors.demand.sum()), float(errors.rows.sum())
    if rows == 0:
        return ErrorLevel(None, None, None)
    inside = float(errors.inside.sum()) / rows
    if demand <= 0:
        return ErrorLevel(None, None, inside)
    return ErrorLevel(float(errors.absolute.sum()) / demand, float(errors.error.sum()) / demand, inside)


def watch_errors(
    errors: DailyErrors, expected: ErrorLevel, settings: MonitorSettings | None = None
) -> tuple[State, tuple[Signal, ...]]:
    """Compare lived errors with the backtest's.

    Parameters
    ----------
    errors : DailyErrors
        The days to look at, the older ones too: the noise is estimated from all of them.
    expected : ErrorLevel
        Of the backtest; a figure that it lacks is not watched.

    Returns
    -------
    tuple
        ``too_few`` with fewer days than the settings ask for; ``drifting`` when a figure has left its limits for the
        worse, and not come half of the way back since; a signal for each figure watched.
    """
    settings = settings or MonitorSettings()
    use = (errors.demand > 0) & (errors.rows > 0)
    if int(use.sum()) < settings.least_days:
        return "too_few", ()
    demand, rows = errors.demand[use], errors.rows[use]
    wape_margin = (expected.wape or 0.0) * settings.wape_margin
    watched = (
        ("wape", errors.absolute[use], demand, expected.wape, wape_margin),
        ("bias", errors.error[use], demand, expected.bias, settings.bias_margin),
        ("coverage80", errors.inside[use], rows, expected.coverage80, settings.coverage_margin),
    )
    signals = tuple(
        # Days weigh by their demand (or forecasts), as in the figures of the backtest: a quiet day is no bad day.
        _signal(name, (part - level * whole) / float(whole.mean()), level, margin, settings)
        for name, part, whole, level, margin in watched
        if level is not None
    )
    return ("drifting" if any(signal.drifting for signal in signals) else "stable"), signals


def _signal(name: str, excess: Days, expected: float, margin: float, settings: MonitorSettings) -> Signal:
    """Return the signal of a figure from what each day has of it beyond what was expected."""
    # The range between neighbours stays small when the level moves; the plain deviation would grow with it.
    noise = float(np.median(np.abs(np.diff(excess)))) / _SPREAD_OF_RANGE
    # A festival or a mistyped day counts as a bad day, not for the ten that it is as bad as.
    most = max(settings.sigmas * noise, margin)
    distance = _moving_average(np.clip(excess, -most, most), settings.weight)
    share = settings.weight / (2.0 - settings.weight)
    grown = 1.0 - (1.0 - settings.weight) ** (2.0 * np.arange(1, len(excess) + 1))
    width = np.maximum(settings.sigmas * noise * np.sqrt(share * grown), margin)
    # Better than the backtest is no drift: a smaller error, or a band that holds more often by being wide.
    bad = {"wape": distance, "bias": np.abs(distance), "coverage80": -distance}[name]
    drifting = _left(bad, width, settings.lasting_days)
    sign = {"wape": 1.0, "bias": float(np.sign(distance[-1])) or 1.0, "coverage80": -1.0}[name]
    value, limit = expected + float(distance[-1]), expected + sign * float(width[-1])
    return Signal(name, value, expected, limit, drifting, _in_words(name, value, expected, limit))


def _moving_average(excess: Days, weight: float) -> Days:
    average = np.empty(len(excess))
    now = 0.0
    for place, value in enumerate(excess):
        now = weight * float(value) + (1.0 - weight) * now
        average[place] = now
    return average


def _left(bad: Days, width: Days, lasting_days: int) -> bool:
    """Return whether the limit was left and not half of the way come back: so it does not flap."""
    left, running = False, 0
    for distance, limit in zip(bad, width, strict=True):
        running = running + 1 if distance > limit else 0
        if running >= lasting_days:
            left = True
        elif distance <= limit / 2.0:
            left = False
    return left


def _in_words(name: str, value: float, expected: float, limit: float) -> Text:
    labels = {
        "wape": ("WAPE", "WAPE"),
        "bias": ("bias", "偏差"),
        "coverage80": ("cover of the 80 % band", "80% 区间覆盖率"),
    }
    en, zh = labels[name]
    return Text(
        f"{en} {value:.1%} against {expected:.1%} in the backtest, limit {limit:.1%}",
        f"{zh} {value:.1%}，回测为 {expected:.1%}，控制限 {limit:.1%}",
    )


def population_stability(expected: Sequence[float] | Days, actual: Sequence[float] | Days) -> float:
    """Return the population stability index of two distributions over the same bins.

    Parameters
    ----------
    expected, actual : sequence of float, shape (bins,)
        Counts or shares, none negative, not all zero.

    Returns
    -------
    float
        Sum of (actual − expected) · ln(actual / expected) of the shares; 0 when they are equal, and the same with the
        two exchanged. Empty bins count as half an observation in ten thousand, so that it stays finite.
    """
    shares = [np.asarray(values, dtype=np.float64) for values in (expected, actual)]
    one, other = (np.maximum(values / values.sum(), 5e-5) for values in shares)
    return float(((other / other.sum() - one / one.sum()) * np.log((other / other.sum()) / (one / one.sum()))).sum())


def watch_inputs(
    quantity: Days, weekday: NDArray[np.int64], recent: NDArray[np.bool_], settings: MonitorSettings | None = None
) -> tuple[Signal, ...]:
    """Compare demand of recent days with that of the training, by its level and by its mix of weekdays.

    Parameters
    ----------
    quantity : float array, shape (series, days)
        Demand in units; NaN where unknown.
    weekday : int array, shape (days,)
        0 (Monday) to 6 of each day.
    recent : bool array, shape (days,)
        Days that are compared with the others, which are those of the training.

    Returns
    -------
    tuple of Signal
        ``level``: every series' days over its mean in the training, in ten bins that hold equally many days of the
        training; ``weekday_mix``: shares of demand by weekday. Empty with fewer known days on either side than the
        settings ask for.
    """
    settings = settings or MonitorSettings()
    known = ~np.isnan(quantity).all(axis=0)
    if min(int((known & recent).sum()), int((known & ~recent).sum())) < settings.least_days:
        return ()
    signals = [_mix_signal(quantity, weekday, recent, settings)]
    training = quantity[:, ~recent]
    known_cells = ~np.isnan(training)
    count = known_cells.sum(axis=1)
    total = np.where(known_cells, training, 0.0).sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=(count > 0) & (total > 0))
    ratio = quantity / mean[:, None]
    before, now = (values[~np.isnan(values)] for values in (ratio[:, ~recent], ratio[:, recent]))
    if len(before) and len(now):
        edges = np.unique(np.quantile(before, np.linspace(0.0, 1.0, 11)[1:-1]))
        counts = [np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (before, now)]
        # Series of one day move together: the days are the observations, not the cells.
        days = (int((known & ~recent).sum()), int((known & recent).sum()))
        signals.append(_index_signal("level", counts[0], counts[1], days, settings))
    return tuple(signals)


def _mix_signal(
    quantity: Days, weekday: NDArray[np.int64], recent: NDArray[np.bool_], settings: MonitorSettings
) -> Signal:
    cells = ~np.isnan(quantity)
    daily = np.divide(
        np.where(cells, quantity, 0.0).sum(axis=0),
        cells.sum(axis=0),
        out=np.zeros(len(weekday)),
        where=cells.any(axis=0),
    )
    known = cells.any(axis=0)
    shares = []
    for part in (~recent & known, recent & known):
        number = np.bincount(weekday[part], minlength=7)
        total = np.bincount(weekday[part], daily[part], minlength=7)
        shares.append(np.divide(total, number, out=np.zeros(7), where=number > 0))
    if not all(share.sum() > 0 for share in shares):
        shares = [np.ones(7), np.ones(7)]
    days = (int((known & ~recent).sum()), int((known & recent).sum()))
    return _index_signal("weekday_mix", shares[0], shares[1], days, settings)


def _index_signal(
    name: str,
    before: Days | NDArray[np.int64],
    now: Days | NDArray[np.int64],
    days: tuple[int, int],
    settings: MonitorSettings,
) -> Signal:
    from scipy.stats import chi2

    index = population_stability(np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64))
    chance = float(chi2.ppf(0.99, max(1, len(before) - 1))) * (1.0 / days[0] + 1.0 / days[1])
    limit = max(settings.psi_limit, chance)
    labels = {"level": ("level of demand", "需求水平"), "weekday_mix": ("mix of weekdays", "星期分布")}
    en, zh = labels[name]
    text = Text(
        f"{en}: stability index {index:.2f}, limit {limit:.2f}", f"{zh}：稳定性指数 {index:.2f}，上限 {limit:.2f}"
    )
    return Signal(name, index, 0.0, limit, index > limit, text)
