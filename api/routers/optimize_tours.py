"""Day plans in the shape of Google's Route Optimization: shipments are visits, vehicles are reps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.schemas.optimize_tours import OptimizeToursAnswer, OptimizeToursRequest
from api.security import CurrentActor
from api.services import Services
from common.errors import InvalidInput
from operations.access import Actor
from routing.problem import SizeLimits
from routing.tours.translation import ToursOptions, answer_tours

router = APIRouter(tags=["other planners' formats"])
DEFAULT_SEARCH_S = 2.0
VISITS_PER_S = 200
LONGEST_WAIT_S = 10.0


@router.post(
    "/v1/optimize-tours",
    response_model=None,
    responses={**problems(403, 503), 200: {"model": OptimizeToursAnswer}},
)
def optimize_tours(
    request: Request, body: OptimizeToursRequest, services: CurrentServices, actor: CurrentActor
) -> JSONResponse:
    """Plan shipments and vehicles as Google's `optimizeTours` names them, and answer at once in its shape.

    A client of Google's works by changing its host: `/v1/projects/…:optimizeTours` answers too. Shipments that are left
    out carry Google's reason codes for each vehicle, and an `explanation` that was verified by trying. A shipment has
    at most one pickup and one delivery; all vehicles' times lie within 48 h.
    """
    return _answer(request, body, services, actor)


@router.post("/v1/projects/{project}:optimizeTours", include_in_schema=False, response_model=None)
def optimize_tours_of_project(
    request: Request,
    project: Annotated[str, Path(max_length=200)],
    body: OptimizeToursRequest,
    services: CurrentServices,
    actor: CurrentActor,
) -> JSONResponse:
    """Answer at Google's own path; the project does not matter here."""
    return _answer(request, body, services, actor)


def _answer(request: Request, body: OptimizeToursRequest, services: Services, actor: Actor) -> JSONResponse:
    actor.require("routes:plan")
    visits = sum(len(one.pickups) + len(one.deliveries) for one in body.model.shipments)
    most = SizeLimits().visits
    if visits > most:
        text = f"{visits} pickups and deliveries; at most {most} are allowed"
        raise InvalidInput.at("/model/shipments", text, f"共 {visits} 次取送货，最多 {most} 次")
    asked_s: float = max(DEFAULT_SEARCH_S, visits / VISITS_PER_S) if body.timeout is None else max(1, body.timeout)
    options = ToursOptions(min(asked_s, services.settings.max_solve_s), body.populatePolylines)
    model = body.model.model_dump(exclude_none=True)
    injected = [route.model_dump() for route in body.injectedFirstSolutionRoutes]
    with services.solves_at_once.turn(wait_s=LONGEST_WAIT_S):
        answer = answer_tours(model, injected, services.travel_times, options, language=language_of(request))
    return JSONResponse({"requestLabel": body.label, **answer})
