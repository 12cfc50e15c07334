"""Review of library entries: the queue, decisions, merging, and credit."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from api.errors import language_of
from api.idempotency import CreatingRoute
from api.paging import Cursor, read_cursor, write_cursor
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.library_places import EntryLanguage, IfMatch, Key, version_of
from api.schemas import Day
from api.schemas.library import EntryAnswer, Language
from api.schemas.library_review import (
    CreditsAnswer,
    MergeAnswer,
    MergeBody,
    ReviewItemAnswer,
    ReviewQueueAnswer,
    SendBackBody,
)
from api.security import CurrentActor
from common.errors import InvalidInput
from operations import library_credits, library_merge, library_review
from operations.library_review import QueuePage, QueuePlace

router = APIRouter(route_class=CreatingRoute)
_LARGEST_ID = 2**31 - 1


@router.get("/review", responses=problems(403))
def list_review_queue(
    request: Request,
    services: CurrentServices,
    actor: CurrentActor,
    language: Language | None = None,
    status: Literal["draft", "review"] | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=50, description="Most items of a page.", examples=[20])] = 20,
) -> ReviewQueueAnswer:
    """List drafts and entries in review with their near-duplicates; who does not curate sees the own ones."""
    page = QueuePage(language=language, status=status, after=_place(cursor), limit=limit + 1)
    with services.database.read() as session:
        found = library_review.review_queue(session, actor, services.near_duplicates, on=services.today(), page=page)
    items = [ReviewItemAnswer.of(item, language_of(request)) for item in found[:limit]]
    next_cursor = None
    if len(found) > limit:
        moment, number = found[limit - 1].place
        next_cursor = write_cursor(moment.isoformat(), str(number))
    return ReviewQueueAnswer(items=items, next_cursor=next_cursor)


@router.post("/{key}/{language}/submit", responses=problems(403, 404, 409))
def submit_entry(
    key: Key,
    language: EntryLanguage,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> EntryAnswer:
    """Hand a draft to the reviewers, or a published entry that needs another look."""
    with services.database.write(actor.code) as session:
        return EntryAnswer.of(library_review.submit(session, actor, key, language, version=version_of(if_match)))


@router.post("/{key}/{language}/approve", responses=problems(403, 404, 409))
def approve_entry(
    key: Key,
    language: EntryLanguage,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> EntryAnswer:
    """Publish an entry that is in review, and credit its authors. Nobody approves the own work."""
    with services.database.write(actor.code) as session:
        approved = library_review.approve(
            session,
            actor,
            key,
            language,
            version=version_of(if_match),
            reward_cny=services.settings.entry_reward_cny,
        )
    return EntryAnswer.of(approved)


@router.post("/{key}/{language}/return", responses=problems(403, 404, 409))
def send_entry_back(
    key: Key,
    language: EntryLanguage,
    body: SendBackBody,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> EntryAnswer:
    """Make an entry in review a draft again, with the reason for its author."""
    with services.database.write(actor.code) as session:
        sent = library_review.send_back(session, actor, key, language, reason=body.reason, version=version_of(if_match))
    return EntryAnswer.of(sent)


@router.post("/{key}/{language}/merge", responses=problems(403, 404, 409))
def merge_entry(
    key: Key,
    language: EntryLanguage,
    body: MergeBody,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> MergeAnswer:
    """Unite an entry with another: this one is retired and points to the survivor, its author is credited too."""
    with services.database.write(actor.code) as session:
        outcome = library_merge.merge(
            session,
            actor,
            (key, language),
            body.into,
            version=version_of(if_match),
            reward_cny=services.settings.entry_reward_cny,
        )
    return MergeAnswer.of(outcome)


@router.get("/credits", responses=problems(403))
def list_credits(
    services: CurrentServices,
    actor: CurrentActor,
    since: Annotated[Day | None, Query(description="First day.")] = None,
    until: Annotated[Day | None, Query(description="Last day.")] = None,
) -> CreditsAnswer:
    """List what authors earned with accepted entries; who does not curate sees the own credit."""
    begins = datetime.combine(since, time.min, services.zone) if since else None
    ends = datetime.combine(until + timedelta(days=1), time.min, services.zone) if until else None
    with services.database.read() as session:
        found = library_credits.credits_by_author(session, actor, since=begins, until=ends)
    return CreditsAnswer.of(found, services.settings.entry_reward_cny)


def _place(cursor: str | None) -> QueuePlace | None:
    position = read_cursor(cursor, 2)
    if position is None:
        return None
    try:
        moment, number = datetime.fromisoformat(position[0]).astimezone(UTC), int(position[1])
    except (ValueError, OverflowError):
        number = -1
    if not 0 <= number <= _LARGEST_ID:
        raise InvalidInput.at("query/cursor", "is not a cursor of this list", "不是该列表的游标")
    return moment, number
