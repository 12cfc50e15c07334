"""A small organisation: two regions, one person of each role, four customers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from operations.access import Actor
from operations.store.database import Database
from operations.store.tables import Customer, Person, Region


@pytest.fixture
def organisation(database: Database) -> Database:
    with database.write("test") as session:
        session.add_all(
            [
                Region(code="wuhou", name_zh="武侯", name_en="Wuhou", latitude=30.64, longitude=104.04),
                Region(code="jinniu", name_zh="金牛", name_en="Jinniu", latitude=30.69, longitude=104.05),
            ]
        )
        session.flush()
        session.add_all(
            [
                Person(code="rep-1", name="李伟", role="rep", region_code="wuhou"),
                Person(code="rep-2", name="周敏", role="rep", region_code="jinniu"),
                Person(code="recorder", name="何静", role="recorder", region_code="wuhou"),
                Person(code="manager", name="唐波", role="region_manager", region_code="wuhou"),
                Person(code="logistics", name="高远", role="logistics"),
                Person(code="analyst", name="温岚", role="analyst"),
                Person(code="director", name="罗茜", role="director"),
                Person(code="gone", name="离职", role="rep", region_code="wuhou", active=False),
            ]
        )
        session.flush()
        for number, (region, owner) in enumerate(
            [("wuhou", "rep-1"), ("wuhou", "rep-1"), ("wuhou", None), ("jinniu", "rep-2")], start=1
        ):
            session.add(
                Customer(
                    code=f"c{number}",
                    name=f"客户{number}",
                    customer_type="shop_owners",
                    region_code=region,
                    owner_code=owner,
                    latitude=30.65,
                    longitude=104.05,
                    phone=f"1990000123{number}",
                    address=f"一环路南段{number}号2单元",
                    consent_at=datetime(2026, 1, 1, tzinfo=UTC),
                )
            )
    return database


@pytest.fixture
def actors(organisation: Database) -> dict[str, Actor]:
    """The actors of the small organisation by the code of their person."""
    return {
        "rep-1": Actor.person("rep-1", "rep", "wuhou"),
        "rep-2": Actor.person("rep-2", "rep", "jinniu"),
        "recorder": Actor.person("recorder", "recorder", "wuhou"),
        "manager": Actor.person("manager", "region_manager", "wuhou"),
        "logistics": Actor.person("logistics", "logistics", None),
        "analyst": Actor.person("analyst", "analyst", None),
        "director": Actor.person("director", "director", None),
    }
