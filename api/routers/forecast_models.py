"""The registry of forecast models: which is in use and why, another one by hand, and the watch over it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.forecast_models import (
    ChosenModelAnswer,
    ForecastModelAnswer,
    ForecastModelsAnswer,
    ModelChangeAnswer,
    ModelDecision,
    MonitorAnswer,
)
from api.security import CurrentActor
from api.services import Services
from operations import forecast_models, forecast_monitor
from operations.access import Actor
from operations.forecast_models import ModelCard

router = APIRouter(prefix="/v1/forecasts", tags=["forecasts"], route_class=CreatingRoute)
Version = Annotated[str, Path(max_length=64, pattern=r"^[^\x00/]+$", examples=["2026-11-24-1f6c3b0a9d2e"])]


@router.get("/models", responses=problems(403))
def list_models(request: Request, services: CurrentServices, actor: CurrentActor) -> ForecastModelsAnswer:
    """List all trained models with what they were made from, their measures and trials, and who decided about them."""
    language = language_of(request)
    with services.database.read() as session:
        cards = forecast_models.models(session, actor)
        changes = forecast_models.changes(session, actor)
    return ForecastModelsAnswer(
        items=[ForecastModelAnswer.of(card, language) for card in cards],
        changes=[ModelChangeAnswer.of(change, language) for change in changes],
    )


@router.get("/models/{version}", responses=problems(403, 404))
def get_model(
    version: Version, request: Request, services: CurrentServices, actor: CurrentActor
) -> ForecastModelAnswer:
    """Show one trained model."""
    with services.database.read() as session:
        return ForecastModelAnswer.of(forecast_models.model(session, actor, version), language_of(request))


@router.post("/models/rollback", responses=problems(403, 409, 503))
def roll_back(
    request: Request,
    body: ModelDecision,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ChosenModelAnswer:
    """Put the model before the one in use back, and forecast with it; once more goes further back."""
    with services.database.write(actor.code) as session:
        card = forecast_models.roll_back(session, services.settings.model_folder, actor, body.reason)
    return _chosen(request, services, actor, card)


@router.post("/models/{version}/promote", responses=problems(403, 404, 409))
def promote(
    version: Version,
    request: Request,
    body: ModelDecision,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> ChosenModelAnswer:
    """Put a kept model into use by hand, whatever its trial said, and forecast with it."""
    with services.database.write(actor.code) as session:
        card = forecast_models.promote(session, services.settings.model_folder, actor, version, body.reason)
    return _chosen(request, services, actor, card)


def _chosen(request: Request, services: Services, actor: Actor, card: ModelCard) -> ChosenModelAnswer:
    job = services.jobs.enqueue("make-forecast", {}, actor=actor.code, job_id=job_id_for(request, actor.code))
    return ChosenModelAnswer(model=ForecastModelAnswer.of(card, language_of(request)), forecast_job=job)


@router.get("/monitor", responses=problems(403, 503))
def get_monitor(request: Request, services: CurrentServices, actor: CurrentActor) -> MonitorAnswer:
    """Show whether errors lived since, or recent demand, have drifted from the backtest and the training, and why."""
    with services.database.read() as session:
        return MonitorAnswer.of(forecast_monitor.monitor(session, actor), language_of(request))
