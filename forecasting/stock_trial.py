"""Trials of stock policies on a demand history: the same days, terms and starting stock for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.forecast_points import TRIAL_QUANTILES, ForecastPoints, points_by_origin
from forecasting.model import ForecastConfig, Progress
from forecasting.panel import Panel
from forecasting.rolling import REFIT_ORIGINS, roll
from forecasting.stock_measures import StockMeasures, measure, measure_groups
from forecasting.stock_rules import (
    FIXED_LEVEL_DAYS,
    LEFTOVER_DAYS,
    FixedLevelRule,
    ForecastRule,
    LastWeekRule,
)
from forecasting.stock_simulation import ItemTerms, StockRule, StockTrial, simulate

TRIAL_DAYS = 120
OPENING_EXTRA_DAYS = 3
"""The starting stock lasts for lead time, review period and so many days of the use before the trial."""
_RECENT_DAYS = 28

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """How one policy did, over all series and by group (``region`` and ``item``)."""

    name: str
    measures: StockMeasures
    groups: Mapping[str, Mapping[str, StockMeasures]]

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        groups = {by: {name: _plain(measures) for name, measures in found.items()} for by, found in self.groups.items()}
        return {"policy": self.name, **_plain(self.measures), "groups": groups}


def trial_on(
    panel: Panel,
    terms: Mapping[str, ItemTerms] | ItemTerms,
    *,
    days: int = TRIAL_DAYS,
    wanted: Cells | None = None,
    travel_s: Mapping[tuple[str, str], float] | None = None,
) -> StockTrial:
    """Return a trial on the last days of a history.

    Parameters
    ----------
    panel : Panel
        History; what policies know of demand.
    terms : ItemTerms or mapping of item to ItemTerms
        One for all items, or one for each.
    days : int
        Days to play, at least 1; at least eight weeks of history must lie before them.
    wanted : float array, shape (series, days of the panel), optional
        True demand where it is known; by default the panel's quantities, days without one being skipped.
    travel_s : mapping of (donor, receiver) to float, optional
        Seconds between regions.

    Raises
    ------
    InvalidInput
        When the history is too short, or terms are missing for an item.
    """
    last = panel.last_observed_day
    stop = 0 if last is None else panel.column_of(last) + 1
    if days < 1 or stop - days < FIXED_LEVEL_DAYS:
        raise InvalidInput.at(
            "/days",
            f"the history of {stop} days must reach {FIXED_LEVEL_DAYS} days before the {days} days to play",
            f"历史共 {stop} 天，须在模拟的 {days} 天之前至少还有 {FIXED_LEVEL_DAYS} 天",
        )
    each = [terms if isinstance(terms, ItemTerms) else terms.get(key.item) for key in panel.series]
    missing = sorted({key.item for key, found in zip(panel.series, each, strict=True) if found is None})
    if missing:
        raise InvalidInput.at(f"/terms/{missing[0]}", "terms are missing", "缺少订货条件")
    known = tuple(found for found in each if found is not None)
    demand = panel.quantity if wanted is None else wanted
    start = stop - days
    opening = _opening_stock(demand[:, :start], known)
    return StockTrial(
        panel.first_day, panel.series, demand, known, start, stop, opening, panel.quantity, dict(travel_s or {})
    )


def forecast_points(
    panel: Panel,
    trial: StockTrial,
    *,
    config: ForecastConfig,
    refit_days: int = REFIT_ORIGINS,
    progress: Progress | None = None,
) -> tuple[dict[int, ForecastPoints], tuple[Text, ...]]:
    """Return the forecast of each night of the trial, by the models of the time, and what is to be known of them."""
    rolling = roll(
        panel,
        range(trial.start - 1, trial.stop - 1),
        config=config,
        refit_origins=refit_days,
        quantiles=TRIAL_QUANTILES,
        progress=progress,
    )
    points = points_by_origin(rolling, trial.series)
    short = rolling.short
    if short is None:
        return points, ()
    note = Text(
        f"{len(points)} of {trial.days} nights have a forecast, the others go by last week: {short.reason.en}",
        f"{trial.days} 个夜晚中有 {len(points)} 个有预测，其余按上周订货：{short.reason.zh}",
    )
    return points, (note,)


def usual_rules(
    points: Mapping[int, ForecastPoints], *, leftover_days: int | None = LEFTOVER_DAYS, transfers: bool = False
) -> list[StockRule]:
    """Return the policies to compare: by forecast (also with transfers), by last week, to a fixed level."""
    rules: list[StockRule] = [ForecastRule(points, leftover_days=leftover_days)]
    if transfers:
        rules.append(ForecastRule(points, leftover_days=leftover_days, transfers=True))
    return [*rules, LastWeekRule(), LastWeekRule(own_use=True), FixedLevelRule()]


def compare_policies(trial: StockTrial, rules: Sequence[StockRule]) -> list[PolicyResult]:
    """Play the trial under each policy and measure it."""
    results = []
    for rule in rules:
        run = simulate(trial, rule)
        groups = {by: measure_groups(trial, run, by) for by in ("region", "item")}
        results.append(PolicyResult(rule.name, measure(trial, run), groups))
    return results


def _opening_stock(before: Cells, terms: Sequence[ItemTerms]) -> Cells:
    recent = before[:, -_RECENT_DAYS:]
    count = (~np.isnan(recent)).sum(axis=1)
    daily = np.nansum(recent, axis=1) / np.maximum(count, 1)
    cover = np.array([each.order.cover_days + OPENING_EXTRA_DAYS for each in terms])
    return np.asarray(np.ceil(daily * cover))


def _plain(measures: StockMeasures) -> dict[str, Any]:
    return {**asdict(measures), "cost_cny": measures.cost_cny}
