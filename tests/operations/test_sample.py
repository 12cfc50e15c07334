"""Loading the sample organisation into a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from common.clock import FixedClock
from common.errors import Conflict
from operations.sample import load_sample
from operations.store import schema
from operations.store.base import Base
from operations.store.database import Database
from operations.store.tables import AuditRecord, Customer, Event, Person, PlannedActivity, Region, StockMovement, Visit

END = date(2026, 11, 19)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Path, dict[str, int]]]:
    path = tmp_path_factory.mktemp("sample") / "fieldwise.db"
    database = Database(f"sqlite:///{path}", clock=FixedClock(datetime(2026, 11, 20, 2, 0, tzinfo=UTC)))
    schema.upgrade(database)
    counts = load_sample(database, end=END, password_hash="hash-1")
    yield database, path, counts
    database.close()


def test_the_counts_are_those_of_the_tables(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    database, _, counts = loaded
    with database.read() as session:
        found = {name: session.scalar(select(func.count()).select_from(Base.metadata.tables[name])) for name in counts}
    assert found == counts
    assert (counts["person"], counts["customer"], counts["region"]) == (51, 1500, 5)
    assert counts["visit"] > 60_000


def test_every_foreign_key_and_page_of_the_file_is_sound(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    _, path, _ = loaded
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.close()


def test_the_rows_come_back_as_people_with_skills_customers_with_tags_and_moments_with_zone(
    loaded: tuple[Database, Path, dict[str, int]],
) -> None:
    database, _, _ = loaded
    with database.read() as session:
        rep = session.get_one(Person, "R-WH-01")
        assert {skill.skill for skill in rep.skills} == {"campus", "english"}
        assert (rep.role, rep.region_code, rep.password_hash, rep.max_visits) == ("rep", "wuhou", "hash-1", 15)
        assert rep.home_latitude is not None
        customer = session.scalars(select(Customer).where(Customer.consent_at.is_not(None))).first()
        assert customer is not None
        assert customer.tags
        assert customer.consent_at is not None
        assert customer.consent_at.tzinfo is not None
        region = session.get_one(Region, "jinniu")
        assert (region.created_by, region.updated_by, region.created_at) == ("sample", "sample", database.clock.now())


def test_it_is_alive_up_to_the_day_asked_for_and_planned_beyond(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    database, _, _ = loaded
    with database.read() as session:
        last_visit = session.scalar(select(func.max(Visit.started_at)))
        assert session.scalar(select(func.max(PlannedActivity.day))) == date(2026, 11, 29)
        assert session.scalar(select(func.max(Event.ends_on))) > END
    assert last_visit is not None
    assert last_visit.date() == END


def test_no_stock_is_negative(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    database, _, _ = loaded
    place = (StockMovement.warehouse_code, StockMovement.material_code)
    with database.read() as session:
        stock = session.scalars(select(func.sum(StockMovement.quantity_units)).group_by(*place)).all()
    assert len(stock) == 60
    assert min(stock) >= 0


def test_the_load_is_one_line_in_the_audit_log(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    database, _, counts = loaded
    with database.read() as session:
        record = session.scalars(select(AuditRecord)).one()
    assert (record.actor, record.action, record.subject, record.subject_key) == (
        "sample",
        "create",
        "sample_organisation",
        "2026-11-19",
    )
    assert record.changes["visit"] == [None, counts["visit"]]


def test_a_second_load_is_refused_and_changes_nothing(loaded: tuple[Database, Path, dict[str, int]]) -> None:
    database, _, counts = loaded
    with pytest.raises(Conflict, match="empty database") as caught:
        load_sample(database, end=END, password_hash=None)
    assert "空数据库" in caught.value.text.zh
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Visit)) == counts["visit"]


def test_a_database_that_has_only_a_region_is_refused_before_the_sample_is_made(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not_run(_end: date) -> None:
        raise AssertionError("the sample was made for nothing")

    monkeypatch.setattr("operations.sample.make_sample", must_not_run)
    with database.write("tester") as session:
        session.add(Region(code="own", name_zh="自有", name_en="Own", latitude=30.0, longitude=104.0))
    with pytest.raises(Conflict):
        load_sample(database, end=END, password_hash=None)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
