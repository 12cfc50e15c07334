"""What a chart of demand shows beside the forecast: the materials by name, and what was used of them lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Forbidden, InvalidInput, Text
from operations.access import Actor
from operations.people import require_region
from operations.store.tables import DailyConsumption, Material

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class MaterialCard:
    """A material with its names and the word for one unit of it."""

    code: str
    name: Text
    unit: Text


@dataclass(frozen=True, slots=True)
class ConsumptionDay:
    """What was used on one day, in units; ``available`` is false when stock ran out, so that more may have been asked.

    A day without a record has no item.
    """

    day: date
    quantity_units: float
    available: bool


def materials(session: Session, actor: Actor) -> list[MaterialCard]:
    """Return all materials by code, for those who may see forecasts or stock.

    Raises
    ------
    Forbidden
        When the actor may see neither.
    """
    if not (actor.may("forecasts:read") or actor.may("stock:read")):
        raise Forbidden(
            Text("this needs the right forecasts:read or stock:read", "此操作需要权限 forecasts:read 或 stock:read")
        )
    return [
        MaterialCard(row.code, Text(row.name_en, row.name_zh), Text(row.unit_en, row.unit_zh))
        for row in session.scalars(select(Material).order_by(Material.code))
    ]


def recent_consumption(
    session: Session, actor: Actor, region_code: str, material_code: str, *, days: int = 28
) -> list[ConsumptionDay]:
    """Return the last recorded days of one region and material, the oldest first.

    Parameters
    ----------
    days : int
        Most days to return, 1 to 366; fewer when fewer are recorded.

    Raises
    ------
    InvalidInput
        For an unknown region or material, or a number of days out of range.
    Forbidden
        When the actor may not see forecasts, or not this region.
    """
    actor.require("forecasts:read")
    actor.require_region(region_code)
    require_region(session, region_code, pointer="query/region")
    if session.get(Material, material_code) is None:
        raise InvalidInput.at(
            "query/material", f"there is no material {material_code!r}", f"没有物料 {material_code!r}"
        )
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput.at("query/days", f"must lie in 1 to {MOST_DAYS}", f"应为 1 到 {MOST_DAYS}")
    query = (
        select(DailyConsumption)
        .where(DailyConsumption.region_code == region_code, DailyConsumption.material_code == material_code)
        .order_by(DailyConsumption.day.desc())
        .limit(days)
    )
    newest_first = [ConsumptionDay(row.day, row.quantity_units, row.available) for row in session.scalars(query)]
    return newest_first[::-1]
