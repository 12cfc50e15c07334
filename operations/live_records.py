"""Running conversations as they are kept: what they remember, the hints given in them, and who may read these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from coach.answer import HintAnswer
from common.errors import NotFound, Text
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.hints import EvidenceSource, HintGiven
from operations.live_conversation import ConversationState, LivePolicy
from operations.store.database import Database
from operations.store.tables import Hint, LiveConversation, LiveEvent

_READERS = frozenset({"region_manager", "director"})


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """How long conversations are kept after their last words, and how many of them one person or key may have."""

    keep: timedelta = timedelta(hours=2)
    conversations: int = 30


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """What the live channel works with.

    Attributes
    ----------
    database : Database
    hint_desk : HintDesk
    zone : ZoneInfo
        Where the organisation's days begin: entries outside their validity are left out.
    policy : LivePolicy
    limits : LiveLimits
    evidence_desk : EvidenceSource or None
        Gives the choice that learns from use.
    """

    database: Database
    hint_desk: HintDesk
    zone: ZoneInfo
    policy: LivePolicy = field(default_factory=LivePolicy)
    limits: LiveLimits = field(default_factory=LiveLimits)
    evidence_desk: EvidenceSource | None = None


@dataclass(frozen=True, slots=True)
class LiveHintGiven:
    """A hint of a conversation: its number there, the utterance that caused it, and the hint itself."""

    number: int
    seq: int
    given: HintGiven


@dataclass(frozen=True, slots=True)
class Position:
    """Where a conversation stands: the number of its last hint, and until when an objection is held back."""

    last_event: int
    held_until: datetime | None


def events_after(desk: LiveDesk, actor: Actor, conversation_id: str, after: int) -> list[LiveHintGiven]:
    """Return the hints of a conversation after number ``after``, in their order.

    Its owner reads them, the manager of its region, and a director.

    Raises
    ------
    NotFound
        When there is none, it is forgotten, or the actor may not know that there is one.
    """
    with desk.database.read() as session:
        require_reader(session, desk, actor, conversation_id)
        return _events(session, conversation_id, after=after)


def events_caused(
    desk: LiveDesk, actor: Actor, conversation_id: str, seqs: Sequence[int], *, after: int | None = None
) -> list[LiveHintGiven]:
    """Return the hints that utterances caused, and with ``after`` also all that came after that number."""
    with desk.database.read() as session:
        require_reader(session, desk, actor, conversation_id)
        wanted = set(seqs)
        found = _events(session, conversation_id, after=0)
        return [event for event in found if event.seq in wanted or (after is not None and event.number > after)]


def positions(desk: LiveDesk, conversation_ids: Sequence[str]) -> dict[str, Position]:
    """Return where conversations stand; those that are forgotten are left out."""
    query = select(LiveConversation.id, LiveConversation.last_event, LiveConversation.held_until).where(
        LiveConversation.id.in_(conversation_ids), LiveConversation.touched_at >= _oldest(desk)
    )
    with desk.database.read() as session:
        return {row.id: Position(row.last_event, row.held_until) for row in session.execute(query)}


def require_reader(session: Session, desk: LiveDesk, actor: Actor, conversation_id: str) -> LiveConversation:
    """Return a conversation that the actor may read.

    Raises
    ------
    NotFound
        When there is none, or the actor may not know that there is one.
    """
    actor.require("hints:ask")
    row = alive(session, desk, conversation_id)
    oversees = actor.role in _READERS and actor.region_code in (None, row.region_code)
    if row.owner_code != actor.code and not oversees:
        raise unknown(conversation_id)
    return row


def forget_old(session: Session, keep: timedelta) -> int:
    """Delete the conversations whose last words are older than ``keep`` and return how many they were.

    The hints given in them stay, as all hints do.
    """
    before = session.info["clock"].now() - keep
    old = delete(LiveConversation).where(LiveConversation.touched_at < before)
    result = session.execute(old, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


def state_record(state: ConversationState) -> dict[str, Any]:
    """Return a state as JSON can hold it."""
    record: dict[str, Any] = _adapter(ConversationState).dump_python(state, mode="json")
    return record


def read_state(record: dict[str, Any]) -> ConversationState:
    """Return the state of a record."""
    state: ConversationState = _adapter(ConversationState).validate_python(record)
    return state


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def alive(session: Session, desk: LiveDesk, conversation_id: str) -> LiveConversation:
    """Return a conversation that is still kept.

    Raises
    ------
    NotFound
        When there is none.
    """
    row = session.get(LiveConversation, conversation_id)
    if row is None or row.touched_at < _oldest(desk):
        raise unknown(conversation_id)
    return row


def _oldest(desk: LiveDesk) -> datetime:
    return desk.database.clock.now() - desk.limits.keep


def unknown(conversation_id: str) -> NotFound:
    """Return the error for a conversation that there is not, or that the actor may not know."""
    return NotFound(Text(f"there is no conversation {conversation_id!r}", f"没有会话 {conversation_id!r}"))


def _events(session: Session, conversation_id: str, *, after: int) -> list[LiveHintGiven]:
    query = (
        select(LiveEvent, Hint)
        .join(Hint, Hint.id == LiveEvent.hint_id)
        .where(LiveEvent.conversation_id == conversation_id, LiveEvent.number > after)
        .order_by(LiveEvent.number)
    )
    return [_given(event, hint) for event, hint in session.execute(query)]


def _given(event: LiveEvent, hint: Hint) -> LiveHintGiven:
    answer: HintAnswer = _adapter(HintAnswer).validate_python(hint.answer)
    return LiveHintGiven(event.number, event.seq, HintGiven(hint.id, hint.asked_at, answer, event.latency_ms))
