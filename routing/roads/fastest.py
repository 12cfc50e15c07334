"""Fastest ways between places on the streets: all times and distances at once, and single ways with their points."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.roads.network import RoadNetwork
from routing.roads.snap import Snapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from routing.roads.network import Floats, Indexes

DECIMETRES = 2.0**25
"""A cost is hundredths of a second × this + decimetres. Both are whole, so sums of costs are exact up to 2^53: 31 days
and 3,355 km. One search therefore finds the fastest way, the shorter one of equally fast ones, and both its numbers."""
LARGEST_CHUNK = 4_000_000
"""Costs held in memory at once (sources × junctions)."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Directed pieces of stretches, one an index.

    Attributes
    ----------
    start, end : int64 arrays
        Nodes.
    stretch : int64 array
        On which stretch.
    leaves, arrives : float64 arrays
        Shares of the stretch at the start and at the end.
    ahead : bool array
        Whether it runs from tail to head.
    """

    start: Indexes
    end: Indexes
    stretch: Indexes
    leaves: Floats
    arrives: Floats
    ahead: NDArray[np.bool_]

    def costs(self, network: RoadNetwork) -> Floats:
        """Return the costs; infinite where the direction is not allowed."""
        import numpy as np

        share = np.abs(self.arrives - self.leaves)
        whole_s = np.where(self.ahead, network.ahead_s[self.stretch], network.back_s[self.stretch])
        # A place at the very end of a one-way stretch is at the junction.
        seconds = np.where(share > 0, whole_s, 0.0) * np.where(share > 0, share, 1.0)
        hundredths = np.maximum(1.0, np.rint(100 * seconds))
        costs: Floats = hundredths * DECIMETRES + np.rint(10 * network.length_m[self.stretch] * share)
        return costs

    def cheapest(self, network: RoadNetwork) -> tuple[Edges, Floats]:
        """Return for each pair of nodes the cheapest edge that may be used, by start and end, and the costs."""
        import numpy as np

        cost = self.costs(network)
        order = np.lexsort((cost, self.end, self.start))
        order = order[np.isfinite(cost[order]) & (self.start != self.end)[order]]
        start, end = self.start[order], self.end[order]
        order = order[np.append(True, (start[1:] != start[:-1]) | (end[1:] != end[:-1]))[: len(order)]]
        return self.part(order), cost[order]

    def part(self, order: Indexes) -> Edges:
        """Return some of the edges."""
        return Edges(
            self.start[order],
            self.end[order],
            self.stretch[order],
            self.leaves[order],
            self.arrives[order],
            self.ahead[order],
        )


class StreetGraph:
    """The junctions of a network and the cheapest edges between them."""

    def __init__(self, network: RoadNetwork) -> None:
        import numpy as np

        self.network = network
        every, size = np.arange(len(network.tail)), len(network.tail)
        zero, one = np.zeros(size), np.ones(size)
        both = Edges(
            np.append(network.tail, network.head),
            np.append(network.head, network.tail),
            np.append(every, every),
            np.append(zero, one),
            np.append(one, zero),
            np.repeat([True, False], size),
        )
        self.edges, self.costs = both.cheapest(network)
        self._keys = self.edges.start * network.junctions + self.edges.end

    def edge(self, start: int, end: int) -> int:
        """Return which edge leads from one junction to another that it has an edge to."""
        import numpy as np

        return int(np.searchsorted(self._keys, start * self.network.junctions + end))


class PlacesOnStreets:
    """The street graph with places on it.

    Every different point where places are has two nodes: one that only leads away and one that only leads there. So
    the ways between two places do not depend on which other places were asked for.
    """

    def __init__(self, streets: StreetGraph, snapped: Snapped) -> None:
        import numpy as np
        from scipy.sparse import coo_matrix

        self._streets, self._network = streets, streets.network
        pairs = np.stack([snapped.stretch.astype(np.float64), snapped.share], axis=1)
        points, which = np.unique(pairs, axis=0, return_inverse=True)
        self._stretch, self._share = points[:, 0].astype(np.int64), points[:, 1]
        self._leave = self._network.junctions + which.reshape(-1).astype(np.int64)
        self._reach = self._leave + len(points)
        self._links, costs = self._linked().cheapest(self._network)
        ends = zip(self._links.start.tolist(), self._links.end.tolist(), strict=True)
        self._link_at = {pair: index for index, pair in enumerate(ends)}
        start = np.append(streets.edges.start, self._links.start)
        end = np.append(streets.edges.end, self._links.end)
        self._size = self._network.junctions + 2 * len(points)
        shape = (self._size, self._size)
        self._graph: csr_matrix = coo_matrix((np.append(streets.costs, costs), (start, end)), shape=shape).tocsr()

    def _linked(self) -> Edges:
        """Return the edges between the points and the ends of their stretches, and between points on one stretch."""
        import numpy as np

        network, stretch, share = self._network, self._stretch, self._share
        leave = network.junctions + np.arange(len(stretch))
        reach = leave + len(stretch)
        tail, head = network.tail[stretch], network.head[stretch]
        zero, one = np.zeros(len(stretch)), np.ones(len(stretch))
        yes, no = np.ones(len(stretch), dtype=bool), np.zeros(len(stretch), dtype=bool)
        pieces = [
            (leave, head, stretch, share, one, yes),
            (leave, tail, stretch, share, zero, no),
            (tail, reach, stretch, zero, share, yes),
            (head, reach, stretch, one, share, no),
        ]
        for first, last in self._groups():
            size = last - first
            a, b = np.repeat(np.arange(first, last), size), np.tile(np.arange(first, last), size)
            pieces.append((leave[a], reach[b], stretch[a], share[a], share[b], b >= a))
        return Edges(*(np.concatenate(column) for column in zip(*pieces, strict=True)))

    def _groups(self) -> Iterator[tuple[int, int]]:
        """Yield where the points of one stretch begin and end."""
        import numpy as np

        firsts = np.flatnonzero(np.append(True, self._stretch[1:] != self._stretch[:-1])).tolist()
        return itertools.pairwise([*firsts, len(self._stretch)])

    def times_and_metres(self, sources: Indexes, targets: Indexes, *, likely_s: float) -> tuple[Floats, Floats]:
        """Return seconds and metres along the fastest ways, rows from ``sources``, columns to ``targets``.

        Parameters
        ----------
        sources, targets : int64 arrays
            Which of the places.
        likely_s : float
            The search first goes so far; where that is not enough, four times as far, and so on. It changes how long
            it takes, never the result.
        """
        import numpy as np

        if len(targets) < len(sources):  # fewer searches, against the direction of the streets
            cost = self._costs(self._graph.T.tocsr(), self._reach[targets], self._leave[sources], likely_s).T
        else:
            cost = self._costs(self._graph, self._leave[sources], self._reach[targets], likely_s)
        hundredths = np.floor(cost / DECIMETRES)
        return hundredths / 100, (cost - hundredths * DECIMETRES) / 10

    def _costs(self, graph: csr_matrix, starts: Indexes, ends: Indexes, likely_s: float) -> Floats:
        import numpy as np
        from scipy.sparse.csgraph import dijkstra

        costs = np.full((len(starts), len(ends)), np.inf)
        chunk = max(1, LARGEST_CHUNK // self._size)
        for first in range(0, len(starts), chunk):
            rows = np.arange(first, min(first + chunk, len(starts)))
            for reach_s in _reaches(likely_s):
                costs[rows] = dijkstra(graph, indices=starts[rows], limit=100 * reach_s * DECIMETRES)[:, ends]
                rows = rows[~np.isfinite(costs[rows]).all(axis=1)]
                if not len(rows):
                    break
        return costs

    def way(self, source: int, target: int, *, likely_s: float) -> list[tuple[float, float]]:
        """Return the points (latitude, longitude) of the fastest way from one place to another.

        Parameters
        ----------
        source, target : int
            Which of the places.
        likely_s : float
            As for :meth:`times_and_metres`.
        """
        from scipy.sparse.csgraph import dijkstra

        start, end = int(self._leave[source]), int(self._reach[target])
        for reach_s in _reaches(likely_s):
            limit = 100 * reach_s * DECIMETRES
            _, before = dijkstra(self._graph, True, [start], True, limit=limit)
            if before[0, end] >= 0:
                break
        nodes = [end]
        while nodes[-1] != start:
            nodes.append(int(before[0, nodes[-1]]))
        nodes.reverse()
        points = [self._on(int(self._stretch[start - self._network.junctions]), self._share_of(start))]
        for one, other in itertools.pairwise(nodes):
            points += self._shape(one, other)
        return points

    def _share_of(self, leave: int) -> float:
        return float(self._share[leave - self._network.junctions])

    def _shape(self, one: int, other: int) -> list[tuple[float, float]]:
        """Return the points of the edge between two nodes, without its first."""
        import numpy as np

        link = self._link_at.get((one, other))
        edges, edge = (self._links, link) if link is not None else (self._streets.edges, self._streets.edge(one, other))
        stretch, leaves, arrives = int(edges.stretch[edge]), float(edges.leaves[edge]), float(edges.arrives[edge])
        network, length_m = self._network, float(self._network.length_m[stretch])
        begin = int(network.first[stretch])
        along = network.along_m[begin : int(network.last[stretch]) + 1] - network.along_m[begin]
        low, high = sorted((leaves * length_m, arrives * length_m))
        inner = begin + np.flatnonzero((along > low) & (along < high))
        points = list(zip(network.latitude[inner].tolist(), network.longitude[inner].tolist(), strict=True))
        if arrives < leaves:
            points.reverse()
        return [*points, self._on(stretch, arrives)]

    def _on(self, stretch: int, share: float) -> tuple[float, float]:
        """Return where a share of a stretch is."""
        import numpy as np

        network = self._network
        span = slice(int(network.first[stretch]), int(network.last[stretch]) + 1)
        along = network.along_m[span] - network.along_m[span.start]
        at = share * float(network.length_m[stretch])
        return float(np.interp(at, along, network.latitude[span])), float(np.interp(at, along, network.longitude[span]))


def _reaches(likely_s: float) -> Iterator[float]:
    """Yield how far to search, in seconds: further and further, at last without a limit."""
    for factor in (1, 4, 16):
        yield likely_s * factor
    yield float("inf")
