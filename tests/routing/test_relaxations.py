"""Every visit left out is told the smallest change that would serve it, and each change really does."""

import dataclasses
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.places import Location
from routing.plan import DayPlan, Reason, Unassigned
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.relaxations import MOST_VALUABLE, with_relaxations
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes
from tests.routing.rich_days import rich_days

H = 3600
TRAVEL = HaversineTravelTimes(speed_kmh=30, detour_factor=1.0)
HERE = Location(30.5, 114.3)
KILOMETRE = 1 / 111.195


def visit(name, km=1.0, **options):
    return dataclasses.replace(Visit(name, name, Location(30.5 + km * KILOMETRE, 114.3), 1200), **options)


def rep(name="r", **options):
    return dataclasses.replace(Rep(name, f"Rep {name}", HERE, 9 * H, 18 * H, HERE), **options)


def told(visits, reps, orders, *, weights=None, within_s=20.0, travel=TRAVEL):
    problem = DayProblem(tuple(visits), tuple(reps), weights or ObjectiveWeights())
    plan = evaluate(problem, travel, orders)[0]
    table = travel.table(problem.locations())
    return problem, with_relaxations(problem, table, plan, within_s=within_s)


def changes(visits, reps, orders, **options):
    """(code, rep, amount) of what is offered for the only visit left out."""
    (left,) = told(visits, reps, orders, **options)[1].unassigned
    return [(found.code, found.rep_id, found.amount) for found in left.relaxations]


def first(visits, reps, orders, **options):
    return told(visits, reps, orders, **options)[1].unassigned[0].relaxations[0]


# Each kind of change.


def test_a_full_day_is_extended_by_the_least_whole_minutes():
    # 9:00, 2 min there, 20 min, 2 min on, 20 min, 4 min home: 9:48, and 13 min of shift are missing at 9:35.
    short = rep(shift_end_s=9 * H + 35 * 60)
    assert changes([visit("a"), visit("b", 2)], [short], {"r": ["a"]})[0] == ("extend_day", "r", 13 * 60)


def test_an_extension_counts_from_the_end_of_the_overtime():
    short = rep(shift_end_s=9 * H + 30 * 60, overtime_s=300)
    assert changes([visit("a"), visit("b", 2)], [short], {"r": ["a"]})[0] == ("extend_day", "r", 13 * 60)


def test_a_window_that_closes_too_early_is_opened_to_a_minute_of_the_clock():
    early = visit("b", 2, windows=(TimeWindow(9 * H, 9 * H + 150),))
    found = first([visit("a"), early], [rep(breaks=(Break(9 * H, 9 * H, 1800),))], {"r": ["a"]})
    # after the break at 9:30, 4 min on the way
    assert (found.code, found.amount) == ("open_window", 34 * 60 - 150)
    assert "09:34" in found.text.en
    assert "09:34" in found.text.zh


def test_a_window_that_opens_too_late_is_opened_from_earlier():
    late = visit("b", 2, windows=(TimeWindow(18 * H, 19 * H),))
    found = first([late], [rep(max_visits=5)], {})
    assert (found.code, found.amount) == ("extend_day", 24 * 60)
    assert ("open_window", "r", 24 * 60) in changes([late], [rep()], {})


def test_a_rep_may_start_earlier_for_a_window_before_the_shift():
    dawn = visit("b", 2, windows=(TimeWindow(8 * H, 9 * H),))
    assert ("start_earlier", "r", 4 * 60) in changes([dawn], [rep()], {})


def test_a_visit_limit_is_raised_by_one():
    limited = rep(max_visits=1)
    assert changes([visit("a"), visit("b", 2)], [limited], {"r": ["a"]})[0] == ("one_more_visit", "r", 1)


def test_a_rep_carries_as_many_packs_more_as_are_missing():
    visits = [visit("a", load=3), visit("b", 2, load=3)]
    assert changes(visits, [rep(capacity=4)], {"r": ["a"]})[0] == ("carry_more", "r", 2)


def test_less_valuable_stops_are_dropped_and_dearer_or_mandatory_ones_are_not():
    visits = [
        visit("poor", 1, value=1.0),
        visit("poorest", 1.1, value=0.5, mandatory=True),
        visit("rich", 2, value=9.0),
        visit("left", 2, value=2.0, service_s=3000),
    ]
    full = rep(shift_end_s=9 * H + 70 * 60)
    found = told(visits, [full], {"r": ["poor", "poorest", "rich"]})[1].unassigned[0].relaxations
    (drop,) = [item for item in found if item.code == "drop_visit"] or [None]
    assert drop is None or drop.visit_id == "poor"
    wider = rep(shift_end_s=9 * H + 100 * 60)
    found = told(visits, [wider], {"r": ["poor", "poorest", "rich"]})[1].unassigned[0].relaxations
    assert [(item.visit_id, item.rep_id) for item in found if item.code == "drop_visit"] == [("poor", "r")]
    assert "drop poor (worth less) from Rep r's round" in [item.text.en for item in found]


def test_a_missing_skill_and_a_missing_permission_are_named_as_that():
    assert changes([visit("a", skills=frozenset({"fair"}))], [rep()], {}) == [("add_skill", "r", 1)]
    assert changes([visit("a", allowed_reps=frozenset())], [rep()], {}) == [("allow_rep", "r", 1)]


def test_limits_of_the_way_are_raised_by_the_least_that_is_enough():
    # 10 km and 20 min there and back for b, 2 km and 4 min for a on the way
    visits = [visit("a"), visit("b", 5)]
    assert changes(visits, [rep(max_travel_s=600)], {"r": ["a"]})[0] == ("travel_more", "r", 600)
    assert changes(visits, [rep(max_distance_m=9_000)], {"r": ["a"]})[0] == ("distance_more", "r", 1000)


def test_a_visit_that_is_worth_less_than_its_way_is_told_what_it_would_have_to_be_worth():
    weights = ObjectiveWeights(value=1000)
    (found,) = told([visit("a", 10, value=1.0)], [rep()], {}, weights=weights)[1].unassigned[0].relaxations
    assert (found.code, found.amount) == ("worth_more", 2.4)  # 20 km at 30 km/h: 2400 s
    assert "2.4 points instead of 1" in found.text.en


def test_an_order_that_leaves_a_gap_is_told_where_to_put_the_visit():
    assert changes([visit("a"), visit("b", 2)], [rep()], {"r": ["a"]})[0] == ("add_to_round", "r", 2)


def test_a_predecessor_that_is_left_out_comes_along_and_is_named():
    visits = [visit("first", 1), visit("then", 2, after="first"), visit("on", 3)]
    _, plan = told(visits, [rep()], {"r": ["on"]})
    left = {item.visit_id: item.relaxations[0] for item in plan.unassigned}
    assert left["then"].code == "add_to_round"
    assert "together with first" in left["then"].text.en
    assert "together" not in left["first"].text.en


def test_a_visit_whose_predecessor_has_a_rep_is_tried_with_that_rep_only():
    visits = [visit("first", 1), visit("then", 2, after="first")]
    reps = [rep("near"), rep("has", shift_end_s=9 * H + 30 * 60)]
    _, plan = told(visits, reps, {"has": ["first"]})
    assert {found.rep_id for found in plan.unassigned[0].relaxations} == {"has"}
    codes = {reason.code: reason.rep_ids for reason in plan.unassigned[0].reasons}
    assert codes["order"] == ("near",)


def test_nothing_is_offered_for_a_visit_that_no_single_change_serves():
    (found,) = told([visit("a", 400, skills=frozenset({"fair"}))], [rep()], {})[1].unassigned[0].relaxations
    assert found.code == "none_found"
    assert "Rep r" in found.text.en


def test_the_smallest_change_stands_first_whoever_the_rep_is():
    reps = [rep("r", shift_end_s=9 * H + 30 * 60), rep("s", shift_end_s=9 * H + 40 * 60)]
    visits = [visit("a"), visit("b"), visit("c", 2)]
    found = told(visits, reps, {"r": ["a"], "s": ["b"]})[1].unassigned[0].relaxations
    assert (found[0].code, found[0].rep_id, found[0].amount) == ("extend_day", "s", 8 * 60)
    assert len({item.code for item in found}) == len(found)


# Reasons that the new fields give.


@pytest.mark.parametrize(
    ("left", "person", "orders", "code"),
    [
        ({"allowed_reps": frozenset()}, {}, ["a"], "not_allowed"),
        ({"after": "c"}, {}, ["a"], "order"),
        ({"collect": 1}, {}, ["a"], "order"),  # collects for c, which is left out
        ({}, {"max_distance_m": 3_000}, ["a"], "too_far"),
        ({}, {"max_travel_s": 400}, ["a"], "too_long_a_way"),
        ({}, {"max_distance_m": 14_000}, ["far"], "distance_limit"),
        ({}, {"max_travel_s": 1_700}, ["far"], "travel_limit"),
    ],
)
def test_a_reason_names_what_the_rep_cannot_do(left, person, orders, code):
    other = visit("c", 3, after="b" if "collect" in left else "")
    east = Visit("b", "b", Location(30.5, 114.3 + 2.5 * KILOMETRE), 1200)
    visits = [visit("a"), visit("far", -6.9), dataclasses.replace(east, **left), other]
    _, plan = told(visits, [rep(**person)], {"r": orders})
    reasons = {item.visit_id: [reason.code for reason in item.reasons] for item in plan.unassigned}
    assert reasons["b"] == [code]


# Bounds.


def test_what_is_not_tried_is_said():
    visits = [visit(f"v{number}", 1 + number / 10, value=number) for number in range(MOST_VALUABLE + 3)]
    _, plan = told(visits, [rep(max_visits=0)], {})
    codes = {left.visit_id: left.relaxations[0].code for left in plan.unassigned}
    assert {name for name in codes if codes[name] == "not_tried"} == {"v0", "v1", "v2"}
    _, plan = told(visits, [rep(max_visits=0)], {}, within_s=-1.0)
    assert {left.relaxations[0].code for left in plan.unassigned} == {"not_tried"}


def test_a_round_that_cannot_be_kept_as_it_is_gets_no_advice():
    late = visit("late", 1, windows=(TimeWindow(0, 1),))
    (found,) = told([late, visit("a")], [rep()], {"r": ["late"]})[1].unassigned[0].relaxations
    assert found.code == "none_found"


def test_a_round_that_has_a_visit_twice_gets_no_advice():
    problem, plan = told([visit("a"), visit("b", 2)], [rep()], {"r": ["a"]})
    (route,) = plan.routes
    twice = dataclasses.replace(plan, routes=(dataclasses.replace(route, stops=route.stops * 2),))
    (left,) = with_relaxations(problem, TRAVEL, twice).unassigned
    assert [found.code for found in left.relaxations] == ["none_found"]


def test_texts_are_there_in_both_languages():
    visits = [visit("a"), visit("b", 2, windows=(TimeWindow(9 * H, 9 * H + 60),)), visit("c", 2, value=3.0)]
    for left in told(visits, [rep(max_visits=1)], {"r": ["a"]})[1].unassigned:
        for found in left.relaxations:
            assert found.text.en.isascii()
            assert any("一" <= letter <= "鿿" for letter in found.text.zh)


def test_a_plan_that_was_stored_before_there_were_relaxations_still_reads():
    from operations.plan_records import plan_record, read_plan

    old = DayPlan((), (Unassigned("a", False, (Reason("day_full", ("r",), first_text()),)),), 1.0)
    record = plan_record(old)
    for left in record["unassigned"]:
        del left["relaxations"]
    assert read_plan(record) == old
    _, new = told([visit("a"), visit("b", 2)], [rep(max_visits=1)], {"r": ["a"]})
    assert read_plan(plan_record(new)) == new


def first_text():
    from common.errors import Text

    return Text("full", "满")


# Whatever is offered really serves the visit, and no smaller amount does.

UNIT = {"extend_day": 60, "start_earlier": 60, "open_window": 60, "one_more_visit": 1, "carry_more": 1,
        "travel_more": 60, "distance_more": 100}  # fmt: skip


def changed(problem, left, found, amount):
    """Yield the problems that the relaxation by some amount may mean."""

    def with_rep(**change):
        reps = (dataclasses.replace(one, **change) if one.id == found.rep_id else one for one in problem.reps)
        return dataclasses.replace(problem, reps=tuple(reps))

    def with_visit(**change):
        visits = (dataclasses.replace(one, **change) if one.id == left.visit_id else one for one in problem.visits)
        return dataclasses.replace(problem, visits=tuple(visits))

    person = next(one for one in problem.reps if one.id == found.rep_id)
    asked = next(one for one in problem.visits if one.id == left.visit_id)
    single = {
        "extend_day": lambda: with_rep(shift_end_s=person.shift_end_s + amount),
        "start_earlier": lambda: with_rep(shift_start_s=person.shift_start_s - amount),
        "one_more_visit": lambda: with_rep(max_visits=person.max_visits + amount),
        "carry_more": lambda: with_rep(capacity=person.capacity + amount),
        "travel_more": lambda: with_rep(max_travel_s=person.max_travel_s + amount),
        "distance_more": lambda: with_rep(max_distance_m=person.max_distance_m + amount),
        "add_skill": lambda: with_rep(skills=person.skills | asked.skills),
        "allow_rep": lambda: with_visit(allowed_reps=None),
        "worth_more": lambda: with_visit(value=amount),
    }
    if found.code in single:
        yield single[found.code]()
    elif found.code == "open_window":
        for place, window in enumerate(asked.windows):
            for wider in (
                TimeWindow(window.start_s, window.end_s + amount),
                TimeWindow(window.start_s - amount, window.end_s),
            ):
                yield with_visit(windows=(*asked.windows[:place], wider, *asked.windows[place + 1 :]))
    else:
        yield problem


def can_join(problem, table, plan, joining, found):
    """Whether the rep's round with the joining visits, in any order, passes the checker."""
    order = [name for name in plan.sequences().get(found.rep_id, []) if name != found.visit_id]
    for joined in itertools.permutations(joining):
        for longer in merged(order, joined):
            _, report = evaluate(problem, table, plan.sequences() | {found.rep_id: longer})
            own = [item for item in report.violations if item.rep_id == found.rep_id]
            if all(item.constraint == "first_stops" and item.visit_id not in longer for item in own):
                return True
    return False


def merged(order, joining):
    if not joining:
        yield list(order)
        return
    for place in range(len(order) + 1):
        for rest in merged(order[place:], joining[1:]):
            yield [*order[:place], joining[0], *rest]


NOT_ONE_CHANGE = ("none_found", "not_tried")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rich_days(most_visits=5, most_reps=2, without=("unreachable",)), st.randoms(use_true_random=False))
def test_every_change_that_is_offered_serves_the_visit_and_a_smaller_one_does_not(day, random):
    problem, table = day
    names = [one.id for one in problem.visits]
    random.shuffle(names)
    orders = {}
    for name in names[: random.randint(0, len(names))]:
        chosen = random.choice([one.id for one in problem.reps])
        longer = orders | {chosen: [*orders.get(chosen, []), name]}
        if evaluate(problem, table, longer)[1].drivable:
            orders = longer
    plan = with_relaxations(problem, table, evaluate(problem, table, orders)[0], within_s=60)
    for left in plan.unassigned:
        assert left.relaxations
        for found in left.relaxations:
            if found.code in NOT_ONE_CHANGE:
                continue
            along = [name for name in found.text.en.partition(", together with ")[2].split(", ") if name]
            joining = [left.visit_id, *along]
            enough = changed(problem, left, found, found.amount)
            assert any(can_join(one, table, plan, joining, found) for one in enough), (left, found)
            assert not along or not can_join(problem, table, plan, [left.visit_id], found)
            unit = UNIT.get(found.code)
            # Longer chains go in as one block, so that what they need may be a little more than the least.
            if unit and found.amount > unit and len(along) < 2:
                less = changed(problem, left, found, found.amount - unit)
                assert not any(can_join(one, table, plan, joining, found) for one in less), (left, found)
