"""How likely stock runs out on each of the coming days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import InvalidInput, Text
from forecasting.demand_quantiles import DemandQuantiles
from forecasting.order_policy import require_stock


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
    expected_short_units : float
        Expected units missing up to the end of the day, when nothing else arrives; at least 0.
    """

    ahead: int
    stockout_probability: float
    reason: Text
    expected_short_units: float = 0.0


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
    require_stock(on_hand=on_hand)
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
        reason = _outlook_reason(ahead, stock, cumulative, probability)
        result.append(DayOutlook(ahead, probability, reason, cumulative.expected_above(stock)))
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
