"""Stored proposals about stock: how they are kept, shown, found and replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from forecasting.shortage_ladder import Consequence
from operations.access import Actor
from operations.store.tables import StockProposal, Warehouse

LADDER_KINDS = ("transfer", "rush_order", "cross_region")


@dataclass(frozen=True, slots=True)
class ProposalCard:
    """A proposal with what became of it.

    Attributes
    ----------
    kind : {"transfer", "rush_order", "cross_region", "order"}
        What is to be done; ``step`` is that of the shortage ladder (1 to 3), 0 for an ordinary order.
    from_region : str or None
        Who gives; None for what suppliers bring.
    proposed_units, quantity_units, moved_units : int
        What the plan said, what counts after an adjustment, and what was really moved (None: nothing yet).
    short_units, short_cost_cny, stockout_probability, runs_out_ahead
        What is to be expected without it; ``consequence`` says it in words.
    status : {"proposed", "approved", "rejected", "moved", "replaced"}
        Where it stands; ``replaced`` by a later plan before anybody decided.
    """

    id: str
    plan_id: str
    origin: date
    kind: str
    step: int
    material_code: str
    from_region: str | None
    to_region: str
    proposed_units: int
    quantity_units: int
    travel_s: int | None
    cost_cny: float | None
    reason: Text
    consequence: Text
    short_units: float
    short_cost_cny: float
    stockout_probability: float
    runs_out_ahead: int | None
    status: str
    proposed_by: str
    proposed_at: datetime
    adjustment_reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    moved_by: str | None
    moved_at: datetime | None
    moved_units: int | None


_ALIKE = (
    *("id", "plan_id", "origin", "kind", "step", "material_code", "proposed_units", "quantity_units", "travel_s"),
    *("cost_cny", "short_units", "short_cost_cny", "stockout_probability", "runs_out_ahead", "status"),
    *("adjustment_reason", "decided_by", "decided_at", "decision_reason", "moved_by", "moved_at", "moved_units"),
)


def regions_of_warehouses(session: Session) -> dict[str, str]:
    """Return the region of each warehouse."""
    return {row.code: row.region_code for row in session.execute(select(Warehouse.code, Warehouse.region_code))}


def card_of(row: StockProposal, regions: Mapping[str, str]) -> ProposalCard:
    """Return a stored proposal as others see it."""
    return ProposalCard(
        **{name: getattr(row, name) for name in _ALIKE},
        from_region=regions[row.from_warehouse_code] if row.from_warehouse_code is not None else None,
        to_region=regions[row.to_warehouse_code],
        reason=Text(row.reason_en, row.reason_zh),
        consequence=Text(row.consequence_en, row.consequence_zh),
        proposed_by=row.created_by,
        proposed_at=row.created_at,
    )


def told(reason: Text, without: Consequence) -> dict[str, Any]:
    """Return the columns that say why, and what is to be expected without it."""
    return {
        "reason_zh": reason.zh,
        "reason_en": reason.en,
        "consequence_zh": without.text.zh,
        "consequence_en": without.text.en,
        "short_units": without.expected_short_units,
        "short_cost_cny": without.cost_cny,
        "stockout_probability": without.probability,
        "runs_out_ahead": without.runs_out_ahead,
    }


def touches(row: StockProposal, own: Iterable[str] | None) -> bool:
    """Return whether a proposal gives to or takes from one of these warehouses; None stands for all."""
    return own is None or bool({row.from_warehouse_code, row.to_warehouse_code} & set(own))


def own_warehouses(actor: Actor, regions: Mapping[str, str]) -> set[str] | None:
    """Return the warehouses of the region that an actor is bound to; None when it is bound to none."""
    if actor.region_code is None:
        return None
    return {code for code, region in regions.items() if region == actor.region_code}


def require_proposal(session: Session, actor: Actor, proposal_id: str, *, to_change: bool = False) -> StockProposal:
    """Return a proposal that the actor may see; with ``to_change`` it stays locked until the unit of work ends.

    Raises
    ------
    NotFound
        When there is none, or none that touches the actor's region.
    """
    query = select(StockProposal).where(StockProposal.id == proposal_id)
    row = session.scalars(query.with_for_update(key_share=True) if to_change else query).one_or_none()
    if row is None or not touches(row, own_warehouses(actor, regions_of_warehouses(session))):
        raise NotFound(Text(f"there is no proposal {proposal_id!r}", f"没有建议 {proposal_id!r}"))
    return row


def replace_undecided(session: Session, materials: Sequence[str], kinds: Sequence[str], own: set[str] | None) -> int:
    """Mark what nobody has decided as replaced, as far as it touches the warehouses ``own``; return how many."""
    query = select(StockProposal).where(
        StockProposal.status == "proposed",
        StockProposal.material_code.in_(materials),
        StockProposal.kind.in_(kinds),
    )
    if own is not None:
        query = query.where(or_(StockProposal.from_warehouse_code.in_(own), StockProposal.to_warehouse_code.in_(own)))
    rows = session.scalars(query.with_for_update(key_share=True)).all()
    for row in rows:
        row.status = "replaced"
    return len(rows)
