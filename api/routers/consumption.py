"""Files of what was consumed: import at once or as a job, and export."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Body, Query, Request, Response

from api.idempotency import CreatingRoute, job_id_for
from api.routers import CurrentServices, IdempotencyKey, problems
from api.routers.jobs import PreferHeader, accepted, asked_wait_s
from api.schemas import Day
from api.schemas.consumption import ConsumptionImportAnswer
from api.schemas.jobs import JobAnswer
from api.security import CurrentActor
from operations import consumption_queue
from operations.consumption_import import ConsumptionFilter, export_consumption, import_consumption

router = APIRouter(prefix="/v1/consumption", tags=["stock"], route_class=CreatingRoute)
Format = Literal["csv", "xlsx"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/import",
    response_model=None,
    responses={
        **problems(403, 413, 503),
        200: {"model": ConsumptionImportAnswer, "description": "What the import did, or would do."},
        202: {"model": JobAnswer, "description": "The job; its result is the import's."},
    },
)
def import_file(
    request: Request,
    response: Response,
    services: CurrentServices,
    actor: CurrentActor,
    content: Annotated[
        bytes,
        Body(
            media_type="application/octet-stream",
            description="CSV (UTF-8, UTF-16 or GBK) or XLSX, possibly gzipped. Columns: date, region, item, quantity, "
            "optionally available (1/0). A time with its offset from UTC becomes a day of the region's time zone.",
        ),
    ],
    filename: Annotated[
        str, Query(max_length=200, description="Name for messages and the audit log.", examples=["consumption.xlsx"])
    ] = "consumption.csv",
    dry_run: Annotated[bool, Query(description="Only check and count.")] = False,
    duplicates: Annotated[
        Literal["refuse", "sum"], Query(description="What several rows of one day, region and item are.")
    ] = "refuse",
    _key: IdempotencyKey = None,
    _prefer: PreferHeader = None,
) -> ConsumptionImportAnswer | JobAnswer:
    """Import daily consumption, in place of what was stored for the same days: all of it, or nothing.

    Every wrong cell is named by row and column. Days that are not over yet are left out and counted. Sending a file
    again changes nothing. A large file, or one with `Prefer: respond-async`, is imported by a job.
    """
    later = "respond-async" in request.headers.get("prefer", "").lower()
    if len(content) <= services.settings.import_at_once_bytes and not later:
        database = services.database
        with database.read() if dry_run else database.write(actor.code) as session:
            return ConsumptionImportAnswer.of(
                import_consumption(session, actor, content, filename, dry_run=dry_run, duplicates=duplicates)
            )
    job_id = job_id_for(request, actor.code) or uuid4().hex
    with services.database.write(actor.code) as session:
        consumption_queue.keep_file(session, actor, job_id, content=content, filename=filename)
    asker = {"kind": actor.kind, "region": actor.region_code}
    payload = {"dry_run": dry_run, "duplicates": duplicates, "asker": asker}
    services.jobs.enqueue("import-consumption", payload, actor=actor.code, job_id=job_id)
    state = services.jobs.wait(job_id, asked_wait_s(request))
    if state.status == "done" and state.result is not None:
        return ConsumptionImportAnswer.model_validate(state.result)
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
def export_file(
    services: CurrentServices,
    actor: CurrentActor,
    format: Annotated[Format, Query(description="Layout of the file.")] = "csv",  # noqa: A002
    region: Annotated[str | None, Query(max_length=64, examples=["jinjiang"])] = None,
    material: Annotated[str | None, Query(max_length=64, examples=["gift-standard"])] = None,
    since: Annotated[Day | None, Query(description="First day.")] = None,
    until: Annotated[Day | None, Query(description="Last day.")] = None,
    plans: Annotated[bool, Query(description="With planned visits and events, which an import leaves alone.")] = False,
) -> Response:
    """Export the daily consumption of the asker's regions: date, region, item, quantity, available."""
    with services.database.read() as session:
        wanted = ConsumptionFilter(region, material, since, until, plans)
        content = export_consumption(session, actor, wanted, layout=format)
    name = f"consumption-{services.today().isoformat()}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)
