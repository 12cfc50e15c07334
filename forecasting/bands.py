"""Quantiles that hold: conformal bands around a point forecast.

Errors of days the model has not seen are divided by the predicted width on their side of the forecast; their empirical
quantiles, with the finite-sample correction of split conformal prediction, scale the widths back. This is conformalised
quantile regression in its scaled form (Romano, Patterson, Candès 2019; Sesia, Candès 2020) applied to each quantile
alone, so that any quantile can be asked for, and quantiles cannot cross: all of them are one increasing function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ratios = NDArray[np.float64]
TOTAL = 0
"""Group of the sum over the horizon; the other groups are days ahead."""
MIN_GROUP_ROWS = 40
HALF_LIFE_DAYS = 45
_KEPT_SCORES = 2000


@dataclass(frozen=True, slots=True)
class Spread:
    """A point forecast with a predicted width on each side, all as demand over level.

    Attributes
    ----------
    centre, below, above : float arrays, shape (rows,)
        Point forecast, at least 0, and the widths to its lower and upper side, positive.
    """

    centre: Ratios
    below: Ratios
    above: Ratios

    @classmethod
    def around(cls, centre: Ratios, low: Ratios, high: Ratios) -> Spread:
        """Build the spread from raw lower and upper quantiles; widths never vanish."""
        least = 0.02 + 0.02 * centre
        return cls(centre, np.maximum(centre - low, least), np.maximum(high - centre, least))

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Spread:
        """Return the rows picked by ``index``."""
        return Spread(self.centre[index], self.below[index], self.above[index])

    def scores(self, actual: Ratios) -> Ratios:
        """Return the errors in predicted widths: negative below the forecast, positive above it."""
        error = actual - self.centre
        scored: Ratios = error / np.where(error < 0, self.below, self.above)
        return scored

    def at(self, score: float) -> Ratios:
        """Return the demand ratio that lies ``score`` widths from the forecast, at least 0."""
        width = self.below if score < 0 else self.above
        ratio: Ratios = np.maximum(self.centre + score * width, 0.0)
        return ratio

    def summed(self, rows: int) -> Spread:
        """Return the spread of the sums over blocks of ``rows`` consecutive rows."""
        parts = (values.reshape(-1, rows).sum(axis=1) for values in (self.centre, self.below, self.above))
        return Spread(*parts)


@dataclass(frozen=True, slots=True)
class ConformalBands:
    """Sorted scores of days the model had not seen, by group.

    Attributes
    ----------
    scores : mapping of int to float array
        For each number of days ahead, and for ``TOTAL``, ascending.
    """

    scores: Mapping[int, Ratios]

    @classmethod
    def calibrate(
        cls, by_group: Mapping[int, Ratios], *, age_days: Mapping[int, NDArray[np.int64]] | None = None
    ) -> ConformalBands:
        """Keep the scores of each group; a group with fewer than 40 borrows those of all groups.

        Parameters
        ----------
        by_group : mapping of int to float array
            Scores of each group.
        age_days : mapping of int to int array, optional
            Days between each score and the end of the calibration. A score of ``HALF_LIFE_DAYS`` ago counts half:
            errors drift, and recent ones say more of the coming days (Barber, Candès, Ramdas, Tibshirani 2023).

        Raises
        ------
        ValueError
            When there is no score at all.
        """
        ages = age_days or {group: np.zeros(len(found), dtype=np.int64) for group, found in by_group.items()}
        everything = np.concatenate(list(by_group.values()))
        all_ages = np.concatenate([ages[group] for group in by_group])
        if not len(everything):
            raise ValueError("no scores to calibrate on")
        kept = {
            group: _by_recency(found, ages[group])
            if len(found) >= MIN_GROUP_ROWS
            else _by_recency(everything, all_ages)
            for group, found in by_group.items()
        }
        return cls(kept)

    def score(self, group: int, quantile: float) -> float:
        """Return the score below which the share ``quantile`` of new errors lies.

        The rank is rounded outwards, as split conformal prediction does; beyond the outermost score there is none, so
        an extreme quantile of a short calibration is the outermost one.
        """
        found = self.scores[group]
        rank = (len(found) + 1) * quantile
        place = int(np.ceil(rank)) if quantile >= 0.5 else int(np.floor(rank))
        return float(found[min(max(place, 1), len(found)) - 1])

    def quantile(self, spread: Spread, group: int, quantile: float) -> Ratios:
        """Return the demand ratio at ``quantile`` for each row of ``spread``."""
        return spread.at(self.score(group, quantile))


def _by_recency(scores: Ratios, age_days: NDArray[np.int64]) -> Ratios:
    """Return an even sample of the weighted distribution, ascending, of at most its effective size."""
    order = np.argsort(scores, kind="stable")
    weight = 0.5 ** (age_days[order] / HALF_LIFE_DAYS)
    size = int(min(_KEPT_SCORES, max(1.0, weight.sum() ** 2 / np.square(weight).sum())))
    share = np.cumsum(weight) / weight.sum()
    kept: Ratios = scores[order][np.searchsorted(share, (np.arange(size) + 0.5) / size)]
    return kept
