"""Why a forecast is what it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.schemas import Day
from api.schemas.forecast_explanations import ForecastExplanationsAnswer
from api.security import CurrentActor
from operations import forecast_explanations

router = APIRouter(prefix="/v1/forecasts", tags=["forecasts"])


@router.get("/explain", responses=problems(403, 503))
def explain_forecast(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[str, Query(max_length=64, examples=["jinjiang"])],
    material: Annotated[str, Query(max_length=64, examples=["gift-standard"])],
    day: Annotated[Day | None, Query(description="Only this day; all days ahead by default.")] = None,
) -> ForecastExplanationsAnswer:
    """Say what moved the forecast of each day against that of the same weekday a week earlier, and by how much.

    The change of the model's mean forecast is shared out among its causes (planned visits, holidays, events, recent
    demand …) by Shapley values, which add up to it, and told in words.
    """
    with services.database.read() as session:
        found = forecast_explanations.explain(session, services.settings.model_folder, actor, region, material, day=day)
    return ForecastExplanationsAnswer.of(found, language_of(request))
