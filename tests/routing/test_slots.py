"""Slots for a new customer are exactly the times at which the rest of the day can be kept."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location
from routing.day import Day, Round
from routing.during_day.changes import AddVisit, RepAbsent
from routing.during_day.replan import Calm, News, replan
from routing.during_day.slots import SlotWishes, slots, start_spans_at
from routing.problem import Break, DayProblem, Rep, TimeWindow, Visit
from routing.travel_times import HaversineTravelTimes
from tests.routing.running_days import SameWays, planned, running_days, visits

H = 3600
WAYS = HaversineTravelTimes()
MANY = SlotWishes(limit=1000, per_rep=1000, later=0.0)
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def place(number):
    return Location(30.6 + number * 0.01, 104.0)


def day(**options):
    asked = tuple(Visit(f"v{n}", f"v{n}", place(n), 1800, (TimeWindow((9 + n) * H, (10 + n) * H),)) for n in range(6))
    reps = tuple(
        Rep(f"r{n}", f"r{n}", place(n), 9 * H, 18 * H, place(n), (Break(12 * H, 13 * H, 2700),)) for n in range(2)
    )
    problem = DayProblem(asked, reps)
    return planned(problem, WAYS.table(problem.locations()), **options)


@PROPERTY
@given(running_days(most_visits=6, most_reps=2), visits("new"), st.data())
def test_the_span_of_a_position_holds_exactly_the_starts_that_keep_the_round(running, visit, data):
    problem = dataclasses.replace(running.problem, visits=(*running.problem.visits, visit))
    table = SameWays().table(problem.locations())
    plain, at = Day(problem, table), len(problem.visits) - 1
    ids = [one.id for one in problem.visits]
    for rep, person in enumerate(problem.reps):
        order = [ids.index(visit_id) for visit_id in running.plan.sequences().get(person.id, [])]
        one = Round(plain, rep, order)
        while order and not one.feasible:
            order = order[:-1]
            one = Round(plain, rep, order)
        if not one.has_room_for(at):
            continue
        position = data.draw(st.integers(0, len(order)))
        spans = start_spans_at(one, at, position)
        edges = {moment + step for span in spans for moment in span for step in (-1, 0, 1)}
        for start_s in sorted(edges | {data.draw(st.integers(7 * H, 17 * H))}):
            if start_s < 0 or not (not visit.windows or any(w.start_s <= start_s <= w.end_s for w in visit.windows)):
                continue
            pinned = dataclasses.replace(visit, windows=(TimeWindow(start_s, start_s),))
            exact = Day(dataclasses.replace(problem, visits=(*running.problem.visits, pinned)), table)
            kept = Round(exact, rep, [*order[:position], at, *order[position:]]).feasible
            assert kept == any(start <= start_s <= end for start, end in spans), (start_s, spans)


@PROPERTY
@given(running_days(), visits("new"), st.sampled_from([7 * H, 9 * H, 10 * H + 700]))
def test_every_offered_start_can_be_kept_by_the_named_rep(running, visit, now_s):
    running = dataclasses.replace(running, now_s=now_s)
    found = slots(running, visit, SameWays(), SlotWishes(limit=6, per_rep=3))
    for slot in found.found:
        assert now_s <= slot.offer[0] <= slot.offer[1]
        for start_s in slot.offer:
            promised = dataclasses.replace(visit, windows=(TimeWindow(start_s, start_s),), mandatory=True)
            asked = AddVisit(promised, slot.rep_id, slot.position)
            after = replan(running, News(now_s, (asked,)), SameWays(), Calm(search="never"))
            assert after.report.drivable
            route = after.day.route(slot.rep_id)
            stop = route.stops[slot.position - 1]
            assert (stop.visit_id, stop.start_s) == ("new", start_s)
            assert len(after.plan.unassigned) <= len(running.plan.unassigned)
    if not found.found:
        assert found.reasons


def test_the_nearest_rep_with_time_comes_first_and_no_rep_fills_the_list():
    found = slots(day(now_s=9 * H), Visit("new", "new", place(1), 1200), WAYS, SlotWishes(later=0.0)).found
    assert [slot.added_cost for slot in found] == sorted(slot.added_cost for slot in found)
    assert len({slot.rep_id for slot in found}) == 2
    assert max(sum(other.rep_id == slot.rep_id for other in found) for slot in found) <= 2
    best = found[0]
    assert best.added_travel_s == min(slot.added_travel_s for slot in found)
    assert all(moment % 300 == 0 for slot in found for moment in slot.offer)
    assert all(end - start <= 3600 for start, end in (slot.offer for slot in found))


def test_a_slot_that_breaks_no_promise_comes_before_one_that_does():
    running = day(now_s=9 * H)
    starts = {stop.visit_id: stop.start_s for route in running.plan.routes for stop in route.stops}
    promised = dataclasses.replace(running, promised=starts)
    found = slots(promised, Visit("new", "new", place(1), 1200), WAYS, MANY).found
    assert found[0].keeps_promises
    prices = [slot.added_cost + (0 if slot.keeps_promises else 600) for slot in found]
    assert prices == sorted(prices)


def test_a_late_slot_at_the_end_of_a_round_comes_before_one_that_puts_the_others_off():
    asked = tuple(Visit(f"v{n}", f"v{n}", place(n), 1800) for n in range(3))
    problem = DayProblem(asked, (Rep("r", "r", place(0), 9 * H, 18 * H, place(0)),))
    running = planned(problem, WAYS.table(problem.locations()))
    late = Visit("new", "new", place(1), 1200, (TimeWindow(15 * H, 16 * H),))
    found = slots(running, late, WAYS).found
    assert found[0].position == 4
    assert found[0].others_later_s == 0
    assert all(slot.others_later_s > H for slot in found[1:])


def test_nobody_is_offered_who_is_away_or_cannot_and_then_there_are_reasons():
    absent = replan(day(), News(9 * H, (RepAbsent("r0"), RepAbsent("r1"))), WAYS, Calm(search="never"))
    found = slots(absent.day, Visit("new", "new", place(1), 1200), WAYS)
    assert found.found == ()
    assert {rep_id for reason in found.reasons for rep_id in reason.rep_ids} == {"r0", "r1"}
    skilled = slots(day(now_s=9 * H), Visit("new", "new", place(1), 1200, skills=frozenset({"fair"})), WAYS)
    assert [reason.code for reason in skilled.reasons] == ["no_skill"]


@pytest.mark.parametrize(
    ("visit", "pointer"),
    [
        (Visit("v1", "taken", place(1), 600), "/visit/id"),
        (Visit("new", "far", Location(50.0, 4.0), 600), "/visit/location"),
        (Visit("new", "nowhere", Location(0.0, 0.0), 600), "/visit/location"),
        (Visit("new", "long", place(1), -5), "/visit/service_s"),
        (Visit("new", "whom", place(1), 600, allowed_reps=frozenset({"x"})), "/visit/allowed_reps"),
    ],
)
def test_a_wrong_visit_is_named_by_its_field(visit, pointer):
    with pytest.raises(InvalidInput) as refused:
        slots(day(), visit, WAYS)
    assert [field.pointer for field in refused.value.fields] == [pointer]
