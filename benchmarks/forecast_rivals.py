"""Forecasts of AutoETS and AutoTheta for ``fieldwise forecast backtest FILE --compare``.

statsforecast needs pandas below 3 and this project needs pandas 3, so the script imports nothing of this project and
runs in an environment of its own::

    python3.11 -m venv /tmp/rivals
    /tmp/rivals/bin/pip install statsforecast "pandas<3"
    /tmp/rivals/bin/python benchmarks/forecast_rivals.py demand.csv.gz rivals.csv --origins 28 --step 3
    fieldwise forecast backtest demand.csv.gz --origins 28 --step 3 --compare rivals.csv

The origins are those of the backtest: the last one is the horizon before the last day on which any quantity is known,
the others step back from it. A method sees what was known at the origin: a day without a quantity or with ``available``
0 is filled with the last known value of the same weekday (before the first such value: with the last known value of any
day, then the next one), as a statistical model needs an unbroken series; days before the first known one are left out.
Only the last ``--history`` days are fitted, for speed. Covariates are not used: these models have none. Both have
season_length 7; the band is the 80 % interval, the median is the mean, and nothing lies below zero.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoETS, AutoTheta, SeasonalNaive

_SEASON_DAYS = 7
_SHORTEST_DAYS = 3 * _SEASON_DAYS
_METHODS = {"AutoETS": AutoETS, "AutoTheta": AutoTheta}


def read_demand(path: Path) -> pd.DataFrame:
    """Return the known quantities: one row a day, one column for each (region, item); NaN where they are not known."""
    rows = pd.read_csv(path, dtype={"region": str, "item": str}, parse_dates=["date"])
    quantity = pd.to_numeric(rows["quantity"])
    if "available" in rows:
        closed = rows["available"].astype(str).str.lower().isin(["0", "0.0", "false", "no", "否"])
        quantity = quantity.mask(closed)
    table = rows.assign(quantity=quantity).pivot(index="date", columns=["region", "item"], values="quantity")
    return table.asfreq("D").sort_index(axis=1)


def fill_gaps(known: pd.Series) -> pd.Series:
    """Return ``known`` from its first known day on, without gaps."""
    series = known.loc[known.first_valid_index() :]
    same_weekday = series.groupby(np.arange(len(series)) % _SEASON_DAYS).ffill()
    return same_weekday.fillna(series.ffill()).bfill()


def fitted_table(demand: pd.DataFrame, origin: int, history_days: int) -> pd.DataFrame:
    """Return the long table that is fitted at the row ``origin``; series with too few known days are not in it."""
    parts = []
    for number, key in enumerate(demand.columns):
        seen = demand[key].iloc[max(0, origin + 1 - history_days) : origin + 1]
        if seen.notna().sum() >= _SHORTEST_DAYS:
            whole = fill_gaps(seen)
            parts.append(pd.DataFrame({"unique_id": number, "ds": whole.index, "y": whole.to_numpy()}))
    return pd.concat(parts, ignore_index=True)


def forecast_origins(demand: pd.DataFrame, asked: argparse.Namespace) -> pd.DataFrame:
    """Return the forecasts of all methods from all origins, in the columns ``--compare`` reads."""
    known = np.flatnonzero(demand.notna().any(axis=1))
    latest = int(known[-1]) - asked.horizon
    models = [_METHODS[name](season_length=_SEASON_DAYS) for name in asked.methods]
    parts = []
    for back in reversed(range(asked.origins)):
        origin = latest - asked.step * back
        if origin < _SHORTEST_DAYS:
            continue
        engine = StatsForecast(
            models=models,
            freq="D",
            n_jobs=asked.processes,
            fallback_model=SeasonalNaive(season_length=_SEASON_DAYS),
        )
        table = fitted_table(demand, origin, asked.history)
        made = engine.forecast(df=table, h=asked.horizon, level=[80])
        parts.extend(in_compared_columns(made, name, demand, origin) for name in asked.methods)
    return pd.concat(parts, ignore_index=True)


def in_compared_columns(made: pd.DataFrame, name: str, demand: pd.DataFrame, origin: int) -> pd.DataFrame:
    """Return one method's forecasts from one origin in the columns ``--compare`` reads."""
    day = demand.index[origin]
    keys = [demand.columns[number] for number in made["unique_id"]]
    values = {"mean": made[name], "q0.1": made[f"{name}-lo-80"], "q0.5": made[name], "q0.9": made[f"{name}-hi-80"]}
    return pd.DataFrame(
        {
            "method": name,
            "date_of_origin": day.date().isoformat(),
            "region": [key[0] for key in keys],
            "item": [key[1] for key in keys],
            "h": (made["ds"] - day).dt.days.to_numpy(),
            **{column: cells.clip(lower=0).round(4).to_numpy() for column, cells in values.items()},
        }
    )


def main() -> None:
    """Write the forecasts asked for on the command line."""
    parser = argparse.ArgumentParser(description="AutoETS and AutoTheta from past origins of a demand file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--origins", type=int, default=28)
    parser.add_argument("--step", type=int, default=3, help="days between two origins")
    parser.add_argument("--horizon", type=int, default=3, help="days ahead")
    parser.add_argument("--history", type=int, default=400, help="days before an origin that are fitted")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--methods", nargs="+", choices=list(_METHODS), default=list(_METHODS))
    asked = parser.parse_args()
    start = time.perf_counter()
    made = forecast_origins(read_demand(asked.file), asked)
    made.to_csv(asked.out, index=False)
    print(f"{len(made)} forecasts in {time.perf_counter() - start:.0f} s: {asked.out}")


if __name__ == "__main__":
    main()
