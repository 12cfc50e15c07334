"""A new schema keeps what an older one held."""

from __future__ import annotations

from alembic import command
from sqlalchemy import text

from operations.store import schema
from operations.store.database import Database

_NOW = "2026-11-19 02:00:00"
_STAMP = f"'{_NOW}', 'test', '{_NOW}', 'test'"
_FIRST_ROWS = (
    "INSERT INTO library_entry (id, key, language, kind, status, objection_type, approach, title, background, steps,"
    " product_line, customer_types, scenes, version, created_at, created_by, updated_at, updated_by)"
    " VALUES (1, 'no_time-01', 'zh', 'success', 'published', 'no_time', 'a', 't', 'b', '[]', 'any', '[]', '[]', 1,"
    f" {_STAMP})",
    "INSERT INTO library_utterance (entry_id, position, text) VALUES (1, 0, '没空')",
    "INSERT INTO talk_track (entry_id, position, text) VALUES (1, 0, '那我只说一句')",
)
_KEPT = ("library_entry", "library_utterance", "talk_track")


def test_every_migration_forth_and_back_keeps_entries_with_their_lines_and_sayings(empty_database: Database) -> None:
    writing = empty_database.engine.execution_options(fieldwise_write=True)
    with writing.begin() as connection:
        command.upgrade(schema._config(connection), "0001")
    with writing.begin() as connection:
        for statement in _FIRST_ROWS:
            connection.execute(text(statement))
    for move, revision in ((command.upgrade, "head"), (command.downgrade, "0001"), (command.upgrade, "head")):
        with writing.begin() as connection:
            move(schema._config(connection), revision)
        with empty_database.engine.connect() as connection:
            counts = [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in _KEPT]
        assert counts == [1, 1, 1], revision
