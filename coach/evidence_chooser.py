"""The choice of suggestions with what use says about them, and a little exploration (Thompson sampling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coach.evidence import EntryRates
from coach.ranking import LEAST_TYPE_PROBABILITY, REPEATED_TYPE, Candidate, Choice
from common.errors import InvalidInput

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DRAWS = 256
"""Draws from the posteriors that one refresh makes; a question that is explored takes one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorTable:
    """What the evidence makes of the score of each entry: by the posterior means, and by joint draws.

    The draws are made once for many questions, which makes the propensities exact: a question that is explored picks
    one of the draws with equal chance, so the share of draws under which a line stands at a place is its probability.

    Attributes
    ----------
    rows : mapping of (key, region or None) to int
    usual : array, shape (rows + 1,)
        The last one is for entries that the rates do not know: 1.
    drawn : float32 array, shape (draws, rows + 1)
    """

    rows: Mapping[tuple[str, str | None], int]
    usual: Doubles
    drawn: Floats

    @classmethod
    def of(cls, rates: EntryRates, rng: np.random.Generator, *, draws: int = DRAWS) -> FactorTable:
        """Return the table of the rates."""
        drawn = np.hstack([rates.draw_factors(draws, rng), np.ones((draws, 1), dtype=np.float32)])
        return cls(rates.rows, np.append(rates.factors(), 1.0), drawn)

    def on_trial(self) -> FactorTable:
        """Return a table under which the evidence has no say but in the questions that are explored.

        The log then tells whether the evidence would do better than the plain ranking, before it is switched on.
        """
        return replace(self, usual=np.ones_like(self.usual))

    def rows_of(self, candidates: Sequence[Candidate], region: str | None) -> Ints:
        """Return the row of each candidate: in the region where it has one, else in all regions together."""
        find, unknown = self.rows.get, len(self.usual) - 1
        if region is None:
            return np.array([find((c.key, None), unknown) for c in candidates], dtype=np.int64)
        return np.array([find((c.key, region), find((c.key, None), unknown)) for c in candidates], dtype=np.int64)


class EvidenceChooser:
    """The greedy choice by score times evidence; a share of the questions is explored. Safe for any number of threads.

    Thompson sampling (Thompson 1933; Chapelle & Li 2011): an explored question takes rates drawn from their posteriors
    in place of the means, so that a line about which little is known gets its chance as often as it may be the best.

    Parameters
    ----------
    table : FactorTable
    exploration : float
        Share of the questions that are explored, 0 to 1.
    rng : numpy Generator, optional
        Decides which questions are explored, and by which draw.

    Raises
    ------
    InvalidInput
        When the share is out of range.
    """

    def __init__(self, table: FactorTable, *, exploration: float = 0.0, rng: np.random.Generator | None = None) -> None:
        if not 0 <= exploration <= 1:
            raise InvalidInput.at("/exploration", "must lie between 0 and 1", "须在 0 到 1 之间")
        self._table = table
        self._exploration = exploration
        self._rng = rng or np.random.default_rng()

    def choose(self, candidates: Sequence[Candidate], k: int, *, region: str | None) -> list[Choice]:
        """Return up to ``k`` choices by the rule of `coach.ranking.choose`, best first.

        Each propensity is the probability, over the chance of exploration and of the draw, that this candidate stands
        at this place.
        """
        left = sorted((c for c in candidates if c.type_probability >= LEAST_TYPE_PROBABILITY), key=lambda c: c.position)
        if not left or k < 1:
            return []
        scores = np.array([candidate.score for candidate in left])
        worth = _worth_after(left)
        rows = self._table.rows_of(left, region)
        usual = _greedy((scores * self._table.usual[rows])[None], worth, k)[0]
        if self._exploration == 0:
            return [Choice(left[at]) for at in usual]
        lists = _greedy(scores * self._table.drawn[:, rows], worth, k)
        explored = self._rng.random() < self._exploration
        shown = lists[self._rng.integers(len(lists))] if explored else usual
        chances = self._exploration * (lists == shown).mean(axis=0) + (1 - self._exploration) * (usual == shown)
        return [Choice(left[at], float(chance)) for at, chance in zip(shown, chances, strict=True)]


def _worth_after(candidates: Sequence[Candidate]) -> Doubles:
    """Return what choosing the candidate of a row leaves of the score of each column, shape (n, n).

    Nothing of one with the same type and approach, `REPEATED_TYPE` of one with the same type.
    """
    types = _numbered([candidate.objection_type for candidate in candidates])
    pairs = _numbered([(candidate.objection_type, candidate.approach) for candidate in candidates])
    worth = np.where(types[:, None] == types, REPEATED_TYPE, 1.0)
    worth[pairs[:, None] == pairs] = 0.0
    return worth


def _numbered(names: Sequence[object]) -> Ints:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _greedy(values: Doubles, worth: Doubles, k: int) -> Ints:
    """Return for each row of ``values`` the chosen columns, best first, shape (rows, up to k).

    Columns stand by position, and the first of equal values is taken: ties are broken as `coach.ranking.choose` does.
    Each choice leaves nothing of its own pair of type and approach, so there are as many choices as pairs at most.
    """
    values = np.array(values, dtype=np.float64)
    chosen = [values.argmax(axis=1)]
    for _ in range(k - 1):
        values *= worth[chosen[-1]]
        if not (values[0] > 0).any():
            break
        chosen.append(values.argmax(axis=1))
    return np.stack(chosen, axis=1)
