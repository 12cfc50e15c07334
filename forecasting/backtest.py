"""Rolling-origin backtest: what the forecaster would have said on past days, next to what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from common.errors import InvalidInput, Text
from forecasting.forecaster import quantile_column
from forecasting.model import ForecastConfig, Progress
from forecasting.naive import NAIVE_METHODS, score_naive
from forecasting.panel import Panel
from forecasting.rival_forecasts import RivalForecasts
from forecasting.rolling import REFIT_ORIGINS, RolledForecast, roll
from forecasting.score_intervals import OriginDraws, improvement, measure_parts, measure_surely
from forecasting.scores import SCORED_QUANTILES, Scales, Scored

GROUPS = ("region", "item")


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """Which past days are forecast.

    Attributes
    ----------
    origins : int
        Number of origins, at least 1; the last one leaves room for the horizon at the end of the history.
    step : int, optional
        Days between two origins, at least 1; by default the horizon, so that no day is forecast twice.
    horizon : int
        Days ahead.
    refit_origins : int
        The model is trained before the first origin and again after this many; each training sees only what was known
        at its origin.
    group_by : str, optional
        ``region`` or ``item``: measures of each of them, too.

    Raises
    ------
    InvalidInput
        When a number is below 1, or the group is another.
    """

    origins: int
    step: int | None = None
    horizon: int = 3
    refit_origins: int = REFIT_ORIGINS
    group_by: str | None = None

    def __post_init__(self) -> None:
        for name in ("origins", "step", "horizon", "refit_origins"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidInput.at(f"/{name}", f"{name} must be at least 1", f"{name} 至少为 1")
        if self.group_by not in (None, *GROUPS):
            raise InvalidInput.at(
                "/group_by", "groups are by region or by item", "只能按区域（region）或物品（item）分组"
            )

    @property
    def apart_days(self) -> int:
        """Days between two origins."""
        return self.step or self.horizon

    def columns(self, last: int) -> list[int]:
        """Return the columns of the origins, ascending, when column ``last`` is the last known day."""
        latest = last - self.horizon
        return [latest - self.apart_days * back for back in reversed(range(self.origins))]


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
    """Forecast past days and measure the errors; :func:`run_backtest` with the parts of its plan.

    Parameters
    ----------
    panel, config, progress
        See :func:`run_backtest`.
    origins, step, horizon, refit_origins : int
        See :class:`BacktestPlan`.
    """
    plan = BacktestPlan(origins, step, horizon, refit_origins)
    return run_backtest(panel, plan, config=config, progress=progress)


def run_backtest(
    panel: Panel,
    plan: BacktestPlan,
    *,
    config: ForecastConfig | None = None,
    rivals: RivalForecasts | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Forecast past days and measure the errors next to those of simpler methods on the same series and days.

    Everything is trained and calibrated on what was known at an origin (see :func:`forecasting.rolling.roll`).
    Known-future covariates are read from the panel, as planned values would be. A day of a series counts where its
    demand is known and every method has a forecast.

    Parameters
    ----------
    panel : Panel
        History.
    plan : BacktestPlan
        Which days are forecast, and by what the measures are grouped.
    config : ForecastConfig, optional
        How to train; its horizon is set to that of the plan.
    rivals : RivalForecasts, optional
        Forecasts of further methods.
    progress : callable, optional
        Called with the share done and what is done now.

    Returns
    -------
    dict
        ``origins``, ``step``, ``horizon``, ``first_origin``, ``last_origin``, ``series``, ``trainings``; ``model``,
        ``seasonal_naive``, ``same_weekday_mean`` and each rival with the measures of
        :func:`forecasting.scores.measure`, their ``intervals`` (95 %, over the origins; see
        :mod:`forecasting.score_intervals`), the same ``by_horizon`` and, when asked for, ``by_group``; ``model`` has
        ``total`` too, the measures of the sum over the horizon; ``improvement`` (1 − MASE over that of seasonal
        naive); ``improvements`` over each method, with intervals; ``rows_left_out`` (known days without a forecast of
        each method); ``notes``; ``train_seconds``, ``predict_seconds``. When the history is too short: ``reason``
        (``en``, ``zh``), ``origins`` 0, and no measures.

    Raises
    ------
    InvalidInput
        When no forecast of a rival is of a series and origin that is measured.
    """
    last_day = panel.last_observed_day
    columns = plan.columns(panel.column_of(last_day)) if last_day else []
    if not columns or columns[0] < 1:
        return _no_result(
            Text(
                f"{plan.origins} origins {plan.apart_days} days apart reach back before the history",
                f"{plan.origins} 个起点（间隔 {plan.apart_days} 天）超出了历史范围",
            )
        )
    run = _Run(panel, plan, columns, rivals or RivalForecasts((), {}))
    config = replace(config or ForecastConfig(), horizon=plan.horizon)
    rolling = roll(panel, columns, config=config, refit_origins=plan.refit_origins, progress=progress)
    for rolled in rolling:
        run.keep(rolled)
    if rolling.short:
        return _no_result(rolling.short.reason)
    return {
        "origins": plan.origins,
        "step": plan.apart_days,
        "horizon": plan.horizon,
        "first_origin": (panel.first_day + timedelta(days=columns[0])).isoformat(),
        "last_origin": (panel.first_day + timedelta(days=columns[-1])).isoformat(),
        "series": len(panel.series),
        "trainings": rolling.trainings,
        **run.measures(),
    }


class _Run:
    """The forecasts of one backtest, method by method."""

    def __init__(self, panel: Panel, plan: BacktestPlan, columns: Sequence[int], rivals: RivalForecasts) -> None:
        self._panel, self._plan, self._columns, self._rivals = panel, plan, columns, rivals
        for method in rivals.methods:
            if not any((method, column) in rivals.cells for column in columns):
                raise _no_common_origin(panel, columns, method)
        self._methods: tuple[str, ...] = ("model", *NAIVE_METHODS, *rivals.methods)
        self._kept: dict[str, list[Scored]] = {method: [] for method in self._methods}
        self._totals: list[Scored] = []
        self._left_out = dict.fromkeys(self._methods, 0)
        self._notes: dict[Text, None] = {}
        self._train_s = self._predict_s = 0.0
        self._row_of = {tuple(key): row for row, key in enumerate(panel.series)}

    def keep(self, rolled: RolledForecast) -> None:
        """Keep the rows that every method forecasts from one origin."""
        self._train_s += rolled.train_s
        self._predict_s += rolled.predict_s
        self._notes.update(dict.fromkeys(rolled.forecast.notes))
        quantity, column = self._panel.quantity, rolled.column
        found = {name: score_naive(quantity, column, self._plan.horizon, method=name) for name in NAIVE_METHODS}
        grid = found["seasonal_naive"]
        found["model"] = self._aligned(rolled.forecast.days, grid)
        found |= {method: self._rival(method, column, grid) for method in self._rivals.methods}
        known = ~np.isnan(grid.actual)
        common = known.copy()
        for method, scored in found.items():
            missing = np.isnan(scored.point)
            self._left_out[method] += int((known & missing).sum())
            common &= ~missing
        for method, scored in found.items():
            self._kept[method].append(scored.take(common))
        self._totals.append(self._total_rows(rolled.forecast.totals, column))

    def _aligned(self, days: Any, grid: Scored) -> Scored:
        """Return the model's rows in the order of ``grid``; NaN where the model has none."""
        place = np.array([self._row_of[key] for key in zip(days["region"], days["item"], strict=True)], dtype=np.int64)
        place = place * self._plan.horizon + days["h"].to_numpy() - 1

        def spread(name: str) -> Any:
            values = np.full(len(grid.actual), np.nan)
            values[place] = days[name].to_numpy()
            return values

        quantiles = {quantile: spread(quantile_column(quantile)) for quantile in SCORED_QUANTILES}
        return replace(grid, point=spread("mean"), quantiles=quantiles)

    def _rival(self, method: str, column: int, grid: Scored) -> Scored:
        made = self._rivals.at(method, column, (len(self._panel.series), self._plan.horizon)).reshape(-1, 4)
        quantiles = {quantile: made[:, place + 1] for place, quantile in enumerate(SCORED_QUANTILES)}
        return replace(grid, point=made[:, 0], quantiles=quantiles)

    def _total_rows(self, totals: Any, column: int) -> Scored:
        series = np.array(
            [self._row_of[key] for key in zip(totals["region"], totals["item"], strict=True)], dtype=np.int64
        )
        actual = self._panel.quantity[series, column + 1 : column + 1 + self._plan.horizon].sum(axis=1)
        quantiles = {quantile: totals[quantile_column(quantile)].to_numpy() for quantile in SCORED_QUANTILES}
        ahead = np.zeros_like(series)
        scored = Scored(np.full_like(series, column), series, ahead, actual, totals["mean"].to_numpy(), quantiles)
        return scored.take(~np.isnan(actual))

    def measures(self) -> dict[str, Any]:
        """Return the part of the answer that is measured."""
        scales = Scales.of(self._panel.quantity[:, : self._columns[0] + 1])
        draws = OriginDraws.of(self._columns, self._plan.horizon)
        by = self._plan.group_by
        groups = [str(getattr(key, by)) for key in self._panel.series] if by else None
        rows = {method: Scored.joined(parts) for method, parts in self._kept.items()}
        found: dict[str, Any] = {
            method: measure_parts(scored, scales, draws, groups) for method, scored in rows.items()
        }
        found["model"]["total"] = measure_surely(Scored.joined(self._totals), scales, draws)
        better = {method: improvement(rows["model"], rows[method], scales, draws) for method in self._methods[1:]}
        return {
            **found,
            "improvement": better["seasonal_naive"]["mase"],
            "improvements": better,
            "rows_left_out": self._left_out,
            "notes": [{"en": note.en, "zh": note.zh} for note in (*self._notes, *self._partial_rivals())],
            "train_seconds": self._train_s,
            "predict_seconds": self._predict_s,
        }

    def _partial_rivals(self) -> list[Text]:
        """Say which rivals lack forecasts, as days they lack count for no method."""
        return [
            Text(
                f"{method} lacks {self._left_out[method]} forecasts; these days are left out for all methods",
                f"{method} 缺少 {self._left_out[method]} 个预测；这些日子对所有方法都不计入",
            )
            for method in self._rivals.methods
            if self._left_out[method]
        ]


def _no_common_origin(panel: Panel, columns: Sequence[int], method: str) -> InvalidInput:
    first, last = (panel.first_day + timedelta(days=column) for column in (columns[0], columns[-1]))
    return InvalidInput.at(
        "/compare",
        f"{method} has no forecast from any of the {len(columns)} origins {first} to {last}",
        f"{method} 没有 {first} 至 {last} 这 {len(columns)} 个起点中任何一个的预测",
    )


def _no_result(reason: Text) -> dict[str, Any]:
    return {"origins": 0, "reason": {"en": reason.en, "zh": reason.zh}}
