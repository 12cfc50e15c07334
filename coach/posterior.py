"""Which objection a customer means: kernel ridge regression over the dense and the lexical similarities.

Ridge regression is chosen over logistic regression because leaving out a whole library entry then has a closed form
(the block version of the PRESS statistic), so that every weight and threshold can be set on entries the model has not
seen, at the price of a single fit. Measured in decision 0010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OTHER = "other_talk"
"""Class of what is no objection."""
_BIAS = 0.1
_DENSE_WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8)
_RIDGES = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class TypePosterior:
    """Linear scores of the objection types from a question's vector and its weighed lexical features.

    Attributes
    ----------
    classes : tuple of str
        Type codes; the last is `OTHER`.
    dense_weight : float
        Share of the dense channel in the kernel, 0 to 1.
    dense, lexical : float32 arrays, shapes (dimension, classes) and (features, classes)
        The linear map.
    bias : float32 array, shape (classes,)
        Score of an empty text.
    """

    classes: tuple[str, ...]
    dense_weight: float
    dense: Floats
    lexical: Floats
    bias: Floats

    def scores(self, vector: Floats, weighed: csr_matrix) -> Floats:
        """Return the score of each class, shape (classes,); about 1 for a clear case and 0 for none."""
        lexical = weighed.data @ self.lexical[weighed.indices]
        scores: Floats = vector @ self.dense + lexical + self.bias
        return scores


@dataclass(frozen=True, slots=True)
class Samples:
    """What a posterior is fitted on: rows of one language.

    Attributes
    ----------
    vectors : float32 array, shape (rows, dimension)
    weighed : csr_matrix, shape (rows, features)
    labels : int array, shape (rows,)
        Position in ``classes``.
    groups : int array, shape (rows,)
        Rows of one group (one library entry) are held out together.
    judged : int array
        Rows on which weights are chosen: the ways customers say an objection.
    classes : tuple of str
        Type codes; the last is `OTHER`.
    """

    vectors: Floats
    weighed: csr_matrix
    labels: Ints
    groups: Ints
    judged: Ints
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """Scores of the training rows by a posterior that has not seen them, each of shape (rows, classes).

    Attributes
    ----------
    by_group : array
        With the row's whole group left out: how a new kind of case would be understood.
    by_row : array
        With the row alone left out: how one more saying of the known cases would be understood.
    """

    by_group: Doubles
    by_row: Doubles


def fit_posterior(samples: Samples) -> tuple[TypePosterior, HeldOutScores]:
    """Fit the posterior, and return with it the scores of every row when it, or its group, is left out.

    The weight of the dense channel and the ridge are those with the best mean reciprocal rank on left-out groups.

    Returns
    -------
    posterior : TypePosterior
    held_out : HeldOutScores
    """
    lexical_kernel = (samples.weighed @ samples.weighed.T).toarray().astype(np.float64)
    dense_kernel = (samples.vectors @ samples.vectors.T).astype(np.float64)
    targets = np.eye(len(samples.classes))[samples.labels]
    blocks = [np.flatnonzero(samples.groups == group) for group in np.unique(samples.groups)]
    best: tuple[float, float, Doubles, HeldOutScores] | None = None
    for dense_weight in _DENSE_WEIGHTS:
        kernel = dense_weight * dense_kernel + (1 - dense_weight) * lexical_kernel + _BIAS
        for ridge in _RIDGES:
            dual, held_out = _solve(kernel, ridge, targets, blocks)
            quality = mean_reciprocal_rank(held_out.by_group[samples.judged, :-1], samples.labels[samples.judged])
            if best is None or quality > best[0]:
                best = (quality, dense_weight, dual, held_out)
    assert best is not None  # the grids are not empty
    _, dense_weight, dual, held_out = best
    return _linear_map(samples, dense_weight, dual), held_out


def mean_reciprocal_rank(scores: Doubles, labels: Ints) -> float:
    """Return the mean of 1 / rank of the right column; 0 when there are no rows. Ties count against it."""
    if len(labels) == 0:
        return 0.0
    right = scores[np.arange(len(labels)), labels]
    ranks = (scores >= right[:, None]).sum(axis=1)
    return float((1.0 / ranks).mean())


def _solve(kernel: Doubles, ridge: float, targets: Doubles, blocks: Sequence[Ints]) -> tuple[Doubles, HeldOutScores]:
    inverse = _inverse(kernel + ridge * np.eye(len(kernel)))
    dual = inverse @ targets
    by_group = np.empty_like(dual)
    for block in blocks:
        by_group[block] = targets[block] - np.linalg.solve(inverse[np.ix_(block, block)], dual[block])
    by_row = targets - dual / np.diag(inverse)[:, None]
    return dual, HeldOutScores(by_group, by_row)


def _inverse(matrix: Doubles) -> Doubles:
    """Return the inverse of a symmetric positive definite matrix, which is overwritten.

    LAPACK's pair for this (potrf, potri) needs less than half the work of solving for the identity.
    """
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    if failed == 0:
        half, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed != 0:
        raise ArithmeticError(f"the kernel matrix is not positive definite (LAPACK says {failed})")
    inverse: Doubles = np.tril(half) + np.tril(half, -1).T
    return inverse


def _linear_map(samples: Samples, dense_weight: float, dual: Doubles) -> TypePosterior:
    return TypePosterior(
        classes=samples.classes,
        dense_weight=dense_weight,
        dense=(dense_weight * samples.vectors.T @ dual).astype(np.float32),
        lexical=((1 - dense_weight) * (samples.weighed.T @ dual)).astype(np.float32),
        bias=(_BIAS * dual.sum(axis=0)).astype(np.float32),
    )
