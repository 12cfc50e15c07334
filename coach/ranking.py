"""Evidence for entries and types, and the choice of suggestions out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AGREEMENT_CREDIT = 0.3
"""What the mean of an entry's rows adds to its best row."""
REPEATED_TYPE = 0.25
"""What a further suggestion of a type already shown is worth, against the first one of that type."""
LEAST_TYPE_PROBABILITY = 0.02
"""Entries of a less likely type are never shown, not even to fill up."""


def entry_evidence(z_scores: Doubles, starts: Ints) -> Doubles:
    """Return the evidence for each entry: its best row, plus a small credit when its other rows agree.

    Parameters
    ----------
    z_scores : array, shape (..., rows)
        How unusual the similarity of each row is, in standard deviations; rows of one entry stand together.
    starts : int array, shape (entries,)
        First row of each entry.

    Returns
    -------
    array, shape (..., entries)
        Never negative: a row below the average says nothing.
    """
    positive = np.maximum(z_scores, 0.0)
    counts = np.diff(np.append(starts, positive.shape[-1]))
    best = np.maximum.reduceat(positive, starts, axis=-1)
    return best + AGREEMENT_CREDIT * np.add.reduceat(positive, starts, axis=-1) / counts


def z_scores(similarities: Doubles, mean: float, deviation: float) -> Doubles:
    """Return similarities in standard deviations above the mean; 0 where all rows are alike."""
    return (similarities - mean) / deviation if deviation > 1e-9 else np.zeros_like(similarities)


@dataclass(frozen=True, slots=True)
class TypeWeights:
    """How the posterior's score and the evidence of the best entry make the probability of a type.

    The two weights are those of a conditional logit model (McFadden 1974) with the types as alternatives.

    Attributes
    ----------
    posterior, evidence : float
        Not negative.
    """

    posterior: float = 8.0
    evidence: float = 0.3

    def probabilities(self, scores: Doubles, evidence: Doubles) -> Doubles:
        """Return probabilities that sum to 1 over the last axis; both arrays have shape (..., types)."""
        utility = self.posterior * scores + self.evidence * evidence
        utility = np.exp(utility - utility.max(axis=-1, keepdims=True))
        shares: Doubles = utility / utility.sum(axis=-1, keepdims=True)
        return shares

    @classmethod
    def fit(cls, scores: Doubles, evidence: Doubles, labels: Ints) -> TypeWeights:
        """Return the most likely weights, given scores and evidence of held-out sayings, shape (sayings, types)."""
        from scipy.optimize import minimize

        chosen = np.arange(len(labels)), labels

        def loss(weights: Doubles) -> float:
            shares = cls(*weights).probabilities(scores, evidence)
            return float(-np.log(np.maximum(shares[chosen], 1e-12)).mean())

        start = cls()
        found = minimize(loss, (start.posterior, start.evidence), method="L-BFGS-B", bounds=[(0.0, 60.0), (0.0, 10.0)])
        return cls(float(found.x[0]), float(found.x[1]))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that passed the filters.

    Attributes
    ----------
    position : int
        Where it stands in the index.
    objection_type, approach : str
        What it answers, and how.
    type_probability : float
        How likely the customer means its type.
    closeness : float
        Its evidence relative to the best entry of its type, more than 0, at most 1.
    """

    position: int
    objection_type: str
    approach: str
    type_probability: float
    closeness: float

    @property
    def score(self) -> float:
        """Probability of the type times closeness within it, 0 to 1."""
        return self.type_probability * self.closeness


def choose(candidates: Sequence[Candidate], k: int) -> list[Candidate]:
    """Return up to ``k`` candidates of different approach, best first.

    Greedy intent-aware choice (after xQuAD, Santos, Macdonald & Ounis 2010): each further entry of a type already
    shown counts less, so that an uncertain type leaves room for the second most likely one, and a clear one does not.
    Ties are broken by position, so that equal input gives equal output.
    """
    left = [candidate for candidate in candidates if candidate.type_probability >= LEAST_TYPE_PROBABILITY]
    shown: dict[str, int] = {}
    chosen: list[Candidate] = []
    while left and len(chosen) < k:
        best = max(left, key=lambda c: (c.score * REPEATED_TYPE ** shown.get(c.objection_type, 0), -c.position))
        chosen.append(best)
        shown[best.objection_type] = shown.get(best.objection_type, 0) + 1
        approaches = {(c.objection_type, c.approach) for c in chosen}
        left = [c for c in left if (c.objection_type, c.approach) not in approaches]
    return chosen
