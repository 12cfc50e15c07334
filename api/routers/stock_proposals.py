"""What is proposed about stock: planning it, deciding it, and booking what was moved."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from api.errors import language_of
from api.idempotency import CreatingRoute
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.stock_proposals import (
    AdjustRequest,
    ApproveRequest,
    LadderAnswer,
    MovedRequest,
    OrdersAnswer,
    ProposalAnswer,
    ProposalsAnswer,
    ProposeRequest,
    RejectRequest,
    StockRateAnswer,
    StockRatesAnswer,
)
from api.security import CurrentActor
from api.warehouse_travel import ways_between_warehouses
from operations import stock_ladder, stock_moves, stock_orders, stock_proposals, stock_rates

router = APIRouter(prefix="/v1/stock", tags=["stock"], route_class=CreatingRoute)
ProposalId = Annotated[str, Path(max_length=64, pattern=r"^[^\x00/]+$")]
Region = Annotated[str | None, Query(max_length=64, examples=["jinjiang"])]
Material = Annotated[str | None, Query(max_length=64, examples=["gift_pack"])]
State = Literal["proposed", "approved", "rejected", "moved", "replaced"]


@router.post("/ladder", status_code=201, responses=problems(403, 503))
def plan_ladder(
    request: Request, body: ProposeRequest, services: CurrentServices, actor: CurrentActor, _key: IdempotencyKey = None
) -> LadderAnswer:
    """Propose what to do about shortages of the coming days, step by step; undecided earlier proposals give way."""
    actor.require("transfers:plan")
    travel_s, distance_m = ways_between_warehouses(services)
    with services.database.write(actor.code) as session:
        plan = stock_ladder.propose_ladder(session, actor, travel_s, distance_m=distance_m, materials=body.materials)
    return LadderAnswer.of(plan, language_of(request))


@router.post("/orders/propose", status_code=201, responses=problems(403, 503))
def plan_orders(
    request: Request, body: ProposeRequest, services: CurrentServices, actor: CurrentActor, _key: IdempotencyKey = None
) -> OrdersAnswer:
    """Propose the orders that stock needs; what is approved and not yet received counts as on its way."""
    with services.database.write(actor.code) as session:
        plan = stock_orders.propose_orders(session, actor, materials=body.materials)
    return OrdersAnswer.of(plan, language_of(request))


@router.get("/proposals", responses=problems(403))
def list_proposals(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    status: Annotated[State | None, Query(examples=["proposed"])] = None,
    region: Region = None,
    material: Material = None,
) -> ProposalsAnswer:
    """List proposals that give to or take from a region, the newest 500 first."""
    with services.database.read() as session:
        found = stock_proposals.proposals(session, actor, status=status, region_code=region, material_code=material)
    return ProposalsAnswer(items=[ProposalAnswer.of(card, language_of(request)) for card in found])


@router.post("/proposals/{proposal_id}/approve", responses=problems(403, 404, 409))
def approve_proposal(
    request: Request,
    proposal_id: ProposalId,
    body: ApproveRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ProposalAnswer:
    """Approve a proposal: its units then count as promised; once more it changes nothing."""
    with services.database.write(actor.code) as session:
        card = stock_proposals.approve(session, actor, proposal_id, body.reason)
    return ProposalAnswer.of(card, language_of(request))


@router.post("/proposals/{proposal_id}/reject", responses=problems(403, 404, 409))
def reject_proposal(
    request: Request,
    proposal_id: ProposalId,
    body: RejectRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ProposalAnswer:
    """Reject a proposal, or take back an approved one that is not moved yet."""
    with services.database.write(actor.code) as session:
        card = stock_proposals.reject(session, actor, proposal_id, body.reason)
    return ProposalAnswer.of(card, language_of(request))


@router.post("/proposals/{proposal_id}/adjust", responses=problems(403, 404, 409))
def adjust_proposal(
    request: Request,
    proposal_id: ProposalId,
    body: AdjustRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ProposalAnswer:
    """Change how many units an undecided proposal is about; a donor keeps its own upper forecast."""
    with services.database.write(actor.code) as session:
        card = stock_proposals.adjust(session, actor, proposal_id, body.units, body.reason)
    return ProposalAnswer.of(card, language_of(request))


@router.post("/proposals/{proposal_id}/moved", responses=problems(403, 404, 409))
def book_move(
    request: Request,
    proposal_id: ProposalId,
    body: MovedRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ProposalAnswer:
    """Book in the ledger what was really moved or received; the same units once more change nothing."""
    with services.database.write(actor.code) as session:
        card = stock_moves.record_move(session, actor, proposal_id, body.units)
    return ProposalAnswer.of(card, language_of(request))


@router.get("/rates", responses=problems(403))
def show_rates(
    services: CurrentServices,
    actor: CurrentActor,
    region: Region = None,
    material: Material = None,
    days: Annotated[int, Query(ge=1, le=stock_rates.MOST_DAYS, description="So many closed days.")] = 28,
) -> StockRatesAnswer:
    """Show how much stock lay idle in the last days (four weeks by default), and how often it ran short."""
    with services.database.read() as session:
        rates = stock_rates.stock_rates(session, actor, region_code=region, material_code=material, days=days)
    return StockRatesAnswer(items=[StockRateAnswer.of(rate) for rate in rates])
