"""Demand: history for the forecaster, training, the forecast of the coming days, and how good it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from common.errors import InvalidInput, NotReady, Text
from forecasting.backtest import backtest
from forecasting.forecaster import Forecast as EngineForecast
from forecasting.forecaster import Forecaster, quantile_column, train
from forecasting.model import ForecastConfig, TooLittleHistory
from forecasting.model_file import load_forecaster, save_forecaster
from forecasting.replenishment import DemandQuantiles
from operations.access import Actor
from operations.demand_history import HORIZON_DAYS, history
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import (
    DailyConsumption,
    Forecast,
    ForecastModel,
    ForecastTotal,
    Material,
)

STORED_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
BACKTEST_ORIGINS = 28
Progress = Callable[[float, Text], None]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A trained model: its version, when and on what it was trained, and its measures in the backtest."""

    version: str
    status: str
    trained_at: datetime
    trained_by: str
    data_checksum: str
    measures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DayForecast:
    """The need of one region for one material on one day, in units at each quantile."""

    region_code: str
    material_code: str
    day: date
    quantiles: dict[float, float]


@dataclass(frozen=True, slots=True)
class TotalForecast:
    """The need over the whole horizon, in units at each quantile."""

    region_code: str
    material_code: str
    days: int
    quantiles: dict[float, float]


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """The newest forecast: seen from the end of ``origin``."""

    origin: date
    model_version: str
    days: tuple[DayForecast, ...]
    totals: tuple[TotalForecast, ...]


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
    """

    model: ModelCard
    lived_days: int
    lived_wape: float | None
    lived_bias: float | None
    lived_coverage80: float | None


def train_model(
    database: Database,
    folder: Path,
    actor: str,
    *,
    country: str = "CN",
    measured_origins: int = BACKTEST_ORIGINS,
    progress: Progress | None = None,
) -> ModelCard | TooLittleHistory:
    """Backtest and train a model on all history, keep it, and make it the one in use; idempotent for equal history.

    The backtest trains once on what was known ``measured_origins`` days before the end and forecasts from each day
    since; with 0 the model is used unmeasured, and its measures are empty.
    """
    with database.read() as session:
        panel = history(session)
    config = ForecastConfig(horizon=HORIZON_DAYS, country=country)
    measured: dict[str, Any] = {}
    if measured_origins:
        measured = backtest(
            panel, origins=measured_origins, horizon=HORIZON_DAYS, config=config, progress=_part(progress, 0.0, 0.5)
        )
    forecaster = train(panel, config, progress=_part(progress, 0.5, 1.0))
    if isinstance(forecaster, TooLittleHistory):
        return forecaster
    save_forecaster(forecaster, _file(folder, forecaster.version))
    with database.write(actor) as session:
        return _keep(session, forecaster, measured, actor)


def _part(progress: Progress | None, begin: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda share, text: progress(begin + share * (end - begin), text)


def _file(folder: Path, version: str) -> Path:
    return folder / version / "forecaster.zip"


def _keep(session: Session, forecaster: Forecaster, measured: dict[str, Any], actor: str) -> ModelCard:
    session.execute(update(ForecastModel).where(ForecastModel.status == "champion").values(status="retired"))
    row = session.get(ForecastModel, forecaster.version)
    if row is None:
        row = ForecastModel(version=forecaster.version)
        session.add(row)
    row.status, row.trained_at, row.trained_by = "champion", session.info["clock"].now(), actor
    row.data_checksum, row.measures = forecaster.learned.checksum, measured
    session.flush()
    return _card(row)


def make_forecast(database: Database, folder: Path, actor: str) -> StoredForecast:
    """Forecast the days after the last recorded one with the model in use, and store it in place of an older one.

    Raises
    ------
    NotReady
        When no model is trained, or no consumption is recorded.
    """
    with database.read() as session:
        version = _champion(session).version
        panel = history(session)
    made = load_forecaster(_file(folder, version)).predict(panel, quantiles=STORED_QUANTILES)
    with database.write(actor) as session:
        _replace_rows(session, made, version)
    with database.read() as session:
        return newest_forecast(session, Actor.system(actor), quantiles=(0.1, 0.5, 0.9))


def _replace_rows(session: Session, made: EngineForecast, version: str) -> None:
    days, totals = [], []
    for record in made.days.to_dict("records"):
        place = {"region_code": record["region"], "material_code": record["item"], "origin": made.origin}
        for quantile in STORED_QUANTILES:
            units = float(record[quantile_column(quantile)])
            day = record["date"].date()
            row = {**place, "day": day, "quantile": quantile, "quantity_units": units, "model_version": version}
            days.append(row)
    for record in made.totals.to_dict("records"):
        place = {"region_code": record["region"], "material_code": record["item"], "origin": made.origin}
        for quantile in STORED_QUANTILES:
            units = float(record[quantile_column(quantile)])
            row = {**place, "quantile": quantile, "quantity_units": units, "model_version": version}
            totals.append({**row, "horizon_days": HORIZON_DAYS})
    for table, rows in ((Forecast, days), (ForecastTotal, totals)):
        session.execute(delete(table).where(table.origin == made.origin))
        if rows:
            session.execute(insert(table), rows)


def newest_forecast(
    session: Session,
    actor: Actor,
    *,
    region_code: str | None = None,
    material_code: str | None = None,
    days: int = HORIZON_DAYS,
    quantiles: Sequence[float] = (0.1, 0.5, 0.9),
) -> StoredForecast:
    """Return the newest stored forecast of the actor's regions.

    Parameters
    ----------
    days : int
        Days ahead, 1 to 3. Totals are given for the whole horizon only.
    quantiles : sequence of float
        Between the lowest and the highest stored one (0.05 to 0.98); read between them in straight lines.

    Raises
    ------
    InvalidInput
        For an unknown region or material, or a quantile or number of days out of range.
    NotReady
        When nothing has been forecast yet.
    """
    actor.require("forecasts:read")
    region = actor.region_or_own(region_code)
    _check_query(session, region, material_code, days, quantiles)
    newest = session.scalar(select(func.max(Forecast.origin)))
    if newest is None:
        raise NotReady(
            Text(
                "nothing has been forecast yet: run `fieldwise forecast run`",
                "尚无预测：请运行 `fieldwise forecast run`",
            )
        )
    version = session.scalars(select(Forecast.model_version).where(Forecast.origin == newest).limit(1)).one()
    return StoredForecast(
        newest,
        version,
        tuple(_days(session, newest, region, material_code, days, quantiles)),
        tuple(_totals(session, newest, region, material_code, quantiles)),
    )


def _check_query(
    session: Session, region: str | None, material: str | None, days: int, quantiles: Sequence[float]
) -> None:
    if region is not None:
        require_region(session, region, pointer="query/region")
    if material is not None and session.get(Material, material) is None:
        raise InvalidInput.at("query/material", f"there is no material {material!r}", f"没有物料 {material!r}")
    if not 1 <= days <= HORIZON_DAYS:
        raise InvalidInput.at("query/days", f"must lie in 1 to {HORIZON_DAYS}", f"应为 1 到 {HORIZON_DAYS}")
    low, high = STORED_QUANTILES[0], STORED_QUANTILES[-1]
    if not quantiles or not all(low <= quantile <= high for quantile in quantiles):
        raise InvalidInput.at("query/quantiles", f"must lie in {low} to {high}", f"应在 {low} 到 {high} 之间")


def _days(
    session: Session, origin: date, region: str | None, material: str | None, days: int, quantiles: Sequence[float]
) -> Iterable[DayForecast]:
    query = select(
        Forecast.region_code, Forecast.material_code, Forecast.day, Forecast.quantile, Forecast.quantity_units
    ).where(Forecast.origin == origin, Forecast.day <= origin + timedelta(days=days))
    if region is not None:
        query = query.where(Forecast.region_code == region)
    if material is not None:
        query = query.where(Forecast.material_code == material)
    curves: dict[tuple[str, str, date], dict[float, float]] = {}
    for row in session.execute(query.order_by(Forecast.region_code, Forecast.material_code, Forecast.day)):
        curves.setdefault((row.region_code, row.material_code, row.day), {})[row.quantile] = row.quantity_units
    for (region_code, material_code, day), curve in curves.items():
        yield DayForecast(region_code, material_code, day, _read_off(curve, quantiles))


def _totals(
    session: Session, origin: date, region: str | None, material: str | None, quantiles: Sequence[float]
) -> Iterable[TotalForecast]:
    query = select(ForecastTotal).where(ForecastTotal.origin == origin)
    if region is not None:
        query = query.where(ForecastTotal.region_code == region)
    if material is not None:
        query = query.where(ForecastTotal.material_code == material)
    curves: dict[tuple[str, str, int], dict[float, float]] = {}
    for row in session.scalars(query.order_by(ForecastTotal.region_code, ForecastTotal.material_code)):
        curves.setdefault((row.region_code, row.material_code, row.horizon_days), {})[row.quantile] = row.quantity_units
    for (region_code, material_code, days), curve in curves.items():
        yield TotalForecast(region_code, material_code, days, _read_off(curve, quantiles))


def _read_off(curve: dict[float, float], quantiles: Sequence[float]) -> dict[float, float]:
    demand = DemandQuantiles(curve)
    return {quantile: round(demand.at(quantile), 2) for quantile in sorted(set(quantiles))}


def accuracy(session: Session, actor: Actor) -> Accuracy:
    """Return the measures of the model in use and of the stored forecasts whose days have come.

    Raises
    ------
    NotReady
        When no model is trained.
    """
    actor.require("forecasts:read")
    card = _card(_champion(session))
    errors, total, inside, days = [], 0.0, [], set()
    for curve, actual, day in _lived(session, actor.region_code):
        errors.append(curve[0.5] - actual)
        total += actual
        inside.append(curve[0.1] <= actual <= curve[0.9])
        days.add(day)
    if not errors or total == 0:
        return Accuracy(card, len(days), None, None, None)
    wape, bias = sum(abs(error) for error in errors) / total, sum(errors) / total
    return Accuracy(card, len(days), wape, bias, sum(inside) / len(inside))


def _lived(session: Session, region: str | None) -> Iterable[tuple[dict[float, float], float, date]]:
    query = (
        select(Forecast, DailyConsumption.quantity_units.label("actual"))
        .join(
            DailyConsumption,
            (DailyConsumption.region_code == Forecast.region_code)
            & (DailyConsumption.material_code == Forecast.material_code)
            & (DailyConsumption.day == Forecast.day),
        )
        .where(DailyConsumption.available, Forecast.quantile.in_((0.1, 0.5, 0.9)))
    )
    if region is not None:
        query = query.where(Forecast.region_code == region)
    curves: dict[tuple[str, str, date, date], dict[float, float]] = {}
    actuals: dict[tuple[str, str, date, date], float] = {}
    for row, actual in session.execute(query):
        place = (row.region_code, row.material_code, row.origin, row.day)
        curves.setdefault(place, {})[row.quantile] = row.quantity_units
        actuals[place] = actual
    return ((curve, actuals[place], place[3]) for place, curve in curves.items() if len(curve) == 3)


def models(session: Session, actor: Actor) -> list[ModelCard]:
    """Return all trained models, the newest first."""
    actor.require("forecasts:read")
    return [_card(row) for row in session.scalars(select(ForecastModel).order_by(ForecastModel.trained_at.desc()))]


def _champion(session: Session) -> ForecastModel:
    row = session.scalars(select(ForecastModel).where(ForecastModel.status == "champion")).one_or_none()
    if row is None:
        raise NotReady(
            Text(
                "no forecast model is trained yet: POST /v1/forecasts/train",
                "尚未训练预测模型：POST /v1/forecasts/train",
            )
        )
    return row


def _card(row: ForecastModel) -> ModelCard:
    return ModelCard(row.version, row.status, row.trained_at, row.trained_by, row.data_checksum, row.measures)
