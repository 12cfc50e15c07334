"""Near-duplicates by characters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.entry import LibraryEntry
from coach.near_duplicates import LexicalNearDuplicates, bare, likeness, similar_pairs, texts_of, without_copies

_texts = st.lists(st.text("贵便宜太了吗abc ,!", max_size=8), max_size=6)


@pytest.fixture(scope="module")
def near(library: list[LibraryEntry]) -> LexicalNearDuplicates:
    return LexicalNearDuplicates(library, limit=30)


def test_an_entry_is_its_own_nearest_and_each_entry_comes_once(
    near: LexicalNearDuplicates, library: list[LibraryEntry]
) -> None:
    for entry in library:
        found = near(texts_of(entry))
        assert found[0].similarity == pytest.approx(1)
        assert entry.natural_key in [(each.key, each.language) for each in found if each.similarity > 0.999]
        assert len({(each.key, each.language) for each in found}) == len(found)
        assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)


def test_another_spelling_is_no_difference_and_other_words_are(near: LexicalNearDuplicates) -> None:
    best = near(["隔壁家，同款便宜 两百块！！"])[0]
    assert best.text == "隔壁家同款便宜两百块"
    assert best.similarity == pytest.approx(1)
    assert near(["明天几点开门呢"]) == []


def test_no_text_and_no_library_give_no_answer(near: LexicalNearDuplicates) -> None:
    assert near([]) == []
    assert near(["……"]) == []
    assert LexicalNearDuplicates([])(["太贵"]) == []


def test_an_answer_is_no_longer_than_wanted(entry_of: Callable[..., LibraryEntry]) -> None:
    entries = [entry_of(f"price_too_high-{number:02}") for number in range(8)]
    assert len(LexicalNearDuplicates(entries, limit=3)(["太贵了吧"])) == 3


def test_pairs_are_told_once_and_not_of_a_text_with_itself() -> None:
    texts = ["太贵了吧", "我没空", "太贵了吧！", "太贵了"]
    pairs = {(one, other) for one, other, _ in similar_pairs(texts, least=0.9)}
    assert pairs == {(0, 2)}
    assert list(similar_pairs(["", "!!"], least=0)) == []


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_a_share_and_the_same_from_both_sides(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1


@settings(deadline=None)
@given(_texts, _texts)
def test_uniting_keeps_what_was_there_and_adds_no_copy(kept: list[str], more: list[str]) -> None:
    united = without_copies(kept, more)
    assert list(united[: len(kept)]) == kept
    added = united[len(kept) :]
    assert all(text in more for text in added)
    assert len({bare(text) for text in added}) == len(added)
    for text in more:
        assert max(likeness(text, other) for other in united) >= 0.8
    assert without_copies(united, more) == united
