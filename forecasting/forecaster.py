"""Training a forecaster and asking it for the coming days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, NotReady, Text
from forecasting.bands import TOTAL, ConformalBands, Spread
from forecasting.boosting import Threads
from forecasting.calendar import build_calendar
from forecasting.feature_table import Described, FeatureTable
from forecasting.features import MEMORY_DAYS, Matrix, Rows
from forecasting.model import BoostedModels, ForecastConfig, Learned, Progress, TooLittleHistory
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from forecasting.sampling import forecasts_from, held_out_forecasts
from forecasting.task_runner import HERE, TaskRunner
from forecasting.training import learn, score_forecasts

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.1, 0.5, 0.9)
RECENT_DAYS = 42
"""Days before the origin whose forecasts, made after the training, calibrate the bands anew."""
_RECENT_FORECASTS = 2000
_ASKED_FORECASTS = 10_000
"""Forecasts of one task."""


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


@dataclass(frozen=True, slots=True)
class ForecastInputs:
    """What the model reads for its forecasts, one row for each series and day ahead.

    Attributes
    ----------
    series : int array, shape (rows,)
        Row of the panel.
    ahead : int array, shape (rows,)
        Days from the origin to the day that is forecast, from 1.
    names : tuple of str
        Features, in the order of the columns.
    features : float32 array, shape (rows, features)
        Their values; NaN where they are not known.
    level : float array, shape (rows,)
        Trailing level in units, by which demand is divided.
    """

    series: NDArray[np.int64]
    ahead: NDArray[np.int64]
    names: tuple[str, ...]
    features: Matrix
    level: NDArray[np.float64]


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
        similar_items: Mapping[str, str] | None = None,
        runner: TaskRunner = HERE,
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
        similar_items : mapping of str to str, optional
            For items without any history: the item whose level they borrow.
        runner : TaskRunner
            Where features are made and models asked, for panels of very many series.

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
        question = _Question(self.learned, seen, origin, horizon, similar_items=similar_items, runner=runner)
        return self._forecast(question, quantiles)

    def inputs(self, panel: Panel, *, origin: date, horizon: int | None = None) -> ForecastInputs:
        """Return what the model reads for the days after ``origin``, for explanations.

        Parameters
        ----------
        panel : Panel
            Demand up to the origin at least, with its covariates; later quantities are not read.
        origin : date
            Last day whose demand is read.
        horizon : int, optional
            Days ahead, by default those of the training.
        """
        question = _Question(self.learned, panel.until(origin), origin, self._checked_horizon(horizon))
        found = question.describe()
        names = self.learned.feature_names
        return ForecastInputs(found.rows.series, found.rows.ahead, names, found.features, found.level)

    def mean_units(self, features: Matrix, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean forecast in units for rows of ``features`` with the trailing ``level``."""
        with Threads(self.learned.config.threads):
            units: NDArray[np.float64] = self.learned.models.centre(features) * level
        return units

    def _forecast(self, question: _Question, quantiles: Sequence[float]) -> Forecast:
        found = question.describe()
        with Threads(self.learned.config.threads):
            days, totals = self._tables(question, found, self._bands(question), quantiles)
        notes = (*self.learned.notes, *question.unknown_covariates(), *question.unknown_make_up_days())
        return Forecast(question.origin, days, totals, question.without, question.cold, notes)

    def _bands(self, question: _Question) -> ConformalBands:
        """Return the bands, calibrated with the days that have come since the training, too."""
        learned = self.learned
        passed = (question.origin - learned.trained_until).days
        recent = question.recent_rows()
        if passed <= 0 or not len(recent):
            return learned.scores.bands()
        found = question.table.describe(recent, learned.feature_names, question.runner)
        newer = score_forecasts(learned.models, found, learned.feature_names, learned.config.horizon)
        return learned.scores.updated(newer, passed).bands()

    def _spreads(self, question: _Question, found: Described) -> tuple[Spread, Spread]:
        """Return the spreads of days and of totals; the models are asked for whole forecasts at a time."""
        learned, horizon = self.learned, question.horizon
        # The total's model is of the trained horizon; a shorter one is spread like the days it has.
        whole = horizon == learned.config.horizon
        size = _ASKED_FORECASTS * horizon
        starts = range(0, max(1, len(found.rows)), size)
        tasks = [(learned.models, found.features[start : start + size], horizon, whole) for start in starts]
        parts = list(question.runner.run(ask_models, tasks))
        days, totals = (Spread.joined([part[kind] for part in parts]) for kind in (0, 1))
        return days, totals

    def _tables(
        self, question: _Question, found: Described, bands: ConformalBands, quantiles: Sequence[float]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        import pandas as pd

        learned, horizon, rows, level = self.learned, question.horizon, found.rows, found.level
        spread, summed = self._spreads(question, found)
        centre, rare = spread.centre, learned.intermittent(found.features)
        keys = [question.panel.series[row] for row in rows.series[::horizon]]
        first = np.datetime64(question.panel.first_day, "D")
        columns: dict[str, Any] = {
            "date": (first + rows.target).astype("datetime64[s]"),
            "region": np.repeat(np.array([key.region for key in keys], dtype=object), horizon),
            "item": np.repeat(np.array([key.item for key in keys], dtype=object), horizon),
            "h": rows.ahead,
            "mean": centre * level,
        }
        for quantile in quantiles:
            ratio = np.zeros(len(rows))
            for ahead in range(1, horizon + 1):
                pick = rows.ahead == ahead
                ratio[pick] = bands.quantile(spread.take(pick), ahead, rare[pick], quantile)
            columns[quantile_column(quantile)] = ratio * level
        totals: dict[str, Any] = {
            "region": columns["region"][::horizon],
            "item": columns["item"][::horizon],
            "mean": columns["mean"].reshape(-1, horizon).sum(axis=1),
        }
        group = TOTAL if horizon > 1 else 1
        for quantile in quantiles:
            ratio = bands.quantile(summed, group, rare[::horizon], quantile)
            totals[quantile_column(quantile)] = ratio * level[::horizon]
        return pd.DataFrame(columns), pd.DataFrame(totals)

    def _checked_horizon(self, horizon: int | None) -> int:
        longest = self.learned.config.horizon
        if horizon is None:
            return longest
        if not 1 <= horizon <= longest:
            raise InvalidInput.at(
                "/horizon", f"horizon must lie in 1 to {longest} days", f"预测天数必须在 1 到 {longest} 天之间"
            )
        return horizon


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


def ask_models(models: BoostedModels, features: Matrix, horizon: int, whole: bool) -> tuple[Spread, Spread]:
    """Return the spreads of days and of totals for whole forecasts; a task of its own.

    Without ``whole`` the total has no model: its widths are the sums of the days' widths, as for errors that go
    together.
    """
    centre = models.centre(features)
    days = models.spread(features, centre)
    if whole:
        return days, models.total_spread(features, centre, horizon)
    parts = (values.reshape(-1, horizon).sum(axis=1) for values in (days.centre, days.below, days.above))
    return days, Spread(*parts)


class _Question:
    """One request for a forecast: the recent days of the panel, and which of its series can be forecast."""

    def __init__(
        self,
        learned: Learned,
        panel: Panel,
        origin: date,
        horizon: int,
        *,
        similar_items: Mapping[str, str] | None = None,
        runner: TaskRunner = HERE,
    ) -> None:
        self.origin, self.horizon, self.runner = origin, horizon, runner
        self._learned = learned
        seen = panel.reach(origin + timedelta(days=horizon))
        self.panel = seen.tail(seen.column_of(origin) + 1 - MEMORY_DAYS - RECENT_DAYS)
        self.column = self.panel.column_of(origin)
        self._calendar = build_calendar(self.panel.first_day, self.panel.days, country=learned.country)
        similar = dict(similar_items or {})
        self.usable, self.without, self.cold = _sort_out(self.panel, self.column, similar)
        self.table = FeatureTable(
            self.panel,
            self._calendar,
            codes=learned.codes,
            floor=learned.floor,
            similar_items=similar,
            pool=bool(self.cold),
        )

    def describe(self) -> Described:
        """Return the rows of the days that are asked for."""
        origin = np.full(len(self.usable), self.column)
        rows = forecasts_from(self.usable, origin, self.horizon)
        return self.table.describe(rows, self._learned.feature_names, self.runner)

    def recent_rows(self) -> Rows:
        """Return forecasts made after the training whose days have come: what the bands learn from meanwhile."""
        learned = self._learned
        trained = self.panel.column_of(learned.trained_until)
        return held_out_forecasts(
            self.panel,
            cut=max(trained, self.column - RECENT_DAYS),
            last=self.column,
            forecasts=_RECENT_FORECASTS,
            horizon=learned.config.horizon,
        )

    def unknown_covariates(self) -> tuple[Text, ...]:
        """Say which covariates of the training are not known for the days ahead; they are not guessed."""
        notes = []
        for name in self._learned.covariates:
            cells = self.panel.covariates.get(name)
            ahead = None if cells is None else cells[:, self.column + 1 : self.column + 1 + self.horizon]
            missing = self.horizon if ahead is None else int(np.isnan(ahead).any(axis=0).sum())
            if missing:
                notes.append(
                    Text(
                        f"{name} is not known for {missing} of the {self.horizon} days ahead; it was not guessed",
                        f"未来 {self.horizon} 天中有 {missing} 天缺少 {name}；未作猜测",
                    )
                )
        return tuple(notes)

    def unknown_make_up_days(self) -> tuple[Text, ...]:
        """Say for which of the years ahead make-up working days are not published yet."""
        years = {(self.origin + timedelta(days=day)).year for day in range(1, self.horizon + 1)}
        return tuple(
            Text(
                f"make-up working days of {year} are not published in the calendar: the plain weekday rule is used",
                f"日历中尚无 {year} 年的调休安排：按普通周末处理",
            )
            for year in sorted(years & set(self._calendar.unknown_years))
        )


def _sort_out(
    panel: Panel, column: int, similar_items: Mapping[str, str]
) -> tuple[NDArray[np.int64], tuple[SeriesNote, ...], tuple[SeriesNote, ...]]:
    """Return the series that can be forecast, and what is to be said of the others and of cold starts."""
    known = ~np.isnan(panel.quantity[:, max(0, column - 363) : column + 1])
    own_days = known.sum(axis=1)
    items_seen = {panel.series[row].item for row in np.flatnonzero(known[:, -28:].any(axis=1))}
    usable, without, cold = [], [], []
    for row, key in enumerate(panel.series):
        like = similar_items.get(key.item, key.item)
        if own_days[row] == 0 and like not in items_seen:
            text = Text(
                f"{key.item} has no demand history in any region within a year; name a similar item to borrow from",
                f"{key.item} 一年内在任何区域都没有需求历史；可指定相似物料作参考",
            )
            without.append(SeriesNote(key, text))
            continue
        usable.append(row)
        if own_days[row] < 7:
            text = Text(
                f"only {int(own_days[row])} days of own history: the level leans on {like} elsewhere",
                f"自身历史仅 {int(own_days[row])} 天：水平参考其他区域的 {like}",
            )
            cold.append(SeriesNote(key, text))
    return np.array(usable, dtype=np.int64), tuple(without), tuple(cold)
