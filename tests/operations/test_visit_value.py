"""The prize of a visit is probability × value × stock × urgency, and repeats are shown, blocked, or excused."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from common.errors import Conflict, Forbidden, InvalidInput, NotReady
from common.places import Location
from forecasting.conversion import ConversionSettings
from operations import day_plan
from operations.access import Actor
from operations.due_customers import due_customers
from operations.plan_versions import publish
from operations.store.database import Database
from operations.store.tables import RoutePlan
from operations.visit_candidates import RegionDay, Wishes, problem_for_region, problem_of, region_day
from operations.visit_history import conversion_model, conversion_report, past_visits
from operations.visit_repeats import record_of, refuse_repeats, repeats_of_plan
from routing.problem import DayProblem, Rep, Visit
from routing.travel_times import HaversineTravelTimes
from tests.operations.visit_records import (
    REPS,
    TODAY,
    add_customer,
    add_follow_up,
    add_leaflets,
    add_packs,
    add_plan,
    add_visit,
    set_up,
)

SYSTEM = Actor.system("test")
TOMORROW = TODAY + timedelta(days=1)
PRIOR = dict(ConversionSettings().prior_rates)


@pytest.fixture
def region(database: Database) -> Database:
    set_up(database)
    return database


def looked_at(database: Database, wishes: Wishes | None = None, day=TOMORROW) -> RegionDay:  # type: ignore[no-untyped-def]
    with database.read() as session:
        return region_day(session, SYSTEM, "wuhou", day, wishes)


def points(found: RegionDay) -> dict[str, float]:
    return {item.customer.code: item.value.points for item in found.due}


def test_points_are_the_probability_times_the_value_in_thousands(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "a", grade="A", value_cny=2000)
        add_customer(session, "c", grade="C", value_cny=5000)
    found = looked_at(region)
    assert found.method == "rates"
    value = {item.customer.code: item.value for item in found.due}
    assert value["a"].probability == PRIOR["A"]
    assert value["c"].points == pytest.approx(PRIOR["C"] * 5)
    assert value["a"].points / value["c"].points > (PRIOR["A"] * 2) / (PRIOR["C"] * 5)  # the promise to an A presses


def test_a_value_that_nobody_knows_is_the_usual_one_of_the_type(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "unknown", value_cny=0)
        add_customer(session, "known", value_cny=3000)
        add_customer(session, "alone", value_cny=0, customer_type="students")
    value = {item.customer.code: item.value.value_cny for item in looked_at(region).due}
    assert value == {"unknown": 3000, "known": 3000, "alone": 1000}


@pytest.mark.parametrize(("on_hand", "factor"), [(0, 0.5), (10, 0.75), (20, 1.0), (500, 1.0)])
def test_a_visit_that_needs_a_pack_is_worth_less_the_fewer_are_left(
    region: Database, on_hand: int, factor: float
) -> None:
    with region.write("test") as session:
        add_customer(session, "given", customer_type="elderly")
        add_customer(session, "other", customer_type="landlords")
        # Ten a day, and the day is tomorrow: twenty are enough.
        add_packs(session, on_hand=on_hand, per_day=10, given_to="given")
    value = {item.customer.code: item.value for item in looked_at(region).due}
    assert value["given"].stock_factor == factor
    assert value["other"].stock_factor == 1.0
    assert value["given"].points < value["given"].probability * 2 * factor + 1e-9


def test_material_that_was_promised_needs_a_pack_altogether(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "promised", customer_type="elderly")
        add_packs(session, on_hand=0, per_day=10, given_to="promised")
        add_leaflets(session, given_to="promised")
        add_customer(session, "usual", customer_type="elderly")
        add_follow_up(session, "promised", "send_material", 0.5)
    value = {item.customer.code: item.value.stock_factor for item in looked_at(region).due}
    assert value["promised"] == 0.5
    assert 0.5 < value["usual"] < 1.0


def test_the_problem_offers_the_due_with_their_points_and_makes_promises_mandatory(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "promised", grade="A", value_cny=100)
        add_visit(session, "promised", 0.5, grade="A")
        add_customer(session, "fresh", grade="B", value_cny=9000)
        add_customer(session, "seen", grade="B")
        add_visit(session, "seen", 3)
    with region.read() as session:
        problem = problem_for_region(session, SYSTEM, "wuhou", TOMORROW)
    offered = {visit.id: visit for visit in problem.visits}
    assert set(offered) == {"promised", "fresh"}
    assert offered["promised"].mandatory
    assert not offered["fresh"].mandatory
    assert offered["fresh"].value == pytest.approx(PRIOR["B"] * 9)
    assert dict(problem.weights.grade_factors) == {"A": 1.5, "B": 1.2, "C": 1.0}


def test_a_promise_that_nobody_present_can_keep_does_not_break_every_plan(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "firm", grade="A", customer_type="companies")
        add_visit(session, "firm", 0.75, grade="A")  # on Thursday afternoon; on Friday companies are open
    for reps, mandatory in ((("rep-1",), True), (("rep-2",), False)):
        found = looked_at(region, Wishes(reps), TODAY)
        assert [visit.mandatory for visit in problem_of(found).visits] == [mandatory]


def test_nobody_due_and_nobody_there_are_told_apart(region: Database) -> None:
    with region.read() as session:
        with pytest.raises(NotReady, match="no customer"):
            problem_for_region(session, SYSTEM, "wuhou", TOMORROW)
        with pytest.raises(NotReady, match="no active rep"):
            problem_for_region(session, SYSTEM, "jinniu", TOMORROW)


def test_who_is_planned_for_somebody_else_is_excluded_and_a_reason_brings_them_back(region: Database) -> None:
    with region.write("test") as session:
        for code in ("planned", "free"):
            add_customer(session, code)
        add_plan(session, "p1", TOMORROW, "rep-2", ["planned"])
    only_first = Wishes(("rep-1",))
    found = looked_at(region, only_first)
    assert list(points(found)) == ["free"]
    (blocked,) = found.excluded
    assert (blocked.customer.code, blocked.why.code, blocked.why.repeat) == ("planned", "planned_that_day", True)
    assert record_of(found, only_first)["excluded"][0]["customer_code"] == "planned"
    # All together, the round of rep-2 is planned anew and nobody is blocked.
    assert set(points(looked_at(region))) == {"planned", "free"}
    asked = Wishes(("rep-1",), {"planned": "she asked for a second offer"})
    excused = record_of(looked_at(region, asked), asked)
    assert [(item["customer_code"], item["reason"]) for item in excused["repeats"]] == [
        ("planned", "she asked for a second offer")
    ]
    assert excused["excluded"] == []


def test_a_reason_for_a_customer_of_nobody_is_named(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "c")
    with pytest.raises(InvalidInput) as raised:
        looked_at(region, Wishes(again={"ghost": "why not"}))
    assert raised.value.fields[0].pointer == "/repeat_reasons/ghost"


def by_hand(*customers: str, rep: str = "rep-3") -> DayProblem:
    place = Location(30.65, 104.05)
    visits = tuple(Visit(code, "", place, 600) for code in customers)
    return DayProblem(visits, (Rep(rep, "", place, 9 * 3600, 18 * 3600),))


def test_visits_by_hand_that_repeat_others_are_refused_by_name_and_kept_with_a_reason(region: Database) -> None:
    with region.write("test") as session:
        for code in ("planned", "visited", "free"):
            add_customer(session, code)
        add_plan(session, "p1", TOMORROW, "rep-2", ["planned"], status="published")
        add_visit(session, "visited", 0.01)
    problem = by_hand("free", "planned", "visited", "nobody's code")
    with region.read() as session:
        with pytest.raises(Conflict) as raised:
            refuse_repeats(session, SYSTEM, TODAY, by_hand("visited"), reasons={})
        assert [field.pointer for field in raised.value.fields] == ["/visits/0/id"]
        with pytest.raises(Conflict) as raised:
            refuse_repeats(session, SYSTEM, TOMORROW, problem, reasons={})
        assert [field.pointer for field in raised.value.fields] == ["/visits/1/id", "/visits/2/id"]
        kept = refuse_repeats(session, SYSTEM, TOMORROW, problem, reasons={"planned": "sick", "visited": "urgent"})
        assert [(item["customer_code"], item["reason"]) for item in kept["repeats"]] == [
            ("planned", "sick"),
            ("visited", "urgent"),
        ]
        assert refuse_repeats(session, SYSTEM, TOMORROW, by_hand("free"), reasons={}) == {}


def test_who_is_bound_to_a_region_is_not_told_who_visits_in_another_one(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "theirs")
        add_plan(session, "p1", TOMORROW, "rep-2", ["theirs"])
    stranger = Actor.person("manager", "region_manager", "jinniu")
    with region.read() as session, pytest.raises(Conflict) as raised:
        refuse_repeats(session, stranger, TOMORROW, by_hand("theirs"), reasons={})
    assert "rep-2" not in str(raised.value)


def test_a_stored_plan_keeps_reasons_and_shows_what_became_a_repeat_since(region: Database) -> None:
    with region.write("test") as session:
        for code in ("excused", "later", "fine"):
            add_customer(session, code)
        add_plan(session, "p1", TOMORROW, "rep-2", ["excused"], status="published")
    problem = by_hand("excused", "later", "fine")
    with region.read() as session:
        rhythm = refuse_repeats(session, SYSTEM, TOMORROW, problem, reasons={"excused": "sick"})
    asked = {**day_plan.payload(problem, TOMORROW, None, time_limit_s=0.5), "rhythm": rhythm}
    solved = day_plan.solve(asked, HaversineTravelTimes())
    day_plan.store(region, "test", "mine", asked, solved)
    with region.read() as session:
        assert day_plan.plan(session, SYSTEM, "mine").rhythm["repeats"][0]["reason"] == "sick"
        assert repeats_of_plan(session, session.get_one(RoutePlan, "mine")) == []
    with region.write("test") as session:
        add_plan(session, "p2", TOMORROW, "rep-1", ["later"], status="published")
        add_plan(session, "p3", TOMORROW, "rep-1", ["fine"], status="draft")
    with region.write("test") as session:
        with pytest.raises(Conflict) as raised:
            publish(session, SYSTEM, "mine", expected=1)
        assert [field.pointer for field in raised.value.fields] == ["/repeat_reasons/later"]
        publish(session, SYSTEM, "mine", expected=1, repeat_reasons={"later": "two products"})
    with region.read() as session:
        kept = day_plan.plan(session, SYSTEM, "mine").rhythm["repeats"]
        assert {item["customer_code"]: item["reason"] for item in kept} == {"excused": "sick", "later": "two products"}


def test_a_plan_takes_the_place_of_the_published_one_of_its_region_and_day_without_reasons(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "c")
        add_plan(session, "old", TOMORROW, "rep-2", ["c"], status="published")
        add_plan(session, "new", TOMORROW, "rep-1", ["c"])
        assert repeats_of_plan(session, session.get_one(RoutePlan, "new")) == []
        add_plan(session, "day after", TOMORROW + timedelta(days=1), "rep-1", ["c"])
        (repeat,) = repeats_of_plan(session, session.get_one(RoutePlan, "day after"))
        assert repeat.why.code == "planned_before"


def test_visits_that_a_plan_has_made_by_noon_do_not_stop_its_next_version(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "c")
        add_plan(session, "running", TODAY, "rep-1", ["c"])
        add_visit(session, "c", 0.01)
        assert repeats_of_plan(session, session.get_one(RoutePlan, "running")) == []


def fill_history(database: Database, count: int = 600) -> None:
    """Store visits that end well with students and badly with companies."""
    dice = random.Random(3)
    with database.write("test") as session:
        for number in range(40):
            kind = "students" if number % 2 else "companies"
            add_customer(session, f"h{number:02d}", customer_type=kind, grade=None)
        for number in range(count):
            customer = dice.randrange(40)
            won = dice.random() < (0.6 if customer % 2 else 0.05)
            outcome = "won" if won else "refused"
            days = 1.03 + number / 4
            rep = REPS[number % 3]
            add_visit(session, f"h{customer:02d}", days, outcome=outcome, grade=None, rep_code=rep)


def test_a_long_history_is_learnt_from_and_the_model_is_kept_until_it_changes(region: Database) -> None:
    fill_history(region)
    with region.read() as session:
        now = session.info["clock"].now()
        model = conversion_model(session, now, "Asia/Shanghai")
        assert model.method == "model"
        assert conversion_model(session, now, "Asia/Shanghai") is model
        assert len(past_visits(session, known_at=now)) == model.visits == 600
    found = looked_at(region)
    chances = {item.customer.code: item.value.probability for item in found.due}
    students = [chance for code, chance in chances.items() if int(code[1:]) % 2]
    assert students
    assert min(students) > 0.3
    with region.write("test") as session:
        add_visit(session, "h01", 1.01)
    with region.read() as session:
        newer = conversion_model(session, session.info["clock"].now(), "Asia/Shanghai")
    assert newer.visits == 601
    assert newer.fingerprint != model.fingerprint


def test_a_look_back_knows_only_what_was_recorded_by_then(region: Database) -> None:
    fill_history(region)
    then = datetime(2026, 9, 1, tzinfo=UTC)
    with region.read() as session:
        assert all(visit.recorded_at < then for visit in past_visits(session, known_at=then))
        assert conversion_model(session, then, "Asia/Shanghai").visits < 600
    back = looked_at(region, Wishes(known_at=then), then.date())
    assert back.due


def test_the_report_of_the_model_is_for_those_who_see_all_regions(region: Database) -> None:
    fill_history(region)
    with region.read() as session:
        report = conversion_report(session, SYSTEM)
        assert report is not None
        assert report.model.brier < report.base.brier
        with pytest.raises(Forbidden):
            conversion_report(session, Actor.person("manager", "region_manager", "wuhou"))


def test_a_rep_sees_own_customers_only_and_nobody_sees_another_region(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "mine", owner_code="rep-1")
        add_customer(session, "hers", owner_code="rep-2")
        add_customer(session, "seen", owner_code="rep-2")
        add_visit(session, "seen", 1)
    with region.read() as session:
        found = due_customers(session, Actor.person("rep-1", "rep", "wuhou"), "wuhou", TOMORROW)
        assert [item.customer.code for item in found.due] == ["mine"]
        assert found.excluded == ()
        assert len(due_customers(session, SYSTEM, "wuhou", TOMORROW).excluded) == 1
        with pytest.raises(Forbidden):
            due_customers(session, Actor.person("m", "region_manager", "jinniu"), "wuhou", TOMORROW)
        with pytest.raises(InvalidInput) as raised:
            due_customers(session, SYSTEM, "moon", TOMORROW)
    assert raised.value.fields[0].pointer == "query/region"


def test_the_records_are_read_alike_on_every_database(each_database: Database) -> None:
    set_up(each_database)
    with each_database.write("test") as session:
        add_customer(session, "given", grade="A")
        add_customer(session, "planned")
        add_customer(session, "free", customer_type="students", value_cny=0)
        add_packs(session, on_hand=10, per_day=10, given_to="given")
        add_follow_up(session, "given", "send_material", 0.5)
        add_plan(session, "p1", TOMORROW, "rep-2", ["planned"], status="published")
    found = looked_at(each_database, Wishes(("rep-1",)))
    value = {item.customer.code: item.value for item in found.due}
    assert value["given"].stock_factor == 0.75
    assert value["free"].value_cny == 1000
    assert [item.why.code for item in found.excluded] == ["planned_that_day"]
    with each_database.read() as session:
        assert len(past_visits(session, known_at=session.info["clock"].now(), region_code="wuhou", most=5)) == 1
        assert conversion_report(session, SYSTEM) is None
