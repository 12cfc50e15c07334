"""A fleet as a day problem: what `routing.solve` plans, so that every plan of it can be driven by the fleet.

A day problem has one travel table, one kind of load, one window for a break, service without setup, and 48 hours. Where
a fleet has more, the problem is taken on the safe side: the slowest table, every setup, the longest break window. The
fleet's own rounds are then never later than planned, and `routing.fleet.timetable` gives them their true times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from common.errors import InvalidInput
from common.places import Location
from routing.fleet.model import Fleet, Rest, Span, Task, Vehicle
from routing.fleet.one_amount import OneAmount, one_amount
from routing.problem import LATEST_TIME_S, Break, DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow, Visit
from routing.travel_times import TravelTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Int32Matrix = NDArray[np.int32]

ANYWHERE = Location(1.0, 1.0)
"""Stands for every place: only the travel table says where things are."""
LARGEST_VALUE = 1e8
"""Most points of a visit."""
LARGEST_LIMIT = 1_000_000_000
"""Largest limit of a rep."""
BEFORE_S = 24 * 3600
"""How long before the first window the clock begins where some vehicle may set out at any time."""


@dataclass(frozen=True, slots=True)
class FleetDay:
    """A day problem and its table.

    Attributes
    ----------
    fleet : Fleet
        With the rests that the problem has: one window each.
    origin_s : int
        The fleet's time at the problem's second 0.
    seconds : int
        Seconds of the fleet in a second of the problem: more than 1 only for a fleet without any time bound whose
        round would last longer than a day problem.
    """

    fleet: Fleet
    problem: DayProblem
    table: TravelTable
    origin_s: int
    seconds: int


def day_of(fleet: Fleet) -> FleetDay:
    """Return the day problem of a fleet.

    Raises
    ------
    InvalidInput
        When a vehicle's time lies more than 48 h after the first one's, a rest cannot lie within a vehicle's time, or
        an amount is larger than a day problem holds.
    """
    origin_s = _origin_s(fleet)
    fleet = replace(fleet, vehicles=tuple(_with_clear_rests(vehicle, origin_s) for vehicle in fleet.vehicles))
    seconds = 1 if _has_times(fleet) else _seconds_to_fit(fleet)
    points = _points_of(fleet)
    amounts = one_amount(fleet.tasks, fleet.vehicles)
    used = sorted({vehicle.type for vehicle in fleet.vehicles})
    visits = [
        _visit(replace(task, value=task.value / points), amounts, number, (origin_s, seconds, used), fleet.vehicles)
        for number, task in enumerate(fleet.tasks)
    ]
    reps = [
        _rep(vehicle, amounts.capacities[number], origin_s, seconds) for number, vehicle in enumerate(fleet.vehicles)
    ]
    limits = SizeLimits(len(visits), len(reps), float("inf"))
    problem = DayProblem(tuple(visits), tuple(reps), _weights(fleet, seconds), limits)
    return FleetDay(fleet, problem, _table(fleet, seconds), origin_s, seconds)


def _weights(fleet: Fleet, seconds: int) -> ObjectiveWeights:
    """Return the mean prices of the fleet's vehicles: a day problem has one price for all."""
    count = len(fleet.vehicles)
    if fleet.costs:
        return ObjectiveWeights(travel_s=0.0, distance_m=1.0, value=_points_of(fleet))
    travel = sum(vehicle.cost_per_s for vehicle in fleet.vehicles) / count * seconds
    way = sum(vehicle.cost_per_m for vehicle in fleet.vehicles) / count
    return ObjectiveWeights(travel_s=travel, distance_m=way, value=_points_of(fleet))


def _points_of(fleet: Fleet) -> float:
    """Return what one point of a visit's value stands for: a visit has at most 1e9 points."""
    return max(1.0, max(task.value for task in fleet.tasks) / LARGEST_VALUE)


def _has_times(fleet: Fleet) -> bool:
    return any(task.windows for task in fleet.tasks) or any(
        vehicle.rests
        or vehicle.max_travel_s is not None
        or any(bound is not None for bound in (vehicle.earliest_s, vehicle.latest_s, vehicle.latest_start_s))
        for vehicle in fleet.vehicles
    )


def _origin_s(fleet: Fleet) -> int:
    """Return where the problem's clock begins: 0 where everything lies within 48 h of it."""
    spans = [span for task in fleet.tasks for span in task.windows]
    spans += [span for vehicle in fleet.vehicles for rest in vehicle.rests for span in rest.windows]
    bounds = [
        bound for vehicle in fleet.vehicles for bound in (vehicle.earliest_s, vehicle.latest_s) if bound is not None
    ]
    bounds += [bound for span in spans for bound in span]
    if not bounds or (min(bounds) >= 0 and max(bounds) <= LATEST_TIME_S):
        return 0
    begins = [vehicle.earliest_s for vehicle in fleet.vehicles]
    known = [begin for begin in begins if begin is not None]
    if len(known) == len(begins):
        return min(known)
    starts = [span[0] for span in spans if span[0] > 0]  # 0 stands for "at any time before" here
    return max(0, min([*known, *starts], default=0) - BEFORE_S)


def _with_clear_rests(vehicle: Vehicle, origin_s: int) -> Vehicle:
    """Return the vehicle with the one window that each rest has in the problem."""
    begin = origin_s if vehicle.earliest_s is None else vehicle.earliest_s
    end = origin_s + LATEST_TIME_S if vehicle.latest_s is None else min(vehicle.latest_s, origin_s + LATEST_TIME_S)
    rests = []
    for rest in vehicle.rests:
        last = end - rest.service_s if vehicle.rests_inside else end
        spans = _within(rest.windows, begin, last) if rest.windows else [(begin, last)] * (last >= begin)
        if spans:
            rests.append(Rest(rest.id, rest.service_s, (max(spans, key=lambda span: span[1] - span[0]),)))
        elif vehicle.rests_inside:
            raise InvalidInput.at(
                f"/vehicles/{vehicle.id}/breaks",
                f"break {rest.id} of vehicle {vehicle.id} cannot lie within the vehicle's time",
                f"车辆 {vehicle.id} 的休息 {rest.id} 不在车辆的工作时间内",
            )
    return replace(vehicle, rests=tuple(sorted(rests, key=lambda rest: rest.windows[0])))


def _within(spans: Sequence[Span], begin: int, end: int) -> list[Span]:
    clipped = [(max(start, begin), min(last, end)) for start, last in spans]
    return [(start, last) for start, last in clipped if start <= last]


def _seconds_to_fit(fleet: Fleet) -> int:
    """Return by how much time must be divided so that one vehicle could make a round over all tasks."""
    import numpy as np

    table = next(iter(fleet.tables.values())).duration_s
    places = np.array([task.place for task in fleet.tasks])
    left = np.ones(len(places), dtype=bool)
    here, total = 0, sum(max(_longest(task)) * 2 for task in fleet.tasks)
    for _ in range(len(places)):
        left[here] = False
        ways = np.where(left, table[places[here], places], np.iinfo(np.int32).max)
        nearest = int(ways.argmin())
        total += int(ways[nearest]) if left.any() else 0
        here = nearest
    furthest = 2 * int(np.median(table.max(axis=1)))
    return max(1, -(-(total + furthest) // LATEST_TIME_S))


def _longest(task: Task) -> tuple[int, int]:
    kinds = [(task.setup_s, task.service_s), *task.by_type.values()]
    return max(setup for setup, _ in kinds), max(service for _, service in kinds)


def _visit(
    task: Task, amounts: OneAmount, number: int, clock: tuple[int, int, list[str]], vehicles: Sequence[Vehicle]
) -> Visit:
    origin_s, seconds, types = clock
    windows = _within([(start - origin_s, end - origin_s) for start, end in task.windows], 0, LATEST_TIME_S)
    allowed = task.vehicles
    if task.windows and not windows:
        allowed = frozenset()  # at no time within reach
    if allowed is not None:
        allowed = allowed & {vehicle.id for vehicle in vehicles}
    spent = max(sum(task.times_for(kind)) for kind in types)
    return Visit(
        task.id,
        task.id,
        ANYWHERE,
        min(-(-spent // seconds), LATEST_TIME_S),
        tuple(TimeWindow(start, end) for start, end in windows),
        task.value,
        skills=task.skills,
        mandatory=task.mandatory,
        load=amounts.leaves[number],
        collect=amounts.takes[number],
        after=task.after,
        allowed_reps=allowed,
    )


def _rep(vehicle: Vehicle, capacity: int | None, origin_s: int, seconds: int) -> Rep:
    start = 0 if vehicle.earliest_s is None else vehicle.earliest_s - origin_s
    end = LATEST_TIME_S if vehicle.latest_s is None else min(LATEST_TIME_S, vehicle.latest_s - origin_s)
    if start >= LATEST_TIME_S or end < 0:
        raise InvalidInput.at(
            f"/vehicles/{vehicle.id}/time_window",
            f"the time of vehicle {vehicle.id} lies more than 48 h after that of the first vehicle",
            f"车辆 {vehicle.id} 的时间比最早的车辆晚 48 小时以上",
        )
    breaks = [
        Break(rest.windows[0][0] - origin_s, rest.windows[0][1] - origin_s, max(1, rest.service_s))
        for rest in vehicle.rests
    ]
    return Rep(
        vehicle.id,
        vehicle.id,
        ANYWHERE,
        start,
        max(end, start + 1),
        ANYWHERE if vehicle.end is not None else None,
        tuple(breaks),
        vehicle.skills,
        _limit(vehicle.max_tasks),
        capacity,
        max_travel_s=_limit(vehicle.max_travel_s, seconds),
        max_distance_m=_limit(vehicle.max_distance_m),
        fixed_cost=vehicle.fixed_cost,
    )


def _limit(given: int | None, divisor: int = 1) -> int | None:
    return None if given is None else min(given // divisor, LARGEST_LIMIT)


def _table(fleet: Fleet, seconds: int) -> TravelTable:
    """Return the table over tasks, starts and ends: the slowest of those in use, and nothing from an open start."""
    import numpy as np

    tables = [fleet.tables[name] for name in sorted({vehicle.travel for vehicle in fleet.vehicles})]
    durations = np.max([table.duration_s for table in tables], axis=0)
    costs = (
        [fleet.costs[name] for name in sorted({vehicle.travel for vehicle in fleet.vehicles})] if fleet.costs else []
    )
    distances = np.max([table.distance_m for table in costs or tables], axis=0)
    starts = [-1 if vehicle.start is None else vehicle.start for vehicle in fleet.vehicles]
    rows = np.array(
        [*(task.place for task in fleet.tasks), *starts, *(one.end for one in fleet.vehicles if one.end is not None)]
    )
    chosen = np.ix_(rows, rows)
    open_start = rows < 0

    def of(matrix: Int32Matrix) -> Int32Matrix:
        part: Int32Matrix = matrix[chosen]
        part[open_start, :] = 0
        part[:, open_start] = 0
        return part

    return TravelTable(-(-of(durations) // seconds), of(distances))
