"""Who is due, who is not to be visited, and what a plan keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field

from api.schemas import Answer
from operations.visit_candidates import DueCustomer, ExcludedCustomer, RegionDay


class RepeatAnswer(Answer):
    """A customer who is visited again for a reason that somebody gave."""

    customer_code: str = Field(examples=["C-JJ-0012"])
    reason: str
    text: str


class BlockedAnswer(Answer):
    """A customer who was due but not offered to the plan."""

    customer_code: str = Field(examples=["C-JJ-0012"])
    code: str = Field(examples=["planned_that_day"])
    text: str


class RhythmAnswer(Answer):
    """What the rhythm of contact says of a plan."""

    repeats: list[RepeatAnswer]
    excluded: list[BlockedAnswer]
    basis: str | None = Field(description="Where the probabilities of conversion come from.")

    @classmethod
    def of(cls, record: Mapping[str, Any], language: str) -> RhythmAnswer:
        """Return the answer for what a plan keeps, in the reader's language."""
        told = "zh" if language.lower().startswith("zh") else "en"
        basis = record.get("basis")
        return cls(
            repeats=[
                RepeatAnswer(customer_code=item["customer_code"], reason=item["reason"], text=item[told])
                for item in record.get("repeats", ())
            ],
            excluded=[
                BlockedAnswer(customer_code=item["customer_code"], code=item["code"], text=item[told])
                for item in record.get("excluded", ())
            ],
            basis=basis[told] if basis else None,
        )


class DueAnswer(Answer):
    """A customer to visit, with why, and what the visit is worth."""

    customer_code: str = Field(examples=["C-JJ-0012"])
    name: str
    grade: str | None
    code: Literal["first_visit", "rhythm", "follow_up", "promise", "asked_again"]
    text: str
    due_on: date
    mandatory: bool = Field(description="A promise would be broken without the visit.")
    probability: float = Field(ge=0, le=1, description="That the visit converts.")
    value_cny: float
    stock_factor: float = Field(ge=0, le=1, description="Less than 1 when gift packs that the visit needs run short.")
    urgency: float
    points: float = Field(description="Probability × value in thousands of CNY × stock × urgency.")

    @classmethod
    def of(cls, item: DueCustomer, language: str) -> DueAnswer:
        """Return the answer for a customer, in the reader's language."""
        return cls(
            customer_code=item.customer.code,
            name=item.customer.name,
            grade=item.customer.grade,
            code=item.why.code,
            text=item.why.text.in_language(language),
            due_on=item.why.due_on,
            mandatory=item.why.mandatory,
            probability=item.value.probability,
            value_cny=item.value.value_cny,
            stock_factor=item.value.stock_factor,
            urgency=round(item.why.urgency, 3),
            points=item.value.points,
        )


class ExcludedAnswer(Answer):
    """A customer who is not to be visited on the day."""

    customer_code: str = Field(examples=["C-JJ-0012"])
    name: str
    grade: str | None
    code: str = Field(examples=["visited_just_now"])
    text: str
    repeat: bool = Field(description="A visit would be a repeat; it takes a reason.")
    due_on: date | None

    @classmethod
    def of(cls, item: ExcludedCustomer, language: str) -> ExcludedAnswer:
        """Return the answer for a customer, in the reader's language."""
        return cls(
            customer_code=item.customer.code,
            name=item.customer.name,
            grade=item.customer.grade,
            code=item.why.code,
            text=item.why.text.in_language(language),
            repeat=item.why.repeat,
            due_on=item.why.due_on,
        )


class DueCustomersAnswer(Answer):
    """A region's customers on a day: those to visit, the most worthwhile first, and those not to visit."""

    region: str
    day: date
    rest_day: bool
    holiday: bool
    method: Literal["model", "rates"] = Field(description="What gave the probabilities.")
    basis: str
    due: list[DueAnswer]
    excluded: list[ExcludedAnswer]

    @classmethod
    def of(cls, found: RegionDay, language: str) -> DueCustomersAnswer:
        """Return the answer for a region's day, in the reader's language."""
        return cls(
            region=found.region.code,
            day=found.day,
            rest_day=found.rest_day,
            holiday=found.holiday,
            method=found.method,
            basis=found.basis.in_language(language),
            due=[DueAnswer.of(item, language) for item in found.due],
            excluded=[ExcludedAnswer.of(item, language) for item in found.excluded],
        )
