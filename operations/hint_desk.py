"""The hint engine of a process, kept up to date with the library."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from coach.encoder import Encoder
from coach.entry import LibraryEntry
from coach.hint import HintEngine
from coach.index import HintIndex, build_index
from coach.index_files import load_index, save_index
from coach.lessons import Lessons
from common.errors import NotReady, Text
from operations import library
from operations.store.database import Database

log = logging.getLogger("fieldwise.hints")
_LOOK_EVERY_S = 1.0


class HintDesk:
    """Keeps the hint engine of this process up to date with the library.

    A changed library gets a new index built beside the old one, which goes on answering; what was retired or changed
    since is left out of its answers (see `operations.hints.ask`).

    Parameters
    ----------
    database : Database
    make_encoder : callable
        Loads the encoder; called once, at the first need.
    folder : Path
        Where indexes are kept, one folder an encoder, so that going back to an encoder finds its index.
    lessons : Lessons, optional
        What is learned from beside the library; without it, what ships with the product.
    """

    def __init__(
        self, database: Database, make_encoder: Callable[[], Encoder], folder: Path, *, lessons: Lessons | None = None
    ) -> None:
        self._database = database
        self._make_encoder = make_encoder
        self._folder = folder
        self._lessons = lessons
        self._lock = threading.Lock()
        self._rebuilding = threading.Lock()
        self._encoder: Encoder | None = None
        self._engine: HintEngine | None = None
        self._state = ""
        self._looked_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether a hint can be answered at once."""
        return self._engine is not None

    def engine(self) -> HintEngine:
        """Return the engine, loading it at the first call (some seconds).

        Raises
        ------
        NotReady
            When the library has no published entry.
        """
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    self._rebuild()
        elif time.monotonic() - self._looked_at > _LOOK_EVERY_S:
            self._look()
        if self._engine is None:
            raise NotReady(Text("the hint index is not built yet", "话术索引尚未建立"))
        return self._engine

    def refresh(self) -> None:
        """Bring the index up to date with the library before returning."""
        with self._lock:
            self._rebuild()

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        with self._database.read() as session:
            changed = library.state_of_library(session) != self._state
        if changed and self._rebuilding.acquire(blocking=False):
            threading.Thread(target=self._rebuild_beside, name="hint-index", daemon=True).start()

    def _rebuild_beside(self) -> None:
        try:
            with self._lock:
                self._rebuild()
        except Exception:
            # The old index goes on answering; the next look tries again.
            log.exception("the hint index could not be rebuilt")
        finally:
            self._rebuilding.release()

    def _rebuild(self) -> None:
        with self._database.read() as session:
            state = library.state_of_library(session)
            if self._engine is not None and state == self._state:
                return
            entries = library.published(session)
        if not entries:
            raise NotReady(
                Text(
                    "the library has no published entry: import one with `fieldwise library import`",
                    "案例库中没有已发布的条目：请用 `fieldwise library import` 导入",
                )
            )
        self._encoder = self._encoder or self._make_encoder()
        index = self._index_of(entries, self._encoder)
        self._engine, self._state, self._looked_at = HintEngine(index, self._encoder), state, time.monotonic()

    def _index_of(self, entries: Sequence[LibraryEntry], encoder: Encoder) -> HintIndex:
        folder = self._folder / encoder.fingerprint()
        found = load_index(folder, encoder, entries, lessons=self._lessons)
        if isinstance(found, HintIndex):
            return found
        log.info("building the hint index: %s", found.reason.en)
        previous = self._engine.index if self._engine else None
        built = build_index(entries, encoder, lessons=self._lessons, previous=previous)
        save_index(built, folder)
        return built
