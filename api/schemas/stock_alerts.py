"""Warnings that stock will not last."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from api.schemas import Answer
from operations.stock_alerts import StockAlert, StockRisk


class StockRiskAnswer(Answer):
    """How likely the stock runs out, as of now."""

    probability: float = Field(examples=[0.72])
    runs_out_on: date
    days_ahead: int = Field(examples=[2])
    short_units: float = Field(description="expected to be missing over the days of the forecast", examples=[14.2])
    need_units: float = Field(description="expected to be needed over the days of the forecast", examples=[63.0])
    order_units: int = Field(description="what the order proposal says", examples=[120])

    @classmethod
    def of(cls, risk: StockRisk) -> StockRiskAnswer:
        """Return the answer for a risk."""
        return cls(
            probability=round(risk.probability, 3),
            runs_out_on=risk.runs_out_on,
            days_ahead=risk.ahead,
            short_units=round(risk.short_units, 1),
            need_units=round(risk.need_units, 1),
            order_units=risk.order_units,
        )


class StockAlertAnswer(Answer):
    """A warning that a region runs out of a material, until stock suffices again."""

    id: str
    region: str = Field(examples=["jinjiang"])
    material: str = Field(examples=["gift-standard"])
    level: str = Field(examples=["yellow"])
    status: str = Field(examples=["open"])
    owner: str | None = Field(description="code of the person who is to act")
    text: str = Field(description="what, when, how likely, and what to do next; as of the last look")
    opened_at: AwareDatetime
    due_at: AwareDatetime | None
    risk: StockRiskAnswer | None

    @classmethod
    def of(cls, alert: StockAlert, language: str) -> StockAlertAnswer:
        """Return the answer for an alert."""
        return cls(
            id=alert.id,
            region=alert.region_code,
            material=alert.material_code,
            level=alert.level,
            status=alert.status,
            owner=alert.owner_code,
            text=alert.text.zh if language == "zh" else alert.text.en,
            opened_at=alert.opened_at,
            due_at=alert.due_at,
            risk=StockRiskAnswer.of(alert.risk) if alert.risk else None,
        )


class StockAlertsAnswer(Answer):
    """Warnings, the most urgent first."""

    items: list[StockAlertAnswer]
