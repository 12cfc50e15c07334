"""The choice with evidence: the plain rule when nothing is known, exact chances when something is left to chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.evidence import EntryRates
from coach.evidence_chooser import EvidenceChooser, FactorTable
from coach.examination import Examination
from coach.ranking import LEAST_TYPE_PROBABILITY, Candidate, Choice, choose
from coach.use_counts import UseCount
from common.errors import InvalidInput

TYPES = {f"{code}-{number:02d}": code for code in ("price", "time", "safety") for number in range(6)}
PROBABILITY = {"price": 0.7, "time": 0.2, "safety": 0.01}

_candidates = st.lists(
    st.builds(
        Candidate,
        position=st.integers(0, 10_000),
        key=st.sampled_from(sorted(TYPES)),
        objection_type=st.sampled_from(["price", "time", "safety"]),
        approach=st.sampled_from(["a", "b", "c", "d"]),
        type_probability=st.sampled_from([0.005, 0.1, 0.3, 0.6]),
        closeness=st.sampled_from([0.25, 0.5, 0.9, 1.0]),
    ),
    max_size=30,
    unique_by=lambda candidate: candidate.position,
)


def entry(key: str, closeness: float = 1.0, *, position: int = 0) -> Candidate:
    code = TYPES[key]
    return Candidate(position, key, code, key[-2:], PROBABILITY[code], closeness)


def table(*counts: tuple[str, float, float], region: str | None = None) -> FactorTable:
    found = [UseCount(key, region, 1, shown, adopted, 0, 0, shown, 0) for key, shown, adopted in counts]
    return FactorTable.of(EntryRates.fit(found, TYPES, Examination()), np.random.default_rng(2))


def keys(choices: list[Choice]) -> list[str]:
    return [choice.candidate.key for choice in choices]


USED = table(("price-01", 300, 200), ("price-02", 300, 30), ("price-03", 40, 12), ("time-00", 100, 50))


@given(candidates=_candidates, k=st.integers(0, 10))
def test_without_evidence_the_plain_rule_holds(candidates: list[Candidate], k: int) -> None:
    chosen = EvidenceChooser(table()).choose(candidates, k, region=None)
    assert [choice.candidate for choice in chosen] == choose(candidates, k)


@given(candidates=_candidates, k=st.integers(1, 10), share=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 50))
def test_whatever_is_explored_the_rules_of_a_list_hold(
    candidates: list[Candidate], k: int, share: float, seed: int
) -> None:
    chooser = EvidenceChooser(USED, exploration=share, rng=np.random.default_rng(seed))
    chosen = chooser.choose(candidates, k, region="north")
    shown = [choice.candidate for choice in chosen]
    pairs = {(c.objection_type, c.approach) for c in candidates if c.type_probability >= LEAST_TYPE_PROBABILITY}
    assert len(shown) == min(k, len(pairs))
    assert {(c.objection_type, c.approach) for c in shown} <= pairs
    assert len({(c.objection_type, c.approach) for c in shown}) == len(shown)
    assert all(0 < choice.propensity <= 1 for choice in chosen)


def test_a_line_that_reps_adopt_moves_up_and_one_that_they_leave_moves_down() -> None:
    candidates = [entry(f"price-{number:02d}", 0.9, position=number) for number in range(3)]
    assert keys(EvidenceChooser(table()).choose(candidates, 3, region=None)) == ["price-00", "price-01", "price-02"]
    assert keys(EvidenceChooser(USED).choose(candidates, 3, region=None)) == ["price-01", "price-00", "price-02"]


def test_use_cannot_overrule_words_that_are_four_times_nearer() -> None:
    candidates = [entry("price-02", 1.0), entry("price-01", 0.24, position=1)]
    assert keys(EvidenceChooser(USED).choose(candidates, 1, region=None)) == ["price-02"]


def test_an_entry_that_the_counts_do_not_know_is_like_its_type() -> None:
    new = Candidate(0, "price-77", "price", "77", 0.7, 0.9)
    assert keys(EvidenceChooser(USED).choose([new, entry("price-02", 0.9, position=1)], 1, region=None)) == ["price-77"]


def test_a_region_goes_by_its_own_counts_where_it_has_enough() -> None:
    counts = [UseCount(key, "north", 1, 300, 90, 0, 0, 300, 0) for key in TYPES]
    counts += [UseCount(key, "south", 1, 300, 90, 0, 0, 300, 0) for key in list(TYPES)[2:]]
    counts += [UseCount("price-00", "south", 1, 300, 10, 0, 0, 300, 0)]
    counts += [UseCount("price-01", "south", 1, 300, 200, 0, 0, 300, 0)]
    rates = EntryRates.fit(counts, TYPES, Examination())
    chooser = EvidenceChooser(FactorTable.of(rates, np.random.default_rng(1)))
    candidates = [entry("price-00", 1.0), entry("price-01", 0.8, position=1)]
    assert keys(chooser.choose(candidates, 1, region="north")) == ["price-00"]
    assert keys(chooser.choose(candidates, 1, region="south")) == ["price-01"]
    assert keys(chooser.choose(candidates, 1, region="elsewhere")) == keys(chooser.choose(candidates, 1, region=None))


def test_without_exploration_nothing_is_left_to_chance() -> None:
    candidates = [entry(f"price-{number:02d}", 0.9, position=number) for number in range(6)]
    chooser = EvidenceChooser(USED)
    first = chooser.choose(candidates, 3, region=None)
    assert {choice.propensity for choice in first} == {1.0}
    assert all(chooser.choose(candidates, 3, region=None) == first for _ in range(20))


def test_each_line_stands_at_its_place_as_often_as_its_propensity_says() -> None:
    candidates = [entry(f"price-{number:02d}", 0.9, position=number) for number in range(6)]
    chooser = EvidenceChooser(USED, exploration=0.4, rng=np.random.default_rng(8))
    times = 3000
    seen: Counter[tuple[int, str]] = Counter()
    told: dict[tuple[int, str], float] = {}
    for _ in range(times):
        for place, choice in enumerate(chooser.choose(candidates, 3, region=None)):
            seen[place, choice.candidate.key] += 1
            told[place, choice.candidate.key] = choice.propensity
    assert len(told) > 6
    for at, chance in told.items():
        deviation = (chance * (1 - chance) / times) ** 0.5
        assert seen[at] / times == pytest.approx(chance, abs=4 * deviation + 1e-9), at
    for place in range(3):
        assert sum(chance for (where, _), chance in told.items() if where == place) == pytest.approx(1.0, abs=0.05)


def test_on_trial_the_plain_order_stands_but_for_the_questions_that_are_explored() -> None:
    candidates = [entry(f"price-{number:02d}", 0.9, position=number) for number in range(6)]
    plain = [candidate.key for candidate in choose(candidates, 3)]
    assert keys(EvidenceChooser(USED.on_trial()).choose(candidates, 3, region=None)) == plain
    explored = EvidenceChooser(USED.on_trial(), exploration=1.0, rng=np.random.default_rng(4))
    first = Counter(keys(explored.choose(candidates, 3, region=None))[0] for _ in range(50))
    assert first["price-01"] > first["price-02"]


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_of_exploration_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match="/exploration"):
        EvidenceChooser(USED, exploration=share)
