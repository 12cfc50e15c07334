"""How good forecasts were: the backtest of the model in use, what was lived since, and whether either has drifted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from common.errors import Text
from forecasting.drift import (
    DailyErrors,
    ErrorLevel,
    MonitorSettings,
    Signal,
    State,
    error_level,
    watch_errors,
    watch_inputs,
)
from operations.access import Actor
from operations.forecast_models import ModelCard, card_of, champion
from operations.store.tables import DailyConsumption, Forecast, ForecastModel

LIVED_DAYS = 84
"""Days whose errors are looked at, three times the window, so that their noise is known."""
TRAINING_DAYS = 364
"""Days of the training with which recent inputs are compared: a year, so that every season is among them."""
WATCHED_SERIES = 200
"""Regions and materials whose level is watched; of more, so many are taken evenly."""
RETRAIN_AFTER_DAYS = 7
"""Drift asks for a training only when the last one is so old: a new one every night would learn nothing new."""


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """Whether the forecasts are still as good as the model in use once was.

    Attributes
    ----------
    model_version : str
        The model in use.
    state : str
        ``too_few`` (not enough days have come), ``stable`` or ``drifting``.
    window_days, lived_days : int
        Days over which ``lived`` is told, and days with forecasts that have come among them.
    lived, expected : ErrorLevel
        Errors of the last days, and those of the backtest.
    signals : tuple of Signal
        Each figure watched with its limit, errors first, then inputs.
    reason : Text
        The state in words.
    retrain : bool
        Whether a training should be asked for now.
    """

    model_version: str
    state: State
    window_days: int
    lived_days: int
    lived: ErrorLevel
    expected: ErrorLevel
    signals: tuple[Signal, ...]
    reason: Text
    retrain: bool


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good forecasts were.

    Attributes
    ----------
    model : ModelCard
        The model in use, with its backtest.
    lived_days : int
        Days for which a stored forecast and the consumption that came are both known.
    lived_wape, lived_bias, lived_coverage80 : float or None
        Errors of those: sum of absolute errors and of errors over the sum of consumption; share inside the 80 % band.
    monitor : MonitorReport or None
        Whether this is still as the backtest promised.
    """

    model: ModelCard
    lived_days: int
    lived_wape: float | None
    lived_bias: float | None
    lived_coverage80: float | None
    monitor: MonitorReport | None = None


def accuracy(session: Session, actor: Actor) -> Accuracy:
    """Return the measures of the model in use and of the stored forecasts whose days have come.

    Errors are the model's: people's overrides do not count in them.

    Raises
    ------
    NotReady
        When no model is trained.
    """
    actor.require("forecasts:read")
    card = card_of(champion(session))
    days, errors = _lived(session, actor.region_code, None)
    level = error_level(errors)
    return Accuracy(card, len(days), level.wape, level.bias, level.coverage80, monitor(session, actor))


def monitor(session: Session, actor: Actor, settings: MonitorSettings | None = None) -> MonitorReport:
    """Say whether lived errors or recent demand have drifted; only the actor's region, when it is bound to one.

    Raises
    ------
    NotReady
        When no model is trained.
    """
    actor.require("forecasts:read")
    settings = settings or MonitorSettings()
    row = champion(session)
    days, errors = _lived(session, actor.region_code, LIVED_DAYS)
    expected = _expected(row.measures)
    state, signals = watch_errors(errors, expected, settings)
    inputs = _inputs(session, row, actor.region_code, settings)
    if any(signal.drifting for signal in inputs):
        state = "drifting"
    signals = (*signals, *inputs)
    newest = days[-1] if days else None
    recent = sum(newest is not None and (newest - day).days < settings.window_days for day in days)
    drifting = [signal for signal in signals if signal.drifting]
    return MonitorReport(
        model_version=row.version,
        state=state,
        window_days=settings.window_days,
        lived_days=recent,
        lived=error_level(errors.last(recent) if recent else errors),
        expected=expected,
        signals=signals,
        reason=_reason(state, drifting, len(days), settings),
        retrain=bool(drifting) and _rested(session),
    )


def _reason(state: State, drifting: list[Signal], days: int, settings: MonitorSettings) -> Text:
    if drifting:
        en = "; ".join(signal.reason.en for signal in drifting)
        return Text(en, "；".join(signal.reason.zh for signal in drifting))
    if state == "too_few":
        return Text(
            f"{days} days with forecasts have come, {settings.least_days} are needed to tell",
            f"已有 {days} 天可对照，至少需要 {settings.least_days} 天才能判断",
        )
    return Text("errors and demand are as in the backtest and the training", "误差与需求均与回测、训练时一致")


def _rested(session: Session) -> bool:
    """Return whether the last training is long enough ago."""
    newest: datetime | None = session.scalar(select(func.max(ForecastModel.trained_at)))
    return newest is None or session.info["clock"].now() - newest >= timedelta(days=RETRAIN_AFTER_DAYS)


def _expected(measures: dict[str, Any]) -> ErrorLevel:
    model = measures.get("model") or {}
    return ErrorLevel(model.get("wape"), model.get("bias"), model.get("coverage80"))


def _lived(session: Session, region: str | None, last_days: int | None) -> tuple[list[date], DailyErrors]:
    """Return the days that have come, ascending, with the summed errors of all forecasts of each."""
    low, middle, high = (aliased(Forecast) for _ in range(3))
    came = DailyConsumption
    same = [
        (middle.region_code == other.region_code)
        & (middle.material_code == other.material_code)
        & (middle.origin == other.origin)
        & (middle.day == other.day)
        & (other.quantile == quantile)
        for other, quantile in ((low, 0.1), (high, 0.9))
    ]
    error = middle.quantity_units - came.quantity_units
    inside = case((came.quantity_units.between(low.quantity_units, high.quantity_units), 1.0), else_=0.0)
    query = (
        select(
            middle.day,
            func.sum(func.abs(error)),
            func.sum(error),
            func.sum(came.quantity_units),
            func.sum(inside),
            func.count(),
        )
        .join(low, same[0])
        .join(high, same[1])
        .join(
            came,
            (came.region_code == middle.region_code)
            & (came.material_code == middle.material_code)
            & (came.day == middle.day),
        )
        .where(came.available, middle.quantile == 0.5)
        .group_by(middle.day)
        .order_by(middle.day.desc())
    )
    if region is not None:
        query = query.where(middle.region_code == region)
    if last_days is not None:
        query = query.limit(last_days)
    rows = session.execute(query).all()[::-1]
    figures = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 5)
    return [row[0] for row in rows], DailyErrors(*figures.T)


def _inputs(session: Session, row: ForecastModel, region: str | None, settings: MonitorSettings) -> tuple[Signal, ...]:
    """Return the signals of demand since the training window; nothing for models of older releases."""
    until = card_of(row).trained_until
    last = session.scalar(select(func.max(DailyConsumption.day)))
    if until is None or last is None:
        return ()
    first_recent = last - timedelta(days=settings.window_days - 1)
    first = min(until, first_recent) - timedelta(days=TRAINING_DAYS)
    query = select(
        DailyConsumption.region_code,
        DailyConsumption.material_code,
        DailyConsumption.day,
        DailyConsumption.quantity_units,
    ).where(DailyConsumption.day >= first, DailyConsumption.available)
    places = _watched(session, region)
    query = query.where(tuple_(DailyConsumption.region_code, DailyConsumption.material_code).in_(places))
    rows: dict[tuple[str, str], int] = defaultdict(lambda: len(rows))
    length = (last - first).days + 1
    cells = np.full((max(1, len(places)), length), np.nan)
    for region_code, material, day, units in session.execute(query):
        cells[rows[region_code, material], (day - first).days] = units
    days = np.arange(length)
    weekday = (first.weekday() + days) % 7
    return watch_inputs(cells, weekday.astype(np.int64), days > (first_recent - first).days - 1, settings)


def _watched(session: Session, region: str | None) -> list[tuple[str, str]]:
    query = select(DailyConsumption.region_code, DailyConsumption.material_code).distinct()
    if region is not None:
        query = query.where(DailyConsumption.region_code == region)
    found = sorted((row[0], row[1]) for row in session.execute(query))
    step = max(1, -(-len(found) // WATCHED_SERIES))
    return found[::step]
