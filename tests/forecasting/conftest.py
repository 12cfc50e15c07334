"""Small demand panels for the tests, made with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from forecasting.boosting import TreeSettings
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

PanelMaker = Callable[..., Panel]


def make_panel(*, series: int = 4, days: int = 200, level: float = 100.0, seed: int = 1) -> Panel:
    """Return series with a weekday rhythm, a known event that adds 60 %, and Poisson noise."""
    rng = np.random.default_rng(seed)
    day = np.arange(days)
    rhythm = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.5, 1.4])[day % 7]
    event = (rng.random((series, days)) < 0.1).astype(float)
    size = level * (1 + np.arange(series))[:, None]
    quantity = rng.poisson(size * rhythm[None, :] * (1 + 0.6 * event)).astype(float)
    keys = [SeriesKey(f"region {number % 2}", f"item {number // 2}") for number in range(series)]
    order = sorted(range(series), key=lambda number: keys[number])
    return Panel(date(2024, 1, 1), tuple(sorted(keys)), quantity[order], {"event": event[order]})


@pytest.fixture(scope="session")
def weekly_panel() -> PanelMaker:
    return make_panel


@pytest.fixture(scope="session")
def quick() -> ForecastConfig:
    return ForecastConfig(
        country=None,
        max_rows=2000,
        bags=1,
        trees=TreeSettings(iterations=40, learning_rate=0.2, leaves=15),
        count_trees=TreeSettings(iterations=40, learning_rate=0.15, leaves=8, min_leaf_rows=60),
        band_trees=TreeSettings(iterations=20, leaves=6, learning_rate=0.15),
    )


@pytest.fixture(scope="session")
def panel() -> Panel:
    return make_panel()


@pytest.fixture(scope="session")
def forecaster(panel: Panel, quick: ForecastConfig) -> Forecaster:
    trained = train(panel, quick)
    assert isinstance(trained, Forecaster)
    return trained
