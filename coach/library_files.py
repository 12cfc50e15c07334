"""Library files: the shipped YAML layout, JSON Lines, and CSV; problems are named by row and column."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from coach.entry import LANGUAGES, Effect, LibraryEntry
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode, read_csv

_TEXTS = ("key", "language", "kind", "objection_type", "title", "background")
_LISTS = ("steps", "talk_tracks", "utterances", "customer_types", "scenes")
_EFFECT = ("metric", "n", "before", "after", "period_start", "period_end")
_OPTIONAL = ("region", "author")
_DEFAULTED = ("approach", "product_line", "status")
_DAYS = ("valid_from", "valid_until")
COLUMNS = (
    *_TEXTS,
    *("steps", "talk_tracks", "utterances"),
    *(f"effect_{name}" for name in _EFFECT),
    *("approach", "product_line", "customer_types", "scenes", "region", "status"),
    *(*_DAYS, "author"),
)
"""Columns of the CSV layout; key, language, kind and title must be there."""


@dataclass(slots=True)
class LibraryReading:
    """What was found in a library file.

    Attributes
    ----------
    entries : list of LibraryEntry
        The sound entries, in the order of the file.
    problems : list of FieldProblem
        What is wrong with the others; the pointer names row and column.
    """

    entries: list[LibraryEntry] = field(default_factory=list)
    problems: list[FieldProblem] = field(default_factory=list)


def read_library(content: bytes, filename: str) -> LibraryReading:
    """Read a library file in UTF-8, UTF-16 or GBK, possibly gzip-packed.

    Parameters
    ----------
    content : bytes
        The file.
    filename : str
        Tells the layout: ``.yaml``/``.yml`` (shipped layout), ``.jsonl`` (one entry and language a line), ``.csv``
        (one entry and language a row; lists are joined by `` | `` or line ends).

    Returns
    -------
    LibraryReading
        Sound entries, and the problems of the others. Rows of YAML are entries, counted from 1.
    """
    suffix = PurePath(filename.lower().removesuffix(".gz")).suffix
    readers: dict[str, Callable[[bytes, str], Iterator[_Item]]] = {
        ".yaml": _yaml_items,
        ".yml": _yaml_items,
        ".jsonl": _jsonl_items,
        ".ndjson": _jsonl_items,
        ".csv": _csv_items,
    }
    reading = LibraryReading()
    if suffix not in readers:
        text = Text("must end in .yaml, .jsonl or .csv", "文件名必须以 .yaml、.jsonl 或 .csv 结尾")
        reading.problems.append(FieldProblem("file", text))
        return reading
    try:
        items = list(readers[suffix](content, filename))
    except InvalidInput as error:
        reading.problems += error.fields or [FieldProblem("file", error.text)]
        return reading
    seen: set[tuple[str, str]] = set()
    for item in items:
        _add(item, reading, seen)
    return reading


def write_jsonl(entries: Sequence[LibraryEntry]) -> bytes:
    """Return the entries as JSON Lines in UTF-8; `read_library` gives the same entries back."""
    return "".join(json.dumps(_plain(entry), ensure_ascii=False) + "\n" for entry in entries).encode()


def write_csv(entries: Sequence[LibraryEntry]) -> bytes:
    """Return the entries as CSV in UTF-8 with a mark for spreadsheets; `read_library` gives the same entries back."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for entry in entries:
        plain = _plain(entry)
        effect = plain.pop("effect") or {}
        cells = {f"effect_{name}": value for name, value in effect.items()}
        for name, value in plain.items():
            cells[name] = " | ".join(_escape(item) for item in value) if isinstance(value, list) else value
        writer.writerow({name: "" if value is None else value for name, value in cells.items()})
    return text.getvalue().encode("utf-8-sig")


@cache
def shipped_entries() -> tuple[LibraryEntry, ...]:
    """Return the entries of the library that ships with the product, both languages, ordered by file.

    Raises
    ------
    InvalidInput
        When a shipped file is broken.
    """
    found: list[LibraryEntry] = []
    folder = files("training_data") / "library"
    for source in sorted(folder.iterdir(), key=lambda each: each.name):
        if source.name.endswith(".yaml"):
            reading = read_library(source.read_bytes(), source.name)
            if reading.problems:
                raise InvalidInput(Text(f"{source.name} is broken", f"{source.name} 有错误"), fields=reading.problems)
            found += reading.entries
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Item:
    """One entry as a file gives it: field values, its row, and how the file calls a field."""

    row: int
    values: Mapping[str, Any]
    column: Callable[[str], str]

    def problem(self, name: str, text: Text) -> FieldProblem:
        return FieldProblem(f"row {self.row}, column {self.column(name)}" if name else f"row {self.row}", text)


def _add(item: _Item, reading: LibraryReading, seen: set[tuple[str, str]]) -> None:
    try:
        entry = _entry(item.values)
        known = objection_types()
        if entry.objection_type is not None and entry.objection_type not in known:
            code = entry.objection_type
            raise InvalidInput.at("/objection_type", f"{code} is no objection type", f"没有异议类型 {code}")
        if entry.natural_key in seen:
            raise InvalidInput.at("/key", "stands twice in the file in this language", "在文件中同一语言下重复出现")
    except InvalidInput as error:
        for place in error.fields:
            name, _, rest = place.pointer.strip("/").partition("/")
            reading.problems.append(item.problem(f"{name}/{rest}" if name == "effect" and rest else name, place.text))
        return
    seen.add(entry.natural_key)
    reading.entries.append(entry)


def _csv_items(content: bytes, filename: str) -> Iterator[_Item]:
    for row in read_csv(content, required=("key", "language", "kind", "title"), name=filename):
        cells = {name: value for name, value in row.values.items() if value}
        values: dict[str, Any] = {name: value for name, value in cells.items() if not name.startswith("effect_")}
        for name in _LISTS:
            values[name] = [_unescape(part.strip()) for part in re.split(r" \| |\r?\n", cells.get(name, ""))]
            values[name] = [part for part in values[name] if part]
        effect = {name: cells[f"effect_{name}"] for name in _EFFECT if f"effect_{name}" in cells}
        values["effect"] = effect or None
        yield _Item(row.line, values, lambda name: name.replace("/", "_"))


def _jsonl_items(content: bytes, filename: str) -> Iterator[_Item]:
    # str.splitlines would also cut at marks such as U+2028 that JSON allows inside a text
    for number, line in enumerate(decode(content, name=filename).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput.at(f"row {number}", f"is not JSON: {error}", f"不是有效的 JSON：{error}") from error
        if not isinstance(values, dict):
            raise InvalidInput.at(f"row {number}", "must be a JSON object", "必须是 JSON 对象")
        yield _Item(number, values, lambda name: name.replace("/", "."))


def _yaml_items(content: bytes, filename: str) -> Iterator[_Item]:
    import yaml

    try:
        document = yaml.safe_load(decode(content, name=filename))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput.at("file", f"is not YAML: {error}", f"不是有效的 YAML：{error}") from error
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput.at(
            "file", "needs objection_type and a list of entries", "需要 objection_type 和 entries 列表"
        )
    for number, shared in enumerate(entries, start=1):
        if not isinstance(shared, dict):
            raise InvalidInput.at(f"row {number}", "must be a mapping", "必须是键值映射")
        for language in LANGUAGES:
            if language in shared:
                yield _yaml_item(document, shared, number, language)


def _yaml_item(document: dict[str, Any], shared: dict[str, Any], number: int, language: str) -> _Item:
    own = shared[language]
    if not isinstance(own, dict):
        raise InvalidInput.at(f"row {number}, column {language}", "must be a mapping", "必须是键值映射")
    values: dict[str, Any] = {"objection_type": document.get("objection_type"), "status": "published", **shared, **own}
    values["language"] = language
    for other in LANGUAGES:
        values.pop(other, None)
    effect = values.get("effect")
    if isinstance(effect, dict) and isinstance(effect.get("period"), str):
        start, _, end = effect["period"].partition("/")
        kept = {name: value for name, value in effect.items() if name != "period"}
        values["effect"] = {**kept, "period_start": start, "period_end": end}

    def column(name: str) -> str:
        return f"{language}.{name}" if name in own else name.replace("/", ".")

    return _Item(number, values, column)


def _entry(values: Mapping[str, Any]) -> LibraryEntry:
    unknown = sorted(
        str(name) for name in values if name not in {*COLUMNS, "effect"} or str(name).startswith("effect_")
    )
    problems = [FieldProblem(f"/{name}", Text("is no known field", "不是已知字段")) for name in unknown]
    found: dict[str, Any] = {name: values.get(name) or "" for name in _TEXTS}
    found["objection_type"] = values.get("objection_type") or None
    found |= {name: values.get(name) or None for name in _OPTIONAL}
    found |= {name: values[name] for name in _DEFAULTED if values.get(name)}
    for name in _LISTS:
        listed = values.get(name) or []
        found[name] = tuple(_stripped(item) for item in listed) if isinstance(listed, list | tuple) else listed
    found |= {name: _day(values.get(name)) for name in _DAYS}
    try:
        found["effect"] = _effect(values.get("effect"))
    except InvalidInput as error:
        problems += error.fields
    try:
        entry = LibraryEntry(**{name: _stripped(value) for name, value in found.items()})
    except InvalidInput as error:
        problems += error.fields
    if problems:
        raise InvalidInput(Text("the library entry has wrong fields", "案例条目中有字段不正确"), fields=problems)
    return entry


def _effect(values: Any) -> Effect | None:
    if not values:
        return None
    if not isinstance(values, dict):
        raise InvalidInput.at("/effect", "must be an object with metric, n, before, after, period", "必须是对象")
    unknown = [name for name in values if name not in _EFFECT]
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


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _number(value: Any) -> Any:
    """Return the number that a text spells; anything else as it is, for the entry to judge."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _day(value: Any) -> Any:
    """Return the date that an ISO text spells; anything else as it is, for the entry to judge."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value.strip()) if value.strip() else None
    except ValueError:
        return value


def _plain(entry: LibraryEntry) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in (*_TEXTS, *_LISTS, *_DEFAULTED, *_OPTIONAL, *_DAYS):
        value = getattr(entry, name)
        plain[name] = (
            list(value) if isinstance(value, tuple) else value.isoformat() if isinstance(value, date) else value
        )
    effect = entry.effect
    plain["effect"] = None
    if effect is not None:
        figures = {name: getattr(effect, name) for name in _EFFECT}
        plain["effect"] = {n: v.isoformat() if isinstance(v, date) else v for n, v in figures.items()}
    return plain


def _escape(item: str) -> str:
    return re.sub(r"[\\|]", r"\\\g<0>", item)


def _unescape(item: str) -> str:
    return re.sub(r"\\([\\|])", r"\1", item)
