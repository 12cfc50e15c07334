"""Stock and transfers between regions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.errors import language_of
from api.idempotency import CreatingRoute
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.stock import StockAnswer, StockLevelAnswer, TransferPlanAnswer, TransferPlanRequest
from api.security import CurrentActor
from operations import stock
from routing.travel.for_problem import reachable_table

router = APIRouter(prefix="/v1", tags=["stock"], route_class=CreatingRoute)


@router.get("/stock", responses=problems(403))
def list_stock(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[str | None, Query(max_length=64, examples=["jinjiang"])] = None,
    material: Annotated[str | None, Query(max_length=64, examples=["gift_pack"])] = None,
) -> StockAnswer:
    """Show stock from the ledger, how likely it runs out in the coming days, and what to order."""
    with services.database.read() as session:
        levels = stock.stock_levels(session, actor, region_code=region, material_code=material)
    language = language_of(request)
    return StockAnswer(items=[StockLevelAnswer.of(level, language) for level in levels])


@router.post("/transfers/plan", status_code=201, responses=problems(403, 503))
def plan_transfers(
    request: Request,
    body: TransferPlanRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> TransferPlanAnswer:
    """Propose moves of stock between regions for the coming three days; nothing is booked yet."""
    actor.require("transfers:plan")
    with services.database.read() as session:
        places = stock.warehouse_locations(session)
    # A warehouse that no way leads to is left alone: the others can still help one another.
    table, _ = reachable_table(services.travel_times, list(places.values()))
    travel_s = {
        (donor, receiver): float(table.duration_s[row][column])
        for row, donor in enumerate(places)
        for column, receiver in enumerate(places)
    }
    with services.database.write(actor.code) as session:
        proposal = stock.propose_transfers(
            session, actor, travel_s, materials=body.materials, longest_travel_s=body.longest_travel_min * 60
        )
    return TransferPlanAnswer.of(proposal, language_of(request))
