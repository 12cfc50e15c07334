"""Who of a region is due on a day, why, and what a visit is worth; and how far the probabilities can be trusted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.routers.asked_day import wishes_of
from api.schemas import Code
from api.schemas.due_customers import DueCustomersAnswer
from api.schemas.reliability import ReliabilityAnswer
from api.security import CurrentActor
from operations.due_customers import due_customers
from operations.visit_history import conversion_report

router = APIRouter(prefix="/v1", tags=["route plans"])


@router.get("/due-customers", responses=problems(403))
def list_due_customers(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[Code, Query(examples=["jinjiang"])],
    day: Annotated[
        date | None, Query(ge=date(2000, 1, 1), le=date(2100, 12, 31), description="Tomorrow by default.")
    ] = None,
) -> DueCustomersAnswer:
    """List whom a region could visit on a day, and whom not and why: not due yet, closed, or a repeat.

    The points are the prize of the visit in a day plan: the probability that it converts × the customer's value × the
    stock of gift packs × urgency. A rep sees own customers only.
    """
    wanted = day or services.today() + timedelta(days=1)
    with services.database.read() as session:
        found = due_customers(session, actor, region, wanted, wishes_of(services, None, None))
    return DueCustomersAnswer.of(found, language_of(request))


@router.get("/conversion-reliability", responses=problems(403))
def show_reliability(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    later_share: Annotated[float, Query(gt=0, lt=1, description="Share of the visits, the newest, to test on.")] = 0.2,
) -> ReliabilityAnswer:
    """Show how far the probabilities of conversion can be trusted, trained on earlier visits, measured on later."""
    with services.database.read() as session:
        found = conversion_report(session, actor, later_share=later_share)
    return ReliabilityAnswer.of(found, language_of(request))
