"""Text and CSV files as people send them: UTF-8 with or without a mark, UTF-16 with one, or GBK."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import FieldProblem, InvalidInput, Text

if TYPE_CHECKING:
    from _csv import Reader

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes
    ----------
    line : int
        Line in the file, counted from 1 with the header.
    values : dict of str to str
        Cell by column name, stripped of surrounding blanks.
    """

    line: int
    values: dict[str, str]

    def pointer(self, column: str) -> str:
        """Return the place of a cell for a problem report."""
        return f"row {self.line}, column {column}"


def decode(content: bytes, *, name: str = "file") -> str:
    """Return the text of ``content``, unpacking gzip first.

    GB 18030 is tried after UTF-8 because nearly every byte sequence is valid in it, while Chinese text in GBK is
    practically never valid UTF-8.

    Raises
    ------
    InvalidInput
        When no known encoding fits.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise InvalidInput(Text(f"{name} is a broken gzip file", f"{name} 是损坏的 gzip 文件")) from error
    encodings = ("utf-16",) if content.startswith(_UTF16_MARKS) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidInput(Text(f"{name} is neither UTF-8, UTF-16 nor GBK text", f"{name} 不是 UTF-8、UTF-16 或 GBK 文本"))


def read_csv(content: bytes, *, required: Sequence[str], name: str = "file") -> list[Row]:
    """Return the rows of a CSV file with a header line.

    Parameters
    ----------
    content : bytes
        The file, possibly gzip-packed, in UTF-8, UTF-16 or GBK.
    required : sequence of str
        Columns that must be there.

    Raises
    ------
    InvalidInput
        When a required column is missing, a column stands twice, a row has more cells than the header, or the file
        has no rows. Every wrong row is named, up to 50.
    """
    reader = csv.reader(io.StringIO(decode(content, name=name), newline=""))
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _require_columns(header, required, name)
        rows, problems = _read_rows(reader, header)
    except csv.Error as error:
        raise InvalidInput.at(
            f"row {reader.line_num}", f"{name} is not a valid CSV file: {error}", f"{name} 不是有效的 CSV 文件：{error}"
        ) from error
    if problems:
        raise InvalidInput(Text(f"{name} has broken rows", f"{name} 有损坏的行"), fields=problems[:50])
    if not rows:
        raise InvalidInput(Text(f"{name} has no rows", f"{name} 没有数据行"))
    return rows


def _require_columns(header: list[str], required: Sequence[str], name: str) -> None:
    missing = [column for column in required if column not in header]
    if missing:
        raise InvalidInput(
            Text(f"{name} lacks the columns {', '.join(missing)}", f"{name} 缺少列 {'、'.join(missing)}"),
            fields=[FieldProblem(f"column {column}", Text("is missing", "缺失")) for column in missing],
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InvalidInput(Text(f"{name} has the column {twice[0]} twice", f"{name} 中列 {twice[0]} 重复"))


def _read_rows(reader: Reader, header: list[str]) -> tuple[list[Row], list[FieldProblem]]:
    rows: list[Row] = []
    problems: list[FieldProblem] = []
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            text = Text(
                f"has {len(cells)} cells, the header has {len(header)}", f"有 {len(cells)} 格，表头有 {len(header)} 格"
            )
            problems.append(FieldProblem(f"row {line}", text))
            continue
        rows.append(Row(line, {column: cell.strip() for column, cell in zip(header, cells, strict=True)}))
    return rows, problems
