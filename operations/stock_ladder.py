"""Planning the shortage ladder over the newest forecast, and keeping what it proposes for people to decide.

Nothing is booked. A new plan takes the place of what nobody has decided yet; what is decided stands, and what is
approved but not moved yet counts as gone from its donor and coming to its receiver, so that nobody is helped twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from forecasting.shortage_ladder import Demand, LadderProposal, LadderRules, RushTerms, climb_ladder
from forecasting.transfer_network import FreightRules, MaterialNeeds
from forecasting.transfers import NEAR_S
from operations.access import Actor
from operations.demand import STORED_QUANTILES, StoredForecast, newest_forecast
from operations.proposal_records import (
    LADDER_KINDS,
    ProposalCard,
    card_of,
    own_warehouses,
    regions_of_warehouses,
    replace_undecided,
    told,
    touches,
)
from operations.stock import (
    MaterialShortage,
    conversion_rates,
    demand_of,
    on_hand_units,
    region_stocks,
    wanted_materials,
)
from operations.stock_commitments import commitments, lock_warehouses
from operations.store.tables import Material, StockProposal

Lanes = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class LadderPolicy:
    """Terms of the ladder that no record holds.

    Attributes
    ----------
    freight : FreightRules
        What a lane carries, and what a vehicle costs.
    unit_price_cny, rush_price_factor : float
        Ordinary price of one piece, the same for every material as long as materials have no price of their own, and
        how many times that the backup supplier asks.
    rush_lead_s : int
        Seconds until the backup supplier delivers.
    backup_supplier : bool
        Whether there is one; without it step 2 is left out.
    near_s, longest_travel_s : float
        Longest drive of step 1, and of step 3.
    """

    freight: FreightRules = field(default_factory=FreightRules)
    unit_price_cny: float = 10.0
    rush_price_factor: float = 1.5
    rush_lead_s: int = 7200
    backup_supplier: bool = True
    near_s: float = NEAR_S
    longest_travel_s: float = 8 * 3600.0

    def rules(self, materials: Sequence[Material]) -> LadderRules:
        """Return the rules for these materials: the backup supplier sells by their packs and least orders."""
        rush = {
            row.code: RushTerms(
                self.unit_price_cny,
                self.rush_price_factor,
                pack_size=row.pack_size,
                minimum_units=row.minimum_order_units,
                lead_s=self.rush_lead_s,
            )
            for row in materials
        }
        return LadderRules(self.freight, rush if self.backup_supplier else {}, self.near_s, self.longest_travel_s)


@dataclass(frozen=True, slots=True)
class ProposedLadder:
    """What was proposed together, what stays short, and how many undecided proposals it took the place of.

    ``proven_optimal`` says that no better transfers exist.
    """

    plan_id: str
    origin: date
    proposals: tuple[ProposalCard, ...]
    shortages: tuple[MaterialShortage, ...]
    proven_optimal: bool
    replaced: int


def propose_ladder(
    session: Session,
    actor: Actor,
    travel_s: Lanes,
    *,
    distance_m: Lanes | None = None,
    materials: Sequence[str] | None = None,
    policy: LadderPolicy | None = None,
) -> ProposedLadder:
    """Propose what to do about shortages of the coming days, step by step, and store it for decision.

    A region asks for what its stock lacks to the 0.75 quantile of its need and gives only what lies above its own 0.9
    quantile. Who is bound to a region gets, stores and replaces only what touches it.

    Parameters
    ----------
    travel_s, distance_m : mapping of (region, region) to float
        Seconds and metres between the warehouses (see `operations.stock.warehouse_locations`).
    materials : sequence of str, optional
        Only these; all by default.

    Raises
    ------
    Forbidden
        When the actor may not plan transfers.
    NotReady
        When nothing has been forecast yet.
    InvalidInput
        For an unknown material.
    """
    actor.require("transfers:plan")
    policy = policy or LadderPolicy()
    forecast = newest_forecast(session, Actor.system("stock"), quantiles=STORED_QUANTILES)
    wanted = wanted_materials(session, materials)
    lock_warehouses(session)
    rows = list(session.scalars(select(Material).where(Material.code.in_(wanted)).order_by(Material.code)))
    needs, demand = _needs(session, forecast, rows)
    plan = climb_ladder(needs, demand, travel_s, distance_m=distance_m, rules=policy.rules(rows))
    regions = regions_of_warehouses(session)
    own = own_warehouses(actor, regions)
    replaced = replace_undecided(session, wanted, LADDER_KINDS, own)
    plan_id = uuid4().hex
    kept = _store(session, (plan_id, forecast.origin), plan.proposals, regions, own)
    short = tuple(
        MaterialShortage(material, item)
        for material, item in plan.shortages
        if actor.region_code in (None, item.region)
    )
    cards = tuple(card_of(row, regions) for row in kept)
    return ProposedLadder(plan_id, forecast.origin, cards, short, plan.proven_optimal, replaced)


def _needs(
    session: Session, forecast: StoredForecast, rows: Sequence[Material]
) -> tuple[list[MaterialNeeds], dict[tuple[str, str], Demand]]:
    levels, weights, promised = on_hand_units(session), conversion_rates(session), commitments(session)
    needs, demand = [], {}
    for row in rows:
        stocks = region_stocks(forecast, levels, weights, row.code, promised)
        for stock in stocks:
            days, total = demand_of(forecast, stock.region, row.code)
            if total is not None:
                demand[row.code, stock.region] = Demand(tuple(days), total)
        needs.append(MaterialNeeds(row.code, tuple(stocks), shortage_cost_cny=row.shortage_cost_cny))
    return needs, demand


def _store(
    session: Session,
    plan: tuple[str, date],
    proposals: Sequence[LadderProposal],
    regions: Mapping[str, str],
    own: set[str] | None,
) -> list[StockProposal]:
    warehouses = {region: code for code, region in regions.items()}
    plan_id, origin = plan
    rows = []
    for item in proposals:
        row = StockProposal(
            id=uuid4().hex,
            plan_id=plan_id,
            origin=origin,
            kind=item.kind,
            step=item.step,
            material_code=item.material,
            from_warehouse_code=warehouses[item.donor] if item.donor is not None else None,
            to_warehouse_code=warehouses[item.receiver],
            proposed_units=item.units,
            quantity_units=item.units,
            travel_s=round(item.travel_s),
            cost_cny=round(item.cost_cny, 2),
            status="proposed",
            **told(item.reason, item.consequence),
        )
        if touches(row, own):
            rows.append(row)
    session.add_all(rows)
    session.flush()
    return rows
