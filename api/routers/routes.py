"""Route plans: ask for a day plan, and read it as JSON, GeoJSON or CSV."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.routes import PlanSummariesAnswer, RoutePlanAnswer, RoutePlanRequest, summary_answer
from api.security import CurrentActor
from api.services import Services
from common.errors import InvalidInput
from operations import day_plan
from operations.access import Actor
from routing.problem_files import problem_from_mapping, travel_from_mapping
from routing.render import to_csv, to_geojson

router = APIRouter(prefix="/v1/route-plans", tags=["route plans"], route_class=CreatingRoute)
GEOJSON = "application/geo+json"
CSV = "text/csv"
FORMATS = ("application/json", GEOJSON, CSV)


@router.post(
    "",
    status_code=202,
    response_model=None,
    responses={
        **problems(403, 503),
        200: {"model": RoutePlanAnswer, "description": "The plan, when it was done within `Prefer: wait=…`."},
        202: {"model": JobAnswer, "description": "The job; its result names the plan."},
    },
)
def plan_routes(
    request: Request,
    response: Response,
    body: RoutePlanRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> RoutePlanAnswer | JobAnswer:
    """Plan a day: a region's customers who are due, or visits and reps of one's own.

    The job's result is `{"route_plan_id": …}`. When the time limit is short, or with `Prefer: wait=15`, the plan itself
    is the answer. Visits that cannot be served are a result with reasons, not an error.
    """
    actor.require("routes:plan")
    asked = _payload(services, actor, body)
    job_id = services.jobs.enqueue("route-plan", asked, actor=actor.code, job_id=job_id_for(request, actor.code))
    within_s = services.settings.answer_within_s
    unasked_s = within_s if body.time_limit_s < within_s else 0.0
    state = services.jobs.wait(job_id, asked_wait_s(request, unasked_s=unasked_s))
    if state.status != "done" or state.result is None:
        return accepted(request, response, state)
    response.status_code = 200
    response.headers["Content-Location"] = f"/v1/route-plans/{job_id}"
    with services.database.read() as session:
        stored = day_plan.plan(session, actor, state.result["route_plan_id"])
    return RoutePlanAnswer.of(stored, language_of(request))


def _payload(services: Services, actor: Actor, body: RoutePlanRequest) -> dict[str, Any]:
    longest = services.settings.max_solve_s
    if body.time_limit_s > longest:
        raise InvalidInput.at("/time_limit_s", f"must be at most {longest:g}", f"不能超过 {longest:g}")
    if body.region is not None:
        with services.database.read() as session:
            problem = day_plan.problem_for_region(session, actor, body.region, body.plan_date, rep_codes=body.rep_codes)
        return day_plan.payload(problem, body.plan_date, body.region, time_limit_s=body.time_limit_s, seed=body.seed)
    mapping = body.mapping()
    problem = problem_from_mapping(mapping)
    travel = mapping.get("travel")
    if travel is not None:
        # Tried once here, so that a wrong matrix is a problem of this request and not of the job.
        travel_from_mapping(travel).table(problem.locations())
    return day_plan.payload(
        problem, body.plan_date, None, time_limit_s=body.time_limit_s, seed=body.seed, travel=travel
    )


@router.get("", responses=problems(403))
def list_plans(
    services: CurrentServices, actor: CurrentActor, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> PlanSummariesAnswer:
    """List the newest plans that the asker may see."""
    with services.database.read() as session:
        found = day_plan.latest_plans(session, actor, limit=limit)
    return PlanSummariesAnswer(items=[summary_answer(item) for item in found])


@router.get(
    "/{plan_id}",
    response_model=None,
    responses={
        **problems(403, 404, 406),
        200: {
            "model": RoutePlanAnswer,
            "content": {GEOJSON: {"schema": {"type": "object"}}, CSV: {"schema": {"type": "string"}}},
            "description": "The plan in the format that `Accept` asks for.",
        },
    },
)
def get_plan(
    request: Request,
    plan_id: Annotated[str, Path(max_length=200)],
    services: CurrentServices,
    actor: CurrentActor,
) -> Response:
    """Show a plan as JSON, GeoJSON (`application/geo+json`) or CSV (`text/csv`). A rep sees its own round only."""
    wanted = _wanted_format(request.headers.get("accept", "*/*"))
    with services.database.read() as session:
        stored = day_plan.plan(session, actor, plan_id)
    if wanted == GEOJSON:
        return JSONResponse(to_geojson(stored.problem, stored.plan), media_type=GEOJSON)
    if wanted == CSV:
        return Response(to_csv(stored.problem, stored.plan), media_type="text/csv; charset=utf-8")
    answer = RoutePlanAnswer.of(stored, language_of(request))
    return JSONResponse(answer.model_dump(mode="json"))


def _wanted_format(accept: str) -> str:
    """Return the format with the highest weight; the first of equals."""
    offers: list[tuple[float, str]] = []
    for part in accept.split(","):
        media, _, parameters = part.strip().partition(";")
        quality = next((item.strip()[2:] for item in parameters.split(";") if item.strip().startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            continue
        name = media.strip().lower()
        if name in ("*/*", "application/*", ""):
            offers.append((weight, FORMATS[0]))
        elif name == "text/*":
            offers.append((weight, CSV))
        elif name in FORMATS:
            offers.append((weight, name))
    offers = [offer for offer in offers if offer[0] > 0]
    if not offers:
        raise HTTPException(406, f"offered are {', '.join(FORMATS)}")
    return max(offers, key=lambda offer: offer[0])[1]
