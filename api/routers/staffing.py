"""Lending reps between regions: proposals, decisions, who is lent, and what each person agrees to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.errors import language_of
from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas import Day
from api.schemas.jobs import JobAnswer
from api.schemas.staffing import (
    DaysOffBody,
    DecisionAnswer,
    DecisionRequest,
    LendingAnswer,
    LendingsAnswer,
    ProposalAnswer,
    ProposalsAnswer,
    StaffReallocationAnswer,
    StaffReallocationRequest,
    TermsAnswer,
    TermsBody,
)
from api.security import CurrentActor
from operations import lending_decisions, lending_terms, staffing
from routing.staffing.render import to_csv

router = APIRouter(prefix="/v1", tags=["staffing"], route_class=CreatingRoute)
CSV = "text/csv"
PersonCode = Annotated[str, Path(max_length=64, examples=["R-WH-02"])]
ProposalId = Annotated[str, Path(max_length=200)]


@router.post(
    "/staff-reallocations",
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
    """Propose who is lent where on a day or in a week, from predicted work and the people there are.

    Nobody is moved yet: the proposal has to be approved. Work that stays undone is listed with reasons, and with the
    rules that would have to give way.
    """
    with services.database.read() as session:
        problem = staffing.staffing_problem(session, actor, body.work_date, body.wishes())
    job_id = services.jobs.enqueue(
        "reallocate-staff",
        staffing.payload(problem, body.work_date, time_limit_s=body.time_limit_s, seed=body.seed),
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


@router.get("/staff-reallocations", responses=problems(403))
def list_reallocations(
    services: CurrentServices, actor: CurrentActor, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> ProposalsAnswer:
    """List the newest proposals; a region's manager sees those that concern the region."""
    with services.database.read() as session:
        found = lending_decisions.latest_proposals(session, actor, limit=limit)
    return ProposalsAnswer(
        items=[
            ProposalAnswer(id=row.id, work_date=row.work_date, days=row.days, status=row.status, moves=moves)
            for row, moves in found
        ]
    )


@router.get(
    "/staff-reallocations/{proposal_id}",
    response_model=None,
    responses={
        **problems(403, 404),
        200: {
            "model": StaffReallocationAnswer,
            "content": {CSV: {"schema": {"type": "string"}}},
            "description": "The proposal; its moves as a table where `Accept` is `text/csv`.",
        },
    },
)
def get_reallocation(
    request: Request, proposal_id: ProposalId, services: CurrentServices, actor: CurrentActor
) -> Response:
    """Show a proposal as JSON, or its moves as CSV (`Accept: text/csv`)."""
    language = language_of(request)
    with services.database.read() as session:
        stored = staffing.reallocation(session, actor, proposal_id)
    if request.headers.get("accept", "").strip().lower().startswith(CSV):
        table = to_csv(stored.answer, stored.names, language=language)
        return Response(table, media_type="text/csv; charset=utf-8")
    return JSONResponse(StaffReallocationAnswer.of(stored, language).model_dump(mode="json"))


@router.post("/staff-reallocations/{proposal_id}/decisions", responses=problems(403, 404, 409))
def decide(
    proposal_id: ProposalId,
    body: DecisionRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> DecisionAnswer:
    """Approve, reject or withdraw a proposal: the director all of it, a region's manager about the own people.

    Day plans of those days then count on the lent people in the other region.
    """
    with services.database.write(actor.code) as session:
        decided = lending_decisions.decide(session, actor, proposal_id, body.decided())
    return DecisionAnswer.model_validate(decided)


@router.get("/lendings", responses=problems(403))
def list_lendings(
    services: CurrentServices,
    actor: CurrentActor,
    first: Annotated[Day | None, Query(examples=["2026-11-30"], description="Today by default.")] = None,
    days: Annotated[int, Query(ge=1, le=92)] = 7,
) -> LendingsAnswer:
    """List who is lent where, and who covers at home: a rep's own, a region's, or all."""
    begins = first or services.today()
    with services.database.read() as session:
        found = lending_decisions.lendings(session, actor, begins, begins + timedelta(days=days - 1))
    return LendingsAnswer(items=[LendingAnswer.of(one) for one in found])


@router.get("/people/{code}/lending-terms", responses=problems(403, 404))
def get_terms(code: PersonCode, services: CurrentServices, actor: CurrentActor) -> TermsAnswer:
    """Show what a rep agrees to when lent, and the days off ahead."""
    with services.database.read() as session:
        return TermsAnswer.of(lending_terms.terms_of(session, actor, code, services.today()))


@router.put("/people/{code}/lending-terms", responses=problems(403, 404))
def put_terms(code: PersonCode, body: TermsBody, services: CurrentServices, actor: CurrentActor) -> TermsAnswer:
    """Set what a rep agrees to when lent: regions and weekdays refused or wished for, days of rest, own limits."""
    with services.database.write(actor.code) as session:
        lending_terms.set_terms(session, actor, code, body.terms())
        session.flush()
        return TermsAnswer.of(lending_terms.terms_of(session, actor, code, services.today()))


@router.put("/people/{code}/days-off", responses=problems(403, 404))
def put_days_off(code: PersonCode, body: DaysOffBody, services: CurrentServices, actor: CurrentActor) -> TermsAnswer:
    """Set the days off of a rep from today on, in place of those on record; plans then count on it."""
    today = services.today()
    with services.database.write(actor.code) as session:
        lending_terms.set_days_off(session, actor, code, body.days, since=today, reason=body.reason)
        session.flush()
        return TermsAnswer.of(lending_terms.terms_of(session, actor, code, today))
