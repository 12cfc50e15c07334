"""Points on the earth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from common.errors import InvalidInput

EARTH_RADIUS_M = 6_371_008.8
"""Mean earth radius (IUGG 1980)."""


@dataclass(frozen=True, slots=True)
class Location:
    """A WGS-84 coordinate in degrees.

    Raises
    ------
    InvalidInput
        When a coordinate is not a finite number or lies outside the earth. A latitude beyond 90 degrees whose swap
        would be valid is reported as swapped.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        for name in ("latitude", "longitude"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InvalidInput.at(f"/{name}", f"{name} must be a finite number", f"{name} 必须是有限的数字")
        if abs(self.latitude) > 90 and abs(self.longitude) <= 90 and abs(self.latitude) <= 180:
            raise InvalidInput.at(
                "/latitude",
                f"latitude {self.latitude} is outside -90..90: latitude and longitude look swapped",
                f"纬度 {self.latitude} 超出 -90..90：经纬度似乎写反了",
            )
        if abs(self.latitude) > 90:
            raise InvalidInput.at(
                "/latitude", f"latitude {self.latitude} is outside -90..90", f"纬度 {self.latitude} 超出 -90..90"
            )
        if abs(self.longitude) > 180:
            raise InvalidInput.at(
                "/longitude",
                f"longitude {self.longitude} is outside -180..180",
                f"经度 {self.longitude} 超出 -180..180",
            )

    @property
    def lon_lat(self) -> list[float]:
        """The GeoJSON position ``[longitude, latitude]`` (RFC 7946)."""
        return [self.longitude, self.latitude]


def great_circle_m(start: Location, end: Location) -> float:
    """Return the great-circle distance in metres (haversine formula on a sphere)."""
    lat1, lat2 = math.radians(start.latitude), math.radians(end.latitude)
    half_lat = (lat2 - lat1) / 2
    half_lon = math.radians(end.longitude - start.longitude) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))
