"""The measures, and the quality that the shipped library reaches."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from coach.embedded_encoder import EmbeddedEncoder
from coach.evaluate import evaluate, rank_correlation, read_scored_pairs
from coach.hint import HintEngine, HintQuestion
from coach.index import build_index
from coach.library_files import shipped_entries
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
    # measured 0.91 / 0.95 and 0.85 / 0.94; 0.93 and 0.92 rightly, 0.03 wrongly abstained (decision 0010)
    measures = evaluate(shipped_engine, read_queries(HELD_OUT.read_bytes()), on=DAY)
    for language, hit1, hit3 in (("zh", 0.86, 0.93), ("en", 0.8, 0.92)):
        found = measures[language]
        assert found["hit1"] >= hit1, found
        assert found["hit3"] >= hit3, found
        assert found["abstain_recall"] >= 0.85, found
        assert found["false_abstain"] <= 0.045, found


@pytest.mark.slow
def test_english_questions_find_chinese_entries(embedded_encoder: EmbeddedEncoder) -> None:
    chinese = [entry for entry in shipped_entries() if entry.language == "zh"]
    engine = HintEngine(build_index(chinese, embedded_encoder), embedded_encoder)
    english = [query for query in read_queries(HELD_OUT.read_bytes()) if query.language == "en"]
    assert evaluate(engine, english, on=DAY)["en"]["hit3"] >= 0.85


def test_the_confidence_of_the_shipped_engine_is_reliable(shipped_engine: HintEngine) -> None:
    # nine of ten lines of the file are objections, while both kinds weighed the same in calibration: the ends tell
    fifths = evaluate(shipped_engine, read_queries(HELD_OUT.read_bytes()), on=DAY)["zh"]["reliability"]
    shares = [each["objections"] for each in fifths]
    assert shares[-1] >= 0.98
    assert shares[0] <= 0.3
    assert shares[0] == min(shares)


def test_an_sts_file_is_ranked_against_people_s_scores(embedded_encoder: EmbeddedEncoder) -> None:
    content = (
        "sentence1\tsentence2\tscore\n太贵了\t这价格太高了\t4.8\n太贵了\t贵得离谱\t4.5\n"
        "我喜欢猫\t他在医院上班\t0.2\n今天下雨\t明天去北京\t0.5\n"
    )
    assert rank_correlation(embedded_encoder, read_scored_pairs(content.encode())) >= 0.7


@pytest.mark.parametrize(
    ("content", "pointer"),
    [("a\tb\n", "row 1"), ("sentence1\tsentence2\tscore\nx\ty\tmuch\n", "row 2")],
)
def test_a_broken_sts_file_names_its_row(content: str, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_scored_pairs(content.encode())
    assert pointer in [problem.pointer for problem in caught.value.fields]
