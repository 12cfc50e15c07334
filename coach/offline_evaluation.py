"""What another ranking would have earned on hints that were given already, before it is switched on.

The hints must have been chosen with some chance (see `coach.evidence_chooser`), and each line kept with its
propensity. Two estimates are made: self-normalised inverse propensity weighting (SNIPS, Swaminathan & Joachims 2015),
which needs no model, and doubly robust (Dudík, Langford & Li 2011, with weights normalised as by Thomas & Brunskill
2016), which needs less data when the model is any good and is right when it is not. A line counts when the ranking
would have put it at the very place where it stood, so that position bias needs no assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coach.examination import Examination
from coach.logged_hints import Doubles, Ints, LoggedHint, LoggedHints, Reward
from coach.reward_model import RewardModel, cross_fitted_rewards
from common.errors import Text

Verdict = Literal["better", "not better", "not enough data"]

LARGEST_WEIGHT = 100.0
"""Weights are cut there: one line that was shown by a rare chance must not speak for hundreds."""
LEAST_EFFECTIVE_HINTS = 200.0
"""Hints that an estimate must rest on, as many as would scatter the same without weights (Kish 1965)."""
LEAST_CLUSTERS = 20
"""Clusters from which on the spread between them tells how sure an estimate is."""
LEAST_SUPPORT, MOST_SUPPORT = 0.8, 1.25
"""Bounds of the mean weight, which is 1 when the log could have shown all that a ranking shows."""
INTERVAL = 0.95
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval (95 %, by the bootstrap)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RankingEstimate:
    """What a ranking earns: the mean reward of one hint, all its lines together.

    Attributes
    ----------
    snips, doubly_robust : Estimate
    effective_hints : float
        Hints that it rests on, after weighting.
    support : float
        Mean weight: well below 1 when the ranking shows lines that the log never could.
    cut_share : float
        Share of the matching lines whose weight was cut.
    """

    snips: Estimate
    doubly_robust: Estimate
    effective_hints: float
    support: float
    cut_share: float


@dataclass(frozen=True, slots=True)
class RankingComparison:
    """Whether a new ranking is better than the current one.

    Attributes
    ----------
    hints : int
        Hints that were replayed.
    logged : float
        Mean reward that the hints really earned.
    new, current : RankingEstimate
    difference, snips_difference : Estimate
        New less current, doubly robust and by SNIPS.
    verdict : {"better", "not better", "not enough data"}
    reason : Text
    """

    hints: int
    logged: float
    new: RankingEstimate
    current: RankingEstimate
    difference: Estimate
    snips_difference: Estimate
    verdict: Verdict
    reason: Text


def compare(
    hints: Sequence[LoggedHint],
    types: Mapping[str, str],
    *,
    reward: Reward = "adoption",
    examination: Examination | None = None,
    seed: int = 0,
) -> RankingComparison | None:
    """Return how a new ranking does against the current one, or None when there is no hint to replay.

    Parameters
    ----------
    hints : sequence of LoggedHint
        With what both rankings would have shown.
    types : mapping of str to str
        Objection type of each key.
    reward : {"adoption", "conversion"}
        What counts: lines adopted, or lines adopted on visits that were won.
    examination : Examination, optional
        For the model of the doubly robust estimate only.
    seed : int
        Of the bootstrap; the same hints and seed give the same answer.
    """
    if not hints:
        return None
    log = LoggedHints.of(hints, reward)
    model = cross_fitted_rewards(hints, log, types, examination=examination or Examination(), reward=reward)
    new, current = (_Valued.of(log, model, ranking) for ranking in (log.new, log.current))
    resamples = _resamples(log, seed)
    estimates = [_estimate(each, resamples) for each in (new, current)]
    difference = _interval(new.robust(resamples) - current.robust(resamples))
    snips_difference = _interval(new.snips(resamples) - current.snips(resamples))
    verdict, reason = _few_clusters(log) or _judge(estimates[0], estimates[1], difference, snips_difference)
    return RankingComparison(
        hints=len(hints),
        logged=float(log.rewards.sum(axis=1).mean()),
        new=estimates[0],
        current=estimates[1],
        difference=difference,
        snips_difference=snips_difference,
        verdict=verdict,
        reason=reason,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Valued:
    """One ranking on the log, by hint and place, and how a resample of the hints estimates its value."""

    shown: Doubles
    uncut: Doubles
    weights: Doubles
    rewards: Doubles
    surprises: Doubles
    expected: Doubles

    @classmethod
    def of(cls, log: LoggedHints, model: RewardModel, ranking: Ints) -> _Valued:
        same = (ranking >= 0) & (ranking == log.shown)
        uncut = np.where(same, 1 / log.propensities, 0.0)
        return cls(
            shown=(ranking >= 0).astype(np.float64),
            uncut=uncut,
            weights=np.minimum(uncut, LARGEST_WEIGHT),
            rewards=log.rewards,
            surprises=log.rewards - model.expected(log.shown),
            expected=model.expected(ranking).sum(axis=1),
        )

    def snips(self, resamples: Doubles) -> Doubles:
        """Return the self-normalised estimate for each resample, shape (resamples,)."""
        return self._normalised(resamples, self.rewards)

    def robust(self, resamples: Doubles) -> Doubles:
        """Return what the model expects, mended by the weighted errors that it made on the log."""
        expected: Doubles = resamples @ self.expected / resamples.sum(axis=1)
        return expected + self._normalised(resamples, self.surprises)

    def _normalised(self, resamples: Doubles, values: Doubles) -> Doubles:
        # Each place by itself: where the log agrees more often must not decide which places count.
        weights, weighted = resamples @ self.weights, resamples @ (self.weights * values)
        places = resamples @ self.shown / resamples.sum(axis=1, keepdims=True)
        means = np.divide(weighted, weights, out=np.zeros_like(weighted), where=weights > 0)
        total: Doubles = (places * means).sum(axis=1)
        return total


def _resamples(log: LoggedHints, seed: int) -> Doubles:
    """Return how often each hint counts, shape (1 + resamples, hints): once each at first, then as drawn.

    Poisson bootstrap over clusters: each counts as often as a Poisson variable of mean 1 says.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.poisson(1.0, size=(RESAMPLES, int(log.clusters.max()) + 1)).astype(np.float64)[:, log.clusters]
    # a resample without a single hint can only come up in tiny logs
    return np.vstack([np.ones((1, len(log.clusters))), drawn[drawn.sum(axis=1) > 0]])


def _estimate(valued: _Valued, resamples: Doubles) -> RankingEstimate:
    total, squares = float(valued.weights.sum()), float((valued.weights**2).sum())
    lines = float(valued.shown.sum())
    lines_a_hint = lines / len(valued.shown)
    return RankingEstimate(
        snips=_interval(valued.snips(resamples)),
        doubly_robust=_interval(valued.robust(resamples)),
        effective_hints=total**2 / squares / lines_a_hint if squares > 0 else 0.0,
        support=float(valued.uncut.sum()) / lines if lines > 0 else 0.0,
        cut_share=float((valued.uncut > LARGEST_WEIGHT).sum() / max((valued.uncut > 0).sum(), 1)),
    )


def _interval(estimates: Doubles) -> Estimate:
    low, high = np.quantile(
        estimates[1:] if len(estimates) > 1 else estimates, [0.5 - INTERVAL / 2, 0.5 + INTERVAL / 2]
    )
    return Estimate(float(estimates[0]), float(low), float(high))


def _few_clusters(log: LoggedHints) -> tuple[Verdict, Text] | None:
    clusters = int(log.clusters.max()) + 1
    if clusters >= LEAST_CLUSTERS:
        return None
    return "not enough data", Text(
        f"the hints come from {clusters} days of single persons, {LEAST_CLUSTERS} are needed",
        f"提示只来自 {clusters} 个“人·日”，至少需要 {LEAST_CLUSTERS} 个",
    )


def _judge(
    new: RankingEstimate, current: RankingEstimate, difference: Estimate, snips_difference: Estimate
) -> tuple[Verdict, Text]:
    for name_en, name_zh, each in (("new", "新", new), ("current", "现", current)):
        if each.effective_hints < LEAST_EFFECTIVE_HINTS:
            found, wanted = f"{each.effective_hints:.0f}", f"{LEAST_EFFECTIVE_HINTS:.0f}"
            return "not enough data", Text(
                f"the estimate for the {name_en} ranking rests on {found} hints, {wanted} are needed",
                f"{name_zh}排序的估计只相当于 {found} 条提示，至少需要 {wanted} 条",
            )
        if not LEAST_SUPPORT <= each.support <= MOST_SUPPORT:
            return "not enough data", Text(
                f"the {name_en} ranking shows lines that the log hardly ever could (mean weight {each.support:.2f})",
                f"{name_zh}排序会展示记录中几乎不可能出现的话术（平均权重 {each.support:.2f}）",
            )
    if difference.low > 0 and snips_difference.value > 0:
        return "better", Text("its gain is above zero with 95 % confidence", "其提升在 95% 置信水平下大于零")
    return "not better", Text("its gain may be zero or less", "其提升可能为零或为负")
