"""Consumption from files: stored whole or not at all, again without effect, and only for days that are over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from common.clock import FixedClock
from common.errors import Forbidden, InvalidInput, NotReady
from forecasting.panel import read_panel
from operations.access import Actor
from operations.consumption_import import (
    ConsumptionFilter,
    ConsumptionReport,
    export_consumption,
    import_consumption,
)
from operations.demand_history import history, last_closed_days
from operations.store.database import Database
from operations.store.tables import AuditRecord, DailyConsumption, Event, Material, PlannedActivity, Region

# The clock of the tests stands at 2026-11-20 02:00 UTC: 10:00 in Chengdu, 18:00 of the day before in Los Angeles.
YESTERDAY = date(2026, 11, 19)


@pytest.fixture
def stocked(organisation: Database) -> Database:
    with organisation.write("test") as session:
        for code in ("pack", "leaflet"):
            session.add(
                Material(
                    code=code,
                    name_zh=code,
                    name_en=code,
                    unit_zh="个",
                    unit_en="pcs",
                    shortage_cost_cny=5,
                    holding_cost_cny_per_day=0.1,
                )
            )
    return organisation


def csv(*lines: str) -> bytes:
    return "\n".join(["date,region,item,quantity,available", *lines]).encode()


def imported(database: Database, content: bytes, actor: Actor | None = None, **options: object) -> ConsumptionReport:
    actor = actor or Actor.system("test")
    with database.write(actor.code) as session:
        return import_consumption(session, actor, content, "need.csv", **options)  # type: ignore[arg-type]


def stored(database: Database) -> dict[tuple[str, str, date], tuple[float, bool]]:
    with database.read() as session:
        rows = session.scalars(select(DailyConsumption)).all()
    return {(row.region_code, row.material_code, row.day): (row.quantity_units, row.available) for row in rows}


FILE = csv("2026-11-17,wuhou,pack,12,1", "2026-11-19,wuhou,pack,7.5,0", "2026/11/18,jinniu,leaflet,0,")


def test_a_file_is_stored_once_and_again_changes_nothing(stocked: Database) -> None:
    first = imported(stocked, FILE)
    assert (first.rows, first.added, first.changed, first.unchanged) == (3, 3, 0, 0)
    assert (first.first_day, first.last_day) == (date(2026, 11, 17), YESTERDAY)
    kept = stored(stocked)
    assert kept == {
        ("wuhou", "pack", date(2026, 11, 17)): (12, True),
        ("wuhou", "pack", YESTERDAY): (7.5, False),
        ("jinniu", "leaflet", date(2026, 11, 18)): (0, True),
    }
    again = imported(stocked, FILE)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    assert stored(stocked) == kept


def test_a_changed_day_is_replaced_others_stay_and_the_audit_log_keeps_the_old_value(stocked: Database) -> None:
    imported(stocked, FILE)
    report = imported(stocked, csv("2026-11-17,wuhou,pack,13,1", "2026-11-16,wuhou,pack,1,1"))
    assert (report.added, report.changed) == (1, 1)
    assert stored(stocked)["wuhou", "pack", date(2026, 11, 17)] == (13, True)
    assert len(stored(stocked)) == 4
    with stocked.read() as session:
        first, second = session.scalars(select(AuditRecord).where(AuditRecord.action == "import")).all()
    assert (first.actor, first.subject, first.changes["added"]) == ("test", "daily_consumption", 3)
    assert second.changes["replaced"] == {"wuhou/pack/2026-11-17": [[12, True], [13, True]]}


def test_a_dry_run_counts_and_stores_nothing(stocked: Database) -> None:
    report = imported(stocked, FILE, dry_run=True)
    assert (report.added, report.dry_run) == (3, True)
    assert stored(stocked) == {}


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ("2026-11-17,moon,pack,1,1", "row 3, column region"),
        ("2026-11-17,wuhou,rocket,1,1", "row 3, column item"),
        ("2026-11-17,wuhou,pack,-1,1", "row 3, column quantity"),
        ("2026-11-18,wuhou,pack,1,1", "row 3, column date"),
        ("yesterday,wuhou,pack,1,1", "row 3, column date"),
        ("2026-11-17,wuhou,pack,1,perhaps", "row 3, column available"),
    ],
)
def test_one_wrong_row_keeps_the_whole_file_out(stocked: Database, line: str, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        imported(stocked, csv("2026-11-18,wuhou,pack,4,1", line))
    assert [problem.pointer for problem in caught.value.fields] == [pointer]
    assert stored(stocked) == {}


def test_every_wrong_place_is_named(stocked: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        imported(stocked, csv("2026-11-18,moon,rocket,4,1", "2026-11-18,mars,pack,4,1"))
    assert [problem.pointer for problem in caught.value.fields] == [
        "row 2, column region",
        "row 2, column item",
        "row 3, column region",
    ]


def test_several_rows_of_a_day_are_summed_when_asked(stocked: Database) -> None:
    lines = ["2026-11-18,wuhou,pack,4,1", "2026-11-18,wuhou,pack,3,1"]
    report = imported(stocked, csv(*lines), duplicates="sum")
    assert (report.rows, report.added) == (2, 1)
    assert stored(stocked) == {("wuhou", "pack", date(2026, 11, 18)): (7, True)}


def test_days_that_are_not_over_where_the_region_lies_are_left_out_and_counted(stocked: Database) -> None:
    with stocked.write("test") as session:
        session.add(
            Region(
                code="la", name_zh="洛城", name_en="LA", latitude=34, longitude=-118, time_zone="America/Los_Angeles"
            )
        )
    lines = [f"2026-11-{day},{region},pack,5,1" for region in ("wuhou", "la") for day in (18, 19, 20)]
    report = imported(stocked, csv(*lines))
    assert (report.added, report.not_closed) == (3, 3)
    assert report.last_day == YESTERDAY
    assert ("la", "pack", YESTERDAY) not in stored(stocked)
    assert ("wuhou", "pack", YESTERDAY) in stored(stocked)


def test_a_row_without_quantity_leaves_its_day_unknown_unless_stock_ran_out(stocked: Database) -> None:
    report = imported(stocked, csv("2026-11-17,wuhou,pack,,1", "2026-11-18,wuhou,pack,,0"))
    assert (report.added, report.without_quantity) == (1, 1)
    assert stored(stocked) == {("wuhou", "pack", date(2026, 11, 18)): (0, False)}


def test_moments_become_days_of_their_regions_zone(stocked: Database) -> None:
    imported(stocked, csv("2026-11-17T17:00:00Z,wuhou,pack,2,1"))
    assert stored(stocked) == {("wuhou", "pack", date(2026, 11, 18)): (2, True)}


def test_a_manager_writes_the_own_region_only_and_most_roles_nothing(
    stocked: Database, actors: dict[str, Actor]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        imported(stocked, FILE, actors["manager"])
    assert [problem.pointer for problem in caught.value.fields] == ["row 4, column region"]
    assert imported(stocked, csv("2026-11-17,wuhou,pack,1,1"), actors["manager"]).added == 1
    assert imported(stocked, FILE, actors["logistics"]).added == 2
    for name in ("rep-1", "recorder", "analyst"):
        with pytest.raises(Forbidden):
            imported(stocked, FILE, actors[name])


def test_other_columns_are_named_and_not_used(stocked: Database) -> None:
    report = imported(stocked, "日期,区域,物料,数量,备注\n2026-11-17,wuhou,pack,3,雨".encode("gbk"))
    assert report.ignored_columns == ("备注",)
    assert report.added == 1


@pytest.mark.parametrize("layout", ["csv", "xlsx"])
def test_an_export_can_be_imported_again_unchanged_and_into_an_empty_table(stocked: Database, layout: str) -> None:
    imported(stocked, FILE)
    kept = stored(stocked)
    with stocked.read() as session:
        content = export_consumption(session, Actor.system("test"), ConsumptionFilter(), layout=layout)  # type: ignore[arg-type]
    assert imported(stocked, content).unchanged == 3
    with stocked.write("test") as session:
        session.execute(delete(DailyConsumption))
    assert imported(stocked, content).added == 3
    assert stored(stocked) == kept


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.dictionaries(st.integers(1, 60), st.tuples(st.floats(0, 1e9), st.booleans()), min_size=1, max_size=12),
    layout=st.sampled_from(["csv", "xlsx"]),
)
def test_any_quantities_survive_the_way_out_and_in(
    stocked: Database, days: dict[int, tuple[float, bool]], layout: str
) -> None:
    expected = {("wuhou", "pack", YESTERDAY - timedelta(days=back)): value for back, value in days.items()}
    with stocked.write("test") as session:
        session.execute(delete(DailyConsumption))
        for (region, material, day), (quantity, available) in expected.items():
            session.add(
                DailyConsumption(
                    region_code=region, material_code=material, day=day, quantity_units=quantity, available=available
                )
            )
    with stocked.read() as session:
        content = export_consumption(session, Actor.system("test"), ConsumptionFilter(), layout=layout)  # type: ignore[arg-type]
    with stocked.write("test") as session:
        session.execute(delete(DailyConsumption))
    assert imported(stocked, content).added == len(expected)
    assert stored(stocked) == expected


def test_an_export_with_plans_reads_back_as_the_forecasters_history(stocked: Database) -> None:
    imported(stocked, FILE)
    with stocked.write("test") as session:
        session.add(PlannedActivity(region_code="wuhou", day=date(2026, 11, 17), planned_visits=12))
        session.add(
            Event(
                code="fair",
                region_code="jinniu",
                kind="fair",
                name_zh="展会",
                name_en="fair",
                starts_on=date(2026, 11, 18),
                ends_on=YESTERDAY,
                expected_visitors=3000,
            )
        )
    for layout in ("csv", "xlsx"):
        with stocked.read() as session:
            wanted = ConsumptionFilter(plans=True)
            content = export_consumption(session, Actor.system("test"), wanted, layout=layout)  # type: ignore[arg-type]
            panel = history(session)
        again = read_panel(content)
        np.testing.assert_array_equal(again.quantity, panel.quantity[:, :3])
        assert again.covariates["planned_visits"][1, 0] == panel.covariates["planned_visits"][1, 0] == 12
        assert again.covariates["event_fair"][0, 1] == 3
        report = imported(stocked, content)
        assert report.unchanged == 3
        assert report.ignored_columns == ("planned_visits", "event_fair")


def test_an_export_holds_what_was_asked_for(stocked: Database, actors: dict[str, Actor]) -> None:
    imported(stocked, FILE)

    def lines(actor: Actor, wanted: ConsumptionFilter) -> list[str]:
        with stocked.read() as session:
            return export_consumption(session, actor, wanted).decode("utf-8-sig").splitlines()[1:]

    assert lines(actors["manager"], ConsumptionFilter()) == [
        "2026-11-17,wuhou,pack,12,1",
        "2026-11-19,wuhou,pack,7.5,0",
    ]
    assert lines(actors["analyst"], ConsumptionFilter(material_code="leaflet")) == ["2026-11-18,jinniu,leaflet,0,1"]
    between = ConsumptionFilter(since=date(2026, 11, 18), until=date(2026, 11, 18))
    assert lines(actors["analyst"], between) == ["2026-11-18,jinniu,leaflet,0,1"]
    with pytest.raises(Forbidden):
        lines(actors["manager"], ConsumptionFilter(region_code="jinniu"))
    with pytest.raises(Forbidden):
        lines(actors["rep-1"], ConsumptionFilter())
    for wanted, pointer in (
        (ConsumptionFilter(region_code="moon"), "query/region"),
        (ConsumptionFilter(material_code="rocket"), "query/material"),
        (ConsumptionFilter(since=date(2026, 11, 18), until=date(2026, 11, 17)), "query/until"),
    ):
        with pytest.raises(InvalidInput) as caught:
            lines(actors["analyst"], wanted)
        assert caught.value.fields[0].pointer == pointer


def test_the_history_of_the_forecaster_ends_with_the_last_day_that_is_over(
    stocked: Database, clock: FixedClock
) -> None:
    with stocked.write("test") as session:
        for day, quantity in ((18, 8.0), (19, 9.0), (20, 1.0)):
            session.add(
                DailyConsumption(
                    region_code="wuhou", material_code="pack", day=date(2026, 11, day), quantity_units=quantity
                )
            )
    with stocked.read() as session:
        panel = history(session)
        assert last_closed_days(session) == {"wuhou": YESTERDAY, "jinniu": YESTERDAY}
    assert panel.last_observed_day == YESTERDAY
    assert panel.last_day == YESTERDAY + timedelta(days=3)
    np.testing.assert_array_equal(panel.quantity[0, :2], [8, 9])
    assert np.isnan(panel.quantity[0, 2:]).all()
    clock.advance(datetime(2026, 11, 20, 16, 1, tzinfo=UTC) - clock.now())  # past midnight in Chengdu
    with stocked.read() as session:
        assert history(session).last_observed_day == date(2026, 11, 20)


def test_a_history_of_today_only_is_none(stocked: Database) -> None:
    with stocked.write("test") as session:
        session.add(
            DailyConsumption(region_code="wuhou", material_code="pack", day=date(2026, 11, 20), quantity_units=1)
        )
    with stocked.read() as session, pytest.raises(NotReady):
        history(session)


def test_both_databases_store_and_replace_days(each_database: Database) -> None:
    with each_database.write("test") as session:
        session.add(Region(code="wuhou", name_zh="武侯", name_en="Wuhou", latitude=30.64, longitude=104.04))
        session.add(
            Material(
                code="pack",
                name_zh="礼包",
                name_en="pack",
                unit_zh="个",
                unit_en="pcs",
                shortage_cost_cny=5,
                holding_cost_cny_per_day=0.1,
            )
        )
    assert imported(each_database, csv("2026-11-17,wuhou,pack,0.1,1", "2026-11-18,wuhou,pack,2,1")).added == 2
    report = imported(each_database, csv("2026-11-17,wuhou,pack,0.1,1", "2026-11-18,wuhou,pack,2,0"))
    assert (report.changed, report.unchanged) == (1, 1)
    assert stored(each_database)["wuhou", "pack", date(2026, 11, 18)] == (2, False)
