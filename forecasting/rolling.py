"""Forecasts from past origins, each made with what was known then: the ground of backtests, drift and stock trials."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from common.errors import Text
from forecasting.forecaster import Forecast, Forecaster, train
from forecasting.model import ForecastConfig, Progress, TooLittleHistory
from forecasting.panel import Panel
from forecasting.scores import SCORED_QUANTILES

REFIT_ORIGINS = 28


@dataclass(frozen=True, slots=True)
class RolledForecast:
    """What the forecaster would have said at the end of one past day.

    Attributes
    ----------
    column : int
        Column of the origin in the panel.
    origin : date
        Last day whose demand was known.
    forecast : Forecast
        Forecast of the days after it.
    train_s : float
        Seconds the training before this origin took; 0 when the model of an earlier origin was used.
    predict_s : float
        Seconds the forecast took.
    """

    column: int
    origin: date
    forecast: Forecast
    train_s: float
    predict_s: float


class Rolling(Iterator[RolledForecast]):
    """Iterator over the forecasts of :func:`roll`."""

    def __init__(self, forecasts: _Forecasts) -> None:
        self._forecasts = forecasts
        self._iterator = iter(forecasts)

    def __next__(self) -> RolledForecast:
        return next(self._iterator)

    @property
    def short(self) -> TooLittleHistory | None:
        """Why the iteration ended early: too little to train on at an origin; ``None`` while there was enough."""
        return self._forecasts.short

    @property
    def trainings(self) -> int:
        """Models trained so far."""
        return self._forecasts.trainings


def roll(
    panel: Panel,
    columns: Sequence[int],
    *,
    config: ForecastConfig,
    refit_origins: int = REFIT_ORIGINS,
    quantiles: Sequence[float] = SCORED_QUANTILES,
    progress: Progress | None = None,
) -> Rolling:
    """Forecast from each of the past ``columns``, as it would have been done then.

    A model is trained before the first origin and again after each ``refit_origins``, on ``panel.until(origin)``:
    neither it nor any forecast sees a quantity, an availability or a history-only value after its origin. Known-future
    covariates are read from the panel, as planned values would be.

    Parameters
    ----------
    panel : Panel
        History.
    columns : sequence of int
        Columns of the origins, ascending, all inside the panel.
    config : ForecastConfig
        How to train; its horizon is forecast.
    refit_origins : int
        Origins that share a model, at least 1.
    quantiles : sequence of float
        Quantiles to forecast, each inside 0 … 1.
    progress : callable, optional
        Called with the share done (0 … 1) and what is done now.

    Returns
    -------
    Rolling
        Yields one :class:`RolledForecast` an origin, in order, computed as it is asked for. Too little history is no
        exception: the iteration ends, and ``short`` of the iterator tells why.
    """
    return Rolling(_Forecasts(panel, columns, config, refit_origins, quantiles, progress))


@dataclass
class _Forecasts:
    """The work behind :class:`Rolling`."""

    panel: Panel
    columns: Sequence[int]
    config: ForecastConfig
    refit_origins: int
    quantiles: Sequence[float]
    progress: Progress | None
    short: TooLittleHistory | None = None
    trainings: int = 0

    def __iter__(self) -> Iterator[RolledForecast]:
        forecaster: Forecaster | None = None
        for place, column in enumerate(self.columns):
            origin = self.panel.first_day + timedelta(days=column)
            train_s = 0.0
            if forecaster is None or place % self.refit_origins == 0:
                self._tell(place, Text(f"training at {origin}", f"正在训练（起点 {origin}）"))
                start = time.perf_counter()
                trained = train(self.panel.until(origin), self.config)
                train_s = time.perf_counter() - start
                if isinstance(trained, TooLittleHistory):
                    self.short = trained
                    return
                forecaster = trained
                self.trainings += 1
            start = time.perf_counter()
            made = forecaster.predict(self.panel, origin=origin, quantiles=self.quantiles)
            predict_s = time.perf_counter() - start
            self._tell(place + 1, Text(f"forecast from {origin}", f"已预测（起点 {origin}）"))
            yield RolledForecast(column, origin, made, train_s, predict_s)

    def _tell(self, place: int, text: Text) -> None:
        if self.progress is not None:
            self.progress(place / len(self.columns), text)
