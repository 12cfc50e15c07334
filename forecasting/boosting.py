"""Gradient-boosted trees: the one place that knows scikit-learn.

Source of the method: histogram gradient boosting as in LightGBM (Ke et al., 2017), scikit-learn's implementation.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput
from forecasting.features import Matrix

Loss = Literal["squared_error", "absolute_error", "poisson", "quantile"]
MAX_CATEGORIES = 255
"""Histogram boosting takes at most this many values of a category; more are read as plain numbers."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How trees are grown.

    Attributes
    ----------
    iterations : int
        Number of trees, 1 … 5000.
    learning_rate : float
        Shrinkage of each tree, 0 < rate ≤ 1.
    leaves : int
        Leaves of a tree, 2 … 1024.
    min_leaf_rows : int
        Rows a leaf keeps at least; lowered on small tables.
    l2 : float
        L2 penalty on leaf values.
    feature_share : float
        Share of the features tried at each split, 0 < share ≤ 1.

    Raises
    ------
    InvalidInput
        When a value lies outside its range.
    """

    iterations: int = 300
    learning_rate: float = 0.06
    leaves: int = 31
    min_leaf_rows: int = 20
    l2: float = 1.0
    feature_share: float = 1.0

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "iterations": (1, 5000),
            "learning_rate": (1e-6, 1),
            "leaves": (2, 1024),
            "min_leaf_rows": (1, 1_000_000),
            "l2": (0, 1e9),
            "feature_share": (1e-6, 1),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput.at(
                    f"/trees/{name}", f"{name} must lie in {low} to {high}", f"{name} 必须在 {low} 到 {high} 之间"
                )


def fit_trees(
    features: Matrix,
    target: NDArray[np.float64],
    *,
    categorical: list[int],
    loss: Loss,
    settings: TreeSettings,
    quantile: float | None = None,
    weight: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Any:
    """Return a fitted regressor; the same input and seed give the same one.

    Parameters
    ----------
    features : float32 array, shape (rows, features)
        NaN is a value of its own; no column may be all NaN.
    target : float array, shape (rows,)
        Finite.
    categorical : list of int
        Columns that hold numbers of categories.
    loss : str
        ``squared_error``, ``absolute_error``, ``poisson`` (of a mean that is never negative) or ``quantile``.
    settings : TreeSettings
        How trees are grown.
    quantile : float, optional
        For the quantile loss.
    weight : float array, shape (rows,), optional
        What each row counts.
    seed : int
        Of the feature sampling.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    # The largest category code decides, not the count: scikit-learn refuses codes beyond its bins.
    usable = [column for column in categorical if np.nanmax(features[:, column]) < MAX_CATEGORIES]
    model = HistGradientBoostingRegressor(
        loss=loss,
        quantile=quantile,
        max_iter=settings.iterations,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=max(1, min(settings.min_leaf_rows, len(features) // 20)),
        l2_regularization=settings.l2,
        max_features=settings.feature_share,
        categorical_features=usable or None,
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(features, target, sample_weight=weight)


def fit_limited(features: Matrix, target: NDArray[np.float64], how: dict[str, Any], threads: int) -> Any:
    """Return :func:`fit_trees` with the keywords ``how``, on at most ``threads`` threads; a task of its own."""
    with Threads(threads):
        return fit_trees(features, target, **how)


class Threads:
    """Limits the threads of tree fitting and prediction while it is entered.

    Parameters
    ----------
    number : int
        Threads allowed, at least 1.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._limits: Any = None

    def __enter__(self) -> None:
        # OpenMP is loaded with scikit-learn; before that there is nothing that could be limited.
        import sklearn.ensemble  # noqa: F401
        from threadpoolctl import threadpool_limits

        self._limits = threadpool_limits(limits=self._number)
        self._limits.__enter__()

    def __exit__(self, *problem: object) -> None:
        self._limits.__exit__(*problem)


def dump_models(learned: object) -> bytes:
    """Return ``learned`` packed with joblib, which stores the models' arrays compactly."""
    import joblib

    target = io.BytesIO()
    joblib.dump(learned, target, compress=3)
    return target.getvalue()


def load_models(payload: bytes) -> object:
    """Return what :func:`dump_models` packed; only for payloads that this installation wrote (a pickle runs code)."""
    import joblib

    learned: object = joblib.load(io.BytesIO(payload))
    return learned


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that a saved model depends on."""
    import pandas as pd
    import sklearn

    return {"scikit-learn": str(sklearn.__version__), "numpy": np.__version__, "pandas": pd.__version__}
