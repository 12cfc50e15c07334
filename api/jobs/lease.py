"""Who is alive: a lock that a worker holds for as long as its process lives.

The operating system (SQLite) or the server (PostgreSQL) lets go of the lock when the process dies, however it dies, so
a free lock is proof that the jobs claimed under that name belong to nobody any more.
"""

from __future__ import annotations

import logging
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Protocol

from common.errors import Conflict, Text

if TYPE_CHECKING:
    import psycopg

# A killed worker's connection takes a moment to be noticed; one that restarts under its old name waits that long.
GRACE_S = 3.0
_MOST_ON_ONE_HOST = 99

logger = logging.getLogger(__name__)


class Lease(Protocol):
    """Holds a worker's name."""

    @property
    def name(self) -> str:
        """The name that is held."""
        ...

    def renew(self) -> None:
        """Hold on: take the lock again when the connection that held it was lost."""
        ...

    def orphaned(self, other: str) -> AbstractContextManager[bool]:
        """Return a context that tells whether the worker ``other`` is dead, and keeps it from coming back meanwhile."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class FileLease:
    """The lease on SQLite, where one worker at a time may run: an exclusive lock on a file beside the database.

    Raises
    ------
    Conflict
        When another worker runs on this database.
    """

    def __init__(self, jobs_file: str, name: str | None) -> None:
        self.name = name or socket.gethostname()
        self._connection = sqlite3.connect(f"{jobs_file}.worker", timeout=GRACE_S, check_same_thread=False)
        try:
            self._connection.isolation_level = None
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            self._connection.close()
            raise Conflict(
                Text(
                    "Another worker already runs on this SQLite database; several workers need PostgreSQL.",
                    "已有工作进程在使用这个 SQLite 数据库；要运行多个工作进程请使用 PostgreSQL。",
                )
            ) from None

    def renew(self) -> None:
        """Nothing to do: a file's lock is not lost while the process lives."""

    @contextmanager
    def orphaned(self, other: str) -> Iterator[bool]:
        """Tell whether ``other`` is dead: every other worker is, as this one holds the database alone."""
        yield other != self.name

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class ServerLease:
    """The lease on PostgreSQL: a session's advisory lock on the worker's name.

    Raises
    ------
    Conflict
        When a worker of that name is alive.
    """

    def __init__(self, url: str, name: str | None) -> None:
        self._url = url
        self._connection = self._connect()
        try:
            self.name = name if name is not None else self._free_host_name()
            if not self._lock(self.name, wait_s=GRACE_S):
                raise Conflict(
                    Text(
                        f"A worker named {self.name} is already running; give this one another name.",
                        f"名为 {self.name} 的工作进程正在运行，请换一个名字。",
                    )
                )
        except BaseException:
            self._connection.close()
            raise

    def renew(self) -> None:
        """Check the connection that holds the lock; when it was lost, take the lock on a new one."""
        import psycopg

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            logger.warning("worker %s lost the connection that holds its name; taking the name again", self.name)
            with closing(self._connection):
                self._connection = self._connect()
            if not self._lock(self.name, wait_s=GRACE_S):
                logger.error("another process runs under the name of worker %s", self.name)

    @contextmanager
    def orphaned(self, other: str) -> Iterator[bool]:
        """Tell whether ``other`` is dead; its name stays locked within the block."""
        free = other != self.name and self._lock(other, wait_s=0)
        try:
            yield free
        finally:
            if free:
                self._connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_key(other)])

    def close(self) -> None:
        """Let go of the name."""
        self._connection.close()

    def _connect(self) -> psycopg.Connection:
        import psycopg

        connection = psycopg.connect(plain_address(self._url), autocommit=True, connect_timeout=10)
        # A host that vanished is noticed within half a minute rather than after two hours.
        for setting in ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3"):
            connection.execute(f"SET {setting}")
        return connection

    def _free_host_name(self) -> str:
        host = socket.gethostname()
        for name in (host, *(f"{host}-{number}" for number in range(2, _MOST_ON_ONE_HOST + 1))):
            if self._lock(name, wait_s=0):
                return name
        return host

    def _lock(self, name: str, *, wait_s: float) -> bool:
        # A session may take its own lock again, so a name that this one found free stays its own.
        deadline = time.monotonic() + wait_s
        while True:
            row = self._connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_key(name)]
            ).fetchone()
            if row is not None and row[0]:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)


def plain_address(url: str) -> str:
    """Return a PostgreSQL address as the driver takes it: without the driver's name that SQLAlchemy wants."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def _key(name: str) -> str:
    return f"fieldwise.worker.{name}"


def take_lease(system_database_url: str, name: str | None) -> Lease:
    """Take the name of a worker, or a free one.

    Raises
    ------
    Conflict
        When the name is taken, or on SQLite when another worker runs.
    """
    from api.jobs import engine

    with engine.database_errors():
        if system_database_url.startswith("sqlite"):
            return FileLease(str(engine.sqlite_path(system_database_url)), name)
        return ServerLease(system_database_url, name)
