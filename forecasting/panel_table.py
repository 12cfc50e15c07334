"""Checks of long demand tables, row by row, before a panel is built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.errors import FieldProblem, InvalidInput, Text
from forecasting.panel_days import parse_days, require_zone

if TYPE_CHECKING:
    import pandas as pd

KEY_COLUMNS = ("date", "region", "item")
_MAX_PROBLEMS = 50
_TRUTH = {"true": "1", "false": "0", "yes": "1", "no": "0", "是": "1", "否": "0"}
_YEARS = (1970, 2200)


class SeriesKey(NamedTuple):
    """What one series counts: an item in a region."""

    region: str
    item: str


@dataclass(frozen=True, slots=True)
class DemandRules:
    """How a demand table is to be read.

    Attributes
    ----------
    time_zone : str
        Where days begin; moments with an offset from UTC become days of this zone.
    zones : mapping of str to str
        Regions whose days begin elsewhere, by name.
    duplicates : {"refuse", "sum"}
        What several rows of one (day, region, item) are: wrong, or parts of the day's demand. A day is available only
        when all its parts are; covariates must agree.
    closed_through : date or None
        Last day that is over: quantities of later days are not demand yet, and not read. ``None`` reads all.
    """

    time_zone: str = "Asia/Shanghai"
    zones: Mapping[str, str] = field(default_factory=dict)
    duplicates: Literal["refuse", "sum"] = "refuse"
    closed_through: date | None = None

    def __post_init__(self) -> None:
        require_zone(self.time_zone)
        for region, zone in self.zones.items():
            require_zone(zone, f"/zones/{region}")


@dataclass(frozen=True, slots=True)
class DemandTable:
    """Checked columns of a long table; all have one entry a row.

    Attributes
    ----------
    days, keys : datetime64[D] array, list of SeriesKey
        No pair of them twice.
    quantity : float array
        Demand; NaN where it is not known, be it that the row has none, stock ran out, or the day is not over.
    covariates : dict of str to float array
        All further columns.
    recorded : float array
        What the table says was used, on days without stock too; NaN where it says nothing or the day is not over.
    available : bool array
        Whether there was stock all day.
    lines : int array
        Where each row stands in its file; of summed rows the first.
    not_closed : int
        How many rows, after any summing, lost their quantity because their day is not over.
    """

    days: NDArray[np.datetime64]
    keys: list[SeriesKey]
    quantity: NDArray[np.float64]
    covariates: dict[str, NDArray[np.float64]]
    recorded: NDArray[np.float64]
    available: NDArray[np.bool_]
    lines: NDArray[np.int64]
    not_closed: int = 0


@dataclass(frozen=True, slots=True)
class CovariateTable:
    """Checked covariates, one entry for each day and panel row they apply to."""

    days: NDArray[np.datetime64]
    rows: NDArray[np.int64]
    covariates: dict[str, NDArray[np.float64]]


class _Problems:
    """Collects what is wrong, by line, and raises once."""

    def __init__(self, lines: Sequence[int], headings: Mapping[str, str] | None = None) -> None:
        self.lines = lines
        self._headings = headings or {}
        self._found: list[FieldProblem] = []

    def add(self, wrong: NDArray[np.bool_], column: str, text: Text) -> None:
        for row in np.flatnonzero(wrong)[:_MAX_PROBLEMS]:
            self.add_row(int(row), column, text)

    def add_row(self, row: int, column: str, text: Text) -> None:
        name = self._headings.get(column, column)
        self._found.append(FieldProblem(f"row {self.lines[row]}, column {name}", text))

    def raise_any(self) -> None:
        if self._found:
            text = Text("the demand table has wrong rows", "需求表中有错误的行")
            raise InvalidInput(text, fields=self._found[:_MAX_PROBLEMS])


def parse_table(
    frame: pd.DataFrame,
    *,
    lines: Sequence[int] | None = None,
    rules: DemandRules | None = None,
    headings: Mapping[str, str] | None = None,
) -> DemandTable:
    """Return the checked columns of a demand table; see ``Panel.from_frame`` for what is wrong and what is not.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date``, ``region``, ``item``, ``quantity``, optionally ``available``; all others are covariates.
    lines : sequence of int, optional
        Line of each row in its file.
    rules : DemandRules, optional
        How it is to be read.
    headings : mapping of str to str, optional
        What its file calls a column, for problem reports.

    Raises
    ------
    InvalidInput
        With every wrong row, up to 50.
    """
    _require(frame, [*KEY_COLUMNS, "quantity"])
    if frame.empty:
        raise InvalidInput(Text("the demand table has no rows", "需求表没有数据行"))
    rules = rules or DemandRules()
    problems = _Problems(lines if lines is not None else range(1, len(frame) + 1), headings)
    table = _checked_columns(frame, rules, problems)
    groups = _groups(table)
    repeated = groups != np.arange(len(groups))
    if repeated.any():
        if rules.duplicates == "refuse":
            _refuse_repeats(groups, problems)
        else:
            _refuse_contradictions(table, groups, problems)
    problems.raise_any()
    return _without_open_days(_summed(table, groups) if repeated.any() else table, rules.closed_through)


def _checked_columns(frame: pd.DataFrame, rules: DemandRules, problems: _Problems) -> DemandTable:
    regions, items = _names(frame, "region", problems), _names(frame, "item", problems)
    zones = np.array([rules.zones.get(region, rules.time_zone) for region in regions], dtype=object)
    days = _days(frame, zones, problems)
    quantity = _numbers(frame, "quantity", problems)
    problems.add(quantity < 0, "quantity", Text("must not be negative", "不能为负数"))
    available = _numbers(frame, "available", problems) if "available" in frame else np.ones(len(frame))
    odd = ~np.isnan(available) & (available != 0) & (available != 1)
    problems.add(odd, "available", Text("must be 1 or 0, true or false", "只能是 1 或 0、是或否"))
    covariates = {
        str(name): _numbers(frame, name, problems)
        for name in frame.columns
        if name not in (*KEY_COLUMNS, "quantity", "available")
    }
    keys = [SeriesKey(region, item) for region, item in zip(regions, items, strict=True)]
    demand = np.where(available == 0, np.nan, quantity)
    lines = np.fromiter(problems.lines, dtype=np.int64, count=len(frame))
    return DemandTable(days, keys, demand, covariates, quantity, available != 0, lines)


def parse_covariates(frame: pd.DataFrame, series: Sequence[SeriesKey]) -> CovariateTable:
    """Return checked covariate rows, repeated for every series of ``series`` they apply to."""
    _require(frame, ["date"])
    problems = _Problems(range(1, len(frame) + 1))
    days = _days(frame, np.full(len(frame), DemandRules().time_zone, dtype=object), problems)
    names = [name for name in frame.columns if name not in (*KEY_COLUMNS, "quantity", "available")]
    values = {str(name): _numbers(frame, name, problems) for name in names}
    regions = _names(frame, "region", problems) if "region" in frame else None
    items = _names(frame, "item", problems) if "item" in frame else None
    problems.raise_any()
    picked: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.int64]] = []
    for row, key in enumerate(series):
        applies = np.ones(len(frame), dtype=bool)
        if regions is not None:
            applies &= regions == key.region
        if items is not None:
            applies &= items == key.item
        index = np.flatnonzero(applies)
        picked.append(index)
        rows.append(np.full(len(index), row, dtype=np.int64))
    source = np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)
    target = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    return CovariateTable(days[source], target, {name: column[source] for name, column in values.items()})


def _require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise InvalidInput(
            Text(
                f"the demand table lacks the columns {', '.join(missing)}",
                f"需求表缺少列 {'、'.join(missing)}",
            ),
            fields=[FieldProblem(f"column {name}", Text("is missing", "缺失")) for name in missing],
        )


def _days(frame: pd.DataFrame, zones: NDArray[np.object_], problems: _Problems) -> NDArray[np.datetime64]:
    days, whole = parse_days(frame["date"], zones)
    bad = np.isnat(days)
    problems.add(bad, "date", Text("is not a date such as 2026-10-01", "不是日期，应写成 2026-10-01 这样"))
    year = np.where(bad, 2000, days.astype("datetime64[Y]").astype(np.int64) + 1970)
    far = (year < _YEARS[0]) | (year > _YEARS[1])
    problems.add(far, "date", Text("lies outside 1970 to 2200", "不在 1970 至 2200 年之间"))
    text = Text(
        "must be a day, or a time with its offset from UTC such as 2026-10-01T08:00+08:00",
        "应为日期，或带时区的时间，例如 2026-10-01T08:00+08:00",
    )
    problems.add(~bad & ~whole, "date", text)
    return days


def _names(frame: pd.DataFrame, column: str, problems: _Problems) -> NDArray[np.object_]:
    values = frame[column]
    names = values.astype(str).str.strip()
    empty = (values.isna() | (names == "")).to_numpy(dtype=bool)
    problems.add(empty, column, Text("must not be empty", "不能为空"))
    return names.to_numpy(dtype=object)


def _numbers(frame: pd.DataFrame, column: str, problems: _Problems) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where it is empty."""
    import pandas as pd

    values = frame[column]
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        text = values.astype(str).str.strip()
        empty = (values.isna() | text.isin(["", "nan", "None"])).to_numpy(dtype=bool)
        numbers = pd.to_numeric(text.str.lower().replace(_TRUTH), errors="coerce").to_numpy(dtype=np.float64)
    else:
        empty = values.isna().to_numpy(dtype=bool)
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    problems.add(~empty & ~np.isfinite(numbers), column, Text("is not a finite number", "不是有限的数字"))
    return np.where(empty, np.nan, numbers)


def _groups(table: DemandTable) -> NDArray[np.int64]:
    """Return for each row the first row of the same day, region and item."""
    import pandas as pd

    keys = pd.MultiIndex.from_tuples(table.keys).factorize()[0] if table.keys else np.zeros(0, dtype=np.int64)
    place = pd.DataFrame({"key": keys, "day": table.days.astype(np.int64), "row": np.arange(len(table.days))})
    # Rows without a day are wrong anyway; each is a group of its own, so that it is not called a repeat as well.
    place.loc[np.isnat(table.days), "key"] = -1 - place["row"]
    first: NDArray[np.int64] = place.groupby(["key", "day"], sort=False)["row"].transform("first").to_numpy()
    return first


def _refuse_repeats(groups: NDArray[np.int64], problems: _Problems) -> None:
    for row in np.flatnonzero(groups != np.arange(len(groups)))[:_MAX_PROBLEMS]:
        line = problems.lines[groups[row]]
        text = Text(f"repeats the date, region and item of row {line}", f"与第 {line} 行的日期、区域和物品重复")
        problems.add_row(int(row), "date", text)


def _refuse_contradictions(table: DemandTable, groups: NDArray[np.int64], problems: _Problems) -> None:
    """Refuse rows of one day whose covariates differ: a day cannot have two values of one."""
    for name, values in table.covariates.items():
        common = _first_known(values, groups)[groups]
        differ = ~np.isnan(values) & (values != common)
        text = Text("differs from an earlier row of the same day", "与同一天前面的行不一致")
        problems.add(differ, name, text)


def _first_known(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, at the first row of each group, the group's first known value."""
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))[::-1]
    found[groups[known]] = values[known]  # written backwards, so that the first one stays
    return found


def _summed(table: DemandTable, groups: NDArray[np.int64]) -> DemandTable:
    """Return the table with the rows of one day, region and item as one row."""
    keep = np.flatnonzero(groups == np.arange(len(groups)))
    size = len(groups)
    total = np.bincount(groups, weights=np.nan_to_num(table.recorded), minlength=size)
    known = np.bincount(groups, weights=~np.isnan(table.recorded), minlength=size) > 0
    recorded = np.where(known, total, np.nan)[keep]
    available = np.bincount(groups, weights=~table.available, minlength=size)[keep] == 0
    return DemandTable(
        table.days[keep],
        [table.keys[row] for row in keep],
        np.where(available, recorded, np.nan),
        {name: _first_known(values, groups)[keep] for name, values in table.covariates.items()},
        recorded,
        available,
        table.lines[keep],
    )


def _without_open_days(table: DemandTable, closed_through: date | None) -> DemandTable:
    """Return the table without the quantities of days that are not over, and how many there were."""
    if closed_through is None:
        return table
    is_open = table.days > np.datetime64(closed_through)
    left_out = int((is_open & ~np.isnan(table.recorded)).sum())
    quantity = np.where(is_open, np.nan, table.quantity)
    recorded = np.where(is_open, np.nan, table.recorded)
    return replace(table, quantity=quantity, recorded=recorded, not_closed=left_out)
