"""From the coordinates of Chinese maps (GCJ-02, BD-09) to WGS-84 and back.

Chinese law asks public maps to shift places: by GCJ-02 (Amap, Tencent, Google in China), and by BD-09 on top of it
(Baidu). The formulas are the publicly known ones, with the ellipsoid of Krasovsky 1940; the shift of GCJ-02 applies
inside a rectangle around China, and places outside it stay as they are. The way back has no formula and is found by
iteration, to less than 1e-6 degrees (0.1 m). Within a few hundred metres of the rectangle's edge, where the shift
begins abruptly, the way back is not unique.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from common.places import Location

SYSTEMS = ("wgs84", "gcj02", "bd09")
"""Names of the coordinate systems that are understood."""

_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006693421622965943
_BAIDU_TURNS = math.pi * 3000 / 180
_BAIDU_LONGITUDE, _BAIDU_LATITUDE = 0.0065, 0.006
_STEPS = 30
_EXACT = 1e-9


def to_wgs84(place: Location, system: str) -> Location:
    """Return the WGS-84 coordinate of a place that is given in ``system``, one of :data:`SYSTEMS`.

    Raises
    ------
    KeyError
        For any other system.
    """
    return {"wgs84": _same, "gcj02": wgs84_from_gcj02, "bd09": wgs84_from_bd09}[system](place)


def in_chinese_rectangle(place: Location) -> bool:
    """Return whether the shift of GCJ-02 applies to ``place``."""
    return _WEST <= place.longitude <= _EAST and _SOUTH <= place.latitude <= _NORTH


def gcj02_from_wgs84(place: Location) -> Location:
    """Return the place as Amap or Tencent would show it."""
    if not in_chinese_rectangle(place):
        return place
    east, north = place.longitude - 105.0, place.latitude - 35.0
    slant = math.radians(place.latitude)
    bulge = 1 - _ECCENTRICITY_SQUARED * math.sin(slant) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / bulge**1.5
    parallel_m = _SEMI_MAJOR_M / math.sqrt(bulge) * math.cos(slant)
    return Location(
        place.latitude + math.degrees(_northward_m(east, north) / meridian_m),
        place.longitude + math.degrees(_eastward_m(east, north) / parallel_m),
    )


def _northward_m(east: float, north: float) -> float:
    shift = -100.0 + 2.0 * east + 3.0 * north + 0.2 * north**2 + 0.1 * east * north + 0.2 * math.sqrt(abs(east))
    shift += _wave(east, (20.0, 6.0), (20.0, 2.0))
    return shift + _wave(north, (20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30))


def _eastward_m(east: float, north: float) -> float:
    shift = 300.0 + east + 2.0 * north + 0.1 * east**2 + 0.1 * east * north + 0.1 * math.sqrt(abs(east))
    shift += _wave(east, (20.0, 6.0), (20.0, 2.0))
    return shift + _wave(east, (20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30))


def _wave(angle: float, *terms: tuple[float, float]) -> float:
    """Return two thirds of a sum of sines, each (height in metres, turns in half circles a degree)."""
    return sum(height * math.sin(angle * turns * math.pi) for height, turns in terms) * 2 / 3


def bd09_from_gcj02(place: Location) -> Location:
    """Return the place as Baidu would show it."""
    if not in_chinese_rectangle(place):
        return place
    radius = math.hypot(place.longitude, place.latitude) + 0.00002 * math.sin(place.latitude * _BAIDU_TURNS)
    angle = math.atan2(place.latitude, place.longitude) + 0.000003 * math.cos(place.longitude * _BAIDU_TURNS)
    return Location(radius * math.sin(angle) + _BAIDU_LATITUDE, radius * math.cos(angle) + _BAIDU_LONGITUDE)


def bd09_from_wgs84(place: Location) -> Location:
    """Return the place as Baidu would show it."""
    return bd09_from_gcj02(gcj02_from_wgs84(place))


def wgs84_from_gcj02(place: Location) -> Location:
    """Return the true place of one on an Amap or Tencent map."""
    return _inverse(gcj02_from_wgs84, place)


def gcj02_from_bd09(place: Location) -> Location:
    """Return the GCJ-02 place of one on a Baidu map."""
    return _inverse(bd09_from_gcj02, place)


def wgs84_from_bd09(place: Location) -> Location:
    """Return the true place of one on a Baidu map."""
    return wgs84_from_gcj02(gcj02_from_bd09(place))


def _same(place: Location) -> Location:
    return place


def _inverse(forward: Callable[[Location], Location], target: Location) -> Location:
    """Return the place that ``forward`` takes to ``target``: the shift changes little over its own length."""
    if not in_chinese_rectangle(target):
        return target
    guess = target
    for _ in range(_STEPS):
        reached = forward(guess)
        off_latitude, off_longitude = target.latitude - reached.latitude, target.longitude - reached.longitude
        guess = Location(guess.latitude + off_latitude, guess.longitude + off_longitude)
        if max(abs(off_latitude), abs(off_longitude)) < _EXACT:
            break
    return guess
