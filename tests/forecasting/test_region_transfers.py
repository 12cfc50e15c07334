from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.transfers import RegionStock, plan_transfers


def everywhere(names: list[str], seconds: float = 1800) -> dict[tuple[str, str], float]:
    return dict.fromkeys(permutations(names, 2), seconds)


def test_the_nearest_donor_gives_what_is_missing() -> None:
    regions = [RegionStock("a", 10, 40, 50), RegionStock("b", 200, 40, 60), RegionStock("c", 200, 40, 60)]
    travel = {**everywhere(["a", "b", "c"], 3000), ("c", "a"): 600}
    plan = plan_transfers(regions, travel)
    assert [(move.donor, move.receiver, move.units) for move in plan.transfers] == [("c", "a", 30)]
    assert plan.shortages == ()
    assert "10 min" in plan.transfers[0].reason.en
    assert "分钟" in plan.transfers[0].reason.zh


def test_a_donor_keeps_its_own_upper_forecast() -> None:
    plan = plan_transfers([RegionStock("a", 0, 50, 60), RegionStock("b", 70, 30, 60)], everywhere(["a", "b"]))
    assert [move.units for move in plan.transfers] == [10]
    assert [(each.region, each.units) for each in plan.shortages] == [("a", 40)]
    assert plan.shortages[0].reason.zh


def test_the_region_that_converts_better_comes_first_even_when_further() -> None:
    regions = [
        RegionStock("far but strong", 0, 50, 60, conversion_weight=0.4),
        RegionStock("near", 0, 50, 60, conversion_weight=0.2),
        RegionStock("donor", 110, 20, 50),
    ]
    travel = {("donor", "near"): 60, ("donor", "far but strong"): 3500}
    plan = plan_transfers(regions, travel)
    assert {move.receiver: move.units for move in plan.transfers} == {"far but strong": 50, "near": 10}


def test_covering_more_units_comes_before_preference() -> None:
    """The strong region takes the donor that only it can reach, so that the weak one is covered too."""
    regions = [
        RegionStock("strong", 0, 10, 10, conversion_weight=9),
        RegionStock("weak", 0, 10, 10),
        RegionStock("d1", 10, 0, 0),
        RegionStock("d2", 10, 0, 0),
    ]
    travel = {("d1", "strong"): 100, ("d1", "weak"): 100, ("d2", "strong"): 9000}
    plan = plan_transfers(regions, travel)
    assert {(move.donor, move.receiver) for move in plan.transfers} == {("d1", "weak"), ("d2", "strong")}
    assert plan.shortages == ()
    assert "beyond one hour" in {move.receiver: move.reason.en for move in plan.transfers}["strong"]


def test_too_long_ways_are_not_proposed() -> None:
    regions = [RegionStock("a", 0, 10, 10), RegionStock("b", 90, 10, 10)]
    plan = plan_transfers(regions, everywhere(["a", "b"], 4000), longest_travel_s=3600)
    assert plan.transfers == ()
    assert "no donor can reach" in plan.shortages[0].reason.en


def test_no_donor_at_all_is_a_result() -> None:
    plan = plan_transfers([RegionStock("a", 0, 10, 10), RegionStock("b", 5, 5, 9)], everywhere(["a", "b"]))
    assert plan.transfers == ()
    assert "upper forecast" in plan.shortages[0].reason.en


def test_nothing_short_needs_no_transfer() -> None:
    plan = plan_transfers([RegionStock("a", 10, 10, 10), RegionStock("b", 50, 5, 9)], everywhere(["a", "b"]))
    assert plan == plan_transfers([], {})


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 80), st.integers(0, 40), st.floats(0.1, 5)),
        min_size=2,
        max_size=7,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_stock_is_conserved_and_as_much_as_possible_is_covered(rows: list, random) -> None:
    regions = [
        RegionStock(f"r{place}", on_hand, need, need + extra, weight)
        for place, (on_hand, need, extra, weight) in enumerate(rows)
    ]
    names = [stock.region for stock in regions]
    travel = {pair: random.uniform(0, 7200) for pair in permutations(names, 2)}
    plan = plan_transfers(regions, travel)
    moved = sum(move.units for move in plan.transfers)
    spare = sum(stock.spare_units for stock in regions)
    short = sum(stock.short_units for stock in regions)
    assert moved == min(spare, short)
    assert moved + sum(each.units for each in plan.shortages) == short
    for stock in regions:
        given_away = sum(move.units for move in plan.transfers if move.donor == stock.region)
        got = sum(move.units for move in plan.transfers if move.receiver == stock.region)
        assert not (given_away and got)
        assert given_away == 0 or stock.on_hand - given_away >= stock.upper_need
        assert got <= stock.short_units


@pytest.mark.parametrize(
    "build",
    [
        lambda: RegionStock("a", -1, 0, 0),
        lambda: RegionStock("a", 1, 5, 4),
        lambda: RegionStock("a", 1, 0, 0, conversion_weight=0),
        lambda: RegionStock("a", math.nan, 0, 0),
        lambda: plan_transfers([RegionStock("a", 1, 0, 0)] * 2, {}),
        lambda: plan_transfers([], {("a", "b"): -5.0}),
        lambda: plan_transfers([], {("a", "b"): math.nan}),
    ],
)
def test_wrong_input_names_the_place(build) -> None:
    with pytest.raises(InvalidInput) as caught:
        build()
    assert caught.value.fields
