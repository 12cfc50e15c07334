"""What people say against the forecast, and what it was worth."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from api.schemas import Answer, Body, Code, Day
from operations.forecast_overrides import MOST_FACTOR, MOST_UNITS, OverrideCard, OverrideWish
from operations.forecast_value import OverrideValue, ValueReport


class OverrideRequest(Body):
    """What a region will need of a material on a day: a quantity, or a factor on the model's median."""

    region: Code = Field(examples=["jinjiang"])
    material: Code = Field(examples=["gift_pack"])
    day: Day = Field(examples=["2026-11-28"])
    quantity_units: float | None = Field(None, ge=0, le=MOST_UNITS, allow_inf_nan=False, examples=[120])
    factor: float | None = Field(None, ge=0, le=MOST_FACTOR, allow_inf_nan=False, examples=[None])
    reason: str = Field(min_length=1, max_length=500, examples=["a shop opens beside the stand"])

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.quantity_units is None) == (self.factor is None):
            raise ValueError("give either quantity_units or factor")
        return self

    def wish(self) -> OverrideWish:
        """Return the wish for the use case."""
        return OverrideWish(self.region, self.material, self.day, self.reason, self.quantity_units, self.factor)


class OverrideAnswer(Answer):
    """An override; `effective_units` is what it made of the model's median `model_units` of that time."""

    id: str
    region: str
    material: str
    day: date
    quantity_units: float | None
    factor: float | None
    reason: str
    made_by: str
    made_at: AwareDatetime
    origin: date
    model_units: float
    effective_units: float
    withdrawn_at: AwareDatetime | None
    withdrawn_by: str | None
    withdrawal_reason: str | None = Field(description="Of a later override of the same day: → and its id.")

    @classmethod
    def of(cls, card: OverrideCard) -> OverrideAnswer:
        """Return the answer for an override."""
        named = {"region": card.region_code, "material": card.material_code}
        taken = {name: getattr(card, name) for name in cls.model_fields if name not in named}
        return cls(**named, **taken)


class OverridesAnswer(Answer):
    """Overrides, the latest day first."""

    items: list[OverrideAnswer]


class OverrideValueAnswer(Answer):
    """What overrides were worth: above zero `value_added_units` means that they helped."""

    name: str
    days: int
    better: int
    model_error_units: float
    override_error_units: float
    value_added_units: float


class ValueReportAnswer(Answer):
    """Forecast value added: error of the model minus error of the overrides, once their days have come."""

    total: OverrideValueAnswer
    by_person: list[OverrideValueAnswer]
    by_reason: list[OverrideValueAnswer]
    waiting: int = Field(description="Overrides whose day has not come yet.")

    @classmethod
    def of(cls, report: ValueReport) -> ValueReportAnswer:
        """Return the answer for a report."""

        def shown(value: OverrideValue) -> OverrideValueAnswer:
            return OverrideValueAnswer.model_validate(value)

        return cls(
            total=shown(report.total),
            by_person=[shown(value) for value in report.by_person],
            by_reason=[shown(value) for value in report.by_reason],
            waiting=report.waiting,
        )
