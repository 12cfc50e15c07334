"""The shortage ladder is proposed, decided and booked once; nobody is helped twice, and donors keep what they need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from common.errors import Conflict, Forbidden, InvalidInput, NotFound, NotReady
from operations.access import Actor
from operations.proposal_records import ProposalCard
from operations.stock import stock_levels
from operations.stock_ladder import LadderPolicy, ProposedLadder, propose_ladder
from operations.stock_moves import record_move
from operations.stock_orders import propose_orders
from operations.stock_proposals import adjust, approve, proposals, reject
from operations.stock_rates import _idle_rate, stock_rates
from operations.store.database import Database
from operations.store.tables import DailyConsumption, StockMovement, Warehouse
from tests.operations.demand_records import LAST, add_forecast, add_model, set_up_materials

NEAR = {("wuhou", "jinniu"): 1800.0, ("jinniu", "wuhou"): 1800.0}
FAR = dict.fromkeys(NEAR, 7200.0)
SYSTEM = Actor.system("test")


def book(database: Database, warehouse: str, units: int, *, days_ago: float = 60, material: str = "gift_pack") -> None:
    """Write one line of the ledger."""
    with database.write("test") as session:
        moment = session.info["clock"].now() - timedelta(days=days_ago)
        session.add(
            StockMovement(
                warehouse_code=warehouse,
                material_code=material,
                kind="receipt" if units > 0 else "consumption",
                quantity_units=units,
                moved_at=moment,
                reference=f"{warehouse}-{units}-{days_ago}",
                recorded_at=moment,
                recorded_by="test",
            )
        )


@pytest.fixture
def stocked(organisation: Database) -> Database:
    """Both regions need 120 (median), 138 to be safe and 156 at most; wuhou has 400 gift packs and jinniu 100."""
    set_up_materials(organisation)
    add_model(organisation)
    with organisation.write("test") as session:
        session.add_all(
            Warehouse(code=f"w-{region}", region_code=region, name_zh="仓", name_en="w", latitude=30.6, longitude=104.0)
            for region in ("wuhou", "jinniu")
        )
    book(organisation, "w-wuhou", 400)
    book(organisation, "w-jinniu", 100)
    return organisation


@pytest.fixture
def forecast(stocked: Database) -> Database:
    add_forecast(stocked, LAST)
    return stocked


def climb(database: Database, actor: Actor = SYSTEM, *, lanes: dict[tuple[str, str], float] = NEAR) -> ProposedLadder:
    policy = LadderPolicy(backup_supplier=lanes is NEAR)
    with database.write(actor.code) as session:
        return propose_ladder(session, actor, lanes, materials=["gift_pack"], policy=policy)


def ledger(database: Database) -> list[tuple[str, str, int, str]]:
    """Return what proposals booked."""
    line = StockMovement
    query = select(line.warehouse_code, line.kind, line.quantity_units, line.reference)
    with database.read() as session:
        found = session.execute(query.where(line.reference.like("proposal:%")).order_by(line.id))
        return [tuple(row) for row in found]  # type: ignore[misc]


def one(plan: ProposedLadder) -> ProposalCard:
    (card,) = plan.proposals
    return card


def test_nothing_is_proposed_before_there_is_a_forecast(stocked: Database) -> None:
    with pytest.raises(NotReady):
        climb(stocked)


def test_a_transfer_is_approved_then_booked_once(forecast: Database, actors: dict[str, Actor]) -> None:
    card = one(climb(forecast, actors["logistics"]))
    assert (card.kind, card.step, card.from_region, card.to_region) == ("transfer", 1, "wuhou", "jinniu")
    assert (card.proposed_units, card.status, card.proposed_by) == (38, "proposed", "logistics")
    assert card.stockout_probability > 0.5
    assert card.short_units > 0
    assert "38" in card.reason.en
    assert ledger(forecast) == []
    with forecast.write("logistics") as session:
        with pytest.raises(Conflict, match="only what is approved"):
            record_move(session, actors["logistics"], card.id)
        approved = approve(session, actors["logistics"], card.id, "agreed by telephone")
    assert (approved.status, approved.decided_by, approved.decision_reason) == (
        "approved",
        "logistics",
        "agreed by telephone",
    )
    with forecast.write("director") as session:
        assert approve(session, actors["director"], card.id) == approved
        moved = record_move(session, actors["logistics"], card.id, 30)
    assert (moved.status, moved.moved_units, moved.quantity_units, moved.moved_by) == ("moved", 30, 38, "logistics")
    with forecast.write("director") as session:
        assert record_move(session, actors["director"], card.id, 30) == moved
        with pytest.raises(Conflict, match="30 units"):
            record_move(session, actors["director"], card.id)
        for decide in (approve, reject):
            with pytest.raises(Conflict, match="already moved"):
                decide(session, actors["director"], card.id, "why")
    reference = f"proposal:{card.id}"
    assert ledger(forecast) == [
        ("w-wuhou", "transfer_out", -30, reference),
        ("w-jinniu", "transfer_in", 30, reference),
    ]


def test_planning_again_replaces_the_undecided_and_helps_nobody_twice(forecast: Database) -> None:
    first = one(climb(forecast))
    again = climb(forecast)
    second = one(again)
    assert (again.replaced, second.quantity_units) == (1, 38)
    with forecast.write("test") as session:
        with pytest.raises(Conflict, match="already replaced"):
            approve(session, SYSTEM, first.id)
        approve(session, SYSTEM, second.id)
    assert climb(forecast).proposals == ()
    with forecast.write("test") as session:
        record_move(session, SYSTEM, second.id)
    assert climb(forecast).proposals == ()
    with forecast.read() as session:
        states = {card.id: card.status for card in proposals(session, SYSTEM)}
    assert states == {first.id: "replaced", second.id: "moved"}


def test_what_is_taken_back_is_planned_again(forecast: Database) -> None:
    card = one(climb(forecast))
    with forecast.write("test") as session:
        approve(session, SYSTEM, card.id)
        with pytest.raises(InvalidInput, match="reason"):
            reject(session, SYSTEM, card.id, " ")
        gone = reject(session, SYSTEM, card.id, "the van broke down")
        assert reject(session, SYSTEM, card.id, "once more") == gone
        with pytest.raises(Conflict, match="already rejected"):
            approve(session, SYSTEM, card.id)
    assert gone.decision_reason == "the van broke down"
    assert one(climb(forecast)).quantity_units == 38


def test_an_adjustment_leaves_the_donor_its_upper_forecast(forecast: Database, actors: dict[str, Actor]) -> None:
    card = one(climb(forecast))
    manager = actors["manager"]
    with forecast.write("manager") as session:
        with pytest.raises(Conflict, match="can spare 244") as told:
            adjust(session, manager, card.id, 245, "a fair")
        assert told.value.fields[0].pointer == "/units"
        for units, reason in ((0, "why"), (10, "")):
            with pytest.raises(InvalidInput):
                adjust(session, manager, card.id, units, reason)
        changed = adjust(session, manager, card.id, 244, "a fair")
        assert adjust(session, manager, card.id, 244, "a fair") == changed
    assert (changed.proposed_units, changed.quantity_units, changed.adjustment_reason) == (38, 244, "a fair")
    book(forecast, "w-wuhou", -1, days_ago=0.1)
    with forecast.write("manager") as session:
        with pytest.raises(Conflict, match="can spare 243"):
            approve(session, manager, card.id)
        adjust(session, manager, card.id, 243, "one was used")
        approve(session, manager, card.id)
        with pytest.raises(Conflict, match="already approved"):
            adjust(session, manager, card.id, 10, "why")


def test_a_ledger_never_falls_below_zero_by_a_move(forecast: Database) -> None:
    card = one(climb(forecast))
    with forecast.write("test") as session:
        approve(session, SYSTEM, card.id)
        with pytest.raises(Conflict, match="has only 400"):
            record_move(session, SYSTEM, card.id, 401)
        with pytest.raises(InvalidInput):
            record_move(session, SYSTEM, card.id, 0)
    assert ledger(forecast) == []


def test_the_third_step_is_the_directors_and_managers_see_their_own_only(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    card = one(climb(forecast, lanes=FAR))
    assert (card.kind, card.step) == ("cross_region", 3)
    with forecast.write("test") as session:
        for code in ("logistics", "manager"):
            with pytest.raises(Forbidden, match="director"):
                approve(session, actors[code], card.id)
        for code in ("rep-1", "recorder", "analyst"):
            with pytest.raises(Forbidden):
                approve(session, actors[code], card.id)
            with pytest.raises(Forbidden):
                record_move(session, actors[code], card.id)
        approve(session, actors["director"], card.id)
    elsewhere = Actor.person("other", "region_manager", "qingyang")
    with forecast.write("test") as session:
        with pytest.raises(NotFound):
            record_move(session, elsewhere, card.id)
        with pytest.raises(Forbidden):
            proposals(session, actors["manager"], region_code="jinniu")
        assert [each.id for each in proposals(session, actors["manager"], status="approved")] == [card.id]
        assert proposals(session, actors["director"], material_code="leaflet") == []
        for name in ("status", "region_code", "material_code"):
            with pytest.raises(InvalidInput):
                proposals(session, actors["director"], **{name: "moon"})  # type: ignore[arg-type]


def test_without_neighbours_the_backup_supplier_brings_it_as_a_receipt(forecast: Database) -> None:
    with forecast.write("test") as session:
        card = one(propose_ladder(session, SYSTEM, {}, materials=["gift_pack"]))
        assert (card.kind, card.step, card.from_region, card.quantity_units) == ("rush_order", 2, None, 38)
        assert card.cost_cny == 38 * 10 * 1.5
        approve(session, SYSTEM, card.id)
        record_move(session, SYSTEM, card.id)
    assert ledger(forecast) == [("w-jinniu", "receipt", 38, f"proposal:{card.id}")]


def test_an_approved_order_is_not_ordered_again_and_comes_within_its_lead_time(
    forecast: Database, actors: dict[str, Actor]
) -> None:
    book(forecast, "w-jinniu", -70, days_ago=2)
    with forecast.write("manager") as session:
        own = propose_orders(session, actors["manager"], materials=["gift_pack"])
    assert own.proposals == ()  # wuhou has plenty
    with forecast.write("logistics") as session:
        orders = propose_orders(session, actors["logistics"], materials=["gift_pack"])
        again = propose_orders(session, actors["logistics"], materials=["gift_pack"])
        (card,) = again.proposals
        assert (again.replaced, card.kind, card.step, card.to_region) == (1, "order", 0, "jinniu")
        assert card.quantity_units == orders.proposals[0].quantity_units
        approve(session, actors["logistics"], card.id)
        assert propose_orders(session, actors["logistics"], materials=["gift_pack"]).proposals == ()
    with forecast.read() as session:
        (level,) = stock_levels(session, SYSTEM, region_code="jinniu", material_code="gift_pack")
    assert level.order is not None
    assert (level.order.order_units, level.incoming_units, level.outgoing_units) == (0, card.quantity_units, 0)
    with forecast.write("test") as session:
        record_move(session, SYSTEM, card.id)
    with forecast.read() as session:
        (after,) = stock_levels(session, SYSTEM, region_code="jinniu", material_code="gift_pack")
    assert (after.on_hand_units, after.incoming_units) == (30 + card.quantity_units, 0)


def test_rates_come_from_the_ledger_and_an_idle_month_lowers_the_order(forecast: Database) -> None:
    book(forecast, "w-jinniu", -60, days_ago=10)
    with forecast.write("test") as session:
        session.add_all(
            DailyConsumption(
                region_code="jinniu",
                material_code="gift_pack",
                day=LAST - timedelta(days=ahead),
                quantity_units=5,
                available=ahead != 3,
            )
            for ahead in range(4)
        )
    with forecast.read() as session:
        (rate,) = stock_rates(session, SYSTEM, region_code="jinniu", material_code="gift_pack")
        (level,) = stock_levels(session, SYSTEM, region_code="jinniu", material_code="gift_pack")
        with pytest.raises(InvalidInput):
            stock_rates(session, SYSTEM, days=0)
    assert (rate.last_day, rate.first_day) == (LAST, LAST - timedelta(days=27))
    assert (rate.idle_rate, rate.too_idle) == (0.4, True)  # 40 of the 100 packs were never needed
    assert (rate.shortage_rate, rate.short_days, rate.recorded_days) == (0.25, 1, 4)
    assert level.idle_rate == 0.4
    assert level.order is not None
    assert "40%" in level.order.reason.en


@given(st.integers(0, 500), st.lists(st.tuples(st.integers(0, 27), st.integers(-200, 200)), max_size=30))
def test_an_idle_rate_is_a_share_and_zero_once_stock_was_gone(start: int, moves: list[tuple[int, int]]) -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC).date()
    lines = [(first + timedelta(days=offset), units) for offset, units in moves if units]
    rate = _idle_rate(start, lines, first, 28)
    assert 0 <= rate <= 1
    if any(start + sum(u for day, u in lines if (day - first).days <= d) <= 0 for d in range(28)):
        assert rate == 0


def test_each_decision_stands_in_the_audit_log(forecast: Database, actors: dict[str, Actor]) -> None:
    from operations.store.tables import AuditRecord

    card = one(climb(forecast))
    with forecast.write("director") as session:
        adjust(session, actors["director"], card.id, 40, "to be sure")
        approve(session, actors["director"], card.id)
        record_move(session, actors["director"], card.id)
    query = select(func.count(AuditRecord.id)).where(
        AuditRecord.subject == "stock_proposal", AuditRecord.subject_key == card.id
    )
    with forecast.read() as session:
        assert session.scalar(query) == 4
