"""Accuracy and speed of the forecaster.

Examples
--------
``python -m benchmarks.forecasting backtest demand.csv.gz --origins 28`` compares with seasonal naive;
``python -m benchmarks.forecasting speed --regions 5 --items 12 --days 548`` times training and prediction.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.backtest import backtest
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel, read_panel
from forecasting.panel_table import SeriesKey

_MEASURES = ("mase", "rmsse", "wape", "bias", "coverage80")


def print_backtest(content: bytes, name: str, *, origins: int, step: int | None, country: str | None) -> None:
    """Print the measures of model and seasonal naive, for all rows and each number of days ahead."""
    panel = read_panel(content, name)
    answer = backtest(panel, origins=origins, step=step, config=ForecastConfig(country=country))
    if "reason" in answer:
        print(answer["reason"]["en"])
        return
    print(
        f"{name}: {answer['series']} series, {origins} origins {answer['step']} days apart, "
        f"{answer['trainings']} trainings"
    )
    print(f"{'':24}" + "".join(f"{measure:>11}" for measure in _MEASURES) + f"{'pinball 0.1':>13}{'pinball 0.9':>13}")
    for method in ("model", "seasonal_naive"):
        _print_row(method, answer[method])
        for ahead, measures in answer[method]["by_horizon"].items():
            _print_row(f"  {ahead} days ahead", measures)
    _print_row("model, total", answer["model"]["total"])
    print(f"MASE below seasonal naive: {answer['improvement']:.1%}")
    print(f"trained in {answer['train_seconds']:.1f} s, predicted in {answer['predict_seconds']:.2f} s")
    for note in answer["notes"]:
        print(f"note: {note['en']}")


def _print_row(label: str, measures: dict[str, Any]) -> None:
    values = [measures[name] for name in _MEASURES] + [measures["pinball"]["0.1"], measures["pinball"]["0.9"]]
    widths = [11] * len(_MEASURES) + [13, 13]
    cells = ("-" if value is None else f"{value:.3f}" for value in values)
    print(f"{label:24}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))


def made_up_panel(*, regions: int, items: int, days: int, seed: int = 0) -> Panel:
    """Return invented demand with weekday rhythm, season, planned visits and events."""
    rng = np.random.default_rng(seed)
    keys = sorted(SeriesKey(f"region {region}", f"item {item}") for region in range(regions) for item in range(items))
    day = np.arange(days)
    rhythm = np.array([0.9, 0.9, 0.95, 1.0, 1.05, 1.4, 1.3])[day % 7] * (1 + 0.2 * np.sin(day / 58))
    event = (rng.random((len(keys), days)) < 0.05).astype(float)
    visits = rng.poisson(12, (len(keys), days)).astype(float)
    level = rng.lognormal(3, 1, len(keys))[:, None]
    mean = level * rhythm[None, :] * (1 + event) * (0.5 + visits / 24)
    quantity = rng.poisson(mean).astype(float)
    return Panel(date(2025, 1, 1), tuple(keys), quantity, {"event": event, "planned_visits": visits})


def print_speed(*, regions: int, items: int, days: int) -> None:
    """Print the CPU seconds of training and of one prediction for all series."""
    panel = made_up_panel(regions=regions, items=items, days=days)
    start = time.process_time()
    forecaster = train(panel)
    trained_s = time.process_time() - start
    assert isinstance(forecaster, Forecaster)
    forecaster.predict(panel)
    start = time.process_time()
    forecaster.predict(panel)
    predicted_s = time.process_time() - start
    print(
        f"{len(panel.series)} series, {days} days: training {trained_s:.1f} CPU s, prediction {predicted_s:.2f} CPU s"
    )


def main() -> None:
    """Run the measurement named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasting", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    accuracy = commands.add_parser("backtest", help="accuracy on a demand file")
    accuracy.add_argument("file", type=Path)
    accuracy.add_argument("--origins", type=int, default=28)
    accuracy.add_argument("--step", type=int, help="days between origins; by default the horizon")
    accuracy.add_argument("--country", default="CN", help="holiday calendar; none for none")
    speed = commands.add_parser("speed", help="seconds of training and prediction on invented demand")
    speed.add_argument("--regions", type=int, default=5)
    speed.add_argument("--items", type=int, default=12)
    speed.add_argument("--days", type=int, default=548)
    asked = parser.parse_args()
    if asked.command == "speed":
        print_speed(regions=asked.regions, items=asked.items, days=asked.days)
        return
    country = None if asked.country == "none" else asked.country
    content = asked.file.read_bytes()
    print_backtest(content, asked.file.name, origins=asked.origins, step=asked.step, country=country)


if __name__ == "__main__":
    main()
