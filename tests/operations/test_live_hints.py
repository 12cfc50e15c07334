"""Conversations of the live channel as they are kept, shared by processes, and read by those who may."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from common.clock import FixedClock
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from operations import live_hints, live_records, people
from operations.access import Actor
from operations.live_conversation import Utterance
from operations.live_hints import Situation
from operations.live_records import LiveDesk, LiveLimits
from operations.store.database import Database
from operations.store.tables import Hint, LiveConversation, LiveEvent, Person, Region
from tests.fake_coach import FakeHintDesk, add_cases

PRICE = "这个也太贵了一点吧我觉得"
QUALITY = "而且你们的质量我不太放心啊"
SMALL_TALK = "今天天气真是不错啊我们出来走走"
ID = "conversation-1"
SAID_AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def hint_desk() -> FakeHintDesk:
    return FakeHintDesk()


@pytest.fixture
def desk(organisation: Database, hint_desk: FakeHintDesk) -> LiveDesk:
    add_cases(organisation)
    return LiveDesk(organisation, hint_desk, ZoneInfo("Asia/Shanghai"))  # type: ignore[arg-type]


def begin(desk: LiveDesk, actor: Actor, conversation_id: str = ID, **situation: object) -> live_hints.Opened:
    return live_hints.open_conversation(desk, actor, conversation_id, situation=Situation(**situation))  # type: ignore[arg-type]


def say(desk: LiveDesk, actor: Actor, seq: int, text: str, speaker: str = "customer") -> None:
    said = Utterance(seq, speaker, text, SAID_AT + timedelta(seconds=10 * seq))  # type: ignore[arg-type]
    live_hints.hear(desk, actor, ID, said)


def told(desk: LiveDesk, actor: Actor, after: int = 0) -> list[tuple[int, int, str]]:
    found = live_records.events_after(desk, actor, ID, after)
    return [(event.number, event.seq, event.given.answer.objection_types[0][0]) for event in found]


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_objection_becomes_a_kept_event_with_the_whole_hint(desk: LiveDesk, actors: dict[str, Actor]) -> None:
    rep = actors["rep-1"]
    assert not begin(desk, rep).resumed
    say(desk, rep, 1, PRICE)
    event = live_records.events_after(desk, rep, ID, 0)[0]
    assert (event.number, event.seq) == (1, 1)
    suggestion = event.given.answer.suggestions[0]
    assert (suggestion.entry_key, suggestion.steps) == ("cheaper_competitor-01", ("先听", "再比"))
    assert suggestion.warnings[0].bad_lines == ("我们就是贵",)
    with desk.database.read() as session:
        hint = session.get_one(Hint, event.given.id)
    assert (hint.asked_by, hint.region_code, hint.question) == ("rep-1", "wuhou", PRICE)


def test_what_was_only_listened_to_is_not_stored_as_a_hint(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep)
    for seq, text in enumerate([SMALL_TALK, "……", "你们多久能送货呢我下周就要用了", PRICE, PRICE, QUALITY], start=1):
        say(desk, rep, seq, text)
    assert count(desk.database, Hint) == 1
    clock.advance(timedelta(seconds=8))
    live_hints.release(desk, ID)
    assert count(desk.database, Hint) == 2
    assert told(desk, rep) == [(1, 4, "cheaper_competitor"), (2, 6, "quality_doubt")]


def test_the_words_are_asked_about_in_their_situation(
    desk: LiveDesk, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep, customer_type="elderly", product_line="panels")
    assert begin(desk, rep, scene="mall", limit=2).resumed
    say(desk, rep, 1, PRICE)
    question = hint_desk.fake.asked[-1]
    assert (question.customer_type, question.product_line, question.scene) == ("elderly", "panels", "mall")
    assert (question.region, question.k, str(question.on)) == ("wuhou", 2, "2026-11-20")


def test_the_same_utterance_sent_again_changes_nothing(
    desk: LiveDesk, hint_desk: FakeHintDesk, actors: dict[str, Actor]
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep)
    for _ in range(3):
        say(desk, rep, 1, PRICE)
        say(desk, rep, 2, QUALITY)
    assert told(desk, rep) == [(1, 1, "cheaper_competitor")]
    assert len(hint_desk.fake.asked) == 3  # two listened to, one given


def test_another_process_resumes_with_all_that_happened(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep)
    say(desk, rep, 1, PRICE)
    say(desk, rep, 2, QUALITY)
    other = replace(desk, database=Database(desk.database.url, clock=clock))
    opened = begin(other, rep)
    assert (opened.resumed, opened.last_event, opened.heard) == (True, 1, ((1, 2),))
    assert live_records.positions(other, [ID, "unknown"])[ID].held_until == clock.now() + timedelta(seconds=8)
    clock.advance(timedelta(seconds=8))
    live_hints.release(other, ID)
    live_hints.release(desk, ID)
    assert told(other, rep, after=1) == [(2, 2, "quality_doubt")]
    assert told(desk, rep) == told(other, rep)
    other.database.close()


def test_a_conversation_is_its_owners_and_read_by_the_regions_manager_and_a_director(
    desk: LiveDesk, actors: dict[str, Actor]
) -> None:
    begin(desk, actors["rep-1"])
    say(desk, actors["rep-1"], 1, PRICE)
    for reader in ("manager", "director"):
        assert told(desk, actors[reader]) == [(1, 1, "cheaper_competitor")]
    elsewhere = Actor.person("other-manager", "region_manager", "jinniu")
    for stranger in (actors["rep-2"], actors["recorder"], actors["logistics"], actors["analyst"], elsewhere):
        with pytest.raises(NotFound):
            told(desk, stranger)
    for other in ("rep-2", "manager", "director"):
        with pytest.raises(NotFound):
            say(desk, actors[other], 2, QUALITY)
        with pytest.raises(Conflict, match="taken"):
            begin(desk, actors[other])
    with pytest.raises(Forbidden):
        told(desk, Actor("key:x", "key", frozenset({"library:read"})))


def test_a_conversation_is_forgotten_after_its_time_but_its_hints_stay(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep)
    say(desk, rep, 1, PRICE)
    clock.advance(timedelta(hours=2))
    assert told(desk, rep)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotFound):
        told(desk, rep)
    assert live_records.positions(desk, [ID]) == {}
    opened = begin(desk, rep)
    assert (opened.resumed, opened.last_event, opened.heard) == (False, 0, ())
    assert told(desk, rep) == []
    assert (count(desk.database, LiveConversation), count(desk.database, LiveEvent), count(desk.database, Hint)) == (
        1,
        0,
        1,
    )


def test_a_person_has_only_so_many_conversations_and_a_known_one_can_always_be_resumed(
    desk: LiveDesk, actors: dict[str, Actor]
) -> None:
    desk = replace(desk, limits=LiveLimits(conversations=2))
    rep = actors["rep-1"]
    begin(desk, rep, "first-one")
    begin(desk, rep, "second-one")
    with pytest.raises(Conflict, match="limit"):
        begin(desk, rep, "third-one")
    assert begin(desk, rep, "first-one").resumed
    assert not begin(desk, actors["rep-2"], "third-one").resumed


def test_the_region_of_a_conversation_is_ones_own(desk: LiveDesk, actors: dict[str, Actor]) -> None:
    with pytest.raises(Forbidden):
        live_hints.open_conversation(desk, actors["rep-1"], ID, situation=Situation(), region="jinniu")
    with pytest.raises(InvalidInput, match="no region"):
        live_hints.open_conversation(desk, actors["director"], ID, situation=Situation(), region="nowhere")
    live_hints.open_conversation(desk, actors["director"], ID, situation=Situation(), region="wuhou")
    assert told(desk, actors["manager"]) == []


@pytest.mark.parametrize("change", ["left", "moved", "other role"])
def test_nothing_held_back_is_given_in_the_name_of_who_may_not_have_it_any_more(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock, change: str
) -> None:
    begin(desk, actors["rep-1"])
    say(desk, actors["rep-1"], 1, PRICE)
    say(desk, actors["rep-1"], 2, QUALITY)
    with desk.database.write("test") as session:
        person = session.get_one(Person, "rep-1")
        if change == "left":
            person.active = False
        elif change == "moved":
            person.region_code = "jinniu"
        else:
            person.role = "director"
    clock.advance(timedelta(seconds=8))
    live_hints.release(desk, ID)
    assert len(told(desk, actors["director"])) == (2 if change == "other role" else 1)
    assert live_records.positions(desk, [ID])[ID].held_until is None


def test_an_api_key_has_conversations_like_a_person(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock
) -> None:
    with desk.database.write("director") as session:
        card, secret = people.make_key(session, actors["director"], name="phones", scopes=["hints:ask"])
        found = people.actor_of_key(session, secret)
    assert found
    begin(desk, found[0])
    say(desk, found[0], 1, PRICE)
    say(desk, found[0], 2, QUALITY)
    clock.advance(timedelta(seconds=8))
    live_hints.release(desk, ID)
    assert len(told(desk, found[0])) == 2
    with desk.database.write("director") as session:
        people.revoke_key(session, actors["director"], card.id)
    clock.advance(timedelta(seconds=300))
    say(desk, found[0], 3, PRICE)
    say(desk, found[0], 4, QUALITY)
    clock.advance(timedelta(seconds=8))
    live_hints.release(desk, ID)
    assert len(told(desk, found[0])) == 3


def test_words_that_reach_two_processes_at_once_count_once(each_database: Database) -> None:
    with each_database.write("test") as session:
        session.add(Region(code="wuhou", name_zh="武侯", name_en="Wuhou", latitude=30.64, longitude=104.04))
        session.flush()
        session.add(Person(code="rep-1", name="李伟", role="rep", region_code="wuhou"))
    add_cases(each_database)
    rep = Actor.person("rep-1", "rep", "wuhou")
    desk = LiveDesk(each_database, FakeHintDesk(), ZoneInfo("Asia/Shanghai"))  # type: ignore[arg-type]
    begin(desk, rep)
    together = threading.Barrier(4)

    def send(_: int) -> None:
        together.wait()
        say(desk, rep, 1, PRICE)
        say(desk, rep, 2, SMALL_TALK, speaker="rep")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert told(desk, rep) == [(1, 1, "cheaper_competitor")]
    with each_database.read() as session:
        kept = session.get_one(LiveConversation, ID)
    assert live_records.read_state(kept.state).heard == ((1, 2),)
    assert kept.version == 2


def test_what_customers_say_does_not_reach_the_audit_log(desk: LiveDesk, actors: dict[str, Actor]) -> None:
    from operations.store.tables import AuditRecord

    before = count(desk.database, AuditRecord)
    begin(desk, actors["rep-1"])
    say(desk, actors["rep-1"], 1, SMALL_TALK)
    assert count(desk.database, AuditRecord) == before


def test_events_of_an_utterance_are_found_again_by_its_number(
    desk: LiveDesk, actors: dict[str, Actor], clock: FixedClock
) -> None:
    rep = actors["rep-1"]
    begin(desk, rep)
    say(desk, rep, 1, PRICE)
    say(desk, rep, 2, QUALITY)
    clock.advance(timedelta(seconds=8))
    live_hints.release(desk, ID)

    def numbers(seqs: list[int], after: int | None = None) -> list[int]:
        return [event.number for event in live_records.events_caused(desk, rep, ID, seqs, after=after)]

    assert numbers([1]) == [1]
    assert numbers([2, 99]) == [2]
    assert numbers([]) == []
    assert numbers([1], after=1) == [1, 2]
    assert numbers([], after=1) == [2]
