"""Reps are lent where their work is worth the way, within every rule, and each move has its reason."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location
from routing.reallocate import Reallocation, reallocate
from routing.staffing.problem import LendingRules, Person, ReallocationProblem, Region


def region(name, step, *, work, minimum=0):
    return Region(name, Location(30.5 + step / 10, 114.3), minimum, work)  # 0.1 degrees: 11 km, 23 min


def people(name, count, skills=(), **options):
    return [Person(f"{name}{number}", name, frozenset(skills), **options) for number in range(count)]


def lent(regions, persons, **rules) -> Reallocation:
    return reallocate(ReallocationProblem(tuple(regions), tuple(persons), LendingRules(**rules)))


def test_spare_people_go_where_work_would_stay_undone():
    result = lent([region("A", 0, work={"": 8.0}), region("B", 1, work={"": 20.0})], people("A", 3) + people("B", 1))
    assert [(move.from_region, move.to_region) for move in result.moves] == [("A", "B")] * 2
    assert result.unserved_before_h == {"A": 0, "B": 12}
    assert result.unserved_after_h == {"A": 0, "B": 0}
    assert sum(move.hours_covered for move in result.moves) == pytest.approx(12, abs=0.1)
    assert "B lacks 12 h" in result.moves[0].reason.en
    assert "12 小时" in result.moves[0].reason.zh
    assert 20 < result.moves[0].travel_min < 30
    assert result.shortfalls == ()


def test_nobody_moves_when_nothing_is_missing():
    result = lent([region("A", 0, work={"": 8.0}), region("B", 1, work={"": 8.0})], people("A", 3) + people("B", 1))
    assert result.moves == ()


def test_only_people_with_the_skill_go():
    regions = [region("A", 0, work={}), region("B", 1, work={"fair": 7.0})]
    result = lent(regions, [*people("A", 2), Person("f", "A", frozenset({"fair"}))])
    assert [move.person_id for move in result.moves] == ["f"]
    result = lent(regions, people("A", 2))
    assert result.moves == ()
    assert result.shortfalls[0].skill == "fair"
    assert "no other region has people" in result.shortfalls[0].reasons[0].en


@pytest.mark.parametrize(
    ("minimum", "options", "rules", "cause"),
    [
        (2, {}, {}, "minimum staff"),
        (0, {"moves_left": 0}, {}, "no moves left"),
        (0, {}, {"longest_way_min": 10.0}, "too far away"),
        (0, {}, {"move_cost_h": 20.0}, "cost more than they bring"),
    ],
)
def test_each_rule_that_keeps_people_at_home_is_named(minimum, options, rules, cause):
    regions = [region("A", 0, work={}, minimum=minimum), region("B", 1, work={"": 6.0})]
    result = lent(regions, people("A", 2, **options), **rules)
    assert result.moves == ()
    assert result.unserved_after_h["B"] == 6
    assert any(cause in reason.en for reason in result.shortfalls[0].reasons)
    assert all(reason.zh for reason in result.shortfalls[0].reasons)


def test_the_nearer_of_two_donors_is_chosen():
    regions = [region("far", 4, work={}), region("B", 1, work={"": 6.0}), region("near", 0, work={})]
    result = lent(regions, people("far", 1) + people("near", 1))
    assert [move.from_region for move in result.moves] == ["near"]


def test_every_wrong_field_is_named():
    regions = [region("A", 0, work={"": -1.0}, minimum=-1), region("A", 1, work={})]
    persons = [Person("p", "Z", frozenset(), hours=30, moves_left=-1), Person("p", "A", frozenset())]
    with pytest.raises(InvalidInput) as refused:
        ReallocationProblem(tuple(regions), tuple(persons), LendingRules(speed_kmh=0))
    assert [field.pointer for field in refused.value.fields] == [
        "/regions/0/minimum_staff",
        "/regions/0/work_h/",
        "/regions/1/id",
        "/people/0/region_id",
        "/people/0/hours",
        "/people/0/moves_left",
        "/people/1/id",
        "/rules",
    ]
    with pytest.raises(InvalidInput):
        ReallocationProblem((), ())


@st.composite
def staffings(draw):
    hours = st.dictionaries(st.sampled_from(["", "fair", "mall"]), st.sampled_from([0.0, 3.0, 11.0, 30.0]))
    regions = tuple(
        region(f"g{number}", draw(st.integers(0, 6)), work=draw(hours), minimum=draw(st.integers(0, 2)))
        for number in range(draw(st.integers(1, 4)))
    )
    persons = tuple(
        Person(
            f"p{number}",
            f"g{draw(st.integers(0, len(regions) - 1))}",
            draw(st.frozensets(st.sampled_from(["fair", "mall"]))),
            draw(st.sampled_from([4.0, 8.0])),
            draw(st.integers(0, 1)),
        )
        for number in range(draw(st.integers(0, 8)))
    )
    return ReallocationProblem(regions, persons)


@settings(max_examples=40, deadline=None)
@given(staffings())
def test_no_reallocation_breaks_a_rule_or_loses_work(problem):
    result = reallocate(problem)
    person = {one.id: one for one in problem.people}
    moved = [move.person_id for move in result.moves]
    assert len(moved) == len(set(moved))
    for move in result.moves:
        assert person[move.person_id].moves_left > 0
        assert person[move.person_id].region_id == move.from_region != move.to_region
        assert move.travel_min <= problem.rules.longest_way_min
        assert move.hours_covered <= person[move.person_id].hours - 2 * move.travel_min / 60 + 0.01
    for home in problem.regions:
        own = sum(one.region_id == home.id for one in problem.people)
        gone = sum(move.from_region == home.id for move in result.moves)
        assert gone <= max(0, own - home.minimum_staff)
    before, after = sum(result.unserved_before_h.values()), sum(result.unserved_after_h.values())
    assert after <= before - problem.rules.move_cost_h * len(result.moves) + 0.1
    listed = sum(short.hours for short in result.shortfalls)
    assert listed == pytest.approx(after, abs=0.1)


def test_shortfalls_are_listed_even_when_some_help_comes():
    regions = [region("A", 0, work={}), region("B", 1, work={"": 30.0})]
    result = lent(regions, [dataclasses.replace(one, hours=8.0) for one in people("A", 1)])
    assert len(result.moves) == 1
    assert result.shortfalls[0].hours == pytest.approx(30 - result.moves[0].hours_covered, abs=0.1)
