"""Hints: from a question to an answer that is stored with what was shown, and the feedback on it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import null, select, tuple_, update
from sqlalchemy.orm import Session

from coach.hint import HintAnswer, HintQuestion
from coach.ranking import Chooser
from common.errors import InvalidInput, NotFound, Text
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.hint_log import pack_candidates
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import Hint, HintFeedback, HintSuggestion, LibraryEntryRow
from operations.vocabulary import FEEDBACK_ACTIONS

TYPED_FURTHER_WITHIN = timedelta(seconds=10)
"""Words that go on within this time from the same person's last ones take their place."""


@dataclass(frozen=True, slots=True)
class HintGiven:
    """An answer with the id under which feedback is given, and the time that it took."""

    id: str
    asked_at: datetime
    answer: HintAnswer
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one suggestion of a hint.

    Attributes
    ----------
    rank : int
        The suggestion's rank, from 1.
    action : {"used", "edited", "rejected"}
        What the rep did with it.
    edited_text : str or None
        The line as it was really said; needed for ``edited``.
    reason : str or None
        Why it was rejected.
    visit_id : str or None
        The visit in which it was used. It may be recorded later: the outcome counts as soon as it is known.
    said_at : datetime or None
        When the rep said so; None for now. Words that arrive late, such as from a telephone that was offline, do not
        undo later ones.
    """

    rank: int
    action: str
    edited_text: str | None = None
    reason: str | None = None
    visit_id: str | None = None
    said_at: datetime | None = None


class EvidenceSource(Protocol):
    """Gives the choice of suggestions that learns from use."""

    def chooser(self, *, explores: bool = True) -> Chooser:
        """Return the chooser of the moment, at once; one that leaves nothing to chance where ``explores`` is False."""
        ...


def ask(
    database: Database,
    desk: HintDesk,
    actor: Actor,
    question: HintQuestion,
    *,
    evidence_desk: EvidenceSource | None = None,
) -> HintGiven:
    """Answer a question from the library and store the answer with what was shown, and what it was chosen from.

    An actor bound to a region gets the entries of that region and of all regions. Without an evidence desk the words
    alone decide the order.

    Raises
    ------
    InvalidInput
        When the question is empty or too long.
    """
    actor.require("hints:ask")
    region = actor.region_or_own(question.region)
    now = database.clock.now()
    question = replace(question, region=region)
    begun = time.perf_counter()
    engine = desk.engine()
    if region is not None:
        with database.read() as session:
            require_region(session, region)
    answer = engine.hint(question, chooser=evidence_desk.chooser() if evidence_desk else None)
    with database.write(actor.code) as session:
        answer = _without_withdrawn(session, answer, question.on)
        latency_ms = (time.perf_counter() - begun) * 1000
        given = HintGiven(uuid4().hex, now, answer, latency_ms)
        _supersede(session, actor, question.text)
        session.add(_row(given, actor, question, engine.index.version))
        session.flush()
        session.add_all(_shown(given))
    return given


def give_feedback(session: Session, actor: Actor, hint_id: str, feedback: Feedback) -> None:
    """Store what became of a suggestion; said again, the last word counts, and a repetition changes nothing.

    Raises
    ------
    NotFound
        When there is no such hint, or it was given to somebody else.
    InvalidInput
        When the rank was not shown, the action is unknown, or an edited line is missing.
    """
    actor.require("hints:ask")
    hint = session.get(Hint, hint_id)
    if hint is None or (hint.asked_by != actor.code and actor.kind == "person"):
        raise NotFound(Text(f"there is no hint {hint_id!r}", f"没有提示 {hint_id!r}"))
    if feedback.action not in FEEDBACK_ACTIONS:
        raise InvalidInput.at(
            "/action", f"must be one of {', '.join(FEEDBACK_ACTIONS)}", f"应为 {'、'.join(FEEDBACK_ACTIONS)} 之一"
        )
    if feedback.action == "edited" and not (feedback.edited_text or "").strip():
        raise InvalidInput.at("/edited_text", "is needed when the line was edited", "修改过话术时必须填写")
    if session.get(HintSuggestion, (hint_id, feedback.rank)) is None:
        raise InvalidInput.at("/rank", f"this hint showed no suggestion {feedback.rank}", f"没有第 {feedback.rank} 条")
    _store_feedback(session, actor, hint_id, feedback)


def _store_feedback(session: Session, actor: Actor, hint_id: str, feedback: Feedback) -> None:
    now = session.info["clock"].now()
    # a telephone's clock that runs ahead must not make its words the last ones for ever
    said_at = min(feedback.said_at or now, now)
    words = {name: getattr(feedback, name) for name in ("action", "edited_text", "reason", "visit_id")}
    row = session.get(HintFeedback, (hint_id, feedback.rank), with_for_update=True)
    if row is None:
        session.add(HintFeedback(hint_id=hint_id, rank=feedback.rank, given_at=said_at, given_by=actor.code, **words))
        return
    repeated = all(getattr(row, name) == value for name, value in words.items())
    if said_at < row.given_at or (repeated and feedback.said_at is None):
        return
    for name, value in words.items():
        setattr(row, name, value)
    row.given_at, row.given_by = said_at, actor.code


def _supersede(session: Session, actor: Actor, text: str) -> None:
    """Mark the person's last questions that these words go on from: their answers were not read."""
    since = session.info["clock"].now() - TYPED_FURTHER_WITHIN
    recent = select(Hint.id, Hint.question).where(
        Hint.asked_by == actor.code, Hint.asked_at >= since, Hint.superseded.is_(False)
    )
    words = text.strip()
    before = [
        hint_id
        for hint_id, question in session.execute(recent)
        if words.startswith(question.strip()) or question.strip().startswith(words)
    ]
    if before:
        session.execute(update(Hint).where(Hint.id.in_(before)).values(superseded=True))


def _without_withdrawn(session: Session, answer: HintAnswer, day: date) -> HintAnswer:
    """Leave out what was retired or ran out since the index was built, and close up the ranks."""
    pairs = [(suggestion.entry_key, suggestion.language) for suggestion in answer.suggestions]
    if not pairs:
        return answer
    query = select(LibraryEntryRow.key, LibraryEntryRow.language, LibraryEntryRow.valid_until).where(
        tuple_(LibraryEntryRow.key, LibraryEntryRow.language).in_(pairs), LibraryEntryRow.status == "published"
    )
    good = {(key, language) for key, language, until in session.execute(query) if until is None or until >= day}
    if len(good) == len(pairs):
        return answer
    left = [suggestion for suggestion, pair in zip(answer.suggestions, pairs, strict=True) if pair in good]
    withdrawn = {key for key, _ in pairs} - {key for key, _ in good}
    return replace(
        answer,
        suggestions=tuple(replace(item, rank=rank) for rank, item in enumerate(left, start=1)),
        candidates=tuple(candidate for candidate in answer.candidates if candidate.key not in withdrawn),
    )


def _row(given: HintGiven, actor: Actor, question: HintQuestion, index_version: str) -> Hint:
    return Hint(
        id=given.id,
        asked_at=given.asked_at,
        asked_by=actor.code,
        region_code=question.region,
        question=question.text,
        language=given.answer.language,
        matched=given.answer.matched,
        confidence=given.answer.confidence,
        index_version=index_version,
        answer=_plain(asdict(replace(given.answer, candidates=()))),
        candidates=pack_candidates(given.answer.candidates) if given.answer.matched else null(),
    )


def _shown(given: HintGiven) -> list[HintSuggestion]:
    return [
        HintSuggestion(
            hint_id=given.id,
            rank=suggestion.rank,
            entry_key=suggestion.entry_key,
            language=suggestion.language,
            talk_track=suggestion.talk_track,
            score=suggestion.score,
            propensity=suggestion.propensity,
        )
        for suggestion in given.answer.suggestions
    ]


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
