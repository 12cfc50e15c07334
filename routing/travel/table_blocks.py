"""Builds a travel table from a source that answers in blocks, and remembers what was answered."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import Text
from common.places import Location
from routing.travel_times import LARGEST_ENTRY, TravelTable, UnreachablePlaces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.intp]

Ask = Callable[[Sequence[Location], Sequence[Location]], "tuple[Numbers, Numbers]"]
"""From sources and targets to seconds and metres, rows from, columns to; NaN where there is no way."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    row_of: dict[Location, int]
    seconds: Numbers
    metres: Numbers
    born: float


class TableMemory:
    """The tables asked for last, so that a changed day asks only for the ways of its new places.

    Parameters
    ----------
    most_entries : int
        Ways kept over all tables (16 bytes each); the tables used longest ago go first.
    keep_s : float
        A table older than this is asked for anew.
    """

    def __init__(self, *, most_entries: int = 4_000_000, keep_s: float = 3600.0) -> None:
        self._most_entries = most_entries
        self._keep_s = keep_s
        self._tables: OrderedDict[frozenset[Location], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, places: Sequence[Location]) -> _Kept | None:
        """Return the table that knows most of the places; None when none knows half of them."""
        wanted = set(places)
        with self._lock:
            now = time.monotonic()
            for key in [key for key, kept in self._tables.items() if now - kept.born > self._keep_s]:
                del self._tables[key]
            best = max(self._tables, key=lambda key: len(wanted & key), default=None)
            if best is None or 2 * len(wanted & best) < len(wanted):
                return None
            self._tables.move_to_end(best)
            return self._tables[best]

    def keep(self, places: Sequence[Location], seconds: Numbers, metres: Numbers) -> None:
        """Remember a whole table of different places."""
        if len(places) ** 2 > self._most_entries:
            return
        with self._lock:
            row_of = {place: row for row, place in enumerate(places)}
            self._tables[frozenset(places)] = _Kept(row_of, seconds, metres, time.monotonic())
            self._tables.move_to_end(frozenset(places))
            while sum(key_size**2 for key_size in map(len, self._tables)) > self._most_entries:
                self._tables.popitem(last=False)


def table_from_blocks(
    locations: Sequence[Location],
    ask: Ask,
    block: int,
    *,
    memory: TableMemory,
    far: Mapping[Location, Text] | None = None,
) -> TravelTable:
    """Return the table of ``locations``; each place is asked for once, however often it is named.

    Parameters
    ----------
    ask : callable
        Asked for at most ``block`` sources and ``block`` targets at a time.
    memory : TableMemory
        Looked into before, and told the answer.
    far : mapping of Location to Text, optional
        Filled while asking: places that turn out to be too far from any street, and why.

    Raises
    ------
    UnreachablePlaces
        When places are too far from any street: all of those. Or when there is no way between some of them: the fewest
        places without which the rest have ways.
    """
    import numpy as np

    places = list(dict.fromkeys(locations))
    row_of = {place: row for row, place in enumerate(places)}
    rows = np.array([row_of[place] for place in locations], dtype=np.intp)
    seconds, metres = _whole(places, ask, max(1, block), memory)
    if far:
        raise UnreachablePlaces({index: far[place] for index, place in enumerate(locations) if place in far})
    if np.isnan(seconds).any():
        raise UnreachablePlaces(_without_way(seconds, rows))
    memory.keep(places, seconds, metres)
    chosen = np.ix_(rows, rows)
    duration_s = np.minimum(np.rint(seconds), LARGEST_ENTRY)[chosen]
    distance_m = np.minimum(np.rint(metres), 10 * LARGEST_ENTRY)[chosen]
    return TravelTable(duration_s.astype(np.int32), distance_m.astype(np.int32))


def _whole(places: list[Location], ask: Ask, block: int, memory: TableMemory) -> tuple[Numbers, Numbers]:
    import numpy as np

    size = len(places)
    seconds, metres = np.full((size, size), np.nan), np.full((size, size), np.nan)
    kept = memory.known(places)
    old = [row for row, place in enumerate(places) if kept is not None and place in kept.row_of]
    new = [row for row, place in enumerate(places) if kept is None or place not in kept.row_of]
    if kept is not None:
        there = [kept.row_of[places[row]] for row in old]
        seconds[np.ix_(old, old)] = kept.seconds[np.ix_(there, there)]
        metres[np.ix_(old, old)] = kept.metres[np.ix_(there, there)]
    for sources, targets in ((new, range(size)), (old, new)):
        for rows in _parts(sources, block):
            for columns in _parts(targets, block):
                answer = ask([places[row] for row in rows], [places[column] for column in columns])
                seconds[np.ix_(rows, columns)], metres[np.ix_(rows, columns)] = answer
    for matrix in (seconds, metres):
        np.fill_diagonal(matrix, 0)
    seconds[~(seconds >= 0)] = np.nan
    return seconds, np.maximum(np.nan_to_num(metres, posinf=0.0), 0)


def _parts(rows: Sequence[int], block: int) -> list[Sequence[int]]:
    return [rows[start : start + block] for start in range(0, len(rows), block)]


def _without_way(seconds: Numbers, rows: Whole) -> dict[int, Text]:
    """Return, by index in the asked locations, the places that have to go so that the rest have ways."""
    import numpy as np

    first_index = {int(row): index for index, row in reversed(list(enumerate(rows)))}
    missing = np.isnan(seconds)
    why: dict[int, Text] = {}
    while missing.any():
        worst = int(np.argmax(missing.sum(axis=0) + missing.sum(axis=1)))
        to, back = np.flatnonzero(missing[worst]), np.flatnonzero(missing[:, worst])
        start, end = (worst, int(to[0])) if len(to) else (int(back[0]), worst)
        text = Text(
            f"the road network has no way from place {first_index[start]} to place {first_index[end]}",
            f"路网中地点 {first_index[start]} 到地点 {first_index[end]} 没有通路",
        )
        why |= dict.fromkeys(np.flatnonzero(rows == worst).tolist(), text)
        missing[worst], missing[:, worst] = False, False
    return why
