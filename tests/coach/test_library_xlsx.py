"""Spreadsheets of entries: real dates and numbers, formulas, hidden columns, and files that nobody should open."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from coach import library_xlsx
from coach.entry import Effect, LibraryEntry
from coach.library_files import LibraryReading, read_library, write_xlsx

HEADINGS = ["编号", "语言", "类别", "异议类型", "标题", "客户说法", "有效期结束"]
ROW = ["no_time-01", "zh", "success", "no_time", "边走边说", "我赶时间\n没空 | 下次吧", datetime(2026, 12, 31)]


def book_of(*rows: Sequence[Any], change: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(content: bytes) -> LibraryReading:
    return read_library(content, "cases.xlsx")


def rewritten(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the spreadsheet with one of its parts changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return stream.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_real_dates_numbers_and_line_breaks_are_understood_and_empty_rows_skipped() -> None:
    effect = [*HEADINGS, "effect_metric", "effect_n", "effect_before", "effect_after"]
    effect += ["effect_period_start", "effect_period_end"]
    row = [*ROW, "contact_rate", 41.0, 0.2, 0.35, date(2026, 3, 1), "2026-03-31"]
    reading = read(book_of([], effect, [], row, [None] * 5))
    assert reading.problems == []
    (entry,) = reading.entries
    assert entry.utterances == ("我赶时间", "没空", "下次吧")
    assert entry.valid_until == date(2026, 12, 31)
    assert entry.effect == Effect("contact_rate", 41, 0.2, 0.35, date(2026, 3, 1), date(2026, 3, 31))
    assert reading.items[0].row == 4


def test_every_wrong_cell_is_named_as_the_sheet_shows_it() -> None:
    wrong = ["A B", "fr", *ROW[2:5], None, datetime(2026, 12, 31, 8, 30)]
    reading = read(book_of(HEADINGS, ROW, [], wrong, [*ROW[:6], True], [*ROW, "far out"]))
    assert {problem.pointer for problem in reading.problems} == {
        "row 4, column 编号",
        "row 4, column 语言",
        "row 4, column 有效期结束",
        "row 5, column 有效期结束",
        "row 6, column H",
    }


def test_exported_cells_are_real_dates_and_numbers_and_never_formulas(entry_of: Callable[..., LibraryEntry]) -> None:
    entry = entry_of(title="=1+1", background="#N/A", valid_until=date(2027, 1, 31))
    sheet = load_workbook(io.BytesIO(write_xlsx([entry]))).active
    cells = dict(zip(*(list(row) for row in sheet.iter_rows()), strict=True))
    found = {heading.value: cell for heading, cell in cells.items()}
    assert found["valid_until"].value == datetime(2027, 1, 31)
    assert (found["effect_n"].value, found["effect_before"].value) == (64, 0.18)
    assert (found["title"].data_type, found["title"].value) == ("s", "=1+1")
    assert (found["background"].data_type, found["background"].value) == ("s", "#N/A")


@settings(deadline=None, max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 2**80), st.dates())
def test_no_figure_or_date_loses_anything_in_a_sheet(figure: float, count: int, day: date) -> None:
    effect = Effect("orders", count, figure, 0.1 + 0.2, day, day)
    entry = LibraryEntry("a", "zh", "tool", None, "t", effect=effect)
    assert read(write_xlsx([entry])).entries == [entry]


def test_formulas_count_with_their_stored_results() -> None:
    content = book_of(HEADINGS, ["=A3", *ROW[1:]], ["no_time-01", "en", *ROW[2:]])
    unstored = read(content)
    assert [problem.pointer for problem in unstored.problems] == ["row 2, column 编号"]
    assert "stored result" in unstored.problems[0].text.en
    stored = rewritten(
        content,
        SHEET,
        lambda xml: re.sub(
            rb'<c r="A2"[^>]*><f>A3</f><v ?/?>(</v>)?', b'<c r="A2" t="str"><f>A3</f><v>no_time-01</v>', xml
        ),
    )
    assert [entry.natural_key for entry in read(stored).entries] == [("no_time-01", "zh"), ("no_time-01", "en")]
    # a formula whose result is an empty text is an empty cell
    empty = rewritten(
        book_of([*HEADINGS, "author"], [*ROW, '=""']),
        SHEET,
        lambda xml: re.sub(rb'<c r="H2"[^>]*><f>""</f><v ?/?>(</v>)?', b'<c r="H2" t="str"><f>""</f><v></v>', xml),
    )
    assert read(empty).problems == []


def test_an_error_in_a_cell_is_told() -> None:
    broken = rewritten(
        book_of(HEADINGS, ROW),
        SHEET,
        lambda xml: re.sub(rb'<c r="A2"[^>]*>.*?</c>', b'<c r="A2" t="e"><v>#REF!</v></c>', xml),
    )
    (problem,) = read(broken).problems
    assert problem.pointer == "row 2, column 编号"
    assert "#REF!" in problem.text.en


def test_a_hidden_column_with_notes_is_left_out_and_one_of_the_layout_still_counts() -> None:
    def hide(book: Workbook) -> None:
        book.active.column_dimensions["G"].hidden = True
        book.active.column_dimensions["H"].hidden = True

    rows = ([*HEADINGS, "内部备注"], [*ROW, "别外传"])
    assert [problem.pointer for problem in read(book_of(*rows)).problems] == ["row 1, column 内部备注"]
    hidden = read(book_of(*rows, change=hide))
    assert hidden.problems == []
    assert hidden.entries[0].valid_until == date(2026, 12, 31)


def test_the_first_visible_sheet_counts() -> None:
    def cover(book: Workbook) -> None:
        book.create_sheet("说明", 0).append(["请从第二张表开始填"])
        book.worksheets[0].sheet_state = "hidden"
        book.create_sheet("其他").append(["x"])

    assert len(read(book_of(HEADINGS, ROW, change=cover)).entries) == 1


def test_texts_that_excel_escaped_come_back_as_they_were_typed() -> None:
    content = book_of([*HEADINGS, "背景"], [*ROW, "第一行_x000D_\n第二行"])
    assert read(content).entries[0].background == "第一行\r\n第二行"


@pytest.mark.parametrize("text", ["_x000D_", "_x005F_", "_x005F_x000D_", "a_x0041_", "_X000D_", "_x000d_\r_xFFFF_"])
def test_texts_that_look_escaped_are_kept_as_they_are(entry_of: Callable[..., LibraryEntry], text: str) -> None:
    entry = entry_of(background=text + "价")
    assert read(write_xlsx([entry])).entries == [entry]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook", "old Office file"),
        (book_of(HEADINGS, ROW)[:-200], "damaged"),
        (rewritten(book_of(HEADINGS, ROW), SHEET, lambda xml: xml[:-40]), "damaged"),
        (rewritten(book_of(HEADINGS, ROW), "xl/workbook.xml", lambda xml: b"<a/>"), "no sheet"),
        (
            rewritten(book_of(HEADINGS, ROW), SHEET, lambda xml: b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml),
            "document type",
        ),
        (b"", "damaged"),
        (book_of(HEADINGS), "no rows"),
        (book_of(), "no rows"),
    ],
    ids=["encrypted", "xls", "cut off", "broken sheet", "broken book", "entities", "nothing", "no row", "no heading"],
)
def test_a_file_that_cannot_be_used_says_why_in_one_line(content: bytes, told: str) -> None:
    reading = read(content)
    assert any(told in problem.text.en for problem in reading.problems), reading.problems


def test_a_bomb_is_refused_by_its_size_before_anything_is_unpacked() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(7):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b"\0" * 10_000_000)
    assert len(stream.getvalue()) < 200_000
    (problem,) = read(stream.getvalue()).problems
    assert "64 MB" in problem.text.en


def test_a_sheet_with_more_parts_than_any_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_xlsx, "_MAX_PARTS", 3)
    assert "split it" in read(book_of(HEADINGS, ROW)).problems[0].text.en


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_spreadsheet_is_a_problem_or_still_readable_and_never_a_failure(at: int, noise: bytes) -> None:
    sound = book_of(HEADINGS, ROW)
    at %= len(sound)
    read(sound[:at] + noise + sound[at + len(noise) :])
