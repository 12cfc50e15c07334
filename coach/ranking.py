"""Evidence for entries and types, and the choice of suggestions out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

AGREEMENT_CREDIT = 0.3
"""What the mean of an entry's rows adds to its best row."""
REPEATED_TYPE = 0.25
"""What a further suggestion of a type already shown is worth, against the first one of that type."""
LEAST_TYPE_PROBABILITY = 0.02
"""Entries of a less likely type are never shown, not even to fill up."""


def evidence_for(z_scores: Doubles, owners: Ints, row_counts: Ints) -> Doubles:
    """Return the evidence for each owner of rows: its best row, plus a small credit when its other rows agree.

    Parameters
    ----------
    z_scores : array, shape (found rows,)
        How unusual the similarity of each row is, in standard deviations; never negative in effect: a row below the
        average says nothing.
    owners : int array, shape (found rows,)
        Whose row it is.
    row_counts : int array, shape (owners,)
        How many rows each owner has, found or not.

    Returns
    -------
    array, shape (owners,)
    """
    positive = np.maximum(z_scores, 0.0)
    best = np.zeros(len(row_counts))
    np.maximum.at(best, owners, positive)
    total = np.bincount(owners, weights=positive, minlength=len(row_counts))
    return best + AGREEMENT_CREDIT * total / np.maximum(row_counts, 1)


def z_scores(similarities: Doubles, mean: float, deviation: float) -> Doubles:
    """Return similarities in standard deviations above the mean; 0 where all rows are alike."""
    return (similarities - mean) / deviation if deviation > 1e-9 else np.zeros_like(similarities)


@dataclass(frozen=True, slots=True)
class TypeWeights:
    """How the signs for a type make its probability.

    The weights are those of a conditional logit model (McFadden 1974) with the types, and other talk, as alternatives.

    Attributes
    ----------
    dense, lexical : float
        Of the log-probabilities by the two heads; not negative.
    evidence : float
        Of the best row of the type, in standard deviations; not negative.
    """

    dense: float = 0.6
    lexical: float = 0.4
    evidence: float = 0.3

    def utilities(self, signs: Doubles) -> Doubles:
        """Return the utility of each class; ``signs`` has shape (..., 3, classes): dense, lexical, evidence."""
        weighed: Doubles = np.einsum("s,...sc->...c", np.array([self.dense, self.lexical, self.evidence]), signs)
        return weighed

    @classmethod
    def fit(cls, signs: Doubles, right: Bools) -> TypeWeights:
        """Return the most likely weights.

        Parameters
        ----------
        signs : array, shape (sayings, 3, classes)
            Of held-out sayings.
        right : bool array, shape (sayings, classes)
            The right class of each; several where it is only known to be one of them.
        """
        from scipy.optimize import minimize
        from scipy.special import logsumexp

        def loss(weights: Doubles) -> float:
            utilities = cls(*weights).utilities(signs)
            return float((logsumexp(utilities, axis=1) - logsumexp(utilities, axis=1, b=right)).mean())

        start = cls()
        first = (start.dense, start.lexical, start.evidence)
        found = minimize(loss, first, method="L-BFGS-B", bounds=[(0.0, 10.0)] * 3)
        return cls(*(float(weight) for weight in found.x))


def probabilities(utilities: Doubles) -> Doubles:
    """Return shares that sum to 1 over the last axis."""
    raised = np.exp(utilities - utilities.max(axis=-1, keepdims=True))
    shares: Doubles = raised / raised.sum(axis=-1, keepdims=True)
    return shares


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that passed the filters.

    Attributes
    ----------
    position : int
        Where it stands in the index.
    key : str
        The entry's key.
    objection_type, approach : str
        What it answers, and how.
    type_probability : float
        How likely the customer means its type.
    closeness : float
        Its evidence relative to the best entry of its type, more than 0, at most 1.
    """

    position: int
    key: str
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


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate.

    Attributes
    ----------
    candidate : Candidate
    propensity : float
        How likely it was to be shown at this place, more than 0, at most 1; 1 when nothing is left to chance.
    """

    candidate: Candidate
    propensity: float = 1.0


class Chooser(Protocol):
    """Decides which candidates are shown, and in which order."""

    def choose(self, candidates: Sequence[Candidate], k: int, *, region: str | None) -> list[Choice]:
        """Return up to ``k`` choices, best first."""
        ...


class PlainChooser:
    """The greedy choice by score, without evidence from use and without chance."""

    def choose(self, candidates: Sequence[Candidate], k: int, *, region: str | None) -> list[Choice]:
        """Return up to ``k`` choices, best first; the region makes no difference."""
        return [Choice(candidate) for candidate in choose(candidates, k)]
