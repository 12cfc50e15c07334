"""The streets as a graph: stretches between junctions, with their shape, length and time in both directions."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import NotReady, Text
from common.places import EARTH_RADIUS_M
from routing.roads.extract import RawStreets, read_streets
from routing.roads.profiles import RoadProfile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indexes = NDArray[np.int64]

log = logging.getLogger("fieldwise")
FORMAT = 1
"""Of the kept file; to be raised when what is in it changes its meaning."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadNetwork:
    """Streets on which one can get from everywhere to everywhere.

    Attributes
    ----------
    tail, head : int64 arrays of shape (stretches,)
        Junctions at which a stretch begins and ends, from 0.
    length_m, ahead_s, back_s : float64 arrays of shape (stretches,)
        Length, and time from tail to head and from head to tail: infinite where that is not allowed.
    first, last : int64 arrays of shape (stretches,)
        The stretch's shape: the points from ``first`` to ``last``, both among them. Neighbours may share a point.
    latitude, longitude : float64 arrays of shape (points,)
        In degrees.
    along_m : float64 array of shape (points,)
        Metres from the beginning of all shapes; only differences within a stretch mean something.
    """

    tail: Indexes
    head: Indexes
    length_m: Floats
    ahead_s: Floats
    back_s: Floats
    first: Indexes
    last: Indexes
    latitude: Floats
    longitude: Floats
    along_m: Floats

    @property
    def junctions(self) -> int:
        """Number of junctions."""
        return int(max(self.tail.max(), self.head.max())) + 1


def network_from_streets(streets: RawStreets) -> RoadNetwork:
    """Return the largest part of the streets in which every place can be reached from every other.

    Raises
    ------
    NotReady
        When there is no street at all, or none on which one can come back.
    """
    import numpy as np

    if not len(streets.first):
        raise _no_streets()
    node = np.frombuffer(streets.node, dtype=np.int64)
    latitude = np.frombuffer(streets.latitude_e7, dtype=np.int32) / 1e7
    longitude = np.frombuffer(streets.longitude_e7, dtype=np.int32) / 1e7
    street_first = np.frombuffer(streets.first, dtype=np.int64)
    street = np.repeat(np.arange(len(street_first)), np.diff(street_first, append=len(node)))
    step_m = np.zeros(len(node))
    step_m[1:] = steps_m(latitude, longitude)
    along_m = np.cumsum(step_m)
    _, point, count = np.unique(node, return_inverse=True, return_counts=True)
    junction = count[point] > 1
    junction[street_first] = junction[np.append(street_first[1:], len(node)) - 1] = True
    at = np.flatnonzero(junction)
    together = street[at[:-1]] == street[at[1:]]
    first, last = at[:-1][together], at[1:][together]
    length_m = along_m[last] - along_m[first]
    ahead, back = (np.frombuffer(kmh, dtype=np.float64)[street[first]] for kmh in (streets.ahead_kmh, streets.back_kmh))
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead_s = np.where(ahead > 0, length_m * 3.6 / ahead, np.inf)
        back_s = np.where(back > 0, length_m * 3.6 / back, np.inf)
    whole = RoadNetwork(point[first], point[last], length_m, ahead_s, back_s, first, last, latitude, longitude, along_m)
    return _largest_part(whole)


def _no_streets() -> NotReady:
    return NotReady(Text("the extract has no street that can be used both ways", "地图文件中没有可往返的道路"))


def steps_m(latitude: Floats, longitude: Floats) -> Floats:
    """Return the great-circle distance from each point to the next (haversine formula)."""
    import numpy as np

    lat, lon = np.radians(latitude), np.radians(longitude)
    chord = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return metres


def _largest_part(whole: RoadNetwork) -> RoadNetwork:
    """Return the largest strongly connected part, with its junctions numbered from 0 and its points alone."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = whole.junctions
    ahead, back = np.isfinite(whole.ahead_s), np.isfinite(whole.back_s)
    start = np.concatenate([whole.tail[ahead], whole.head[back]])
    end = np.concatenate([whole.head[ahead], whole.tail[back]])
    graph = coo_matrix((np.ones(len(start), dtype=np.int8), (start, end)), shape=(size, size)).tocsr()
    _, part = connected_components(graph, directed=True, connection="strong")
    # A part counts by the length of its streets, not by its junctions: points that nothing reaches are parts too.
    inside = part[whole.tail] == part[whole.head]
    if not inside.any():
        raise _no_streets()
    largest = int(np.argmax(np.bincount(part[whole.tail[inside]], whole.length_m[inside])))
    kept = inside & (part[whole.tail] == largest)
    _, ends = np.unique(np.concatenate([whole.tail[kept], whole.head[kept]]), return_inverse=True)
    tail, head = np.split(ends.astype(np.int64), 2)
    first, last = whole.first[kept], whole.last[kept]
    change = np.zeros(len(whole.latitude) + 1, dtype=np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, last + 1, -1)
    used = np.cumsum(change)[:-1] > 0
    place = np.cumsum(used) - 1
    return RoadNetwork(
        tail,
        head,
        whole.length_m[kept],
        whole.ahead_s[kept],
        whole.back_s[kept],
        place[first],
        place[last],
        whole.latitude[used],
        whole.longitude[used],
        whole.along_m[used],
    )


def load_network(file: Path, profile: RoadProfile, cache_folder: Path | None) -> RoadNetwork:
    """Return the network of an extract, from the cache when it was made of the same file for the same profile.

    Parameters
    ----------
    cache_folder : Path or None
        Made when it is missing. A cache that cannot be read or written is done without.

    Raises
    ------
    NotReady
        When the file is missing, is no OpenStreetMap file, or has no streets.
    """
    if cache_folder is None:
        return network_from_streets(read_streets(file, profile))
    if not file.is_file():
        raise NotReady(Text(f"there is no OpenStreetMap file {file}", f"没有 OpenStreetMap 文件 {file}"))
    kept = cache_folder / f"{profile.name}-{_fingerprint(file, profile)}.npz"
    network = _read(kept)
    if network is None:
        network = network_from_streets(read_streets(file, profile))
        _write(kept, network)
    return network


def _fingerprint(file: Path, profile: RoadProfile) -> str:
    """Return what changes when the file, the profile or the format changes."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        for part in iter(lambda: content.read(1 << 20), b""):
            digest.update(part)
    # Sets have no order of their own, so their texts are sorted.
    said = {name: getattr(profile, name) for name in (one.name for one in fields(profile))}
    plain = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in said.items()}
    plain["class_speed_kmh"] = sorted(profile.class_speed_kmh.items())
    digest.update(f"{FORMAT} {plain}".encode())
    return digest.hexdigest()[:24]


def _read(kept: Path) -> RoadNetwork | None:
    import zipfile

    import numpy as np

    try:
        with np.load(kept, allow_pickle=False) as arrays:
            return RoadNetwork(**{one.name: arrays[one.name] for one in fields(RoadNetwork)})
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        log.warning("the kept road network %s cannot be read (%s) and is made anew", kept, error)
        return None


def _write(kept: Path, network: RoadNetwork) -> None:
    """Write whole or not at all: other processes may be reading or writing the same file."""
    import numpy as np

    arrays: dict[str, Any] = {one.name: getattr(network, one.name) for one in fields(network)}
    own = kept.with_name(f"{kept.stem}.{os.getpid()}.new.npz")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(own, **arrays)
        own.replace(kept)
    except OSError as error:
        own.unlink(missing_ok=True)
        log.warning("the road network cannot be kept in %s: %s", kept, error)
