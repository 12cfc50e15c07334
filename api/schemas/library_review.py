"""Review of library entries, merging, and credit."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from api.schemas import Answer, Body
from api.schemas.library import EntryAnswer, Line, Slug
from operations.library_credits import AuthorCredit
from operations.library_merge import MergeOutcome
from operations.library_review import ReviewItem


class SendBackBody(Body):
    """Why an entry is sent back."""

    reason: Line = Field(examples=["缺少效果数字：样本数和统计期"])


class MergeBody(Body):
    """The entry that survives."""

    into: Slug = Field(description="Key of the survivor, in the same language.", examples=["cheaper_competitor-01"])


class NearAnswer(Answer):
    """An entry that says nearly the same."""

    key: str
    language: str
    similarity: float = Field(description="0 to 1; 1 is the same but for spelling.")
    text: str = Field(description="Its text that is nearest.")


class FindingAnswer(Answer):
    """Something to mend."""

    code: str = Field(examples=["missing_part"])
    field: str = Field(examples=["utterances/3"])
    detail: str


class ReviewItemAnswer(Answer):
    """An entry that waits for review."""

    entry: EntryAnswer
    waits_since: AwareDatetime
    near: list[NearAnswer]
    findings: list[FindingAnswer]

    @classmethod
    def of(cls, item: ReviewItem, language: str) -> ReviewItemAnswer:
        """Return the answer for an item, with its findings in the reader's language."""
        return cls(
            entry=EntryAnswer.of(item.stored),
            waits_since=item.waits_since,
            near=[NearAnswer.model_validate(each) for each in item.near],
            findings=[
                FindingAnswer(code=each.code, field=each.field, detail=each.text.in_language(language))
                for each in item.findings
            ],
        )


class ReviewQueueAnswer(Answer):
    """A page of the queue, who has waited longest first."""

    items: list[ReviewItemAnswer]
    next_cursor: str | None


class MergeAnswer(Answer):
    """What became of two entries."""

    survivor: EntryAnswer
    merged: EntryAnswer
    left_out: list[str] = Field(description="Texts that were not taken over, though they are no copies.")

    @classmethod
    def of(cls, outcome: MergeOutcome) -> MergeAnswer:
        """Return the answer for an outcome."""
        return cls(
            survivor=EntryAnswer.of(outcome.survivor),
            merged=EntryAnswer.of(outcome.merged),
            left_out=list(outcome.left_out),
        )


class CreditAnswer(Answer):
    """What an author has earned."""

    author: str
    accepted: int = Field(description="Cases accepted, or merged into accepted ones.")
    reward_cny: float
    last_credited_at: AwareDatetime


class CreditsAnswer(Answer):
    """Credits by author, who earned most first."""

    items: list[CreditAnswer]
    reward_per_entry_cny: float = Field(description="What an accepted entry earns now.")

    @classmethod
    def of(cls, found: list[AuthorCredit], reward_cny: float) -> CreditsAnswer:
        """Return the answer for a list of credits."""
        items = [CreditAnswer.model_validate(each) for each in found]
        return cls(items=items, reward_per_entry_cny=reward_cny)
