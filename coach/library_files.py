"""Library files: the shipped YAML layout, JSON Lines, CSV and XLSX; problems are named by row and column."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from coach.entry import LANGUAGES, LibraryEntry
from coach.library_columns import COLUMNS
from coach.library_items import Item, entry_of, plain_entry
from coach.library_tables import read_csv_rows, table_items, write_csv
from coach.library_xlsx import MAX_UNPACKED_BYTES, read_xlsx_rows, write_xlsx
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode

__all__ = [
    "COLUMNS",
    "MAX_ROWS",
    "LibraryReading",
    "read_library",
    "require_known_layout",
    "shipped_entries",
    "write_csv",
    "write_jsonl",
    "write_xlsx",
]

MAX_ROWS = 50_000
"""Most entries of one file."""
MAX_PROBLEMS = 1_000
"""Most problems that are told of one file; more are counted."""
_GZIP = b"\x1f\x8b"

_Items = Iterator[Item | FieldProblem]


@dataclass(slots=True)
class LibraryReading:
    """What was found in a library file.

    Attributes
    ----------
    entries : list of LibraryEntry
        The sound entries, in the order of the file.
    items : list of Item
        Where each of them came from.
    problems : list of FieldProblem
        What is wrong with the others; the pointer names row and column.
    rows : int
        How many entries the file has, sound or not.
    """

    entries: list[LibraryEntry] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    problems: list[FieldProblem] = field(default_factory=list)
    rows: int = 0
    _untold: int = 0

    def add_problem(self, problem: FieldProblem) -> None:
        """Note a problem; after `MAX_PROBLEMS` they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self._untold += 1

    def require_sound(self) -> None:
        """Make sure that there are no problems.

        Raises
        ------
        InvalidInput
            Naming each problem.
        """
        if self.problems:
            more = f" (+{self._untold})" if self._untold else ""
            text = Text(f"the file has wrong rows{more}", f"文件中有错误的行{more}")
            raise InvalidInput(text, fields=self.problems)


def read_library(content: bytes, filename: str, *, on_row: Callable[[int], None] = lambda rows: None) -> LibraryReading:
    """Read a library file; text in UTF-8, UTF-16 or GBK; possibly gzip-packed.

    Parameters
    ----------
    content : bytes
        The file.
    filename : str
        Tells the layout: ``.yaml``/``.yml`` (shipped layout), ``.jsonl`` (one entry and language a line), ``.csv`` or
        ``.xlsx`` (one entry and language a row; lists stand in a cell, joined by `` | `` or line ends, or in
        several columns).
    on_row : callable, optional
        Called with the number of rows read so far.

    Returns
    -------
    LibraryReading
        Sound entries, and the problems of the others. Rows of YAML are entries, counted from 1.
    """
    reading = LibraryReading()
    seen: dict[tuple[str, str], int] = {}
    try:
        require_known_layout(filename)
        for item in _READERS[_suffix(filename)](_unpacked(content), filename):
            reading.rows += 1
            if reading.rows > MAX_ROWS:
                raise InvalidInput.at("file", f"has more than {MAX_ROWS} rows: split it", f"超过 {MAX_ROWS} 行，请拆分")
            if isinstance(item, FieldProblem):
                reading.add_problem(item)
            else:
                _add(item, reading, seen)
            on_row(reading.rows)
    except InvalidInput as error:
        for problem in error.fields or [FieldProblem("file", error.text)]:
            reading.add_problem(problem)
    return reading


def require_known_layout(filename: str) -> None:
    """Make sure that a file's name tells a layout that can be read.

    Raises
    ------
    InvalidInput
        When it does not.
    """
    if _suffix(filename) not in _READERS:
        raise InvalidInput.at(
            "file", "must end in .xlsx, .csv, .jsonl or .yaml", "文件名必须以 .xlsx、.csv、.jsonl 或 .yaml 结尾"
        )


def write_jsonl(entries: Sequence[LibraryEntry]) -> bytes:
    """Return the entries as JSON Lines in UTF-8; `read_library` gives the same entries back."""
    return "".join(json.dumps(plain_entry(entry), ensure_ascii=False) + "\n" for entry in entries).encode()


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


def _add(item: Item, reading: LibraryReading, seen: dict[tuple[str, str], int]) -> None:
    try:
        entry = entry_of(item.values)
        if entry.natural_key in seen:
            row = seen[entry.natural_key]
            raise InvalidInput.at(
                "/key",
                f"stands twice in the file in this language, first in row {row}",
                f"在文件中同一语言下重复出现（首次在第 {row} 行）",
            )
    except InvalidInput as error:
        for place in error.fields:
            reading.add_problem(item.problem(place.pointer, place.text))
        return
    seen[entry.natural_key] = item.row
    reading.entries.append(entry)
    reading.items.append(item)


def _csv_items(content: bytes, filename: str) -> _Items:
    return table_items(read_csv_rows(content, name=filename))


def _xlsx_items(content: bytes, filename: str) -> _Items:
    rows, hidden = read_xlsx_rows(content)
    return table_items(rows, hidden=hidden)


def _jsonl_items(content: bytes, filename: str) -> _Items:
    # str.splitlines would also cut at marks such as U+2028 that JSON allows inside a text
    for number, line in enumerate(decode(content, name=filename).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield FieldProblem(f"row {number}", Text(f"is not JSON: {error}", f"不是有效的 JSON：{error}"))
            continue
        if isinstance(values, dict):
            yield Item(number, values, _dotted)
        else:
            yield FieldProblem(f"row {number}", Text("must be a JSON object", "必须是 JSON 对象"))


def _yaml_items(content: bytes, filename: str) -> _Items:
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
            yield FieldProblem(f"row {number}", Text("must be a mapping", "必须是键值映射"))
            continue
        for language in LANGUAGES:
            if language in shared:
                yield _yaml_item(document, shared, number, language)


def _yaml_item(document: dict[str, Any], shared: dict[str, Any], number: int, language: str) -> Item | FieldProblem:
    own = shared[language]
    if not isinstance(own, dict):
        return FieldProblem(f"row {number}, column {language}", Text("must be a mapping", "必须是键值映射"))
    values: dict[str, Any] = {"objection_type": document.get("objection_type"), "status": "published", **shared, **own}
    values["language"] = language
    for other in LANGUAGES:
        values.pop(other, None)
    effect = values.get("effect")
    if isinstance(effect, dict) and isinstance(effect.get("period"), str):
        start, _, end = effect["period"].partition("/")
        kept = {name: value for name, value in effect.items() if name != "period"}
        values["effect"] = {**kept, "period_start": start, "period_end": end}

    def column(pointer: str) -> str:
        name = _dotted(pointer)
        return f"{language}.{name}" if name.partition(".")[0] in own else name

    return Item(number, values, column)


def _suffix(filename: str) -> str:
    return PurePath(filename.lower().removesuffix(".gz")).suffix


def _dotted(pointer: str) -> str:
    """Return a pointer as JSON's users write it; of a list, the field alone."""
    return pointer.replace("/", ".") if pointer.startswith("effect/") else pointer.partition("/")[0]


def _unpacked(content: bytes) -> bytes:
    """Return the content of a gzip-packed file, others as they are; a bomb is refused before it goes off."""
    unpacked = b""
    while content.startswith(_GZIP):  # a file may be several packed ones in a row
        unpacking = zlib.decompressobj(wbits=31)
        try:
            unpacked += unpacking.decompress(content, MAX_UNPACKED_BYTES + 1)
        except zlib.error as error:
            raise _broken_gzip() from error
        if len(unpacked) > MAX_UNPACKED_BYTES or unpacked.startswith(_GZIP):
            limit = MAX_UNPACKED_BYTES // 1_000_000
            raise InvalidInput.at("file", f"unpacks to more than {limit} MB", f"解压后超过 {limit} MB")
        if not unpacking.eof:
            raise _broken_gzip()
        content = unpacking.unused_data
    return unpacked or content


def _broken_gzip() -> InvalidInput:
    return InvalidInput.at("file", "is a broken gzip file", "是损坏的 gzip 文件")


_READERS: dict[str, Callable[[bytes, str], _Items]] = {
    ".yaml": _yaml_items,
    ".yml": _yaml_items,
    ".jsonl": _jsonl_items,
    ".ndjson": _jsonl_items,
    ".csv": _csv_items,
    ".xlsx": _xlsx_items,
}
