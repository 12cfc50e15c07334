from __future__ import annotations

import gzip
import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from common.errors import InvalidInput
from forecasting import demand_files
from forecasting.demand_files import read_demand_file, write_demand_csv, write_demand_xlsx
from forecasting.panel import Panel, read_panel
from forecasting.panel_table import DemandRules, parse_table

HEADER = ("date", "region", "item", "quantity", "available")


def csv(*lines: str) -> bytes:
    return "\n".join(["date,region,item,quantity", *lines]).encode()


def test_moments_with_an_offset_become_days_of_the_time_zone() -> None:
    content = csv(
        "2026-10-01T15:59:00Z,east,pack,1",
        "2026-10-01T16:00:00Z,west,pack,2",
        "2026-10-03 00:30:00+09:00,north,pack,4",
        "2026-10-05,south,pack,8",
    )
    panel = read_panel(content)
    days = {key.region: panel.first_day + timedelta(days=int(np.flatnonzero(row > 0)[0]))
            for key, row in zip(panel.series, panel.quantity, strict=True)}  # fmt: skip
    assert days == {
        "east": date(2026, 10, 1),
        "west": date(2026, 10, 2),
        "north": date(2026, 10, 2),
        "south": date(2026, 10, 5),
    }


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)])
def test_days_of_23_and_25_hours_keep_all_their_hours_and_no_other(day: date, hours: int) -> None:
    chicago = ZoneInfo("America/Chicago")
    start = datetime(day.year, day.month, day.day, tzinfo=chicago).astimezone(ZoneInfo("UTC"))
    moments = [start + timedelta(hours=hour) for hour in range(-24, 72)]
    lines = [f"{moment.astimezone(chicago).isoformat()},loop,rides,1" for moment in moments]
    rules = DemandRules(time_zone="America/Chicago", duplicates="sum")
    panel = read_panel(csv(*lines), rules=rules)
    assert panel.quantity[0, panel.column_of(day)] == hours


def test_a_region_may_have_days_that_begin_elsewhere() -> None:
    rules = DemandRules(zones={"lhasa": "Asia/Urumqi"})
    lines = [f"2026-10-01T17:00:00Z,{region},pack,1" for region in ("lhasa", "chengdu")]
    panel = read_panel(csv(*lines), rules=rules)
    assert panel.first_day == date(2026, 10, 1)
    np.testing.assert_array_equal(panel.quantity, [[np.nan, 1], [1, np.nan]])


def test_an_unknown_time_zone_is_wrong_input() -> None:
    with pytest.raises(InvalidInput) as caught:
        DemandRules(time_zone="Mars/Olympus")
    assert caught.value.fields[0].pointer == "/time_zone"


def test_repeated_rows_are_refused_with_both_their_numbers() -> None:
    content = csv("2026-10-01,east,pack,1", "2026-10-01,west,pack,1", "2026/10/1,east,pack,2")
    with pytest.raises(InvalidInput) as caught:
        read_panel(content)
    (problem,) = caught.value.fields
    assert problem.pointer == "row 4, column date"
    assert "row 2" in problem.text.en
    assert "第 2 行" in problem.text.zh


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 9)), min_size=1, max_size=40))
def test_summed_rows_hold_all_units_and_no_day_more(rows: list[tuple[int, str, int]]) -> None:
    first = date(2026, 10, 1)
    content = csv(*(f"{first + timedelta(days=day)},{region},pack,{units}" for day, region, units in rows))
    panel = read_panel(content, rules=DemandRules(duplicates="sum"))
    assert np.nansum(panel.quantity) == sum(units for _, _, units in rows)
    assert (~np.isnan(panel.quantity)).sum() == len({(day, region) for day, region, _ in rows})


def test_a_summed_day_counts_as_available_only_when_all_its_rows_are() -> None:
    frame = pd.DataFrame(
        {
            "date": ["2026-10-01", "2026-10-01", "2026-10-02", "2026-10-02"],
            "region": "east",
            "item": "pack",
            "quantity": [1, 2, 3, None],
            "available": [1, 0, 1, 1],
            "fair": [5, None, None, 6],
        }
    )
    table = parse_table(frame, rules=DemandRules(duplicates="sum"))
    np.testing.assert_array_equal(table.quantity, [np.nan, 3])
    np.testing.assert_array_equal(table.recorded, [3, 3])
    np.testing.assert_array_equal(table.covariates["fair"], [5, 6])
    assert table.lines.tolist() == [1, 3]


def test_summed_rows_whose_covariates_differ_are_wrong() -> None:
    frame = pd.DataFrame({"date": "2026-10-01", "region": "east", "item": "pack", "quantity": [1, 2], "fair": [5, 6]})
    with pytest.raises(InvalidInput) as caught:
        parse_table(frame, rules=DemandRules(duplicates="sum"))
    assert [problem.pointer for problem in caught.value.fields] == ["row 2, column fair"]


def test_days_that_are_not_over_are_no_demand_and_are_counted() -> None:
    content = csv("2026-10-01,east,pack,7", "2026-10-02,east,pack,3", "2026-10-03,east,pack,")
    file = read_demand_file(content)
    rules = DemandRules(closed_through=date(2026, 10, 1))
    table = parse_table(file.frame, lines=file.lines, rules=rules)
    assert table.not_closed == 1
    panel = Panel.from_table(table)
    np.testing.assert_array_equal(panel.quantity, [[7, np.nan, np.nan]])
    assert panel.last_observed_day == date(2026, 10, 1)


def test_missing_days_are_unknown_and_zeros_are_zeros() -> None:
    panel = read_panel(csv("2026-10-01,east,pack,0", "2026-10-03,east,pack,4"))
    np.testing.assert_array_equal(panel.quantity, [[0, np.nan, 4]])


ROWS = [
    (date(2026, 10, 1), "武侯", "pack", 12.0, True),
    (date(2026, 10, 2), "=1+1", "pack", 0.1 + 0.2, False),
    (date(2026, 10, 4), "east, far", "gift", 1 / 3, True),
]


@pytest.mark.parametrize("write", [write_demand_csv, write_demand_xlsx])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_written_is_read_back_to_the_last_digit(write, packed: bool) -> None:
    content = write(HEADER, ROWS)
    file = read_demand_file(gzip.compress(content) if packed else content)
    table = parse_table(file.frame, lines=file.lines)
    assert table.days.tolist() == [row[0] for row in ROWS]
    assert [tuple(key) for key in table.keys] == [row[1:3] for row in ROWS]
    assert table.recorded.tolist() == [row[3] for row in ROWS]
    assert table.available.tolist() == [row[4] for row in ROWS]


def test_a_chinese_spreadsheet_is_read_and_its_problems_carry_its_own_headings() -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["日期", "区域", "物料", "数量", "有货"])
    sheet.append([datetime(2026, 10, 1), "武侯", "pack", 3, "是"])
    sheet.append([])
    sheet.append(["2026/10/2", "武侯", "pack", -1, "否"])
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(InvalidInput) as caught:
        read_panel(stream.getvalue(), "need.xlsx")
    assert [problem.pointer for problem in caught.value.fields] == ["row 4, column 数量"]
    sheet["D4"] = 1
    stream = io.BytesIO()
    book.save(stream)
    panel = read_panel(stream.getvalue(), "need.xlsx")
    np.testing.assert_array_equal(panel.quantity, [[3, np.nan]])


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 no archive", b"\x1f\x8b no gzip", b"\xd0\xcf\x11\xe0\xa1", b"", b"date,region\n"]
)
def test_a_damaged_file_is_wrong_input(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_panel(content, "need.xlsx")


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand_files, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidInput, match="unpacks"):
        read_panel(gzip.compress(csv(*["2026-10-01,east,pack,1"] * 100)))
    with pytest.raises(InvalidInput, match="unpacks"):
        read_panel(write_demand_xlsx(HEADER, ROWS))


def test_a_column_that_stands_under_two_names_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_panel("date,日期,region,item,quantity\n1,2,3,4,5".encode())
    assert caught.value.fields[0].pointer == "column date"
