"""The dense and the lexical channel, against plain arithmetic."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coach.dense import DenseChannel
from coach.lexical import LexicalChannel

TEXTS = ["太贵了吧", "隔壁家同款便宜两百块", "too expensive for me", "我赶时间"]


def _unit(rows: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_text_is_nearest_to_itself_and_similarity_lies_between_0_and_1() -> None:
    channel = LexicalChannel.fit(TEXTS)
    for position, text in enumerate(TEXTS):
        scores = channel.scores(channel.weigh(text))
        assert scores.argmax() == position
        assert abs(scores[position] - 1) < 1e-5
        assert (scores >= 0).all()


def test_scores_are_the_product_of_the_weighed_rows() -> None:
    channel = LexicalChannel.fit(TEXTS)
    weighed = channel.weigh("隔壁太贵 expensive")
    assert np.allclose(channel.scores(weighed), (channel.rows @ weighed.T).toarray()[:, 0], atol=1e-6)


def test_a_text_without_known_features_scores_zero() -> None:
    channel = LexicalChannel.fit(TEXTS)
    assert not channel.scores(channel.weigh("!?")).any()


def test_a_restored_lexical_channel_scores_the_same() -> None:
    channel = LexicalChannel.fit(TEXTS)
    restored = LexicalChannel.restore(*channel.state())
    assert restored.feature_count == channel.feature_count
    for text in (*TEXTS, "便宜的 expensive 东西"):
        assert np.array_equal(restored.scores(restored.weigh(text)), channel.scores(channel.weigh(text)))


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.integers(1, 50))
def test_nearest_rows_are_the_best_of_those_allowed(allowed: list[bool], k: int) -> None:
    vectors, query = _unit(40), _unit(1, seed=9)[0]
    mask = np.array(allowed)
    expected = [row for row in np.argsort(-(vectors @ query)) if mask[row]][:k]
    assert DenseChannel(vectors).nearest(query, k, mask).tolist() == expected


def test_mean_and_deviation_are_those_of_all_similarities() -> None:
    vectors, query = _unit(40), _unit(1, seed=9)[0]
    mean, deviation = DenseChannel(vectors).spread(query)
    cosines = vectors @ query
    assert np.allclose([mean, deviation], [cosines.mean(), cosines.std()], atol=1e-5)


def test_similarities_are_cosines_of_the_rows_asked_for() -> None:
    vectors, query = _unit(40), _unit(1, seed=9)[0]
    rows = np.array([31, 2, 7])
    assert np.allclose(DenseChannel(vectors).similarities(query, rows), vectors[rows] @ query, atol=1e-6)
