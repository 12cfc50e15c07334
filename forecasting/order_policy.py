"""What to order: the newsvendor level over lead time plus review period, and whole packs that cost least.

Silver, Pyke, Thomas: *Inventory and Production Management in Supply Chains*, chapters 7 (order-up-to levels) and 9
(newsvendor).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import InvalidInput, Text
from forecasting.demand_quantiles import SPREAD_EXPONENT, DemandQuantiles

IDLE_RATE_LIMIT = 0.2
"""Share of idle stock in a month above which the level is lowered (the field's rule)."""


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """Costs and rules of ordering one material.

    Attributes
    ----------
    shortage_cost, holding_cost : float
        Per unit that is missing and per unit left over at the end of the cycle; both positive, in the same currency.
    lead_time_days, review_days : int
        Days until an order arrives (0 or more), and days between two orders (1 or more).
    pack_size : int
        Orders are multiples of it.
    minimum_order_units : int
        Smallest order; 0 for none.
    idle_rate : float
        Share of last month's stock that lay idle, 0 … 1; above 0.2 it lowers the level.
    shelf_life_days : int or None
        Days that a unit can be used after it has arrived, at least 1; None when it does not spoil.
    spread_exponent : float
        How spread grows with days beyond the forecast, 0.5 … 1; see :meth:`DemandQuantiles.stretched`.
    spoilage_quantile : float
        No more is ordered than is used before it spoils at this quantile of demand, 0 … 1 exclusive.

    Raises
    ------
    InvalidInput
        When a value lies outside its range.
    """

    shortage_cost: float
    holding_cost: float
    lead_time_days: int
    review_days: int = 1
    pack_size: int = 1
    minimum_order_units: int = 0
    idle_rate: float = 0.0
    shelf_life_days: int | None = None
    spread_exponent: float = SPREAD_EXPONENT
    spoilage_quantile: float = 0.5

    def __post_init__(self) -> None:
        life = 1 if self.shelf_life_days is None else self.shelf_life_days
        for name, value, least in (
            ("lead_time_days", self.lead_time_days, 0),
            ("review_days", self.review_days, 1),
            ("pack_size", self.pack_size, 1),
            ("minimum_order_units", self.minimum_order_units, 0),
            ("shelf_life_days", life, 1),
        ):
            if value < least:
                raise InvalidInput.at(f"/{name}", f"{name} must be at least {least}", f"{name} 至少为 {least}")
        for name in ("shortage_cost", "holding_cost"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InvalidInput.at(f"/{name}", f"{name} must be positive", f"{name} 必须为正数")
        if not 0 <= self.idle_rate <= 1:
            raise InvalidInput.at("/idle_rate", "idle_rate must lie in 0 to 1", "idle_rate 必须在 0 到 1 之间")
        if not 0.5 <= self.spread_exponent <= 1:
            raise InvalidInput.at("/spread_exponent", "must lie in 0.5 to 1", "必须在 0.5 到 1 之间")
        if not 0 < self.spoilage_quantile < 1:
            raise InvalidInput.at("/spoilage_quantile", "must lie between 0 and 1", "必须在 0 与 1 之间")

    @property
    def critical_ratio(self) -> float:
        """The newsvendor quantile: shortage cost over shortage plus holding cost."""
        return self.shortage_cost / (self.shortage_cost + self.holding_cost)

    @property
    def cover_days(self) -> int:
        """Days that an order must last: lead time plus review period."""
        return self.lead_time_days + self.review_days


@dataclass(frozen=True, slots=True)
class Arrival:
    """Units under way: ``ahead`` is the day on which they can be used, 1 for the first day that is forecast."""

    ahead: int
    units: float


@dataclass(frozen=True, slots=True)
class OrderProposal:
    """What to order of one material now.

    Attributes
    ----------
    order_up_to_units : float
        Level that stock and orders under way are raised to.
    order_units : int
        Quantity to order; 0 when none is needed.
    service_quantile : float
        Quantile of demand that the level covers.
    reason : Text
        Why.
    """

    order_up_to_units: float
    order_units: int
    service_quantile: float
    reason: Text


def propose_order(
    demand: DemandQuantiles,
    policy: OrderPolicy,
    *,
    demand_days: int,
    on_hand: float,
    in_transit: float | Sequence[Arrival] = 0.0,
    rhythm: Sequence[float] | None = None,
) -> OrderProposal:
    """Return the order that raises stock to the order-up-to level, in the packs that cost least.

    Parameters
    ----------
    demand : DemandQuantiles
        Of the total over ``demand_days`` (the forecast's totals).
    policy : OrderPolicy
        Costs and rules. Where lead time plus review differ from ``demand_days``, demand is stretched or shrunk.
    demand_days : int
        Days that ``demand`` covers, at least 1.
    on_hand : float
        Units in the warehouse, at least 0.
    in_transit : float or sequence of Arrival
        Units on the way. A number counts whole; dated arrivals count only inside lead time plus review: later ones
        cannot serve the days for which the order is placed.
    rhythm : sequence of float, optional
        As for :meth:`DemandQuantiles.over_days`.

    Returns
    -------
    OrderProposal
        Of the two admissible orders around what is missing (none, or whole packs of at least the minimum order), the
        one with the lower expected cost of shortage and of what is left. A material that spoils is never ordered
        beyond what is likely to be used before it does.

    Raises
    ------
    InvalidInput
        When days, stock or rhythm are out of range.
    """
    coming, late = _under_way(in_transit, policy.cover_days)
    require_stock(on_hand=on_hand, in_transit=coming)
    covered = demand.over_days(demand_days, policy.cover_days, rhythm=rhythm, exponent=policy.spread_exponent)
    target = _level(covered, policy)
    most = math.inf
    if policy.shelf_life_days is not None:
        usable_days = policy.lead_time_days + policy.shelf_life_days
        used = demand.over_days(demand_days, usable_days, rhythm=rhythm, exponent=policy.spread_exponent)
        most = used.at(policy.spoilage_quantile)
    level, position = min(target, most), on_hand + coming
    below, above = whole_orders(level - position, policy)
    order = (
        above
        if position + above <= most + 1e-9 and _above_is_better(position, level, (below, above), covered, policy)
        else below
    )
    reason = _reason(policy, (level, target, most), position, (order, above))
    if late > 0:
        reason = Text(
            f"{reason.en}; {late:.0f} under way arrive too late to count",
            f"{reason.zh}；另有 {late:.0f} 在途，到货太晚，未计入",
        )
    return OrderProposal(level, order, policy.critical_ratio, reason)


def require_stock(**stock: float) -> None:
    """Make sure that amounts are numbers of at least 0.

    Raises
    ------
    InvalidInput
        When one is not; it is named.
    """
    for name, units in stock.items():
        if not (math.isfinite(units) and units >= 0):
            raise InvalidInput.at(f"/{name}", f"{name} must not be negative", f"{name} 不能为负数")


def _under_way(in_transit: float | Sequence[Arrival], cover_days: int) -> tuple[float, float]:
    """Return what arrives inside the cover and what arrives later."""
    if isinstance(in_transit, (int, float)):
        return float(in_transit), 0.0
    coming = late = 0.0
    for place, arrival in enumerate(in_transit):
        if not (math.isfinite(arrival.units) and arrival.units >= 0):
            raise InvalidInput.at(f"/in_transit/{place}/units", "must not be negative", "不能为负数")
        if arrival.ahead <= cover_days:
            coming += arrival.units
        else:
            late += arrival.units
    return coming, late


def _is_lowered(policy: OrderPolicy) -> bool:
    return policy.idle_rate > IDLE_RATE_LIMIT


def _level(covered: DemandQuantiles, policy: OrderPolicy) -> float:
    quantile = policy.critical_ratio
    level = covered.at(quantile)
    if not _is_lowered(policy):
        return level
    # The idle share above the limit is what should not have been there; the median stays covered.
    return max(covered.at(min(0.5, quantile)), level * (1.0 - (policy.idle_rate - IDLE_RATE_LIMIT)))


def whole_orders(gap: float, policy: OrderPolicy) -> tuple[int, int]:
    """Return the largest admissible order up to ``gap`` units and the smallest from it on; equal when one fits."""
    if gap <= 1e-9:
        return 0, 0
    pack = policy.pack_size
    least = math.ceil(policy.minimum_order_units / pack) * pack
    above = max(math.ceil(gap / pack - 1e-9) * pack, least)
    below = math.floor(gap / pack + 1e-9) * pack
    return (below if below >= least else 0), above


def _above_is_better(
    position: float, level: float, orders: tuple[int, int], covered: DemandQuantiles, policy: OrderPolicy
) -> bool:
    if _is_lowered(policy):
        # The costs know nothing of last month's idle stock: what comes nearest to the lowered level is ordered.
        below, above = (abs(position + order - level) for order in orders)
    else:
        below, above = (
            policy.shortage_cost * covered.expected_above(position + order)
            + policy.holding_cost * covered.expected_below(position + order)
            for order in orders
        )
    return above < below


def _reason(policy: OrderPolicy, levels: tuple[float, float, float], position: float, orders: tuple[int, int]) -> Text:
    level, target, most = levels
    order, above = orders
    basis_en = (
        f"stock and orders under way are {position:.0f}, the level for {policy.cover_days} days at "
        f"{policy.critical_ratio:.0%} service is {target:.0f}"
    )
    basis_zh = (
        f"库存与在途共 {position:.0f}，{policy.cover_days} 天、{policy.critical_ratio:.0%} 满足率的"
        f"目标水平为 {target:.0f}"
    )
    parts = [Text(basis_en, basis_zh)]
    if most < target:
        parts.append(
            Text(
                f"capped at {most:.0f}, as more would spoil within {policy.shelf_life_days} days",
                f"保质期 {policy.shelf_life_days} 天，再多会过期，故以 {most:.0f} 为上限",
            )
        )
    if order < above:
        spoils = position + above > most + 1e-9
        why = Text("would spoil", "会过期") if spoils else Text("would cost more", "预计成本更高")
        parts.append(Text(f"{above}, the next whole order, {why.en}", f"再多订一档（{above}）{why.zh}"))
    elif order > 0 and position + order > level + policy.pack_size:
        parts.append(
            Text(f"{order} is the smallest order", f"{order} 为起订量"),
        )
    if _is_lowered(policy):
        parts.append(
            Text(
                f"lowered because {policy.idle_rate:.0%} of stock lay idle last month",
                f"上月闲置率 {policy.idle_rate:.0%}，已下调",
            )
        )
    head = Text("no order", "无需订货") if order == 0 else Text(f"order {order}", f"订 {order}")
    return Text(
        f"{head.en}: " + "; ".join(part.en for part in parts), f"{head.zh}：" + "；".join(part.zh for part in parts)
    )
