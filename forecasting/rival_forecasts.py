"""Forecasts made elsewhere, read from a file, to be scored next to ours on the same days."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import Row, read_csv
from forecasting.history import Cells
from forecasting.naive import NAIVE_METHODS
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from forecasting.scores import SCORED_QUANTILES

UNNAMED_METHOD = "compared"
_QUANTILE_COLUMNS = tuple(f"q{quantile:g}" for quantile in SCORED_QUANTILES)
_TAKEN_NAMES = ("model", *NAIVE_METHODS)
_MAX_PROBLEMS = 50
_LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class RivalForecasts:
    """Forecasts of one or more methods from past origins.

    Attributes
    ----------
    methods : tuple of str
        Names in lower snake case, sorted.
    cells : mapping of (str, int) to float array, shape (series, days ahead, 4)
        By method and column of the origin: mean and quantiles at 0.1, 0.5 and 0.9; NaN where the file has none.
    """

    methods: tuple[str, ...]
    cells: Mapping[tuple[str, int], Cells]

    def at(self, method: str, column: int, shape: tuple[int, int]) -> Cells:
        """Return the forecasts of ``method`` from ``column``, shape (series, horizon, 4) for ``shape``'s two."""
        found = np.full((*shape, 4), np.nan)
        made = self.cells.get((method, column))
        if made is not None:
            days = min(shape[1], made.shape[1])
            found[:, :days] = made[:, :days]
        return found


def read_rivals(content: bytes, panel: Panel, *, filename: str = "forecasts.csv") -> RivalForecasts:
    """Read forecasts of other methods from a CSV file.

    Parameters
    ----------
    content : bytes
        Columns ``date_of_origin`` (last day the method knew), ``region``, ``item``, ``h`` (days ahead, from 1),
        ``mean``; optionally ``method`` and ``q0.1``, ``q0.5``, ``q0.9``, whose cells may be empty.
    panel : Panel
        The demand they forecast.
    filename : str
        Name used in messages.

    Raises
    ------
    InvalidInput
        When the file, a column or a row is wrong; each wrong row is named, up to 50.
    """
    rows = read_csv(content, required=["date_of_origin", "region", "item", "h", "mean"], name=filename)
    reader = _Reader(panel)
    for row in rows:
        reader.read(row)
    if reader.problems:
        text = Text(f"{filename} has wrong forecasts", f"{filename} 中有错误的预测")
        raise InvalidInput(text, fields=reader.problems[:_MAX_PROBLEMS])
    return reader.forecasts()


def method_name(text: str) -> str:
    """Return a method's name in lower snake case: ``AutoETS`` becomes ``auto_ets``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.strip())
    return re.sub(r"\W+", "_", parted).strip("_").lower()


class _Reader:
    """Collects the forecasts of a file, and what is wrong with its rows."""

    def __init__(self, panel: Panel) -> None:
        self.problems: list[FieldProblem] = []
        self._panel = panel
        self._row_of = {key: row for row, key in enumerate(panel.series)}
        self._values: dict[tuple[str, int], dict[tuple[int, int], Sequence[float]]] = {}

    def read(self, row: Row) -> None:
        """Keep the forecast of a row, or what is wrong with it."""
        before = len(self.problems)
        method, column, series, ahead = self._method(row), self._origin(row), self._series(row), self._ahead(row)
        values = [self._number(row, name) for name in ("mean", *_QUANTILE_COLUMNS)]
        known = [value for value in values[1:] if not math.isnan(value)]
        if any(low > high for low, high in pairwise(known)):
            self._wrong(row, "q0.1", "quantiles must not decrease from q0.1 to q0.9", "分位数须从 q0.1 到 q0.9 不减")
        if len(self.problems) > before:
            return
        made = self._values.setdefault((method, column), {})
        if (series, ahead) in made:
            text = (
                "repeats an earlier method, origin, region, item and h",
                "与前面某行的方法、起点、区域、物品和 h 重复",
            )
            self._wrong(row, "h", *text)
        made[series, ahead] = values

    def forecasts(self) -> RivalForecasts:
        """Return what was read."""
        cells = {}
        for key, made in self._values.items():
            days = max(ahead for _, ahead in made)
            cells[key] = np.full((len(self._panel.series), days, 4), np.nan)
            for (series, ahead), values in made.items():
                cells[key][series, ahead - 1] = values
        return RivalForecasts(tuple(sorted({method for method, _ in cells})), cells)

    def _method(self, row: Row) -> str:
        name = method_name(row.values.get("method", UNNAMED_METHOD))
        if not name:
            self._wrong(row, "method", "must not be empty", "不能为空")
        if name in _TAKEN_NAMES:
            self._wrong(row, "method", f"{name} is the name of a method measured here", f"{name} 是系统自带方法的名称")
        return name

    def _origin(self, row: Row) -> int:
        try:
            return self._panel.column_of(date.fromisoformat(row.values["date_of_origin"]))
        except ValueError:
            self._wrong(row, "date_of_origin", "is not a date such as 2026-10-01", "不是日期，应写成 2026-10-01 这样")
            return 0

    def _series(self, row: Row) -> int:
        series = self._row_of.get(SeriesKey(row.values["region"], row.values["item"]))
        if series is None:
            self._wrong(row, "item", "the demand file has no such region and item", "需求文件中没有这个区域和物品")
        return series or 0

    def _ahead(self, row: Row) -> int:
        text = row.values["h"]
        if text.isascii() and text.isdigit() and 1 <= int(text) <= _LONGEST_DAYS:
            return int(text)
        self._wrong(row, "h", "must be a number of days, 1 or more", "应为天数，至少为 1")
        return 0

    def _number(self, row: Row, column: str) -> float:
        text = row.values.get(column, "")
        if not text and column != "mean":
            return math.nan
        try:
            value = float(text)
        except ValueError:
            value = math.inf
        if not math.isfinite(value):
            self._wrong(row, column, "is not a finite number", "不是有限的数字")
            return math.nan
        return value

    def _wrong(self, row: Row, column: str, en: str, zh: str) -> None:
        self.problems.append(FieldProblem(row.pointer(column), Text(en, zh)))
