"""Day sheets to print: A4, one rep after another, with an embedded font so that Chinese shows everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from common.errors import Text
from operations.day_sheets import DaySheet, SheetBreak, SheetStop

if TYPE_CHECKING:
    from fpdf import FPDF


TITLE = Text("Day sheet", "日程单")
SUMMARY = Text(
    "Out {start}, back {end} · {count} visits · {km} km, {minutes} min on the way",
    "{start} 出发，{end} 结束 · {count} 次拜访 · {km} 公里，路上 {minutes} 分钟",
)
TAKE_ALONG = Text("Gift packs to take along: {count}", "需携带礼品包：{count} 份")
HEADS = (
    Text("No.", "序号"),
    Text("Arrive", "到达"),
    Text("Visit", "拜访时间"),
    Text("Customer, place", "客户与地点"),
    Text("Packs", "礼品包"),
    Text("Done", "完成"),
)
BREAK = Text("Break", "休息")
TO_SAY = Text("To say, to note:", "话术与记录：")
PAGE = Text("page {page} of {pages}", "第 {page} 页，共 {pages} 页")
PLAN = Text("Plan {plan}, made {made}", "计划 {plan}，制定于 {made}")
WEEKDAYS = (
    Text("Monday", "星期一"),
    Text("Tuesday", "星期二"),
    Text("Wednesday", "星期三"),
    Text("Thursday", "星期四"),
    Text("Friday", "星期五"),
    Text("Saturday", "星期六"),
    Text("Sunday", "星期日"),
)
WIDTHS_MM = (12.0, 18.0, 28.0, 98.0, 16.0, 14.0)
MARGIN_MM = 12.0
LINE_MM = 5.2
SMALL_MM = 4.4
NOTE_MM = 7.0
FONT = "sheet"
_PIECES = re.compile(r"[\u2e80-\u9fff\uf900-\uffef]|[^\s\u2e80-\u9fff\uf900-\uffef]{1,30}\s*|\s+")
"""What a line is made of: one Chinese character, or a word (cut where it is very long) with the space after it."""


def pdf_of(sheets: Sequence[DaySheet], language: str) -> bytes:
    """Return a PDF with the sheets, each beginning on a page of its own."""
    pdf = _document(language, _foot(sheets, language))
    for sheet in sheets:
        _Printer(pdf, sheet, language).print()
    return bytes(pdf.output())


def _foot(sheets: Sequence[DaySheet], language: str) -> str:
    """Return what the foot of every page says: which plan it is, so that an old print-out can be told."""
    if not sheets:
        return ""
    made = sheets[0].made_at.astimezone(sheets[0].departure.tzinfo)
    return PLAN.in_language(language).format(plan=sheets[0].plan_id, made=f"{made:%Y-%m-%d %H:%M}")


def _document(language: str, foot: str) -> FPDF:
    from fpdf import FPDF

    class Sheets(FPDF):
        """A document with its page numbers at the foot."""

        def footer(self) -> None:
            """Print the foot of a page."""
            self.set_y(-MARGIN_MM)
            self.set_font(FONT, size=8)
            page = PAGE.in_language(language).format(page=self.page_no(), pages="{nb}")
            self.cell(0, SMALL_MM, f"{foot} · {page}", align="C")

    pdf = Sheets(format="A4")
    pdf.set_title(TITLE.in_language(language))
    pdf.set_lang("zh-CN" if language == "zh" else "en")
    pdf.set_creator("Fieldwise")
    pdf.set_margin(MARGIN_MM)
    pdf.set_auto_page_break(False)
    pdf.add_font(FONT, fname=_font_file())
    return pdf


@cache
def _font_file() -> str:
    """Return where the font is: Noto Sans SC (SIL Open Font License), all of GB 18030's common characters."""
    from pylopdf_fonts_zh_cn import sans_path

    return str(sans_path())


class _Printer:
    """Prints one sheet from the top of a page on."""

    def __init__(self, pdf: FPDF, sheet: DaySheet, language: str) -> None:
        self._pdf, self._sheet, self._language = pdf, sheet, language

    def print(self) -> None:
        """Print the sheet."""
        pdf, sheet = self._pdf, self._sheet
        pdf.add_page()
        self._head()
        waiting = sorted(sheet.breaks, key=lambda pause: pause.start)
        for stop in sheet.stops:
            while waiting and waiting[0].start <= stop.start:
                self._break(waiting.pop(0))
            self._stop(stop)
        for pause in waiting:
            self._break(pause)

    def _say(self, text: Text, **values: object) -> str:
        return text.in_language(self._language).format(**values)

    def _head(self) -> None:
        pdf, sheet = self._pdf, self._sheet
        pdf.set_font(FONT, size=18)
        pdf.cell(0, 10, _one_line(f"{sheet.rep_name}  {self._say(TITLE)}"), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(FONT, size=11)
        place = f" · {sheet.region_code}" if sheet.region_code else ""
        pdf.cell(0, 6, f"{self._day(sheet.plan_date)}{place}", new_x="LMARGIN", new_y="NEXT")
        summary = self._say(
            SUMMARY,
            start=f"{sheet.departure:%H:%M}",
            end=f"{sheet.finish:%H:%M}",
            count=len(sheet.stops),
            km=f"{sheet.distance_m / 1000:.1f}",
            minutes=round(sheet.travel_s / 60),
        )
        pdf.cell(0, 6, summary, new_x="LMARGIN", new_y="NEXT")
        if sheet.packs:
            pdf.cell(0, 6, self._say(TAKE_ALONG, count=sheet.packs), new_x="LMARGIN", new_y="NEXT")
        pdf.ln(2)
        self._table_head()

    def _day(self, day: date) -> str:
        weekday = self._say(WEEKDAYS[day.weekday()])
        return f"{day.year} 年 {day.month} 月 {day.day} 日 {weekday}" if self._language == "zh" else f"{weekday} {day}"

    def _table_head(self) -> None:
        pdf = self._pdf
        pdf.set_font(FONT, size=9)
        pdf.set_fill_color(225, 230, 236)
        for head, width in zip(HEADS, WIDTHS_MM, strict=True):
            pdf.cell(width, 6, self._say(head), border=1, fill=True)
        pdf.ln(6)

    def _room(self, height: float) -> None:
        """Begin a new page where a block does not fit any more."""
        if self._pdf.get_y() + height > self._pdf.h - 2 * MARGIN_MM:
            self._pdf.add_page()
            self._table_head()

    def _stop(self, stop: SheetStop) -> None:
        pdf = self._pdf
        width = WIDTHS_MM[3] - 2
        pdf.set_font(FONT, size=11)
        grade = f"  [{stop.grade}]" if stop.grade else ""
        name = self._wrapped(f"{stop.name}{grade}", width)
        pdf.set_font(FONT, size=9)
        place = f"{stop.location.latitude:.5f}, {stop.location.longitude:.5f}"
        where = self._wrapped(f"{stop.address}  ({place})" if stop.address else place, width)
        notes = [line for text in stop.lines for line in self._wrapped(text, sum(WIDTHS_MM) - 6)]
        row = 2 + len(name) * LINE_MM + len(where) * SMALL_MM
        under = SMALL_MM + 2 + (len(notes) * SMALL_MM if notes else NOTE_MM)
        self._room(row + under)
        self._row(stop, name, where, row)
        self._under(notes, under)

    def _row(self, stop: SheetStop, name: Sequence[str], where: Sequence[str], height: float) -> None:
        pdf = self._pdf
        top, left = pdf.get_y(), pdf.l_margin
        pdf.set_font(FONT, size=11)
        shown = (str(stop.position), f"{stop.arrival:%H:%M}", f"{stop.start:%H:%M}–{stop.end:%H:%M}")
        packs = str(stop.packs) if stop.packs else ""
        for text, width in zip((*shown, "", packs, ""), WIDTHS_MM, strict=True):
            pdf.set_xy(left, top)
            pdf.cell(width, height, text, border=1)
            left += width
        pdf.rect(left - WIDTHS_MM[-1] / 2 - 2, top + height / 2 - 2, 4, 4)
        left, top = pdf.l_margin + sum(WIDTHS_MM[:3]), top + 1
        for lines, size, step in ((name, 11, LINE_MM), (where, 9, SMALL_MM)):
            pdf.set_font(FONT, size=size)
            for line in lines:
                pdf.set_xy(left, top)
                pdf.cell(WIDTHS_MM[3], step, line)
                top += step
        pdf.set_xy(pdf.l_margin, top + 1)

    def _under(self, notes: Sequence[str], height: float) -> None:
        """Print what to say, or room to write."""
        pdf = self._pdf
        top = pdf.get_y()
        pdf.rect(pdf.l_margin, top, sum(WIDTHS_MM), height)
        pdf.set_font(FONT, size=9)
        pdf.set_xy(pdf.l_margin + 1, top + 1)
        pdf.set_text_color(110, 110, 110)
        pdf.cell(0, SMALL_MM, self._say(TO_SAY))
        pdf.set_text_color(0, 0, 0)
        for number, line in enumerate(notes):
            pdf.set_xy(pdf.l_margin + 3, top + 1 + SMALL_MM * (number + 1))
            pdf.cell(0, SMALL_MM, line)
        pdf.set_xy(pdf.l_margin, top + height)

    def _break(self, pause: SheetBreak) -> None:
        self._room(LINE_MM + 2)
        pdf = self._pdf
        pdf.set_font(FONT, size=10)
        pdf.set_fill_color(245, 245, 240)
        pdf.cell(WIDTHS_MM[0], LINE_MM + 2, "", border="LTB", fill=True)
        pdf.cell(WIDTHS_MM[1], LINE_MM + 2, "", border="TB", fill=True)
        pdf.cell(WIDTHS_MM[2], LINE_MM + 2, f"{pause.start:%H:%M}–{pause.end:%H:%M}", border="TB", fill=True)
        pdf.cell(sum(WIDTHS_MM[3:]), LINE_MM + 2, self._say(BREAK), border="TRB", fill=True)
        pdf.ln(LINE_MM + 2)

    def _wrapped(self, text: str, width: float) -> list[str]:
        """Return the lines of a text in the font that is set: broken at spaces, and between Chinese characters."""
        lines = [""]
        for piece in _PIECES.findall(_one_line(text)):
            if self._pdf.get_string_width(lines[-1] + piece.rstrip()) <= width or not lines[-1]:
                lines[-1] += piece
            else:
                lines[-1] = lines[-1].rstrip()
                lines.append(piece)
        return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())
