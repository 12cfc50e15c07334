"""Speeds that change with the hour of the day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import InvalidInput
from common.places import Location

if TYPE_CHECKING:
    from routing.travel_times import Point, TravelTable, TravelTimes

HOUR_S = 3600
DAY_H = 24


def check_hours(pointer: str, speeds: Sequence[float], *, largest: float) -> None:
    """Make sure that there is a number above 0 and at most ``largest`` for each of the 24 hours.

    Raises
    ------
    InvalidInput
        Naming the first wrong hour.
    """
    if len(speeds) != DAY_H:
        count = len(speeds)
        raise InvalidInput.at(pointer, f"needs 24 numbers, not {count}", f"需要 24 个数字，而不是 {count} 个")
    for hour, speed in enumerate(speeds):
        if not (math.isfinite(speed) and 0 < speed <= largest):
            raise InvalidInput.at(
                f"{pointer}/{hour}",
                f"{speed} is not more than 0 and at most {largest:g}",
                f"{speed} 必须大于 0 且不超过 {largest:g}",
            )


def mean_over_hours(speeds: Sequence[float], start_s: int, end_s: int) -> float:
    """Return the one speed at which a way takes as long as it does on average over the span.

    That is the harmonic mean, each hour weighted by its seconds in the span. Times run from midnight and may pass it
    (25 h is 1 o'clock again). An empty span is the hour in which it lies.

    Parameters
    ----------
    speeds : sequence of 24 floats
        Above 0, in any unit.

    Raises
    ------
    InvalidInput
        When the span ends before it starts.
    """
    if end_s < start_s:
        raise InvalidInput.at("/end_s", "the span ends before it starts", "时段的结束早于开始")
    if end_s == start_s:
        return float(speeds[start_s // HOUR_S % DAY_H])
    slowness, moment = 0.0, start_s
    while moment < end_s:
        until = min(end_s, (moment // HOUR_S + 1) * HOUR_S)
        slowness += (until - moment) / speeds[moment // HOUR_S % DAY_H]
        moment = until
    return (end_s - start_s) / slowness


@dataclass(frozen=True, slots=True)
class HourlyTravelTimes:
    """Slows another source of travel times by the hour of the day, for streets whose data know no traffic.

    Attributes
    ----------
    free : TravelTimes
        Travel times on free streets.
    share_by_hour : tuple of 24 floats
        Speed as a share of the free speed, above 0 and at most 2, from 0:00, 1:00 … 23:00 on. A table takes the
        harmonic mean of the whole day; :meth:`during` that of a working span.
    share : float or None
        One share for all hours, set by :meth:`during`.
    """

    free: TravelTimes
    share_by_hour: tuple[float, ...]
    share: float | None = None

    def __post_init__(self) -> None:
        check_hours("/travel/share_by_hour", self.share_by_hour, largest=2)

    def during(self, start_s: int, end_s: int) -> HourlyTravelTimes:
        """Return the mean travel times between two times of day."""
        share = mean_over_hours(self.share_by_hour, start_s, end_s)
        return HourlyTravelTimes(self.free, self.share_by_hour, share)

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return the table of the free streets with its times divided by the share of the free speed."""
        import numpy as np

        from routing.travel_times import LARGEST_ENTRY, TravelTable

        table = self.free.table(locations)
        share = self.share or mean_over_hours(self.share_by_hour, 0, DAY_H * HOUR_S)
        slowed = np.minimum(np.rint(table.duration_s / share), LARGEST_ENTRY)
        no_way = table.duration_s >= LARGEST_ENTRY
        return TravelTable(np.where(no_way, LARGEST_ENTRY, slowed).astype(np.int32), table.distance_m)

    def geometry(self, places: Sequence[Location]) -> list[Point]:
        """Return the way on the free streets: hours change how long it takes, not where it runs."""
        from routing.travel_times import way_through

        return way_through(self.free, places) or [(place.latitude, place.longitude) for place in places]


def warm_streets(travel: TravelTimes) -> None:
    """Read the street network of ``travel`` now, if it has one of its own, so that the first plan does not wait.

    Raises
    ------
    NotReady
        When its file is missing, is no OpenStreetMap file, or has no streets.
    """
    from routing.roads.travel import RoadTravelTimes

    source = travel.free if isinstance(travel, HourlyTravelTimes) else travel
    if isinstance(source, RoadTravelTimes):
        source.warm()
