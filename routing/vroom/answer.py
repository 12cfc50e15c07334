"""A fleet's plan in VROOM's output format (VROOM 1.15, docs/API.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.places import Location
from routing.fleet.model import Amounts, Vehicle
from routing.fleet.timetable import Step, costs_of
from routing.travel.polyline import encode_polyline
from routing.vroom.problem import VroomProblem

Violations = Mapping[int, Sequence[Mapping[str, Any]]]
"""Violations by the number of the step."""
Drawn = Callable[[Sequence[Location]], Sequence[tuple[float, float]] | None]
"""Returns the way through places as (latitude, longitude), or None where streets are not known."""


@dataclass(frozen=True, slots=True)
class Round:
    """One vehicle's round: its steps, and in plan mode what they violate (by step, and the round as a whole)."""

    vehicle: Vehicle
    steps: Sequence[Step]
    violations: Violations = field(default_factory=dict)
    causes: Sequence[Mapping[str, Any]] = ()


def answer_of(
    problem: VroomProblem, rounds: Sequence[Round], times_ms: Mapping[str, int], *, draw: Drawn | None = None
) -> dict[str, Any]:
    """Return VROOM's answer.

    Parameters
    ----------
    times_ms : mapping
        ``loading``, ``solving`` and ``routing`` in milliseconds.
    draw : callable, optional
        Given: routes carry their ``geometry``, along straight lines where it returns None.
    """
    routes = [_route(problem, one, draw) for one in rounds]
    done = {step.id for one in rounds for step in one.steps if step.kind == "task"}
    left = [task.id for task in problem.fleet.tasks if task.id not in done]
    summary: dict[str, Any] = {
        "cost": sum(route["cost"] for route in routes),
        "routes": len(routes),
        "unassigned": len(left),
    }
    if problem.with_amounts:
        size = len(problem.fleet.vehicles[0].capacity or ())
        for name in ("delivery", "amount", "pickup"):
            summary[name] = [sum(route[name][place] for route in routes) for place in range(size)]
    names = ["setup", "service", "duration", "waiting_time", "priority"]
    if problem.with_distances:
        names.append("distance")
    summary |= {name: sum(route[name] for route in routes) for name in names}
    summary["violations"] = merged([cause for one in rounds for cause in one.causes])
    summary["computing_times"] = dict(times_ms)
    return {
        "code": 0,
        "summary": summary,
        "unassigned": [_unassigned(problem, task) for task in left],
        "routes": routes,
    }


def merged(violations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each cause once, with the sum of its durations."""
    found: dict[str, dict[str, Any]] = {}
    for violation in violations:
        kept = found.setdefault(
            violation["cause"], {**violation, **({"duration": 0} if "duration" in violation else {})}
        )
        if "duration" in violation:
            kept["duration"] += violation["duration"]
    return list(found.values())


def _unassigned(problem: VroomProblem, task_id: str) -> dict[str, Any]:
    kind, asked = problem.asked[task_id]
    left: dict[str, Any] = {"id": asked["id"]}
    left |= {name: asked[name] for name in ("location", "location_index") if asked.get(name) is not None}
    left["type"] = kind
    if asked.get("description") is not None:
        left["description"] = asked["description"]
    return left


def _route(problem: VroomProblem, one: Round, draw: Drawn | None) -> dict[str, Any]:
    vehicle, asked = one.vehicle, problem.vehicles[one.vehicle.id]
    tasks = [step for step in one.steps if step.kind == "task"]
    route: dict[str, Any] = {
        "vehicle": asked["id"],
        "cost": round(sum(costs_of(problem.fleet, vehicle, one.steps).values())),
    }
    if asked.get("description") is not None:
        route["description"] = asked["description"]
    if problem.with_amounts:
        by_id = {task.id: task for task in problem.fleet.tasks}
        route["delivery"] = route["amount"] = _total([by_id[step.id].leaves for step in tasks], vehicle)
        route["pickup"] = _total([by_id[step.id].takes for step in tasks], vehicle)
    route |= {
        "setup": sum(step.setup_s for step in one.steps),
        "service": sum(step.service_s for step in one.steps),
        "duration": one.steps[-1].travel_s,
        "waiting_time": sum(step.wait_s for step in one.steps),
        "priority": sum(problem.priorities[step.id] for step in tasks),
    }
    if problem.with_distances:
        route["distance"] = one.steps[-1].distance_m
    route["steps"] = [_step(problem, one, number) for number in range(len(one.steps))]
    route["violations"] = merged(one.causes)
    if draw is not None and (line := _geometry(problem, one.steps, draw)) is not None:
        route["geometry"] = line
    return route


def _total(amounts: Sequence[Amounts], vehicle: Vehicle) -> list[int]:
    return [sum(amount[place] for amount in amounts) for place in range(len(vehicle.capacity or ()))]


def _step(problem: VroomProblem, one: Round, number: int) -> dict[str, Any]:
    step = one.steps[number]
    asked, kind = _source(problem, one.vehicle, step)
    shown: dict[str, Any] = {"type": kind}
    if asked.get("description") is not None and step.kind in ("task", "break"):
        shown["description"] = asked["description"]
    if step.place is not None:
        location = problem.locations[step.place]
        if location is not None:
            shown["location"] = location.lon_lat
        if problem.by_index:
            shown["location_index"] = step.place
    if step.kind in ("task", "break"):
        shown["id"] = asked["id"]
    shown |= {"setup": step.setup_s, "service": step.service_s, "waiting_time": step.wait_s}
    if step.kind == "task":
        shown["job"] = asked["id"]
    if problem.with_amounts:
        shown["load"] = list(step.load)
    shown |= {"arrival": step.arrival_s, "duration": step.travel_s, "violations": list(one.violations.get(number, ()))}
    if problem.with_distances:
        shown["distance"] = step.distance_m
    return shown


def _source(problem: VroomProblem, vehicle: Vehicle, step: Step) -> tuple[Mapping[str, Any], str]:
    """Return the object that a step stands for, as it was sent, and the step's type."""
    if step.kind == "task":
        kind, asked = problem.asked[step.id]
        return asked, kind
    given = problem.vehicles[vehicle.id]
    if step.kind == "break":
        return next(rest for rest in given["breaks"] if str(rest["id"]) == step.id), "break"
    return given, step.kind


def _geometry(problem: VroomProblem, steps: Sequence[Step], draw: Drawn) -> str | None:
    places = [problem.locations[step.place] for step in steps if step.place is not None]
    known = [place for place in places if place is not None]
    if not known or len(known) != len(places):
        return None
    points = draw(known)
    return encode_polyline(points or [(place.latitude, place.longitude) for place in known])
