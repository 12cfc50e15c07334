"""Demand over some days as points of its distribution: reading between them, and stretching to more days."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import InvalidInput

SPREAD_EXPONENT = 0.65
"""Spread over n times as many days is n to this power as wide: 0.5 were independent days, 1 days that all err alike."""
_WEEK = 7


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

    def expected_above(self, units: float) -> float:
        """Return the expected units by which demand exceeds ``units`` (with 0 or less: the mean, less ``units``).

        The loss integral of Silver, Pyke, Thomas, chapter 7, exact for the straight lines of :meth:`at`.
        """
        points = [(0.0, self.at(0.0)), *sorted(self.units.items()), (1.0, self.at(1.0))]
        loss = 0.0
        for (low_q, low), (high_q, high) in itertools.pairwise(points):
            if high <= units:
                continue
            share = high_q - low_q
            if low < units:
                share *= (high - units) / (high - low)
            loss += share * (max(low, units) + high - 2 * units) / 2
        return loss

    def expected_below(self, units: float) -> float:
        """Return the expected units by which demand stays below ``units``."""
        return max(0.0, units - self.expected_above(0.0) + self.expected_above(units))

    def stretched(self, factor: float, exponent: float = SPREAD_EXPONENT) -> DemandQuantiles:
        """Return demand over a longer (or shorter) time in which ``factor`` times as much is used.

        The middle grows with ``factor``, the spread around it with its power ``exponent``. Errors of the days ahead
        are correlated, because they share the error of the estimated level: the square root of independent days makes
        the spread too small even where demand itself is independent (Prak, Teunter, Syntetos: *On the calculation of
        safety stocks when demand is forecasted*, European Journal of Operational Research 256, 2017).

        Raises
        ------
        InvalidInput
            When ``factor`` is not positive, or ``exponent`` lies outside 0.5 … 1.
        """
        if not (math.isfinite(factor) and factor > 0):
            raise InvalidInput.at("/factor", "must be positive", "必须为正数")
        if not 0.5 <= exponent <= 1:
            raise InvalidInput.at("/spread_exponent", "must lie in 0.5 to 1", "必须在 0.5 到 1 之间")
        middle, wider = self.at(0.5), factor**exponent
        units = {q: max(0.0, middle * factor + (value - middle) * wider) for q, value in self.units.items()}
        return DemandQuantiles(units)

    def over_days(
        self,
        days: int,
        wanted_days: int,
        *,
        rhythm: Sequence[float] | None = None,
        exponent: float = SPREAD_EXPONENT,
    ) -> DemandQuantiles:
        """Return demand over the coming ``wanted_days``, when this is the demand over the coming ``days``.

        Parameters
        ----------
        days, wanted_days : int
            At least 1 each.
        rhythm : sequence of float, optional
            What day 1, 2, … use in proportion to one another (a weekday's usual units will do), at least a week or up
            to the later of the two ends; later days repeat the last week. Without it all days are alike. Where it
            knows no use at all, days count alike, too.
        exponent : float
            As for :meth:`stretched`.

        Raises
        ------
        InvalidInput
            When days are out of range, or the rhythm is negative or too short.
        """
        for name, value in (("demand_days", days), ("cover_days", wanted_days)):
            if value < 1:
                raise InvalidInput.at(f"/{name}", f"{name} must be at least 1", f"{name} 至少为 1")
        if days == wanted_days:
            return self
        factor = wanted_days / days
        if rhythm is not None:
            known, wanted = (_use_up_to(rhythm, end, max(days, wanted_days)) for end in (days, wanted_days))
            factor = wanted / known if known > 0 and wanted > 0 else factor
        return self.stretched(factor, exponent)


def _use_up_to(rhythm: Sequence[float], end: int, needed: int) -> float:
    if len(rhythm) < min(needed, _WEEK):
        raise InvalidInput.at("/rhythm", "must hold a week, or all days that matter", "须至少含一周或全部相关天数")
    for place, units in enumerate(rhythm):
        if not (math.isfinite(units) and units >= 0):
            raise InvalidInput.at(f"/rhythm/{place}", "must not be negative", "不能为负数")
    last = len(rhythm)
    beyond = [rhythm[day if day < last else last - _WEEK + (day - last) % _WEEK] for day in range(end)]
    return math.fsum(beyond)
