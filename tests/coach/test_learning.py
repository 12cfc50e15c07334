"""The heads, the weights, the choice and the calibration."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from coach.abstention import LEAST_EXAMPLES, SIGNS, WRONG_ABSTENTION, Abstention
from coach.calibration import LEAST_QUERIES, calibrate, reliability
from coach.encoder import Encoder
from coach.heads import LinearHead, TypeHeads
from coach.index import HintIndex
from coach.lexical import Weighed
from coach.queries import SpokenQuery
from coach.ranking import LEAST_TYPE_PROBABILITY, Candidate, TypeWeights, choose, evidence_for, probabilities, z_scores


def _samples(rows: int = 90) -> tuple[np.ndarray, csr_matrix, np.ndarray]:
    rng = np.random.default_rng(5)
    labels = np.arange(rows) % 3
    vectors = (rng.standard_normal((3, 6))[labels] + 0.3 * rng.standard_normal((rows, 6))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weighed = csr_matrix(
        (rng.random((rows, 9)) * (rng.random((rows, 9)) < 0.3) + np.eye(3, 9)[labels]).astype(np.float32)
    )
    return vectors, weighed, labels


def _row(weighed: csr_matrix, row: int) -> Weighed:
    found = weighed[row]
    return Weighed(found.indices.astype(np.int64), found.data)


def test_both_heads_know_what_they_were_fitted_on_and_give_probabilities() -> None:
    vectors, weighed, labels = _samples()
    heads = TypeHeads.fit(vectors, weighed, labels, 4)
    logs = np.array([heads.log_probabilities(vectors[row], _row(weighed, row)) for row in range(len(labels))])
    assert (logs[:, 0].argmax(axis=1) == labels).mean() > 0.9
    assert (logs[:, 1].argmax(axis=1) == labels).mean() > 0.9
    assert np.allclose(np.exp(logs).sum(axis=2), 1)


def test_a_class_without_a_sample_is_ruled_out() -> None:
    vectors, weighed, labels = _samples()
    heads = TypeHeads.fit(vectors, weighed, labels, 4)
    assert np.exp(heads.log_probabilities(vectors[0], _row(weighed, 0)))[:, 3].max() < 1e-6


def test_two_classes_and_one_class_are_fitted_like_many() -> None:
    vectors, _, labels = _samples()
    two = labels < 2
    head = LinearHead.fit(vectors[two], labels[two], 2, strength=10.0)
    scores = vectors[two] @ head.weights + head.bias
    assert (scores.argmax(axis=1) == labels[two]).mean() > 0.9
    one = LinearHead.fit(vectors[:3], np.zeros(3, dtype=np.int64), 2, strength=10.0)
    assert (vectors @ one.weights + one.bias).argmax(axis=1).max() == 0


def test_evidence_is_the_best_row_plus_a_small_credit_and_never_negative() -> None:
    evidence = evidence_for(np.array([4.0, 2.0, -5.0, -1.0]), np.array([0, 0, 1, 1]), np.array([2, 2, 3]))
    assert np.allclose(evidence, [4.0 + 0.3 * 3.0, 0.0, 0.0])


def test_rows_that_are_all_alike_say_nothing() -> None:
    assert not z_scores(np.full(5, 0.3), 0.3, 0.0).any()


def test_fitted_weights_find_the_sign_that_tells_the_type() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    telling = 2 * np.eye(3)[labels] + 0.3 * rng.standard_normal((300, 3))
    noise = [rng.standard_normal((300, 3)) for _ in range(2)]
    signs = np.stack([noise[0], telling, noise[1]], axis=1)
    weights = TypeWeights.fit(signs, np.eye(3, dtype=bool)[labels])
    assert weights.lexical > 1.5
    assert max(weights.dense, weights.evidence) < 0.7
    assert np.allclose(probabilities(weights.utilities(signs)).sum(axis=1), 1)


def test_a_saying_that_may_be_one_of_several_classes_teaches_as_much() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    telling = 2 * np.eye(3)[labels] + 0.3 * rng.standard_normal((300, 3))
    signs = np.stack([telling, np.zeros((300, 3)), np.zeros((300, 3))], axis=1)
    right = np.eye(3, dtype=bool)[labels]
    right[labels > 0] |= np.array([False, True, True])
    assert TypeWeights.fit(signs, right).dense > 1.0


def _candidates(draw: list[tuple[int, int, float, float]]) -> list[Candidate]:
    return [Candidate(n, f"k{n}", f"t{t}", f"a{a}", p, c) for n, (t, a, p, c) in enumerate(draw)]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.floats(0, 1), st.floats(0.01, 1)), max_size=20),
    st.integers(1, 5),
)
def test_choices_differ_in_approach_and_begin_with_the_best(draw: list[tuple[int, int, float, float]], k: int) -> None:
    candidates = _candidates(draw)
    chosen = choose(candidates, k)
    likely = [each for each in candidates if each.type_probability >= LEAST_TYPE_PROBABILITY]
    assert len(chosen) == min(k, len({(each.objection_type, each.approach) for each in likely}))
    assert len({(each.objection_type, each.approach) for each in chosen}) == len(chosen)
    assert all(each in likely for each in chosen)
    if chosen:
        assert chosen[0].score == max(each.score for each in likely)


def test_a_clear_type_fills_the_list_and_an_unclear_one_leaves_room() -> None:
    def types(sure: float) -> list[str]:
        entries = [Candidate(n, f"k{n}", "a", str(n), sure, 1.0) for n in range(3)]
        entries += [Candidate(9, "k9", "b", "x", 1 - sure, 1.0)]
        return [each.objection_type for each in choose(entries, 3)]

    assert types(0.99) == ["a", "a", "a"]
    assert types(0.6)[:2] == ["a", "b"]


def _signs(count: int, shift: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, len(SIGNS))) + shift


def test_about_the_allowed_share_of_objections_is_turned_away() -> None:
    signs = np.vstack([_signs(500, 1.0, 1), _signs(200, -1.0, 2)])
    is_objection = np.arange(700) < 500
    abstention = Abstention.fit(signs, is_objection)
    rejected = abstention.confidence(signs) < abstention.threshold
    assert abstention.calibrated
    assert abs(rejected[is_objection].mean() - WRONG_ABSTENTION) < 0.02
    assert rejected[~is_objection].mean() > 0.8


def test_confidence_lies_between_0_and_1_and_grows_with_each_sign_it_trusts() -> None:
    signs = np.vstack([_signs(100, 1.0, 1), _signs(100, -1.0, 2)])
    abstention = Abstention.fit(signs, np.arange(200) < 100)
    confidence = abstention.confidence(np.array([np.full(len(SIGNS), level) for level in (-1e6, -1, 0, 1, 1e6)]))
    assert (np.diff(confidence) > 0).all()
    assert confidence[0] >= 0
    assert confidence[-1] <= 1


def test_a_sign_that_speaks_against_an_objection_when_it_is_high_is_left_out() -> None:
    signs = np.vstack([_signs(100, 1.0, 1), _signs(100, -1.0, 2)])
    signs[:, 1] *= -1
    abstention = Abstention.fit(signs, np.arange(200) < 100)
    assert abstention.weights[1] == 0
    assert min(abstention.weights[0], abstention.weights[2]) > 0


def test_with_too_few_examples_the_rule_of_thumb_serves() -> None:
    signs = _signs(LEAST_EXAMPLES, 0.0, 1)
    abstention = Abstention.fit(signs, np.arange(LEAST_EXAMPLES) > 2)
    assert abstention == Abstention.rule_of_thumb()
    assert abstention.confidence(np.array([0.0, 0.6, 0.5, 0.0])) > abstention.threshold
    assert abstention.confidence(np.array([0.0, 0.0, 0.1, 0.0])) < abstention.threshold


def test_reliability_compares_what_was_said_with_what_was_true_by_fifths() -> None:
    confidence = np.array([0.05, 0.15, 0.9, 0.95])
    assert reliability(confidence, np.array([False, True, True, True])) == ((0.1, 0.5, 2), (0.925, 1.0, 2))


def test_calibration_leaves_the_standard_weights_while_there_are_too_few_queries(
    small_index: HintIndex, encoder: Encoder
) -> None:
    few = [SpokenQuery("no_time", "zh", f"没空{n}") for n in range(LEAST_QUERIES - 1)]
    listener, report = calibrate(small_index.listener, encoder, few)
    assert listener is small_index.listener
    assert report.objections == 0


def test_calibration_reports_how_its_queries_come_out(small_index: HintIndex, encoder: Encoder) -> None:
    queries = [SpokenQuery("no_time", "zh", f"我赶时间{n}") for n in range(LEAST_QUERIES)]
    queries += [SpokenQuery("price_too_high", "en", f"far too expensive {n}") for n in range(LEAST_QUERIES)]
    queries += [SpokenQuery("none", "zh", f"今天天气{n}") for n in range(LEAST_EXAMPLES)]
    listener, report = calibrate(small_index.listener, encoder, queries)
    assert (report.objections, report.others) == (2 * LEAST_QUERIES, LEAST_EXAMPLES)
    assert report.hit1 > 0.9
    assert report.rightly_rejected > 0.9
    assert listener.abstention.calibrated
