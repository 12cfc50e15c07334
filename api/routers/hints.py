"""Hints: what to say to the customer, and what became of it."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.errors import fieldwise_problem, language_of
from api.idempotency import CreatingRoute
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.hints import FeedbackRequest, HintGivenAnswer, HintRequest
from api.schemas.prefetch import PrefetchAnswer, PrefetchRequest
from api.security import CurrentActor
from operations import hint_prefetch, hints

router = APIRouter(prefix="/v1/hints", tags=["hints"], route_class=CreatingRoute)


@router.post("", responses=problems(403, 503))
def ask(
    request: Request,
    body: HintRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> HintGivenAnswer:
    """Answer what the customer said with up to three lines that worked, or with an honest no match."""
    given = hints.ask(
        services.database,
        services.hint_desk,
        actor,
        body.question(services.today()),
        evidence_desk=services.evidence_desk,
    )
    return HintGivenAnswer.of(given, language_of(request))


@router.post("/prefetch", responses=problems(403, 503))
def prefetch(request: Request, body: PrefetchRequest, services: CurrentServices, actor: CurrentActor) -> PrefetchAnswer:
    """Answer the known objections of up to 300 customers, so that a route can carry the lines offline.

    Each answer comes once; the customers name its place in the list. A customer who is unknown gets a problem of its
    own, and the others are served. Nothing is stored.
    """
    settings = services.settings
    wanted = body.question(services.today(), settings.prefetch_days)
    found = hint_prefetch.prefetch(
        services.database, services.hint_desk, actor, wanted, evidence_desk=services.evidence_desk
    )
    return PrefetchAnswer.of(
        found, language_of(request), lambda error: json.loads(bytes(fieldwise_problem(request, error).body))
    )


@router.post("/{hint_id}/feedback", status_code=204, responses=problems(403, 404))
def give_feedback(
    hint_id: Annotated[str, Path(max_length=64)],
    body: FeedbackRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> None:
    """Say what became of a suggestion. Sent again, the last word counts; a visit may be named before it is recorded."""
    with services.database.write(actor.code) as session:
        hints.give_feedback(session, actor, hint_id, body.feedback())
