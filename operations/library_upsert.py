"""Creating and replacing many entries at once, by their key and language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from coach.entry import LibraryEntry
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text
from operations.access import Actor
from operations.library_records import KEYS_OF_A_QUERY, NaturalKey, entry_of, fill, rows_by_key
from operations.library_states import move, note_submission, why_not
from operations.store.tables import LibraryEntryRow, Region

_ROWS_OF_A_FLUSH = 200


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do when it was only tried."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool


def import_entries(
    session: Session,
    actor: Actor,
    new: Sequence[LibraryEntry],
    *,
    dry_run: bool = False,
    without_status: Collection[NaturalKey] = (),
    on_progress: Callable[[int, int], None] = lambda checked, stored: None,
) -> ImportReport:
    """Create or replace entries by their key and language; with ``dry_run`` only count what would happen.

    Parameters
    ----------
    without_status : collection of (key, language)
        Entries whose state was not named: a stored one keeps its own. An author who is not named stays too.
    on_progress : callable
        Called with the numbers of entries that were checked and stored so far; what it raises undoes the import.

    Raises
    ------
    InvalidInput
        When an entry stands twice in the import, names a region or objection type that does not exist, belongs to
        another region, or may not pass to its new state; each by a pointer such as ``/3/status``. Nothing is changed.
    """
    actor.require("library:write")
    new = _checked(session, actor, new, frozenset(without_status), on_progress)
    created = updated = 0
    for start in range(0, len(new), _ROWS_OF_A_FLUSH):
        batch = new[start : start + _ROWS_OF_A_FLUSH]
        existing = {(row.key, row.language): row for row in rows_by_key(session, {item.natural_key for item in batch})}
        for item in batch:
            row = existing.get(item.natural_key)
            if row is not None and entry_of(row) == item:
                continue
            created += row is None
            updated += row is not None
            if not dry_run:
                _store(session, row, item)
        if not dry_run:
            session.flush()
            on_progress(len(new), start + len(batch))
    return ImportReport(created, updated, len(new) - created - updated, dry_run)


def unknown_codes(item: LibraryEntry, regions: Collection[str]) -> Iterator[tuple[str, Text]]:
    """Yield the fields of an entry whose code the organisation does not know, and why."""
    code, region = item.objection_type, item.region
    if code is not None and code not in objection_types():
        yield "objection_type", Text(f"there is no objection type {code!r}", f"没有异议类型 {code!r}")
    if region is not None and region not in regions:
        yield "region", Text(f"there is no region {region!r}", f"没有区域 {region!r}")


def _checked(
    session: Session,
    actor: Actor,
    new: Sequence[LibraryEntry],
    without_status: Collection[NaturalKey],
    on_progress: Callable[[int, int], None],
) -> list[LibraryEntry]:
    """Return the entries as they are to be stored, or raise with every problem of every entry."""
    regions = set(session.scalars(select(Region.code)))
    states = _states(session, new)
    seen: set[NaturalKey] = set()
    problems: list[FieldProblem] = []
    checked: list[LibraryEntry] = []
    for position, item in enumerate(new):
        found = list(unknown_codes(item, regions))
        if item.natural_key in seen:
            found.append(("key", Text(f"{item.key!r} in {item.language!r} stands twice", f"{item.key!r} 重复")))
        seen.add(item.natural_key)
        kept, against = _fitted(actor, item, states.get(item.natural_key), item.natural_key in without_status)
        told = dict(reversed([*found, *against]))  # the first reason of each field is enough
        problems += [FieldProblem(f"/{position}/{name}", text) for name, text in told.items()]
        checked.append(kept)
        on_progress(position + 1, 0)
    if problems:
        raise InvalidInput(Text("the library entries have errors", "案例条目有错误"), fields=problems)
    return checked


def _fitted(
    actor: Actor, item: LibraryEntry, state: Any, keep_status: bool
) -> tuple[LibraryEntry, list[tuple[str, Text]]]:
    """Return the entry with what stays of the stored one, and what speaks against storing it."""
    against: list[tuple[str, Text]] = []
    places = {item.region, state.region_code if state else None} - {None}
    if actor.region_code is not None and places - {actor.region_code}:
        text = Text(f"you may act on region {actor.region_code} only", f"您只能操作本区域（{actor.region_code}）")
        against.append(("region", text))
    if state is None:
        return item, against
    try:
        status = state.status if keep_status else item.status
        item = replace(item, status=status, author=item.author or state.author)
    except InvalidInput as error:
        return item, [*against, *((problem.pointer.strip("/"), problem.text) for problem in error.fields)]
    reason = why_not(state, item.status)
    return item, [*against, *([("status", reason)] if reason else [])]


def _states(session: Session, items: Sequence[LibraryEntry]) -> Mapping[NaturalKey, Any]:
    """Return what of the stored rows of these entries decides whether they may be changed."""
    columns = ("key", "language", "status", "region_code", "merged_into", "author")
    keys = sorted({item.key for item in items})
    found: dict[NaturalKey, Any] = {}
    for start in range(0, len(keys), KEYS_OF_A_QUERY):
        query = select(*(getattr(LibraryEntryRow, name) for name in columns))
        wanted = LibraryEntryRow.key.in_(keys[start : start + KEYS_OF_A_QUERY])
        found |= {(row.key, row.language): row for row in session.execute(query.where(wanted))}
    return found


def _store(session: Session, row: LibraryEntryRow | None, item: LibraryEntry) -> None:
    if row is None:
        row = LibraryEntryRow(key=item.key, language=item.language, version=1, co_authors=[])
        fill(row, item)
        note_submission(session, row)
        session.add(row)
        return
    move(session, row, item.status)
    fill(row, item)
    row.version += 1
