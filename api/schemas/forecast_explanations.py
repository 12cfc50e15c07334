"""Why a forecast is what it is."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from api.schemas import Answer
from api.schemas.forecast_overrides import OverrideAnswer
from common.errors import Text
from forecasting.explanation_words import Contribution, Value
from operations.demand_marks import DayMark
from operations.forecast_explanations import DayExplanation, ForecastExplanations


class ContributionAnswer(Answer):
    """One cause: by how many units it moves the forecast, and its value a week earlier and now, where it has one."""

    cause: str = Field(
        description="A covariate's name, or `season`, `holidays`, `campus_terms`, `shopping_festivals`, "
        "`recent_demand`, `level`, `days_without_demand`, `rest`.",
        examples=["planned_visits"],
    )
    label: str = Field(examples=["planned visits"])
    phrase: str = Field(examples=["12 planned visits instead of 7"])
    units: float = Field(examples=[6.2])
    before: float | str | None = Field(examples=[7])
    after: float | str | None = Field(examples=[12])
    error_units: float = Field(description="Standard error; 0 where all combinations of causes were tried.")

    @classmethod
    def of(cls, one: Contribution, language: str) -> ContributionAnswer:
        """Return the answer for a contribution in a language."""
        return cls(
            cause=one.cause,
            label=one.label.in_language(language),
            phrase=one.phrase.in_language(language),
            units=round(one.units, 4),
            before=_value(one.before, language),
            after=_value(one.after, language),
            error_units=round(one.error_units, 4),
        )


class DayMarkAnswer(Answer):
    """A holiday, a make-up working day or an event."""

    kind: str = Field(examples=["holiday"])
    name: str = Field(examples=["National Day"])

    @classmethod
    def of(cls, mark: DayMark, language: str) -> DayMarkAnswer:
        """Return the answer for a mark in a language."""
        return cls(kind=mark.kind, name=mark.name.in_language(language))


class DayExplanationAnswer(Answer):
    """What moved the model's mean forecast of one day against that of the same weekday a week earlier.

    Where no forecast could be made a week earlier, `reference_day` is null, `reference_units` the usual level, and
    `reason` says why. `contributions` add up to the difference. `override` is what a person said instead.
    """

    region: str = Field(examples=["jinjiang"])
    material: str = Field(examples=["gift-standard"])
    day: date
    forecast_units: float | None
    reference_day: date | None
    reference_units: float | None
    reference_actual_units: float | None = Field(description="What was really used on `reference_day`, if known.")
    change_share: float | None = Field(examples=[0.38])
    sentence: str = Field(
        examples=["+38 % against the forecast for last Saturday (26 September), 55 instead of 40: National Day (+9)."]
    )
    reason: str | None
    contributions: list[ContributionAnswer]
    marks: list[DayMarkAnswer]
    marks_before: list[DayMarkAnswer]
    override: OverrideAnswer | None

    @classmethod
    def of(cls, found: DayExplanation, language: str) -> DayExplanationAnswer:
        """Return the answer for an explanation in a language."""
        one = found.explanation
        return cls(
            region=one.region,
            material=one.item,
            day=one.day,
            forecast_units=_rounded(one.forecast_units),
            reference_day=one.reference_day,
            reference_units=_rounded(one.reference_units),
            reference_actual_units=_rounded(one.reference_actual_units),
            change_share=_rounded(one.change_share),
            sentence=one.sentence.in_language(language),
            reason=one.reason.in_language(language) if one.reason else None,
            contributions=[ContributionAnswer.of(part, language) for part in one.contributions],
            marks=[DayMarkAnswer.of(mark, language) for mark in found.marks],
            marks_before=[DayMarkAnswer.of(mark, language) for mark in found.marks_before],
            override=OverrideAnswer.of(found.override) if found.override else None,
        )


class ForecastExplanationsAnswer(Answer):
    """Explanations of the newest forecast, seen from the end of `origin`, by the model that made it."""

    origin: date
    model_version: str
    days: list[DayExplanationAnswer]

    @classmethod
    def of(cls, found: ForecastExplanations, language: str) -> ForecastExplanationsAnswer:
        """Return the answer for explanations in a language."""
        days = [DayExplanationAnswer.of(one, language) for one in found.days]
        return cls(origin=found.origin, model_version=found.model_version, days=days)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _value(value: Value, language: str) -> float | str | None:
    if isinstance(value, Text):
        return value.in_language(language)
    return _rounded(value)
