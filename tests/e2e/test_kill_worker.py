"""Workers that are killed, stopped and replaced in the middle of a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.jobs import JobHandler, Jobs, JobState

PROGRAM = Path(__file__).with_name("three_step_worker.py")
ROOT = PROGRAM.parents[2]

StartWorker = Callable[[str], subprocess.Popen[bytes]]


def never_run_here(*_: object) -> dict[str, object]:
    raise AssertionError("the service runs no jobs")


def until(condition: Callable[[], bool], what: str, *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    return str(request.getfixturevalue("postgres_url")())


@pytest.fixture
def jobs(url: str) -> Iterator[Jobs]:
    jobs = Jobs(url, {"three-steps": JobHandler("import", never_run_here)})
    yield jobs
    jobs.close()


@pytest.fixture
def start_worker(url: str, tmp_path: Path) -> Iterator[StartWorker]:
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, str(PROGRAM), url, str(tmp_path), name], cwd=ROOT, env=_environment()
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def begin_second_step(jobs: Jobs, folder: Path) -> str:
    job_id = jobs.enqueue("three-steps", {"of": "the test"}, actor="ann")
    until((folder / "begun").exists, "the second step")
    return job_id


def assert_all_done_once(state: JobState, folder: Path) -> None:
    lines = [f"{state.id} {step}" for step in ("one", "two", "three")]
    assert state.status == "done", state.problem
    assert state.result == {"lines": lines, "of": "the test"}
    assert (folder / "effects").read_text().splitlines() == lines


def test_a_job_whose_worker_is_killed_in_its_second_step_finishes_after_a_restart_and_does_nothing_twice(
    jobs: Jobs, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("one-name")
    job_id = begin_second_step(jobs, tmp_path)
    worker.kill()
    worker.wait()
    assert jobs.state(job_id).status == "running"
    assert (tmp_path / "effects").read_text().splitlines() == [f"{job_id} one"]

    (tmp_path / "go").touch()
    start_worker("one-name")

    assert_all_done_once(jobs.wait(job_id, 20), tmp_path)
    assert (tmp_path / "begun").read_text().splitlines() == ["two", "two"], "the cut-off step runs again, and no other"


def test_a_worker_that_is_asked_to_stop_ends_soon_and_its_job_goes_on_in_the_next_one(
    jobs: Jobs, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("first")
    job_id = begin_second_step(jobs, tmp_path)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(8) == 0
    assert jobs.state(job_id).status == "running"

    (tmp_path / "go").touch()
    start_worker("second")

    assert_all_done_once(jobs.wait(job_id, 20), tmp_path)


def test_a_living_worker_takes_over_the_job_of_one_that_died_and_leaves_the_living_alone(
    postgres_url: Callable[[], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = postgres_url()
    jobs = Jobs(address, {"three-steps": JobHandler("import", never_run_here)})
    workers = {
        name: subprocess.Popen(
            [sys.executable, str(PROGRAM), address, str(tmp_path), name], cwd=ROOT, env=_environment()
        )
        for name in ("left", "right")
    }
    request.addfinalizer(lambda: [(worker.kill(), worker.wait()) for worker in workers.values()])
    # One import at a time and worker: two jobs, so each worker has one.
    first = jobs.enqueue("three-steps", {"of": "the test"}, actor="ann")
    second = jobs.enqueue("three-steps", {"of": "the test"}, actor="ann")
    begun = tmp_path / "begun"
    until(lambda: begun.exists() and begun.read_text().count("two") == 2, "both jobs")
    time.sleep(2.5)  # both workers have looked for orphans by now
    assert begun.read_text().count("two") == 2, "a living worker's job was taken over"

    workers["left"].kill()
    workers["left"].wait()
    (tmp_path / "go").touch()

    assert [jobs.wait(job_id, 20).status for job_id in (first, second)] == ["done", "done"]
    lines = sorted(f"{job_id} {step}" for job_id in (first, second) for step in ("one", "two", "three"))
    assert sorted((tmp_path / "effects").read_text().splitlines()) == lines
    jobs.close()


def test_a_second_worker_on_sqlite_is_refused_in_one_line(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'jobs.db'}"
    command = [sys.executable, str(PROGRAM), address, str(tmp_path)]
    first = subprocess.Popen([*command, "first"], cwd=ROOT, env=_environment())
    try:
        jobs = Jobs(address, {"three-steps": JobHandler("import", never_run_here)})
        begin_second_step(jobs, tmp_path)
        second = subprocess.run(
            [*command, "second"], cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=30, check=False
        )
        jobs.close()
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 1
    assert "Another worker already runs on this SQLite database" in second.stderr.splitlines()[-1]
