"""What is evaluated stands nowhere in what is learned from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coach.lessons import Lessons
from coach.library_files import shipped_entries
from coach.normalise import normalise
from coach.queries import SpokenQuery, read_queries, shipped_calibration
from coach.text_copies import near_copies

HELD_OUT = Path(__file__).with_name("spoken_queries.tsv")


def _learned() -> list[str]:
    return Lessons.shipped().learned_texts() + [text for entry in shipped_entries() for text in entry.utterances]


@pytest.mark.parametrize(
    "queries", [read_queries(HELD_OUT.read_bytes()), list(shipped_calibration())], ids=["held_out", "calibration"]
)
def test_no_query_or_near_copy_of_it_stands_in_the_training_text(queries: list[SpokenQuery]) -> None:
    assert near_copies([query.query for query in queries], _learned()) == []


def test_the_held_out_file_and_the_calibration_file_share_nothing() -> None:
    held_out = [query.query for query in read_queries(HELD_OUT.read_bytes())]
    assert near_copies(held_out, [query.query for query in shipped_calibration()]) == []


def test_a_near_copy_is_found_whatever_its_script_and_marks() -> None:
    learned = ["这个价钱我实在接受不了", "you people are far too expensive"]
    assert [
        pair[0]
        for pair in near_copies(["這個價錢我實在接受不了！", "贵", "You people are far too expensive…"], learned)
    ] == [
        "這個價錢我實在接受不了！",
        "You people are far too expensive…",
    ]


def test_the_held_out_file_is_large_enough_and_every_text_is_there_once() -> None:
    queries = read_queries(HELD_OUT.read_bytes())
    bare = [re.sub(r"\W", "", normalise(query.query)) for query in queries]
    assert len(set(bare)) == len(bare)
    for code in {query.objection_type for query in queries} - {"none"}:
        own = [query.language for query in queries if query.objection_type == code]
        assert own.count("zh") >= 20
        assert own.count("en") >= 8
    assert sum(query.objection_type == "none" for query in queries) >= 60
