"""Training: one global model for all series, three days ahead, with bands that hold.

The point forecast averages two boosted models of demand over its trailing level: one of squared errors of the softened
logarithm, one of absolute errors of the ratio. Quantile models give the width of the bands of single days and of the
total, and :mod:`forecasting.bands` calibrates them on the latest days, which the models that are calibrated have not
seen; then all of them are trained again with those days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import Text
from forecasting.bands import TOTAL, Ratios, ScoreBook, Scores
from forecasting.boosting import Threads, TreeSettings, fit_limited
from forecasting.calendar import Calendar, build_calendar
from forecasting.feature_table import Described, FeatureTable
from forecasting.features import CATEGORIES, SOFTENING, Codes, soft_log
from forecasting.history import weekday_means
from forecasting.model import (
    BoostedModels,
    ForecastConfig,
    Learned,
    Progress,
    TooLittleHistory,
    block_means,
    intermittent_rows,
    zero_share,
)
from forecasting.panel import Panel
from forecasting.sampling import held_out_forecasts, sample_forecasts
from forecasting.task_runner import TaskRunner, runner_for

MIN_DAYS = 42
MIN_ROWS = 120
_MANY_SERIES = 100
_MOST_GROWTH = 1.5


def learn(panel: Panel, config: ForecastConfig, *, progress: Progress | None = None) -> Learned | TooLittleHistory:
    """Train all models on the known quantities of ``panel``; see :func:`forecasting.forecaster.train`."""
    tell = progress or (lambda share, text: None)
    last_day = panel.last_observed_day
    span = _known_span(panel)
    if last_day is None or span < MIN_DAYS:
        return _too_little(span)
    tell(0.0, Text("building features", "正在构建特征"))
    run = _Training(panel.reach(last_day + timedelta(days=config.horizon)), config, panel.column_of(last_day))
    cut = run.last - max(14, min(config.calibration_days, span // 4))
    early = run.sample(last=cut, bags=1)
    if len(early[0].rows) < MIN_ROWS:
        return _too_little(span)
    tell(0.05, Text("training for calibration", "正在训练（用于校准）"))
    names, models = run.fit(early, shorter=True)
    tell(0.5, Text("calibrating the bands", "正在校准区间"))
    held_out = run.held_out(cut, names)
    if np.isnan(held_out.target).all():
        return _too_little(span)
    with Threads(config.threads):
        scores, measures = _calibrate(models, held_out, names, config.horizon)
    tell(0.55, Text("training on all days", "正在用全部数据训练"))
    names, models = run.fit(run.sample(last=run.last, bags=config.bags))
    tell(1.0, Text("trained", "训练完成"))
    return Learned(
        config,
        run.country,
        models,
        scores,
        names,
        tuple(sorted(panel.covariates)),
        tuple(sorted(panel.history_only)),
        run.codes,
        run.floor,
        last_day,
        panel.checksum(),
        measures,
        run.notes,
    )


class _Training:
    """One training under way: the described panel and where the work is done."""

    def __init__(self, panel: Panel, config: ForecastConfig, last: int) -> None:
        self.last = last
        self._panel, self._config = panel, config
        self._runner: TaskRunner = runner_for(config.scheduler)
        calendar, self.country, self.notes = _fitting_calendar(panel, config)
        self.floor = _level_floor(panel)
        self.codes = Codes.of(panel)
        self._table = FeatureTable(panel, calendar, codes=self.codes, floor=self.floor)
        self._names = self._table.names()
        growth = np.sqrt(max(1.0, len(panel.series) / _MANY_SERIES))
        self._forecasts = int(config.max_rows * min(_MOST_GROWTH, growth)) // min(3, config.horizon)

    def sample(self, *, last: int, bags: int) -> list[Described]:
        """Return the training rows of each bag, described by all features; whole forecasts."""
        horizon = self._config.horizon
        found = []
        for bag in range(bags):
            seed = (self._config.seed, bag)
            rows = sample_forecasts(self._panel, last=last, forecasts=self._forecasts, horizon=horizon, seed=seed)
            found.append(self._table.describe(rows, self._names, self._runner))
        return found

    def held_out(self, cut: int, names: Sequence[str]) -> Described:
        """Return the forecasts of the calibration days."""
        forecasts = 2 * self._forecasts
        rows = held_out_forecasts(
            self._panel, cut=cut, last=self.last, forecasts=forecasts, horizon=self._config.horizon
        )
        return self._table.describe(rows, names, self._runner)

    def fit(self, bags: Sequence[Described], *, shorter: bool = False) -> tuple[tuple[str, ...], BoostedModels]:
        """Return the features that are of use and the models fitted on them."""
        trees, count_trees = self._config.trees, self._config.count_trees
        if shorter:
            trees, count_trees = _shorter(trees), _shorter(count_trees)
        useful = _useful_columns(bags[0])
        names = tuple(np.array(self._names)[useful])
        categorical = [place for place, name in enumerate(names) if name in CATEGORIES]
        tasks: list[tuple[Any, ...]] = []
        count_places: list[int] = []
        for number, bag in enumerate(bags):
            known = bag.columns(useful).take(~np.isnan(bag.target))
            common = {"settings": trees, "categorical": categorical, "seed": self._config.seed + number}
            tasks.append((known.features, soft_log(known.target), {**common, "loss": "squared_error"}))
            tasks.append((known.features, known.target, {**common, "loss": "absolute_error"}))
            if known.target.any():  # without any demand there is no mean to fit, and the others say zero
                tasks.append((known.features, known.target, {**common, **_of_means(known)}))
            counted = known.take(np.flatnonzero(zero_share(known.features, names)))
            if len(counted.rows) >= MIN_ROWS and counted.target.any():
                how = {**common, **_of_means(counted), "settings": count_trees}
                count_places.append(len(tasks))
                tasks.append((counted.features, counted.target, how))
        tasks.extend(self._width_tasks(bags[0].columns(useful), categorical))
        models = list(self._runner.run(fit_limited, [(*task, self._config.threads) for task in tasks]))
        losses = ("squared_error", "absolute_error", "poisson", "quantile")
        found: dict[str, list[Any]] = {loss: [] for loss in (*losses, "count")}
        for place, (model, task) in enumerate(zip(models, tasks, strict=True)):
            found["count" if place in count_places else task[2]["loss"]].append(model)
        low, high, total_low, total_high = found["quantile"]
        return names, BoostedModels(
            log_ratio=tuple(found["squared_error"]),
            median_ratio=tuple(found["absolute_error"]),
            mean_ratio=tuple(found["poisson"]),
            count=tuple(found["count"]),
            names=names,
            low=low,
            high=high,
            total_low=total_low,
            total_high=total_high,
        )

    def _width_tasks(self, bag: Described, categorical: list[int]) -> list[tuple[Any, ...]]:
        """Return the fits of the lower and upper quantile of days, then of totals."""
        horizon = self._config.horizon
        known = ~np.isnan(bag.target)
        whole = known.reshape(-1, horizon).all(axis=1)
        # With too few whole forecasts the total's width is learned from single days.
        if whole.sum() >= MIN_ROWS:
            total = block_means(bag.features, horizon)[whole], bag.target.reshape(-1, horizon).mean(axis=1)[whole]
        else:
            total = bag.features[known], bag.target[known]
        common = {"settings": self._config.band_trees, "categorical": categorical, "seed": self._config.seed}
        return [
            (features, target, {**common, "loss": "quantile", "quantile": quantile})
            for features, target in ((bag.features[known], bag.target[known]), total)
            for quantile in (0.1, 0.9)
        ]


def _of_means(rows: Described) -> dict[str, Any]:
    """Return how the mean of the ratio is fitted.

    A count's variance grows with its level: the weights lie between equal ones and those of a pure count.
    """
    return {"loss": "poisson", "weight": np.sqrt(rows.level / rows.level.mean())}


def _known_span(panel: Panel) -> int:
    seen = np.flatnonzero(~np.isnan(panel.quantity).all(axis=0))
    return int(seen[-1] - seen[0]) + 1 if len(seen) else 0


def _too_little(span: int) -> TooLittleHistory:
    text = Text(
        f"the history spans {span} days with too few known quantities; at least {MIN_DAYS} days are needed",
        f"历史仅 {span} 天或有效数量太少；至少需要 {MIN_DAYS} 天",
    )
    return TooLittleHistory(text, span, MIN_DAYS)


def _level_floor(panel: Panel) -> float:
    positive = panel.quantity[panel.quantity > 0]
    return float(max(0.05 * np.median(positive), 1e-6)) if len(positive) else 1.0


def _fitting_calendar(panel: Panel, config: ForecastConfig) -> tuple[Calendar, str | None, tuple[Text, ...]]:
    """Return the calendar to use: without its holidays when they do not show in the history."""
    calendar = build_calendar(panel.first_day, panel.days, country=config.country)
    if config.country is None or holidays_show(panel, calendar):
        return calendar, config.country, ()
    note = Text(
        f"the public holidays of {config.country} do not show in this history: they are left out",
        f"{config.country} 的公共假日在历史数据中没有体现：未采用",
    )
    return build_calendar(panel.first_day, panel.days, country=None), None, (note,)


def holidays_show(panel: Panel, calendar: Calendar) -> bool:
    """Return whether demand on the calendar's days off and make-up days differs from their weekday's usual demand.

    Each series is compared with itself: a holiday that fills the malls and empties the offices cancels out in the sum.
    The wrong country's holidays are noise that costs accuracy (5 % of MASE in the published measurements). With fewer
    than eight such days nothing can be said, and the calendar is kept.
    """
    expected = weekday_means(panel.quantity, 4)
    known = ~np.isnan(panel.quantity) & (expected > 0)
    count = known.sum(axis=0)
    seen = count > 0
    softening = SOFTENING * np.where(known, panel.quantity, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    ratio = (panel.quantity + softening[:, None]) / (expected + softening[:, None])
    surprise = np.abs(np.log(np.where(known, ratio, 1.0))).sum(axis=0)[seen] / count[seen]
    weekend = calendar.columns["weekday"] >= 5
    special = (((calendar.columns["rest_day"] > 0) & ~weekend) | (calendar.columns["make_up_day"] > 0))[seen]
    if special.sum() < 8:
        return True
    return bool(np.median(surprise[special]) > 1.5 * np.median(surprise[~special]))


def _useful_columns(bag: Described) -> NDArray[np.int64]:
    """Return the features that vary: a column of NaN would stop the training, a constant says nothing."""
    features = bag.features[~np.isnan(bag.target)]
    known = ~np.isnan(features)
    low = np.where(known, features, np.inf).min(axis=0)
    high = np.where(known, features, -np.inf).max(axis=0)
    return np.flatnonzero(known.any(axis=0) & ((low < high) | ~known.all(axis=0)))


def _shorter(trees: TreeSettings) -> TreeSettings:
    """Return half the trees at twice the rate: nearly as good, and the bands err on the wide side."""
    return replace(trees, iterations=max(1, trees.iterations // 2), learning_rate=min(1.0, 2 * trees.learning_rate))


def score_forecasts(models: BoostedModels, found: Described, names: Sequence[str], horizon: int) -> ScoreBook:
    """Return the errors of whole forecasts in predicted widths, by days ahead and for totals.

    Parameters
    ----------
    models : BoostedModels
        That have not seen the days.
    found : Described
        Whole forecasts, the days of one next to each other.
    names : sequence of str
        Of the features.
    horizon : int
        Days of one forecast.
    """
    centre = models.centre(found.features)
    return _score(models, found, centre, intermittent_rows(found.features, names), horizon)


def _score(models: BoostedModels, found: Described, centre: Ratios, rare: NDArray[np.bool_], horizon: int) -> ScoreBook:
    spread, actual = models.spread(found.features, centre), found.target
    known = ~np.isnan(actual)
    age = found.rows.origin.max() - found.rows.origin if len(actual) else found.rows.origin
    groups = {}
    for ahead in range(1, horizon + 1):
        pick = np.flatnonzero(known & (found.rows.ahead == ahead))
        groups[ahead] = Scores(spread.take(pick).scores(actual[pick]), age[pick], rare[pick])
    total = models.total_spread(found.features, centre, horizon)
    whole = np.flatnonzero(known.reshape(-1, horizon).all(axis=1))
    summed = np.where(known, actual, 0.0).reshape(-1, horizon).sum(axis=1)
    values = total.take(whole).scores(summed[whole])
    groups[TOTAL] = Scores(values, age[::horizon][whole], rare[::horizon][whole])
    return ScoreBook(groups)


def _calibrate(
    models: BoostedModels, found: Described, names: Sequence[str], horizon: int
) -> tuple[ScoreBook, dict[str, float]]:
    centre = models.centre(found.features)
    rare = intermittent_rows(found.features, names)
    book = _score(models, found, centre, rare, horizon)
    known = ~np.isnan(found.target)
    demand, forecast = (found.target * found.level)[known], (centre * found.level)[known]
    measures = {
        "wape": float(np.abs(forecast - demand).sum() / max(demand.sum(), 1e-12)),
        "bias": float((forecast - demand).sum() / max(demand.sum(), 1e-12)),
        "rows": float(known.sum()),
        "calibration_days": float(len(np.unique(found.rows.origin))),
    }
    return book, measures
