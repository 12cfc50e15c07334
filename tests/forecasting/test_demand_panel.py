from __future__ import annotations

import gzip
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.panel import Panel, read_panel

GOOD = """date,region,item,quantity,available,event
2026-10-01,east,pack,12,1,0
2026/10/3,east,pack,7,true,1
2026-10-02,west,pack,0,1,0
2026-10-03,west,pack,5,0,1
2026-10-04,east,pack,,1,1
"""


def test_a_csv_becomes_dense_rows_with_gaps_and_closed_days_unknown() -> None:
    panel = read_panel(GOOD.encode())
    assert [tuple(key) for key in panel.series] == [("east", "pack"), ("west", "pack")]
    assert panel.first_day == date(2026, 10, 1)
    assert panel.last_day == date(2026, 10, 4)
    assert panel.last_observed_day == date(2026, 10, 3)
    expected = [[12, np.nan, 7, np.nan], [np.nan, 0, np.nan, np.nan]]
    np.testing.assert_array_equal(panel.quantity, expected)


def test_a_covariate_equal_in_all_series_is_known_in_gaps_too() -> None:
    panel = read_panel(GOOD.encode())
    np.testing.assert_array_equal(panel.covariates["event"], [[0, 0, 1, 1], [0, 0, 1, 1]])


def test_a_covariate_that_differs_between_series_is_not_spread() -> None:
    text = GOOD.replace("2026-10-03,west,pack,5,0,1", "2026-10-03,west,pack,5,0,0")
    assert np.isnan(read_panel(text.encode()).covariates["event"][1, 0])


@pytest.mark.parametrize("pack", [lambda text: text.encode("gbk"), lambda text: gzip.compress(text.encode("utf-8"))])
def test_gbk_and_gzip_files_are_read(pack) -> None:
    panel = read_panel(pack(GOOD.replace("east", "东区")))
    assert {key.region for key in panel.series} == {"东区", "west"}


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ("2026-13-01,east,pack,1,1,0", "row 7, column date"),
        ("2026-10-05,east,pack,many,1,0", "row 7, column quantity"),
        ("2026-10-05,east,pack,inf,1,0", "row 7, column quantity"),
        ("2026-10-05,east,pack,-3,1,0", "row 7, column quantity"),
        ("2026-10-05,east,pack,3,2,0", "row 7, column available"),
        ("2026-10-05,,pack,3,1,0", "row 7, column region"),
        ("2026-10-05,east,pack,3,1,fair", "row 7, column event"),
        ("2026-10-01,east,pack,3,1,0", "row 7, column date"),
        ("0001-10-01,east,pack,3,1,0", "row 7, column date"),
        ("2026-10-05T08:00,east,pack,3,1,0", "row 7, column date"),
    ],
)
def test_a_wrong_row_is_named(wrong: str, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_panel((GOOD + wrong + "\n").encode())
    assert [field.pointer for field in caught.value.fields] == [pointer]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        Panel.from_frame(pd.DataFrame({"date": ["2026-10-01"], "region": ["east"], "quantity": [1]}))
    assert caught.value.fields[0].pointer == "column item"


def test_a_mistyped_year_does_not_fill_the_memory() -> None:
    rows = [f"2026-10-01,r{number},pack,1" for number in range(2600)] + ["1970-10-01,r1,pack,1", "2199-10-01,r1,pack,1"]
    with pytest.raises(InvalidInput, match="mistyped"):
        read_panel(("date,region,item,quantity\n" + "\n".join(rows)).encode())


def test_future_covariates_extend_the_panel_for_the_series_they_name() -> None:
    panel = read_panel(GOOD.encode())
    frame = pd.DataFrame({"date": ["2026-10-06", "2026-10-06"], "region": ["east", "north"], "event": [4.0, 9.0]})
    wider = panel.with_covariates(frame)
    assert wider.last_day == date(2026, 10, 6)
    assert wider.covariates["event"][0, 5] == 4.0
    assert np.isnan(wider.covariates["event"][1, 5])
    assert wider.last_observed_day == panel.last_observed_day


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.integers(0, 99)), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_panel_survives_its_own_table(cells: list[tuple[int, str, int]]) -> None:
    unique = {(day, region): units for day, region, units in cells}
    frame = pd.DataFrame(
        [
            {
                "date": pd.Timestamp(2026, 1, 1) + pd.Timedelta(days=day),
                "region": region,
                "item": "x",
                "quantity": units,
            }
            for (day, region), units in unique.items()
        ]
    )
    panel = Panel.from_frame(frame)
    again = Panel.from_frame(panel.to_frame())
    assert again.checksum() == panel.checksum()
    assert np.nansum(panel.quantity) == sum(unique.values())


def test_the_checksum_sees_one_changed_unit(panel: Panel) -> None:
    changed = panel.quantity.copy()
    changed[0, 5] += 1
    other = Panel(panel.first_day, panel.series, changed, panel.covariates)
    assert other.checksum() != panel.checksum()
