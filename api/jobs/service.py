"""Asking for jobs, reading their state, cancelling them: what the service needs; nothing is run here."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from api.jobs.model import JobHandler, JobState, JobStatus, Payload
from common.errors import Conflict, InvalidInput, NotFound, Text

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

_STATUS: dict[str, JobStatus] = {
    "DELAYED": "queued",
    "ENQUEUED": "queued",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_LONGEST_ID = 200


class Jobs:
    """The jobs of one installation, seen from the service; safe to share between threads.

    Connects (and creates its tables, when they are missing) on first use or by ``connect``.

    Parameters
    ----------
    system_database_url : str
        Where the jobs live, see ``jobs_database_url``.
    handlers : mapping of str to JobHandler
        The kinds of job there are; the same table as the workers'.
    """

    def __init__(self, system_database_url: str, handlers: Mapping[str, JobHandler]) -> None:
        self._url = system_database_url
        self._handlers = dict(handlers)
        self._lock = threading.Lock()
        self._client: DBOSClient | None = None

    def connect(self) -> None:
        """Connect now, so that the first request need not wait for it.

        Raises
        ------
        Unavailable
            When the database does not answer.
        """
        self._connected()

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.destroy()

    def enqueue(self, kind: str, payload: Payload, *, actor: str, job_id: str | None = None) -> str:
        """Ask for a job; a worker runs it as soon as its queue has room.

        Parameters
        ----------
        kind : str
            A kind from the table of handlers.
        payload : dict
            A JSON object for the handler.
        actor : str
            Who asks.
        job_id : str, optional
            An id of one's own: asking twice under the same id asks for one job (the first payload counts).

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        InvalidInput
            When the kind is unknown, or the payload is not JSON.
        Conflict
            When ``job_id`` belongs to a job of another kind.
        """
        from dbos import error as dbos_error

        from api.jobs import engine

        handler = self._handlers.get(kind)
        if handler is None:
            raise InvalidInput.at("/kind", f"there are no jobs of kind {kind!r}", f"没有“{kind}”这种任务")
        if job_id is not None and not _can_be_id(job_id):
            raise InvalidInput.at(
                "/job_id", f"must be 1 to {_LONGEST_ID} printable characters", f"须为 1 到 {_LONGEST_ID} 个可见字符"
            )
        try:
            engine.json_copy(payload)
        except (TypeError, ValueError, RecursionError):
            raise InvalidInput.at("/payload", "must be a JSON object", "必须是 JSON 对象") from None
        job_id = job_id or str(uuid4())
        client = self._connected()
        try:
            with engine.database_errors():
                client.enqueue(
                    {
                        "workflow_name": kind,
                        "queue_name": handler.queue,
                        "workflow_id": job_id,
                        "app_version": engine.FORMAT_VERSION,
                        "authenticated_user": actor,
                    },
                    None,
                    {"actor": actor, "payload": payload},
                )
        except dbos_error.DBOSConflictingWorkflowError:
            raise Conflict(
                Text(f"The id {job_id} belongs to a job of another kind.", f"编号 {job_id} 属于另一种任务。")
            ) from None
        return job_id

    def state(self, job_id: str) -> JobState:
        """Return the job as it stands.

        Raises
        ------
        NotFound
            When there is no such job.
        """
        # A database may refuse an id that cannot be one with an error of its own (PostgreSQL: NUL).
        found = self._read(workflow_ids=[job_id]) if _can_be_id(job_id) else []
        if not found:
            raise NotFound(Text(f"There is no job {job_id}.", f"没有任务 {job_id}。"))
        return found[0]

    def cancel(self, job_id: str) -> JobState:
        """Cancel a job that waits or runs; its handler is told within about 0.2 s. Cancelling twice is as once.

        A job that is just storing its result when it is cancelled may still store it.

        Raises
        ------
        NotFound
            When there is no such job.
        Conflict
            When it is done or has failed.
        """
        from api.jobs import engine

        state = self.state(job_id)
        if not state.finished:
            with engine.database_errors():
                self._connected().cancel_workflow(job_id)  # leaves one alone that finished meanwhile
            state = self.state(job_id)
        if state.status != "cancelled":
            raise Conflict(
                Text(f"Job {job_id} has already finished ({state.status}).", f"任务 {job_id} 已经结束，无法取消。")
            )
        return state

    def wait(self, job_id: str, timeout_s: float) -> JobState:
        """Wait until the job is finished or ``timeout_s`` seconds are over; return its state then.

        Raises
        ------
        NotFound
            When there is no such job.
        """
        deadline = time.monotonic() + timeout_s
        pause_s = 0.02
        while True:
            state = self.state(job_id)
            left_s = deadline - time.monotonic()
            if state.finished or left_s <= 0:
                return state
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, 0.25)

    def forget_finished(self, before: datetime) -> int:
        """Delete all jobs that finished before a moment; return how many. Their effects stay."""
        from api.jobs import engine

        count = 0
        client = self._connected()
        with engine.database_errors():
            while True:
                old = client.list_workflows(
                    completed_before=before.astimezone(UTC).isoformat(),
                    status=[name for name, shown in _STATUS.items() if shown in ("done", "failed", "cancelled")],
                    limit=500,
                    load_input=False,
                    load_output=False,
                )
                if not old:
                    return count
                client.delete_workflows([row.workflow_id for row in old])
                count += len(old)

    def list(
        self,
        *,
        kind: str | None = None,
        status: JobStatus | None = None,
        created_by: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[JobState]:
        """Return jobs, newest first, those that fit all the conditions given.

        Parameters
        ----------
        created_by : str, optional
            An actor given to ``enqueue``.
        limit, offset : int
            At most ``limit`` jobs, after leaving out the first ``offset``.
        """
        if not 1 <= limit <= 1000:
            raise InvalidInput.at("/limit", "must lie between 1 and 1000", "须在 1 到 1000 之间")
        if offset < 0:
            raise InvalidInput.at("/offset", "must not be negative", "不能为负")
        stored = [name for name, shown in _STATUS.items() if shown == status] if status else None
        return self._read(status=stored, name=kind, user=created_by, limit=limit, offset=offset, sort_desc=True)

    def _read(self, **conditions: Any) -> Sequence[JobState]:
        from api.jobs import engine

        client = self._connected()
        with engine.database_errors():
            return [_state_of(row) for row in client.list_workflows(load_input=False, **conditions)]

    def _connected(self) -> DBOSClient:
        with self._lock:
            if self._client is None:
                from api.jobs import engine

                self._client = engine.open_client(self._url)
            return self._client


def _can_be_id(job_id: str) -> bool:
    return bool(job_id.strip()) and len(job_id) <= _LONGEST_ID and job_id.isprintable()


def _state_of(row: WorkflowStatus) -> JobState:
    from api.jobs import engine

    status = _STATUS[row.status]
    problem = None
    if status == "failed":
        gave_up = row.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
        problem = engine.problem_of(engine.JobFailed(engine.WORKER_KEPT_DYING) if gave_up else row.error)
    created_at = _moment(row.created_at)
    assert created_at is not None, "the column is never null"
    return JobState(
        id=row.workflow_id,
        kind=row.name,
        status=status,
        created_at=created_at,
        started_at=None if status == "queued" else _moment(row.dequeued_at),
        finished_at=_moment(row.completed_at or row.updated_at) if status in ("done", "failed", "cancelled") else None,
        progress=(row.attributes or {}).get("progress"),
        result=row.output if status == "done" else None,
        problem=problem,
        created_by=row.authenticated_user or f"schedule:{row.schedule_name}",
    )


def _moment(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)
