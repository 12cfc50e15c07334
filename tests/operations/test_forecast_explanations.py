"""Explanations and figures of the stored forecast of a small organisation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from common.clock import FixedClock
from common.errors import Forbidden, InvalidInput, NotReady
from operations.access import Actor
from operations.demand import make_forecast
from operations.demand_history import history
from operations.demand_marks import marks
from operations.forecast_explanations import explain
from operations.forecast_figures import PICTURE_QUANTILES, FiguresQuestion, figures
from operations.forecast_overrides import OverrideWish, make_override
from operations.forecast_training import train_model
from operations.forecast_words import EVENT_NAMES, WORDING
from operations.store.database import Database
from operations.store.tables import DailyConsumption, Event, Forecast, ForecastTotal, PlannedActivity
from operations.vocabulary import EVENT_KINDS
from tests.operations.demand_records import (
    LAST,
    MATERIALS,
    PLAN,
    REGIONS,
    add_consumption,
    add_forecast,
    add_model,
    set_up_materials,
)

SYSTEM = Actor.system("test")
FAIR = LAST + timedelta(days=2)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the trained organisation, which is made once and copied for each test."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def folder(kept: Path) -> Path:
    return kept / "models"


@pytest.fixture
def demand(organisation: Database, kept: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    """Half a year with visits that move demand and a fair every few weeks, a trained model and its forecast."""
    file = kept / "fieldwise.db"
    if not file.exists():
        live_half_a_year(organisation)
        train_model(organisation, kept / "models", "analyst", plan=replace(PLAN, measured_origins=0))
        make_forecast(organisation, kept / "models", "test")
        organisation.close()
        shutil.copy(tmp_path / "fieldwise.db", file)
    shutil.copy(file, tmp_path / "own.db")
    database = Database(f"sqlite:///{tmp_path / 'own.db'}", clock=clock)
    yield database
    database.close()


def live_half_a_year(organisation: Database) -> None:
    set_up_materials(organisation)
    first = LAST - timedelta(days=180)
    fairs = {first + timedelta(days=offset) for offset in range(9, 170, 12)} | {FAIR}
    with organisation.write("test") as session:
        for number, day in enumerate(sorted(fairs)):
            session.add(
                Event(
                    code=f"fair-{number}",
                    region_code="wuhou",
                    kind="fair",
                    name_zh=f"第 {number} 届展会",
                    name_en=f"Fair {number}",
                    starts_on=day,
                    ends_on=day,
                    expected_visitors=3000,
                )
            )
        for offset in range(184):
            for region in REGIONS:
                day = first + timedelta(days=offset)
                session.add(PlannedActivity(region_code=region, day=day, planned_visits=10 + 3 * (offset % 5)))
    add_consumption(
        organisation,
        first,
        LAST,
        level=lambda region, material, day: 40.0 * (2.5 if region == "wuhou" and day in fairs else 1.0),
    )


def test_the_fair_of_the_day_is_named_first_and_the_causes_add_up(demand: Database, folder: Path) -> None:
    with demand.read() as session:
        found = explain(session, folder, SYSTEM, "wuhou", "gift_pack")
    assert found.origin == LAST
    assert [one.explanation.day for one in found.days] == [LAST + timedelta(days=ahead) for ahead in (1, 2, 3)]
    for one in found.days:
        told = one.explanation
        assert told.reference_day == told.day - timedelta(days=7)
        assert told.forecast_units is not None
        assert told.reference_units is not None
        total = sum(part.units for part in told.contributions)
        assert total == pytest.approx(told.forecast_units - told.reference_units, abs=1e-6)
    fair = found.days[1]
    assert fair.explanation.contributions[0].cause == "event_fair"
    assert ": a fair (+" in fair.explanation.sentence.en
    assert "有展会（+" in fair.explanation.sentence.zh
    assert [mark.name.en for mark in fair.marks] == ["Fair 14"]
    assert fair.marks_before == ()
    names = {part.cause: part.label.zh for one in found.days for part in one.explanation.contributions}
    assert names["planned_visits"] == "计划拜访"


def test_one_place_alone_is_explained_as_from_the_whole_history(
    demand: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demand.read() as session:
        alone = explain(session, folder, SYSTEM, "jinniu", "leaflet")
        monkeypatch.setattr("operations.forecast_explanations.OWN_DAYS", 1000)
        among_all = explain(session, folder, SYSTEM, "jinniu", "leaflet")
        panel = history(session)
    assert len(panel.series) == len(REGIONS) * len(MATERIALS)
    assert alone == among_all


def test_what_came_after_the_forecast_does_not_change_its_explanation(demand: Database, folder: Path) -> None:
    with demand.read() as session:
        before = explain(session, folder, SYSTEM, "wuhou", "gift_pack")
    add_consumption(demand, LAST + timedelta(days=1), LAST + timedelta(days=2), level=lambda *place: 900.0)
    with demand.read() as session:
        assert explain(session, folder, SYSTEM, "wuhou", "gift_pack") == before


def test_an_override_is_shown_beside_the_models_explanation(demand: Database, folder: Path) -> None:
    day = LAST + timedelta(days=1)
    with demand.write("director") as session:
        made = make_override(session, SYSTEM, OverrideWish("wuhou", "gift_pack", day, "a stand more", factor=2.0))
    with demand.read() as session:
        found = explain(session, folder, SYSTEM, "wuhou", "gift_pack", day=day)
        shown = figures(session, SYSTEM, FiguresQuestion("wuhou", "gift_pack"))
    (one,) = found.days
    assert one.override == made
    assert shown.ahead[0].override == made
    assert shown.ahead[0].model_quantiles is not None


def test_a_place_without_history_is_a_result_with_its_reason(demand: Database, folder: Path) -> None:
    with demand.write("test") as session:
        session.execute(delete(DailyConsumption).where(DailyConsumption.region_code == "jinniu"))
        for table in (Forecast, ForecastTotal):
            session.execute(delete(table).where(table.region_code == "jinniu"))
    with demand.read() as session:
        found = explain(session, folder, SYSTEM, "jinniu", "gift_pack")
        empty = figures(session, SYSTEM, FiguresQuestion("jinniu", "gift_pack"))
    assert [one.explanation.forecast_units for one in found.days] == [None] * 3
    assert all(one.explanation.reason for one in found.days)
    assert (empty.used, empty.ahead) == ((), ())


@pytest.mark.parametrize("ask", ["explain", "figures"])
def test_only_those_who_see_the_forecast_see_why(
    demand: Database, folder: Path, actors: dict[str, Actor], ask: str
) -> None:
    def asked(actor: str, region: str, material: str = "gift_pack") -> object:
        with demand.read() as session:
            if ask == "explain":
                return explain(session, folder, actors[actor], region, material)
            return figures(session, actors[actor], FiguresQuestion(region, material))

    assert asked("manager", "wuhou")
    assert asked("analyst", "jinniu")
    for actor, region in (("manager", "jinniu"), ("rep-1", "wuhou"), ("recorder", "wuhou")):
        with pytest.raises(Forbidden):
            asked(actor, region)
    for region, material in (("moon", "gift_pack"), ("wuhou", "moon")):
        with pytest.raises(InvalidInput):
            asked("director", region, material)


def test_a_day_that_is_not_forecast_and_a_model_that_is_gone_are_said(demand: Database, folder: Path) -> None:
    with demand.read() as session:
        with pytest.raises(InvalidInput, match="2026-11-20 to 2026-11-22") as error:
            explain(session, folder, SYSTEM, "wuhou", "gift_pack", day=LAST)
        assert error.value.fields[0].pointer == "query/day"
        with pytest.raises(NotReady):
            explain(session, folder / "elsewhere", SYSTEM, "wuhou", "gift_pack")


def test_every_kind_of_event_has_words() -> None:
    assert set(EVENT_NAMES) == set(EVENT_KINDS)
    assert WORDING.column("event_fair").name.zh == "展会"
    assert WORDING.column("rainfall").name.en == "rainfall"


def test_holidays_and_events_mark_their_days(organisation: Database) -> None:
    with organisation.write("test") as session:
        for code, region in (("own", "wuhou"), ("all", None), ("other", "jinniu")):
            session.add(
                Event(
                    code=code,
                    region_code=region,
                    kind="promotion",
                    name_zh=code,
                    name_en=code,
                    starts_on=LAST.replace(month=10, day=5),
                    ends_on=LAST.replace(month=10, day=30),
                )
            )
    first, last = LAST.replace(month=10, day=2), LAST.replace(month=10, day=20)
    with organisation.read() as session:
        found = marks(session, "wuhou", first, last, country="CN")
        plain = marks(session, "wuhou", first, last, country=None)
    assert [(mark.kind, mark.name.zh, mark.first.day, mark.last.day) for mark in found] == [
        ("holiday", "国庆节", 2, 7),
        ("promotion", "all", 5, 20),
        ("promotion", "own", 5, 20),
        ("make_up", "调休上班", 10, 10),
    ]
    assert [mark.kind for mark in plain] == ["promotion", "promotion"]


def test_figures_hold_eight_weeks_and_earlier_forecasts_on_request(organisation: Database) -> None:
    set_up_materials(organisation)
    add_consumption(organisation, LAST - timedelta(days=90), LAST)
    add_model(organisation)
    for back in (0, 1, 2, 9, 80):
        add_forecast(organisation, LAST - timedelta(days=back))
    with organisation.write("test") as session:
        session.delete(session.get_one(DailyConsumption, ("wuhou", "leaflet", LAST - timedelta(days=3))))
    with organisation.read() as session:
        found = figures(session, SYSTEM, FiguresQuestion("wuhou", "leaflet", earlier=True))
        plain = figures(session, SYSTEM, FiguresQuestion("wuhou", "leaflet"))
    assert found.first_day == LAST - timedelta(days=55)
    assert [item.day for item in found.used] == [
        found.first_day + timedelta(days=offset) for offset in range(56) if offset != 52
    ]
    assert [tuple(item.quantiles) for item in found.ahead] == [PICTURE_QUANTILES] * 3
    assert [(LAST - item.day).days for item in found.earlier] == [8, 1, 0]
    assert plain.earlier == ()
