"""Hints: what to say to the customer, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.errors import language_of
from api.idempotency import CreatingRoute
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.hints import FeedbackRequest, HintGivenAnswer, HintRequest
from api.security import CurrentActor
from operations import hints

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
    given = hints.ask(services.database, services.hint_desk, actor, body.question(services.today()))
    return HintGivenAnswer.of(given, language_of(request))


@router.post("/{hint_id}/feedback", status_code=204, responses=problems(403, 404))
def give_feedback(
    hint_id: Annotated[str, Path(max_length=64)],
    body: FeedbackRequest,
    services: CurrentServices,
    actor: CurrentActor,
    _key: IdempotencyKey = None,
) -> None:
    """Say what became of a suggestion. Sent again, the last word counts."""
    with services.database.write(actor.code) as session:
        hints.give_feedback(session, actor, hint_id, body.feedback())
