"""What is proposed about stock, decided, and done; and how idle or short stock was."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, Field

from api.schemas import Answer, Body, Code
from api.schemas.stock import ShortageAnswer
from operations.proposal_records import ProposalCard
from operations.stock import MaterialShortage
from operations.stock_ladder import ProposedLadder
from operations.stock_orders import ProposedOrders
from operations.stock_proposals import MOST_UNITS
from operations.stock_rates import StockRate

Units = Annotated[int, Field(ge=1, le=MOST_UNITS, examples=[40])]
Materials = Annotated[
    list[Code] | None,
    Field(min_length=1, max_length=500, examples=[["gift_pack"]], description="Only these; all by default."),
]


class ProposeRequest(Body):
    """Which materials to plan for."""

    materials: Materials = None


class ApproveRequest(Body):
    """Why, if there is something to say."""

    reason: str | None = Field(None, max_length=500, examples=["agreed with the shop"])


class RejectRequest(Body):
    """Why not."""

    reason: str = Field(min_length=1, max_length=500, examples=["the fair was called off"])


class AdjustRequest(Body):
    """How many instead, and why."""

    units: Units
    reason: str = Field(min_length=1, max_length=500, examples=["a second stand opens"])


class MovedRequest(Body):
    """What was really moved; what was approved by default."""

    units: int | None = Field(None, ge=1, le=MOST_UNITS, examples=[38])


class ProposalAnswer(Answer):
    """One thing to do about stock, with what became of it.

    `step` is that of the shortage ladder: 1 a neighbour within one hour, 2 the backup supplier, 3 a longer drive that
    the director decides; 0 is an ordinary order. `short_units`, `short_cost_cny`, `stockout_probability` and
    `runs_out_ahead` (days) are to be expected without it.
    """

    id: str
    plan_id: str
    origin: date
    kind: str = Field(examples=["transfer"])
    step: int
    material: str
    from_region: str | None
    to_region: str
    proposed_units: int
    quantity_units: int = Field(description="What counts, after an adjustment.")
    travel_min: int | None
    cost_cny: float | None
    reason: str
    consequence: str
    short_units: float
    short_cost_cny: float
    stockout_probability: float
    runs_out_ahead: int | None
    status: str = Field(examples=["proposed"])
    proposed_by: str
    proposed_at: AwareDatetime
    adjustment_reason: str | None
    decided_by: str | None
    decided_at: AwareDatetime | None
    decision_reason: str | None
    moved_by: str | None
    moved_at: AwareDatetime | None
    moved_units: int | None

    @classmethod
    def of(cls, card: ProposalCard, language: str) -> ProposalAnswer:
        """Return the answer for a proposal, in the reader's language."""
        told = {
            "material": card.material_code,
            "travel_min": round(card.travel_s / 60) if card.travel_s is not None else None,
            "reason": card.reason.in_language(language),
            "consequence": card.consequence.in_language(language),
            "short_units": round(card.short_units, 2),
            "short_cost_cny": round(card.short_cost_cny, 2),
            "stockout_probability": round(card.stockout_probability, 4),
        }
        taken = {name: getattr(card, name) for name in cls.model_fields if name not in told}
        return cls.model_validate(told | taken)


class ProposalsAnswer(Answer):
    """Proposals, the newest first."""

    items: list[ProposalAnswer]


class LadderAnswer(Answer):
    """What was proposed together, and what stays short after all steps; nothing is booked yet."""

    plan_id: str
    origin: date
    proposals: list[ProposalAnswer]
    shortages: list[ShortageAnswer]
    proven_optimal: bool = Field(description="Whether no better transfers exist.")
    replaced: int = Field(description="Undecided proposals of earlier plans that no longer count.")

    @classmethod
    def of(cls, plan: ProposedLadder, language: str) -> LadderAnswer:
        """Return the answer for a plan."""

        def short(item: MaterialShortage) -> ShortageAnswer:
            one = item.shortage
            reason = one.reason.in_language(language)
            return ShortageAnswer(material=item.material_code, region=one.region, units=one.units, reason=reason)

        return cls(
            plan_id=plan.plan_id,
            origin=plan.origin,
            proposals=[ProposalAnswer.of(card, language) for card in plan.proposals],
            shortages=[short(item) for item in plan.shortages],
            proven_optimal=plan.proven_optimal,
            replaced=plan.replaced,
        )


class OrdersAnswer(Answer):
    """Orders that were proposed together; nothing is ordered yet."""

    plan_id: str
    origin: date
    proposals: list[ProposalAnswer]
    replaced: int = Field(description="Undecided orders of earlier plans that no longer count.")

    @classmethod
    def of(cls, plan: ProposedOrders, language: str) -> OrdersAnswer:
        """Return the answer for the orders."""
        cards = [ProposalAnswer.of(card, language) for card in plan.proposals]
        return cls(plan_id=plan.plan_id, origin=plan.origin, proposals=cards, replaced=plan.replaced)


class StockRateAnswer(Answer):
    """How much stock of a material lay idle in a region, and how often it ran short."""

    region: str
    material: str
    first_day: date
    last_day: date
    idle_rate: float = Field(ge=0, le=1, description="Lowest stock at the end of a day over stock at the start + in.")
    too_idle: bool = Field(description="Whether that is above the limit, so that orders are lowered.")
    shortage_rate: float | None = Field(description="Share of recorded days on which stock ran out.")
    short_days: int
    recorded_days: int

    @classmethod
    def of(cls, rate: StockRate) -> StockRateAnswer:
        """Return the answer for a rate."""
        named = {"region": rate.region_code, "material": rate.material_code}
        return cls(**named, **{name: getattr(rate, name) for name in cls.model_fields if name not in named})


class StockRatesAnswer(Answer):
    """Rates by region and material."""

    items: list[StockRateAnswer]
