"""What changes during the day: what is done stays, every new plan holds, and what is not concerned is left alone."""

import dataclasses
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location
from routing.during_day.changes import (
    AddVisit,
    CancelVisit,
    LockFirst,
    LockVisit,
    MoveVisit,
    RepAbsent,
    Unlock,
    WaysTakeLonger,
)
from routing.during_day.progress import Progress, StopMade, fixed_parts
from routing.during_day.replan import Calm, News, replan
from routing.during_day.running import Delay, RunningDay
from routing.problem import DayProblem, Rep, TimeWindow, Visit
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes
from tests.routing.running_days import SameWays, planned, running_days, visits

H = 3600
QUICK = Calm(search="never")
WAYS = SameWays()
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def news(draw, day, now_s):
    """Some changes that are possible at a moment."""
    made = {
        visit_id for part in fixed_parts(dataclasses.replace(day, now_s=now_s)).values() for visit_id in part.visit_ids
    }
    open_ids = [visit.id for visit in day.problem.visits if visit.id not in made]
    changes = []
    for number in range(draw(st.integers(0, 3))):
        rep = draw(st.sampled_from(day.problem.reps)).id
        kind = draw(st.sampled_from(["add", "cancel", "absent", "slow", "slow_rep", "lock", "move", "first"]))
        if kind == "add":
            taken = {visit.id for visit in day.problem.visits}
            changes.append(AddVisit(draw(visits(next(f"n{n}" for n in range(number, 99) if f"n{n}" not in taken)))))
        elif kind == "cancel" and len(open_ids) > 1:
            changes.append(CancelVisit(open_ids.pop(draw(st.integers(0, len(open_ids) - 1)))))
        elif kind == "absent":
            changes.append(RepAbsent(rep, draw(st.sampled_from([None, now_s + 3600]))))
        elif kind == "slow":
            changes.append(WaysTakeLonger(Delay(draw(st.sampled_from([1.0, 1.5])), draw(st.sampled_from([0, 300])))))
        elif kind == "slow_rep":
            changes.append(WaysTakeLonger(Delay(2.0, 60, rep_id=rep)))
        elif kind == "lock" and open_ids:
            changes.append(LockVisit(draw(st.sampled_from(open_ids)), rep))
        elif kind == "move" and open_ids:
            changes.append(MoveVisit(draw(st.sampled_from(open_ids)), rep, lock=draw(st.booleans())))
        elif kind == "first":
            rest = [stop.visit_id for route in day.plan.routes if route.rep_id == rep for stop in route.stops]
            rest = [visit_id for visit_id in rest if visit_id in open_ids]
            if rest and not changes:
                changes.append(LockFirst(rep, count=1))
    return tuple(changes)


def made_at(day, now_s):
    return {
        (route.rep_id, stop.visit_id, stop.start_s, stop.departure_s)
        for route in day.plan.routes
        for stop in route.stops
        if stop.start_s <= now_s
    }


def holds(before, after, now_s):
    """Whatever the engine believes: the new plan holds what can be seen from outside."""
    problem, plan = after.day.problem, after.plan
    wanted = {visit.id: visit for visit in problem.visits}
    made = made_at(before, now_s)
    made_ids = {visit_id for _, visit_id, _, _ in made}
    served = [stop.visit_id for route in plan.routes for stop in route.stops]
    assert sorted([*served, *(item.visit_id for item in plan.unassigned)]) == sorted(wanted)
    assert made <= made_at(after.day, now_s)
    for route in plan.routes:
        for stop in route.stops:
            if stop.visit_id in made_ids:
                continue
            visit = wanted[stop.visit_id]
            assert stop.start_s >= now_s
            assert not visit.windows or any(span.start_s <= stop.start_s <= span.end_s for span in visit.windows)
            assert stop.departure_s - stop.start_s == visit.service_s
            assert visit.allowed_reps is None or route.rep_id in visit.allowed_reps
    assert after.report.drivable, [violation.text.en for violation in after.report.violations]


@PROPERTY
@given(st.data())
def test_what_is_done_never_changes_and_every_plan_of_the_day_passes_the_checker(data):
    day = data.draw(running_days())
    now_s = 7 * H
    for _ in range(data.draw(st.integers(1, 3))):
        now_s += data.draw(st.sampled_from([0, 1200, 2 * H, 3 * H]))
        changes = data.draw(news(day, now_s))
        try:
            after = replan(day, News(now_s, changes), WAYS, QUICK)
        except InvalidInput:  # such as a lock on what an earlier change of the same list has taken away
            continue
        holds(day, after, now_s)
        day = after.day


@PROPERTY
@given(running_days(), st.data())
def test_a_visit_that_fits_into_a_gap_changes_nothing_but_its_own_round(day, data):
    now_s = data.draw(st.sampled_from([7 * H, 9 * H, 10 * H + 700]))
    after = replan(day, News(now_s, (AddVisit(data.draw(visits("new"))),)), WAYS, QUICK)
    holds(day, after, now_s)
    if after.method not in ("inserted", "kept"):
        return
    concerned = {move.to_rep for move in after.moves if move.visit_id == "new"}
    old = {route.rep_id: route for route in day.plan.routes}
    for route in after.plan.routes:
        if route.rep_id not in concerned:
            assert route == old[route.rep_id]
        else:
            order = [stop.visit_id for stop in route.stops if stop.visit_id != "new"]
            assert order == [stop.visit_id for stop in old[route.rep_id].stops] if route.rep_id in old else not order
    assert {item.visit_id for item in day.plan.unassigned} <= {item.visit_id for item in after.plan.unassigned}


@PROPERTY
@given(running_days(), st.sampled_from([7 * H, 9 * H + 1, 10 * H + 700, 13 * H, 20 * H]))
def test_without_news_the_plan_stays_as_it_is_at_any_moment(day, now_s):
    after = replan(day, News(now_s), WAYS, QUICK)
    assert after.plan.routes == day.plan.routes
    assert after.moves == ()
    assert after.report.drivable


@PROPERTY
@given(running_days(), st.data())
def test_reports_of_any_true_progress_give_a_plan_that_holds_and_keeps_what_was_reported(day, data):
    now_s = 10 * H
    reports = []
    for route in day.plan.routes:
        ready_s, made = route.departure_s, []
        for stop in route.stops[: data.draw(st.integers(0, len(route.stops)))]:
            start_s = ready_s + data.draw(st.sampled_from([0, 300, 2400]))
            end_s = start_s + data.draw(st.sampled_from([0, 600, 2000]))
            if end_s > now_s:
                break
            made.append(StopMade(stop.visit_id, start_s, end_s))
            ready_s = end_s
        running = None
        rest = [stop.visit_id for stop in route.stops[len(made) :]]
        if rest and data.draw(st.booleans()):
            running = StopMade(rest[-1], max(ready_s, now_s - 600), max(ready_s, now_s) + 900)
            running = running if running.start_s <= now_s else None
        reports.append(Progress(route.rep_id, tuple(made), running, breaks=data.draw(st.sampled_from([None, ()]))))
    after = replan(day, News(now_s, (), tuple(reports)), WAYS, QUICK)
    assert after.report.drivable, [violation.text.en for violation in after.report.violations]
    for report in reports:
        route = after.day.route(report.rep_id)
        told = [*report.made, *([report.running] if report.running else [])]
        stops = route.stops[: len(told)] if route else ()
        assert [(stop.visit_id, stop.start_s, stop.departure_s) for stop in stops] == [
            (stop.visit_id, stop.start_s, stop.departure_s) for stop in told
        ]
    later = replan(after.day, News(now_s + 1800), WAYS, QUICK)
    assert later.report.drivable


def place(number):
    return Location(30.6 + number * 0.005, 104.0)


def stated_day(orders, visits_more=(), **rep_options):
    """A day whose two reps have the given orders of visits v0, v1 …, each half an hour long."""
    count = sum(len(order) for order in orders.values())
    asked = (*(Visit(f"v{n}", f"v{n}", place(n), 1800) for n in range(count)), *visits_more)
    reps = tuple(
        dataclasses.replace(Rep(rep_id, rep_id, place(0), 9 * H, 18 * H, place(0)), **rep_options) for rep_id in orders
    )
    problem = DayProblem(asked, reps)
    table = HaversineTravelTimes().table(problem.locations())
    plan, report = evaluate(problem, table, orders)
    assert report.drivable
    return RunningDay(problem, plan, table)


TWO = {"a": ["v0", "v1", "v2"], "b": ["v3", "v4", "v5"]}


def changed(day, *changes, now_s=8 * H, progress=(), calm=QUICK):
    return replan(day, News(now_s, changes, tuple(progress)), WAYS, calm)


def told(replanned):
    return {(move.visit_id, move.change, move.reason) for move in replanned.moves}


def test_a_cancelled_visit_leaves_the_others_in_order_and_says_why():
    after = changed(stated_day(TWO), CancelVisit("v1"))
    assert after.plan.sequences() == {"a": ["v0", "v2"], "b": ["v3", "v4", "v5"]}
    assert told(after) == {("v1", "removed", "cancelled"), ("v2", "earlier", "less_before")}
    assert after.method == "kept"
    for move in after.moves:
        assert move.text.en
        assert move.text.zh


def test_the_gap_of_a_cancelled_visit_goes_to_one_that_was_left_out_when_nothing_else_shifts():
    left = Visit("left", "left", place(1), 1500, value=0.5)
    day = stated_day(TWO, (left,))
    starts = {stop.visit_id: stop.start_s for route in day.plan.routes for stop in route.stops}
    after = changed(day, CancelVisit("v1"))
    assert ("left", "added", "gap") in told(after)
    now = {stop.visit_id: stop.start_s for route in after.plan.routes for stop in route.stops}
    assert all(abs(now[visit_id] - starts[visit_id]) <= 300 for visit_id in starts if visit_id != "v1")


def test_a_visit_that_is_left_out_during_the_day_says_what_would_bring_it_in():
    day = stated_day({"a": ["v0", "v1"]}, shift_end_s=10 * H + 1200)
    more = Visit("new", "new", place(1), 1800, value=0.5)
    patient = dataclasses.replace(QUICK, relax_s=30)
    (left,) = changed(day, AddVisit(more), calm=patient).plan.unassigned
    assert left.visit_id == "new"
    codes = [found.code for found in left.relaxations]
    assert "extend_day" in codes
    assert "start_earlier" not in codes
    extension = next(found for found in left.relaxations if found.code == "extend_day")
    longer = dataclasses.replace(day.problem.reps[0], shift_end_s=10 * H + 1200 + int(extension.amount))
    longer_day = dataclasses.replace(day, problem=dataclasses.replace(day.problem, reps=(longer,)))
    assert changed(longer_day, AddVisit(more)).plan.unassigned == ()
    (untried,) = changed(day, AddVisit(more), calm=dataclasses.replace(QUICK, relax_s=0)).plan.unassigned
    assert untried.relaxations == ()


def test_the_visits_of_a_rep_who_is_away_go_to_the_others_and_the_done_ones_stay():
    day = stated_day(TWO)
    after = changed(day, RepAbsent("b"), now_s=9 * H + 1200)
    assert [stop.visit_id for stop in after.day.route("b").stops] == ["v3"]
    assert {visit_id for visit_id, change, reason in told(after) if (change, reason) == ("moved", "rep_absent")} == {
        "v4",
        "v5",
    }
    later = changed(day, RepAbsent("b", 10 * H + 1800))
    assert all(stop.departure_s <= 10 * H + 1800 for stop in later.day.route("b").stops)


def test_a_full_day_makes_room_for_an_urgent_customer_by_leaving_out_one_worth_less():
    day = stated_day({"a": ["v0", "v1"]}, shift_end_s=10 * H + 1200)
    urgent = Visit("new", "new", place(1), 1800, grade="A")
    after = changed(day, AddVisit(urgent))
    assert after.method == "made_room"
    assert ("new", "added", "new") in told(after)
    assert {reason for _, change, reason in told(after) if change == "left_out"} == {"made_room"}
    plain = changed(day, AddVisit(dataclasses.replace(urgent, grade="", value=0.5)))
    assert told(plain) == {("new", "left_out", "no_room")}
    assert plain.plan.routes == day.plan.routes


def test_a_round_that_runs_late_drops_as_little_as_it_must_and_others_take_it():
    windows = (TimeWindow(9 * H, 10 * H + 1800),)
    day = stated_day(TWO)
    tight = tuple(dataclasses.replace(visit, windows=windows) for visit in day.problem.visits)
    day = planned(dataclasses.replace(day.problem, visits=tight), day.table)
    rep_id, order = next((rep_id, order) for rep_id, order in day.plan.sequences().items() if len(order) > 1)
    late = Progress(rep_id, (), StopMade(order[0], 9 * H, 10 * H + 1500))
    after = changed(day, now_s=9 * H + 60, progress=[late])
    assert after.report.drivable
    dropped = {visit_id for visit_id, change, reason in told(after) if reason == "late"}
    assert dropped
    assert order[0] not in dropped


def test_slower_ways_shift_times_and_are_told_as_the_reason():
    after = changed(stated_day(TWO), WaysTakeLonger(Delay(4.0)))
    assert after.plan.sequences() == TWO
    assert {reason for _, change, reason in told(after)} == {"slower_ways"}
    one = changed(stated_day(TWO), WaysTakeLonger(Delay(add_s=1200, from_place="v0", to_place="v1")))
    assert {move.to_rep for move in one.moves} == {"a"}
    alone = changed(stated_day(TWO), WaysTakeLonger(Delay(4.0, rep_id="b")))
    assert {move.to_rep for move in alone.moves} == {"b"}
    again = changed(alone.day, AddVisit(Visit("new", "new", place(4), 600)))
    assert {move.to_rep for move in again.moves if move.visit_id == "new"} == {"a"}


def test_locked_stops_stay_with_their_rep_and_at_the_beginning_until_they_are_unlocked():
    day = stated_day(TWO)
    locked = changed(day, LockVisit("v4"), LockFirst("a", count=2)).day
    after = changed(locked, AddVisit(Visit("new", "new", place(0), 600)), RepAbsent("b", 9 * H + 1800))
    assert after.day.route("a").stops[0].visit_id == "v0"
    assert after.day.route("a").stops[1].visit_id == "v1"
    with pytest.raises(InvalidInput, match="next stops"):
        changed(locked, LockFirst("a", ("v1",)))
    free = changed(locked, Unlock("v4"), Unlock(rep_id="a")).day
    assert free.problem.reps[0].first_stops == ()
    assert next(visit for visit in free.problem.visits if visit.id == "v4").allowed_reps is None


def test_a_visit_moved_by_hand_stands_where_the_dispatcher_wants_it_and_stays_there():
    after = changed(stated_day(TWO), MoveVisit("v1", "b", 1))
    assert [stop.visit_id for stop in after.day.route("b").stops] == ["v1", "v3", "v4", "v5"]
    assert ("v1", "moved", "by_hand") in told(after)
    assert next(visit for visit in after.day.problem.visits if visit.id == "v1").allowed_reps == frozenset({"b"})
    with pytest.raises(InvalidInput) as refused:
        changed(after.day, MoveVisit("v2", "b", 1), now_s=9 * H + 1200)
    assert refused.value.fields[0].pointer == "/changes/0/position"


def test_a_wish_that_cannot_be_kept_is_refused_with_its_reason_and_nothing_moves():
    day = stated_day(TWO)
    skilled = tuple(
        dataclasses.replace(visit, windows=(TimeWindow(9 * H, 9 * H + 1800),)) if visit.id == "v0" else visit
        for visit in day.problem.visits
    )
    day = dataclasses.replace(day, problem=dataclasses.replace(day.problem, visits=skilled))
    after = changed(day, MoveVisit("v0", "b"), RepAbsent("b"))
    assert [refused.visit_id for refused in after.refused] == ["v0"]
    assert "v0" in after.plan.sequences()["a"]


def test_a_lost_rep_is_searched_for_within_its_time_when_visits_would_stay_out():
    orders = {rep: [f"v{n}" for n in range(first, first + 9)] for rep, first in (("a", 0), ("b", 9), ("c", 18))}
    day = stated_day(orders, shift_end_s=15 * H + 1800)
    began = time.monotonic()
    quick = changed(day, RepAbsent("c"))
    searched = changed(day, RepAbsent("c"), calm=Calm(search_s=0.6))
    assert time.monotonic() - began < 20
    assert searched.report.drivable
    assert searched.report.objective <= quick.report.objective + 27 * 900


def test_a_report_that_cannot_be_true_is_named_by_its_field():
    day = stated_day(TWO)

    def pointers(*reports, now_s=11 * H):
        with pytest.raises(InvalidInput) as refused:
            changed(day, now_s=now_s, progress=reports)
        return {field.pointer for field in refused.value.fields}

    stop = StopMade("v0", 9 * H, 9 * H + 1800)
    assert pointers(Progress("x", (stop,))) == {"/progress/rep_id"}
    assert pointers(Progress("a", (dataclasses.replace(stop, visit_id="x"),))) == {"/progress/made/0/visit_id"}
    assert pointers(Progress("a", (stop, stop))) >= {"/progress/made/1/visit_id"}
    assert pointers(Progress("a", (dataclasses.replace(stop, departure_s=8 * H),))) == {"/progress/made/0/departure"}
    assert pointers(Progress("a", (dataclasses.replace(stop, departure_s=12 * H),))) == {"/progress/made/0/departure"}
    assert pointers(Progress("a", (stop,), breaks=((9 * H + 60, 9 * H + 120),))) == {"/progress/breaks/0"}
    assert pointers(Progress("a", (stop,), heading="v0")) == {"/progress/heading"}
    assert pointers(Progress("a", (stop,)), Progress("b", (stop,), pointer="/progress/1")) == {
        "/progress/made",
        "/progress/1/made",
    }
    known = changed(day, now_s=10 * H, progress=[Progress("a", (stop,))]).day
    with pytest.raises(InvalidInput, match="does not change"):
        changed(known, now_s=11 * H, progress=[Progress("a", (dataclasses.replace(stop, departure_s=9 * H + 60),))])
