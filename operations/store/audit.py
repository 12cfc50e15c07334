"""Stamps and the audit log, written with the very change that they describe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Mapper, Session, UOWTransaction

from operations.store.base import Base, Stamped
from operations.store.tables.oversight import AuditRecord

SECRET_COLUMNS = frozenset({"password_hash", "secret_hash"})
_STAMPS = frozenset({"created_at", "created_by", "updated_at", "updated_by"})


def watch(session: Session) -> None:
    """Stamp every ``Stamped`` row that ``session`` writes, and log each change.

    ``session.info`` must hold ``actor`` (a code) and ``clock``.
    """
    event.listen(session, "before_flush", _stamp)
    event.listen(session, "after_flush", _log)


def record_reading(session: Session, subject: str, subject_key: str, columns: list[str]) -> None:
    """Note that the actor of this unit of work read protected ``columns`` of a record."""
    session.add(_record(session, "read", subject, subject_key, dict.fromkeys(columns)))


def _stamp(session: Session, _context: UOWTransaction, _instances: object) -> None:
    now, actor = session.info["clock"].now(), session.info["actor"]
    for row in session.new:
        if isinstance(row, Stamped):
            row.created_at = row.updated_at = now
            row.created_by = row.updated_by = actor
    for row in session.dirty:
        if isinstance(row, Stamped) and session.is_modified(row):
            row.updated_at, row.updated_by = now, actor


def _log(session: Session, _context: UOWTransaction) -> None:
    # Rows are added to the audit table by the connection, since the session is in the middle of its flush.
    records = [
        *(_changed(session, row, "create") for row in _stamped(session.new)),
        *(_changed(session, row, "update") for row in _stamped(session.dirty) if session.is_modified(row)),
        *(_changed(session, row, "delete") for row in _stamped(session.deleted)),
    ]
    if records:
        session.connection().execute(AuditRecord.__table__.insert(), records)  # type: ignore[attr-defined]


def _stamped(rows: Any) -> Iterator[Stamped]:
    return (row for row in rows if isinstance(row, Stamped))


def _changed(session: Session, row: Stamped, action: str) -> dict[str, Any]:
    state = inspect(row)
    mapper: Mapper[Base] = state.mapper
    changes: dict[str, Any] = {}
    for column in mapper.column_attrs:
        history = state.attrs[column.key].history
        if column.key in _STAMPS or not history.has_changes():
            continue
        old, new = (next(iter(values), None) if values else None for values in (history.deleted, history.added))
        secret = column.key in SECRET_COLUMNS
        changes[column.key] = ["***", "***"] if secret else [_plain(old), _plain(new)]
    key = "/".join(str(value) for value in mapper.primary_key_from_instance(row))  # type: ignore[arg-type]
    return {
        "at": session.info["clock"].now(),
        "actor": session.info["actor"],
        "action": action,
        "subject": mapper.local_table.name,  # type: ignore[attr-defined]
        "subject_key": key,
        "changes": changes,
    }


def _record(session: Session, action: str, subject: str, subject_key: str, changes: dict[str, Any]) -> AuditRecord:
    return AuditRecord(
        at=session.info["clock"].now(),
        actor=session.info["actor"],
        action=action,
        subject=subject,
        subject_key=subject_key,
        changes=changes,
    )


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it; long texts and nested values are shortened to their size."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= 500 else f"{value[:500]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return f"({len(value)} fields)"
    return value
