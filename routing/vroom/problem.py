"""VROOM's input as a fleet: jobs, shipments, vehicles, matrices.

The format is that of VROOM 1.15 (https://github.com/VROOM-Project/vroom, docs/API.md). VROOM compares plans by the sum
of priorities, then by the number of tasks, then by cost; the tasks' values are so far apart that cost does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from common.errors import InvalidInput
from common.places import Location
from routing.fleet.model import Amounts, Fleet, Rest, Span, Task, Vehicle
from routing.travel_times import TravelTable, TravelTimes
from routing.vroom.places import Places, travel_name

KINDS = ("job", "pickup", "delivery")


@dataclass(frozen=True, slots=True)
class VroomProblem:
    """What a VROOM request asks for.

    Attributes
    ----------
    asked : mapping of task id to (kind, object)
        The job or shipment step as it was sent, for each task of the fleet; a task's id is ``kind:id``.
    vehicles : mapping of vehicle id to object
        As sent.
    locations : sequence of Location or None
        Of the fleet's places, where they are known.
    priorities : mapping of task id to int
        As sent; a shipment's counts for both of its steps.
    by_index : bool
        Whether places are indexes into given matrices.
    with_amounts, with_distances : bool
        Whether loads and distances belong into the answer.
    """

    fleet: Fleet
    asked: Mapping[str, tuple[str, Mapping[str, Any]]]
    vehicles: Mapping[str, Mapping[str, Any]]
    locations: Sequence[Location | None]
    priorities: Mapping[str, int]
    by_index: bool
    with_amounts: bool
    with_distances: bool


def read_vroom(given: Mapping[str, Any], travel: TravelTimes) -> VroomProblem:
    """Return the problem of a request whose fields have the right types.

    Parameters
    ----------
    given : mapping
        The request; optional fields may be missing.
    travel : TravelTimes
        Asked where no matrix is given, for every profile.

    Raises
    ------
    InvalidInput
        When the input contradicts itself; one field is named.
    UnreachablePlaces, Unavailable, NotReady
        When ``travel`` cannot answer.
    """
    vehicles: Sequence[Mapping[str, Any]] = given.get("vehicles") or ()
    if not vehicles:
        raise InvalidInput.at("/vehicles", "no vehicle is given", "没有车辆")
    steps = list(_task_steps(given))
    if not steps:
        raise InvalidInput.at("/jobs", "no job or shipment is given", "没有任务或货运")
    places = Places(given, travel)
    dimensions = len(vehicles[0].get("capacity") or ())
    fleet_vehicles = tuple(
        _vehicle(vehicle, f"/vehicles/{number}", places, dimensions) for number, vehicle in enumerate(vehicles)
    )
    _check_unique("/vehicles", "vehicle", [vehicle["id"] for vehicle in vehicles])
    for kind in KINDS:
        _check_unique(
            "/jobs" if kind == "job" else "/shipments", kind, [step["id"] for _, k, step, _ in steps if k == kind]
        )
    read = [_task(pointer, kind, step, whole, (places, dimensions)) for pointer, kind, step, whole in steps]
    tables = places.tables({vehicle.travel for vehicle in fleet_vehicles})
    costs = places.costs({vehicle.travel for vehicle in fleet_vehicles}, fleet_vehicles)
    points = _points(list(fleet_vehicles), list((costs or tables).values()), bool(costs))
    tasks = tuple(
        _valued(task, points * (1 + _priority(step[3]) * (len(read) + 1)))
        for task, step in zip(read, steps, strict=True)
    )
    return VroomProblem(
        Fleet(tasks, fleet_vehicles, tables, costs),
        {task.id: (kind, step) for task, (_, kind, step, _) in zip(tasks, steps, strict=True)},
        {str(vehicle["id"]): vehicle for vehicle in vehicles},
        places.locations,
        {task.id: _priority(step[3]) for task, step in zip(tasks, steps, strict=True)},
        by_index=places.by_index,
        with_amounts=dimensions > 0,
        with_distances=places.with_distances,
    )


def _task_steps(given: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (pointer, kind, the step itself, the object with amounts, skills and priority)."""
    for number, job in enumerate(given.get("jobs") or ()):
        yield f"/jobs/{number}", "job", job, job
    for number, shipment in enumerate(given.get("shipments") or ()):
        for kind in ("pickup", "delivery"):
            yield f"/shipments/{number}/{kind}", kind, shipment[kind], shipment


def _check_unique(pointer: str, kind: str, ids: Sequence[int | str]) -> None:
    seen: set[str] = set()
    for number, given in enumerate(ids):
        if str(given) in seen:
            raise InvalidInput.at(
                f"{pointer}/{number}/id", f"duplicate {kind} id: {given}", f"{kind} 编号重复：{given}"
            )
        seen.add(str(given))


def _priority(whole: Mapping[str, Any]) -> int:
    priority: int = whole.get("priority") or 0
    return priority


def _points(vehicles: list[Vehicle], tables: list[TravelTable], by_costs: bool) -> float:
    """Return more than one task can save by being left out."""
    furthest = 0.0
    for table in tables:
        ways = [(table.distance_m, 1.0 if by_costs else max(one.cost_per_m for one in vehicles))]
        if not by_costs:
            ways.append((table.duration_s, max(one.cost_per_s for one in vehicles)))
        furthest = max(furthest, sum(float(matrix.max()) * price for matrix, price in ways))
    return 1 + 4 * furthest + max(one.fixed_cost for one in vehicles)


def _valued(task: Task, value: float) -> Task:
    return replace(task, value=value)


def _task(
    pointer: str, kind: str, step: Mapping[str, Any], whole: Mapping[str, Any], around: tuple[Places, int]
) -> Task:
    places, dimensions = around
    takes, leaves = _task_amounts(pointer, kind, whole, dimensions)
    place = places.of(step.get("location"), step.get("location_index"), pointer)
    shipment_pickup = f"pickup:{whole['pickup']['id']}" if kind == "delivery" else ""
    service_s, setup_s = step.get("service") or 0, step.get("setup") or 0
    services, setups = step.get("service_per_type") or {}, step.get("setup_per_type") or {}
    by_type = {name: (setups.get(name, setup_s), services.get(name, service_s)) for name in {*services, *setups}}
    return Task(
        f"{kind}:{step['id']}",
        place,
        service_s,
        setup_s,
        spans(step.get("time_windows"), f"{pointer}/time_windows"),
        takes,
        leaves,
        frozenset(str(skill) for skill in whole.get("skills") or ()),
        after=shipment_pickup,
        by_type=by_type,
    )


def _task_amounts(pointer: str, kind: str, whole: Mapping[str, Any], dimensions: int) -> tuple[Amounts, Amounts]:
    if kind == "job":
        delivered = whole.get("delivery") if whole.get("delivery") is not None else whole.get("amount")
        leaves = _amounts(delivered, "delivery", dimensions, pointer)
        return _amounts(whole.get("pickup"), "pickup", dimensions, pointer), leaves
    amount = _amounts(whole.get("amount"), "amount", dimensions, pointer)
    none = (0,) * dimensions
    return (amount, none) if kind == "pickup" else (none, amount)


def _amounts(given: Sequence[int] | None, name: str, dimensions: int, pointer: str) -> Amounts:
    if given is None:
        return (0,) * dimensions
    if len(given) != dimensions:
        raise InvalidInput.at(
            f"{pointer}/{name}",
            f"inconsistent {name} length: {len(given)} instead of {dimensions}",
            f"{name} 的长度为 {len(given)}，应为 {dimensions}",
        )
    return tuple(given)


def spans(given: Sequence[Sequence[int]] | None, pointer: str) -> tuple[Span, ...]:
    """Return time windows, none for any time."""
    windows = []
    for number, window in enumerate(given or ()):
        start, end = window
        if end < start:
            raise InvalidInput.at(
                f"{pointer}/{number}", f"invalid time window: [{start}, {end}]", f"时间窗无效：[{start}, {end}]"
            )
        windows.append((start, end))
    return tuple(windows)


def _vehicle(given: Mapping[str, Any], pointer: str, places: Places, dimensions: int) -> Vehicle:
    ends = [
        places.of(given.get(name), given.get(f"{name}_index"), f"{pointer}/{name}")
        if given.get(name) is not None or given.get(f"{name}_index") is not None
        else None
        for name in ("start", "end")
    ]
    if ends == [None, None]:
        text = f"no start or end specified for vehicle {given['id']}"
        raise InvalidInput.at(pointer, text, f"车辆 {given['id']} 没有起点或终点")
    window = spans([given["time_window"]] if given.get("time_window") else None, f"{pointer}/time_window")
    costs = given.get("costs") or {}
    rests = [
        Rest(str(rest["id"]), rest.get("service") or 0, spans(rest.get("time_windows"), f"{pointer}/breaks/{number}"))
        for number, rest in enumerate(given.get("breaks") or ())
    ]
    _check_unique(f"{pointer}/breaks", "break", [rest.id for rest in rests])
    return Vehicle(
        str(given["id"]),
        ends[0],
        ends[1],
        window[0][0] if window else None,
        window[0][1] if window else None,
        rests=tuple(rests),
        capacity=_amounts(given.get("capacity"), "capacity", dimensions, pointer) if dimensions else None,
        skills=frozenset(str(skill) for skill in given.get("skills") or ()),
        max_tasks=given.get("max_tasks"),
        max_travel_s=given.get("max_travel_time"),
        max_distance_m=given.get("max_distance"),
        travel=travel_name(given),
        type=given.get("type") or "",
        fixed_cost=costs.get("fixed") or 0,
        cost_per_s=_or(costs.get("per_hour"), 3600) / 3600,
        cost_per_m=(costs.get("per_km") or 0) / 1000,
    )


def _or(given: int | None, default: int) -> int:
    return default if given is None else given
