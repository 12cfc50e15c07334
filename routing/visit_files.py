"""Reads visits from CSV and spreads reps over the area that they cover."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location
from common.text_files import Row, read_csv
from routing.problem import Break, Rep, TimeWindow, Visit, visit_problems
from routing.problem_files import FieldReader
from routing.usable_visits import Unreadable

COLUMNS = {
    "id": ("id", "visit_id", "shop_id", "customer_id", "store_id"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "name": ("name", "shop_name", "customer_name"),
    "service_min": ("service_min", "service_minutes"),
    "window_start": ("window_start", "open", "opens"),
    "window_end": ("window_end", "close", "closes"),
    "value": ("value", "priority"),
    "grade": ("grade",),
    "skills": ("skills",),
    "mandatory": ("mandatory",),
    "load": ("load", "packs"),
}
"""Accepted names for each column; the first three are needed."""
NEEDED = ("id", "latitude", "longitude")
YES, NO = frozenset({"1", "yes", "true", "y", "是"}), frozenset({"", "0", "no", "false", "n", "否"})


def visits_from_csv(content: bytes, *, service_s: int = 1200) -> tuple[Visit, ...]:
    """Return the visits of a CSV file (UTF-8, UTF-16 or GBK, also gzip-packed), one a row.

    Parameters
    ----------
    content : bytes
        Columns by the names in :data:`COLUMNS`, in any case. ``window_start`` and ``window_end`` are clock times (one
        missing: the day's begin or end), ``mandatory`` is 1, yes or true, ``skills`` are separated by ``;`` or ``|``.
        Other columns are ignored.
    service_s : int
        For rows that say nothing.

    Raises
    ------
    InvalidInput
        Names each wrong row and column, up to 50.
    """
    rows, columns = _table(content)
    problems: list[FieldProblem] = []
    visits = []
    for row in rows:
        visit, found = _visit(row, columns, service_s)
        visits.append(visit)
        problems += [FieldProblem(_cell(row, columns, problem.pointer), problem.text) for problem in found]
    line_of: dict[str, int] = {}
    for row, visit in zip(rows, visits, strict=True):
        first = line_of.setdefault(visit.id, row.line)
        if first != row.line and visit.id:
            text = Text(f"id {visit.id!r} stands also in row {first}", f"编号 {visit.id!r} 与第 {first} 行重复")
            problems.append(FieldProblem(row.pointer(columns["id"]), text))
    if problems:
        raise InvalidInput(Text("some visits cannot be read", "部分拜访无法读取"), fields=problems[:50])
    return tuple(visits)


@dataclass(frozen=True, slots=True)
class VisitTable:
    """The visits of a CSV file row by row, also those that cannot be read.

    Attributes
    ----------
    visits : tuple of Visit or Unreadable
    """

    visits: tuple[Visit | Unreadable, ...]
    rows: tuple[Row, ...]
    columns: dict[str, str]

    def place_of(self, pointer: str) -> str:
        """Return where in the file the field of a visit stands: ``row 3, column lat`` for ``/visits/1/location``."""
        match = re.fullmatch(r"/visits/(\d+)(/.*)?", pointer)
        return _cell(self.rows[int(match[1])], self.columns, match[2] or "/id") if match else pointer


def visit_table_from_csv(content: bytes, *, service_s: int = 1200) -> VisitTable:
    """Return all rows of a CSV file as :func:`visits_from_csv` reads them; wrong ones fail nothing.

    Raises
    ------
    InvalidInput
        When the file is not a table or lacks a column that is needed.
    """
    rows, columns = _table(content)
    visits: list[Visit | Unreadable] = []
    for row in rows:
        visit, found = _visit(row, columns, service_s)
        visits.append(Unreadable(visit.id, tuple(found)) if found else visit)
    return VisitTable(tuple(visits), tuple(rows), columns)


def _table(content: bytes) -> tuple[list[Row], dict[str, str]]:
    """Return the rows of a file, and by field the column that holds it (empty for none)."""
    rows = read_csv(content, required=(), name="visits")
    lower = {column.lower(): column for column in rows[0].values}
    columns = {field: next((lower[name] for name in names if name in lower), "") for field, names in COLUMNS.items()}
    missing = [field for field in NEEDED if not columns[field]]
    if missing:
        listed = ", ".join(missing)
        raise InvalidInput(
            Text(f"the visits lack a column for {listed}", f"拜访文件缺少列：{listed}"),
            fields=[FieldProblem(f"column {field}", Text("is missing", "缺失")) for field in missing],
        )
    return rows, columns


def _visit(row: Row, columns: dict[str, str], service_s: int) -> tuple[Visit, list[FieldProblem]]:
    """Return the visit of a row, by way of the mapping that a request would carry, and what is wrong in it."""
    cells = {field: row.values.get(column, "") if column else "" for field, column in columns.items()}
    mapping: dict[str, Any] = {
        "id": cells["id"],
        "name": cells["name"] or cells["id"],
        "location": {"latitude": _number(cells["latitude"]), "longitude": _number(cells["longitude"])},
        "grade": cells["grade"],
        "skills": [skill.strip() for skill in re.split(r"[;|]", cells["skills"]) if skill.strip()],
    }
    mapping |= {"service_min": _number(cells["service_min"])} if cells["service_min"] else {"service_s": service_s}
    mapping |= {field: _number(cells[field]) for field in ("value", "load") if cells[field]}
    if cells["window_start"] or cells["window_end"]:
        span = {"start_s": cells["window_start"] or "00:00", "end_s": cells["window_end"] or "24:00"}
        mapping["windows"] = [span]
    said = cells["mandatory"].lower()
    mapping["mandatory"] = True if said in YES else False if said in NO else said
    reader = FieldReader()
    visit = reader.visit("", mapping)
    if not cells["id"]:
        reader.note("/id", "an id is needed", "缺少编号")
    return visit, [*reader.problems, *([] if reader.problems else visit_problems("", visit))]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _cell(row: Row, columns: dict[str, str], pointer: str) -> str:
    """Return the place in the table of a JSON pointer in the visit's mapping."""
    names = {
        "service_s": "service_min",
        "start_s": "window_start",
        "end_s": "window_end",
        "windows": "window_end",
        "location": "latitude",
    }
    last = next((part for part in reversed(pointer.split("/")) if not part.isdigit()), "")
    return row.pointer(columns.get(names.get(last, last)) or last)


def spread_reps(
    visits: Sequence[Visit], count: int, *, shift: TimeWindow, breaks: tuple[Break, ...] = ()
) -> tuple[Rep, ...]:
    """Return ``count`` reps whose homes are spread over the visits.

    The homes are visits' places: the ones nearest to the centres of a k-means clustering that begins with the visit
    nearest the middle and then, each time, the one furthest from those chosen. The same visits give the same reps.

    Parameters
    ----------
    shift : TimeWindow
        Begin and end of the working day; rounds end where they began.

    Raises
    ------
    InvalidInput
        When ``count`` is not positive or there are no visits.
    """
    import numpy as np

    if count < 1 or not visits:
        raise InvalidInput.at("/reps", "at least one rep and one visit are needed", "至少需要一名人员和一次拜访")
    angles = np.radians([(visit.location.latitude, visit.location.longitude) for visit in visits])
    # On a map whose east-west scale is right at the middle latitude, plain distances are good enough for homes.
    points = np.column_stack([angles[:, 0], angles[:, 1] * np.cos(angles[:, 0].mean())])
    centres = points[[int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin())]]
    while len(centres) < count:
        away = ((points[:, None] - centres) ** 2).sum(axis=2).min(axis=1)
        centres = np.vstack([centres, points[away.argmax()]])
    for _ in range(20):
        group = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        for index in np.unique(group):
            centres[index] = points[group == index].mean(axis=0)
    homes: list[Location] = [visits[int(((points - centre) ** 2).sum(axis=1).argmin())].location for centre in centres]
    return tuple(
        Rep(f"R{index + 1}", f"Rep {index + 1}", home, shift.start_s, shift.end_s, home, breaks)
        for index, home in enumerate(homes)
    )


def middle_first(visits: Sequence[Visit]) -> list[Visit]:
    """Return the visits, those nearest to the middle (median latitude and longitude) of all before the others."""
    from statistics import median

    north = median(visit.location.latitude for visit in visits)
    east = median(visit.location.longitude for visit in visits)
    return sorted(visits, key=lambda one: abs(one.location.latitude - north) + abs(one.location.longitude - east))
