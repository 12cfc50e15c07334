"""Route plans during the day: changes, versions, publication, slots, fairness."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.errors import language_of, problem
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.route_changes import (
    ComparisonAnswer,
    FairnessAnswer,
    FairnessPriceAnswer,
    FairnessPriceRequest,
    PlanChangeAnswer,
    PlanChangeRequest,
    PublishRequest,
    SlotsAnswer,
    SlotsRequest,
    VersionAnswer,
    VersionsAnswer,
    clock_s,
    visit_of,
)
from api.schemas.routes import PlanSummaryAnswer, RoutePlanAnswer, summary_answer
from api.security import CurrentActor
from api.services import Services
from common.errors import InvalidInput
from operations import plan_changes, plan_versions
from operations.access import Actor
from operations.plan_versions import VersionConflict

router = APIRouter(prefix="/v1/route-plans/{plan_id}", tags=["route plans"], route_class=CreatingRoute)
PlanId = Annotated[str, Path(max_length=200)]
VersionNumber = Annotated[int, Path(ge=1, le=10**6)]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description='The version seen, as the `ETag` of an answer says it: `"3"`. Another version answers 412.',
    ),
]


@router.patch(
    "",
    response_model=PlanChangeAnswer,
    responses={**problems(403, 404, 409, 412, 503), 200: {"description": "The new version, with what has moved."}},
)
def change_plan(
    request: Request,
    response: Response,
    plan_id: PlanId,
    body: PlanChangeRequest,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
) -> PlanChangeAnswer | JSONResponse:
    """Change a plan during its day: what is done, running or under way stays, and as little as possible moves.

    A visit that fits into a gap changes nothing else; a rep who is away has the visits go to others. The answer lists
    what moves for whom and why. Visits that find no place are a result with reasons. Reps see the new version once it
    is published; while no version is, they see the newest.
    """
    version = _seen_version(body.version, if_match)
    with services.database.read() as session:
        plan_date = plan_changes.plan_day(session, actor, plan_id)
    if body.now is None:
        now_s = plan_changes.moment_of(plan_date, services.clock.now(), services.zone)
    else:
        now_s = clock_s("/now", body.now)
    asked = body.asked(version, now_s)
    try:
        changed = plan_changes.change(services.database, actor, plan_id, asked, services.travel_times)
    except VersionConflict as conflict:
        return _conflict(request, conflict, if_match)
    response.headers["ETag"] = f'"{changed.stored.summary.version}"'
    return PlanChangeAnswer.from_change(changed, language_of(request), preview=body.preview)


def _seen_version(version: int | None, if_match: str | None) -> int:
    """Return the version that the sender has seen."""
    if if_match is not None:
        tag = if_match.strip().removeprefix("W/").strip('"')
        if tag.isascii() and tag.isdigit() and len(tag) < 10:
            return int(tag)
        raise InvalidInput.at("header/If-Match", 'must be a version such as "3"', '须为版本号，如 "3"')
    if version is None:
        raise InvalidInput.at(
            "/version",
            "say which version you have seen, here or with If-Match, so that nobody's change is lost",
            "请注明所见版本（此处或用 If-Match），以免覆盖他人的更改",
        )
    return version


def _conflict(request: Request, conflict: VersionConflict, if_match: str | None) -> JSONResponse:
    return problem(request, 409 if if_match is None else 412, conflict.text)


@router.get("/versions", responses=problems(403, 404))
def list_versions(plan_id: PlanId, services: CurrentServices, actor: CurrentActor) -> VersionsAnswer:
    """List the versions of a plan, the newest first: who made each when, and which were published."""
    with services.database.read() as session:
        found = plan_versions.versions(session, actor, plan_id)
    return VersionsAnswer(items=[VersionAnswer.of(item) for item in found])


@router.get("/versions/{number}", responses=problems(403, 404))
def get_version(
    request: Request, plan_id: PlanId, number: VersionNumber, services: CurrentServices, actor: CurrentActor
) -> RoutePlanAnswer:
    """Show a plan as it was at one of its versions."""
    with services.database.read() as session:
        found = plan_versions.version(session, actor, plan_id, number)
    return RoutePlanAnswer.of(found.stored, language_of(request))


@router.get("/compare", responses=problems(403, 404))
def compare_plans(
    request: Request,
    plan_id: PlanId,
    services: CurrentServices,
    actor: CurrentActor,
    against: Annotated[
        str,
        Query(
            alias="with",
            min_length=1,
            max_length=220,
            description="What stands before: a version of this plan (`1`), or another plan's id, also with a version "
            "(`<id>@2`).",
            examples=["1"],
        ),
    ],
    version: Annotated[int | None, Query(ge=1, le=10**6, description="What stands after: the newest.")] = None,
) -> ComparisonAnswer:
    """Compare two versions of a plan, or two plans: who moves, comes and goes, times, and each part of the cost."""
    with services.database.read() as session:
        found = plan_versions.compare(session, actor, plan_id, against, number=version)
    return ComparisonAnswer.of(found, language_of(request))


@router.post("/publish", response_model=PlanSummaryAnswer, responses=problems(403, 404, 409, 412))
def publish_plan(
    request: Request,
    plan_id: PlanId,
    body: PublishRequest,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> PlanSummaryAnswer | JSONResponse:
    """Publish the newest version of a plan: its reps see it from now on, and its start times count as promised.

    Another published plan of the same region and day is superseded.
    """
    expected = _seen_version(body.version, if_match)
    try:
        with services.database.write(actor.code) as session:
            summary = plan_versions.publish(
                session, actor, plan_id, expected=expected, repeat_reasons=body.repeat_reasons
            )
    except VersionConflict as conflict:
        return _conflict(request, conflict, if_match)
    return summary_answer(summary)


@router.post("/slots", responses=problems(403, 404, 503))
def find_slots(
    request: Request,
    plan_id: PlanId,
    body: SlotsRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> SlotsAnswer:
    """Recommend reps and times for a new customer, with the minutes of travel that each adds; changes nothing."""
    visit = visit_of("/visit", body.visit)
    with services.database.read() as session:
        now_s = _moment(services, actor, plan_id, body.now)
        found = plan_changes.slots(
            session, actor, plan_id, visit, services.travel_times, now_s=now_s, wishes=body.wishes()
        )
    return SlotsAnswer.of(found, language_of(request))


def _moment(services: Services, actor: Actor, plan_id: str, asked: int | str | None) -> int:
    if asked is not None:
        return clock_s("/now", asked)
    with services.database.read() as session:
        plan_date = plan_versions.whole_plan(session, actor, plan_id).plan_date
    return plan_changes.moment_of(plan_date, services.clock.now(), services.zone)


@router.get("/fairness", responses=problems(403, 404))
def get_fairness(plan_id: PlanId, services: CurrentServices, actor: CurrentActor) -> FairnessAnswer:
    """Show what each rep's day comes to in minutes, visits and value, and how unequal the days are."""
    with services.database.read() as session:
        return FairnessAnswer.of(plan_changes.fairness(session, actor, plan_id))


@router.post(
    "/fairness-price",
    status_code=202,
    response_model=None,
    responses={
        **problems(403, 404, 503),
        200: {"model": FairnessPriceAnswer, "description": "The price, when it was done in time."},
        202: {"model": JobAnswer, "description": "The job; its result is the price."},
    },
)
def price_fairness(
    request: Request,
    response: Response,
    plan_id: PlanId,
    body: FairnessPriceRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> FairnessPriceAnswer | JobAnswer:
    """Find out what more equal days would cost: the plan's problem is solved without and with the fairness weight."""
    if body.time_limit_s > services.settings.max_solve_s:
        longest = services.settings.max_solve_s
        raise InvalidInput.at("/time_limit_s", f"must be at most {longest:g}", f"不能超过 {longest:g}")
    with services.database.read() as session:
        payload = plan_changes.fairness_payload(
            session,
            actor,
            plan_id,
            weight=body.fairness,
            measure=body.measure,
            time_limit_s=body.time_limit_s,
        )
    job_id = services.jobs.enqueue("fairness-price", payload, actor=actor.code, job_id=job_id_for(request, actor.code))
    within_s = services.settings.answer_within_s
    unasked_s = within_s if body.time_limit_s < within_s else 0.0
    state = services.jobs.wait(job_id, asked_wait_s(request, unasked_s=unasked_s))
    if state.status != "done" or state.result is None:
        return accepted(request, response, state)
    response.status_code = 200
    return FairnessPriceAnswer.model_validate(state.result)
