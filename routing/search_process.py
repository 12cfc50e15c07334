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
from typing import IO

from common.errors import Text, Unavailable
from routing.day import Day
from routing.problem import DayProblem
from routing.search import Orders, SearchTask, search
from routing.travel_times import TravelTable

POLL_S = 0.02
"""How often a wait looks at the clock and asks whether to stop."""


Parcel = tuple[int, DayProblem, TravelTable, Sequence[Sequence[int]], float, int]
"""Number of the task from 1, and what is needed for it."""
Answer = tuple[int, Orders | None]
"""Number of the task (0: the child ended) and orders, or None at its end."""


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
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._number = 0
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
                self._answers.put((0, None))
                return

    def search(self, task: SearchTask, on_better: Callable[[Orders], None], should_stop: Callable[[], bool]) -> None:
        """Search ``task``, calling ``on_better`` here for each better plan, until it ends, its time is up or asked to.

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
            number, orders = answer
            if number == 0:
                raise Unavailable(Text("the route search process ended", "路线搜索进程已终止"))
            if number != self._number:
                continue  # late answers to the task before
            if orders is None:
                return
            on_better(orders)

    def _send(self, task: SearchTask) -> None:
        stream = self._child.stdin
        assert stream is not None
        # Clocks differ between processes on some systems, so the time left goes over, not the moment.
        left_s = task.end_s - time.monotonic()
        self._number += 1
        parcel: Parcel = (self._number, task.day.problem, task.day.table, task.candidates, left_s, task.seed)
        try:
            pickle.dump(parcel, stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()
        except BrokenPipeError as error:
            raise Unavailable(Text("route search could not be started", "无法启动路线搜索")) from error


def answer_tasks(tasks: IO[bytes], answers: IO[bytes]) -> None:
    """Search each task that is read; answer with orders, and with None at each end."""
    while True:
        try:
            parcel: Parcel = pickle.load(tasks)
        except EOFError:
            return
        number, problem, table, candidates, left_s, seed = parcel
        task = SearchTask(Day(problem, table), [list(reps) for reps in candidates], time.monotonic() + left_s, seed)

        def answer(orders: Orders | None, number: int = number) -> None:
            pickle.dump((number, orders), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()

        search(task, answer)
        answer(None)


if __name__ == "__main__":
    answer_tasks(sys.stdin.buffer, sys.stdout.buffer)
