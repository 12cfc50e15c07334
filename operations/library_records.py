"""Rows of the library and the entries that they hold; which of them an actor may read and change."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session

from coach.entry import Effect, LibraryEntry
from common.errors import Conflict, Forbidden, NotFound, Text
from operations.access import Actor
from operations.store.tables import LibraryEntryRow, LibraryUtterance, TalkTrack

NaturalKey = tuple[str, str]
"""Key and language of an entry."""
KEYS_OF_A_QUERY = 500
"""Keys asked for at once: databases limit the parameters of a query."""
_PLAIN_COLUMNS = (
    "kind",
    "status",
    "objection_type",
    "approach",
    "title",
    "background",
    "product_line",
    "author",
    "valid_from",
    "valid_until",
)


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """What became of an entry in review.

    Attributes
    ----------
    reason : str or None
        Why it was sent back.
    merged_into : str or None
        Key of the entry that a retired one was merged into.
    co_authors : tuple of str
        Authors of entries that were merged into this one.
    """

    submitted_at: datetime | None = None
    submitted_by: str | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    reason: str | None = None
    merged_into: str | None = None
    co_authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with the version that a change must name, and its way through review."""

    entry: LibraryEntry
    version: int
    review: ReviewRecord = field(default_factory=ReviewRecord)


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for entries that the actor may read.

    Entries of another region do not exist for an actor bound to one. Who does not curate sees what is published, and
    of the rest what is the actor's own.
    """
    here: ColumnElement[bool] = true()
    if actor.region_code is not None:
        here = or_(LibraryEntryRow.region_code.is_(None), LibraryEntryRow.region_code == actor.region_code)
    if actor.may("library:write"):
        return here
    return here & or_(LibraryEntryRow.status == "published", _own(actor))


def readable_rows(actor: Actor) -> Select[LibraryEntryRow]:
    """Return the query for the rows that the actor may read."""
    return select(LibraryEntryRow).where(visible(actor))


def find_row(session: Session, actor: Actor, key: str, language: str, *, to_change: bool = False) -> LibraryEntryRow:
    """Return one row; with ``to_change`` it stays locked until the unit of work ends.

    Raises
    ------
    NotFound
        When there is none, or the actor may not read it.
    """
    query = readable_rows(actor).where(LibraryEntryRow.key == key, LibraryEntryRow.language == language)
    row = session.scalars(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        raise NotFound(Text(f"there is no entry {key!r} in {language!r}", f"没有语言为 {language!r} 的条目 {key!r}"))
    return row


def rows_by_key(session: Session, keys: Collection[NaturalKey]) -> Iterator[LibraryEntryRow]:
    """Yield the stored rows with these keys, whoever may read them."""
    listed = sorted({key for key, _ in keys})
    for start in range(0, len(listed), KEYS_OF_A_QUERY):
        wanted = LibraryEntryRow.key.in_(listed[start : start + KEYS_OF_A_QUERY])
        yield from (
            row for row in session.scalars(select(LibraryEntryRow).where(wanted)) if (row.key, row.language) in keys
        )


def require_version(row: LibraryEntryRow, version: int | None) -> None:
    """Make sure that nobody changed the row since ``version``; None trusts that nobody did.

    Raises
    ------
    Conflict
        When somebody did.
    """
    if version is not None and version != row.version:
        raise Conflict(
            Text(
                f"the entry was changed in the meantime: it is at version {row.version}, not {version}",
                f"条目已被他人修改：当前版本为 {row.version}，不是 {version}",
            )
        )


def require_curator(actor: Actor, row: LibraryEntryRow) -> None:
    """Make sure that the actor may curate the row: entries for all regions, and those of its own.

    Raises
    ------
    Forbidden
        When it may not.
    """
    actor.require("library:write")
    if row.region_code is not None:
        actor.require_region(row.region_code)


def require_curator_or_author(actor: Actor, row: LibraryEntryRow) -> None:
    """Make sure that the actor curates the row, or that it is a draft of its own.

    Raises
    ------
    Forbidden
        When neither is so.
    Conflict
        When the actor's own entry is no draft any more.
    """
    if actor.may("library:write"):
        require_curator(actor, row)
        return
    actor.require("library:suggest")
    if not is_own(actor, row):
        raise Forbidden(Text("you may change entries of your own only", "您只能修改自己提交的条目"))
    if row.status != "draft":
        raise Conflict(
            Text(
                f"the entry is no draft any more but {row.status}: a curator changes it",
                f"条目已不是草稿（当前状态：{row.status}），请由案例库管理员修改",
            )
        )


def is_own(actor: Actor, row: LibraryEntryRow) -> bool:
    """Return whether the actor wrote the row or is named as its author."""
    return actor.code in (row.created_by, row.author)


def stored(row: LibraryEntryRow) -> StoredEntry:
    """Return what a row holds."""
    review = ReviewRecord(
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        reviewed_at=row.reviewed_at,
        reviewed_by=row.reviewed_by,
        reason=row.review_reason,
        merged_into=row.merged_into,
        co_authors=tuple(row.co_authors or ()),
    )
    return StoredEntry(entry_of(row), row.version, review)


def changed(session: Session, row: LibraryEntryRow) -> StoredEntry:
    """Count a new version of a row, write it, and return what it holds."""
    row.version += 1
    session.flush()
    return stored(row)


def entry_of(row: LibraryEntryRow) -> LibraryEntry:
    """Return the entry that a row holds."""
    return LibraryEntry(
        key=row.key,
        language=row.language,
        steps=tuple(row.steps),
        talk_tracks=tuple(track.text for track in row.talk_tracks),
        utterances=tuple(utterance.text for utterance in row.utterances),
        effect=_effect(row),
        customer_types=tuple(row.customer_types),
        scenes=tuple(row.scenes),
        region=row.region_code,
        **{column: getattr(row, column) for column in _PLAIN_COLUMNS},
    )


def fill(row: LibraryEntryRow, item: LibraryEntry) -> None:
    """Write an entry into its row."""
    for column in _PLAIN_COLUMNS:
        setattr(row, column, getattr(item, column))
    row.region_code = item.region
    row.steps = list(item.steps)
    row.customer_types = list(item.customer_types)
    row.scenes = list(item.scenes)
    effect = item.effect
    row.effect_metric = effect.metric if effect else None
    row.effect_n = effect.n if effect else None
    row.effect_before = effect.before if effect else None
    row.effect_after = effect.after if effect else None
    row.effect_start = effect.period_start if effect else None
    row.effect_end = effect.period_end if effect else None
    row.utterances = [LibraryUtterance(position=n, text=text) for n, text in enumerate(item.utterances)]
    row.talk_tracks = [TalkTrack(position=n, text=text) for n, text in enumerate(item.talk_tracks)]


def _own(actor: Actor) -> ColumnElement[bool]:
    if not actor.may("library:suggest"):
        return false()
    return or_(LibraryEntryRow.created_by == actor.code, LibraryEntryRow.author == actor.code)


def _effect(row: LibraryEntryRow) -> Effect | None:
    figures = (row.effect_metric, row.effect_n, row.effect_before, row.effect_after, row.effect_start, row.effect_end)
    if any(figure is None for figure in figures):
        return None
    return Effect(*figures)  # type: ignore[arg-type]
