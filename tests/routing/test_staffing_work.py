"""What people can do of a day's work: the rows that a program needs and the flow agree, and the flow is right."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.staffing.work import rows_of, undone_by_kind, undone_min

SKILL_SETS = st.integers(0, 7)
WORK = st.dictionaries(st.sampled_from([0, 1, 2, 4]), st.integers(0, 300))


@pytest.mark.parametrize(
    ("work", "capacity", "left"),
    [
        ({1: 60}, {0: 480}, {1: 60}),
        ({0: 60}, {0: 480}, {0: 0}),
        ({1: 60, 2: 60}, {3: 60, 1: 60}, {1: 0, 2: 0}),
        ({1: 100, 0: 100}, {1: 150}, {1: 0, 0: 50}),
        ({}, {1: 100}, {}),
    ],
)
def test_people_do_what_they_can_and_work_for_anybody_is_left_rather_than_work_that_needs_a_skill(
    work: dict[int, int], capacity: dict[int, int], left: dict[int, int]
) -> None:
    assert undone_by_kind(work, capacity) == left


@given(WORK, st.dictionaries(SKILL_SETS, st.integers(0, 300)))
def test_the_rows_and_the_flow_leave_the_same_undone(work: dict[int, int], capacity: dict[int, int]) -> None:
    left = undone_by_kind(work, capacity)
    assert all(0 <= minutes <= work[kind] for kind, minutes in left.items())
    assert sum(left.values()) == undone_min(rows_of(work), capacity)


@given(st.dictionaries(st.sampled_from([0, 1, 2]), st.integers(0, 3)), st.lists(st.integers(0, 3), max_size=4))
def test_no_way_of_sharing_out_the_work_leaves_less_undone(work: dict[int, int], people: list[int]) -> None:
    # by trying all: each person does one unit of one kind, or nothing
    best = sum(work.values())
    for doing in product([0, 1, 2, None], repeat=len(people)):
        if all(kind is None or kind == 0 or kind & skills for kind, skills in zip(doing, people, strict=True)):
            done = sum(min(minutes, doing.count(kind)) for kind, minutes in work.items())
            best = min(best, sum(work.values()) - done)
    capacity = {skills: people.count(skills) for skills in people}
    assert undone_min(rows_of(work), capacity) == best
