"""Searches for good orders of visits: who searches, for how long, and what is handed on.

A search knows nothing of times and reports: it answers with orders of visits, better and better ones. Our own search
(:mod:`routing.ruin_recreate`) is the rule; OR-Tools (:mod:`routing.ortools_search`) takes its place where compiled code
cannot be had; a small day is proven (:mod:`routing.proof`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from routing.day import Day

Orders = list[list[int]]
"""Positions of visits in order, for each rep by position."""

STEP_S = 0.01
"""About how long the search runs between two looks at the clock."""
FIRST_STEPS = 50
SMALL_DAY_STEPS = 2_000
"""Steps made before a small day is proven."""
REPORT_EVERY_S = 0.05
"""Better plans are handed on no more often than this, the first and the last aside."""


@dataclass(frozen=True, slots=True)
class SearchTask:
    """One search.

    Attributes
    ----------
    candidates : list of list of int
        For each visit the reps who could take it; visits without any are left out.
    end_s : float
        When to stop, on ``time.monotonic()``'s clock.
    seed : int
        Another seed takes another way.
    start : list of list of int or None
        Orders to begin with; they must be such as can be kept.
    steps : int or None
        Stop after so many steps as well; the search then cools by steps and not by the clock, and gives the same plan
        on every machine that makes them in time.
    """

    day: Day
    candidates: list[list[int]]
    end_s: float
    seed: int = 0
    start: Orders | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has to say.

    Attributes
    ----------
    orders : list of list of int or None
        Better orders than before; None: only the count of steps is new.
    steps : int
        Ruin and recreate steps so far.
    proven : bool
        No plan is better.
    """

    orders: Orders | None
    steps: int = 0
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the search.

    Attributes
    ----------
    share : float
        Of the whole search.
    hot, cold : float
        First and last temperature, in costs of an average leg.
    from_best : bool
        It begins at the best plan so far, not where the phase before ended.
    """

    share: float
    hot: float
    cold: float
    from_best: bool = False


PHASES = (Phase(0.45, 0.8, 0.008), Phase(0.35, 0.8, 0.008), Phase(0.2, 0.08, 0.006, from_best=True))
"""Cooled down twice, because where the first ends is partly chance, and then once more, cool, from the best."""
REMOVED = 11.0
"""Visits taken out in a step, on average."""


def search(task: SearchTask, on_found: Callable[[Found], None]) -> None:
    """Look for better orders until the task's end and hand them to ``on_found``.

    The costs that are minimised are those of :class:`routing.problem.ObjectiveWeights`, with a mandatory visit worth
    more than all optional ones.
    """
    from routing.proof import MOST_VISITS, prove

    possible = sum(bool(reps) for reps in task.candidates)
    if not possible:
        on_found(Found(None, 0, proven=True))
        return
    if possible <= MOST_VISITS:
        # A plan at once, then the proof; where that is too long, the search has the rest of the time.
        _ruin_and_recreate(replace(task, steps=min(task.steps or SMALL_DAY_STEPS, SMALL_DAY_STEPS)), on_found)
        proof = prove(task.day, task.candidates, end_s=task.end_s)
        if proof is not None:
            on_found(Found(proof.orders, proven=proof.proven))
            if proof.proven:
                return
    _ruin_and_recreate(task, on_found)


def _ruin_and_recreate(task: SearchTask, on_found: Callable[[Found], None]) -> None:
    from routing.ruin_recreate import RuinRecreate

    began = time.monotonic()
    state = RuinRecreate(task.day, task.candidates, seed=task.seed, start=task.start)
    on_found(Found(state.best_orders()))
    clock = _Clock(task, began)
    reported, reported_s, scale = state.best_cost, began, state.leg_scale()
    done = 0.0
    for phase in PHASES:
        if phase.from_best:
            state.back_to_best()
        first, last = done, done + phase.share
        done = last
        while (at := clock.share()) < last:
            steps = clock.next_steps(last - at)
            part = (at - first) / phase.share
            ahead = min(1.0, part + clock.share_of(steps) / phase.share)
            hot = scale * phase.hot * (phase.cold / phase.hot) ** part
            cold = scale * phase.hot * (phase.cold / phase.hot) ** ahead
            state.advance(steps, hot, cold, REMOVED)
            clock.count(steps)
            now = time.monotonic()
            if now - reported_s > REPORT_EVERY_S:
                better = state.best_cost < reported - 1e-6
                on_found(Found(state.best_orders() if better else None, clock.steps))
                reported, reported_s = state.best_cost, now
            if clock.is_up():
                break
    on_found(Found(state.best_orders(), clock.steps))


class _Clock:
    """Tells how much of a search is over, by time or by steps, and how many steps fit until the next look."""

    def __init__(self, task: SearchTask, began: float) -> None:
        self._task, self._began = task, began
        self._span_s = max(1e-3, task.end_s - time.monotonic())
        self._started = time.monotonic()
        # Very small days are over when nothing new can turn up; they need not fill the time.
        self.steps = 0
        self._rate = FIRST_STEPS / STEP_S

    def share(self) -> float:
        if self._task.steps is not None:
            return self.steps / max(1, self._task.steps)
        return (time.monotonic() - self._started) / self._span_s

    def share_of(self, steps: int) -> float:
        if self._task.steps is not None:
            return steps / max(1, self._task.steps)
        return steps / self._rate / self._span_s

    def next_steps(self, share_left: float) -> int:
        if self._task.steps is not None:
            return max(1, min(1000, round(share_left * self._task.steps)))
        return max(1, int(self._rate * min(STEP_S, share_left * self._span_s)))

    def count(self, steps: int) -> None:
        self.steps += steps
        elapsed = time.monotonic() - self._started
        if elapsed > 0:
            self._rate = max(1.0, self.steps / elapsed)

    def is_up(self) -> bool:
        """Return whether time is up, whatever the steps."""
        return time.monotonic() >= self._task.end_s
