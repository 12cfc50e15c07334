"""A running conversation: which of the customer's words call for a hint, and when it may be given.

Nothing here knows a database or a network: the state goes in, the next state and the hints come out. The same words at
the same moments always give the same hints, which is what makes a resumed conversation safe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from common.clock import Clock

Speaker = Literal["customer", "rep"]
SPEAKERS: tuple[Speaker, ...] = ("customer", "rep")
MOST_WORDS_CHARS = 500
"""As many of the customer's last characters are listened to; an objection comes at the end of long words."""
MOST_GAPS = 64
"""Numbers missing in between that are remembered; the oldest gaps beyond count as heard."""
_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_CHINESE = re.compile(rf"[{_HAN}]")
_WORD = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+")


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """When hints are given in a running conversation.

    Attributes
    ----------
    cooldown_s : float
        Two hints of a conversation lie at least so many seconds apart, since a rep cannot read faster while talking.
    repeat_s : float
        The same type of objection gets its next hint no earlier than so many seconds after the last one.
    join_within_s : float
        A fragment belongs to the customer's words before it when they are less than so many seconds old.
    fragment_words : int
        Words up to this number are a fragment; a Chinese character counts as one.
    """

    cooldown_s: float = 8.0
    repeat_s: float = 180.0
    join_within_s: float = 3.0
    fragment_words: int = 6


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody said: ``seq`` is the client's number of it, ``at`` the moment by the client's clock."""

    seq: int
    speaker: Speaker
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LastWords:
    """The customer's last words, joined; ``objection`` tells whether they were understood as one."""

    words: str
    at: datetime
    objection: bool


@dataclass(frozen=True, slots=True)
class HeldObjection:
    """An objection that waits for the end of the cool-down."""

    seq: int
    words: str
    objection_type: str


@dataclass(frozen=True, slots=True)
class ConversationState:
    """All that a conversation remembers, so that another process can go on with it.

    Attributes
    ----------
    heard : tuple of (first, last)
        Numbers of the utterances heard so far, as ranges in rising order.
    last_event : int
        Number of the last hint; 0 before the first.
    last_words : LastWords or None
    last_hint_at : datetime or None
    hinted : tuple of (objection type, datetime)
        When each type got its last hint; those that may get another one are forgotten.
    held : HeldObjection or None
    """

    heard: tuple[tuple[int, int], ...] = ()
    last_event: int = 0
    last_words: LastWords | None = None
    last_hint_at: datetime | None = None
    hinted: tuple[tuple[str, datetime], ...] = ()
    held: HeldObjection | None = None


@dataclass(frozen=True, slots=True)
class LiveHint:
    """A hint given in a conversation: its number there, the utterance that caused it, and the id of the hint."""

    number: int
    seq: int
    objection_type: str
    hint_id: str
    at: datetime


class Coach(Protocol):
    """Understands objections and knows lines for them."""

    def objection(self, words: str) -> str | None:
        """Return the type of the objection in ``words``, None when there is none that can be answered."""
        ...

    def hint(self, words: str) -> str | None:
        """Make the hint for ``words`` and return its id, None when there is nothing to show after all."""
        ...


class Conversation:
    """Listens to a conversation and decides about hints.

    - Only the customer's words cause hints; each ``seq`` is heard once.
    - Hints lie at least ``policy.cooldown_s`` apart. An objection heard in between is held back; a later one that
      deserves a hint takes its place; `release` gives it when the time is over.
    - A type that got a hint gets none for ``policy.repeat_s``.
    - A fragment is heard together with the customer's words just before it. When these were an objection already and
      the whole gives no new one, the fragment is heard by itself: it may be a second objection.

    Parameters
    ----------
    policy : LivePolicy
    clock : Clock
        Rules cool-down and repetition. The joining of fragments goes by the utterances' own moments, because words
        travel in bursts.
    state : ConversationState
        Where an earlier process left off.
    """

    def __init__(self, policy: LivePolicy, clock: Clock, state: ConversationState | None = None) -> None:
        self._policy = policy
        self._clock = clock
        self.state = state or ConversationState()

    @property
    def held_until(self) -> datetime | None:
        """When a held-back objection may be given; None when there is none."""
        if self.state.held is None or self.state.last_hint_at is None:
            return None
        return self.state.last_hint_at + timedelta(seconds=self._policy.cooldown_s)

    def hear(self, utterance: Utterance, coach: Coach) -> LiveHint | None:
        """Listen to an utterance and return the hint that is given now: for it, or one that was held back."""
        if has_heard(self.state.heard, utterance.seq):
            return None
        now = self._clock.now()
        self.state = replace(self.state, heard=with_heard(self.state.heard, utterance.seq))
        if utterance.speaker == "customer":
            held = self._understand(utterance, coach, now)
            if held is not None:
                self.state = replace(self.state, held=held)
        return self._give_held(coach, now)

    def release(self, coach: Coach) -> LiveHint | None:
        """Return the hint for a held-back objection when the cool-down is over."""
        return self._give_held(coach, self._clock.now())

    def _understand(self, utterance: Utterance, coach: Coach, now: datetime) -> HeldObjection | None:
        """Return the new objection in the customer's words, when it deserves a hint."""
        before = self._words_before(utterance)
        words = join(before.words, utterance.text) if before else utterance.text[-MOST_WORDS_CHARS:]
        kind = coach.objection(words)
        after_objection = before is not None and before.objection
        if after_objection and not self._deserves_hint(kind, now):
            alone = coach.objection(utterance.text)
            if alone is not None:
                kind, words = alone, utterance.text
        objection = kind is not None or after_objection
        self.state = replace(self.state, last_words=LastWords(words, utterance.at, objection))
        if kind is None or not self._deserves_hint(kind, now):
            return None
        return HeldObjection(utterance.seq, words, kind)

    def _words_before(self, utterance: Utterance) -> LastWords | None:
        """Return the words that a fragment belongs to."""
        last = self.state.last_words
        if last is None or count_words(utterance.text) > self._policy.fragment_words:
            return None
        age_s = (utterance.at - last.at).total_seconds()
        return last if 0 <= age_s < self._policy.join_within_s else None

    def _deserves_hint(self, kind: str | None, now: datetime) -> bool:
        if kind is None:
            return False
        last = dict(self.state.hinted).get(kind)
        return last is None or (now - last).total_seconds() >= self._policy.repeat_s

    def _give_held(self, coach: Coach, now: datetime) -> LiveHint | None:
        held, last_hint_at = self.state.held, self.state.last_hint_at
        if held is None:
            return None
        if last_hint_at is not None and (now - last_hint_at).total_seconds() < self._policy.cooldown_s:
            return None
        self.state = replace(self.state, held=None)
        hint_id = coach.hint(held.words)
        if hint_id is None:
            return None
        given = LiveHint(self.state.last_event + 1, held.seq, held.objection_type, hint_id, now)
        self.state = replace(
            self.state, last_event=given.number, last_hint_at=now, hinted=self._hinted_with(held.objection_type, now)
        )
        return given

    def _hinted_with(self, kind: str, now: datetime) -> tuple[tuple[str, datetime], ...]:
        still = [(each, at) for each, at in self.state.hinted if each != kind and not self._deserves_hint(each, now)]
        return (*still, (kind, now))


def has_heard(heard: tuple[tuple[int, int], ...], seq: int) -> bool:
    """Return whether a number lies in one of the ranges."""
    return any(first <= seq <= last for first, last in heard)


def with_heard(heard: tuple[tuple[int, int], ...], seq: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges with a number more: in rising order, without neighbours that touch, `MOST_GAPS` gaps kept."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted([*heard, (seq, seq)]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    beyond = len(merged) - (MOST_GAPS + 1)
    if beyond > 0:
        merged[: beyond + 1] = [(merged[0][0], merged[beyond][1])]
    return tuple(merged)


def count_words(text: str) -> int:
    """Return how many words a text has; each Chinese character counts as one."""
    return len(_WORD.findall(text))


def join(before: str, after: str) -> str:
    """Return two pieces of speech as one, at most its last `MOST_WORDS_CHARS` characters."""
    blank = "" if _CHINESE.match(before[-1:]) and _CHINESE.match(after[:1]) else " "
    return f"{before}{blank}{after}"[-MOST_WORDS_CHARS:]
