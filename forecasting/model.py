"""What a forecaster is made of: its configuration, its boosted models, and all that training found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput, Text
from forecasting.bands import Ratios, ScoreBook, Spread
from forecasting.boosting import TreeSettings
from forecasting.features import Codes, Matrix, soft_exp

Progress = Callable[[float, Text], None]
MAX_HORIZON = 28
INTERMITTENT_ZEROS = 0.15
"""Share of days without any demand in the last 91 from which on a series counts as intermittent."""
_COUNTED_ZEROS = 0.1
"""Share of zeros from which on the forecast is that of the count models alone; below it moves over evenly."""


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
        Training rows of one bag, sampled from all (series, origin, days ahead), at least 1000. With more than 100
        series it grows with the root of their number, up to one and a half times.
    bags : int
        Point forecasts average this many sets of models, each trained on its own sample; 1 … 20.
    calibration_days : int
        Latest days on which the bands are calibrated, at least 14; at most a quarter of the history is used. A year
        holds every season and the ageing of the model.
    trees, count_trees, band_trees : TreeSettings
        Of the point models, of those of intermittent demand, and of the width models.
    threads : int
        Processor threads, 1 … 64.
    seed : int
        Of the row sample.
    scheduler : str or None
        Address of a Dask scheduler (``tcp://10.0.0.5:8786``) whose workers train and describe; ``None`` for this
        process. The numbers are the same.

    Raises
    ------
    InvalidInput
        When a value lies outside its range.
    """

    horizon: int = 3
    country: str | None = "CN"
    max_rows: int = 60_000
    bags: int = 1
    calibration_days: int = 364
    trees: TreeSettings = field(default_factory=lambda: TreeSettings(leaves=63, min_leaf_rows=60, feature_share=0.5))
    count_trees: TreeSettings = field(
        default_factory=lambda: TreeSettings(iterations=150, leaves=10, min_leaf_rows=150, feature_share=0.5)
    )
    band_trees: TreeSettings = field(default_factory=lambda: TreeSettings(iterations=80, leaves=15, learning_rate=0.1))
    threads: int = 1
    seed: int = 0
    scheduler: str | None = None

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
class BoostedModels:
    """The boosted models of one training run.

    Attributes
    ----------
    log_ratio, median_ratio, mean_ratio : tuple
        Point models, one of each kind in each bag: the mean of the softened logarithm of demand over level, and the
        median and the mean of the ratio itself.
    count : tuple
        Point models of the mean of intermittent demand, one in each bag; none where no series is intermittent. The
        median of such demand is often zero, and no order can be made from it.
    names : tuple of str
        Features, in the order of their columns.
    low, high : model
        Lower and upper quantile of a day's ratio.
    total_low, total_high : model
        The same of the sum over the horizon divided by its days.
    """

    log_ratio: tuple[Any, ...]
    median_ratio: tuple[Any, ...]
    mean_ratio: tuple[Any, ...]
    count: tuple[Any, ...]
    names: tuple[str, ...]
    low: Any
    high: Any
    total_low: Any
    total_high: Any

    def centre(self, features: Matrix) -> Ratios:
        """Return the point forecast, demand over level, for each row of ``features``."""
        if not len(features):
            return np.zeros(0)
        parts = [_mean([soft_exp(model.predict(features)) for model in self.log_ratio])]
        parts.append(_mean([np.maximum(model.predict(features), 0.0) for model in self.median_ratio]))
        if self.mean_ratio:
            parts.append(_mean([model.predict(features) for model in self.mean_ratio]))
        centre = _mean(parts)
        share = self._count_share(features)
        rare = np.flatnonzero(share)
        if len(rare):
            counts = _mean([model.predict(features[rare]) for model in self.count])
            centre[rare] += share[rare] * (counts - centre[rare])
        return centre

    def _count_share(self, features: Matrix) -> Ratios:
        """Return how far each row is one of counts, 0 … 1."""
        if not self.count:
            return np.zeros(len(features))
        share: Ratios = np.minimum(zero_share(features, self.names) / _COUNTED_ZEROS, 1.0)
        return share

    def spread(self, features: Matrix, centre: Ratios) -> Spread:
        """Return the widths around ``centre`` of single days."""
        if not len(features):
            return Spread(centre, centre, centre)
        return Spread.around(centre, self.low.predict(features), self.high.predict(features))

    def total_spread(self, features: Matrix, centre: Ratios, horizon: int) -> Spread:
        """Return the widths of the sums over blocks of ``horizon`` rows, from a model of their own."""
        if not len(features):
            return Spread(centre, centre, centre)
        summary, total = block_means(features, horizon), centre.reshape(-1, horizon).sum(axis=1)
        low, high = (model.predict(summary) * horizon for model in (self.total_low, self.total_high))
        return Spread.around(total, low, high)


def block_means(features: Matrix, rows: int) -> Matrix:
    """Return the mean of each feature over blocks of ``rows`` consecutive rows; unknown values are skipped."""
    blocks = features.reshape(-1, rows, features.shape[1])
    known = ~np.isnan(blocks)
    count = known.sum(axis=1)
    total = np.where(known, blocks, np.float32(0)).sum(axis=1)
    mean: Matrix = np.divide(total, count, out=np.full(total.shape, np.nan, dtype=np.float32), where=count > 0)
    return mean


@dataclass(frozen=True, slots=True)
class Learned:
    """All that training found; plain arrays and models, saved and loaded whole.

    Attributes
    ----------
    config : ForecastConfig
        What was asked for.
    country : str or None
        The holiday calendar that is really used.
    models : BoostedModels
        Trained on all days.
    scores : ScoreBook
        Errors on the latest days of models that had not seen them; the bands are made from them.
    feature_names : tuple of str
        Columns of the models.
    covariates, history_only : tuple of str
        Columns of the panel that are used: known for the future, and known up to the present only.
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
    models: BoostedModels
    scores: ScoreBook
    feature_names: tuple[str, ...]
    covariates: tuple[str, ...]
    history_only: tuple[str, ...]
    codes: Codes
    floor: float
    trained_until: date
    checksum: str
    measures: dict[str, float]
    notes: tuple[Text, ...]

    def intermittent(self, features: Matrix) -> NDArray[np.bool_]:
        """Return which rows of ``features`` belong to series that are often without demand."""
        return intermittent_rows(features, self.feature_names)


def zero_share(features: Matrix, names: Sequence[str]) -> Ratios:
    """Return the share of days without demand in the last 91 for each row of ``features`` with columns ``names``."""
    if "zeros_91" not in names:
        return np.zeros(len(features))
    share: Ratios = np.nan_to_num(features[:, list(names).index("zeros_91")]).astype(np.float64)
    return share


def intermittent_rows(features: Matrix, names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which rows of ``features``, whose columns are ``names``, are of intermittent series."""
    rare: NDArray[np.bool_] = zero_share(features, names) >= INTERMITTENT_ZEROS
    return rare


def _mean(parts: Sequence[Ratios]) -> Ratios:
    mean: Ratios = np.mean(parts, axis=0)
    return mean
