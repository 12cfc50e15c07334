"""Hints for many customers at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body, Code, Problem
from api.schemas.hints import HintGivenAnswer, ObjectionAnswer, SuggestionAnswer
from coach.answer import HintAnswer
from common.errors import FieldwiseError
from operations.hint_prefetch import PrefetchCustomer, Prefetched, PrefetchedCustomer, PrefetchQuestion
from operations.hints import HintGiven

MOST_CUSTOMERS = 300


class PrefetchCustomerBody(Body):
    """A customer of the list. What is left out is taken from the records of ``customer_id``."""

    customer_id: Code | None = Field(None, examples=["C00017"])
    known_objections: list[Annotated[str, StringConstraints(min_length=1, max_length=500)]] = Field(
        default_factory=list,
        max_length=10,
        description="Codes of objection types, or the customer's words; by default those heard on the last visits.",
        examples=[["cheaper_competitor", "要跟家里人商量一下"]],
    )
    customer_type: str | None = Field(None, max_length=80, examples=["young_parents"])
    product_line: str | None = Field(None, max_length=80, examples=["panels"])
    scene: str | None = Field(None, max_length=80, examples=["mall"])


class PrefetchRequest(Body):
    """Which customers are visited, so that a route can carry their hints."""

    customers: list[PrefetchCustomerBody] = Field(min_length=1, max_length=MOST_CUSTOMERS)
    limit: int = Field(3, ge=1, le=10, description="Most suggestions for an objection.", examples=[3])
    language: Literal["zh", "en"] | None = Field(None, description="Language of the lines; one's own by default.")
    region: Code | None = Field(None, description="Whose entries; one's own region, or else each customer's.")

    def question(self, today: date, keep_days: int) -> PrefetchQuestion:
        """Return the question for the use case."""
        listed = tuple(
            PrefetchCustomer(
                each.customer_id, tuple(each.known_objections), each.customer_type, each.product_line, each.scene
            )
            for each in self.customers
        )
        return PrefetchQuestion(listed, today, keep_days, self.limit, self.language, self.region)


class PrefetchedAnswer(Answer):
    """What can be said to one objection, or why nothing; ``expires_on`` is the last day on which it holds."""

    objection_types: list[ObjectionAnswer]
    matched: bool
    language: str
    suggestions: list[SuggestionAnswer]
    reason: str | None
    open_question: str | None
    notes: list[str]
    expires_on: date

    @classmethod
    def of(cls, answer: HintAnswer, expires_on: date, made_at: datetime, language: str) -> PrefetchedAnswer:
        """Return the answer in the reader's language."""
        told = HintGivenAnswer.of(HintGiven("", made_at, answer, 0.0), language)
        fields = {name: getattr(told, name) for name in cls.model_fields if name != "expires_on"}
        return cls(expires_on=expires_on, **fields)


class PrefetchedObjectionAnswer(Answer):
    """A known objection, and the place of its answer in ``answers``, from 0."""

    known: str = Field(examples=["cheaper_competitor"])
    answer: int = Field(examples=[0])


class PrefetchedCustomerAnswer(Answer):
    """What can be said to a customer, in the order of the request; ``problem`` tells what is wrong with this one."""

    customer_id: str | None
    customer_type: str | None
    from_records: bool = Field(description="Whether the objections come from the customer's visits.")
    objections: list[PrefetchedObjectionAnswer]
    reason: str | None = Field(description="Why there are no objections.")
    problem: Problem | None
    expires_on: date | None

    @classmethod
    def of(
        cls, item: PrefetchedCustomer, language: str, explain: Callable[[FieldwiseError], dict[str, Any]]
    ) -> PrefetchedCustomerAnswer:
        """Return the answer; ``explain`` makes the body of a problem answer."""
        return cls(
            customer_id=item.customer_id,
            customer_type=item.customer_type,
            from_records=item.from_records,
            objections=[PrefetchedObjectionAnswer.model_validate(each) for each in item.objections],
            reason=item.reason.in_language(language) if item.reason else None,
            problem=Problem(**explain(item.problem)) if item.problem else None,
            expires_on=item.expires_on,
        )


class PrefetchAnswer(Answer):
    """Each answer once, and for each customer which of them apply."""

    made_at: AwareDatetime
    index_version: str = Field(description="The library as it answered; fetch again when it has changed.")
    expires_on: date = Field(description="The last day on which all of it holds.")
    customers: list[PrefetchedCustomerAnswer]
    answers: list[PrefetchedAnswer]

    @classmethod
    def of(
        cls, found: Prefetched, language: str, explain: Callable[[FieldwiseError], dict[str, Any]]
    ) -> PrefetchAnswer:
        """Return the answer in the reader's language."""
        return cls(
            made_at=found.made_at,
            index_version=found.index_version,
            expires_on=found.expires_on,
            customers=[PrefetchedCustomerAnswer.of(item, language, explain) for item in found.customers],
            answers=[PrefetchedAnswer.of(answer, until, found.made_at, language) for answer, until in found.answers],
        )
