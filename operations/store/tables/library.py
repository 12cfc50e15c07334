"""The success-case library, and the hints given from it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from operations.store.base import Base, Code, Json, Stamped, one_of
from operations.vocabulary import ENTRY_KINDS, ENTRY_STATES, FEEDBACK_ACTIONS, LANGUAGES


class LibraryEntryRow(Stamped, Base):
    """One case in one language. The natural key is ``(key, language)``.

    ``merged_into`` is the key of the entry, in the same language, that a retired one was merged into. ``co_authors``
    are the authors of entries that were merged into this one.
    """

    __tablename__ = "library_entry"
    __table_args__ = (
        UniqueConstraint("key", "language"),
        one_of("language", LANGUAGES),
        one_of("kind", ENTRY_KINDS),
        one_of("status", ENTRY_STATES),
        CheckConstraint("effect_n > 0", name="effect_n_sign"),
        CheckConstraint("valid_until >= valid_from", name="validity_order"),
        Index("ix_library_entry_status_objection_type", "status", "objection_type"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(2))
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    objection_type: Mapped[str | None] = mapped_column(String(40))
    approach: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(Text)
    background: Mapped[str] = mapped_column(Text)
    steps: Mapped[list[str]] = mapped_column(Json)
    effect_metric: Mapped[str | None] = mapped_column(String(80))
    effect_n: Mapped[int | None]
    effect_before: Mapped[float | None]
    effect_after: Mapped[float | None]
    effect_start: Mapped[date | None]
    effect_end: Mapped[date | None]
    product_line: Mapped[str] = mapped_column(String(80))
    customer_types: Mapped[list[str]] = mapped_column(Json)
    scenes: Mapped[list[str]] = mapped_column(Json)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    author: Mapped[str | None] = mapped_column(String(200))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[str | None] = mapped_column(Code)
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None] = mapped_column(Code)
    review_reason: Mapped[str | None] = mapped_column(Text)
    merged_into: Mapped[str | None] = mapped_column(String(80))
    co_authors: Mapped[list[str]] = mapped_column(Json, default=list)
    utterances: Mapped[list[LibraryUtterance]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="LibraryUtterance.position"
    )
    talk_tracks: Mapped[list[TalkTrack]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="TalkTrack.position"
    )


class LibraryUtterance(Base):
    """One way a customer says the objection of an entry."""

    __tablename__ = "library_utterance"

    entry_id: Mapped[int] = mapped_column(ForeignKey("library_entry.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class TalkTrack(Base):
    """One line that a rep can send as it stands."""

    __tablename__ = "talk_track"

    entry_id: Mapped[int] = mapped_column(ForeignKey("library_entry.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class Hint(Base):
    """One answer given to a question: what was asked, by whom, and what was shown.

    ``candidates`` is what the choice was made from (see ``operations.hint_log``), so that another ranking can be
    replayed. ``superseded`` marks words that were typed further a moment later: nobody read their answer.
    """

    __tablename__ = "hint"
    __table_args__ = (
        Index("ix_hint_asked_by_asked_at", "asked_by", "asked_at"),
        # holds all that counting needs: the rows themselves are long
        Index("ix_hint_use", "asked_at", "superseded", "region_code", "id"),
    )

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(Code)
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    question: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    matched: Mapped[bool]
    confidence: Mapped[float]
    index_version: Mapped[str] = mapped_column(String(80))
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    candidates: Mapped[dict[str, Any] | None] = mapped_column(Json)
    superseded: Mapped[bool] = mapped_column(default=False)


class HintSuggestion(Base):
    """One entry that a hint showed, at its rank, and how likely it was to stand there when it was chosen."""

    __tablename__ = "hint_suggestion"

    hint_id: Mapped[str] = mapped_column(ForeignKey("hint.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    entry_key: Mapped[str] = mapped_column(String(80), index=True)
    language: Mapped[str] = mapped_column(String(2))
    talk_track: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    propensity: Mapped[float] = mapped_column(default=1.0)


class HintFeedback(Base):
    """What became of a suggestion. One row for each suggestion: the last word counts.

    ``visit_id`` may name a visit that is recorded later. ``draft_key`` is the library draft that was made from it.
    """

    __tablename__ = "hint_feedback"
    __table_args__ = (one_of("action", FEEDBACK_ACTIONS),)

    hint_id: Mapped[str] = mapped_column(ForeignKey("hint.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(20))
    edited_text: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    visit_id: Mapped[str | None] = mapped_column(Code, index=True)
    given_at: Mapped[datetime] = mapped_column(index=True)
    given_by: Mapped[str] = mapped_column(Code)
    draft_key: Mapped[str | None] = mapped_column(String(80))
