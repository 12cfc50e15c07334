"""Transfers between regions when stock runs short, one material at a time.

A transportation problem solved as minimum-cost flow (Ahuja, Magnanti, Orlin: *Network Flows*, 1993): donors give what
lies above their own upper forecast, receivers get what their own stock lacks, and what cannot be covered is a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import FieldProblem, InvalidInput, Text

NEAR_S = 3600
"""A transfer within this time is the first step of the shortage ladder."""
_MAX_UNITS = 10**9
_MAX_TRAVEL_S = 10**7


@dataclass(frozen=True, slots=True)
class RegionStock:
    """One region's stock of one material and its forecast for the days to cover.

    Attributes
    ----------
    region : str
        Name.
    on_hand : float
        Units that can be given away or used, at least 0.
    need : float
        Units wanted to be safe, for instance the median or a service quantile of the total; at least 0.
    upper_need : float
        Upper forecast (0.9 quantile of the total) that the region must keep when it gives; at least ``need``.
    conversion_weight : float
        How well the region converts, positive; where stock is short, higher comes first.
    incoming : float
        Units promised to it and still on the way: they lower what it lacks, but cannot be given away yet.

    Raises
    ------
    InvalidInput
        When a number lies outside its range.
    """

    region: str
    on_hand: float
    need: float
    upper_need: float
    conversion_weight: float = 1.0
    incoming: float = 0.0

    def __post_init__(self) -> None:
        for name in ("on_hand", "need", "upper_need", "incoming"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= _MAX_UNITS):
                raise InvalidInput.at(
                    f"/{self.region}/{name}",
                    f"{name} must lie in 0 to {_MAX_UNITS}",
                    f"{name} 必须在 0 到 {_MAX_UNITS} 之间",
                )
        if self.upper_need < self.need:
            raise InvalidInput.at(
                f"/{self.region}/upper_need", "upper_need must not be below need", "upper_need 不能低于 need"
            )
        if not (math.isfinite(self.conversion_weight) and self.conversion_weight > 0):
            raise InvalidInput.at(
                f"/{self.region}/conversion_weight", "conversion_weight must be positive", "转化权重必须为正数"
            )

    @property
    def spare_units(self) -> int:
        """Whole units above the upper forecast."""
        return max(0, math.floor(self.on_hand - self.upper_need + 1e-9))

    @property
    def short_units(self) -> int:
        """Whole units missing to the need."""
        return max(0, math.ceil(self.need - self.on_hand - self.incoming - 1e-9))


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units to move from one region to another."""

    donor: str
    receiver: str
    units: int
    travel_s: float
    reason: Text


@dataclass(frozen=True, slots=True)
class Shortage:
    """Units that no transfer covers."""

    region: str
    units: int
    reason: Text


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """Moves, and what stays short after them."""

    transfers: tuple[Transfer, ...]
    shortages: tuple[Shortage, ...]


def plan_transfers(
    regions: Sequence[RegionStock],
    travel_s: Mapping[tuple[str, str], float],
    *,
    longest_travel_s: float = math.inf,
    lane_units: int | None = None,
) -> TransferPlan:
    """Return the moves that cover shortages of one material.

    As many units as possible are moved from permitted donors; where that does not cover everything, regions that
    convert better come first; among equal plans travel time weighted by units is least.

    Parameters
    ----------
    regions : sequence of RegionStock
        Each region once.
    travel_s : mapping of (donor, receiver) to float
        Travel time in seconds; a pair that is not in it cannot be used.
    longest_travel_s : float
        Longer transfers are not proposed.
    lane_units : int, optional
        Most units that one lane carries; without limit by default.

    Raises
    ------
    InvalidInput
        When a region stands twice or a travel time is negative or longer than 115 days.
    """
    _check(regions, travel_s)
    donors = [stock for stock in regions if stock.spare_units > 0]
    receivers = [stock for stock in regions if stock.short_units > 0]
    lanes = {
        (donor.region, receiver.region): travel_s[donor.region, receiver.region]
        for donor in donors
        for receiver in receivers
        if (donor.region, receiver.region) in travel_s
        and math.isfinite(travel_s[donor.region, receiver.region])
        and travel_s[donor.region, receiver.region] <= longest_travel_s
    }
    most = _MAX_UNITS if lane_units is None else lane_units
    flow = _least_cost_flow(donors, receivers, lanes, most) if lanes else {}
    by_name = {stock.region: stock for stock in regions}
    transfers = tuple(
        Transfer(donor, receiver, units, lanes[donor, receiver], _reason(by_name, donor, receiver, units, lanes))
        for (donor, receiver), units in sorted(flow.items())
    )
    return TransferPlan(transfers, _remaining(receivers, donors, flow, lanes))


def _check(regions: Sequence[RegionStock], travel_s: Mapping[tuple[str, str], float]) -> None:
    names = [stock.region for stock in regions]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [FieldProblem(f"/regions/{name}", Text("stands twice", "重复出现")) for name in twice]
    for (donor, receiver), seconds in travel_s.items():
        if math.isnan(seconds) or seconds < 0 or (math.isfinite(seconds) and seconds > _MAX_TRAVEL_S):
            text = Text(f"must lie in 0 to {_MAX_TRAVEL_S} seconds", f"必须在 0 到 {_MAX_TRAVEL_S} 秒之间")
            problems.append(FieldProblem(f"/travel_s/{donor}/{receiver}", text))
    if problems:
        raise InvalidInput(Text("the transfer problem has wrong entries", "调拨问题中有错误的条目"), fields=problems)


def _least_cost_flow(
    donors: Sequence[RegionStock],
    receivers: Sequence[RegionStock],
    lanes: Mapping[tuple[str, str], float],
    lane_units: int,
) -> dict[tuple[str, str], int]:
    """Return units by lane.

    A unit left short costs more than any chain of rerouted lanes could save, the more the better the region converts.
    The penalties differ by steps larger than all travel together, so that conversion decides before distance does.
    """
    from ortools.graph.python import min_cost_flow

    graph = min_cost_flow.SimpleMinCostFlow()
    source, sink = 0, 1
    node = {stock.region: 2 + place for place, stock in enumerate([*donors, *receivers])}
    longest = max(round(seconds) for seconds in lanes.values()) + 1
    step = longest * (len(node) + 1)
    ranks = {weight: rank for rank, weight in enumerate(sorted({stock.conversion_weight for stock in receivers}))}
    for stock in donors:
        graph.add_arc_with_capacity_and_unit_cost(source, node[stock.region], stock.spare_units, 0)
    arcs = {
        lane: graph.add_arc_with_capacity_and_unit_cost(node[lane[0]], node[lane[1]], lane_units, round(seconds))
        for lane, seconds in lanes.items()
    }
    short = 0
    for stock in receivers:
        graph.add_arc_with_capacity_and_unit_cost(node[stock.region], sink, stock.short_units, 0)
        # What stays short flows straight from the source at its penalty.
        penalty = step * (len(ranks) + 1 + ranks[stock.conversion_weight])
        graph.add_arc_with_capacity_and_unit_cost(source, node[stock.region], stock.short_units, penalty)
        short += stock.short_units
    graph.set_node_supply(source, short)
    graph.set_node_supply(sink, -short)
    status = graph.solve()
    if status != graph.OPTIMAL:  # the penalty arcs make every problem feasible
        raise RuntimeError(f"minimum-cost flow ended with status {status}")
    return {lane: int(graph.flow(arc)) for lane, arc in arcs.items() if graph.flow(arc) > 0}


def _reason(
    by_name: Mapping[str, RegionStock], donor: str, receiver: str, units: int, lanes: Mapping[tuple[str, str], float]
) -> Text:
    give, get = by_name[donor], by_name[receiver]
    minutes = lanes[donor, receiver] / 60
    far_en, far_zh = ("", "") if lanes[donor, receiver] <= NEAR_S else (" (beyond one hour)", "（超过 1 小时）")
    return Text(
        f"{receiver} lacks {get.short_units} of {get.need:.0f}; {donor} has {give.on_hand:.0f}, keeps its upper "
        f"forecast of {give.upper_need:.0f}, and gives {units} in {minutes:.0f} min{far_en}",
        f"{receiver} 需 {get.need:.0f}，缺 {get.short_units}；{donor} 有 {give.on_hand:.0f}，保留自身预测上限 "
        f"{give.upper_need:.0f} 后调出 {units}，车程 {minutes:.0f} 分钟{far_zh}",
    )


def _remaining(
    receivers: Sequence[RegionStock],
    donors: Sequence[RegionStock],
    flow: Mapping[tuple[str, str], int],
    lanes: Mapping[tuple[str, str], float],
) -> tuple[Shortage, ...]:
    result = []
    for stock in receivers:
        got = sum(units for (_, receiver), units in flow.items() if receiver == stock.region)
        left = stock.short_units - got
        if left <= 0:
            continue
        reachable = any(receiver == stock.region for _, receiver in lanes)
        if not donors:
            why = Text("no region has stock above its own upper forecast", "没有区域的库存高于自身预测上限")
        elif not reachable:
            why = Text("no donor can reach it in the permitted time", "允许的时间内没有可到达的调出区域")
        else:
            why = Text(
                "what donors can spare is used up, and regions that convert better come first",
                "可调出的库存已用完，转化更好的区域优先",
            )
        text = Text(f"{stock.region} stays {left} short: {why.en}", f"{stock.region} 仍缺 {left}：{why.zh}")
        result.append(Shortage(stock.region, left, text))
    return tuple(result)
