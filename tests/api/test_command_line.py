"""The command line: answers for people and programs, one-line errors, files and standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOPS = ROOT / "tests/routing/chicago_shops.csv"
STATIONS = ROOT / "tests/forecasting/six_stations.csv.gz"


@pytest.fixture(scope="module")
def run(installation: Path):  # type: ignore[no-untyped-def]
    """A function that runs a command against the installation, in English."""

    def command(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"FIELDWISE_DATA_FOLDER": str(installation), "LANG": "en_US.UTF-8", "HF_HUB_OFFLINE": "1"}
        settings |= {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "OMP_NUM_THREADS": "1", **environment}
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            input=stdin,
            capture_output=True,
            cwd=ROOT,
            env=settings,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )

    return command


def test_help_shows_examples_and_needs_no_heavy_library(run) -> None:  # type: ignore[no-untyped-def]
    for command in (["hint"], ["library", "import"], ["routes", "solve"], ["forecast", "backtest"], ["db", "upgrade"]):
        shown = run(*command, "--help")
        assert shown.returncode == 0
        assert "Example" in shown.stdout
    heavy = "import sys, api.cli; print(sorted({'torch', 'sklearn', 'ortools', 'nicegui'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert loaded.strip() == "[]"


def test_a_hint_for_people_and_for_programs(run) -> None:  # type: ignore[no-untyped-def]
    answer = json.loads(run("hint", "隔壁家同款便宜两百块", "--json").stdout)
    assert [item["rank"] for item in answer["suggestions"]] == [1, 2, 3]
    piped = run("hint", "-", stdin="今天天气真好".encode())
    assert piped.returncode == 0
    assert "没有匹配" in piped.stdout
    wrong = run("hint", "  ")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1
    assert "/text" in wrong.stderr


def test_a_day_is_solved_from_a_csv_of_shops(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    to = tmp_path / "day.geojson"
    done = run("routes", "solve", str(SHOPS), "--reps", "8", "--seconds", "3", "--to", "geojson", "-o", str(to))
    assert done.returncode == 0, done.stderr
    kinds = [feature["properties"]["kind"] for feature in json.loads(to.read_text())["features"]]
    assert kinds.count("route") == 8
    assert kinds.count("stop") > 60
    plan = json.loads(run("routes", "solve", "-", "--seconds", "1", "--json", stdin=SHOPS.read_bytes()).stdout)
    assert plan["feasible"]


def test_a_broken_file_is_named_by_row_and_column(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "shops.csv"
    broken.write_bytes("id,name,latitude,longitude\nA,店,41.8,-87.6\nB,店,abc,-87.6\n".encode("gbk"))
    done = run("routes", "solve", str(broken), "--strict")
    assert done.returncode == 2
    assert "row 3, column latitude" in done.stderr
    assert run("routes", "solve", str(tmp_path / "none.csv")).stderr.startswith("fieldwise: cannot read")
    assert "--shift" in run("routes", "solve", str(SHOPS), "--shift", "morning").stderr


def test_one_bad_customer_is_named_and_the_others_are_planned(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rows = ["A,41.80,-87.60", "B,0,0", "C,41.81,-87.61", "A,41.82,-87.6", "D,-87.6,41.8", "E,41.79,-87.62"]
    done = run("routes", "solve", "-", "--seconds", "1", "--json", stdin="\n".join(["id,lat,lon", *rows]).encode())
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert {stop["visit_id"] for route in plan["routes"] for stop in route["stops"]} == {"A", "C", "E"}
    where = {(item["id"], item["field"]) for item in plan["unusable"]}
    assert where == {("B", "row 3, column lat"), ("A", "row 5, column id"), ("D", "row 6, column lat")}
    assert "row 3, column lat" in done.stderr

    day = {
        "visits": [
            {"id": name, "location": {"latitude": latitude, "longitude": 114.3}, "service_min": 20}
            for name, latitude in (("good", 30.5), ("bad", 95.0))
        ],
        "reps": [
            {
                "id": "R",
                "start": {"latitude": 30.5, "longitude": 114.31},
                "shift_start_s": "09:00",
                "shift_end_s": "18:00",
            }
        ],
        "travel": {"duration_s": [[0, 9, 60], [9, 0, 9], [60, 9, 0]]},
    }
    solved = run("routes", "solve", "-", "--seconds", "1", "--json", stdin=json.dumps(day).encode())
    assert solved.returncode == 0, solved.stderr
    found = json.loads(solved.stdout)
    assert [item["id"] for item in found["unusable"]] == ["bad"]
    assert [stop["travel_s"] for stop in found["routes"][0]["stops"]] == [60]
    wrong = run("routes", "solve", "-", stdin=json.dumps({**day, "travell": {}}).encode())
    assert (wrong.returncode, "/travell" in wrong.stderr) == (2, True)


def test_a_backtest_prints_the_measures_of_model_and_naive(run) -> None:  # type: ignore[no-untyped-def]
    done = run("forecast", "backtest", str(STATIONS), "--origins", "2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in ("model", "seasonal_naive"):
        assert {"mase", "wape", "bias", "pinball", "coverage80", "by_horizon"} <= set(found[name])
        assert list(found[name]["by_horizon"]) == ["1", "2", "3"]
    assert found["model"]["mase"] < found["seasonal_naive"]["mase"]
    wrong = run("forecast", "backtest", "-", stdin=b"date,region,item,quantity\n2026-01-01,a,b,minus one\n")
    assert wrong.returncode == 2
    assert "row 2, column quantity" in wrong.stderr


def test_the_library_goes_out_and_comes_back_unchanged(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("library.csv", "library.jsonl"):
        out = tmp_path / name
        assert run("library", "export", str(out)).returncode == 0
        back = json.loads(run("library", "import", str(out), "--dry-run", "--json").stdout)
        assert (back["created"], back["updated"]) == (0, 0)
        assert back["unchanged"] > 200
    assert run("library", "check", "--json").returncode == 0
    assert ".jsonl or .csv" in run("library", "export", str(tmp_path / "library.xml")).stderr


def test_the_library_goes_out_as_a_spreadsheet_and_comes_back_unchanged(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "library.xlsx"
    assert run("library", "export", str(out), "--headings", "zh").returncode == 0
    back = json.loads(run("library", "import", str(out), "--json").stdout)
    assert (back["created"], back["updated"], back["dry_run"]) == (0, 0, False)
    assert back["unchanged"] > 200


def test_an_import_names_every_wrong_cell(run) -> None:  # type: ignore[no-untyped-def]
    rows = "编号,语言,类别,标题\na b,fr,工具,题\nok-1,中文,工具,题\nc,中文,工具,\n".encode("gbk")
    done = run("library", "import", "-", "--name", "cases.csv", stdin=rows)
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert {line.split(":")[0] for line in told[:-1]} == {
        "row 2, column 语言",
        "row 2, column 编号",
        "row 4, column 标题",
    }
    assert told[-1] == "fieldwise: the file has wrong rows (3)"
    found = json.loads(run("library", "import", "-", "--name", "cases.csv", "--json", stdin=rows).stdout)
    assert len(found["errors"]) == 3
    assert run("library", "import", "-", "--name", "cases.xlsx", stdin=b"no sheet").stderr.count("\n") == 1


def test_drafts_are_reviewed_merged_and_credited(run) -> None:  # type: ignore[no-untyped-def]
    rows = [
        {"key": f"cli-{n}", "language": "zh", "kind": "success", "objection_type": "no_time", "title": "题"}
        | {"talk_tracks": [f"您先忙，第{n}趟我在门口等您。"], "utterances": ["我要赶九点的班车"], "author": f"rep-{n}"}
        for n in (1, 2)
    ]
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    assert "2 created" in run("library", "import", "-", stdin=lines).stdout
    assert "2 in review" in run("library", "submit", "cli-1", "cli-2").stdout
    waiting = {item["entry"]["key"]: item for item in json.loads(run("library", "review", "--json").stdout)}
    assert waiting["cli-1"]["near"][0]["key"] == "cli-2"
    assert "cli-1" in run("library", "review").stdout
    assert "draft again" in run("library", "return", "cli-2", "--reason", "too short").stdout
    assert "1 published" in run("library", "approve", "cli-1").stdout
    assert run("library", "approve", "cli-2").returncode == 1
    assert "part of cli-1" in run("library", "merge", "cli-2", "cli-1").stdout
    earned = json.loads(run("library", "credits", "--json").stdout)
    assert {item["author"]: item["reward_cny"] for item in earned} == {"rep-1": 200, "rep-2": 200}


def test_the_forecast_of_the_installation_is_made_and_shown(run) -> None:  # type: ignore[no-untyped-def]
    shown = json.loads(run("forecast", "run", "--region", "wuhou", "--json").stdout)
    assert {item["region"] for item in shown["days"]} == {"wuhou"}
    assert "moon" in run("forecast", "run", "--region", "moon").stderr


def test_the_doctor_and_the_upgrade_tell_the_state(run) -> None:  # type: ignore[no-untyped-def]
    findings = json.loads(run("doctor", "--json").stdout)
    assert {findings[part] for part in ("database", "schema", "hints", "forecasts")} == {"ok"}
    assert "already at" in run("db", "upgrade").stdout


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FIELDWISE_DATABASE_URL": "mysql://x"}, "FIELDWISE_DATABASE_URL"),
        ({"FIELDWISE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"}, "does not answer"),
        ({"FIELDWISE_PORT": "many"}, "FIELDWISE_PORT"),
        ({"FIELDWISE_ENVIRONMENT": "production"}, "FIELDWISE_SECRET"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(run, environment: dict[str, str], expected: str) -> None:  # type: ignore[no-untyped-def]
    done = run("serve", **environment)
    assert done.returncode in (1, 2)
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_broken_database_file_is_one_clear_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "fieldwise.db").write_bytes(b"this is no database" * 100)
    done = run("up", FIELDWISE_DATA_FOLDER=str(tmp_path), FIELDWISE_PORT="18431")
    assert done.returncode == 1
    assert "database" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_taken_port_and_a_full_folder_are_one_clear_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("up", FIELDWISE_DATA_FOLDER=str(tmp_path), FIELDWISE_PORT=port)
    assert done.returncode == 1
    assert f"make run FIELDWISE_PORT={int(port) + 1}" in done.stderr
    file_in_the_way = tmp_path / "file"
    file_in_the_way.touch()
    done = run("up", FIELDWISE_DATA_FOLDER=str(file_in_the_way), FIELDWISE_PORT="18432")
    assert "FIELDWISE_DATA_FOLDER" in done.stderr
