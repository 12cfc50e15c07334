"""Evaluate a plan of one's own: nothing is solved and nothing is stored."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.errors import language_of
from api.routers import CurrentServices, problems
from api.routers.asked_day import own_day, wishes_of
from api.schemas.plan_evaluation import PlanEvaluationAnswer, PlanEvaluationRequest
from api.security import CurrentActor
from api.services import Services
from operations.access import Actor
from operations.plan_evaluation import evaluate_plan, region_day_with
from operations.visit_candidates import usable_day_of
from routing.problem_files import travel_from_mapping
from routing.usable_visits import UsableDay

router = APIRouter(prefix="/v1/route-plans", tags=["route plans"])


@router.post("/evaluate", responses=problems(403, 503))
def evaluate_routes(
    request: Request, body: PlanEvaluationRequest, services: CurrentServices, actor: CurrentActor
) -> PlanEvaluationAnswer:
    """Evaluate a plan of one's own: arrivals, waits, what it breaks and what it costs, part by part.

    Visits that no route names are left out, with the reasons and the changes that would serve them.
    """
    actor.require("routes:plan")
    travel_times = services.travel_times
    if body.region is not None:
        day = _region_day(services, actor, body, body.region)
    else:
        day, travel = own_day(body)
        travel_times = travel_from_mapping(travel) if travel is not None else travel_times
    return PlanEvaluationAnswer.of(evaluate_plan(day, travel_times, body.routes), language_of(request))


def _region_day(services: Services, actor: Actor, body: PlanEvaluationRequest, region: str) -> UsableDay:
    wishes = wishes_of(services, body.rep_codes, body.repeat_reasons)
    named = {visit for order in body.routes.values() for visit in order}
    with services.database.read() as session:
        found = region_day_with(session, actor, (region, body.plan_date), wishes, named)
        return usable_day_of(found, wishes.policy, body.conditions())
