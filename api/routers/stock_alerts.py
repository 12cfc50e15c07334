"""Warnings three days ahead: which region runs out of what, when, and how likely."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.schemas.stock_alerts import StockAlertAnswer, StockAlertsAnswer
from api.security import CurrentActor
from operations import stock_alerts

router = APIRouter(prefix="/v1/stock", tags=["stock"])


@router.get("/alerts", responses=problems(403))
def list_stock_alerts(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[str | None, Query(max_length=64, examples=["jinjiang"])] = None,
    material: Annotated[str | None, Query(max_length=64, examples=["gift-standard"])] = None,
) -> StockAlertsAnswer:
    """Show the warnings that the last nightly forecast opened and nobody's action has ended yet."""
    with services.database.read() as session:
        found = stock_alerts.stock_alerts(session, actor, region_code=region, material_code=material)
    language = language_of(request)
    return StockAlertsAnswer(items=[StockAlertAnswer.of(alert, language) for alert in found])
