"""Plans a day: first plan at once, then search until the time is up, then times, check-ready plan and reasons."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from common.errors import FieldProblem, InvalidInput, Text
from routing.alone import AloneTable
from routing.check import CheckReport, check
from routing.construct import cost_of, drop, fill, rounds_of
from routing.day import Day, Round
from routing.explain import Explanations
from routing.plan import DayPlan, SearchSummary, Unassigned
from routing.problem import DayProblem
from routing.schedule import earliest_route
from routing.search import Found, Orders, SearchTask
from routing.search_process import ORTOOLS, SearchProcess, borrowed
from routing.travel_times import TravelTimes

LATE_WORK_S = 100e-6
"""Kept back at the end of the time limit, for each visit left out and each rep it is tried with."""
GRACE_S = 0.2
"""How far beyond the time limit reasons are still looked for: they are worth more than a punctual tenth of a second."""
SHORTEST_SEARCH_S = 0.05
"""Less time than this is not worth starting a search for."""
PATIENCE_S = 3.0
"""How long a search process may take to load its code before OR-Tools searches instead: compiling takes longer."""
FIRST_PLAN_WORK = 60_000
"""Visits × reps up to which a first plan is made here while a search process starts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The best plan so far.

    Attributes
    ----------
    elapsed_s : float
    objective : float
        Its cost (without the extra weight of mandatory visits that are left out).
    served, unassigned : int
    steps : int
        Ruin and recreate steps of the search so far.
    """

    elapsed_s: float
    objective: float
    served: int
    unassigned: int
    steps: int = 0


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """How a day is solved.

    Attributes
    ----------
    time_limit_s : float
        Seconds on the wall, more than 0, at most a day, kept to within 0.3 s. Asking for the travel table counts.
    seed : int
        Another seed takes another way through the search.
    steps : int or None
        Stop after so many ruin and recreate steps as well. The same seed and steps give the same plan on every
        machine that makes them within the time limit; without steps the search cools down by the clock.
    start : mapping of rep id to visit ids, or None
        A plan to begin with; the answer is no worse. Where it cannot be kept, visits are taken from its rounds' ends.
    """

    time_limit_s: float
    seed: int = 0
    steps: int | None = None
    start: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.time_limit_s <= 86_400:
            raise InvalidInput.at(
                "/time_limit_s", "must be more than 0 s and at most a day", "必须大于 0 秒且不超过一天"
            )
        if self.steps is not None and self.steps < 1:
            raise InvalidInput.at("/steps", "must be at least 1", "至少为 1")


def solve(
    problem: DayProblem,
    travel: TravelTimes,
    *,
    time_limit_s: float,
    seed: int = 0,
    start: Mapping[str, Sequence[str]] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> DayPlan:
    """Return the best plan found within the time limit: :func:`solve_with` without its rarer options."""
    options = SolveOptions(time_limit_s, seed, start=start)
    return solve_with(problem, travel, options, on_progress=on_progress, should_stop=should_stop)


def solve_with(
    problem: DayProblem,
    travel: TravelTimes,
    options: SolveOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> DayPlan:
    """Return the best plan found.

    Parameters
    ----------
    on_progress : callable, optional
        Called in this thread for the first plan, for each better one, and at times between them.
    should_stop : callable, optional
        Asked every 20 ms; true ends the search with the best plan so far.

    Returns
    -------
    DayPlan
        Every route in it holds. Visits left out carry the reasons why, each found by trying. Mandatory visits that
        nobody can serve are left out in this way too.

    Raises
    ------
    InvalidInput
        When an option is wrong, or ``travel`` has no answer for the problem's places.
    Unavailable
        When ``travel`` needs a server that does not answer, or the search process dies.
    """
    began = time.monotonic()
    end_s = began + options.time_limit_s
    improving = _Improving(Day(problem, travel.table(problem.locations())), began, on_progress)
    improving.begin(options.start)
    ended = _search(improving, end_s - _kept_back_s(improving, options.time_limit_s), options, should_stop)
    drop(improving.day, improving.rounds)
    fill(improving.day, improving.rounds, improving.candidates, end_s=end_s, nearest=len(problem.reps))
    plan = assemble(improving.day, improving.rounds, improving.alone, end_s=end_s + GRACE_S)
    first_plan_s = improving.first_plan_s or time.monotonic() - began
    summary = SearchSummary(time.monotonic() - began, first_plan_s, improving.count, ended, improving.steps)
    return DayPlan(plan.routes, plan.unassigned, plan.objective, summary)


def _kept_back_s(improving: _Improving, time_limit_s: float) -> float:
    """Return how much of the time is kept for what comes after the search."""
    visits, reps = len(improving.day.problem.visits), len(improving.day.problem.reps)
    left_out = 0.0 if all(improving.day.firm) else 0.2 * visits * reps * LATE_WORK_S
    return min(0.3 * time_limit_s, 0.03 + 1e-4 * visits + left_out)


def evaluate(
    problem: DayProblem, travel: TravelTimes, sequences: Mapping[str, Sequence[str]]
) -> tuple[DayPlan, CheckReport]:
    """Return the plan of a given order of visits, with its times, and what the checker says of it. Nothing is solved.

    Parameters
    ----------
    sequences : mapping of rep id to visit ids
        Reps who are not named stay at home; visits that are not named are left out.

    Raises
    ------
    InvalidInput
        When it names an unknown rep or visit, each by its pointer.
    """
    day = Day(problem, travel.table(problem.locations()))
    orders = positions_of(problem, sequences, once=False)
    plan = assemble(day, [Round(day, rep, order) for rep, order in enumerate(orders)], AloneTable(day))
    report = check(problem, day.table, plan)
    return plan, report


def candidates(alone: AloneTable) -> list[list[int]]:
    """Return for each visit the reps who could take it if they had nothing else to do."""
    return [able.nonzero()[0].tolist() for able in alone.able.T]


def assemble(day: Day, rounds: Sequence[Round], alone: AloneTable, *, end_s: float = math.inf) -> DayPlan:
    """Return the plan of the rounds: times, cost, and reasons for what is left out."""
    routes = tuple(earliest_route(day, one.rep, one.stops) for one in rounds if one.stops)
    placed = {visit for one in rounds for visit in one.stops}
    visits, explanations = day.problem.visits, Explanations(day, rounds, alone, end_s=end_s)
    left = tuple(
        Unassigned(visits[visit].id, visits[visit].mandatory, explanations.of(visit))
        for visit in range(len(visits))
        if visit not in placed
    )
    cost = sum(day.route_cost(one.rep, one.stops) for one in rounds) + day.unfairness([one.stops for one in rounds])
    cost += day.problem.weights.overtime_s * sum(route.overtime_s for route in routes)
    cost += sum(day.prize[visit] for visit in range(len(visits)) if visit not in placed)
    return DayPlan(routes, left, cost)


class _Improving:
    """The best rounds so far."""

    def __init__(self, day: Day, began: float, on_progress: Callable[[Progress], None] | None) -> None:
        self.day = day
        self.alone = AloneTable(day)
        self.candidates = candidates(self.alone)
        self.rounds = rounds_of(day, [[] for _ in day.problem.reps])
        self.count = self.steps = 0
        self.proven = False
        self.first_plan_s = 0.0
        self.start: Orders | None = None
        self._cost = cost_of(day, self.rounds)
        self._began = began
        self._on_progress = on_progress

    def begin(self, start: Mapping[str, Sequence[str]] | None) -> None:
        """Take a given plan, and what reps' days begin with, for the first."""
        orders = self.day.first_stops
        if start is not None:
            orders = positions_of(self.day.problem, start)
        if any(orders):
            self.rounds = rounds_of(self.day, orders)
            self.start = [one.stops for one in self.rounds]
            self._cost = cost_of(self.day, self.rounds)
            if start is not None:
                self._first()

    def fill(self, end_s: float) -> None:
        """Make a first plan here."""
        rounds = rounds_of(self.day, [one.stops for one in self.rounds])
        fill(self.day, rounds, self.candidates, end_s=end_s)
        self.offer(rounds)
        self.start = [one.stops for one in self.rounds]

    def take(self, found: Found) -> None:
        """Keep what a search found when it is better than the best so far."""
        self.steps = max(self.steps, found.steps)
        self.proven = self.proven or found.proven
        if found.orders is not None:
            self.offer(rounds_of(self.day, found.orders))
        elif self._on_progress is not None:
            self._tell()

    def offer(self, rounds: list[Round]) -> None:
        """Keep ``rounds`` when they are better than the best so far."""
        cost = cost_of(self.day, rounds)
        self._first()
        if cost >= self._cost:
            return
        self.rounds, self._cost = rounds, cost
        self.count += 1
        if self._on_progress is not None:
            self._tell()

    def _first(self) -> None:
        self.first_plan_s = self.first_plan_s or time.monotonic() - self._began

    def _tell(self) -> None:
        assert self._on_progress is not None
        served = sum(len(one.stops) for one in self.rounds)
        left = len(self.day.problem.visits) - served
        elapsed_s = time.monotonic() - self._began
        self._on_progress(Progress(elapsed_s, self._cost[1], served, left, self.steps))


def positions_of(problem: DayProblem, sequences: Mapping[str, Sequence[str]], *, once: bool = True) -> Orders:
    """Return the positions of the visits in ``sequences``, for each rep; reps who are not named have none.

    Parameters
    ----------
    once : bool
        A visit may stand there once only. An order that is to be judged may say what it likes.

    Raises
    ------
    InvalidInput
        When it names an unknown rep or visit, or a visit twice, each by its pointer.
    """
    rep_ids = {rep.id for rep in problem.reps}
    visit_at = {visit.id: index for index, visit in enumerate(problem.visits)}
    wrong, seen = [], set()
    for rep_id, order in sequences.items():
        if rep_id not in rep_ids:
            wrong.append(FieldProblem(f"/routes/{rep_id}", Text("there is no such rep", "没有这名人员")))
        for place, visit_id in enumerate(order):
            pointer = f"/routes/{rep_id}/{place}"
            if visit_id not in visit_at:
                text = Text(f"there is no visit {visit_id!r}", f"没有拜访 {visit_id!r}")
                wrong.append(FieldProblem(pointer, text))
            elif once and visit_id in seen:
                text = Text(f"visit {visit_id!r} is named already", f"拜访 {visit_id!r} 已出现过")
                wrong.append(FieldProblem(pointer, text))
            seen.add(visit_id)
    if wrong:
        raise InvalidInput(Text("the given order is wrong", "给定的顺序有误"), fields=wrong)
    return [[visit_at[visit] for visit in sequences.get(rep.id, ())] for rep in problem.reps]


def _search(improving: _Improving, end_s: float, options: SolveOptions, should_stop: Callable[[], bool] | None) -> str:
    """Improve until the end and return how it ended."""
    stops = should_stop or (lambda: False)
    if not any(improving.candidates):
        improving.offer(improving.rounds)
        return "finished"
    if stops():
        improving.fill(time.monotonic() + SHORTEST_SEARCH_S)
        return "stopped"
    with borrowed() as (process, set_free):
        if not _is_loaded(process, improving, end_s, options, stops):
            _search_with_ortools(improving, end_s, stops)
        else:
            # However little time is left: a plan a moment late is worth more than none.
            until_s = max(end_s, time.monotonic() + SHORTEST_SEARCH_S)
            task = SearchTask(
                improving.day, improving.candidates, until_s, options.seed, improving.start, options.steps
            )
            if process.search(task, improving.take, stops):
                set_free()
    if improving.proven:
        return "proven"
    return "stopped" if stops() else "limit"


def _is_loaded(
    process: SearchProcess, improving: _Improving, end_s: float, options: SolveOptions, stops: Callable[[], bool]
) -> bool:
    """Return whether the process can search in time; a first plan is made while it loads its code."""
    if process.is_ready():
        return True
    waits_until = min(time.monotonic() + PATIENCE_S, end_s)
    work = len(improving.day.problem.visits) * len(improving.day.problem.reps)
    if options.steps is None and work <= FIRST_PLAN_WORK:
        improving.fill(end_s)
    while not stops() and time.monotonic() < waits_until:
        if process.is_ready(0.02):
            return True
    return process.is_ready()


def _search_with_ortools(improving: _Improving, end_s: float, stops: Callable[[], bool]) -> None:
    """Search with OR-Tools: our own code is still being compiled."""
    if improving.first_plan_s == 0.0:
        improving.fill(end_s)
    if end_s - time.monotonic() < SHORTEST_SEARCH_S or stops():
        return
    process = SearchProcess(ORTOOLS)
    try:
        process.search(SearchTask(improving.day, improving.candidates, end_s), improving.take, stops)
    finally:
        process.close()
