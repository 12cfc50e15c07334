"""One spelling for what people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.lexical import features
from coach.normalise import detect_language, normalise


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("這個太貴了！！！", "这个太贵了!"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("嗯嗯嗯嗯，再看看。。。", "嗯,再看看."),
        ("Sooooo   expensive???", "soo expensive?"),
        ("便宜\u200b点", "便宜点"),
        ("10000元", "10000元"),
    ],
)
def test_ways_of_writing_the_same_come_out_the_same(written: str, expected: str) -> None:
    assert normalise(written) == expected


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.integers(min_value=0))
def test_digits_are_kept(number: int) -> None:
    assert normalise(str(number)) == str(number)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("太贵了", "zh"),
        ("too expensive", "en"),
        ("这个 price 太高", "zh"),
        ("do you have any 优惠 for us", "en"),
        ("12345 ?!", None),
        ("", None),
    ],
)
def test_the_language_is_that_of_most_words(text: str, language: str | None) -> None:
    assert detect_language(text) == language


def test_numbers_share_a_feature_whatever_their_digits() -> None:
    assert set(features("便宜200块")) & set(features("3.5万")) == {"#"}


@given(st.text(max_size=60))
def test_any_text_has_features_or_none_without_failing(text: str) -> None:
    assert all(features(normalise(text)))
