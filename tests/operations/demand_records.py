"""Demand of a small organisation, made with a fixed seed, and stored forecasts without a trained model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from forecasting.boosting import TreeSettings
from forecasting.comparison import ComparisonSettings
from forecasting.model import ForecastConfig
from forecasting.trial import TrialPlan
from operations.forecast_training import TrainingPlan
from operations.forecasts import STORED_QUANTILES
from operations.store.database import Database
from operations.store.tables import DailyConsumption, Forecast, ForecastModel, ForecastTotal, Material

REGIONS, MATERIALS = ("wuhou", "jinniu"), ("gift_pack", "leaflet")
LAST = date(2026, 11, 19)
QUICK = ForecastConfig(
    country=None,
    max_rows=1000,
    bags=1,
    trees=TreeSettings(iterations=15, learning_rate=0.3, leaves=8),
    band_trees=TreeSettings(iterations=8, leaves=4, learning_rate=0.3),
)
PLAN = TrainingPlan(config=QUICK, measured_origins=2, trial=TrialPlan(10, ComparisonSettings(resamples=500)))


def set_up_materials(database: Database) -> None:
    """Add the materials."""
    with database.write("test") as session:
        session.add_all(
            Material(
                code=code,
                name_zh=code,
                name_en=code,
                unit_zh="份",
                unit_en="pack",
                shortage_cost_cny=9,
                holding_cost_cny_per_day=0.1,
            )
            for code in MATERIALS
        )


def add_consumption(
    database: Database,
    first: date,
    last: date,
    *,
    level: Callable[[str, str, date], float] = lambda region, material, day: 40.0,
    seed: int = 1,
) -> None:
    """Record what was used from ``first`` to ``last``, with a weekday rhythm and noise."""
    rng = np.random.default_rng(seed + first.toordinal())
    rhythm = (0.8, 0.9, 1.0, 1.0, 1.1, 1.5, 1.4)
    with database.write("test") as session:
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            for region in REGIONS:
                for material in MATERIALS:
                    units = float(rng.poisson(level(region, material, day) * rhythm[day.weekday()]))
                    row = DailyConsumption(region_code=region, material_code=material, day=day, quantity_units=units)
                    session.add(row)


def set_up_demand(database: Database, *, days: int = 120) -> None:
    """Add materials and ``days`` of demand that end on `LAST`."""
    set_up_materials(database)
    add_consumption(database, LAST - timedelta(days=days - 1), LAST)


def add_model(database: Database, version: str = "model-1", *, status: str = "champion", **values: object) -> None:
    """Add a model that nobody trained."""
    given = {
        "trained_at": datetime(2026, 8, 1, tzinfo=UTC),
        "trained_by": "test",
        "data_checksum": "0" * 64,
        "measures": {"model": {"wape": 0.15, "bias": 0.0, "coverage80": 0.8, "mase": 0.6}},
        "manifest": {"trained_until": "2026-07-31"},
    }
    with database.write("test") as session:
        session.add(ForecastModel(version=version, status=status, **{**given, **values}))


def add_forecast(database: Database, origin: date, *, median: float = 40.0, version: str = "model-1") -> None:
    """Store a forecast of the three days after ``origin``: the same curve for each region and material."""
    factors = dict(zip(STORED_QUANTILES, (0.6, 0.7, 0.85, 1.0, 1.15, 1.3, 1.4, 1.5), strict=True))
    with database.write("test") as session:
        for region in REGIONS:
            for material in MATERIALS:
                place = {"region_code": region, "material_code": material, "origin": origin, "model_version": version}
                for quantile, factor in factors.items():
                    units = median * factor
                    session.add_all(
                        Forecast(**place, day=origin + timedelta(days=ahead), quantile=quantile, quantity_units=units)
                        for ahead in (1, 2, 3)
                    )
                    total = {"horizon_days": 3, "quantile": quantile, "quantity_units": 3 * units}
                    session.add(ForecastTotal(**place, **total))
