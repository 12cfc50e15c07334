"""From what a library file says in a row to an entry, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from coach.entry import Effect, LibraryEntry
from coach.library_columns import (
    COLUMNS,
    DAY_FIELDS,
    DEFAULTED_FIELDS,
    EFFECT_FIELDS,
    LIST_FIELDS,
    OPTIONAL_FIELDS,
    TEXT_FIELDS,
)
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text

_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*[%％]")
_WRITTEN_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00(?:\.0+)?)?)?")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry as a file gives it.

    Attributes
    ----------
    row : int
        The row of the table, the line of JSON Lines, or the entry of YAML; counted from 1.
    values : mapping of str to object
        Field values by the names of `LibraryEntry`.
    column : callable
        How the file calls the field at a pointer such as ``effect/n`` or ``steps/2``.
    """

    row: int
    values: Mapping[str, Any]
    column: Callable[[str], str]

    def problem(self, pointer: str, text: Text) -> FieldProblem:
        """Return a problem of the field at ``pointer``, placed by row and column."""
        name = pointer.strip("/")
        return FieldProblem(f"row {self.row}, column {self.column(name)}" if name else f"row {self.row}", text)

    def states(self, field: str) -> bool:
        """Return whether the file says anything in a field."""
        return bool(self.values.get(field))


def entry_of(values: Mapping[str, Any]) -> LibraryEntry:
    """Return the entry that field values describe; numbers and dates may be written as text.

    Raises
    ------
    InvalidInput
        Naming every field that is wrong or unknown, each with a JSON pointer.
    """
    unknown = sorted(
        str(name) for name in values if name not in {*COLUMNS, "effect"} or str(name).startswith("effect_")
    )
    problems = [FieldProblem(f"/{name}", Text("is no known field", "不是已知字段")) for name in unknown]
    code = values.get("objection_type") or None
    if isinstance(code, str) and code.strip() not in objection_types():
        problems.append(FieldProblem("/objection_type", Text(f"{code} is no objection type", f"没有异议类型 {code}")))
    found = {name: _stripped(value) for name, value in _fields(values).items()}
    try:
        found["effect"] = _effect(values.get("effect"))
    except InvalidInput as error:
        problems += error.fields
    try:
        entry = LibraryEntry(**found)
    except InvalidInput as error:
        problems += [problem for problem in error.fields if problem.pointer not in {each.pointer for each in problems}]
    if problems:
        raise InvalidInput(Text("the library entry has wrong fields", "案例条目中有字段不正确"), fields=problems)
    return entry


def plain_entry(entry: LibraryEntry) -> dict[str, Any]:
    """Return an entry as JSON can hold it; `entry_of` gives the same entry back."""
    plain: dict[str, Any] = {}
    for name in (*TEXT_FIELDS, *LIST_FIELDS, *DEFAULTED_FIELDS, *OPTIONAL_FIELDS, *DAY_FIELDS):
        value = getattr(entry, name)
        plain[name] = list(value) if isinstance(value, tuple) else _plain(value)
    effect = entry.effect
    plain["effect"] = effect and {name: _plain(getattr(effect, name)) for name in EFFECT_FIELDS}
    return plain


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: values.get(name) or "" for name in TEXT_FIELDS}
    found["objection_type"] = values.get("objection_type") or None
    found |= {name: values.get(name) or None for name in OPTIONAL_FIELDS}
    found |= {name: values[name] for name in DEFAULTED_FIELDS if values.get(name)}
    for name in LIST_FIELDS:
        listed = values.get(name) or []
        found[name] = tuple(_stripped(item) for item in listed) if isinstance(listed, list | tuple) else listed
    return found | {name: _day(values.get(name)) for name in DAY_FIELDS}


def _effect(values: Any) -> Effect | None:
    if not values:
        return None
    if not isinstance(values, dict):
        raise InvalidInput.at("/effect", "must be an object with metric, n, before, after, period", "必须是对象")
    unknown = [name for name in values if name not in EFFECT_FIELDS]
    if unknown:
        raise InvalidInput.at(f"/effect/{unknown[0]}", "is no known field", "不是已知字段")
    return Effect(
        metric=_stripped(values.get("metric")),
        n=_number(values.get("n")),
        before=_number(values.get("before")),
        after=_number(values.get("after")),
        period_start=_day(values.get("period_start")),
        period_end=_day(values.get("period_end")),
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _number(value: Any) -> Any:
    """Return the number that a text spells, ``18%`` as a share; anything else as it is, for the entry to judge."""
    if not isinstance(value, str):
        return value
    percent = _PERCENT.fullmatch(value.strip())
    if percent:
        return float(percent[1]) / 100
    for read in (int, float):
        try:
            return read(value)
        except ValueError:
            continue
    return value


def _day(value: Any) -> Any:
    """Return the date that a text spells (ISO, ``2026/11/1``, ``2026年11月1日``); anything else as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    written = _WRITTEN_DAY.fullmatch(text)
    try:
        if written:
            return date(*(int(part) for part in written.groups()))
        return date.fromisoformat(text) if text else None
    except ValueError:
        return value
