"""Hints for many customers at once: who is known, what was heard, what may be shown, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from common.errors import Forbidden, InvalidInput, NotFound
from operations.access import Actor
from operations.hint_prefetch import (
    MOST_FREE_TEXTS,
    PrefetchCustomer,
    Prefetched,
    PrefetchQuestion,
    prefetch,
)
from operations.store.database import Database
from operations.store.tables import Hint, LibraryEntryRow, Visit, VisitObjection
from tests.fake_coach import FakeHintDesk, add_cases

TODAY = date(2026, 11, 20)


@pytest.fixture
def hint_desk() -> FakeHintDesk:
    return FakeHintDesk()


@pytest.fixture
def records(organisation: Database) -> Database:
    """Visits: c1 said three things, price the last time; c4 of the other region said something; c2 nothing."""
    add_cases(organisation)
    with organisation.write("test") as session:
        for number, (customer, day, objections) in enumerate(
            [
                ("c1", 1, ["quality_doubt", "brand_unknown"]),
                ("c1", 5, ["cheaper_competitor", "quality_doubt"]),
                ("c2", 5, []),
                ("c4", 5, ["delivery_delay"]),
            ]
        ):
            start = datetime(2026, 11, day, 2, tzinfo=UTC)
            visit = Visit(
                id=f"v{number}",
                customer_code=customer,
                rep_code="rep-1",
                started_at=start,
                ended_at=start + timedelta(minutes=10),
                outcome="interested",
                recorded_at=start,
            )
            session.add(visit)
            session.flush()
            session.add_all(VisitObjection(visit_id=visit.id, objection_type=each) for each in objections)
    return organisation


def ask(
    records: Database, hint_desk: FakeHintDesk, actor: Actor, *customers: PrefetchCustomer, **more: object
) -> Prefetched:
    wanted = replace(PrefetchQuestion(customers, TODAY), **more)  # type: ignore[arg-type]
    return prefetch(records, hint_desk, actor, wanted)  # type: ignore[arg-type]


def known(customer_id: str | None = None, *objections: str, **more: str) -> PrefetchCustomer:
    return PrefetchCustomer(customer_id, objections, **more)


def test_a_customers_objections_come_from_the_visits_the_newest_first(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    found = ask(records, hint_desk, actors["rep-1"], known("c1"))
    customer = found.customers[0]
    assert [each.known for each in customer.objections] == ["cheaper_competitor", "quality_doubt", "brand_unknown"]
    assert (customer.from_records, customer.customer_type) == (True, "shop_owners")
    for each in customer.objections:
        answer, _ = found.answers[each.answer]
        assert [one.entry_key for one in answer.suggestions] == [f"{each.known}-01"]
    assert {(question.region, question.customer_type) for question in hint_desk.fake.asked} == {
        ("wuhou", "shop_owners")
    }
    assert found.index_version == "fake/1"


def test_what_the_caller_says_goes_before_the_records(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    asked = known("c1", "quality_doubt", "你们也太贵了", customer_type="elderly", scene="mall", product_line="panels")
    found = ask(records, hint_desk, actors["rep-1"], asked, limit=2, language="en")
    assert [each.known for each in found.customers[0].objections] == ["quality_doubt", "你们也太贵了"]
    assert not found.customers[0].from_records
    code, words = hint_desk.fake.asked
    assert (code.objection_type, code.text, code.language) == ("quality_doubt", "quality doubt", "en")
    assert (words.objection_type, words.text, words.language) == (None, "你们也太贵了", "en")
    for question in (code, words):
        assert (question.customer_type, question.scene, question.product_line) == ("elderly", "mall", "panels")
        assert (question.k, question.on) == (2, TODAY)


def test_equal_questions_are_answered_once(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    listed = [known(None, "cheaper_competitor", "cheaper_competitor") for _ in range(300)]
    found = ask(records, hint_desk, actors["rep-1"], *listed)
    assert len(hint_desk.fake.asked) == len(found.answers) == 1
    assert {each.answer for item in found.customers for each in item.objections} == {0}
    assert {len(item.objections) for item in found.customers} == {1}


def test_unknown_customers_get_a_problem_and_the_others_are_served(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    listed = [known("c1"), known("nobody"), known("c4"), known("c3"), known(), known(None, "太\u0007贵"), known("c2")]
    found = ask(records, hint_desk, actors["rep-1"], *listed)
    kinds = [type(item.problem) for item in found.customers]
    # c4 is another region's, c3 nobody's: for this rep they do not exist
    assert kinds == [type(None), NotFound, NotFound, NotFound, InvalidInput, InvalidInput, type(None)]
    pointers = [field.pointer for item in found.customers[4:6] if item.problem for field in item.problem.fields]
    assert pointers == ["/customers/4", "/customers/5/known_objections/0"]
    assert found.customers[0].objections
    empty = found.customers[6]
    assert empty.reason is not None
    assert "known" in empty.reason.en
    assert (empty.objections, empty.expires_on) == ((), None)


def test_each_role_sees_the_customers_that_it_sees_elsewhere(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    listed = [known(code) for code in ("c1", "c2", "c3", "c4")]

    def served(actor: Actor) -> list[bool]:
        return [item.problem is None for item in ask(records, hint_desk, actor, *listed).customers]

    assert served(actors["rep-2"]) == [False, False, False, True]
    assert served(actors["manager"]) == [True, True, True, False]
    assert served(actors["director"]) == [True, True, True, True]
    key = Actor("key:x", "key", frozenset({"hints:ask"}))
    refused = ask(records, hint_desk, key, known("c1"), known(None, "quality_doubt"))
    assert isinstance(refused.customers[0].problem, Forbidden)
    assert refused.customers[1].objections
    with pytest.raises(Forbidden):
        ask(records, hint_desk, Actor("key:y", "key", frozenset({"customers:read"})), known("c1"))


def test_entries_of_the_customers_own_region_answer_who_sees_all_regions(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    director = actors["director"]
    ask(records, hint_desk, director, known("c1"), known("c4"), known(None, "quality_doubt"))
    assert [question.region for question in hint_desk.fake.asked] == ["wuhou", "wuhou", "wuhou", "jinniu", None]
    with pytest.raises(InvalidInput, match="no region"):
        ask(records, hint_desk, director, known("c1"), region="nowhere")
    with pytest.raises(Forbidden):
        ask(records, hint_desk, actors["rep-1"], known("c1"), region="jinniu")


def test_an_objection_without_an_answer_carries_the_reason_and_a_question_to_ask(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    found = ask(records, hint_desk, actors["rep-2"], known("c4"))
    answer, until = found.answers[found.customers[0].objections[0].answer]
    assert not answer.matched
    assert answer.reason is not None
    assert answer.open_question is not None
    assert until == TODAY + timedelta(days=3)


def test_what_expires_first_tells_until_when_it_holds(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    assert ask(records, hint_desk, actors["rep-1"], known("c1"), keep_days=5).expires_on == date(2026, 11, 25)
    hint_desk.fake.valid_until = date(2026, 11, 22)
    found = ask(records, hint_desk, actors["rep-1"], known("c1"), known("c2"), keep_days=5)
    assert (found.expires_on, found.customers[0].expires_on) == (date(2026, 11, 22), date(2026, 11, 22))
    assert {until for _, until in found.answers} == {date(2026, 11, 22)}


@pytest.mark.parametrize("change", [{"status": "retired"}, {"valid_until": date(2026, 11, 19)}])
def test_what_was_withdrawn_since_the_index_was_built_is_not_carried_along(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor], change: dict[str, object]
) -> None:
    with records.write("test") as session:
        for row in session.scalars(select(LibraryEntryRow).where(LibraryEntryRow.key == "quality_doubt-01")):
            for name, value in change.items():
                setattr(row, name, value)
    found = ask(records, hint_desk, actors["rep-1"], known("c1"))
    matched = {each.known: found.answers[each.answer][0].matched for each in found.customers[0].objections}
    assert matched == {"cheaper_competitor": True, "quality_doubt": False, "brand_unknown": True}


def test_too_many_objections_in_words_are_refused(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    listed = [known(None, f"太贵了，第{number}遍") for number in range(MOST_FREE_TEXTS + 1)]
    with pytest.raises(InvalidInput, match="in words"):
        ask(records, hint_desk, actors["rep-1"], *listed)
    assert hint_desk.fake.asked == []
    assert len(ask(records, hint_desk, actors["rep-1"], *listed[1:]).answers) == MOST_FREE_TEXTS


def test_a_long_list_costs_few_queries_in_one_transaction_and_stores_nothing(
    records: Database, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(records.engine, "before_cursor_execute", note)
    ask(records, hint_desk, actors["director"], *[known(f"c{1 + number % 4}") for number in range(300)])
    event.remove(records.engine, "before_cursor_execute", note)
    reads = [each for each in statements if each.lstrip().upper().startswith("SELECT")]
    assert len(reads) <= 5
    assert all(each.lstrip().upper().startswith(("SELECT", "BEGIN")) for each in statements)
    assert sum(each.startswith("BEGIN") for each in statements) <= 1
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Hint)) == 0
