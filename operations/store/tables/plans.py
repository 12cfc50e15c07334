"""Route plans with their stops, and people lent between regions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from operations.store.base import Base, Code, Json, Stamped, one_of
from operations.vocabulary import PLAN_STATES


class RoutePlan(Stamped, Base):
    """A solved day. The problem is kept whole, so that the plan can be checked again and changed later.

    It holds the newest version. ``travel`` are travel times of the plan's own, ``running`` what has happened on the day
    so far. ``stops`` are those that the reps see: of the published version, or the newest while none is published.
    """

    __tablename__ = "route_plan"
    __table_args__ = (
        one_of("status", PLAN_STATES),
        CheckConstraint("assigned_visits >= 0 AND unassigned_visits >= 0", name="counts_sign"),
        Index("ix_route_plan_plan_date_region_code", "plan_date", "region_code"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    plan_date: Mapped[date]
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    status: Mapped[str] = mapped_column(String(20), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    feasible: Mapped[bool]
    assigned_visits: Mapped[int]
    unassigned_visits: Mapped[int]
    travel_s: Mapped[int]
    distance_m: Mapped[int]
    solve_s: Mapped[float]
    problem: Mapped[dict[str, Any]] = mapped_column(Json)
    report: Mapped[dict[str, Any]] = mapped_column(Json)
    travel: Mapped[dict[str, Any] | None] = mapped_column(Json)
    running: Mapped[dict[str, Any] | None] = mapped_column(Json)
    published_version: Mapped[int | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(Code)
    stops: Mapped[list[PlannedStop]] = relationship(
        cascade="all, delete-orphan", order_by="(PlannedStop.rep_ref, PlannedStop.position)"
    )


class RoutePlanVersion(Stamped, Base):
    """What a plan was at some time; rows are written with the first change or publication and never change again.

    ``change`` holds what was asked and what it moved. Who made it and when stands in ``made_by`` and ``made_at``: the
    first version is copied here when the second one comes.
    """

    __tablename__ = "route_plan_version"
    __table_args__ = (CheckConstraint("version >= 1", name="version_sign"),)

    plan_id: Mapped[str] = mapped_column(ForeignKey("route_plan.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(Code)
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(Code)
    note: Mapped[str] = mapped_column(String(500))
    feasible: Mapped[bool]
    assigned_visits: Mapped[int]
    unassigned_visits: Mapped[int]
    travel_s: Mapped[int]
    distance_m: Mapped[int]
    solve_s: Mapped[float]
    problem: Mapped[dict[str, Any]] = mapped_column(Json)
    report: Mapped[dict[str, Any]] = mapped_column(Json)
    change: Mapped[dict[str, Any]] = mapped_column(Json)


class PlannedStop(Base):
    """One stop of a route plan: the references are those of the request, the codes tie them to known records."""

    __tablename__ = "planned_stop"
    __table_args__ = (
        CheckConstraint("arrival_s <= start_s AND start_s <= departure_s", name="order"),
        Index("ix_planned_stop_customer_code", "customer_code"),
    )

    plan_id: Mapped[str] = mapped_column(ForeignKey("route_plan.id", ondelete="CASCADE"), primary_key=True)
    rep_ref: Mapped[str] = mapped_column(Code, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    visit_ref: Mapped[str] = mapped_column(Code)
    rep_code: Mapped[str | None] = mapped_column(ForeignKey("person.code"))
    customer_code: Mapped[str | None] = mapped_column(ForeignKey("customer.code"))
    arrival_s: Mapped[int]
    start_s: Mapped[int]
    departure_s: Mapped[int]


class StaffReallocation(Stamped, Base):
    """A proposal to lend people between regions, with its problem and its answer."""

    __tablename__ = "staff_reallocation"

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    work_date: Mapped[date]
    problem: Mapped[dict[str, Any]] = mapped_column(Json)
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(20), default="proposed", server_default="proposed")
    days: Mapped[int] = mapped_column(default=1, server_default="1")
    decision_reason: Mapped[str | None] = mapped_column(Text)
