"""Building, saving and loading the index: whole or not at all, and never stale."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coach.encoder import Encoder
from coach.entry import LibraryEntry
from coach.hint import HintEngine, HintQuestion
from coach.index import HintIndex, build_index, library_checksum
from coach.index_files import RebuildNeeded, load_index, save_index
from coach.lessons import Lessons
from common.errors import NotReady

EntryOf = Callable[..., LibraryEntry]


def _load(folder: Path, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons) -> HintIndex:
    loaded = load_index(folder, encoder, library, lessons=lessons)
    assert isinstance(loaded, HintIndex)
    return loaded


def test_a_loaded_index_answers_as_the_one_that_was_saved(
    tmp_path: Path, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    save_index(small_index, tmp_path)
    loaded = _load(tmp_path, encoder, library, lessons)
    assert loaded.report == small_index.report
    assert loaded.created_at == small_index.created_at
    for text in ("隔壁家便宜", "I have no time", "today the weather"):
        question = HintQuestion(text, on=date(2026, 11, 22))
        assert HintEngine(loaded, encoder).hint(question) == HintEngine(small_index, encoder).hint(question)


def test_every_saying_is_a_row_beside_the_summaries_the_names_of_the_types_and_other_talk(
    small_index: HintIndex, library: list[LibraryEntry]
) -> None:
    names, talk = 3 * 2, 4
    assert small_index.row_count == sum(len(entry.utterances) + 1 for entry in library) + names + talk


def test_an_empty_folder_asks_for_a_build(tmp_path: Path, encoder: Encoder) -> None:
    loaded = load_index(tmp_path / "none", encoder, [])
    assert isinstance(loaded, RebuildNeeded)
    assert loaded.code == "missing"


def test_another_encoder_asks_for_a_rebuild(
    tmp_path: Path, small_index: HintIndex, other_encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    save_index(small_index, tmp_path)
    loaded = load_index(tmp_path, other_encoder, library, lessons=lessons)
    assert isinstance(loaded, RebuildNeeded)
    assert loaded.code == "encoder"


def test_a_changed_library_asks_for_a_rebuild(
    tmp_path: Path, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    save_index(small_index, tmp_path)
    for entries, learned in ((library[1:], lessons), (library, Lessons(other_talk={"everyday": {"zh": ("别的",)}}))):
        loaded = load_index(tmp_path, encoder, entries, lessons=learned)
        assert isinstance(loaded, RebuildNeeded)
        assert loaded.code == "library"


def test_damage_to_any_file_asks_for_a_rebuild(
    tmp_path: Path, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    version = save_index(small_index, tmp_path)
    for path in sorted(version.iterdir()):
        sound = path.read_bytes()
        path.write_bytes(sound[: len(sound) // 2])
        loaded = load_index(tmp_path, encoder, library, lessons=lessons)
        assert isinstance(loaded, RebuildNeeded), path.name
        assert loaded.code == "broken"
        path.write_bytes(sound)
    _load(tmp_path, encoder, library, lessons)


def test_another_format_asks_for_a_rebuild(
    tmp_path: Path, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    manifest = save_index(small_index, tmp_path) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format_version": 0}))
    loaded = load_index(tmp_path, encoder, library, lessons=lessons)
    assert isinstance(loaded, RebuildNeeded)
    assert loaded.code == "format"


def test_a_new_version_replaces_the_old_whole_and_leaves_no_drafts(
    tmp_path: Path, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    versions = [save_index(small_index, tmp_path) for _ in range(4)]
    assert (tmp_path / "current").read_text() == versions[-1].name
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"current", versions[-1].name, versions[-2].name}
    _load(tmp_path, encoder, library, lessons)


def test_the_checksum_ignores_order_and_what_is_not_searched(entry_of: EntryOf, library: list[LibraryEntry]) -> None:
    draft = entry_of("no_need-01", status="draft")
    assert library_checksum([draft, *reversed(library)]) == library_checksum(library)
    assert library_checksum(library[1:]) != library_checksum(library)


def test_vectors_of_unchanged_texts_are_taken_over(
    entry_of: EntryOf, small_index: HintIndex, encoder: Encoder, library: list[LibraryEntry], lessons: Lessons
) -> None:
    added = entry_of("no_need-01", utterances=("家里已经有了",))
    grown = build_index([*library, added], encoder, lessons=lessons, previous=small_index)
    assert encoder.encoded == 3  # type: ignore[attr-defined]
    fresh = build_index([*library, added], encoder, lessons=lessons)
    assert np.array_equal(grown.listener.dense.vectors(), fresh.listener.dense.vectors())


def test_only_published_entries_are_searched(entry_of: EntryOf, encoder: Encoder) -> None:
    entries = [entry_of(), entry_of("no_time-01", status="retired"), entry_of("no_need-01", status="review")]
    index = build_index(entries, encoder, lessons=Lessons())
    assert [entry.key for entry in index.entries] == ["price_too_high-01"]


def test_a_library_without_a_published_success_cannot_be_indexed(entry_of: EntryOf, encoder: Encoder) -> None:
    with pytest.raises(NotReady):
        build_index([entry_of(status="draft"), entry_of("no_time-01", kind="failure")], encoder)
