"""What a job is, for those who write handlers and for those who read its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal, Protocol, TypeVar, get_args

from common.errors import InvalidInput

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
QueueName = Literal["solve", "train", "import"]
QUEUES: tuple[QueueName, ...] = get_args(QueueName)
Payload = dict[str, Any]
Result = TypeVar("Result")


class JobContext(Protocol):
    """What a running job may ask of the worker that runs it."""

    @property
    def job_id(self) -> str:
        """The job's id: the key under which a step stores its effect, so that a repeated step changes nothing."""
        ...

    @property
    def actor(self) -> str:
        """Who asked for the job; ``schedule:<name>`` for scheduled ones."""
        ...

    @property
    def scheduled_at(self) -> datetime | None:
        """The moment for which a schedule asked for the job, None for jobs that people asked for."""
        ...

    def report(self, progress: Payload) -> None:
        """Show ``progress`` (a JSON object) to those who read the job's state.

        May be called as often as one likes: the newest report is written at most twice a second, and at the end.
        """
        ...

    def cancelled(self) -> bool:
        """Tell whether the work should stop now; asks the database at most five times a second.

        True when somebody cancelled the job, when the worker is shutting down, or when another worker took the job
        over. Whatever a step returns after that is thrown away, so the quickest way out is the right one.
        """
        ...

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Run ``work`` once and store what it returns; after a crash the stored result is returned instead.

        A step that was cut off by a crash runs again from its beginning, so its effect must be idempotent (a single
        commit keyed by ``job_id``). Steps must come in the same order whenever the same job runs.

        Parameters
        ----------
        name : str
            The step's name within the job.
        work : callable
            Returns something that JSON can hold; tuples come back as lists, at the first run already.

        Raises
        ------
        FieldwiseError
            What ``work`` raised. Any other exception is logged and becomes ``JobFailed``.
        """
        ...


@dataclass(frozen=True, slots=True)
class JobHandler:
    """How jobs of a kind are run.

    Attributes
    ----------
    queue : {"solve", "train", "import"}
        The queue that they wait in; each has its own number of jobs that a worker runs at a time.
    run : callable
        Does the work: gets the context and the payload, returns a JSON object, calls one use case.
    """

    queue: QueueName
    run: Callable[[JobContext, Payload], Payload]


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job that the workers ask for by themselves.

    Attributes
    ----------
    name : str
        Unique name of the schedule.
    cron : str
        Five fields (minute, hour, day, month, weekday), read in the workers' time zone; or six, seconds first.
    kind : str
        The kind of job, as in the table of handlers.
    payload : dict
        A JSON object, given to each run.
    """

    name: str
    cron: str
    kind: str
    payload: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as it stands at one moment.

    Attributes
    ----------
    status : {"queued", "running", "done", "failed", "cancelled"}
        The last three are final.
    started_at : datetime or None
        Start of the newest attempt in UTC; None while queued, and once cancelled.
    progress : dict or None
        What the handler reported last.
    result : dict or None
        What the handler returned; only when done.
    problem : dict or None
        Why it failed; only when failed: ``{"kind", "text": {"en", "zh"}, "fields": [{"pointer", "text"}]}``.
    created_by : str
        The actor given to ``enqueue``, or ``schedule:<name>``.
    """

    id: str
    kind: str
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Payload | None
    result: Payload | None
    problem: Payload | None
    created_by: str

    @property
    def finished(self) -> bool:
        """Whether the status is final."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker works.

    Attributes
    ----------
    name : str or None
        Name of this worker, unique among those alive; None takes the host's name, numbered when it is taken.
    concurrency : mapping
        How many jobs of each queue this worker runs at a time; queues left out run one at a time.
    poll_s : float
        How often the worker asks whether a job waits; the longest that one waits for a free worker.
    drain_s : float
        How long running jobs may go on after the worker was asked to stop.
    time_zone : str
        IANA zone in which schedules are read.
    """

    name: str | None = None
    concurrency: Mapping[QueueName, int] = field(default_factory=lambda: {"solve": 2, "train": 1, "import": 1})
    poll_s: float = 0.05
    drain_s: float = 5.0
    time_zone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        for queue, jobs in self.concurrency.items():
            if queue not in QUEUES:
                raise InvalidInput.at(f"/concurrency/{queue}", "there is no such queue", "没有这个队列")
            if jobs < 1:
                raise InvalidInput.at(f"/concurrency/{queue}", "must be at least 1", "至少为 1")
        if not 0.01 <= self.poll_s <= 60:
            raise InvalidInput.at("/poll_s", "must lie between 0.01 and 60 seconds", "须在 0.01 到 60 秒之间")
        if self.drain_s < 0:
            raise InvalidInput.at("/drain_s", "must not be negative", "不能为负")


def jobs_database_url(database_url: str) -> str:
    """Return where the jobs of a business database live.

    Parameters
    ----------
    database_url : str
        SQLAlchemy address of the business database.

    Returns
    -------
    str
        For SQLite a file ``jobs.db`` in the same folder (its writers then never wait for the business database's);
        for PostgreSQL the same database, where the jobs have a schema of their own.
    """
    if not database_url.startswith("sqlite"):
        return database_url
    scheme, separator, path = database_url.partition(":///")
    if not separator or path in ("", ":memory:"):
        raise InvalidInput.at(
            "/database_url",
            "durable jobs need a database file, not one in memory",
            "持久任务需要数据库文件，不能用内存库",
        )
    return f"{scheme.partition('+')[0]}:///{PurePath(path.partition('?')[0]).with_name('jobs.db')}"
