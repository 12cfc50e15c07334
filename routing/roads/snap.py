"""Finds the point of the streets that is nearest to a place, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.places import EARTH_RADIUS_M, Location

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from routing.roads.network import Floats, Indexes, RoadNetwork

PIECE_M = 50.0
"""Streets are looked up in pieces of at most this length."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapped:
    """Places on the streets.

    Attributes
    ----------
    stretch : int64 array of shape (n,)
        On which stretch of the network.
    share : float64 array of shape (n,)
        How far along it: 0 is its tail, 1 its head.
    latitude, longitude : float64 arrays of shape (n,)
        Where that is.
    away_m : float64 array of shape (n,)
        How far from the place, in a straight line.
    """

    stretch: Indexes
    share: Floats
    latitude: Floats
    longitude: Floats
    away_m: Floats


class StreetIndex:
    """The streets of a network, cut into short pieces whose middles are in a k-d tree.

    Everything is computed on the globe in space, so it holds at every latitude. The nearest middle is not always on the
    nearest street; but the nearest street has a middle that is at most half a piece further away, so looking at all of
    those is exact.
    """

    def __init__(self, network: RoadNetwork) -> None:
        import numpy as np
        from scipy.spatial import cKDTree

        self._network = network
        count = network.last - network.first
        self._stretch = np.repeat(np.arange(len(count)), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        self._point = np.repeat(network.first, count) + offset
        self._globe = in_space(network.latitude, network.longitude)
        start, end = self._globe[self._point], self._globe[self._point + 1]
        pieces = np.maximum(1, np.ceil(np.linalg.norm(end - start, axis=1) / PIECE_M)).astype(np.int64)
        self._segment = np.repeat(np.arange(len(pieces)), pieces)
        number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        middle = ((number + 0.5) / pieces[self._segment])[:, None]
        self._tree = cKDTree(start[self._segment] * (1 - middle) + end[self._segment] * middle)

    def snap(self, places: Sequence[Location]) -> Snapped:
        """Return the nearest points of the streets to ``places``."""
        import numpy as np

        at = np.array([(place.latitude, place.longitude) for place in places], dtype=np.float64).reshape(-1, 2)
        where = in_space(at[:, 0], at[:, 1])
        nearest_m, _ = self._tree.query(where)
        near = self._tree.query_ball_point(where, nearest_m + PIECE_M / 2 + 0.01)
        found = [self._nearest(one, candidates) for one, candidates in zip(where, near, strict=True)]
        segment = np.array([item[0] for item in found], dtype=np.int64)
        share = np.array([item[1] for item in found], dtype=np.float64)
        away_m = np.array([item[2] for item in found], dtype=np.float64)
        return self._snapped(segment, share, away_m)

    def _nearest(self, where: NDArray[np.float64], pieces: Sequence[int]) -> tuple[int, float, float]:
        """Return the segment nearest to a point in space, the share along it, and the distance."""
        import numpy as np

        segments = np.unique(self._segment[np.asarray(pieces, dtype=np.int64)])
        start, end = self._globe[self._point[segments]], self._globe[self._point[segments] + 1]
        way, to = end - start, where - start
        square = np.einsum("ij,ij->i", way, way)
        share = np.clip(np.einsum("ij,ij->i", to, way) / np.where(square > 0, square, 1.0), 0.0, 1.0)
        away = np.linalg.norm(to - share[:, None] * way, axis=1)
        best = int(np.argmin(away))
        return int(segments[best]), float(share[best]), float(away[best])

    def _snapped(self, segment: Indexes, share: Floats, away_m: Floats) -> Snapped:
        import numpy as np

        network, point = self._network, self._point[segment]
        stretch = self._stretch[segment]
        along = network.along_m[point] * (1 - share) + network.along_m[point + 1] * share
        length = network.length_m[stretch]
        on_stretch = (along - network.along_m[network.first[stretch]]) / np.where(length > 0, length, 1.0)
        return Snapped(
            stretch,
            np.clip(on_stretch, 0.0, 1.0),
            network.latitude[point] * (1 - share) + network.latitude[point + 1] * share,
            network.longitude[point] * (1 - share) + network.longitude[point + 1] * share,
            away_m,
        )


def in_space(latitude: Floats, longitude: Floats) -> Floats:
    """Return points on the globe in metres from its middle, shape (n, 3)."""
    import numpy as np

    lat, lon = np.radians(latitude), np.radians(longitude)
    points: Floats = EARTH_RADIUS_M * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    return points
