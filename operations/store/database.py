"""The database: engine, pragmas, and units of work."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError as UrlError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from common.clock import Clock, SystemClock
from common.errors import Conflict, InvalidInput, Text, Unavailable
from operations.store.audit import watch

BUSY_TIMEOUT_S = 15
KEPT_CONNECTIONS = 40


class Database:
    """One database and its units of work.

    Parameters
    ----------
    url : str
        SQLAlchemy address. ``sqlite:///path`` or ``postgresql://…`` (driven by psycopg 3).
    clock : Clock, optional
        Source of the stamps ``created_at`` and ``updated_at``.

    Raises
    ------
    InvalidInput
        When the address cannot be read or names a database other than SQLite or PostgreSQL.
    """

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.engine = _engine(url)
        self._writer = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def url(self) -> str:
        """The address, with its password."""
        return self.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; whatever it changed is thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.info["clock"] = self.clock
            yield session

    @contextmanager
    def write(self, actor: str) -> Iterator[Session]:
        """Open one unit of work: it is committed whole at the end, or not at all when an error passes through.

        Parameters
        ----------
        actor : str
            Code of who acts, for the stamps and the audit log.

        Raises
        ------
        Conflict
            When the rows contradict what is stored: a key that exists, a reference to nothing, a broken check. Use
            cases look first and say it better; this is for what another process changed in between.
        InvalidInput
            When a value cannot be stored at all (too long, outside the range of its column).
        Unavailable
            When other units of work held the database too long.
        """
        engine = self.engine.execution_options(fieldwise_write=True)
        with self._turn(), Session(engine, expire_on_commit=False) as session:
            session.info.update(actor=actor, clock=self.clock)
            watch(session)
            try:
                yield session
                session.commit()
            except IntegrityError as error:
                raise Conflict(Text("this contradicts what is stored now", "与现有记录冲突")) from error
            except DataError as error:
                raise InvalidInput(Text("a value cannot be stored", "有数值无法保存")) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for this process's other writers, on SQLite.

        SQLite lets a second writer sleep and look again, longer each time. With ten threads that wait so, the lock is
        free most of the time and answers take seconds; a lock of our own wakes the next one at once.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=BUSY_TIMEOUT_S):
            raise Unavailable(Text("the database is busy: try again", "数据库正忙，请稍后再试"))
        try:
            yield
        finally:
            self._writer.release()

    def ping(self) -> None:
        """Make sure that the database answers.

        Raises
        ------
        Unavailable
            When it does not.
        """
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
            raise Unavailable(Text(f"the database does not answer: {reason}", f"数据库没有响应：{reason}")) from error

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except UrlError as error:
        raise _unknown_address() from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise _unknown_address()
    if parsed.drivername == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # as many connections as the service has threads: opening one costs more than what is asked over it
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=KEPT_CONNECTIONS)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)


def _unknown_address() -> InvalidInput:
    return InvalidInput.at(
        "FIELDWISE_DATABASE_URL",
        "must be an address such as sqlite:///var/fieldwise.db or postgresql://user:password@host/database",
        "应写成 sqlite:///var/fieldwise.db 或 postgresql://用户:密码@主机/数据库 这样的地址",
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes too late for BEGIN IMMEDIATE, so it is switched off and sent by _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A unit of work takes the write lock at its start: a read that turns into a write later could not wait for
    # another writer and would fail at once.
    writes = connection.get_execution_options().get("fieldwise_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
