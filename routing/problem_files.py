"""Reads day problems from JSON and JSON-like mappings, and writes them.

The mapping has the field names of the dataclasses in :mod:`routing.problem`, and is also the shape of the HTTP request.
Clock times are seconds since midnight or ``"09:30"``. Durations may be given in minutes (``service_min`` for
``service_s``). A location is ``{"latitude": …, "longitude": …}``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location
from common.text_files import decode
from common.units import parse_clock_time
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow, Visit
from routing.travel_times import HaversineTravelTimes, MatrixTravelTimes, TravelTimes


def problem_from_mapping(mapping: object, limits: SizeLimits | None = None) -> DayProblem:
    """Return the problem that ``mapping`` (``visits``, ``reps``, optionally ``weights``) describes.

    A key ``travel`` is left for :func:`travel_from_mapping`.

    Raises
    ------
    InvalidInput
        Names every field that is missing, unknown or of the wrong type by its JSON pointer; then every wrong value.
    """
    reader = FieldReader()
    whole = reader.mapping("", mapping, {"visits", "reps", "weights", "travel"})
    visits = tuple(reader.visit(at, item) for at, item in reader.items("/visits", whole.get("visits")))
    reps = tuple(reader.rep(at, item) for at, item in reader.items("/reps", whole.get("reps")))
    weights = reader.weights("/weights", whole.get("weights", {}))
    reader.raise_problems()
    return DayProblem(visits, reps, weights, limits or SizeLimits())


def problem_from_json(content: bytes, limits: SizeLimits | None = None) -> DayProblem:
    """Return the problem in a JSON file (UTF-8, UTF-16 or GBK)."""
    return problem_from_mapping(read_json(content), limits)


def read_json(content: bytes) -> object:
    """Return what a JSON file (UTF-8, UTF-16 or GBK) holds.

    Raises
    ------
    InvalidInput
        When it is not JSON.
    """
    try:
        parsed: object = json.loads(decode(content, name="problem"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput.at("", f"the problem is not JSON: {error}", f"问题文件不是 JSON：{error}") from error
    return parsed


def problem_to_mapping(problem: DayProblem) -> dict[str, Any]:
    """Return a mapping of plain values from which :func:`problem_from_mapping` builds an equal problem."""
    weights = problem.weights
    return {
        "visits": [_plain(visit) for visit in problem.visits],
        "reps": [_plain(rep) for rep in problem.reps],
        "weights": {
            "travel_s": weights.travel_s,
            "distance_m": weights.distance_m,
            "overtime_s": weights.overtime_s,
            "value": weights.value,
            "change": weights.change,
            "fairness": weights.fairness,
            "fairness_measure": weights.fairness_measure,
            "grade_factors": dict(weights.grade_factors),
        },
    }


def _plain(thing: Any) -> Any:
    if dataclasses.is_dataclass(thing):
        return {field.name: _plain(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    if isinstance(thing, frozenset):
        return sorted(thing)
    if isinstance(thing, tuple):
        return [_plain(item) for item in thing]
    return thing


def travel_from_mapping(mapping: object) -> TravelTimes:
    """Return the travel times that a mapping asks for.

    ``{"speed_kmh": …, "detour_factor": …}`` (both may be missing) is the great circle; ``{"duration_s": [[…]],
    "distance_m": [[…]]}`` a given matrix. A server's address is not taken from a request but from the settings.

    Raises
    ------
    InvalidInput
    """
    reader = FieldReader()
    given = reader.mapping("/travel", mapping, {"speed_kmh", "detour_factor", "duration_s", "distance_m"})
    if "duration_s" in given:
        reader.raise_problems()
        return MatrixTravelTimes(given["duration_s"], given.get("distance_m"))
    plain = HaversineTravelTimes()
    speed = reader.number("/travel/speed_kmh", given.get("speed_kmh", plain.speed_kmh))
    detour = reader.number("/travel/detour_factor", given.get("detour_factor", plain.detour_factor))
    reader.raise_problems()
    return HaversineTravelTimes(speed, detour)


class FieldReader:
    """Reads values of the right type and collects what is wrong."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def raise_problems(self) -> None:
        """Raise all that was wrong, if anything was."""
        if self.problems:
            count = len(self.problems)
            text = Text(f"the day problem has {count} unreadable fields", f"当日问题有 {count} 个字段无法读取")
            raise InvalidInput(text, fields=self.problems)

    def note(self, pointer: str, en: str, zh: str) -> None:
        """Keep one problem."""
        self.problems.append(FieldProblem(pointer, Text(en, zh)))

    def mapping(self, pointer: str, value: object, known: Iterable[str]) -> dict[str, Any]:
        """Return an object's fields; unknown ones are problems, because a misspelt option would be ignored silently."""
        if not isinstance(value, Mapping):
            self.note(pointer, "must be an object", "必须是对象")
            return {}
        for name in value:
            if name not in known:
                self.note(f"{pointer}/{name}", "is not a known field", "不是已知字段")
        return dict(value)

    def items(self, pointer: str, value: object) -> list[tuple[str, object]]:
        """Return (pointer, item) of a list; None is an empty one."""
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.note(pointer, "must be a list", "必须是列表")
            return []
        return [(f"{pointer}/{index}", item) for index, item in enumerate(value)]

    def text(self, pointer: str, value: object) -> str:
        """Return a text; whole numbers count as ids."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.note(pointer, "must be a text", "必须是文本")
            return ""
        return value

    def number(self, pointer: str, value: object) -> float:
        """Return a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.note(pointer, "must be a number", "必须是数字")
            return 0.0
        return value

    def whole(self, pointer: str, value: object) -> int:
        """Return a whole number."""
        number = self.number(pointer, value)
        if not math.isfinite(number) or number != int(number):
            self.note(pointer, "must be a whole number", "必须是整数")
            return 0
        return int(number)

    def clock(self, pointer: str, value: object) -> int:
        """Return seconds since midnight."""
        if not isinstance(value, str):
            return self.whole(pointer, value)
        try:
            return parse_clock_time(value, pointer=pointer)
        except InvalidInput as error:
            self.problems += error.fields
            return 0

    def duration(self, pointer: str, fields: Mapping[str, Any], name: str, default: int | None = None) -> int:
        """Return the seconds of ``<name>_s`` or the minutes of ``<name>_min``."""
        minutes = f"{name}_min"
        if minutes in fields:
            return round(60 * self._finite(f"{pointer}/{minutes}", fields[minutes]))
        if f"{name}_s" not in fields and default is not None:
            return default
        return self.whole(f"{pointer}/{name}_s", fields.get(f"{name}_s"))

    def _finite(self, pointer: str, value: object) -> float:
        number = self.number(pointer, value)
        if not abs(number) < 1e6:
            self.note(pointer, "is not a sensible number of minutes", "分钟数不合理")
            return 0.0
        return number

    def place(self, pointer: str, value: object) -> Location:
        """Return a location."""
        fields = self.mapping(pointer, value, {"latitude", "longitude"})
        if fields:
            try:
                return Location(fields.get("latitude"), fields.get("longitude"))  # type: ignore[arg-type]
            except InvalidInput as error:
                self.problems += [FieldProblem(pointer + field.pointer, field.text) for field in error.fields]
        return Location(0.0, 0.0)

    def skills(self, pointer: str, value: object) -> frozenset[str]:
        """Return a set of texts."""
        return frozenset(self.text(at, item) for at, item in self.items(pointer, value))

    def visit(self, pointer: str, value: object) -> Visit:
        """Return a visit."""
        names = {field.name for field in dataclasses.fields(Visit)} | {"service_min"}
        fields = self.mapping(pointer, value, names)
        visit_id = self.text(f"{pointer}/id", fields.get("id"))
        mandatory = fields.get("mandatory", False)
        if not isinstance(mandatory, bool):
            self.note(f"{pointer}/mandatory", "must be true or false", "必须是 true 或 false")
        return Visit(
            id=visit_id,
            name=self.text(f"{pointer}/name", fields.get("name", visit_id)),
            location=self.place(f"{pointer}/location", fields.get("location")),
            service_s=self.duration(pointer, fields, "service"),
            windows=tuple(
                self.window(at, item) for at, item in self.items(f"{pointer}/windows", fields.get("windows"))
            ),
            value=self.number(f"{pointer}/value", fields.get("value", 1.0)),
            grade=self.text(f"{pointer}/grade", fields.get("grade", "")),
            skills=self.skills(f"{pointer}/skills", fields.get("skills")),
            mandatory=bool(mandatory),
            load=self.whole(f"{pointer}/load", fields.get("load", 0)),
            collect=self.whole(f"{pointer}/collect", fields.get("collect", 0)),
            after=self.text(f"{pointer}/after", fields.get("after", "")),
            allowed_reps=None
            if fields.get("allowed_reps") is None
            else self.skills(f"{pointer}/allowed_reps", fields["allowed_reps"]),
            usual_rep=self.text(f"{pointer}/usual_rep", fields.get("usual_rep", "")),
        )

    def window(self, pointer: str, value: object) -> TimeWindow:
        """Return a time window."""
        fields = self.mapping(pointer, value, {"start_s", "end_s"})
        return TimeWindow(
            self.clock(f"{pointer}/start_s", fields.get("start_s")), self.clock(f"{pointer}/end_s", fields.get("end_s"))
        )

    def rep(self, pointer: str, value: object) -> Rep:
        """Return a rep."""
        names = {field.name for field in dataclasses.fields(Rep)} | {"overtime_min"}
        fields = self.mapping(pointer, value, names)
        rep_id = self.text(f"{pointer}/id", fields.get("id"))
        end = fields.get("end")

        def optional(name: str) -> int | None:
            return None if fields.get(name) is None else self.whole(f"{pointer}/{name}", fields[name])

        return Rep(
            id=rep_id,
            name=self.text(f"{pointer}/name", fields.get("name", rep_id)),
            start=self.place(f"{pointer}/start", fields.get("start")),
            shift_start_s=self.clock(f"{pointer}/shift_start_s", fields.get("shift_start_s")),
            shift_end_s=self.clock(f"{pointer}/shift_end_s", fields.get("shift_end_s")),
            end=None if end is None else self.place(f"{pointer}/end", end),
            breaks=tuple(self.pause(at, item) for at, item in self.items(f"{pointer}/breaks", fields.get("breaks"))),
            skills=self.skills(f"{pointer}/skills", fields.get("skills")),
            max_visits=optional("max_visits"),
            capacity=optional("capacity"),
            overtime_s=self.duration(pointer, fields, "overtime", 0),
            max_travel_s=optional("max_travel_s"),
            max_distance_m=optional("max_distance_m"),
            fixed_cost=self.number(f"{pointer}/fixed_cost", fields.get("fixed_cost", 0.0)),
            first_stops=tuple(
                self.text(at, item) for at, item in self.items(f"{pointer}/first_stops", fields.get("first_stops"))
            ),
        )

    def pause(self, pointer: str, value: object) -> Break:
        """Return a break."""
        fields = self.mapping(pointer, value, {"earliest_s", "latest_s", "duration_s", "duration_min"})
        return Break(
            self.clock(f"{pointer}/earliest_s", fields.get("earliest_s")),
            self.clock(f"{pointer}/latest_s", fields.get("latest_s", fields.get("earliest_s"))),
            self.duration(pointer, fields, "duration"),
        )

    def weights(self, pointer: str, value: object) -> ObjectiveWeights:
        """Return the weights; those that are not named keep their defaults."""
        plain = ObjectiveWeights()
        names = {field.name for field in dataclasses.fields(ObjectiveWeights)}
        fields = self.mapping(pointer, value, names)
        numbers = names - {"grade_factors", "fairness_measure"}
        given = {name: self.number(f"{pointer}/{name}", fields[name]) for name in numbers if name in fields}
        measure = self.text(f"{pointer}/fairness_measure", fields.get("fairness_measure", plain.fairness_measure))
        factors = fields.get("grade_factors", plain.grade_factors)
        if not isinstance(factors, Mapping):
            self.note(f"{pointer}/grade_factors", "must be an object", "必须是对象")
            factors = {}
        grades = {
            str(grade): self.number(f"{pointer}/grade_factors/{grade}", factor) for grade, factor in factors.items()
        }
        return dataclasses.replace(plain, **given, fairness_measure=measure, grade_factors=grades)
