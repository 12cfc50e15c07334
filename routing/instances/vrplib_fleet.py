"""What a VRPLIB file says about its vehicles."""

from __future__ import annotations

from math import ceil

from routing.instances.plain import PlainVehicle, numbers_of
from routing.instances.vrplib_file import Section, VrplibFile
from routing.instances.vrplib_nodes import Nodes

VEHICLE_SECTIONS = (
    "CAPACITY", "VEHICLES_DEPOT", "VEHICLES_MAX_DISTANCE", "VEHICLES_MAX_DURATION", "VEHICLES_FIXED_COST",
    "VEHICLES_UNIT_DISTANCE_COST", "VEHICLES_ALLOWED_CLIENTS",
)  # fmt: skip
"""Sections with a row for each vehicle: its number, then its value (or values)."""


class Fleet:
    """The keys and sections about vehicles."""

    def __init__(self, file: VrplibFile, nodes: Nodes, depots: tuple[int, ...], heaviest: float) -> None:
        self.file, self.nodes, self.depots = file, nodes, depots
        given = [file.sections[name] for name in VEHICLE_SECTIONS if name in file.sections]
        key = file.keys.get("VEHICLES")
        self.unlimited = key is None and not given
        if key is not None:
            self.count = key.whole()
        elif given:
            self.count = len(given[0].rows)
        else:
            self.count = self._enough(heaviest)
        for section in given:
            if len(section.rows) != self.count:
                have = len(section.rows)
                raise section.wrong(
                    f"has {have} rows for {self.count} vehicles", f"有 {have} 行，而车辆有 {self.count} 辆"
                )

    def _enough(self, heaviest: float) -> int:
        """Return a number of vehicles beyond which none is of use.

        Two rounds that fit into one vehicle are one round in a best plan where only the load counts, so at most one
        round of it is half empty. Elsewhere no plan has more rounds than customers.
        """
        customers = self.nodes.size - len(self.depots)
        limits = ("DISTANCE", "VEHICLES_MAX_DISTANCE", "VEHICLES_MAX_DURATION")
        capacity = self.file.keys.get("CAPACITY")
        if capacity is None or "TIME_WINDOW" in self.file.sections or any(name in self.file.keys for name in limits):
            return customers
        return min(customers, 2 * ceil(heaviest / capacity.number(lowest=1e-9)) + 1)

    def vehicles(self) -> tuple[PlainVehicle, ...]:
        """Return all vehicles."""
        capacity = self._values("CAPACITY")
        distance = self._values("VEHICLES_MAX_DISTANCE")
        duration = self._values("DISTANCE" if "DISTANCE" in self.file.keys else "VEHICLES_MAX_DURATION")
        fixed = self._values("VEHICLES_FIXED_COST")
        self._refuse_prices()
        depots, allowed = self._starts(), self._allowed()
        return tuple(
            PlainVehicle(depots[at], capacity[at], distance[at], duration[at], fixed[at] or 0.0, allowed[at])
            for at in range(self.count)
        )

    def _values(self, name: str) -> list[float | None]:
        key, section = self.file.keys.get(name), self.file.sections.get(name)
        if key is not None:
            return [key.number()] * self.count
        if section is None:
            return [None] * self.count
        return [self._value(section, line, words) for line, words in self._in_order(section)]

    @staticmethod
    def _value(section: Section, line: int, words: list[str]) -> float:
        value = numbers_of(words[1:], section.pointer(line), 1)[0]
        if value < 0:
            raise section.wrong("must not be negative", "不能为负", line=line)
        return value

    def _in_order(self, section: Section) -> list[tuple[int, list[str]]]:
        """Return the rows, which must be numbered from 1 on."""
        for number, (line, words) in enumerate(section.rows, start=1):
            if words[0] != str(number):
                raise section.wrong(f"must be the row of vehicle {number}", f"应为车辆 {number} 的行", line=line)
        return section.rows

    def _refuse_prices(self) -> None:
        """Refuse prices by distance that differ from 1: a day has one price for all."""
        key = self.file.keys.get("VEHICLES_UNIT_DISTANCE_COST")
        if key is not None and key.number() != 1:
            raise key.wrong("a price by distance is not supported", "不支持按距离计价")
        section = self.file.sections.get("VEHICLES_UNIT_DISTANCE_COST")
        if section is None:
            return
        for line, words in self._in_order(section):
            if self._value(section, line, words) != 1:
                raise section.wrong("a price by distance is not supported", "不支持按距离计价", line=line)

    def _starts(self) -> list[int]:
        section = self.file.sections.get("VEHICLES_DEPOT")
        if section is None:
            return [self.depots[0]] * self.count
        starts = []
        for line, words in self._in_order(section):
            row = self.nodes.row.get(words[1]) if len(words) == 2 else None
            if row not in self.depots or row is None:
                raise section.wrong("must name one of the depots", "应为仓库之一", line=line)
            starts.append(row)
        return starts

    def _allowed(self) -> list[frozenset[int] | None]:
        section = self.file.sections.get("VEHICLES_ALLOWED_CLIENTS")
        if section is None:
            return [None] * self.count
        allowed: list[frozenset[int] | None] = []
        for line, words in self._in_order(section):
            unknown = [word for word in words[1:] if word not in self.nodes.row]
            if unknown:
                raise section.wrong(f"there is no node {unknown[0]}", f"没有节点 {unknown[0]}", line=line)
            allowed.append(frozenset(self.nodes.row[word] for word in words[1:]))
        return allowed
