"""The shortage ladder: neighbours within one hour, then the backup supplier, then what the director decides.

Each step sees what the steps before it have proposed. Every proposal says why, what it costs, and what is to be
expected without it (expected shortage is the integral of the demand above the stock over the quantiles, Silver,
Pyke, Thomas, chapter 7). What stays short after all steps is a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.errors import InvalidInput, Text
from forecasting.replenishment import DemandQuantiles, outlook
from forecasting.transfer_network import FreightRules, MaterialNeeds, NetworkPlan, after, plan_network
from forecasting.transfers import NEAR_S, Shortage

_POINTS = 400
RUNS_OUT_AT = 0.5
"""Stock counts as running out on the first day on which this is as likely as not."""


@dataclass(frozen=True, slots=True)
class RushTerms:
    """What the backup supplier asks for one material.

    Attributes
    ----------
    unit_price_cny : float
        Ordinary price, at least 0.
    price_factor : float
        Rush price over ordinary price, at least 1.
    pack_size, minimum_units : int
        Orders are multiples of the pack, and at least the minimum.
    limit_units : int or None
        Most that it delivers to all regions together; None for no limit.
    lead_s : int
        Seconds until it arrives.
    """

    unit_price_cny: float
    price_factor: float = 1.5
    pack_size: int = 1
    minimum_units: int = 0
    limit_units: int | None = None
    lead_s: int = 7200

    def __post_init__(self) -> None:
        limit = 0 if self.limit_units is None else self.limit_units
        for name, value, least in (
            ("unit_price_cny", self.unit_price_cny, 0),
            ("price_factor", self.price_factor, 1),
            ("pack_size", self.pack_size, 1),
            ("minimum_units", self.minimum_units, 0),
            ("limit_units", limit, 0),
            ("lead_s", self.lead_s, 0),
        ):
            if not (math.isfinite(value) and value >= least):
                raise InvalidInput.at(f"/{name}", f"{name} must be at least {least}", f"{name} 至少为 {least}")

    def order_units(self, wanted: int, left: int | None) -> int:
        """Return the order for ``wanted`` units: whole packs, at least the minimum, at most what is ``left``; or 0."""
        units = math.ceil(max(wanted, self.minimum_units) / self.pack_size) * self.pack_size
        if left is not None and units > left:
            units = left // self.pack_size * self.pack_size
        return units if units >= max(1, self.minimum_units) else 0


@dataclass(frozen=True, slots=True)
class Demand:
    """Forecast need of a region for one material: by day, and in all."""

    days: tuple[DemandQuantiles, ...]
    total: DemandQuantiles


@dataclass(frozen=True, slots=True)
class Consequence:
    """What is to be expected when a proposal is not carried out, given those of the steps before it.

    ``runs_out_ahead`` is the first day (1, 2, …) on which running out is at least as likely as not; None when none is.
    """

    expected_short_units: float
    cost_cny: float
    probability: float
    runs_out_ahead: int | None
    text: Text


@dataclass(frozen=True, slots=True)
class LadderProposal:
    """One thing to do: ``kind`` is ``transfer`` (step 1), ``rush_order`` (2) or ``cross_region`` (3)."""

    step: int
    kind: str
    material: str
    donor: str | None
    receiver: str
    units: int
    travel_s: float
    cost_cny: float
    reason: Text
    consequence: Consequence


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """Proposals by step, what stays short, and whether no better transfers exist."""

    proposals: tuple[LadderProposal, ...]
    shortages: tuple[tuple[str, Shortage], ...]
    proven_optimal: bool


@dataclass(frozen=True, slots=True)
class LadderRules:
    """Terms of the steps: materials without rush terms skip step 2."""

    freight: FreightRules = field(default_factory=FreightRules)
    rush: Mapping[str, RushTerms] = field(default_factory=dict)
    near_s: float = NEAR_S
    longest_travel_s: float = 8 * 3600.0


def expected_shortage(demand: DemandQuantiles, stock: float) -> float:
    """Return the expected units by which demand exceeds ``stock``."""
    return sum(max(0.0, demand.at((place + 0.5) / _POINTS) - stock) for place in range(_POINTS)) / _POINTS


def consequence_without(demand: Demand, stock: float, shortage_cost_cny: float) -> Consequence:
    """Return what is to be expected of ``stock`` (on hand and already on its way) when nothing more is done."""
    short = expected_shortage(demand.total, stock)
    ahead = outlook(demand.days, on_hand=stock, total=demand.total)
    chance = max((day.stockout_probability for day in ahead), default=demand.total.exceeds(stock))
    runs_out = next((day.ahead for day in ahead if day.stockout_probability >= RUNS_OUT_AT), None)
    cost = short * shortage_cost_cny
    when_en = f", most likely on day {runs_out}" if runs_out else ""
    when_zh = f"，很可能在第 {runs_out} 天" if runs_out else ""
    text = Text(
        f"without it stock runs out with {chance:.0%} probability{when_en}; {short:.1f} units are expected to be "
        f"missing, at a cost of ¥{cost:.0f}",
        f"若不执行，缺货概率为 {chance:.0%}{when_zh}；预计缺 {short:.1f}，损失约 ¥{cost:.0f}",
    )
    return Consequence(short, cost, chance, runs_out, text)


def climb_ladder(
    needs: Sequence[MaterialNeeds],
    demand: Mapping[tuple[str, str], Demand],
    travel_s: Mapping[tuple[str, str], float],
    *,
    distance_m: Mapping[tuple[str, str], float] | None = None,
    rules: LadderRules | None = None,
) -> LadderPlan:
    """Return what to do about shortages, step by step.

    Parameters
    ----------
    needs : sequence of MaterialNeeds
        Each material once.
    demand : mapping of (material, region) to Demand
        For every region in ``needs``.
    travel_s, distance_m : mapping of (donor, receiver) to float
        Seconds and metres between warehouses.

    Raises
    ------
    InvalidInput
        When demand is missing for a region, or as `plan_network`.
    """
    rules = rules or LadderRules()
    for each in needs:
        for stock in each.regions:
            if (each.material, stock.region) not in demand:
                raise InvalidInput.at(f"/demand/{each.material}/{stock.region}", "is missing", "缺少该项需求预测")
    near = plan_network(needs, travel_s, distance_m=distance_m, freight=rules.freight, longest_travel_s=rules.near_s)
    found = _of_transfers(near, needs, demand, step=1)
    needs = [after(each, near.transfers) for each in needs]
    rush, left = _rush_orders(needs, demand, rules.rush)
    long_lanes = {lane: seconds for lane, seconds in travel_s.items() if seconds > rules.near_s}
    far = plan_network(
        left, long_lanes, distance_m=distance_m, freight=rules.freight, longest_travel_s=rules.longest_travel_s
    )
    last = _of_transfers(far, left, demand, step=3)
    return LadderPlan((*found, *rush, *last), far.shortages, near.proven_optimal and far.proven_optimal)


def _of_transfers(
    plan: NetworkPlan, needs: Sequence[MaterialNeeds], demand: Mapping[tuple[str, str], Demand], *, step: int
) -> list[LadderProposal]:
    by_material = {each.material: each for each in needs}
    coming: dict[tuple[str, str], int] = {}
    result = []
    for item in plan.transfers:
        each, move = by_material[item.material], item.move
        place = item.material, move.receiver
        stock = next(one for one in each.regions if one.region == move.receiver)
        position = stock.on_hand + stock.incoming + coming.get(place, 0)
        without = consequence_without(demand[place], position, each.shortage_cost_cny)
        coming[place] = coming.get(place, 0) + move.units
        result.append(
            LadderProposal(
                step,
                "transfer" if step == 1 else "cross_region",
                item.material,
                move.donor,
                move.receiver,
                move.units,
                move.travel_s,
                item.cost_cny,
                move.reason,
                without,
            )
        )
    return result


def _rush_orders(
    needs: Sequence[MaterialNeeds], demand: Mapping[tuple[str, str], Demand], terms: Mapping[str, RushTerms]
) -> tuple[list[LadderProposal], list[MaterialNeeds]]:
    """Return rush orders, regions that convert better first, and the needs once they are on their way."""
    from dataclasses import replace

    result, left_over = [], []
    for each in needs:
        rush = terms.get(each.material)
        got: dict[str, int] = {}
        left = rush.limit_units if rush else None
        for stock in sorted(each.regions, key=lambda one: (-one.conversion_weight, one.region)):
            units = rush.order_units(stock.short_units, left) if rush and stock.short_units else 0
            if rush is None or units == 0:
                continue
            left = None if left is None else left - units
            got[stock.region] = units
            cost = units * rush.unit_price_cny * rush.price_factor
            position = stock.on_hand + stock.incoming
            without = consequence_without(demand[each.material, stock.region], position, each.shortage_cost_cny)
            reason = Text(
                f"{stock.region} still lacks {stock.short_units} after transfers within reach; the backup supplier "
                f"brings {units} in {rush.lead_s / 3600:.0f} h at {rush.price_factor:g} times the price; regions that "
                f"convert better come first ({stock.region}: {stock.conversion_weight:.0%})",
                f"{stock.region} 在近程调拨后仍缺 {stock.short_units}；备用供应商可在 {rush.lead_s / 3600:.0f} 小时内"
                f"送达 {units}，价格为平时的 {rush.price_factor:g} 倍；转化更好的区域优先"
                f"（{stock.region}：{stock.conversion_weight:.0%}）",
            )
            result.append(
                LadderProposal(
                    2, "rush_order", each.material, None, stock.region, units, rush.lead_s, cost, reason, without
                )
            )
        regions = tuple(replace(s, incoming=s.incoming + got.get(s.region, 0)) for s in each.regions)
        left_over.append(replace(each, regions=regions))
    return result, left_over
