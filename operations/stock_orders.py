"""Proposing the orders that stock needs, for people to decide like the steps of the shortage ladder (as step 0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from forecasting.replenishment import OrderProposal
from forecasting.shortage_ladder import Demand, consequence_without
from operations.access import Actor
from operations.demand import STORED_QUANTILES, StoredForecast, newest_forecast
from operations.proposal_records import (
    ProposalCard,
    card_of,
    own_warehouses,
    regions_of_warehouses,
    replace_undecided,
    told,
)
from operations.stock import StockLevel, demand_of, stock_levels, wanted_materials
from operations.stock_commitments import lock_warehouses
from operations.store.tables import Material, StockProposal

UNIT_PRICE_CNY = 10.0
"""Price of one piece, as long as materials have no price of their own."""


@dataclass(frozen=True, slots=True)
class ProposedOrders:
    """Orders that were proposed together, and how many undecided ones they took the place of."""

    plan_id: str
    origin: date
    proposals: tuple[ProposalCard, ...]
    replaced: int


def propose_orders(
    session: Session, actor: Actor, *, materials: Sequence[str] | None = None, unit_price_cny: float = UNIT_PRICE_CNY
) -> ProposedOrders:
    """Propose an order wherever stock and what is approved do not reach the order-up-to level, and store it.

    Parameters
    ----------
    materials : sequence of str, optional
        Only these; all by default. Who is bound to a region orders for that one.

    Raises
    ------
    Forbidden
        When the actor may not plan.
    NotReady
        When nothing has been forecast yet.
    InvalidInput
        For an unknown material.
    """
    actor.require("transfers:plan")
    forecast = newest_forecast(session, Actor.system("stock"), quantiles=STORED_QUANTILES)
    wanted = wanted_materials(session, materials)
    lock_warehouses(session)
    regions = regions_of_warehouses(session)
    replaced = replace_undecided(session, wanted, ("order",), own_warehouses(actor, regions))
    costs = {row.code: row.shortage_cost_cny for row in session.scalars(select(Material))}
    plan_id = uuid4().hex
    rows = []
    for level in stock_levels(session, Actor.system("stock"), region_code=actor.region_code):
        order = level.order
        if level.material_code not in wanted or order is None or order.order_units == 0:
            continue
        row = _row(level, order, forecast, costs[level.material_code])
        row.plan_id, row.cost_cny = plan_id, round(order.order_units * unit_price_cny, 2)
        rows.append(row)
    session.add_all(rows)
    session.flush()
    return ProposedOrders(plan_id, forecast.origin, tuple(card_of(row, regions) for row in rows), replaced)


def _row(level: StockLevel, order: OrderProposal, forecast: StoredForecast, shortage_cost_cny: float) -> StockProposal:
    days, total = demand_of(forecast, level.region_code, level.material_code)
    if total is None:  # an order is only worked out from a forecast
        raise RuntimeError(f"no forecast of {level.material_code} in {level.region_code}")
    position = max(0, level.on_hand_units - level.outgoing_units) + level.incoming_units
    without = consequence_without(Demand(tuple(days), total), position, shortage_cost_cny)
    return StockProposal(
        id=uuid4().hex,
        origin=forecast.origin,
        kind="order",
        step=0,
        material_code=level.material_code,
        from_warehouse_code=None,
        to_warehouse_code=level.warehouse_code,
        proposed_units=order.order_units,
        quantity_units=order.order_units,
        status="proposed",
        **told(order.reason, without),
    )
