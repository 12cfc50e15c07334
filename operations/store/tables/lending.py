"""Lending people between regions: what each person agrees to, days off, and who is lent when."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Json, Stamped


class LendingTerms(Stamped, Base):
    """What a person agrees to, beside the rules: regions and weekdays (0 Monday … 6 Sunday), and limits a week."""

    __tablename__ = "lending_terms"
    __table_args__ = (CheckConstraint("max_moves >= 0 AND max_days >= 0", name="limits_sign"),)

    person_code: Mapped[str] = mapped_column(ForeignKey("person.code", ondelete="CASCADE"), primary_key=True)
    refused_regions: Mapped[list[Any]] = mapped_column(Json)
    wished_regions: Mapped[list[Any]] = mapped_column(Json)
    refused_weekdays: Mapped[list[Any]] = mapped_column(Json)
    wished_weekdays: Mapped[list[Any]] = mapped_column(Json)
    rest_weekdays: Mapped[list[Any]] = mapped_column(Json)
    max_moves: Mapped[int | None]
    max_days: Mapped[int | None]


class DayOff(Stamped, Base):
    """A day on which a person is not at work."""

    __tablename__ = "day_off"

    person_code: Mapped[str] = mapped_column(ForeignKey("person.code", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    reason: Mapped[str | None] = mapped_column(String(200))


class LentDay(Stamped, Base):
    """A person who is lent on a day: decided, so that the plans of that day count on it."""

    __tablename__ = "lent_day"
    __table_args__ = (
        CheckConstraint("from_region <> to_region", name="two_regions"),
        Index("ix_lent_day_day_to_region", "day", "to_region"),
    )

    person_code: Mapped[str] = mapped_column(ForeignKey("person.code"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    from_region: Mapped[str] = mapped_column(ForeignKey("region.code"))
    to_region: Mapped[str] = mapped_column(ForeignKey("region.code"))
    cover_code: Mapped[str | None] = mapped_column(ForeignKey("person.code"))
    reallocation_id: Mapped[str] = mapped_column(ForeignKey("staff_reallocation.id"), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
