"""Weights and thresholds, set on held-out sayings that nothing else was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coach.abstention import Abstention
from coach.encoder import Encoder
from coach.entry import LANGUAGES
from coach.listening import Listener, NearRows, Said
from coach.normalise import normalise
from coach.queries import NONE, SpokenQuery
from coach.ranking import TypeWeights
from coach.rows import RowTable

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST_QUERIES = 60
"""Objections that the weights need; with fewer, the standard weights serve."""
_DENSE_SHARES = (0.4, 0.5, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """How the held-out sayings came out; weights were set on them, so expect a little less elsewhere.

    Attributes
    ----------
    objections, others : int
        How many were judged.
    hit1, hit3 : float
        Share of objections whose type came first, among the first three. 0 when none was judged.
    rightly_rejected, wrongly_rejected : float
        Share of other talk, and of objections, below the threshold of confidence.
    reliability : tuple of (float, float, int)
        By fifths of confidence that are not empty: mean confidence, share that is an objection, how many.
    """

    objections: int = 0
    others: int = 0
    hit1: float = 0.0
    hit3: float = 0.0
    rightly_rejected: float = 0.0
    wrongly_rejected: float = 0.0
    reliability: tuple[tuple[float, float, int], ...] = ()


def calibrate(
    listener: Listener, encoder: Encoder, queries: Sequence[SpokenQuery]
) -> tuple[Listener, CalibrationReport]:
    """Return the listener with weights and threshold set on the queries whose type it knows."""
    rows = listener.rows
    known = [query for query in queries if query.objection_type in (*rows.types_in_use, NONE)]
    right = np.array([_right_classes(query, rows) for query in known], dtype=np.bool_).reshape(-1, len(rows.classes))
    is_objection: Bools = np.any(right[:, : rows.type_count], axis=1)
    if is_objection.sum() < LEAST_QUERIES:
        return listener, CalibrationReport()
    texts = [normalise(query.query) for query in known]
    said = [
        listener.weigh(text, LANGUAGES.index(query.language), vector)
        for text, query, vector in zip(texts, known, encoder.encode_queries(texts), strict=True)
    ]
    nears = [listener.near(each) for each in said]
    listener = _with_best_share(listener, said, nears, right)
    nears = [replace(near, scores=listener.fuse(one, near)) for one, near in zip(said, nears, strict=True)]
    signs = np.array([listener.type_signs(*each) for each in zip(said, nears, strict=True)])
    listener = _rebuilt(listener, weights=TypeWeights.fit(signs, right))
    utilities = listener.weights.utilities(signs)
    seen = np.array([listener.abstention_signs(*each) for each in zip(utilities, nears, strict=True)])
    listener = _rebuilt(listener, abstention=Abstention.fit(seen, is_objection))
    return listener, _report(listener, utilities, seen, right)


def _right_classes(query: SpokenQuery, rows: RowTable) -> list[bool]:
    """Return which classes are right for a query: its type, or every kind of other talk."""
    none = query.objection_type == NONE
    return [at >= rows.type_count if none else code == query.objection_type for at, code in enumerate(rows.classes)]


def _with_best_share(listener: Listener, said: Sequence[Said], nears: Sequence[NearRows], right: Bools) -> Listener:
    """Return the listener with the share of the dense channel that brings rows of the right type to the top."""
    objections = np.flatnonzero(right[:, : listener.rows.type_count].any(axis=1)).tolist()
    quality: list[float] = []
    for share in _DENSE_SHARES:
        tried = _rebuilt(listener, dense_share=share)
        ranks = [
            _reciprocal_rank(tried, tried.fuse(said[at], nears[at]), nears[at], int(right[at].argmax()))
            for at in objections
        ]
        quality.append(float(np.mean(ranks)))
    return _rebuilt(listener, dense_share=_DENSE_SHARES[int(np.argmax(quality))])


def _reciprocal_rank(listener: Listener, scores: Doubles, near: NearRows, label: int) -> float:
    types = listener.rows.types[near.rows]
    best = np.full(len(listener.rows.classes), -np.inf)
    np.maximum.at(best, types, scores)
    return 1.0 / float((best >= best[label]).sum()) if np.isfinite(best[label]) else 0.0


def _rebuilt(
    listener: Listener,
    *,
    weights: TypeWeights | None = None,
    dense_share: float | None = None,
    abstention: Abstention | None = None,
) -> Listener:
    return Listener(
        listener.rows,
        (listener.dense, listener.lexical),
        listener.heads,
        weights=weights or listener.weights,
        dense_share=listener.dense_share if dense_share is None else dense_share,
        abstention=abstention or listener.abstention,
    )


def _report(listener: Listener, utilities: Doubles, signs: Doubles, right: Bools) -> CalibrationReport:
    types = right[:, : listener.rows.type_count]
    is_objection: Bools = np.any(types, axis=1)
    confidence = listener.abstention.confidence(signs)
    rejected = confidence < listener.abstention.threshold
    asked = utilities[is_objection][:, : listener.rows.type_count]
    of_right = asked[np.arange(len(asked)), types[is_objection].argmax(axis=1)]
    ranks = (asked >= of_right[:, None]).sum(axis=1)
    return CalibrationReport(
        objections=int(is_objection.sum()),
        others=int((~is_objection).sum()),
        hit1=float((ranks == 1).mean()),
        hit3=float((ranks <= 3).mean()),
        rightly_rejected=float(rejected[~is_objection].mean()) if (~is_objection).any() else 0.0,
        wrongly_rejected=float(rejected[is_objection].mean()),
        reliability=reliability(confidence, is_objection),
    )


def reliability(confidence: Doubles, is_objection: Bools) -> tuple[tuple[float, float, int], ...]:
    """Return mean confidence, share of objections and count for each fifth of the confidence scale that has any."""
    fifth = np.minimum((confidence * 5).astype(int), 4)
    return tuple(
        (float(confidence[fifth == at].mean()), float(is_objection[fifth == at].mean()), int((fifth == at).sum()))
        for at in range(5)
        if (fifth == at).any()
    )
