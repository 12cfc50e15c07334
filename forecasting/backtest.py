"""Rolling-origin backtest: what the forecaster would have said on past days, next to what came."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from common.errors import InvalidInput, Text
from forecasting.forecaster import Forecaster, quantile_column, train
from forecasting.model import ForecastConfig, Progress, TooLittleHistory
from forecasting.naive import score_naive
from forecasting.panel import Panel
from forecasting.scores import SCORED_QUANTILES, Scales, Scored, measure, measure_by_horizon

REFIT_ORIGINS = 28


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """Which past days are forecast.

    Attributes
    ----------
    origins : int
        Number of origins, at least 1; the last one leaves room for the horizon at the end of the history.
    step : int
        Days between two origins, at least 1.
    horizon : int
        Days ahead.
    refit_origins : int
        The model is trained before the first origin and again after this many; each training sees only what was known
        at its origin.

    Raises
    ------
    InvalidInput
        When a number is below 1.
    """

    origins: int
    step: int = 1
    horizon: int = 3
    refit_origins: int = REFIT_ORIGINS

    def __post_init__(self) -> None:
        for name in ("origins", "step", "horizon", "refit_origins"):
            if getattr(self, name) < 1:
                raise InvalidInput.at(f"/{name}", f"{name} must be at least 1", f"{name} 至少为 1")

    def columns(self, last: int) -> list[int]:
        """Return the columns of the origins, ascending, when column ``last`` is the last known day."""
        latest = last - self.horizon
        return [latest - self.step * back for back in reversed(range(self.origins))]


def backtest(
    panel: Panel,
    *,
    origins: int,
    step: int | None = None,
    horizon: int = 3,
    config: ForecastConfig | None = None,
    refit_origins: int = REFIT_ORIGINS,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Forecast past days and measure the errors against seasonal naive on the same series and days.

    Everything is trained and calibrated on what was known at an origin: the models of ``refit_origins`` consecutive
    origins are trained at the first of them. Known-future covariates are read from the panel, as planned values would
    be.

    Parameters
    ----------
    panel : Panel
        History.
    origins, horizon, refit_origins : int
        See :class:`BacktestPlan`.
    step : int, optional
        Days between two origins; by default the horizon, so that no day is forecast twice.
    config : ForecastConfig, optional
        How to train; its horizon is set to ``horizon``.
    progress : callable, optional
        Called with the share done and what is done now.

    Returns
    -------
    dict
        ``origins``, ``step``, ``horizon``, ``first_origin``, ``last_origin``, ``series``, ``trainings``; ``model`` and
        ``seasonal_naive`` with the measures of :func:`forecasting.scores.measure` and ``by_horizon``; ``model`` has
        ``total`` too, the measures of the sum over the horizon; ``improvement`` (1 − MASE over that of seasonal naive);
        ``notes``; ``train_seconds``, ``predict_seconds``. When the history is too short: ``reason`` (``en``, ``zh``),
        ``origins`` 0, and no measures.

    Raises
    ------
    InvalidInput
        For numbers out of range.
    """
    step = horizon if step is None else step
    plan = BacktestPlan(origins, step, horizon, refit_origins)
    config = replace(config or ForecastConfig(), horizon=horizon)
    last_day = panel.last_observed_day
    columns = plan.columns(panel.column_of(last_day)) if last_day else []
    if not columns or columns[0] < 1:
        return _no_result(
            Text(
                f"{origins} origins {step} days apart reach back before the history",
                f"{origins} 个起点（间隔 {step} 天）超出了历史范围",
            )
        )
    run = _Run(panel, plan, config, progress)
    for place, column in enumerate(columns):
        if place % refit_origins == 0 and (short := run.train(column, place)):
            return _no_result(short.reason)
        run.forecast(column, place)
    return {
        "origins": origins,
        "step": step,
        "horizon": horizon,
        "first_origin": _iso(panel, columns[0]),
        "last_origin": _iso(panel, columns[-1]),
        "series": len(panel.series),
        "trainings": -(-origins // refit_origins),
        **run.measures(Scales.of(panel.quantity[:, : columns[0] + 1])),
    }


class _Run:
    """One backtest under way."""

    def __init__(self, panel: Panel, plan: BacktestPlan, config: ForecastConfig, progress: Progress | None) -> None:
        self._panel, self._plan, self._config = panel, plan, config
        self._tell = progress or (lambda share, text: None)
        self._forecaster: Forecaster | None = None
        self._model: list[Scored] = []
        self._totals: list[Scored] = []
        self._naive: list[Scored] = []
        self._notes: dict[Text, None] = {}
        self._train_s = self._predict_s = 0.0
        self._row_of = {tuple(key): row for row, key in enumerate(panel.series)}

    def train(self, column: int, place: int) -> TooLittleHistory | None:
        """Train on what was known at ``column``; return the reason when that is too little."""
        origin = self._panel.first_day + timedelta(days=column)
        self._tell(place / self._plan.origins, Text(f"training at {origin}", f"正在训练（起点 {origin}）"))
        start = time.perf_counter()
        trained = train(self._panel.until(origin), self._config)
        self._train_s += time.perf_counter() - start
        if isinstance(trained, TooLittleHistory):
            return trained
        self._forecaster = trained
        return None

    def forecast(self, column: int, place: int) -> None:
        """Forecast from ``column`` with the current model, and keep the rows that model and naive both forecast."""
        assert self._forecaster is not None
        origin = self._panel.first_day + timedelta(days=column)
        start = time.perf_counter()
        made = self._forecaster.predict(self._panel, origin=origin, quantiles=SCORED_QUANTILES)
        self._predict_s += time.perf_counter() - start
        self._notes.update(dict.fromkeys(made.notes))
        naive = score_naive(self._panel.quantity, column, self._plan.horizon)
        model = self._aligned(made.days, naive)
        both = ~np.isnan(naive.actual) & ~np.isnan(naive.point) & ~np.isnan(model.point)
        self._model.append(model.take(both))
        self._naive.append(naive.take(both))
        self._totals.append(self._total_rows(made.totals, column))
        share = (place + 1) / self._plan.origins
        self._tell(share, Text(f"forecast from {origin}", f"已预测（起点 {origin}）"))

    def _aligned(self, days: Any, naive: Scored) -> Scored:
        """Return the model's rows in the order of the naive ones; NaN where the model has none."""
        place = np.array([self._row_of[key] for key in zip(days["region"], days["item"], strict=True)], dtype=np.int64)
        place = place * self._plan.horizon + days["h"].to_numpy() - 1

        def spread(name: str) -> Any:
            values = np.full(len(naive.actual), np.nan)
            values[place] = days[name].to_numpy()
            return values

        quantiles = {quantile: spread(quantile_column(quantile)) for quantile in SCORED_QUANTILES}
        return Scored(naive.series, naive.ahead, naive.actual, spread("mean"), quantiles)

    def _total_rows(self, totals: Any, column: int) -> Scored:
        series = np.array(
            [self._row_of[key] for key in zip(totals["region"], totals["item"], strict=True)], dtype=np.int64
        )
        actual = self._panel.quantity[series, column + 1 : column + 1 + self._plan.horizon].sum(axis=1)
        quantiles = {quantile: totals[quantile_column(quantile)].to_numpy() for quantile in SCORED_QUANTILES}
        scored = Scored(series, np.zeros_like(series), actual, totals["mean"].to_numpy(), quantiles)
        return scored.take(~np.isnan(actual))

    def measures(self, scales: Scales) -> dict[str, Any]:
        """Return the part of the answer that is measured."""
        model = measure_by_horizon(_joined(self._model), scales)
        model["total"] = measure(_joined(self._totals), scales)
        naive = measure_by_horizon(_joined(self._naive), scales)
        better = 1.0 - model["mase"] / naive["mase"] if model["mase"] is not None and naive["mase"] else None
        return {
            "model": model,
            "seasonal_naive": naive,
            "improvement": better,
            "notes": [{"en": note.en, "zh": note.zh} for note in self._notes],
            "train_seconds": self._train_s,
            "predict_seconds": self._predict_s,
        }


def _joined(parts: Sequence[Scored]) -> Scored:
    quantiles = {q: np.concatenate([part.quantiles[q] for part in parts]) for q in SCORED_QUANTILES}
    series, ahead = (np.concatenate([getattr(part, name) for part in parts]) for name in ("series", "ahead"))
    actual, point = (np.concatenate([getattr(part, name) for part in parts]) for name in ("actual", "point"))
    return Scored(series, ahead, actual, point, quantiles)


def _no_result(reason: Text) -> dict[str, Any]:
    return {"origins": 0, "reason": {"en": reason.en, "zh": reason.zh}}


def _iso(panel: Panel, column: int) -> str:
    return (panel.first_day + timedelta(days=column)).isoformat()
