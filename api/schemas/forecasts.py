"""Forecasts and how good they were."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from api.schemas import Answer
from api.schemas.forecast_models import MonitorAnswer
from api.schemas.forecast_overrides import OverrideAnswer
from operations.demand import Accuracy, StoredForecast
from operations.forecast_notes import ForecastNotes, PlaceNote


class DayForecastAnswer(Answer):
    """The need on one day: units at each quantile; where a person changed it, `model_quantiles` has the model's."""

    region: str = Field(examples=["jinjiang"])
    material: str = Field(examples=["gift_pack"])
    day: date
    quantiles: dict[str, float] = Field(examples=[{"0.1": 41.2, "0.5": 55.0, "0.9": 71.8}])
    model_quantiles: dict[str, float] | None = None
    override: OverrideAnswer | None = None


class TotalForecastAnswer(Answer):
    """The need over the whole horizon: units at each quantile."""

    region: str
    material: str
    days: int = Field(examples=[3])
    quantiles: dict[str, float] = Field(examples=[{"0.1": 140.0, "0.5": 170.5, "0.9": 205.1}])
    model_quantiles: dict[str, float] | None = None


class PlaceNoteAnswer(Answer):
    """What is to be known of one region and material."""

    region: str
    material: str
    text: str

    @classmethod
    def of(cls, note: PlaceNote, language: str) -> PlaceNoteAnswer:
        """Return the answer for a note in a language."""
        return cls(region=note.region_code, material=note.material_code, text=note.text.in_language(language))


class ForecastNotesAnswer(Answer):
    """What is to be known: what was not known, which have no forecast, which rest on others, holes in the history."""

    general: list[str]
    without_forecast: list[PlaceNoteAnswer]
    cold_starts: list[PlaceNoteAnswer]
    history: list[PlaceNoteAnswer]

    @classmethod
    def of(cls, notes: ForecastNotes, language: str) -> ForecastNotesAnswer:
        """Return the answer for notes in a language."""

        def shown(places: tuple[PlaceNote, ...]) -> list[PlaceNoteAnswer]:
            return [PlaceNoteAnswer.of(note, language) for note in places]

        return cls(
            general=[note.in_language(language) for note in notes.general],
            without_forecast=shown(notes.without_forecast),
            cold_starts=shown(notes.cold_starts),
            history=shown(notes.history),
        )


class ForecastsAnswer(Answer):
    """A forecast seen from the end of `origin`, by the model that was in use then."""

    origin: date
    model_version: str
    made_at: AwareDatetime | None
    days: list[DayForecastAnswer]
    totals: list[TotalForecastAnswer]
    notes: ForecastNotesAnswer

    @classmethod
    def of(cls, stored: StoredForecast, language: str = "en") -> ForecastsAnswer:
        """Return the answer for a stored forecast in a language."""
        return cls(
            origin=stored.origin,
            model_version=stored.model_version,
            made_at=stored.made_at,
            notes=ForecastNotesAnswer.of(stored.notes, language),
            days=[
                DayForecastAnswer(
                    region=item.region_code,
                    material=item.material_code,
                    day=item.day,
                    quantiles=_named(item.quantiles),
                    model_quantiles=_named(item.model_quantiles) if item.model_quantiles else None,
                    override=OverrideAnswer.of(item.override) if item.override else None,
                )
                for item in stored.days
            ],
            totals=[
                TotalForecastAnswer(
                    region=item.region_code,
                    material=item.material_code,
                    days=item.days,
                    quantiles=_named(item.quantiles),
                    model_quantiles=_named(item.model_quantiles) if item.model_quantiles else None,
                )
                for item in stored.totals
            ],
        )


def _named(quantiles: dict[float, float]) -> dict[str, float]:
    return {f"{quantile:g}": units for quantile, units in quantiles.items()}


class LivedAnswer(Answer):
    """Errors of stored forecasts whose days have come."""

    days: int
    wape: float | None
    bias: float | None
    coverage80: float | None


class AccuracyAnswer(Answer):
    """How good the model in use is: in its backtest, and in what was lived since."""

    model_version: str
    trained_at: AwareDatetime
    backtest: dict[str, Any]
    lived: LivedAnswer
    monitor: MonitorAnswer | None

    @classmethod
    def of(cls, found: Accuracy, language: str = "en") -> AccuracyAnswer:
        """Return the answer for the measures found in a language."""
        lived = LivedAnswer(
            days=found.lived_days, wape=found.lived_wape, bias=found.lived_bias, coverage80=found.lived_coverage80
        )
        return cls(
            model_version=found.model.version,
            trained_at=found.model.trained_at,
            backtest=found.model.measures,
            lived=lived,
            monitor=MonitorAnswer.of(found.monitor, language) if found.monitor else None,
        )
