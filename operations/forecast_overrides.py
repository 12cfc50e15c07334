"""What people say against the forecast: a quantity or a factor for a day, with a reason; and what it was worth later.

An override belongs to a day of a region and material, not to one forecast: every stored forecast of that day is shown
with it, also one made later. Its value is told against the forecast that it was said against.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, NotFound, Text
from operations.access import Actor
from operations.people import require_region
from operations.store.tables import DailyConsumption, Forecast, ForecastOverride, Material

MOST_FACTOR = 20.0
MOST_UNITS = 1e9
"""What nobody can mean: a mistyped factor or quantity must not become an order."""


@dataclass(frozen=True, slots=True)
class OverrideWish:
    """What somebody wants to say: exactly one of ``quantity_units`` and ``factor`` (on the model's median)."""

    region_code: str
    material_code: str
    day: date
    reason: str
    quantity_units: float | None = None
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class OverrideCard:
    """An override.

    Attributes
    ----------
    origin, model_units : date, float
        The forecast that it was said against: its origin and its median.
    effective_units : float
        What it made of that median.
    withdrawn_at, withdrawn_by, withdrawal_reason
        None as long as it counts; a later override of the same day withdraws it too.
    """

    id: str
    region_code: str
    material_code: str
    day: date
    quantity_units: float | None
    factor: float | None
    reason: str
    made_by: str
    made_at: datetime
    origin: date
    model_units: float
    effective_units: float
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawal_reason: str | None


Place = tuple[str, str, date]
Curve = Mapping[float, float]


def make_override(session: Session, actor: Actor, wish: OverrideWish) -> OverrideCard:
    """Say what a region will need of a material on a day that is forecast; an earlier word on it is withdrawn.

    Raises
    ------
    Forbidden
        When the actor may not override, or not in this region.
    InvalidInput
        For an unknown region or material, a day that is not among those forecast or has come already, without a
        reason, or without exactly one of quantity and factor in range.
    """
    actor.require("forecasts:override")
    actor.require_region(wish.region_code)
    _check(session, wish)
    origin, model_units = _model_median(session, wish)
    now = session.info["clock"].now()
    row = ForecastOverride(
        id=uuid4().hex,
        region_code=wish.region_code,
        material_code=wish.material_code,
        day=wish.day,
        quantity_units=wish.quantity_units,
        factor=wish.factor,
        reason=wish.reason.strip(),
        origin=origin,
        model_units=model_units,
    )
    for earlier in _counting(session, wish.region_code, wish.material_code, wish.day):
        earlier.withdrawn_at, earlier.withdrawn_by = now, actor.code
        earlier.withdrawal_reason = f"→ {row.id}"
    session.add(row)
    session.flush()
    return _card(row)


def _check(session: Session, wish: OverrideWish) -> None:
    require_region(session, wish.region_code, pointer="/region")
    if session.get(Material, wish.material_code) is None:
        raise InvalidInput.at(
            "/material", f"there is no material {wish.material_code!r}", f"没有物料 {wish.material_code!r}"
        )
    if not wish.reason.strip():
        raise InvalidInput.at("/reason", "a reason is needed", "需要填写原因")
    if (wish.quantity_units is None) == (wish.factor is None):
        raise InvalidInput.at(
            "/quantity_units", "give either quantity_units or factor", "请填写 quantity_units 或 factor 之一"
        )
    for pointer, value, most in (
        ("/quantity_units", wish.quantity_units, MOST_UNITS),
        ("/factor", wish.factor, MOST_FACTOR),
    ):
        if value is not None and not 0 <= value <= most:
            raise InvalidInput.at(pointer, f"must lie in 0 to {most:g}", f"应在 0 到 {most:g} 之间")


def _model_median(session: Session, wish: OverrideWish) -> tuple[date, float]:
    """Return the origin and the median of the newest forecast, which must hold the day."""
    origin = session.scalar(select(func.max(Forecast.origin)))
    place = (wish.region_code, wish.material_code, origin, wish.day, 0.5)
    row = session.get(Forecast, place) if origin is not None else None
    if origin is None or row is None:
        reach = f"{origin + timedelta(days=1)} …" if origin is not None else ""
        raise InvalidInput.at(
            "/day",
            f"is not among the days forecast for it ({reach or 'none yet'})",
            f"该日不在其预测范围内（{reach or '尚无预测'}）",
        )
    if session.get(DailyConsumption, (wish.region_code, wish.material_code, wish.day)) is not None:
        raise InvalidInput.at("/day", "has come already: its use is recorded", "该日已过，消耗已记录")
    return origin, row.quantity_units


def withdraw_override(session: Session, actor: Actor, override_id: str, reason: str | None = None) -> OverrideCard:
    """Withdraw an override; it stays on record, with its reason.

    Raises
    ------
    Forbidden
        When the actor may not override, or not in its region.
    NotFound
        When there is none of this id.
    Conflict
        When it is withdrawn already, or its day has come: what counted then is history.
    """
    actor.require("forecasts:override")
    row = session.get(ForecastOverride, override_id)
    if row is None or actor.region_code not in (None, row.region_code):
        raise NotFound(Text(f"there is no override {override_id!r}", f"没有人工修正 {override_id!r}"))
    if row.withdrawn_at is not None:
        raise Conflict(Text("it is withdrawn already", "该修正已撤回"))
    if session.get(DailyConsumption, (row.region_code, row.material_code, row.day)) is not None:
        raise Conflict(Text("its day has come: what counted then stays on record", "该日已过，当时的修正须保留"))
    row.withdrawn_at, row.withdrawn_by = session.info["clock"].now(), actor.code
    row.withdrawal_reason = reason.strip() if reason and reason.strip() else None
    session.flush()
    return _card(row)


def overrides(
    session: Session,
    actor: Actor,
    *,
    region_code: str | None = None,
    material_code: str | None = None,
    since: date | None = None,
    withdrawn: bool = True,
    limit: int = 200,
) -> list[OverrideCard]:
    """Return overrides of the actor's regions, the latest day first.

    Parameters
    ----------
    since : date, optional
        Only of days from this one on.
    withdrawn : bool
        Whether those that no longer count are among them.
    """
    actor.require("forecasts:read")
    region = actor.region_or_own(region_code)
    query = select(ForecastOverride)
    if region is not None:
        query = query.where(ForecastOverride.region_code == region)
    if material_code is not None:
        query = query.where(ForecastOverride.material_code == material_code)
    if since is not None:
        query = query.where(ForecastOverride.day >= since)
    if not withdrawn:
        query = query.where(ForecastOverride.withdrawn_at.is_(None))
    order = (ForecastOverride.day.desc(), ForecastOverride.created_at.desc(), ForecastOverride.id)
    return [_card(row) for row in session.scalars(query.order_by(*order).limit(limit))]


def counting_overrides(session: Session, days: Sequence[date], region_code: str | None) -> dict[Place, OverrideCard]:
    """Return the overrides that count on these days, by region, material and day."""
    query = select(ForecastOverride).where(ForecastOverride.day.in_(days), ForecastOverride.withdrawn_at.is_(None))
    if region_code is not None:
        query = query.where(ForecastOverride.region_code == region_code)
    return {(row.region_code, row.material_code, row.day): _card(row) for row in session.scalars(query)}


def _counting(session: Session, region: str, material: str, day: date) -> Iterable[ForecastOverride]:
    query = select(ForecastOverride).where(
        ForecastOverride.region_code == region,
        ForecastOverride.material_code == material,
        ForecastOverride.day == day,
        ForecastOverride.withdrawn_at.is_(None),
    )
    return session.scalars(query).all()


def effective_units(model_units: float, *, quantity_units: float | None, factor: float | None) -> float:
    """Return what an override makes of the model's median, in units."""
    return quantity_units if quantity_units is not None else model_units * (1.0 if factor is None else factor)


def moved_curve(curve: Curve, median_before: float, median_after: float) -> dict[float, float]:
    """Return all quantiles moved as the median is: scaled alike.

    Where the model says next to nothing and a person says much, scaling would blow its small uncertainty up without
    measure: from 20 times the median on, the curve is shifted instead.
    """
    if median_before > 0 and median_after <= MOST_FACTOR * median_before:
        return {quantile: units * median_after / median_before for quantile, units in curve.items()}
    return {quantile: units + median_after - median_before for quantile, units in curve.items()}


def _card(row: ForecastOverride) -> OverrideCard:
    return OverrideCard(
        id=row.id,
        region_code=row.region_code,
        material_code=row.material_code,
        day=row.day,
        quantity_units=row.quantity_units,
        factor=row.factor,
        reason=row.reason,
        made_by=row.created_by,
        made_at=row.created_at,
        origin=row.origin,
        model_units=row.model_units,
        effective_units=effective_units(row.model_units, quantity_units=row.quantity_units, factor=row.factor),
        withdrawn_at=row.withdrawn_at,
        withdrawn_by=row.withdrawn_by,
        withdrawal_reason=row.withdrawal_reason,
    )
