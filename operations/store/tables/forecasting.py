"""What surrounds forecasts: who changed which model is in use, how a forecast was made, what people changed in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, Json, Stamped, one_of
from operations.vocabulary import MODEL_CHANGES


class ForecastModelChange(Stamped, Base):
    """One line of a model's history, never changed: trained, promoted, chosen by hand, rolled back to, file pruned.

    ``replaced`` is the champion that it took the place of.
    """

    __tablename__ = "forecast_model_change"
    __table_args__ = (one_of("kind", MODEL_CHANGES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("forecast_model.version"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    replaced: Mapped[str | None] = mapped_column(Code)
    reason_zh: Mapped[str] = mapped_column(Text)
    reason_en: Mapped[str] = mapped_column(Text)


class ForecastRun(Base):
    """How the stored forecast of one origin was made, and what has to be known of it."""

    __tablename__ = "forecast_run"

    origin: Mapped[date] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(ForeignKey("forecast_model.version"))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(Code)
    notes: Mapped[dict[str, Any]] = mapped_column(Json)


class ForecastOverride(Stamped, Base):
    """What a person says against the model for one region, material and day: a quantity, or a factor on the model's.

    ``created_by`` is that person. At most one that is not withdrawn counts for a day; a later one withdraws it.
    ``origin`` and ``model_units`` are the forecast that it was said against: its origin and its median.
    """

    __tablename__ = "forecast_override"
    __table_args__ = (
        CheckConstraint("(quantity_units IS NULL) <> (factor IS NULL)", name="one_of_two"),
        CheckConstraint("quantity_units >= 0 AND factor >= 0", name="not_negative"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawal"),
        Index("ix_forecast_override_place", "region_code", "material_code", "day"),
        Index("ix_forecast_override_day", "day"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"))
    day: Mapped[date]
    quantity_units: Mapped[float | None]
    factor: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text)
    origin: Mapped[date]
    model_units: Mapped[float]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(Code)
    withdrawal_reason: Mapped[str | None] = mapped_column(Text)
