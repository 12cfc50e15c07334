"""Materials, warehouses, the stock ledger, consumption, transfers, and what drives demand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, Json, Stamped, coordinates, one_of
from operations.vocabulary import EVENT_KINDS, MODEL_STATES, MOVEMENT_KINDS, TRANSFER_STATES


class Material(Stamped, Base):
    """Something handed out or shown: a gift pack, a leaflet, a sample board."""

    __tablename__ = "material"
    __table_args__ = (
        CheckConstraint("pack_size > 0 AND minimum_order_units >= 0 AND lead_time_days >= 0", name="order_terms"),
        CheckConstraint("shortage_cost_cny > 0 AND holding_cost_cny_per_day > 0", name="costs_sign"),
    )

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    unit_zh: Mapped[str] = mapped_column(String(10))
    unit_en: Mapped[str] = mapped_column(String(20))
    pack_size: Mapped[int] = mapped_column(default=1)
    minimum_order_units: Mapped[int] = mapped_column(default=0)
    lead_time_days: Mapped[int] = mapped_column(default=1)
    shortage_cost_cny: Mapped[float]
    holding_cost_cny_per_day: Mapped[float]
    is_gift: Mapped[bool] = mapped_column(default=False)


class Warehouse(Stamped, Base):
    """Where a region keeps its materials."""

    __tablename__ = "warehouse"
    __table_args__ = coordinates()

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    latitude: Mapped[float]
    longitude: Mapped[float]


class StockMovement(Base):
    """One line of the ledger: never changed, never deleted. Stock is the sum of its lines."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        one_of("kind", MOVEMENT_KINDS),
        CheckConstraint("quantity_units <> 0", name="quantity_not_zero"),
        CheckConstraint(
            "kind = 'adjustment' OR (quantity_units > 0) = (kind IN ('opening', 'receipt', 'transfer_in', 'return'))",
            name="quantity_sign",
        ),
        UniqueConstraint("reference", "warehouse_code", "material_code", "kind"),
        Index("ix_stock_movement_place", "warehouse_code", "material_code", "moved_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouse.code"))
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"))
    kind: Mapped[str] = mapped_column(String(20))
    quantity_units: Mapped[int]
    moved_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(Code)
    reason: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(Code)


class DailyConsumption(Base):
    """What a region used of a material in a day; ``available`` is false when stock ran out on it."""

    __tablename__ = "daily_consumption"
    __table_args__ = (CheckConstraint("quantity_units >= 0", name="quantity_sign"),)

    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), primary_key=True)
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    quantity_units: Mapped[float]
    available: Mapped[bool] = mapped_column(default=True)


class Event(Stamped, Base):
    """Something known beforehand that moves demand. Without a region it concerns all of them."""

    __tablename__ = "event"
    __table_args__ = (
        one_of("kind", EVENT_KINDS),
        CheckConstraint("ends_on >= starts_on", name="order"),
        CheckConstraint("expected_visitors >= 0", name="visitors_sign"),
    )

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    expected_visitors: Mapped[int] = mapped_column(default=0)


class PlannedActivity(Base):
    """How many visits a region plans (or had planned) for a day."""

    __tablename__ = "planned_activity"
    __table_args__ = (CheckConstraint("planned_visits >= 0", name="visits_sign"),)

    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    planned_visits: Mapped[int]


class ForecastModel(Base):
    """A trained model. Its file lies under the data folder in a folder of this name, until it is pruned.

    ``manifest`` says what it was made from and with; ``trial`` how it did against the champion of that time;
    ``decided_at``, ``decided_by`` and the reason belong to its present status; ``predecessor`` is the champion that it
    followed.
    """

    __tablename__ = "forecast_model"
    __table_args__ = (one_of("status", MODEL_STATES),)

    version: Mapped[str] = mapped_column(Code, primary_key=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    trained_at: Mapped[datetime]
    trained_by: Mapped[str] = mapped_column(Code)
    data_checksum: Mapped[str] = mapped_column(String(64))
    measures: Mapped[dict[str, Any]] = mapped_column(Json)
    manifest: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    trial: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(Code)
    reason_zh: Mapped[str | None] = mapped_column(Text)
    reason_en: Mapped[str | None] = mapped_column(Text)
    predecessor: Mapped[str | None] = mapped_column(Code)
    pruned_at: Mapped[datetime | None]


class Forecast(Base):
    """One quantile of one region's need of one material on one day, as seen from the day ``origin``."""

    __tablename__ = "forecast"
    __table_args__ = (
        CheckConstraint("quantile > 0 AND quantile < 1", name="quantile_range"),
        CheckConstraint("quantity_units >= 0", name="quantity_sign"),
        CheckConstraint("day > origin", name="day_after_origin"),
    )

    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), primary_key=True)
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), primary_key=True)
    origin: Mapped[date] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    quantile: Mapped[float] = mapped_column(primary_key=True)
    quantity_units: Mapped[float]
    model_version: Mapped[str] = mapped_column(ForeignKey("forecast_model.version"))


class ForecastTotal(Base):
    """One quantile of the need over all days of the horizon (the sum of quantiles is not the quantile of the sum)."""

    __tablename__ = "forecast_total"
    __table_args__ = (
        CheckConstraint("quantile > 0 AND quantile < 1", name="quantile_range"),
        CheckConstraint("quantity_units >= 0", name="quantity_sign"),
    )

    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), primary_key=True)
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), primary_key=True)
    origin: Mapped[date] = mapped_column(primary_key=True)
    quantile: Mapped[float] = mapped_column(primary_key=True)
    horizon_days: Mapped[int]
    quantity_units: Mapped[float]
    model_version: Mapped[str] = mapped_column(ForeignKey("forecast_model.version"))


class Transfer(Stamped, Base):
    """Stock proposed to move, or moved, from one warehouse to another."""

    __tablename__ = "transfer"
    __table_args__ = (
        one_of("status", TRANSFER_STATES),
        CheckConstraint("quantity_units > 0", name="quantity_sign"),
        CheckConstraint("from_warehouse_code <> to_warehouse_code", name="two_places"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    plan_id: Mapped[str] = mapped_column(Code, index=True)
    from_warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouse.code"))
    to_warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouse.code"))
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"))
    quantity_units: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), index=True)
    reason_zh: Mapped[str] = mapped_column(Text)
    reason_en: Mapped[str] = mapped_column(Text)
