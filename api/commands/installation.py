"""Opening this machine's installation for a command."""

from __future__ import annotations

from api.first_run import ensure_library
from api.services import Services, wire
from api.settings import load_settings
from operations.store import schema


def open_installation() -> Services:
    """Return the services with the newest schema; a SQLite file that is not there yet is made.

    Raises
    ------
    Unavailable, NotReady
        When the database does not answer, or a shared one has to be upgraded first.
    """
    services = wire(load_settings())
    if services.database.is_sqlite:
        schema.upgrade(services.database)
    services.check()
    return services


def open_with_library() -> Services:
    """Return the services with a library: an empty one is filled with the entries that ship with the product."""
    services = open_installation()
    ensure_library(services)
    return services
