"""One warehouse's stock of one material: batches that spoil, and orders under way."""

from __future__ import annotations

from forecasting.order_policy import OrderPolicy

_NEVER = 10**9


class StockStore:
    """Stock of one series as batches by the day on which they spoil, the oldest first, and its orders under way.

    Parameters
    ----------
    policy : OrderPolicy
        Its lead time and shelf life count.
    column : int
        The first day.
    opening : float
        Units in its morning, all fresh.
    """

    def __init__(self, policy: OrderPolicy, column: int, opening: float) -> None:
        self.life, self.lead_days = policy.shelf_life_days, policy.lead_time_days
        self.batches: list[list[float]] = []
        self.under_way: list[tuple[int, float]] = []
        self.put(column, opening)

    @property
    def on_hand(self) -> float:
        """Units that can be used."""
        return sum(units for _, units in self.batches)

    def put(self, column: int, units: float) -> None:
        """Add fresh units that came on a day."""
        if units > 0:
            self.add_batch(_NEVER if self.life is None else column + self.life, units)

    def add_batch(self, spoils_on: float, units: float) -> None:
        """Add units that cannot be used from ``spoils_on`` on."""
        for batch in self.batches:
            if batch[0] == spoils_on:
                batch[1] += units
                return
        self.batches.append([spoils_on, units])
        self.batches.sort(key=lambda batch: batch[0])

    def receive(self, column: int) -> float:
        """Take in what is due today; return it."""
        arrived = sum(units for due, units in self.under_way if due == column)
        self.under_way = [order for order in self.under_way if order[0] != column]
        self.put(column, arrived)
        return arrived

    def drop_old(self, column: int) -> float:
        """Throw away what spoils today; return it."""
        old = sum(units for spoils_on, units in self.batches if spoils_on <= column)
        self.batches = [batch for batch in self.batches if batch[0] > column]
        return old

    def order(self, column: int, units: float) -> float:
        """Place an order; return what arrives at once because there is no lead time."""
        if self.lead_days == 0:
            self.put(column, units)
            return units
        self.under_way.append((column + self.lead_days, units))
        return 0.0

    def take(self, wanted: float) -> float:
        """Take up to ``wanted`` units; return what there was."""
        return sum(units for _, units in self.take_batches(wanted))

    def take_batches(self, wanted: float) -> list[tuple[float, float]]:
        """Take up to ``wanted`` units, the oldest first; return them with the day on which they spoil."""
        taken: list[tuple[float, float]] = []
        for batch in self.batches:
            units = min(batch[1], wanted)
            if units > 0:
                taken.append((batch[0], units))
                batch[1] -= units
                wanted -= units
        self.batches = [batch for batch in self.batches if batch[1] > 0]
        return taken
