"""Importing what was consumed: all of a file, or nothing and every reason why; and exporting it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from common.errors import FieldProblem, InvalidInput, Text
from forecasting.demand_files import DemandFile, read_demand_file, write_demand_csv, write_demand_xlsx
from forecasting.panel_table import DemandRules, DemandTable, SeriesKey, parse_table
from operations.access import Actor
from operations.demand_history import last_closed_days, with_plans
from operations.people import require_region
from operations.store.tables import AuditRecord, DailyConsumption, Material, Region

COLUMNS = ("date", "region", "item", "quantity", "available")
MAX_PROBLEMS = 50
AUDITED_CHANGES = 500
"""So many replaced values stand in the audit log in full; of more only their number."""
Duplicates = Literal["refuse", "sum"]
Layout = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True)
class ConsumptionReport:
    """What an import did, or would do when it was only tried.

    Attributes
    ----------
    rows : int
        Rows of the file.
    added, changed, unchanged : int
        Days of a region and material that were not known before, were known with another value, or with the same.
    not_closed : int
        Days that are not over yet where their region lies: they are left out.
    without_quantity : int
        Rows that say nothing of demand: their days stay unknown.
    first_day, last_day : date or None
        Of what is stored.
    ignored_columns : tuple of str
        Columns of the file that mean nothing here.
    dry_run : bool
        Whether it was only tried.
    """

    rows: int
    added: int
    changed: int
    unchanged: int
    not_closed: int
    without_quantity: int
    first_day: date | None
    last_day: date | None
    ignored_columns: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ConsumptionFilter:
    """Which consumption is wanted; ``None`` for no limit. ``since`` and ``until`` belong to it.

    ``plans`` adds columns that a forecast reads and an import leaves alone: planned visits, and events by kind.
    """

    region_code: str | None = None
    material_code: str | None = None
    since: date | None = None
    until: date | None = None
    plans: bool = False


@dataclass(frozen=True, slots=True)
class _Day:
    """What is to be stored of one day of a region and material."""

    key: SeriesKey
    day: date
    quantity: float
    available: bool

    def row(self) -> dict[str, Any]:
        """Return it as columns of its table."""
        return {
            "region_code": self.key.region,
            "material_code": self.key.item,
            "day": self.day,
            "quantity_units": self.quantity,
            "available": self.available,
        }


def import_consumption(
    session: Session,
    actor: Actor,
    content: bytes,
    filename: str,
    *,
    dry_run: bool = False,
    duplicates: Duplicates = "refuse",
) -> ConsumptionReport:
    """Store daily consumption from a file, in place of what was stored for the same days; again it changes nothing.

    Parameters
    ----------
    content : bytes
        CSV or XLSX, possibly gzip-packed: ``date``, ``region``, ``item`` and ``quantity``, optionally ``available``
        (see `forecasting.panel.read_panel`); Chinese headings are understood. Moments with an offset from UTC become
        days of their region's time zone. Days that the file does not have stay as they are.
    dry_run : bool
        Only check, and count what would happen.
    duplicates : {"refuse", "sum"}
        What several rows of one day, region and material are.

    Raises
    ------
    InvalidInput
        With every wrong row, up to 50: what cannot be read, and regions and materials that do not exist or, for
        somebody of one region, belong to another. Nothing is changed.
    """
    actor.require("stock:write")
    regions = session.execute(select(Region.code, Region.time_zone))
    zones = {row.code: row.time_zone for row in regions}
    file = read_demand_file(content, filename)
    ignored = tuple(file.headings.get(name, name) for name in map(str, file.frame) if name not in COLUMNS)
    table = parse_table(
        file.frame[[name for name in COLUMNS if name in file.frame]],
        lines=file.lines,
        rules=DemandRules(zones=zones, duplicates=duplicates),
        headings=file.headings,
    )
    _check_places(session, actor, table, file, zones)
    days = list(_days(table))
    closed = last_closed_days(session)
    over = [item for item in days if item.day <= closed[item.key.region]]
    added, changed = _compared(session, over)
    if not dry_run and (added or changed):
        _store(session, added, [new for new, _ in changed])
        _note(session, filename, content, added, changed)
    return ConsumptionReport(
        rows=len(file.lines),
        added=len(added),
        changed=len(changed),
        unchanged=len(over) - len(added) - len(changed),
        not_closed=len(days) - len(over),
        without_quantity=len(table.keys) - len(days),
        first_day=min((item.day for item in over), default=None),
        last_day=max((item.day for item in over), default=None),
        ignored_columns=ignored,
        dry_run=dry_run,
    )


def export_consumption(session: Session, actor: Actor, wanted: ConsumptionFilter, *, layout: Layout = "csv") -> bytes:
    """Return daily consumption of the actor's regions as a file; importing it again changes nothing.

    Raises
    ------
    InvalidInput
        For an unknown region or material, or when ``until`` lies before ``since``.
    """
    rows: Iterable[Sequence[Any]] = session.execute(_query(session, actor, wanted))
    write = write_demand_csv if layout == "csv" else write_demand_xlsx
    if not wanted.plans:
        return write(COLUMNS, rows)
    import pandas as pd

    frame = with_plans(session, pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS)))
    cells = frame.astype(object).where(frame.notna(), None)
    return write([str(name) for name in frame], cells.itertuples(index=False, name=None))


def _query(session: Session, actor: Actor, wanted: ConsumptionFilter) -> Select[date, str, str, float, bool]:
    actor.require("stock:read")
    region = actor.region_or_own(wanted.region_code)
    table = DailyConsumption
    query = select(table.day, table.region_code, table.material_code, table.quantity_units, table.available)
    if region is not None:
        require_region(session, region, pointer="query/region")
        query = query.where(table.region_code == region)
    if wanted.material_code is not None:
        if session.get(Material, wanted.material_code) is None:
            raise InvalidInput.at(
                "query/material",
                f"there is no material {wanted.material_code!r}",
                f"没有物料 {wanted.material_code!r}",
            )
        query = query.where(table.material_code == wanted.material_code)
    if wanted.since is not None and wanted.until is not None and wanted.until < wanted.since:
        raise InvalidInput.at("query/until", "lies before since", "早于起始日期")
    if wanted.since is not None:
        query = query.where(table.day >= wanted.since)
    if wanted.until is not None:
        query = query.where(table.day <= wanted.until)
    return query.order_by(table.region_code, table.material_code, table.day)


def _check_places(
    session: Session, actor: Actor, table: DemandTable, file: DemandFile, regions: Mapping[str, str]
) -> None:
    """Name every row whose region or material does not exist, or is not the actor's to write."""
    materials = set(session.scalars(select(Material.code)))
    own = actor.region_code
    problems: list[FieldProblem] = []
    for key, line in zip(table.keys, table.lines, strict=True):
        if key.region not in regions:
            text = Text(f"there is no region {key.region!r}", f"没有区域 {key.region!r}")
            problems.append(_problem(file, int(line), "region", text))
        elif own is not None and key.region != own:
            text = Text(f"you may act on region {own} only", f"您只能操作本区域（{own}）")
            problems.append(_problem(file, int(line), "region", text))
        if key.item not in materials:
            text = Text(f"there is no material {key.item!r}", f"没有物料 {key.item!r}")
            problems.append(_problem(file, int(line), "item", text))
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        raise InvalidInput(Text("the file has wrong rows", "文件中有错误的行"), fields=problems[:MAX_PROBLEMS])


def _problem(file: DemandFile, line: int, column: str, text: Text) -> FieldProblem:
    return FieldProblem(f"row {line}, column {file.headings.get(column, column)}", text)


def _days(table: DemandTable) -> Iterator[_Day]:
    """Return what the table says of days; a day without stock that has no quantity counts as one that met none."""
    days = table.days.astype(object)
    for row, key in enumerate(table.keys):
        quantity, available = float(table.recorded[row]), bool(table.available[row])
        if np.isnan(quantity) and available:
            continue
        yield _Day(key, days[row], 0.0 if np.isnan(quantity) else quantity, available)


def _compared(session: Session, days: Sequence[_Day]) -> tuple[list[_Day], list[tuple[_Day, tuple[float, bool]]]]:
    """Return the days that are not stored yet, and those stored with another value, each with that value."""
    by_series: dict[SeriesKey, list[_Day]] = {}
    for item in days:
        by_series.setdefault(item.key, []).append(item)
    added: list[_Day] = []
    changed: list[tuple[_Day, tuple[float, bool]]] = []
    for key, own in by_series.items():
        stored = _stored(session, key, min(item.day for item in own), max(item.day for item in own))
        for item in own:
            known = stored.get(item.day)
            if known is None:
                added.append(item)
            elif known != (item.quantity, item.available):
                changed.append((item, known))
    return added, changed


def _stored(session: Session, key: SeriesKey, first: date, last: date) -> dict[date, tuple[float, bool]]:
    table = DailyConsumption
    query = select(table.day, table.quantity_units, table.available).where(
        table.region_code == key.region, table.material_code == key.item, table.day.between(first, last)
    )
    return {day: (quantity, available) for day, quantity, available in session.execute(query)}


def _store(session: Session, added: Sequence[_Day], changed: Sequence[_Day]) -> None:
    if added:
        session.execute(insert(DailyConsumption), [item.row() for item in added])
    if changed:
        session.execute(update(DailyConsumption), [item.row() for item in changed])


def _note(
    session: Session,
    filename: str,
    content: bytes,
    added: Sequence[_Day],
    changed: Sequence[tuple[_Day, tuple[float, bool]]],
) -> None:
    """Write one line of the audit log for the file, with the values that it replaced."""
    replaced = {
        f"{new.key.region}/{new.key.item}/{new.day}": [list(old), [new.quantity, new.available]]
        for new, old in changed[:AUDITED_CHANGES]
    }
    session.add(
        AuditRecord(
            at=session.info["clock"].now(),
            actor=session.info["actor"],
            action="import",
            subject="daily_consumption",
            subject_key=filename[:200],
            changes={
                "sha256": hashlib.sha256(content).hexdigest(),
                "added": len(added),
                "changed": len(changed),
                "replaced": replaced,
            },
        )
    )
