"""A worker for tests, run as a program: ``three_step_worker.py URL FOLDER NAME``.

Its only kind of job has three steps; each appends one line to FOLDER/effects. The second step lasts until the file
FOLDER/go exists, so that a test can end the worker in the middle of it.
"""

import sys
import time
from pathlib import Path

from api.jobs import JobContext, JobHandler, WorkerSettings, run_worker


def three_steps(folder: Path) -> JobHandler:
    def append(file: str, line: str) -> str:
        with (folder / file).open("a") as lines:
            lines.write(line + "\n")
        return line

    def second(job: JobContext) -> str:
        append("begun", "two")
        while not (folder / "go").exists() and not job.cancelled():
            time.sleep(0.02)
        # A real step's effect is one commit keyed by the job; here a line, so that a second one would show.
        return "stopped" if job.cancelled() else append("effects", f"{job.job_id} two")

    def run(job: JobContext, payload: dict[str, object]) -> dict[str, object]:
        one = job.step("one", lambda: append("effects", f"{job.job_id} one"))
        two = job.step("two", lambda: second(job))
        three = job.step("three", lambda: append("effects", f"{job.job_id} three"))
        return {"lines": [one, two, three], "of": payload["of"]}

    return JobHandler("import", run)


if __name__ == "__main__":
    url, place, name = sys.argv[1:]
    run_worker(url, {"three-steps": three_steps(Path(place))}, settings=WorkerSettings(name=name, drain_s=0.3))
