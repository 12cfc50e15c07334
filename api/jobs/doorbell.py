"""Wakes the queues when a job waits, so that jobs start at once and an idle worker costs next to nothing.

DBOS looks into each queue on a timer, at about three milliseconds of processor time a look: often enough for jobs to
start within 0.2 s, three queues keep a tenth of a core busy (figures: docs/decisions/0005). Here one plain query on the
driver's own connection asks for all queues at once, and DBOS's look is brought forward only where a job waits.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dbos._queue import queue_worker_thread

from api.jobs import engine
from api.jobs.lease import plain_address

if TYPE_CHECKING:
    from dbos import DBOS

# Without a bell DBOS still looks this often.
LOOK_ANYWAY_S = 5.0
_RETRY_S = 2.0
# The second condition is the index's own: SQLite uses a partial index only when it sees it.
_WAITING = (
    "SELECT DISTINCT queue_name FROM {table} WHERE status = 'ENQUEUED' AND status IN ('ENQUEUED', 'PENDING')"
    " AND queue_name IS NOT NULL"
)

logger = logging.getLogger(__name__)


class Bell:
    """Stands in for the event on which DBOS's queue thread sleeps: ends the sleep when rung, the thread when set."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = False
        self._stopped = False

    def ring(self) -> None:
        """End the present sleep, or the next one when the thread is awake."""
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def set(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def is_set(self) -> bool:
        """Tell whether the thread is to end."""
        return self._stopped

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until rung, set or ``timeout`` seconds are over; return whether the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung or self._stopped, timeout)
            self._rung = False
            return self._stopped


class Doorbell:
    """Runs DBOS's queue threads for the given queues and wakes them as jobs arrive.

    Parameters
    ----------
    url : str
        Where the jobs live.
    dbos : DBOS
        Launched, and told not to listen to these queues itself.
    queues : sequence of str
        Their names, already registered.
    poll_s : float
        How often to ask whether a job waits.
    """

    def __init__(self, url: str, dbos: DBOS, queues: Sequence[str], *, poll_s: float) -> None:
        self._url = url
        self._poll_s = poll_s
        self._ended = threading.Event()
        self._bells = {queue: Bell() for queue in queues}
        self._threads = [
            threading.Thread(
                target=queue_worker_thread,
                args=(bell, dbos, dbos.retrieve_queue(queue)),
                name=f"jobs-{queue}",
                daemon=True,
            )
            for queue, bell in self._bells.items()
        ]
        self._threads.append(threading.Thread(target=self._listen, name="jobs-doorbell", daemon=True))

    def start(self) -> None:
        """Begin to take jobs."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more jobs."""
        self._ended.set()
        for bell in self._bells.values():
            bell.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                with closing(_connect(self._url)) as connection:
                    self._ring_as_jobs_arrive(connection)
            except Exception as error:  # the database may be away for a while; DBOS's own timer remains
                logger.warning("cannot see whether jobs wait: %s", error)
                self._ended.wait(_RETRY_S)

    def _ring_as_jobs_arrive(self, connection: Any) -> None:
        query = _WAITING.format(
            table="workflow_status"
            if isinstance(connection, sqlite3.Connection)
            else f"{engine.SCHEMA}.workflow_status"
        )
        while not self._ended.wait(self._poll_s):
            for (queue,) in connection.execute(query).fetchall():
                if queue in self._bells:
                    self._bells[queue].ring()


def _connect(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(engine.sqlite_path(url), isolation_level=None, timeout=30, check_same_thread=False)
    import psycopg

    return psycopg.connect(plain_address(url), autocommit=True, connect_timeout=10)
