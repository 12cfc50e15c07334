"""When to say "no match": a calibrated confidence that a text is an objection the library knows, and its threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SIGNS = ("margin", "lexical_similarity", "dense_similarity", "nearer_than_small_talk")
"""What the confidence is computed from: how far the best type stands above other talk, the nearest row of an objection
by each channel, and how much nearer it is than the nearest line of other talk.

Each speaks for an objection the more the higher it is. Length and the sharpness of the type posterior separate slightly
better on held-out sayings, but with weights that turn short, clear objections away (decision 0010).
"""
WRONG_ABSTENTION = 0.03
"""Share of real objections that may be turned away, on held-out sayings."""
LEAST_EXAMPLES = 30
"""Objections, and other talk, that calibration needs of each."""


@dataclass(frozen=True, slots=True)
class Abstention:
    """Logistic confidence over `SIGNS`, and the confidence below which a question gets no suggestion.

    Attributes
    ----------
    weights : tuple of float, one a sign
    bias : float
    threshold : float
        0 to 1.
    calibrated : bool
        False while there are too few examples; then a cautious rule on the two similarities is used.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float
    calibrated: bool

    @classmethod
    def rule_of_thumb(cls) -> Abstention:
        """Return the rule for libraries too small to calibrate on: a similarity of about 0.2 is wanted."""
        return cls(weights=(0.0, 10.0, 4.0, 0.0), bias=-3.5, threshold=0.5, calibrated=False)

    def confidence(self, signs: Doubles) -> Doubles:
        """Return the confidence of texts with these signs, shape (...,), 0 to 1."""
        confident: Doubles = 1.0 / (1.0 + np.exp(-np.clip(signs @ np.array(self.weights) + self.bias, -30.0, 30.0)))
        return confident

    @classmethod
    def fit(cls, signs: Doubles, is_objection: Bools) -> Abstention:
        """Calibrate on held-out signs.

        Parameters
        ----------
        signs : array, shape (texts, signs)
        is_objection : bool array, shape (texts,)
            False for other talk.
        """
        if min(is_objection.sum(), (~is_objection).sum()) < LEAST_EXAMPLES:
            return cls.rule_of_thumb()
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        # balanced, because the share of small talk in the examples says nothing about its share in use
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        used = np.arange(signs.shape[1])
        while True:
            model.fit(signs[:, used], is_objection)
            speaks_for = model[1].coef_[0] > 0
            if speaks_for.all() or speaks_for.sum() == 0:
                break
            # a nearer row must never lower the confidence: a sign that seems to do so is left out
            used = used[speaks_for]
        folds = StratifiedKFold(10, shuffle=True, random_state=0)
        unseen = cross_val_predict(model, signs[:, used], is_objection, cv=folds, method="predict_proba")[:, 1]
        scaler, logistic = model[0], model[1]
        weights = np.zeros(signs.shape[1])
        weights[used] = logistic.coef_[0] / scaler.scale_
        return cls(
            weights=tuple(weights.tolist()),
            bias=float(logistic.intercept_[0] - weights[used] @ scaler.mean_),
            threshold=float(np.quantile(unseen[is_objection], WRONG_ABSTENTION)),
            calibrated=True,
        )
