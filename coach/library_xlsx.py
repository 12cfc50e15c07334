"""Library tables as XLSX spreadsheets, by openpyxl."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import iterparse

from coach.entry import LibraryEntry
from coach.library_tables import Cell, Row, table_of
from common.errors import InvalidInput, Text

MAX_UNPACKED_BYTES = 64_000_000
"""What all parts of a spreadsheet may hold together once they are unpacked."""
_MAX_PARTS = 2_000
_MAX_COLUMNS = 200
_LONGEST_CELL = 32_000  # a spreadsheet cell holds 32,767 UTF-16 units
_FIRST_SAFE_DAY = date(1900, 3, 1)  # spreadsheets count a 29 February 1900 that never was
_CHUNK_BYTES = 1 << 20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DOCTYPE = re.compile(rb"<\0?!\0?D\0?O\0?C\0?T\0?Y\0?P\0?E")
_FORMULA = re.compile(rb"<(?:\w{1,8}:)?f[\s/>]")
# Characters that XML cannot hold as they are; spreadsheets write them by their number, and an underscore where a text
# has such a number by chance.
_NUMBERED = {"\r": "_x000D_", "\ufffe": "_xFFFE_", "\uffff": "_xFFFF_", "_": "_x005F_"}
_NUMBER = re.compile("_x(000[Dd]|[Ff]{3}[EeFf]|005[Ff])_")
_UNWRITABLE = re.compile("[\r\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def read_xlsx_rows(content: bytes) -> tuple[Iterator[Row], frozenset[int]]:
    """Return the rows of a spreadsheet's first visible sheet, and the positions of its hidden columns.

    Rows are numbered as the spreadsheet shows them. Formulas count with the results that were stored with them.

    Raises
    ------
    InvalidInput
        When the file is broken, encrypted, of another kind, or unpacks to more than `MAX_UNPACKED_BYTES`; a sheet may
        turn out to be broken only while its rows are read.
    """
    _require_sound(content)
    with _broken_file():
        sheet = _first_sheet(content)
        hidden, unstored = _hidden_and_unstored(sheet)
    return _rows(sheet, unstored), hidden


def write_xlsx(entries: Sequence[LibraryEntry], *, headings: str = "en") -> bytes:
    """Return the entries as a spreadsheet; `read_library` gives the same entries back.

    Numbers and dates are real ones, lists stand one item a line in their cell, and no text is ever a formula.

    Parameters
    ----------
    headings : {"en", "zh"}
        Language of the column names.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet("案例库" if headings == "zh" else "library")
    sheet.freeze_panes = "B2"
    table = table_of(entries, headings=headings, separator="\n", longest=_LONGEST_CELL)
    top = [_written(sheet, cell) for cell in next(table)]
    for number, cell in enumerate(top, start=1):
        cell.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = 16
    sheet.append(top)
    for cells in table:
        sheet.append([_written(sheet, cell) for cell in cells])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _written(sheet: Any, cell: Cell) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if cell is None:
        return None
    if isinstance(cell, date) and cell >= _FIRST_SAFE_DAY:
        written = WriteOnlyCell(sheet, cell)
        written.number_format = "yyyy-mm-dd"
        return written
    if isinstance(cell, int | float) and abs(cell) < 1e15 and float(f"{cell:.16g}") == cell:
        return WriteOnlyCell(sheet, cell)
    # openpyxl writes 16 digits of a number; one that needs more is kept as text
    text = cell if isinstance(cell, str) else cell.isoformat() if isinstance(cell, date) else repr(cell)
    written = WriteOnlyCell(sheet, _UNWRITABLE.sub(lambda found: _NUMBERED[found[0]], text))
    written.data_type = "s"  # or a text that begins with = would become a formula
    return written


def _rows(sheet: Any, unstored: frozenset[str]) -> Iterator[Row]:
    with _broken_file():
        for number, cells in enumerate(sheet.iter_rows(max_col=_MAX_COLUMNS), start=1):
            texts = [_read(cell, unstored) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            yield number, texts


def _read(cell: Any, unstored: frozenset[str]) -> str | Text:
    value = cell.value
    if value is None:
        if unstored and getattr(cell, "coordinate", None) in unstored:
            return Text(
                "is a formula without a stored result: open the file in a spreadsheet program and save it",
                "公式没有保存计算结果：请用表格软件打开并保存一次",
            )
        return ""
    if cell.data_type == "e":
        return Text(f"holds the error {value}", f"单元格为错误值 {value}")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return _NUMBER.sub(lambda found: chr(int(found[1], 16)), str(value)).strip()


def _require_sound(content: bytes) -> None:
    """Make sure that the file is a ZIP archive of a size that can be unpacked, and no part declares entities."""
    if content.startswith(_OLD_OFFICE):
        if _ENCRYPTED in content:
            raise _encrypted()
        raise InvalidInput.at("file", "is an old Office file: save it as .xlsx", "是旧版 Office 文件，请另存为 .xlsx")
    with _broken_file(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise _encrypted()
        # an archive never gives more of a part than it declares
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
            limit = MAX_UNPACKED_BYTES // 1_000_000
            raise InvalidInput.at(
                "file", f"unpacks to more than {limit} MB: split it", f"解压后超过 {limit} MB，请拆分后再导入"
            )
        for part in parts:
            if part.filename.endswith((".xml", ".rels")) and _finds(archive.open(part), _DOCTYPE):
                raise InvalidInput.at(
                    "file", "declares a document type, which no spreadsheet does", "含有非法的 XML 声明"
                )


def _encrypted() -> InvalidInput:
    return InvalidInput.at("file", "is encrypted: save it without a password", "文件已加密，请去掉密码后另存再导入")


def _first_sheet(content: bytes) -> Any:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells what it leaves out: styles, extensions
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    if not sheets:
        raise InvalidInput.at("file", "has no sheet", "文件中没有工作表")
    sheets[0].reset_dimensions()  # some programs write a wrong size
    return sheets[0]


def _hidden_and_unstored(sheet: Any) -> tuple[frozenset[int], frozenset[str]]:
    """Return the positions of hidden columns, and the cells whose formula has no stored result.

    A sheet that is opened for reading row by row tells neither, so its XML is asked.
    """
    with_formulas = _finds(sheet._get_source(), _FORMULA)
    hidden: set[int] = set()
    unstored: set[str] = set()
    with sheet._get_source() as source:
        for _, node in iterparse(source):
            tag = node.tag.rpartition("}")[2]
            if tag == "col" and node.get("hidden") in ("1", "true"):
                last = min(int(node.get("max", 0)), _MAX_COLUMNS)
                hidden |= set(range(int(node.get("min", 1)) - 1, last))
            elif tag == "c":
                parts = {child.tag.rpartition("}")[2]: child.text for child in node}
                # an empty text is a result too; its cell says that it is one
                if "f" in parts and not parts.get("v") and node.get("t") != "str":
                    unstored.add(node.get("r", ""))
            elif tag == "row":
                node.clear()
                if not with_formulas:
                    break
    return frozenset(hidden), frozenset(unstored)


def _finds(source: Any, pattern: re.Pattern[bytes]) -> bool:
    tail = b""
    with source:
        while chunk := source.read(_CHUNK_BYTES):
            if pattern.search(tail + chunk):
                return True
            tail = chunk[-32:]
    return False


@contextmanager
def _broken_file() -> Iterator[None]:
    try:
        yield
    except InvalidInput:
        raise
    except Exception as error:
        # whatever a reader stumbles over in a damaged archive: wrong XML, missing parts, numbers that are none
        raise InvalidInput.at("file", "is no XLSX file, or a damaged one", "不是 XLSX 文件，或文件已损坏") from error
