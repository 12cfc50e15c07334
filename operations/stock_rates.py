"""How much stock lay idle, and how often it ran short, from the ledger and from recorded consumption.

The idle rate is the lowest stock at the end of a day over what was there at the start plus what came in: the share that
the period never needed. The shortage rate is the share of recorded days on which stock ran out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from common.errors import InvalidInput
from forecasting.replenishment import IDLE_RATE_LIMIT
from operations.access import Actor
from operations.demand_history import last_closed_days
from operations.people import require_region
from operations.store.tables import DailyConsumption, Material, Region, StockMovement, Warehouse

MONTH_DAYS = 28
"""Four weeks stand for a month: every weekday counts as often."""
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class StockRate:
    """Idle and shortage rate of one material in one region.

    Attributes
    ----------
    first_day, last_day : date
        The days that count, both included.
    idle_rate : float
        0 … 1; 0 where there was nothing.
    too_idle : bool
        Whether it lies above the field's limit of 0.2, so that orders are lowered.
    shortage_rate : float or None
        0 … 1; None where no consumption is recorded.
    short_days, recorded_days : int
        Days on which stock ran out, and days recorded.
    """

    region_code: str
    material_code: str
    first_day: date
    last_day: date
    idle_rate: float
    too_idle: bool
    shortage_rate: float | None
    short_days: int
    recorded_days: int


def stock_rates(
    session: Session,
    actor: Actor,
    *,
    region_code: str | None = None,
    material_code: str | None = None,
    days: int = MONTH_DAYS,
) -> list[StockRate]:
    """Return the rates of the actor's regions over the last ``days`` days that are over there.

    Raises
    ------
    InvalidInput
        For an unknown region or material, or when ``days`` lies outside 1 to 366.
    """
    actor.require("stock:read")
    region = actor.region_or_own(region_code)
    if region is not None:
        require_region(session, region, pointer="query/region")
    if material_code is not None and session.get(Material, material_code) is None:
        raise InvalidInput.at(
            "query/material", f"there is no material {material_code!r}", f"没有物料 {material_code!r}"
        )
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput.at("query/days", f"must lie in 1 to {MOST_DAYS}", f"应在 1 到 {MOST_DAYS} 之间")
    ends = last_closed_days(session)
    idle = idle_rates(session, days=days)
    short = _short_days(session, ends, days)
    result = []
    for (place, material), rate in sorted(idle.items()):
        if region not in (None, place) or material_code not in (None, material):
            continue
        last = ends[place]
        missing, recorded = short.get((place, material), (0, 0))
        share = missing / recorded if recorded else None
        first = last - timedelta(days=days - 1)
        result.append(StockRate(place, material, first, last, rate, rate > IDLE_RATE_LIMIT, share, missing, recorded))
    return result


def idle_rates(session: Session, *, days: int = MONTH_DAYS) -> dict[tuple[str, str], float]:
    """Return the idle rate by (region, material) over the last ``days`` days that are over in each region."""
    places = session.execute(
        select(Warehouse.code, Warehouse.region_code, Region.time_zone).join(
            Region, Region.code == Warehouse.region_code
        )
    ).all()
    materials = list(session.scalars(select(Material.code)))
    ends = last_closed_days(session)
    zones = {warehouse: ZoneInfo(zone) for warehouse, _, zone in places}
    starts = {warehouse: ends[region] - timedelta(days=days - 1) for warehouse, region, _ in places}
    if not places:
        return {}
    since = {code: datetime.combine(starts[code], time.min, zones[code]).astimezone(UTC) for code in zones}
    opening = _opening(session, min(since.values()))
    changes = _changes(session, min(since.values()), max(ends.values()))
    result = {}
    for warehouse, region, _ in places:
        for material in materials:
            lines = [
                (moved_at.astimezone(zones[warehouse]).date(), units)
                for moved_at, units in changes.get((warehouse, material), ())
            ]
            start = opening.get((warehouse, material), 0) + sum(u for day, u in lines if day < starts[warehouse])
            inside = [(day, u) for day, u in lines if starts[warehouse] <= day <= ends[region]]
            result[region, material] = _idle_rate(start, inside, starts[warehouse], days)
    return result


def _idle_rate(start: int, lines: list[tuple[date, int]], first: date, days: int) -> float:
    by_day = [0] * days
    for day, units in lines:
        by_day[(day - first).days] += units
    lowest = min(list(accumulate(by_day, initial=start))[1:])
    available = start + sum(units for _, units in lines if units > 0)
    return min(1.0, max(0, lowest) / available) if available > 0 else 0.0


def _opening(session: Session, since: datetime) -> dict[tuple[str, str], int]:
    line = StockMovement
    query = (
        select(line.warehouse_code, line.material_code, func.sum(line.quantity_units))
        .where(line.moved_at < since)
        .group_by(line.warehouse_code, line.material_code)
    )
    return {(warehouse, material): int(units) for warehouse, material, units in session.execute(query)}


def _changes(session: Session, since: datetime, last: date) -> dict[tuple[str, str], list[tuple[datetime, int]]]:
    line = StockMovement
    # one day more: the last day ends later in UTC where the zone lies west of it
    until = datetime.combine(last + timedelta(days=2), time.min, UTC)
    query = select(line.warehouse_code, line.material_code, line.moved_at, line.quantity_units).where(
        line.moved_at >= since, line.moved_at < until
    )
    result: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    for warehouse, material, moved_at, units in session.execute(query):
        result.setdefault((warehouse, material), []).append((moved_at, units))
    return result


def _short_days(session: Session, ends: Mapping[str, date], days: int) -> dict[tuple[str, str], tuple[int, int]]:
    table = DailyConsumption
    result: dict[tuple[str, str], tuple[int, int]] = {}
    for last in sorted(set(ends.values())):
        query = (
            select(
                table.region_code,
                table.material_code,
                func.sum(case((table.available.is_(False), 1), else_=0)),
                func.count(),
            )
            .where(table.day.between(last - timedelta(days=days - 1), last))
            .group_by(table.region_code, table.material_code)
        )
        for region, material, short, count in session.execute(query):
            if ends[region] == last:
                result[region, material] = int(short), int(count)
    return result
