"""Rolling forecasts as plain arrays by the column of their origin, for trials of stock policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.demand_quantiles import DemandQuantiles
from forecasting.forecaster import quantile_column
from forecasting.panel_table import SeriesKey
from forecasting.rolling import RolledForecast

TRIAL_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
"""As an installation stores them."""

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ForecastPoints:
    """What was forecast from one origin; NaN for series without a forecast.

    Attributes
    ----------
    quantiles : tuple of float
        Ascending.
    days : float array, shape (series, horizon, quantiles)
        Units of each day ahead.
    totals : float array, shape (series, quantiles)
        Units of all days ahead together.
    """

    quantiles: tuple[float, ...]
    days: Cells
    totals: Cells

    @property
    def horizon(self) -> int:
        """Days ahead."""
        return int(self.days.shape[1])

    def total(self, row: int) -> DemandQuantiles | None:
        """Return demand over all days ahead, None without a forecast."""
        return self._curve(self.totals[row])

    def day(self, row: int, ahead: int) -> DemandQuantiles | None:
        """Return demand of the day ``ahead`` (from 1), None without a forecast."""
        return self._curve(self.days[row, ahead - 1])

    def medians(self, row: int) -> list[float]:
        """Return the middle of each day ahead."""
        days = (self.day(row, ahead) for ahead in range(1, self.horizon + 1))
        return [day.at(0.5) if day else 0.0 for day in days]

    def _curve(self, units: Cells) -> DemandQuantiles | None:
        if np.isnan(units).any():
            return None
        return DemandQuantiles(dict(zip(self.quantiles, units.tolist(), strict=True)))


def points_by_origin(
    rolled: Iterable[RolledForecast],
    series: Sequence[SeriesKey],
    *,
    quantiles: Sequence[float] = TRIAL_QUANTILES,
) -> dict[int, ForecastPoints]:
    """Return rolling forecasts by the column of their origin; they must have been made with these quantiles."""
    row_of = {(key.region, key.item): row for row, key in enumerate(series)}
    names = [quantile_column(quantile) for quantile in quantiles]
    found: dict[int, ForecastPoints] = {}
    for each in rolled:
        days, totals = each.forecast.days, each.forecast.totals
        horizon = int(days["h"].max()) if len(days) else 1
        of_days = np.full((len(series), horizon, len(names)), np.nan)
        of_totals = np.full((len(series), len(names)), np.nan)
        rows = [row_of[key] for key in zip(days["region"], days["item"], strict=True)]
        of_days[rows, days["h"].to_numpy() - 1] = days[names].to_numpy()
        rows = [row_of[key] for key in zip(totals["region"], totals["item"], strict=True)]
        of_totals[rows] = totals[names].to_numpy()
        found[each.column] = ForecastPoints(tuple(quantiles), of_days, of_totals)
    return found
