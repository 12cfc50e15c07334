"""Answers to what customers say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coach.entry import LibraryEntry
from coach.hint import HintEngine, HintQuestion
from common.errors import Conflict, InvalidInput

DAY = date(2026, 11, 22)
EntryOf = Callable[..., LibraryEntry]
EngineOf = Callable[[list[LibraryEntry]], HintEngine]


def test_a_saying_of_the_library_is_answered_with_its_type_first(small_engine: HintEngine) -> None:
    answer = small_engine.hint(HintQuestion("隔壁家同款便宜两百块", on=DAY))
    first = answer.suggestions[0]
    assert answer.matched
    assert answer.reason is None
    assert answer.open_question is None
    assert first.why.objection_type == "cheaper_competitor"
    assert first.why.objection_name.zh == "竞品更便宜"
    assert first.why.matched_utterance == "隔壁家同款便宜两百块"
    assert [each.rank for each in answer.suggestions] == [1, 2, 3]


def test_everything_shown_is_the_entry_s_own(small_engine: HintEngine, library: list[LibraryEntry]) -> None:
    by_key = {entry.natural_key: entry for entry in library}
    for suggestion in small_engine.hint(HintQuestion("怎么这么贵", on=DAY)).suggestions:
        entry = by_key[suggestion.entry_key, suggestion.language]
        assert (suggestion.talk_track, *suggestion.other_talk_tracks) == entry.talk_tracks
        assert (suggestion.title, suggestion.steps, suggestion.effect) == (entry.title, entry.steps, entry.effect)
        assert entry.kind == "success"
        for warning in suggestion.warnings:
            bad = by_key[warning.entry_key, suggestion.language]
            assert bad.kind == "failure"
            assert bad.objection_type == entry.objection_type
            assert (warning.bad_lines, warning.why) == (bad.talk_tracks, bad.steps)


def test_a_failure_is_shown_as_a_warning_and_never_as_a_suggestion(small_engine: HintEngine) -> None:
    suggestion = small_engine.hint(HintQuestion("太贵了吧", on=DAY)).suggestions[0]
    assert [warning.entry_key for warning in suggestion.warnings] == ["price_too_high-09"]


def test_the_answer_is_in_the_language_of_the_question(small_engine: HintEngine) -> None:
    for text, language in (("太贵了吧", "zh"), ("what a price", "en")):
        answer = small_engine.hint(HintQuestion(text, on=DAY))
        assert answer.language == language
        assert {each.language for each in answer.suggestions} == {language}


def test_entries_in_another_language_can_be_asked_for(small_engine: HintEngine) -> None:
    answer = small_engine.hint(HintQuestion("太贵了吧", on=DAY, language="en"))
    assert answer.language == "zh"
    assert {each.language for each in answer.suggestions} == {"en"}
    assert answer.suggestions[0].why.objection_type == "price_too_high"
    assert answer.suggestions[0].why.matched_utterance == "太贵了吧"


def test_falling_back_to_the_other_language_is_noted(
    small_engine: HintEngine, entry_of: EntryOf, engine_of: EngineOf
) -> None:
    entries = [entry_of(region="north"), entry_of(language="en")]
    answer = engine_of(entries).hint(HintQuestion("太贵了吧", on=DAY))
    assert {each.language for each in answer.suggestions} == {"en"}
    assert any("没有合适的 zh 条目" in note.zh for note in answer.notes)


@pytest.mark.parametrize("written", ["太貴了吧", "太贵了吧！！！！", "太贵了吧  ", "太贵了吧\u200b"])
def test_script_and_marks_do_not_change_the_suggestions(small_engine: HintEngine, written: str) -> None:
    plain = small_engine.hint(HintQuestion("太贵了吧", on=DAY))
    other = small_engine.hint(HintQuestion(written, on=DAY))
    assert [each.entry_key for each in other.suggestions] == [each.entry_key for each in plain.suggestions]


@pytest.mark.parametrize(
    ("entry", "question", "fits"),
    [
        ({"product_line": "campus"}, {"product_line": "campus"}, True),
        ({"product_line": "campus"}, {"product_line": "household"}, False),
        ({"product_line": "any"}, {"product_line": "household"}, True),
        ({"scenes": ("mall",)}, {"scene": "fair"}, False),
        ({"scenes": ()}, {"scene": "fair"}, True),
        ({"customer_types": ("students",)}, {"customer_type": "elderly"}, False),
        ({"customer_types": ("students", "elderly")}, {"customer_type": "elderly"}, True),
        ({"region": "north"}, {"region": "south"}, False),
        ({"region": "north"}, {"region": "north"}, True),
        ({"region": "north"}, {}, False),
        ({"valid_until": date(2026, 11, 21)}, {}, False),
        ({"valid_until": date(2026, 11, 22)}, {}, True),
        ({"valid_from": date(2026, 11, 23)}, {}, False),
        ({}, {"excluded_types": ("price_too_high",)}, False),
        ({}, {"language": "en"}, False),
    ],
)
def test_only_entries_that_fit_are_suggested(
    entry_of: EntryOf, engine_of: EngineOf, entry: dict[str, Any], question: dict[str, Any], fits: bool
) -> None:
    answer = engine_of([entry_of(**entry)]).hint(HintQuestion("太贵了吧", on=DAY, **question))
    assert answer.matched is fits
    assert (answer.reason is None) is fits
    assert (answer.open_question is None) is fits


def test_fewer_fitting_entries_than_wanted_is_said(entry_of: EntryOf, engine_of: EngineOf) -> None:
    answer = engine_of([entry_of()]).hint(HintQuestion("太贵了吧", on=DAY, k=3))
    assert len(answer.suggestions) == 1
    assert [note.zh for note in answer.notes] == ["合适的条目只有 1 条，要求 3 条"]


def test_an_unlikely_type_does_not_fill_up_the_list(small_engine: HintEngine) -> None:
    answer = small_engine.hint(HintQuestion("隔壁家同款便宜两百块", on=DAY, excluded_types=("cheaper_competitor",)))
    assert all(each.why.type_probability >= 0.02 for each in answer.suggestions)


def test_a_product_line_that_no_entry_names_is_noted(small_engine: HintEngine) -> None:
    answer = small_engine.hint(HintQuestion("太贵了吧", on=DAY, product_line="boats"))
    assert any("boats" in note.en for note in answer.notes)


def test_what_is_no_objection_gets_a_question_to_ask_instead(small_engine: HintEngine) -> None:
    answer = small_engine.hint(HintQuestion("zzz qqq", on=DAY))
    assert not answer.matched
    assert answer.suggestions == ()
    assert answer.reason is not None
    assert answer.reason.zh
    assert answer.open_question is not None
    assert answer.open_question.zh.endswith("？")


def test_suggestions_of_one_type_differ_in_approach(entry_of: EntryOf, engine_of: EngineOf) -> None:
    entries = [entry_of(f"price_too_high-0{n}", approach="same" if n < 3 else "other") for n in range(1, 5)]
    answer = engine_of(entries).hint(HintQuestion("太贵了吧", on=DAY))
    assert sorted(each.approach for each in answer.suggestions) == ["other", "same"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": " \u200b "}, "/text"),
        ({"text": "贵" * 501}, "/text"),
        ({"text": "太贵\x00了"}, "/text"),
        ({"text": "太贵\ud800"}, "/text"),
        ({"text": 5}, "/text"),
        ({"language": "fr"}, "/language"),
        ({"k": 0}, "/k"),
        ({"k": 11}, "/k"),
    ],
)
def test_a_wrong_question_names_its_field(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        HintQuestion(**({"text": "太贵了", "on": DAY} | changes))
    assert [problem.pointer for problem in caught.value.fields] == [pointer]


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_printable_words_get_a_whole_answer(small_engine: HintEngine, text: str) -> None:
    try:
        question = HintQuestion(text, on=DAY)
    except InvalidInput:
        return
    answer = small_engine.hint(question)
    assert answer.matched == bool(answer.suggestions) == (answer.reason is None)
    assert 0 <= answer.confidence <= 1
    assert sum(probability for _, probability in answer.objection_types) <= 1 + 1e-6
    assert len({each.entry_key for each in answer.suggestions}) == len(answer.suggestions)


def test_many_threads_get_the_answers_of_one(small_engine: HintEngine) -> None:
    texts = ["太贵了吧", "what a price", "我赶时间", "隔壁家便宜", "zzz"] * 8
    questions = [HintQuestion(text, on=DAY) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(small_engine.hint, questions))
    assert together == [small_engine.hint(question) for question in questions]


def test_an_index_of_another_encoder_is_refused(small_engine: HintEngine, other_encoder: Any) -> None:
    with pytest.raises(Conflict):
        HintEngine(small_engine.index, other_encoder)
