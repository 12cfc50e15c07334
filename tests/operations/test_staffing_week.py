"""A week of lending from the records: predicted work, people, proposals, decisions, and who is then where."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from operations import lending_decisions, lending_terms, staffing
from operations.access import Actor
from operations.lending_decisions import Decision, decide, lendings
from operations.lending_terms import Terms
from operations.lent_people import lent_before, present_on
from operations.staffing import StaffingWishes, staffing_problem
from operations.store.database import Database
from operations.store.tables import (
    AuditRecord,
    Customer,
    Event,
    LentDay,
    Person,
    PersonSkill,
    PlannedActivity,
    Region,
    StaffReallocation,
    Visit,
)
from operations.visit_candidates import Wishes, region_days
from routing.staffing.problem import hours_on, work_on

MONDAY = date(2026, 11, 23)  # three days after the clock of the tests
Actors = dict[str, Actor]


@pytest.fixture
def week(organisation: Database) -> Database:
    """Wuhou has much to do and few people; Jinniu has four more people and nothing planned."""
    with organisation.write("test") as session:
        for region in session.scalars(select(Region)):
            region.minimum_staff = 1
        for number in range(3, 7):
            session.add(Person(code=f"rep-{number}", name=f"金牛{number}", role="rep", region_code="jinniu"))
        for ahead in range(7):
            day = MONDAY + timedelta(days=ahead)
            session.add(PlannedActivity(region_code="wuhou", day=day, planned_visits=30))
            session.add(PlannedActivity(region_code="jinniu", day=day, planned_visits=0))
    return organisation


def proposed(week: Database, actor: Actor, proposal_id: str = "p1", days: int = 3) -> staffing.StoredReallocation:
    with week.read() as session:
        problem = staffing_problem(session, actor, MONDAY, StaffingWishes(days))
    asked = staffing.payload(problem, MONDAY)
    staffing.store(week, actor.code, proposal_id, asked, staffing.solve(asked))
    with week.read() as session:
        return staffing.reallocation(session, actor, proposal_id)


def test_work_is_what_is_planned_and_due_by_skill_and_the_stand_of_a_fair_is_required(
    week: Database, actors: Actors
) -> None:
    with week.write("test") as session:
        session.add(
            Event(
                code="fair",
                region_code="wuhou",
                kind="fair",
                name_zh="展会",
                name_en="Fair",
                starts_on=MONDAY,
                ends_on=MONDAY + timedelta(days=1),
                expected_visitors=4000,
            )
        )
        session.add(
            Customer(
                code="company",
                name="公司",
                customer_type="companies",
                region_code="jinniu",
                latitude=30.69,
                longitude=104.05,
                open_from_s=9 * 3600,
                open_until_s=17 * 3600,
            )
        )
        for customer in session.scalars(select(Customer)):
            customer.open_from_s, customer.open_until_s = 9 * 3600, 17 * 3600
    with week.read() as session:
        problem = staffing_problem(session, actors["director"], MONDAY, StaffingWishes(7))
    jinniu, wuhou = problem.regions
    assert problem.days[0] == "2026-11-23"
    assert len(problem.days) == 7
    # 4,000 visitors over two days, a tenth at the stand, twenty an hour
    assert work_on(wuhou.work_h, 0) == {"": 18.0, "fair": 10.0}
    assert work_on(wuhou.required_h, 1) == {"fair": 10.0}
    assert work_on(wuhou.work_h, 2) == {"": 18.0}
    # two customers never visited: a fifth of each on each of the first five days, the company's asks for its skill
    assert work_on(jinniu.work_h, 0) == pytest.approx({"": 0.12, "key_account": 0.12})
    assert work_on(jinniu.work_h, 6) == {"": 0.0}
    assert jinniu.open_h == 8


def test_people_come_with_days_off_habits_limits_and_wishes(week: Database, actors: Actors) -> None:
    with week.write("test") as session:
        session.add(PersonSkill(person_code="rep-3", skill="fair"))
        lending_terms.set_days_off(session, actors["director"], "rep-3", [MONDAY], since=MONDAY - timedelta(days=3))
        lending_terms.set_terms(
            session, actors["rep-2"], "rep-2", Terms(("wuhou",), (), (1,), (2,), (6,), max_moves=1, max_days=2)
        )
        for back in range(1, 29):  # never on a Wednesday
            day = MONDAY - timedelta(days=back)
            if day.weekday() != 2:
                at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
                visit = Visit(id=f"v{back}", customer_code="c4", rep_code="rep-4", outcome="refused", recorded_at=at)
                visit.started_at = visit.ended_at = at
                session.add(visit)
    with week.read() as session:
        problem = staffing_problem(
            session,
            actors["director"],
            MONDAY,
            StaffingWishes(7, absent=("rep-5",), absent_on={"rep-6": [MONDAY + timedelta(days=1)]}),
        )
    people = {one.id: one for one in problem.people}
    assert "gone" not in people
    assert people["rep-2"].refused_regions == {"wuhou"}
    assert (people["rep-2"].refused_days, people["rep-2"].wished_days) == ({1}, {2})
    assert (people["rep-2"].moves_left, people["rep-2"].days_left) == (1, 2)

    def off(code: str) -> list[int]:
        return [day for day in range(7) if not hours_on(people[code].hours, day)]

    assert [off(code) for code in ("rep-2", "rep-3", "rep-4", "rep-5", "rep-6")] == [
        [6],
        [0],
        [2],
        [0, 1, 2, 3, 4, 5, 6],
        [1],
    ]
    assert people["rep-3"].skills == {"fair"}


def test_an_approved_week_moves_people_in_the_day_plans_and_out_at_home(week: Database, actors: Actors) -> None:
    stored = proposed(week, actors["director"])
    assert stored.answer.moves
    assert {move.to_region for move in stored.answer.moves} == {"wuhou"}
    assert stored.names[stored.answer.moves[0].person_id].startswith(("金牛", "周敏"))
    with week.write("director") as session:
        decided = decide(session, actors["director"], "p1", Decision("approve"))
    assert (decided.status, decided.lent_days, decided.open_days) == ("approved", len(stored.answer.moves), 0)
    lent = {move.person_id for move in stored.answer.moves if move.day == MONDAY.isoformat()}
    with week.read() as session:
        for region, there in (("wuhou", True), ("jinniu", False)):
            monday, sunday = region_days(session, actors["director"], region, [MONDAY, MONDAY + timedelta(days=6)])
            codes = {person.code for person in monday.present}
            assert (lent <= codes) is there
            assert lent.isdisjoint(codes) is not there
            assert {person.code for person in sunday.present} >= ({"rep-1"} if there else {"rep-2", *lent})
        named = region_days(session, actors["director"], "jinniu", [MONDAY], Wishes(rep_codes=tuple(sorted(lent))))
        assert {person.code for person in named[0].present} == lent
        assert session.scalars(select(AuditRecord).where(AuditRecord.subject == "lent_day")).first() is not None
        assert lent_before(session, MONDAY + timedelta(days=7))[min(lent)] >= 1
        own = lendings(session, Actor.person(min(lent), "rep", "jinniu"), MONDAY, MONDAY)
        assert [one.to_region for one in own if one.person_code == min(lent)] == ["wuhou"]
        assert lendings(session, actors["manager"], MONDAY, MONDAY + timedelta(days=6))


def test_who_is_lent_already_counts_in_the_other_region_and_keeps_fewer_moves(week: Database, actors: Actors) -> None:
    stored = proposed(week, actors["director"])
    with week.write("director") as session:
        decide(session, actors["director"], "p1", Decision("approve"))
    move = stored.answer.moves[0]
    day = stored.problem.days.index(move.day)
    with week.read() as session:
        again = staffing_problem(session, actors["director"], MONDAY, StaffingWishes(3))
    people = {one.id: one for one in again.people}
    assert hours_on(people[move.person_id].hours, day) == 0
    assert people[move.person_id].moves_left == 1
    guest = people[f"{move.person_id}@{move.day}"]
    assert (guest.region_id, hours_on(guest.hours, day), guest.moves_left) == ("wuhou", 8, 0)
    second = proposed(week, actors["director"], "p2")
    assert not {(one.person_id, one.day) for one in second.answer.moves} & {
        (one.person_id, one.day) for one in stored.answer.moves
    }


def test_a_manager_decides_about_the_own_people_only(week: Database, actors: Actors) -> None:
    stored = proposed(week, actors["director"])
    jinniu = Actor.person("boss", "region_manager", "jinniu")
    who = stored.answer.moves[0].person_id
    with week.write("manager") as session:
        decided = decide(session, actors["manager"], "p1", Decision("approve"))
        assert (decided.status, decided.lent_days) == ("proposed", 0)
        with pytest.raises(InvalidInput) as refused:
            decide(session, actors["manager"], "p1", Decision("approve", (who,)))
        assert refused.value.fields[0].pointer == "/people/0"
        with pytest.raises(Conflict):
            decide(session, actors["manager"], "p1", Decision("reject", reason="no"))
        decided = decide(session, jinniu, "p1", Decision("approve", (who,)))
        assert decided.status == ("partly_approved" if decided.open_days else "approved")
        for actor in (actors["rep-1"], actors["logistics"], actors["analyst"]):
            with pytest.raises(Forbidden):
                decide(session, actor, "p1", Decision("approve"))
        assert [row.id for row, _ in lending_decisions.latest_proposals(session, jinniu, limit=5)] == ["p1"]


def test_a_manager_sees_what_concerns_the_own_region_and_nothing_else(week: Database, actors: Actors) -> None:
    whole = proposed(week, actors["director"])
    assert {move.to_region for move in whole.answer.moves} == {"wuhou"}
    assert whole.names
    with week.write("test") as session:
        session.add(Region(code="far", name_zh="远区", name_en="Far", latitude=30.6, longitude=104.0))
    with week.read() as session:
        for region, other in (("jinniu", "wuhou"), ("wuhou", "jinniu")):
            part = staffing.reallocation(session, Actor.person("boss", "region_manager", region), "p1")
            assert part.answer.moves == whole.answer.moves
            assert [one.id for one in part.problem.regions] == [region]
            assert {one.region_id for one in part.problem.people} == {region}
            assert set(part.answer.unserved_after_h) == {region}
            assert {item.region_id for item in part.answer.shortfalls} <= {region}
            assert other not in str(part.answer.before_by_day_h)
        with pytest.raises(NotFound):
            staffing.reallocation(session, Actor.person("boss", "region_manager", "far"), "p1")


def test_a_rejected_proposal_is_over_and_an_approved_one_can_be_withdrawn(week: Database, actors: Actors) -> None:
    director = actors["director"]
    proposed(week, director)
    proposed(week, director, "p2")
    with week.write("director") as session:
        with pytest.raises(InvalidInput):
            decide(session, director, "p1", Decision("reject"))
        assert decide(session, director, "p1", Decision("reject", reason="fair is off")).status == "rejected"
        with pytest.raises(Conflict):
            decide(session, director, "p1", Decision("approve"))
        assert decide(session, director, "p2", Decision("approve")).status == "approved"
        with pytest.raises(Conflict):
            decide(session, director, "p2", Decision("reject", reason="late"))
        withdrawn = decide(session, director, "p2", Decision("withdraw", reason="rain"))
        assert (withdrawn.status, withdrawn.lent_days) == ("withdrawn", 0)
        assert session.scalars(select(LentDay)).all() == []
        with pytest.raises(NotFound):
            decide(session, director, "nothing", Decision("approve"))


def test_nobody_is_lent_twice_on_a_day_or_on_a_day_off(week: Database, actors: Actors) -> None:
    director = actors["director"]
    first = proposed(week, director)
    proposed(week, director, "p2")
    who = first.answer.moves[0].person_id
    with week.write("director") as session:
        decide(session, director, "p1", Decision("approve"))
    with week.write("director") as session, pytest.raises(Conflict) as refused:
        decide(session, director, "p2", Decision("approve"))
    assert "another proposal" in refused.value.fields[0].text.en
    with week.write("director") as session:
        decide(session, director, "p1", Decision("withdraw", reason="again"))
        lending_terms.set_days_off(
            session, director, who, [MONDAY + timedelta(days=n) for n in range(3)], since=MONDAY, reason="leave"
        )
    with week.write("director") as session, pytest.raises(Conflict) as refused:
        decide(session, director, "p2", Decision("approve", (who,)))
    assert "is off" in refused.value.fields[0].text.en


def test_days_off_empty_the_day_plan(week: Database, actors: Actors) -> None:
    with week.write("director") as session:
        lending_terms.set_days_off(session, actors["director"], "rep-2", [MONDAY], since=MONDAY)
        lending_terms.set_days_off(
            session, actors["director"], "rep-2", [MONDAY, MONDAY + timedelta(days=1)], since=MONDAY
        )
        lending_terms.set_days_off(session, actors["director"], "rep-2", [MONDAY + timedelta(days=1)], since=MONDAY)
    with week.read() as session:
        people = list(session.scalars(select(Person).where(Person.code.in_(["rep-2", "rep-3"]))))
        there = present_on(session, "jinniu", people, [MONDAY, MONDAY + timedelta(days=1)])
    assert [len(found) for found in there.values()] == [2, 1]


def test_terms_are_ones_own_and_checked(week: Database, actors: Actors) -> None:
    with week.write("x") as session:
        for code, actor in (("rep-2", actors["rep-1"]), ("rep-2", actors["manager"]), ("director", actors["director"])):
            with pytest.raises(NotFound):
                lending_terms.set_terms(session, actor, code, Terms())
        with pytest.raises(Forbidden):
            lending_terms.set_days_off(session, actors["rep-1"], "rep-1", [MONDAY], since=MONDAY)
        with pytest.raises(Forbidden):
            lending_terms.set_terms(session, actors["analyst"], "rep-1", Terms())
        wrong = Terms(("moon",), ("wuhou", "moon"), (7,), (), (), max_moves=9)
        with pytest.raises(InvalidInput) as refused:
            lending_terms.set_terms(session, actors["rep-1"], "rep-1", wrong)
        assert [field.pointer for field in refused.value.fields] == [
            "/refused_regions/0",
            "/wished_regions/1",
            "/refused_weekdays/0",
            "/wished_regions/1",
            "/max_moves",
        ]
        lending_terms.set_terms(session, actors["manager"], "rep-1", Terms(("jinniu",)))
        session.flush()
        assert lending_terms.terms_of(session, actors["rep-1"], "rep-1", MONDAY).terms == Terms(("jinniu",))


def test_an_older_proposal_of_one_day_can_still_be_read(week: Database, actors: Actors) -> None:
    problem = {
        "regions": [
            {"id": "wuhou", "location": {"latitude": 30.6, "longitude": 104}, "minimum_staff": 1, "work_h": {"": 5}}
        ],
        "people": [{"id": "rep-1", "region_id": "wuhou", "skills": [], "hours": 8.0, "moves_left": 1}],
        "rules": {"speed_kmh": 40, "detour_factor": 1.4, "longest_way_min": 120, "move_cost_h": 1},
    }
    text = {"en": "because", "zh": "因为"}
    move = {"person_id": "rep-1", "from_region": "wuhou", "to_region": "jinniu", "hours_covered": 3, "travel_min": 9}
    answer = {
        "moves": [{**move, "reason": text}],
        "unserved_before_h": {"wuhou": 1},
        "unserved_after_h": {"wuhou": 0},
        "shortfalls": [{"region_id": "wuhou", "skill": "", "hours": 1, "reasons": [text]}],
    }
    with week.write("test") as session:
        session.add(StaffReallocation(id="old", work_date=MONDAY, problem=problem, answer=answer))
    with week.read() as session:
        stored = staffing.reallocation(session, actors["director"], "old")
    assert (stored.days, stored.status, stored.answer.moves[0].day) == (1, "proposed", "")
    with week.write("director") as session:
        assert decide(session, actors["director"], "old", Decision("approve")).lent_days == 1
        assert session.get(LentDay, ("rep-1", MONDAY)) is not None


@pytest.mark.parametrize(
    ("wishes", "pointer"),
    [
        (StaffingWishes(8), "/days"),
        (StaffingWishes(work_h={"moon": {"": 1}}), "/work_h/moon"),
        (StaffingWishes(work_h={"wuhou": {"sleep": 1}}), "/work_h/wuhou/sleep"),
        (StaffingWishes(work_by_day={MONDAY: {"moon": {"": 1}}}), "/work_by_day/2026-11-23/moon"),
        (StaffingWishes(work_by_day={date(2026, 1, 1): {}}), "/work_by_day/2026-01-01"),
        (StaffingWishes(absent=("nobody",)), "/absent/0"),
        (StaffingWishes(absent_on={"nobody": []}), "/absent_on/nobody"),
    ],
)
def test_a_wrong_question_names_its_field(week: Database, actors: Actors, wishes: StaffingWishes, pointer: str) -> None:
    with week.read() as session, pytest.raises(InvalidInput) as refused:
        staffing_problem(session, actors["director"], MONDAY, wishes)
    assert refused.value.fields[0].pointer == pointer
