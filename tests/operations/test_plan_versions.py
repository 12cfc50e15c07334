"""A plan's history survives every change; reps see what is published; nobody overwrites anybody."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from common.clock import FixedClock
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from common.places import Location
from operations import day_plan, plan_changes, plan_versions
from operations.access import Actor
from operations.plan_changes import AskedChange
from operations.plan_records import plan_record, read_plan, report_record
from operations.plan_versions import VersionConflict
from operations.store.database import Database
from operations.store.tables import AuditRecord, Person, PlannedStop, Region, RoutePlan
from routing.during_day.changes import AddVisit, CancelVisit, MoveVisit, RepAbsent
from routing.during_day.replan import Calm, News
from routing.problem import DayProblem, Rep, Visit
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes

H = 3600
WAYS = HaversineTravelTimes()
QUICK = Calm(search="never")


def place(number: int) -> Location:
    return Location(30.64 + number * 0.004, 104.04)


def problem() -> DayProblem:
    visits = tuple(Visit(f"c{number}", f"客户{number}", place(number), 1800) for number in range(1, 7))
    reps = tuple(Rep(f"rep-{number}", f"人员{number}", place(0), 9 * H, 18 * H, place(0)) for number in (1, 2))
    return DayProblem(visits, reps)


ORDERS = {"rep-1": ["c1", "c2", "c3"], "rep-2": ["c4", "c5", "c6"]}


def stored(database: Database, plan_id: str = "plan", *, region: str | None = "wuhou", travel: object = None) -> str:
    asked = day_plan.payload(problem(), date(2026, 11, 20), region, time_limit_s=1)
    plan, report = evaluate(problem(), WAYS, ORDERS)
    asked["travel"] = travel
    solved = {"plan": plan_record(plan), "report": report_record(report), "feasible": report.feasible, "solve_s": 0.1}
    day_plan.store(database, "logistics", plan_id, asked, solved)
    return plan_id


def changed(
    database: Database, actor: Actor, *changes: object, version: int = 1, now_s: int = 8 * H, **options: object
) -> plan_changes.ChangedPlan:
    asked = AskedChange(version, News(now_s, changes), QUICK, **options)  # type: ignore[arg-type]
    return plan_changes.change(database, actor, "plan", asked, WAYS)


@pytest.fixture
def planned(organisation: Database) -> Database:
    stored(organisation)
    return organisation


def test_every_version_stays_as_it_was_with_who_made_it_when_and_why(
    planned: Database, actors: dict[str, Actor], clock: FixedClock
) -> None:
    director, manager = actors["director"], actors["manager"]
    with planned.read() as session:
        first = plan_versions.version(session, director, "plan", 1).stored
        assert [item.version for item in plan_versions.versions(session, director, "plan")] == [1]
    made_at = clock.now()
    for number, change in enumerate([CancelVisit("c2"), AddVisit(Visit("n1", "新", place(2), 600)), CancelVisit("c5")]):
        clock.advance(timedelta(minutes=10))
        changed(planned, manager, change, version=number + 1, note=f"change {number}")
    with planned.read() as session:
        found = plan_versions.versions(session, director, "plan")
        assert [item.version for item in found] == [4, 3, 2, 1]
        assert [item.note for item in found] == ["change 2", "change 1", "change 0", ""]
        assert [item.made_by for item in found] == ["manager", "manager", "manager", "logistics"]
        assert found[-1].made_at == made_at
        assert found[0].made_at == made_at + timedelta(minutes=30)
        assert [move["change"] for move in found[2].change["moves"]][-1] == "removed"
        again = plan_versions.version(session, director, "plan", 1).stored
        assert (again.plan, again.problem, again.report) == (first.plan, first.problem, first.report)
        second = plan_versions.version(session, director, "plan", 2).stored
        assert "c2" not in {visit.id for visit in second.problem.visits}
        with pytest.raises(NotFound):
            plan_versions.version(session, director, "plan", 5)
        log = session.scalars(
            select(AuditRecord).where(AuditRecord.subject == "route_plan", AuditRecord.action == "update")
        )
        assert [record.changes["version"] for record in log] == [[1, 2], [2, 3], [3, 4]]


def test_whoever_comes_second_is_told_so_and_changes_nothing(planned: Database, actors: dict[str, Actor]) -> None:
    changed(planned, actors["manager"], CancelVisit("c2"))
    with pytest.raises(VersionConflict):
        changed(planned, actors["logistics"], CancelVisit("c5"))
    with planned.write("logistics") as session, pytest.raises(VersionConflict):
        plan_versions.publish(session, actors["logistics"], "plan", expected=1)
    with planned.read() as session:
        assert session.get_one(RoutePlan, "plan").version == 2


def test_a_preview_keeps_nothing(planned: Database, actors: dict[str, Actor]) -> None:
    shown = changed(planned, actors["manager"], RepAbsent("rep-2"), preview=True)
    assert {move.from_rep for move in shown.moves if move.change == "moved"} == {"rep-2"}
    assert shown.stored.summary.version == 1
    with planned.read() as session:
        row = session.get_one(RoutePlan, "plan")
        assert (row.version, read_plan(row.report["plan"]).sequences()) == (1, ORDERS)


def test_reps_see_a_plan_from_its_making_and_later_only_what_is_published(
    planned: Database, actors: dict[str, Actor]
) -> None:
    def seen(code: str) -> list[str]:
        with planned.read() as session:
            found = day_plan.plan(session, actors[code], "plan")
            assert [item.id for item in day_plan.latest_plans(session, actors[code])] == ["plan"]
        return [stop.visit_id for route in found.plan.routes for stop in route.stops]

    manager = actors["manager"]
    assert seen("rep-1") == ["c1", "c2", "c3"]
    changed(planned, manager, CancelVisit("c2"))
    assert seen("rep-1") == ["c1", "c3"]
    with planned.write("manager") as session:
        summary = plan_versions.publish(session, manager, "plan", expected=2)
    assert (summary.status, summary.published_version, summary.published_by) == ("published", 2, "manager")
    changed(planned, manager, CancelVisit("c3"), version=2)
    assert seen("rep-1") == ["c1", "c3"]
    with planned.read() as session:
        assert day_plan.plan(session, manager, "plan").summary.status == "draft"
        stops = session.scalars(select(PlannedStop.visit_ref).where(PlannedStop.rep_ref == "rep-1"))
        assert list(stops) == ["c1", "c3"]
    changed(planned, manager, MoveVisit("c4", "rep-1"), version=3, publish=True)
    assert set(seen("rep-1")) == {"c1", "c4"}


def test_publishing_promises_the_starts_and_supersedes_the_other_plan_of_the_day(
    planned: Database, actors: dict[str, Actor]
) -> None:
    stored(planned, "other")
    manager = actors["manager"]
    with planned.write("manager") as session:
        plan_versions.publish(session, manager, "other", expected=1)
    with planned.write("manager") as session:
        plan_versions.publish(session, manager, "plan", expected=1)
    with planned.read() as session:
        assert session.get_one(RoutePlan, "other").status == "superseded"
        starts = {
            stop.visit_id: stop.start_s
            for route in day_plan.plan(session, manager, "plan").plan.routes
            for stop in route.stops
        }
    after = changed(planned, manager, CancelVisit("c1"))
    shifted = {stop.visit_id: stop.start_s for route in after.stored.plan.routes for stop in route.stops}
    assert all(abs(shifted[visit_id] - starts[visit_id]) <= 900 for visit_id in shifted)
    assert {move.promised_s for move in after.moves if move.visit_id == "c1"} == {starts["c1"]}
    asked = AskedChange(1, News(8 * H), QUICK)
    with pytest.raises(Conflict, match="another plan"):
        plan_changes.change(planned, manager, "other", asked, WAYS)


@pytest.mark.parametrize(("code", "error"), [("rep-1", Forbidden), ("analyst", Forbidden), ("recorder", Forbidden)])
def test_only_those_who_plan_routes_may_change_one(
    planned: Database, actors: dict[str, Actor], code: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        changed(planned, actors[code], CancelVisit("c2"))
    with planned.write(code) as session, pytest.raises(error):
        plan_versions.publish(session, actors[code], "plan", expected=1)


def test_a_manager_of_another_region_does_not_learn_that_the_plan_exists(
    planned: Database, actors: dict[str, Actor]
) -> None:
    stranger = Actor.person("stranger", "region_manager", "jinniu")
    with pytest.raises(NotFound):
        changed(planned, stranger, CancelVisit("c2"))
    with planned.read() as session:
        for look in (plan_versions.versions, plan_changes.fairness):
            with pytest.raises(NotFound):
                look(session, stranger, "plan")
        with pytest.raises(Forbidden):
            plan_versions.versions(session, actors["rep-1"], "plan")


def test_two_versions_and_two_plans_are_compared_by_moves_and_cost(planned: Database, actors: dict[str, Actor]) -> None:
    stored(planned, "other")
    manager = actors["manager"]
    changed(planned, manager, MoveVisit("c3", "rep-2"))
    with planned.read() as session:
        versions = plan_versions.compare(session, manager, "plan", "1")
        plans = plan_versions.compare(session, manager, "plan", "other@1")
        with pytest.raises(InvalidInput, match="query/with"):
            plan_versions.compare(session, manager, "plan", "other@x")
        with pytest.raises(NotFound):
            plan_versions.compare(session, manager, "plan", "7")
    for found in (versions, plans):
        assert [(move.visit_id, move.from_rep, move.to_rep) for move in found.moves if move.change == "moved"] == [
            ("c3", "rep-1", "rep-2")
        ]
        assert found.after.travel_s - found.before.travel_s == found.after.cost["travel"] - found.before.cost["travel"]
    assert [day.visits for day in versions.after.fairness.days] == [2, 4]


def test_a_plan_with_a_matrix_of_its_own_takes_new_customers_and_keeps_its_matrix(
    organisation: Database, actors: dict[str, Actor]
) -> None:
    table = WAYS.table(problem().locations())
    matrix = {"duration_s": table.duration_s.tolist(), "distance_m": table.distance_m.tolist()}
    stored(organisation, travel=matrix)
    after = changed(organisation, actors["manager"], AddVisit(Visit("n1", "新", place(3), 600)), CancelVisit("c1"))
    assert after.stored.report["feasible"]
    again = changed(organisation, actors["manager"], CancelVisit("n1"), version=2)
    assert again.stored.report["feasible"]
    with organisation.read() as session:
        kept = session.get_one(RoutePlan, "plan").travel
    assert kept is not None
    assert len(kept["duration_s"]) == 5 + 2 + 2


def test_locks_delays_and_absences_last_from_one_change_to_the_next(
    planned: Database, actors: dict[str, Actor]
) -> None:
    manager = actors["manager"]
    changed(planned, manager, MoveVisit("c4", "rep-1"), RepAbsent("rep-2", 12 * H))
    after = changed(planned, manager, AddVisit(Visit("n1", "新", place(1), 600)), version=2, now_s=13 * H)
    assert all(
        stop.start_s < 12 * H
        for stop in after.stored.plan.routes[-1].stops
        if after.stored.plan.routes[-1].rep_id == "rep-2"
    )
    with pytest.raises(InvalidInput, match="under way"):
        changed(planned, manager, CancelVisit("c1"), version=3, now_s=13 * H)
    back = changed(planned, manager, version=3, now_s=9 * H)
    assert back.now_s == 13 * H


def test_history_survives_on_every_database(each_database: Database) -> None:
    director = Actor.person("director", "director", None)
    with each_database.write("test") as session:
        session.add(Region(code="wuhou", name_zh="武侯", name_en="Wuhou", latitude=30.64, longitude=104.04))
        session.flush()
        session.add(Person(code="rep-1", name="李伟", role="rep", region_code="wuhou"))
    stored(each_database)
    for number in (1, 2):
        changed(each_database, director, CancelVisit(f"c{number}"), version=number, publish=True)
    with each_database.read() as session:
        found = plan_versions.versions(session, director, "plan")
        assert [(item.version, item.published_by) for item in found] == [(3, "director"), (2, "director"), (1, None)]
        orders = [
            plan_versions.version(session, director, "plan", number).stored.plan.sequences()["rep-1"]
            for number in (1, 2, 3)
        ]
    assert orders == [["c1", "c2", "c3"], ["c2", "c3"], ["c3"]]
