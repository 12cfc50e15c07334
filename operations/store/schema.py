"""Bringing a database to the newest schema, and telling where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from common.errors import NotReady, Text
from operations.store import tables  # noqa: F401  (registers every table)
from operations.store.base import Base
from operations.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 4_715_022
"""Key of the PostgreSQL advisory lock that lets one process migrate while the others wait."""


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision; safe to call from several processes at once."""
    database.ping()
    engine = database.engine.execution_options(fieldwise_write=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        command.upgrade(_config(connection), "head")


def current_revision(database: Database) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the newest revision that this version of Fieldwise knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def require_newest(database: Database) -> None:
    """Make sure that the database has the newest schema.

    Raises
    ------
    NotReady
        When ``fieldwise db upgrade`` has to run first.
    """
    found, wanted = current_revision(database), newest_revision()
    if found != wanted:
        raise NotReady(
            Text(
                f"the database is at revision {found or 'none'}, this version needs {wanted}: "
                "run `fieldwise db upgrade`",
                f"数据库版本为 {found or '空'}，当前程序需要 {wanted}：请运行 `fieldwise db upgrade`",
            )
        )


def differences(database: Database) -> list[Any]:
    """Return what the database's schema lacks or has too much, compared with the tables in code."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
