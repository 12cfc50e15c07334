"""How good the hints are on sayings whose objection type is known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from coach.entry import LANGUAGES
from coach.hint import HintAnswer, HintEngine, HintQuestion
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode

NONE = "none"
"""The type of a saying that must be abstained from."""


@dataclass(frozen=True, slots=True)
class SpokenQuery:
    """One saying of an evaluation.

    Attributes
    ----------
    objection_type : str
        The right type, or ``none``.
    language : str
        ``zh`` or ``en``: under which language it is counted.
    query : str
    """

    objection_type: str
    language: str
    query: str


def read_queries(content: bytes, *, name: str = "file") -> list[SpokenQuery]:
    """Return the sayings of a table with the columns type, lang, query, separated by tabs.

    Raises
    ------
    InvalidInput
        When a column is missing or a row is wrong; rows are named.
    """
    lines = decode(content, name=name).splitlines()
    header = [cell.strip() for cell in lines[0].split("\t")] if lines else []
    missing = [column for column in ("type", "lang", "query") if column not in header]
    if missing:
        raise InvalidInput(
            Text(f"{name} lacks the columns {', '.join(missing)}", f"{name} 缺少列 {'、'.join(missing)}"),
            fields=[FieldProblem(f"column {column}", Text("is missing", "缺失")) for column in missing],
        )
    queries: list[SpokenQuery] = []
    problems: list[FieldProblem] = []
    known = {*objection_types(), NONE}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = dict(zip(header, (cell.strip() for cell in line.split("\t")), strict=False))
        query = SpokenQuery(cells.get("type", ""), cells.get("lang", ""), cells.get("query", ""))
        wrong = _wrong_column(query, known)
        if wrong:
            text = Text(f"{cells.get(wrong, '')!r} is not allowed", f"{cells.get(wrong, '')!r} 不允许")
            problems.append(FieldProblem(f"row {number}, column {wrong}", text))
        queries.append(query)
    if problems:
        raise InvalidInput(Text(f"{name} has broken rows", f"{name} 有损坏的行"), fields=problems[:50])
    return queries


def evaluate(engine: HintEngine, queries: Sequence[SpokenQuery], *, on: date | None = None) -> dict[str, Any]:
    """Ask the engine every query, and return the measures by language and the latency.

    A query counts as hit when it is answered and the first suggestion (``hit1``), or one of three (``hit3``), is of
    the right type; a wrongly abstained query is a miss. ``mrr`` is the mean of 1 / rank of the first right
    suggestion. ``abstain_recall`` is the share of ``none`` rightly abstained from, ``false_abstain`` the share of the
    others wrongly abstained from. Rates are 0 to 1, and None where there is nothing to count.

    Returns
    -------
    dict
        ``{"zh": {"n", "hit1", "hit3", "mrr", "abstain_recall", "false_abstain", "confusions"}, "en": …,
        "latency_ms": {"p50", "p99"}}``; languages without queries are absent; ``confusions`` lists
        ``{"type", "shown", "count"}`` for wrong first suggestions, most frequent first.
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
        "confusions": [
            {"type": right, "shown": shown, "count": count} for (right, shown), count in confusions.most_common(20)
        ],
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _wrong_column(query: SpokenQuery, known_types: set[str]) -> str | None:
    if query.objection_type not in known_types:
        return "type"
    if query.language not in LANGUAGES:
        return "lang"
    return None if query.query else "query"
