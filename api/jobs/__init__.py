"""Durable and scheduled jobs: the service asks for them, workers run them, a killed worker loses none.

Importing this package is cheap; DBOS, which stores and recovers the jobs, is loaded on first use.
"""

from api.jobs.model import (
    QUEUES,
    JobContext,
    JobHandler,
    JobState,
    JobStatus,
    QueueName,
    ScheduledJob,
    WorkerSettings,
    jobs_database_url,
)
from api.jobs.service import Jobs
from api.jobs.worker import Worker, run_worker

__all__ = [
    "QUEUES",
    "JobContext",
    "JobHandler",
    "JobState",
    "JobStatus",
    "Jobs",
    "QueueName",
    "ScheduledJob",
    "Worker",
    "WorkerSettings",
    "jobs_database_url",
    "run_worker",
]
