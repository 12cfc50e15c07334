"""Alembic's entry: runs the migrations on the connection that ``store.schema`` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON

from operations.store import tables  # noqa: F401  (registers every table)
from operations.store.base import Base, Instant


def render_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write the project's own column types into a revision without importing the project: revisions never change."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_type,
)
with context.begin_transaction():
    context.run_migrations()
