"""Reads the streets of an OpenStreetMap file (``.osm.pbf``, ``.osm``, ``.osm.gz`` …) with osmium."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import NotReady, Text
from routing.roads.profiles import RoadProfile

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class RawStreets:
    """Streets as they stand in the file, cut where they cannot be passed.

    Attributes
    ----------
    node : array of int64
        Id of the point, street after street. A point that cannot be passed has an id of its own on each street (a
        negative one), so that streets do not meet there.
    latitude_e7, longitude_e7 : arrays of int32
        Of each point, in 1e-7 degrees as OpenStreetMap keeps them.
    first : array of int64
        Where each street begins in the arrays above.
    ahead_kmh, back_kmh : arrays of float
        Speed of each street along and against its direction; 0 where it may not be used.
    barriers : int
        How many points could not be passed.
    """

    node: array[int] = field(default_factory=lambda: array("q"))
    latitude_e7: array[int] = field(default_factory=lambda: array("i"))
    longitude_e7: array[int] = field(default_factory=lambda: array("i"))
    first: array[int] = field(default_factory=lambda: array("q"))
    ahead_kmh: array[float] = field(default_factory=lambda: array("d"))
    back_kmh: array[float] = field(default_factory=lambda: array("d"))
    barriers: int = 0

    def add(self, points: Sequence[tuple[int, int, int]], speeds_kmh: tuple[float, float]) -> None:
        """Add one street: points (id, latitude, longitude) and its speeds along and against."""
        if len(points) < 2:
            return
        self.first.append(len(self.node))
        self.ahead_kmh.append(speeds_kmh[0])
        self.back_kmh.append(speeds_kmh[1])
        for node, latitude_e7, longitude_e7 in points:
            self.node.append(node)
            self.latitude_e7.append(latitude_e7)
            self.longitude_e7.append(longitude_e7)


def read_streets(file: Path, profile: RoadProfile) -> RawStreets:
    """Return the streets in ``file`` that the profile may use.

    Points outside the extract (a street that leaves it) cut a street short.

    Raises
    ------
    NotReady
        When the file is missing or is no OpenStreetMap file.
    """
    import osmium

    if not file.is_file():
        raise NotReady(Text(f"there is no OpenStreetMap file {file}", f"没有 OpenStreetMap 文件 {file}"))
    streets = RawStreets()
    try:
        closed = _closed_points(file, profile)
        ways = (
            osmium.FileProcessor(str(file), osmium.osm.NODE | osmium.osm.WAY)
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.KeyFilter("highway"))
        )
        for way in ways:
            speeds = profile.speeds_kmh({tag.k: tag.v for tag in way.tags})
            if any(speeds):
                _add_way(streets, way, speeds, closed)
    except RuntimeError as error:  # what osmium raises for a file that it cannot read
        text = Text(f"{file} is not an OpenStreetMap file: {error}", f"{file} 不是 OpenStreetMap 文件：{error}")
        raise NotReady(text) from error
    return streets


def _closed_points(file: Path, profile: RoadProfile) -> set[int]:
    import osmium

    points = osmium.FileProcessor(str(file), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("barrier"))
    return {point.id for point in points if not profile.passes({tag.k: tag.v for tag in point.tags})}


def _add_way(streets: RawStreets, way: Any, speeds_kmh: tuple[float, float], closed: set[int]) -> None:
    points: list[tuple[int, int, int]] = []
    for node in way.nodes:
        if not node.location.valid():
            streets.add(points, speeds_kmh)
            points = []
            continue
        here = (node.location.y, node.location.x)
        if node.ref not in closed:
            points.append((node.ref, *here))
            continue
        # Two ids for the two sides: one can come up to the barrier from either, and not get past it.
        streets.barriers += 1
        streets.add([*points, (1 - 2 * streets.barriers, *here)], speeds_kmh)
        points = [(-2 * streets.barriers, *here)]
    streets.add(points, speeds_kmh)
