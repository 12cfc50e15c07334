"""Customers, visits and follow-ups."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from operations.store.base import Base, Code, Stamped, coordinates, one_of
from operations.vocabulary import CUSTOMER_TYPES, FOLLOW_UP_KINDS, FOLLOW_UP_STATES, GRADES, VISIT_OUTCOMES


class Customer(Stamped, Base):
    """Somebody to visit. Contact fields are masked by role wherever they leave the store."""

    __tablename__ = "customer"
    __table_args__ = (
        one_of("customer_type", CUSTOMER_TYPES),
        one_of("grade", GRADES),
        *coordinates(),
        CheckConstraint("value_cny >= 0", name="value_sign"),
        CheckConstraint("service_s > 0", name="service_sign"),
        CheckConstraint("open_from_s >= 0 AND open_until_s <= 86400 AND open_from_s < open_until_s", name="opening"),
    )

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    customer_type: Mapped[str] = mapped_column(String(20))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), index=True)
    owner_code: Mapped[str | None] = mapped_column(ForeignKey("person.code"), index=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    address: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(30))
    value_cny: Mapped[float] = mapped_column(default=0)
    grade: Mapped[str | None] = mapped_column(String(1))
    service_s: Mapped[int] = mapped_column(default=20 * 60)
    open_from_s: Mapped[int | None]
    open_until_s: Mapped[int | None]
    consent_at: Mapped[datetime | None]
    tags: Mapped[list[CustomerTag]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class CustomerTag(Base):
    """A free word that describes a customer."""

    __tablename__ = "customer_tag"

    customer_code: Mapped[str] = mapped_column(ForeignKey("customer.code", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)


class Visit(Stamped, Base):
    """One meeting with a customer. The id is made by the client, so that a repeated sending is seen."""

    __tablename__ = "visit"
    __table_args__ = (
        one_of("outcome", VISIT_OUTCOMES),
        one_of("grade", GRADES),
        CheckConstraint("ended_at >= started_at", name="order"),
        Index("ix_visit_customer_code_started_at", "customer_code", "started_at"),
        Index("ix_visit_rep_code_started_at", "rep_code", "started_at"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    customer_code: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    rep_code: Mapped[str] = mapped_column(ForeignKey("person.code"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(20))
    grade: Mapped[str | None] = mapped_column(String(1))
    sale_cny: Mapped[float] = mapped_column(default=0)
    needs: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    next_step: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime]


class VisitObjection(Base):
    """An objection heard on a visit."""

    __tablename__ = "visit_objection"

    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    objection_type: Mapped[str] = mapped_column(String(40), primary_key=True)


class VisitMaterial(Base):
    """Material handed out on a visit."""

    __tablename__ = "visit_material"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_sign"),)

    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), primary_key=True)
    quantity: Mapped[int]


class FollowUp(Stamped, Base):
    """Something owed to a customer after a visit."""

    __tablename__ = "follow_up"
    __table_args__ = (
        one_of("kind", FOLLOW_UP_KINDS),
        one_of("status", FOLLOW_UP_STATES),
        Index("ix_follow_up_owner_code_status_due_at", "owner_code", "status", "due_at"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    customer_code: Mapped[str] = mapped_column(ForeignKey("customer.code"), index=True)
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("visit.id"))
    owner_code: Mapped[str] = mapped_column(ForeignKey("person.code"))
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default="open")
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
