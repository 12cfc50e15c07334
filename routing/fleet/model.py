"""A fleet and its tasks, as other planners describe them: several amounts, open starts, own speeds, any epoch.

The request formats of VROOM and of Google's Route Optimization are read into this form; `routing.fleet.day` makes a day
problem of it, and `routing.fleet.timetable` gives each vehicle's round its times in the terms of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.travel_times import TravelTable

Span = tuple[int, int]
"""First and last second of a window, both belonging to it; seconds since any epoch, the same for the whole fleet."""
Amounts = tuple[int, ...]
"""Quantities by dimension (parcels, kilograms …), as many as the fleet has dimensions."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do at a place.

    Attributes
    ----------
    place : int
        Row of the fleet's travel tables.
    setup_s, service_s : int
        ``setup_s`` is spent only on arrival from another place.
    windows : tuple of Span
        The task starts (setup included) within one of them; none: at any time.
    takes, leaves : Amounts
        Collected, and handed over. What a task leaves was loaded at the start, or taken by the task named in ``after``.
    value : float
        What leaving it out costs.
    after : str
        Id of the task that must come before it on the same round, and is only made together with it.
    vehicles : frozenset of str or None
        Ids of those that may do it; ``None``: any.
    by_type : mapping of vehicle type to (setup_s, service_s)
        Where these differ by type of vehicle.
    """

    id: str
    place: int
    service_s: int = 0
    setup_s: int = 0
    windows: tuple[Span, ...] = ()
    takes: Amounts = ()
    leaves: Amounts = ()
    skills: frozenset[str] = frozenset()
    value: float = 0.0
    mandatory: bool = False
    after: str = ""
    vehicles: frozenset[str] | None = None
    by_type: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def times_for(self, vehicle_type: str) -> tuple[int, int]:
        """Return (setup_s, service_s) for a type of vehicle."""
        return self.by_type.get(vehicle_type, (self.setup_s, self.service_s))


@dataclass(frozen=True, slots=True)
class Rest:
    """A break that starts within one of ``windows`` (none: at any time) and lasts ``service_s``."""

    id: str
    service_s: int
    windows: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle and its driver.

    Attributes
    ----------
    start, end : int or None
        Rows of the travel tables; ``None``: the round begins at its first task, or ends at its last.
    earliest_s, latest_s : int or None
        The round lies between them; ``None``: no bound.
    latest_start_s : int or None
        It sets out no later than this.
    rests : tuple of Rest
        In the order in which they are taken.
    rests_inside : bool
        Whether every rest lies between the first and the last second of the round; otherwise one may also be taken
        before setting out or after the end.
    capacity : Amounts or None
        ``None``: carries any amount.
    travel : str
        Which of the fleet's tables holds for it.
    type : str
        Key of `Task.by_type`.
    fixed_cost, cost_per_s, cost_per_m : float
        Of going out, of a second on the way, of a metre.
    """

    id: str
    start: int | None
    end: int | None
    earliest_s: int | None = None
    latest_s: int | None = None
    latest_start_s: int | None = None
    rests: tuple[Rest, ...] = ()
    rests_inside: bool = True
    capacity: Amounts | None = None
    skills: frozenset[str] = frozenset()
    max_tasks: int | None = None
    max_travel_s: int | None = None
    max_distance_m: int | None = None
    travel: str = ""
    type: str = ""
    fixed_cost: float = 0.0
    cost_per_s: float = 1.0
    cost_per_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles, tasks, and how long the ways are.

    Attributes
    ----------
    tables : mapping of name to TravelTable
        Over all places; at least the ones that the vehicles name in ``travel``.
    costs : mapping of name to TravelTable
        What a way costs, instead of its seconds and metres: entries of ``distance_m``. Empty, or for every vehicle.
    """

    tasks: tuple[Task, ...]
    vehicles: tuple[Vehicle, ...]
    tables: Mapping[str, TravelTable]
    costs: Mapping[str, TravelTable] = field(default_factory=dict)

    def times(self, task: Task, vehicle: Vehicle, before: int | None) -> tuple[int, int]:
        """Return (setup_s, service_s) of a task that a vehicle reaches from the place ``before``."""
        setup_s, service_s = task.times_for(vehicle.type)
        return (0 if before == task.place else setup_s), service_s
