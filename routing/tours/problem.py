"""A request in the shape of Google's Route Optimization as a fleet: shipments and vehicles.

The names are those of ``google.maps.routeoptimization.v1`` (REST). A shipment is one pickup, one delivery, or both;
each becomes a task. Costs are as there, except that waiting is not paid for by the hour while the plan is sought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location
from routing.fleet.model import Amounts, Fleet, Rest, Span, Task, Vehicle
from routing.travel_times import LARGEST_ENTRY, TravelTable, TravelTimes

IN_POINTS = 1.0
"""Price of a second on the way where no vehicle has any cost: shipments are then worth their penalty beside it."""
FOREVER = 1 << 40
"""No bound, in seconds or amounts."""
KINDS = ("pickups", "deliveries")


@dataclass(frozen=True, slots=True)
class ToursProblem:
    """What the request asks for.

    Attributes
    ----------
    model : mapping
        As sent.
    tasks : mapping of task id to (shipment's index, ``pickups`` or ``deliveries``)
    load_types : tuple of str
        The dimensions of amounts.
    places : tuple of Location
        Of the fleet's tables.
    ignored_shipments, ignored_vehicles : frozenset of int
        Left out because the request says ``ignore``.
    """

    fleet: Fleet
    model: Mapping[str, Any]
    tasks: Mapping[str, tuple[int, str]]
    load_types: tuple[str, ...]
    places: tuple[Location, ...]
    ignored_shipments: frozenset[int]
    ignored_vehicles: frozenset[int]


def read_tours(model: Mapping[str, Any], travel: TravelTimes) -> ToursProblem | None:
    """Return the problem of a model whose fields have the right types, or None where nothing is left to plan.

    Raises
    ------
    InvalidInput
        When the model contradicts itself; every wrong field that is found is named.
    UnreachablePlaces, Unavailable, NotReady
        When ``travel`` cannot answer.
    """
    shipments: Sequence[Mapping[str, Any]] = model.get("shipments") or ()
    given_vehicles: Sequence[Mapping[str, Any]] = model.get("vehicles") or ()
    _check(shipments, given_vehicles)
    ignored = frozenset(number for number, one in enumerate(shipments) if one.get("ignore"))
    idle = frozenset(number for number, one in enumerate(given_vehicles) if one.get("ignore"))
    load_types = _load_types(shipments, given_vehicles)
    rows: dict[tuple[float, float], int] = {}
    bounds = (_seconds(model.get("globalStartTime")), _seconds(model.get("globalEndTime")))
    priced = any(_has_cost(vehicle) for vehicle in given_vehicles)
    vehicles = [
        _vehicle(number, one, rows, bounds, (load_types, priced))
        for number, one in enumerate(given_vehicles)
        if number not in idle
    ]
    tasks: dict[str, tuple[int, str]] = {}
    fleet_tasks: list[Task] = []
    for number, shipment in enumerate(shipments):
        if number not in ignored:
            found = _tasks(number, shipment, rows, load_types)
            fleet_tasks += found
            tasks |= {task.id: (number, task.id.split(":")[0]) for task in found}
    if not fleet_tasks or not vehicles:
        return None
    places = tuple(Location(*place) for place in rows)
    table = travel.table(places)
    tables = {vehicle.travel: _at_pace(table, float(vehicle.travel)) for vehicle in vehicles}
    fleet = Fleet(tuple(fleet_tasks), tuple(vehicles), tables)
    return ToursProblem(fleet, model, tasks, load_types, places, ignored, idle)


def _check(shipments: Sequence[Mapping[str, Any]], vehicles: Sequence[Mapping[str, Any]]) -> None:
    problems = []
    for number, shipment in enumerate(shipments):
        here = f"/model/shipments/{number}"
        visits = [(kind, shipment.get(kind) or []) for kind in KINDS]
        if not any(found for _, found in visits):
            problems.append(FieldProblem(here, Text("a pickup or a delivery is needed", "至少需要一个取货或送货")))
        for kind, found in visits:
            if len(found) > 1:
                text = Text("only one way to do it can be given", "只能给出一种方式")
                problems.append(FieldProblem(f"{here}/{kind}/1", text))
        for place, index in enumerate(shipment.get("allowedVehicleIndices") or ()):
            if index >= len(vehicles):
                text = Text(f"there is no vehicle {index}", f"没有车辆 {index}")
                problems.append(FieldProblem(f"{here}/allowedVehicleIndices/{place}", text))
    if problems:
        raise InvalidInput(Text("the model has fields that are wrong", "模型中有字段不正确"), fields=problems)


def _load_types(shipments: Sequence[Mapping[str, Any]], vehicles: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    names = {name for one in shipments for name in one.get("loadDemands") or ()}
    limited = {name for one in vehicles for name in one.get("loadLimits") or ()}
    return tuple(sorted(names & limited))


def _tasks(
    number: int, shipment: Mapping[str, Any], rows: dict[tuple[float, float], int], load_types: tuple[str, ...]
) -> list[Task]:
    demands = shipment.get("loadDemands") or {}
    amounts = tuple((demands.get(name) or {}).get("amount", 0) for name in load_types)
    none = (0,) * len(load_types)
    allowed = shipment.get("allowedVehicleIndices")
    present = [kind for kind in KINDS if shipment.get(kind)]
    penalty = shipment.get("penaltyCost")
    tasks = []
    for kind in present:
        visit = shipment[kind][0]
        where = f"/model/shipments/{number}/{kind}/0"
        windows = tuple(
            _span(window, f"{where}/timeWindows/{place}") for place, window in enumerate(visit.get("timeWindows") or ())
        )
        tasks.append(
            Task(
                f"{kind}:{number}",
                _row(visit, "arrival", rows, where),
                visit.get("duration") or 0,
                windows=windows,
                takes=amounts if kind == "pickups" else none,
                leaves=amounts if kind == "deliveries" else none,
                value=(penalty or 0.0) / len(present),
                mandatory=penalty is None,
                after=f"pickups:{number}" if kind == "deliveries" and len(present) == 2 else "",
                vehicles=frozenset(str(index) for index in allowed) if allowed else None,
            )
        )
    return tasks


def _vehicle(
    number: int,
    given: Mapping[str, Any],
    rows: dict[tuple[float, float], int],
    bounds: tuple[int | None, int | None],
    around: tuple[tuple[str, ...], bool],
) -> Vehicle:
    load_types, priced = around
    here = f"/model/vehicles/{number}"
    starts = _only_window(given, "startTimeWindows", here)
    ends = _only_window(given, "endTimeWindows", here)
    earliest = _highest(bounds[0], starts[0] if starts else None)
    latest = _lowest(bounds[1], ends[1] if ends else None)
    duration = _limit(given, "routeDurationLimit", "maxDuration")
    if duration is not None and earliest is not None:
        latest = _lowest(latest, earliest + duration)
    per_s = ((given.get("costPerHour") or 0) + (given.get("costPerTraveledHour") or 0)) / 3600
    return Vehicle(
        str(number),
        _optional_row(given, "start", rows),
        _optional_row(given, "end", rows),
        earliest,
        latest,
        starts[1] if starts else None,
        _rests(given, here),
        rests_inside=False,
        capacity=_capacity(given, load_types) if load_types else None,
        max_travel_s=_limit(given, "travelDurationLimit", "maxDuration"),
        max_distance_m=_limit(given, "routeDistanceLimit", "maxMeters"),
        travel=str(given.get("travelDurationMultiple") or 1.0),
        fixed_cost=given.get("fixedCost") or 0.0,
        cost_per_s=per_s if priced else IN_POINTS,
        cost_per_m=(given.get("costPerKilometer") or 0) / 1000,
    )


def _has_cost(vehicle: Mapping[str, Any]) -> bool:
    return any(vehicle.get(name) for name in ("costPerHour", "costPerTraveledHour", "costPerKilometer"))


def _only_window(given: Mapping[str, Any], name: str, here: str) -> Span | None:
    windows = given.get(name) or ()
    if len(windows) > 1:
        raise InvalidInput.at(f"{here}/{name}/1", "only one window can be given", "只能给出一个时间窗")
    return _span(windows[0], f"{here}/{name}/0") if windows else None


def _span(window: Mapping[str, Any], pointer: str) -> Span:
    start, end = _seconds(window.get("startTime")), _seconds(window.get("endTime"))
    span = (0 if start is None else start, FOREVER if end is None else end)
    if span[1] < span[0]:
        raise InvalidInput.at(pointer, "the window ends before it starts", "时间窗的结束早于开始")
    return span


def _rests(given: Mapping[str, Any], here: str) -> tuple[Rest, ...]:
    asked = (given.get("breakRule") or {}).get("breakRequests") or ()
    rests = []
    for number, one in enumerate(asked):
        window = {"startTime": one.get("earliestStartTime"), "endTime": one.get("latestStartTime")}
        span = _span(window, f"{here}/breakRule/breakRequests/{number}")
        rests.append(Rest(str(number), one["minDuration"], (span,)))
    return tuple(rests)


def _capacity(given: Mapping[str, Any], load_types: tuple[str, ...]) -> Amounts:
    limits = given.get("loadLimits") or {}
    return tuple((limits.get(name) or {}).get("maxLoad", FOREVER) for name in load_types)


def _limit(given: Mapping[str, Any], name: str, field: str) -> int | None:
    limit: int | None = (given.get(name) or {}).get(field)
    return limit


def _row(given: Mapping[str, Any], name: str, rows: dict[tuple[float, float], int], pointer: str) -> int:
    row = _optional_row(given, name, rows)
    if row is None:
        raise InvalidInput.at(f"{pointer}/{name}Location", "a place is needed", "缺少地点")
    return row


def _optional_row(given: Mapping[str, Any], name: str, rows: dict[tuple[float, float], int]) -> int | None:
    place = given.get(f"{name}Location")
    if place is None:
        place = ((given.get(f"{name}Waypoint") or {}).get("location") or {}).get("latLng")
    if place is None:
        return None
    return rows.setdefault((place["latitude"], place["longitude"]), len(rows))


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _highest(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _lowest(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _at_pace(table: TravelTable, multiple: float) -> TravelTable:
    """Return the table with every duration so many times as long."""
    import numpy as np

    if multiple == 1:
        return table
    durations = np.minimum(np.rint(table.duration_s * multiple), LARGEST_ENTRY).astype(np.int32)
    return TravelTable(durations, table.distance_m)
