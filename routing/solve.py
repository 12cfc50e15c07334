"""Plans a day: first plan at once, then search until the time is up, then times, check-ready plan and reasons."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from routing.search import Orders, SearchTask
from routing.search_process import SearchProcess
from routing.travel_times import TravelTimes

LARGEST_SEARCH = 300
"""Visits that one search takes on; a larger day is searched district by district (docs/decisions/0020)."""
LATE_WORK_S = 100e-6
"""Kept back at the end of the time limit, for each visit left out and each rep it is tried with."""
GRACE_S = 0.2
"""How far beyond the time limit reasons are still looked for: they are worth more than a punctual tenth of a second."""
SHORTEST_SEARCH_S = 0.15
"""Less time than this is not worth starting a search for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The best plan so far.

    Attributes
    ----------
    elapsed_s : float
    objective : float
        Its cost (without the extra weight of mandatory visits that are left out).
    served, unassigned : int
    """

    elapsed_s: float
    objective: float
    served: int
    unassigned: int


def solve(
    problem: DayProblem,
    travel: TravelTimes,
    *,
    time_limit_s: float,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> DayPlan:
    """Return the best plan found within the time limit.

    Parameters
    ----------
    time_limit_s : float
        Seconds on the wall, more than 0, at most a day, kept to within 0.3 s. Asking ``travel`` for its table counts.
        The largest days (2,000 visits, 300 reps) need some 5 s of CPU time before there is any plan; a shorter limit
        is overrun there, and gives a plan with gaps.
    seed : int
        Another seed takes another way through the search. The same seed gives the same plan when the machine is equally
        fast, because the search cools down by the clock.
    on_progress : callable, optional
        Called in this thread for the first plan and for each better one.
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
        When the time limit is wrong, or ``travel`` has no answer for the problem's places.
    Unavailable
        When ``travel`` needs a server that does not answer, or the search process dies.
    """
    began = time.monotonic()
    if not 0 < time_limit_s <= 86_400:
        raise InvalidInput.at("/time_limit_s", "must be more than 0 s and at most a day", "必须大于 0 秒且不超过一天")
    end_s = began + time_limit_s
    improving = _Improving(Day(problem, travel.table(problem.locations())), began, on_progress)
    fill(improving.day, improving.rounds, improving.candidates, end_s=end_s)
    improving.offer(improving.rounds)
    first_plan_s = time.monotonic() - began
    left = len(problem.visits) - sum(len(one.stops) for one in improving.rounds)
    keep_back_s = min(0.3 * time_limit_s, 0.1 + LATE_WORK_S * left * len(problem.reps))
    ended = _search(improving, end_s - keep_back_s, seed, should_stop or (lambda: False))
    drop(improving.day, improving.rounds)
    fill(improving.day, improving.rounds, improving.candidates, end_s=end_s, nearest=len(problem.reps))
    plan = assemble(improving.day, improving.rounds, improving.alone, end_s=end_s + GRACE_S)
    summary = SearchSummary(time.monotonic() - began, first_plan_s, improving.count, ended)
    return DayPlan(plan.routes, plan.unassigned, plan.objective, summary)


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
    rep_at = {rep.id: index for index, rep in enumerate(problem.reps)}
    visit_at = {visit.id: index for index, visit in enumerate(problem.visits)}
    unknown = []
    for rep_id, order in sequences.items():
        if rep_id not in rep_at:
            unknown.append(FieldProblem(f"/routes/{rep_id}", Text("there is no such rep", "没有这名人员")))
        for place, visit_id in enumerate(order):
            if visit_id not in visit_at:
                text = Text(f"there is no visit {visit_id!r}", f"没有拜访 {visit_id!r}")
                unknown.append(FieldProblem(f"/routes/{rep_id}/{place}", text))
    if unknown:
        raise InvalidInput(Text("the order names unknown reps or visits", "顺序中有未知的人员或拜访"), fields=unknown)
    orders: Orders = [[visit_at[visit] for visit in sequences.get(rep.id, ())] for rep in problem.reps]
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
    cost = sum(day.route_cost(one.rep, one.stops) for one in rounds)
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
        self.count = 0
        self._cost = (len(day.problem.visits) + 1, float("inf"))
        self._began = began
        self._on_progress = on_progress

    def offer(self, rounds: list[Round]) -> None:
        """Keep ``rounds`` when they are better than the best so far."""
        cost = cost_of(self.day, rounds)
        if cost >= self._cost:
            return
        self.rounds, self._cost = rounds, cost
        self.count += 1
        if self._on_progress is not None:
            served = sum(len(one.stops) for one in rounds)
            left = len(self.day.problem.visits) - served
            self._on_progress(Progress(time.monotonic() - self._began, cost[1], served, left))


def _search(improving: _Improving, end_s: float, seed: int, should_stop: Callable[[], bool]) -> str:
    """Improve until the end and return how it ended."""
    districts = list(_districts(improving))
    if not districts:
        return "finished"
    if should_stop():
        return "stopped"
    if end_s - time.monotonic() < SHORTEST_SEARCH_S:
        return "limit"
    with SearchProcess() as process:
        for number, (visits, reps) in enumerate(districts):
            now = time.monotonic()
            share_s = now + (end_s - now) / (len(districts) - number)
            if share_s - now < SHORTEST_SEARCH_S:
                break
            _search_district(improving, process, (visits, reps), (share_s, seed), should_stop)
            if should_stop():
                return "stopped"
    return "limit"


def _search_district(
    improving: _Improving,
    process: SearchProcess,
    district: tuple[list[int], list[int]],
    until: tuple[float, int],
    should_stop: Callable[[], bool],
) -> None:
    visits, reps = district
    day = improving.day
    part, rows = day.problem.part(visits, reps)
    place = {rep: index for index, rep in enumerate(reps)}
    options = [[place[rep] for rep in improving.candidates[visit] if rep in place] for visit in visits]
    task = SearchTask(Day(part, day.table.part(rows)), options, until[0], until[1])

    def offer(orders: Orders) -> None:
        rounds = list(improving.rounds)
        found = rounds_of(day, [[visits[visit] for visit in order] for order in _by_rep(orders, reps, len(rounds))])
        for rep in reps:
            rounds[rep] = found[rep]
        improving.offer(rounds)

    process.search(task, offer, should_stop)


def _by_rep(orders: Orders, reps: Sequence[int], count: int) -> Orders:
    spread: Orders = [[] for _ in range(count)]
    for rep, order in zip(reps, orders, strict=True):
        spread[rep] = order
    return spread


def _districts(improving: _Improving) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (visits, reps) to search together: reps who start near each other, their visits, near ones left out."""
    day, rounds = improving.day, improving.rounds
    possible = [visit for visit, reps in enumerate(improving.candidates) if reps]
    if not possible:
        return
    groups = _neighbours(day, -(-len(possible) // LARGEST_SEARCH))
    home = {rep: number for number, group in enumerate(groups) for rep in group}
    visits: list[list[int]] = [[] for _ in groups]
    placed = {visit: one.rep for one in rounds for visit in one.stops}
    for visit in possible:
        rep = placed.get(visit)
        if rep is None:
            ways = day.travel_s[visit]
            rep = min(improving.candidates[visit], key=lambda rep: ways[day.start_place[rep]])
        visits[home[rep]].append(visit)
    for group, chosen in zip(groups, visits, strict=True):
        if chosen:
            yield chosen, group


def _neighbours(day: Day, count: int) -> list[list[int]]:
    """Return the reps in about ``count`` groups of equal size, each around a rep at the edge of those left."""
    waiting = set(range(len(day.problem.reps)))
    size = -(-len(waiting) // min(count, len(waiting)))
    groups: list[list[int]] = []
    while waiting:
        ways = (
            day.travel_s[day.start_place[min(waiting)]] if not groups else day.travel_s[day.start_place[groups[0][0]]]
        )
        seed = max(sorted(waiting), key=lambda rep: ways[day.start_place[rep]])
        near = day.travel_s[day.start_place[seed]]
        group = sorted(waiting, key=lambda rep: (near[day.start_place[rep]], rep))[:size]
        waiting -= set(group)
        groups.append(sorted(group))
    return groups
