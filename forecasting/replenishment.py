"""What to order, and when stock runs out, from the quantiles of the forecast: one door to the three parts.

`demand_quantiles` reads and stretches the forecast, `order_policy` says what to order, `stock_outlook` when stock
runs out.
"""

from __future__ import annotations

from forecasting.demand_quantiles import SPREAD_EXPONENT, DemandQuantiles
from forecasting.order_policy import IDLE_RATE_LIMIT, Arrival, OrderPolicy, OrderProposal, propose_order
from forecasting.stock_outlook import DayOutlook, outlook

__all__ = [
    "IDLE_RATE_LIMIT",
    "SPREAD_EXPONENT",
    "Arrival",
    "DayOutlook",
    "DemandQuantiles",
    "OrderPolicy",
    "OrderProposal",
    "outlook",
    "propose_order",
]
