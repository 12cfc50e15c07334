"""A week of lending keeps every rule, explains itself, and says which rule is in the way of required work."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location
from routing.reallocate import Reallocation, reallocate
from routing.staffing.problem import LendingRules, Person, ReallocationProblem, Region, hours_on
from routing.staffing.render import to_csv

DAYS = ("mon", "tue", "wed", "thu")
Work = Mapping[str, float] | tuple[Mapping[str, float], ...]


def region(name: str, step: float, work: Work, minimum: int = 0, **options: Any) -> Region:
    return Region(name, Location(30.5 + step / 10, 114.3), minimum, work, **options)  # 0.1 degrees: 11 km, 23 min


def person(name: str, home: str, *skills: str, **options: Any) -> Person:
    return Person(name, home, frozenset(skills), **options)


def planned(regions: Iterable[Region], people: Iterable[Person], days: int = 4, **rules: float) -> Reallocation:
    return reallocate(ReallocationProblem(tuple(regions), tuple(people), LendingRules(**rules), DAYS[:days]))


def who(found: Reallocation) -> list[tuple[str, str, str]]:
    return [(move.day, move.person_id, move.to_region) for move in found.moves]


def test_people_go_on_the_days_on_which_they_are_needed() -> None:
    work = ({}, {"": 6.0}, {}, {"": 6.0})
    found = planned([region("A", 0, {}), region("B", 1, work)], [person("p", "A", moves_left=2)])
    assert who(found) == [("tue", "p", "B"), ("thu", "p", "B")]
    assert found.before_by_day_h["tue"] == {"A": 0, "B": 6}
    assert found.after_by_day_h["tue"] == {"A": 0, "B": 0}
    assert found.unserved_before_h == {"A": 0, "B": 12}


def test_a_stay_of_several_days_is_one_move_with_one_price() -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 6.0})], [person("p", "A", moves_left=1)])
    assert [move.begins for move in found.moves] == [True, False, False, False]
    assert found.moves[0].price_h == pytest.approx(found.moves[1].price_h + 1.0)
    # a day off in between does not end it
    off = person("p", "A", hours=(8.0, 0.0, 8.0, 8.0), moves_left=1)
    found = planned([region("A", 0, {}), region("B", 1, {"": 6.0})], [off])
    assert [(move.day, move.begins) for move in found.moves] == [("mon", True), ("wed", False), ("thu", False)]


def test_no_more_moves_than_allowed() -> None:
    work = ({"": 6.0}, {}, {"": 6.0}, {})
    home = ({}, {"": 8.0}, {}, {"": 8.0})
    found = planned([region("A", 0, home), region("B", 1, work)], [person("p", "A", moves_left=1)])
    assert len(found.moves) == 1
    assert "no moves left" in found.shortfalls[0].reasons[0].en
    assert ("no_moves_left", 6.0) in [(one.rule, one.hours) for one in found.relaxations]


def test_no_more_days_away_than_allowed() -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 6.0})], [person("p", "A", days_left=2)])
    assert len(found.moves) == 2
    assert ("no_days_left", 6.0) in [(one.rule, one.hours) for one in found.relaxations]


@pytest.mark.parametrize("refusal", [{"refused_regions": frozenset({"B"})}, {"refused_days": frozenset({0, 1, 2, 3})}])
def test_nobody_goes_where_or_when_they_refuse(refusal: dict[str, Any]) -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 6.0})], [person("p", "A", **refusal)])
    assert found.moves == ()
    assert {one.rule for one in found.relaxations} == {"refused"}
    assert "do not want to go" in found.shortfalls[0].reasons[0].en


def test_wishes_decide_among_equals() -> None:
    regions = [region("A", 0, {}), region("B", 1, ({"": 6.0}, {}, {}, {}))]
    people = [person("p", "A"), person("q", "A", wished_regions=frozenset({"B"}))]
    assert who(planned(regions, people)) == [("mon", "q", "B")]
    people = [person("p", "A", wished_days=frozenset({0})), person("q", "A")]
    assert who(planned(regions, people)) == [("mon", "p", "B")]


def test_who_was_lent_often_is_spared() -> None:
    regions = [region("A", 0, {}), region("B", 1, ({"": 6.0}, {}, {}, {}))]
    people = [person("p", "A", lent_days=3), person("q", "A", lent_days=1)]
    assert who(planned(regions, people)) == [("mon", "q", "B")]


def test_the_minimum_at_home_counts_those_who_are_at_work_on_the_day() -> None:
    off_on_monday = person("p", "A", hours=(0.0, 8.0, 8.0, 8.0))
    regions = [region("A", 0, {}, minimum=2), region("B", 1, {"": 20.0})]
    found = planned(regions, [off_on_monday, person("q", "A"), person("r", "A")])
    assert Counter(move.day for move in found.moves) == {"tue": 1, "wed": 1, "thu": 1}
    assert [(one.rule, one.day) for one in found.relaxations if one.rule == "minimum_staff"]
    found = planned([region("A", 0, {}, minimum=4), region("B", 1, {})], [off_on_monday, person("q", "A")])
    assert found.understaffed[0].en == "A has 1 people at work on mon, fewer than its minimum of 4"


def test_the_way_starts_where_the_person_lives_and_is_taken_off_the_hours() -> None:
    regions = [region("A", 0, {}), region("B", 1, ({"": 8.0}, {}, {}, {}))]
    near = person("near", "A", location=Location(30.59, 114.3))
    found = planned(regions, [person("far", "A"), near])
    assert who(found) == [("mon", "near", "B")]
    assert found.moves[0].travel_min < 5
    assert found.moves[0].hours_covered == pytest.approx(8 - 2 * found.moves[0].travel_min / 60, abs=0.03)


def test_nobody_works_longer_than_the_doors_are_open() -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 8.0}, open_h=(3.0, 0.0, 0.0, 0.0))], [person("p", "A")])
    assert [(move.day, move.hours_covered) for move in found.moves] == [("mon", 3.0)]


def test_a_colleague_at_work_with_the_same_skill_covers_at_home_and_stays_the_same() -> None:
    regions = [region("A", 0, {}, minimum=1), region("B", 1, ({"fair": 6.0}, {"fair": 6.0}, {}, {}))]
    people = [
        person("p", "A", "fair", "mall"),
        person("q", "A", "mall", hours=(8.0, 8.0, 0.0, 0.0)),
        person("r", "A"),
        person("s", "A", "mall", hours=(0.0, 8.0, 8.0, 8.0)),
    ]
    found = planned(regions, people)
    assert [(move.day, move.cover_id) for move in found.moves] == [("mon", "q"), ("tue", "q")]
    alone = planned([region("A", 0, {}), regions[1]], people[:1])
    assert {move.cover_id for move in alone.moves} == {None}


def test_a_move_tells_what_it_changes_in_both_regions() -> None:
    regions = [region("A", 0, {"": 8.0}), region("B", 1, {"fair": 30.0, "": 30.0})]
    assert planned(regions, [person("p", "A", "fair")], 1).moves == ()  # as much would be left at home
    found = planned([replace(regions[0], work_h={"": 3.0}), regions[1]], [person("p", "A", "fair")], 1)
    (move,) = found.moves
    assert move.effect is not None
    assert (move.effect.there_before_h, move.effect.home_before_h, move.effect.home_after_h) == (60, 0, 3)
    assert move.effect.there_before_h - move.effect.there_after_h == pytest.approx(move.hours_covered)
    assert move.skill == "fair"
    assert "B lacks 30 h of fair work on mon" in move.reason.en
    assert "B mon 缺 30 小时fair工作" in move.reason.zh


def test_required_work_comes_first() -> None:
    regions = [
        region("A", 0, {}),
        region("B", 1, {"": 20.0}),
        region("C", -2, {"fair": 6.0}, required_h={"fair": 6.0}),
    ]
    found = planned(regions, [person("p", "A", "fair")], 1)
    assert who(found) == [("mon", "p", "C")]
    assert found.feasible


def test_required_work_that_the_rules_forbid_names_the_fewest_rules_to_relax() -> None:
    regions = [region("A", 0, {}, minimum=1), region("B", 1, {"fair": 10.0}, required_h={"fair": 10.0})]
    people = [
        person("p", "A", "fair", refused_regions=frozenset({"B"})),
        person("q", "A", "fair", moves_left=0, refused_regions=frozenset({"B"})),
        person("r", "A", "fair", moves_left=0),
    ]
    found = planned(regions, people, 1)
    assert not found.feasible
    (gap,) = found.required_gaps
    assert gap.hours == 10
    assert gap.people == (("p", ("refused",)), ("r", ("no_moves_left",)))
    assert "win p over" in gap.text.en
    assert "允许 r 多调动 1 次" in gap.text.zh
    nobody = planned([regions[0], regions[1]], [person("p", "A")], 1)
    assert nobody.required_gaps[0].people == ()
    assert "nobody who could come has the skill" in nobody.required_gaps[0].text.en


def test_the_price_of_a_move_is_named_when_it_is_all_that_is_in_the_way() -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 2.0})], [person("p", "A")], 1, move_cost_h=5.0)
    assert found.moves == ()
    (relaxation,) = found.relaxations
    assert (relaxation.rule, relaxation.hours) == ("price", 2.0)
    assert "accept the price of 5." in relaxation.text.en


def test_a_day_off_is_named_when_it_is_all_that_is_in_the_way() -> None:
    found = planned([region("A", 0, {}), region("B", 1, {"": 6.0})], [person("p", "A", hours=(0.0, 8.0))], 2)
    assert [(one.rule, one.day) for one in found.relaxations] == [("day_off", "mon")]


def test_a_plan_is_a_table_without_formulas() -> None:
    found = planned([region("A", 0, {}), region("B", 1, ({"": 6.0}, {}, {}, {}))], [person("=p", "A")])
    (row,) = csv.DictReader(io.StringIO(to_csv(found, {"=p": "=1+1"})))
    assert (row["day"], row["person"], row["name"], row["to_region"]) == ("mon", "'=p", "'=1+1", "B")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"days": ()}, "/days"),
        ({"days": ("mon", "mon")}, "/days"),
        ({"regions": (region("A", 0, ({},)),)}, "/regions/0/work_h"),
        ({"regions": (region("A", 0, {}, open_h=25.0),)}, "/regions/0/open_h"),
        ({"regions": (region("A", 0, {}, required_h={"": -1.0}),)}, "/regions/0/required_h/"),
        ({"people": (person("p", "A", hours=(8.0,)),)}, "/people/0/hours"),
        ({"people": (person("p", "A", refused_regions=frozenset({"Z"})),)}, "/people/0/refused_regions"),
        ({"people": (person("p", "A", wished_days=frozenset({9})),)}, "/people/0/wished_days"),
        ({"people": (person("p", "A", days_left=-1),)}, "/people/0/days_left"),
        ({"rules": LendingRules(required_weight=0.5)}, "/rules"),
    ],
)
def test_each_wrong_field_of_a_week_is_named(change: dict[str, Any], pointer: str) -> None:
    right: dict[str, Any] = {"regions": (region("A", 0, {}),), "people": (), "days": DAYS[:2]}
    with pytest.raises(InvalidInput) as refused:
        ReallocationProblem(**{**right, **change})
    assert refused.value.fields[0].pointer == pointer


def test_the_same_seed_gives_the_same_plan() -> None:
    regions = [region(f"g{n}", n, {"": 4.0 + 5 * (n % 3), "fair": 3.0 * (n % 2)}) for n in range(6)]
    people = [person(f"p{n}", f"g{n % 6}", *(("fair",) if n % 3 else ())) for n in range(14)]
    first, second = (planned(regions, people) for _ in range(2))
    assert first == second


@st.composite
def weeks(draw: st.DrawFn) -> ReallocationProblem:
    days = draw(st.integers(1, 4))
    count = draw(st.integers(1, 4))
    names = [f"g{number}" for number in range(count)]
    hours = st.dictionaries(st.sampled_from(["", "fair", "mall"]), st.sampled_from([0.0, 3.0, 11.0, 30.0]))
    some_days = st.frozensets(st.integers(0, days - 1), max_size=2)
    regions = tuple(
        region(
            name,
            draw(st.integers(0, 6)),
            tuple(draw(hours) for _ in range(days)),
            draw(st.integers(0, 2)),
            required_h=draw(st.sampled_from([{}, {"fair": 3.0}])),
            open_h=draw(st.sampled_from([24.0, 5.0])),
        )
        for name in names
    )
    people = tuple(
        Person(
            f"p{number}",
            draw(st.sampled_from(names)),
            draw(st.frozensets(st.sampled_from(["fair", "mall"]))),
            tuple(draw(st.sampled_from([0.0, 4.0, 8.0])) for _ in range(days)),
            draw(st.integers(0, 2)),
            draw(st.sampled_from([None, Location(30.7, 114.35)])),
            draw(st.sampled_from([None, 1, 2])),
            draw(st.frozensets(st.sampled_from(names), max_size=1)),
            draw(st.frozensets(st.sampled_from(names), max_size=1)),
            draw(some_days),
            draw(some_days),
            draw(st.integers(0, 2)),
        )
        for number in range(draw(st.integers(0, 8)))
    )
    return ReallocationProblem(regions, people, LendingRules(), DAYS[:days])


def moves_counted(days: Mapping[int, str], one: Person, count: int) -> int:
    """Return how many stays the days make, days off aside."""
    stays, before = 0, ""
    for day in range(count):
        if hours_on(one.hours, day):
            stays += days.get(day, "") not in ("", before)
            before = days.get(day, "")
    return stays


@settings(max_examples=40, deadline=None)
@given(weeks())
def test_no_week_breaks_a_rule_or_is_worse_than_nobody_moving(problem: ReallocationProblem) -> None:
    found = reallocate(problem)
    people = {one.id: one for one in problem.people}
    regions = {one.id: one for one in problem.regions}
    where: dict[str, dict[int, str]] = defaultdict(dict)
    for move in found.moves:
        one, day = people[move.person_id], problem.days.index(move.day)
        assert day not in where[one.id]
        where[one.id][day] = move.to_region
        assert one.region_id == move.from_region != move.to_region
        assert move.to_region not in one.refused_regions
        assert day not in one.refused_days
        assert move.travel_min <= problem.rules.longest_way_min
        assert move.hours_covered <= hours_on(one.hours, day) - 2 * move.travel_min / 60 + 0.02
        assert move.hours_covered <= hours_on(regions[move.to_region].open_h, day)
        if move.cover_id is not None:
            cover = people[move.cover_id]
            assert cover.region_id == move.from_region
            assert hours_on(cover.hours, day) > 0
    for move in found.moves:
        assert problem.days.index(move.day) not in where.get(move.cover_id or "", {})
    for name, days in where.items():
        one = people[name]
        assert one.days_left is None or len(days) <= one.days_left
        assert moves_counted(days, one, len(problem.days)) <= one.moves_left
    for day, label in enumerate(problem.days):
        for home in problem.regions:
            at_work = sum(one.region_id == home.id and hours_on(one.hours, day) > 0 for one in problem.people)
            gone = sum(move.from_region == home.id and move.day == label for move in found.moves)
            assert gone <= max(0, at_work - home.minimum_staff)
    _effects_add_up(problem, found)


def _effects_add_up(problem: ReallocationProblem, found: Reallocation) -> None:
    before, after = sum(found.unserved_before_h.values()), sum(found.unserved_after_h.values())
    covered = sum(move.hours_covered for move in found.moves)
    lost = sum(move.effect.home_after_h - move.effect.home_before_h for move in found.moves if move.effect)
    assert before - after == pytest.approx(covered - lost, abs=0.02 * (1 + len(found.moves)))
    assert sum(short.hours for short in found.shortfalls) == pytest.approx(after, abs=0.1)
    if not any(one.required_h for one in problem.regions):
        assert after <= before + 0.01
    assert found.quality is not None
    if found.quality.bound_h is not None:
        assert found.quality.bound_h <= found.quality.cost_h + 0.02
    if found.feasible:
        assert not found.required_gaps
