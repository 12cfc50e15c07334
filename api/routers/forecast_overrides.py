"""What people say against the forecast, with a reason, and what it was worth once the day has come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.idempotency import CreatingRoute
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas import Day
from api.schemas.forecast_overrides import OverrideAnswer, OverrideRequest, OverridesAnswer, ValueReportAnswer
from api.security import CurrentActor
from operations import forecast_overrides, forecast_value

router = APIRouter(prefix="/v1/forecasts/overrides", tags=["forecasts"], route_class=CreatingRoute)
Region = Annotated[str | None, Query(max_length=64, examples=["jinjiang"])]
Since = Annotated[Day | None, Query(description="Only of days from this one on.", examples=["2026-11-01"])]


@router.post("", status_code=201, responses=problems(403, 409))
def make_override(
    body: OverrideRequest, services: CurrentServices, actor: CurrentActor, _key: IdempotencyKey = None
) -> OverrideAnswer:
    """Say what a region will need on a day that is forecast; orders and transfers then go by it."""
    with services.database.write(actor.code) as session:
        return OverrideAnswer.of(forecast_overrides.make_override(session, actor, body.wish()))


@router.get("", responses=problems(403))
def list_overrides(
    services: CurrentServices,
    actor: CurrentActor,
    region: Region = None,
    material: Annotated[str | None, Query(max_length=64, examples=["gift_pack"])] = None,
    since: Since = None,
    withdrawn: Annotated[bool, Query(description="Whether those that no longer count are listed.")] = True,
) -> OverridesAnswer:
    """List overrides with who, when and why; the latest 200."""
    with services.database.read() as session:
        found = forecast_overrides.overrides(
            session, actor, region_code=region, material_code=material, since=since, withdrawn=withdrawn
        )
    return OverridesAnswer(items=[OverrideAnswer.of(card) for card in found])


@router.get("/value", responses=problems(403))
def show_value(
    services: CurrentServices, actor: CurrentActor, region: Region = None, since: Since = None
) -> ValueReportAnswer:
    """Show what overrides were worth, in all, by person and by reason."""
    with services.database.read() as session:
        return ValueReportAnswer.of(forecast_value.override_value(session, actor, region_code=region, since=since))


@router.delete("/{override_id}", responses=problems(403, 404, 409))
def withdraw_override(
    override_id: Annotated[str, Path(max_length=64, pattern=r"^[^\x00/]+$")],
    services: CurrentServices,
    actor: CurrentActor,
    reason: Annotated[str | None, Query(max_length=500, examples=["the fair was called off"])] = None,
) -> OverrideAnswer:
    """Withdraw an override; it stays on record."""
    with services.database.write(actor.code) as session:
        return OverrideAnswer.of(forecast_overrides.withdraw_override(session, actor, override_id, reason))
