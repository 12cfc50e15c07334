"""Library entries."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body
from coach.entry import Effect, LibraryEntry
from operations.library import ImportReport, StoredEntry
from operations.library_records import ReviewRecord

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Saying = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Language = Literal["zh", "en"]
Kind = Literal["success", "failure", "conflict", "risk", "tool"]
Status = Literal["draft", "review", "published", "retired"]


class EffectBody(Body):
    """What an entry changed, in figures."""

    metric: Slug = Field(examples=["conversion_rate"])
    n: int = Field(ge=1, examples=[64])
    before: float = Field(allow_inf_nan=False, examples=[0.18])
    after: float = Field(allow_inf_nan=False, examples=[0.31])
    period_start: date = Field(examples=["2026-03-08"])
    period_end: date = Field(examples=["2026-04-30"])


class EntryBody(Body):
    """An entry as it is written; key and language stand in the address or, for POST, beside it."""

    kind: Kind = Field(examples=["success"])
    objection_type: Slug | None = Field(None, examples=["cheaper_competitor"])
    title: Line = Field(examples=["把两家的板子放在一起摸"])
    background: str = Field("", max_length=4000)
    steps: list[Line] = Field(default_factory=list, max_length=20)
    talk_tracks: list[Line] = Field(
        default_factory=list, max_length=10, examples=[["您先别比价，摸摸这两块板的边，哪块扎手您马上知道。"]]
    )
    utterances: list[Saying] = Field(default_factory=list, max_length=200, examples=[["隔壁家同款便宜两百块"]])
    effect: EffectBody | None = None
    approach: Slug = Field("general", examples=["side_by_side"])
    product_line: Slug = Field("any", examples=["panels"])
    customer_types: list[Slug] = Field(default_factory=list, max_length=20, examples=[["price_driven"]])
    scenes: list[Slug] = Field(default_factory=list, max_length=20, examples=[["mall"]])
    region: str | None = Field(None, max_length=64)
    status: Status = "draft"
    valid_from: date | None = None
    valid_until: date | None = None
    author: str | None = Field(None, max_length=200)

    def entry(self, key: str, language: str) -> LibraryEntry:
        """Return the entry that this body describes."""
        fields = self.model_dump(exclude={"key", "language", "effect"})
        for name in ("steps", "talk_tracks", "utterances", "customer_types", "scenes"):
            fields[name] = tuple(fields[name])
        effect = Effect(**self.effect.model_dump()) if self.effect else None
        return LibraryEntry(key=key, language=language, effect=effect, **fields)


class NewEntryBody(EntryBody):
    """A new entry."""

    key: Slug = Field(examples=["cheaper_competitor-21"])
    language: Language = Field(examples=["zh"])


class ReviewAnswer(Answer):
    """What became of an entry in review."""

    submitted_at: AwareDatetime | None
    submitted_by: str | None
    reviewed_at: AwareDatetime | None
    reviewed_by: str | None
    reason: str | None = Field(description="Why it was sent back.")
    merged_into: str | None = Field(description="Key of the entry that a retired one was merged into.")
    co_authors: list[str] = Field(description="Authors of entries that were merged into this one.")


class EntryAnswer(Answer):
    """An entry as it is stored."""

    key: str
    language: str
    version: int
    kind: str
    status: str
    objection_type: str | None
    title: str
    background: str
    steps: list[str]
    talk_tracks: list[str]
    utterances: list[str]
    effect: EffectBody | None
    approach: str
    product_line: str
    customer_types: list[str]
    scenes: list[str]
    region: str | None
    valid_from: date | None
    valid_until: date | None
    author: str | None
    review: ReviewAnswer

    @classmethod
    def of(cls, stored: StoredEntry) -> EntryAnswer:
        """Return the answer for a stored entry."""
        entry, apart = stored.entry, ("version", "effect", "review")
        fields = {name: getattr(entry, name) for name in cls.model_fields if name not in apart}
        effect = None
        if entry.effect:
            effect = EffectBody(**{name: getattr(entry.effect, name) for name in EffectBody.model_fields})
        return cls(version=stored.version, effect=effect, review=_review(stored.review), **fields)


class EntriesAnswer(Answer):
    """A page of entries."""

    items: list[EntryAnswer]
    next_cursor: str | None


class ImportAnswer(Answer):
    """What an import did, or would do."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool

    @classmethod
    def of(cls, report: ImportReport) -> ImportAnswer:
        """Return the answer for a report."""
        return cls.model_validate(report)


def _review(record: ReviewRecord) -> ReviewAnswer:
    return ReviewAnswer.model_validate(record)
