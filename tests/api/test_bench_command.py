"""``fieldwise routes bench`` prints what programs and people can rely on, and names what is wrong in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.routing.instance_texts import PRIZES, VRPTW

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "PC1.vrp").write_text(PRIZES)
    (tmp_path / "R101.vrp").write_text(VRPTW)
    (tmp_path / "R101.sol").write_text("Route #1: 1 3\nRoute #2: 2\nCost 22.6\n")
    return tmp_path


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8", "COLUMNS": "200"}
    command = [sys.executable, "-m", "api.cli", "routes", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)


def test_json_has_a_run_for_each_instance_and_limit_and_the_means(folder):
    done = _bench(str(folder), "--seconds", "0.5,1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(run["instance"], run["seconds"]) for run in found["runs"]] == [
        ("PC1", 0.5), ("R101", 0.5), ("PC1", 1.0), ("R101", 1.0)
    ]  # fmt: skip
    for run in found["runs"]:
        assert {"instance", "seconds", "distance", "best", "gap_percent", "feasible", "wall_s"} <= set(run)
    assert set(found["mean_gap_percent"]) == {"0.5", "1"}
    assert found["mean_gap_percent"]["1"] == found["by_class"]["1"]["R1"] == found["runs"][3]["gap_percent"]
    assert found["by_class"]["1"]["PC1"] is None


def test_people_see_a_table_with_the_gap_of_each_instance_and_class(folder):
    (folder / "best.csv").write_text("instance,best_known_distance\nR101,20\n")
    done = _bench(str(folder), "--seconds", "0.5", "--instances", "R101", "--best", str(folder / "best.csv"))
    assert done.returncode == 0, done.stderr
    assert "R101" in done.stdout
    assert "PC1" not in done.stdout
    assert "R1 " in done.stdout
    assert "20.0" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seconds", "fast"], "--seconds"),
        (["--seconds", "0"], "--seconds"),
        (["--instances", "R999"], "R999"),
        (["--rounding", "up"], "rounding"),
    ],
)
def test_wrong_options_are_named(folder, arguments, told):
    done = _bench(str(folder), *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_broken_file_is_named_with_its_line(folder):
    (folder / "R101.vrp").write_text(VRPTW.replace("2\t3\t4", "2\t3\tx"))
    done = _bench(str(folder), "--seconds", "0.5")
    assert done.returncode == 2
    assert "row 11, NODE_COORD_SECTION" in done.stderr
