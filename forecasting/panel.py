"""Demand history of many series: one row of days for each region and item, with its known-future covariates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput
from forecasting.demand_files import read_demand_file
from forecasting.panel_table import DemandRules, DemandTable, SeriesKey, parse_covariates, parse_table

if TYPE_CHECKING:
    import pandas as pd

MAX_CELLS = 200_000_000
"""Series times days that one panel may hold: a mistyped year must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Daily demand of several series over one unbroken range of days.

    Attributes
    ----------
    first_day : date
        Day of column 0.
    series : tuple of SeriesKey
        One for each row, sorted.
    quantity : float array, shape (series, days)
        Demand in units, never negative. NaN where it is not known: no row, no quantity, or ``available`` false (a day
        with empty stock shows sales, not demand).
    covariates : mapping of str to float array, shape (series, days)
        Values that are known for the future too; NaN where they are not known. They may reach beyond the last
        quantity.
    history_only : mapping of str to float array, shape (series, days)
        Values that are known up to the present only, such as the weather that was; NaN where they are not known.
    """

    first_day: date
    series: tuple[SeriesKey, ...]
    quantity: NDArray[np.float64]
    covariates: Mapping[str, NDArray[np.float64]]
    history_only: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        lines: Sequence[int] | None = None,
        history_only: Sequence[str] = (),
        rules: DemandRules | None = None,
    ) -> Panel:
        """Build a panel from a long table.

        Parameters
        ----------
        frame : DataFrame
            Columns ``date``, ``region``, ``item``, ``quantity``, optionally ``available``; each further column is a
            numeric known-future covariate. Rows without a quantity carry covariates only.
        lines : sequence of int, optional
            Line of each row in the file it came from, for problem reports; by default rows count from 1.
        history_only : sequence of str
            Further columns that are not known for days to come.
        rules : DemandRules, optional
            Time zone of moments, what repeated rows are, and the last day that is over.

        Raises
        ------
        InvalidInput
            For missing columns, bad dates, empty keys, negative or non-numeric values, and repeated
            (date, region, item) unless the rules sum them; each wrong row is named, up to 50.
        """
        return cls.from_table(parse_table(frame, lines=lines, rules=rules), history_only=history_only)

    @classmethod
    def from_table(cls, table: DemandTable, *, history_only: Sequence[str] = ()) -> Panel:
        """Build a panel from a checked table; see :meth:`from_frame`."""
        for name in history_only:
            if name not in table.covariates:
                raise InvalidInput.at(f"column {name}", "there is no such column", "没有这一列")
        return cls._dense(table.days, table.keys, table.quantity, table.covariates, history_only=history_only)

    @classmethod
    def _dense(
        cls,
        days: NDArray[np.datetime64],
        keys: Sequence[SeriesKey],
        quantity: NDArray[np.float64],
        covariates: Mapping[str, NDArray[np.float64]],
        *,
        history_only: Sequence[str],
    ) -> Panel:
        series = tuple(sorted(set(keys)))
        row_of = {key: row for row, key in enumerate(series)}
        rows = np.fromiter((row_of[key] for key in keys), dtype=np.int64, count=len(keys))
        first, last = days.min(), days.max()
        length = int((last - first).astype(int)) + 1
        if length * len(series) > MAX_CELLS:
            raise InvalidInput.at(
                "column date",
                f"{len(series)} series over {first} to {last} are too many cells; is a date mistyped?",
                f"{len(series)} 个序列、{first} 至 {last}，数据量过大；日期是否写错？",
            )
        columns = (days - first).astype(np.int64)

        def grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
            cells = np.full((len(series), length), np.nan)
            cells[rows, columns] = values
            return cells

        known = {
            name: _spread_common_days(grid(values)) for name, values in covariates.items() if name not in history_only
        }
        observed = {name: grid(covariates[name]) for name in history_only}
        return cls(first.astype(object), series, grid(quantity), known, observed)

    @property
    def days(self) -> int:
        """Number of days, from the first to the last row."""
        return int(self.quantity.shape[1])

    @property
    def last_day(self) -> date:
        """Last day of the panel; it may carry covariates only."""
        return self.first_day + timedelta(days=self.days - 1)

    @property
    def last_observed_day(self) -> date | None:
        """Last day on which any quantity is known, ``None`` when there is none."""
        seen = np.flatnonzero(~np.isnan(self.quantity).all(axis=0))
        return self.first_day + timedelta(days=int(seen[-1])) if len(seen) else None

    def column_of(self, day: date) -> int:
        """Return the column of ``day``; it may lie outside the panel."""
        return (day - self.first_day).days

    def until(self, origin: date) -> Panel:
        """Return the panel as it was known at the end of ``origin``: later quantities and the like are unknown."""
        first = max(0, self.column_of(origin) + 1)

        def forgotten(cells: NDArray[np.float64]) -> NDArray[np.float64]:
            known = cells.copy()
            known[:, first:] = np.nan
            return known

        observed = {name: forgotten(cells) for name, cells in self.history_only.items()}
        return replace(self, quantity=forgotten(self.quantity), history_only=observed)

    def reach(self, last_day: date) -> Panel:
        """Return a panel that has a column for every day up to ``last_day``; new days are unknown."""
        extra = self.column_of(last_day) + 1 - self.days
        if extra <= 0:
            return self
        pad = ((0, 0), (0, extra))

        def padded(cells: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.pad(cells, pad, constant_values=np.nan)

        return self._each(padded)

    def tail(self, first_column: int) -> Panel:
        """Return the panel without the days before ``first_column``."""
        start = max(0, first_column)
        shorter = self._each(lambda cells: cells[:, start:])
        return replace(shorter, first_day=self.first_day + timedelta(days=start))

    def pick(self, rows: slice) -> Panel:
        """Return the panel with only the series of ``rows``."""
        return replace(self._each(lambda cells: cells[rows]), series=self.series[rows])

    def _each(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Panel:
        """Return the panel with ``change`` applied to all its cells."""
        known = {name: change(cells) for name, cells in self.covariates.items()}
        observed = {name: change(cells) for name, cells in self.history_only.items()}
        return replace(self, quantity=change(self.quantity), covariates=known, history_only=observed)

    def with_covariates(self, frame: pd.DataFrame) -> Panel:
        """Return the panel with further covariate values, for instance planned visits of the coming days.

        Parameters
        ----------
        frame : DataFrame
            Column ``date``; optionally ``region`` and ``item`` (without them a row counts for all regions or items);
            further columns are covariates. Days before the panel and series it does not hold are left out.

        Raises
        ------
        InvalidInput
            As for :meth:`from_frame`.
        """
        table = parse_covariates(frame, self.series)
        first = np.datetime64(self.first_day, "D")
        columns = (table.days - first).astype(np.int64)
        inside = columns >= 0
        if not inside.any():
            return self
        panel = self.reach(self.first_day + timedelta(days=int(columns.max())))
        known = {name: cells.copy() for name, cells in panel.covariates.items()}
        for name, values in table.covariates.items():
            cells = known.setdefault(name, np.full(panel.quantity.shape, np.nan))
            use = inside & ~np.isnan(values)
            cells[table.rows[use], columns[use]] = values[use]
        return replace(panel, covariates=known)

    def to_frame(self) -> pd.DataFrame:
        """Return the long table of all days; quantities that are not known are NaN."""
        import pandas as pd

        days = np.datetime64(self.first_day, "D") + np.arange(self.days)
        columns: dict[str, Any] = {
            "date": np.tile(days.astype("datetime64[s]"), len(self.series)),
            "region": np.repeat([key.region for key in self.series], self.days),
            "item": np.repeat([key.item for key in self.series], self.days),
            "quantity": self.quantity.ravel(),
        }
        columns.update({name: cells.ravel() for name, cells in {**self.covariates, **self.history_only}.items()})
        return pd.DataFrame(columns)

    def checksum(self) -> str:
        """Return the SHA-256 of keys, days and all values: the same panel has the same one on every machine."""
        digest = hashlib.sha256(f"{self.first_day}|{self.series!r}|{self.quantity.shape}".encode())
        digest.update(np.ascontiguousarray(self.quantity, dtype="<f8").tobytes())
        for columns in (self.covariates, self.history_only):
            for name in sorted(columns):
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(columns[name], dtype="<f8").tobytes())
        return digest.hexdigest()


def read_panel(content: bytes, filename: str = "demand.csv", *, rules: DemandRules | None = None) -> Panel:
    """Read a panel from a CSV file in UTF-8, UTF-16 or GBK, or from an XLSX spreadsheet, possibly gzip-packed.

    Parameters
    ----------
    content : bytes
        Columns ``date`` (2026-10-01, 2026/10/1, or a time with its offset from UTC), ``region``, ``item``, ``quantity``
        (may be empty), optionally ``available`` (1/0, true/false); every further column is a numeric known-future
        covariate. Days may be missing: their demand is not known.
    filename : str
        Name used in messages.
    rules : DemandRules, optional
        Time zone of moments, what repeated rows are, and the last day that is over.

    Raises
    ------
    InvalidInput
        When the file, a column or a row is wrong; each wrong row is named, up to 50.
    """
    file = read_demand_file(content, filename)
    return Panel.from_table(parse_table(file.frame, lines=file.lines, rules=rules, headings=file.headings))


def _spread_common_days(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill gaps of a covariate that never differs between series (a public holiday): the day's value is known."""
    known = ~np.isnan(cells)
    seen = known.any(axis=0)
    low = np.where(known, cells, np.inf).min(axis=0)
    high = np.where(known, cells, -np.inf).max(axis=0)
    if (low[seen] != high[seen]).any():
        return cells
    day_value = np.where(seen, low, np.nan)
    return np.where(known, cells, day_value[None, :])
