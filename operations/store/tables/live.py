"""Running conversations of the live channel, kept for some hours so that another process can go on with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, Json


class LiveConversation(Base):
    """What a running conversation remembers. The id is made by the client, so that it can be resumed.

    ``version`` counts the changes of ``state``: who changes it says which version was read, so that two processes
    never overwrite each other. Not stamped: the audit log must not keep what customers said.
    """

    __tablename__ = "live_conversation"
    __table_args__ = (
        CheckConstraint("version >= 0 AND last_event >= 0", name="counts_sign"),
        Index("ix_live_conversation_owner_code_touched_at", "owner_code", "touched_at"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    owner_code: Mapped[str] = mapped_column(Code)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    situation: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[dict[str, Any]] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=0)
    last_event: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None]
    begun_at: Mapped[datetime]
    touched_at: Mapped[datetime] = mapped_column(index=True)


class LiveEvent(Base):
    """A hint given in a running conversation: ``number`` counts from 1, ``seq`` is the utterance that caused it."""

    __tablename__ = "live_event"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("live_conversation.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hint_id: Mapped[str] = mapped_column(ForeignKey("hint.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    latency_ms: Mapped[float]
