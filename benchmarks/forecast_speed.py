"""Time and memory of the forecaster on invented demand, from one size to many.

Each measurement runs in a process of its own on one processor core, so that its peak memory is its own and no thread
pool helps. CPU seconds are those of the whole process while it works; the memory is the peak of the resident set, with
Python, its libraries and the history itself in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date
from typing import Any

_SERIES_AT_ONCE = 500
_MIB = 1024.0


def made_up_panel(*, regions: int, items: int, days: int, seed: int = 0) -> Any:
    """Return a panel of invented demand with weekday rhythm, season, planned visits and events."""
    import numpy as np

    from forecasting.panel import Panel
    from forecasting.panel_table import SeriesKey

    rng = np.random.default_rng(seed)
    keys = sorted(SeriesKey(f"region {region}", f"item {item}") for region in range(regions) for item in range(items))
    day = np.arange(days)
    rhythm = np.array([0.9, 0.9, 0.95, 1.0, 1.05, 1.4, 1.3])[day % 7] * (1 + 0.2 * np.sin(day / 58))
    quantity, event, visits = (np.empty((len(keys), days)) for _ in range(3))
    # In slices: what is made on the way must not count as the forecaster's peak memory.
    for first in range(0, len(keys), _SERIES_AT_ONCE):
        part = slice(first, min(first + _SERIES_AT_ONCE, len(keys)))
        shape = quantity[part].shape
        event[part] = rng.random(shape) < 0.05
        visits[part] = rng.poisson(12, shape)
        level = rng.lognormal(3, 1, shape[0])[:, None]
        quantity[part] = rng.poisson(level * rhythm * (1 + event[part]) * (0.5 + visits[part] / 24))
    return Panel(date(2025, 1, 1), tuple(keys), quantity, {"event": event, "planned_visits": visits})


def measure_size(*, regions: int, items: int, days: int) -> dict[str, Any]:
    """Return seconds and memory of one training and one prediction in this process."""
    from forecasting.forecaster import Forecaster, train

    panel = made_up_panel(regions=regions, items=items, days=days)
    before_mib = _peak_mib()
    start, start_cpu = time.perf_counter(), time.process_time()
    forecaster = train(panel)
    train_s, train_cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    assert isinstance(forecaster, Forecaster)
    trained_mib = _peak_mib()
    first_s = _predict_s(forecaster, panel)
    return {
        "series": len(panel.series),
        "days": days,
        "train_cpu_s": train_cpu_s,
        "train_s": train_s,
        "predict_s": _predict_s(forecaster, panel),
        "first_predict_s": first_s,
        "history_mib": before_mib,
        "train_peak_mib": trained_mib,
        "peak_mib": _peak_mib(),
    }


def print_sizes(sizes: list[tuple[int, int]], days: int) -> None:
    """Measure each (regions, items) in a process of its own, and print a line as it is done."""
    print("  series  days  train CPU s  train s  predict s  first  history MiB  peak MiB training  in all")
    for regions, items in sizes:
        found = _in_own_process(regions, items, days)
        print(
            f"{found['series']:8,}{found['days']:6}{found['train_cpu_s']:13.1f}{found['train_s']:9.1f}"
            f"{found['predict_s']:11.2f}{found['first_predict_s']:7.2f}{found['history_mib']:13,.0f}"
            f"{found['train_peak_mib']:19,.0f}{found['peak_mib']:8,.0f}",
            flush=True,
        )


def _in_own_process(regions: int, items: int, days: int) -> dict[str, Any]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    size = ["--regions", str(regions), "--items", str(items), "--days", str(days)]
    command = [sys.executable, "-m", "benchmarks.forecast_speed", *size]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **threads})
    if done.returncode:
        raise SystemExit(f"{regions * items} series: the process ended with {done.returncode}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _predict_s(forecaster: Any, panel: Any) -> float:
    start = time.perf_counter()
    forecaster.predict(panel)
    return time.perf_counter() - start


def _peak_mib() -> float:
    # Linux counts in KiB, macOS in bytes.
    unit = 1.0 if sys.platform != "darwin" else _MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / _MIB


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main() -> None:
    """Measure one size and print it as JSON, for :func:`print_sizes`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_speed", description=__doc__)
    for name in ("regions", "items", "days"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    _stay_on_one_core()
    print(json.dumps(measure_size(regions=asked.regions, items=asked.items, days=asked.days)))


if __name__ == "__main__":
    main()
