"""What a worker promises beyond running jobs: names, schedules, upgrades, orderly ends; and its small parts."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.jobs import JobContext, JobHandler, Jobs, ScheduledJob, Worker, WorkerSettings, jobs_database_url
from api.jobs.doorbell import Bell
from api.jobs.engine import JobFailed, JsonSerializer
from api.jobs.lease import FileLease, ServerLease
from common.errors import Conflict, FieldProblem, FieldwiseError, InvalidInput, NotFound, Text

Payload = dict[str, Any]
SHANGHAI = timezone(timedelta(hours=8))
QUICK = WorkerSettings(drain_s=0.1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'jobs.db'}"


def echo(_job: JobContext, payload: Payload) -> Payload:
    return payload


def in_steps(first: str, begun: threading.Event, go: threading.Event) -> dict[str, JobHandler]:
    def second(job: JobContext) -> None:
        begun.set()
        while not (go.is_set() or job.cancelled()):
            time.sleep(0.01)

    def run(job: JobContext, _payload: Payload) -> Payload:
        job.step(first, lambda: 1)
        job.step("second", lambda: second(job))
        return {}

    return {"steps": JobHandler("train", run)}


def interrupted_job(url: str) -> str:
    """Return a job that a stopped worker left in its second step."""
    begun = threading.Event()
    handlers = in_steps("first", begun, threading.Event())
    worker, jobs = Worker(url, handlers, settings=QUICK), Jobs(url, handlers)
    worker.start()
    job_id = jobs.enqueue("steps", {}, actor="ann")
    assert begun.wait(10)
    assert worker.stop(), "the step listens to cancelled()"
    assert jobs.state(job_id).status == "running"
    jobs.close()
    return job_id


@pytest.mark.parametrize(
    ("first_step", "status"), [("first", "done"), ("another name", "failed")], ids=["same steps", "changed steps"]
)
def test_a_job_under_way_at_an_upgrade_goes_on_unless_its_steps_changed(url: str, first_step: str, status: str) -> None:
    job_id = interrupted_job(url)
    go = threading.Event()
    go.set()
    handlers = in_steps(first_step, threading.Event(), go)
    worker, jobs = Worker(url, handlers, settings=QUICK), Jobs(url, handlers)
    worker.start()
    state = jobs.wait(job_id, 10)
    worker.stop()
    jobs.close()
    assert state.status == status
    if status == "failed":
        assert "upgrade" in (state.problem or {})["text"]["en"]


def test_schedules_that_a_release_no_longer_has_are_dropped(url: str) -> None:
    handlers = {"echo": JobHandler("solve", echo)}
    for schedules in ([ScheduledJob("old", "* * * * * *", "echo")], []):
        worker, jobs = Worker(url, handlers, schedules=schedules, settings=QUICK), Jobs(url, handlers)
        worker.start()
        deadline = time.monotonic() + 10
        while schedules and not jobs.list() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not schedules:
            known = {state.id for state in jobs.list(limit=1000)}
            time.sleep(1.2)
            assert {state.id for state in jobs.list(limit=1000)} == known
        worker.stop()
        assert jobs.list(), "the schedule ran in the first place"
        jobs.close()


def test_a_job_that_kept_killing_its_worker_says_so(url: str, tmp_path: Path) -> None:
    jobs = Jobs(url, {"echo": JobHandler("solve", echo)})
    job_id = jobs.enqueue("echo", {}, actor="ann")
    with sqlite3.connect(tmp_path / "jobs.db") as connection:  # as DBOS leaves it after the last attempt
        connection.execute("UPDATE workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'")
    state = jobs.state(job_id)
    jobs.close()
    assert state.status == "failed"
    assert "died each time" in (state.problem or {})["text"]["en"]


def test_a_worker_with_a_broken_schedule_does_not_start_and_another_one_may(url: str) -> None:
    handlers = {"echo": JobHandler("solve", echo)}
    worker = Worker(url, handlers, schedules=[ScheduledJob("nightly", "30 3 * *", "echo")], settings=QUICK)
    with pytest.raises(InvalidInput) as caught:
        worker.start()
    assert [field.pointer for field in caught.value.fields] == ["/schedules/0/cron"]
    other = Worker(url, handlers, settings=QUICK)
    other.start()
    assert other.stop()


@pytest.mark.parametrize(
    ("schedule", "zone", "pointer"),
    [
        (ScheduledJob("nightly", "30 3 * * *", "dance"), "Asia/Shanghai", "/schedules/0/kind"),
        (ScheduledJob("nightly", "30 3 * * *", "echo"), "Asia/Atlantis", "/time_zone"),
    ],
)
def test_a_wrong_schedule_is_refused_before_anything_starts(
    url: str, schedule: ScheduledJob, zone: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Worker(url, {"echo": JobHandler("solve", echo)}, schedules=[schedule], settings=WorkerSettings(time_zone=zone))
    assert [field.pointer for field in caught.value.fields] == [pointer]


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"concurrency": {"solve": 0}}, "/concurrency/solve"),
        ({"concurrency": {"dance": 1}}, "/concurrency/dance"),
        ({"poll_s": 0}, "/poll_s"),
        ({"poll_s": float("nan")}, "/poll_s"),
        ({"drain_s": -1}, "/drain_s"),
    ],
)
def test_wrong_settings_name_the_field(settings: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        WorkerSettings(**settings)
    assert [field.pointer for field in caught.value.fields] == [pointer]


def test_the_jobs_of_sqlite_have_a_file_beside_it_and_those_of_postgresql_the_same_database() -> None:
    assert jobs_database_url("sqlite:////srv/var/fieldwise.db") == "sqlite:////srv/var/jobs.db"
    assert jobs_database_url("sqlite+pysqlite:///var/fieldwise.db?timeout=3") == "sqlite:///var/jobs.db"
    assert jobs_database_url("postgresql+psycopg://u@h/d") == "postgresql+psycopg://u@h/d"
    for memory in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(InvalidInput):
            jobs_database_url(memory)


def test_importing_the_package_and_naming_the_jobs_loads_no_dbos() -> None:
    code = "import sys; from api.jobs import Jobs; Jobs('sqlite:///x/jobs.db', {}); print('dbos' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip() == "False"


@pytest.fixture
def little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.jobs.lease.GRACE_S", 0.2)


@pytest.mark.usefixtures("little_grace")
def test_one_worker_at_a_time_has_a_sqlite_database(tmp_path: Path) -> None:
    file = str(tmp_path / "jobs.db")
    first = FileLease(file, "first")
    with first.orphaned("somebody who was here before") as dead:
        assert dead
    with first.orphaned("first") as dead:
        assert not dead
    with pytest.raises(Conflict):
        FileLease(file, "second")
    first.close()
    FileLease(file, "second").close()


@pytest.mark.usefixtures("little_grace")
def test_on_postgresql_a_name_is_one_workers_for_as_long_as_it_lives(postgres_url: Callable[[], str]) -> None:
    url = postgres_url()
    first, second = ServerLease(url, None), ServerLease(url.replace("postgresql://", "postgresql+psycopg://"), None)
    assert second.name == f"{first.name}-2"
    with pytest.raises(Conflict):
        ServerLease(url, first.name)
    with first.orphaned(second.name) as dead:
        assert not dead
    second.close()
    deadline = time.monotonic() + 5
    dead = False
    while not dead and time.monotonic() < deadline:
        with first.orphaned(second.name) as dead:
            pass
    assert dead
    first.close()


@pytest.mark.usefixtures("little_grace")
def test_a_worker_takes_its_name_again_when_the_server_drops_its_connection(postgres_url: Callable[[], str]) -> None:
    import psycopg

    url = postgres_url()
    lease = ServerLease(url, "steady")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    lease.renew()
    with pytest.raises(Conflict):
        ServerLease(url, "steady")
    lease.close()


def test_a_bell_ends_the_present_or_the_next_sleep_and_only_that() -> None:
    bell = Bell()
    bell.ring()
    assert not bell.wait(10)
    before_s = time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - before_s >= 0.05
    bell.set()
    assert bell.wait(10)
    assert bell.is_set()


texts = st.builds(Text, st.text(), st.text())
errors = st.builds(
    lambda kind, text, fields: kind(text, fields=fields),
    st.sampled_from([InvalidInput, NotFound, Conflict, JobFailed]),
    texts,
    st.lists(st.builds(FieldProblem, st.text(), texts), max_size=3),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(errors)
def test_an_error_comes_back_from_the_store_as_it_went_in(error: FieldwiseError) -> None:
    back = JsonSerializer().deserialize(JsonSerializer().serialize(error))
    assert (type(back), back.text, back.fields) == (type(error), error.text, error.fields)


@given(json_values, st.datetimes(timezones=st.just(SHANGHAI)) | st.none())
def test_a_payload_comes_back_from_the_store_as_it_went_in(payload: object, moment: object) -> None:
    order = {"actor": "ann", "payload": payload}
    stored = JsonSerializer().serialize({"args": (moment, order), "kwargs": {}})
    assert JsonSerializer().deserialize(stored) == {"args": [moment, order], "kwargs": {}}
