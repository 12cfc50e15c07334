"""``fieldwise forecast backtest``: files to compare with, groups, and what is printed for people."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.forecast_backtest import print_backtest
from forecasting.backtest import BacktestPlan, run_backtest
from forecasting.boosting import TreeSettings
from forecasting.model import ForecastConfig
from forecasting.panel import read_panel

STATIONS = Path(__file__).parents[1] / "forecasting" / "six_stations.csv.gz"


def test_a_wrong_file_to_compare_with_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    rivals = tmp_path / "ours.csv"
    rivals.write_text("date_of_origin,region,item,h,mean\n2016-06-01,Nowhere,entries,1,5\n")
    done = CliRunner().invoke(app, ["forecast", "backtest", str(STATIONS), "--compare", str(rivals)])
    assert done.exit_code == 2
    assert "row 2, column item" in done.stderr


def test_people_see_each_method_its_intervals_and_groups(capsys: pytest.CaptureFixture[str]) -> None:
    trees = TreeSettings(iterations=10, leaves=6, learning_rate=0.2)
    config = ForecastConfig(country=None, max_rows=1000, bags=1, trees=trees, band_trees=trees)
    panel = read_panel(STATIONS.read_bytes(), STATIONS.name)
    print_backtest(run_backtest(panel, BacktestPlan(8, group_by="item"), config=config))
    printed = capsys.readouterr().out
    for word in ("model", "seasonal_naive", "same_weekday_mean", "95 % from", "3 ahead", "total", panel.series[0].item):
        assert word in printed
    assert "same_weekday_mean (" in printed.split("MASE")[-1]
