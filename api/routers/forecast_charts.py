"""Forecasts as pictures for reports."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.security import CurrentActor
from operations.forecast_figures import FiguresQuestion, figures

router = APIRouter(prefix="/v1/forecasts", tags=["forecasts"])


@router.get(
    "/chart",
    response_class=Response,
    responses={
        **problems(403, 503),
        200: {
            "content": {
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                "image/svg+xml": {"schema": {"type": "string"}},
            },
            "description": "The picture, in the asker's language.",
        },
    },
)
def draw_forecast(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[str, Query(max_length=64, examples=["jinjiang"])],
    material: Annotated[str, Query(max_length=64, examples=["gift-standard"])],
    form: Annotated[Literal["png", "svg"], Query(alias="format")] = "png",
    earlier: Annotated[bool, Query(description="Show what was forecast the day before each past day, too.")] = False,
) -> Response:
    """Draw the newest forecast of a region and material beside eight weeks of its demand, with holidays and events.

    Shown are the median, the 50 % and the 80 % band of each day ahead, and the days on which stock ran out.
    """
    from api.forecast_picture import MEDIA_TYPES, picture

    language = language_of(request)
    question = FiguresQuestion(region, material, services.settings.holiday_country, earlier)
    with services.database.read() as session:
        found = figures(session, actor, question)
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(picture(found, language, form), media_type=MEDIA_TYPES[form], headers=headers)
