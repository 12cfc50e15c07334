"""The trial of a ranking from the command line, and the settings of what hints learn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from api.commands.hint_learning import evaluate_ranking
from api.services import evidence_settings
from api.settings import Settings, load_settings
from common.clock import SystemClock
from common.errors import InvalidInput
from operations.store import schema
from operations.store.database import Database
from tests.operations.hint_records import log_by_chance, set_up

app = typer.Typer()
app.command()(evaluate_ranking)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    database = Database(f"sqlite:///{tmp_path / 'fieldwise.db'}")
    schema.upgrade(database)
    set_up(database)
    yield database
    database.close()


def test_without_hints_the_command_says_that_there_is_not_enough_data(store: Database) -> None:
    told = CliRunner().invoke(app, [])
    assert told.exit_code == 1
    assert told.output.startswith("not enough data")
    told = CliRunner().invoke(app, ["--json"])
    assert json.loads(told.output) == {"hints": 0, "verdict": "not enough data"}


def test_a_better_ranking_ends_well_and_shows_its_gain(store: Database) -> None:
    now = SystemClock().now()
    log_by_chance(store, now - timedelta(days=40), 400)
    log_by_chance(store, now - timedelta(days=20), 1000, seed=2)
    told = CliRunner().invoke(app, ["--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert (found["hints"], found["verdict"]) == (1000, "better")
    assert found["difference"]["low"] > 0
    assert "better: its gain is above zero" in CliRunner().invoke(app, []).output
    assert CliRunner().invoke(app, ["--new", "plain", "--current", "evidence"]).exit_code == 1


def test_a_region_that_does_not_exist_is_named_in_one_line(store: Database) -> None:
    told = CliRunner().invoke(app, ["--region", "moon"])
    assert told.exit_code == 2
    assert "moon" in told.output
    assert len(told.output.strip().splitlines()) == 1


def test_the_settings_reach_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = evidence_settings(Settings())
    assert (usual.mode, usual.exploration, usual.half_life_days) == ("on", 0.1, 90)
    assert usual.examination.shares == (1.0, 0.8, 0.65, 0.55, 0.5)
    for name, value in {"": "off", "_HALF_LIFE_DAYS": "30"}.items():
        monkeypatch.setenv(f"FIELDWISE_HINT_EVIDENCE{name}", value)
    monkeypatch.setenv("FIELDWISE_HINT_EXPLORATION", "0")
    monkeypatch.setenv("FIELDWISE_HINT_EXAMINATION", "1,0.5")
    changed = evidence_settings(load_settings())
    assert (changed.mode, changed.exploration, changed.half_life_days) == ("off", 0, 30)
    assert changed.examination.shares == (1.0, 0.5)
    monkeypatch.setenv("FIELDWISE_HINT_EXAMINATION", "estimate")
    assert evidence_settings(load_settings()).estimate_examination


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HINT_EVIDENCE", "maybe"),
        ("HINT_EXPLORATION", "2"),
        ("HINT_EVIDENCE_HALF_LIFE_DAYS", "0"),
        ("HINT_EXAMINATION", "1, 0"),
        ("HINT_EXAMINATION", "often"),
        ("HINT_EXAMINATION", ""),
    ],
)
def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FIELDWISE_{name}", value)
    with pytest.raises(InvalidInput, match=f"FIELDWISE_{name}"):
        load_settings()
