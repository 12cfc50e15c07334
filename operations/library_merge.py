"""Merging entries that say nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from coach.entry import LibraryEntry
from coach.near_duplicates import without_copies
from coach.offers import quotes_offer
from common.errors import Conflict, InvalidInput, Text
from operations.access import Actor
from operations.library_credits import REWARD_CNY, credit
from operations.library_records import (
    NaturalKey,
    StoredEntry,
    changed,
    entry_of,
    fill,
    find_row,
    require_curator,
    require_version,
)
from operations.library_states import move
from operations.store.tables import LibraryEntryRow

MOST_STEPS, MOST_TALK_TRACKS, MOST_UTTERANCES = 20, 10, 200
"""What an entry may hold after merging; the same as over HTTP."""


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """What became of two entries.

    Attributes
    ----------
    survivor, merged : StoredEntry
        The united entry, and the retired one that points to it.
    left_out : tuple of str
        Texts of the merged one that were not taken over, though they are no copies: lines that quote an offer of
        another period, and what would have been too many.
    """

    survivor: StoredEntry
    merged: StoredEntry
    left_out: tuple[str, ...]


def merge(
    session: Session,
    actor: Actor,
    merged: NaturalKey,
    into: str,
    *,
    version: int | None = None,
    reward_cny: float = REWARD_CNY,
) -> MergeOutcome:
    """Unite an entry with another of its language: ways of saying, lines and steps that are no near-copies.

    The merged entry is retired and points to the survivor; its author is credited with the survivor's.

    Parameters
    ----------
    merged : (key, language)
        The entry that ends.
    into : str
        Key of the survivor.
    version : int, optional
        Version of the merged entry that the actor saw.

    Raises
    ------
    NotFound, Forbidden
        When the actor may not read or curate one of them.
    Conflict
        When they do not fit together, one is retired, or the merged one changed since ``version``.
    """
    key, language = merged
    if key == into:
        raise InvalidInput.at("/into", "is the entry itself", "不能并入自身")
    # always locked in the same order, so that two merges of the same entries do not wait for each other
    rows = {each: find_row(session, actor, each, language, to_change=True) for each in sorted((key, into))}
    ending, survivor = rows[key], rows[into]
    for row in (ending, survivor):
        require_curator(actor, row)
    require_version(ending, version)
    _require_fitting(ending, survivor)
    united, left_out = _united(entry_of(survivor), entry_of(ending))
    fill(survivor, united)
    _join_authors(session, actor, ending, survivor, reward_cny)
    move(session, ending, "retired")
    ending.merged_into = survivor.key
    return MergeOutcome(changed(session, survivor), changed(session, ending), left_out)


def _require_fitting(ending: LibraryEntryRow, survivor: LibraryEntryRow) -> None:
    if "retired" in (ending.status, survivor.status):
        raise Conflict(Text("a retired entry cannot be merged", "已停用的条目不能合并"))
    if ending.kind != survivor.kind:
        raise Conflict(
            Text(
                f"a {ending.kind} entry cannot be merged into a {survivor.kind} entry",
                f"{ending.kind} 类条目不能并入 {survivor.kind} 类条目",
            )
        )
    if ending.status == "published" and survivor.status != "published":
        raise Conflict(
            Text(
                "a published entry would disappear from hints: merge the other one into it",
                "已发布的条目会从提示中消失，请反过来合并",
            )
        )
    if survivor.region_code is not None and survivor.region_code != ending.region_code:
        raise Conflict(
            Text(
                f"the survivor belongs to region {survivor.region_code} only: others would lose the merged entry",
                f"保留的条目只属于区域 {survivor.region_code}，其他区域将失去被合并的条目",
            )
        )


def _united(survivor: LibraryEntry, ending: LibraryEntry) -> tuple[LibraryEntry, tuple[str, ...]]:
    """Return the survivor with what the other adds to it, and what was left out."""
    same_period = (survivor.valid_from, survivor.valid_until) == (ending.valid_from, ending.valid_until)
    # a line that quotes an offer would otherwise be sent outside the offer's own period
    foreign = () if same_period else tuple(line for line in ending.talk_tracks if quotes_offer(line))
    lines = [line for line in ending.talk_tracks if line not in foreign]
    steps, late_steps = _together(survivor.steps, ending.steps, MOST_STEPS)
    talk_tracks, late_lines = _together(survivor.talk_tracks, lines, MOST_TALK_TRACKS)
    utterances, late_utterances = _together(survivor.utterances, ending.utterances, MOST_UTTERANCES)
    united = replace(survivor, steps=steps, talk_tracks=talk_tracks, utterances=utterances)
    return united, (*foreign, *late_steps, *late_lines, *late_utterances)


def _together(own: Sequence[str], more: Sequence[str], most: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    united = without_copies(own, more)
    most = max(most, len(own))
    return united[:most], united[most:]


def _join_authors(
    session: Session, actor: Actor, ending: LibraryEntryRow, survivor: LibraryEntryRow, reward_cny: float
) -> None:
    known = {survivor.author, *survivor.co_authors}
    joining = dict.fromkeys(author for author in (ending.author, *ending.co_authors) if author and author not in known)
    survivor.co_authors = [*survivor.co_authors, *joining]
    if survivor.status == "published":
        # accepting one's own entry this way would go round the review
        others = [author for author in joining if not (actor.kind == "person" and author == actor.code)]
        credit(session, others, (ending.key, ending.language), reason="merged", reward_cny=reward_cny)
