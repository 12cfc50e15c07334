"""Jobs as the service and the handlers see them, on both databases, run by a worker in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.jobs import JobContext, JobHandler, Jobs, ScheduledJob, Worker, WorkerSettings
from common.errors import Conflict, InvalidInput, NotFound, Unavailable

Payload = dict[str, Any]


class Panic(BaseException):
    """What native libraries raise."""


class Stage:
    """What the handlers of these tests did and wait for."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.told_at_s: dict[str, float] = {}
        self.scheduled: list[tuple[str, datetime | None, Payload]] = []
        self.gate = threading.Event()

    def echo(self, job: JobContext, payload: Payload) -> Payload:
        self.runs.append(job.job_id)
        return {"payload": payload, "actor": job.actor, "stepped": job.step("pair", lambda: (1, 2))}

    def wait_until_told(self, job: JobContext, _payload: Payload) -> Payload:
        def work() -> str:
            self.runs.append(job.job_id)
            while not job.cancelled():
                time.sleep(0.02)
            self.told_at_s[job.job_id] = time.monotonic()
            return "half done"

        return {"work": job.step("work", work), "stored": job.step("store", lambda: self.runs.append("stored"))}

    def count(self, job: JobContext, payload: Payload) -> Payload:
        for done in range(payload["steps"]):
            job.report({"done": done + 1})
        return {}

    def pass_gate(self, job: JobContext, _payload: Payload) -> Payload:
        self.runs.append(job.job_id)
        self.gate.wait(10)
        return {}

    def fail(self, job: JobContext, payload: Payload) -> Payload:
        def work() -> None:
            if payload["how"] == "foreseen":
                raise InvalidInput.at("/stops/3", "lies in the sea", "位于海中")
            raise {"unforeseen": KeyError, "panic": Panic}[payload["how"]]("secret detail")

        if payload["where"] == "step":
            job.step("work", work)
        work()
        return {}

    def unwritable(self, job: JobContext, _payload: Payload) -> Payload:
        return {"cost": float("nan")}

    def tick(self, job: JobContext, payload: Payload) -> Payload:
        self.scheduled.append((job.actor, job.scheduled_at, payload))
        return {}

    @property
    def handlers(self) -> dict[str, JobHandler]:
        return {
            "echo": JobHandler("solve", self.echo),
            "wait": JobHandler("solve", self.wait_until_told),
            "count": JobHandler("import", self.count),
            "gate": JobHandler("train", self.pass_gate),
            "fail": JobHandler("import", self.fail),
            "unwritable": JobHandler("import", self.unwritable),
            "tick": JobHandler("import", self.tick),
        }


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'jobs.db'}"
    return str(request.getfixturevalue("postgres_url")())


@pytest.fixture(scope="module")
def jobs(url: str, stage: Stage) -> Iterator[Jobs]:
    worker = Worker(
        url,
        stage.handlers,
        schedules=[ScheduledJob("every-second", "* * * * * *", "tick", {"region": "north"})],
        settings=WorkerSettings(drain_s=0.2),
    )
    worker.start()
    jobs = Jobs(url, stage.handlers)
    yield jobs
    jobs.close()
    assert worker.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def run(jobs: Jobs, kind: str, payload: Payload) -> Any:
    return jobs.wait(jobs.enqueue(kind, payload, actor="ann"), 10)


def test_a_job_is_done_with_its_result_and_tells_who_asked_and_when(jobs: Jobs) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    state = run(jobs, "echo", {"customer": "李雷", "$problem": {}, "args": [1, 2], "nul": "\0"})
    assert (state.status, state.kind, state.created_by, state.problem) == ("done", "echo", "ann", None)
    assert state.result["payload"] == {"customer": "李雷", "$problem": {}, "args": [1, 2], "nul": "\0"}
    assert state.result["actor"] == "ann"
    assert before <= state.created_at <= state.started_at <= state.finished_at <= datetime.now(UTC)


def test_a_step_returns_at_its_first_run_what_it_would_return_from_the_store(jobs: Jobs) -> None:
    assert run(jobs, "echo", {}).result["stepped"] == [1, 2]


def test_asking_twice_under_one_id_asks_for_one_job(jobs: Jobs, stage: Stage) -> None:
    job_id = f"plan-{uuid4()}"
    assert jobs.enqueue("echo", {"try": 1}, actor="ann", job_id=job_id) == job_id
    assert jobs.enqueue("echo", {"try": 2}, actor="bob", job_id=job_id) == job_id
    jobs.wait(job_id, 10)
    assert jobs.enqueue("echo", {"try": 3}, actor="bob", job_id=job_id) == job_id
    state = jobs.wait(job_id, 10)
    assert (state.result or {})["payload"] == {"try": 1}
    assert state.created_by == "ann"
    assert stage.runs.count(job_id) == 1


def test_an_id_of_another_kind_of_job_is_a_conflict(jobs: Jobs) -> None:
    job_id = jobs.enqueue("echo", {}, actor="ann")
    with pytest.raises(Conflict):
        jobs.enqueue("count", {"steps": 1}, actor="ann", job_id=job_id)


@pytest.mark.parametrize("job_id", ["unknown", "", " ", "a\0b", "\ud800", "x" * 5000])
def test_an_id_that_no_job_has_is_not_found(jobs: Jobs, job_id: str) -> None:
    with pytest.raises(NotFound):
        jobs.state(job_id)
    with pytest.raises(NotFound):
        jobs.cancel(job_id)


@pytest.mark.parametrize(
    ("kind", "payload", "job_id", "pointer"),
    [
        ("dance", {}, None, "/kind"),
        ("echo", {"at": datetime(2026, 1, 1, tzinfo=UTC)}, None, "/payload"),
        ("echo", {"cost": float("inf")}, None, "/payload"),
        ("echo", {}, " ", "/job_id"),
        ("echo", {}, "x" * 201, "/job_id"),
        ("echo", {}, "a\0b", "/job_id"),
    ],
)
def test_a_wrong_order_names_the_field_and_makes_no_job(
    jobs: Jobs, kind: str, payload: Payload, job_id: str | None, pointer: str
) -> None:
    before = [state.id for state in jobs.list(kind="echo", limit=1000)]
    with pytest.raises(InvalidInput) as caught:
        jobs.enqueue(kind, payload, actor="ann", job_id=job_id)
    assert [field.pointer for field in caught.value.fields] == [pointer]
    assert [state.id for state in jobs.list(kind="echo", limit=1000)] == before


def test_a_cancelled_job_is_told_within_a_second_and_goes_no_further(jobs: Jobs, stage: Stage) -> None:
    job_id = jobs.enqueue("wait", {}, actor="ann")
    until(lambda: job_id in stage.runs)
    cancelled_at_s = time.monotonic()
    assert jobs.cancel(job_id).status == "cancelled"
    until(lambda: job_id in stage.told_at_s)
    assert stage.told_at_s[job_id] - cancelled_at_s < 1
    state = jobs.cancel(job_id)  # once more is as once
    assert (state.status, state.result, state.problem) == ("cancelled", None, None)
    assert state.finished_at is not None
    assert run(jobs, "echo", {}).status == "done", "its place is free again"
    assert "stored" not in stage.runs


def test_a_job_cancelled_while_it_waits_never_runs(jobs: Jobs, stage: Stage) -> None:
    stage.gate.clear()
    first = jobs.enqueue("gate", {}, actor="ann")
    until(lambda: first in stage.runs)
    second = jobs.enqueue("gate", {}, actor="ann")
    state = jobs.state(second)
    assert (state.status, state.started_at) == ("queued", None)
    jobs.cancel(second)
    stage.gate.set()
    assert jobs.wait(first, 10).status == "done"
    third = jobs.enqueue("gate", {}, actor="ann")
    assert jobs.wait(third, 10).status == "done"
    assert second not in stage.runs


def test_a_finished_job_cannot_be_cancelled(jobs: Jobs) -> None:
    state = run(jobs, "echo", {})
    with pytest.raises(Conflict) as caught:
        jobs.cancel(state.id)
    assert "done" in caught.value.text.en
    assert jobs.state(state.id) == state


def test_a_full_queue_holds_up_its_own_jobs_only(jobs: Jobs, stage: Stage) -> None:
    stage.gate.clear()
    first, second = (jobs.enqueue("gate", {}, actor="ann") for _ in range(2))
    until(lambda: first in stage.runs or second in stage.runs)
    assert run(jobs, "echo", {}).status == "done"
    assert {jobs.state(first).status, jobs.state(second).status} == {"running", "queued"}
    stage.gate.set()
    assert [jobs.wait(job_id, 10).status for job_id in (first, second)] == ["done", "done"]


def test_progress_is_seen_and_its_last_report_stays(jobs: Jobs) -> None:
    assert run(jobs, "count", {"steps": 1000}).progress == {"done": 1000}


def test_waiting_gives_the_state_as_it_is_when_time_is_up(jobs: Jobs) -> None:
    job_id = jobs.enqueue("wait", {}, actor="ann")
    assert jobs.wait(job_id, 0.3).status in ("queued", "running")
    jobs.cancel(job_id)


@pytest.mark.parametrize("where", ["step", "handler"])
def test_a_failed_job_tells_the_problem_in_both_languages_and_the_field(jobs: Jobs, where: str) -> None:
    state = run(jobs, "fail", {"how": "foreseen", "where": where})
    text = {"en": "lies in the sea", "zh": "位于海中"}
    assert (state.status, state.result) == ("failed", None)
    assert state.problem == {"kind": "InvalidInput", "text": text, "fields": [{"pointer": "/stops/3", "text": text}]}


@pytest.mark.parametrize("how", ["unforeseen", "panic"])
@pytest.mark.parametrize("where", ["step", "handler"])
def test_an_unforeseen_failure_keeps_its_details_in_the_log(
    jobs: Jobs, how: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    problem = run(jobs, "fail", {"how": how, "where": where}).problem
    assert problem["kind"] == "JobFailed"
    assert problem["text"]["en"]
    assert problem["text"]["zh"]
    assert "secret" not in str(problem)
    assert caplog.text.count("Traceback") == 1, "told once"
    assert "secret detail" in caplog.text


def test_a_result_that_json_cannot_hold_fails_the_job(jobs: Jobs) -> None:
    assert run(jobs, "unwritable", {}).problem["kind"] == "JobFailed"


def test_a_schedule_asks_for_its_job_with_its_payload_and_the_moment(jobs: Jobs, stage: Stage) -> None:
    until(lambda: len(stage.scheduled) >= 2)
    actor, moment, payload = stage.scheduled[0]
    assert (actor, payload) == ("schedule:every-second", {"region": "north"})
    assert moment is not None
    assert moment.tzinfo is not None
    assert len({moment for _, moment, _ in stage.scheduled}) == len(stage.scheduled), "each moment once"
    assert jobs.list(kind="tick", limit=1)[0].created_by == "schedule:every-second"


def test_jobs_are_listed_newest_first_by_kind_state_and_person_page_by_page(jobs: Jobs) -> None:
    person = f"person-{uuid4()}"
    ids = [jobs.enqueue("echo", {}, actor=person) for _ in range(3)]
    failed = jobs.enqueue("fail", {"how": "foreseen", "where": "step"}, actor=person)
    for job_id in [*ids, failed]:
        jobs.wait(job_id, 10)
    assert {state.id for state in jobs.list(created_by=person)} == {*ids, failed}
    assert {state.id for state in jobs.list(created_by=person, kind="echo")} == set(ids)
    assert [state.id for state in jobs.list(created_by=person, status="failed")] == [failed]
    pages = [jobs.list(created_by=person, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 2, 0]
    moments = [state.created_at for page in pages for state in page]
    assert moments == sorted(moments, reverse=True)
    with pytest.raises(InvalidInput):
        jobs.list(limit=0)
    with pytest.raises(InvalidInput):
        jobs.list(offset=-1)


def test_finished_jobs_are_forgotten_from_a_moment_on_and_running_ones_never(jobs: Jobs, stage: Stage) -> None:
    old = run(jobs, "echo", {})
    running = jobs.enqueue("wait", {}, actor="ann")
    until(lambda: running in stage.runs)
    assert jobs.forget_finished(old.finished_at - timedelta(days=1)) == 0
    assert jobs.forget_finished(datetime.now(UTC) + timedelta(minutes=1)) >= 1
    with pytest.raises(NotFound):
        jobs.state(old.id)
    assert jobs.state(running).status == "running"
    jobs.cancel(running)


def test_closed_jobs_connect_again_when_asked(url: str, jobs: Jobs, stage: Stage) -> None:
    other = Jobs(url, stage.handlers)
    job_id = other.enqueue("echo", {}, actor="ann")
    other.close()
    assert other.wait(job_id, 10).status == "done"
    other.close()


def test_a_database_that_does_not_answer_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("broken") / "a-file"
    file.write_text("not a folder")
    for url in ("postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=2", f"sqlite:///{file}/jobs.db"):
        with pytest.raises(Unavailable):
            Jobs(url, {}).connect()
