"""Importing a file of entries: all of it, or nothing and every reason why; at once or as a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from coach.library_files import MAX_PROBLEMS, LibraryReading, read_library
from common.errors import FieldProblem, InvalidInput, NotFound, Text
from operations.access import Actor
from operations.library_upsert import ImportReport, import_entries
from operations.store.database import Database
from operations.store.tables import LibraryImport

REPORT_EVERY_ROWS = 50
FORGOTTEN_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file to import; the ending of its name tells the layout (see `coach.library_files.read_library`)."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is, in rows of the file; ``total`` is 0 until the file has been read."""

    read: int = 0
    checked: int = 0
    stored: int = 0
    total: int = 0


class ImportStopped(Exception):
    """Somebody stopped the import; nothing was stored."""


@dataclass(frozen=True, slots=True)
class ImportWatch:
    """Who looks on: ``report`` is told the progress, ``cancelled`` asked whether to stop."""

    report: Callable[[ImportProgress], None] = lambda progress: None
    cancelled: Callable[[], bool] = lambda: False

    def tell(self, progress: ImportProgress) -> None:
        """Report the progress.

        Raises
        ------
        ImportStopped
            When the import should stop.
        """
        self.report(progress)
        if self.cancelled():
            raise ImportStopped


def import_file(
    database: Database,
    actor: Actor,
    file: LibraryFile,
    *,
    dry_run: bool = False,
    watch: ImportWatch | None = None,
    job_id: str | None = None,
) -> ImportReport:
    """Import a file of entries by key and language.

    Parameters
    ----------
    dry_run : bool
        Only check, and count what would happen.
    job_id : str, optional
        The waiting file (see `keep_file`) whose import this is: what was done is noted with it in the same unit of
        work, so that the same job finds its own report when it runs again.

    Raises
    ------
    InvalidInput
        With every problem of every row, each by row and column as the file names them. Nothing is changed.
    ImportStopped
        When the watch stopped it. Nothing is changed.
    """
    actor.require("library:write")
    watch = watch or ImportWatch()
    reading = read_library(file.content, file.name, on_row=lambda rows: _tell_rows(watch, rows))
    reading.require_sound()
    without_status = {
        entry.natural_key
        for entry, item in zip(reading.entries, reading.items, strict=True)
        if not item.states("status")
    }

    def progress(checked: int, stored: int) -> None:
        if stored or checked % REPORT_EVERY_ROWS == 0 or checked == reading.rows:
            watch.tell(ImportProgress(reading.rows, checked, stored, reading.rows))

    opened = database.read() if dry_run else database.write(actor.code)
    with opened as session, _by_row_and_column(reading):
        report = import_entries(
            session,
            actor,
            reading.entries,
            dry_run=dry_run,
            without_status=without_status,
            on_progress=progress,
        )
        if job_id is not None and not dry_run:
            _note(session, job_id, report)
    return report


def keep_file(session: Session, actor: Actor, job_id: str, file: LibraryFile) -> None:
    """Keep a file until its job imports it; keeping it again under the same id changes nothing.

    Raises
    ------
    Forbidden
        When the actor may not import.
    """
    actor.require("library:write")
    if session.get(LibraryImport, job_id) is None:
        session.add(
            LibraryImport(
                id=job_id,
                filename=file.name,
                content=file.content,
                asked_at=session.info["clock"].now(),
                asked_by=actor.code,
            )
        )


def import_kept_file(
    database: Database, actor: Actor, job_id: str, *, dry_run: bool = False, watch: ImportWatch | None = None
) -> ImportReport:
    """Import the file that waits under the job's id, and drop it; a job that ran already gets its report again.

    Raises
    ------
    NotFound
        When no file waits under this id.
    InvalidInput, ImportStopped
        See `import_file`.
    """
    with database.read() as session:
        row = session.get(LibraryImport, job_id)
        if row is None:
            raise NotFound(Text(f"there is no import {job_id}", f"没有导入任务 {job_id}"))
        if row.created is not None:
            return ImportReport(row.created, row.updated or 0, row.unchanged or 0, dry_run)
        file = None if row.content is None else LibraryFile(row.content, row.filename)
    if file is None:
        raise NotFound(Text(f"the file of import {job_id} is gone", f"导入任务 {job_id} 的文件已不在"))
    return import_file(database, actor, file, dry_run=dry_run, watch=watch, job_id=job_id)


def drop_file(database: Database, job_id: str) -> None:
    """Drop the content of a file whose job has ended."""
    with database.write("import") as session:
        row = session.get(LibraryImport, job_id)
        if row is not None:
            row.content, row.finished_at = None, session.info["clock"].now()


def forget_old(session: Session) -> int:
    """Delete imports older than 30 days, whatever became of their jobs; return how many."""
    before = session.info["clock"].now() - FORGOTTEN_AFTER
    result = session.execute(delete(LibraryImport).where(LibraryImport.asked_at < before))
    return int(result.rowcount)  # type: ignore[attr-defined]


def _tell_rows(watch: ImportWatch, rows: int) -> None:
    if rows % REPORT_EVERY_ROWS == 0:
        watch.tell(ImportProgress(read=rows))


def _note(session: Session, job_id: str, report: ImportReport) -> None:
    row = session.get(LibraryImport, job_id)
    if row is not None:
        row.created, row.updated, row.unchanged = report.created, report.updated, report.unchanged


@contextmanager
def _by_row_and_column(reading: LibraryReading) -> Iterator[None]:
    """Place the problems of stored entries where the file has them: ``/3/region`` is row 5, column 区域."""
    try:
        yield
    except InvalidInput as error:
        placed: list[FieldProblem] = []
        for problem in error.fields:
            position, _, field = problem.pointer.strip("/").partition("/")
            known = position.isdigit() and int(position) < len(reading.items)
            placed.append(reading.items[int(position)].problem(field, problem.text) if known else problem)
        raise InvalidInput(Text("the file has wrong rows", "文件中有错误的行"), fields=placed[:MAX_PROBLEMS]) from error
