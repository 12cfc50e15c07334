"""Consumption over HTTP and on the command line: in and out unchanged, wrong rows named, own regions only."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.services import Services
from tests.api.conftest import Client
from tests.api.test_plans_http import finished

ROOT = Path(__file__).resolve().parents[2]
IMPORT, EXPORT = "/v1/consumption/import", "/v1/consumption/export"


def sent(client: TestClient, content: bytes, prefer: str = "", **parameters: object) -> Response:
    headers = {"Content-Type": "application/octet-stream", **({"Prefer": prefer} if prefer else {})}
    return client.post(IMPORT, params=parameters, content=content, headers=headers)  # type: ignore[arg-type]


def exported(client: TestClient, **parameters: object) -> list[list[str]]:
    answer = client.get(EXPORT, params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [line.split(",") for line in answer.content.decode("utf-8-sig").splitlines()]


def csv(*lines: str) -> bytes:
    return "\n".join(["date,region,item,quantity", *lines]).encode()


@pytest.fixture(scope="module")
def region(signed_in: Client) -> str:
    """The region of the region manager."""
    return str(signed_in("region_manager").get("/v1/me").json()["region"])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_exported_can_be_imported_and_changes_nothing(signed_in: Client, region: str, kind: str) -> None:
    logistics = signed_in("logistics")
    answer = logistics.get(EXPORT, params={"format": kind, "region": region, "material": "gift-standard"})
    assert answer.status_code == 200
    assert f'.{kind}"' in answer.headers["content-disposition"]
    back = sent(logistics, answer.content, filename=f"consumption.{kind}").json()
    assert (back["added"], back["changed"]) == (0, 0)
    assert back["unchanged"] == back["rows"] > 300


def test_a_dry_run_tells_what_an_import_then_does(signed_in: Client, region: str) -> None:
    logistics = signed_in("logistics")
    first, *_, last = exported(logistics, region=region, material="gift-standard")[1:]
    new = f"1999-12-31,{region},gift-standard,3"
    content = gzip.compress(csv(f"{last[0]},{region},gift-standard,{float(last[3]) + 1}", new))
    tried = sent(logistics, content, dry_run=True)
    assert tried.status_code == 200, tried.text
    assert (tried.json()["added"], tried.json()["changed"], tried.json()["dry_run"]) == (1, 1, True)
    assert exported(logistics, region=region, material="gift-standard")[1] == first
    done = sent(logistics, content).json()
    assert (done["added"], done["changed"], done["first_day"], done["last_day"]) == (1, 1, "1999-12-31", last[0])
    assert exported(logistics, region=region, material="gift-standard", since=last[0])[-1][3] == str(int(last[3]) + 1)
    assert sent(logistics, csv(f"{last[0]},{region},gift-standard,{last[3]}")).json()["changed"] == 1


def test_today_is_not_over(signed_in: Client, services: Services, region: str) -> None:
    today = services.today()
    lines = [f"{today + timedelta(days=ahead)},{region},gift-standard,1" for ahead in (0, 1)]
    answer = sent(signed_in("director"), csv(*lines)).json()
    assert (answer["not_closed"], answer["added"], answer["first_day"]) == (2, 0, None)


def test_wrong_rows_are_named_and_nothing_is_stored(signed_in: Client, region: str) -> None:
    logistics = signed_in("logistics")
    content = csv(
        f"1999-11-30,{region},gift-standard,3",
        "1999-11-29,moon,gift-standard,3",
        f"1999-11-30,{region},gift-standard,4",
    )
    repeated = sent(logistics, content)
    assert repeated.status_code == 422
    assert repeated.json()["errors"] == [
        {"pointer": "row 4, column date", "detail": "repeats the date, region and item of row 2"}
    ]
    unknown = sent(logistics, content, duplicates="sum")
    assert [error["pointer"] for error in unknown.json()["errors"]] == ["row 3, column region"]
    assert sent(logistics, csv(f"1999-11-30,{region},gift-standard,3")).json()["added"] == 1
    assert sent(logistics, content, duplicates="all").status_code == 422
    assert sent(logistics, b"PK\x03\x04").json()["errors"][0]["pointer"] == "file"


def test_only_those_who_may_write_do_and_managers_in_their_own_region(signed_in: Client, region: str) -> None:
    own = csv(f"1999-10-01,{region},gift-standard,3")
    for role in ("rep", "recorder", "analyst"):
        assert sent(signed_in(role), own).status_code == 403
    manager = signed_in("region_manager")
    assert sent(manager, own).json()["added"] == 1
    regions = {row[1] for row in exported(signed_in("logistics"), since="2026-11-01")[1:]}
    other = sorted(regions - {region})[0]
    refused = sent(manager, csv(f"1999-10-01,{other},gift-standard,3"))
    assert refused.json()["errors"][0]["pointer"] == "row 2, column region"
    assert {row[1] for row in exported(manager)[1:]} == {region}
    assert manager.get(EXPORT, params={"region": other}).status_code == 403
    assert signed_in("rep").get(EXPORT).status_code == 403


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"region": "moon"}, "query/region"),
        ({"material": "rocket"}, "query/material"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "query/until"),
    ],
)
def test_a_wrong_question_for_an_export_is_named(signed_in: Client, parameters: dict[str, str], pointer: str) -> None:
    answer = signed_in("director").get(EXPORT, params=parameters)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.usefixtures("worker")
def test_an_import_runs_as_a_job_when_asked_or_large(
    signed_in: Client, services: Services, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logistics = signed_in("logistics")
    content = csv(*(f"1999-09-{day:02},{region},gift-standard,3" for day in range(1, 31)))
    answer = sent(logistics, content, "respond-async")
    assert answer.status_code == 202, answer.text
    state = finished(logistics, answer.json()["id"])
    result = state["result"]
    assert isinstance(result, dict)
    assert (result["added"], result["first_day"]) == (30, "1999-09-01")
    again = sent(logistics, content, "respond-async, wait=30")
    assert (again.status_code, again.json()["unchanged"]) == (200, 30)

    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"import_at_once_bytes": 100}))
    answer = sent(logistics, content + b"\n1999-09-01,moon,gift-standard,1")
    assert answer.status_code == 202
    state = finished(logistics, answer.json()["id"])
    assert state["status"] == "failed"
    assert [error["pointer"] for error in state["problem"]["errors"]] == ["row 32, column region"]  # type: ignore[index]
    assert sent(signed_in("rep"), content).status_code == 403


def run(installation: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"FIELDWISE_DATA_FOLDER": str(installation), "LANG": "en_US.UTF-8", "LC_ALL": ""}
    command = [sys.executable, "-m", "api.cli", "forecast", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, env=environment, check=False)


def test_the_command_line_exports_and_imports(installation: Path, tmp_path: Path, region: str) -> None:
    file = tmp_path / "history.xlsx"
    done = run(installation, "export-history", str(file), "--region", region, "--since", "2026-01-01")
    assert done.returncode == 0, done.stderr
    back = run(installation, "import-history", str(file), "--json")
    report = json.loads(back.stdout)
    assert (report["added"], report["changed"]) == (0, 0)
    assert report["unchanged"] > 300
    piped = run(installation, "export-history", "-", "--region", region, "--since", "2026-01-01").stdout
    assert len(piped.splitlines()) == report["rows"] + 1
    tried = run(installation, "import-history", "-", "--dry-run", stdin=piped)
    assert tried.stdout.decode() == f"would be: 0 days added, 0 changed, {report['rows']} unchanged\n"
    twice = piped + next(line for line in piped.splitlines(keepends=True)[1:] if b",0," not in line)
    assert b"repeats" in run(installation, "import-history", "-", stdin=twice).stderr
    summed = run(installation, "import-history", "-", "--dry-run", "--duplicates", "sum", stdin=twice)
    assert b"1 changed" in summed.stdout
    wrong = run(installation, "import-history", "-", "--json", stdin=csv("2026-01-01,moon,rocket,1"))
    assert wrong.returncode == 2
    assert [error["place"] for error in json.loads(wrong.stdout)["errors"]] == [
        "row 2, column region",
        "row 2, column item",
    ]
    assert run(installation, "export-history", "history.docx").returncode == 2


def test_the_command_line_says_which_make_up_days_are_unknown(installation: Path) -> None:
    known = json.loads(run(installation, "calendar", "--year", "2026", "--json").stdout)
    assert known["published"]
    assert known["weekend_workdays"][-1] == "2026-10-10"
    assert [item["zh"] for item in known["holidays"]][:2] == ["元旦", "春节"]
    unknown = run(installation, "calendar", "--year", "2099", "--country", "CN").stdout.decode()
    assert "worked weekend days: unknown" in unknown
    assert "National Day" in unknown
    wrong = run(installation, "calendar", "--country", "XX")
    assert (wrong.returncode, b"/country" in wrong.stderr) == (2, True)
