"""Stored forecasts: making the one of the coming days, and reading it or an earlier one, with what people changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from common.errors import InvalidInput, NotFound, NotReady, Text
from forecasting.forecaster import Forecast as EngineForecast
from forecasting.forecaster import quantile_column
from forecasting.model_file import load_forecaster
from forecasting.replenishment import DemandQuantiles
from operations.access import Actor
from operations.demand_history import HORIZON_DAYS, history
from operations.forecast_models import champion, model_file
from operations.forecast_notes import ForecastNotes, from_json, notes_of, to_json
from operations.forecast_overrides import OverrideCard, counting_overrides, effective_units, moved_curve
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import Forecast, ForecastRun, ForecastTotal, Material

STORED_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
KEPT_DAYS = 120
"""Forecasts of earlier origins are kept so long: for their errors, and to see what was known when."""


@dataclass(frozen=True, slots=True)
class DayForecast:
    """The need of one region for one material on one day, in units at each quantile.

    ``quantiles`` are what counts; where a person changed the day, ``override`` says how and ``model_quantiles`` what
    the model said.
    """

    region_code: str
    material_code: str
    day: date
    quantiles: dict[float, float]
    model_quantiles: dict[float, float] | None = None
    override: OverrideCard | None = None


@dataclass(frozen=True, slots=True)
class TotalForecast:
    """The need over the whole horizon, in units at each quantile; ``model_quantiles`` where overrides moved it."""

    region_code: str
    material_code: str
    days: int
    quantiles: dict[float, float]
    model_quantiles: dict[float, float] | None = None


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """A forecast as seen from the end of ``origin``, by the model that was in use then."""

    origin: date
    model_version: str
    days: tuple[DayForecast, ...]
    totals: tuple[TotalForecast, ...]
    made_at: datetime | None = None
    notes: ForecastNotes = field(default_factory=ForecastNotes)


@dataclass(frozen=True, slots=True)
class ForecastQuestion:
    """Which forecast is asked for.

    Attributes
    ----------
    region_code, material_code : str or None
        Only these; None for all (that the asker may see).
    days : int
        Days ahead, 1 to 3. Totals are given for the whole horizon only.
    quantiles : sequence of float
        Between the lowest and the highest stored one (0.05 to 0.98); read between them in straight lines.
    as_of : date or None
        The newest forecast that was seen from the end of this day, or earlier.
    origin : date or None
        The forecast of exactly this origin.
    overridden : bool
        Whether people's overrides count; they belong to a day, so that those made since show in earlier forecasts too.
    """

    region_code: str | None = None
    material_code: str | None = None
    days: int = HORIZON_DAYS
    quantiles: Sequence[float] = (0.1, 0.5, 0.9)
    as_of: date | None = None
    origin: date | None = None
    overridden: bool = True


def make_forecast(database: Database, folder: Path, actor: str) -> StoredForecast:
    """Forecast the days after the last recorded one with the model in use, and store it in place of an older one.

    Raises
    ------
    NotReady
        When no model is trained, or no consumption is recorded.
    """
    with database.read() as session:
        version = champion(session).version
        panel = history(session)
    made = load_forecaster(model_file(folder, version)).predict(panel, quantiles=STORED_QUANTILES)
    notes = to_json(notes_of(made, panel))
    with database.write(actor) as session:
        _replace_rows(session, made, version)
        session.merge(
            ForecastRun(
                origin=made.origin,
                model_version=version,
                made_at=session.info["clock"].now(),
                made_by=actor,
                notes=notes,
            )
        )
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


def forget_old_forecasts(session: Session, keep_days: int = KEPT_DAYS) -> int:
    """Delete forecasts whose origin lies more than ``keep_days`` before the newest; return how many origins went."""
    newest = session.scalar(select(func.max(Forecast.origin)))
    if newest is None:
        return 0
    before = newest - timedelta(days=keep_days)
    gone = session.scalar(select(func.count(Forecast.origin.distinct())).where(Forecast.origin < before)) or 0
    for table in (Forecast, ForecastTotal, ForecastRun):
        session.execute(delete(table).where(table.origin < before))
    return gone


def newest_forecast(
    session: Session,
    actor: Actor,
    *,
    region_code: str | None = None,
    material_code: str | None = None,
    days: int = HORIZON_DAYS,
    quantiles: Sequence[float] = (0.1, 0.5, 0.9),
) -> StoredForecast:
    """Return the newest stored forecast of the actor's regions, with overrides; see :func:`stored_forecast`."""
    return stored_forecast(session, actor, ForecastQuestion(region_code, material_code, days, quantiles))


def stored_forecast(session: Session, actor: Actor, question: ForecastQuestion) -> StoredForecast:
    """Return a stored forecast of the actor's regions.

    Raises
    ------
    InvalidInput
        For an unknown region or material, or a quantile or number of days out of range.
    NotFound
        When no forecast of the origin asked for is kept.
    NotReady
        When nothing has been forecast yet.
    """
    actor.require("forecasts:read")
    region = actor.region_or_own(question.region_code)
    _check(session, region, question)
    origin = _origin(session, question)
    curves = _curves(session, _filtered(select(Forecast), Forecast, (origin, region, question.material_code)))
    horizon = [origin + timedelta(days=ahead) for ahead in range(1, HORIZON_DAYS + 1)]
    said = counting_overrides(session, horizon, region) if question.overridden else {}
    days, medians = _days(curves, said, question, horizon[question.days - 1])
    run = session.get(ForecastRun, origin)
    return StoredForecast(
        origin,
        session.scalars(select(Forecast.model_version).where(Forecast.origin == origin).limit(1)).one(),
        tuple(days),
        tuple(_totals(session, (origin, region, question.material_code), question.quantiles, medians)),
        run.made_at if run else None,
        from_json(run.notes).of(region, question.material_code) if run else ForecastNotes(),
    )


def origins(session: Session, actor: Actor, *, limit: int = KEPT_DAYS) -> list[date]:
    """Return the origins of which forecasts are kept, the newest first."""
    actor.require("forecasts:read")
    return list(session.scalars(select(Forecast.origin).distinct().order_by(Forecast.origin.desc()).limit(limit)))


def _origin(session: Session, question: ForecastQuestion) -> date:
    query = select(func.max(Forecast.origin))
    newest = session.scalar(query)
    if newest is None:
        raise NotReady(
            Text(
                "nothing has been forecast yet: run `fieldwise forecast run`",
                "尚无预测：请运行 `fieldwise forecast run`",
            )
        )
    found: date | None = newest
    if question.origin is not None:
        found = session.scalar(query.where(Forecast.origin == question.origin))
    elif question.as_of is not None:
        found = session.scalar(query.where(Forecast.origin <= question.as_of))
    if found is None:
        asked = question.origin or question.as_of
        oldest = session.scalar(select(func.min(Forecast.origin)))
        raise NotFound(
            Text(
                f"no forecast of {asked} is kept (from {oldest} to {newest})",
                f"没有 {asked} 的预测（现存 {oldest} 至 {newest}）",
            )
        )
    return found


def _check(session: Session, region: str | None, question: ForecastQuestion) -> None:
    material, quantiles = question.material_code, question.quantiles
    if region is not None:
        require_region(session, region, pointer="query/region")
    if material is not None and session.get(Material, material) is None:
        raise InvalidInput.at("query/material", f"there is no material {material!r}", f"没有物料 {material!r}")
    if not 1 <= question.days <= HORIZON_DAYS:
        raise InvalidInput.at("query/days", f"must lie in 1 to {HORIZON_DAYS}", f"应为 1 到 {HORIZON_DAYS}")
    if question.as_of is not None and question.origin is not None:
        raise InvalidInput.at("query/origin", "give either origin or as_of", "origin 与 as_of 只能填写一个")
    low, high = STORED_QUANTILES[0], STORED_QUANTILES[-1]
    if not quantiles or not all(low <= quantile <= high for quantile in quantiles):
        raise InvalidInput.at("query/quantiles", f"must lie in {low} to {high}", f"应在 {low} 到 {high} 之间")


Series = tuple[str, str]
Place = tuple[str, str, date]
Medians = dict[Series, tuple[float, float]]
_Where = tuple[date, str | None, str | None]


def _filtered(query: Select[Any], table: type[Forecast | ForecastTotal], where: _Where) -> Select[Any]:
    origin, region, material = where
    query = query.where(table.origin == origin)
    if region is not None:
        query = query.where(table.region_code == region)
    if material is not None:
        query = query.where(table.material_code == material)
    return query.order_by(table.region_code, table.material_code)


def _curves(session: Session, query: Select[Any]) -> dict[Place, dict[float, float]]:
    columns = (
        Forecast.region_code,
        Forecast.material_code,
        Forecast.day,
        Forecast.quantile,
        Forecast.quantity_units,
    )
    curves: dict[Place, dict[float, float]] = {}
    for region, material, day, quantile, units in session.execute(
        query.with_only_columns(*columns).order_by(Forecast.day)
    ):
        curves.setdefault((region, material, day), {})[quantile] = units
    return curves


def _days(
    curves: Mapping[Place, dict[float, float]],
    said: Mapping[Place, OverrideCard],
    question: ForecastQuestion,
    last_day: date,
) -> tuple[list[DayForecast], Medians]:
    """Return the days up to ``last_day``, and for each changed series the sum of its medians before and after."""
    days, changed = [], {(region, material) for region, material, _ in said}
    medians: Medians = {}
    for (region, material, day), curve in curves.items():
        model = _read_off(curve, question.quantiles)
        override = said.get((region, material, day))
        now = curve
        if override is not None:
            after = effective_units(curve[0.5], quantity_units=override.quantity_units, factor=override.factor)
            now = moved_curve(curve, curve[0.5], after)
        if (region, material) in changed:
            before, moved = medians.get((region, material), (0.0, 0.0))
            medians[region, material] = (before + curve[0.5], moved + now[0.5])
        if day > last_day:
            continue
        if override is None:
            days.append(DayForecast(region, material, day, model))
        else:
            effective = _read_off(now, question.quantiles)
            days.append(DayForecast(region, material, day, effective, model, override))
    return days, medians


def _totals(session: Session, where: _Where, quantiles: Sequence[float], medians: Medians) -> list[TotalForecast]:
    curves: dict[tuple[str, str, int], dict[float, float]] = {}
    for row in session.scalars(_filtered(select(ForecastTotal), ForecastTotal, where)):
        curves.setdefault((row.region_code, row.material_code, row.horizon_days), {})[row.quantile] = row.quantity_units
    totals = []
    for (region, material, days), curve in curves.items():
        model = _read_off(curve, quantiles)
        if (region, material) not in medians:
            totals.append(TotalForecast(region, material, days, model))
            continue
        # The total moves as the sum of the days' medians does: it is not that sum itself.
        effective = _read_off(moved_curve(curve, *medians[region, material]), quantiles)
        totals.append(TotalForecast(region, material, days, effective, model))
    return totals


def _read_off(curve: Mapping[float, float], quantiles: Sequence[float]) -> dict[float, float]:
    demand = DemandQuantiles(curve)
    return {quantile: round(demand.at(quantile), 2) for quantile in sorted(set(quantiles))}
