"""The hint engine follows the library while questions go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coach.entry import Effect, LibraryEntry
from coach.hint import HintQuestion
from coach.lessons import Lessons
from operations import hints, library
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.store.database import Database

DAY = date(2026, 11, 20)
CURATOR = Actor.system("curator")
EVERYTHING_WITHIN_S = 30


class LetterEncoder:
    """One dimension a character of the Basic Multilingual Plane, folded to 64: enough to tell these sayings apart."""

    name = revision = "letters"
    dimension = 64

    def fingerprint(self) -> str:
        return "letters-64"

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for char in text:
                vectors[row, ord(char) * 7 % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    encode_documents = encode_queries


def _entry(number: int, line: str = "第一稿") -> LibraryEntry:
    code = ("price_too_high", "no_time", "quality_doubt")[number % 3]
    return LibraryEntry(
        key=f"{code}-{number:02d}",
        language="zh",
        kind="success",
        objection_type=code,
        title=f"案例{number}",
        background="展台",
        steps=("先听",),
        talk_tracks=(line,),
        utterances=(f"客户说法{chr(0x4E00 + 37 * number)}{chr(0x5E00 + 53 * number)}",),
        effect=Effect("conversion_rate", 50, 0.1, 0.2, DAY, DAY),
        approach=f"a{number}",
        status="published",
    )


@pytest.fixture
def desk(organisation: Database, tmp_path: Path) -> HintDesk:
    with organisation.write("test") as session:
        library.import_entries(session, CURATOR, [_entry(number) for number in range(6)])
    return HintDesk(organisation, LetterEncoder, tmp_path / "index", lessons=Lessons())


def _shown(desk: HintDesk, entry: LibraryEntry) -> dict[str, str]:
    """Return the line shown for each key when the saying of an entry is asked."""
    answer = desk.engine().hint(HintQuestion(entry.utterances[0], on=DAY, k=10, objection_type=entry.objection_type))
    return {each.entry_key: each.talk_track for each in answer.suggestions}


def _wait_until(reached: object, what: str) -> None:
    until = time.monotonic() + EVERYTHING_WITHIN_S
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < until, what
        time.sleep(0.02)


def test_entries_added_edited_and_retired_under_concurrent_questions_are_all_followed(
    organisation: Database, desk: HintDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.hint_desk._LOOK_EVERY_S", 0.02)
    stop, failures, answered = threading.Event(), [], [0]

    def ask_on_and_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                answer = desk.engine().hint(HintQuestion(_entry(number % 12).utterances[0], on=DAY))
                assert all(each.talk_track in ("第一稿", "第二稿") for each in answer.suggestions)
                answered[0] += 1
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask_on_and_on) for _ in range(3)]
    desk.engine()
    for thread in threads:
        thread.start()
    try:
        for number in range(6, 12):
            with organisation.write("test") as session:
                library.import_entries(session, CURATOR, [_entry(number)])
            _wait_until(lambda n=number: _entry(n).key in _shown(desk, _entry(n)), f"entry {number} is never found")
        with organisation.write("test") as session:
            library.import_entries(session, CURATOR, [_entry(7, "第二稿")])
        _wait_until(lambda: _shown(desk, _entry(7)).get(_entry(7).key) == "第二稿", "the edit is never shown")
        with organisation.write("test") as session:
            library.retire_entry(session, CURATOR, _entry(8).key, "zh")
        _wait_until(lambda: _entry(8).key not in _shown(desk, _entry(8)), "the retired entry stays")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert answered[0] > 0
    left = {key for number in range(12) for key in _shown(desk, _entry(number))}
    assert left == {_entry(number).key for number in range(12) if number != 8}


def test_a_retired_entry_is_left_out_at_once_by_an_index_that_still_has_it(
    organisation: Database, desk: HintDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.hint_desk._LOOK_EVERY_S", 3600)
    desk.engine()
    with organisation.write("test") as session:
        library.retire_entry(session, CURATOR, _entry(1).key, "zh")
    question = HintQuestion(_entry(1).utterances[0], on=DAY, objection_type="no_time")
    given = hints.ask(organisation, desk, CURATOR, question)
    assert [each.entry_key for each in given.answer.suggestions] == [_entry(4).key]
    assert [each.rank for each in given.answer.suggestions] == [1]


def test_going_back_to_an_encoder_finds_its_index(organisation: Database, desk: HintDesk, tmp_path: Path) -> None:
    first = desk.engine().index

    class Other(LetterEncoder):
        def fingerprint(self) -> str:
            return "another"

    HintDesk(organisation, Other, tmp_path / "index", lessons=Lessons()).engine()
    again = HintDesk(organisation, LetterEncoder, tmp_path / "index", lessons=Lessons()).engine().index
    assert again.created_at == first.created_at
