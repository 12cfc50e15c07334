"""How close the forecaster comes to one that knew how the sample organisation's demand is made.

Two oracles stand beside it, measured against the demand that came, on the same days. The first says the true mean of
the day, with the weather noise of the very day in it, which nobody can know beforehand. The second says the mean as far
as it could be known at the origin: all rules, and the noise of the origin fading on (``Causes.mean_ahead``); no
forecaster can be expected to beat it, as it knows level, trend and effects exactly and sees noise that is never
observed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from common.clock import FixedClock
from forecasting.backtest import BacktestPlan
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.rolling import roll
from operations.demand_history import history
from operations.sample import load_sample
from operations.store import schema
from operations.store.database import Database
from training_data.sample_organisation.geography import DISTRICTS
from training_data.sample_organisation.materials import MATERIALS
from training_data.sample_organisation.oracle import causes_of_demand

END = date(2026, 10, 31)
_ZONE = ZoneInfo("Asia/Shanghai")

Cells = NDArray[np.float64]


def sample_history(folder: Path, end: date) -> Panel:
    """Return the sample organisation's history as its own installation reads it."""
    clock = FixedClock(datetime.combine(end + timedelta(days=1), time(6), _ZONE).astimezone(UTC))
    database = Database(f"sqlite:///{folder / 'sample.db'}", clock=clock)
    schema.upgrade(database)
    load_sample(database, end=end, password_hash=None)
    with database.read() as session:
        return history(session)


def oracle_means(panel: Panel, end: date, horizon: int) -> dict[int, Cells]:
    """Return the oracles' means by days ahead, 0 for the day's own true mean; shape (series, days) each."""
    causes = causes_of_demand(end)
    place = {
        (district.code, plan.code): (region, material)
        for region, district in enumerate(DISTRICTS)
        for material, plan in enumerate(MATERIALS)
    }
    regions, materials = np.array([place[key.region, key.item] for key in panel.series]).T
    means = {0: causes.mean, **{ahead: causes.mean_ahead(ahead) for ahead in range(1, horizon + 1)}}
    return {ahead: cells[regions, materials] for ahead, cells in means.items()}


def print_oracle(*, origins: int, step: int, horizon: int = 3, country: str = "CN", end: date = END) -> None:
    """Print WAPE and bias of model and oracles for all days and each number of days ahead."""
    with tempfile.TemporaryDirectory() as folder:
        panel = sample_history(Path(folder), end)
    means = oracle_means(panel, end, horizon)
    last = panel.last_observed_day
    assert last is not None
    columns = BacktestPlan(origins, step, horizon).columns(panel.column_of(last))
    row_of = {tuple(key): row for row, key in enumerate(panel.series)}
    parts: dict[str, list[Cells]] = {name: [] for name in ("ahead", "actual", "model", "known", "true mean")}
    for rolled in roll(panel, columns, config=ForecastConfig(country=country, horizon=horizon)):
        days = rolled.forecast.days
        rows = np.array([row_of[key] for key in zip(days["region"], days["item"], strict=True)])
        ahead = days["h"].to_numpy()
        target = rolled.column + ahead
        parts["ahead"].append(ahead)
        parts["actual"].append(panel.quantity[rows, target])
        parts["model"].append(days["mean"].to_numpy())
        parts["true mean"].append(means[0][rows, target])
        parts["known"].append(
            np.select([ahead == day for day in means], [cells[rows, target] for cells in means.values()])
        )
    whole = {name: np.concatenate(values) for name, values in parts.items()}
    known_days = ~np.isnan(whole["actual"])
    _print_table({name: values[known_days] for name, values in whole.items()}, len(panel.series), origins, step)


def _print_table(rows: Mapping[str, Cells], series: int, origins: int, step: int) -> None:
    print(f"sample organisation: {series} series, {origins} origins {step} days apart, {len(rows['actual'])} days")
    print("days ahead  WAPE model  oracle, known at origin  ratio  oracle, true mean  ratio  bias of model")
    for label, pick in [
        ("all", rows["ahead"] > 0),
        *((f"{day:.0f}", rows["ahead"] == day) for day in np.unique(rows["ahead"])),
    ]:
        actual = rows["actual"][pick]
        wape = {
            name: float(np.abs(rows[name][pick] - actual).sum() / actual.sum())
            for name in ("model", "known", "true mean")
        }
        bias = float((rows["model"][pick] - actual).sum() / actual.sum())
        print(
            f"{label:>10}{wape['model']:12.4f}{wape['known']:25.4f}{wape['model'] / wape['known']:7.3f}"
            f"{wape['true mean']:19.4f}{wape['model'] / wape['true mean']:7.3f}{bias:15.2%}"
        )
