"""The posterior, the weights and the calibration: each against a slower way to the same result."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from coach.abstention import LEAST_EXAMPLES, SIGNS, WRONG_ABSTENTION, Abstention
from coach.posterior import OTHER, Samples, fit_posterior, mean_reciprocal_rank
from coach.ranking import (
    LEAST_TYPE_PROBABILITY,
    Candidate,
    TypeWeights,
    choose,
    entry_evidence,
    z_scores,
)


def _samples(keep: np.ndarray | None = None) -> Samples:
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], 8)
    centres = rng.standard_normal((3, 6))
    vectors = (centres[labels] + 0.7 * rng.standard_normal((24, 6))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weighed = np.abs(rng.standard_normal((24, 9)) + np.eye(3, 9)[labels]).astype(np.float32)
    groups = np.arange(24) // 4
    chosen = np.arange(24) if keep is None else keep
    judged = np.flatnonzero(labels[chosen] < 2)
    return Samples(
        vectors[chosen], csr_matrix(weighed[chosen]), labels[chosen], groups[chosen], judged, ("a", "b", OTHER)
    )


def test_leaving_rows_out_in_closed_form_equals_fitting_without_them(monkeypatch: object) -> None:
    import coach.posterior as posterior_module

    # one point in the grids, so that both fits use the same settings
    monkeypatch.setattr(posterior_module, "_DENSE_WEIGHTS", (0.4,))  # type: ignore[attr-defined]
    monkeypatch.setattr(posterior_module, "_RIDGES", (0.5,))  # type: ignore[attr-defined]
    whole = _samples()
    _, held_out = fit_posterior(whole)
    for group in range(6):
        own = np.flatnonzero(whole.groups == group)
        without, _ = fit_posterior(_samples(np.flatnonzero(whole.groups != group)))
        for row in own:
            scores = without.scores(whole.vectors[row], whole.weighed[row])
            assert np.allclose(scores, held_out.by_group[row], atol=1e-4)
    for row in (0, 13):
        without, _ = fit_posterior(_samples(np.flatnonzero(np.arange(24) != row)))
        scores = without.scores(whole.vectors[row], whole.weighed[row])
        assert np.allclose(scores, held_out.by_row[row], atol=1e-4)


def test_the_posterior_knows_what_it_was_fitted_on() -> None:
    samples = _samples()
    posterior, _ = fit_posterior(samples)
    right = [
        int(posterior.scores(samples.vectors[row], samples.weighed[row]).argmax()) == samples.labels[row]
        for row in range(24)
    ]
    assert np.mean(right) > 0.9


def test_reciprocal_rank_counts_ties_against_the_right_answer() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    assert mean_reciprocal_rank(scores, np.array([1, 0])) == (1 / 2 + 1 / 3) / 2


def test_evidence_is_the_best_row_plus_a_small_credit_and_never_negative() -> None:
    evidence = entry_evidence(np.array([4.0, 2.0, -5.0, -1.0]), np.array([0, 2]))
    assert np.allclose(evidence, [4.0 + 0.3 * 3.0, 0.0])


def test_rows_that_are_all_alike_say_nothing() -> None:
    assert not z_scores(np.full(5, 0.3), 0.3, 0.0).any()


def test_fitted_weights_find_the_sign_that_tells_the_type() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 200)
    telling = np.eye(3)[labels] + 0.3 * rng.standard_normal((200, 3))
    noise = rng.standard_normal((200, 3))
    weights = TypeWeights.fit(telling, noise, labels)
    assert weights.posterior > 3
    assert weights.evidence < 0.5
    assert np.allclose(weights.probabilities(telling, noise).sum(axis=1), 1)


def _candidates(draw: list[tuple[int, int, float, float]]) -> list[Candidate]:
    return [Candidate(n, f"t{t}", f"a{a}", p, c) for n, (t, a, p, c) in enumerate(draw)]


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
        entries = [Candidate(n, "a", str(n), sure, 1.0) for n in range(3)]
        entries += [Candidate(9, "b", "x", 1 - sure, 1.0)]
        return [each.objection_type for each in choose(entries, 3)]

    assert types(0.97) == ["a", "a", "a"]
    assert types(0.6) == ["a", "b", "a"]


def _signs(count: int, shift: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, len(SIGNS))) + shift


def test_about_the_allowed_share_of_objections_is_turned_away() -> None:
    signs = np.vstack([_signs(500, 1.0, 1), _signs(200, -1.0, 2)])
    is_objection = np.arange(700) < 500
    abstention = Abstention.fit(signs, is_objection, np.arange(700))
    rejected = abstention.confidence(signs) < abstention.threshold
    assert abstention.calibrated
    assert abs(rejected[is_objection].mean() - WRONG_ABSTENTION) < 0.02
    assert rejected[~is_objection].mean() > 0.8


def test_confidence_lies_between_0_and_1_and_grows_with_each_sign_it_trusts() -> None:
    signs = np.vstack([_signs(100, 1.0, 1), _signs(100, -1.0, 2)])
    abstention = Abstention.fit(signs, np.arange(200) < 100, np.arange(200))
    confidence = abstention.confidence(np.array([np.full(len(SIGNS), level) for level in (-1e6, -1, 0, 1, 1e6)]))
    assert (np.diff(confidence) > 0).all()
    assert confidence[0] >= 0
    assert confidence[-1] <= 1


def test_a_sign_that_speaks_against_an_objection_when_it_is_high_is_left_out() -> None:
    signs = np.vstack([_signs(100, 1.0, 1), _signs(100, -1.0, 2)])
    signs[:, 1] *= -1
    abstention = Abstention.fit(signs, np.arange(200) < 100, np.arange(200))
    assert abstention.weights[1] == 0
    assert min(abstention.weights[0], abstention.weights[2]) > 0


def test_with_too_few_examples_the_rule_of_thumb_serves() -> None:
    signs = _signs(LEAST_EXAMPLES, 0.0, 1)
    abstention = Abstention.fit(signs, np.arange(LEAST_EXAMPLES) > 2, np.arange(LEAST_EXAMPLES))
    assert abstention == Abstention.rule_of_thumb()
    assert abstention.confidence(np.array([0.0, 0.6, 0.5])) > abstention.threshold
    assert abstention.confidence(np.array([0.0, 0.0, 0.1])) < abstention.threshold
