"""Several days of a region planned together, as a job that stores one plan a day."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.asked_day import wishes_of
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.week_plans import WeekPlanAnswer, WeekPlanRequest
from api.security import CurrentActor
from common.errors import InvalidInput
from operations import week_plan

router = APIRouter(prefix="/v1/route-plans", tags=["route plans"], route_class=CreatingRoute)


@router.post(
    "/week",
    status_code=202,
    response_model=None,
    responses={
        **problems(403, 503),
        200: {"model": WeekPlanAnswer, "description": "The days, when they were done within `Prefer: wait=…`."},
        202: {"model": JobAnswer, "description": "The job; its result names the plan of each day."},
    },
)
def plan_week(
    request: Request,
    response: Response,
    body: WeekPlanRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> WeekPlanAnswer | JobAnswer:
    """Plan several days of a region together: each customer on one day, days compact, what is urgent first.

    Public holidays are left free unless `days_off` says otherwise; make-up working days count as working days. What a
    day leaves out flows on to the next one. Each day becomes a stored plan of its own.
    """
    longest = services.settings.max_solve_s * week_plan.MOST_DAYS
    if body.time_limit_s > longest:
        raise InvalidInput.at("/time_limit_s", f"must be at most {longest:g}", f"不能超过 {longest:g}")
    wishes = week_plan.WeekWishes(
        body.days,
        body.days_off,
        body.time_limit_s,
        body.seed,
        wishes_of(services, body.rep_codes, body.repeat_reasons),
    )
    with services.database.read() as session:
        asked = week_plan.payload(session, actor, body.region, body.start, wishes)
    job_id = services.jobs.enqueue("route-week", asked, actor=actor.code, job_id=job_id_for(request, actor.code))
    state = services.jobs.wait(job_id, asked_wait_s(request))
    if state.status != "done" or state.result is None:
        return accepted(request, response, state)
    response.status_code = 200
    return WeekPlanAnswer.of(state.result, language_of(request))
