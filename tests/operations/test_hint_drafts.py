"""Drafts for the library from lines that reps changed and lines that won."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from common.clock import FixedClock
from common.errors import Forbidden
from operations import hint_drafts, library
from operations.access import Actor
from operations.hint_drafts import DraftReport, draft_from_hints
from operations.hints import Feedback, give_feedback
from operations.store.database import Database
from operations.store.tables import HintFeedback, LibraryEntryRow
from tests.operations.hint_records import KEYS, SYSTEM, give_hint, line_of, record_visit, say, set_up

REP = Actor.person("rep-1", "rep", "wuhou")
EDITED = "姐，您先别看总价，一天才八毛钱"


@pytest.fixture
def store(each_database: Database) -> Database:
    set_up(each_database)
    return each_database


@pytest.fixture
def file_store(database: Database) -> Database:
    set_up(database)
    return database


def run(store: Database, clock: FixedClock, actor: Actor = SYSTEM, **options: object) -> DraftReport:
    with store.write("hint-drafts") as session:
        return draft_from_hints(session, actor, clock.now() - timedelta(days=35), **options)  # type: ignore[arg-type]


def drafts(store: Database) -> list[LibraryEntryRow]:
    with store.read() as session:
        return list(session.scalars(select(LibraryEntryRow).where(LibraryEntryRow.status == "draft")))


def edited(
    store: Database, clock: FixedClock, line: str = EDITED, question: str = "一个柜子八千，抢钱啊", **words: str
) -> str:
    with store.write("rep-1") as session:
        hint_id = give_hint(session, KEYS[:3], at=clock.now(), question=question)
        say(session, hint_id, 2, "edited", at=clock.now(), edited_text=line, **words)
    return hint_id


def test_an_edited_line_becomes_a_draft_of_the_reps(store: Database, clock: FixedClock) -> None:
    hint_id = edited(store, clock)
    report = run(store, clock)
    assert [(each.hint_id, each.rank, each.language) for each in report.made] == [(hint_id, 2, "zh")]
    (row,) = drafts(store)
    assert row.key == report.made[0].key == f"hint-{hint_id}-2"
    assert (row.kind, row.objection_type, row.approach, row.author) == ("success", "price_too_high", "way02", "rep-1")
    assert [track.text for track in row.talk_tracks] == [EDITED]
    assert [utterance.text for utterance in row.utterances] == ["一个柜子八千，抢钱啊"]
    assert (row.product_line, row.scenes, row.region_code) == ("furniture", ["mall"], None)
    assert hint_id in row.background
    assert KEYS[1] in row.background


def test_a_line_on_a_visit_that_was_won_becomes_a_draft_once_the_visit_is_recorded(
    store: Database, clock: FixedClock
) -> None:
    with store.write("rep-1") as session:
        hint_id = give_hint(session, KEYS[:3], at=clock.now(), question="八千也太离谱了")
        say(session, hint_id, 1, "used", at=clock.now(), visit_id="v1")
        say(session, hint_id, 3, "rejected", at=clock.now(), visit_id="v1")
    assert run(store, clock).made == ()
    clock.advance(timedelta(days=50))
    with store.write("rep-1") as session:
        record_visit(session, "v1", "won", at=clock.now())
    assert [each.rank for each in run(store, clock).made] == [1]
    (row,) = drafts(store)
    assert [track.text for track in row.talk_tracks] == [line_of(KEYS[0])]
    assert [utterance.text for utterance in row.utterances] == ["八千也太离谱了"]
    assert "成交" in row.background


@pytest.mark.parametrize("outcome", ["interested", "refused", "absent"])
def test_a_line_that_was_used_and_did_not_win_teaches_the_library_nothing(
    file_store: Database, clock: FixedClock, outcome: str
) -> None:
    with file_store.write("rep-1") as session:
        hint_id = give_hint(session, KEYS[:3], at=clock.now())
        say(session, hint_id, 1, "used", at=clock.now(), visit_id="v1")
        record_visit(session, "v1", outcome, at=clock.now())
    assert run(file_store, clock) == DraftReport((), 0, 0)


def test_a_suggestion_never_makes_two_drafts(store: Database, clock: FixedClock) -> None:
    hint_id = edited(store, clock, visit_id="v1")
    assert len(run(store, clock).made) == 1
    assert run(store, clock).made == ()
    with store.write("rep-1") as session:
        record_visit(session, "v1", "won", at=clock.now())
        give_feedback(session, REP, hint_id, Feedback(2, "edited", edited_text="再改一次说法", visit_id="v1"))
    assert run(store, clock).made == ()
    # not even when a reviewer merged the draft into another entry and took it away
    with store.write("recorder") as session:
        session.delete(session.scalars(select(LibraryEntryRow).where(LibraryEntryRow.status == "draft")).one())
    assert run(store, clock).made == ()
    assert drafts(store) == []


def test_older_feedback_is_left_alone(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock)
    clock.advance(timedelta(days=36))
    assert run(file_store, clock).made == ()


def test_what_the_library_says_already_is_not_drafted_again(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock, line=f" {line_of(KEYS[1])} ")
    with file_store.write("rep-1") as session:
        hint_id = give_hint(session, KEYS[:1], at=clock.now(), question="太贵了！！")
        say(session, hint_id, 1, "used", at=clock.now(), visit_id="v1")
        record_visit(session, "v1", "won", at=clock.now())
    report = run(file_store, clock)
    assert (report.made, report.nothing_new) == ((), 2)


def test_entries_that_say_nearly_the_same_are_named_the_nearest_first(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock)
    heard: list[str] = []

    def near(text: str) -> list[tuple[str, str, float]]:
        heard.append(text)
        return [(KEYS[2], "zh", 0.71), (KEYS[0], "zh", 0.93)]

    report = run(file_store, clock, near_duplicates=near)
    assert heard == [EDITED]
    assert report.made[0].near == ((KEYS[0], "zh", 0.93), (KEYS[2], "zh", 0.71))
    assert f"{KEYS[0]} zh 0.93" in drafts(file_store)[0].background


def test_personal_data_and_broken_lines_do_not_reach_the_library(file_store: Database, clock: FixedClock) -> None:
    edited(
        file_store,
        clock,
        line="您加我微信 13812345678\n\n发您样板图 a.li@example.com\x07",
        question="我姓李，138 1234 5678，身份证510104199003071234，太贵",
    )
    run(file_store, clock)
    (row,) = drafts(file_store)
    everything = " ".join([row.background, *(each.text for each in (*row.talk_tracks, *row.utterances))])
    assert row.talk_tracks[0].text == "您加我微信 *** 发您样板图 ***"
    for secret in ("1381", "5678", "5101", "example"):
        assert secret not in everything


def test_a_line_that_the_library_cannot_hold_is_counted_and_does_not_stop_the_others(
    file_store: Database, clock: FixedClock
) -> None:
    edited(file_store, clock, line="长" * 4001)
    edited(file_store, clock, line="一天八毛钱而已")
    report = run(file_store, clock)
    assert (len(report.made), report.unfit) == (1, 1)


def test_a_line_in_the_other_language_is_filed_under_it(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock, line="It is less than a bus ticket a day", question="太贵了吧这个")
    run(file_store, clock)
    (row,) = drafts(file_store)
    assert row.language == "en"
    assert row.utterances == []
    assert "太贵了吧这个" in row.background


def test_a_run_makes_only_so_many_drafts_and_the_next_one_makes_the_rest(
    file_store: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hint_drafts, "MOST_DRAFTS", 2)
    for number in range(3):
        edited(file_store, clock, line=f"第{number}种说法", question=f"问题{number}太贵")
    assert [len(run(file_store, clock).made) for _ in range(3)] == [2, 1, 0]


def test_drafts_are_not_shown_until_they_are_published(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock)
    run(file_store, clock)
    with file_store.read() as session:
        assert {entry.key for entry in library.published(session)} == set(KEYS)


def test_who_may_not_write_the_library_may_not_draft(file_store: Database, clock: FixedClock) -> None:
    with pytest.raises(Forbidden):
        run(file_store, clock, actor=REP)


def test_a_manager_drafts_from_the_hints_of_the_own_region(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock)
    elsewhere = Actor.person("manager", "region_manager", "jinniu")
    assert run(file_store, clock, actor=elsewhere).made == ()
    assert len(run(file_store, clock, actor=Actor.person("manager", "region_manager", "wuhou")).made) == 1


def test_the_feedback_keeps_the_key_of_its_draft(file_store: Database, clock: FixedClock) -> None:
    edited(file_store, clock)
    report = run(file_store, clock)
    with file_store.read() as session:
        assert session.scalars(select(HintFeedback.draft_key)).all() == [report.made[0].key]
