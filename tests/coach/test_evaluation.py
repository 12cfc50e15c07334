"""The measures, and the quality that the shipped library reaches."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from coach.evaluate import evaluate, rank_correlation, read_scored_pairs
from coach.hint import HintEngine, HintQuestion
from coach.queries import SpokenQuery, read_queries
from common.errors import InvalidInput

DAY = date(2026, 11, 22)
HELD_OUT = Path(__file__).with_name("spoken_queries.tsv")


def test_measures_count_hits_and_abstentions_by_language(small_engine: HintEngine) -> None:
    queries = [
        SpokenQuery("price_too_high", "zh", "太贵了吧"),
        SpokenQuery("no_time", "zh", "zzz qqq"),
        SpokenQuery("none", "zh", "zzz qqq"),
        SpokenQuery("none", "zh", "太贵了吧"),
    ]
    measures = evaluate(small_engine, queries, on=DAY)
    zh = measures["zh"]
    assert set(measures) == {"zh", "latency_ms"}
    assert (zh["n"], zh["hit1"], zh["hit3"], zh["mrr"]) == (4, 0.5, 0.5, 0.5)
    assert (zh["abstain_recall"], zh["false_abstain"]) == (0.5, 0.5)
    assert zh["confusions"] == [{"type": "no_time", "shown": "none", "count": 1}]
    assert 0 < measures["latency_ms"]["p50"] <= measures["latency_ms"]["p99"]


def test_a_file_of_queries_is_read_by_its_header() -> None:
    content = "lang\tquery\ttype\nzh\t太贵了\tprice_too_high\n\nen\thello\tnone\n".encode()
    assert read_queries(content) == [SpokenQuery("price_too_high", "zh", "太贵了"), SpokenQuery("none", "en", "hello")]


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"type\tquery\n", "column lang"),
        (b"", "column type"),
        (b"type\tlang\tquery\nunheard_of\tzh\tx\n", "row 2, column type"),
        (b"type\tlang\tquery\nnone\tfr\tx\n", "row 2, column lang"),
        (b"type\tlang\tquery\nnone\tzh\n", "row 2, column query"),
    ],
)
def test_a_broken_file_of_queries_names_the_place(content: bytes, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_queries(content)
    assert pointer in [problem.pointer for problem in caught.value.fields]


def test_the_package_is_imported_without_heavy_libraries() -> None:
    heavy = "{'torch', 'sentence_transformers', 'faiss', 'sklearn', 'jieba', 'transformers'}"
    code = f"import sys, coach.hint, coach.index_files, coach.evaluate; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


@pytest.mark.slow
def test_a_lower_price_next_door_is_recognised_and_the_weather_is_not_an_objection(shipped_engine: HintEngine) -> None:
    answer = shipped_engine.hint(HintQuestion("隔壁家同款便宜两百块", on=DAY))
    assert len(answer.suggestions) == 3
    assert answer.suggestions[0].why.objection_type == "cheaper_competitor"
    assert not shipped_engine.hint(HintQuestion("今天天气真好", on=DAY)).matched


@pytest.mark.slow
def test_short_common_objections_are_not_turned_away(shipped_engine: HintEngine) -> None:
    for text, code in (
        ("太贵了", "price_too_high"),
        ("没空", "no_time"),
        ("考虑考虑", "needs_time"),
        ("too expensive", "price_too_high"),
    ):
        answer = shipped_engine.hint(HintQuestion(text, on=DAY))
        assert answer.matched, text
        assert answer.suggestions[0].why.objection_type == code


@pytest.mark.slow
def test_quality_on_queries_never_trained_on_stays_above_its_floors(shipped_engine: HintEngine) -> None:
    measures = evaluate(shipped_engine, read_queries(HELD_OUT.read_bytes())[::4], on=DAY)
    for language in ("zh", "en"):
        found = measures[language]
        assert found["hit1"] >= 0.65, found
        assert found["hit3"] >= 0.83, found
        assert found["abstain_recall"] >= 0.35, found
        assert found["false_abstain"] <= 0.05, found
