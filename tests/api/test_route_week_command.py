"""``fieldwise routes week``, ``due`` and ``reliability`` on an installation of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(installation: Path):  # type: ignore[no-untyped-def]
    """A function that runs a command against the installation, in English."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "FIELDWISE_DATA_FOLDER": str(installation),
            "LANG": "en_US.UTF-8",
            "COLUMNS": "200",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [sys.executable, "-m", "api.cli", "routes", *arguments],
            capture_output=True,
            cwd=ROOT,
            env=environment,
            check=False,
            text=True,
        )

    return command


def test_due_customers_are_listed_with_their_worth_and_the_others_with_the_reason(run) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run("due", "wuhou", "--json").stdout)
    assert found["due"]
    assert found["method"] == "model"
    others = run("due", "wuhou", "--excluded")
    assert "due again on" in others.stdout
    wrong = run("due", "moon")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "region" in wrong.stderr


def test_a_week_is_planned_and_stored_from_the_command_line(run) -> None:  # type: ignore[no-untyped-def]
    start = (datetime.now(UTC) + timedelta(days=2)).date()
    done = run("week", "jinniu", "--start", str(start), "--days", "2", "--seconds", "2", "--days-off", "none", "--json")
    assert done.returncode == 0, done.stderr
    days = json.loads(done.stdout)["days"]
    assert [day["date"] for day in days] == [str(start), str(start + timedelta(days=1))]
    assert all(day["feasible"] and day["assigned"] for day in days)
    # What is planned now is a repeat for the day after, if somebody else went.
    later = json.loads(run("due", "jinniu", "--day", str(start + timedelta(days=2)), "--excluded", "--json").stdout)
    assert "planned_before" in {item["code"] for item in later["excluded"]}


def test_the_reliability_of_the_probabilities_is_shown(run) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run("reliability", "--json").stdout)
    assert found["model"]["log_loss"] < found["base"]["log_loss"]
    assert found["calibration_error"] < 0.03
