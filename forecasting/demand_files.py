"""Demand tables as files: CSV (UTF-8, UTF-16 or GBK) or XLSX, possibly gzipped, headings in English or Chinese."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import read_csv

if TYPE_CHECKING:
    import pandas as pd

MAX_UNPACKED_BYTES = 400_000_000
"""What a packed file may hold once it is unpacked."""
HEADINGS: Mapping[str, str] = {
    "日期": "date",
    "区域": "region",
    "物料": "item",
    "物品": "item",
    "material": "item",
    "数量": "quantity",
    "有货": "available",
    "计划拜访": "planned_visits",
}
"""Other headings that are understood, and the column they mean."""
_MAX_COLUMNS = 200
_GZIP, _ZIP, _OLD_OFFICE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class DemandFile:
    """A file's table as it stands, not yet checked.

    Attributes
    ----------
    frame : DataFrame
        Texts; columns by their English names.
    lines : list of int
        Line in the file of each row, the header being line 1.
    headings : dict of str to str
        How the file itself calls a column that goes by another name here.
    """

    frame: pd.DataFrame
    lines: list[int]
    headings: dict[str, str]


def read_demand_file(content: bytes, filename: str = "demand.csv") -> DemandFile:
    """Read a table; what kind of file it is, its first bytes tell.

    Raises
    ------
    InvalidInput
        When the file is broken, unpacks to too much, or has no rows; broken rows are named, up to 50.
    """
    content = _unpacked(content, filename)
    if content.startswith(_OLD_OFFICE):
        raise InvalidInput.at("file", "is an old Office file: save it as .xlsx", "是旧版 Office 文件，请另存为 .xlsx")
    if content.startswith(_ZIP):
        header, rows, lines = _read_xlsx(content)
    else:
        found = read_csv(content, required=[], name=filename)
        header = [name for name in found[0].values if name]
        rows = [[row.values[name] for name in header] for row in found]
        lines = [row.line for row in found]
    if not rows:
        raise InvalidInput(Text(f"{filename} has no rows", f"{filename} 没有数据行"))
    return _named(header, rows, lines)


def write_demand_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV in UTF-8 with a mark, so that spreadsheet programs see its encoding."""
    import csv

    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(header)
    writer.writerows([[_plain(cell) for cell in row] for row in rows])
    return stream.getvalue().encode("utf-8-sig")


def write_demand_xlsx(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as a spreadsheet with real dates and numbers; no text is ever a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("demand")
    sheet.freeze_panes = "A2"

    def written(cell: Any) -> Any:
        made = WriteOnlyCell(sheet, int(cell) if isinstance(cell, bool) else cell)
        if isinstance(cell, str):
            made.data_type = "s"  # or a text that begins with = would become a formula
        elif isinstance(cell, date):
            made.number_format = "yyyy-mm-dd"
        elif isinstance(cell, float) and float(f"{cell:.16g}") != cell:
            made.value, made.data_type = repr(cell), "s"  # openpyxl writes 16 digits of a number
        return made

    sheet.append(list(header))
    for row in rows:
        sheet.append([written(cell) for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _plain(cell: Any) -> Any:
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _unpacked(content: bytes, filename: str) -> bytes:
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError) as error:
        text = Text(f"{filename} is a broken gzip file", f"{filename} 是损坏的 gzip 文件")
        raise InvalidInput(text) from error
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise _too_much()
    return unpacked


def _too_much() -> InvalidInput:
    limit = MAX_UNPACKED_BYTES // 1_000_000
    return InvalidInput.at("file", f"unpacks to more than {limit} MB: split it", f"解压后超过 {limit} MB，请拆分")


def _read_xlsx(content: bytes) -> tuple[list[str], list[list[str]], list[int]]:
    """Return header, rows and their lines of the first visible sheet; formulas count with their stored results."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # an archive never gives more of a part than it declares
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise _too_much()
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), book.worksheets[0])
        sheet.reset_dimensions()  # some programs write a wrong size
        table = enumerate(sheet.iter_rows(max_col=_MAX_COLUMNS, values_only=True), start=1)
        filled = [(line, [_text(cell) for cell in cells]) for line, cells in table]
    except InvalidInput:
        raise
    except Exception as error:
        # whatever a reader stumbles over in a damaged archive: wrong XML, missing parts, numbers that are none
        raise InvalidInput.at("file", "is no XLSX file, or a damaged one", "不是 XLSX 文件，或文件已损坏") from error
    filled = [(line, cells) for line, cells in filled if any(cells)]
    if not filled:
        return [], [], []
    header = filled[0][1]
    width = max(position for position, name in enumerate(header) if name) + 1
    lines, rows = [line for line, _ in filled[1:]], [[*cells, *[""] * width][:width] for _, cells in filled[1:]]
    named = [position for position in range(width) if header[position]]
    return [header[position] for position in named], [[row[position] for position in named] for row in rows], lines


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
    return str(cell).strip()


def _named(header: list[str], rows: list[list[str]], lines: list[int]) -> DemandFile:
    import pandas as pd

    names = [HEADINGS.get(name, name) for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        text = Text("stands twice", "重复")
        raise InvalidInput(
            Text("a column stands twice", "有重复的列"), fields=[FieldProblem(f"column {twice[0]}", text)]
        )
    columns = {name: [row[position] for row in rows] for position, name in enumerate(names)}
    frame = pd.DataFrame(columns, dtype=object)
    return DemandFile(frame, lines, {name: own for name, own in zip(names, header, strict=True) if name != own})
