"""Hints and the feedback on them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body, Code
from coach.hint import HintAnswer, HintQuestion, Suggestion
from coach.objections import objection_name
from common.errors import Text
from operations.hints import Feedback, HintGiven


class HintRequest(Body):
    """What the customer said, and what is known about the moment."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(examples=["隔壁家同款便宜两百块"])
    language: Literal["zh", "en"] | None = Field(
        None, description="Language of the lines; without it that of the question."
    )
    region: Code | None = Field(None, examples=["jinjiang"])
    product_line: str | None = Field(None, max_length=80, examples=["furniture"])
    customer_type: str | None = Field(None, max_length=80, examples=["young_parents"])
    scene: str | None = Field(None, max_length=80, examples=["mall"])
    limit: int = Field(3, ge=1, le=10, description="Most suggestions.")

    def question(self, today: date) -> HintQuestion:
        """Return the question for the engine."""
        return HintQuestion(
            text=self.text,
            on=today,
            language=self.language,
            region=self.region,
            product_line=self.product_line,
            customer_type=self.customer_type,
            scene=self.scene,
            k=self.limit,
        )


class EffectAnswer(Answer):
    """What the case changed, in figures."""

    metric: str = Field(examples=["conversion_rate"])
    n: int = Field(examples=[64])
    before: float = Field(examples=[0.18])
    after: float = Field(examples=[0.31])
    period_start: date
    period_end: date


class WarningAnswer(Answer):
    """What not to say, from a case that failed."""

    entry_key: str
    title: str
    bad_lines: list[str]
    why: list[str]


class WhyAnswer(Answer):
    """Why this case fits."""

    matched_utterance: str | None = Field(examples=["那边同样的柜子便宜三百"])
    objection_type: str = Field(examples=["cheaper_competitor"])
    objection: str = Field(examples=["竞品更便宜"])
    probability: float = Field(ge=0, le=1)


class SuggestionAnswer(Answer):
    """One case with its line to send."""

    rank: int
    entry_key: str = Field(examples=["cheaper_competitor-01"])
    language: str
    score: float
    talk_track: str = Field(examples=["您先别比价，摸摸这两块板的边，哪块扎手您马上知道。"])
    other_talk_tracks: list[str]
    title: str
    approach: str
    why: WhyAnswer
    steps: list[str]
    effect: EffectAnswer | None
    warnings: list[WarningAnswer]
    valid_until: date | None


class ObjectionAnswer(Answer):
    """A type of objection and how probable it is."""

    code: str = Field(examples=["cheaper_competitor"])
    name: str = Field(examples=["竞品更便宜"])
    probability: float = Field(ge=0, le=1)


class HintGivenAnswer(Answer):
    """Up to three lines from different cases, or an honest no match with a question to ask the customer."""

    id: str
    asked_at: AwareDatetime
    matched: bool
    language: str
    confidence: float = Field(ge=0, le=1)
    objection_types: list[ObjectionAnswer]
    suggestions: list[SuggestionAnswer]
    reason: str | None = Field(description="Why there is no match.")
    open_question: str | None = Field(description="What to ask the customer when there is no match.")
    notes: list[str]
    latency_ms: float

    @classmethod
    def of(cls, given: HintGiven, language: str) -> HintGivenAnswer:
        """Return the answer; lines are in their own language, what the product says in the reader's."""
        answer = given.answer
        return cls(
            id=given.id,
            asked_at=given.asked_at,
            matched=answer.matched,
            language=answer.language,
            confidence=round(answer.confidence, 4),
            objection_types=_objections(answer, language),
            suggestions=[_suggestion(item, language) for item in answer.suggestions],
            reason=_said(answer.reason, language),
            open_question=_said(answer.open_question, answer.language),
            notes=[note.in_language(language) for note in answer.notes],
            latency_ms=round(given.latency_ms, 2),
        )


def _objections(answer: HintAnswer, language: str) -> list[ObjectionAnswer]:
    return [
        ObjectionAnswer(code=code, name=objection_name(code).in_language(language), probability=round(probability, 4))
        for code, probability in answer.objection_types
    ]


def _suggestion(item: Suggestion, language: str) -> SuggestionAnswer:
    why = item.why
    return SuggestionAnswer(
        rank=item.rank,
        entry_key=item.entry_key,
        language=item.language,
        score=round(item.score, 4),
        talk_track=item.talk_track,
        other_talk_tracks=list(item.other_talk_tracks),
        title=item.title,
        approach=item.approach,
        why=WhyAnswer(
            matched_utterance=why.matched_utterance,
            objection_type=why.objection_type,
            objection=why.objection_name.in_language(language),
            probability=round(why.type_probability, 4),
        ),
        steps=list(item.steps),
        effect=EffectAnswer.model_validate(item.effect) if item.effect else None,
        warnings=[WarningAnswer.model_validate(warning) for warning in item.warnings],
        valid_until=item.valid_until,
    )


def _said(text: Text | None, language: str) -> str | None:
    return text.in_language(language) if text else None


class FeedbackRequest(Body):
    """What became of one suggestion."""

    rank: int = Field(ge=1, le=10, examples=[1])
    action: Literal["used", "edited", "rejected"] = Field(examples=["used"])
    edited_text: str | None = Field(None, max_length=4000, description="The line as it was said; for `edited`.")
    reason: str | None = Field(None, max_length=1000, description="Why it was rejected.")
    visit_id: str | None = Field(
        None, max_length=64, description="The visit in which it was used; it may be recorded later."
    )
    said_at: AwareDatetime | None = Field(
        None,
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        description="When the rep said so, for words sent late; without it, now. Earlier words undo no later ones.",
    )

    def feedback(self) -> Feedback:
        """Return the feedback for the use case."""
        return Feedback(self.rank, self.action, self.edited_text, self.reason, self.visit_id, self.said_at)
