"""A job while it runs: its steps, its progress, and whether to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from dbos import DBOS
from dbos import error as dbos_error

from api.jobs import engine
from api.jobs.model import JobHandler, Payload
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from dbos import DBOSClient

REPORT_EVERY_S = 0.5
ASK_EVERY_S = 0.2

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class Interrupted(BaseException):
    """The job must stop here and nothing of it be recorded; not an ``Exception``, so that no handler swallows it."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What all running jobs of a worker share.

    Attributes
    ----------
    executor : str
        The name under which this worker claims jobs.
    client : DBOSClient
        For reading and writing beside the recorded steps.
    stopping : threading.Event
        Set when running jobs must end at once.
    running : set of str
        The ids of the jobs that run now.
    """

    executor: str
    client: DBOSClient
    stopping: threading.Event = field(default_factory=threading.Event)
    running: set[str] = field(default_factory=set)

    @contextmanager
    def counted(self, job_id: str) -> Iterator[None]:
        """Count a job among the running ones for as long as the block lasts."""
        self.running.add(job_id)
        try:
            yield
        finally:
            self.running.discard(job_id)


class RunningJob:
    """The ``JobContext`` of a job that runs in this worker; safe to call from any thread of the job's work."""

    def __init__(self, job_id: str, actor: str, scheduled_at: datetime | None, crew: Crew) -> None:
        self.job_id = job_id
        self.actor = actor
        self.scheduled_at = scheduled_at
        self._crew = crew
        self._lock = threading.Lock()
        self._unwritten: Payload | None = None
        self._written_at = self._asked_at = float("-inf")
        self._lost = False
        self._told = False

    def report(self, progress: Payload) -> None:
        """Show ``progress``; written at most every ``REPORT_EVERY_S``."""
        copy = engine.json_copy(progress)
        with self._lock:
            self._unwritten = copy
        self._write_report()

    def cancelled(self) -> bool:
        """Tell whether to stop; asked of the database at most every ``ASK_EVERY_S``."""
        with self._lock:
            if not self._told and time.monotonic() - self._asked_at >= ASK_EVERY_S:
                self._lost = self._taken_away()
                self._asked_at = time.monotonic()
            self._told = self._told or self._lost or self._crew.stopping.is_set()
            told, lost = self._told, self._lost
        if not lost:
            self._write_report()
        return told

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Run ``work`` as a recorded step."""
        return DBOS.run_step({"name": name}, self._guarded, work)

    def finish(self) -> None:
        """Write what was reported last and not yet written; to be called when the handler has ended, either way.

        Raises
        ------
        Interrupted
            When the handler was told to stop: what it returned or raised after that counts for nothing.
        """
        self._end_if_told()
        self._write_report(at_once=True)

    def _guarded(self, work: Callable[[], Result]) -> Result:
        if self._crew.stopping.is_set():
            raise Interrupted
        try:
            result = work()
        except FieldwiseError:
            self._end_if_told()
            raise
        except BaseException as error:
            self._end_if_told()
            logger.exception("a step of job %s failed", self.job_id)
            raise engine.foreseen(error) from error
        self._end_if_told()
        return cast("Result", engine.json_copy(result))

    def _end_if_told(self) -> None:
        # The work may be half done: it must not be recorded, but run again later or in another worker.
        if self._told:
            raise Interrupted

    def _taken_away(self) -> bool:
        try:
            rows = self._crew.client.list_workflows(workflow_ids=[self.job_id], load_input=False, load_output=False)
        except Exception as error:  # the work must survive a database that is away for a while
            logger.warning("cannot tell whether job %s is cancelled: %s", self.job_id, error)
            return False
        return not rows or rows[0].status != "PENDING" or rows[0].executor_id != self._crew.executor

    def _write_report(self, *, at_once: bool = False) -> None:
        with self._lock:
            now = time.monotonic()
            if self._unwritten is None or not (at_once or now - self._written_at >= REPORT_EVERY_S):
                return
            progress, self._unwritten = self._unwritten, None
            self._written_at = now
        try:
            self._crew.client.update_workflow_attributes(self.job_id, {"progress": progress})
        except Exception as error:  # progress is for the eye; the work goes on
            logger.warning("cannot write the progress of job %s: %s", self.job_id, error)


def workflow_of(kind: str, handler: JobHandler, crew: Crew) -> Callable[[datetime | None, Payload], Payload]:
    """Return the function that DBOS runs for jobs of a kind."""

    def workflow(scheduled_at: datetime | None, order: Payload) -> Payload:
        job_id = DBOS.workflow_id
        assert job_id is not None, "DBOS runs this as a workflow"
        job = RunningJob(job_id, order["actor"], scheduled_at, crew)
        with crew.counted(job_id):
            try:
                result = engine.json_copy(handler.run(job, order["payload"]))
            except FieldwiseError:
                job.finish()
                raise
            except (Interrupted, dbos_error.DBOSBaseException):
                raise
            except BaseException as error:
                # Panics of native libraries are no Exception, and DBOS would leave such a job running for ever.
                job.finish()
                logger.exception("job %s (%s) failed", job_id, kind)
                raise engine.foreseen(error) from error
            job.finish()
            return cast("Payload", result)

    return workflow
