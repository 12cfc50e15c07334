"""Lends reps between regions so that the predicted work gets done: who goes where on which day, and why.

The program is written down in `staffing_program`, how it is searched in `staffing_search`, and why so in
docs/decisions/0021.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from common.errors import InvalidInput, Text
from common.places import great_circle_m
from routing.staffing.answer import Effect, Move, Quality, Reallocation, Relaxation, RequiredGap, Shortfall
from routing.staffing.choices import Staffing, choices_of
from routing.staffing.effects import DayBooks, steps_of
from routing.staffing.problem import ReallocationProblem
from routing.staffing.reasons import Standing, moves_of, shortfalls_of
from routing.staffing.relaxations import relaxations_of, required_gaps_of
from routing.staffing.search import gap_percent, hours, search

__all__ = [
    "Effect",
    "Move",
    "Quality",
    "Reallocation",
    "Relaxation",
    "RequiredGap",
    "Shortfall",
    "reallocate",
    "way_min",
]


def reallocate(problem: ReallocationProblem, *, time_limit_s: float = 25.0, seed: int = 0) -> Reallocation:
    """Return the moves that leave the fewest hours of work undone, weighed against travel and the price of a move.

    Parameters
    ----------
    time_limit_s : float
        For the search; reading the problem and writing the answer come on top (seconds for 3,000 people).
    seed : int
        The same seed gives the same answer, unless the time limit cuts the search short.

    Returns
    -------
    Reallocation
        Its moves keep every region's minimum of own people, every person's limits and refusals, and the longest way;
        they are never worse than nobody moving. What stays undone is listed with reasons, and with the rules that
        would have to give way; nothing to do is a result without moves.

    Raises
    ------
    InvalidInput
        When the time limit is not positive.
    """
    if not time_limit_s > 0:
        raise InvalidInput.at("/time_limit_s", "must be more than 0", "必须大于 0")
    until = time.monotonic() + time_limit_s
    staffing = Staffing(problem)
    before = _undone_h(staffing, DayBooks(staffing))
    found = search(staffing, choices_of(staffing), seed=seed, until=until)
    books = DayBooks(staffing)
    steps = steps_of(staffing, found.chosen, books)
    after = _undone_h(staffing, books)
    standing = Standing(staffing, found.chosen)
    bound_h = None if found.bound_min is None else hours(found.bound_min)
    return Reallocation(
        tuple(moves_of(staffing, steps)),
        _over_days(staffing, before),
        _over_days(staffing, after),
        tuple(shortfalls_of(staffing, standing, books)),
        before,
        after,
        tuple(relaxations_of(staffing, standing, books)),
        tuple(required_gaps_of(staffing, standing, books, seed=seed)),
        tuple(_understaffed(staffing)),
        Quality(hours(found.cost_min), bound_h, gap_percent(found), found.proven),
    )


def way_min(problem: ReallocationProblem, start: int, end: int) -> float:
    """Return the minutes of one way between two regions, by position."""
    metres = great_circle_m(problem.regions[start].location, problem.regions[end].location)
    return metres * problem.rules.detour_factor / 1000 / problem.rules.speed_kmh * 60


def _undone_h(staffing: Staffing, books: DayBooks) -> dict[str, dict[str, float]]:
    names = [region.id for region in staffing.problem.regions]
    return {
        name: {names[region]: hours(sum(books.undone((region, day)).values())) for region in range(len(names))}
        for day, name in enumerate(staffing.problem.days)
    }


def _over_days(staffing: Staffing, by_day: dict[str, dict[str, float]]) -> dict[str, float]:
    return {
        region.id: round(sum(undone[region.id] for undone in by_day.values()), 2) for region in staffing.problem.regions
    }


def _understaffed(staffing: Staffing) -> Iterator[Text]:
    problem = staffing.problem
    for region, asked in enumerate(problem.regions):
        for day, name in enumerate(problem.days):
            present = staffing.places[region][day].present
            if present < asked.minimum_staff:
                on, on_zh = (f" on {name}", f" {name} ") if name else ("", "")
                yield Text(
                    f"{asked.id} has {present} people at work{on}, fewer than its minimum of {asked.minimum_staff}",
                    f"{asked.id}{on_zh}在岗 {present} 人，少于最低 {asked.minimum_staff} 人",
                )
