"""The success-case library."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Response

from api.idempotency import CreatingRoute
from api.paging import Cursor, Limit, read_cursor, write_cursor
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.library import (
    EntriesAnswer,
    EntryAnswer,
    EntryBody,
    ImportAnswer,
    Kind,
    Language,
    NewEntryBody,
    Status,
)
from api.security import CurrentActor
from coach.library_files import read_library
from common.errors import InvalidInput, Text
from operations import library
from operations.library import EntryFilter

router = APIRouter(prefix="/v1/library", tags=["library"], route_class=CreatingRoute)
Key = Annotated[str, Path(max_length=80, examples=["cheaper_competitor-01"])]
EntryLanguage = Annotated[Language, Path(examples=["zh"])]


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
    """List entries. Who cannot write the library sees published entries only."""
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
    """Add an entry; only published ones are suggested to reps."""
    with services.database.write(actor.code) as session:
        stored = library.create_entry(session, actor, body.entry(body.key, body.language))
    response.headers["Location"] = f"/v1/library/{body.key}/{body.language}"
    return EntryAnswer.of(stored)


@router.post("/import", responses=problems(403, 413))
def import_entries(
    services: CurrentServices,
    actor: CurrentActor,
    content: Annotated[
        bytes,
        Body(
            media_type="application/octet-stream",
            description="A file of entries: JSON Lines, CSV (UTF-8 or GBK) or YAML.",
        ),
    ],
    filename: Annotated[str, Query(max_length=200, description="Its ending tells the format.", examples=["cases.csv"])],
    dry_run: Annotated[bool, Query(description="Only check and count.")] = False,
    _key: IdempotencyKey = None,
) -> ImportAnswer:
    """Import a file of entries by key and language: all of it, or nothing when a row is wrong."""
    reading = read_library(content, filename)
    if reading.problems:
        raise InvalidInput(Text("the file has wrong rows", "文件中有错误的行"), fields=reading.problems[:100])
    with services.database.write(actor.code) as session:
        return ImportAnswer.of(library.import_entries(session, actor, reading.entries, dry_run=dry_run))


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
    if_match: Annotated[
        str | None,
        Header(
            pattern=r'^(\*|"?[0-9]{1,9}"?)$',
            description='The version that you changed, such as `"3"`; 409 when it is not the newest.',
        ),
    ] = None,
) -> EntryAnswer:
    """Replace an entry."""
    version = None if if_match in (None, "*") else int(if_match.strip('"'))
    with services.database.write(actor.code) as session:
        return EntryAnswer.of(library.replace_entry(session, actor, body.entry(key, language), version=version))


@router.delete("/{key}/{language}", responses=problems(403, 404))
def retire_entry(key: Key, language: EntryLanguage, services: CurrentServices, actor: CurrentActor) -> EntryAnswer:
    """Retire an entry: it is not suggested any more, but stays readable for those who curate the library."""
    with services.database.write(actor.code) as session:
        return EntryAnswer.of(library.retire_entry(session, actor, key, language))
