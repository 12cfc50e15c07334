"""Lines on the map as short texts: Google's encoded polyline algorithm, and lines with fewer points.

Source: https://developers.google.com/maps/documentation/utilities/polylinealgorithm (precision 5); OSRM and Valhalla
use the same with precision 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from common.errors import InvalidInput
from common.places import EARTH_RADIUS_M

Point = tuple[float, float]


def encode_polyline(points: Iterable[Point], *, precision: int = 5) -> str:
    """Return the text for points (latitude, longitude), rounded to ``precision`` decimals (5: about one metre)."""
    factor = 10**precision
    text: list[str] = []
    before = (0, 0)
    for point in points:
        here = (round(point[0] * factor), round(point[1] * factor))
        for value, last in zip(here, before, strict=True):
            step = value - last
            bits = ~(step << 1) if step < 0 else step << 1
            while bits >= 0x20:
                text.append(chr((0x20 | (bits & 0x1F)) + 63))
                bits >>= 5
            text.append(chr(bits + 63))
        before = here
    return "".join(text)


def decode_polyline(text: str, *, precision: int = 5) -> list[Point]:
    """Return the points (latitude, longitude) of a text.

    Raises
    ------
    InvalidInput
        When the text is not an encoded polyline.
    """
    factor = 10**precision
    steps: list[int] = []
    bits = shift = 0
    for letter in text:
        value = ord(letter) - 63
        if not 0 <= value < 0x40:
            raise _not_a_polyline()
        bits |= (value & 0x1F) << shift
        shift += 5
        if value < 0x20:
            steps.append(~(bits >> 1) if bits & 1 else bits >> 1)
            bits = shift = 0
    if shift or len(steps) % 2:
        raise _not_a_polyline()
    points: list[Point] = []
    latitude = longitude = 0
    for place in range(0, len(steps), 2):
        latitude, longitude = latitude + steps[place], longitude + steps[place + 1]
        points.append((latitude / factor, longitude / factor))
    return points


def _not_a_polyline() -> InvalidInput:
    return InvalidInput.at("/geometry", "is not an encoded polyline", "不是编码折线")


def shortened(points: Sequence[Point], *, most: int, within_m: float = 2.0) -> list[Point]:
    """Return the line with at most ``most`` points (2 or more), first and last among them.

    Points that lie nearer than ``within_m`` metres to the rest of the line go first (Douglas and Peucker 1973); the
    tolerance doubles until the line is short enough.
    """
    kept = list(points)
    while len(kept) > 2:
        kept = _simplified(kept, within_m)
        if len(kept) <= most:
            break
        within_m *= 2
    return kept


def _simplified(points: Sequence[Point], within_m: float) -> list[Point]:
    keep = [False] * len(points)
    keep[0] = keep[-1] = True
    metres = _flat(points)
    open_spans = [(0, len(points) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        place, away_m = _furthest(metres, first, last)
        if away_m > within_m:
            keep[place] = True
            open_spans += [(first, place), (place, last)]
    return [point for point, kept in zip(points, keep, strict=True) if kept]


def _flat(points: Sequence[Point]) -> list[Point]:
    """Return points in metres on a plane: good enough to tell which of them matter."""
    degree_m = math.radians(EARTH_RADIUS_M)
    narrow = math.cos(math.radians(points[0][0]))
    return [(point[0] * degree_m, point[1] * degree_m * narrow) for point in points]


def _furthest(metres: Sequence[Point], first: int, last: int) -> tuple[int, float]:
    """Return which point between two is furthest from the straight line between them, and how far."""
    (x1, y1), (x2, y2) = metres[first], metres[last]
    dx, dy = x2 - x1, y2 - y1
    square = dx * dx + dy * dy
    found, furthest = first, -1.0
    for place in range(first + 1, last):
        x, y = metres[place][0] - x1, metres[place][1] - y1
        share = min(1.0, max(0.0, (x * dx + y * dy) / square)) if square else 0.0
        away = math.hypot(x - share * dx, y - share * dy)
        if away > furthest:
            found, furthest = place, away
    return found, furthest
