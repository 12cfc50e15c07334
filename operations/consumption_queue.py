"""Consumption files too large for a request: each waits in the database until its job imports it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from operations.access import Actor
from operations.consumption_import import ConsumptionReport, Duplicates, import_consumption
from operations.store.database import Database
from operations.store.tables import LibraryImport


def keep_file(session: Session, actor: Actor, job_id: str, *, content: bytes, filename: str) -> None:
    """Keep a file until its job imports it; keeping it again under the same id changes nothing.

    It waits where files of library entries do, and like them is dropped when its job ends
    (`library_import.drop_file`), or after 30 days.

    Raises
    ------
    Forbidden
        When the actor may not import.
    """
    actor.require("stock:write")
    if session.get(LibraryImport, job_id) is None:
        now = session.info["clock"].now()
        session.add(LibraryImport(id=job_id, filename=filename, content=content, asked_at=now, asked_by=actor.code))


def import_kept_file(
    database: Database, actor: Actor, job_id: str, *, dry_run: bool = False, duplicates: Duplicates = "refuse"
) -> ConsumptionReport:
    """Import the file that waits under the job's id; a job that ran already finds everything unchanged.

    Raises
    ------
    NotFound
        When no file waits under this id.
    InvalidInput
        See `import_consumption`.
    """
    opened = database.read() if dry_run else database.write(actor.code)
    with opened as session:
        row = session.get(LibraryImport, job_id)
        if row is None or row.content is None:
            raise NotFound(Text(f"no file waits for import {job_id}", f"导入任务 {job_id} 没有等待导入的文件"))
        return import_consumption(session, actor, row.content, row.filename, dry_run=dry_run, duplicates=duplicates)
