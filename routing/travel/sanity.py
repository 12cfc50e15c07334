"""Tells whether a travel table is plausible: symmetry, triangle inequality, speeds, units, missing ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import Text
from common.places import Location
from routing.travel_times import LARGEST_ENTRY, HaversineTravelTimes, TravelTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

MOST_PLACES = 200
"""Triangles are tried among so many places at most, evenly spread over the table."""
ROUNDING_S = 2
"""Whole seconds: a difference up to this means nothing."""
FASTEST_KMH, SLOWEST_KMH = 130.0, 1.5
"""A median speed outside these is not that of a person in a town."""


@dataclass(frozen=True, slots=True)
class Triangle:
    """A detour over ``via`` that is quicker than the direct way by ``gain_s`` seconds; places by index."""

    start: int
    via: int
    end: int
    gain_s: int


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that looks wrong."""

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class TravelSanity:
    """What there is to say about a travel table.

    Attributes
    ----------
    places, pairs : int
        Size, and number of ordered pairs of different places.
    unreachable_pairs : int
        Ordered pairs without a way. They count nowhere below.
    asymmetric_share : float
        Share of pairs (0 to 1) whose two directions differ by more than two seconds and 1 %. One-ways do that.
    largest_ratio : float
        Of a way there and back, at least 1.
    most_asymmetric : tuple of int or None
        The two places of that, by index: the longer direction.
    triangle_share : float
        Share of (start, via, end) where the detour is more than two seconds quicker than the direct way.
    worst_triangle : Triangle or None
        Where most is gained.
    speed_kmh : tuple of float or None
        Lowest, median and highest speed over pairs; None when there are no distances or no places to know them by.
    hints : tuple of Hint
        ``durations_in_minutes``, ``durations_in_hours``, ``durations_in_milliseconds``, ``distances_in_km``,
        ``other_order``, ``speeds_unlikely``, ``no_way``, ``triangles``.
    """

    places: int
    pairs: int
    unreachable_pairs: int
    asymmetric_share: float
    largest_ratio: float
    most_asymmetric: tuple[int, int] | None
    triangle_share: float
    worst_triangle: Triangle | None
    speed_kmh: tuple[float, float, float] | None
    hints: tuple[Hint, ...]

    def short_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        speed = self.speed_kmh and dict(
            zip(("min", "median", "max"), (round(value, 1) for value in self.speed_kmh), strict=True)
        )
        worst = self.worst_triangle
        return {
            "places": self.places,
            "unreachable_pairs": self.unreachable_pairs,
            "asymmetric_share": round(self.asymmetric_share, 4),
            "largest_ratio": round(self.largest_ratio, 2),
            "triangle_share": round(self.triangle_share, 4),
            "worst_triangle_s": worst.gain_s if worst else 0,
            "speed_kmh": speed,
            "hints": [{"code": hint.code, "en": hint.text.en, "zh": hint.text.zh} for hint in self.hints],
        }


def examine(table: TravelTable, locations: Sequence[Location] | None = None) -> TravelSanity:
    """Return what there is to say about ``table``.

    Parameters
    ----------
    locations : sequence of Location, optional
        Its places; with them, units and order are told from the straight lines.
    """
    import numpy as np

    seconds, metres = table.duration_s.astype(np.float64), table.distance_m.astype(np.float64)
    size = len(seconds)
    other = ~np.eye(size, dtype=bool)
    way = other & (seconds < LARGEST_ENTRY)
    straight = None
    if locations is not None:
        straight = HaversineTravelTimes(detour_factor=1.0).table(locations).distance_m.astype(np.float64)
    unreachable = int((other & ~way).sum())
    share, ratio, pair = _asymmetry(seconds, way & way.T)
    triangle_share, worst = _triangles(seconds, way)
    speeds = _speeds(seconds, metres, straight, way)
    hints = list(_hints(_Case(seconds, metres, straight, way), speeds, unreachable, triangle_share))
    return TravelSanity(
        size, size * (size - 1), unreachable, share, ratio, pair, triangle_share, worst, speeds, tuple(hints)
    )


def _asymmetry(seconds: Matrix, both: NDArray[np.bool_]) -> tuple[float, float, tuple[int, int] | None]:
    import numpy as np

    if not both.any():
        return 0.0, 1.0, None
    longer, shorter = np.maximum(seconds, seconds.T), np.minimum(seconds, seconds.T)
    differs = both & (longer - shorter > np.maximum(ROUNDING_S, 0.01 * longer))
    share = float(differs.sum() / both.sum())
    if not differs.any():
        return share, 1.0, None
    ratio = np.where(differs & (seconds == longer), longer / np.maximum(shorter, 1.0), 0.0)
    start, end = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return share, float(ratio.max()), (int(start), int(end))


def _triangles(seconds: Matrix, way: NDArray[np.bool_]) -> tuple[float, Triangle | None]:
    import numpy as np

    rows = np.unique(np.linspace(0, len(seconds) - 1, min(len(seconds), MOST_PLACES)).astype(int))
    some = np.where(way, seconds, np.inf)[np.ix_(rows, rows)]
    direct = np.where(way[np.ix_(rows, rows)], some, -np.inf)  # a pair without a way violates nothing
    found, tried, worst = 0, 0, None
    for via in range(len(rows)):
        gain = direct - (some[:, via, None] + some[None, via, :])
        asked = np.isfinite(gain)
        tried += int(asked.sum())
        gain = np.where(asked, gain, 0.0)
        found += int((gain > ROUNDING_S).sum())
        start, end = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[start, end] > max(ROUNDING_S, worst.gain_s if worst else 0):
            worst = Triangle(int(rows[start]), int(rows[via]), int(rows[end]), int(gain[start, end]))
    return (found / tried if tried else 0.0), worst


def _speeds(
    seconds: Matrix, metres: Matrix, straight: Matrix | None, way: NDArray[np.bool_]
) -> tuple[float, float, float] | None:
    """Return the lowest, median and highest speed, by the given distances or else by the straight lines."""
    import numpy as np

    length = metres if metres.any() or straight is None else straight
    moving = way & (seconds > 0) & (length > 0)
    if not moving.any():
        return None
    speeds = length[moving] * 3.6 / seconds[moving]
    return float(speeds.min()), float(np.median(speeds)), float(speeds.max())


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    seconds: Matrix
    metres: Matrix
    straight: Matrix | None
    way: NDArray[np.bool_]

    def median_of(self, upper: Matrix, lower: Matrix) -> float | None:
        """Return the median ratio of two matrices where both say something."""
        import numpy as np

        asked = self.way & (upper > 0) & (lower > 0)
        return float(np.median(upper[asked] / lower[asked])) if asked.any() else None


def _hints(
    case: _Case, speeds: tuple[float, float, float] | None, unreachable: int, triangle_share: float
) -> Iterator[Hint]:
    if unreachable:
        yield Hint("no_way", Text(f"{unreachable} ways are missing", f"缺少 {unreachable} 条通路"))
    kilometres = False
    if case.straight is not None and case.metres.any():
        detour = case.median_of(case.metres, case.straight)
        kilometres = detour is not None and 0.0005 < detour < 0.02
        if kilometres:
            yield Hint("distances_in_km", Text("distances look like kilometres", "距离看起来以公里为单位"))
        elif detour is not None and _wrong_order(case):
            text = Text(
                "distances do not follow the straight lines: the matrix may be in another order than the places",
                "距离与直线距离不符：矩阵顺序可能与地点顺序不同",
            )
            yield Hint("other_order", text)
    yield from _speed_hints(speeds, kilometres)
    if triangle_share > 0.05:
        percent = f"{100 * triangle_share:.0f}"
        text = Text(f"{percent} % of detours are quicker than the direct way", f"{percent}% 的绕行比直达更快")
        yield Hint("triangles", text)


def _speed_hints(speeds: tuple[float, float, float] | None, kilometres: bool) -> Iterator[Hint]:
    if speeds is None:
        return
    median = speeds[1] * (1000 if kilometres else 1)
    if SLOWEST_KMH <= median <= FASTEST_KMH:
        return
    units = (
        ("durations_in_minutes", 1 / 60, Text("durations look like minutes", "时间看起来以分钟为单位")),
        ("durations_in_hours", 1 / 3600, Text("durations look like hours", "时间看起来以小时为单位")),
        ("durations_in_milliseconds", 1000, Text("durations look like milliseconds", "时间看起来以毫秒为单位")),
    )
    for code, factor, text in units:
        if 3 <= median * factor <= 110:
            yield Hint(code, text)
            return
    text = Text(f"a median speed of {median:.3g} km/h is unlikely", f"中位速度 {median:.3g} 公里/时不太可能")
    yield Hint("speeds_unlikely", text)


def _wrong_order(case: _Case) -> bool:
    """Return whether many ways are shorter than the straight line between the places that they should join."""
    if case.straight is None:
        return False
    asked = case.way & (case.metres > 0) & (case.straight > 100)
    shorter = asked & (case.metres < 0.9 * case.straight)
    return bool(asked.any() and shorter.sum() > 0.2 * asked.sum())
