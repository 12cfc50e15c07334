"""Travel times and distances between places: the protocol, the great circle, and a given matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from common.errors import FieldProblem, InvalidInput, Text
from common.places import EARTH_RADIUS_M, Location
from routing.travel.hours import check_hours, mean_over_hours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Int32Matrix = NDArray[np.int32]

LARGEST_ENTRY = 2_000_000
"""Largest duration (s) and distance (m ÷ 10) in a table: a place behind it counts as unreachable."""


Point = tuple[float, float]
"""Latitude and longitude in degrees: one point of a way on the map."""


class UnreachablePlaces(InvalidInput):
    """Some places have no way to or from the others, for instance because no street is near.

    Parameters
    ----------
    why : mapping of int to Text
        By index in the asked locations: what is wrong with the place. Each is a field ``/locations/<index>``.

    Attributes
    ----------
    places : tuple of int
        Indexes of all those places, ascending. Without them the table can be had.
    """

    def __init__(self, why: Mapping[int, Text]) -> None:
        self.places = tuple(sorted(why))
        fields = [FieldProblem(f"/locations/{place}", why[place]) for place in self.places]
        super().__init__(fields[0].text, fields=fields)


class TravelTimes(Protocol):
    """Knows how long the way between places is.

    A source may also offer `ByHour` (:func:`for_hours` asks) and `DrawsWays` (:func:`way_through` asks).
    """

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return times and distances between all ``locations``, rows from, columns to.

        Raises
        ------
        UnreachablePlaces
            When some of the places cannot be reached; names them.
        InvalidInput
            When it has no answer for these places.
        NotReady, Unavailable
            When a file or server that is needed is missing or does not answer.
        """
        ...


@runtime_checkable
class ByHour(Protocol):
    """Travel times that depend on the hour of the day."""

    def during(self, start_s: int, end_s: int) -> TravelTimes:
        """Return the mean travel times between two times of day, in seconds since midnight."""
        ...


@runtime_checkable
class DrawsWays(Protocol):
    """Travel times that know the streets."""

    def geometry(self, places: Sequence[Location]) -> list[Point]:
        """Return the points of the way through ``places`` in their order; it begins and ends exactly at them.

        Raises
        ------
        UnreachablePlaces, InvalidInput, NotReady, Unavailable
            As for a table.
        """
        ...


def for_hours(travel: TravelTimes, start_s: int, end_s: int) -> TravelTimes:
    """Return ``travel`` as it is on average between two times of day; itself when it does not know of hours.

    A solve works with one table, so hours count by their share of the working span.
    """
    return travel.during(start_s, end_s) if isinstance(travel, ByHour) else travel


def way_through(travel: TravelTimes, places: Sequence[Location]) -> list[Point] | None:
    """Return the points of the way through ``places``, or None when ``travel`` does not know streets."""
    return travel.geometry(places) if isinstance(travel, DrawsWays) else None


@dataclass(frozen=True, slots=True, eq=False)
class TravelTable:
    """Times and distances between n places.

    Attributes
    ----------
    duration_s, distance_m : int32 arrays of shape (n, n)
        From row to column; never negative; the diagonal is 0.

    Notes
    -----
    A table is a :class:`TravelTimes` for exactly its own places, so one that was computed once can be handed on.
    """

    duration_s: Int32Matrix
    distance_m: Int32Matrix

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return this table; ``locations`` must be as many as it has rows."""
        if len(locations) != len(self.duration_s):
            have, need = len(self.duration_s), len(locations)
            raise InvalidInput.at(
                "/travel/duration_s",
                f"the matrix has {have} rows, the problem has {need} places (visits, starts, ends)",
                f"矩阵有 {have} 行，而问题有 {need} 个地点（拜访、起点、终点）",
            )
        return self

    def part(self, rows: Sequence[int]) -> TravelTable:
        """Return the table of some of the places, in the order of ``rows``."""
        import numpy as np

        chosen = np.ix_(rows, rows)
        return TravelTable(self.duration_s[chosen], self.distance_m[chosen])


@dataclass(frozen=True, slots=True)
class HaversineTravelTimes:
    """Great-circle distance times a detour factor, at one speed or at a speed for each hour.

    Attributes
    ----------
    speed_kmh : float
        Door-to-door speed, above 0. The default suits cars and scooters in city traffic.
    detour_factor : float
        Length of the way over the straight line, at least 1. 1.4 is usual for street grids.
    speed_kmh_by_hour : tuple of 24 floats, optional
        Speeds from 0:00, 1:00 … 23:00 on, each above 0, instead of ``speed_kmh``. A table takes the harmonic mean of
        the whole day; :meth:`during` that of a working span.
    """

    speed_kmh: float = 25.0
    detour_factor: float = 1.4
    speed_kmh_by_hour: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.speed_kmh <= 1000:
            raise InvalidInput.at(
                "/travel/speed_kmh", "speed must be 0 to 1000 km/h", "速度必须在 0 到 1000 公里/时之间"
            )
        if not 1 <= self.detour_factor <= 10:
            raise InvalidInput.at(
                "/travel/detour_factor", "detour factor must be 1 to 10", "绕行系数必须在 1 到 10 之间"
            )
        if self.speed_kmh_by_hour is not None:
            check_hours("/travel/speed_kmh_by_hour", self.speed_kmh_by_hour, largest=1000)

    def during(self, start_s: int, end_s: int) -> HaversineTravelTimes:
        """Return the same at the one speed that takes as long as the hours between the two times do on average."""
        if self.speed_kmh_by_hour is None:
            return self
        speed_kmh = mean_over_hours(self.speed_kmh_by_hour, start_s, end_s)
        return replace(self, speed_kmh=speed_kmh, speed_kmh_by_hour=None)

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return the symmetric table (haversine formula), rounded to whole metres and seconds."""
        import numpy as np

        if self.speed_kmh_by_hour is not None:
            return self.during(0, 24 * 3600).table(locations)
        angles = np.radians([(place.latitude, place.longitude) for place in locations]).reshape(-1, 2)
        lat, lon = angles[:, 0], angles[:, 1]
        chord = np.sin((lat[:, None] - lat) / 2) ** 2
        chord += np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        way_m = 2 * EARTH_RADIUS_M * self.detour_factor * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
        duration_s = np.minimum(np.rint(way_m * 3.6 / self.speed_kmh), LARGEST_ENTRY)
        return TravelTable(duration_s.astype(np.int32), np.rint(way_m).astype(np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class MatrixTravelTimes:
    """A given matrix, symmetric or not, in the order of :meth:`routing.problem.DayProblem.locations`.

    Parameters
    ----------
    duration_s : array-like of shape (n, n)
        Seconds from row to column.
    distance_m : array-like of shape (n, n), optional
        Metres; without it every distance is 0.

    Raises
    ------
    InvalidInput
        When a matrix is not square, not of numbers, or an entry is negative, not finite or above two million; the
        first wrong entry is named.
    """

    duration_s: ArrayLike
    distance_m: ArrayLike | None = None

    def __post_init__(self) -> None:
        import numpy as np

        durations = _whole_matrix("/travel/duration_s", self.duration_s, LARGEST_ENTRY)
        if self.distance_m is None:
            distances = np.zeros_like(durations)
        else:
            distances = _whole_matrix("/travel/distance_m", self.distance_m, LARGEST_ENTRY * 10)
        if distances.shape != durations.shape:
            raise InvalidInput.at(
                "/travel/distance_m", "distances and durations differ in size", "距离矩阵与时间矩阵大小不同"
            )
        object.__setattr__(self, "duration_s", durations)
        object.__setattr__(self, "distance_m", distances)

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return the given matrix; ``locations`` must be as many as it has rows."""
        durations: Any = self.duration_s
        distances: Any = self.distance_m
        return TravelTable(durations, distances).table(locations)


def _whole_matrix(pointer: str, given: ArrayLike, largest: int) -> Int32Matrix:
    import numpy as np

    try:
        matrix = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput.at(pointer, "must be a square matrix of numbers", "必须是由数字组成的方阵") from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        shape = "×".join(str(size) for size in matrix.shape)
        raise InvalidInput.at(pointer, f"must be a square matrix, not {shape}", f"必须是方阵，而不是 {shape}")
    wrong = np.argwhere(~(np.isfinite(matrix) & (matrix >= 0) & (matrix <= largest)))
    if len(wrong):
        row, column = wrong[0]
        value = matrix[row, column]
        raise InvalidInput.at(
            f"{pointer}/{row}/{column}",
            f"{value} is not a number from 0 to {largest}",
            f"{value} 不是 0 到 {largest} 的数字",
        )
    whole: Int32Matrix = np.rint(matrix).astype(np.int32)
    # A place is where it is: what the diagonal says is never travelled.
    np.fill_diagonal(whole, 0)
    return whole
