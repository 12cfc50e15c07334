"""Which objection a customer means: two linear classifiers, one on the vector and one on words and characters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from coach.lexical import Weighed

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_TRAINING_ROWS = 24_000
"""Rows that the heads are fitted on at most, spread evenly."""
LEAST_ROWS = 2
"""Rows that a lexical feature must stand in to get a weight."""
_DENSE_C = 10.0
_LEXICAL_C = 10.0
MOST_STEPS = 60
"""Of the solver; more change nothing that the held-out sayings notice."""
# scikit-learn compares it with the gradient of the mean loss, which is small from the start when rows are many
_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A multinomial logistic regression.

    Attributes
    ----------
    weights : float32 array, shape (features, classes)
    bias : float32 array, shape (classes,)
    """

    weights: Floats
    bias: Floats

    @classmethod
    def fit(cls, samples: Floats | csr_matrix, labels: Ints, classes: int, *, strength: float) -> LinearHead:
        """Fit on samples of shape (rows, features), every class weighing the same.

        Classes without a sample get a bias that rules them out.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        present = np.unique(labels)
        weights = np.zeros((samples.shape[1], classes), dtype=np.float32)
        bias = np.full(classes, -30.0, dtype=np.float32)
        if len(present) == 1:
            bias[present] = 0.0
            return cls(weights, bias)
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=MOST_STEPS, tol=_TOLERANCE)
        with warnings.catch_warnings():
            # stopping before the end is meant
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(samples, labels)
        # two classes come as one column
        coefficients = model.coef_ if len(present) > 2 else np.vstack([-model.coef_, model.coef_]) / 2
        intercepts = model.intercept_ if len(present) > 2 else np.array([-1.0, 1.0]) * model.intercept_[0] / 2
        weights[:, present], bias[present] = coefficients.T, intercepts
        return cls(weights, bias)


@dataclass(frozen=True, slots=True)
class TypeHeads:
    """Log-probabilities of the classes by each channel.

    Attributes
    ----------
    dense, lexical : LinearHead
    """

    dense: LinearHead
    lexical: LinearHead

    @classmethod
    def fit(cls, vectors: Floats, weighed: csr_matrix, labels: Ints, classes: int) -> TypeHeads:
        """Fit both heads on rows of shape (rows, dimension) and (rows, features)."""
        # a feature of one row alone teaches nothing about another one, and there are many of them
        shared = np.bincount(weighed.indices, minlength=weighed.shape[1]) >= LEAST_ROWS
        chosen = np.arange(len(labels))
        if len(labels) > MOST_TRAINING_ROWS:
            chosen = np.linspace(0, len(labels) - 1, MOST_TRAINING_ROWS).round().astype(np.int64)
        dense = LinearHead.fit(vectors[chosen], labels[chosen], classes, strength=_DENSE_C)
        lexical = LinearHead.fit(weighed[chosen][:, shared], labels[chosen], classes, strength=_LEXICAL_C)
        weights = np.zeros((len(shared), classes), dtype=np.float32)
        weights[shared] = lexical.weights
        return cls(dense, LinearHead(weights, lexical.bias))

    def log_probabilities(self, vector: Floats, weighed: Weighed) -> Doubles:
        """Return log-probabilities by the dense and the lexical head, shape (2, classes)."""
        dense = vector @ self.dense.weights + self.dense.bias
        lexical = weighed.weights @ self.lexical.weights[weighed.columns] + self.lexical.bias
        scores = np.stack([dense, lexical]).astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        return cast(Doubles, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))
