"""Stock, its outlook, and transfers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body
from operations.stock import StockLevel, TransferProposal

Material = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OutlookAnswer(Answer):
    """The chance that stock has run out by the end of a day."""

    ahead: int = Field(examples=[1])
    stockout_probability: float = Field(ge=0, le=1)
    reason: str


class OrderAnswer(Answer):
    """What to order now."""

    order_units: int
    order_up_to_units: float
    service_quantile: float
    reason: str


class StockLevelAnswer(Answer):
    """Stock of one material in one region."""

    region: str
    warehouse: str
    material: str
    on_hand_units: int
    outgoing_units: int = Field(description="Approved for others and not moved yet.")
    incoming_units: int = Field(description="Approved for this region and not moved yet.")
    idle_rate: float = Field(ge=0, le=1, description="Share of the last four weeks' stock that nobody needed.")
    last_movement_at: AwareDatetime | None
    outlook: list[OutlookAnswer]
    order: OrderAnswer | None

    @classmethod
    def of(cls, level: StockLevel, language: str) -> StockLevelAnswer:
        """Return the answer for a level, with reasons in the reader's language."""
        order = level.order
        return cls(
            region=level.region_code,
            warehouse=level.warehouse_code,
            material=level.material_code,
            on_hand_units=level.on_hand_units,
            outgoing_units=level.outgoing_units,
            incoming_units=level.incoming_units,
            idle_rate=round(level.idle_rate, 4),
            last_movement_at=level.last_movement_at,
            outlook=[
                OutlookAnswer(
                    ahead=item.ahead,
                    stockout_probability=round(item.stockout_probability, 4),
                    reason=item.reason.in_language(language),
                )
                for item in level.outlook
            ],
            order=OrderAnswer(
                order_units=order.order_units,
                order_up_to_units=round(order.order_up_to_units, 2),
                service_quantile=round(order.service_quantile, 4),
                reason=order.reason.in_language(language),
            )
            if order
            else None,
        )


class StockAnswer(Answer):
    """Stock levels."""

    items: list[StockLevelAnswer]


class TransferPlanRequest(Body):
    """Which transfers to propose."""

    materials: list[Material] | None = Field(
        None, min_length=1, max_length=500, examples=[["gift_pack"]], description="Only these; all by default."
    )
    longest_travel_min: int = Field(60, ge=1, le=1440, description="Longer drives are not proposed.")


class TransferAnswer(Answer):
    """One proposed move."""

    id: str
    material: str
    from_region: str
    to_region: str
    quantity_units: int
    travel_min: int
    reason: str


class ShortageAnswer(Answer):
    """What no transfer covers."""

    material: str
    region: str
    units: int
    reason: str


class TransferPlanAnswer(Answer):
    """Moves proposed for the coming three days; nothing is booked yet."""

    plan_id: str
    origin: date
    transfers: list[TransferAnswer]
    shortages: list[ShortageAnswer]

    @classmethod
    def of(cls, proposal: TransferProposal, language: str) -> TransferPlanAnswer:
        """Return the answer for a proposal, with reasons in the reader's language."""
        return cls(
            plan_id=proposal.plan_id,
            origin=proposal.origin,
            transfers=[
                TransferAnswer(
                    id=item.id,
                    material=item.material_code,
                    from_region=item.from_region,
                    to_region=item.to_region,
                    quantity_units=item.quantity_units,
                    travel_min=round(item.travel_s / 60),
                    reason=item.reason.in_language(language),
                )
                for item in proposal.transfers
            ],
            shortages=[
                ShortageAnswer(
                    material=item.material_code,
                    region=item.shortage.region,
                    units=item.shortage.units,
                    reason=item.shortage.reason.in_language(language),
                )
                for item in proposal.shortages
            ],
        )
