"""Answers a request in the shape of Google's Route Optimization: read, plan, and answer in that shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.fleet.plan import plan_fleet
from routing.tours.answer import answer_of_tours, injected_start, nothing_to_plan
from routing.tours.problem import ToursProblem, read_tours
from routing.travel.polyline import encode_polyline
from routing.travel_times import TravelTimes, way_through


@dataclass(frozen=True, slots=True)
class ToursOptions:
    """What is asked for beside the model: the time of the search, and each route's way as a polyline."""

    time_limit_s: float = 2.0
    polylines: bool = False


def answer_tours(
    model: Mapping[str, Any],
    injected: Sequence[Mapping[str, Any]],
    travel: TravelTimes,
    options: ToursOptions,
    *,
    language: str = "en",
) -> dict[str, Any]:
    """Return the answer to a model whose fields have the right types.

    Parameters
    ----------
    injected : sequence of mapping
        ``injectedFirstSolutionRoutes``: the plan that the search begins with; may be empty.

    Raises
    ------
    InvalidInput
        When the model contradicts itself, or a vehicle's time lies more than 48 h after the first vehicle's.
    UnreachablePlaces, Unavailable, NotReady
        When ``travel`` cannot answer.
    """
    problem = read_tours(model, travel)
    if problem is None:
        return nothing_to_plan(model)
    start = injected_start(problem, injected) or None
    found = plan_fleet(problem.fleet, time_limit_s=options.time_limit_s, start=start)
    answer = answer_of_tours(problem, found, language)
    if options.polylines:
        for route in answer["routes"]:
            steps = found.rounds.get(str(route["vehicleIndex"]), ())
            rows = [step.place for step in steps if step.place is not None]
            if rows:
                route["routePolyline"] = {"points": _polyline(problem, rows, travel)}
    return answer


def _polyline(problem: ToursProblem, rows: Sequence[int], travel: TravelTimes) -> str:
    places = [problem.places[row] for row in rows]
    points = way_through(travel, places)
    return encode_polyline(points or [(place.latitude, place.longitude) for place in places])
