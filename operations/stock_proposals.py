"""Deciding what is proposed about stock: the list, approval, rejection, adjustment.

Each decision may be repeated: the same call again answers the same and changes nothing. Drives beyond step 1 of the
ladder (step 3) are the director's to decide.
"""

from __future__ import annotations

import math

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from common.errors import Conflict, FieldProblem, Forbidden, InvalidInput, Text
from operations.access import Actor
from operations.people import require_region
from operations.proposal_records import (
    ProposalCard,
    card_of,
    regions_of_warehouses,
    require_proposal,
)
from operations.stock import UPPER_QUANTILE, demand_of, forecast_or_none
from operations.stock_commitments import commitments, lock_warehouses, units_on_hand
from operations.store.tables import Material, StockProposal
from operations.vocabulary import PROPOSAL_STATES

DIRECTORS_STEP = 3
MOST_UNITS = 10**9
_ZH = {
    "proposed": "待审批",
    "approved": "已批准",
    "rejected": "已否决",
    "moved": "已入账",
    "replaced": "已被新方案取代",
}


def proposals(
    session: Session,
    actor: Actor,
    *,
    status: str | None = None,
    region_code: str | None = None,
    material_code: str | None = None,
    limit: int = 500,
) -> list[ProposalCard]:
    """Return proposals that touch the actor's regions, the newest first.

    Raises
    ------
    InvalidInput
        For an unknown status, region or material.
    """
    actor.require("stock:read")
    region = actor.region_or_own(region_code)
    regions = regions_of_warehouses(session)
    query = select(StockProposal)
    if status is not None:
        if status not in PROPOSAL_STATES:
            known = ", ".join(PROPOSAL_STATES)
            raise InvalidInput.at("query/status", f"must be one of {known}", f"应为 {known} 之一")
        query = query.where(StockProposal.status == status)
    if region is not None:
        require_region(session, region, pointer="query/region")
        own = {code for code, place in regions.items() if place == region}
        query = query.where(or_(StockProposal.from_warehouse_code.in_(own), StockProposal.to_warehouse_code.in_(own)))
    if material_code is not None:
        if session.get(Material, material_code) is None:
            raise InvalidInput.at(
                "query/material", f"there is no material {material_code!r}", f"没有物料 {material_code!r}"
            )
        query = query.where(StockProposal.material_code == material_code)
    order = (StockProposal.created_at.desc(), StockProposal.step, StockProposal.material_code, StockProposal.id)
    return [card_of(row, regions) for row in session.scalars(query.order_by(*order).limit(limit))]


def approve(session: Session, actor: Actor, proposal_id: str, reason: str | None = None) -> ProposalCard:
    """Approve a proposal: from then on its units count as gone from the donor and coming to the receiver.

    Raises
    ------
    Forbidden
        When the actor may not decide, or it is step 3 and the actor is not the director.
    NotFound
        When there is no such proposal, or none that touches the actor's region.
    Conflict
        When it is rejected, moved or replaced, or the donor can no longer spare so much.
    """
    row = _locked(session, actor, proposal_id)
    if row.status != "approved":
        _require_state(row, "proposed")
        _require_spare(session, row, row.quantity_units)
        _decide(session, actor, row, "approved", reason)
    return card_of(row, regions_of_warehouses(session))


def reject(session: Session, actor: Actor, proposal_id: str, reason: str) -> ProposalCard:
    """Reject a proposal, or take back an approved one that is not moved yet.

    Raises
    ------
    Forbidden, NotFound
        As `approve`.
    InvalidInput
        Without a reason.
    Conflict
        When it is moved or replaced.
    """
    row = _locked(session, actor, proposal_id)
    if row.status != "rejected":
        _require_state(row, "proposed", "approved")
        _require_reason(reason)
        _decide(session, actor, row, "rejected", reason)
    return card_of(row, regions_of_warehouses(session))


def adjust(session: Session, actor: Actor, proposal_id: str, units: int, reason: str) -> ProposalCard:
    """Change how many units an undecided proposal is about; what was proposed first stays on record.

    Raises
    ------
    Forbidden, NotFound
        As `approve`.
    InvalidInput
        For no units, without a reason, or when an order is not in whole packs or below the supplier's minimum.
    Conflict
        When it is decided, or the donor cannot spare so much above its own upper forecast.
    """
    row = _locked(session, actor, proposal_id)
    if not 1 <= units <= MOST_UNITS:
        raise InvalidInput.at("/units", f"must lie in 1 to {MOST_UNITS}", f"应在 1 到 {MOST_UNITS} 之间")
    _require_reason(reason)
    if row.status == "approved" and row.quantity_units == units:
        return card_of(row, regions_of_warehouses(session))
    _require_state(row, "proposed")
    if row.quantity_units != units:
        _require_order_terms(session, row, units)
        _require_spare(session, row, units)
        row.quantity_units, row.adjustment_reason = units, reason.strip()
        session.flush()
    return card_of(row, regions_of_warehouses(session))


def _locked(session: Session, actor: Actor, proposal_id: str) -> StockProposal:
    """Return the proposal with its warehouses and itself locked, in the order in which planning locks them."""
    actor.require("transfers:approve")
    seen = require_proposal(session, actor, proposal_id)
    lock_warehouses(session, [code for code in (seen.from_warehouse_code, seen.to_warehouse_code) if code is not None])
    session.expire(seen)
    row = require_proposal(session, actor, proposal_id, to_change=True)
    if row.step == DIRECTORS_STEP and actor.role != "director" and actor.kind != "system":
        raise Forbidden(Text("step 3 of the shortage ladder is the director's to decide", "缺货阶梯第三步须由总监决定"))
    return row


def _decide(session: Session, actor: Actor, row: StockProposal, status: str, reason: str | None) -> None:
    row.status = status
    row.decided_by, row.decided_at = actor.code, session.info["clock"].now()
    row.decision_reason = reason.strip() if reason and reason.strip() else None
    session.flush()


def _require_state(row: StockProposal, *states: str) -> None:
    if row.status not in states:
        raise Conflict(Text(f"the proposal is already {row.status}", f"该建议{_ZH[row.status]}"))


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput.at("/reason", "a reason is needed", "需要填写原因")


def _require_order_terms(session: Session, row: StockProposal, units: int) -> None:
    if row.from_warehouse_code is not None:
        return
    material = session.get_one(Material, row.material_code)
    if units % material.pack_size or units < material.minimum_order_units:
        raise InvalidInput.at(
            "/units",
            f"must be a multiple of {material.pack_size} and at least {material.minimum_order_units}",
            f"应为 {material.pack_size} 的倍数且不少于 {material.minimum_order_units}",
        )


def _require_spare(session: Session, row: StockProposal, units: int) -> None:
    """Make sure that the donor keeps its own upper forecast after all that it has promised."""
    if row.from_warehouse_code is None:
        return
    place = row.from_warehouse_code, row.material_code
    stock, promised = units_on_hand(session, place), commitments(session).leaving(place)
    region = regions_of_warehouses(session)[row.from_warehouse_code]
    _, total = demand_of(forecast_or_none(session), region, row.material_code)
    upper = total.at(UPPER_QUANTILE) if total is not None else 0.0
    spare = max(0, math.floor(stock - promised - upper + 1e-9))
    if units > spare:
        text = Text(
            f"{region} can spare {spare}: it has {stock}, has promised {promised}, and keeps its upper forecast of "
            f"{upper:.0f}",
            f"{region} 可调出 {spare}：库存 {stock}，已承诺 {promised}，须保留自身预测上限 {upper:.0f}",
        )
        raise Conflict(text, fields=[FieldProblem("/units", text)])
