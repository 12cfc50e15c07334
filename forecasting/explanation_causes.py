"""Which inputs of the model stand for which cause, and the model's inputs with only some causes changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecasting.explanation_shares import Coalitions
from forecasting.features import Matrix, soft_exp, soft_log
from forecasting.history import Cells

SEASON, HOLIDAYS, CAMPUS, SHOPPING = "season", "holidays", "campus_terms", "shopping_festivals"
RECENT, LEVEL, ZEROS, REST = "recent_demand", "level", "days_without_demand", "rest"
COVARIATE = "covariate"

_JOINT = "covariates_effect"
_OF_COLUMN = re.compile(r"(?P<column>.+?)(?:[+-]\d+|_effect|_last|_mean_\d+|_change)")
_RATIOS = ("weekday_lag_", "weekday_mean_", "lag_")
_OWN = (
    (RECENT, (*_RATIOS, "surprise_")),
    (ZEROS, ("zeros_", "weekday_zeros_", "known_", "days_since_")),
    (LEVEL, ("mean_", "spread_", "log_level")),
    (CAMPUS, ("calendar_campus_",)),
    (SHOPPING, ("calendar_days_from_", "calendar_shopping_")),
    (SEASON, ("calendar_weekday", "calendar_day_of_")),
    (HOLIDAYS, ("calendar_",)),
)
_SAME = 1e-5


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """A group of inputs that is spoken of as one.

    Attributes
    ----------
    kind : str
        One of the constants of this module.
    column : str
        The covariate, where it is one.
    """

    kind: str
    column: str = ""

    @property
    def code(self) -> str:
        """What it is called in answers: the covariate's name, or the kind."""
        return self.column or self.kind


def cause_of(feature: str, columns: Sequence[str]) -> Cause:
    """Return the cause that a feature belongs to.

    Parameters
    ----------
    feature : str
        As in ``Forecaster.inputs``.
    columns : sequence of str
        Covariates of the panel, those that are known up to the present only among them.
    """
    found = _OF_COLUMN.fullmatch(feature)
    if found and found["column"] in columns:
        return Cause(COVARIATE, found["column"])
    for kind, beginnings in _OWN:
        if feature.startswith(beginnings):
            return Cause(kind)
    return Cause(REST)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the model reads for one forecast.

    Attributes
    ----------
    features : float32 array, shape (features,)
        NaN where not known.
    level : float
        Trailing level, in units.
    """

    features: Matrix
    level: float

    def value(self, names: Sequence[str], name: str) -> float:
        """Return one feature; NaN where the model has none of that name."""
        return float(self.features[names.index(name)]) if name in names else float("nan")


@dataclass(frozen=True, slots=True)
class Change:
    """Two inputs of the model and the causes in which they differ: those that do not are left out.

    Attributes
    ----------
    names : tuple of str
        Features, in the order of the columns.
    before, after : Inputs
        Their values.
    causes : tuple of Cause
        Which differ.
    """

    names: tuple[str, ...]
    before: Inputs
    after: Inputs
    causes: tuple[Cause, ...]
    _columns: Mapping[Cause, NDArray[np.int64]] = field(repr=False)
    _ratios: NDArray[np.int64] = field(repr=False)
    _joint: _JointEffect | None = field(repr=False)

    @classmethod
    def between(cls, names: Sequence[str], before: Inputs, after: Inputs, columns: Sequence[str]) -> Change:
        """Return the change from ``before`` to ``after``; ``columns`` are the covariates' names."""
        names = tuple(names)
        differs = (before.features != after.features) & ~(np.isnan(before.features) & np.isnan(after.features))
        joint = _JointEffect.of(names, before, after, columns) if _JOINT in names else None
        ratios = np.array([name.startswith(_RATIOS) for name in names])
        level_moved = before.level != after.level
        # Past demand is told to the model in shares of the level. Where it is the same in units, only the level moved.
        only_level = level_moved and _same_units(before, after, np.flatnonzero(ratios))
        apart = level_moved and not only_level
        groups: dict[Cause, list[int]] = {Cause(LEVEL): []} if level_moved else {}
        if apart:
            groups[Cause(RECENT)] = []
        for place in np.flatnonzero(differs):
            cause = cause_of(names[place], columns)
            if names[place] == _JOINT and joint is not None:
                continue
            if only_level and ratios[place]:
                cause = Cause(LEVEL)
            groups.setdefault(cause, []).append(int(place))
        if joint is not None:
            for cause in joint.parts:
                groups.setdefault(cause, [])
        return cls(
            names,
            before,
            after,
            tuple(sorted(groups)),
            {cause: np.array(places, dtype=np.int64) for cause, places in groups.items()},
            np.flatnonzero(ratios) if apart else np.zeros(0, dtype=np.int64),
            joint,
        )

    def inputs(self, coalitions: Coalitions) -> tuple[Matrix, Cells]:
        """Return features and level for each coalition of causes that have changed while the others have not.

        Parameters
        ----------
        coalitions : bool array, shape (coalitions, causes)
            Which have their new values.
        """
        before, after = self.before, self.after
        features = np.tile(before.features, (len(coalitions), 1))
        level = np.full(len(coalitions), before.level)
        has = {cause: coalitions[:, number] for number, cause in enumerate(self.causes)}
        for cause, changed in has.items():
            columns = self._columns[cause]
            features[np.ix_(changed, columns)] = after.features[columns]
            if cause.kind == LEVEL:
                level[changed] = after.level
        if len(self._ratios):
            self._restate(features, level, has[Cause(RECENT)], has[Cause(LEVEL)])
        if self._joint is not None:
            features[:, self._joint.place] = self._joint.values(has, len(coalitions))
        return features, level

    def _restate(self, features: Matrix, level: Cells, recent: NDArray[np.bool_], moved: NDArray[np.bool_]) -> None:
        """Restate past demand in shares of the other level where only one of both has changed: units stay the same."""
        for changed, source in ((True, self.after), (False, self.before)):
            rows = np.flatnonzero((recent == changed) & (moved != changed))
            units = soft_exp(source.features[self._ratios].astype(np.float64)) * source.level
            features[np.ix_(rows, self._ratios)] = soft_log(units[None, :] / level[rows, None])


def _same_units(before: Inputs, after: Inputs, places: NDArray[np.int64]) -> bool:
    """Return whether past demand is the same in units."""
    then, now = (soft_exp(one.features[places].astype(np.float64)) * one.level for one in (before, after))
    close = _SAME * max(before.level, after.level)
    return bool(np.allclose(then, now, rtol=_SAME, atol=close, equal_nan=True))


@dataclass(frozen=True, slots=True)
class _JointEffect:
    """The feature that sums over all covariates what each is expected to do: every covariate changes its own part."""

    place: int
    before: float
    after: float
    parts: Mapping[Cause, float]

    @classmethod
    def of(cls, names: tuple[str, ...], before: Inputs, after: Inputs, columns: Sequence[str]) -> _JointEffect:
        place = names.index(_JOINT)
        old, new = float(before.features[place]), float(after.features[place])
        parts = {}
        for column in columns:
            change = _expected(names, after, column) - _expected(names, before, column)
            if change != 0.0:
                parts[Cause(COVARIATE, column)] = change
        if old != new and not (parts and np.isclose(sum(parts.values()), new - old, rtol=1e-3, atol=1e-5)):
            # A part cannot be seen in the features: the sum stays whole.
            parts = {Cause(REST): new - old}
        return cls(place, old, new, parts)

    def values(self, has: Mapping[Cause, NDArray[np.bool_]], coalitions: int) -> Cells:
        total = np.full(coalitions, self.before)
        whole = np.ones(coalitions, dtype=bool)
        for cause, change in self.parts.items():
            total += change * has[cause]
            whole &= has[cause]
        # Rounding must not move the two ends.
        return np.where(whole, self.after, total)


def _expected(names: tuple[str, ...], inputs: Inputs, column: str) -> float:
    product = inputs.value(names, f"{column}_effect") * inputs.value(names, f"{column}+0")
    return 0.0 if np.isnan(product) else product
