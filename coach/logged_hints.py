"""Hints that were given, as arrays: what stood where, by which chance, and what it earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from coach.ranking import Candidate, Chooser

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Reward = Literal["adoption", "conversion"]

NOBODY = -1
"""In place of a key where nothing stands."""


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """One line that a hint showed.

    Attributes
    ----------
    key : str
    propensity : float
        How likely the entry was to stand at this place, more than 0, at most 1.
    adopted : bool
        Whether it was used or edited.
    won : bool or None
        Whether the visit was won, of one that was adopted; None when the outcome is not known.
    """

    key: str
    propensity: float
    adopted: bool = False
    won: bool | None = None


@dataclass(frozen=True, slots=True)
class LoggedHint:
    """One hint with what it showed, and what two rankings would have shown in its place.

    Attributes
    ----------
    cluster : str
        Hints of one cluster depend on each other: such as those of one person on one day.
    lines : tuple of LoggedLine
        In the order in which they stood.
    new, current : tuple of str
        Keys that the rankings would have shown, best first.
    """

    cluster: str
    lines: tuple[LoggedLine, ...]
    new: tuple[str, ...]
    current: tuple[str, ...]


def replayed(chooser: Chooser, candidates: Sequence[Candidate], k: int, *, region: str | None) -> tuple[str, ...]:
    """Return the keys that a chooser would have shown; it must leave nothing to chance."""
    return tuple(choice.candidate.key for choice in chooser.choose(candidates, k, region=region))


@dataclass(frozen=True, slots=True, eq=False)
class LoggedHints:
    """The hints as arrays of shape (hints, places); keys are numbers, `NOBODY` where nothing stands.

    Attributes
    ----------
    keys : list of str
    clusters : int array, shape (hints,)
    shown, new, current : int array
    propensities : array
        1 where nothing stands.
    rewards : array
        0 where nothing stands. A conversion is worth more than 1: one over the share of adopted lines whose outcome is
        known, so that those not known yet are made up for by those that are (missing at random).
    """

    keys: list[str]
    clusters: Ints
    shown: Ints
    new: Ints
    current: Ints
    propensities: Doubles
    rewards: Doubles

    @classmethod
    def of(cls, hints: Sequence[LoggedHint], reward: Reward) -> LoggedHints:
        """Return the arrays."""
        lists = [[tuple(line.key for line in hint.lines), hint.new, hint.current] for hint in hints]
        keys = sorted({key for each in lists for keys in each for key in keys})
        numbers = {key: number for number, key in enumerate(keys)}
        places = max(1, *(len(each) for hint in lists for each in hint))
        arrays = np.full((3, len(hints), places), NOBODY, dtype=np.int64)
        propensities, rewards = np.ones((len(hints), places)), np.zeros((len(hints), places))
        worth = 1.0 if reward == "adoption" else 1 / max(known_share(hints), 1e-9)
        for row, (hint, each) in enumerate(zip(hints, lists, strict=True)):
            for which, names in enumerate(each):
                arrays[which, row, : len(names)] = [numbers[name] for name in names]
            for place, line in enumerate(hint.lines):
                propensities[row, place] = line.propensity
                earned = line.adopted if reward == "adoption" else line.adopted and line.won is True
                rewards[row, place] = worth * earned
        clusters = np.unique([hint.cluster for hint in hints], return_inverse=True)[1].astype(np.int64)
        return cls(keys, clusters, arrays[0], arrays[1], arrays[2], propensities, rewards)


def known_share(hints: Sequence[LoggedHint]) -> float:
    """Return the share of adopted lines whose outcome is known; 1 when none was adopted."""
    adopted = [line for hint in hints for line in hint.lines if line.adopted]
    return sum(line.won is not None for line in adopted) / len(adopted) if adopted else 1.0
