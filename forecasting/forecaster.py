"""Training a forecaster and asking it for the coming days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, NotReady, Text
from forecasting.bands import TOTAL, Spread
from forecasting.boosting import Threads
from forecasting.calendar import build_calendar
from forecasting.features import MEMORY_DAYS, FeatureBuilder, Rows
from forecasting.model import ForecastConfig, Learned, Progress, TooLittleHistory, learn
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class SeriesNote:
    """What is to be known of one series: why it has no forecast, or what its forecast rests on."""

    series: SeriesKey
    text: Text


@dataclass(frozen=True, slots=True)
class Forecast:
    """Demand of the coming days.

    Attributes
    ----------
    origin : date
        Last day whose demand was read.
    days : DataFrame
        ``date``, ``region``, ``item``, ``h`` (days ahead), ``mean``, and a column ``q0.1`` … for each quantile, in
        units, never negative, never crossing.
    totals : DataFrame
        ``region``, ``item``, ``mean`` and the quantiles of the sum over the horizon, which are not the sums of the
        daily quantiles.
    without_forecast : tuple of SeriesNote
        Series that have none, with the reason.
    cold_starts : tuple of SeriesNote
        Series with less than a week of history, whose forecast rests on other series.
    notes : tuple of Text
        Covariates and make-up days that were not known for the days ahead, holidays left out in training.
    """

    origin: date
    days: pd.DataFrame
    totals: pd.DataFrame
    without_forecast: tuple[SeriesNote, ...]
    cold_starts: tuple[SeriesNote, ...]
    notes: tuple[Text, ...]


def quantile_column(quantile: float) -> str:
    """Return the name of a quantile's column: ``q0.9``."""
    return f"q{quantile:g}"


class Forecaster:
    """A trained model; made by :func:`train` or :func:`forecasting.model_file.load_forecaster`.

    Parameters
    ----------
    learned : Learned
        All that training found.
    """

    def __init__(self, learned: Learned) -> None:
        self.learned = learned

    @property
    def version(self) -> str:
        """Last training day and the start of the training data's checksum."""
        return f"{self.learned.trained_until.isoformat()}-{self.learned.checksum[:12]}"

    def predict(
        self,
        panel: Panel,
        *,
        origin: date | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] = QUANTILES,
        future_covariates: pd.DataFrame | None = None,
    ) -> Forecast:
        """Return the demand of each series for the days after ``origin``.

        Parameters
        ----------
        panel : Panel
            Demand up to the origin at least; later quantities are not read. Series that were not in the training are
            forecast too.
        origin : date, optional
            Last day whose demand is read; by default the last known day.
        horizon : int, optional
            Days ahead, at most the horizon of the training, which is the default.
        quantiles : sequence of float
            Each inside 0 … 1.
        future_covariates : DataFrame, optional
            Further covariate values, as for ``Panel.with_covariates``.

        Raises
        ------
        InvalidInput
            When the horizon, a quantile or the origin cannot be used.
        NotReady
            When the panel holds no demand at all.
        """
        horizon = self._checked_horizon(horizon)
        quantiles = _checked_quantiles(quantiles)
        known_until = panel.last_observed_day
        if known_until is None:
            raise NotReady(Text("there is no demand history to forecast from", "没有可用于预测的需求历史"))
        origin = origin or known_until
        if not panel.first_day <= origin <= panel.last_day:
            raise InvalidInput.at(
                "/origin",
                f"origin {origin} lies outside the history from {panel.first_day} to {panel.last_day}",
                f"起点 {origin} 不在历史 {panel.first_day} 至 {panel.last_day} 之内",
            )
        seen = panel.until(origin)
        if future_covariates is not None:
            seen = seen.with_covariates(future_covariates)
        seen = seen.reach(origin + timedelta(days=horizon))
        recent = seen.tail(seen.column_of(origin) + 1 - MEMORY_DAYS)
        return self._forecast(recent, origin, horizon, quantiles)

    def _forecast(self, panel: Panel, origin: date, horizon: int, quantiles: Sequence[float]) -> Forecast:
        learned = self.learned
        calendar = build_calendar(panel.first_day, panel.days, country=learned.country)
        builder = FeatureBuilder(panel, calendar, codes=learned.codes, floor=learned.floor)
        column = panel.column_of(origin)
        usable, without, cold = _sort_out(panel, builder, column)
        ahead = np.tile(np.arange(1, horizon + 1), len(usable))
        rows = Rows(np.repeat(usable, horizon), np.full(len(ahead), column), ahead)
        notes = (*learned.notes, *self._unknown_covariates(panel, column, horizon))
        future_years = {(origin + timedelta(days=day)).year for day in range(1, horizon + 1)}
        for year in sorted(future_years & set(calendar.unknown_years)):
            notes = (*notes, _unknown_make_up_days(year))
        days, totals = self._tables(panel, builder, rows, horizon, quantiles)
        return Forecast(origin, days, totals, without, cold, notes)

    def _tables(
        self, panel: Panel, builder: FeatureBuilder, rows: Rows, horizon: int, quantiles: Sequence[float]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        import pandas as pd

        spread = self._spread(builder, rows)
        level = builder.level[rows.series, rows.origin]
        factor, bands = self.learned.bias_factor, self.learned.bands
        regions = np.array([key.region for key in panel.series], dtype=object)
        items = np.array([key.item for key in panel.series], dtype=object)
        first = np.datetime64(panel.first_day, "D")
        columns: dict[str, Any] = {
            "date": (first + rows.target).astype("datetime64[s]"),
            "region": regions[rows.series],
            "item": items[rows.series],
            "h": rows.ahead,
            "mean": spread.centre * level * factor,
        }
        for quantile in quantiles:
            ratio = np.zeros(len(rows))
            for ahead in range(1, horizon + 1):
                pick = rows.ahead == ahead
                ratio[pick] = bands.quantile(spread.take(pick), ahead, quantile)
            columns[quantile_column(quantile)] = ratio * level
        totals: dict[str, Any] = {
            "region": columns["region"][::horizon],
            "item": columns["item"][::horizon],
            "mean": columns["mean"].reshape(-1, horizon).sum(axis=1),
        }
        summed = spread.summed(horizon)
        for quantile in quantiles:
            # A shorter horizon than the trained one has no scores of its own: a single day uses that day's.
            group = TOTAL if horizon > 1 else 1
            totals[quantile_column(quantile)] = bands.quantile(summed, group, quantile) * level[::horizon]
        return pd.DataFrame(columns), pd.DataFrame(totals)

    def _spread(self, builder: FeatureBuilder, rows: Rows) -> Spread:
        if not len(rows):
            nothing = np.zeros(0)
            return Spread(nothing, nothing, nothing)
        with Threads(self.learned.config.threads):
            return self.learned.models.spread(builder.build(rows, self.learned.feature_names))

    def _checked_horizon(self, horizon: int | None) -> int:
        longest = self.learned.config.horizon
        if horizon is None:
            return longest
        if not 1 <= horizon <= longest:
            raise InvalidInput.at(
                "/horizon", f"horizon must lie in 1 to {longest} days", f"预测天数必须在 1 到 {longest} 天之间"
            )
        return horizon

    def _unknown_covariates(self, panel: Panel, column: int, horizon: int) -> tuple[Text, ...]:
        """Say which covariates of the training are not known for the days ahead; they are not guessed."""
        notes = []
        for name in self.learned.covariates:
            cells = panel.covariates.get(name)
            ahead = None if cells is None else cells[:, column + 1 : column + 1 + horizon]
            missing = horizon if ahead is None else int(np.isnan(ahead).any(axis=0).sum())
            if missing:
                notes.append(
                    Text(
                        f"{name} is not known for {missing} of the {horizon} days ahead; it was not guessed",
                        f"未来 {horizon} 天中有 {missing} 天缺少 {name}；未作猜测",
                    )
                )
        return tuple(notes)


def train(
    panel: Panel, config: ForecastConfig | None = None, *, progress: Progress | None = None
) -> Forecaster | TooLittleHistory:
    """Train one model on all series of ``panel``.

    Parameters
    ----------
    panel : Panel
        Every known quantity in it is used.
    config : ForecastConfig, optional
        How to train.
    progress : callable, optional
        Called with the share done (0 … 1) and what is done now.

    Returns
    -------
    Forecaster or TooLittleHistory
        The latter when the history spans fewer than 42 days or holds too few known quantities.
    """
    learned = learn(panel, config or ForecastConfig(), progress=progress)
    return learned if isinstance(learned, TooLittleHistory) else Forecaster(learned)


def _checked_quantiles(quantiles: Sequence[float]) -> tuple[float, ...]:
    for place, quantile in enumerate(quantiles):
        if not 0.0 < quantile < 1.0:
            raise InvalidInput.at(f"/quantiles/{place}", "a quantile lies between 0 and 1", "分位数必须在 0 与 1 之间")
    return tuple(sorted(set(quantiles)))


def _sort_out(
    panel: Panel, builder: FeatureBuilder, column: int
) -> tuple[NDArray[np.int64], tuple[SeriesNote, ...], tuple[SeriesNote, ...]]:
    """Return the series that can be forecast, and what is to be said of the others and of cold starts."""
    own_days = builder.known_days[:, column]
    recent = ~np.isnan(panel.quantity[:, max(0, column - 27) : column + 1])
    items_seen = {panel.series[row].item for row in np.flatnonzero(recent.any(axis=1))}
    usable, without, cold = [], [], []
    for row, key in enumerate(panel.series):
        if own_days[row] == 0 and key.item not in items_seen:
            text = Text(
                f"{key.item} has no demand history in any region within a year",
                f"{key.item} 一年内在任何区域都没有需求历史",
            )
            without.append(SeriesNote(key, text))
            continue
        usable.append(row)
        if own_days[row] < 7:
            text = Text(
                f"only {int(own_days[row])} days of own history: the level leans on {key.item} elsewhere",
                f"自身历史仅 {int(own_days[row])} 天：水平参考其他区域的 {key.item}",
            )
            cold.append(SeriesNote(key, text))
    return np.array(usable, dtype=np.int64), tuple(without), tuple(cold)


def _unknown_make_up_days(year: int) -> Text:
    return Text(
        f"make-up working days of {year} are not published in the calendar: the plain weekday rule is used",
        f"日历中尚无 {year} 年的调休安排：按普通周末处理",
    )
