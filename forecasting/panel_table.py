"""Checks of long demand tables, row by row, before a panel is built from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.errors import FieldProblem, InvalidInput, Text

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
class DemandTable:
    """Checked columns of a long table; all have one entry a row."""

    days: NDArray[np.datetime64]
    keys: list[SeriesKey]
    quantity: NDArray[np.float64]
    covariates: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class CovariateTable:
    """Checked covariates, one entry for each day and panel row they apply to."""

    days: NDArray[np.datetime64]
    rows: NDArray[np.int64]
    covariates: dict[str, NDArray[np.float64]]


class _Problems:
    """Collects what is wrong, by line, and raises once."""

    def __init__(self, lines: Sequence[int]) -> None:
        self._lines = lines
        self._found: list[FieldProblem] = []

    def add(self, wrong: NDArray[np.bool_], column: str, text: Text) -> None:
        for row in np.flatnonzero(wrong)[:_MAX_PROBLEMS]:
            self._found.append(FieldProblem(f"row {self._lines[row]}, column {column}", text))

    def raise_any(self) -> None:
        if self._found:
            text = Text("the demand table has wrong rows", "需求表中有错误的行")
            raise InvalidInput(text, fields=self._found[:_MAX_PROBLEMS])


def parse_table(frame: pd.DataFrame, *, lines: Sequence[int] | None) -> DemandTable:
    """Return the checked columns of a demand table; see ``Panel.from_frame`` for what is wrong and what is not."""
    _require(frame, [*KEY_COLUMNS, "quantity"])
    if frame.empty:
        raise InvalidInput(Text("the demand table has no rows", "需求表没有数据行"))
    problems = _Problems(lines if lines is not None else range(1, len(frame) + 1))
    days = _days(frame["date"], problems)
    regions, items = _names(frame, "region", problems), _names(frame, "item", problems)
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
    _refuse_repeats(frame, days, keys, problems)
    problems.raise_any()
    return DemandTable(days, keys, np.where(available == 0, np.nan, quantity), covariates)


def parse_covariates(frame: pd.DataFrame, series: Sequence[SeriesKey]) -> CovariateTable:
    """Return checked covariate rows, repeated for every series of ``series`` they apply to."""
    _require(frame, ["date"])
    problems = _Problems(range(1, len(frame) + 1))
    days = _days(frame["date"], problems)
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


def _days(column: pd.Series[Any], problems: _Problems) -> NDArray[np.datetime64]:
    import pandas as pd

    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        text = column.astype(str).str.strip().str.replace("/", "-", regex=False)
        # Spreadsheets write 2026/1/5; padding makes it the ISO date that the strict parser takes.
        text = text.str.replace(r"-(\d)(?=-|$|\s)", r"-0\1", regex=True)
        parsed = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=False)
    else:
        parsed = pd.to_datetime(column, errors="coerce")
    bad = parsed.isna().to_numpy(dtype=bool)
    year = parsed.dt.year.to_numpy()
    whole = (parsed == parsed.dt.normalize()).to_numpy(dtype=bool)
    problems.add(bad, "date", Text("is not a date such as 2026-10-01", "不是日期，应写成 2026-10-01 这样"))
    far = ~bad & ((year < _YEARS[0]) | (year > _YEARS[1]))
    problems.add(far, "date", Text("lies outside 1970 to 2200", "不在 1970 至 2200 年之间"))
    problems.add(~bad & ~whole, "date", Text("must be a day without a time", "应为不带时间的日期"))
    return parsed.to_numpy().astype("datetime64[D]")


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


def _refuse_repeats(
    frame: pd.DataFrame, days: NDArray[np.datetime64], keys: Sequence[SeriesKey], problems: _Problems
) -> None:
    import pandas as pd

    key_frame = pd.DataFrame(
        {"day": days, "region": [key.region for key in keys], "item": [key.item for key in keys]}, index=frame.index
    )
    repeated = key_frame.duplicated().to_numpy(dtype=bool) & ~np.isnat(days)
    text = Text("repeats an earlier date, region and item", "与前面某行的日期、区域和物品重复")
    problems.add(repeated, "date", text)
