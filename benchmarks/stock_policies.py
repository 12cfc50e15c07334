"""Orders by forecast against orders by last week and to a fixed level, played through day by day.

Examples
--------
``python -m benchmarks.stock_policies`` plays the last 120 days of the sample organisation, whose true demand is known
from its generator (invented data), with models trained every 28 days;
``python -m benchmarks.stock_policies --safety 1.25 1.5 2`` also gives the other policies more and more safety, to see
how much stock they need for the same shortage;
``python -m benchmarks.stock_policies --file demand.csv.gz --country none`` does so for any demand file: its days with
unknown demand are skipped, and every item is ordered on the same invented terms.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast_oracle import END, sample_history
from forecasting.demand_quantiles import SPREAD_EXPONENT
from forecasting.forecast_points import ForecastPoints
from forecasting.model import ForecastConfig
from forecasting.order_policy import OrderPolicy
from forecasting.panel import Panel, read_panel
from forecasting.stock_rules import (
    LEFTOVER_DAYS,
    FixedLevelRule,
    ForecastRule,
    ForesightRule,
    LastWeekRule,
)
from forecasting.stock_simulation import ItemTerms, StockRule, StockTrial
from forecasting.stock_trial import PolicyResult, compare_policies, forecast_points, trial_on, usual_rules
from training_data.sample_organisation.days import make_days
from training_data.sample_organisation.demand import make_demand
from training_data.sample_organisation.events import make_events
from training_data.sample_organisation.geography import DISTRICTS, read_places
from training_data.sample_organisation.make import SEED
from training_data.sample_organisation.materials import MATERIALS
from training_data.sample_organisation.people import make_people, plan_visits, roster

Cells = NDArray[np.float64]
WITHIN_THE_HOUR_S = 1800.0
"""Between the sample's regions, which are districts of one city."""


def wanted_demand(panel: Panel, end: date) -> Cells:
    """Return what the sample's regions wanted, stock or not, in the rows and days of ``panel``."""
    streams = [np.random.default_rng([SEED, part]) for part in range(4)]
    days, places = make_days(end), read_places()
    reps = [person for person in make_people(places, streams[0]) if person["role"] == "rep"]
    at_work = roster(days, reps, streams[1])
    events = make_events(days, places)
    wanted = make_demand(days, plan_visits(days, reps, at_work, events, streams[2]), events, streams[3]).wanted
    regions = {district.code: row for row, district in enumerate(DISTRICTS)}
    items = {plan.code: row for row, plan in enumerate(MATERIALS)}
    cells = np.full(panel.quantity.shape, np.nan)
    for row, key in enumerate(panel.series):
        cells[row, : days.history] = wanted[regions[key.region], items[key.item]]
    known = ~np.isnan(panel.quantity)
    if not (cells[known] == panel.quantity[known]).all():
        raise AssertionError("the generator's demand does not fit the recorded consumption")
    return cells


def sample_terms(review_days: int, exponent: float) -> dict[str, ItemTerms]:
    """Return the terms of the sample's materials; what is left costs its holding until the next order could come."""
    return {
        plan.code: ItemTerms(
            OrderPolicy(
                shortage_cost=plan.shortage_cost_cny,
                holding_cost=plan.holding_cost_cny_per_day * (plan.lead_time_days + review_days),
                lead_time_days=plan.lead_time_days,
                review_days=review_days,
                pack_size=plan.pack_size,
                minimum_order_units=plan.minimum_order_units,
                spread_exponent=exponent,
            ),
            plan.holding_cost_cny_per_day,
        )
        for plan in MATERIALS
    }


def sample_trial(asked: argparse.Namespace) -> tuple[Panel, StockTrial]:
    """Return the sample's history and the trial on its last days."""
    with tempfile.TemporaryDirectory() as folder:
        panel = sample_history(Path(folder), END)
    regions = sorted({key.region for key in panel.series})
    travel_s = dict.fromkeys(permutations(regions, 2), WITHIN_THE_HOUR_S)
    terms = sample_terms(asked.review_days, asked.exponent)
    return panel, trial_on(panel, terms, days=asked.days, wanted=wanted_demand(panel, END), travel_s=travel_s)


def file_trial(asked: argparse.Namespace) -> tuple[Panel, StockTrial]:
    """Return a file's history and the trial on its last days, all items on the same terms."""
    panel = read_panel(asked.file.read_bytes(), asked.file.name)
    policy = OrderPolicy(20.0, 1.0, lead_time_days=2, review_days=asked.review_days, spread_exponent=asked.exponent)
    return panel, trial_on(panel, ItemTerms(policy, 0.3), days=asked.days)


def print_results(results: Sequence[PolicyResult]) -> None:
    """Print one line a policy; rates of units, and in brackets the mean of the series."""
    columns = (
        f"{'short':>16}{'days out':>10}{'idle':>16}{'unneeded':>10}{'days of stock':>15}{'orders':>8}{'cost, ¥':>10}"
    )
    print(f"{'policy':28}{columns}")
    for result in results:
        found = result.measures
        print(
            f"{result.name:28}{_pair(found.shortage_rate, found.mean_shortage_rate)}"
            f"{_share(found.stockout_days_share):>10}{_pair(found.idle_rate, found.mean_idle_rate)}"
            f"{_share(found.mean_unneeded_rate):>10}{found.stock_days or 0:15.1f}"
            f"{found.orders:8d}{found.cost_cny:10.0f}"
        )


def print_groups(results: Sequence[PolicyResult]) -> None:
    """Print shortage and idle rate of each region and item."""
    for by in ("region", "item"):
        for group in results[0].groups[by]:
            cells = [
                f"{_share(result.groups[by][group].shortage_rate):>8}{_share(result.groups[by][group].idle_rate):>8}"
                for result in results
            ]
            print(f"{group:28}" + " |".join(cells))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _pair(value: float | None, mean: float | None) -> str:
    return f"{_share(value)} ({_share(mean)})".rjust(16)


def _rules(asked: argparse.Namespace, trial: StockTrial, points: Mapping[int, ForecastPoints]) -> list[StockRule]:
    moving = (False, True) if trial.travel_s else (False,)
    charged = [None, *asked.leftover_days]
    ours = [ForecastRule(points, leftover_days=days, transfers=each) for days in charged for each in moving]
    return [*ours, *usual_rules(points)[1:], ForesightRule()]


def main() -> None:
    """Play the trial and print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stock_policies", description=__doc__)
    parser.add_argument("--file", type=Path, help="a demand file instead of the sample organisation")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--review-days", type=int, default=1, help="days between two orders")
    parser.add_argument("--exponent", type=float, default=SPREAD_EXPONENT, help="growth of spread beyond the forecast")
    parser.add_argument(
        "--leftover-days",
        type=int,
        nargs="*",
        default=[28, LEFTOVER_DAYS, 42],
        help="days of holding that a unit left over is charged, beside lead time plus review",
    )
    parser.add_argument("--country", default="CN", help="holiday calendar; none for none")
    parser.add_argument("--safety", type=float, nargs="*", default=[], help="factors of the other policies' levels")
    parser.add_argument("--groups", action="store_true", help="also by region and item")
    parser.add_argument("--max-rows", type=int, help="train on fewer rows, quicker and less exact")
    parser.add_argument("--points", type=Path, help="keep the forecasts in this file, and read them from it next time")
    asked = parser.parse_args()
    panel, trial = file_trial(asked) if asked.file else sample_trial(asked)
    few = {"max_rows": asked.max_rows, "bags": 1} if asked.max_rows else {}
    config = ForecastConfig(country=None if asked.country == "none" else asked.country, **few)
    started = time.perf_counter()
    if asked.points and asked.points.exists():
        points, notes = pickle.loads(asked.points.read_bytes())
    else:
        points, notes = forecast_points(panel, trial, config=config)
        if asked.points:
            asked.points.write_bytes(pickle.dumps((points, notes)))
    forecast_s = time.perf_counter() - started
    rules = _rules(asked, trial, points)
    for factor in asked.safety:
        rules += [LastWeekRule(safety=factor), FixedLevelRule(safety=factor)]
    started = time.perf_counter()
    results = compare_policies(trial, rules)
    label = asked.file.name if asked.file else "sample organisation (invented)"
    print(
        f"{label}: {len(trial.series)} series, {trial.days} days {trial.day_of(trial.start)} … "
        f"{trial.day_of(trial.stop - 1)}, review every {asked.review_days} d, spread exponent {asked.exponent:g}; "
        f"forecasts {forecast_s:.0f} s, simulation {time.perf_counter() - started:.0f} s"
    )
    for note in (*trial.notes(), *notes):
        print(note.en)
    print_results(results)
    if asked.groups:
        print_groups(results)


if __name__ == "__main__":
    main()
