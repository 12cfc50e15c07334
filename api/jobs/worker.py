"""The process that runs jobs: takes them from the queues, recovers those of dead workers, keeps the schedules."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from api.jobs.model import QUEUES, JobHandler, ScheduledJob, WorkerSettings
from common.errors import InvalidInput

if TYPE_CHECKING:
    from types import FrameType

    from dbos import ClientScheduleInput

    from api.jobs.doorbell import Doorbell
    from api.jobs.lease import Lease
    from api.jobs.running import Crew

LOOK_AFTER_EVERY_S = 2.0
# How long jobs that were told to stop may take to do so.
_STOP_S = 2.0
# A job that kills its worker each time must not do so for ever.
_MOST_RECOVERIES = 5

logger = logging.getLogger(__name__)


class Worker:
    """Runs jobs in threads of this process; one worker a process.

    Parameters
    ----------
    system_database_url : str
        Where the jobs live, see ``jobs_database_url``.
    handlers : mapping of str to JobHandler
        How each kind of job is run.
    schedules : sequence of ScheduledJob
        The jobs that are asked for by the clock; schedules of former releases that are not among them are dropped.
    settings : WorkerSettings
        Names, numbers and times.

    Raises
    ------
    InvalidInput
        When a schedule names an unknown kind, or the time zone is unknown.
    """

    def __init__(
        self,
        system_database_url: str,
        handlers: Mapping[str, JobHandler],
        *,
        schedules: Sequence[ScheduledJob] = (),
        settings: WorkerSettings | None = None,
    ) -> None:
        self._url = system_database_url
        self._handlers = dict(handlers)
        self._schedules = tuple(schedules)
        self._settings = settings or WorkerSettings()
        self._crew: Crew | None = None
        self._lease: Lease | None = None
        self._doorbell: Doorbell | None = None
        self._ended = threading.Event()
        self._caretaker = threading.Thread(target=self._look_after, name="jobs-caretaker", daemon=True)
        _check_schedules(self._schedules, self._handlers, self._settings.time_zone)

    @property
    def name(self) -> str:
        """The name under which this worker claims jobs.

        Raises
        ------
        RuntimeError
            When it has not been started.
        """
        if self._lease is None:
            raise RuntimeError("the worker has not been started")
        return self._lease.name

    def start(self) -> None:
        """Begin to run jobs, first of all those that this worker or dead ones left unfinished.

        Raises
        ------
        InvalidInput
            When a schedule has no valid cron expression.
        Conflict
            When a worker of that name is alive, or on SQLite any worker.
        Unavailable
            When the database does not answer.
        """
        from api.jobs import engine
        from api.jobs.lease import take_lease
        from api.jobs.running import Crew

        client = engine.open_client(self._url)
        try:
            self._lease = take_lease(self._url, self._settings.name)
            self._crew = Crew(self._lease.name, client)
            with engine.database_errors():
                self._write_queues_and_schedules(self._crew)
                self._launch(self._crew)
        except BaseException:
            if self._lease is not None:
                self._lease.close()
            client.destroy()
            self._crew = self._lease = None
            raise
        self._caretaker.start()
        logger.info("worker %s runs %s", self.name, ", ".join(self._handlers))

    def stop(self) -> bool:
        """Take no more jobs; let running ones end for ``drain_s``, then tell them to stop until the next start.

        Returns
        -------
        bool
            Whether all of them stopped; the threads of those that did not keep the process from ending.
        """
        from dbos import DBOS

        crew, lease = self._crew, self._lease
        if crew is None or lease is None:
            return True
        self._ended.set()
        if self._doorbell is not None:
            self._doorbell.stop()
        impatience = threading.Timer(self._settings.drain_s, crew.stopping.set)
        impatience.daemon = True
        impatience.start()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=math.ceil(self._settings.drain_s + _STOP_S))
        impatience.cancel()
        crew.stopping.set()
        self._caretaker.join(timeout=LOOK_AFTER_EVERY_S)
        stopped = not crew.running
        if not stopped:
            logger.warning("left to the next worker: %s", ", ".join(sorted(crew.running)))
        crew.client.destroy()
        lease.close()
        self._crew = self._lease = None
        return stopped

    def _launch(self, crew: Crew) -> None:
        from dbos import DBOS

        from api.jobs import engine
        from api.jobs.doorbell import Doorbell
        from api.jobs.running import workflow_of

        dbos = DBOS(config=engine.configuration(self._url, crew.executor))
        try:
            dbos.listen_queues([])  # the doorbell listens
            for kind, handler in self._handlers.items():
                DBOS.workflow(name=kind, max_recovery_attempts=_MOST_RECOVERIES)(workflow_of(kind, handler, crew))
            DBOS.launch()
            self._doorbell = Doorbell(self._url, dbos, QUEUES, poll_s=self._settings.poll_s)
            self._doorbell.start()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise

    def _write_queues_and_schedules(self, crew: Crew) -> None:
        from dbos import error as dbos_error

        from api.jobs.doorbell import LOOK_ANYWAY_S

        for queue in QUEUES:
            crew.client.register_queue(
                queue,
                worker_concurrency=self._settings.concurrency.get(queue, 1),
                polling_interval_sec=LOOK_ANYWAY_S,
            )
        wanted = {schedule.name for schedule in self._schedules}
        for stored in crew.client.list_schedules():
            if stored["schedule_name"] not in wanted:
                crew.client.delete_schedule(stored["schedule_name"])
        for index, schedule in enumerate(self._schedules):
            try:
                crew.client.apply_schedules([self._stored_schedule(schedule)])
            except dbos_error.DBOSException:
                raise InvalidInput.at(
                    f"/schedules/{index}/cron", f"{schedule.cron!r} is no cron expression", "不是有效的 cron 表达式"
                ) from None

    def _stored_schedule(self, schedule: ScheduledJob) -> ClientScheduleInput:
        return {
            "schedule_name": schedule.name,
            "workflow_name": schedule.kind,
            "schedule": schedule.cron,
            "context": {"actor": f"schedule:{schedule.name}", "payload": schedule.payload},
            "cron_timezone": self._settings.time_zone,
            "queue_name": self._handlers[schedule.kind].queue,
        }

    def _look_after(self) -> None:
        """Every few seconds: hold on to the name, and take over the jobs of workers that died."""
        crew, lease = self._crew, self._lease
        assert crew is not None, "started after both are there"
        assert lease is not None, "started after both are there"
        while True:
            try:
                lease.renew()
                self._adopt_orphans(crew, lease)
            except Exception as error:  # the database may be away for a while; jobs under way go on
                if not self._ended.is_set():
                    logger.warning("worker %s could not look after the others: %s", crew.executor, error)
            if self._ended.wait(LOOK_AFTER_EVERY_S):
                return

    def _adopt_orphans(self, crew: Crew, lease: Lease) -> None:
        from dbos import DBOS

        claimed = crew.client.list_workflows(status="PENDING", load_input=False, load_output=False)
        for other in {row.executor_id or "" for row in claimed} - {"", lease.name}:
            with lease.orphaned(other) as dead:
                if dead:
                    logger.warning("worker %s died; taking over its jobs", other)
                    # Puts back into their queues those that the dead worker still holds at this moment, and no others.
                    DBOS._recover_pending_workflows([other])


def _check_schedules(schedules: Sequence[ScheduledJob], handlers: Mapping[str, JobHandler], time_zone: str) -> None:
    if not schedules:
        return
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInput.at("/time_zone", f"{time_zone} is no time zone", f"没有“{time_zone}”这个时区") from None
    for index, schedule in enumerate(schedules):
        if schedule.kind not in handlers:
            raise InvalidInput.at(
                f"/schedules/{index}/kind",
                f"there are no jobs of kind {schedule.kind!r}",
                f"没有“{schedule.kind}”这种任务",
            )


def run_worker(
    system_database_url: str,
    handlers: Mapping[str, JobHandler],
    *,
    schedules: Sequence[ScheduledJob] = (),
    settings: WorkerSettings | None = None,
) -> None:
    """Run a worker in this process until it gets SIGTERM or SIGINT; call it from the main thread.

    Jobs that do not stop in time are left where they are and the process ends without waiting for their threads: the
    next worker repeats the step they were in.

    Raises
    ------
    InvalidInput, Conflict, Unavailable
        As ``Worker`` and ``Worker.start``.
    """
    asked_to_stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    former = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        worker = Worker(system_database_url, handlers, schedules=schedules, settings=settings)
        worker.start()
        asked_to_stop.wait()
        if not worker.stop():
            logging.shutdown()
            os._exit(0)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
