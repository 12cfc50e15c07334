"""Quantiles that hold: conformal bands around a point forecast.

Errors of days the model has not seen are divided by the predicted width on their side of the forecast; their empirical
quantiles, with the finite-sample correction of split conformal prediction, scale the widths back. This is conformalised
quantile regression in its scaled form (Romano, Patterson, Candès 2019; Sesia, Candès 2020) applied to each quantile
alone, so that any quantile can be asked for, and quantiles cannot cross: all of them are one increasing function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ratios = NDArray[np.float64]
Flags = NDArray[np.bool_]
TOTAL = 0
"""Group of the sum over the horizon; the other groups are days ahead."""
MIN_GROUP_SCORES = 100
"""Scores that a group needs to stand alone."""
HALF_LIFE_DAYS = 45
"""A score of so many days ago counts half."""
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

    @classmethod
    def joined(cls, parts: Sequence[Spread]) -> Spread:
        """Return the rows of all ``parts``, one after the other."""
        names = ("centre", "below", "above")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, index: NDArray[np.int64] | Flags) -> Spread:
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


@dataclass(frozen=True, slots=True)
class Scores:
    """Errors in predicted widths of one number of days ahead, or of totals; all arrays have one entry an error.

    Attributes
    ----------
    values : float array
        See :meth:`Spread.scores`.
    age_days : int array
        Days between the origin of the forecast and the newest one.
    rare : bool array
        Whether the series is intermittent: its errors are of another kind.
    """

    values: Ratios
    age_days: NDArray[np.int64]
    rare: Flags

    def aged(self, days: int) -> Scores:
        """Return the scores as they are seen ``days`` later."""
        return Scores(self.values, self.age_days + days, self.rare)

    def joined(self, other: Scores) -> Scores:
        """Return both sets of scores together."""
        return Scores(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.age_days, other.age_days]),
            np.concatenate([self.rare, other.rare]),
        )


@dataclass(frozen=True, slots=True)
class ScoreBook:
    """Scores of forecasts whose days the model had not seen, by days ahead and for totals (``TOTAL``)."""

    groups: Mapping[int, Scores]

    def updated(self, newer: ScoreBook, days: int) -> ScoreBook:
        """Return the book ``days`` later, with the scores that have come since."""
        return ScoreBook(
            {
                group: scores.aged(days).joined(newer.groups[group]) if group in newer.groups else scores.aged(days)
                for group, scores in self.groups.items()
            }
        )

    def bands(self) -> ConformalBands:
        """Return the bands that these scores give."""
        return ConformalBands.calibrate(self.groups)


@dataclass(frozen=True, slots=True)
class ConformalBands:
    """Sorted scores of days the model had not seen.

    Attributes
    ----------
    scores : mapping of (int, bool) to float array
        For each number of days ahead and ``TOTAL``, apart for regular (false) and intermittent series, ascending.
    """

    scores: Mapping[tuple[int, bool], Ratios]

    @classmethod
    def calibrate(cls, groups: Mapping[int, Scores]) -> ConformalBands:
        """Keep the scores of each group and kind of series; one with fewer than 100 borrows, first from its group.

        Scores are weighed by recency: errors drift, and recent ones say more of the coming days (Barber, Candès,
        Ramdas, Tibshirani 2023).

        Raises
        ------
        ValueError
            When there is no score at all.
        """
        everything = list(groups.values())
        if not sum(len(scores.values) for scores in everything):
            raise ValueError("no scores to calibrate on")
        whole = Scores(
            np.concatenate([scores.values for scores in everything]),
            np.concatenate([scores.age_days for scores in everything]),
            np.concatenate([scores.rare for scores in everything]),
        )
        kept = {}
        for group, scores in groups.items():
            for rare in (False, True):
                same = scores.rare == rare
                own = Scores(scores.values[same], scores.age_days[same], scores.rare[same])
                best = next((each for each in (own, scores) if len(each.values) >= MIN_GROUP_SCORES), whole)
                kept[group, rare] = _by_recency(best)
        return cls(kept)

    def score(self, group: int, rare: bool, quantile: float) -> float:
        """Return the score below which the share ``quantile`` of new errors lies.

        The rank is rounded outwards, as split conformal prediction does; beyond the outermost score there is none, so
        an extreme quantile of a short calibration is the outermost one.
        """
        found = self.scores[group, rare]
        rank = (len(found) + 1) * quantile
        place = int(np.ceil(rank)) if quantile >= 0.5 else int(np.floor(rank))
        return float(found[min(max(place, 1), len(found)) - 1])

    def quantile(self, spread: Spread, group: int, rare: Flags, quantile: float) -> Ratios:
        """Return the demand ratio at ``quantile`` for each row of ``spread``; ``rare`` tells intermittent ones."""
        regular, other = (spread.at(self.score(group, kind, quantile)) for kind in (False, True))
        ratio: Ratios = np.where(rare, other, regular)
        return ratio


def _by_recency(scores: Scores) -> Ratios:
    """Return an even sample of the weighted distribution, ascending, of at most its effective size."""
    order = np.argsort(scores.values, kind="stable")
    weight = 0.5 ** (scores.age_days[order] / HALF_LIFE_DAYS)
    size = int(min(_KEPT_SCORES, max(1.0, weight.sum() ** 2 / np.square(weight).sum())))
    share = np.cumsum(weight) / weight.sum()
    kept: Ratios = scores.values[order][np.searchsorted(share, (np.arange(size) + 0.5) / size)]
    return kept
