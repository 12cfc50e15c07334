"""The one place that knows how DBOS stores jobs: names, format on disk, connections, errors.

It imports DBOS at once, so the other modules import it inside the functions that need it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from dbos import DBOS, DBOSClient, DBOSConfig, Serializer
from dbos import error as dbos_error

from common.errors import (
    Conflict,
    FieldProblem,
    FieldwiseError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotReady,
    Text,
    Unavailable,
)

APPLICATION = "fieldwise"
SCHEMA = "fieldwise_jobs"
# Not the release: every release must be able to finish the jobs of the one before (docs/decisions/0005).
FORMAT_VERSION = "1"

_MOMENT = "$moment"
_PROBLEM = "$problem"

logger = logging.getLogger(__name__)


class JobFailed(FieldwiseError):
    """A job failed for a reason that its handler did not foresee; the worker's log has the details."""


_ERRORS: dict[str, type[FieldwiseError]] = {
    error.__name__: error for error in (InvalidInput, NotFound, Conflict, NotReady, Unavailable, Forbidden, JobFailed)
}
_UNFORESEEN = Text(
    "The job failed for an unforeseen reason; the worker's log has the details.",
    "任务因未预料的原因失败，详情见工作进程日志。",
)
_CHANGED_STEPS = Text(
    "An upgrade changed the steps of this job while it was running; ask for it again.",
    "任务运行期间系统升级，步骤已变，请重新提交。",
)
WORKER_KEPT_DYING = Text(
    "The worker died each time it ran this job, so it was given up; the worker's log has the details.",
    "工作进程每次执行该任务都异常退出，任务已放弃，详情见工作进程日志。",
)


class JsonSerializer(Serializer):  # type: ignore[misc, unused-ignore]
    """Everything stored is JSON: readable, the same in every Python version, and never code, as a pickle would be."""

    def name(self) -> str:
        """Return the name written beside each stored value."""
        return "fieldwise_json"

    def serialize(self, data: Any) -> str:
        """Return ``data`` as JSON.

        Errors, and the moment with which a schedule starts a job, are the only things marked as more than JSON, and
        only where DBOS puts them: nothing inside a payload or a result is ever taken for one.
        """
        if isinstance(data, Exception):
            data = {_PROBLEM: problem_of(data)}
        elif _is_call(data) and isinstance(data["args"][0], datetime):
            moment, *others = data["args"]
            data = {**data, "args": [{_MOMENT: moment.isoformat()}, *others]}
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    def deserialize(self, serialized_data: str) -> Any:
        """Return what ``serialize`` was given, tuples as lists."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and data.keys() == {_PROBLEM}:
            return _error_of(data[_PROBLEM])
        if _is_call(data) and isinstance(data["args"][0], dict):
            moment, *others = data["args"]
            return {**data, "args": [datetime.fromisoformat(moment[_MOMENT]), *others]}
        return data


def _is_call(data: object) -> bool:
    # What DBOS stores for a job: here always the moment of the schedule (or None) and the order.
    return isinstance(data, dict) and data.keys() == {"args", "kwargs"} and len(data["args"]) == 2


def problem_of(error: object) -> dict[str, Any]:
    """Return an error as JSON, with its texts in both languages."""
    known = error if isinstance(error, FieldwiseError) else foreseen(error)
    return {
        "kind": type(known).__name__,
        "text": {"en": known.text.en, "zh": known.text.zh},
        "fields": [
            {"pointer": item.pointer, "text": {"en": item.text.en, "zh": item.text.zh}} for item in known.fields
        ],
    }


def _error_of(problem: dict[str, Any]) -> FieldwiseError:
    fields = [FieldProblem(item["pointer"], Text(**item["text"])) for item in problem["fields"]]
    return _ERRORS.get(problem["kind"], JobFailed)(Text(**problem["text"]), fields=fields)


def foreseen(error: object) -> FieldwiseError:
    """Return the error to store for one that no handler foresaw."""
    return JobFailed(_CHANGED_STEPS if isinstance(error, dbos_error.DBOSUnexpectedStepError) else _UNFORESEEN)


def json_copy(value: Any) -> Any:
    """Return ``value`` as it will be read back from the database.

    Raises
    ------
    TypeError, ValueError
        When JSON cannot hold it (NaN and infinities included).
    """
    return json.loads(json.dumps(value, allow_nan=False))


def configuration(system_database_url: str, executor: str) -> DBOSConfig:
    """Return what DBOS needs to run jobs as ``executor``."""
    return {
        "name": APPLICATION,
        "system_database_url": system_database_url,
        "dbos_system_schema": SCHEMA,
        "application_version": FORMAT_VERSION,
        "executor_id": executor,
        "serializer": JsonSerializer(),
        "log_level": "WARNING",
        "sys_db_pool_size": 10,
    }


def open_client(system_database_url: str) -> DBOSClient:
    """Create or upgrade the tables of the jobs if need be, and connect to them.

    Raises
    ------
    Unavailable
        When the database does not answer.
    """
    keep_log_in_order()
    with database_errors():
        if system_database_url.startswith("sqlite"):
            _prepare_file(system_database_url)
        DBOS.migrate(system_database_url, schema=SCHEMA)
        return DBOSClient(
            system_database_url=system_database_url,
            dbos_system_schema=SCHEMA,
            serializer=JsonSerializer(),
            application_name=APPLICATION,
            # A request must not hang for as long as the database is away.
            retry_connection_errors=False,
        )


def keep_log_in_order() -> None:
    """Let DBOS log to wherever the process logs, from warnings on."""
    log = logging.getLogger("dbos")
    if not log.handlers:  # it would add a console of its own
        log.addHandler(logging.NullHandler())
    log.setLevel(logging.WARNING)
    log.addFilter(_said_already)


def _said_already(record: logging.LogRecord) -> bool:
    # A failed job is told by its state, and by this package's log when the failure was not foreseen.
    return not record.getMessage().startswith("Exception encountered in background workflow")


def _prepare_file(url: str) -> None:
    path = sqlite_path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        # Kept in the file: readers in the service then never wait for the worker's writes.
        connection.execute("PRAGMA journal_mode=WAL")


def sqlite_path(url: str) -> Path:
    """Return the file of a SQLite address."""
    return Path(url.partition(":///")[2].partition("?")[0])


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn a database that does not answer into ``Unavailable``."""
    try:
        yield
    except Exception as error:
        # The driver's own error hangs on the one that DBOS lets through.
        driver_error = getattr(error, "orig", error)
        if isinstance(driver_error, (sqlite3.OperationalError, psycopg.OperationalError, OSError)):
            logger.warning("the database of the jobs does not answer: %s", driver_error)
            raise Unavailable(
                Text("The database of the jobs does not answer.", "任务数据库没有响应。"),
            ) from error
        raise
