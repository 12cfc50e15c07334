"""When the vehicles of an instance are out: depots' opening hours, and longest durations as shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.instances.plain import PlainInstance
from routing.problem import LATEST_TIME_S

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from routing.instances.rounding import Whole

    Wholes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shift:
    """Earliest start and latest end of a round, in whole units."""

    start: int
    end: int


def shifts_of(plain: PlainInstance, whole: Whole, far: Wholes) -> list[Shift]:
    """Return the shift of each vehicle.

    A day problem bounds a round by a shift that lies fixed in time, not by its length. Where a longest duration comes
    with time windows, each vehicle of a depot therefore gets a shift of that length, spread evenly from the earliest
    that is of use to the latest: every plan found so keeps the file's rule, but a best plan may need another spread.
    """
    if not plain.has_clock:
        return [Shift(0, LATEST_TIME_S)] * len(plain.vehicles)
    hours = _hours(plain, whole, far)
    numbers: dict[int, list[int]] = {}
    for number, vehicle in enumerate(plain.vehicles):
        numbers.setdefault(vehicle.depot, []).append(number)
    shifts = [hours[vehicle.depot] for vehicle in plain.vehicles]
    for depot, mine in numbers.items():
        for place, number in enumerate(mine):
            longest = plain.vehicles[number].max_duration
            if longest is not None:
                share = place / max(1, len(mine) - 1)
                shifts[number] = _within(hours[depot], whole.one(longest), share)
    return shifts


def _within(hours: Shift, longest: int, share: float) -> Shift:
    """Return the shift of at most ``longest`` that starts at ``share`` of the room there is."""
    room = max(0, hours.end - hours.start - longest)
    start = hours.start + round(room * share)
    return Shift(start, min(hours.end, start + longest))


def _hours(plain: PlainInstance, whole: Whole, far: Wholes) -> dict[int, Shift]:
    """Return, by depot, its opening hours, cut to what its customers can need."""
    if plain.windows is None:
        longest = max((vehicle.max_duration or 0.0 for vehicle in plain.vehicles), default=0.0)
        return {depot: Shift(0, whole.one(longest)) for depot in plain.depots}
    windows, service, customers = whole.of(plain.windows), whole.of(plain.service), plain.customers
    bounded = any(vehicle.max_duration is not None for vehicle in plain.vehicles)
    hours = {}
    for depot in plain.depots:
        opens, closes = (int(moment) for moment in windows[depot])
        back = int((windows[customers, 1] + service[customers] + far[customers, depot]).max())
        first = int((windows[customers, 0] - far[depot, customers]).min())
        if bounded or closes > LATEST_TIME_S:
            opens, closes = max(opens, min(first, closes)), min(closes, back)
        hours[depot] = Shift(opens, max(opens, closes))
    return hours
