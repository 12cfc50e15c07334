"""Finds near-duplicates in the library of this process's database, kept up to date with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sqlalchemy import select

from coach.near_duplicates import LexicalNearDuplicates, Near
from operations.library import state_of_library
from operations.library_records import entry_of
from operations.store.database import Database
from operations.store.tables import LibraryEntryRow


class NearDuplicateDesk:
    """Near-duplicates among all entries in use, of every region; who asks leaves out what may not be shown.

    Parameters
    ----------
    database : Database
        Where the library is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._state = ""
        self._near: LexicalNearDuplicates | None = None

    def __call__(self, texts: Sequence[str]) -> list[Near]:
        """Return the entries near to any of ``texts``, nearest first; the first call takes seconds."""
        return self._newest()(texts)

    def _newest(self) -> LexicalNearDuplicates:
        with self._lock, self._database.read() as session:
            state = state_of_library(session)
            if self._near is None or state != self._state:
                query = select(LibraryEntryRow).where(LibraryEntryRow.status != "retired")
                self._near = LexicalNearDuplicates([entry_of(row) for row in session.scalars(query)])
                self._state = state
            return self._near
