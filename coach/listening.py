"""What a customer probably means, and which rows say so: both channels, the heads, and the calibrated confidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coach.abstention import Abstention
from coach.dense import DenseIndex
from coach.heads import TypeHeads
from coach.lexical import LexicalIndex, Weighed
from coach.ranking import TypeWeights, evidence_for, probabilities, z_scores
from coach.rows import RowTable

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

CANDIDATE_ROWS = 64
"""Nearest rows that each channel contributes."""
NEIGHBOURS = 5
"""Nearest rows on each side whose mean says whether objections or other talk are nearer."""


@dataclass(frozen=True, slots=True)
class Said:
    """A question, ready to be compared.

    Attributes
    ----------
    text : str
        Normalised.
    language : int
        Position in `coach.entry.LANGUAGES`.
    vector : float32 array, shape (dimension,)
    weighed : Weighed
    """

    text: str
    language: int
    vector: Floats
    weighed: Weighed


@dataclass(frozen=True, slots=True)
class NearRows:
    """Rows near a question, in no order.

    Attributes
    ----------
    rows : int array, shape (found,)
    scores : array, shape (found,)
        Both channels fused, in standard deviations above the average row.
    dense, lexical : float32 arrays, shape (found,)
        Cosines.
    lexical_spread : (float, float)
        Mean and standard deviation of the lexical cosine over all rows.
    """

    rows: Ints
    scores: Doubles
    dense: Floats
    lexical: Floats
    lexical_spread: tuple[float, float]

    def only(self, kept: Bools) -> NearRows:
        """Return those rows that are ``kept``, shape (found,)."""
        return replace(
            self,
            rows=self.rows[kept],
            scores=self.scores[kept],
            dense=self.dense[kept],
            lexical=self.lexical[kept],
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """What a customer probably means.

    Attributes
    ----------
    probabilities : array, shape (types,)
        In the order of the row table's classes without the last; they sum to 1.
    confidence : float
        That it is an objection at all, 0 to 1.
    near : NearRows
        What it was concluded from.
    """

    probabilities: Doubles
    confidence: float
    near: NearRows


class Listener:
    """Rows with everything that was learned on them. Reading it from many threads is safe.

    Parameters
    ----------
    rows : RowTable
    channels : (DenseIndex, LexicalIndex)
        Over the rows.
    heads : TypeHeads
    weights : TypeWeights
    dense_share : float
        Weight of the dense channel against the lexical one where both speak, 0 to 1.
    abstention : Abstention
    """

    def __init__(
        self,
        rows: RowTable,
        channels: tuple[DenseIndex, LexicalIndex],
        heads: TypeHeads,
        *,
        weights: TypeWeights | None = None,
        dense_share: float = 0.7,
        abstention: Abstention | None = None,
    ) -> None:
        self.rows = rows
        self.dense, self.lexical = channels
        self.heads = heads
        self.weights = weights or TypeWeights()
        self.dense_share = dense_share
        self.abstention = abstention or Abstention.rule_of_thumb()

    @cached_property
    def _type_rows(self) -> Ints:
        return np.bincount(self.rows.types, minlength=len(self.rows.classes))

    def weigh(self, text: str, language: int, vector: Floats) -> Said:
        """Return a normalised text, ready to be compared."""
        return Said(text, language, vector, self.lexical.weigh(text))

    def listen(self, said: Said) -> Heard:
        """Return what a text probably means."""
        near = self.near(said)
        utilities = self.weights.utilities(self.type_signs(said, near))
        signs = self.abstention_signs(utilities, near)
        return Heard(probabilities(utilities[: self.rows.type_count]), float(self.abstention.confidence(signs)), near)

    def near(self, said: Said, allowed: tuple[Bytes, Bools] | None = None) -> NearRows:
        """Return the rows near a text.

        Parameters
        ----------
        said : Said
        allowed : (uint8 array, bool array), optional
            The rows that may be found, as a bit a row and as a truth value a row; without it all.
        """
        bits, truths = allowed if allowed is not None else (None, None)
        by_meaning, cosines = self.dense.nearest(said.vector, CANDIDATE_ROWS, bits)
        overlap = self.lexical.overlap(said.weighed)
        by_letters = overlap.best(CANDIDATE_ROWS, truths)
        found_already = set(by_meaning.tolist())
        more = np.array([row for row in by_letters.tolist() if row not in found_already], dtype=np.int64)
        rows = np.concatenate([by_meaning, more])
        dense = np.concatenate([cosines, self.dense.similarities(said.vector, more)])
        found = NearRows(rows, np.zeros(len(rows)), dense, overlap.of(rows), (overlap.mean, overlap.deviation))
        return replace(found, scores=self.fuse(said, found))

    def type_signs(self, said: Said, near: NearRows) -> Doubles:
        """Return the signs for each class, shape (3, classes): dense and lexical log-probability, evidence."""
        evidence = evidence_for(near.scores, self.rows.types[near.rows], self._type_rows)
        return np.vstack([self.heads.log_probabilities(said.vector, said.weighed), evidence])

    def abstention_signs(self, utilities: Doubles, near: NearRows) -> Doubles:
        """Return the signs in the order of `coach.abstention.SIGNS`."""
        is_objection = self.rows.types[near.rows] < self.rows.type_count
        ours, others = near.dense[is_objection], near.dense[~is_objection]
        farthest = float(near.dense.min(initial=0.0))
        margin = utilities[: self.rows.type_count].max() - utilities[self.rows.type_count :].max()
        lexical = float(near.lexical[is_objection].max(initial=0.0))
        return np.array(
            [margin, lexical, float(ours.max(initial=0.0)), _nearest(ours, farthest) - _nearest(others, farthest)]
        )

    def fuse(self, said: Said, near: NearRows) -> Doubles:
        """Return the fused scores of rows near a text, from their cosines."""
        by_meaning = z_scores(near.dense.astype(np.float64), *self.dense.spread(said.vector))
        by_letters = z_scores(near.lexical.astype(np.float64), *near.lexical_spread)
        # letters cannot agree between two scripts: there the meaning speaks alone
        share = np.where(self.rows.languages[near.rows] == said.language, self.dense_share, 1.0)
        fused: Doubles = share * by_meaning + (1 - share) * by_letters
        return fused


def _nearest(cosines: Floats, farthest: float) -> float:
    """Return the mean of the five highest cosines; what was not found is no nearer than ``farthest``."""
    best = np.sort(cosines)[-NEIGHBOURS:]
    return float(best.sum() + (NEIGHBOURS - len(best)) * farthest) / NEIGHBOURS
