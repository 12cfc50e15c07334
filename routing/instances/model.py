"""Turns an instance into a day problem with its travel table, in whole units (``rounding``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from common.errors import InvalidInput, Text
from common.places import Location
from common.text_files import decode
from routing.check import CheckReport
from routing.instances.plain import PlainInstance
from routing.instances.rounding import Rounding, Whole, choose_rounding
from routing.instances.shifts import Shift, shifts_of
from routing.instances.solomon import looks_like_solomon, read_solomon
from routing.instances.vrplib import read_vrplib
from routing.instances.vrplib_file import looks_like_vrplib
from routing.problem import LATEST_TIME_S, DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow, Visit
from routing.travel_times import TravelTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAP_DEGREES = 0.1
"""Side of the square on the earth on which the files' plane is laid, for maps only; times come from the plane."""
FINEST_LOAD = 10_000
"""Loads with decimals are multiplied by a power of ten up to this."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An instance that can be solved.

    Attributes
    ----------
    name, kind : str
        Name without ending, and ``CVRP``, ``VRPTW``, ``PCVRPTW``, ``MDVRPTW`` …
    rounding : str
        The convention that was taken, never ``auto``.
    scale : int
        Units of the problem's times, distances and costs in one unit of the file.
    problem : DayProblem
        Visits are the customers in the order of the file, reps the vehicles.
    table : TravelTable
        Distances; durations are the same, or just in proportion where time does not matter.
    visit_at : mapping of int to int
        Place of a visit by its node's row in the file, which is how ``.sol`` files number customers.
    has_prizes : bool
        Whether visits may be left out for their prize.
    """

    name: str
    kind: str
    rounding: str
    scale: int
    problem: DayProblem
    table: TravelTable
    visit_at: Mapping[int, int]
    has_prizes: bool

    def distance(self, report: CheckReport) -> float:
        """Return a checked plan's distance in the file's unit."""
        return report.distance_m / self.scale

    def objective(self, report: CheckReport) -> float:
        """Return distance, fixed costs and the prizes that were not collected, in the file's unit.

        A customer who must be served has no prize: without him a plan breaks a rule, and costs no more for it.
        """
        missing = {found.visit_id for found in report.violations if found.constraint == "mandatory_served"}
        problem = self.problem
        stand_ins = sum(problem.weights.prize(visit) for visit in problem.visits if visit.id in missing)
        return (report.objective - stand_ins) / self.scale


def is_instance(content: bytes, *, name: str) -> bool:
    """Return whether a file looks like one that :func:`read_instance` reads."""
    text = decode(content, name=name)
    return looks_like_solomon(text) or looks_like_vrplib(text)


def read_instance(content: bytes, *, name: str = "instance", rounding: Rounding = "auto") -> Instance:
    """Return the instance of a Solomon, Homberger or VRPLIB file, plain or packed with gzip.

    Raises
    ------
    InvalidInput
        When the file is neither, is broken (the line is named), or too large for a day problem.
    """
    text = decode(content, name=name)
    if looks_like_vrplib(text):
        return model_of(read_vrplib(text, name=name), rounding)
    return model_of(read_solomon(text, name=name), rounding)


def model_of(plain: PlainInstance, rounding: Rounding = "auto") -> Instance:
    """Return the day problem of an instance."""
    whole = choose_rounding(plain, rounding)
    far = whole.of(plain.distances())
    duration, timed = _durations(plain, far)
    customers = plain.customers
    weights = ObjectiveWeights(travel_s=float(timed), distance_m=float(not timed))
    if plain.has_prizes:
        weights = replace(weights, value=1.0)
    places = _places(plain)
    shifts = shifts_of(plain, whole, far)
    problem = DayProblem(
        tuple(_visits(plain, whole, places, shifts)),
        tuple(_reps(plain, whole, places, shifts)),
        weights,
        SizeLimits(len(customers), len(plain.vehicles), math.inf),
    )
    starts = [vehicle.depot for vehicle in plain.vehicles]
    return Instance(
        name=plain.name,
        kind=plain.kind,
        rounding=whole.rounding,
        scale=whole.scale,
        problem=problem,
        table=_table(duration, far, [*customers, *starts, *starts]),
        visit_at={row: place for place, row in enumerate(customers)},
        has_prizes=plain.has_prizes,
    )


def _table(duration: NDArray[np.int64], far: NDArray[np.int64], rows: list[int]) -> TravelTable:
    import numpy as np

    chosen = np.ix_(rows, rows)
    table = TravelTable(duration[chosen].astype(np.int32), far[chosen].astype(np.int32))
    for matrix in (table.duration_s, table.distance_m):
        np.fill_diagonal(matrix, 0)
    return table


def _durations(plain: PlainInstance, far: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
    """Return durations, and whether they are the distances.

    Where time does not matter, no round may fail for lack of it: long distances are shortened in proportion, so that
    all of them in a row fit into a day.
    """
    longest = int(far.max(axis=1).sum())
    if plain.has_clock or longest <= LATEST_TIME_S:
        return far, True
    return far * LATEST_TIME_S // longest, False


def _places(plain: PlainInstance) -> list[Location]:
    """Return a place on the earth for each node, away from (0, 0)."""
    import numpy as np

    plane = plain.plane
    if plane is None:
        angles = np.linspace(0, 2 * np.pi, len(plain.labels), endpoint=False)
        plane = np.column_stack([np.cos(angles), np.sin(angles)])
    low = plane.min(axis=0)
    span = max(float((plane.max(axis=0) - low).max()), 1e-9)
    degrees = 1 + (plane - low) / span * MAP_DEGREES
    return [Location(float(y), float(x)) for x, y in degrees]


def _loads(plain: PlainInstance) -> int:
    """Return the number by which loads must be multiplied to be whole."""
    import numpy as np

    capacities = [vehicle.capacity for vehicle in plain.vehicles if vehicle.capacity is not None]
    loads = np.concatenate([plain.demand, plain.collected, np.array(capacities)])
    scale = 1
    while scale <= FINEST_LOAD:
        if bool((np.abs(loads * scale - np.rint(loads * scale)) < 1e-6).all()):
            return scale
        scale *= 10
    raise InvalidInput(Text(f"{plain.name} has loads with too many decimals", f"{plain.name} 的载重小数位过多"))


def _visits(plain: PlainInstance, whole: Whole, places: list[Location], shifts: list[Shift]) -> list[Visit]:
    timed = plain.has_clock
    close = max(shift.end for shift in shifts)
    service, prizes = whole.of(plain.service), whole.of(plain.prize)
    windows = None if plain.windows is None else whole.of(plain.windows)
    dearest = int(prizes.max())
    allowed = _allowed(plain)
    factor = _loads(plain)
    visits = []
    for row in plain.customers:
        window = () if windows is None else (TimeWindow(*(min(int(t), close) for t in windows[row])),)
        # A customer who must be served has no prize; as a stand-in the dearest keeps "price per value" defined.
        value = float(prizes[row] or dearest) if plain.has_prizes else 1.0
        visits.append(
            Visit(
                id=plain.labels[row],
                name=plain.labels[row],
                location=places[row],
                service_s=int(service[row]) if timed else 0,
                windows=window,
                value=value,
                mandatory=plain.prize[row] == 0,
                load=round(plain.demand[row] * factor),
                collect=round(plain.collected[row] * factor),
                allowed_reps=allowed[row],
            )
        )
    return visits


def _allowed(plain: PlainInstance) -> dict[int, frozenset[str] | None]:
    """Return, by row of a customer, the ids of the reps who may serve it, or None for all of them."""
    if all(vehicle.allowed is None for vehicle in plain.vehicles):
        return dict.fromkeys(plain.customers)
    return {
        row: frozenset(
            _rep_id(number)
            for number, vehicle in enumerate(plain.vehicles)
            if vehicle.allowed is None or row in vehicle.allowed
        )
        for row in plain.customers
    }


def _rep_id(number: int) -> str:
    return f"V{number + 1}"


def _reps(plain: PlainInstance, whole: Whole, places: list[Location], shifts: list[Shift]) -> list[Rep]:
    factor = _loads(plain)
    reps = []
    for number, (vehicle, shift) in enumerate(zip(plain.vehicles, shifts, strict=True)):
        home = places[vehicle.depot]
        reps.append(
            Rep(
                id=_rep_id(number),
                name=_rep_id(number),
                start=home,
                shift_start_s=shift.start,
                shift_end_s=shift.end,
                end=home,
                capacity=None if vehicle.capacity is None else round(vehicle.capacity * factor),
                max_distance_m=None if vehicle.max_distance is None else whole.one(vehicle.max_distance),
                fixed_cost=float(whole.one(vehicle.fixed_cost)),
            )
        )
    return reps
