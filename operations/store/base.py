"""What all tables share: names of constraints, column types, stamps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, DateTime, Dialect, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """A moment with a zone, kept in UTC.

    SQLite has no zones: there the UTC value is stored bare and read back as UTC. A naive value is refused, because
    nobody could say later which zone it meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
Code = String(64)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: Instant(), dict[str, Any]: Json, list[Any]: Json}


class Stamped:
    """When and by whom a row was made and last changed. ``store.audit`` fills the columns."""

    @declared_attr
    def created_at(cls) -> Mapped[datetime]:  # noqa: N805
        """When the row was made."""
        return mapped_column(Instant())

    @declared_attr
    def created_by(cls) -> Mapped[str]:  # noqa: N805
        """Code of the person, key or system part that made it."""
        return mapped_column(Code)

    @declared_attr
    def updated_at(cls) -> Mapped[datetime]:  # noqa: N805
        """When the row was last changed."""
        return mapped_column(Instant())

    @declared_attr
    def updated_by(cls) -> Mapped[str]:  # noqa: N805
        """Who last changed it."""
        return mapped_column(Code)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """Return a check that ``column`` holds one of ``values``."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def coordinates(prefix: str = "") -> tuple[CheckConstraint, CheckConstraint]:
    """Return checks that a pair of latitude and longitude columns lies on the earth."""
    return (
        CheckConstraint(f"{prefix}latitude BETWEEN -90 AND 90", name=f"{prefix}latitude_range"),
        CheckConstraint(f"{prefix}longitude BETWEEN -180 AND 180", name=f"{prefix}longitude_range"),
    )
