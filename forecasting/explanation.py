"""What moved a forecast against the one of a week earlier: the change, shared out among its causes, in words.

Each day is compared with the same weekday a week before, forecast from an origin a week before with the same number of
days ahead. What the model reads for both differs in groups of inputs (planned visits, holidays, the level of the last
weeks …); the change of the mean forecast is shared out among them by Shapley values (`forecasting.explanation_shares`),
which add up to it. They say what moves the model, which is not always what moves people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.explanation_causes import Cause, Change, Inputs
from forecasting.explanation_days import nature_of
from forecasting.explanation_sentence import Told, sentence
from forecasting.explanation_shares import Game, SharingPlan
from forecasting.explanation_words import Contribution, Scene, Wording, contribution
from forecasting.features import Matrix
from forecasting.forecaster import Forecaster, ForecastInputs
from forecasting.history import Cells
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

WEEK_DAYS = 7
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """What moved one forecast.

    Attributes
    ----------
    region, item : str
        Which series.
    day : date
        The day that is forecast.
    forecast_units : float or None
        Its mean forecast; ``None`` when there is none, and ``reason`` says why.
    reference_units : float or None
        The mean forecast of ``reference_day``, or the usual level where there is no such day.
    reference_day : date or None
        The same weekday a week earlier; ``None`` when no forecast could be made for it.
    reference_actual_units : float or None
        What was really used on that day, where it is known.
    change_share : float or None
        Forecast over reference, less 1; ``None`` when the reference is 0.
    contributions : tuple of Contribution
        Largest first; their units add up to the difference of both forecasts. Inputs that did not change have none.
    sentence : Text
        All of it in words.
    reason : Text or None
        Why there is no forecast, or none a week earlier.
    """

    region: str
    item: str
    day: date
    forecast_units: float | None
    reference_units: float | None
    reference_day: date | None
    reference_actual_units: float | None
    change_share: float | None
    contributions: tuple[Contribution, ...]
    sentence: Text
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which forecasts are to be explained.

    Attributes
    ----------
    origin : date
        Last day whose demand the forecasts read.
    series : sequence of SeriesKey or None
        Only these, in this order; ``None`` for all of the panel.
    days : sequence of date or None
        Only these; ``None`` for all days ahead.
    """

    origin: date
    series: Sequence[SeriesKey] | None = None
    days: Sequence[date] | None = None


def explain(
    forecaster: Forecaster,
    panel: Panel,
    asked: Asked,
    *,
    wording: Wording | None = None,
    plan: SharingPlan | None = None,
) -> tuple[Explanation, ...]:
    """Explain forecasts by what changed since a week earlier.

    Parameters
    ----------
    forecaster : Forecaster
        The model that made them.
    panel : Panel
        What it made them from, with its covariates; quantities after the origin are not read, but for what was used on
        the reference days.
    asked : Asked
        Which.
    wording : Wording, optional
        Names of covariates, and how much is told.
    plan : SharingPlan, optional
        How shares are computed.

    Returns
    -------
    tuple of Explanation
        By series, then by day.

    Raises
    ------
    InvalidInput
        When the origin, a day or a series is not one that can be forecast from the panel.
    """
    asker = _Asker(forecaster, panel, asked, wording or Wording())
    pairs = list(asker.pairs())
    shared = _share_out(forecaster, [pair.change for pair in pairs if pair.change is not None], plan or SharingPlan())
    return tuple(asker.told(pair, next(shared) if pair.change is not None else ()) for pair in pairs)


def explain_without_history(series: SeriesKey, day: date) -> Explanation:
    """Return the explanation of a day that has no forecast, since there is no history to make it from."""
    reason = Text(
        f"{series.item} has no history in {series.region} to forecast from",
        f"{series.region} 没有 {series.item} 可用于预测的历史",
    )
    said = Text(f"{reason.en}.", f"{reason.zh}。")
    return _explained(_Pair(series, day), None, None, (), said, reason=reason)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A forecast and the one of a week earlier."""

    series: SeriesKey
    day: date
    forecast_units: float | None = None
    level: float | None = None
    reference_units: float | None = None
    change: Change | None = None


_Parts = Sequence[tuple[Cause, float, float]]


@dataclass(frozen=True, slots=True)
class _Side:
    """The model's inputs and forecasts from one origin, by series and days ahead."""

    inputs: ForecastInputs
    units: Cells
    rows: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, forecaster: Forecaster, panel: Panel, origin: date) -> _Side:
        inputs = forecaster.inputs(panel, origin=origin)
        units = forecaster.mean_units(inputs.features, inputs.level)
        places = zip(inputs.series.tolist(), inputs.ahead.tolist(), strict=True)
        return cls(inputs, units, {place: row for row, place in enumerate(places)})

    def read(self, row: int) -> Inputs:
        return Inputs(self.inputs.features[row], float(self.inputs.level[row]))


class _Asker:
    """The question with all that its answers need."""

    def __init__(self, forecaster: Forecaster, panel: Panel, asked: Asked, wording: Wording) -> None:
        learned = forecaster.learned
        self._asked, self._wording = asked, wording
        self._country = learned.country
        self._columns = (*learned.covariates, *learned.history_only)
        _check_origin(panel, asked.origin)
        self._series = tuple(panel.series if asked.series is None else asked.series)
        self._days = _checked_days(asked, learned.config.horizon)
        self._panel = _needed(panel, self._series, asked.origin)
        self._row_of = {key: row for row, key in enumerate(self._panel.series)}
        self._now = _Side.of(forecaster, self._panel, asked.origin)
        self._reference = asked.origin - timedelta(days=WEEK_DAYS)
        began = self._reference >= panel.first_day
        self._then = _Side.of(forecaster, self._panel, self._reference) if began else None

    def pairs(self) -> Iterator[_Pair]:
        """Yield what is compared, by series and day."""
        for key in self._series:
            for day in self._days:
                yield self._pair(key, day)

    def _pair(self, key: SeriesKey, day: date) -> _Pair:
        place = (self._row_of[key], (day - self._asked.origin).days)
        row = self._now.rows.get(place)
        if row is None:
            return _Pair(key, day)
        after = self._now.read(row)
        units = float(self._now.units[row])
        earlier = None if self._then is None else self._then.rows.get(place)
        if self._then is None or earlier is None:
            return _Pair(key, day, units, after.level)
        before = self._then.read(earlier)
        change = Change.between(self._now.inputs.names, before, after, self._columns)
        return _Pair(key, day, units, after.level, float(self._then.units[earlier]), change)

    def told(self, pair: _Pair, parts: _Parts) -> Explanation:
        """Return a pair's explanation."""
        if pair.forecast_units is None or pair.level is None:
            return explain_without_history(pair.series, pair.day)
        now = nature_of(pair.day, self._country)
        if pair.change is None or pair.reference_units is None:
            reason = self._no_reference()
            told = Told(now, None, pair.forecast_units, pair.level)
            return _explained(pair, pair.level, None, (), sentence(told, self._wording, reason=reason), reason=reason)
        then = nature_of(pair.day - timedelta(days=WEEK_DAYS), self._country)
        scene = Scene(pair.change, then, now, self._wording)
        made = (contribution(scene, cause, units, error) for cause, units, error in parts if units != 0.0)
        contributions = tuple(sorted(made, key=lambda one: (-abs(one.units), one.cause)))
        told = Told(now, then, pair.forecast_units, pair.reference_units, contributions)
        actual = self._actual(pair.series, then.day)
        said = sentence(told, self._wording)
        return replace(
            _explained(pair, pair.reference_units, then.day, contributions, said), reference_actual_units=actual
        )

    def _no_reference(self) -> Text:
        if self._then is None:
            first = self._panel.first_day
            return Text(
                f"A week earlier nothing could be forecast: the history begins on {first}",
                f"一周前尚无法预测：历史始于 {first}",
            )
        return Text("A week earlier there was no history to forecast it from", "一周前尚无可用于预测的历史")

    def _actual(self, key: SeriesKey, day: date) -> float | None:
        column = self._panel.column_of(day)
        if not 0 <= column < self._panel.days:
            return None
        used = float(self._panel.quantity[self._row_of[key], column])
        return None if np.isnan(used) else used


def _explained(
    pair: _Pair,
    reference: float | None,
    reference_day: date | None,
    contributions: tuple[Contribution, ...],
    said: Text,
    *,
    reason: Text | None = None,
) -> Explanation:
    share = None
    if pair.forecast_units is not None and reference:
        share = pair.forecast_units / reference - 1.0
    return Explanation(
        pair.series.region,
        pair.series.item,
        pair.day,
        pair.forecast_units,
        reference,
        reference_day,
        None,
        share,
        contributions,
        said,
        reason,
    )


def _share_out(forecaster: Forecaster, changes: Sequence[Change], plan: SharingPlan) -> Iterator[_Parts]:
    """Yield for each change its causes with their units and errors; the model is asked for many rows at once."""
    waiting: list[tuple[Change, Game]] = []
    rows = 0
    for change in changes:
        game = Game(len(change.causes), plan)
        waiting.append((change, game))
        rows += len(game.coalitions())
        if rows >= _ROWS_AT_ONCE:
            yield from _played(forecaster, waiting)
            waiting, rows = [], 0
    yield from _played(forecaster, waiting)


def _played(forecaster: Forecaster, games: Sequence[tuple[Change, Game]]) -> Iterator[_Parts]:
    if not games:
        return
    asked: list[tuple[Matrix, Cells]] = [change.inputs(game.coalitions()) for change, game in games]
    values = forecaster.mean_units(
        np.concatenate([features for features, _ in asked]), np.concatenate([level for _, level in asked])
    )
    start = 0
    for (change, game), (_, level) in zip(games, asked, strict=True):
        shares = game.shares(values[start : start + len(level)])
        start += len(level)
        yield list(zip(change.causes, shares.gain.tolist(), shares.error.tolist(), strict=True))


def _check_origin(panel: Panel, origin: date) -> None:
    if not panel.first_day <= origin <= panel.last_day:
        raise InvalidInput.at(
            "/origin",
            f"origin {origin} lies outside the history from {panel.first_day} to {panel.last_day}",
            f"起点 {origin} 不在历史 {panel.first_day} 至 {panel.last_day} 之内",
        )


def _checked_days(asked: Asked, horizon: int) -> tuple[date, ...]:
    possible = tuple(asked.origin + timedelta(days=ahead) for ahead in range(1, horizon + 1))
    days = possible if asked.days is None else tuple(asked.days)
    for place, day in enumerate(days):
        if day not in possible:
            raise InvalidInput.at(
                f"/days/{place}",
                f"{day} is not forecast: {possible[0]} to {possible[-1]} are",
                f"{day} 不在预测范围：{possible[0]} 至 {possible[-1]}",
            )
    return days


def _needed(panel: Panel, series: Sequence[SeriesKey], origin: date) -> Panel:
    """Return the panel with only the series asked for; whole where new ones, which lean on others, are among all."""
    row_of = {key: row for row, key in enumerate(panel.series)}
    for place, key in enumerate(series):
        if key not in row_of:
            raise InvalidInput.at(
                f"/series/{place}",
                f"there is no history of {key.item} in {key.region}",
                f"{key.region} 没有 {key.item} 的历史",
            )
    column = max(0, panel.column_of(origin) + 1 - WEEK_DAYS)
    own_days = (~np.isnan(panel.quantity[:, max(0, column - 364) : column])).sum(axis=1)
    if not series or len(series) == len(panel.series) or (own_days < WEEK_DAYS).any():
        return panel
    rows = np.array(sorted({row_of[key] for key in series}), dtype=np.int64)
    return _picked(panel, rows)


def _picked(panel: Panel, rows: NDArray[np.int64]) -> Panel:
    return replace(
        panel,
        series=tuple(panel.series[row] for row in rows),
        quantity=panel.quantity[rows],
        covariates={name: cells[rows] for name, cells in panel.covariates.items()},
        history_only={name: cells[rows] for name, cells in panel.history_only.items()},
    )
