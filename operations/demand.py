"""Demand: one door to training, the forecast of the coming days, and how good it was.

What lies behind: `forecast_training`, `forecast_models` (the registry), `forecasts` (stored ones), `forecast_monitor`.
"""

from __future__ import annotations

from operations.forecast_models import ModelCard, models
from operations.forecast_monitor import Accuracy, accuracy
from operations.forecast_training import BACKTEST_ORIGINS, TrainingPlan, train_model
from operations.forecasts import (
    STORED_QUANTILES,
    DayForecast,
    ForecastQuestion,
    StoredForecast,
    TotalForecast,
    make_forecast,
    newest_forecast,
    stored_forecast,
)

__all__ = [
    "BACKTEST_ORIGINS",
    "STORED_QUANTILES",
    "Accuracy",
    "DayForecast",
    "ForecastQuestion",
    "ModelCard",
    "StoredForecast",
    "TotalForecast",
    "TrainingPlan",
    "accuracy",
    "make_forecast",
    "models",
    "newest_forecast",
    "stored_forecast",
    "train_model",
]
