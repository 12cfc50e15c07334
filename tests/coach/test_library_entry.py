"""What a library entry accepts and refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from coach.entry import Effect, LibraryEntry
from coach.objections import objection_name, objection_types
from common.errors import InvalidInput

EntryOf = Callable[..., LibraryEntry]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"language": "fr"}, "/language"),
        ({"kind": "story"}, "/kind"),
        ({"status": "live"}, "/status"),
        ({"title": " "}, "/title"),
        ({"background": 3}, "/background"),
        ({"approach": "Not a code"}, "/approach"),
        ({"scenes": ("mall", "")}, "/scenes/1"),
        ({"steps": ["a list"]}, "/steps"),
        ({"utterances": ("太贵", "x" * 501)}, "/utterances/1"),
        ({"talk_tracks": ("two\nlines",)}, "/talk_tracks/0"),
        ({"talk_tracks": ("bell\x07",)}, "/talk_tracks/0"),
        ({"talk_tracks": ()}, "/talk_tracks"),
        ({"objection_type": None}, "/objection_type"),
        ({"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "/valid_until"),
        ({"valid_from": datetime(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "/valid_from"),
        ({"region": ""}, "/region"),
    ],
)
def test_a_wrong_field_is_named_in_both_languages(entry_of: EntryOf, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        entry_of(**changes)
    (problem,) = caught.value.fields
    assert problem.pointer == pointer
    assert problem.text.en
    assert problem.text.zh


def test_every_wrong_field_is_named_at_once(entry_of: EntryOf) -> None:
    with pytest.raises(InvalidInput) as caught:
        entry_of(language="fr", title="", status="live")
    assert {problem.pointer for problem in caught.value.fields} == {"/language", "/title", "/status"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"n": 0}, "/effect/n"),
        ({"n": 6.5}, "/effect/n"),
        ({"n": True}, "/effect/n"),
        ({"before": float("nan")}, "/effect/before"),
        ({"after": 31}, "/effect/after"),
        ({"metric": ""}, "/effect/metric"),
        ({"period_end": date(2025, 1, 1)}, "/effect/period_end"),
        ({"period_start": "2025"}, "/effect/period_start"),
    ],
)
def test_a_wrong_figure_is_named(changes: dict[str, Any], pointer: str) -> None:
    figures: dict[str, Any] = {
        "metric": "conversion_rate",
        "n": 64,
        "before": 0.2,
        "after": 0.3,
        "period_start": date(2025, 3, 1),
        "period_end": date(2025, 4, 1),
    }
    with pytest.raises(InvalidInput) as caught:
        Effect(**(figures | changes))
    assert [problem.pointer for problem in caught.value.fields] == [pointer]


def test_an_amount_of_money_may_exceed_one() -> None:
    assert Effect("average_order_cny", 20, 812.0, 990.5, date(2025, 3, 1), date(2025, 4, 1)).after == 990.5


def test_both_ends_of_the_validity_period_belong_to_it(entry_of: EntryOf) -> None:
    entry = entry_of(valid_from=date(2026, 11, 1), valid_until=date(2026, 11, 30))
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1)]
    assert [entry.valid_on(day) for day in days] == [False, True, True, False]


def test_an_incident_needs_no_objection_type(entry_of: EntryOf) -> None:
    assert entry_of(kind="risk", objection_type=None, talk_tracks=()).objection_type is None


def test_there_are_26_objection_types_with_names_in_both_languages() -> None:
    types = objection_types()
    assert len(types) == 26
    assert objection_name("cheaper_competitor").zh == "竞品更便宜"
    assert all(each.zh and each.en and each.definition for each in types.values())
