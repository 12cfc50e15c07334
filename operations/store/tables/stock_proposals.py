"""What is proposed about stock, decided, and done: transfers, rush orders, orders."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, Stamped, one_of
from operations.vocabulary import PROPOSAL_KINDS, PROPOSAL_STATES


class StockProposal(Stamped, Base):
    """One thing to do about stock: proposed by a plan, decided by a person, then done and booked in the ledger.

    ``step`` is that of the shortage ladder (1 to 3), 0 for an ordinary order. ``proposed_units`` is what the plan said,
    ``quantity_units`` what counts after an adjustment, ``moved_units`` what was really moved. ``short_units``,
    ``short_cost_cny``, ``stockout_probability`` and ``runs_out_ahead`` (days) are to be expected without it.
    """

    __tablename__ = "stock_proposal"
    __table_args__ = (
        one_of("kind", PROPOSAL_KINDS),
        one_of("status", PROPOSAL_STATES),
        CheckConstraint("step BETWEEN 0 AND 3", name="step_range"),
        CheckConstraint("proposed_units > 0 AND quantity_units > 0 AND moved_units > 0", name="quantity_sign"),
        CheckConstraint("from_warehouse_code <> to_warehouse_code", name="two_places"),
        CheckConstraint("(from_warehouse_code IS NULL) = (kind IN ('rush_order', 'order'))", name="donor"),
        CheckConstraint("(status = 'moved') = (moved_units IS NOT NULL)", name="moved"),
        Index("ix_stock_proposal_place", "material_code", "to_warehouse_code", "status"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    plan_id: Mapped[str] = mapped_column(Code, index=True)
    origin: Mapped[date]
    kind: Mapped[str] = mapped_column(String(20))
    step: Mapped[int]
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"))
    from_warehouse_code: Mapped[str | None] = mapped_column(ForeignKey("warehouse.code"))
    to_warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouse.code"))
    proposed_units: Mapped[int]
    quantity_units: Mapped[int]
    travel_s: Mapped[int | None]
    cost_cny: Mapped[float | None]
    reason_zh: Mapped[str] = mapped_column(Text)
    reason_en: Mapped[str] = mapped_column(Text)
    consequence_zh: Mapped[str] = mapped_column(Text)
    consequence_en: Mapped[str] = mapped_column(Text)
    short_units: Mapped[float]
    short_cost_cny: Mapped[float]
    stockout_probability: Mapped[float]
    runs_out_ahead: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(20), index=True)
    adjustment_reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Code)
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    moved_by: Mapped[str | None] = mapped_column(Code)
    moved_at: Mapped[datetime | None]
    moved_units: Mapped[int | None]
