"""Runs searches in processes of their own, which can be killed at any moment.

A search holds a core for its whole time, and OR-Tools cannot be interrupted at all: in the service's own process it
would slow or stop everything else. The child is ``python -m routing.search_process``; tasks go to its standard input
and answers come back on its standard output, both pickled. Nothing else can reach these pipes.

A child needs about a second until its compiled code is loaded, so one that has ended its search is kept for the next.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from common.errors import Text, Unavailable
from routing.day import Day
from routing.problem import DayProblem
from routing.search import Found, Orders, SearchTask
from routing.travel_times import TravelTable

POLL_S = 0.02
"""How often a wait looks at the clock and asks whether to stop."""
LAST_WORD_S = 0.1
"""How long beyond the end a child may take to hand over its last plan."""
MOST_SPARE = 2
"""Children kept waiting for a next search."""
OWN, ORTOOLS = "own", "ortools"

Parcel = tuple[int, DayProblem, TravelTable, Sequence[Sequence[int]], float, int, Orders | None, int | None]
"""Number of the task from 1, and what is needed for it."""
Answer = tuple[int, Found | None]
"""Number of the task (0: the child is ready, -1: it ended) and what was found, or None at the task's end."""


class SearchProcess:
    """A child that searches one task after another.

    Parameters
    ----------
    engine : str
        ``own``: our compiled search; ``ortools``: OR-Tools, where compiled code cannot be had.
    """

    def __init__(self, engine: str = OWN) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._child = subprocess.Popen(
            [sys.executable, "-m", "routing.search_process", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._number = 0
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, name="route search answers", daemon=True)
        self._reader.start()

    def is_ready(self, within_s: float = 0.0) -> bool:
        """Return whether its code is loaded, waiting so long for it."""
        return self._ready.wait(max(0.0, within_s))

    def is_alive(self) -> bool:
        """Return whether the child runs."""
        return self._child.poll() is None

    def leave(self) -> None:
        """Let a child that still loads its code finish that, and then end: compiled code is kept for the next."""
        with contextlib.suppress(BrokenPipeError):
            if self._child.stdin is not None:
                self._child.stdin.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _read(self) -> None:
        stream = self._child.stdout
        assert stream is not None
        while True:
            try:
                answer: Answer = pickle.load(stream)
            except (EOFError, pickle.UnpicklingError, ValueError, OSError):
                self._ready.set()
                self._answers.put((-1, None))
                return
            if answer[0] == 0:
                self._ready.set()
            else:
                self._answers.put(answer)

    def search(self, task: SearchTask, on_found: Callable[[Found], None], should_stop: Callable[[], bool]) -> bool:
        """Search ``task``, calling ``on_found`` here for each answer, until it ends, its time is up or asked to stop.

        Returns
        -------
        bool
            Whether the child ended the task by itself and can take another.

        Raises
        ------
        Unavailable
            When the child dies (out of memory, for one).
        """
        self._send(task)
        while True:
            left_s = task.end_s + LAST_WORD_S - time.monotonic()
            try:
                number, found = self._answers.get(timeout=max(0.0, min(left_s, POLL_S)))
            except queue.Empty:
                if left_s <= 0 or should_stop():
                    return False
                continue
            if number < 0:
                raise Unavailable(Text("the route search process ended", "路线搜索进程已终止"))
            if number != self._number:
                continue  # late answers to the task before
            if found is None:
                return True
            on_found(found)
            if should_stop():
                return False

    def _send(self, task: SearchTask) -> None:
        stream = self._child.stdin
        assert stream is not None
        # Clocks differ between processes on some systems, so the time left goes over, not the moment.
        left_s = task.end_s - time.monotonic()
        self._number += 1
        day = task.day
        parcel: Parcel = (
            self._number, day.problem, day.table, task.candidates, left_s, task.seed, task.start, task.steps,
        )  # fmt: skip
        try:
            pickle.dump(parcel, stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()
        except BrokenPipeError as error:
            raise Unavailable(Text("route search could not be started", "无法启动路线搜索")) from error


class _Spare:
    """Children that wait for a task."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[SearchProcess] = []

    def take(self) -> SearchProcess:
        """Return a child that waits, one with its code loaded first, or start one."""
        with self._lock:
            self._waiting = [process for process in self._waiting if process.is_alive()]
            self._waiting.sort(key=lambda process: process.is_ready())
            if self._waiting:
                return self._waiting.pop()
        return SearchProcess()

    def give_back(self, process: SearchProcess) -> None:
        """Keep a child for the next task, or end it when enough are kept."""
        with self._lock:
            if process.is_alive() and len(self._waiting) < MOST_SPARE:
                self._waiting.append(process)
                return
        process.close()

    def prepare(self) -> SearchProcess:
        """Start a child if none waits, and return one that does."""
        process = self.take()
        self.give_back(process)
        return process

    def close(self) -> None:
        """End every child that waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for process in waiting:
            if process.is_ready():
                process.close()
            else:
                process.leave()


_spare = _Spare()
close_spare = _spare.close
"""End the children that wait for a task; the next search starts another."""
atexit.register(close_spare)


def warm(within_s: float = 0.0) -> bool:
    """Start a child ahead of the first search, and return whether its code is loaded within so many seconds.

    On the first start after an installation the search is compiled, which takes up to a minute.
    """
    return _spare.prepare().is_ready(within_s)


@contextlib.contextmanager
def borrowed() -> Iterator[tuple[SearchProcess, Callable[[], None]]]:
    """Lend a child; it is ended afterwards unless the second value was called: that it is free for another task."""
    process = _spare.take()
    free = False

    def set_free() -> None:
        nonlocal free
        free = True

    try:
        yield process, set_free
    finally:
        if free or not process.is_ready():
            _spare.give_back(process)
        else:
            process.close()
            _spare.prepare()  # the next search should not wait for code to load


def answer_tasks(tasks: IO[bytes], answers: IO[bytes], engine: str) -> None:
    """Search each task that is read; answer with what is found, and with None at each end."""

    def say(answer: Answer) -> None:
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()

    search = _engine(engine)
    say((0, None))
    while True:
        try:
            parcel: Parcel = pickle.load(tasks)
        except EOFError:
            return
        number, problem, table, candidates, left_s, seed, start, steps = parcel
        end_s = time.monotonic() + left_s
        task = SearchTask(Day(problem, table), [list(reps) for reps in candidates], end_s, seed, start, steps)
        search(task, lambda found, number=number: say((number, found)))  # type: ignore[misc]
        say((number, None))


def _engine(name: str) -> Callable[[SearchTask, Callable[[Found], None]], None]:
    if name == ORTOOLS:
        from routing.ortools_search import searching as ortools_search

        return lambda task, on_found: ortools_search.search(task, lambda orders: on_found(Found(orders)))
    from routing.compile_search import compile_search
    from routing.search import search

    compile_search()
    return search


if __name__ == "__main__":
    answer_tasks(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1])
