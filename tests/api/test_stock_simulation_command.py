"""``fieldwise forecast simulate-stock`` compares policies of ordering on any demand file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from forecasting import stock_trial
from forecasting.panel import read_panel

STATIONS = Path(__file__).parents[1] / "forecasting" / "six_stations.csv.gz"


def test_every_policy_is_played_on_the_same_demand_and_told_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    # Training takes a minute and is tested with the engine; without forecasts the policy goes by last week.
    monkeypatch.setattr(stock_trial, "forecast_points", lambda *given, **named: ({}, ()))
    words = ["forecast", "simulate-stock", str(STATIONS), "--days", "30", "--country", "none", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    panel = read_panel(STATIONS.read_bytes(), STATIONS.name)
    assert (told["series"], told["last_day"]) == (len(panel.series), str(panel.last_observed_day))
    policies = {each["policy"]: each for each in told["policies"]}
    assert list(policies) == ["forecast 35 d", "last week", "last week, own ledger", "fixed level"]
    assert len({each["wanted_units"] for each in policies.values()}) == 1
    for each in policies.values():
        assert each["cost_cny"] == pytest.approx(each["shortage_cny"] + each["holding_cny"] + each["order_cny"])
        assert set(each["groups"]) == {"region", "item"}


def test_people_see_a_table_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_trial, "forecast_points", lambda *given, **named: ({}, ()))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "160")
    done = CliRunner().invoke(app, ["forecast", "simulate-stock", str(STATIONS), "--days", "30", "--country", "none"])
    assert done.exit_code == 0, done.output
    for word in ("last week", "fixed level", "units missing over units wanted"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--days", "1000"], "/days"),
        (["--days", "5", "--shortage-cost", "0"], "/shortage_cost"),
        (["--days", "5", "--holding-cost=-1"], "/holding_cost"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_trained(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["forecast", "simulate-stock", str(STATIONS), *words])
    assert done.exit_code == 2
    assert said in done.stderr
