"""Stock alerts over HTTP and on the command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.services import Services
from operations.access import Actor
from operations.stock_alerts import refresh_stock_alerts
from tests.api.conftest import Client
from tests.api.test_stock_proposals_http import MATERIAL, take_out


def test_an_emptied_store_is_warned_of_in_the_readers_language(services: Services, signed_in: Client) -> None:
    manager = signed_in("region_manager")
    region = str(manager.get("/v1/me").json()["region"])
    take_out(services, region)
    with services.database.write("test") as session:
        refresh_stock_alerts(session, Actor.system("test"))
    answers = {
        language: manager.get("/v1/stock/alerts", params={"material": MATERIAL}, headers={"Accept-Language": language})
        for language in ("zh", "en")
    }
    (zh,), (en,) = (answer.json()["items"] for answer in answers.values())
    assert zh["region"] == en["region"] == region
    assert zh["risk"]["probability"] > 0.3
    assert zh["text"] != en["text"]
    assert manager.get("/v1/stock/alerts", params={"material": "nothing"}).status_code == 422
    assert signed_in("rep").get("/v1/stock/alerts").status_code == 403


def test_the_command_line_looks_and_shows(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(services.settings.data_folder))
    done = CliRunner().invoke(app, ["stock", "alerts", "--json"])
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout)["items"], list)
