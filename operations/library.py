"""The success-case library: reading, writing, importing, and what may be shown to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from coach.entry import Effect, LibraryEntry
from coach.objections import objection_types
from common.errors import Conflict, FieldProblem, InvalidInput, NotFound, Text
from operations.access import Actor
from operations.store.tables import LibraryEntryRow, LibraryUtterance, Region, TalkTrack

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
class StoredEntry:
    """An entry with the version that a change must name."""

    entry: LibraryEntry
    version: int


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to list; an empty field allows all."""

    language: str | None = None
    kind: str | None = None
    status: str | None = None
    objection_type: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do when it was only tried."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool


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
    query = _readable(actor).order_by(LibraryEntryRow.key, LibraryEntryRow.language).limit(limit)
    wanted = wanted or EntryFilter()
    for column in ("language", "kind", "status", "objection_type"):
        value = getattr(wanted, column)
        if value is not None:
            query = query.where(getattr(LibraryEntryRow, column) == value)
    if after is not None:
        key, language = after
        query = query.where(
            or_(
                LibraryEntryRow.key > key,
                and_(LibraryEntryRow.key == key, LibraryEntryRow.language > language),
            )
        )
    return [_stored(row) for row in session.scalars(query)]


def entry(session: Session, actor: Actor, key: str, language: str) -> StoredEntry:
    """Return one entry.

    Raises
    ------
    NotFound
        When there is none, or the actor may not read it.
    """
    actor.require("library:read")
    return _stored(_find(session, actor, key, language))


def create_entry(session: Session, actor: Actor, new: LibraryEntry) -> StoredEntry:
    """Store a new entry; its author is the actor when none is named.

    Raises
    ------
    Conflict
        When an entry of that key and language exists.
    InvalidInput
        When its region or its objection type does not exist.
    """
    _require_writable(session, actor, [new])
    if _row_of(session, new) is not None:
        raise Conflict(
            Text(
                f"there is an entry {new.key!r} in {new.language!r} already: change it with PUT",
                f"语言 {new.language!r} 的条目 {new.key!r} 已存在，请用 PUT 修改",
            )
        )
    row = LibraryEntryRow(key=new.key, language=new.language, version=1)
    _fill(row, new)
    row.author = new.author or actor.code
    session.add(row)
    session.flush()
    return _stored(row)


def replace_entry(session: Session, actor: Actor, new: LibraryEntry, *, version: int | None = None) -> StoredEntry:
    """Replace an entry by its key and language.

    Raises
    ------
    NotFound
        When there is no such entry.
    Conflict
        When ``version`` is given and somebody changed the entry since.
    """
    _require_writable(session, actor, [new])
    row = _find(session, actor, new.key, new.language)
    _require_own_or_common(actor, row)
    if version is not None and version != row.version:
        raise Conflict(
            Text(
                f"the entry was changed in the meantime: it is at version {row.version}, not {version}",
                f"条目已被他人修改：当前版本为 {row.version}，不是 {version}",
            )
        )
    if _entry(row) != new:
        _fill(row, new)
        row.version += 1
    session.flush()
    return _stored(row)


def retire_entry(session: Session, actor: Actor, key: str, language: str) -> StoredEntry:
    """Take an entry out of use; it stays in the store, since hints refer to it.

    Raises
    ------
    NotFound
        When there is no such entry.
    """
    actor.require("library:write")
    row = _find(session, actor, key, language)
    _require_own_or_common(actor, row)
    if row.status != "retired":
        row.status = "retired"
        row.version += 1
    return _stored(row)


def import_entries(
    session: Session, actor: Actor, new: Sequence[LibraryEntry], *, dry_run: bool = False
) -> ImportReport:
    """Create or replace entries by their key and language; with ``dry_run`` only count what would happen.

    Raises
    ------
    InvalidInput
        When an entry stands twice in the import, or names a region or objection type that does not exist. Nothing is
        changed then.
    """
    _require_writable(session, actor, new)
    existing = {(row.key, row.language): row for row in session.scalars(_wanted_rows(new))}
    created = updated = 0
    for item in new:
        row = existing.get(item.natural_key)
        if row is None:
            created += 1
            row = LibraryEntryRow(key=item.key, language=item.language, version=1)
        else:
            _require_own_or_common(actor, row)
            if _entry(row) == item:
                continue
            updated += 1
            row.version += 0 if dry_run else 1
        if not dry_run:
            _fill(row, item)
            session.add(row)
    return ImportReport(created, updated, len(new) - created - updated, dry_run)


def published(session: Session) -> list[LibraryEntry]:
    """Return all published entries: what hints are made from."""
    query = select(LibraryEntryRow).where(LibraryEntryRow.status == "published")
    return [_entry(row) for row in session.scalars(query.order_by(LibraryEntryRow.key, LibraryEntryRow.language))]


def readable(session: Session, actor: Actor) -> list[LibraryEntry]:
    """Return all entries that the actor may read: what an export holds."""
    actor.require("library:read")
    query = _readable(actor).order_by(LibraryEntryRow.key, LibraryEntryRow.language)
    return [_entry(row) for row in session.scalars(query)]


def state_of_library(session: Session) -> str:
    """Return a short text that changes whenever an entry changes; cheap enough to ask before every hint."""
    query = select(func.count(), func.max(LibraryEntryRow.updated_at), func.sum(LibraryEntryRow.version))
    count, changed_at, versions = session.execute(query).one()
    return f"{count}/{changed_at.isoformat() if changed_at else '-'}/{versions or 0}"


def _readable(actor: Actor) -> Select[LibraryEntryRow]:
    query = select(LibraryEntryRow)
    if actor.region_code is not None:
        query = query.where(
            or_(LibraryEntryRow.region_code.is_(None), LibraryEntryRow.region_code == actor.region_code)
        )
    if not actor.may("library:write"):
        query = query.where(LibraryEntryRow.status == "published")
    return query


def _find(session: Session, actor: Actor, key: str, language: str) -> LibraryEntryRow:
    query = _readable(actor).where(LibraryEntryRow.key == key, LibraryEntryRow.language == language)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(Text(f"there is no entry {key!r} in {language!r}", f"没有语言为 {language!r} 的条目 {key!r}"))
    return row


def _row_of(session: Session, item: LibraryEntry) -> LibraryEntryRow | None:
    query = _wanted_rows([item]).where(LibraryEntryRow.language == item.language)
    return session.scalars(query).one_or_none()


def _wanted_rows(items: Iterable[LibraryEntry]) -> Select[LibraryEntryRow]:
    return select(LibraryEntryRow).where(LibraryEntryRow.key.in_({item.key for item in items}))


def _require_writable(session: Session, actor: Actor, items: Sequence[LibraryEntry]) -> None:
    actor.require("library:write")
    known_types = objection_types()
    known_regions = set(session.scalars(select(Region.code)))
    seen: set[tuple[str, str]] = set()
    problems: list[FieldProblem] = []
    for position, item in enumerate(items):
        place = f"/{position}" if len(items) > 1 else ""
        if item.objection_type is not None and item.objection_type not in known_types:
            problems.append(_unknown(f"{place}/objection_type", "objection type", "异议类型", item.objection_type))
        if item.region is not None and item.region not in known_regions:
            problems.append(_unknown(f"{place}/region", "region", "区域", item.region))
        if item.natural_key in seen:
            twice = Text(f"{item.key!r} in {item.language!r} stands twice", f"{item.key!r}（{item.language}）重复")
            problems.append(FieldProblem(f"{place}/key", twice))
        seen.add(item.natural_key)
    if problems:
        raise InvalidInput(Text("the library entries have errors", "案例条目有错误"), fields=problems[:100])
    for region in {item.region for item in items if item.region is not None}:
        actor.require_region(region)


def _require_own_or_common(actor: Actor, row: LibraryEntryRow) -> None:
    # Entries for all regions are curated by everyone who curates; those of one region by its own people.
    if row.region_code is not None:
        actor.require_region(row.region_code)


def _unknown(pointer: str, en: str, zh: str, value: str) -> FieldProblem:
    return FieldProblem(pointer, Text(f"there is no {en} {value!r}", f"没有{zh} {value!r}"))


def _fill(row: LibraryEntryRow, item: LibraryEntry) -> None:
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


def _stored(row: LibraryEntryRow) -> StoredEntry:
    return StoredEntry(_entry(row), row.version)


def _entry(row: LibraryEntryRow) -> LibraryEntry:
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


def _effect(row: LibraryEntryRow) -> Effect | None:
    figures = (row.effect_metric, row.effect_n, row.effect_before, row.effect_after, row.effect_start, row.effect_end)
    if any(figure is None for figure in figures):
        return None
    return Effect(*figures)  # type: ignore[arg-type]
