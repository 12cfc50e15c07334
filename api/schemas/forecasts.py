"""Forecasts and how good they were."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from api.schemas import Answer
from operations.demand import Accuracy, StoredForecast


class DayForecastAnswer(Answer):
    """The need on one day: units at each quantile."""

    region: str = Field(examples=["jinjiang"])
    material: str = Field(examples=["gift_pack"])
    day: date
    quantiles: dict[str, float] = Field(examples=[{"0.1": 41.2, "0.5": 55.0, "0.9": 71.8}])


class TotalForecastAnswer(Answer):
    """The need over the whole horizon: units at each quantile."""

    region: str
    material: str
    days: int = Field(examples=[3])
    quantiles: dict[str, float] = Field(examples=[{"0.1": 140.0, "0.5": 170.5, "0.9": 205.1}])


class ForecastsAnswer(Answer):
    """The newest forecast, seen from the end of `origin`."""

    origin: date
    model_version: str
    days: list[DayForecastAnswer]
    totals: list[TotalForecastAnswer]

    @classmethod
    def of(cls, stored: StoredForecast) -> ForecastsAnswer:
        """Return the answer for a stored forecast."""
        return cls(
            origin=stored.origin,
            model_version=stored.model_version,
            days=[
                DayForecastAnswer(
                    region=item.region_code,
                    material=item.material_code,
                    day=item.day,
                    quantiles=_named(item.quantiles),
                )
                for item in stored.days
            ],
            totals=[
                TotalForecastAnswer(
                    region=item.region_code,
                    material=item.material_code,
                    days=item.days,
                    quantiles=_named(item.quantiles),
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

    @classmethod
    def of(cls, found: Accuracy) -> AccuracyAnswer:
        """Return the answer for the measures found."""
        lived = LivedAnswer(
            days=found.lived_days, wape=found.lived_wape, bias=found.lived_bias, coverage80=found.lived_coverage80
        )
        return cls(
            model_version=found.model.version,
            trained_at=found.model.trained_at,
            backtest=found.model.measures,
            lived=lived,
        )
