from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.replenishment import DemandQuantiles, OrderPolicy, outlook, propose_order

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


def test_packs_and_minimum_order_round_up() -> None:
    policy = OrderPolicy(9, 1, 2, pack_size=24, minimum_order_units=50)
    assert propose_order(DEMAND, policy, demand_days=3, on_hand=100).order_units == 72
    assert propose_order(DEMAND, policy, demand_days=3, on_hand=155).order_units == 72
    assert propose_order(DEMAND, policy, demand_days=3, on_hand=160).order_units == 0


def test_a_longer_cover_grows_the_mean_fully_and_the_spread_by_its_root() -> None:
    policy = OrderPolicy(9, 1, lead_time_days=11, review_days=1)
    level = propose_order(DEMAND, policy, demand_days=3, on_hand=0).order_up_to_units
    assert level == pytest.approx(400 + 60 * 2)


def test_idle_stock_above_the_limit_lowers_the_level_but_not_below_the_median() -> None:
    lowered = OrderPolicy(9, 1, 2, idle_rate=0.3)
    proposal = propose_order(DEMAND, lowered, demand_days=3, on_hand=0)
    assert proposal.order_up_to_units == pytest.approx(160 * 0.9)
    assert "30%" in proposal.reason.en
    very = propose_order(DEMAND, OrderPolicy(9, 1, 2, idle_rate=1.0), demand_days=3, on_hand=0)
    assert very.order_up_to_units == pytest.approx(100)
    assert propose_order(DEMAND, OrderPolicy(9, 1, 2, idle_rate=0.2), demand_days=3, on_hand=0).order_units == 160


@given(
    values=st.lists(st.floats(0, 1e4), min_size=3, max_size=3),
    on_hand=st.floats(0, 1e4),
    pack=st.integers(1, 50),
    ratio=st.floats(0.1, 50),
)
@settings(max_examples=60, deadline=None)
def test_an_order_is_whole_packs_and_just_enough(values: list[float], on_hand: float, pack: int, ratio: float) -> None:
    demand = DemandQuantiles(dict(zip((0.1, 0.5, 0.9), sorted(values), strict=True)))
    policy = OrderPolicy(ratio, 1.0, lead_time_days=2, pack_size=pack)
    proposal = propose_order(demand, policy, demand_days=3, on_hand=on_hand)
    assert proposal.order_units % pack == 0
    assert on_hand + proposal.order_units >= proposal.order_up_to_units - 1e-3
    if proposal.order_units:
        assert on_hand + proposal.order_units - pack < proposal.order_up_to_units + 1e-3


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
    ],
)
def test_wrong_input_is_refused(build) -> None:
    with pytest.raises(InvalidInput) as caught:
        build()
    assert caught.value.text.zh
