"""Stock from the ledger, its outlook, orders, and transfers between regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.orm import Session

from common.errors import InvalidInput, NotReady, Text
from common.places import Location
from forecasting.replenishment import DayOutlook, DemandQuantiles, OrderPolicy, OrderProposal, outlook, propose_order
from forecasting.transfers import RegionStock, Shortage, plan_transfers
from forecasting.transfers import Transfer as Move
from operations.access import Actor
from operations.demand import STORED_QUANTILES, StoredForecast, newest_forecast
from operations.people import require_region
from operations.stock_commitments import Commitments, commitments
from operations.stock_rates import idle_rates
from operations.store.tables import (
    Customer,
    Material,
    StockMovement,
    Transfer,
    Visit,
    Warehouse,
)

CONVERSION_DAYS = 90
"""Days of visits from which a region's conversion rate is taken."""
NEED_QUANTILE = 0.75
"""A region is short when its stock does not cover this quantile of its three-day need."""
UPPER_QUANTILE = 0.9
"""What a donor keeps: its own upper forecast."""


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Stock of one material in one region, with what is to come and what to order.

    ``outlook`` and ``order`` are empty as long as nothing has been forecast. Both count what is approved and not moved
    yet: ``outgoing_units`` are promised to others, ``incoming_units`` on their way here. ``idle_rate`` is the share of
    the last four weeks' stock that nobody needed.
    """

    region_code: str
    warehouse_code: str
    material_code: str
    on_hand_units: int
    last_movement_at: datetime | None
    outlook: tuple[DayOutlook, ...]
    order: OrderProposal | None
    outgoing_units: int = 0
    incoming_units: int = 0
    idle_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known beside the stock itself: the forecast, what is promised, and idle rates by region and material."""

    forecast: StoredForecast | None
    promised: Commitments
    idle: Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class PlannedTransfer:
    """A proposed move of stock."""

    id: str
    material_code: str
    from_region: str
    to_region: str
    quantity_units: int
    travel_s: int
    reason: Text


@dataclass(frozen=True, slots=True)
class MaterialShortage:
    """What no transfer covers."""

    material_code: str
    shortage: Shortage


@dataclass(frozen=True, slots=True)
class TransferProposal:
    """All moves proposed together, and what stays short."""

    plan_id: str
    origin: date
    transfers: tuple[PlannedTransfer, ...]
    shortages: tuple[MaterialShortage, ...]


def stock_levels(
    session: Session, actor: Actor, *, region_code: str | None = None, material_code: str | None = None
) -> list[StockLevel]:
    """Return the stock of the actor's regions, with the chance of running out and the order to place.

    Raises
    ------
    InvalidInput
        For an unknown region or material.
    """
    actor.require("stock:read")
    region = actor.region_or_own(region_code)
    if region is not None:
        require_region(session, region, pointer="query/region")
    materials = {row.code: row for row in session.scalars(select(Material))}
    if material_code is not None and material_code not in materials:
        raise InvalidInput.at(
            "query/material", f"there is no material {material_code!r}", f"没有物料 {material_code!r}"
        )
    known = _Known(forecast_or_none(session), commitments(session), idle_rates(session))
    return [
        _level(place, materials[place[2]], known, on_hand, moved_at)
        for place, (on_hand, moved_at) in on_hand_units(session).items()
        if region in (None, place[0]) and material_code in (None, place[2])
    ]


def on_hand_units(session: Session) -> dict[tuple[str, str, str], tuple[int, datetime | None]]:
    """Return units on hand and the last movement by (region, warehouse, material), zero where nothing ever moved."""
    summed = (
        select(
            StockMovement.warehouse_code,
            StockMovement.material_code,
            func.sum(StockMovement.quantity_units).label("units"),
            func.max(StockMovement.moved_at).label("moved_at"),
        )
        .group_by(StockMovement.warehouse_code, StockMovement.material_code)
        .subquery()
    )
    query = (
        select(Warehouse.region_code, Warehouse.code, Material.code, summed.c.units, summed.c.moved_at)
        .select_from(Warehouse)
        .join(Material, true())
        .outerjoin(summed, (summed.c.warehouse_code == Warehouse.code) & (summed.c.material_code == Material.code))
        .order_by(Warehouse.region_code, Material.code)
    )
    return {
        (region, warehouse, material): (int(units or 0), moved_at)
        for region, warehouse, material, units, moved_at in session.execute(query)
    }


def forecast_or_none(session: Session) -> StoredForecast | None:
    """Return the newest forecast with all stored quantiles, or None when nothing has been forecast yet."""
    try:
        return newest_forecast(session, Actor.system("stock"), quantiles=STORED_QUANTILES)
    except NotReady:
        return None


def _level(
    place: tuple[str, str, str],
    material: Material,
    known: _Known,
    on_hand: int,
    moved_at: datetime | None,
) -> StockLevel:
    region, warehouse, _ = place
    here = warehouse, material.code
    leaving, coming = known.promised.leaving(here), known.promised.coming(here)
    idle = known.idle.get((region, material.code), 0.0)
    days, total = demand_of(known.forecast, region, material.code)
    if not days or total is None or known.forecast is None:
        return StockLevel(region, warehouse, material.code, on_hand, moved_at, (), None, leaving, coming, idle)
    # A ledger below zero means bookings that came late: there is nothing to hand out then.
    usable = float(max(0, on_hand - leaving))
    policy = OrderPolicy(
        shortage_cost=material.shortage_cost_cny,
        holding_cost=material.holding_cost_cny_per_day * (material.lead_time_days + 1),
        lead_time_days=material.lead_time_days,
        pack_size=material.pack_size,
        minimum_order_units=material.minimum_order_units,
        idle_rate=idle,
    )
    order = propose_order(total, policy, demand_days=len(days), on_hand=usable, in_transit=coming)
    arrivals = known.promised.coming_by_day(here, known.forecast.origin, len(days))
    ahead = tuple(outlook(days, on_hand=usable, arrivals=arrivals, total=total))
    return StockLevel(region, warehouse, material.code, on_hand, moved_at, ahead, order, leaving, coming, idle)


def demand_of(
    forecast: StoredForecast | None, region: str, material: str
) -> tuple[list[DemandQuantiles], DemandQuantiles | None]:
    """Return a region's need of a material by day and in all; nothing where it is not forecast."""
    if forecast is None:
        return [], None
    days = sorted(
        (item for item in forecast.days if (item.region_code, item.material_code) == (region, material)),
        key=lambda item: item.day,
    )
    totals = [item for item in forecast.totals if (item.region_code, item.material_code) == (region, material)]
    return [DemandQuantiles(item.quantiles) for item in days], DemandQuantiles(totals[0].quantiles) if totals else None


def propose_transfers(
    session: Session,
    actor: Actor,
    travel_s: Mapping[tuple[str, str], float],
    *,
    materials: Sequence[str] | None = None,
    longest_travel_s: float = 3600,
) -> TransferProposal:
    """Propose moves of stock for the coming three days and store them as proposed; nothing is booked yet.

    A region asks for what its stock lacks to the 0.75 quantile of its need and gives only what lies above its own 0.9
    quantile. Where stock is short everywhere, regions that convert better come first.

    Parameters
    ----------
    travel_s : mapping of (region, region) to float
        Travel time between the warehouses, in seconds (see `warehouse_locations`).
    materials : sequence of str, optional
        Only these; all by default.

    Raises
    ------
    NotReady
        When nothing has been forecast yet.
    InvalidInput
        For an unknown material.
    """
    actor.require("transfers:plan")
    forecast = newest_forecast(session, Actor.system("stock"), quantiles=STORED_QUANTILES)
    wanted = wanted_materials(session, materials)
    levels = on_hand_units(session)
    weights, promised = conversion_rates(session), commitments(session)
    warehouses = {region: warehouse for region, warehouse, _ in levels}
    plan_id = uuid4().hex
    moves: list[PlannedTransfer] = []
    shortages: list[MaterialShortage] = []
    for material in wanted:
        stocks = region_stocks(forecast, levels, weights, material, promised)
        plan = plan_transfers(stocks, travel_s, longest_travel_s=longest_travel_s)
        kept = [move for move in plan.transfers if actor.region_code in (None, move.donor, move.receiver)]
        moves.extend(_store(session, plan_id, material, move, warehouses) for move in kept)
        shortages.extend(
            MaterialShortage(material, item) for item in plan.shortages if actor.region_code in (None, item.region)
        )
    session.flush()
    return TransferProposal(plan_id, forecast.origin, tuple(moves), tuple(shortages))


def wanted_materials(session: Session, materials: Sequence[str] | None) -> list[str]:
    """Return the materials asked for, each once; all by default. One that does not exist is an `InvalidInput`."""
    known = list(session.scalars(select(Material.code).order_by(Material.code)))
    for position, material in enumerate(materials or ()):
        if material not in known:
            raise InvalidInput.at(
                f"/materials/{position}", f"there is no material {material!r}", f"没有物料 {material!r}"
            )
    return known if materials is None else list(dict.fromkeys(materials))


def region_stocks(
    forecast: StoredForecast,
    levels: Mapping[tuple[str, str, str], tuple[int, datetime | None]],
    weights: Mapping[str, float],
    material: str,
    promised: Commitments,
) -> list[RegionStock]:
    """Return what a material's regions have and need; what is approved and not moved yet counts as gone, or coming.

    Coming counts as far as it is expected within the forecast's days.
    """
    stocks = []
    for (region, warehouse, code), (on_hand, _) in levels.items():
        if code != material:
            continue
        days, total = demand_of(forecast, region, material)
        if total is None:
            continue
        need, upper = total.at(NEED_QUANTILE), total.at(UPPER_QUANTILE)
        usable = max(0, on_hand - promised.leaving((warehouse, material)))
        coming = sum(promised.coming_by_day((warehouse, material), forecast.origin, len(days)))
        # A small constant keeps the weight positive for a region that has sold nothing yet.
        stocks.append(RegionStock(region, usable, need, upper, weights.get(region, 0.0) + 0.01, coming))
    return stocks


def _store(session: Session, plan_id: str, material: str, move: Move, warehouses: Mapping[str, str]) -> PlannedTransfer:
    row = Transfer(
        id=uuid4().hex,
        plan_id=plan_id,
        from_warehouse_code=warehouses[move.donor],
        to_warehouse_code=warehouses[move.receiver],
        material_code=material,
        quantity_units=move.units,
        status="proposed",
        reason_zh=move.reason.zh,
        reason_en=move.reason.en,
    )
    session.add(row)
    return PlannedTransfer(row.id, material, move.donor, move.receiver, move.units, round(move.travel_s), move.reason)


def warehouse_locations(session: Session) -> dict[str, Location]:
    """Return where each region's warehouse is."""
    return {
        row.region_code: Location(row.latitude, row.longitude)
        for row in session.scalars(select(Warehouse).order_by(Warehouse.region_code))
    }


def conversion_rates(session: Session) -> dict[str, float]:
    """Return each region's share of visits of the last 90 days that were won."""
    since = session.info["clock"].now() - timedelta(days=CONVERSION_DAYS)
    won: ColumnElement[float] = func.avg(case((Visit.outcome == "won", 1.0), else_=0.0))
    query = (
        select(Customer.region_code, won)
        .join(Customer, Customer.code == Visit.customer_code)
        .where(Visit.started_at >= since)
        .group_by(Customer.region_code)
    )
    return {region: float(rate) for region, rate in session.execute(query)}
