"""Several days are planned together: nobody twice, holidays free, what a day leaves out flows on, one plan a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from common.errors import InvalidInput, NotReady, Text
from common.places import Location
from operations import day_plan, week_plan
from operations.access import Actor
from operations.plan_records import read_plan
from operations.store.database import Database
from operations.visit_candidates import Wishes, region_day
from operations.week_plan import WeekWishes
from routing.travel_times import HaversineTravelTimes, TravelTable, UnreachablePlaces
from tests.operations.visit_records import add_customer, add_plan, add_visit, set_up

SYSTEM = Actor.system("test")
MONDAY = date(2026, 11, 23)
TRAVEL = HaversineTravelTimes()


@pytest.fixture
def region(database: Database) -> Database:
    set_up(database)
    return database


def asked(database: Database, start: date = MONDAY, **wishes: Any) -> dict[str, Any]:
    with database.read() as session:
        return week_plan.payload(session, SYSTEM, "wuhou", start, WeekWishes(**{"time_limit_s": 2, **wishes}))


def days_of(solved: dict[str, Any]) -> dict[str, str]:
    """Return the day on which each customer is visited, and make sure that nobody is visited twice."""
    seen = [
        (stop.visit_id, day["date"])
        for day in solved["days"]
        if "solved" in day
        for route in read_plan(day["solved"]["plan"]).routes
        for stop in route.stops
    ]
    assert max(Counter(code for code, _ in seen).values(), default=1) == 1
    return dict(seen)


def test_nobody_is_visited_twice_and_each_comes_when_the_rhythm_allows(region: Database) -> None:
    with region.write("test") as session:
        for number in range(12):
            add_customer(session, f"c{number:02d}", latitude=30.60 + number / 100)
        add_customer(session, "later")
        add_visit(session, "later", 0.2)  # on Friday: due again on the next Friday
        add_customer(session, "never", grade="C")
        add_visit(session, "never", 10)
    solved = week_plan.solve(asked(region), TRAVEL)
    found = days_of(solved)
    assert set(found) == {"later", *(f"c{number:02d}" for number in range(12))}
    assert found["later"] >= "2026-11-27"
    assert solved["not_placed"] == []
    assert all(day["solved"]["feasible"] for day in solved["days"] if "solved" in day)


def test_what_one_day_cannot_hold_flows_on_to_the_next(region: Database) -> None:
    with region.write("test") as session:
        for number in range(10):
            # Five hours each: one a day for a rep.
            add_customer(session, f"c{number}", service_s=5 * 3600, value_cny=2000 - number)
    solved = week_plan.solve(asked(region, days=3, day=Wishes(("rep-1",))), TRAVEL)
    found = days_of(solved)
    assert sorted(Counter(found.values()).items()) == [("2026-11-23", 1), ("2026-11-24", 1), ("2026-11-25", 1)]
    left = {item["visit_id"] for item in solved["not_placed"]}
    assert left | set(found) == {f"c{number}" for number in range(10)}
    assert all(item["reasons"] and item["reasons"][0]["zh"] for item in solved["not_placed"])


@dataclass(frozen=True)
class WithoutStreets:
    """Great circle, but no street leads to places north of a line; remembers the hours that were asked for."""

    beyond: float
    hours: list[tuple[int, int]]

    def during(self, start_s: int, end_s: int) -> WithoutStreets:
        self.hours.append((start_s, end_s))
        return self

    def table(self, locations: Sequence[Location]) -> TravelTable:
        lost = [index for index, place in enumerate(locations) if place.latitude > self.beyond]
        if lost:
            raise UnreachablePlaces({index: Text("no street is near", "附近没有道路") for index in lost})
        return TRAVEL.table(locations)


def test_a_customer_without_a_street_is_named_and_the_others_get_their_days(region: Database) -> None:
    with region.write("test") as session:
        for number in range(4):
            add_customer(session, f"c{number}", latitude=30.60 + number / 100)
        add_customer(session, "island", latitude=30.9, grade="A", value_cny=5000.0)
    source = WithoutStreets(30.8, [])
    solved = week_plan.solve(asked(region, days=2), source)
    assert set(days_of(solved)) == {f"c{number}" for number in range(4)}
    (left,) = solved["not_placed"]
    assert (left["visit_id"], left["reasons"][0]["code"]) == ("island", "unreachable")
    assert "no street is near" in left["reasons"][0]["en"]
    assert "附近没有道路" in left["reasons"][0]["zh"]
    assert all(day["solved"]["feasible"] for day in solved["days"] if "solved" in day)
    assert len(set(source.hours)) == 1
    assert 0 < source.hours[0][0] < source.hours[0][1]


def test_companies_come_on_working_days_only(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "firm", customer_type="companies")
        add_customer(session, "home")
    found = days_of(week_plan.solve(asked(region, date(2026, 11, 28), days=3), TRAVEL))
    assert found == {"home": "2026-11-28", "firm": "2026-11-30"}


@pytest.mark.parametrize(
    ("days_off", "free"),
    [
        ("none", []),
        ("holidays", ["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06"]),
        ("rest_days", ["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06"]),
    ],
)
def test_public_holidays_are_left_free_when_asked(region: Database, days_off: str, free: list[str]) -> None:
    with region.write("test") as session:
        add_customer(session, "c")
    found = asked(region, date(2026, 9, 30), days=7, days_off=days_off)
    assert [day["date"] for day in found["days"] if day["skipped"]] == free
    assert {day["skipped"]["code"] for day in found["days"] if day["skipped"]} <= {"holiday"}


def test_a_make_up_saturday_is_a_working_day_and_its_sunday_is_not(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "firm", customer_type="companies")
    found = asked(region, date(2026, 10, 10), days=2, days_off="rest_days")
    assert [day["skipped"] and day["skipped"]["code"] for day in found["days"]] == [None, "weekend"]
    assert days_of(week_plan.solve(found, TRAVEL)) == {"firm": "2026-10-10"}


def test_a_customer_who_is_planned_and_published_elsewhere_is_not_planned_again(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "taken")
        add_customer(session, "free")
        add_plan(session, "p1", MONDAY + timedelta(days=2), "rep-3", ["taken"], status="published")
    found = asked(region, day=Wishes(("rep-1",)))
    assert set(days_of(week_plan.solve(found, TRAVEL))) == {"free"}
    assert {item["customer_code"] for day in found["days"] for item in day["rhythm"]["excluded"]} == {"taken"}


def test_each_day_is_stored_once_and_blocks_repeats_from_then_on(region: Database) -> None:
    with region.write("test") as session:
        for number in range(4):
            add_customer(session, f"c{number}")
    question = asked(region, days=2)
    solved = week_plan.solve(question, TRAVEL)
    kept = week_plan.store(region, "test", "job-1", question, solved)
    assert week_plan.store(region, "test", "job-1", question, solved) == kept
    plans = [day["route_plan_id"] for day in kept["days"] if not day["skipped"]]
    with region.read() as session:
        stored = [day_plan.plan(session, SYSTEM, plan_id) for plan_id in plans]
        assert sum(plan.summary.assigned_visits for plan in stored) == 4
        assert {plan.summary.region_code for plan in stored} == {"wuhou"}
        # The day after, they would be repeats; on the week's own days the plan may be made anew.
        after = region_day(session, SYSTEM, "wuhou", MONDAY + timedelta(days=2))
        assert {item.why.code for item in after.excluded} == {"planned_before"}
        anew = region_day(session, SYSTEM, "wuhou", MONDAY)
        assert len(anew.due) == 4


def test_progress_names_the_day_and_a_stop_ends_the_work_soon(region: Database) -> None:
    with region.write("test") as session:
        for number in range(6):
            add_customer(session, f"c{number}", service_s=5 * 3600)
    seen: list[dict[str, Any]] = []
    solved = week_plan.solve(asked(region, days=2), TRAVEL, on_progress=seen.append, should_stop=lambda: True)
    assert [item["day"] for item in seen] == ["2026-11-23", "2026-11-24"]
    assert len(days_of(solved)) == 6


@pytest.mark.parametrize(
    ("wishes", "pointer"), [({"days": 0}, "/days"), ({"days": 8}, "/days"), ({"days_off": "never"}, "/days_off")]
)
def test_wrong_wishes_are_named(region: Database, wishes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        asked(region, **wishes)
    assert raised.value.fields[0].pointer == pointer


def test_a_week_in_which_nobody_is_due_is_said_so(region: Database) -> None:
    with region.write("test") as session:
        add_customer(session, "seen", grade="C")
        add_visit(session, "seen", 1)
    with pytest.raises(NotReady):
        asked(region)
