"""The live channel's use cases: conversations that are kept, so that any service process can go on with them.

What a conversation remembers is read, changed by `operations.live_conversation.Conversation` and written back only if
nobody changed it in between; else it is tried again. So the engine works outside any transaction, and a message that
reaches two processes counts once. A hint is stored (`operations.hints.ask`) when it is given, never when words were
only listened to: what is stored as shown was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from coach.answer import HintQuestion
from coach.normalise import normalise
from common.clock import local_date
from common.errors import Conflict, Text
from operations import hints, people
from operations.access import Actor
from operations.hints import HintGiven
from operations.live_conversation import Coach, Conversation, ConversationState, LiveHint, Utterance
from operations.live_records import LiveDesk, alive, forget_old, read_state, state_record, unknown
from operations.store.tables import ApiKey, LiveConversation, LiveEvent

_TRIES = 10
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about the customer and the moment, as in a single question; None where nothing was said."""

    language: str | None = None
    product_line: str | None = None
    customer_type: str | None = None
    scene: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation that was begun or resumed.

    Attributes
    ----------
    conversation : str
    resumed : bool
        Whether it was known already.
    last_event : int
        Number of its last hint; 0 before the first.
    heard : tuple of (first, last)
        Numbers of the utterances heard so far, as ranges in rising order.
    """

    conversation: str
    resumed: bool
    last_event: int
    heard: tuple[tuple[int, int], ...]


def open_conversation(
    desk: LiveDesk, actor: Actor, conversation_id: str, *, situation: Situation, region: str | None = None
) -> Opened:
    """Begin a conversation, or resume it when it is known; what the situation says anew counts from now on.

    Conversations whose time is over are forgotten here, all of them.

    Raises
    ------
    Conflict
        When the id is somebody else's, or the actor has as many conversations as it may.
    InvalidInput
        When the region does not exist.
    """
    actor.require("hints:ask")
    region = actor.region_or_own(region)
    with desk.database.write(actor.code) as session:
        forget_old(session, desk.limits.keep)
        row = session.get(LiveConversation, conversation_id)
        if row is None:
            row = _begin(session, desk, actor, conversation_id, region)
            known = False
        elif row.owner_code != actor.code:
            raise Conflict(
                Text("this id of a conversation is taken: make another one", "该会话编号已被使用，请换一个编号")
            )
        else:
            known = True
        said = {name: value for name, value in asdict(situation).items() if value is not None}
        row.situation = {**row.situation, **said}
        row.touched_at = desk.database.clock.now()
        return Opened(row.id, known, row.last_event, read_state(row.state).heard)


def _begin(
    session: Session, desk: LiveDesk, actor: Actor, conversation_id: str, region: str | None
) -> LiveConversation:
    if region is not None:
        people.require_region(session, region)
    most = desk.limits.conversations
    owned = select(func.count()).select_from(LiveConversation).where(LiveConversation.owner_code == actor.code)
    if (session.scalar(owned) or 0) >= most:
        raise Conflict(
            Text(f"there are {most} conversations already, which is the limit", f"会话数已达上限（{most} 个）")
        )
    now = desk.database.clock.now()
    row = LiveConversation(
        id=conversation_id,
        owner_code=actor.code,
        region_code=region,
        situation={},
        state=state_record(ConversationState()),
        version=0,
        last_event=0,
        begun_at=now,
        touched_at=now,
    )
    session.add(row)
    return row


def hear(desk: LiveDesk, actor: Actor, conversation_id: str, utterance: Utterance) -> None:
    """Listen to what was said in the actor's conversation, and give the hint that it calls for; once for each ``seq``.

    Raises
    ------
    NotFound
        When the actor has no such conversation.
    NotReady
        When there is no hint index yet; the utterance may be sent again.
    """
    actor.require("hints:ask")

    def own() -> LiveConversation:
        with desk.database.read() as session:
            row = alive(session, desk, conversation_id)
            if row.owner_code != actor.code:
                raise unknown(conversation_id)
            return row

    row = own()
    coach = _DeskCoach(desk, actor, row)
    _change(desk, own, coach, lambda conversation: conversation.hear(utterance, coach))


def release(desk: LiveDesk, conversation_id: str) -> None:
    """Give the hint that was held back, when the cool-down is over; safe to call from several processes.

    It is given in the name of the conversation's owner. An owner who may not have it any more gets none.

    Raises
    ------
    NotFound
        When there is no such conversation.
    """

    def kept() -> LiveConversation:
        with desk.database.read() as session:
            return alive(session, desk, conversation_id)

    row = kept()
    with desk.database.read() as session:
        owner = _owner(session, row.owner_code)
    allowed = owner is not None and owner.may("hints:ask") and owner.region_code in (None, row.region_code)
    coach = _DeskCoach(desk, owner, row) if owner is not None and allowed else _Silent()
    _change(desk, kept, coach, lambda conversation: conversation.release(coach))


def _change(
    desk: LiveDesk, read: Callable[[], LiveConversation], coach: _Asked, act: Callable[[Conversation], LiveHint | None]
) -> None:
    """Change a conversation's state by ``act`` and keep it; from the beginning when somebody else was faster."""
    for _ in range(_TRIES):
        row = read()
        conversation = Conversation(desk.policy, desk.database.clock, read_state(row.state))
        before = conversation.state
        hint = act(conversation)
        if conversation.state == before or _keep(desk, row, conversation, hint, coach):
            return
    raise Conflict(
        Text("this conversation is being changed by others: send it again", "该会话正被同时修改，请重新发送")
    )


def _keep(
    desk: LiveDesk, row: LiveConversation, conversation: Conversation, hint: LiveHint | None, coach: _Asked
) -> bool:
    with desk.database.write(row.owner_code) as session:
        changed = (
            update(LiveConversation)
            .where(LiveConversation.id == row.id, LiveConversation.version == row.version)
            .values(
                state=state_record(conversation.state),
                version=row.version + 1,
                last_event=conversation.state.last_event,
                held_until=conversation.held_until,
                touched_at=desk.database.clock.now(),
            )
            .execution_options(synchronize_session=False)
        )
        result = session.execute(changed)
        assert isinstance(result, CursorResult)
        if result.rowcount == 0:
            return False
        if hint is not None:
            session.add(
                LiveEvent(
                    conversation_id=row.id,
                    number=hint.number,
                    seq=hint.seq,
                    hint_id=hint.hint_id,
                    at=hint.at,
                    latency_ms=coach.latency_ms(hint.hint_id),
                )
            )
    return True


class _Asked(Coach, Protocol):
    """A coach that knows how long its hints took."""

    def latency_ms(self, hint_id: str) -> float: ...


class _DeskCoach:
    """Understands objections with the hint engine, without a trace, and stores the hints that are given."""

    def __init__(self, desk: LiveDesk, actor: Actor, row: LiveConversation) -> None:
        self._desk = desk
        self._actor = actor
        self._region = row.region_code
        self._situation = Situation(**row.situation)
        self._given: dict[str, HintGiven] = {}

    def objection(self, words: str) -> str | None:
        if not normalise(words):
            return None
        answer = self._desk.hint_desk.engine().hint(self._question(words))
        return answer.objection_types[0][0] if answer.matched else None

    def hint(self, words: str) -> str | None:
        # asked once, however often the conversation has to be changed anew
        if words not in self._given:
            desk = self._desk
            self._given[words] = hints.ask(
                desk.database, desk.hint_desk, self._actor, self._question(words), evidence_desk=desk.evidence_desk
            )
        given = self._given[words]
        return given.id if given.answer.matched and given.answer.suggestions else None

    def latency_ms(self, hint_id: str) -> float:
        return next(given.latency_ms for given in self._given.values() if given.id == hint_id)

    def _question(self, words: str) -> HintQuestion:
        situation = self._situation
        return HintQuestion(
            text=words,
            on=local_date(self._desk.database.clock.now(), self._desk.zone),
            language=situation.language,
            region=self._region,
            product_line=situation.product_line,
            customer_type=situation.customer_type,
            scene=situation.scene,
            k=situation.limit or _SUGGESTIONS,
        )


class _Silent:
    """Gives nothing: for an owner who is not there any more."""

    def objection(self, words: str) -> str | None:
        return None

    def hint(self, words: str) -> str | None:
        return None

    def latency_ms(self, hint_id: str) -> float:
        raise LookupError(hint_id)


def _owner(session: Session, code: str) -> Actor | None:
    if not code.startswith("key:"):
        return people.actor_of_person(session, code)
    row = session.get(ApiKey, code.removeprefix("key:"))
    if row is None or row.revoked_at is not None:
        return None
    return Actor(code, "key", frozenset(row.scopes), region_code=row.region_code)
