"""``db``: the schema of the database."""

from __future__ import annotations

import typer

from api.commands.terminal import JsonFlag, fail, print_json, say
from common.errors import FieldwiseError, Text

db_app = typer.Typer(no_args_is_help=True, help="The database.")


@db_app.callback()
def db() -> None:
    """Look after the database."""


@db_app.command("upgrade")
def upgrade(json: JsonFlag = False) -> None:
    """Bring the database to the newest schema; safe to run again.

    Example: FIELDWISE_DATABASE_URL=postgresql://user:password@host/fieldwise fieldwise db upgrade
    """
    from api.settings import load_settings
    from operations.store import schema
    from operations.store.database import Database

    try:
        database = Database(load_settings().database)
        database.ping()
        before = schema.current_revision(database)
        schema.upgrade(database)
        after = schema.current_revision(database)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json({"before": before, "after": after})
    elif before == after:
        typer.echo(say(Text(f"already at {after}", f"已是最新版本 {after}")))
    else:
        typer.echo(say(Text(f"{before or 'empty'} → {after}", f"{before or '空'} → {after}")))
