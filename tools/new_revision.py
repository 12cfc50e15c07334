"""Write a new migration from the difference between the tables in code and the newest revision.

Usage: ``python tools/new_revision.py 0002 "What changes"``; read the file before you commit it.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command

from operations.store import schema
from operations.store.database import Database

with tempfile.TemporaryDirectory() as folder:
    database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
    if schema.newest_revision():
        schema.upgrade(database)
    with database.engine.execution_options(fieldwise_write=True).begin() as connection:
        command.revision(schema._config(connection), sys.argv[2], autogenerate=True, rev_id=sys.argv[1])
