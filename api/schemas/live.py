"""Messages of the live channel: the same over the socket, the event stream and plain requests."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from api.schemas import Answer, Body, Code
from api.schemas.hints import HintGivenAnswer
from operations.live_conversation import Utterance
from operations.live_hints import Opened, Situation
from operations.live_records import LiveHintGiven

MOST_UTTERANCES = 50
CONVERSATION_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"
ConversationId = Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)]
"""Made by the client, such as a UUID: it must not be guessed, and no two may be equal."""
_BLANKS = "\t\n\r"


class SituationFields(Body):
    """What is known about the customer and the moment. Said again, the new word counts; left out, the old one stays."""

    language: Literal["zh", "en"] | None = Field(None, description="Language of the lines; else that of the words.")
    product_line: str | None = Field(None, max_length=80, examples=["panels"])
    customer_type: str | None = Field(None, max_length=80, examples=["young_parents"])
    scene: str | None = Field(None, max_length=80, examples=["mall"])
    limit: int | None = Field(None, ge=1, le=10, description="Most suggestions of a hint; 3 when nothing is said.")
    region: Code | None = Field(None, description="When the conversation begins; one's own by default.")

    def situation(self) -> Situation:
        """Return the situation for the use case."""
        return Situation(self.language, self.product_line, self.customer_type, self.scene, self.limit)


class UtteranceBody(Body):
    """What somebody said."""

    seq: int = Field(ge=0, le=2**53 - 1, description="Your number of it; each is heard once.", examples=[1])
    speaker: Literal["customer", "rep"] = Field(examples=["customer"])
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(examples=["隔壁家同款便宜两百块"])
    at: AwareDatetime = Field(description="When it was said.", examples=["2026-11-24T10:00:05+08:00"])

    @field_validator("text")
    @classmethod
    def _speakable(cls, text: str) -> str:
        if any(unicodedata.category(each) in ("Cc", "Cs") and each not in _BLANKS for each in text):
            raise ValueError("contains control characters")
        return text

    def utterance(self) -> Utterance:
        """Return the utterance for the use case."""
        return Utterance(self.seq, self.speaker, self.text, self.at)


class StartMessage(SituationFields):
    """Begins a conversation or resumes one; hints after ``last_event`` are sent again."""

    type: Literal["start"]
    conversation: ConversationId
    last_event: int = Field(0, ge=0, le=2**31 - 1)


class UtteranceMessage(UtteranceBody):
    """An utterance of the conversation that was started."""

    type: Literal["utterance"]


class PingMessage(Body):
    """Asks whether the service is there."""

    type: Literal["ping"]


ClientMessage = StartMessage | UtteranceMessage | PingMessage
CLIENT_MESSAGES: dict[str, type[ClientMessage]] = {
    "start": StartMessage,
    "utterance": UtteranceMessage,
    "ping": PingMessage,
}


class StartedMessage(Answer):
    """A conversation was begun or resumed. ``heard`` are the numbers of utterances that need not be sent again."""

    type: Literal["started"] = "started"
    conversation: str
    resumed: bool
    last_event: int
    heard: list[tuple[int, int]]

    @classmethod
    def of(cls, opened: Opened) -> StartedMessage:
        """Return the message."""
        return cls(
            conversation=opened.conversation,
            resumed=opened.resumed,
            last_event=opened.last_event,
            heard=list(opened.heard),
        )


class AckMessage(Answer):
    """An utterance was heard and is kept: it need not be sent again."""

    type: Literal["ack"] = "ack"
    seq: int


class HintEvent(Answer):
    """A hint of a conversation: the number of the event, and the utterance that caused it."""

    type: Literal["hint"] = "hint"
    event: int = Field(examples=[1])
    seq: int = Field(examples=[1])
    hint: HintGivenAnswer

    @classmethod
    def of(cls, event: LiveHintGiven, language: str) -> HintEvent:
        """Return the message in the reader's language."""
        return cls(event=event.number, seq=event.seq, hint=HintGivenAnswer.of(event.given, language))


class ProblemMessage(Answer):
    """A message was refused; ``problem`` is the same body as over HTTP (RFC 9457). The socket stays open."""

    type: Literal["problem"] = "problem"
    seq: int | None = None
    retry_after_s: int | None = None
    problem: dict[str, Any]


class SignMessage(Answer):
    """Says that the service is there: by itself, or asked by a ping."""

    type: Literal["heartbeat", "pong"]


class UtterancesRequest(SituationFields):
    """Utterances of a conversation, in their order; the first ones begin it."""

    utterances: list[UtteranceBody] = Field(max_length=MOST_UTTERANCES)
    last_event: int | None = Field(
        None, ge=0, le=2**31 - 1, description="Also return every event after this one.", examples=[0]
    )


class UtterancesAnswer(Answer):
    """What was heard, the hints that it caused, and until when an objection is held back."""

    conversation: str
    acknowledged: list[int]
    events: list[HintEvent]
    held_until: AwareDatetime | None = Field(
        description="An objection waits for the end of the cool-down: ask again then, with `last_event`."
    )
