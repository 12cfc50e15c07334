"""Travel times on the streets of an OpenStreetMap extract, computed on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import InvalidInput
from common.places import Location, great_circle_m
from routing.roads.profiles import profile_named
from routing.travel.road_server import too_far
from routing.travel.table_blocks import TableMemory, table_from_blocks
from routing.travel_times import Point, TravelTable, UnreachablePlaces

if TYPE_CHECKING:
    from routing.roads.fastest import StreetGraph
    from routing.roads.network import Floats, RoadNetwork
    from routing.roads.snap import Snapped, StreetIndex

WALK_KMH = 4.5
"""Between the street and the place."""
LIKELY_KMH = 12.0
"""Ways that are slower than this as the crow flies are rare."""


class _Streets:
    """The network, read when it is first needed, once for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[StreetGraph, StreetIndex] | None = None

    def get(self, extract: Path, profile: str, cache_folder: Path | None) -> tuple[StreetGraph, StreetIndex]:
        from routing.roads.fastest import StreetGraph
        from routing.roads.network import load_network
        from routing.roads.snap import StreetIndex

        with self._lock:
            if self._loaded is None:
                network = load_network(extract, profile_named(profile), cache_folder)
                self._loaded = StreetGraph(network), StreetIndex(network)
            return self._loaded


@dataclass(frozen=True, slots=True)
class RoadTravelTimes:
    """Fastest ways on the streets of an extract.

    One-ways, access tags, barriers, speeds by road class and ``maxspeed`` count; turn restrictions do not. A place is
    taken to the nearest point of the nearest street, and the straight line there is walked.

    Attributes
    ----------
    extract : Path
        An OpenStreetMap file. The map that is drawn of it must say © OpenStreetMap contributors.
    profile : str
        ``car``, ``scooter`` (electric bicycle) or ``foot``.
    cache_folder : Path or None
        Where the network is kept once it is read; ``None``: it is read anew by each process.
    snap_limit_m : float
        A place further than this from any street counts as unreachable.
    memory : TableMemory
        What was computed lately.
    """

    extract: Path
    profile: str = "car"
    cache_folder: Path | None = None
    snap_limit_m: float = 1000.0
    memory: TableMemory = field(default_factory=TableMemory, repr=False, compare=False)
    _streets: _Streets = field(default_factory=_Streets, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        profile_named(self.profile)
        if self.snap_limit_m <= 0:
            raise InvalidInput.at("/travel/snap_limit_m", "must be above 0", "必须大于 0")

    def warm(self) -> None:
        """Read the network now, so that the first table does not wait for it.

        Raises
        ------
        NotReady
            When the file is missing, is no OpenStreetMap file, or has no streets.
        """
        self._parts()

    def network(self) -> RoadNetwork:
        """Return the street network."""
        return self._parts()[0].network

    def _parts(self) -> tuple[StreetGraph, StreetIndex]:
        return self._streets.get(self.extract, self.profile, self.cache_folder)

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return times and distances along the fastest ways.

        Raises
        ------
        UnreachablePlaces
            When places are too far from any street.
        NotReady
            When the file is missing, is no OpenStreetMap file, or has no streets.
        """
        self._snap(locations)  # names every place that is wrong, not only those of one block
        return table_from_blocks(locations, self._block, max(1, len(locations)), memory=self.memory)

    def _snap(self, locations: Sequence[Location]) -> Snapped:
        snapped = self._parts()[1].snap(locations)
        far = {
            place: too_far("OpenStreetMap", float(away_m), self.snap_limit_m)
            for place, away_m in enumerate(snapped.away_m)
            if away_m > self.snap_limit_m
        }
        if far:
            raise UnreachablePlaces(far)
        return snapped

    def _block(self, sources: Sequence[Location], targets: Sequence[Location]) -> tuple[Floats, Floats]:
        import numpy as np

        from routing.roads.fastest import PlacesOnStreets

        places = list(dict.fromkeys([*sources, *targets]))
        position = {place: index for index, place in enumerate(places)}
        rows = np.array([position[place] for place in sources], dtype=np.int64)
        columns = np.array([position[place] for place in targets], dtype=np.int64)
        snapped = self._snap(places)
        graph = PlacesOnStreets(self._parts()[0], snapped)
        seconds, metres = graph.times_and_metres(rows, columns, likely_s=_likely_s(places))
        walk_m = snapped.away_m[rows][:, None] + snapped.away_m[columns]
        return seconds + walk_m * 3.6 / WALK_KMH, metres + walk_m

    def geometry(self, places: Sequence[Location]) -> list[Point]:
        """Return the points of the fastest way through ``places``.

        Raises
        ------
        UnreachablePlaces, NotReady
            As for :meth:`table`.
        """
        from routing.roads.fastest import PlacesOnStreets

        graph = PlacesOnStreets(self._parts()[0], self._snap(places))
        points: list[Point] = [(places[0].latitude, places[0].longitude)]
        for place in range(1, len(places)):
            if places[place] == places[place - 1]:
                continue
            likely_s = _likely_s(places[place - 1 : place + 1])
            points += graph.way(place - 1, place, likely_s=likely_s)
            points.append((places[place].latitude, places[place].longitude))
        return points if len(points) > 1 else points * 2


def _likely_s(places: Sequence[Location]) -> float:
    """Return how long a way between the places takes at most, nearly always."""
    south, north = min(place.latitude for place in places), max(place.latitude for place in places)
    west, east = min(place.longitude for place in places), max(place.longitude for place in places)
    across_m = great_circle_m(Location(south, west), Location(north, east))
    return 300 + across_m * 3.6 / LIKELY_KMH
