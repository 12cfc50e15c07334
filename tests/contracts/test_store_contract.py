"""What the store promises on every database that it runs on."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from common.clock import FixedClock
from common.errors import Conflict, InvalidInput, NotReady, Unavailable
from operations.store import schema
from operations.store.base import Base
from operations.store.database import Database
from operations.store.tables import (
    AuditRecord,
    Customer,
    Event,
    Material,
    Person,
    PersonSkill,
    Region,
    StockMovement,
    Warehouse,
)


def region(code: str = "wuhou") -> Region:
    return Region(code=code, name_zh="武侯", name_en="Wuhou", latitude=30.642, longitude=104.043)


def person(**changes: object) -> Person:
    values = {"code": "rep-01", "name": "李伟", "role": "rep", "region_code": "wuhou", **changes}
    return Person(**values)


def test_upgrading_an_empty_database_gives_exactly_the_tables_in_code(empty_database: Database) -> None:
    with pytest.raises(NotReady, match="db upgrade"):
        schema.require_newest(empty_database)
    schema.upgrade(empty_database)
    schema.upgrade(empty_database)
    schema.require_newest(empty_database)
    assert schema.differences(empty_database) == []


def test_a_unit_of_work_is_committed_whole_or_not_at_all(each_database: Database) -> None:
    with pytest.raises(RuntimeError), each_database.write("tester") as session:
        session.add(region())
        session.flush()
        raise RuntimeError("something else failed")
    with each_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Region)) == 0
        assert session.scalar(select(func.count()).select_from(AuditRecord)) == 0


def test_moments_keep_their_instant_and_come_back_with_a_zone(each_database: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    with each_database.write("tester") as session:
        session.add(region())
        session.flush()
        session.add(
            Customer(
                code="C1",
                name="A",
                customer_type="elderly",
                region_code="wuhou",
                latitude=30.6,
                longitude=104.0,
                consent_at=datetime(2026, 3, 1, 9, 0, tzinfo=shanghai),
            )
        )
    with each_database.read() as session:
        assert session.scalars(select(Customer)).one().consent_at == datetime(2026, 3, 1, 1, 0, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused(each_database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), each_database.write("tester") as session:
        session.add(region())
        session.flush()
        session.execute(Customer.__table__.select().where(Customer.consent_at == datetime(2026, 3, 1)))


@pytest.mark.parametrize(
    "wrong",
    [
        person(region_code="nowhere"),
        person(role="king"),
        person(shift_start_s=70_000, shift_end_s=60_000),
        person(home_latitude=104.0, home_longitude=30.0),
        person(skills=[PersonSkill(skill="juggling")]),
        Event(
            code="e",
            kind="fair",
            name_zh="展会",
            name_en="Fair",
            starts_on=date(2026, 5, 2),
            ends_on=date(2026, 5, 1),
        ),
    ],
    ids=["unknown region", "unknown role", "shift reversed", "home off the earth", "unknown skill", "event reversed"],
)
def test_rows_that_break_a_rule_are_refused(each_database: Database, wrong: Base) -> None:
    with each_database.write("tester") as session:
        session.add(region())
    with pytest.raises(Conflict), each_database.write("tester") as session:
        session.merge(wrong)
    with each_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
        assert session.scalar(select(func.count()).select_from(Event)) == 0


def test_every_change_is_stamped_and_logged_with_old_and_new_value(each_database: Database, clock: FixedClock) -> None:
    with each_database.write("anna") as session:
        session.add(region())
        session.flush()
        session.add(person(password_hash="hash-1"))
    clock.advance(timedelta(hours=1))
    with each_database.write("boris") as session:
        row = session.get_one(Person, "rep-01")
        row.max_visits, row.password_hash = 12, "hash-2"
    with each_database.write("carla") as session:
        session.delete(session.get_one(Person, "rep-01"))

    with each_database.read() as session:
        log = [
            (record.actor, record.action, record.subject_key, record.changes)
            for record in session.scalars(
                select(AuditRecord).where(AuditRecord.subject == "person").order_by(AuditRecord.id)
            )
        ]
    assert [(actor, action, key) for actor, action, key, _ in log] == [
        ("anna", "create", "rep-01"),
        ("boris", "update", "rep-01"),
        ("carla", "delete", "rep-01"),
    ]
    assert log[1][3] == {"max_visits": [15, 12], "password_hash": ["***", "***"]}
    assert "hash-" not in str(log)


def test_stamps_tell_first_and_last_author(each_database: Database, clock: FixedClock) -> None:
    made_at = clock.now()
    with each_database.write("anna") as session:
        session.add(region())
    clock.advance(timedelta(days=1))
    with each_database.write("boris") as session:
        session.get_one(Region, "wuhou").minimum_staff = 4
    with each_database.read() as session:
        row = session.get_one(Region, "wuhou")
        assert (row.created_by, row.created_at) == ("anna", made_at)
        assert (row.updated_by, row.updated_at) == ("boris", made_at + timedelta(days=1))


def stock_place() -> list[Base]:
    return [
        region(),
        Warehouse(code="W1", region_code="wuhou", name_zh="仓", name_en="W", latitude=30.6, longitude=104.0),
        Material(
            code="pack",
            name_zh="礼品包",
            name_en="Gift pack",
            unit_zh="份",
            unit_en="pack",
            shortage_cost_cny=9,
            holding_cost_cny_per_day=0.1,
        ),
    ]


def movement(kind: str, quantity: int, reference: str = "r1") -> StockMovement:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    return StockMovement(
        warehouse_code="W1",
        material_code="pack",
        kind=kind,
        quantity_units=quantity,
        moved_at=moment,
        reference=reference,
        recorded_at=moment,
        recorded_by="tester",
    )


@pytest.mark.parametrize(("kind", "quantity"), [("receipt", -5), ("consumption", 5), ("adjustment", 0)])
def test_the_ledger_refuses_movements_with_the_wrong_sign(each_database: Database, kind: str, quantity: int) -> None:
    with each_database.write("tester") as session:
        session.add_all(stock_place())
    with pytest.raises(Conflict), each_database.write("tester") as session:
        session.add(movement(kind, quantity))


def test_the_ledger_books_one_reference_once(each_database: Database) -> None:
    with each_database.write("tester") as session:
        session.add_all(stock_place())
        session.flush()
        session.add(movement("receipt", 5))
    with pytest.raises(Conflict), each_database.write("tester") as session:
        session.add(movement("receipt", 5))
    with each_database.read() as session:
        assert session.scalar(select(func.sum(StockMovement.quantity_units))) == 5


def test_concurrent_writers_wait_for_each_other_and_lose_nothing(each_database: Database) -> None:
    with each_database.write("tester") as session:
        session.add(region())

    def raise_minimum(times: int) -> None:
        for _ in range(times):
            with each_database.write("tester") as session:
                row = session.get_one(Region, "wuhou", with_for_update=True)
                row.minimum_staff += 1

    threads = [threading.Thread(target=raise_minimum, args=(10,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_database.read() as session:
        assert session.get_one(Region, "wuhou").minimum_staff == 2 + 40


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/base", "sqlite+wrong:///x"])
def test_an_address_that_is_no_database_is_named(url: str) -> None:
    with pytest.raises(InvalidInput, match="FIELDWISE_DATABASE_URL"):
        Database(url)


def test_a_database_that_is_not_there_is_reported_in_one_line() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(Unavailable) as caught:
        database.ping()
    assert "\n" not in str(caught.value)
