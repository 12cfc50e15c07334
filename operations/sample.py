"""Filling an empty database with the sample organisation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnClause, Table, func, insert, inspect, literal, literal_column, select
from sqlalchemy.orm import Session

from common.errors import Conflict, Text
from operations.store.base import Base, Instant, Stamped
from operations.store.database import Database
from operations.store.tables import (
    AuditRecord,
    Customer,
    CustomerTag,
    DailyConsumption,
    Event,
    FollowUp,
    Material,
    Person,
    PersonSkill,
    PlannedActivity,
    Region,
    StockMovement,
    Visit,
    VisitMaterial,
    VisitObjection,
    Warehouse,
)
from training_data.sample_organisation import SampleOrganisation, make_sample

Rows = Iterable[dict[str, Any]]


def load_sample(database: Database, *, end: date, password_hash: str | None, actor: str = "sample") -> dict[str, int]:
    """Fill an empty database with the sample organisation, in one unit of work.

    Parameters
    ----------
    database : Database
        With the newest schema.
    end : date
        Last day of the history: yesterday, for a company that is alive today. Planned activity and events go on for
        ten days after it.
    password_hash : str or None
        What every person gets to sign in with; with None nobody can sign in.
    actor : str
        Code in the stamps and in the audit log, which gets one line for the whole load.

    Returns
    -------
    dict of str to int
        Number of rows by table.

    Raises
    ------
    Conflict
        When a region or a person is already there; nothing is changed.
    """
    _require_empty(database)
    # Made before the unit of work begins: it takes seconds, during which nobody else could write.
    sample = make_sample(end)
    with database.write(actor) as session:
        _refuse_what_is_there(session)
        counts = {model.__tablename__: _insert(session, model, rows) for model, rows in _tables(sample, password_hash)}
        session.add(
            AuditRecord(
                at=database.clock.now(),
                actor=actor,
                action="create",
                subject="sample_organisation",
                subject_key=end.isoformat(),
                changes={table: [None, count] for table, count in counts.items()},
            )
        )
    return counts


def _require_empty(database: Database) -> None:
    with database.read() as session:
        _refuse_what_is_there(session)


def _refuse_what_is_there(session: Session) -> None:
    for model in (Region, Person):
        if session.scalar(select(func.count()).select_from(model)):
            raise Conflict(
                Text(
                    "the sample organisation goes into an empty database only: this one has regions or people",
                    "示例组织只能装入空数据库：当前数据库已有区域或人员",
                )
            )


def _tables(sample: SampleOrganisation, password_hash: str | None) -> list[tuple[type[Base], Rows]]:
    """Return what goes into each table, parents before children."""
    people = sample.people
    return [
        (Region, sample.regions),
        (Person, ({**row, "password_hash": password_hash} for row in people)),
        (PersonSkill, ({"person_code": row["code"], "skill": skill} for row in people for skill in row["skills"])),
        (Material, sample.materials),
        (Warehouse, sample.warehouses),
        (Customer, sample.customers),
        (CustomerTag, ({"customer_code": row["code"], "tag": tag} for row in sample.customers for tag in row["tags"])),
        (Visit, sample.visits),
        (VisitObjection, sample.visit_objections),
        (VisitMaterial, sample.visit_materials),
        (FollowUp, sample.follow_ups),
        (StockMovement, sample.stock_movements),
        (DailyConsumption, sample.consumption),
        (Event, sample.events),
        (PlannedActivity, sample.planned_activity),
    ]


def _insert(session: Session, model: type[Base], rows: Rows) -> int:
    """Insert rows with their stamps and return their number; keys that are no columns are left out."""
    table = inspect(model).local_table
    assert isinstance(table, Table)
    statement = insert(table)
    if issubclass(model, Stamped):
        # Part of the statement rather than of each row: one moment for tens of thousands of rows.
        now = _written_out(session, session.info["clock"].now())
        actor = session.info["actor"]
        statement = statement.values(created_at=now, created_by=actor, updated_at=now, updated_by=actor)
    names = {column.name for column in table.columns}
    full = [{name: value for name, value in row.items() if name in names} for row in rows]
    session.connection().execute(statement, full)
    return len(full)


def _written_out(session: Session, moment: datetime) -> ColumnClause[datetime]:
    """Return ``moment`` as text of the statement, written by the database's own rules."""
    value = literal(moment, Instant())
    return literal_column(str(value.compile(session.connection(), compile_kwargs={"literal_binds": True})), Instant())
