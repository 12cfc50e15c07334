"""Models, the watch over them, overrides, and earlier forecasts over HTTP and from the command line."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.services import Services
from operations.store.tables import DailyConsumption, Forecast, ForecastModel
from tests.api.conftest import Client

pytestmark = pytest.mark.usefixtures("worker")


def first_day(client: Client, role: str = "director", **parameters: str) -> dict[str, object]:
    found: dict[str, object] = client(role).get("/v1/forecasts", params=parameters).json()["days"][0]
    return found


def test_the_model_in_use_tells_what_it_was_made_from(signed_in: Client) -> None:
    answer = signed_in("analyst").get("/v1/forecasts/models")
    assert answer.status_code == 200, answer.text
    (model,) = answer.json()["items"]
    assert (model["status"], model["reason"], model["file_kept"]) == ("champion", "the first model", True)
    assert model["features"]
    assert model["settings"]["horizon"] == 3
    assert "scikit-learn" in model["libraries"]
    assert {change["kind"] for change in answer.json()["changes"]} == {"trained", "promoted"}
    chinese = signed_in("analyst").get("/v1/forecasts/models", headers={"Accept-Language": "zh"}).json()
    assert chinese["items"][0]["reason"] == "首个模型"
    one = signed_in("director").get(f"/v1/forecasts/models/{model['version']}").json()
    assert one == model
    assert signed_in("director").get("/v1/forecasts/models/none").status_code == 404
    forecasts = signed_in("director").get("/v1/forecasts").json()
    assert forecasts["model_version"] == model["version"]
    assert forecasts["made_at"]
    assert set(forecasts["notes"]) == {"general", "without_forecast", "cold_starts", "history"}


def test_nobody_rolls_back_to_nothing_and_a_decision_needs_right_and_reason(signed_in: Client) -> None:
    analyst = signed_in("analyst")
    body = {"reason": "too high"}
    assert analyst.post("/v1/forecasts/models/rollback", json=body).status_code == 409
    assert signed_in("logistics").post("/v1/forecasts/models/rollback", json=body).status_code == 403
    assert analyst.post("/v1/forecasts/models/rollback", json={"reason": " "}).status_code == 422
    assert analyst.post("/v1/forecasts/models/none/promote", json=body).status_code == 404


def test_another_model_is_put_into_use_by_hand_and_forecasts_are_made_with_it(
    signed_in: Client, services: Services
) -> None:
    with services.database.write("test") as session:
        (champion,) = session.query(ForecastModel).filter_by(status="champion").all()
        source = services.settings.model_folder / champion.version
        values = {name: getattr(champion, name) for name in ("trained_at", "trained_by", "data_checksum", "measures")}
        session.add(ForecastModel(version="twin", status="retired", **values))
    (services.settings.model_folder / "twin").mkdir()
    (services.settings.model_folder / "twin" / "forecaster.zip").write_bytes((source / "forecaster.zip").read_bytes())
    analyst = signed_in("analyst")
    answer = analyst.post("/v1/forecasts/models/twin/promote", json={"reason": "to compare"})
    assert answer.status_code == 200, answer.text
    chosen = answer.json()
    assert (chosen["model"]["status"], chosen["model"]["predecessor"]) == ("champion", champion.version)
    job = analyst.get(f"/v1/jobs/{chosen['forecast_job']}", headers={"Prefer": "wait=30"}).json()
    for _ in range(100):
        if job["status"] in ("done", "failed"):
            break
        services.jobs.wait(chosen["forecast_job"], 5)
        job = analyst.get(f"/v1/jobs/{chosen['forecast_job']}").json()
    assert job["status"] == "done", job
    assert job["result"]["monitor"]["state"] == "too_few"
    assert analyst.get("/v1/forecasts").json()["model_version"] == "twin"
    back = analyst.post("/v1/forecasts/models/rollback", json={"reason": "enough compared"})
    assert back.status_code == 200
    assert back.json()["model"]["version"] == champion.version
    services.jobs.wait(back.json()["forecast_job"], 30)
    kinds = [change["kind"] for change in analyst.get("/v1/forecasts/models").json()["changes"]]
    assert kinds[:2] == ["rolled_back", "chosen"]


def test_an_override_counts_at_once_and_can_be_withdrawn(signed_in: Client) -> None:
    manager = signed_in("region_manager")
    own = manager.get("/v1/me").json()["region"]
    day = first_day(signed_in, "region_manager", material="board-sample")
    assert day["override"] is None
    body = {"region": own, "material": "board-sample", "day": day["day"], "factor": 2.0, "reason": "a fair nearby"}
    made = manager.post("/v1/forecasts/overrides", json=body, headers={"Idempotency-Key": "o-1"})
    assert made.status_code == 201, made.text
    again = manager.post("/v1/forecasts/overrides", json=body, headers={"Idempotency-Key": "o-1"})
    assert again.json() == made.json()
    changed = first_day(signed_in, "region_manager", material="board-sample")
    assert changed["override"] == made.json()
    assert changed["model_quantiles"] == day["quantiles"]
    assert changed["quantiles"]["0.5"] == pytest.approx(2 * day["quantiles"]["0.5"], abs=0.02)  # type: ignore[index]
    listed = manager.get("/v1/forecasts/overrides", params={"withdrawn": False}).json()["items"]
    assert [item["id"] for item in listed] == [made.json()["id"]]
    assert manager.get("/v1/forecasts/overrides/value").json()["waiting"] == 1
    path = f"/v1/forecasts/overrides/{made.json()['id']}"
    gone = manager.delete(path, params={"reason": "called off"})
    assert gone.json()["withdrawal_reason"] == "called off"
    assert manager.delete(path).status_code == 409
    assert first_day(signed_in, "region_manager", material="board-sample") == day


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"day": "2001-01-01"}, "/day"),
        ({"material": "moon"}, "/material"),
        ({"reason": ""}, "/reason"),
        ({"factor": 99}, "/factor"),
        ({"units": 3}, "/units"),
    ],
)
def test_a_wrong_override_names_its_field(signed_in: Client, change: dict[str, object], pointer: str) -> None:
    day = first_day(signed_in, material="board-sample")
    body = {"region": day["region"], "material": "board-sample", "day": day["day"], "factor": 2, "reason": "why"}
    answer = signed_in("director").post("/v1/forecasts/overrides", json={**body, **change})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_reps_and_analysts_do_not_override_and_managers_only_their_own(signed_in: Client) -> None:
    own = signed_in("region_manager").get("/v1/me").json()["region"]
    days = signed_in("director").get("/v1/forecasts", params={"material": "board-sample"}).json()["days"]
    day = next(day for day in days if day["region"] != own)
    body = {"region": day["region"], "material": "board-sample", "day": day["day"], "factor": 2, "reason": "why"}
    for role in ("rep", "recorder", "analyst", "region_manager"):
        assert signed_in(role).post("/v1/forecasts/overrides", json=body).status_code == 403
    assert signed_in("rep").get("/v1/forecasts/overrides").status_code == 403
    listed = signed_in("region_manager").get("/v1/forecasts/overrides", params={"region": day["region"]})
    assert listed.status_code == 403


def test_an_earlier_forecast_is_read_as_it_stood(signed_in: Client, services: Services) -> None:
    director = signed_in("director")
    newest = date.fromisoformat(director.get("/v1/forecasts").json()["origin"])
    earlier = newest - timedelta(days=5)
    with services.database.write("test") as session:
        (version,) = {row.version for row in session.query(ForecastModel).filter_by(status="champion")}
        session.add_all(
            Forecast(
                region_code="wuhou",
                material_code="board-sample",
                origin=earlier,
                day=earlier + timedelta(days=1),
                quantile=quantile,
                quantity_units=units,
                model_version=version,
            )
            for quantile, units in ((0.05, 5), (0.1, 10), (0.5, 50), (0.9, 90), (0.98, 98))
        )
    for asked in ({"origin": str(earlier)}, {"as_of": str(newest - timedelta(days=1))}):
        answer = director.get("/v1/forecasts", params=asked)
        assert answer.json()["origin"] == str(earlier)
        assert [day["quantiles"]["0.5"] for day in answer.json()["days"]] == [50.0]
    assert director.get("/v1/forecasts", params={"as_of": "2001-01-01"}).status_code == 404
    both = director.get("/v1/forecasts", params={"as_of": str(earlier), "origin": str(earlier)})
    assert both.json()["errors"][0]["pointer"] == "query/origin"
    accuracy = director.get("/v1/forecasts/accuracy").json()
    assert accuracy["lived"]["days"] == 1
    assert accuracy["monitor"]["state"] in ("too_few", "drifting")
    monitor = director.get("/v1/forecasts/monitor")
    assert monitor.json() == accuracy["monitor"]
    assert {signal["name"] for signal in monitor.json()["signals"]} == {"level", "weekday_mix"}
    assert signed_in("rep").get("/v1/forecasts/monitor").status_code == 403


def test_the_command_line_does_the_same(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(services.settings.data_folder))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*words: str) -> tuple[int, str]:
        told = CliRunner().invoke(app, ["forecast", *words])
        return told.exit_code, told.output

    models = json.loads(run("models", "--json")[1])["items"]
    assert [model["status"] for model in models].count("champion") == 1
    assert "champion" in run("models")[1]
    assert run("promote", "none", "--reason", "why")[1].startswith("fieldwise: there is no forecast model 'none'")
    code, told = run("monitor", "--json")
    assert code == (json.loads(told)["state"] == "drifting")
    with services.database.read() as session:
        day = max(row.day for row in session.query(Forecast.day)).isoformat()
        assert session.get(DailyConsumption, ("wuhou", "board-sample", date.fromisoformat(day))) is None
    code, told = run("override", "wuhou", "board-sample", day, "--units", "77", "--reason", "a fair", "--json")
    made = json.loads(told)
    assert (code, made["effective_units"], made["made_by"]) == (0, 77.0, "command-line")
    assert made["id"] in [item["id"] for item in json.loads(run("overrides", "--json")[1])["items"]]
    assert json.loads(run("overrides", "--value", "--json")[1])["waiting"] == 1
    assert "value added" in run("overrides", "--value")[1]
    code, told = run("overrides", "--withdraw", made["id"], "--json")
    assert json.loads(told)["items"][0]["withdrawn_by"] == "command-line"
    code, told = run("override", "moon", "board-sample", day, "--units", "77", "--reason", "a fair")
    assert code == 2
    assert "moon" in told
