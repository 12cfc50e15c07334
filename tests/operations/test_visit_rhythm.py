"""Who is due and why: A within a day, B weekly, C rarely, promises on their day, and no repeats."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.contact_records import Replaced, standing
from operations.visit_rhythm import (
    REPEATS,
    Contacts,
    Due,
    NotDue,
    OfDay,
    Owed,
    PlannedVisit,
    RhythmPolicy,
    asked_again,
    due_or_not,
    rest_days,
)

DAY = OfDay(datetime(2026, 11, 25, tzinfo=UTC))
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def contacts(grade: str = "B", *, days_ago: float | None = None, **changes: object) -> Contacts:
    """Return the contacts with a customer who was visited so many days before the noon of the day."""
    last = None if days_ago is None else DAY.begins + timedelta(hours=12) - timedelta(days=days_ago)
    return Contacts(grade, "elderly", LONG_AGO, last, "周敏", **changes)  # type: ignore[arg-type]


def owed(kind: str, days: float) -> Owed:
    """Return what falls due so many days after the day's noon."""
    return Owed(kind, DAY.begins + timedelta(hours=12) + timedelta(days=days))


def planned(days: int, *, rep: str = "rep-2", published: bool = True, plan: str = "p1") -> PlannedVisit:
    return PlannedVisit(plan, DAY.day + timedelta(days=days), rep, published)


@pytest.mark.parametrize(
    ("grade", "days_ago", "is_due"),
    [("B", 6, False), ("B", 7, True), ("C", 44, False), ("C", 45, True), ("", 13, False), ("", 14, True)],
)
def test_each_grade_has_its_rhythm(grade: str, days_ago: int, is_due: bool) -> None:
    assert isinstance(due_or_not(contacts(grade, days_ago=days_ago), DAY), Due) is is_due


def test_who_was_never_visited_is_due() -> None:
    answer = due_or_not(contacts("B"), DAY)
    assert isinstance(answer, Due)
    assert (answer.code, answer.urgency, answer.mandatory) == ("first_visit", 1.0, False)


def test_who_is_not_due_yet_is_told_when() -> None:
    answer = due_or_not(contacts("B", days_ago=3), DAY)
    assert isinstance(answer, NotDue)
    assert (answer.code, answer.due_on, answer.repeat) == ("not_due_yet", date(2026, 11, 29), False)
    assert "2026-11-29" in answer.text.en
    assert "2026-11-29" in answer.text.zh


def test_a_visit_becomes_more_urgent_the_longer_it_is_overdue_up_to_a_limit() -> None:
    urgency = [due_or_not(contacts("B", days_ago=days), DAY) for days in (7, 10, 14, 60)]
    factors = [answer.urgency for answer in urgency if isinstance(answer, Due)]
    assert factors == sorted(factors)
    assert (factors[0], factors[-1]) == (1.0, RhythmPolicy().most_overdue)


def test_an_a_customer_seen_yesterday_must_be_visited_unless_the_promise_was_kept() -> None:
    promised = due_or_not(contacts("A", days_ago=1), DAY)
    assert isinstance(promised, Due)
    assert (promised.code, promised.mandatory) == ("promise", True)
    kept = contacts("A", days_ago=1, last_kept_at=DAY.begins - timedelta(hours=2))
    assert isinstance(due_or_not(kept, DAY), NotDue)


def test_a_promise_that_was_broken_days_ago_is_urgent_but_no_longer_mandatory() -> None:
    answer = due_or_not(contacts("A", days_ago=5), DAY)
    assert isinstance(answer, Due)
    assert answer.code == "promise"
    assert not answer.mandatory
    assert answer.urgency > 1.5


def test_the_follow_up_with_the_earliest_moment_makes_the_promise() -> None:
    today = contacts("A", days_ago=1, owed=(owed("call_next_day", 0.1), owed("send_material", 0.2)))
    answer = due_or_not(today, DAY)
    assert isinstance(answer, Due)
    assert (answer.mandatory, answer.material_owed, answer.due_on) == (True, True, DAY.day)
    later = contacts("A", days_ago=1, owed=(owed("send_material", 1),))
    assert isinstance(due_or_not(later, DAY), NotDue)


@pytest.mark.parametrize(("days", "is_due"), [(-3, True), (0, True), (1, False)])
def test_a_follow_up_makes_a_customer_due_on_its_day_and_worth_more(days: float, is_due: bool) -> None:
    answer = due_or_not(contacts("C", days_ago=3, owed=(owed("use_case", days),)), DAY)
    assert isinstance(answer, Due) is is_due
    if isinstance(answer, Due):
        assert (answer.code, answer.urgency, answer.mandatory) == ("follow_up", 1.5, False)


def test_whoever_was_visited_on_the_day_is_not_visited_again_even_when_something_is_owed() -> None:
    answer = due_or_not(contacts("B", days_ago=0, owed=(owed("use_case", 0),)), DAY)
    assert isinstance(answer, NotDue)
    assert (answer.code, answer.repeat) == ("visited_just_now", True)
    assert "周敏" in answer.text.zh


def test_a_short_rhythm_does_not_allow_a_repeat() -> None:
    policy = RhythmPolicy(days_between=(("B", 1), ("", 14)), repeat_within_days=3)
    answer = due_or_not(contacts("B", days_ago=2), OfDay(DAY.begins, policy=policy))
    assert isinstance(answer, NotDue)
    assert answer.code == "visited_just_now"


@pytest.mark.parametrize(
    ("days", "code"), [(0, "planned_that_day"), (-6, "planned_before"), (6, "planned_after"), (7, None), (-7, None)]
)
def test_a_customer_who_is_planned_within_the_rhythm_is_blocked(days: int, code: str | None) -> None:
    answer = due_or_not(contacts("B", days_ago=20, planned=(planned(days),)), DAY)
    if code is None:
        assert isinstance(answer, Due)
    else:
        assert isinstance(answer, NotDue)
        assert (answer.code, answer.repeat) == (code, True)
        assert "rep-2" in answer.text.en


def test_companies_are_closed_on_rest_days_and_open_on_make_up_days() -> None:
    company = Contacts("B", "companies", LONG_AGO)
    closed = due_or_not(company, OfDay(DAY.begins, rest_day=True))
    assert isinstance(closed, NotDue)
    assert (closed.code, closed.repeat) == ("closed", False)
    assert isinstance(due_or_not(company, OfDay(DAY.begins, rest_day=False)), Due)
    assert isinstance(due_or_not(contacts("B"), OfDay(DAY.begins, rest_day=True)), Due)


def test_a_reason_makes_a_blocked_customer_due_and_both_can_be_read() -> None:
    refusal = due_or_not(contacts("B", days_ago=0), DAY)
    assert isinstance(refusal, NotDue)
    again = asked_again(refusal, "客户要求再来", DAY.day)
    assert again.code == "asked_again"
    assert "客户要求再来" in again.text.zh
    assert refusal.text.zh in again.text.zh


def test_the_national_day_is_a_holiday_and_its_make_up_saturday_a_working_day() -> None:
    # Notice of the State Council for 2026: 1 to 7 October off, 10 October (a Saturday) worked.
    found = rest_days(date(2026, 9, 30), 12, "CN")
    by_day = {date(2026, 9, 30) + timedelta(days=step): each for step, each in enumerate(found)}
    assert by_day[date(2026, 9, 30)] == (False, False)
    assert by_day[date(2026, 10, 1)] == (True, True)
    assert by_day[date(2026, 10, 4)] == (True, True)  # a Sunday in the middle of it
    assert by_day[date(2026, 10, 10)] == (False, False)
    assert by_day[date(2026, 10, 11)] == (True, False)


@settings(max_examples=200, deadline=None)
@given(
    grade=st.sampled_from(["A", "B", "C", ""]),
    days_ago=st.none() | st.integers(0, 100),
    plans=st.lists(st.integers(-50, 50), max_size=3),
    follow_ups=st.lists(st.integers(-5, 5), max_size=2),
)
def test_nobody_is_due_within_the_rhythm_of_a_planned_visit_or_on_the_day_of_a_visit(
    grade: str, days_ago: int | None, plans: list[int], follow_ups: list[int]
) -> None:
    given_contacts = contacts(
        grade,
        days_ago=days_ago,
        planned=tuple(planned(days) for days in plans),
        owed=tuple(owed("use_case", days) for days in follow_ups),
    )
    answer = due_or_not(given_contacts, DAY)
    rhythm = RhythmPolicy().rhythm_days(grade)
    if isinstance(answer, Due):
        assert all(abs(days) >= rhythm for days in plans)
        assert days_ago != 0
        assert answer.urgency >= 1
    elif answer.code not in REPEATS:
        assert answer.code == "not_due_yet"
        assert answer.due_on is not None
        assert answer.due_on > DAY.day


MADE = datetime(2026, 11, 24, tzinfo=UTC)


def stop(
    customer: str, days: int, rep: str, *, plan: str, published: bool = False, hour: int = 0
) -> tuple[str, PlannedVisit, datetime]:
    return customer, planned(days, rep=rep, published=published, plan=plan), MADE + timedelta(hours=hour)


def stands(*stops: tuple[str, PlannedVisit, datetime], reps: str = "", days: tuple[int, ...] = ()) -> set[str]:
    """Return the customers whose planned visits stand against a plan of the day for these reps."""
    anew = frozenset(DAY.day + timedelta(days=step) for step in days)
    return set(standing(stops, DAY.day, Replaced(frozenset(reps.split()), anew)))


def test_a_new_plan_replaces_the_rounds_of_its_own_reps_and_respects_those_of_others() -> None:
    stops = [stop("mine", 0, "me", plan="p1"), stop("hers", 0, "her", plan="p1")]
    assert stands(*stops, reps="me") == {"hers"}
    assert stands(*stops, reps="me her") == set()


def test_of_a_reps_plans_of_one_day_only_the_published_or_else_the_newest_counts() -> None:
    older, newer = stop("first", 0, "her", plan="p1"), stop("second", 0, "her", plan="p2", hour=1)
    assert stands(older, newer) == {"second"}
    assert stands(stop("first", 0, "her", plan="p1", published=True), newer) == {"first"}


def test_drafts_of_earlier_days_stand_and_of_later_days_only_published_plans() -> None:
    assert stands(stop("before", -1, "me", plan="p1"), reps="me") == {"before"}
    assert stands(stop("after", 1, "her", plan="p1")) == set()
    assert stands(stop("after", 1, "her", plan="p1", published=True)) == {"after"}


def test_days_that_are_planned_together_replace_each_others_rounds() -> None:
    assert stands(stop("before", -1, "me", plan="p1"), reps="me", days=(-1, 0)) == set()
