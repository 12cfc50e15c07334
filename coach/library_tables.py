"""Library tables: what CSV files and spreadsheets have in common, and CSV itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from coach.entry import LibraryEntry
from coach.library_columns import (
    CODE_LISTS,
    COLUMNS,
    EFFECT_FIELDS,
    LIST_FIELDS,
    REQUIRED_COLUMNS,
    code_of,
    column_of,
    heading,
)
from coach.library_items import Item
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode

Cell = str | int | float | date | None
"""What a cell of a written table holds."""
Row = tuple[int, Sequence[str | Text]]
"""A row that was read: its number and its cells; a `Text` is a cell that cannot be read, and says why."""

_LONGEST_CSV_CELL = 100_000  # the csv module reads cells up to 131,072 characters
_MOST_LINES = 250  # spreadsheets allow 253 line breaks in a cell
_BETWEEN_ITEMS = re.compile(r" \| |\r?\n")
_BETWEEN_CODES = re.compile(r"\s*[|,;，；、\n]\s*")
# A cell that begins like a formula would be run by a spreadsheet program that opens the CSV file.
_LIKE_FORMULA = re.compile(r"'*[=+\-@]")
_GUARDED = re.compile(r"'+[=+\-@]")


def read_csv_rows(content: bytes, *, name: str) -> Iterator[Row]:
    """Yield the rows of a CSV file in UTF-8, UTF-16 or GBK, separated by commas, semicolons or tabs.

    Row numbers are those that a spreadsheet program shows, also when cells contain line breaks.

    Raises
    ------
    InvalidInput
        When the text cannot be decoded, or the file is not CSV from some row on.
    """
    text = decode(content, name=name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, [cell[1:] if _GUARDED.match(cell) else cell for cell in map(str.strip, cells)]
    except csv.Error as error:
        raise InvalidInput.at(
            f"row {number + 1}", f"{name} is not a valid CSV file: {error}", f"{name} 不是有效的 CSV 文件：{error}"
        ) from error


def write_csv(entries: Sequence[LibraryEntry], *, headings: str = "en") -> bytes:
    """Return the entries as CSV in UTF-8 with a mark for spreadsheets; `read_library` gives the same entries back.

    Parameters
    ----------
    headings : {"en", "zh"}
        Language of the column names.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for cells in table_of(entries, headings=headings, separator=" | ", longest=_LONGEST_CSV_CELL):
        writer.writerow([_csv_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and _LIKE_FORMULA.match(cell) else cell


def table_of(entries: Sequence[LibraryEntry], *, headings: str, separator: str, longest: int) -> Iterator[list[Cell]]:
    """Yield a table's heading and then one row of cells an entry.

    A list that is longer than a cell may be goes on in a column of its own, such as ``utterances_2``.

    Parameters
    ----------
    headings : {"en", "zh"}
        Language of the column names.
    separator : str
        Stands between the items of a list: `` | `` or a line end.
    longest : int
        UTF-16 units that a cell may hold.
    """
    rows = [_cells(entry, separator, longest) for entry in entries]
    parts = {name: max((len(row[name]) for row in rows), default=1) for name in LIST_FIELDS}
    columns = [(name, part) for name in COLUMNS for part in range(max(1, parts.get(name, 1)))]
    yield [heading(name if part == 0 else f"{name}_{part + 1}", headings) for name, part in columns]
    for row in rows:
        yield [row[name][part] if part < len(row[name]) else None for name, part in columns]


def table_items(rows: Iterator[Row], *, hidden: frozenset[int] = frozenset()) -> Iterator[Item | FieldProblem]:
    """Yield the entries of a table, or what is wrong with a row; empty rows are left out.

    Parameters
    ----------
    rows : iterator
        The table; its first row that is not empty names the columns, in English or Chinese.
    hidden : frozenset of int
        Positions of hidden columns: there a heading that means nothing is no error.

    Raises
    ------
    InvalidInput
        When a required column is missing, a column stands twice, or there are no rows.
    """
    filled = ((number, cells) for number, cells in rows if any(cells))
    number, headings = next(filled, (0, []))
    columns = _columns(number, headings, hidden) if number else {}
    first = next(filled, None)
    if first is None:
        raise InvalidInput.at("file", "has no rows", "没有数据行")
    strange = {
        at: text if isinstance(text, str) else _letter(at)
        for at, text in enumerate(headings)
        if text and at not in columns and at not in hidden
    }
    for row, cells in chain([first], filled):
        for at in [at for at in strange if at < len(cells) and cells[at]]:
            text = Text(
                "is no known column; leave it out or name it as the export does",
                "不是已知列名，请删除该列或改用导出文件中的列名",
            )
            yield FieldProblem(f"row {number}, column {strange.pop(at)}", text)
        yield from _item(row, cells, columns, headings)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    part: int
    heading: str


def _columns(number: int, headings: Sequence[str | Text], hidden: frozenset[int]) -> dict[int, _Column]:
    columns: dict[int, _Column] = {}
    seen: set[tuple[str, int]] = set()
    for at, text in enumerate(headings):
        found = column_of(text) if isinstance(text, str) else None
        if found is None:
            continue
        if found in seen and at in hidden:
            continue
        if found in seen:
            raise InvalidInput.at(f"row {number}, column {text}", "the column stands twice", "该列重复")
        seen.add(found)
        columns[at] = _Column(*found, heading=str(text))
    missing = [name for name in REQUIRED_COLUMNS if name not in {column.name for column in columns.values()}]
    if missing:
        named = "、".join(f"{heading(name, 'zh')}（{name}）" for name in missing)
        raise InvalidInput(
            Text(f"the table lacks the columns {', '.join(missing)}", f"表格缺少列 {named}"),
            fields=[FieldProblem(f"column {name}", Text("is missing", "缺失")) for name in missing],
        )
    return columns


def _item(
    row: int, cells: Sequence[str | Text], columns: dict[int, _Column], headings: Sequence[str | Text]
) -> Iterator[Item | FieldProblem]:
    broken = [(columns[at].heading, cell) for at, cell in enumerate(cells) if at in columns and isinstance(cell, Text)]
    broken += [
        (_letter(at), Text("has a cell outside the columns of the heading", "该单元格超出表头的列"))
        for at, cell in enumerate(cells)
        if cell and (at >= len(headings) or not headings[at])
    ]
    if broken:
        yield from (FieldProblem(f"row {row}, column {place}", text) for place, text in broken)
        return
    by_name: dict[str, list[tuple[int, str, str]]] = {}
    for at, column in columns.items():
        text = cells[at] if at < len(cells) else ""
        if text:
            by_name.setdefault(column.name, []).append((column.part, column.heading, str(text)))
    values: dict[str, object] = {}
    places: dict[str, str] = {column.name: column.heading for column in reversed(columns.values())}
    for name, parts in by_name.items():
        if name not in LIST_FIELDS:
            values[name] = code_of(name, parts[0][2])
            continue
        listed: list[str] = []
        for _, title, text in sorted(parts):
            items = _list_items(name, text)
            places |= {f"{name}/{at}": title for at in range(len(listed), len(listed) + len(items))}
            listed += items
        values[name] = listed
    effect = {name: values.pop(f"effect_{name}") for name in EFFECT_FIELDS if f"effect_{name}" in values}
    yield Item(row, values | {"effect": effect or None}, lambda pointer: _place(pointer, places))


def _place(pointer: str, places: dict[str, str]) -> str:
    name = pointer.replace("/", "_") if pointer.startswith("effect") else pointer.partition("/")[0]
    return places.get(pointer) or places.get(name) or name


def _list_items(name: str, text: str) -> list[str]:
    between = _BETWEEN_CODES if name in CODE_LISTS else _BETWEEN_ITEMS
    return [_unescape(part.strip()) for part in between.split(text) if part.strip()]


def _cells(entry: LibraryEntry, separator: str, longest: int) -> dict[str, list[Cell]]:
    effect = entry.effect
    cells: dict[str, list[Cell]] = {}
    for name in COLUMNS:
        if name in LIST_FIELDS:
            cells[name] = list(_joined([_escape(item) for item in getattr(entry, name)], separator, longest))
        elif name.startswith("effect_"):
            cells[name] = [getattr(effect, name.removeprefix("effect_")) if effect else None]
        else:
            cells[name] = [getattr(entry, name)]
    return cells


def _joined(items: Sequence[str], separator: str, longest: int) -> Iterator[str]:
    cell: list[str] = []
    size = 0
    for item in items:
        added = len(item.encode("utf-16-le")) // 2 + len(separator)
        if cell and (size + added > longest or len(cell) >= _MOST_LINES):
            yield separator.join(cell)
            cell, size = [], 0
        cell.append(item)
        size += added
    if cell:
        yield separator.join(cell)


def _delimiter(text: str) -> str:
    """Return the separator under which the first line names most columns."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: sum(column_of(cell.strip('"')) is not None for cell in line.split(mark)))


def _letter(at: int) -> str:
    """Return the name that a spreadsheet gives to the column at a position, such as ``AA``."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _escape(item: str) -> str:
    return re.sub(r"[\\|]", r"\\\g<0>", item)


def _unescape(item: str) -> str:
    return re.sub(r"\\([\\|])", r"\1", item)
