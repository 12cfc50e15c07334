"""Conversion probabilities are calibrated, know nothing that came later, and fall back to plain rates."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.conversion import ConversionSettings, train
from forecasting.conversion_report import Reliability, reliability, scores
from forecasting.visit_memory import PastVisit, VisitAhead, VisitMemory, in_order, rows_before

START = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
RATE_BY_TYPE = {"students": 0.45, "companies": 0.05, "elderly": 0.2}
RATE_BY_GRADE = {"A": 1.6, "B": 1.0, "C": 0.5, "": 1.0}


def history(count: int, *, seed: int = 1, noise: bool = False) -> list[PastVisit]:
    """Return visits whose chance depends on type and grade, or (``noise``) on nothing."""
    dice = random.Random(seed)
    types = {f"c{number}": dice.choice(sorted(RATE_BY_TYPE)) for number in range(max(10, count // 12))}
    grades = dict.fromkeys(types, "")
    visits = []
    for number in range(count):
        customer = dice.choice(sorted(types))
        rate = 0.2 if noise else min(0.9, RATE_BY_TYPE[types[customer]] * RATE_BY_GRADE[grades[customer]])
        won = dice.random() < rate
        at = START + timedelta(hours=number)
        grades[customer] = dice.choice("ABC")
        visits.append(
            PastVisit(
                customer,
                f"r{number % 5}",
                types[customer],
                at,
                at + timedelta(minutes=30),
                "won" if won else dice.choice(("interested", "refused", "absent")),
                grades[customer],
                ("price_too_high",) if dice.random() < 0.3 else (),
                frozenset({"campus"}) if number % 5 == 0 else frozenset(),
            )
        )
    return visits


@pytest.fixture(scope="module")
def long_history() -> list[PastVisit]:
    return history(4000)


@pytest.fixture(scope="module")
def report(long_history: list[PastVisit]) -> Reliability:
    found = reliability(long_history, later_share=0.25)
    assert found is not None
    return found


def test_probabilities_hold_on_visits_that_came_later(report: Reliability) -> None:
    assert report.method == "model"
    assert report.tested_on == 1000
    assert report.calibration_error < 0.05
    for part in report.bins:
        chance = (part.expected * (1 - part.expected) / part.visits) ** 0.5  # of a hundred visits, not of the model
        assert abs(part.expected - part.won) < 0.05 + 4 * chance, part
    assert [part.expected for part in report.bins] == sorted(part.expected for part in report.bins)


def test_the_model_beats_rates_by_grade_and_these_beat_one_rate(report: Reliability) -> None:
    assert report.model.log_loss < report.rates.log_loss < report.base.log_loss
    assert report.model.brier < report.rates.brier < report.base.brier


def test_the_report_has_a_line_for_every_grade_and_counts_each_visit_once(report: Reliability) -> None:
    assert [part.grade for part in report.grades] == ["A", "B", "C", ""][: len(report.grades)]
    assert sum(part.visits for part in report.grades) == report.tested_on == sum(part.visits for part in report.bins)
    expected = {part.grade: part.expected for part in report.grades}
    assert expected["A"] > expected["B"] > expected["C"]


def test_the_same_history_in_another_order_gives_the_same_model(long_history: list[PastVisit]) -> None:
    shuffled = list(long_history)
    random.Random(5).shuffle(shuffled)
    first, second = train(long_history), train(shuffled)
    ahead = [VisitAhead("c1", "r1", "students", START + timedelta(days=400), grade) for grade in "ABC"]
    memory = VisitMemory.of(long_history)
    assert first == second
    assert first.probabilities(ahead, memory) == second.probabilities(ahead, VisitMemory.of(shuffled))


@pytest.mark.parametrize(("count", "won"), [(0, 0), (150, 30), (500, 3)])
def test_a_thin_history_answers_with_rates_by_grade_and_says_so(count: int, won: int) -> None:
    visits = [
        PastVisit(f"c{n}", "r", "elderly", at, at, "won" if n < won else "refused")
        for n in range(count)
        for at in [START + timedelta(hours=n)]
    ]
    model = train(visits)
    assert model.method == "rates"
    assert str(count) in model.reason.en
    assert str(count) in model.reason.zh
    ahead = VisitAhead("new", "r", "elderly", START + timedelta(days=90), "A")
    assert model.probabilities([ahead], VisitMemory.of(visits)) == [model.rate("A")]


def test_without_history_the_rates_are_the_prior_ones_and_history_draws_them_to_itself() -> None:
    prior = dict(ConversionSettings().prior_rates)
    assert train([]).rates == prior
    visits = [
        PastVisit(f"c{n}", "r", "elderly", START + timedelta(hours=n), START + timedelta(hours=n), "refused")
        for n in range(60)
    ]
    model = train(visits)
    assert model.rate("") == pytest.approx(prior[""] * 20 / 80)
    assert model.rate("A") == prior["A"]
    assert model.rate("Z") == model.rate("")


def test_where_nothing_can_be_learnt_the_plain_rates_are_kept() -> None:
    model = train(history(1500, noise=True))
    assert model.method == "rates"
    assert "no better" in model.reason.en


def test_types_grades_reps_and_skills_that_were_never_seen_are_no_error(long_history: list[PastVisit]) -> None:
    model = train(long_history)
    ahead = VisitAhead(
        "nobody", "new rep", "astronauts", START + timedelta(days=300, hours=14), "Z", frozenset({"juggling"})
    )
    (share,) = model.probabilities([ahead], VisitMemory.of(long_history))
    assert 0 < share < 1
    assert model.probabilities([], VisitMemory()) == []


def test_a_customer_of_a_better_converting_type_and_grade_has_a_higher_probability(
    long_history: list[PastVisit],
) -> None:
    model, memory = train(long_history), VisitMemory.of(long_history)
    at = START + timedelta(days=400)
    asked = [VisitAhead("new", "r1", kind, at, grade) for kind in ("students", "companies") for grade in "AC"]
    students_a, students_c, companies_a, companies_c = model.probabilities(asked, memory)
    assert students_a > students_c > companies_c
    assert students_a > companies_a > companies_c


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 59))
def test_features_of_a_visit_do_not_change_with_what_comes_after_it(seed: int, cut: int) -> None:
    visits = in_order(history(60, seed=seed))
    whole = [features for _, features in rows_before(visits, VisitMemory())]
    other_end = [*visits[:cut], *history(60, seed=seed + 1)[cut:]]
    part = [features for _, features in rows_before(other_end, VisitMemory())]
    assert whole[:cut] == part[:cut]


def test_a_visit_is_not_known_before_it_was_recorded() -> None:
    late = PastVisit("c", "r", "elderly", START, START + timedelta(days=2), "won", "A")
    memory = VisitMemory.of([late])
    before = memory.features(VisitAhead("c", "r", "elderly", START + timedelta(days=1)))
    after = memory.features(VisitAhead("c", "r", "elderly", START + timedelta(days=3)))
    assert "grade=none" in before
    assert "gap=never" in before
    assert "grade=A" in after
    assert "last=won" in after


def test_a_record_that_comes_late_does_not_overwrite_a_newer_visit() -> None:
    older = PastVisit("c", "r", "elderly", START, START + timedelta(days=3), "refused", "C")
    newer = PastVisit("c", "r", "elderly", START + timedelta(days=1), START + timedelta(days=1), "won", "A")
    features = VisitMemory.of([older, newer]).features(VisitAhead("c", "r", "elderly", START + timedelta(days=5)))
    assert "grade=A" in features
    assert "last=won" in features
    assert features["earlier_visits"] == pytest.approx(0.3662, abs=1e-4)


def test_moments_with_and_without_a_zone_are_refused_together() -> None:
    bare = START.replace(tzinfo=None)
    mixed = [PastVisit("c", "r", "t", START, START, "won"), PastVisit("d", "r", "t", bare, bare, "won")]
    with pytest.raises(InvalidInput) as raised:
        train(mixed)
    assert raised.value.fields[0].pointer == "/visits"


def test_scores_are_those_worked_out_by_hand() -> None:
    found = scores([0.8, 0.4], [True, False])
    assert found.brier == pytest.approx((0.04 + 0.16) / 2)
    assert found.log_loss == pytest.approx((0.22314355 + 0.51082562) / 2)


@pytest.mark.parametrize("count", [0, 1])
def test_a_history_that_cannot_be_split_has_no_report(count: int) -> None:
    assert reliability(history(count)) is None


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_a_share_outside_its_range_is_named(share: float) -> None:
    with pytest.raises(InvalidInput) as raised:
        reliability(history(20), later_share=share)
    assert raised.value.fields[0].pointer == "/later_share"
