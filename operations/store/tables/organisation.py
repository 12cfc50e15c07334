"""Regions, people, and the keys of other systems."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from operations.store.base import Base, Code, Json, Stamped, coordinates, one_of
from operations.vocabulary import LANGUAGES, ROLES, SKILLS


class Region(Stamped, Base):
    """A sales region; its centre stands for it where one point is needed."""

    __tablename__ = "region"
    __table_args__ = (*coordinates(), CheckConstraint("minimum_staff >= 0", name="minimum_staff_sign"))

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    latitude: Mapped[float]
    longitude: Mapped[float]
    time_zone: Mapped[str] = mapped_column(String(40), default="Asia/Shanghai")
    minimum_staff: Mapped[int] = mapped_column(default=2)


class Person(Stamped, Base):
    """Somebody of the organisation who may sign in. ``region_code`` is empty for people of all regions."""

    __tablename__ = "person"
    __table_args__ = (
        one_of("role", ROLES),
        one_of("language", LANGUAGES),
        *coordinates("home_"),
        CheckConstraint("shift_start_s >= 0 AND shift_end_s <= 86400 AND shift_start_s < shift_end_s", name="shift"),
        CheckConstraint("max_visits > 0", name="max_visits_sign"),
    )

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20), index=True)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    home_latitude: Mapped[float | None]
    home_longitude: Mapped[float | None]
    shift_start_s: Mapped[int] = mapped_column(default=9 * 3600)
    shift_end_s: Mapped[int] = mapped_column(default=18 * 3600)
    max_visits: Mapped[int] = mapped_column(default=15)
    active: Mapped[bool] = mapped_column(default=True)
    skills: Mapped[list[PersonSkill]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class PersonSkill(Base):
    """One skill of one person."""

    __tablename__ = "person_skill"
    __table_args__ = (one_of("skill", SKILLS),)

    person_code: Mapped[str] = mapped_column(ForeignKey("person.code", ondelete="CASCADE"), primary_key=True)
    skill: Mapped[str] = mapped_column(String(20), primary_key=True)


class ApiKey(Stamped, Base):
    """The key of another system: only its hash is kept."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
