"""Forecasts of the need for materials, training, and accuracy."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import accepted, asked_wait_s
from api.schemas import Day
from api.schemas.forecasts import AccuracyAnswer, ForecastsAnswer
from api.schemas.jobs import JobAnswer
from api.security import CurrentActor
from common.errors import InvalidInput
from operations import demand
from operations.demand_history import HORIZON_DAYS

router = APIRouter(prefix="/v1/forecasts", tags=["forecasts"], route_class=CreatingRoute)


def _seen_from(
    as_of: Annotated[Day | None, Query(description="As it stood at the end of this day.")] = None,
    origin: Annotated[Day | None, Query(description="The forecast of exactly this origin.")] = None,
) -> tuple[date | None, date | None]:
    return as_of, origin


SeenFrom = Annotated[tuple[date | None, date | None], Depends(_seen_from)]


@router.get("", responses=problems(403, 404, 503))
def list_forecasts(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    seen: SeenFrom,
    region: Annotated[str | None, Query(max_length=64, examples=["jinjiang"])] = None,
    material: Annotated[str | None, Query(max_length=64, examples=["gift_pack"])] = None,
    days: Annotated[int, Query(ge=1, le=HORIZON_DAYS)] = HORIZON_DAYS,
    quantiles: Annotated[
        str, Query(max_length=100, description="Between 0.05 and 0.98, separated by commas.", examples=["0.1,0.5,0.9"])
    ] = "0.1,0.5,0.9",
) -> ForecastsAnswer:
    """Show what each region needs of each material in the coming days, with its band.

    What counts is in `quantiles`; where a person overrode the model, both are shown. Forecasts of earlier days are kept
    for 120 days (`FIELDWISE_FORECAST_DAYS_KEPT`).
    """
    question = demand.ForecastQuestion(region, material, days, _quantiles(quantiles), *seen)
    with services.database.read() as session:
        found = demand.stored_forecast(session, actor, question)
    return ForecastsAnswer.of(found, language_of(request))


def _quantiles(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidInput.at(
            "query/quantiles",
            "must be numbers separated by commas, such as 0.1,0.5,0.9",
            "应为逗号分隔的数字，如 0.1,0.5,0.9",
        ) from None


@router.get("/accuracy", responses=problems(403, 503))
def get_accuracy(request: Request, services: CurrentServices, actor: CurrentActor) -> AccuracyAnswer:
    """Show how good the model in use is: in its backtest against seasonal naive, and in what was lived since."""
    with services.database.read() as session:
        return AccuracyAnswer.of(demand.accuracy(session, actor), language_of(request))


@router.post("/train", status_code=202, responses=problems(403, 409))
def train(
    request: Request,
    response: Response,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> JobAnswer:
    """Train a new model on all history and forecast with it; a job. `Prefer: wait=30` waits for its end."""
    actor.require("forecasts:train")
    job_id = services.jobs.enqueue("train-forecast", {}, actor=actor.code, job_id=job_id_for(request, actor.code))
    state = services.jobs.wait(job_id, asked_wait_s(request))
    if state.status == "done":
        response.status_code = 200
        return JobAnswer.of(state, language_of(request))
    return accepted(request, response, state)
