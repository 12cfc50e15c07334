"""One global model for all series, three days ahead, with bands that hold.

The point forecast averages two boosted models of demand over its trailing level: one of squared errors of the softened
logarithm, one of absolute errors of the ratio. Two quantile models give the width of the band, and
:mod:`forecasting.bands` calibrates it on the latest days, which the models that are calibrated have not seen; then all
of them are trained again with those days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.bands import TOTAL, ConformalBands, Ratios, Spread
from forecasting.boosting import Threads, TreeSettings, fit_trees
from forecasting.calendar import Calendar, build_calendar
from forecasting.features import CATEGORIES, Codes, FeatureBuilder, Matrix, Rows, soft_exp, soft_log
from forecasting.panel import Panel

Progress = Callable[[float, Text], None]
MAX_HORIZON = 28
MIN_DAYS = 42
MIN_ROWS = 120


@dataclass(frozen=True, slots=True)
class ForecastConfig:
    """How a forecaster is trained; the defaults are those of the published measurements.

    Attributes
    ----------
    horizon : int
        Days ahead, 1 … 28.
    country : str or None
        Holiday calendar (``CN``, ``US-IL``); ``None`` for none. A calendar whose holidays do not show in the history is
        left out, and the forecaster says so.
    max_rows : int
        Training rows of one bag, sampled from all (series, origin, days ahead), at least 1000.
    bags : int
        Point forecasts average this many pairs of models, each trained on its own sample; 1 … 20.
    calibration_days : int
        Latest days on which the bands are calibrated, at least 14; at most a quarter of the history is used. A year
        holds every season and the ageing of the model.
    trees, band_trees : TreeSettings
        Of the point models and of the two width models.
    threads : int
        Processor threads, 1 … 64.
    seed : int
        Of the row sample.

    Raises
    ------
    InvalidInput
        When a value lies outside its range.
    """

    horizon: int = 3
    country: str | None = "CN"
    max_rows: int = 20_000
    bags: int = 2
    calibration_days: int = 364
    trees: TreeSettings = field(default_factory=lambda: TreeSettings(feature_share=0.5))
    band_trees: TreeSettings = field(default_factory=lambda: TreeSettings(iterations=80, leaves=15, learning_rate=0.1))
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "horizon": (1, MAX_HORIZON),
            "max_rows": (1000, 50_000_000),
            "bags": (1, 20),
            "calibration_days": (14, 3650),
            "threads": (1, 64),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput.at(
                    f"/{name}", f"{name} must lie in {low} to {high}", f"{name} 必须在 {low} 到 {high} 之间"
                )


@dataclass(frozen=True, slots=True)
class TooLittleHistory:
    """The result of training when the history is too short to learn from.

    Attributes
    ----------
    reason : Text
        What is missing.
    known_days, needed_days : int
        Days between the first and the last known quantity, and how many are needed.
    """

    reason: Text
    known_days: int
    needed_days: int


@dataclass(frozen=True, slots=True)
class PointModels:
    """The boosted models of one training run: a pair for the point in each bag, and two for the widths."""

    log_ratio: tuple[Any, ...]
    ratio: tuple[Any, ...]
    low: Any
    high: Any

    def spread(self, features: Matrix) -> Spread:
        """Return point forecast and widths for each row of ``features``."""
        centre: Ratios = np.zeros(len(features))
        for model in self.log_ratio:
            centre += soft_exp(model.predict(features))
        for model in self.ratio:
            centre += np.maximum(model.predict(features), 0.0)
        centre /= len(self.log_ratio) + len(self.ratio)
        return Spread.around(centre, self.low.predict(features), self.high.predict(features))


@dataclass(frozen=True, slots=True)
class Learned:
    """All that training found; plain arrays and models, saved and loaded whole.

    Attributes
    ----------
    config : ForecastConfig
        What was asked for.
    country : str or None
        The holiday calendar that is really used.
    models : PointModels
        Trained on all days.
    bands : ConformalBands
        Calibrated on the latest days with models that had not seen them.
    bias_factor : float
        What the mean is multiplied by, from the same days; 1 where the bias is not beyond noise.
    feature_names : tuple of str
        Columns of the models.
    covariates : tuple of str
        Known-future columns that are used.
    codes : Codes
        Numbers of the keys.
    floor : float
        Smallest level, in units.
    trained_until : date
        Last known day of the training history.
    checksum : str
        Of the training panel.
    measures : dict of str to float
        On the calibration days: ``wape``, ``bias``, ``rows``, ``calibration_days``.
    notes : tuple of Text
        What the user should know of this training.
    """

    config: ForecastConfig
    country: str | None
    models: PointModels
    bands: ConformalBands
    bias_factor: float
    feature_names: tuple[str, ...]
    covariates: tuple[str, ...]
    codes: Codes
    floor: float
    trained_until: date
    checksum: str
    measures: dict[str, float]
    notes: tuple[Text, ...]


def learn(panel: Panel, config: ForecastConfig, *, progress: Progress | None = None) -> Learned | TooLittleHistory:
    """Train all models on the known quantities of ``panel``; see :func:`forecasting.forecaster.train`."""
    tell = progress or (lambda share, text: None)
    last_day = panel.last_observed_day
    span = _known_span(panel)
    if last_day is None or span < MIN_DAYS:
        return _too_little(span)
    tell(0.0, Text("building features", "正在构建特征"))
    last = panel.column_of(last_day)
    checksum = panel.checksum()
    panel = panel.reach(last_day + timedelta(days=config.horizon))
    calendar, country, notes = _fitting_calendar(panel, config)
    floor = _level_floor(panel)
    builder = FeatureBuilder(panel, calendar, codes=Codes.of(panel), floor=floor)
    cut = last - max(14, min(config.calibration_days, span // 4))
    with Threads(config.threads):
        early = _bags(builder, last=cut, config=replace(config, bags=1))
        if len(early[0]) < MIN_ROWS:
            return _too_little(span)
        tell(0.05, Text("training for calibration", "正在训练（用于校准）"))
        names = _useful_names(builder, early[0])
        models = _fit(builder, early, names, replace(config, trees=_shorter(config.trees)))
        tell(0.5, Text("calibrating the bands", "正在校准区间"))
        held_out = _held_out_rows(builder, cut, last, config)
        if not len(held_out) or np.isnan(builder.targets(held_out)).all():
            return _too_little(span)
        bands, bias_factor, measures = _calibrate(builder, models, names, held_out, config)
        tell(0.55, Text("training on all days", "正在用全部数据训练"))
        everything = _bags(builder, last=last, config=config)
        names = _useful_names(builder, everything[0])
        models = _fit(builder, everything, names, config)
    tell(1.0, Text("trained", "训练完成"))
    return Learned(
        config,
        country,
        models,
        bands,
        bias_factor,
        names,
        tuple(sorted(panel.covariates)),
        Codes.of(panel),
        floor,
        last_day,
        checksum,
        measures,
        notes,
    )


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

    The wrong country's holidays are noise that costs accuracy (5 % of MASE in the published measurements). With fewer
    than eight such days nothing can be said, and the calendar is kept.
    """
    from forecasting.history import weekday_means

    expected = weekday_means(panel.quantity, 4)
    known = ~np.isnan(panel.quantity) & (expected > 0)
    count = known.sum(axis=0)
    total = np.where(known, panel.quantity, 0.0).sum(axis=0)
    usual = np.where(known, expected, 0.0).sum(axis=0)
    seen = (count > 0) & (usual > 0)
    surprise = np.abs(total[seen] / usual[seen] - 1.0)
    weekend = calendar.columns["weekday"] >= 5
    special = (((calendar.columns["rest_day"] > 0) & ~weekend) | (calendar.columns["make_up_day"] > 0))[seen]
    if special.sum() < 8:
        return True
    return bool(np.median(surprise[special]) > 1.5 * np.median(surprise[~special]))


def _bags(builder: FeatureBuilder, *, last: int, config: ForecastConfig) -> list[Rows]:
    """Sample the rows of each bag."""
    return [_training_rows(builder, last=last, config=config, bag=bag) for bag in range(config.bags)]


def _training_rows(builder: FeatureBuilder, *, last: int, config: ForecastConfig, bag: int) -> Rows:
    """Sample rows whose target is known and not after column ``last``."""
    number = builder.quantity.shape[0]
    per_origin = number * config.horizon
    origins = np.arange(7, last)
    rng = np.random.default_rng((config.seed, bag))
    if per_origin * len(origins) > 40 * config.max_rows:
        # Far more rows than wanted: pick places first instead of listing all of them.
        size = 8 * config.max_rows
        rows = Rows(rng.integers(0, number, size), rng.choice(origins, size), rng.integers(1, config.horizon + 1, size))
    else:
        rows = _all_rows(number, origins, config.horizon)
    inside = rows.take(rows.target <= last)
    usable = ~np.isnan(builder.quantity[inside.series, inside.target])
    usable &= builder.known_days[inside.series, inside.origin] > 0
    index = np.flatnonzero(usable)
    if len(index) > config.max_rows:
        index = np.sort(rng.choice(index, config.max_rows, replace=False))
    return inside.take(index)


def _all_rows(number: int, origins: NDArray[np.int64], horizon: int) -> Rows:
    """Return every (series, origin, days ahead), the days of one forecast next to each other."""
    series, origin, ahead = np.meshgrid(np.arange(number), origins, np.arange(1, horizon + 1), indexing="ij")
    return Rows(series.ravel(), origin.ravel(), ahead.ravel())


def _useful_names(builder: FeatureBuilder, rows: Rows) -> tuple[str, ...]:
    """Return the features that vary in ``rows``: a column of NaN would stop the training, a constant says nothing."""
    names = builder.names()
    matrix = builder.build(rows, names)
    known = ~np.isnan(matrix)
    low = np.where(known, matrix, np.inf).min(axis=0)
    high = np.where(known, matrix, -np.inf).max(axis=0)
    varies = known.any(axis=0) & ((low < high) | ~known.all(axis=0))
    return tuple(name for name, useful in zip(names, varies, strict=True) if useful)


def _fit(builder: FeatureBuilder, bags: Sequence[Rows], names: Sequence[str], config: ForecastConfig) -> PointModels:
    categorical = [place for place, name in enumerate(names) if name in CATEGORIES]
    logs, ratios = [], []
    for bag, rows in enumerate(bags):
        features, ratio = builder.build(rows, names), builder.targets(rows)
        common: dict[str, Any] = {"categorical": categorical, "settings": config.trees, "seed": config.seed + bag}
        logs.append(fit_trees(features, soft_log(ratio), loss="squared_error", **common))
        ratios.append(fit_trees(features, ratio, loss="absolute_error", **common))
    features, ratio = builder.build(bags[0], names), builder.targets(bags[0])
    common = {"categorical": categorical, "settings": config.band_trees, "seed": config.seed, "loss": "quantile"}
    low, high = (fit_trees(features, ratio, quantile=quantile, **common) for quantile in (0.1, 0.9))
    return PointModels(tuple(logs), tuple(ratios), low, high)


def _shorter(trees: TreeSettings) -> TreeSettings:
    """Return half the trees at twice the rate: nearly as good, and the bands err on the wide side."""
    return replace(trees, iterations=max(1, trees.iterations // 2), learning_rate=min(1.0, 2 * trees.learning_rate))


def _held_out_rows(builder: FeatureBuilder, cut: int, last: int, config: ForecastConfig) -> Rows:
    """Return all complete forecasts made in the calibration days, thinned by origin on large panels."""
    number = builder.quantity.shape[0]
    origins = np.arange(cut, last - config.horizon + 1)
    most = max(8, 2 * config.max_rows // (number * config.horizon))
    if len(origins) > most:
        origins = origins[np.unique(np.linspace(0, len(origins) - 1, most).astype(np.int64))]
    rows = _all_rows(number, origins, config.horizon)
    return rows.take(builder.known_days[rows.series, rows.origin] > 0)


def _calibrate(
    builder: FeatureBuilder, models: PointModels, names: Sequence[str], rows: Rows, config: ForecastConfig
) -> tuple[ConformalBands, float, dict[str, float]]:
    spread = models.spread(builder.build(rows, names))
    actual = builder.targets(rows)
    known = ~np.isnan(actual)
    scores: dict[int, Ratios] = {}
    ages: dict[int, NDArray[np.int64]] = {}
    age = rows.origin.max() - rows.origin
    for ahead in range(1, config.horizon + 1):
        pick = np.flatnonzero(known & (rows.ahead == ahead))
        scores[ahead], ages[ahead] = spread.take(pick).scores(actual[pick]), age[pick]
    total = spread.summed(config.horizon)
    whole = np.flatnonzero(known.reshape(-1, config.horizon).all(axis=1))
    total_actual = np.where(known, actual, 0.0).reshape(-1, config.horizon).sum(axis=1)
    scores[TOTAL], ages[TOTAL] = total.take(whole).scores(total_actual[whole]), age[:: config.horizon][whole]
    level = builder.level[rows.series, rows.origin]
    demand, forecast = (actual * level)[known], (spread.centre * level)[known]
    measures = {
        "wape": float(np.abs(forecast - demand).sum() / max(demand.sum(), 1e-12)),
        "bias": float((forecast - demand).sum() / max(demand.sum(), 1e-12)),
        "rows": float(known.sum()),
        "calibration_days": float(len(np.unique(rows.origin))),
    }
    return ConformalBands.calibrate(scores, age_days=ages), _bias_factor(rows.target[known], demand, forecast), measures


def _bias_factor(day: NDArray[np.int64], demand: Ratios, forecast: Ratios) -> float:
    """Return demand over forecast, shrunk towards 1 by its noise between weeks (positive-part James–Stein)."""
    week = (day - day.min()) // 7
    demand_week, forecast_week = np.bincount(week, demand), np.bincount(week, forecast)
    used = forecast_week > 0
    if used.sum() < 3:
        return 1.0
    bias = demand_week[used].sum() / forecast_week[used].sum() - 1.0
    noise = np.std(demand_week[used] / forecast_week[used], ddof=1) / np.sqrt(used.sum())
    if bias == 0.0:
        return 1.0
    kept = max(0.0, 1.0 - (noise / bias) ** 2)
    return float(np.clip(1.0 + kept * bias, 0.7, 1.5))
