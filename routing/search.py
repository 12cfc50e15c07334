"""Searches for good orders of visits: who searches, for how long, and what is handed on.

A search knows nothing of times and reports: it answers with orders of visits, better and better ones. Our own search
(:mod:`routing.ruin_recreate`) is the rule; OR-Tools (:mod:`routing.ortools_search`) takes its place where compiled code
cannot be had; a small day is proven (:mod:`routing.proof`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from routing.day import Day

if TYPE_CHECKING:
    from routing.ruin_recreate import RuinRecreate

Orders = list[list[int]]
"""Positions of visits in order, for each rep by position."""

LOOK_S = 0.01
"""About how long the search runs between two looks at the clock."""
STEPS_AT_ONCE = 1_000
"""Steps between two looks where steps count and not the clock."""
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
        First and last temperature.
    bonus : float
        What a route in use is worth meanwhile, in temperatures: it is easy to give a route up and hard to open one.
    from_best : bool
        It begins at the best plan so far, not where the phase before ended.
    """

    share: float
    hot: float
    cold: float
    bonus: float = 0.0
    from_best: bool = False


HOT, COLD = 0.9, 0.009
"""First and last temperature where everybody is visited, in costs of an average leg."""
HOT_FOR_CHOICE = 0.9
"""First temperature where visits are left out, in median prizes: only then are visits exchanged for others."""
LAST_SHARE, LAST_HOT, LAST_COLD = 0.1, 0.04, 0.006
"""The end of every search: once more, cool, from the best."""
STEPS_TO_COOL = 1_400
"""Steps for each visit in which a cooling down is worth its time; a search with more of them cools down again."""
MOST_COOLINGS = 4
ROUTE_BONUS = 2.0
REMOVED = 11.0
"""Visits taken out in a step, on average."""


def phases_for(steps: float, state: RuinRecreate) -> list[Phase]:
    """Return the phases of a search of about so many steps: where a cooling down ends is partly chance."""
    visits, leg, prize = len(state.arrays.possible), state.leg_scale(), state.prize_at_stake()
    coolings = min(MOST_COOLINGS, max(1, round(steps / (STEPS_TO_COOL * visits))))
    hot, bonus = (HOT_FOR_CHOICE * prize, 0.0) if HOT_FOR_CHOICE * prize > HOT * leg else (HOT * leg, ROUTE_BONUS)
    cooling = Phase((1 - LAST_SHARE) / coolings, hot, COLD * leg, bonus)
    return [cooling] * coolings + [Phase(LAST_SHARE, LAST_HOT * leg, LAST_COLD * leg, from_best=True)]


def search(task: SearchTask, on_found: Callable[[Found], None]) -> None:
    """Look for better orders until the task's end and hand them to ``on_found``.

    The costs that are minimised are those of :class:`routing.problem.ObjectiveWeights`, with a mandatory visit worth
    more than all optional ones.
    """
    from routing.proof.proving import MOST_VISITS, prove

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

    state = RuinRecreate(task.day, task.candidates, seed=task.seed, start=task.start)
    on_found(Found(state.best_orders()))
    clock, leg = _Clock(task), state.leg_scale()
    # A few steps tell how many there will be.
    while not clock.has_measured():
        clock.advance(state, HOT * leg, HOT * leg, clock.part_left())
    report = _Report(state.best_cost, on_found)
    done = 0.0
    for phase in phases_for(clock.steps_in_all(), state):
        if phase.from_best:
            state.back_to_best()
        first, done = done, done + phase.share
        while (at := clock.part()) < done and not clock.is_up():
            ahead = min(done, at + clock.part_of_a_look())
            hot, cold = (
                phase.hot * (phase.cold / phase.hot) ** min(1.0, max(0.0, part - first) / phase.share)
                for part in (at, ahead)
            )
            clock.advance(state, hot, cold, done - at, bonus=phase.bonus * hot)
            report.tell(state, clock.steps)
    on_found(Found(state.best_orders(), clock.steps))


class _Report:
    """Hands better plans on, and the count of steps between them, not too often."""

    def __init__(self, cost: float, on_found: Callable[[Found], None]) -> None:
        self._cost, self._on_found, self._told_s = cost, on_found, time.monotonic()

    def tell(self, state: RuinRecreate, steps: int) -> None:
        now = time.monotonic()
        if now - self._told_s > REPORT_EVERY_S:
            better = state.best_cost < self._cost - 1e-6
            self._on_found(Found(state.best_orders() if better else None, steps))
            self._cost, self._told_s = state.best_cost, now


class _Clock:
    """Tells how much of a search is over, by time or by steps, and makes as many steps as fit until the next look."""

    def __init__(self, task: SearchTask) -> None:
        self._task = task
        self._began = time.monotonic()
        self._span_s = max(1e-3, task.end_s - self._began)
        self.steps = 0
        self._rate = FIRST_STEPS / LOOK_S

    def has_measured(self) -> bool:
        """Return whether the number of steps to come can be told."""
        return self._task.steps is not None or self.steps >= 4 * FIRST_STEPS or self.is_up()

    def steps_in_all(self) -> float:
        """Return how many steps the search will have made at its end."""
        return float(self._task.steps) if self._task.steps is not None else self._rate * self._span_s

    def part(self) -> float:
        """Return the part of the search that is over."""
        if self._task.steps is not None:
            return self.steps / self._task.steps
        return (time.monotonic() - self._began) / self._span_s

    def part_left(self) -> float:
        """Return the part of the search that is to come."""
        return max(0.0, 1.0 - self.part())

    def part_of_a_look(self) -> float:
        """Return the part of the search between two looks at the clock."""
        return STEPS_AT_ONCE / self._task.steps if self._task.steps is not None else LOOK_S / self._span_s

    def advance(self, state: RuinRecreate, hot: float, cold: float, most: float, *, bonus: float = 0.0) -> None:
        """Make the steps until the next look, at most a part ``most`` of the search."""
        if self._task.steps is not None:
            steps = min(STEPS_AT_ONCE, math.ceil(most * self._task.steps - 1e-9))
        else:
            steps = int(self._rate * min(LOOK_S, most * self._span_s))
        state.advance(max(1, steps), hot, cold, REMOVED, bonus)
        self.steps += max(1, steps)
        elapsed_s = time.monotonic() - self._began
        self._rate = max(1.0, self.steps / max(elapsed_s, 1e-6))

    def is_up(self) -> bool:
        """Return whether time is up, whatever the steps."""
        return time.monotonic() >= self._task.end_s
