"""Lending reps between regions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.staffing import StaffReallocationAnswer, StaffReallocationRequest
from api.security import CurrentActor
from operations import staffing

router = APIRouter(prefix="/v1/staff-reallocations", tags=["staffing"], route_class=CreatingRoute)


@router.post(
    "",
    status_code=202,
    response_model=None,
    responses={
        **problems(403),
        200: {"model": StaffReallocationAnswer, "description": "The proposal, when it was done in time."},
        202: {"model": JobAnswer, "description": "The job; its result names the proposal."},
    },
)
def reallocate(
    request: Request,
    response: Response,
    body: StaffReallocationRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> StaffReallocationAnswer | JobAnswer:
    """Propose who is lent where on a day, from predicted work and the people there are; nobody is moved yet."""
    with services.database.read() as session:
        problem = staffing.staffing_problem(
            session,
            actor,
            body.work_date,
            work_h=body.work_h,
            absent=body.absent,
            rules=body.rules.rules() if body.rules else None,
        )
    job_id = services.jobs.enqueue(
        "reallocate-staff",
        staffing.payload(problem, body.work_date),
        actor=actor.code,
        job_id=job_id_for(request, actor.code),
    )
    state = services.jobs.wait(job_id, asked_wait_s(request, unasked_s=services.settings.answer_within_s))
    if state.status != "done" or state.result is None:
        return accepted(request, response, state)
    response.status_code = 200
    with services.database.read() as session:
        stored = staffing.reallocation(session, actor, state.result["staff_reallocation_id"])
    return StaffReallocationAnswer.of(stored, language_of(request))


@router.get("/{proposal_id}", responses=problems(403, 404))
def get_reallocation(
    request: Request,
    proposal_id: Annotated[str, Path(max_length=200)],
    services: CurrentServices,
    actor: CurrentActor,
) -> StaffReallocationAnswer:
    """Show a proposal."""
    with services.database.read() as session:
        stored = staffing.reallocation(session, actor, proposal_id)
    return StaffReallocationAnswer.of(stored, language_of(request))
