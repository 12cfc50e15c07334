"""The times of one vehicle's round in the fleet's own terms: its speeds, setups, breaks, and every amount.

Ends as early as it can and sets out as late as that allows, so that nobody waits without need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from routing.fleet.model import Amounts, Fleet, Rest, Span, Task, Vehicle
from routing.plan import BreakTaken, Route

NO_BOUND = 1 << 60


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a round.

    Attributes
    ----------
    kind : str
        ``start``, ``task``, ``break`` or ``end``.
    id : str
        Of the task or the rest.
    place : int or None
        Row of the fleet's tables; ``None`` for a break.
    arrival_s, start_s : int
        In the fleet's time; the wait lies between them.
    travel_s, distance_m : int
        From the start of the round up to here.
    load : Amounts
        On board when the step is over.
    """

    kind: str
    id: str
    place: int | None
    arrival_s: int
    start_s: int
    setup_s: int
    service_s: int
    travel_s: int
    distance_m: int
    load: Amounts

    @property
    def wait_s(self) -> int:
        """Seconds between arrival and start."""
        return self.start_s - self.arrival_s

    @property
    def end_s(self) -> int:
        """When it is over."""
        return self.start_s + self.setup_s + self.service_s


@dataclass(frozen=True, slots=True)
class Event:
    """A step before it has its times: what it takes, and how much way lies before it."""

    step: Step
    windows: tuple[Span, ...]
    travel_s: int

    @property
    def spent_s(self) -> int:
        """Seconds that it takes."""
        return self.step.setup_s + self.step.service_s


def timetable(fleet: Fleet, vehicle: Vehicle, route: Route, origin_s: int, seconds: int = 1) -> list[Step]:
    """Return the steps of a planned round, first the start and last the end.

    Parameters
    ----------
    route : Route
        Of the fleet's day problem; the order, and on which leg each break lies, are kept.
    origin_s, seconds : int
        Of the `routing.fleet.day.FleetDay`.
    """
    tasks = {task.id: task for task in fleet.tasks}
    rests = list(vehicle.rests)
    order: list[tuple[Task | Rest, int | None]] = []
    taken = 0
    for leg in range(len(route.stops) + 1):
        while taken < len(route.breaks) and route.breaks[taken].leg == leg:
            if vehicle.rests_inside or not is_outside(route, route.breaks[taken]):
                order.append((rests[taken], route.breaks[taken].travelled_s * seconds))
            taken += 1
        if leg < len(route.stops):
            order.append((tasks[route.stops[leg].visit_id], None))
    events = lay_out(fleet, vehicle, order)
    begin = origin_s if vehicle.earliest_s is None else vehicle.earliest_s
    return latest(earliest(events, begin), begin, vehicle.latest_start_s)


def is_outside(route: Route, pause: BreakTaken) -> bool:
    """Return whether a break lies before setting out or after the end of the round."""
    at_home = pause.leg == 0 and pause.travelled_s == 0 and pause.end_s <= route.departure_s
    return at_home or (pause.leg == len(route.stops) and pause.start_s >= route.end_s)


def lay_out(fleet: Fleet, vehicle: Vehicle, order: Sequence[tuple[Task | Rest, int | None]]) -> list[Event]:
    """Return the events of a round in order, without times.

    Parameters
    ----------
    order : sequence of (task or rest, travelled_s)
        For a rest: how much of its leg is driven before it.
    """
    tasks = [item for item, _ in order if isinstance(item, Task)]
    load = _at_start(tasks)
    place = vehicle.start
    events = [Event(_blank("start", "", place, load), (), 0)]
    driven = 0
    totals = (0, 0)
    for number, (item, travelled_s) in enumerate(order):
        leg_s, leg_m = _leg(fleet, vehicle, place, _next_place(vehicle, order, number))
        if isinstance(item, Rest):
            before = max(driven, min(leg_s, travelled_s or 0)) - driven
            driven += before
            at = (totals[0] + driven, totals[1] + (round(leg_m * driven / leg_s) if leg_s else 0))
            events.append(Event(_blank("break", item.id, None, load, at, (0, item.service_s)), item.windows, before))
            continue
        totals = (totals[0] + leg_s, totals[1] + leg_m)
        load = _after(load, item)
        spent = fleet.times(item, vehicle, place)
        events.append(Event(_blank("task", item.id, item.place, load, totals, spent), item.windows, leg_s - driven))
        place, driven = item.place, 0
    leg_s, leg_m = _leg(fleet, vehicle, place, vehicle.end)
    totals = (totals[0] + leg_s, totals[1] + leg_m)
    last = place if vehicle.end is None else vehicle.end
    events.append(Event(_blank("end", "", last, load, totals), (), leg_s - driven))
    if vehicle.start is None:
        first = next((event.step.place for event in events if event.step.kind == "task"), last)
        events[0] = replace(events[0], step=replace(events[0].step, place=first))
    return events


def earliest(events: Sequence[Event], begin_s: int) -> list[Event]:
    """Return the events each as early as it can be from ``begin_s`` on; after its last window when that is missed."""
    now, timed = begin_s, []
    for event in events:
        arrival = now + event.travel_s
        start = next((max(start, arrival) for start, end in sorted(event.windows) if arrival <= end), arrival)
        timed.append(replace(event, step=replace(event.step, arrival_s=arrival, start_s=start)))
        now = start + event.spent_s
    return timed


def latest(events: Sequence[Event], begin_s: int, latest_start_s: int | None = None) -> list[Step]:
    """Return the steps as late as the end allows, which stays where it is; waits remain where windows force them."""
    bound, starts = events[-1].step.start_s, [events[-1].step.start_s]
    for event, following in zip(reversed(events[:-1]), reversed(events[1:]), strict=True):
        bound -= following.travel_s + event.spent_s
        fitting = [min(end, bound) for start, end in event.windows if start <= bound]
        bound = max([*fitting, event.step.start_s]) if event.windows else bound
        starts.append(bound)
    starts.reverse()
    starts[0] = max(begin_s, min(starts[0], NO_BOUND if latest_start_s is None else latest_start_s))
    steps = [replace(events[0].step, arrival_s=starts[0], start_s=starts[0])]
    for event, start in zip(events[1:], starts[1:], strict=True):
        steps.append(replace(event.step, arrival_s=steps[-1].end_s + event.travel_s, start_s=start))
    return steps


def _blank(
    kind: str,
    name: str,
    place: int | None,
    load: Amounts,
    totals: tuple[int, int] = (0, 0),
    spent: tuple[int, int] = (0, 0),
) -> Step:
    return Step(kind, name, place, 0, 0, spent[0], spent[1], totals[0], totals[1], load)


def _next_place(vehicle: Vehicle, order: Sequence[tuple[Task | Rest, int | None]], number: int) -> int | None:
    for item, _ in order[number:]:
        if isinstance(item, Task):
            return item.place
    return vehicle.end


def _leg(fleet: Fleet, vehicle: Vehicle, place: int | None, target: int | None) -> tuple[int, int]:
    if place is None or target is None:
        return 0, 0
    table = fleet.tables[vehicle.travel]
    return int(table.duration_s[place, target]), int(table.distance_m[place, target])


def _at_start(tasks: Sequence[Task]) -> Amounts:
    """Return what is loaded at the start: what is left on the way without having been taken on it."""
    taken = {task.id for task in tasks if task.takes}
    left = [task.leaves for task in tasks if task.leaves and task.after not in taken]
    size = max((len(amounts) for task in tasks for amounts in (task.takes, task.leaves)), default=0)
    return tuple(sum(amounts[place] for amounts in left) for place in range(size))


def _after(load: Amounts, task: Task) -> Amounts:
    takes, leaves = task.takes or (0,) * len(load), task.leaves or (0,) * len(load)
    return tuple(have + more - less for have, more, less in zip(load, takes, leaves, strict=True))


def costs_of(fleet: Fleet, vehicle: Vehicle, steps: Sequence[Step]) -> Mapping[str, float]:
    """Return what a round costs, in parts: ``fixed``, ``time``, ``distance``, or ``matrix`` where ways have a price."""
    end = steps[-1]
    if not fleet.costs:
        time, way = end.travel_s * vehicle.cost_per_s, end.distance_m * vehicle.cost_per_m
        return {"fixed": vehicle.fixed_cost, "time": time, "distance": way}
    places = [step.place for step in steps if step.place is not None]
    table = fleet.costs[vehicle.travel].distance_m
    matrix = sum(float(table[start, target]) for start, target in pairwise(places))
    return {"fixed": vehicle.fixed_cost, "matrix": matrix}
