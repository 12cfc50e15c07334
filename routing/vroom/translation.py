"""Answers a VROOM request: read, plan (or time the given rounds), and answer in VROOM's format."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.places import Location
from routing.fleet.plan import plan_fleet
from routing.travel_times import Point, TravelTimes, way_through
from routing.vroom.answer import Round, answer_of
from routing.vroom.plan_mode import orders_in_steps, rounds_of_steps
from routing.vroom.problem import read_vroom


@dataclass(frozen=True, slots=True)
class VroomOptions:
    """What is asked for beside the problem.

    Attributes
    ----------
    time_limit_s : float
        Of the search.
    plan_mode : bool
        Time the rounds in the vehicles' ``steps`` instead of planning.
    geometry : bool
        Give each route's way.
    """

    time_limit_s: float = 1.0
    plan_mode: bool = False
    geometry: bool = False


def answer_vroom(given: Mapping[str, Any], travel: TravelTimes, options: VroomOptions) -> dict[str, Any]:
    """Return the answer to a VROOM request whose fields have the right types.

    Vehicles' ``steps`` are the plan that the search begins with. Tasks that no vehicle can do are listed as unassigned.

    Raises
    ------
    InvalidInput
        When the input contradicts itself, or a vehicle's time lies more than 48 h after the first vehicle's.
    UnreachablePlaces, Unavailable, NotReady
        When ``travel`` cannot answer.
    """
    began = time.perf_counter()
    problem = read_vroom(given, travel)
    loaded = time.perf_counter()
    if options.plan_mode:
        rounds = rounds_of_steps(problem)
    else:
        start = orders_in_steps(problem) or None
        planned = plan_fleet(problem.fleet, time_limit_s=options.time_limit_s, start=start)
        vehicles = {vehicle.id: vehicle for vehicle in problem.fleet.vehicles}
        rounds = [Round(vehicles[vehicle_id], steps) for vehicle_id, steps in planned.rounds.items()]
    solved = time.perf_counter()

    def draw(places: Sequence[Location]) -> list[Point] | None:
        return way_through(travel, places)

    times_ms = {"loading": _ms(loaded - began), "solving": _ms(solved - loaded), "routing": 0}
    return answer_of(problem, rounds, times_ms, draw=draw if options.geometry else None)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
