"""Incidents, alerts, messages, the audit log, and answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, Json, Stamped, one_of
from operations.vocabulary import ALERT_STATES, MESSAGE_STATES, RISK_KINDS, RISK_LEVELS


class Incident(Stamped, Base):
    """Something that went wrong, with its handling and its report."""

    __tablename__ = "incident"
    __table_args__ = (one_of("kind", RISK_KINDS), one_of("level", RISK_LEVELS))

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    happened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Alert(Stamped, Base):
    """A warning with a level, an owner and a state. ``fingerprint`` keeps one open alert for one cause."""

    __tablename__ = "alert"
    __table_args__ = (
        one_of("level", RISK_LEVELS),
        one_of("status", ALERT_STATES),
        Index("ix_alert_fingerprint_status", "fingerprint", "status"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(60))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    level: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20), default="open")
    owner_code: Mapped[str | None] = mapped_column(ForeignKey("person.code"))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime | None]


class Message(Stamped, Base):
    """The outbox: a message waits here until it has been delivered."""

    __tablename__ = "message"
    __table_args__ = (
        one_of("status", MESSAGE_STATES),
        CheckConstraint("attempts >= 0", name="attempts_sign"),
        Index("ix_message_status_next_attempt_at", "status", "next_attempt_at"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(20), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class AuditRecord(Base):
    """Who did what to which record. ``changes`` maps a column to its old and new value; secrets are left out."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_subject", "subject", "subject_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(Code, index=True)
    action: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(60))
    subject_key: Mapped[str] = mapped_column(String(200))
    changes: Mapped[dict[str, Any]] = mapped_column(Json)


class KeptAnswer(Base):
    """The answer to a request that carried an ``Idempotency-Key``; without a status it is still being worked on."""

    __tablename__ = "kept_answer"

    actor: Mapped[str] = mapped_column(Code, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    begun_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
