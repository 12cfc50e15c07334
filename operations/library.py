"""The success-case library: reading and writing entries, and what may be shown to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from coach.entry import LibraryEntry
from common.errors import Conflict, FieldProblem, Forbidden, InvalidInput, Text
from operations.access import Actor
from operations.library_records import (
    StoredEntry,
    entry_of,
    fill,
    find_row,
    readable_rows,
    require_curator_or_author,
    require_version,
    rows_by_key,
    stored,
)
from operations.library_states import move, note_submission
from operations.library_upsert import ImportReport, import_entries, unknown_codes
from operations.store.tables import LibraryEntryRow, Region

__all__ = [
    "EntryFilter",
    "ImportReport",
    "StoredEntry",
    "create_entry",
    "entries",
    "entry",
    "import_entries",
    "published",
    "readable",
    "replace_entry",
    "retire_entry",
    "state_of_library",
]


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to list; an empty field allows all."""

    language: str | None = None
    kind: str | None = None
    status: str | None = None
    objection_type: str | None = None


def entries(
    session: Session,
    actor: Actor,
    wanted: EntryFilter | None = None,
    *,
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> list[StoredEntry]:
    """Return entries that the actor may read, by key and language, after the pair ``after``."""
    actor.require("library:read")
    query = _wanted(actor, wanted).limit(limit)
    if after is not None:
        key, language = after
        query = query.where(
            or_(
                LibraryEntryRow.key > key,
                and_(LibraryEntryRow.key == key, LibraryEntryRow.language > language),
            )
        )
    return [stored(row) for row in session.scalars(query)]


def entry(session: Session, actor: Actor, key: str, language: str) -> StoredEntry:
    """Return one entry.

    Raises
    ------
    NotFound
        When there is none, or the actor may not read it.
    """
    actor.require("library:read")
    return stored(find_row(session, actor, key, language))


def create_entry(session: Session, actor: Actor, new: LibraryEntry) -> StoredEntry:
    """Store a new entry; its author is the actor when none is named.

    Who curates may store it in any state. Others may suggest: a draft, in their own name.

    Raises
    ------
    Conflict
        When an entry of that key and language exists.
    Forbidden
        When the actor may only suggest, and this is no draft.
    InvalidInput
        When its region or its objection type does not exist.
    """
    new = _suggested(actor, new)
    _require_sound(session, actor, new)
    if next(rows_by_key(session, {new.natural_key}), None) is not None:
        raise Conflict(
            Text(
                f"there is an entry {new.key!r} in {new.language!r} already: change it with PUT",
                f"语言 {new.language!r} 的条目 {new.key!r} 已存在，请用 PUT 修改",
            )
        )
    row = LibraryEntryRow(key=new.key, language=new.language, version=1, co_authors=[])
    fill(row, new)
    row.author = new.author or actor.code
    note_submission(session, row)
    session.add(row)
    session.flush()
    return stored(row)


def replace_entry(session: Session, actor: Actor, new: LibraryEntry, *, version: int | None = None) -> StoredEntry:
    """Replace an entry by its key and language; its author stays when none is named.

    Raises
    ------
    NotFound
        When there is no such entry.
    Forbidden
        When the actor neither curates the entry nor wrote it.
    Conflict
        When ``version`` is given and somebody changed the entry since, or when it may not pass to the new state.
    """
    new = _suggested(actor, new)
    row = find_row(session, actor, new.key, new.language, to_change=True)
    require_curator_or_author(actor, row)
    _require_sound(session, actor, new)
    require_version(row, version)
    new = replace(new, author=new.author or row.author)
    if entry_of(row) != new:
        move(session, row, new.status)
        fill(row, new)
        row.version += 1
    session.flush()
    return stored(row)


def retire_entry(session: Session, actor: Actor, key: str, language: str) -> StoredEntry:
    """Take an entry out of use; it stays in the store, since hints refer to it.

    Raises
    ------
    NotFound
        When there is no such entry.
    Forbidden
        When the actor neither curates the entry nor wrote it.
    """
    row = find_row(session, actor, key, language, to_change=True)
    if row.status != "retired" or actor.may("library:write"):
        require_curator_or_author(actor, row)
    if row.status != "retired":
        move(session, row, "retired")
        row.version += 1
    return stored(row)


def published(session: Session) -> list[LibraryEntry]:
    """Return all published entries: what hints are made from."""
    query = select(LibraryEntryRow).where(LibraryEntryRow.status == "published")
    return [entry_of(row) for row in session.scalars(query.order_by(LibraryEntryRow.key, LibraryEntryRow.language))]


def readable(session: Session, actor: Actor, wanted: EntryFilter | None = None) -> list[LibraryEntry]:
    """Return all entries that the actor may read: what an export holds."""
    actor.require("library:read")
    return [entry_of(row) for row in session.scalars(_wanted(actor, wanted))]


def state_of_library(session: Session) -> str:
    """Return a short text that changes whenever an entry changes; cheap enough to ask before every hint."""
    query = select(func.count(), func.max(LibraryEntryRow.updated_at), func.sum(LibraryEntryRow.version))
    count, changed_at, versions = session.execute(query).one()
    return f"{count}/{changed_at.isoformat() if changed_at else '-'}/{versions or 0}"


def _wanted(actor: Actor, wanted: EntryFilter | None) -> Select[LibraryEntryRow]:
    query = readable_rows(actor).order_by(LibraryEntryRow.key, LibraryEntryRow.language)
    for column in ("language", "kind", "status", "objection_type"):
        value = getattr(wanted, column, None)
        if value is not None:
            query = query.where(getattr(LibraryEntryRow, column) == value)
    return query


def _suggested(actor: Actor, new: LibraryEntry) -> LibraryEntry:
    """Return the entry as the actor may write it: who does not curate writes drafts in the own name."""
    if actor.may("library:write"):
        return new
    actor.require("library:suggest")
    if new.status != "draft":
        raise Forbidden(Text("you may write drafts only, and submit them for review", "您只能保存草稿，并提交审核"))
    return replace(new, author=actor.code)


def _require_sound(session: Session, actor: Actor, item: LibraryEntry) -> None:
    problems = [
        FieldProblem(f"/{name}", text) for name, text in unknown_codes(item, set(session.scalars(select(Region.code))))
    ]
    if problems:
        raise InvalidInput(problems[0].text, fields=problems)
    if item.region is not None:
        actor.require_region(item.region)
