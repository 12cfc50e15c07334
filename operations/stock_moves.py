"""Booking what was really moved for an approved proposal: once, in the ledger that is never changed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, Text
from operations.access import Actor
from operations.proposal_records import ProposalCard, card_of, regions_of_warehouses, require_proposal
from operations.stock_commitments import lock_warehouses, units_on_hand
from operations.store.tables import StockMovement, StockProposal

MOST_UNITS = 10**9


def record_move(session: Session, actor: Actor, proposal_id: str, units: int | None = None) -> ProposalCard:
    """Book what was moved: out of the donor and into the receiver, or a receipt for what a supplier brought.

    Booking the same units again answers the same and books nothing. The proposal is then closed: what came short of it
    is planned anew.

    Parameters
    ----------
    units : int, optional
        What was really moved; what was approved by default.

    Raises
    ------
    Forbidden
        When the actor may not book stock.
    NotFound
        When there is no such proposal, or none that touches the actor's region.
    InvalidInput
        For no units.
    Conflict
        When it is not approved, was booked with other units, or the donor does not have so much.
    """
    actor.require("stock:write")
    seen = require_proposal(session, actor, proposal_id)
    lock_warehouses(session, [code for code in (seen.from_warehouse_code, seen.to_warehouse_code) if code is not None])
    session.expire(seen)
    row = require_proposal(session, actor, proposal_id, to_change=True)
    moved = row.quantity_units if units is None else units
    if not 1 <= moved <= MOST_UNITS:
        raise InvalidInput.at("/units", f"must lie in 1 to {MOST_UNITS}", f"应在 1 到 {MOST_UNITS} 之间")
    if row.status == "moved":
        if row.moved_units != moved:
            text = Text(f"it is booked already, with {row.moved_units} units", f"已入账，数量为 {row.moved_units}")
            raise Conflict(text)
    elif row.status != "approved":
        raise Conflict(Text(f"only what is approved can be moved; this is {row.status}", "只有已批准的建议才能入账"))
    else:
        _book(session, actor, row, moved)
    return card_of(row, regions_of_warehouses(session))


def _book(session: Session, actor: Actor, row: StockProposal, units: int) -> None:
    if row.from_warehouse_code is not None:
        stock = units_on_hand(session, (row.from_warehouse_code, row.material_code))
        if units > stock:
            raise Conflict(
                Text(
                    f"{row.from_warehouse_code} has only {max(0, stock)}: book what it received first",
                    f"{row.from_warehouse_code} 只有 {max(0, stock)}，请先登记其入库",
                )
            )
        _line(session, actor, row, "transfer_out", -units)
        _line(session, actor, row, "transfer_in", units)
    else:
        _line(session, actor, row, "receipt", units)
    row.status, row.moved_units = "moved", units
    row.moved_by, row.moved_at = actor.code, session.info["clock"].now()
    session.flush()


def _line(session: Session, actor: Actor, row: StockProposal, kind: str, units: int) -> None:
    now = session.info["clock"].now()
    warehouse = row.from_warehouse_code if kind == "transfer_out" else row.to_warehouse_code
    session.add(
        StockMovement(
            warehouse_code=warehouse,
            material_code=row.material_code,
            kind=kind,
            quantity_units=units,
            moved_at=now,
            reference=f"proposal:{row.id}",
            recorded_at=now,
            recorded_by=actor.code,
        )
    )
