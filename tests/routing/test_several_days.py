"""Days are chosen so that they hold what they are given, lie close together, and nothing urgent waits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from common.errors import InvalidInput
from routing.several_days import DayRoom, VisitOnDays, choose_days


def visit(name: str, *days: int, need_s: float = 1000, wait: float = 0, left_out: float = 1e5) -> VisitOnDays:
    first = min(days, default=0)
    return VisitOnDays(name, need_s, {day: wait * (day - first) for day in days}, left_out)


def between(places: list[float]) -> NDArray[np.float64]:
    at = np.array(places, dtype=float)
    ways: NDArray[np.float64] = np.abs(at[:, None] - at[None, :])
    return ways


def test_two_quarters_of_a_town_become_two_days() -> None:
    places = [0.0, 10, 20, 30, 9000, 9010, 9020, 9030]
    order = [0, 4, 1, 5, 2, 6, 3, 7]
    visits = [visit(str(number), 0, 1) for number in order]
    chosen = choose_days(visits, [DayRoom(4000, 10)] * 2, between([places[n] for n in order]), np.full(8, 5000.0))
    west = {chosen[place] for place, number in enumerate(order) if number < 4}
    east = {chosen[place] for place, number in enumerate(order) if number >= 4}
    assert len(west) == len(east) == 1
    assert west != east


def test_what_costs_most_to_wait_comes_first_when_a_day_is_full() -> None:
    visits = [visit("patient", 0, 1, wait=10), visit("urgent", 0, 1, wait=5000)]
    chosen = choose_days(visits, [DayRoom(1000, 5)] * 2, between([0, 0]), np.zeros(2))
    assert chosen == [1, 0]


def test_what_is_worth_least_is_left_out_when_all_days_are_full() -> None:
    visits = [visit("small", 0, left_out=100), visit("great", 0, left_out=9000)]
    assert choose_days(visits, [DayRoom(1000, 5)], between([0, 0]), np.zeros(2)) == [None, 0]


def test_a_day_without_room_gets_nothing_and_the_number_of_visits_counts_too() -> None:
    visits = [visit(str(n), 0, 1, 2, need_s=10) for n in range(4)]
    chosen = choose_days(visits, [DayRoom(0, 0), DayRoom(1000, 1), DayRoom(1000, 2)], between([0] * 4), np.zeros(4))
    assert sorted(str(day) for day in chosen) == ["1", "2", "2", "None"]


def test_an_unknown_day_is_named() -> None:
    with pytest.raises(InvalidInput) as raised:
        choose_days([visit("a", 0), visit("b", 3)], [DayRoom(1, 1)], between([0, 0]), np.zeros(2))
    assert [problem.pointer for problem in raised.value.fields] == ["/visits/1/cost_by_day"]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), count=st.integers(0, 12), days=st.integers(1, 4))
def test_no_day_holds_more_than_it_can_and_nobody_comes_on_a_day_that_is_not_allowed(
    data: st.DataObject, count: int, days: int
) -> None:
    visits = [
        visit(
            str(number),
            *data.draw(st.sets(st.integers(0, days - 1))),
            need_s=data.draw(st.integers(1, 50)),
            wait=data.draw(st.integers(0, 100)),
            left_out=data.draw(st.integers(0, 500)),
        )
        for number in range(count)
    ]
    rooms = [DayRoom(data.draw(st.integers(0, 120)), data.draw(st.integers(0, 5))) for _ in range(days)]
    places = between([data.draw(st.integers(0, 300)) for _ in range(count)]) if count else np.zeros((0, 0))
    starts = np.array([data.draw(st.integers(0, 300)) for _ in range(count)], dtype=float)
    chosen = choose_days(visits, rooms, places, starts)
    assert chosen == choose_days(visits, rooms, places, starts)
    for day, room in enumerate(rooms):
        there = [each for each, at in zip(visits, chosen, strict=True) if at == day]
        assert sum(each.need_s for each in there) <= room.work_s
        assert len(there) <= room.visits
        assert all(day in each.cost_by_day for each in there)
