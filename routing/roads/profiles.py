"""Who may use which street, in which direction, and how fast (https://wiki.openstreetmap.org/wiki/Key:access)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from common.errors import InvalidInput

CLOSED = frozenset({"no", "private", "agricultural", "forestry", "emergency", "bus", "psv", "military", "use_sidepath"})
"""Values of an access tag that keep the public out; all others (``destination``, ``customers`` …) let a visitor in."""
ONE_WAY = frozenset({"yes", "true", "1"})
BACKWARD = frozenset({"-1", "reverse"})
ROUND = frozenset({"roundabout", "circular"})
PASSABLE_BARRIERS = frozenset(
    {"entrance", "border_control", "toll_booth", "sally_port", "gate", "lift_gate", "swing_gate", "sliding_gate",
     "cattle_grid", "height_restrictor", "no"}
)  # fmt: skip
"""Barriers that open for everybody unless their access tags say otherwise."""
WALK_THROUGH_BARRIERS = frozenset(
    {"bollard", "block", "cycle_barrier", "kissing_gate", "stile", "turnstile", "motorcycle_barrier", "chain", "kerb"}
)
KMH_PER_MPH = 1.609344


@dataclass(frozen=True, slots=True)
class RoadProfile:
    """A way of getting about.

    Attributes
    ----------
    class_speed_kmh : mapping
        Usual speed by value of the ``highway`` tag in a town, intersections included. Other streets are not used.
    access_tags : tuple of str
        From the most to the least particular; the first that a street carries decides whether it is open.
    top_kmh : float
        Nobody is faster, whatever the street.
    limit_share : float or None
        A ``maxspeed`` tag counts with this share, because nobody drives at the limit all the way; ``None``: it does not
        count.
    one_way_tags : tuple of str
        Tags that say in which direction, from the most to the least particular; empty: both, always.
    open_by_tag : frozenset of str
        Streets of these classes are used only when an access tag opens them.
    """

    name: str
    class_speed_kmh: Mapping[str, float]
    access_tags: tuple[str, ...]
    top_kmh: float
    limit_share: float | None = None
    one_way_tags: tuple[str, ...] = ()
    open_by_tag: frozenset[str] = frozenset()
    barriers: frozenset[str] = field(default=PASSABLE_BARRIERS)

    def speeds_kmh(self, tags: Mapping[str, str]) -> tuple[float, float]:
        """Return the speeds along and against the direction of a way with these tags; 0 where it may not be used."""
        kind = tags.get("highway", "")
        speed = self.class_speed_kmh.get(kind)
        if speed is None or not self._open(tags, kind) or self._not_a_street(tags):
            return 0.0, 0.0
        ahead, back = self._directions(tags)
        return (
            self._speed_kmh(tags, speed, "maxspeed:forward") if ahead else 0.0,
            self._speed_kmh(tags, speed, "maxspeed:backward") if back else 0.0,
        )

    def passes(self, tags: Mapping[str, str]) -> bool:
        """Return whether a point on a street (a gate, bollards) lets one through."""
        barrier = tags.get("barrier")
        access = self._access(tags)
        if access is not None:
            return access not in CLOSED
        return barrier is None or barrier in self.barriers

    def _access(self, tags: Mapping[str, str]) -> str | None:
        return next((tags[name] for name in self.access_tags if name in tags), None)

    def _open(self, tags: Mapping[str, str], kind: str) -> bool:
        access = self._access(tags)
        if access is not None:
            return access not in CLOSED
        return kind not in self.open_by_tag

    def _not_a_street(self, tags: Mapping[str, str]) -> bool:
        motorroad = tags.get("motorroad") == "yes" and "motorcar" not in self.access_tags
        return motorroad or (tags.get("area") == "yes" and "foot" not in self.access_tags)

    def _directions(self, tags: Mapping[str, str]) -> tuple[bool, bool]:
        if not self.one_way_tags:
            return True, True
        value = next((tags[name] for name in self.one_way_tags if name in tags), None)
        if value is None:
            implied = tags.get("junction") in ROUND or tags.get("highway") == "motorway"
            return True, not implied
        if value == "reversible":
            return False, False  # open one way at some hours, the other way at others
        return value not in BACKWARD, value not in ONE_WAY

    def _speed_kmh(self, tags: Mapping[str, str], usual: float, own_tag: str) -> float:
        limit = parse_speed_kmh(tags.get(own_tag, "")) or parse_speed_kmh(tags.get("maxspeed", ""))
        speed = usual if limit is None or self.limit_share is None else limit * self.limit_share
        return min(speed, self.top_kmh)


def parse_speed_kmh(text: str) -> float | None:
    """Return a ``maxspeed`` in km/h, the lowest of several; None when it names none (``none``, ``CN:urban``)."""
    if text == "walk":
        return 6.0
    found = []
    for part in re.split("[;|,]", text):
        match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*(mph|km/h|kmh)?\s*", part)
        if match and float(match[1]) > 0:
            found.append(float(match[1]) * (KMH_PER_MPH if match[2] == "mph" else 1.0))
    return min(found, default=None)


def _speeds(**speeds: float) -> Mapping[str, float]:
    return MappingProxyType(speeds)


CAR = RoadProfile(
    "car",
    _speeds(
        motorway=90, motorway_link=45, trunk=65, trunk_link=40, primary=45, primary_link=30, secondary=40,
        secondary_link=30, tertiary=35, tertiary_link=25, unclassified=30, residential=22, living_street=10, service=12,
        road=25,
    ),
    ("motorcar", "motor_vehicle", "vehicle", "access"),
    top_kmh=120,
    limit_share=0.8,
    one_way_tags=("oneway:motorcar", "oneway:motor_vehicle", "oneway"),
)  # fmt: skip
SCOOTER = RoadProfile(
    "scooter",
    _speeds(
        trunk=22, trunk_link=20, primary=22, primary_link=20, secondary=22, secondary_link=20, tertiary=20,
        tertiary_link=20, unclassified=20, residential=18, living_street=10, service=12, road=18, cycleway=18, track=10,
        path=8, pedestrian=6,
    ),
    ("electric_bicycle", "bicycle", "vehicle", "access"),
    top_kmh=25,  # what an electric bicycle may do in China (GB 17761)
    limit_share=None,
    one_way_tags=("oneway:bicycle", "oneway"),
    open_by_tag=frozenset({"pedestrian", "path"}),
    barriers=PASSABLE_BARRIERS | {"bollard", "cycle_barrier", "block"},
)  # fmt: skip
FOOT = RoadProfile(
    "foot",
    _speeds(
        trunk=4.5, trunk_link=4.5, primary=4.5, primary_link=4.5, secondary=4.5, secondary_link=4.5, tertiary=4.5,
        tertiary_link=4.5, unclassified=4.5, residential=4.5, living_street=4.5, service=4.5, road=4.5, pedestrian=4.5,
        footway=4.5, path=4, track=4, steps=2, corridor=4, cycleway=4.5, bridleway=4,
    ),
    ("foot", "access"),
    top_kmh=5,
    one_way_tags=("oneway:foot",),
    barriers=PASSABLE_BARRIERS | WALK_THROUGH_BARRIERS,
)  # fmt: skip
PROFILES: Mapping[str, RoadProfile] = MappingProxyType({one.name: one for one in (CAR, SCOOTER, FOOT)})


def profile_named(name: str) -> RoadProfile:
    """Return the profile ``car``, ``scooter`` (electric bicycle) or ``foot``.

    Raises
    ------
    InvalidInput
    """
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise InvalidInput.at("/travel/profile", f"{name!r} is not one of {known}", f"{name!r} 不是 {known} 之一")
    return PROFILES[name]
