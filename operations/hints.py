"""Hints: from a question to an answer that is stored with what was shown, and the feedback on it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from coach.encoder import Encoder
from coach.entry import LibraryEntry
from coach.hint import HintAnswer, HintEngine, HintQuestion
from coach.index import HintIndex, build_index
from coach.index_files import load_index, save_index
from common.errors import InvalidInput, NotFound, NotReady, Text
from operations import library
from operations.access import Actor
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import Hint, HintFeedback, HintSuggestion, LibraryEntryRow
from operations.vocabulary import FEEDBACK_ACTIONS

log = logging.getLogger("fieldwise.hints")
_LOOK_EVERY_S = 1.0


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
        The visit in which it was used.
    """

    rank: int
    action: str
    edited_text: str | None = None
    reason: str | None = None
    visit_id: str | None = None


class HintDesk:
    """Keeps the hint engine of this process up to date with the library.

    A changed library gets a new index built beside the old one, which goes on answering; what was retired or changed
    since is left out of its answers (see `ask`).
    """

    def __init__(self, database: Database, make_encoder: Callable[[], Encoder], folder: Path) -> None:
        self._database = database
        self._make_encoder = make_encoder
        self._folder = folder
        self._lock = threading.Lock()
        self._rebuilding = threading.Lock()
        self._encoder: Encoder | None = None
        self._engine: HintEngine | None = None
        self._state = ""
        self._looked_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether a hint can be answered at once."""
        return self._engine is not None

    def engine(self) -> HintEngine:
        """Return the engine, loading it at the first call (some seconds).

        Raises
        ------
        NotReady
            When the library has no published entry.
        """
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    self._rebuild()
        elif time.monotonic() - self._looked_at > _LOOK_EVERY_S:
            self._look()
        if self._engine is None:
            raise NotReady(Text("the hint index is not built yet", "话术索引尚未建立"))
        return self._engine

    def refresh(self) -> None:
        """Bring the index up to date with the library before returning."""
        with self._lock:
            self._rebuild()

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        with self._database.read() as session:
            changed = library.state_of_library(session) != self._state
        if changed and self._rebuilding.acquire(blocking=False):
            threading.Thread(target=self._rebuild_beside, name="hint-index", daemon=True).start()

    def _rebuild_beside(self) -> None:
        try:
            with self._lock:
                self._rebuild()
        except Exception:
            # The old index goes on answering; the next look tries again.
            log.exception("the hint index could not be rebuilt")
        finally:
            self._rebuilding.release()

    def _rebuild(self) -> None:
        with self._database.read() as session:
            state = library.state_of_library(session)
            if self._engine is not None and state == self._state:
                return
            entries = library.published(session)
        if not entries:
            raise NotReady(
                Text(
                    "the library has no published entry: import one with `fieldwise library import`",
                    "案例库中没有已发布的条目：请用 `fieldwise library import` 导入",
                )
            )
        self._encoder = self._encoder or self._make_encoder()
        index = self._index_of(entries, self._encoder)
        self._engine, self._state, self._looked_at = HintEngine(index, self._encoder), state, time.monotonic()

    def _index_of(self, entries: Sequence[LibraryEntry], encoder: Encoder) -> HintIndex:
        found = load_index(self._folder, encoder, entries)
        if isinstance(found, HintIndex):
            return found
        log.info("building the hint index: %s", found.reason.en)
        built = build_index(entries, encoder, previous=self._engine.index if self._engine else None)
        save_index(built, self._folder)
        return built


def ask(database: Database, desk: HintDesk, actor: Actor, question: HintQuestion) -> HintGiven:
    """Answer a question from the library and store the answer with what was shown.

    An actor bound to a region gets the entries of that region and of all regions.

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
    answer = engine.hint(question)
    with database.write(actor.code) as session:
        answer = _without_withdrawn(session, answer, question.on)
        latency_ms = (time.perf_counter() - begun) * 1000
        given = HintGiven(uuid4().hex, now, answer, latency_ms)
        session.add(_row(given, actor, question, _version(engine.index)))
        session.flush()
        session.add_all(
            HintSuggestion(
                hint_id=given.id,
                rank=suggestion.rank,
                entry_key=suggestion.entry_key,
                language=suggestion.language,
                talk_track=suggestion.talk_track,
                score=suggestion.score,
            )
            for suggestion in answer.suggestions
        )
    return given


def give_feedback(session: Session, actor: Actor, hint_id: str, feedback: Feedback) -> None:
    """Store what became of a suggestion; said again, the last word counts.

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
    row = session.get(HintFeedback, (hint_id, feedback.rank))
    if row is None:
        row = HintFeedback(hint_id=hint_id, rank=feedback.rank)
        session.add(row)
    row.action, row.edited_text = feedback.action, feedback.edited_text
    row.reason, row.visit_id = feedback.reason, feedback.visit_id
    row.given_at, row.given_by = session.info["clock"].now(), actor.code


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
    return replace(answer, suggestions=tuple(replace(item, rank=rank) for rank, item in enumerate(left, start=1)))


def _version(index: HintIndex) -> str:
    return f"{index.library_checksum[:16]}/{index.fingerprint[:16]}"


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
        answer=_plain(asdict(given.answer)),
    )


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
