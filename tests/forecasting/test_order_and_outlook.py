from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.replenishment import Arrival, DemandQuantiles, OrderPolicy, OrderProposal, outlook, propose_order

DEMAND = DemandQuantiles({0.1: 60.0, 0.5: 100.0, 0.9: 160.0})
POLICY = OrderPolicy(shortage_cost=9.0, holding_cost=1.0, lead_time_days=2, review_days=1)


def test_the_level_is_the_newsvendor_quantile() -> None:
    proposal = propose_order(DEMAND, POLICY, demand_days=3, on_hand=40, in_transit=20)
    assert proposal.service_quantile == pytest.approx(0.9)
    assert proposal.order_up_to_units == pytest.approx(160)
    assert proposal.order_units == 100
    assert "100" in proposal.reason.en
    assert "订" in proposal.reason.zh


def test_equal_costs_cover_the_median() -> None:
    policy = OrderPolicy(shortage_cost=1, holding_cost=1, lead_time_days=2)
    assert propose_order(DEMAND, policy, demand_days=3, on_hand=0).order_up_to_units == pytest.approx(100)


def expected_cost(policy: OrderPolicy, stock: float) -> float:
    """Cost of covering DEMAND with ``stock``, summed over a thousand equally likely demands."""
    draws = [DEMAND.at((place + 0.5) / 1000) for place in range(1000)]
    short = sum(max(0.0, draw - stock) for draw in draws) / 1000
    left = sum(max(0.0, stock - draw) for draw in draws) / 1000
    return policy.shortage_cost * short + policy.holding_cost * left


@pytest.mark.parametrize("on_hand", [0, 40, 88, 100, 112, 130, 144, 155, 160])
@pytest.mark.parametrize("minimum", [0, 50])
def test_of_the_two_whole_orders_around_the_gap_the_cheaper_one_is_placed(on_hand: int, minimum: int) -> None:
    policy = OrderPolicy(9, 1, 2, pack_size=24, minimum_order_units=minimum)
    order = propose_order(DEMAND, policy, demand_days=3, on_hand=on_hand).order_units
    allowed = [units for units in range(0, 400, 24) if units == 0 or units >= minimum]
    below = max(units for units in allowed if units <= max(0, 160 - on_hand))
    above = min(units for units in allowed if units >= max(0, 160 - on_hand))
    assert order == min((below, above), key=lambda units: (expected_cost(policy, on_hand + units), units))


def test_a_minimum_order_for_a_small_gap_is_left_and_the_reason_says_so() -> None:
    policy = OrderPolicy(9, 1, 2, pack_size=24, minimum_order_units=50)
    proposal = propose_order(DEMAND, policy, demand_days=3, on_hand=155)
    assert proposal.order_units == 0
    assert "72, the next whole order, would cost more" in proposal.reason.en
    assert "再多订一档（72）预计成本更高" in proposal.reason.zh


def test_a_longer_cover_grows_the_mean_fully_and_the_spread_by_the_exponent() -> None:
    for exponent, spread in ((0.5, 60 * 2), (1.0, 60 * 4)):
        policy = OrderPolicy(9, 1, lead_time_days=11, spread_exponent=exponent)
        level = propose_order(DEMAND, policy, demand_days=3, on_hand=0).order_up_to_units
        assert level == pytest.approx(400 + spread)
    between = propose_order(DEMAND, OrderPolicy(9, 1, 11), demand_days=3, on_hand=0).order_up_to_units
    assert 520 < between < 640


def test_days_beyond_the_forecast_follow_the_rhythm_of_the_week() -> None:
    week = [10.0, 10.0, 10.0, 10.0, 10.0, 25.0, 25.0]
    assert DEMAND.over_days(3, 7, rhythm=week).at(0.5) == pytest.approx(100 * 100 / 30)
    assert DEMAND.over_days(3, 10, rhythm=week).at(0.5) == pytest.approx(100 * 130 / 30)
    assert DEMAND.over_days(3, 14, rhythm=week).at(0.5) == pytest.approx(100 * 200 / 30)
    assert DEMAND.over_days(3, 6, rhythm=[0.0] * 7).at(0.5) == pytest.approx(200)
    assert DEMAND.over_days(3, 3, rhythm=week) is DEMAND


def test_orders_under_way_count_only_if_they_arrive_inside_the_cover() -> None:
    dated = [Arrival(1, 20.0), Arrival(3, 10.0), Arrival(4, 70.0)]
    proposal = propose_order(DEMAND, POLICY, demand_days=3, on_hand=40, in_transit=dated)
    assert proposal.order_units == 160 - 70
    assert "70 under way arrive too late" in proposal.reason.en
    assert "70 在途" in proposal.reason.zh


def test_no_more_is_ordered_than_is_used_before_it_spoils() -> None:
    policy = OrderPolicy(9, 1, lead_time_days=0, review_days=3, pack_size=10, shelf_life_days=3)
    proposal = propose_order(DEMAND, policy, demand_days=3, on_hand=15)
    assert proposal.order_up_to_units == pytest.approx(100)
    assert proposal.order_units == 80  # 90 would lie above the middle of what is used in three days
    assert "spoil" in proposal.reason.en
    assert "保质期 3 天" in proposal.reason.zh
    too_much = OrderPolicy(9, 1, 0, 3, minimum_order_units=120, shelf_life_days=3)
    assert propose_order(DEMAND, too_much, demand_days=3, on_hand=0).order_units == 0
    lasting = OrderPolicy(9, 1, 0, 3, pack_size=10, shelf_life_days=60)
    assert propose_order(DEMAND, lasting, demand_days=3, on_hand=15).order_units >= 140


def test_idle_stock_above_the_limit_lowers_the_level_but_not_below_the_median() -> None:
    lowered = OrderPolicy(9, 1, 2, idle_rate=0.3)
    proposal = propose_order(DEMAND, lowered, demand_days=3, on_hand=0)
    assert proposal.order_up_to_units == pytest.approx(160 * 0.9)
    assert "30%" in proposal.reason.en
    very = propose_order(DEMAND, OrderPolicy(9, 1, 2, idle_rate=1.0), demand_days=3, on_hand=0)
    assert very.order_up_to_units == pytest.approx(100)
    assert propose_order(DEMAND, OrderPolicy(9, 1, 2, idle_rate=0.2), demand_days=3, on_hand=0).order_units == 160


ORDERED = {
    "values": st.lists(st.floats(0, 1e4), min_size=3, max_size=3),
    "on_hand": st.floats(0, 1e4),
    "pack": st.integers(1, 50),
    "minimum": st.integers(0, 300),
    "ratio": st.floats(0.1, 50),
    "life": st.none() | st.integers(1, 20),
    "idle": st.floats(0, 1),
}


@given(**ORDERED)
@settings(max_examples=120, deadline=None)
def test_an_order_is_none_or_whole_packs_of_at_least_the_minimum_next_to_the_gap(**drawn: object) -> None:
    proposal, policy, on_hand = drawn_order(**drawn)  # type: ignore[arg-type]
    order, gap = proposal.order_units, proposal.order_up_to_units - on_hand
    assert order % policy.pack_size == 0
    assert order == 0 or order >= policy.minimum_order_units
    most = max(gap + policy.pack_size, policy.minimum_order_units + policy.pack_size, 0)
    assert order <= most + 1e-3
    if gap > policy.pack_size and gap > policy.minimum_order_units + policy.pack_size:
        assert order > gap - policy.pack_size - 1e-3
    if gap <= 0:
        assert order == 0


@given(**ORDERED)
@settings(max_examples=60, deadline=None)
def test_what_spoils_is_never_ordered_beyond_what_is_likely_used(**drawn: object) -> None:
    proposal, policy, on_hand = drawn_order(**drawn)  # type: ignore[arg-type]
    if policy.shelf_life_days is not None and proposal.order_units:
        used = drawn_demand(drawn["values"]).over_days(3, policy.lead_time_days + policy.shelf_life_days)  # type: ignore[arg-type]
        assert on_hand + proposal.order_units <= used.at(0.5) + 1e-3


def drawn_demand(values: list[float]) -> DemandQuantiles:
    return DemandQuantiles(dict(zip((0.1, 0.5, 0.9), sorted(values), strict=True)))


def drawn_order(
    *, values: list[float], on_hand: float, pack: int, minimum: int, ratio: float, life: int | None, idle: float
) -> tuple[OrderProposal, OrderPolicy, float]:
    policy = OrderPolicy(ratio, 1.0, 2, 1, pack, minimum, idle, shelf_life_days=life)
    return propose_order(drawn_demand(values), policy, demand_days=3, on_hand=on_hand), policy, on_hand


@given(values=st.lists(st.floats(0, 1e4), min_size=3, max_size=3), units=st.floats(0, 2e4))
@settings(max_examples=60, deadline=None)
def test_the_expected_shortage_is_the_mean_over_the_curve(values: list[float], units: float) -> None:
    demand = drawn_demand(values)
    draws = [demand.at((place + 0.5) / 4000) for place in range(4000)]
    above = sum(max(0.0, draw - units) for draw in draws) / 4000
    below = sum(max(0.0, units - draw) for draw in draws) / 4000
    assert demand.expected_above(units) == pytest.approx(above, rel=1e-2, abs=1.0)
    assert demand.expected_below(units) == pytest.approx(below, rel=1e-2, abs=1.0)


@given(
    values=st.lists(st.floats(0, 1e4), min_size=3, max_size=3),
    days=st.integers(1, 14),
    wanted=st.integers(1, 20),
    exponent=st.floats(0.5, 1.0),
)
@settings(max_examples=60, deadline=None)
def test_stretched_demand_stays_a_distribution_and_grows_with_days(
    values: list[float], days: int, wanted: int, exponent: float
) -> None:
    demand = drawn_demand(values)
    one, more = (demand.over_days(days, number, exponent=exponent) for number in (wanted, wanted + 1))
    curve = [one.at(quantile) for quantile in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert all(high >= low - 1e-6 for low, high in pairwise(curve))
    assert more.at(0.5) >= one.at(0.5) - 1e-6
    assert more.at(0.9) >= one.at(0.9) - 1e-6


def test_the_chance_to_exceed_is_the_inverse_of_the_quantile() -> None:
    for quantile in (0.05, 0.1, 0.3, 0.5, 0.77, 0.9):
        assert DEMAND.exceeds(DEMAND.at(quantile)) == pytest.approx(1 - quantile, abs=1e-6)
    assert DEMAND.exceeds(1e9) == 0.0


def test_an_outlook_never_gets_better_without_an_arrival() -> None:
    day = DemandQuantiles({0.1: 20.0, 0.5: 35.0, 0.9: 60.0})
    days = outlook([day, day, day], on_hand=90)
    chances = [each.stockout_probability for each in days]
    assert chances == sorted(chances)
    assert chances[0] < 0.1
    assert 0.5 < chances[2] < 1
    relieved = outlook([day, day, day], on_hand=90, arrivals=[0, 0, 60])
    assert relieved[2].stockout_probability < chances[2]
    assert "缺货概率" in days[0].reason.zh


def test_the_forecast_of_the_total_decides_the_last_day() -> None:
    day = DemandQuantiles({0.1: 20.0, 0.5: 35.0, 0.9: 60.0})
    total = DemandQuantiles({0.1: 50.0, 0.5: 105.0, 0.9: 190.0})
    assert outlook([day] * 3, on_hand=190, total=total)[2].stockout_probability == pytest.approx(0.1, abs=1e-6)
    wide = outlook([day] * 3, on_hand=100, total=total)[1].stockout_probability
    assert wide > outlook([day] * 3, on_hand=100)[1].stockout_probability


@pytest.mark.parametrize(
    "build",
    [
        lambda: DemandQuantiles({}),
        lambda: DemandQuantiles({0.1: 5.0, 0.9: 4.0}),
        lambda: DemandQuantiles({1.0: 5.0}),
        lambda: DemandQuantiles({0.5: math.nan}),
        lambda: OrderPolicy(0, 1, 2),
        lambda: OrderPolicy(1, 1, -1),
        lambda: OrderPolicy(1, 1, 1, pack_size=0),
        lambda: propose_order(DEMAND, POLICY, demand_days=0, on_hand=1),
        lambda: propose_order(DEMAND, POLICY, demand_days=3, on_hand=-1),
        lambda: outlook([DEMAND], on_hand=1, arrivals=[-1]),
        lambda: OrderPolicy(1, 1, 1, shelf_life_days=0),
        lambda: OrderPolicy(1, 1, 1, spread_exponent=0.4),
        lambda: OrderPolicy(1, 1, 1, spoilage_quantile=1.0),
        lambda: propose_order(DEMAND, POLICY, demand_days=3, on_hand=1, in_transit=[Arrival(1, -1.0)]),
        lambda: propose_order(DEMAND, OrderPolicy(1, 1, 9), demand_days=3, on_hand=1, rhythm=[1.0, 2.0]),
        lambda: propose_order(DEMAND, OrderPolicy(1, 1, 9), demand_days=3, on_hand=1, rhythm=[-1.0] * 7),
    ],
)
def test_wrong_input_is_refused(build) -> None:
    with pytest.raises(InvalidInput) as caught:
        build()
    assert caught.value.text.zh
