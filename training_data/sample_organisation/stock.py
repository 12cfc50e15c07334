"""Stock of the past: orders, receipts, days on which it ran out, and the ledger that tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.days import Days, local_midnight
from training_data.sample_organisation.demand import Demand
from training_data.sample_organisation.geography import DISTRICTS, warehouse_code
from training_data.sample_organisation.materials import MATERIALS

Units = NDArray[np.int64]

DAILY_LEDGER_DAYS = 60
"""Consumption of the last days is booked by the day, the older one by the week."""
ORDER_WEEKDAY = 0
TRAILING_DAYS = 28
SAFETY_SHARE = 0.1
FORESEEN_SHARE, FORESEEN_DAYS = 0.7, 14
"""How much of the coming need the planner foresees at least: a term's start is no surprise."""
LATE_SHARE = 0.08
"""Share of orders that the supplier delivers three to six days late."""
LOSS_SHARE = 0.004
"""What a quarter's stock count finds missing, on average."""
TIGHT_NOW = ("gift-standard", "gift-family", "campus-bag", "detergent-sample", "board-sample", "shopping-bag")
"""Materials of which, in the last week, one region gets nothing (the supplier is late) and another one too much."""
TIGHT_DAYS = 7
TOO_MUCH_DAYS = 9
"""How many days' use the region with plenty gets on top."""
_BOOKED_H = {"opening": 8, "receipt": 9, "consumption": 21, "adjustment": 22}
_KEEPERS = {"jinjiang": "L-01", "wuhou": "L-01", "qingyang": "L-02", "jinniu": "L-02", "chenghua": "L-03"}


@dataclass(frozen=True, slots=True)
class Stock:
    """What moved in each warehouse; arrays of shape (regions, materials, days), ``opening`` without the days.

    Attributes
    ----------
    used : int array
        Demand as far as stock reached.
    available : bool array
        False where demand was larger than stock.
    received, lost : int array
        Receipts before the day's use, and losses found by a count after it.
    """

    opening: Units
    used: Units
    available: NDArray[np.bool_]
    received: Units
    lost: Units

    @property
    def on_hand(self) -> Units:
        """Stock at the end of the last day, shape (regions, materials)."""
        total: Units = self.opening + (self.received - self.used - self.lost).sum(axis=2)
        return total


def run_stock(days: Days, demand: Demand, rng: np.random.Generator) -> Stock:
    """Play the past through: every Monday each warehouse orders up to its level when it is below the order point."""
    shape = demand.wanted.shape
    received, used, lost = (np.zeros(shape, np.int64) for _ in range(3))
    lead_days = np.broadcast_to(np.array([plan.lead_time_days for plan in MATERIALS]), shape[:2])
    opening = _packs(demand.mean[:, :, :TRAILING_DAYS].mean(axis=2) * (9 + lead_days))
    on_hand = opening.copy()
    waiting = np.zeros(shape[:2], dtype=bool)
    for today in range(days.history):
        if today == days.history - TIGHT_DAYS:
            waiting = _tighten(received, used, on_hand, today)
        on_hand += received[:, :, today]
        used[:, :, today] = np.minimum(demand.wanted[:, :, today], on_hand)
        on_hand -= used[:, :, today]
        day = days.days[today]
        if day.day == 1 and day.month in (1, 4, 7, 10):
            lost[:, :, today] = rng.binomial(on_hand, LOSS_SHARE)
            on_hand -= lost[:, :, today]
        if day.weekday() == ORDER_WEEKDAY:
            coming = received[:, :, today + 1 :].sum(axis=2)
            ordered = _orders(_expected_use(demand, used, today), on_hand + coming, lead_days)
            late = (rng.random(shape[:2]) < LATE_SHARE) * rng.integers(3, 7, shape[:2])
            _deliver(received, np.where(waiting, 0, ordered), today + lead_days + late)
    return Stock(opening, used, used == demand.wanted, received, lost)


def _expected_use(demand: Demand, used: Units, today: int) -> NDArray[np.float64]:
    """Return the units a day that the planner counts on, never below a third of a unit."""
    expected = used[:, :, max(0, today - TRAILING_DAYS + 1) : today + 1].mean(axis=2)
    ahead = demand.mean[:, :, today + 1 : today + 1 + FORESEEN_DAYS]
    if ahead.shape[2]:
        expected = np.maximum(expected, FORESEEN_SHARE * ahead.mean(axis=2))
    floored: NDArray[np.float64] = np.maximum(expected, 1 / 3)
    return floored


def _orders(per_day: NDArray[np.float64], position: Units, lead_days: Units) -> Units:
    """Return order sizes of an (s, S) rule on the expected use: whole packs, at least the minimum order."""
    point = per_day * (7 + lead_days) * (1 + SAFETY_SHARE)
    level = point + per_day * 7
    minimum = np.array([plan.minimum_order_units for plan in MATERIALS])
    wanted = np.maximum(level - position, minimum)
    return np.where(position < point, _packs(wanted), 0)


def _packs(units: NDArray[Any]) -> Units:
    pack = np.array([plan.pack_size for plan in MATERIALS])
    rounded: Units = (np.ceil(units / pack) * pack).astype(np.int64)
    return rounded


def _tighten(received: Units, used: Units, on_hand: Units, today: int) -> NDArray[np.bool_]:
    """Hold back what is on its way to the region with least of each tight material, and send plenty to another.

    Returns which places (regions, materials) are held back from now on.
    """
    per_day = np.maximum(used[:, :, today - TRAILING_DAYS : today].mean(axis=2), 0.3)
    cover_days = on_hand / per_day
    held_back = np.zeros(on_hand.shape, dtype=bool)
    gift = _packs(per_day * TOO_MUCH_DAYS)
    for material, plan in enumerate(MATERIALS):
        if plan.code in TIGHT_NOW:
            held_back[np.argmin(cover_days[:, material]), material] = True
            most = np.argmax(cover_days[:, material])
            received[most, material, today] += gift[most, material]
    received[:, :, today:][held_back] = 0
    return held_back


def _deliver(received: Units, ordered: Units, arrival: Units) -> None:
    for place in np.argwhere(ordered > 0):
        region, material = int(place[0]), int(place[1])
        if arrival[region, material] < received.shape[2]:
            received[region, material, arrival[region, material]] += ordered[region, material]


def make_consumption(days: Days, demand: Demand, stock: Stock) -> list[dict[str, Any]]:
    """Return rows of the table ``daily_consumption``, each with ``true_mean``, which the table does not keep."""
    return [
        {
            "region_code": district.code,
            "material_code": plan.code,
            "day": days.days[today],
            "quantity_units": int(stock.used[region, material, today]),
            "available": bool(stock.available[region, material, today]),
            "true_mean": round(float(demand.mean[region, material, today]), 4),
        }
        for region, district in enumerate(DISTRICTS)
        for material, plan in enumerate(MATERIALS)
        for today in range(days.history)
    ]


def make_ledger(days: Days, stock: Stock) -> list[dict[str, Any]]:
    """Return the stock movements as rows of the table ``stock_movement``, ordered by moment."""
    rows: list[dict[str, Any]] = []
    periods = list(_periods(days))
    for region, district in enumerate(DISTRICTS):
        for material, plan in enumerate(MATERIALS):
            lines = [("opening", 0, int(stock.opening[region, material]))]
            lines += [("receipt", int(day), int(stock.received[region, material, day]))
                      for day in np.flatnonzero(stock.received[region, material])]  # fmt: skip
            lines += [("adjustment", int(day), -int(stock.lost[region, material, day]))
                      for day in np.flatnonzero(stock.lost[region, material])]  # fmt: skip
            lines += [("consumption", last, -int(stock.used[region, material, first : last + 1].sum()))
                      for first, last in periods]  # fmt: skip
            place = {
                "warehouse_code": warehouse_code(district),
                "material_code": plan.code,
                "recorded_by": _KEEPERS[district.code],
            }
            rows.extend(_booked(days, kind, day, units) | place for kind, day, units in lines if units)
    return sorted(rows, key=lambda row: (row["moved_at"], row["warehouse_code"], row["material_code"]))


def _periods(days: Days) -> Iterator[tuple[int, int]]:
    """Yield first and last day of what one line of consumption covers."""
    first = 0
    by_day_from = days.history - DAILY_LEDGER_DAYS
    for today in range(days.history):
        if days.weekday[today] == 6 or today >= by_day_from - 1:
            yield first, today
            first = today + 1


def _booked(days: Days, kind: str, day: int, units: int) -> dict[str, Any]:
    moved_at = local_midnight(days.days[day]) + timedelta(hours=_BOOKED_H[kind])
    return {
        "kind": kind,
        "quantity_units": units,
        "moved_at": moved_at,
        "reference": f"{kind}-{days.days[day]:%Y%m%d}",
        "reason": "季度盘点差异" if kind == "adjustment" else None,
        "recorded_at": moved_at + timedelta(minutes=20),
    }
