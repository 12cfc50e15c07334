"""The success-case library: its entries. Files of them and their review have routers of their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.idempotency import CreatingRoute
from api.paging import Cursor, Limit, read_cursor, write_cursor
from api.routers import CurrentServices, IdempotencyKey, library_files, library_review, problems
from api.routers.library_places import EntryLanguage, IfMatch, Key, version_of
from api.schemas.library import (
    EntriesAnswer,
    EntryAnswer,
    EntryBody,
    Kind,
    Language,
    NewEntryBody,
    Status,
)
from api.security import CurrentActor
from operations import library
from operations.library import EntryFilter

router = APIRouter(prefix="/v1/library", tags=["library"], route_class=CreatingRoute)
router.include_router(library_files.router)
router.include_router(library_review.router)


@router.get("", responses=problems(403))
def list_entries(
    services: CurrentServices,
    actor: CurrentActor,
    language: Language | None = None,
    kind: Kind | None = None,
    status: Status | None = None,
    objection_type: Annotated[str | None, Query(max_length=80, examples=["cheaper_competitor"])] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EntriesAnswer:
    """List entries. Who does not curate the library sees what is published, and the own drafts."""
    position = read_cursor(cursor, 2)
    after = (position[0], position[1]) if position else None
    wanted = EntryFilter(language=language, kind=kind, status=status, objection_type=objection_type)
    with services.database.read() as session:
        found = library.entries(session, actor, wanted, after=after, limit=limit + 1)
    page = [EntryAnswer.of(stored) for stored in found[:limit]]
    more = len(found) > limit
    return EntriesAnswer(items=page, next_cursor=write_cursor(page[-1].key, page[-1].language) if more else None)


@router.post("", status_code=201, responses=problems(403, 409))
def create_entry(
    body: NewEntryBody, response: Response, services: CurrentServices, actor: CurrentActor, _key: IdempotencyKey = None
) -> EntryAnswer:
    """Add an entry; only published ones are suggested to reps. Who does not curate the library adds drafts."""
    with services.database.write(actor.code) as session:
        stored = library.create_entry(session, actor, body.entry(body.key, body.language))
    response.headers["Location"] = f"/v1/library/{body.key}/{body.language}"
    return EntryAnswer.of(stored)


@router.get("/{key}/{language}", responses=problems(403, 404))
def get_entry(key: Key, language: EntryLanguage, services: CurrentServices, actor: CurrentActor) -> EntryAnswer:
    """Show an entry."""
    with services.database.read() as session:
        return EntryAnswer.of(library.entry(session, actor, key, language))


@router.put("/{key}/{language}", responses=problems(403, 404, 409))
def replace_entry(
    key: Key,
    language: EntryLanguage,
    body: EntryBody,
    services: CurrentServices,
    actor: CurrentActor,
    if_match: IfMatch = None,
) -> EntryAnswer:
    """Replace an entry. Its author stays when none is named; publishing takes a review."""
    version = version_of(if_match)
    with services.database.write(actor.code) as session:
        return EntryAnswer.of(library.replace_entry(session, actor, body.entry(key, language), version=version))


@router.delete("/{key}/{language}", responses=problems(403, 404))
def retire_entry(key: Key, language: EntryLanguage, services: CurrentServices, actor: CurrentActor) -> EntryAnswer:
    """Retire an entry: it is not suggested any more, but stays readable for those who curate the library."""
    with services.database.write(actor.code) as session:
        return EntryAnswer.of(library.retire_entry(session, actor, key, language))
