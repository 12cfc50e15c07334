"""Two people who decide at the same moment do not promise or book the same stock twice, on either database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from common.errors import Conflict
from operations.access import Actor
from operations.proposal_records import ProposalCard
from operations.stock_moves import record_move
from operations.stock_proposals import approve
from operations.store.database import Database
from operations.store.tables import Material, Region, StockMovement, StockProposal, Warehouse

SYSTEM = Actor.system("test")
PLACES = ("north", "south", "east")


@pytest.fixture
def promised(each_database: Database) -> Database:
    """North has 100 and is asked for 60 by each of the others; nothing is forecast."""
    with each_database.write("test") as session:
        for code in PLACES:
            session.add(Region(code=code, name_zh=code, name_en=code, latitude=30.6, longitude=104.0))
        session.add(
            Material(
                code="pack",
                name_zh="包",
                name_en="pack",
                unit_zh="份",
                unit_en="pack",
                shortage_cost_cny=9,
                holding_cost_cny_per_day=0.1,
            )
        )
        session.flush()
        for code in PLACES:
            row = Warehouse(code=code, region_code=code, name_zh=code, name_en=code, latitude=30.6, longitude=104.0)
            session.add(row)
        session.flush()
        now = session.info["clock"].now()
        session.add(
            StockMovement(
                warehouse_code="north",
                material_code="pack",
                kind="opening",
                quantity_units=100,
                moved_at=now,
                reference="opening",
                recorded_at=now,
                recorded_by="test",
            )
        )
        for code in PLACES[1:]:
            session.add(
                StockProposal(
                    id=code,
                    plan_id="plan",
                    origin=now.date(),
                    kind="transfer",
                    step=1,
                    material_code="pack",
                    from_warehouse_code="north",
                    to_warehouse_code=code,
                    proposed_units=60,
                    quantity_units=60,
                    reason_zh="缺",
                    reason_en="short",
                    consequence_zh="缺",
                    consequence_en="short",
                    short_units=60,
                    short_cost_cny=540,
                    stockout_probability=1,
                    status="proposed",
                )
            )
    return each_database


def at_once(database: Database, acts: list[Callable[..., ProposalCard]], ids: list[str]) -> list[str]:
    """Return how each call ended."""

    def run(act: Callable[..., ProposalCard], proposal_id: str) -> str:
        try:
            with database.write("test") as session:
                return act(session, SYSTEM, proposal_id).status
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(len(ids)) as pool:
        return list(pool.map(run, acts, ids))


def test_the_same_stock_is_promised_to_one_of_two(promised: Database) -> None:
    ended = at_once(promised, [approve, approve], ["south", "east"])
    assert sorted(ended) == ["approved", "conflict"]


def test_a_move_that_is_booked_four_times_at_once_stands_once_in_the_ledger(promised: Database) -> None:
    with promised.write("test") as session:
        approve(session, SYSTEM, "south")
    assert at_once(promised, [record_move] * 4, ["south"] * 4) == ["moved"] * 4
    line = StockMovement
    query = select(line.warehouse_code, func.sum(line.quantity_units)).group_by(line.warehouse_code)
    with promised.read() as session:
        assert {row[0]: row[1] for row in session.execute(query)} == {"north": 40, "south": 60}
