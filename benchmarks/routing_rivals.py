"""Runs a solver in a process of its own, on one core, and measures its time on the wall and on the processor.

``python -m benchmarks.routing_rivals NAME`` reads one pickled task from standard input and answers on standard output;
:func:`run_rival` does this. Nothing else can reach these pipes.
"""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.routing_ortools import solve_with_guided_search, solve_with_iterated_search
from benchmarks.routing_pyvrp import solve_with_pyvrp
from benchmarks.routing_tasks import Found, NotModelledError, RivalTask
from benchmarks.routing_vroom import solve_with_vroom
from common.places import Location
from routing.problem import DayProblem, Rep, Visit
from routing.search_process import close_spare
from routing.search_process import warm as warm_own_search
from routing.solve import solve
from routing.travel_times import HaversineTravelTimes

SPARE_S = 120
"""A solver that ran this long past its limit is stopped: reading and modelling take seconds at most."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a run.

    Attributes
    ----------
    found : Found or None
        None when there is no plan.
    wall_s, cpu_s : float
        Of the solver alone, without starting Python and loading its library; child processes count.
    problem : str
        Why there is no plan.
    """

    found: Found | None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    problem: str = ""


def solve_with_fieldwise(task: RivalTask) -> Found:
    """Return our own plan."""
    plan = solve(task.problem, task.table, time_limit_s=task.seconds, seed=task.seed)
    return Found(plan.sequences(), plan.search.first_plan_s)


SOLVERS: dict[str, Callable[[RivalTask], Found]] = {
    "fieldwise": solve_with_fieldwise,
    "ortools-gls": solve_with_guided_search,
    "ortools-ils": solve_with_iterated_search,
    "pyvrp": solve_with_pyvrp,
    "vroom": solve_with_vroom,
}


def run_rival(name: str, task: RivalTask, *, core: int | None = None) -> Answer:
    """Run the solver ``name`` in its own process, bound to one core (the last of those that this process may use)."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    chosen = core if core is not None else (cores[-1] if cores else -1)
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.routing_rivals", name, str(chosen)],
        input=pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL),
        capture_output=True,
        env={**os.environ, **ONE_THREAD},
        cwd=Path(__file__).resolve().parent.parent,
        timeout=task.seconds + SPARE_S,
        check=False,
    )
    if child.returncode != 0:
        lines = child.stderr.decode(errors="replace").strip().splitlines()
        return Answer(None, problem=lines[-1] if lines else f"ended with {child.returncode}")
    answer: Answer = pickle.loads(child.stdout)
    return answer


def answer_task(name: str, content: bytes) -> Answer:
    """Solve a pickled task in this process and measure it."""
    task: RivalTask = pickle.loads(content)
    _warm(name)
    began, worked = time.perf_counter(), _cpu_s()
    try:
        found = SOLVERS[name](task)
    except NotModelledError as error:
        return Answer(None, time.perf_counter() - began, _cpu_s() - worked, str(error))
    wall_s = time.perf_counter() - began
    close_spare()  # a process counts once it has ended
    return Answer(found, wall_s, _cpu_s() - worked)


def _warm(name: str) -> None:
    """Load the solver's library (and compiled code) with a day of two visits, as a running service has it loaded."""
    if name == "fieldwise":
        warm_own_search(600)
        return
    here, there = Location(30.5, 114.3), Location(30.6, 114.4)
    problem = DayProblem(
        (Visit("a", "", there, 600), Visit("b", "", here, 600)), (Rep("r", "", here, 8 * 3600, 18 * 3600, here),)
    )
    SOLVERS[name](RivalTask(problem, HaversineTravelTimes().table(problem.locations()), 0.3))


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Answer one task; the core that is named holds this process and all its children."""
    name, core = sys.argv[1], int(sys.argv[2])
    if core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    # Libraries that print would break the answer: their output goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pickle.dump(answer_task(name, sys.stdin.buffer.read()), answers)
    answers.close()


if __name__ == "__main__":
    # The classes must be pickled under their importable name, not as parts of __main__.
    from benchmarks.routing_rivals import main as importable_main

    importable_main()
