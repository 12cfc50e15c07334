"""Files of library entries: import at once or as a job, and export."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Body, Query, Request, Response

from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas.jobs import JobAnswer
from api.schemas.library import ImportAnswer, Kind, Language, Status
from api.security import CurrentActor
from coach.library_files import require_known_layout, write_csv, write_jsonl, write_xlsx
from operations import library, library_import
from operations.library import EntryFilter, ImportReport
from operations.library_import import LibraryFile

router = APIRouter(route_class=CreatingRoute)
Format = Literal["csv", "xlsx", "jsonl"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/import",
    response_model=None,
    responses={
        **problems(403, 413, 503),
        200: {"model": ImportAnswer, "description": "What the import did, or would do."},
        202: {"model": JobAnswer, "description": "The job; its progress counts rows, its result is the import's."},
    },
)
def import_entries(
    request: Request,
    response: Response,
    services: CurrentServices,
    actor: CurrentActor,
    content: Annotated[
        bytes,
        Body(
            media_type="application/octet-stream",
            description="A file of entries: XLSX, CSV (UTF-8, UTF-16 or GBK), JSON Lines or YAML, possibly gzipped.",
        ),
    ],
    filename: Annotated[
        str, Query(max_length=200, description="Its ending tells the format.", examples=["cases.xlsx"])
    ],
    dry_run: Annotated[bool, Query(description="Only check and count.")] = False,
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> ImportAnswer | JobAnswer:
    """Import a file of entries by key and language: all of it, or nothing when a row is wrong.

    Every wrong cell is named by row and column. A large file, or one with `Prefer: respond-async`, is imported by a
    job: its progress tells the rows that are read, checked and stored.
    """
    file = LibraryFile(content, filename)
    later = "respond-async" in request.headers.get("prefer", "").lower()
    if len(content) <= services.settings.import_at_once_bytes and not later:
        return ImportAnswer.of(library_import.import_file(services.database, actor, file, dry_run=dry_run))
    require_known_layout(filename)
    job_id = job_id_for(request, actor.code) or uuid4().hex
    with services.database.write(actor.code) as session:
        library_import.keep_file(session, actor, job_id, file)
    asker = {"kind": actor.kind, "region": actor.region_code}
    payload = {"dry_run": dry_run, "asker": asker}
    services.jobs.enqueue("import-library", payload, actor=actor.code, job_id=job_id)
    state = services.jobs.wait(job_id, asked_wait_s(request))
    if state.status == "done" and state.result is not None:
        return ImportAnswer.of(ImportReport(**state.result))
    return accepted(request, response, state)


@router.get(
    "/export",
    response_class=Response,
    responses={
        **problems(403),
        200: {
            "content": {media_type.partition(";")[0]: _FILE for media_type in MEDIA_TYPES.values()},
            "description": "The file; importing it again changes nothing.",
        },
    },
)
def export_entries(
    services: CurrentServices,
    actor: CurrentActor,
    format: Annotated[Format, Query(description="Layout of the file.")] = "jsonl",  # noqa: A002
    headings: Annotated[Language, Query(description="Language of the column names of a table.")] = "en",
    language: Language | None = None,
    kind: Kind | None = None,
    status: Status | None = None,
    objection_type: Annotated[str | None, Query(max_length=80, examples=["cheaper_competitor"])] = None,
) -> Response:
    """Export the entries that the asker may read. Who cannot write the library gets published entries only."""
    wanted = EntryFilter(language=language, kind=kind, status=status, objection_type=objection_type)
    with services.database.read() as session:
        entries = library.readable(session, actor, wanted)
    if format == "jsonl":
        content = write_jsonl(entries)
    else:
        content = (write_csv if format == "csv" else write_xlsx)(entries, headings=headings)
    name = f"library-{services.today().isoformat()}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)
