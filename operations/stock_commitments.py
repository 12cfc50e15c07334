"""What is promised but not moved yet, and the locks that keep two people from promising the same stock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.store.tables import Material, StockMovement, StockProposal, Warehouse

Place = tuple[str, str]
"""(warehouse, material)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Units approved for a warehouse that have not come yet, and the day on which they should."""

    units: int
    expected_on: date


@dataclass(frozen=True, slots=True)
class Commitments:
    """Approved proposals that are not carried out yet, by warehouse and material."""

    outgoing: dict[Place, int]
    arrivals: dict[Place, tuple[Arrival, ...]]

    def leaving(self, place: Place) -> int:
        """Return the units that this place has promised to others."""
        return self.outgoing.get(place, 0)

    def coming(self, place: Place) -> int:
        """Return the units on their way to this place."""
        return sum(each.units for each in self.arrivals.get(place, ()))

    def coming_by_day(self, place: Place, origin: date, days: int) -> list[float]:
        """Return the units expected before the demand of each day after ``origin``; what is late counts for the first.

        Today's arrivals are there for tomorrow; those after the last day are left out.
        """
        result = [0.0] * days
        for each in self.arrivals.get(place, ()):
            ahead = max(1, (each.expected_on - origin).days)
            if ahead <= days:
                result[ahead - 1] += each.units
        return result


def commitments(session: Session) -> Commitments:
    """Return what is approved and not moved yet: an ordinary order comes after its lead time, the rest the same day."""
    query = (
        select(StockProposal, Material.lead_time_days)
        .join(Material, Material.code == StockProposal.material_code)
        .where(StockProposal.status == "approved")
        .order_by(StockProposal.id)
    )
    outgoing: dict[Place, int] = {}
    arrivals: dict[Place, tuple[Arrival, ...]] = {}
    for row, lead_days in session.execute(query):
        decided_at = row.decided_at or session.info["clock"].now()
        expected_on = decided_at.date() + timedelta(days=lead_days if row.kind == "order" else 0)
        to = row.to_warehouse_code, row.material_code
        arrivals[to] = (*arrivals.get(to, ()), Arrival(row.quantity_units, expected_on))
        if row.from_warehouse_code is not None:
            donor = row.from_warehouse_code, row.material_code
            outgoing[donor] = outgoing.get(donor, 0) + row.quantity_units
    return Commitments(outgoing, arrivals)


def units_on_hand(session: Session, place: Place) -> int:
    """Return the stock of one material in one warehouse; below zero where bookings came late."""
    warehouse, material = place
    query = select(func.sum(StockMovement.quantity_units)).where(
        StockMovement.warehouse_code == warehouse, StockMovement.material_code == material
    )
    return int(session.scalar(query) or 0)


def lock_warehouses(session: Session, codes: Iterable[str] | None = None) -> None:
    """Let nobody else plan with, promise or move the stock of these warehouses until the unit of work ends.

    All of them by default; always in one order, so that two units of work cannot wait for each other.
    """
    query = select(Warehouse.code).order_by(Warehouse.code).with_for_update(key_share=True)
    if codes is not None:
        query = query.where(Warehouse.code.in_(sorted(set(codes))))
    session.execute(query).all()
