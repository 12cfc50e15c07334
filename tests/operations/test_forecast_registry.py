"""Which model comes into use and why, the way back, and forecasts as they stood earlier."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from common.clock import FixedClock
from common.errors import Conflict, Forbidden, InvalidInput, NotFound, NotReady, Text
from forecasting.boosting import TreeSettings
from forecasting.comparison import Comparison
from forecasting.model import TooLittleHistory
from forecasting.trial import Trial
from operations import forecast_models, forecast_monitor, forecasts
from operations.access import Actor
from operations.demand import ModelCard, TrainingPlan, make_forecast, train_model
from operations.forecast_models import model_file
from operations.forecast_training import judge
from operations.forecasts import ForecastQuestion, stored_forecast
from operations.store.database import Database
from operations.store.tables import AuditRecord, DailyConsumption, ForecastRun
from tests.operations.demand_records import (
    LAST,
    PLAN,
    QUICK,
    add_consumption,
    add_forecast,
    add_model,
    set_up_demand,
    set_up_materials,
)

SYSTEM = Actor.system("test")
POOR = replace(QUICK, trees=TreeSettings(iterations=1, learning_rate=0.01, leaves=2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def demand(organisation: Database) -> Database:
    set_up_demand(organisation)
    return organisation


def trained(database: Database, folder: Path, plan: TrainingPlan = PLAN) -> ModelCard:
    card = train_model(database, folder, "analyst", plan=plan)
    assert not isinstance(card, TooLittleHistory)
    return card


def status(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {card.version: card.status for card in forecast_models.models(session, SYSTEM)}


def pass_days(database: Database, clock: FixedClock, days: int, *, level: float = 40.0) -> None:
    with database.read() as session:
        last = max(session.scalars(select(DailyConsumption.day)))
    add_consumption(database, last + timedelta(days=1), last + timedelta(days=days), level=lambda *place: level)
    clock.advance(timedelta(days=days))


def test_the_first_model_is_the_champion_and_keeps_what_it_was_made_from(demand: Database, folder: Path) -> None:
    card = trained(demand, folder)
    assert (card.status, card.trained_by, card.decided_by) == ("champion", "analyst", "analyst")
    assert card.reason == Text("the first model", "首个模型")
    assert card.version.startswith("2026-11-19-")
    assert card.data_checksum.startswith(card.version.split("-")[-1])
    assert card.manifest["config"]["trees"]["iterations"] == 15
    assert card.manifest["libraries"]["scikit-learn"]
    assert len(card.manifest["features"]) > 10
    assert card.measures["origins"] == 2
    assert card.trained_until == LAST
    with demand.read() as session:
        changes = forecast_models.changes(session, SYSTEM)
        assert [(change.kind, change.version) for change in changes] == [
            ("promoted", card.version),
            ("trained", card.version),
        ]
        assert session.scalar(select(AuditRecord.actor).where(AuditRecord.subject == "forecast_model_change"))


def test_the_same_history_and_settings_give_the_same_model(demand: Database, folder: Path) -> None:
    first = trained(demand, folder, replace(PLAN, measured_origins=0))
    assert first.measures == {}
    again = trained(demand, folder)
    assert (again.version, again.status) == (first.version, "champion")
    assert again.measures["origins"] == 2
    assert status(demand) == {first.version: "champion"}


def test_fresh_data_replace_a_champion_of_the_same_settings_and_roll_back_undoes_it(
    demand: Database, folder: Path, clock: FixedClock
) -> None:
    plan = replace(PLAN, measured_origins=0)
    first = trained(demand, folder, plan)
    pass_days(demand, clock, 3)
    second = trained(demand, folder, plan)
    assert second.status == "champion"
    assert second.predecessor == first.version
    assert second.reason is not None
    assert "fresh data (3 days more), same settings" in second.reason.en
    assert second.trial["evidence"] == "none"
    with demand.write("director") as session:
        back = forecast_models.roll_back(session, folder, SYSTEM, "too high on Mondays")
        assert (back.version, back.status, back.decided_by) == (first.version, "champion", "director")
    assert status(demand) == {first.version: "champion", second.version: "retired"}
    with demand.write("director") as session, pytest.raises(Conflict, match="no model before"):
        forecast_models.roll_back(session, folder, SYSTEM, "further")
    # What a person chose is not replaced by the next training for its fresher data alone.
    pass_days(demand, clock, 3)
    third = trained(demand, folder, plan)
    assert third.status == "challenger"
    assert third.reason is not None
    assert "a person chose the champion" in third.reason.en
    with demand.write("director") as session:
        chosen = forecast_models.promote(session, folder, SYSTEM, third.version, "it is fine again")
        assert chosen.predecessor == first.version
        kinds = [change.kind for change in forecast_models.changes(session, SYSTEM)]
    assert kinds[:3] == ["chosen", "trained", "rolled_back"]
    assert make_forecast(demand, folder, "test").model_version == third.version


def test_a_poor_challenger_waits_with_its_trial_and_a_good_one_replaces_a_poor_champion(
    demand: Database, folder: Path
) -> None:
    good = trained(demand, folder)
    poor = trained(demand, folder, replace(PLAN, config=POOR))
    assert poor.status == "challenger"
    assert poor.version.startswith(good.version + "-")
    assert poor.trial["worse"]
    assert poor.trial["evidence"] == "both_probes"
    assert poor.trial["champion"] == good.version
    assert poor.trial["interval"][0] > 0
    with demand.write("analyst") as session:
        forecast_models.promote(session, folder, SYSTEM, poor.version, "to see what happens")
    again = trained(demand, folder)
    assert (again.version, again.status) == (good.version, "champion")
    assert again.trial["better"]
    assert status(demand) == {good.version: "champion", poor.version: "retired"}


def test_a_champion_that_cannot_be_read_is_replaced(demand: Database, folder: Path) -> None:
    first = trained(demand, folder)
    model_file(folder, first.version).write_bytes(b"gone bad")
    second = trained(demand, folder, replace(PLAN, config=POOR))
    assert second.status == "champion"
    assert second.reason is not None
    assert "cannot be used any more" in second.reason.en


def test_old_files_go_but_never_the_champions_or_its_predecessors(
    demand: Database, folder: Path, clock: FixedClock
) -> None:
    plan = replace(PLAN, measured_origins=0, kept_models=1)
    made = []
    for _ in range(4):
        made.append(trained(demand, folder, plan).version)
        pass_days(demand, clock, 1)
    assert [model_file(folder, version).exists() for version in made] == [False, True, True, True]
    with demand.write("test") as session:
        cards = {card.version: card for card in forecast_models.models(session, SYSTEM)}
        assert [cards[version].file_kept for version in made] == [False, True, True, True]
        with pytest.raises(Conflict, match="is gone"):
            forecast_models.promote(session, folder, SYSTEM, made[0], "back to the first")
    assert trained(demand, folder, replace(plan, kept_models=0)).status == "champion"
    assert [model_file(folder, version).exists() for version in made] == [False, False, False, True]


def test_only_who_trains_decides_and_only_with_a_reason(
    demand: Database, folder: Path, actors: dict[str, Actor]
) -> None:
    add_model(demand)
    with demand.write("test") as session:
        for name in ("manager", "logistics", "rep-1"):
            with pytest.raises(Forbidden):
                forecast_models.roll_back(session, folder, actors[name], "why not")
        with pytest.raises(InvalidInput, match="reason"):
            forecast_models.promote(session, folder, actors["analyst"], "model-1", "  ")
        with pytest.raises(Conflict, match="in use already"):
            forecast_models.promote(session, folder, actors["analyst"], "model-1", "because")
        with pytest.raises(NotFound):
            forecast_models.promote(session, folder, actors["analyst"], "model-2", "because")


def comparison(*, better: bool = False, worse: bool = False) -> Comparison:
    return Comparison(-0.1, (-0.2, 0.1), 28, 1.0, 0.9, better, worse, Text("so it is", "如此"))


@pytest.mark.parametrize(
    ("trial", "fresher_days", "by_hand", "promoted"),
    [
        (Trial("both_probes", False, comparison(better=True), Text("x", "x")), 0, True, True),
        (Trial("stored_model", True, comparison(worse=True), Text("x", "x")), 90, False, False),
        (Trial("none", True, None, Text("x", "x")), 7, False, True),
        (Trial("none", True, None, Text("x", "x")), 7, True, False),
        (Trial("none", True, None, Text("x", "x")), 0, False, False),
        (Trial("both_probes", False, comparison(), Text("x", "x")), 7, False, False),
        (Trial("same_cut", False, comparison(), Text("x", "x")), 28, False, True),
        (Trial("none", False, None, Text("x", "x")), 90, False, False),
    ],
    ids=[
        "better beyond noise, even than one chosen by hand",
        "worse beyond noise, however fresh",
        "fresh data, same settings",
        "fresh data against a choice by hand",
        "no fresher data",
        "other settings, not told apart, young champion",
        "other settings, not told apart, old champion",
        "other settings, nothing measured",
    ],
)
def test_the_rule_of_promotion(trial: Trial, fresher_days: int, by_hand: bool, promoted: bool) -> None:
    assert judge(trial, fresher_days=fresher_days, by_hand=by_hand)[0] is promoted


def test_a_forecast_is_stored_with_its_notes_and_can_be_read_as_it_stood(
    demand: Database, folder: Path, clock: FixedClock, actors: dict[str, Actor]
) -> None:
    with demand.write("test") as session:
        last = session.get_one(DailyConsumption, ("wuhou", "leaflet", LAST))
        last.available = False
    card = trained(demand, folder, replace(PLAN, measured_origins=0))
    made = make_forecast(demand, folder, "test")
    assert (made.origin, made.model_version) == (LAST, card.version)
    (hole,) = made.notes.history
    assert (hole.region_code, hole.material_code) == ("wuhou", "leaflet")
    assert hole.text.en.endswith("and since 2026-11-18")
    pass_days(demand, clock, 2, level=90.0)
    later = make_forecast(demand, folder, "test")
    assert later.origin == LAST + timedelta(days=2)
    with demand.read() as session:
        for question in (
            ForecastQuestion(as_of=LAST + timedelta(days=1)),
            ForecastQuestion(origin=LAST),
            ForecastQuestion(as_of=LAST),
        ):
            assert stored_forecast(session, SYSTEM, question) == made
        assert stored_forecast(session, actors["manager"], ForecastQuestion(origin=LAST)).notes.history == (hole,)
        other = Actor.person("m", "region_manager", "jinniu")
        assert stored_forecast(session, other, ForecastQuestion(origin=LAST)).notes.history == ()
        with pytest.raises(NotFound, match="from 2026-11-19 to 2026-11-21"):
            stored_forecast(session, SYSTEM, ForecastQuestion(as_of=LAST - timedelta(days=1)))
        with pytest.raises(InvalidInput, match="either origin or as_of"):
            stored_forecast(session, SYSTEM, ForecastQuestion(origin=LAST, as_of=LAST))


def test_old_origins_are_forgotten_whole(organisation: Database) -> None:
    set_up_materials(organisation)
    add_model(organisation)
    for back in (0, 30, 31):
        add_forecast(organisation, LAST - timedelta(days=back))
    with organisation.write("test") as session:
        session.add(
            ForecastRun(
                origin=LAST - timedelta(days=31),
                model_version="model-1",
                made_at=session.info["clock"].now(),
                made_by="test",
                notes={},
            )
        )
    with organisation.write("test") as session:
        assert forecasts.forget_old_forecasts(session, 30) == 1
        assert forecasts.origins(session, SYSTEM) == [LAST, LAST - timedelta(days=30)]
        assert session.scalars(select(ForecastRun)).all() == []


def lived(database: Database, days: int, *, level_now: float = 40.0, now_since: date = LAST) -> None:
    """Store a forecast for each of the last ``days`` days, and demand of half a year that changes at ``now_since``."""
    set_up_materials(database)
    add_model(database)
    add_consumption(
        database,
        LAST - timedelta(days=180),
        LAST,
        level=lambda region, material, day: level_now if day >= now_since else 44.0 / 1.1,
    )
    for back in range(3, days + 3):
        origin = LAST - timedelta(days=back)
        rhythm = (0.8, 0.9, 1.0, 1.0, 1.1, 1.5, 1.4)[(origin + timedelta(days=2)).weekday()]
        add_forecast(database, origin, median=40.0 * rhythm)


def test_stored_forecasts_whose_days_have_come_are_measured(organisation: Database) -> None:
    lived(organisation, 1)
    with organisation.read() as session:
        found = forecast_monitor.accuracy(session, SYSTEM)
        rows = {
            (row.region_code, row.material_code, row.day): row.quantity_units
            for row in session.scalars(select(DailyConsumption).where(DailyConsumption.day > LAST - timedelta(days=3)))
        }
        question = ForecastQuestion(origin=LAST - timedelta(days=3))
        said = stored_forecast(session, SYSTEM, question).days
    assert found.lived_days == 3
    errors = [day.quantiles[0.5] - rows[day.region_code, day.material_code, day.day] for day in said]
    assert found.lived_wape == pytest.approx(sum(map(abs, errors)) / sum(rows.values()), abs=1e-3)
    assert found.lived_bias == pytest.approx(sum(errors) / sum(rows.values()), abs=1e-3)
    inside = [
        day.quantiles[0.1] <= rows[day.region_code, day.material_code, day.day] <= day.quantiles[0.9] for day in said
    ]
    assert found.lived_coverage80 == pytest.approx(sum(inside) / len(inside))
    assert found.monitor is not None
    assert (found.monitor.state, found.monitor.retrain) == ("too_few", False)
    assert "3 days with forecasts have come, 14 are needed" in found.monitor.reason.en


def test_demand_that_doubles_is_drift_and_asks_for_a_training_once(organisation: Database, clock: FixedClock) -> None:
    lived(organisation, 40, level_now=80.0, now_since=LAST - timedelta(days=20))
    with organisation.read() as session:
        report = forecast_monitor.monitor(session, SYSTEM)
        assert report.state == "drifting"
        assert report.retrain
        drifting = {signal.name for signal in report.signals if signal.drifting}
        assert {"wape", "bias", "coverage80"} <= drifting
        assert report.lived_days == 28
        assert report.lived.bias is not None
        assert report.lived.bias < -0.2
        assert "WAPE" in report.reason.en
        assert "偏差" in report.reason.zh
    add_model(organisation, "model-2", status="challenger", trained_at=clock.now() - timedelta(days=6))
    with organisation.read() as session:
        report = forecast_monitor.monitor(session, SYSTEM)
        assert (report.state, report.retrain) == ("drifting", False)


def test_a_manager_sees_the_own_region_only(organisation: Database, actors: dict[str, Actor]) -> None:
    lived(organisation, 20)
    with organisation.write("test") as session:
        for row in session.scalars(select(DailyConsumption).where(DailyConsumption.region_code == "jinniu")):
            row.quantity_units = 0.0
    with organisation.read() as session:
        own = forecast_monitor.monitor(session, actors["manager"])
        everybody = forecast_monitor.monitor(session, SYSTEM)
        assert own.lived.wape is not None
        assert everybody.lived.wape is not None
        assert own.lived.wape < 0.3 < everybody.lived.wape
        with pytest.raises(Forbidden):
            forecast_monitor.monitor(session, actors["rep-1"])


def test_without_a_model_nothing_can_be_watched(organisation: Database, folder: Path) -> None:
    with organisation.read() as session, pytest.raises(NotReady):
        forecast_monitor.monitor(session, SYSTEM)
    set_up_materials(organisation)
    add_consumption(organisation, LAST - timedelta(days=5), LAST)
    assert isinstance(train_model(organisation, folder, "test", plan=PLAN), TooLittleHistory)
    assert status(organisation) == {}
