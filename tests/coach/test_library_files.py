"""Library files: what goes out comes back, and what is wrong is named by row and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.entry import Effect, LibraryEntry
from coach.library_files import COLUMNS, read_library, shipped_entries, write_csv, write_jsonl
from coach.objections import objection_types

_line = st.text(st.characters(blacklist_categories=("C", "Z"), whitelist_characters=" |\\"), min_size=1, max_size=30)
_words = _line.map(lambda text: " ".join(text.split())).filter(bool)
_days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
_share = st.floats(0, 1)


@st.composite
def entries(draw: st.DrawFn) -> LibraryEntry:
    start = draw(_days)
    effect = Effect("conversion_rate", draw(st.integers(1, 10**6)), draw(_share), draw(_share), start, start)
    return LibraryEntry(
        key=draw(st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)),
        language=draw(st.sampled_from(["zh", "en"])),
        kind=draw(st.sampled_from(["success", "failure", "tool"])),
        objection_type=draw(st.sampled_from(sorted(objection_types()))),
        title=draw(_words),
        background=draw(_words),
        steps=tuple(draw(st.lists(_words, max_size=3))),
        talk_tracks=tuple(draw(st.lists(_words, min_size=1, max_size=3))),
        utterances=tuple(draw(st.lists(_words, max_size=4))),
        effect=draw(st.sampled_from([None, effect])),
        scenes=tuple(draw(st.lists(st.sampled_from(["mall", "fair"]), max_size=2))),
        region=draw(st.none() | _words),
        status=draw(st.sampled_from(["draft", "published"])),
        valid_from=start,
        valid_until=start + timedelta(days=30),
        author=draw(st.none() | _words),
    )


@pytest.mark.parametrize(("write", "filename"), [(write_jsonl, "x.jsonl"), (write_csv, "x.csv")])
@given(st.lists(entries(), min_size=1, max_size=4, unique_by=lambda entry: entry.natural_key))
def test_what_is_written_is_read_back(
    write: Callable[[list[LibraryEntry]], bytes], filename: str, written: list[LibraryEntry]
) -> None:
    reading = read_library(write(written), filename)
    assert reading.problems == []
    assert reading.entries == written


def test_the_shipped_library_survives_csv_in_gbk() -> None:
    shipped = list(shipped_entries())
    content = write_csv(shipped).decode("utf-8-sig").encode("gb18030")
    assert read_library(content, "library.csv").entries == shipped


def _csv(**cells: str) -> bytes:
    row = {"key": "a-1", "language": "zh", "kind": "success", "title": "题", "objection_type": "no_time"} | cells
    return (",".join(COLUMNS) + "\n" + ",".join(row.get(name, "") for name in COLUMNS) + "\n").encode()


@pytest.mark.parametrize(
    ("cells", "pointer"),
    [
        ({"language": "fr"}, "row 2, column language"),
        ({"objection_type": "unheard_of"}, "row 2, column objection_type"),
        ({"effect_n": "many"}, "row 2, column effect_n"),
        ({"valid_from": "next week"}, "row 2, column valid_from"),
        ({"scenes": "mall | Not A Code"}, "row 2, column scenes"),
        ({"status": "published"}, "row 2, column talk_tracks"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(cells: dict[str, str], pointer: str) -> None:
    figures = {
        "effect_metric": "conversion_rate",
        "effect_n": "5",
        "effect_before": "0.1",
        "effect_after": "0.2",
        "effect_period_start": "2025-03-01",
        "effect_period_end": "2025-04-01",
    }
    reading = read_library(_csv(**(figures | cells)), "x.csv")
    assert [problem.pointer for problem in reading.problems] == [pointer]
    assert reading.entries == []


def test_a_sound_row_beside_a_broken_one_is_kept(entry_of: Callable[..., LibraryEntry]) -> None:
    sound = entry_of()
    content = write_jsonl([sound]) + b'{"key": "b", "language": "zh", "kind": "success", "title": 5}\n'
    reading = read_library(content, "x.jsonl")
    assert reading.entries == [sound]
    assert {problem.pointer for problem in reading.problems} == {
        "row 2, column title",
        "row 2, column objection_type",
    }


def test_an_entry_that_stands_twice_is_named(entry_of: Callable[..., LibraryEntry]) -> None:
    reading = read_library(write_jsonl([entry_of(), entry_of()]), "x.jsonl")
    assert [problem.pointer for problem in reading.problems] == ["row 2, column key"]


def test_an_unknown_field_is_named() -> None:
    content = b'{"key": "a", "language": "zh", "kind": "tool", "title": "t", "colour": "red"}'
    assert [p.pointer for p in read_library(content, "x.jsonl").problems] == ["row 1, column colour"]


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "x.csv"),
        (b"key,language\n", "x.csv"),
        (b"not json", "x.jsonl"),
        (b"[1]", "x.jsonl"),
        (b"[" * 100_000, "x.jsonl"),
        (b"a: [", "x.yaml"),
        (b"entries: 3", "x.yaml"),
        (b"entries: [1]", "x.yaml"),
        (b"entries: [{key: a, zh: 3}]", "x.yaml"),
        (b"\xff\xfe\x00", "x.yaml"),
        (b"anything", "x.docx"),
    ],
)
def test_a_broken_file_is_a_problem_and_not_a_failure(content: bytes, filename: str) -> None:
    reading = read_library(content, filename)
    assert reading.entries == []
    assert reading.problems


@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.jsonl", "x.yaml", "x.csv.gz"]))
def test_any_bytes_are_read_without_failing(content: bytes, filename: str) -> None:
    read_library(content, filename)


def test_the_shipped_library_covers_every_type_in_both_languages() -> None:
    found: dict[tuple[str, str, str], int] = {}
    for entry in shipped_entries():
        place: Any = (entry.objection_type, entry.language, entry.kind)
        found[place] = found.get(place, 0) + 1
        if entry.kind == "success":
            assert len(entry.utterances) >= 8, entry.natural_key
    for code in objection_types():
        for language in ("zh", "en"):
            assert found[code, language, "success"] >= 3, (code, language)
            assert found[code, language, "failure"] >= 1, (code, language)
