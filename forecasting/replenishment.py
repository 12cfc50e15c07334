"""What to order, and when stock runs out, from the quantiles of the forecast.

The order-up-to level is the newsvendor quantile of demand over lead time plus review period (Silver, Pyke, Thomas:
*Inventory and Production Management in Supply Chains*, chapters 7 and 9).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import InvalidInput, Text

IDLE_RATE_LIMIT = 0.2
"""Share of idle stock in a month above which the level is lowered (the field's rule)."""


@dataclass(frozen=True, slots=True)
class DemandQuantiles:
    """Demand over some days, as points of its distribution.

    Attributes
    ----------
    units : mapping of float to float
        Demand in units at each quantile (0 … 1, exclusive); never negative, never falling. At least one.

    Raises
    ------
    InvalidInput
        When a quantile lies outside 0 … 1, or demand is negative or falls with the quantile.
    """

    units: Mapping[float, float]

    def __post_init__(self) -> None:
        if not self.units:
            raise InvalidInput.at("/quantiles", "at least one quantile is needed", "至少需要一个分位数")
        last = 0.0
        for quantile, units in sorted(self.units.items()):
            if not 0 < quantile < 1:
                raise InvalidInput.at("/quantiles", "a quantile lies between 0 and 1", "分位数必须在 0 与 1 之间")
            if not math.isfinite(units) or units < last - 1e-9:
                raise InvalidInput.at(
                    f"/quantiles/{quantile:g}",
                    "demand must be a finite number that never falls with the quantile",
                    "需求必须是有限的数字，且不随分位数下降",
                )
            last = units

    def at(self, quantile: float) -> float:
        """Return demand at ``quantile``: linear between the known ones, in a straight line through 0 below them.

        Above the highest known quantile the last slope goes on; with one known quantile its value stands.
        """
        points = sorted(self.units.items())
        if quantile <= points[0][0]:
            return points[0][1] * quantile / points[0][0] if len(points) > 1 else points[0][1]
        for (low_q, low), (high_q, high) in itertools.pairwise(points):
            if quantile <= high_q:
                return low + (high - low) * (quantile - low_q) / (high_q - low_q)
        if len(points) == 1:
            return points[0][1]
        (low_q, low), (high_q, high) = points[-2:]
        return high + (high - low) * (quantile - high_q) / (high_q - low_q)

    def exceeds(self, units: float) -> float:
        """Return the probability (0 … 1) that demand is above ``units``; the inverse of :meth:`at`."""
        if units < 0:
            return 1.0
        low, high = 0.0, 1.0
        if self.at(high) <= units:
            return 0.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(middle) <= units else (low, middle)
        return 1.0 - low

    def stretched(self, factor: float) -> DemandQuantiles:
        """Return demand over ``factor`` times as many days, at least as many: means add, spreads grow with the root.

        Days are taken as independent, as the square-root rule does.
        """
        middle = self.at(0.5)
        root = math.sqrt(factor)
        units = {q: max(0.0, middle * factor + (value - middle) * root) for q, value in self.units.items()}
        return DemandQuantiles(units)


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

    def __post_init__(self) -> None:
        for name, least in (("lead_time_days", 0), ("review_days", 1), ("pack_size", 1), ("minimum_order_units", 0)):
            if getattr(self, name) < least:
                raise InvalidInput.at(f"/{name}", f"{name} must be at least {least}", f"{name} 至少为 {least}")
        for name in ("shortage_cost", "holding_cost"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InvalidInput.at(f"/{name}", f"{name} must be positive", f"{name} 必须为正数")
        if not 0 <= self.idle_rate <= 1:
            raise InvalidInput.at("/idle_rate", "idle_rate must lie in 0 to 1", "idle_rate 必须在 0 到 1 之间")

    @property
    def critical_ratio(self) -> float:
        """The newsvendor quantile: shortage cost over shortage plus holding cost."""
        return self.shortage_cost / (self.shortage_cost + self.holding_cost)

    @property
    def cover_days(self) -> int:
        """Days that an order must last: lead time plus review period."""
        return self.lead_time_days + self.review_days


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
    demand: DemandQuantiles, policy: OrderPolicy, *, demand_days: int, on_hand: float, in_transit: float = 0.0
) -> OrderProposal:
    """Return the order that raises stock to the order-up-to level.

    Parameters
    ----------
    demand : DemandQuantiles
        Of the total over ``demand_days`` (the forecast's totals).
    policy : OrderPolicy
        Costs and rules. Where lead time plus review differ from ``demand_days``, demand is stretched or shrunk.
    demand_days : int
        Days that ``demand`` covers, at least 1.
    on_hand, in_transit : float
        Units in the warehouse and on the way, at least 0.

    Raises
    ------
    InvalidInput
        When days or stock are out of range.
    """
    if demand_days < 1:
        raise InvalidInput.at("/demand_days", "demand_days must be at least 1", "demand_days 至少为 1")
    _require_stock(on_hand=on_hand, in_transit=in_transit)
    quantile = policy.critical_ratio
    covered = demand.stretched(policy.cover_days / demand_days)
    level = covered.at(quantile)
    lowered = policy.idle_rate > IDLE_RATE_LIMIT
    if lowered:
        # The idle share above the limit is what should not have been there; the median stays covered.
        level = max(covered.at(min(0.5, quantile)), level * (1.0 - (policy.idle_rate - IDLE_RATE_LIMIT)))
    gap = level - on_hand - in_transit
    order = _rounded_order(gap, policy)
    reason = _order_reason(policy, level, on_hand + in_transit, order)
    if lowered:
        reason = Text(
            f"{reason.en}; lowered because {policy.idle_rate:.0%} of stock lay idle last month",
            f"{reason.zh}；上月闲置率 {policy.idle_rate:.0%}，已下调",
        )
    return OrderProposal(level, order, quantile, reason)


def _rounded_order(gap: float, policy: OrderPolicy) -> int:
    if gap <= 1e-9:
        return 0
    wanted = max(gap, policy.minimum_order_units)
    return math.ceil(wanted / policy.pack_size - 1e-9) * policy.pack_size


def _order_reason(policy: OrderPolicy, level: float, position: float, order: int) -> Text:
    basis_en = (
        f"stock and orders under way are {position:.0f}, the level for {policy.cover_days} days at "
        f"{policy.critical_ratio:.0%} service is {level:.0f}"
    )
    basis_zh = (
        f"库存与在途共 {position:.0f}，{policy.cover_days} 天、{policy.critical_ratio:.0%} 满足率的"
        f"目标水平为 {level:.0f}"
    )
    if order == 0:
        return Text(f"no order: {basis_en}", f"无需订货：{basis_zh}")
    return Text(f"order {order}: {basis_en}", f"订 {order}：{basis_zh}")


@dataclass(frozen=True, slots=True)
class DayOutlook:
    """How likely stock is gone by the end of one day.

    Attributes
    ----------
    ahead : int
        Days from now, from 1.
    stockout_probability : float
        0 … 1; never falls from one day to the next unless stock arrives.
    reason : Text
        In words.
    """

    ahead: int
    stockout_probability: float
    reason: Text


def outlook(
    days: Sequence[DemandQuantiles],
    *,
    on_hand: float,
    arrivals: Sequence[float] = (),
    total: DemandQuantiles | None = None,
) -> list[DayOutlook]:
    """Return for each coming day the probability that stock has run out by its end.

    Demand up to a day is the sum of the days' medians, spread by the root of the summed squares on each side (days
    taken as independent); where ``total`` is given, the last day uses it and the days before are widened as much as
    it is wider.

    Parameters
    ----------
    days : sequence of DemandQuantiles
        Demand of day 1, 2, ….
    on_hand : float
        Units now, at least 0.
    arrivals : sequence of float
        Units that arrive before the demand of day 1, 2, …; missing days are 0.
    total : DemandQuantiles, optional
        Demand over all days, from the forecast's totals.

    Raises
    ------
    InvalidInput
        When stock or arrivals are negative.
    """
    _require_stock(on_hand=on_hand)
    for place, units in enumerate(arrivals):
        if not (math.isfinite(units) and units >= 0):
            raise InvalidInput.at(f"/arrivals/{place}", "must not be negative", "不能为负数")
    widening = _widening(days, total)
    result: list[DayOutlook] = []
    stock, before = on_hand, 0.0
    for ahead in range(1, len(days) + 1):
        arrived = arrivals[ahead - 1] if ahead <= len(arrivals) else 0.0
        stock += arrived
        cumulative = total if total is not None and ahead == len(days) else _summed(days[:ahead], widening)
        # Demand only adds up: without an arrival the chance of having run out cannot fall.
        probability = max(cumulative.exceeds(stock), 0.0 if arrived else before)
        before = probability
        result.append(DayOutlook(ahead, probability, _outlook_reason(ahead, stock, cumulative, probability)))
    return result


def _widening(days: Sequence[DemandQuantiles], total: DemandQuantiles | None) -> float:
    """Return how much wider the total is than independent days make it, at least 1."""
    if total is None or not days:
        return 1.0
    independent = _summed(days, 1.0)
    width = independent.at(0.9) - independent.at(0.1)
    return max(1.0, (total.at(0.9) - total.at(0.1)) / width) if width > 0 else 1.0


def _summed(days: Sequence[DemandQuantiles], widening: float) -> DemandQuantiles:
    if len(days) == 1:
        return days[0]
    quantiles = sorted(set.union(*(set(day.units) for day in days)))
    middle = sum(day.at(0.5) for day in days)
    units, last = {}, 0.0
    for quantile in quantiles:
        width = math.sqrt(sum((day.at(quantile) - day.at(0.5)) ** 2 for day in days)) * widening
        last = max(last, middle + math.copysign(width, quantile - 0.5) if quantile != 0.5 else middle)
        units[quantile] = last
    return DemandQuantiles(units)


def _outlook_reason(ahead: int, stock: float, demand: DemandQuantiles, probability: float) -> Text:
    low, high = demand.at(0.1), demand.at(0.9)
    return Text(
        f"{stock:.0f} units against a demand of {low:.0f} to {high:.0f} up to day {ahead}: "
        f"{probability:.0%} chance of running out",
        f"截至第 {ahead} 天库存 {stock:.0f}，需求 {low:.0f} 至 {high:.0f}：缺货概率 {probability:.0%}",
    )


def _require_stock(**stock: float) -> None:
    for name, units in stock.items():
        if not (math.isfinite(units) and units >= 0):
            raise InvalidInput.at(f"/{name}", f"{name} must not be negative", f"{name} 不能为负数")
