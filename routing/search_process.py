"""Runs the search in a process of its own, which can be killed at any moment.

OR-Tools holds Python's lock while it searches and cannot be interrupted between two solutions: in the service's own
process it would stop everything else for seconds. The child is ``python -m routing.search_process``; tasks go to its
standard input and orders come back on its standard output, both pickled. Nothing else can reach these pipes.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from common.errors import Text, Unavailable
from routing.day import Day
from routing.problem import DayProblem
from routing.search import Orders, SearchTask, search
from routing.travel_times import TravelTable

POLL_S = 0.02
"""How often a wait looks at the clock and asks whether to stop."""


class SearchProcess:
    """A child that searches one task after another; a context manager that leaves no child behind."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._child = subprocess.Popen(
            [sys.executable, "-m", "routing.search_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._answers: queue.SimpleQueue[Orders | str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="route search answers", daemon=True)
        self._reader.start()

    def __enter__(self) -> SearchProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _read(self) -> None:
        stream = self._child.stdout
        assert stream is not None
        while True:
            try:
                self._answers.put(pickle.load(stream))
            except (EOFError, pickle.UnpicklingError, ValueError, OSError):
                self._answers.put("the search process ended")
                return

    def search(self, task: SearchTask, on_better: Callable[[Orders], None], should_stop: Callable[[], bool]) -> None:
        """Search ``task``, calling ``on_better`` here for each better plan, until it ends, its time is up or asked to.

        The process is of no more use after it was stopped or its time was up without its having noticed.

        Raises
        ------
        Unavailable
            When the child dies (out of memory, for one).
        """
        self._send(task)
        while True:
            left_s = task.end_s - time.monotonic()
            try:
                answer = self._answers.get(timeout=max(0.0, min(left_s, POLL_S)))
            except queue.Empty:
                if left_s <= 0 or should_stop():
                    return
                continue
            if answer is None:
                return
            if isinstance(answer, str):
                raise Unavailable(Text(f"route search failed: {answer}", f"路线搜索失败：{answer}"))
            on_better(answer)

    def _send(self, task: SearchTask) -> None:
        stream = self._child.stdin
        assert stream is not None
        # Clocks differ between processes on some systems, so the time left goes over, not the moment.
        left_s = task.end_s - time.monotonic()
        parcel = (task.day.problem, task.day.table, task.candidates, left_s, task.seed)
        try:
            pickle.dump(parcel, stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()
        except BrokenPipeError as error:
            raise Unavailable(Text("route search could not be started", "无法启动路线搜索")) from error


Parcel = tuple[DayProblem, TravelTable, Sequence[Sequence[int]], float, int]


def answer_tasks(tasks: IO[bytes], answers: IO[bytes]) -> None:
    """Search each task that is read; answer with orders, and with None at each end."""

    def answer(thing: Any) -> None:
        pickle.dump(thing, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()

    while True:
        try:
            parcel: Parcel = pickle.load(tasks)
        except EOFError:
            return
        problem, table, candidates, left_s, seed = parcel
        task = SearchTask(Day(problem, table), [list(reps) for reps in candidates], time.monotonic() + left_s, seed)
        search(task, answer)
        answer(None)


if __name__ == "__main__":
    answer_tasks(sys.stdin.buffer, sys.stdout.buffer)
