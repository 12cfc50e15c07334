"""Review of the library: who may do what, what follows what, near-duplicates, merging, credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from coach.entry import LibraryEntry
from coach.near_duplicates import LexicalNearDuplicates, Near
from common.clock import FixedClock
from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from operations import library, library_credits, library_merge, library_review
from operations.access import Actor
from operations.library_records import StoredEntry
from operations.library_review import QueuePage
from operations.library_states import NEXT_STATES
from operations.near_duplicate_desk import NearDuplicateDesk
from operations.store.database import Database

Actors = dict[str, Actor]
SYSTEM = Actor.system("test")
DAY = date(2026, 11, 20)


def draft(key: str = "no_time-71", **changes: Any) -> LibraryEntry:
    values: dict[str, Any] = {
        "key": key,
        "language": "zh",
        "kind": "success",
        "objection_type": "no_time",
        "title": "边走边说",
        "background": "地铁口，客户赶车。",
        "steps": ("陪着走", "两句话说完"),
        "talk_tracks": ("您忙您的，我陪您走到车站，两句话说完。",),
        "utterances": ("我要去赶地铁末班车",),
    }
    return LibraryEntry(**(values | changes))


def nothing_near(texts: Sequence[str]) -> list[Near]:
    return []


def stored(database: Database, actor: Actor, *entries: LibraryEntry) -> None:
    with database.write(actor.code) as session:
        for entry in entries:
            library.create_entry(session, actor, entry)


def decided(database: Database, actor: Actor, what: Any, *arguments: Any, **named: Any) -> Any:
    with database.write(actor.code) as session:
        return what(session, actor, *arguments, **named)


def in_state(database: Database, state: str, key: str = "no_time-71", **changes: Any) -> None:
    """Store an entry and bring it to a state the way that people do."""
    stored(database, SYSTEM, draft(key, **changes))
    if state in ("review", "published"):
        decided(database, SYSTEM, library_review.submit, key, "zh")
    if state == "published":
        decided(database, SYSTEM, library_review.approve, key, "zh")
    if state == "retired":
        decided(database, SYSTEM, library.retire_entry, key, "zh")


def queue(database: Database, actor: Actor, near: Any = nothing_near, **page: Any) -> list[library_review.ReviewItem]:
    with database.read() as session:
        return library_review.review_queue(session, actor, near, on=DAY, page=QueuePage(**page))


def earned(database: Database, actor: Actor = SYSTEM) -> dict[str, tuple[int, float]]:
    with database.read() as session:
        found = library_credits.credits_by_author(session, actor)
    return {item.author: (item.accepted, item.reward_cny) for item in found}


def test_an_entry_goes_from_a_reps_draft_to_hints_and_the_rep_is_credited(
    organisation: Database, actors: Actors, clock: FixedClock
) -> None:
    rep, recorder = actors["rep-1"], actors["recorder"]
    stored(organisation, rep, draft(author="somebody else"))
    decided(organisation, rep, library_review.submit, "no_time-71", "zh")
    clock.advance(timedelta(hours=3))
    done: StoredEntry = decided(organisation, recorder, library_review.approve, "no_time-71", "zh", reward_cny=150.0)
    assert (done.entry.status, done.entry.author) == ("published", "rep-1")
    assert (done.review.submitted_by, done.review.reviewed_by) == ("rep-1", "recorder")
    assert done.review.reviewed_at == clock.now()
    assert done.review.submitted_at == clock.now() - timedelta(hours=3)
    with organisation.read() as session:
        assert [entry.key for entry in library.published(session)] == ["no_time-71"]
    assert earned(organisation) == {"rep-1": (1, 150.0)}


def test_a_draft_that_is_sent_back_tells_its_author_why_and_can_be_mended(
    organisation: Database, actors: Actors
) -> None:
    rep, recorder = actors["rep-1"], actors["recorder"]
    stored(organisation, rep, draft())
    decided(organisation, rep, library_review.submit, "no_time-71", "zh")
    with pytest.raises(InvalidInput, match="reason"):
        decided(organisation, recorder, library_review.send_back, "no_time-71", "zh", reason=" ")
    decided(organisation, recorder, library_review.send_back, "no_time-71", "zh", reason="缺效果数字")
    (item,) = queue(organisation, rep)
    assert (item.stored.entry.status, item.stored.review.reason) == ("draft", "缺效果数字")
    mended = draft(background="地铁口，客户赶末班车。")
    assert decided(organisation, rep, library.replace_entry, mended).entry.author == "rep-1"
    decided(organisation, rep, library_review.submit, "no_time-71", "zh")
    with pytest.raises(Conflict, match="no draft"):
        decided(organisation, rep, library.replace_entry, draft())


@pytest.mark.parametrize("state", list(NEXT_STATES))
@pytest.mark.parametrize("wanted", list(NEXT_STATES))
def test_a_change_of_state_is_allowed_or_a_clear_conflict(organisation: Database, state: str, wanted: str) -> None:
    in_state(organisation, state)
    change = draft(status=wanted, title="新标题")
    # approval alone publishes what is stored
    if state == wanted or (wanted in NEXT_STATES[state] and wanted != "published"):
        assert decided(organisation, SYSTEM, library.replace_entry, change).entry.status == wanted
        return
    for use_case, argument in ((library.replace_entry, change), (library.import_entries, [change])):
        with pytest.raises((Conflict, InvalidInput)) as caught:
            decided(organisation, SYSTEM, use_case, argument)
        told = caught.value.fields[0].text.en if caught.value.fields else caught.value.text.en
        assert state in told or "approve" in told
    with organisation.read() as session:
        assert library.entry(session, SYSTEM, "no_time-71", "zh").entry.title == "边走边说"


@pytest.mark.parametrize(
    ("what", "states"),
    [
        (library_review.submit, {"draft", "published"}),
        (library_review.approve, {"review"}),
        (lambda *a: library_review.send_back(*a, reason="x"), {"review"}),
    ],
    ids=["submit", "approve", "send back"],
)
def test_each_decision_fits_its_states_only(organisation: Database, what: Any, states: set[str]) -> None:
    for state in NEXT_STATES:
        key = f"no_time-{state}"
        in_state(organisation, state, key)
        if state in states:
            decided(organisation, SYSTEM, what, key, "zh")
        else:
            with pytest.raises(Conflict, match=state):
                decided(organisation, SYSTEM, what, key, "zh")


def test_a_decision_on_an_older_version_is_refused(organisation: Database) -> None:
    in_state(organisation, "review")
    with pytest.raises(Conflict, match="at version 2"):
        decided(organisation, SYSTEM, library_review.approve, "no_time-71", "zh", version=1)
    assert decided(organisation, SYSTEM, library_review.approve, "no_time-71", "zh", version=2).version == 3


def test_nobody_approves_what_is_the_own_work(organisation: Database, actors: Actors) -> None:
    manager = actors["manager"]
    stored(organisation, manager, draft())
    decided(organisation, manager, library_review.submit, "no_time-71", "zh")
    with pytest.raises(Forbidden, match="somebody else"):
        decided(organisation, manager, library_review.approve, "no_time-71", "zh")
    decided(organisation, actors["recorder"], library_review.approve, "no_time-71", "zh")
    assert earned(organisation) == {"manager": (1, 200.0)}


def test_an_entry_that_could_not_be_published_is_not_approved(organisation: Database) -> None:
    in_state(organisation, "review", talk_tracks=())
    with pytest.raises(InvalidInput) as caught:
        decided(organisation, SYSTEM, library_review.approve, "no_time-71", "zh")
    assert caught.value.fields[0].pointer == "/talk_tracks"
    assert earned(organisation) == {}


@pytest.mark.parametrize("who", ["rep-1", "logistics", "analyst"])
def test_who_does_not_curate_decides_nothing(organisation: Database, actors: Actors, who: str) -> None:
    in_state(organisation, "review", author="rep-1")
    for what in (library_review.approve, lambda *a: library_review.send_back(*a, reason="x")):
        with pytest.raises((Forbidden, NotFound)):
            decided(organisation, actors[who], what, "no_time-71", "zh")
    with pytest.raises((Forbidden, NotFound)):
        decided(organisation, actors[who], library_merge.merge, ("no_time-71", "zh"), "no_time-72")


def test_a_rep_writes_drafts_for_its_own_region_and_sees_no_ones_else(organisation: Database, actors: Actors) -> None:
    rep, colleague = actors["rep-1"], actors["rep-2"]
    for wrong in (draft(status="published"), draft(status="review"), draft(region="jinniu")):
        with pytest.raises(Forbidden):
            stored(organisation, rep, wrong)
    stored(organisation, rep, draft(region="wuhou"))
    stored(organisation, colleague, draft("no_time-72"))
    assert [item.stored.entry.key for item in queue(organisation, rep)] == ["no_time-71"]
    with pytest.raises(NotFound):
        decided(organisation, rep, library.replace_entry, draft("no_time-72"))
    with pytest.raises(NotFound):
        decided(organisation, rep, library_review.submit, "no_time-72", "zh")
    assert decided(organisation, rep, library.retire_entry, "no_time-71", "zh").entry.status == "retired"
    for who in ("logistics", "analyst"):
        with pytest.raises(Forbidden):
            stored(organisation, actors[who], draft("no_time-73"))
        with pytest.raises(Forbidden):
            queue(organisation, actors[who])


def test_a_region_curates_its_own_and_the_common_entries(organisation: Database, actors: Actors) -> None:
    in_state(organisation, "review", "no_time-71")
    in_state(organisation, "review", "no_time-72", region="jinniu")
    in_state(organisation, "review", "no_time-73", region="wuhou")
    recorder = actors["recorder"]
    assert [item.stored.entry.key for item in queue(organisation, recorder)] == ["no_time-71", "no_time-73"]
    with pytest.raises(NotFound):
        decided(organisation, recorder, library_review.approve, "no_time-72", "zh")
    decided(organisation, recorder, library_review.approve, "no_time-73", "zh")


def test_who_has_waited_longest_comes_first_and_the_queue_can_be_paged(
    organisation: Database, clock: FixedClock
) -> None:
    for number in (3, 1, 2):
        stored(organisation, SYSTEM, draft(f"no_time-7{number}"))
        clock.advance(timedelta(minutes=1))
    decided(organisation, SYSTEM, library_review.submit, "no_time-73", "zh")
    keys, after = [], None
    while items := queue(organisation, SYSTEM, after=after, limit=1):
        keys += [item.stored.entry.key for item in items]
        after = items[-1].place
    assert keys == ["no_time-71", "no_time-72", "no_time-73"]
    assert [item.stored.entry.key for item in queue(organisation, SYSTEM, status="review")] == ["no_time-73"]
    assert queue(organisation, SYSTEM, status="published") == []
    assert queue(organisation, SYSTEM, language="en") == []


def test_the_queue_shows_near_duplicates_and_what_to_mend(organisation: Database, actors: Actors) -> None:
    near = NearDuplicateDesk(organisation)
    stored(organisation, SYSTEM, draft("no_time-71", talk_tracks=("打 13812345678 找我",)))
    stored(organisation, SYSTEM, draft("no_time-72", region="jinniu", status="published"))
    stored(organisation, SYSTEM, draft("no_time-73", status="published"))
    stored(organisation, SYSTEM, draft("no_time-74", status="published", utterances=("没空听",), talk_tracks=("好",)))
    stored(organisation, SYSTEM, draft("no_time-71", language="en"))
    (first, *_) = queue(organisation, actors["director"], near)
    assert {each.key for each in first.near} == {"no_time-72", "no_time-73"}
    assert first.near[0].similarity == pytest.approx(1)
    assert {finding.code for finding in first.findings} == {"missing_part", "personal_data"}
    # another region's entries do not exist for a curator bound to one
    (seen, *_) = queue(organisation, actors["recorder"], near)
    assert {each.key for each in seen.near} == {"no_time-73"}
    # the desk follows the library
    decided(organisation, SYSTEM, library.retire_entry, "no_time-73", "zh")
    assert {each.key for each in queue(organisation, SYSTEM, near)[0].near} == {"no_time-72"}


def test_merging_unites_what_differs_and_points_to_the_survivor(organisation: Database) -> None:
    in_state(organisation, "published", "no_time-71", author="rep-1")
    more = draft(
        "no_time-72",
        author="rep-2",
        steps=("陪着走。", "留一张卡片"),
        talk_tracks=("您忙您的,我陪您走到车站,两句话说完!", "卡片您收着，有空再看。"),
        utterances=("我要去赶地铁末班车了", "赶着接孩子"),
    )
    stored(organisation, SYSTEM, more)
    outcome = decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    survivor = outcome.survivor.entry
    assert survivor.steps == ("陪着走", "两句话说完", "留一张卡片")
    assert survivor.talk_tracks == (*draft().talk_tracks, "卡片您收着，有空再看。")
    assert survivor.utterances == ("我要去赶地铁末班车", "赶着接孩子")
    assert (survivor.status, outcome.survivor.review.co_authors) == ("published", ("rep-2",))
    assert (outcome.merged.entry.status, outcome.merged.review.merged_into) == ("retired", "no_time-71")
    assert outcome.left_out == ()
    assert earned(organisation) == {"rep-1": (1, 200.0), "rep-2": (1, 200.0)}
    with pytest.raises(Conflict, match="merged into 'no_time-71'"):
        decided(organisation, SYSTEM, library.replace_entry, draft("no_time-72"))


def test_authors_of_merged_drafts_are_credited_when_the_survivor_is_accepted(organisation: Database) -> None:
    in_state(organisation, "draft", "no_time-71", author="rep-1")
    in_state(organisation, "review", "no_time-72", author="rep-2")
    decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    assert earned(organisation) == {}
    decided(organisation, SYSTEM, library_review.submit, "no_time-71", "zh")
    decided(organisation, SYSTEM, library_review.approve, "no_time-71", "zh")
    assert earned(organisation) == {"rep-1": (1, 200.0), "rep-2": (1, 200.0)}


def test_no_case_is_paid_twice(organisation: Database, actors: Actors) -> None:
    in_state(organisation, "published", "no_time-71", author="rep-1")
    decided(organisation, SYSTEM, library_review.submit, "no_time-71", "zh")
    decided(organisation, SYSTEM, library_review.approve, "no_time-71", "zh", reward_cny=500.0)
    stored(organisation, SYSTEM, draft("no_time-71", language="en", author="rep-1"))
    decided(organisation, SYSTEM, library_review.submit, "no_time-71", "en")
    decided(organisation, SYSTEM, library_review.approve, "no_time-71", "en")
    # nor a copy of one's own, nor one that the merging curator wrote
    in_state(organisation, "review", "no_time-72", author="rep-1")
    decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    in_state(organisation, "review", "no_time-73", author="manager")
    decided(organisation, actors["manager"], library_merge.merge, ("no_time-73", "zh"), "no_time-71")
    assert earned(organisation) == {"rep-1": (1, 200.0)}


def test_a_line_with_an_offer_stays_within_its_own_period(organisation: Database) -> None:
    in_state(organisation, "published", "no_time-71")
    offer = {"talk_tracks": ("今天八折。", "您先忙。"), "valid_until": date(2026, 12, 31)}
    in_state(organisation, "review", "no_time-72", **offer)
    in_state(organisation, "review", "no_time-73", talk_tracks=("每天九折。",))
    outcome = decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    assert outcome.left_out == ("今天八折。",)
    assert outcome.survivor.entry.talk_tracks[1:] == ("您先忙。",)
    same = decided(organisation, SYSTEM, library_merge.merge, ("no_time-73", "zh"), "no_time-71")
    assert same.survivor.entry.talk_tracks[2:] == ("每天九折。",)


def test_what_would_be_too_many_lines_is_left_out_and_named(organisation: Database) -> None:
    in_state(
        organisation, "published", "no_time-71", talk_tracks=tuple(f"{word}先生您慢走" for word in "甲乙丙丁戊己庚辛")
    )
    in_state(organisation, "review", "no_time-72", talk_tracks=("下雨了", "吃饭没", "看灯去", "量个柜"))
    outcome = decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    assert outcome.survivor.entry.talk_tracks[8:] == ("下雨了", "吃饭没")
    assert outcome.left_out == ("看灯去", "量个柜")


@pytest.mark.parametrize(
    ("merged", "survivor", "told"),
    [
        ({"state": "published"}, {"state": "review"}, "disappear"),
        ({"state": "review"}, {"state": "published", "region": "wuhou"}, "region wuhou"),
        ({"state": "review", "kind": "failure"}, {"state": "published"}, "cannot be merged into"),
        ({"state": "retired"}, {"state": "published"}, "retired"),
        ({"state": "review"}, {"state": "retired"}, "retired"),
    ],
)
def test_entries_that_do_not_fit_together_are_not_merged(
    organisation: Database, merged: dict[str, Any], survivor: dict[str, Any], told: str
) -> None:
    in_state(organisation, key="no_time-71", **survivor)
    in_state(organisation, key="no_time-72", **merged)
    with pytest.raises(Conflict, match=told):
        decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    with pytest.raises(InvalidInput):
        decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-72")
    with pytest.raises(NotFound):
        decided(organisation, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-99")


def test_credits_are_shown_to_whom_they_concern(organisation: Database, actors: Actors, clock: FixedClock) -> None:
    begun = clock.now()
    for number, author in enumerate(("rep-1", "rep-2", "rep-1", "王老师")):
        in_state(organisation, "published", f"no_time-8{number}", author=author)
        clock.advance(timedelta(days=1))
    everyone = {"rep-1": (2, 400.0), "rep-2": (1, 200.0), "王老师": (1, 200.0)}
    assert earned(organisation, actors["director"]) == everyone
    assert earned(organisation, actors["manager"]) == {"rep-1": (2, 400.0)}
    assert earned(organisation, actors["rep-2"]) == {"rep-2": (1, 200.0)}
    with organisation.read() as session:
        found = library_credits.credits_by_author(
            session, SYSTEM, since=begun + timedelta(hours=1), until=begun + timedelta(days=3)
        )
    assert [(item.author, item.accepted) for item in found] == [("rep-1", 1), ("rep-2", 1)]


def test_the_lexical_near_duplicates_fit_the_protocol_that_the_queue_asks_for(organisation: Database) -> None:
    in_state(organisation, "review")
    assert queue(organisation, SYSTEM, LexicalNearDuplicates([draft("no_time-72", status="published")]))[0].near == ()


def test_review_works_the_same_on_both_databases(each_database: Database) -> None:
    for number in (1, 2, 3):
        in_state(each_database, "review", f"no_time-7{number}", author=f"rep-{number}")
    (first, second, _) = queue(each_database, SYSTEM, NearDuplicateDesk(each_database))
    assert {each.key for each in first.near} == {"no_time-72", "no_time-73"}
    after = queue(each_database, SYSTEM, after=second.place)
    assert [item.stored.entry.key for item in after] == ["no_time-73"]
    decided(each_database, SYSTEM, library_review.approve, "no_time-71", "zh")
    decided(each_database, SYSTEM, library_merge.merge, ("no_time-72", "zh"), "no_time-71")
    decided(each_database, SYSTEM, library_review.send_back, "no_time-73", "zh", reason="x")
    with each_database.read() as session:
        survivor = library.entry(session, SYSTEM, "no_time-71", "zh")
    assert survivor.review.co_authors == ("rep-2",)
    assert earned(each_database) == {"rep-1": (1, 200.0), "rep-2": (1, 200.0)}
