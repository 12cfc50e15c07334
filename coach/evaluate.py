"""How good the hints are on sayings whose objection type is known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from coach.calibration import reliability
from coach.encoder import Encoder
from coach.entry import LANGUAGES
from coach.hint import HintAnswer, HintEngine, HintQuestion
from coach.normalise import normalise
from coach.queries import NONE, SpokenQuery
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode


def evaluate(engine: HintEngine, queries: Sequence[SpokenQuery], *, on: date | None = None) -> dict[str, Any]:
    """Ask the engine every query, and return the measures by language and the latency.

    A query counts as hit when it is answered and the first suggestion (``hit1``), or one of three (``hit3``), is of
    the right type; a wrongly abstained query is a miss. ``mrr`` is the mean of 1 / rank of the first right
    suggestion. ``abstain_recall`` is the share of ``none`` rightly abstained from, ``false_abstain`` the share of the
    others wrongly abstained from. Rates are 0 to 1, and None where there is nothing to count.

    Returns
    -------
    dict
        ``{"zh": {"n", "hit1", "hit3", "mrr", "abstain_recall", "false_abstain", "reliability", "confusions"}, "en": …,
        "latency_ms": {"p50", "p99"}}``; languages without queries are absent; ``confusions`` lists
        ``{"type", "shown", "count"}`` for wrong first suggestions, most frequent first; ``reliability`` compares the
        mean confidence with the share of objections, ``{"confidence", "objections", "n"}``, for each fifth of the
        confidence scale.
    """
    day = on or date.today()
    answers: list[HintAnswer] = []
    latency_ms: list[float] = []
    for query in queries:
        question = HintQuestion(query.query, on=day)
        started = time.perf_counter()
        answers.append(engine.hint(question))
        latency_ms.append((time.perf_counter() - started) * 1000)
    measures: dict[str, Any] = {}
    for language in LANGUAGES:
        own = [(q, a) for q, a in zip(queries, answers, strict=True) if q.language == language]
        if own:
            measures[language] = _measures(own)
    if latency_ms:
        p50, p99 = np.percentile(latency_ms, [50, 99])
        measures["latency_ms"] = {"p50": float(p50), "p99": float(p99)}
    return measures


def _measures(asked: Sequence[tuple[SpokenQuery, HintAnswer]]) -> dict[str, Any]:
    ranks: list[int] = []
    abstained_wrongly: list[bool] = []
    abstained_rightly: list[bool] = []
    confusions: Counter[tuple[str, str]] = Counter()
    for query, answer in asked:
        if query.objection_type == NONE:
            abstained_rightly.append(not answer.matched)
            continue
        shown = [suggestion.why.objection_type for suggestion in answer.suggestions]
        ranks.append(shown.index(query.objection_type) + 1 if query.objection_type in shown else 0)
        abstained_wrongly.append(not answer.matched)
        if ranks[-1] != 1:
            confusions[query.objection_type, shown[0] if shown else NONE] += 1
    return {
        "n": len(asked),
        "hit1": _mean([rank == 1 for rank in ranks]),
        "hit3": _mean([1 <= rank <= 3 for rank in ranks]),
        "mrr": _mean([1 / rank if rank else 0.0 for rank in ranks]),
        "abstain_recall": _mean(abstained_rightly),
        "false_abstain": _mean(abstained_wrongly),
        "reliability": [
            {"confidence": mean, "objections": share, "n": count}
            for mean, share, count in reliability(
                np.array([answer.confidence for _, answer in asked]),
                np.array([query.objection_type != NONE for query, _ in asked], dtype=np.bool_),
            )
        ],
        "confusions": [
            {"type": right, "shown": shown, "count": count} for (right, shown), count in confusions.most_common(20)
        ],
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two sentences and how alike people find them."""

    first: str
    second: str
    score: float


def read_scored_pairs(content: bytes, *, name: str = "file") -> list[ScoredPair]:
    """Return the pairs of a table with the columns sentence1, sentence2, score, separated by tabs.

    Raises
    ------
    InvalidInput
        When the header is another, or a row is wrong; rows are named.
    """
    lines = decode(content, name=name).splitlines()
    if not lines or [cell.strip() for cell in lines[0].split("\t")] != ["sentence1", "sentence2", "score"]:
        raise InvalidInput.at(
            "row 1", "the header must be sentence1, sentence2, score", "表头必须是 sentence1、sentence2、score"
        )
    pairs: list[ScoredPair] = []
    problems: list[FieldProblem] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        try:
            pairs.append(ScoredPair(cells[0], cells[1], float(cells[2])))
        except (IndexError, ValueError):
            problems.append(
                FieldProblem(f"row {number}", Text("needs two texts and a number", "需要两段文本和一个数字"))
            )
    if problems or len(pairs) < 2:
        raise InvalidInput(
            Text(f"{name} has broken or too few rows", f"{name} 有损坏的行或行数太少"), fields=problems[:50]
        )
    return pairs


def rank_correlation(encoder: Encoder, pairs: Sequence[ScoredPair]) -> float:
    """Return Spearman's rank correlation of the encoder's cosines with the scores, -1 to 1."""
    from scipy.stats import spearmanr

    first = encoder.encode_queries([normalise(pair.first) for pair in pairs])
    second = encoder.encode_queries([normalise(pair.second) for pair in pairs])
    return float(spearmanr((first * second).sum(axis=1), [pair.score for pair in pairs]).statistic)
