"""What use says about entries: rates, priors, regions, position bias."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.evidence import (
    HIGHEST_FACTOR,
    LOWEST_FACTOR,
    STRONGEST_PRIOR,
    USUAL_PRIOR,
    WEAKEST_PRIOR,
    EntryRates,
    prior_strength,
)
from coach.examination import Examination, estimate_examination
from coach.use_counts import UseCount, weight_at
from common.errors import InvalidInput

ALWAYS_READ = Examination((1.0,))
TYPES = {f"{code}-{number:02d}": code for code in ("price", "time") for number in range(6)}


def counted(
    key: str,
    shown: float,
    adopted: float,
    *,
    region: str | None = None,
    rank: int = 1,
    known: float = 0,
    won: float = 0,
) -> UseCount:
    return UseCount(key, region, rank, shown, adopted, known, won, shown_squared=shown, known_squared=known)


def rates_of(*counts: UseCount, examination: Examination = ALWAYS_READ) -> EntryRates:
    return EntryRates.fit(counts, TYPES, examination)


def adoption(rates: EntryRates, key: str, region: str | None = None) -> float:
    return float(rates.adoption.mean[rates.rows[key, region]])


def test_without_any_use_every_entry_is_like_its_type() -> None:
    rates = rates_of()
    assert set(rates.rows) == {(key, None) for key in TYPES}
    assert rates.factors() == pytest.approx(1.0)
    assert rates.adoptions == 0


@given(
    shown=st.lists(st.integers(0, 300), min_size=6, max_size=6),
    shares=st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_a_rate_lies_between_the_entrys_own_and_its_types(shown: list[int], shares: list[float]) -> None:
    counts = [counted(key, n, round(n * share)) for key, n, share in zip(list(TYPES)[:6], shown, shares, strict=True)]
    rates = rates_of(*counts)
    for count in counts:
        row = rates.rows[count.key, None]
        own = count.adopted / count.shown if count.shown else rates.adoption.type_mean[row]
        low, high = sorted((own, rates.adoption.type_mean[row]))
        assert low - 1e-9 <= rates.adoption.mean[row] <= high + 1e-9
    assert np.all((rates.factors() >= LOWEST_FACTOR) & (rates.factors() <= HIGHEST_FACTOR))
    drawn = rates.draw_factors(8, np.random.default_rng(1))
    assert drawn.shape == (8, len(rates.rows))
    assert np.all((drawn >= LOWEST_FACTOR) & (drawn <= HIGHEST_FACTOR))


@given(n=st.integers(1, 200), adopted=st.integers(0, 199))
def test_one_more_adoption_never_lowers_a_rate(n: int, adopted: int) -> None:
    adopted = min(adopted, n - 1)
    others = [counted("price-01", 50, 15)]
    before = adoption(rates_of(counted("price-00", n, adopted), *others), "price-00")
    after = adoption(rates_of(counted("price-00", n, adopted + 1), *others), "price-00")
    assert after > before


def test_little_use_moves_a_rate_little_and_much_use_much() -> None:
    usual = [counted(f"price-{number:02d}", 400, 120) for number in range(2, 6)]
    few = adoption(rates_of(counted("price-00", 4, 4), *usual), "price-00")
    many = adoption(rates_of(counted("price-00", 400, 360), *usual), "price-00")
    assert few < 0.45
    assert many > 0.6


def test_the_strength_of_the_prior_is_found_again() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(26), 12)
    means = rng.uniform(0.15, 0.45, 26)[groups]
    for strength, least, most in ((8.0, 20, 200), (40.0, 20, 200), (8.0, 4, 12)):
        true = rng.beta(means * strength, (1 - means) * strength)
        trials = rng.integers(least, most, len(true)).astype(float)
        successes = rng.binomial(trials.astype(int), true).astype(float)
        found = prior_strength(successes, trials, (trials, trials), groups)
        assert found == pytest.approx(strength, rel=0.35)


def test_the_strength_of_the_prior_stays_within_its_bounds() -> None:
    trials, groups = np.full(40, 100.0), np.repeat(np.arange(4), 10)
    alike = np.full(40, 30.0)
    all_or_nothing = np.tile([0.0, 100.0], 20)
    assert prior_strength(alike, trials, (trials, trials), groups) == STRONGEST_PRIOR
    assert prior_strength(all_or_nothing, trials, (trials, trials), groups) == WEAKEST_PRIOR
    assert prior_strength(alike[:5], trials[:5], (trials[:5], trials[:5]), groups[:5]) == USUAL_PRIOR
    once = np.ones(40)
    assert prior_strength(all_or_nothing / 100, once, (once, once), groups) == USUAL_PRIOR
    nothing = np.zeros(0)
    assert prior_strength(nothing, nothing, (nothing, nothing), groups[:0]) == USUAL_PRIOR


def test_a_line_low_in_the_list_is_not_blamed_for_not_being_read() -> None:
    examination = Examination((1.0, 0.5, 0.25))
    counts = [counted("price-00", 400, 120, rank=1), counted("price-01", 400, 30, rank=3)]
    corrected = rates_of(*counts, examination=examination)
    believed = rates_of(*counts)
    assert adoption(corrected, "price-00") == pytest.approx(adoption(corrected, "price-01"), abs=0.01)
    assert adoption(believed, "price-00") > 2 * adoption(believed, "price-01")


def test_a_lucky_line_low_in_the_list_still_has_a_rate() -> None:
    rates = rates_of(counted("price-00", 30, 30, rank=3), examination=Examination((1.0, 0.5, 0.25)))
    assert 0 < adoption(rates, "price-00") < 1


def test_a_region_with_enough_use_has_rates_of_its_own_and_others_share_one() -> None:
    usual = [counted(key, 300, 90, region="north") for key in list(TYPES)[1:]]
    mine = [counted("price-00", 300, 150, region="north"), counted("price-00", 300, 30, region="south")]
    little = counted("price-00", 10, 9, region="east")
    rates = rates_of(*mine, little, *usual, *(counted(key, 300, 90, region="south") for key in list(TYPES)[1:]))
    assert ("price-00", "east") not in rates.rows
    assert adoption(rates, "price-00", "south") < adoption(rates, "price-00") < adoption(rates, "price-00", "north")


def test_a_region_that_adopts_little_does_not_make_its_entries_look_bad() -> None:
    counts = [counted(key, 200, 80, region="eager") for key in TYPES]
    counts += [counted("price-00", 200, 10, region="shy"), counted("price-01", 200, 10, region="shy")]
    rates = rates_of(*counts)
    factors = rates.factors()
    assert factors[rates.rows["price-00", "shy"]] == pytest.approx(1.0, abs=0.12)
    assert factors[rates.rows["price-00", None]] == pytest.approx(factors[rates.rows["price-02", None]], abs=0.12)


def test_a_region_whose_customers_object_otherwise_is_not_taken_for_a_better_one() -> None:
    counts = []
    for region, often, seldom in (("north", "price", "time"), ("south", "time", "price")):
        for number in range(2, 6):
            counts += [counted(f"{often}-0{number}", 900, 900 * {"price": 0.6, "time": 0.1}[often], region=region)]
            counts += [counted(f"{seldom}-0{number}", 100, 100 * {"price": 0.6, "time": 0.1}[seldom], region=region)]
    counts += [counted("price-00", 300, 180, region="north"), counted("price-01", 300, 180, region="south")]
    rates = rates_of(*counts)
    assert adoption(rates, "price-00") == pytest.approx(adoption(rates, "price-01"), abs=0.03)


def test_counts_of_the_only_region_do_not_speak_twice() -> None:
    counts = [counted(key, 60, 12 + 3 * number, region="north") for number, key in enumerate(TYPES)]
    rates = rates_of(*counts)
    for key in TYPES:
        pooled, own = rates.rows[key, None], rates.rows[key, "north"]
        strength = rates.adoption.alpha + rates.adoption.beta
        assert strength[own] <= strength[pooled] + 1e-9
        assert adoption(rates, key, "north") == pytest.approx(adoption(rates, key), abs=0.06)


def test_a_line_that_wins_more_is_worth_more_than_one_that_is_adopted_as_often() -> None:
    counts = [counted(key, 200, 60, known=60, won=12) for key in list(TYPES)[2:]]
    rates = rates_of(
        counted("price-00", 200, 60, known=60, won=36), counted("price-01", 200, 60, known=60, won=1), *counts
    )
    factors = rates.factors()
    assert factors[rates.rows["price-00", None]] > 1.3
    assert factors[rates.rows["price-01", None]] < 0.8


def test_counts_of_unknown_entries_are_left_out() -> None:
    assert rates_of(counted("gone-01", 500, 400)).adoptions == 0


def test_an_event_counts_half_after_the_half_life() -> None:
    assert [weight_at(age, 90) for age in (0, 90, 180)] == [1.0, 0.5, 0.25]
    assert weight_at(-3, 90) == 1.0


@pytest.mark.parametrize("shares", [(), (1.0, 0.0), (1.2,)])
def test_shares_of_reading_that_cannot_be_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInput, match="/examination"):
        Examination(shares)


def test_lower_ranks_are_read_as_often_as_the_last_one_given() -> None:
    assert Examination((1.0, 0.5)).at([1, 2, 3, 9]).tolist() == [1.0, 0.5, 0.5, 0.5]


def test_the_examination_is_found_again_from_lines_shown_at_different_ranks() -> None:
    rng = np.random.default_rng(5)
    true = np.array([1.0, 0.6, 0.3])
    counts = []
    for number in range(40):
        fits = rng.beta(4, 6)
        for rank, read in enumerate(true, start=1):
            shown = int(rng.integers(100, 300))
            counts.append(counted(f"price-{number}", shown, int(rng.binomial(shown, fits * read)), rank=rank))
    start = Examination((1.0, 0.8, 0.65))
    found = estimate_examination(counts, start).shares
    assert found == pytest.approx(tuple(true), abs=0.06)
    assert found[0] == 1.0
    assert estimate_examination(counts, Examination((0.9, 0.8, 0.65))).shares[0] == pytest.approx(0.9)
    assert estimate_examination(counts[:3], start) == start
