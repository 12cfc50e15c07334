"""What reps made of hints as drafts for the library: lines that they said in their own words, and lines that won."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, defer

from coach.entry import MAX_UTTERANCE_CHARS, LibraryEntry
from coach.normalise import detect_language, normalise
from common.errors import InvalidInput
from operations import library
from operations.access import Actor
from operations.store.tables import Hint, HintFeedback, HintSuggestion, LibraryEntryRow, Visit
from operations.use_counting import ADOPTED, WON

MOST_DRAFTS = 200
"""Drafts of one run: more would keep the database's writers waiting. The next run makes the rest."""
NEAREST_NAMED = 3
_LONG_NUMBER = re.compile(r"(?<!\d)(?:\+?86[- ]?)?\d(?:[- ]?\d){8,17}[\dXx]?(?!\d)")
_ADDRESS_AT = re.compile(r"[\w.+-]+@[\w-]+\.[a-zA-Z]{2,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")

Near = tuple[str, str, float]
"""Key, language and similarity (0 to 1) of an entry that says nearly the same."""


@dataclass(frozen=True, slots=True)
class DraftMade:
    """A draft, and the entries that say nearly the same, the nearest first."""

    key: str
    language: str
    hint_id: str
    rank: int
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class DraftReport:
    """What a run made.

    Attributes
    ----------
    made : tuple of DraftMade
    nothing_new : int
        Suggestions that won with the library's own line on words that it holds already.
    unfit : int
        Lines that the library cannot hold, such as too long ones.
    """

    made: tuple[DraftMade, ...]
    nothing_new: int
    unfit: int


@dataclass(frozen=True, slots=True)
class _Adopted:
    """A suggestion that was adopted, with all that a draft takes from it."""

    hint: Hint
    shown: HintSuggestion
    feedback: HintFeedback
    won: bool
    origin: LibraryEntryRow


def draft_from_hints(
    session: Session,
    actor: Actor,
    since: datetime,
    *,
    near_duplicates: Callable[[str], Sequence[Near]] | None = None,
) -> DraftReport:
    """Make library drafts of lines that were edited, and of lines on visits that were won.

    A draft has the line as it was said, the customer's words as a way of saying the objection, the objection type and
    the tags of the entry that it came from, and the rep as its author. Telephone numbers and the like are masked. The
    feedback keeps the key of its draft, so that no suggestion makes two, whatever becomes of the draft.

    Parameters
    ----------
    since : datetime
        Feedback given, and visits recorded, from this moment on.
    near_duplicates : callable, optional
        Finds the entries that say nearly the same as a line; they are named in the background for the reviewer.

    Returns
    -------
    DraftReport
        At most `MOST_DRAFTS` drafts; the oldest feedback comes first.
    """
    actor.require("library:write")
    made: list[DraftMade] = []
    nothing_new = unfit = 0
    for adopted in _adopted(session, actor, since):
        line = _said(adopted)
        if _is_known(adopted, line):
            nothing_new += 1
            continue
        near = tuple(sorted(near_duplicates(line), key=lambda each: -each[2])) if near_duplicates else ()
        try:
            draft = _draft(adopted, line, near)
        except InvalidInput:
            unfit += 1
            continue
        library.create_entry(session, actor, draft)
        adopted.feedback.draft_key = draft.key
        made.append(DraftMade(draft.key, draft.language, adopted.hint.id, adopted.shown.rank, near))
        if len(made) == MOST_DRAFTS:
            break
    return DraftReport(tuple(made), nothing_new, unfit)


def _adopted(session: Session, actor: Actor, since: datetime) -> list[_Adopted]:
    query = (
        select(Hint, HintSuggestion, HintFeedback, func.coalesce(WON, False), LibraryEntryRow)
        .join(HintSuggestion, HintSuggestion.hint_id == Hint.id)
        .join(HintFeedback, and_(HintFeedback.hint_id == Hint.id, HintFeedback.rank == HintSuggestion.rank))
        .join(
            LibraryEntryRow,
            and_(LibraryEntryRow.key == HintSuggestion.entry_key, LibraryEntryRow.language == HintSuggestion.language),
        )
        .outerjoin(Visit, Visit.id == HintFeedback.visit_id)
        .options(defer(Hint.answer), defer(Hint.candidates))
        .where(ADOPTED, HintFeedback.draft_key.is_(None), or_(HintFeedback.action == "edited", WON))
        .where(or_(HintFeedback.given_at >= since, Visit.recorded_at >= since))
        .order_by(HintFeedback.given_at, HintFeedback.hint_id, HintFeedback.rank)
    )
    if actor.region_code is not None:
        query = query.where(Hint.region_code == actor.region_code)
    return [_Adopted(*row) for row in session.execute(query)]


def _said(adopted: _Adopted) -> str:
    """Return the line as it was said, on one line and without personal numbers."""
    edited = adopted.feedback.edited_text if adopted.feedback.action == "edited" else None
    return _clean(edited or adopted.shown.talk_track)


def _is_known(adopted: _Adopted, line: str) -> bool:
    """Return whether the library holds this line for these words already."""
    if all(_bare(track.text) != _bare(line) for track in adopted.origin.talk_tracks):
        return False
    words = _bare(_clean(adopted.hint.question))
    return not adopted.won or any(_bare(each.text) == words for each in adopted.origin.utterances)


def _bare(text: str) -> str:
    """Return a text without what does not change its words."""
    return re.sub(r"\W+", "", normalise(text))


def _draft(adopted: _Adopted, line: str, near: Sequence[Near]) -> LibraryEntry:
    hint, origin = adopted.hint, adopted.origin
    language = detect_language(line) or adopted.shown.language
    words = _clean(hint.question)
    same_language = detect_language(words) in (language, None)
    return LibraryEntry(
        key=f"hint-{hint.id}-{adopted.shown.rank}",
        language=language,
        kind="success",
        status="draft",
        objection_type=origin.objection_type,
        approach=origin.approach,
        title=_title(adopted, language),
        background=_background(adopted, language, near),
        talk_tracks=(line,),
        utterances=(words[:MAX_UTTERANCE_CHARS],) if same_language else (),
        product_line=origin.product_line,
        customer_types=tuple(origin.customer_types),
        scenes=tuple(origin.scenes),
        region=origin.region_code,
        valid_from=origin.valid_from,
        valid_until=origin.valid_until,
        author=adopted.feedback.given_by,
    )


def _title(adopted: _Adopted, language: str) -> str:
    edited = adopted.feedback.action == "edited"
    if language == "zh":
        return f"{'现场改口' if edited else '现场成交'}：{adopted.origin.title}"
    return f"{'In a rep’s own words' if edited else 'Won with it'}: {adopted.origin.title}"


def _background(adopted: _Adopted, language: str, near: Sequence[Near]) -> str:
    hint, shown = adopted.hint, adopted.shown
    origin = adopted.origin.key
    named = [f"{key} {spoken} {similarity:.2f}" for key, spoken, similarity in near[:NEAREST_NAMED]]
    words = _clean(hint.question)
    if language == "zh":
        parts = [
            f"来自提示 {hint.id} 第 {shown.rank} 条（{hint.asked_at.date()}），原条目 {origin}。客户说：「{words}」"
        ]
        parts += ["该次拜访已成交。"] if adopted.won else []
        parts += [f"相近条目：{'、'.join(named)}。"] if named else []
        return "".join(parts)
    parts = [
        f"From hint {hint.id}, line {shown.rank} ({hint.asked_at.date()}), entry {origin}. The customer: “{words}”."
    ]
    parts += ["The visit was won."] if adopted.won else []
    parts += [f"Near: {', '.join(named)}."] if named else []
    return " ".join(parts)


def _clean(text: str) -> str:
    """Return a text on one line, with long numbers and e-mail addresses masked: drafts are read by many."""
    text = _CONTROL.sub(" ", text).strip()
    return _ADDRESS_AT.sub("***", _LONG_NUMBER.sub("***", text))
