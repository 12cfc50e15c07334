"""Review of the library: the queue, and what a reviewer may decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from coach.library_check import LibraryFinding, check_entry
from coach.near_duplicates import Near, NearDuplicates, texts_of
from common.errors import Conflict, Forbidden, InvalidInput, Text
from operations.access import Actor
from operations.library_credits import REWARD_CNY, credit
from operations.library_records import (
    NaturalKey,
    StoredEntry,
    changed,
    entry_of,
    find_row,
    is_own,
    readable_rows,
    require_curator,
    require_curator_or_author,
    require_version,
    stored,
    visible,
)
from operations.library_states import move
from operations.store.tables import LibraryEntryRow

WAITING = ("review", "draft")
MOST_NEAR = 5
"""Near-duplicates that are shown of an entry."""

QueuePlace = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Which part of the queue to show.

    Attributes
    ----------
    language, status : str or None
        Only entries of this language, only drafts or only those in review; None allows all.
    after : (datetime, int) or None
        The place after which the page begins.
    limit : int
        Most entries of the page.
    """

    language: str | None = None
    status: str | None = None
    after: QueuePlace | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An entry that waits, with all that a reviewer wants to know.

    Attributes
    ----------
    waits_since : datetime
        When it was submitted, or a draft was begun.
    near : tuple of Near
        Entries that say nearly the same, nearest first.
    findings : tuple of LibraryFinding
        What should be mended in it.
    place : (datetime, int)
        Its place in the queue, for asking what comes after it.
    """

    stored: StoredEntry
    waits_since: datetime
    near: tuple[Near, ...]
    findings: tuple[LibraryFinding, ...]
    place: QueuePlace


def review_queue(
    session: Session,
    actor: Actor,
    near_duplicates: NearDuplicates,
    *,
    on: date,
    page: QueuePage | None = None,
) -> list[ReviewItem]:
    """Return the drafts and the entries in review, who has waited longest first.

    Who curates sees those of the own region and of all regions, others their own.

    Parameters
    ----------
    near_duplicates : callable
        Finds entries near to texts; what the actor may not read is left out of its answers.
    on : date
        The day for which entries are checked.
    """
    if not actor.may("library:write"):
        actor.require("library:suggest")
    page = page or QueuePage()
    waits_since = func.coalesce(LibraryEntryRow.submitted_at, LibraryEntryRow.created_at)
    query = readable_rows(actor).where(
        LibraryEntryRow.status.in_(WAITING if page.status is None else (page.status,)),
        LibraryEntryRow.status.in_(WAITING),
    )
    if page.language is not None:
        query = query.where(LibraryEntryRow.language == page.language)
    if page.after is not None:
        moment, number = page.after
        query = query.where(or_(waits_since > moment, and_(waits_since == moment, LibraryEntryRow.id > number)))
    rows = list(session.scalars(query.order_by(waits_since, LibraryEntryRow.id).limit(page.limit)))
    return [_queued(session, actor, row, near_duplicates, on) for row in rows]


def submit(session: Session, actor: Actor, key: str, language: str, *, version: int | None = None) -> StoredEntry:
    """Hand a draft, or a published entry that needs another look, to the reviewers.

    Raises
    ------
    NotFound, Forbidden
        When the actor may not read or change it.
    Conflict
        When it is in no state to be submitted, or changed since ``version``.
    """
    row = find_row(session, actor, key, language, to_change=True)
    require_curator_or_author(actor, row)
    require_version(row, version)
    _require_state(row, ("draft", "published"), "submitted", "提交审核")
    move(session, row, "review")
    return changed(session, row)


def approve(
    session: Session,
    actor: Actor,
    key: str,
    language: str,
    *,
    version: int | None = None,
    reward_cny: float = REWARD_CNY,
) -> StoredEntry:
    """Publish an entry that is in review, and credit its authors.

    Parameters
    ----------
    reward_cny : float
        What an accepted entry earns each of its authors.

    Raises
    ------
    NotFound
        When the actor may not read it.
    Forbidden
        When the actor does not curate it, or wrote it.
    Conflict
        When it is not in review, or changed since ``version``.
    InvalidInput
        When it lacks what a published entry needs.
    """
    row = find_row(session, actor, key, language, to_change=True)
    _require_reviewer(actor, row)
    require_version(row, version)
    _require_state(row, ("review",), "approved", "通过")
    replace(entry_of(row), status="published")  # raises when a published entry may not be so
    move(session, row, "published", approving=True)
    row.review_reason = None
    authors = [row.author, *row.co_authors]
    credit(session, authors, (row.key, row.language), reason="accepted", reward_cny=reward_cny)
    return changed(session, row)


def send_back(
    session: Session, actor: Actor, key: str, language: str, *, reason: str, version: int | None = None
) -> StoredEntry:
    """Make an entry in review a draft again, with the reason for its author.

    Raises
    ------
    NotFound, Forbidden
        When the actor may not read or curate it.
    Conflict
        When it is not in review, or changed since ``version``.
    InvalidInput
        When no reason is given.
    """
    if not reason.strip():
        raise InvalidInput.at("/reason", "is needed: the author wants to know", "必须填写退回原因")
    row = find_row(session, actor, key, language, to_change=True)
    require_curator(actor, row)
    require_version(row, version)
    _require_state(row, ("review",), "sent back", "退回")
    move(session, row, "draft")
    row.review_reason = reason.strip()
    return changed(session, row)


def _queued(
    session: Session, actor: Actor, row: LibraryEntryRow, near_duplicates: NearDuplicates, on: date
) -> ReviewItem:
    entry = entry_of(row)
    # the other language's version of the same case says the same on purpose
    near = [each for each in near_duplicates(texts_of(entry)) if each.key != entry.key]
    shown = _shown(session, actor, near)
    since = row.submitted_at or row.created_at
    return ReviewItem(
        stored=stored(row),
        waits_since=since,
        near=tuple(each for each in near if (each.key, each.language) in shown)[:MOST_NEAR],
        findings=tuple(check_entry(entry, on=on)),
        place=(since, row.id),
    )


def _shown(session: Session, actor: Actor, near: Sequence[Near]) -> set[NaturalKey]:
    """Return which of the entries the actor may read and are in use."""
    if not near:
        return set()
    pair = tuple_(LibraryEntryRow.key, LibraryEntryRow.language)
    query = select(LibraryEntryRow.key, LibraryEntryRow.language).where(
        visible(actor), LibraryEntryRow.status != "retired", pair.in_([(each.key, each.language) for each in near])
    )
    return {(key, language) for key, language in session.execute(query)}


def _require_reviewer(actor: Actor, row: LibraryEntryRow) -> None:
    require_curator(actor, row)
    if actor.kind == "person" and is_own(actor, row):
        raise Forbidden(Text("you wrote this entry: somebody else reviews it", "这是您自己写的条目，须由他人审核"))


def _require_state(row: LibraryEntryRow, states: Sequence[str], done_en: str, done_zh: str) -> None:
    if row.status not in states:
        raise Conflict(
            Text(
                f"the entry is {row.status}; only one in {' or '.join(states)} can be {done_en}",
                f"条目状态为 {row.status}，只有 {' 或 '.join(states)} 状态的条目才能{done_zh}",
            )
        )
