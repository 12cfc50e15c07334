"""Travel times for a whole day problem: one table for the working span, places without streets named, ways drawn."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import FieldProblem, FieldwiseError, InvalidInput, Text
from common.places import Location
from routing.plan import DayPlan, Route
from routing.problem import DayProblem
from routing.travel.polyline import encode_polyline, shortened
from routing.travel.sanity import examine
from routing.travel_times import LARGEST_ENTRY, TravelTable, TravelTimes, UnreachablePlaces, for_hours, way_through

MOST_POINTS = 800
"""Of one round's line on the map: what more would say cannot be seen."""
MOST_EXAMINED = 500
"""Places of a large problem that tell whether its table is plausible, evenly spread over it."""
LONGEST_DRAWING_S = 2.0
"""Spent on the lines of a plan; rounds whose turn does not come are drawn straight."""


@dataclass(frozen=True, slots=True)
class NoStreet:
    """A visit that cannot be reached, and why."""

    visit_id: str
    text: Text


@dataclass(frozen=True, slots=True)
class ProblemTravel:
    """What a solve of a problem needs to know about ways.

    Attributes
    ----------
    table : TravelTable
        Over :meth:`routing.problem.DayProblem.locations`, for the reps' working span.
    source : TravelTimes
        Where it comes from.
    unreachable : tuple of NoStreet
        Visits that no way leads to. In the table they are so far away that nobody can serve them, so a plan leaves
        them out with that reason.
    """

    table: TravelTable
    source: TravelTimes
    unreachable: tuple[NoStreet, ...] = ()


def travel_for(problem: DayProblem, source: TravelTimes) -> ProblemTravel:
    """Return the travel times of a problem: one customer without a street near fails nobody else's day.

    Raises
    ------
    InvalidInput
        When a rep's start or end cannot be reached; each is named (``/reps/2/start``). Or when ``source`` has no
        answer.
    NotReady, Unavailable
        When a file or server that is needed is missing or does not answer.
    """
    during = for_hours(source, *working_span(problem))
    table, why = reachable_table(during, problem.locations())
    visits = len(problem.visits)
    pointers = pointers_of(problem)
    wrong = [FieldProblem(pointers[place], text) for place, text in why.items() if place >= visits]
    if wrong:
        count = len(wrong)
        text = Text(f"{count} of the reps' starts and ends cannot be reached", f"{count} 个人员的起点或终点无法到达")
        raise InvalidInput(text, fields=wrong)
    left = tuple(NoStreet(problem.visits[place].id, text) for place, text in why.items())
    return ProblemTravel(table, during, left)


def working_span(problem: DayProblem) -> tuple[int, int]:
    """Return from when to when anybody works, in seconds since midnight."""
    return min(rep.shift_start_s for rep in problem.reps), max(rep.shift_end_s for rep in problem.reps)


def pointers_of(problem: DayProblem) -> list[str]:
    """Return, in the order of the problem's locations, where each place stands in the problem."""
    visits = [f"/visits/{index}/location" for index in range(len(problem.visits))]
    starts = [f"/reps/{index}/start" for index in range(len(problem.reps))]
    return visits + starts + [f"/reps/{index}/end" for index, rep in enumerate(problem.reps) if rep.end is not None]


def reachable_table(source: TravelTimes, locations: Sequence[Location]) -> tuple[TravelTable, dict[int, Text]]:
    """Return the table of all places, and why some of them cannot be reached, by index.

    Their ways have the largest entry there is (:data:`routing.travel_times.LARGEST_ENTRY`).

    Raises
    ------
    InvalidInput, NotReady, Unavailable
        As the source does, except for places that cannot be reached.
    """
    import numpy as np

    why: dict[int, Text] = {}
    rest, size = list(range(len(locations))), len(locations)
    duration_s = np.full((size, size), LARGEST_ENTRY, dtype=np.int32)
    distance_m = np.full((size, size), LARGEST_ENTRY * 10, dtype=np.int32)
    while rest:
        try:
            table = source.table([locations[place] for place in rest])
        except UnreachablePlaces as error:
            texts = _in_words_of(error, rest)
            why |= texts
            rest = [place for place in rest if place not in texts]
            continue
        if not why:
            return table, {}
        duration_s[np.ix_(rest, rest)], distance_m[np.ix_(rest, rest)] = table.duration_s, table.distance_m
        break
    for matrix in (duration_s, distance_m):
        np.fill_diagonal(matrix, 0)
    return TravelTable(duration_s, distance_m), dict(sorted(why.items()))


def _in_words_of(error: UnreachablePlaces, rest: Sequence[int]) -> dict[int, Text]:
    """Return the texts by index among all places; the source knew only ``rest`` and numbered those."""

    def renumbered(text: str) -> str:
        return re.sub(r"(place |地点 )(\d+)", lambda match: f"{match[1]}{rest[int(match[2])]}", text)

    return {
        rest[place]: Text(renumbered(field.text.en), renumbered(field.text.zh))
        for place, field in zip(error.places, error.fields, strict=True)
    }


def travel_record(problem: DayProblem, plan: DayPlan, travel: ProblemTravel) -> dict[str, Any]:
    """Return what a stored plan says about its travel times, as JSON can hold it.

    Returns
    -------
    dict
        ``travel``: whether the table is plausible (see :func:`routing.travel.sanity.examine`) and the visits that no
        way leads to (all of them). ``geometry``: by rep id the line of the round on the streets as an encoded polyline
        (precision 5); without the rounds that have none.
    """
    locations = problem.locations()
    rows = sorted({round(step * (len(locations) - 1) / MOST_EXAMINED) for step in range(MOST_EXAMINED + 1)})
    sanity = examine(travel.table.part(rows), [locations[row] for row in rows]).short_record()
    left = [
        {"visit_id": item.visit_id, "reason": {"en": item.text.en, "zh": item.text.zh}} for item in travel.unreachable
    ]
    record = {"travel": {**sanity, "unreachable_visits": left}}
    return {**record, "geometry": lines_of(problem, plan, travel.source)}


def lines_of(problem: DayProblem, plan: DayPlan, source: TravelTimes) -> dict[str, str]:
    """Return, by rep id, the line of each round on the streets as an encoded polyline.

    Nothing fails here: a plan is good without its lines. Rounds whose way cannot be had are left out.
    """
    until = time.monotonic() + LONGEST_DRAWING_S
    lines: dict[str, str] = {}
    for route in plan.routes:
        if time.monotonic() > until:
            break
        try:
            points = way_through(source, places_of(problem, route))
        except FieldwiseError:
            break
        if points is None:
            break
        lines[route.rep_id] = encode_polyline(shortened(points, most=MOST_POINTS))
    return lines


def places_of(problem: DayProblem, route: Route) -> list[Location]:
    """Return the places of a round in order: start, stops, end."""
    rep = next(rep for rep in problem.reps if rep.id == route.rep_id)
    where: Mapping[str, Location] = {visit.id: visit.location for visit in problem.visits}
    ends = [rep.end] if rep.end is not None else []
    return [rep.start, *(where[stop.visit_id] for stop in route.stops), *ends]
