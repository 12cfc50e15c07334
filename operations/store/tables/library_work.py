"""The work on the library: credits for accepted entries, and files that wait to be imported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from operations.store.base import Base, Code, one_of
from operations.vocabulary import CREDIT_REASONS, LANGUAGES


class LibraryCredit(Base):
    """What an author gets for a case that was accepted: one line for each author and case, never changed.

    ``reward_cny`` is what the organisation paid for an entry on that day.
    """

    __tablename__ = "library_credit"
    __table_args__ = (
        one_of("language", LANGUAGES),
        one_of("reason", CREDIT_REASONS),
        CheckConstraint("reward_cny >= 0", name="reward_sign"),
    )

    author: Mapped[str] = mapped_column(String(200), primary_key=True)
    entry_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    reason: Mapped[str] = mapped_column(String(20))
    reward_cny: Mapped[float]
    credited_at: Mapped[datetime] = mapped_column(index=True)
    credited_by: Mapped[str] = mapped_column(Code)


class LibraryImport(Base):
    """A file of entries that a job imports, and afterwards what the job did; ``id`` is the job's id.

    The content is dropped as soon as the job has ended.
    """

    __tablename__ = "library_import"

    id: Mapped[str] = mapped_column(Code, primary_key=True)
    filename: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[str] = mapped_column(Code)
    finished_at: Mapped[datetime | None]
    created: Mapped[int | None]
    updated: Mapped[int | None]
    unchanged: Mapped[int | None]
