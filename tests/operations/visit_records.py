"""Records for tests of what visits are worth: a region with three reps, customers, visits, packs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from operations.store.database import Database
from operations.store.tables import (
    Customer,
    DailyConsumption,
    FollowUp,
    Material,
    Person,
    PersonSkill,
    PlannedStop,
    Region,
    RoutePlan,
    StockMovement,
    Visit,
    VisitMaterial,
    Warehouse,
)

TODAY = date(2026, 11, 20)
"""The day at which the tests' clock stands (10:00 in Shanghai); a Friday."""
REPS = ("rep-1", "rep-2", "rep-3")


def set_up(database: Database) -> None:
    """Store a region with three reps, of whom the first may visit companies, and a second region."""
    with database.write("test") as session:
        session.add_all(
            Region(code=code, name_zh=code, name_en=code, latitude=30.64, longitude=104.04)
            for code in ("wuhou", "jinniu")
        )
        session.flush()
        session.add_all(
            Person(
                code=code,
                name=f"name of {code}",
                role="rep",
                region_code="wuhou",
                home_latitude=30.64,
                home_longitude=104.04,
                skills=[PersonSkill(skill="key_account")] if code == "rep-1" else [],
            )
            for code in REPS
        )
        session.flush()


def add_customer(session: Session, code: str, **changes: Any) -> None:
    """Store a customer of the first rep who is worth 1,000 CNY."""
    row: dict[str, Any] = {
        "name": f"客户 {code}",
        "customer_type": "elderly",
        "region_code": "wuhou",
        "owner_code": "rep-1",
        "latitude": 30.65,
        "longitude": 104.05,
        "value_cny": 1000.0,
        "grade": "B",
    }
    session.add(Customer(code=code, **{**row, **changes}))
    session.flush()


def add_visit(session: Session, customer: str, days_ago: float, **changes: Any) -> str:
    """Store a visit so many days before 10:00 of today and return its id."""
    at = datetime(2026, 11, 20, 2, tzinfo=UTC) - timedelta(days=days_ago)
    visit_id = f"v-{customer}-{days_ago:g}"
    row: dict[str, Any] = {
        "rep_code": "rep-1",
        "started_at": at,
        "ended_at": at + timedelta(minutes=20),
        "recorded_at": at + timedelta(minutes=40),
        "outcome": "interested",
        "grade": "B",
    }
    session.add(Visit(id=visit_id, customer_code=customer, **{**row, **changes}))
    session.flush()
    return visit_id


def add_follow_up(session: Session, customer: str, kind: str, due_in_days: float) -> None:
    """Store an open follow-up that falls due so many days after 10:00 of today."""
    due_at = datetime(2026, 11, 20, 2, tzinfo=UTC) + timedelta(days=due_in_days)
    session.add(
        FollowUp(id=f"f-{customer}-{kind}", customer_code=customer, owner_code="rep-1", kind=kind, due_at=due_at)
    )
    session.flush()


def add_packs(session: Session, *, on_hand: int, per_day: float, given_to: str) -> None:
    """Store a gift pack, what is left of it, how fast it is used, and that customers of a type got it."""
    session.add(
        Material(
            code="pack",
            name_zh="礼品包",
            name_en="pack",
            unit_zh="份",
            unit_en="pack",
            shortage_cost_cny=1,
            holding_cost_cny_per_day=1,
            is_gift=True,
        )
    )
    session.add(Warehouse(code="w", region_code="wuhou", name_zh="仓", name_en="w", latitude=30.64, longitude=104.04))
    session.flush()
    moved_at = datetime(2026, 11, 1, tzinfo=UTC)
    for kind, units in (("opening", 1000), ("consumption", on_hand - 1000)):
        session.add(
            StockMovement(
                warehouse_code="w",
                material_code="pack",
                kind=kind,
                quantity_units=units,
                moved_at=moved_at,
                reference=kind,
                recorded_at=moved_at,
                recorded_by="test",
            )
        )
    for step in range(1, 15):
        day = TODAY - timedelta(days=step)
        session.add(DailyConsumption(region_code="wuhou", material_code="pack", day=day, quantity_units=per_day))
    session.add(VisitMaterial(visit_id=add_visit(session, given_to, 60), material_code="pack", quantity=1))
    session.flush()


def add_leaflets(session: Session, *, given_to: str) -> None:
    """Store something that is no gift pack, handed out as often as the packs."""
    pack = session.get_one(Material, "pack")
    session.add(
        Material(
            code="leaflet",
            name_zh="折页",
            name_en="leaflet",
            unit_zh=pack.unit_zh,
            unit_en=pack.unit_en,
            shortage_cost_cny=1,
            holding_cost_cny_per_day=1,
        )
    )
    session.flush()
    session.add(VisitMaterial(visit_id=add_visit(session, given_to, 59), material_code="leaflet", quantity=1))
    session.flush()


def add_plan(session: Session, plan_id: str, day: date, rep: str, customers: list[str], status: str = "draft") -> None:
    """Store a plan in which a rep visits these customers."""
    session.add(
        RoutePlan(
            id=plan_id,
            plan_date=day,
            region_code="wuhou",
            status=status,
            feasible=True,
            assigned_visits=len(customers),
            unassigned_visits=0,
            travel_s=0,
            distance_m=0,
            solve_s=0,
            problem={},
            report={},
        )
    )
    session.flush()
    for position, customer in enumerate(customers, start=1):
        session.add(
            PlannedStop(
                plan_id=plan_id,
                rep_ref=rep,
                position=position,
                visit_ref=customer,
                rep_code=rep,
                customer_code=customer,
                arrival_s=position * 3600,
                start_s=position * 3600,
                departure_s=position * 3600,
            )
        )
    session.flush()
