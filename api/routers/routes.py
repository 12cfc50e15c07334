"""Route plans: ask for a day plan, and read it as JSON, GeoJSON, CSV, PDF or iCalendar."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.plan_formats import CSV, GEOJSON, ICS, MEDIA, PDF, PlanFormat, plan_file
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.asked_day import own_day, region_day_and_rhythm
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.routes import PlanSummariesAnswer, RoutePlanAnswer, RoutePlanRequest, summary_answer
from api.security import CurrentActor
from api.services import Services
from common.errors import InvalidInput
from operations import day_plan
from operations.access import Actor
from operations.day_sheets import round_of
from operations.visit_repeats import refuse_repeats

router = APIRouter(prefix="/v1/route-plans", tags=["route plans"], route_class=CreatingRoute)
FORM_OF: dict[str, PlanFormat] = {media: form for form, media in MEDIA.items()}
FORMATS = tuple(FORM_OF)


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
    travel = None
    if body.region is not None:
        day, rhythm = region_day_and_rhythm(services, actor, body)
    else:
        day, travel = own_day(body)
        with services.database.read() as session:
            rhythm = refuse_repeats(session, actor, body.plan_date, day.problem, reasons=body.repeat_reasons or {})
    asked = day_plan.payload(
        day.problem,
        body.plan_date,
        body.region,
        time_limit_s=body.time_limit_s,
        seed=body.seed,
        travel=travel,
        unusable=day.unusable,
    )
    return {**asked, "rhythm": rhythm}


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
            "content": {
                GEOJSON: {"schema": {"type": "object"}},
                CSV: {"schema": {"type": "string"}},
                PDF: {"schema": {"type": "string", "format": "binary"}},
                ICS: {"schema": {"type": "string"}},
            },
            "description": "The plan in the format that `format` or `Accept` asks for.",
        },
    },
)
def get_plan(
    request: Request,
    plan_id: Annotated[str, Path(max_length=200)],
    services: CurrentServices,
    actor: CurrentActor,
    form: Annotated[PlanFormat | None, Query(alias="format", description="Goes before `Accept`.")] = None,
    rep: Annotated[str | None, Query(max_length=64, description="Only this rep's round.")] = None,
) -> Response:
    """Show a plan as JSON, GeoJSON, CSV, day sheets to print (PDF), or a rep's calendar (iCalendar).

    `format`, or else `Accept`, says which. A rep sees its own round only. Addresses on day sheets are in clear for
    whoever may read contacts, which is logged, and masked for everybody else.
    """
    chosen = form or FORM_OF[_wanted_format(request.headers.get("accept", "*/*"))]
    if chosen != "json":
        file = plan_file(services, actor, plan_id, chosen, rep_id=rep, language=language_of(request))
        headers = {"Vary": "Accept, Accept-Language"}
        if form is not None or chosen in ("pdf", "ics"):
            headers["Content-Disposition"] = file.disposition
        return Response(file.content, media_type=file.media_type, headers=headers)
    with services.database.read() as session:
        stored = day_plan.plan(session, actor, plan_id)
    stored = stored if rep is None else round_of(stored, rep)
    answer = RoutePlanAnswer.of(stored, language_of(request))
    return JSONResponse(answer.model_dump(mode="json"), headers={"ETag": f'"{stored.summary.version}"'})


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
