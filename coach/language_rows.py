"""All rows of one language, and what they make of a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coach.abstention import Abstention
from coach.dense import DenseChannel
from coach.lexical import LexicalChannel
from coach.normalise import normalise
from coach.posterior import TypePosterior
from coach.ranking import TypeWeights, entry_evidence, z_scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CANDIDATE_ROWS = 256
"""Nearest rows that each channel contributes to a ranking."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Which texts are searched, and what they belong to.

    Attributes
    ----------
    texts : tuple of str
        Normalised: the rows of the entries, entry by entry, then the other talk.
    shown : tuple of str
        The same texts as they were written.
    is_saying : bool array, shape (texts,)
        True for what customers say, False for descriptions and other talk.
    starts : int array, shape (entries,)
        First row of each entry; entries are ordered by type.
    types : tuple of str, length entries
        Objection type of each entry.
    entry_rows : int
        Rows that belong to entries; what follows is other talk.
    """

    texts: tuple[str, ...]
    shown: tuple[str, ...]
    is_saying: Bools
    starts: Ints
    types: tuple[str, ...]
    entry_rows: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The types in the order of the entries, each once."""
        return tuple(dict.fromkeys(self.types))

    @property
    def type_starts(self) -> Ints:
        """First entry of each type."""
        return np.array([self.types.index(code) for code in self.classes], dtype=np.int64)

    @property
    def row_entries(self) -> Ints:
        """Entry of each entry row, shape (entry_rows,)."""
        counts = np.diff(np.append(self.starts, self.entry_rows))
        return np.repeat(np.arange(len(self.starts)), counts)


@dataclass(frozen=True, slots=True)
class Matches:
    """The evidence of one question for every entry of a language.

    Attributes
    ----------
    evidence : array, shape (entries,)
        0 where nothing speaks for the entry.
    best_row : int array, shape (entries,)
        The saying that speaks loudest for it; -1 for none.
    lexical, dense : float
        Highest similarity of any row, 0 to 1 and -1 to 1.
    """

    evidence: Doubles
    best_row: Ints
    lexical: float
    dense: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What a customer probably means.

    Attributes
    ----------
    probabilities : array, shape (types,)
        In the order of ``classes``; they sum to 1.
    confidence : float
        That it is an objection the library knows at all, 0 to 1.
    """

    probabilities: Doubles
    confidence: float


class LanguageRows:
    """The channels of one language with what was learned on them. Reading it from many threads is safe."""

    def __init__(
        self,
        plan: RowPlan,
        channels: tuple[DenseChannel, LexicalChannel],
        posterior: TypePosterior,
        *,
        weights: TypeWeights,
        abstention: Abstention,
    ) -> None:
        self.plan = plan
        self.dense, self.lexical = channels
        self.posterior = posterior
        self.weights = weights
        self.abstention = abstention
        self.classes = plan.classes
        self._row_entries = plan.row_entries
        self._type_starts = plan.type_starts
        self._other = np.arange(len(plan.texts)) >= plan.entry_rows

    def listen(self, text: str, vector: Floats) -> Heard:
        """Return what a normalised text with this query vector probably means."""
        weighed = self.lexical.weigh(text)
        matches = self._match(weighed, vector, np.ones(len(self.plan.starts), dtype=np.bool_))
        scores = self.posterior.scores(vector, weighed).astype(np.float64)
        evidence = np.maximum.reduceat(matches.evidence, self._type_starts)
        probabilities = self.weights.probabilities(scores[:-1], evidence)
        signs = signs_of(scores, matches)
        return Heard(probabilities, float(self.abstention.confidence(signs)))

    def match(self, text: str, vector: Floats, allowed: Bools) -> Matches:
        """Return the evidence of a normalised text for the ``allowed`` entries, shape (entries,)."""
        return self._match(self.lexical.weigh(text), vector, allowed)

    def _match(self, weighed: csr_matrix, vector: Floats, allowed: Bools) -> Matches:
        entry_rows = self.plan.entry_rows
        open_rows = ~self._other
        open_rows[:entry_rows] = allowed[self._row_entries]
        lexical = self.lexical.scores(weighed)
        rows = self._candidates(lexical, vector, open_rows)
        dense = self.dense.similarities(vector, rows)
        share = self.posterior.dense_weight
        fused = np.zeros(entry_rows)
        fused[rows] = share * z_scores(dense.astype(np.float64), *self.dense.spread(vector)) + (1 - share) * z_scores(
            lexical[rows].astype(np.float64), float(lexical.mean()), float(lexical.std())
        )
        evidence = entry_evidence(fused, self.plan.starts)
        best = np.full(len(evidence), -1, dtype=np.int64)
        # written worst first, so that the loudest saying of an entry stays
        sayings = rows[self.plan.is_saying[rows]]
        for row in sayings[np.argsort(fused[sayings], kind="stable")]:
            best[self._row_entries[row]] = row
        found = len(rows) > 0
        return Matches(
            evidence, best, float(lexical[rows].max()) if found else 0.0, float(dense.max()) if found else 0.0
        )

    def _candidates(self, lexical: Floats, vector: Floats, open_rows: Bools) -> Ints:
        near = self.dense.nearest(vector, CANDIDATE_ROWS, open_rows)
        hits = np.flatnonzero((lexical > 0) & open_rows)
        if len(hits) > CANDIDATE_ROWS:
            hits = hits[np.argpartition(-lexical[hits], CANDIDATE_ROWS)[:CANDIDATE_ROWS]]
        return np.union1d(near, hits).astype(np.int64)


def signs_of(scores: Doubles, matches: Matches) -> Doubles:
    """Return the signs of one text in the order of `coach.abstention.SIGNS`."""
    return np.array([scores[:-1].max() - scores[-1], matches.lexical, matches.dense])


def plan_rows(entries: Sequence[tuple[str, Sequence[str], Sequence[str]]], other_talk: Sequence[str]) -> RowPlan:
    """Lay out the rows of one language.

    Parameters
    ----------
    entries : sequence of (objection type, sayings, descriptions)
        Ordered by type; every entry has a saying or a description.
    other_talk : sequence of str
        What people say that is no objection.
    """
    shown: list[str] = []
    is_saying: list[bool] = []
    starts: list[int] = []
    for _, sayings, descriptions in entries:
        starts.append(len(shown))
        shown += [*sayings, *descriptions]
        is_saying += [True] * len(sayings) + [False] * len(descriptions)
    entry_rows = len(shown)
    shown += other_talk
    is_saying += [False] * len(other_talk)
    return RowPlan(
        texts=tuple(normalise(text) for text in shown),
        shown=tuple(shown),
        is_saying=np.array(is_saying, dtype=np.bool_),
        starts=np.array(starts, dtype=np.int64),
        types=tuple(code for code, _, _ in entries),
        entry_rows=entry_rows,
    )
