"""The dense and the lexical channel, against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.dense import DenseIndex
from coach.lexical import LexicalIndex

TEXTS = ["太贵了吧", "隔壁家同款便宜两百块", "too expensive for me", "我赶时间"]
WIDTH = 64


def _unit(rows: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, WIDTH)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _bits(mask: np.ndarray) -> np.ndarray:
    return np.packbits(mask, bitorder="little")


EVERY_ROW = np.arange(len(TEXTS))


def test_a_text_is_nearest_to_itself_and_similarity_lies_between_0_and_1() -> None:
    index = LexicalIndex.fit(TEXTS)
    for position, text in enumerate(TEXTS):
        cosines = index.overlap(index.weigh(text)).of(EVERY_ROW)
        assert cosines.argmax() == position
        assert abs(cosines[position] - 1) < 1e-5
        assert (cosines >= 0).all()


def test_the_weights_of_a_question_are_those_of_the_rows() -> None:
    index = LexicalIndex.fit(TEXTS)
    for position, text in enumerate(TEXTS):
        weighed = index.weigh(text)
        row = np.zeros(index.feature_count, dtype=np.float32)
        row[weighed.columns] = weighed.weights
        assert np.allclose(row, index.rows[position].toarray()[0], atol=1e-6)


def test_the_overlap_is_the_product_of_the_weighed_rows() -> None:
    index = LexicalIndex.fit(TEXTS)
    asked = index.weigh("隔壁太贵 expensive")
    row = np.zeros(index.feature_count, dtype=np.float32)
    row[asked.columns] = asked.weights
    overlap = index.overlap(asked)
    assert np.allclose(overlap.of(EVERY_ROW), index.rows @ row, atol=1e-6)
    assert overlap.rows.tolist() == np.flatnonzero(index.rows @ row).tolist()


def test_the_best_rows_are_those_that_share_most_within_those_allowed() -> None:
    index = LexicalIndex.fit(TEXTS)
    overlap = index.overlap(index.weigh("隔壁太贵 expensive"))
    assert sorted(overlap.best(10).tolist()) == overlap.rows.tolist()
    assert overlap.best(1).tolist() == [int(overlap.of(EVERY_ROW).argmax())]
    assert overlap.best(10, EVERY_ROW == 2).tolist() == [2]


def test_a_question_reads_a_bounded_number_of_postings_and_still_finds_the_rare_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coach.lexical.MOST_POSTINGS", 40)
    index = LexicalIndex.fit([f"贵了贵了 number{n}" for n in range(200)])
    overlap = index.overlap(index.weigh("贵了 number77"))
    assert 77 in overlap.best(5)
    assert len(overlap.rows) <= 40


def test_a_text_without_known_features_overlaps_nothing() -> None:
    index = LexicalIndex.fit(TEXTS)
    overlap = index.overlap(index.weigh("!?"))
    assert len(overlap.best(5)) == 0
    assert not overlap.of(EVERY_ROW).any()
    assert (overlap.mean, overlap.deviation) == (0.0, 0.0)


def test_the_lexical_spread_has_the_mean_of_all_rows_and_the_deviation_of_independent_features() -> None:
    index = LexicalIndex.fit(TEXTS)
    asked = index.weigh("太贵 expensive")
    overlap = index.overlap(asked)
    columns = index.rows.toarray()[:, asked.columns]
    deviation = np.sqrt((columns.var(axis=0) * asked.weights**2).sum())
    assert np.allclose((overlap.mean, overlap.deviation), (overlap.of(EVERY_ROW).mean(), deviation), atol=1e-6)


def test_a_restored_lexical_index_scores_the_same() -> None:
    index = LexicalIndex.fit(TEXTS)
    restored = LexicalIndex.restore(index.names, index.arrays())
    for text in (*TEXTS, "便宜的 expensive 东西"):
        expected = index.overlap(index.weigh(text)).of(EVERY_ROW)
        assert np.array_equal(restored.overlap(restored.weigh(text)).of(EVERY_ROW), expected)


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.integers(1, 50))
def test_nearest_rows_are_the_best_of_those_allowed(allowed: list[bool], k: int) -> None:
    index, query = DenseIndex(_unit(40)), _unit(1, seed=9)[0]
    mask = np.array(allowed)
    cosines = index.similarities(query, np.arange(40))
    expected = [row for row in np.argsort(-cosines) if mask[row]][:k]
    rows, found = index.nearest(query, k, _bits(mask))
    assert rows.tolist() == expected
    assert np.allclose(found, cosines[expected], atol=1e-5)


@pytest.mark.parametrize(
    ("flat_rows", "graph_rows", "kind"), [(9000, 9000, "flat"), (10, 9000, "graph"), (10, 20, "cells")]
)
def test_every_kind_of_index_finds_a_row_by_its_own_vector_and_obeys_the_filter(
    flat_rows: int, graph_rows: int, kind: str
) -> None:
    vectors = _unit(6000)
    index = DenseIndex(vectors, flat_rows=flat_rows, graph_rows=graph_rows)
    assert index.kind == kind
    found = [index.nearest(vectors[row], 3)[0][0] for row in range(0, 6000, 200)]
    assert np.mean(np.array(found) == np.arange(0, 6000, 200)) >= 0.95
    most, few = np.arange(6000) % 5 > 0, np.arange(6000) % 100 == 7
    for mask in (most, few):
        rows, _ = index.nearest(vectors[5], 20, _bits(mask))
        assert len(rows) == 20
        assert mask[rows].all()


def test_one_byte_a_dimension_changes_a_cosine_by_little() -> None:
    vectors, query = _unit(500), _unit(1, seed=9)[0]
    assert np.abs(DenseIndex(vectors).vectors() @ query - vectors @ query).max() < 0.03


def test_vectors_that_are_kept_come_back_the_same_when_they_are_kept_again() -> None:
    once = DenseIndex(_unit(50)).vectors()
    assert np.array_equal(DenseIndex(once).vectors(), once)


def test_mean_and_deviation_are_those_of_all_similarities() -> None:
    vectors, query = _unit(40), _unit(1, seed=9)[0]
    mean, deviation = DenseIndex(vectors).spread(query)
    cosines = vectors @ query
    assert np.allclose([mean, deviation], [cosines.mean(), cosines.std()], atol=2e-3)
