"""The registry of forecast models, and the watch over the one in use."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from api.schemas import Answer, Body
from common.errors import Text
from operations.forecast_models import ModelCard, ModelChange
from operations.forecast_monitor import MonitorReport


class ModelDecision(Body):
    """Why another model is put into use."""

    reason: str = Field(min_length=1, max_length=500, examples=["the new one misses the campus fairs"])


class ForecastModelAnswer(Answer):
    """A trained model."""

    version: str = Field(examples=["2026-11-24-1f6c3b0a9d2e"])
    status: Literal["champion", "challenger", "retired"]
    trained_at: AwareDatetime
    trained_by: str
    trained_until: date | None = Field(description="Last day of the training data.")
    data_checksum: str
    features: list[str]
    settings: dict[str, Any]
    libraries: dict[str, str]
    measures: dict[str, Any] = Field(description="Of its backtest; empty when it was not measured.")
    trial: dict[str, Any] = Field(description="How it did against the champion of that time; empty for the first one.")
    decided_at: AwareDatetime | None
    decided_by: str | None
    reason: str | None = Field(description="Why it has its status.")
    predecessor: str | None = Field(description="The champion that it followed.")
    file_kept: bool = Field(description="Whether it can be put into use again.")

    @classmethod
    def of(cls, card: ModelCard, language: str) -> ForecastModelAnswer:
        """Return the answer for a model in a language."""
        return cls(
            version=card.version,
            status=card.status,
            trained_at=card.trained_at,
            trained_by=card.trained_by,
            trained_until=card.trained_until,
            data_checksum=card.data_checksum,
            features=card.manifest.get("features", []),
            settings=card.manifest.get("config", {}),
            libraries=card.manifest.get("libraries", {}),
            measures=card.measures,
            trial=_said(card.trial, language),
            decided_at=card.decided_at,
            decided_by=card.decided_by,
            reason=card.reason.in_language(language) if card.reason else None,
            predecessor=card.predecessor,
            file_kept=card.file_kept,
        )


def _said(trial: dict[str, Any], language: str) -> dict[str, Any]:
    reason = trial.get("reason")
    if not reason:
        return trial
    return {**trial, "reason": Text(reason["en"], reason["zh"]).in_language(language)}


class ModelChangeAnswer(Answer):
    """One line of the registry's history."""

    version: str
    kind: Literal["trained", "promoted", "chosen", "rolled_back", "pruned"]
    replaced: str | None
    reason: str
    at: AwareDatetime
    by: str

    @classmethod
    def of(cls, change: ModelChange, language: str) -> ModelChangeAnswer:
        """Return the answer for a change in a language."""
        return cls(
            version=change.version,
            kind=change.kind,
            replaced=change.replaced,
            reason=change.reason.in_language(language),
            at=change.at,
            by=change.by,
        )


class ForecastModelsAnswer(Answer):
    """All trained models, the newest first, and the newest changes of the registry."""

    items: list[ForecastModelAnswer]
    changes: list[ModelChangeAnswer]


class ChosenModelAnswer(Answer):
    """The model now in use, and the job that forecasts with it."""

    model: ForecastModelAnswer
    forecast_job: str


class ErrorLevelAnswer(Answer):
    """Errors of forecasts; null where they cannot be told."""

    wape: float | None
    bias: float | None
    coverage80: float | None


class SignalAnswer(Answer):
    """One figure that is watched; for errors `value` is a moving average."""

    name: Literal["wape", "bias", "coverage80", "level", "weekday_mix"]
    value: float
    expected: float
    limit: float
    drifting: bool
    reason: str


class MonitorAnswer(Answer):
    """Whether the forecasts are still as good as the model in use once was."""

    model_version: str
    state: Literal["too_few", "stable", "drifting"]
    reason: str
    retrain: bool = Field(description="Whether a training is asked for; the nightly job does so.")
    window_days: int
    lived_days: int
    lived: ErrorLevelAnswer
    backtest: ErrorLevelAnswer
    signals: list[SignalAnswer]

    @classmethod
    def of(cls, report: MonitorReport, language: str) -> MonitorAnswer:
        """Return the answer for a report in a language."""
        return cls(
            model_version=report.model_version,
            state=report.state,
            reason=report.reason.in_language(language),
            retrain=report.retrain,
            window_days=report.window_days,
            lived_days=report.lived_days,
            lived=ErrorLevelAnswer.model_validate(report.lived),
            backtest=ErrorLevelAnswer.model_validate(report.expected),
            signals=[
                SignalAnswer(
                    name=signal.name,
                    value=signal.value,
                    expected=signal.expected,
                    limit=signal.limit,
                    drifting=signal.drifting,
                    reason=signal.reason.in_language(language),
                )
                for signal in report.signals
            ],
        )
