"""Accuracy, speed and growth of the forecaster.

Examples
--------
``python -m benchmarks.forecasting backtest demand.csv.gz --origins 28 --compare rivals.csv`` compares with simpler
methods and with forecasts of ``benchmarks/forecast_rivals.py``;
``python -m benchmarks.forecasting speed`` times 300 regions × 20 items × 730 days on one core;
``python -m benchmarks.forecasting growth`` does so for 1,000, 10,000 and 100,000 series (minutes, and gigabytes);
``python -m benchmarks.forecasting oracle`` compares with one that knows how the sample organisation is made.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from api.commands.forecast_backtest import print_backtest
from benchmarks.forecast_oracle import print_oracle
from benchmarks.forecast_speed import print_sizes
from forecasting.backtest import GROUPS, BacktestPlan, run_backtest
from forecasting.model import ForecastConfig
from forecasting.panel import read_panel
from forecasting.rival_forecasts import read_rivals

_ITEMS = 20


def backtest_file(asked: argparse.Namespace) -> None:
    """Print the measures of the model, of simpler methods and of those in the file to compare with."""
    panel = read_panel(asked.file.read_bytes(), asked.file.name)
    rivals = read_rivals(asked.compare.read_bytes(), panel, filename=asked.compare.name) if asked.compare else None
    plan = BacktestPlan(asked.origins, asked.step, group_by=asked.groups)
    config = ForecastConfig(country=None if asked.country == "none" else asked.country)
    answer = run_backtest(panel, plan, config=config, rivals=rivals)
    if "reason" in answer:
        print(answer["reason"]["en"])
        return
    print_backtest(answer)
    print(f"{answer['trainings']} trainings, predicted in {answer['predict_seconds']:.2f} s")


def main() -> None:
    """Run the measurement named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasting", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    accuracy = commands.add_parser("backtest", help="accuracy on a demand file")
    accuracy.add_argument("file", type=Path)
    accuracy.add_argument("--origins", type=int, default=28)
    accuracy.add_argument("--step", type=int, help="days between origins; by default the horizon")
    accuracy.add_argument("--country", default="CN", help="holiday calendar; none for none")
    accuracy.add_argument("--compare", type=Path, help="forecasts of other methods")
    accuracy.add_argument("--groups", choices=GROUPS)
    speed = commands.add_parser("speed", help="time and memory on invented demand")
    speed.add_argument("--regions", type=int, default=300)
    speed.add_argument("--items", type=int, default=_ITEMS)
    speed.add_argument("--days", type=int, default=730)
    growth = commands.add_parser("growth", help="time and memory for several numbers of series")
    growth.add_argument("--series", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    growth.add_argument("--days", type=int, default=730)
    oracle = commands.add_parser("oracle", help="accuracy against the true mean of the sample organisation")
    oracle.add_argument("--origins", type=int, default=28)
    oracle.add_argument("--step", type=int, default=1)
    asked = parser.parse_args()
    if asked.command == "backtest":
        backtest_file(asked)
    elif asked.command == "speed":
        print_sizes([(asked.regions, asked.items)], asked.days)
    elif asked.command == "growth":
        print_sizes([(number // _ITEMS, _ITEMS) for number in asked.series], asked.days)
    else:
        print_oracle(origins=asked.origins, step=asked.step)


if __name__ == "__main__":
    main()
