"""Findings a curator gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from coach.entry import LibraryEntry
from coach.library_check import check_library
from coach.library_files import shipped_entries

EntryOf = Callable[..., LibraryEntry]


def _codes(entries: list[LibraryEntry], day: date) -> list[tuple[str, str]]:
    found = check_library(entries, on=day)
    return [(finding.code, finding.field) for finding in found if finding.code != "thin_coverage"]


def test_a_whole_entry_has_no_findings(entry_of: EntryOf, day: date) -> None:
    assert _codes([entry_of()], day) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"background": ""}, ("missing_part", "background")),
        ({"effect": None}, ("missing_part", "effect")),
        ({"valid_until": date(2026, 11, 21)}, ("expired", "valid_until")),
        ({"talk_tracks": ("长" * 121,)}, ("long_talk_track", "talk_tracks/0")),
        ({"language": "en", "talk_tracks": ("x" * 301,)}, ("long_talk_track", "talk_tracks/0")),
        ({"steps": ("打给 138 1234 5678",)}, ("personal_data", "steps/0")),
        ({"title": "证号 510105199003071234"}, ("personal_data", "title")),
        ({"objection_type": "unheard_of"}, ("unknown_type", "objection_type")),
    ],
)
def test_what_is_to_be_mended_is_found(
    entry_of: EntryOf, day: date, changes: dict[str, Any], finding: tuple[str, str]
) -> None:
    assert _codes([entry_of(**changes)], day) == [finding]


def test_a_percentage_without_sample_and_period_is_found(entry_of: EntryOf, day: date) -> None:
    entry = entry_of(kind="tool", effect=None, background="转化提高了30%")
    assert _codes([entry], day) == [("figure_without_evidence", "background")]


def test_a_line_of_just_the_longest_length_is_no_finding(entry_of: EntryOf, day: date) -> None:
    assert _codes([entry_of(talk_tracks=("长" * 120,))], day) == []


def test_the_same_saying_under_two_types_is_found(entry_of: EntryOf, day: date) -> None:
    entries = [entry_of("price_too_high-01", utterances=("贵！",)), entry_of("no_time-01", utterances=("貴",))]
    assert _codes(entries, day) == [("duplicate_utterance", "utterances/0")]


def test_types_with_too_few_cases_are_found(library: list[LibraryEntry], day: date) -> None:
    thin = {(f.key, f.language) for f in check_library(library, on=day) if f.code == "thin_coverage"}
    assert ("no_need", "zh") in thin
    assert ("no_time", "zh") not in thin
    assert len(thin) == 2 * 23


def test_retired_entries_are_left_in_peace(entry_of: EntryOf, day: date) -> None:
    assert check_library([entry_of(status="retired", background="")], on=day) == []


def test_the_shipped_library_has_nothing_to_mend(day: date) -> None:
    assert check_library(shipped_entries(), on=day) == []
