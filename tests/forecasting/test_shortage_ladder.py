"""The ladder's steps, the vehicles' limits, and what happens when a proposal is not carried out."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.replenishment import DemandQuantiles
from forecasting.shortage_ladder import Demand, LadderRules, RushTerms, climb_ladder, expected_shortage
from forecasting.transfer_network import FreightRules, MaterialNeeds, plan_network
from forecasting.transfers import RegionStock


def demand(median: float) -> Demand:
    day = DemandQuantiles({0.1: median * 0.2, 0.5: median / 3, 0.9: median * 0.5})
    return Demand((day, day, day), DemandQuantiles({0.1: median * 0.7, 0.5: median, 0.9: median * 1.3}))


def test_neighbours_come_first_then_the_supplier_then_the_director() -> None:
    regions = (RegionStock("short", 0, 100, 110), RegionStock("near", 60, 20, 30), RegionStock("far", 90, 20, 30))
    demands = {("gift", stock.region): demand(max(20.0, stock.need)) for stock in regions}
    rules = LadderRules(rush={"gift": RushTerms(10, 1.5, pack_size=10, limit_units=35)})
    plan = climb_ladder(
        [MaterialNeeds("gift", regions, shortage_cost_cny=9)],
        demands,
        {("near", "short"): 1800, ("far", "short"): 9000},
        rules=rules,
    )
    assert [(each.step, each.kind, each.donor, each.units) for each in plan.proposals] == [
        (1, "transfer", "near", 30),
        (2, "rush_order", None, 30),
        (3, "cross_region", "far", 40),
    ]
    assert plan.shortages == ()
    assert plan.proposals[0].cost_cny == pytest.approx(30.0)
    assert plan.proposals[1].cost_cny == pytest.approx(450.0)
    risks = [each.consequence.expected_short_units for each in plan.proposals]
    assert risks == sorted(risks, reverse=True)
    assert plan.proposals[0].consequence.runs_out_ahead == 1
    assert all(each.reason.zh and "若不执行" in each.consequence.text.zh for each in plan.proposals)


def test_expected_shortage_is_the_area_above_the_stock() -> None:
    even = DemandQuantiles({0.25: 25.0, 0.75: 75.0})
    assert expected_shortage(even, 0) == pytest.approx(50)
    assert expected_shortage(even, 50) == pytest.approx(12.5, abs=0.01)
    assert expected_shortage(even, 200) == 0


def test_a_missing_demand_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        climb_ladder([MaterialNeeds("gift", (RegionStock("a", 0, 1, 1),))], {}, {})
    assert caught.value.fields[0].pointer == "/demand/gift/a"


def test_a_minimum_above_what_the_supplier_has_left_is_no_order() -> None:
    assert RushTerms(1, pack_size=10, minimum_units=50).order_units(7, 40) == 0
    assert RushTerms(1, pack_size=10, minimum_units=50).order_units(7, None) == 50
    assert RushTerms(1, pack_size=12).order_units(7, 30) == 12


needs_of = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 3),
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 2)), min_size=3, max_size=3),
    ),
    min_size=1,
    max_size=2,
)


def build(rows: list) -> list[MaterialNeeds]:
    return [
        MaterialNeeds(
            f"m{number}",
            tuple(
                RegionStock(f"r{place}", on_hand, need, need + extra, 1.0 + place)
                for place, (on_hand, need, extra) in enumerate(stocks)
            ),
            load_units=load,
            shortage_cost_cny=cost,
        )
        for number, (load, cost, stocks) in enumerate(rows)
    ]


@given(needs_of, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_vehicles_and_donors_keep_their_limits_and_nothing_covers_more(rows: list, capacity: int) -> None:
    needs = build(rows)
    travel = dict.fromkeys(permutations(["r0", "r1", "r2"], 2), 600.0)
    freight = FreightRules(vehicles_per_lane=min(1, capacity), vehicle_load_units=max(1, capacity))
    plan = plan_network(needs, travel, freight=freight)
    assert plan.proven_optimal
    loads = {each.material: each.load_units for each in needs}
    for donor, receiver in travel:
        assert capacity >= sum(
            loads[item.material] * item.move.units
            for item in plan.transfers
            if (item.move.donor, item.move.receiver) == (donor, receiver)
        )
    for each in needs:
        for stock in each.regions:
            mine = [item.move for item in plan.transfers if item.material == each.material]
            out = sum(move.units for move in mine if move.donor == stock.region)
            got = sum(move.units for move in mine if move.receiver == stock.region)
            left = sum(s.units for m, s in plan.shortages if (m, s.region) == (each.material, stock.region))
            assert out == 0 or stock.on_hand - out >= stock.upper_need
            assert got + left == stock.short_units
    covered = sum(
        item.move.units * each.shortage_cost_cny
        for item in plan.transfers
        for each in needs
        if each.material == item.material
    )
    assert covered == best_by_trying_all(needs, list(travel), capacity)


def best_by_trying_all(needs: list[MaterialNeeds], lanes: list[tuple[str, str]], capacity: int) -> float:
    """Return the most shortage cost that can be covered, lane by lane over all reachable states."""
    stocks = {(each.material, s.region): s for each in needs for s in each.regions}
    start = tuple(sorted((key, s.spare_units, s.short_units) for key, s in stocks.items()))
    states: dict[tuple, float] = {start: 0.0}
    for donor, receiver in lanes:
        following: dict[tuple, float] = {}
        for state, value in states.items():
            now = {key: (spare, short) for key, spare, short in state}
            ranges = [range(min(now[n.material, donor][0], now[n.material, receiver][1]) + 1) for n in needs]
            for moved in product(*ranges):
                if sum(n.load_units * units for n, units in zip(needs, moved, strict=True)) > capacity:
                    continue
                then, gained = dict(now), value
                for n, units in zip(needs, moved, strict=True):
                    spare, short = then[n.material, donor]
                    then[n.material, donor] = (spare - units, short)
                    spare, short = then[n.material, receiver]
                    then[n.material, receiver] = (spare, short - units)
                    gained += n.shortage_cost_cny * units
                key = tuple(sorted((k, a, b) for k, (a, b) in then.items()))
                following[key] = max(following.get(key, -1.0), gained)
        states = following
    return max(states.values())
