"""Reads the visits of a day one by one, so that those that cannot be read are left out, and in which map's places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from common.chinese_coordinates import SYSTEMS, to_wgs84
from common.errors import FieldProblem, InvalidInput, Text
from routing.problem import Rep, Visit
from routing.problem_files import FieldReader, read_json
from routing.usable_visits import Conditions, Unreadable, UsableDay, unreadable_fields, usable_day


def usable_day_from_mapping(mapping: Mapping[str, Any], *, conditions: Conditions | None = None) -> UsableDay:
    """Return the usable day that a mapping in the shape of a problem file describes.

    Beside the fields of :func:`routing.problem_files.problem_from_mapping`, ``coordinate_system`` (``wgs84``,
    ``gcj02``, ``bd09``) may stand in the mapping, in a visit and in a rep; the places become WGS-84. An entry of
    ``visits`` may be an :class:`Unreadable` that somebody else has found. Other keys are left alone.

    Raises
    ------
    InvalidInput
        See :func:`usable_day`.
    """
    reader = FieldReader()
    system = _system(reader, "", mapping, "wgs84")
    visits = [_read_visit(item, system) for _, item in reader.items("/visits", mapping.get("visits"))]
    reps = [_read_rep(reader, at, item, system) for at, item in reader.items("/reps", mapping.get("reps"))]
    weights = reader.weights("/weights", mapping.get("weights", {}))
    if reader.problems:
        text = Text("the day has unreadable fields", "当日数据有字段无法读取")
        raise InvalidInput(text, fields=[*reader.problems, *unreadable_fields(visits)])
    return usable_day(visits, reps, weights, conditions=conditions)


def usable_day_from_json(
    content: bytes, *, conditions: Conditions | None = None
) -> tuple[UsableDay, dict[str, Any] | None]:
    """Return the usable day in a JSON file, and the travel times that it brings along, if any, for that day's visits.

    Raises
    ------
    InvalidInput
        See :func:`usable_day`; also for a field of the whole that is not known, which may be misspelt.
    """
    mapping = read_json(content)
    reader = FieldReader()
    whole = reader.mapping("", mapping, {"visits", "reps", "weights", "travel", "coordinate_system"})
    reader.raise_problems()
    day = usable_day_from_mapping(whole, conditions=conditions)
    return day, kept_travel(whole.get("travel"), day)


def _read_visit(item: object, system: str) -> Visit | Unreadable:
    if isinstance(item, Unreadable):
        return item
    reader = FieldReader()
    own = _system(reader, "", item, system)
    visit = reader.visit("", _without_system(item))
    if reader.problems:
        return Unreadable(visit.id, tuple(reader.problems))
    return replace(visit, location=to_wgs84(visit.location, own))


def _read_rep(reader: FieldReader, pointer: str, item: object, system: str) -> Rep:
    own = _system(reader, pointer, item, system)
    rep = reader.rep(pointer, _without_system(item))
    end = None if rep.end is None else to_wgs84(rep.end, own)
    return replace(rep, start=to_wgs84(rep.start, own), end=end)


def _system(reader: FieldReader, pointer: str, item: object, otherwise: str) -> str:
    named = item.get("coordinate_system", otherwise) if isinstance(item, Mapping) else otherwise
    if named in SYSTEMS:
        return str(named)
    names = ", ".join(SYSTEMS)
    reader.note(f"{pointer}/coordinate_system", f"must be one of {names}", f"必须是 {names} 之一")
    return otherwise


def _without_system(item: object) -> object:
    if not isinstance(item, Mapping):
        return item
    return {name: value for name, value in item.items() if name != "coordinate_system"}


def unreadable(item: object, problems: Sequence[FieldProblem]) -> Unreadable:
    """Return what stands in the place of a visit that somebody else could not read.

    A place outside the earth is told as :class:`common.places.Location` does: it may be swapped.
    """
    given = item if isinstance(item, Mapping) else {}
    named = given.get("id")
    place = given.get("location")
    told = list(problems)
    if isinstance(place, Mapping) and {"latitude", "longitude"} <= set(place):
        reader = FieldReader()
        reader.place("/location", {name: place[name] for name in ("latitude", "longitude")})
        if reader.problems:
            told = [one for one in told if not one.pointer.startswith("/location/")] + reader.problems
    visit_id = str(named) if isinstance(named, str | int) else ""
    return Unreadable(visit_id, tuple(told))


def kept_travel(travel: dict[str, Any] | None, day: UsableDay) -> dict[str, Any] | None:
    """Return the travel times of a request without the rows and columns of visits that were taken out.

    Raises
    ------
    InvalidInput
        When a matrix is not as large as the visits, starts and ends that were given.
    """
    if not travel or "duration_s" not in travel or len(day.kept) == day.given:
        return travel
    places = len(day.problem.locations()) - len(day.kept) + day.given
    rows = [*day.kept, *range(day.given, places)]
    cut = {}
    for name in ("duration_s", "distance_m"):
        if travel.get(name) is not None:
            matrix = travel[name]
            if len(matrix) != places or any(len(row) != places for row in matrix):
                raise InvalidInput.at(
                    f"/travel/{name}",
                    f"the matrix must have {places} rows and columns (visits, starts, ends)",
                    f"矩阵应有 {places} 行和列（拜访、起点、终点）",
                )
            cut[name] = [[matrix[row][column] for column in rows] for row in rows]
    return {**travel, **cut}
