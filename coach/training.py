"""Learning on the library's own sayings: type posterior, weights, abstention; each judged on left-out entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.abstention import Abstention
from coach.dense import DenseChannel
from coach.language_rows import LanguageRows, Matches, RowPlan, signs_of
from coach.lexical import LexicalChannel
from coach.posterior import OTHER, Samples, fit_posterior, mean_reciprocal_rank
from coach.ranking import TypeWeights, entry_evidence, z_scores

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_TRAINING_ROWS = 4000
"""Rows that the posterior is fitted on at most: its cost grows with their cube."""
_ROWS_AT_ONCE = 256
LEAST_SAYINGS = 60
"""Sayings of types with at least two entries that the weights need; with fewer, the standard weights serve."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How the library's own sayings are understood when their entry is left out.

    Attributes
    ----------
    sayings : int
        How many were judged.
    hit1, hit3, mrr : float
        Share whose type came first, among the first three; mean reciprocal rank. All 0 when none was judged.
    other_talk_rejected, wrongly_rejected : float
        Share of other talk, and of sayings, below the threshold of confidence when the text itself is left out.
    """

    sayings: int
    hit1: float
    hit3: float
    mrr: float
    other_talk_rejected: float
    wrongly_rejected: float


def train(plan: RowPlan, vectors: Floats) -> tuple[LanguageRows, HeldOut]:
    """Build the channels of one language and learn on them.

    Parameters
    ----------
    plan : RowPlan
        At least one entry.
    vectors : float32 array, shape (texts, dimension)
        The encoder's unit vectors of the plan's texts.
    """
    dense, lexical = DenseChannel(vectors), LexicalChannel.fit(plan.texts)
    rows = _training_rows(plan)
    samples = _samples(plan, vectors, lexical, rows)
    posterior, held_out = fit_posterior(samples)
    matches = _left_out_matches(plan, (dense, lexical), rows, share=posterior.dense_weight)
    evidence = np.maximum.reduceat(np.array([match.evidence for match in matches]), plan.type_starts, axis=1)
    labels, judged = samples.labels, samples.judged
    enough = len(judged) >= LEAST_SAYINGS
    weights = TypeWeights()
    if enough:
        weights = TypeWeights.fit(held_out.by_group[judged, :-1], evidence[judged], labels[judged])
    probabilities = weights.probabilities(held_out.by_group[:, :-1], evidence)
    signs = np.array([signs_of(*each) for each in zip(held_out.by_row, matches, strict=True)])
    is_other = labels == len(samples.classes) - 1
    asked = np.union1d(judged, np.flatnonzero(is_other))
    abstention = (
        Abstention.fit(signs[asked], ~is_other[asked], samples.groups[asked]) if enough else Abstention.rule_of_thumb()
    )
    model = LanguageRows(plan, (dense, lexical), posterior, weights=weights, abstention=abstention)
    rejected = abstention.confidence(signs) < abstention.threshold
    return model, _report(probabilities[judged], labels[judged], rejected[judged], rejected[is_other])


def _training_rows(plan: RowPlan) -> Ints:
    total = len(plan.texts)
    if total <= MOST_TRAINING_ROWS:
        return np.arange(total)
    # evenly over the types, because the rows stand in their order
    return np.linspace(0, total - 1, MOST_TRAINING_ROWS).round().astype(np.int64)


def _samples(plan: RowPlan, vectors: Floats, lexical: LexicalChannel, rows: Ints) -> Samples:
    classes = (*plan.classes, OTHER)
    entry_labels = np.array([classes.index(code) for code in plan.types], dtype=np.int64)
    others = len(plan.texts) - plan.entry_rows
    labels = np.concatenate([entry_labels[plan.row_entries], np.full(others, len(classes) - 1)])[rows]
    groups = np.concatenate([plan.row_entries, len(plan.types) + np.arange(others)])[rows]
    # a type with a single entry cannot be recognised once that entry is left out: no lesson in it
    repeated = np.bincount(entry_labels, minlength=len(classes))[labels] > 1
    return Samples(
        vectors=vectors[rows],
        weighed=lexical.rows[rows],
        labels=labels,
        groups=groups,
        judged=np.flatnonzero(plan.is_saying[rows] & repeated),
        classes=classes,
    )


def _left_out_matches(
    plan: RowPlan, channels: tuple[DenseChannel, LexicalChannel], rows: Ints, *, share: float
) -> list[Matches]:
    """Return for each row the evidence of all entries but its own, and the nearest row but itself.

    Weights are set without the row's entry, as if it were a new kind of case. The threshold is set without the row
    alone, because in use no entry is missing: a threshold set without whole entries lets too much small talk through.
    """
    dense, lexical = channels
    vectors = dense.vectors()
    bounds = np.append(plan.starts, plan.entry_rows)
    found = []
    for row, cosines, overlaps in _similarities(vectors, lexical, rows):
        fused = share * z_scores(cosines, cosines.mean(), cosines.std())
        fused += (1 - share) * z_scores(overlaps, overlaps.mean(), overlaps.std())
        if row < plan.entry_rows:
            own = plan.row_entries[row]
            fused[bounds[own] : bounds[own + 1]] = 0.0
        evidence = entry_evidence(fused[: plan.entry_rows], plan.starts)
        others = np.arange(plan.entry_rows) != row
        nearest = (float(each[: plan.entry_rows][others].max(initial=0.0)) for each in (overlaps, cosines))
        found.append(Matches(evidence, np.full(len(evidence), -1), *nearest))
    return found


def _similarities(
    vectors: Floats, lexical: LexicalChannel, rows: Ints
) -> Iterator[tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Yield each row with its dense and lexical similarity to every row; some hundred rows are multiplied at once."""
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = rows[begin : begin + _ROWS_AT_ONCE]
        cosines = (vectors[chunk] @ vectors.T).astype(np.float64)
        overlaps = (lexical.rows[chunk] @ lexical.rows.T).toarray().astype(np.float64)
        yield from zip(chunk.tolist(), cosines, overlaps, strict=True)


def _report(probabilities: Doubles, labels: Ints, sayings_rejected: Bools, others_rejected: Bools) -> HeldOut:
    if len(labels) == 0:
        return HeldOut(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ranks = (probabilities >= probabilities[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    return HeldOut(
        sayings=len(labels),
        hit1=float((ranks == 1).mean()),
        hit3=float((ranks <= 3).mean()),
        mrr=mean_reciprocal_rank(probabilities, labels),
        other_talk_rejected=float(others_rejected.mean()) if len(others_rejected) else 0.0,
        wrongly_rejected=float(sayings_rejected.mean()),
    )
