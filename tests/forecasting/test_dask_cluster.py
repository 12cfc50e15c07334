from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest

from common.errors import Unavailable
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.task_runner import HERE, DaskRunner

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_a_cluster_of_two_workers_gives_the_same_numbers(
    scheduler: str, panel: Panel, quick: ForecastConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small blocks, so that both workers have some of the series.
    monkeypatch.setattr("forecasting.feature_table.BLOCK_CELLS", 2 * panel.days)
    config = replace(quick, max_rows=1000)
    here, there = train(panel, config), train(panel, replace(config, scheduler=scheduler))
    assert isinstance(here, Forecaster)
    assert isinstance(there, Forecaster)
    runner = DaskRunner(scheduler)
    first, second = here.predict(panel), there.predict(panel, runner=runner)
    runner.close()
    pd.testing.assert_frame_equal(first.days, second.days, check_exact=True)
    pd.testing.assert_frame_equal(first.totals, second.totals, check_exact=True)


@pytest.mark.slow
def test_results_come_in_the_order_of_the_tasks(scheduler: str) -> None:
    runner = DaskRunner(scheduler)
    tasks = [(number, 2) for number in range(20)]
    assert list(runner.run(pow, tasks)) == list(HERE.run(pow, tasks))
    runner.close()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasting.task_runner._START_TIMEOUT_S", 0.5)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        DaskRunner("tcp://127.0.0.1:1")
