"""Feedback on hints, the counts from it, the chooser that learns, and the trial of a ranking."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from alembic import command
from sqlalchemy import select
from sqlalchemy import text as sql

from coach.answer import HintAnswer, HintQuestion, Suggestion, Why
from coach.evidence_chooser import EvidenceChooser
from coach.examination import Examination
from coach.ranking import Candidate, Chooser, PlainChooser, choose
from common.clock import FixedClock
from common.errors import Forbidden, InvalidInput, Text
from operations import hint_learning
from operations.access import Actor
from operations.hint_learning import EvidenceDesk, EvidenceSettings, Trial, compare_rankings
from operations.hint_log import CANDIDATES_KEPT_FOR, forget_old_candidates, pack_candidates, unpack_candidates
from operations.hints import Feedback, HintGiven, ask, give_feedback
from operations.store import schema
from operations.store.database import Database
from operations.store.tables import Hint, HintFeedback, HintSuggestion
from operations.use_counting import count_use
from tests.operations.hint_records import (
    KEYS,
    SYSTEM,
    candidates,
    give_hint,
    line_of,
    log_by_chance,
    record_visit,
    say,
    set_up,
)

PRICE = KEYS[:4]
REP = Actor.person("rep-1", "rep", "wuhou")


@pytest.fixture
def store(each_database: Database) -> Database:
    set_up(each_database)
    return each_database


@pytest.fixture
def file_store(database: Database) -> Database:
    set_up(database)
    return database


class Engine:
    """Answers every question with the four entries about the price."""

    class index:  # noqa: N801
        version = "test"

    def hint(self, question: HintQuestion, chooser: Chooser | None = None) -> HintAnswer:
        found = candidates()
        chosen = (chooser or PlainChooser()).choose(found, question.k, region=question.region)
        suggestions = tuple(
            Suggestion(
                entry_key=choice.candidate.key,
                language="zh",
                rank=rank,
                score=choice.candidate.score,
                talk_track=line_of(choice.candidate.key),
                other_talk_tracks=(),
                title="案例",
                approach=choice.candidate.approach,
                steps=(),
                effect=None,
                valid_until=None,
                why=Why(choice.candidate.objection_type, Text("price", "价格"), 0.8, None),
                warnings=(),
                propensity=choice.propensity,
            )
            for rank, choice in enumerate(chosen, start=1)
        )
        return HintAnswer(True, "zh", 0.9, (("price_too_high", 0.8),), suggestions, candidates=tuple(found))


class Desk:
    """A desk whose engine is always ready."""

    def engine(self) -> Engine:
        return Engine()


def asked(store: Database, text: str, evidence_desk: EvidenceDesk | None = None) -> HintGiven:
    return ask(store, Desk(), REP, HintQuestion(text, on=date(2026, 11, 20)), evidence_desk=evidence_desk)  # type: ignore[arg-type]


def feedback_row(store: Database) -> HintFeedback:
    with store.read() as session:
        return session.scalars(select(HintFeedback)).one()


def much_use(store: Database, at: datetime, hints: int = 60) -> None:
    """The second entry is adopted nearly always, the first one never."""
    with store.write("test") as session:
        for _ in range(hints):
            hint_id = give_hint(session, PRICE[:3], at=at)
            say(session, hint_id, 2, "used", at=at)


def test_a_hint_is_stored_with_the_chances_of_its_lines_and_what_it_was_chosen_from(store: Database) -> None:
    given = asked(store, "太贵了")
    with store.read() as session:
        hint = session.get_one(Hint, given.id)
        shown = session.scalars(select(HintSuggestion).order_by(HintSuggestion.rank)).all()
    assert [(row.entry_key, row.rank, row.propensity) for row in shown] == [
        (key, n, 1.0) for n, key in enumerate(PRICE[:3], 1)
    ]
    assert hint.candidates is not None
    assert choose(unpack_candidates(hint.candidates), 3) == choose(candidates(), 3)
    assert "candidates" not in hint.answer or hint.answer["candidates"] == []


def test_candidates_are_read_back_as_they_were_packed() -> None:
    mixed = [*candidates("no_time"), *candidates()]
    mixed = [replace(each, type_probability=0.1 if each.objection_type == "no_time" else 0.7) for each in mixed]
    assert unpack_candidates(pack_candidates(mixed)) == sorted(mixed, key=lambda each: each.position)


def test_words_typed_further_take_the_place_of_those_before(store: Database, clock: FixedClock) -> None:
    ids = []
    for text in ("太贵", "太贵了", "没空", "太贵了吧"):
        ids.append(asked(store, text).id)
        clock.advance(timedelta(seconds=2))
    clock.advance(timedelta(minutes=1))
    ids.append(asked(store, "没空啊").id)
    with store.read() as session:
        marks = {row.id: row.superseded for row in session.scalars(select(Hint))}
    assert [marks[hint_id] for hint_id in ids] == [True, True, False, False, False]


def test_a_repeated_word_changes_nothing(file_store: Database, clock: FixedClock) -> None:
    given = asked(file_store, "太贵了")
    word = Feedback(1, "edited", edited_text="您算算一天多少钱", visit_id="v1")
    for _ in range(3):
        with file_store.write("rep-1") as session:
            give_feedback(session, REP, given.id, word)
        clock.advance(timedelta(hours=1))
    assert feedback_row(file_store).given_at == clock.now() - timedelta(hours=3)


def test_the_last_word_counts_in_whatever_order_the_words_arrive(file_store: Database, clock: FixedClock) -> None:
    began = clock.now()
    clock.advance(timedelta(hours=1))
    words = [
        Feedback(1, "used", said_at=began),
        Feedback(1, "rejected", reason="太长", said_at=began + timedelta(minutes=1)),
        Feedback(1, "used", said_at=began + timedelta(minutes=2)),
        Feedback(1, "edited", edited_text="短一点", said_at=began + timedelta(minutes=3)),
    ]
    for order in itertools.permutations(words):
        given = asked(file_store, "太贵了")
        for word in order:
            with file_store.write("rep-1") as session:
                give_feedback(session, REP, given.id, word)
        with file_store.read() as session:
            row = session.get_one(HintFeedback, (given.id, 1))
        assert (row.action, row.edited_text, row.reason) == ("edited", "短一点", None)


def test_a_clock_that_runs_ahead_does_not_make_a_word_the_last_for_ever(
    file_store: Database, clock: FixedClock
) -> None:
    given = asked(file_store, "太贵了")
    for word in (Feedback(1, "used", said_at=clock.now() + timedelta(days=400)), Feedback(1, "rejected")):
        with file_store.write("rep-1") as session:
            give_feedback(session, REP, given.id, word)
        clock.advance(timedelta(minutes=1))
    assert feedback_row(file_store).action == "rejected"


def test_use_is_counted_by_entry_region_and_rank(store: Database, clock: FixedClock) -> None:
    now = clock.now()
    with store.write("test") as session:
        for action in ("used", "edited", "rejected", None):
            hint_id = give_hint(session, PRICE[:2], at=now - timedelta(hours=1))
            if action:
                say(session, hint_id, 2, action, at=now)
        give_hint(session, PRICE[:1], at=now - timedelta(hours=1), region="jinniu")
    with store.read() as session:
        counts = {(c.key, c.region, c.rank): c for c in count_use(session, until=now, half_life_days=90)}
    assert set(counts) == {(PRICE[0], "wuhou", 1), (PRICE[1], "wuhou", 2), (PRICE[0], "jinniu", 1)}
    assert counts[PRICE[1], "wuhou", 2].shown == pytest.approx(4, rel=0.05)
    assert counts[PRICE[1], "wuhou", 2].adopted == pytest.approx(2, rel=0.05)
    assert counts[PRICE[0], "wuhou", 1].adopted == 0


def test_older_use_counts_less(store: Database, clock: FixedClock) -> None:
    ages = dict(zip(KEYS, (0, 10, 45, 90, 200, 300, 449, 451), strict=True))
    with store.write("test") as session:
        for key, age_days in ages.items():
            give_hint(session, [key], at=clock.now() - timedelta(days=age_days, seconds=1))
        give_hint(session, [KEYS[0]], at=clock.now() + timedelta(days=1))
    with store.read() as session:
        counts = {count.key: count for count in count_use(session, until=clock.now(), half_life_days=90)}
    assert set(counts) == set(KEYS[:-1])
    for key, count in counts.items():
        assert count.shown == pytest.approx(0.5 ** (ages[key] / 90), rel=0.045)
        assert count.shown_squared == pytest.approx(count.shown**2)


def test_the_outcome_counts_once_the_visit_is_recorded(store: Database, clock: FixedClock) -> None:
    outcomes = {
        "won": (1, 1),
        "interested": (1, 0),
        "refused": (1, 0),
        "complaint": (1, 0),
        "absent": (0, 0),
        "": (0, 0),
    }
    with store.write("rep-1") as session:
        for key, outcome in zip(KEYS, outcomes, strict=False):
            hint_id = give_hint(session, [key, KEYS[-1]], at=clock.now())
            give_feedback(session, REP, hint_id, Feedback(1, "used", visit_id=f"later-{outcome}"))
            give_feedback(session, REP, hint_id, Feedback(2, "rejected", visit_id=f"later-{outcome}"))
    clock.advance(timedelta(hours=2))
    with store.read() as session:
        assert {count.known for count in count_use(session, until=clock.now(), half_life_days=90)} == {0}
    with store.write("rep-1") as session:
        for outcome in filter(None, outcomes):
            record_visit(session, f"later-{outcome}", outcome, at=clock.now())
    with store.read() as session:
        counts = {count.key: count for count in count_use(session, until=clock.now(), half_life_days=90)}
    for key, (known, won) in zip(KEYS, outcomes.values(), strict=False):
        assert counts[key].adopted == pytest.approx(1, rel=0.05)
        assert counts[key].known == pytest.approx(known, rel=0.05)
        assert counts[key].won == pytest.approx(won, rel=0.05)
    assert (counts[KEYS[-1]].known, counts[KEYS[-1]].won) == (0, 0)


def test_answers_that_nobody_read_are_not_counted_against_their_lines(store: Database, clock: FixedClock) -> None:
    now = clock.now()
    with store.write("test") as session:
        give_hint(session, PRICE[:1], at=now - timedelta(hours=1), superseded=True)
        used = give_hint(session, PRICE[1:2], at=now - timedelta(hours=1), superseded=True)
        say(session, used, 1, "used", at=now)
    with store.read() as session:
        counts = count_use(session, until=now, half_life_days=90)
    assert [count.key for count in counts] == [PRICE[1]]


def test_hints_follow_what_reps_used(file_store: Database, clock: FixedClock) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    desk = EvidenceDesk(file_store, EvidenceSettings(exploration=0))
    assert isinstance(desk.chooser(), PlainChooser)
    desk.refresh()
    shown = [item.entry_key for item in asked(file_store, "太贵了", desk).answer.suggestions]
    assert shown[0] == PRICE[1]
    assert PRICE[0] not in shown[:2]


def test_the_switch_turns_the_evidence_off(file_store: Database, clock: FixedClock) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    desk = EvidenceDesk(file_store, EvidenceSettings(mode="off", exploration=1))
    desk.refresh()
    assert isinstance(desk.chooser(), PlainChooser)
    suggestions = asked(file_store, "太贵了", desk).answer.suggestions
    assert [(item.entry_key, item.propensity) for item in suggestions] == [(key, 1.0) for key in PRICE[:3]]


def test_too_little_use_changes_nothing_and_explores_nothing(file_store: Database, clock: FixedClock) -> None:
    much_use(file_store, clock.now() - timedelta(days=3), hints=20)
    desk = EvidenceDesk(file_store, EvidenceSettings(exploration=1))
    desk.refresh()
    assert isinstance(desk.chooser(), PlainChooser)


def test_on_trial_only_the_questions_that_are_explored_follow_the_evidence(
    file_store: Database, clock: FixedClock
) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    quiet = EvidenceDesk(file_store, EvidenceSettings(mode="trial", exploration=0))
    quiet.refresh()
    assert [item.entry_key for item in asked(file_store, "太贵了", quiet).answer.suggestions] == PRICE[:3]
    loud = EvidenceDesk(file_store, EvidenceSettings(mode="trial", exploration=1), rng=np.random.default_rng(1))
    loud.refresh()
    first = [asked(file_store, "太贵了", loud).answer.suggestions[0] for _ in range(20)]
    assert sum(item.entry_key == PRICE[1] for item in first) > 10
    with file_store.read() as session:
        kept = session.scalars(select(HintSuggestion).where(HintSuggestion.propensity < 1)).all()
    assert len(kept) > 20


def test_the_settled_choice_follows_the_evidence_and_leaves_nothing_to_chance(
    file_store: Database, clock: FixedClock
) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    desk = EvidenceDesk(file_store, EvidenceSettings(exploration=1), rng=np.random.default_rng(1))
    desk.refresh()
    candidates = [Candidate(n, key, "price_too_high", key, 0.9, 1.0 - n / 100) for n, key in enumerate(PRICE)]
    chosen = [desk.chooser(explores=False).choose(candidates, 3, region=None) for _ in range(10)]
    assert all(each == chosen[0] for each in chosen)
    assert chosen[0][0].candidate.key == PRICE[1]
    assert {each.propensity for each in chosen[0]} == {1.0}


def test_a_hint_never_waits_for_the_counting(
    file_store: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    desk = EvidenceDesk(file_store, EvidenceSettings(exploration=0))
    may_go_on, done = threading.Event(), threading.Event()
    count = hint_learning.count_rates

    def slowly(*arguments: object, **options: object) -> object:
        assert may_go_on.wait(20)
        try:
            return count(*arguments, **options)  # type: ignore[arg-type]
        finally:
            done.set()

    monkeypatch.setattr(hint_learning, "count_rates", slowly)
    for _ in range(3):
        assert isinstance(desk.chooser(), PlainChooser)
    may_go_on.set()
    assert done.wait(20)
    _eventually(lambda: isinstance(desk.chooser(), EvidenceChooser))


def test_counts_that_fail_leave_the_old_ones_in_use(
    file_store: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    much_use(file_store, clock.now() - timedelta(days=3))
    desk = EvidenceDesk(file_store, EvidenceSettings(exploration=0))
    desk.refresh()
    before = desk.chooser()
    failed = threading.Event()

    def fail(*_arguments: object, **_options: object) -> None:
        failed.set()
        raise RuntimeError("the database went away")

    monkeypatch.setattr(hint_learning, "count_rates", fail)
    monkeypatch.setattr(hint_learning, "COUNT_AGAIN_AFTER_S", -1.0)
    desk.chooser()
    assert failed.wait(20)
    assert desk.chooser() is before


def _eventually(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(400):
        if holds():
            return
        pause.wait(0.05)
    pytest.fail("did not come to hold within 20 s")


def test_a_ranking_is_tried_on_hints_that_it_has_not_seen(store: Database, clock: FixedClock) -> None:
    now = clock.now()
    log_by_chance(store, now - timedelta(days=40), 500)
    log_by_chance(store, now - timedelta(days=20), 1000, seed=2)
    with store.read() as session:
        found = compare_rankings(session, SYSTEM, Trial(), EvidenceSettings(examination=Examination((1.0,))))
        before = compare_rankings(session, SYSTEM, Trial(since=now - timedelta(days=90)))
        same = compare_rankings(session, SYSTEM, Trial(new="plain"))
        nowhere = compare_rankings(session, SYSTEM, Trial(region="jinniu"))
    assert found is not None
    assert found.hints == 1000
    assert found.verdict == "better"
    # plain shows the first two entries, the evidence the last one in place of one of them
    assert found.current.snips.value == pytest.approx(0.25, abs=0.12)
    assert found.new.snips.value == pytest.approx(0.9, abs=0.2)
    # nothing was counted before the first hint: there the evidence ranks as the plain one
    assert before is not None
    assert (before.hints, before.difference.value) == (1500, 0)
    assert same is not None
    assert same.verdict == "not better"
    assert nowhere is None


def test_a_trial_names_what_is_wrong_with_it(file_store: Database) -> None:
    with file_store.read() as session:
        with pytest.raises(InvalidInput, match="/new"):
            compare_rankings(session, SYSTEM, Trial(new="magic"))  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="/region"):
            compare_rankings(session, SYSTEM, Trial(region="moon"))
        with pytest.raises(Forbidden):
            compare_rankings(session, REP, Trial(region="jinniu"))


@pytest.mark.parametrize(
    ("options", "pointer"), [({"exploration": 1.5}, "/exploration"), ({"half_life_days": 0.5}, "/half_life_days")]
)
def test_evidence_settings_out_of_range_are_refused(options: dict[str, float], pointer: str) -> None:
    with pytest.raises(InvalidInput, match=pointer):
        EvidenceSettings(**options)  # type: ignore[arg-type]


def test_old_candidates_are_forgotten_and_the_rest_of_the_hint_stays(store: Database, clock: FixedClock) -> None:
    with store.write("test") as session:
        old = give_hint(session, PRICE[:2], at=clock.now() - CANDIDATES_KEPT_FOR - timedelta(days=1))
        new = give_hint(session, PRICE[:2], at=clock.now() - timedelta(days=1))
    for expected in (1, 0):
        with store.write("test") as session:
            assert forget_old_candidates(session) == expected
    with store.read() as session:
        assert session.get_one(Hint, old).candidates is None
        assert session.get_one(Hint, new).candidates
        assert len(session.scalars(select(HintSuggestion)).all()) == 4


_OLD_HINT = (
    "INSERT INTO hint (id, asked_at, asked_by, question, language, matched, confidence, index_version, answer)"
    " VALUES ('h1', '2026-11-19 02:00:00', 'rep-1', '太贵了', 'zh', true, 0.9, 'v', '{}')",
    "INSERT INTO hint_suggestion (hint_id, rank, entry_key, language, talk_track, score)"
    " VALUES ('h1', 1, 'e', 'zh', 't', 0.5)",
    "INSERT INTO hint_feedback (hint_id, rank, action, given_at, given_by)"
    " VALUES ('h1', 1, 'used', '2026-11-19 02:00:00', 'rep-1')",
)


def test_hints_of_an_older_version_are_kept_and_count_as_given_without_chance(empty_database: Database) -> None:
    writing = empty_database.engine.execution_options(fieldwise_write=True)
    with writing.begin() as connection:
        command.upgrade(schema._config(connection), "0001")
    with writing.begin() as connection:
        for statement in _OLD_HINT:
            connection.execute(sql(statement))
    for move, revision in ((command.upgrade, "0002"), (command.downgrade, "0001"), (command.upgrade, "head")):
        with writing.begin() as connection:
            move(schema._config(connection), revision)
    with empty_database.read() as session:
        assert session.get_one(HintSuggestion, ("h1", 1)).propensity == 1.0
        assert not session.get_one(Hint, "h1").superseded
        counts = count_use(session, until=empty_database.clock.now(), half_life_days=90)
    assert [(count.key, count.rank) for count in counts] == [("e", 1)]
    assert counts[0].adopted == counts[0].shown > 0
