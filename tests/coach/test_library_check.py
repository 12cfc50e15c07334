"""Findings a curator gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from coach.entry import LibraryEntry
from coach.library_check import check_entry, check_library
from coach.library_files import shipped_entries
from coach.library_repetition import template_like
from coach.offers import quotes_offer
from coach.personal_data import personal_data

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


def test_how_many_cases_a_type_needs_is_up_to_the_caller(library: list[LibraryEntry], day: date) -> None:
    found = check_library(library, on=day, least_successes=4)
    assert ("no_time", "zh") in {(finding.key, finding.language) for finding in found}


@pytest.mark.parametrize(
    "line", ["只要1680元", "今天打八五折", "比他们便宜两百块", "It's 20% off today", "three hundred yuan"]
)
def test_a_line_with_a_price_or_promotion_needs_a_last_day(entry_of: EntryOf, day: date, line: str) -> None:
    quoting = {"talk_tracks": ("先摸摸这两块板", line)}
    assert _codes([entry_of(**quoting)], day) == [("offer_without_period", "talk_tracks/1")]
    assert _codes([entry_of(**quoting, valid_until=date(2026, 12, 31))], day) == []
    # the lines of a warning are never sent
    assert _codes([entry_of(**quoting, kind="failure")], day) == []


@pytest.mark.parametrize("line", ["这三块板您挑一块", "一元素都没有", "这张三折叠床", "百分之百放心", "100%纯棉"])
def test_words_that_only_look_like_prices_are_no_offer(line: str) -> None:
    assert not quotes_offer(line)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("打给 138 1234 5678", "phone number"),
        ("打给 １３８１２３４５６７８", "phone number"),
        ("座机 (028) 85551234", "phone number"),
        ("证号 51010519900307123X", "ID number"),
        ("写信到 a.b@c.com.cn", "e-mail address"),
        ("停着川A·8K3M9", "licence plate"),
        ("停着川AD12345", "licence plate"),
        ("卡号 4111 1111 1111 1111", "bank card number"),
        ("转到6222020200000000006", "bank card number"),
        ("微信号：muhe_home", "WeChat id"),
        ("加我微信muhe2026", "WeChat id"),
        ("WeChat ID: muhe-home", "WeChat id"),
    ],
)
def test_personal_data_is_found_in_any_text(entry_of: EntryOf, day: date, text: str, kind: str) -> None:
    (finding,) = check_entry(entry_of(utterances=("太贵了吧", text)), on=day)
    assert (finding.code, finding.field) == ("personal_data", "utterances/1")
    assert kind in finding.text.en


@pytest.mark.parametrize(
    "text",
    [
        "订单 20250308 20250430",
        "热线 400-123-4567",
        "卡号 4111 1111 1111 1112",
        "加微信group发您",
        "您加个微信，我发您",
        "新E0级的板",
        "2025-03-08 到 2025-04-30",
    ],
)
def test_ordinary_numbers_and_words_are_no_personal_data(text: str) -> None:
    assert list(personal_data(text)) == []


def _own(code: str, *words: str, **changes: Any) -> dict[str, Any]:
    return {"talk_tracks": (code,), "utterances": words, **changes}


def test_a_near_copy_in_another_entry_is_found_within_and_across_types(entry_of: EntryOf, day: date) -> None:
    entries = [
        entry_of("price_too_high-01", **_own("摸板边", "你们家这张书桌怎么卖这么贵啊")),
        entry_of("price_too_high-02", **_own("听敲声", "你们家这张书桌怎么卖这么贵呀", "我再看看")),
        entry_of("no_time-01", **_own("陪您走", "没空", "你们家这张书桌怎么卖得这么贵呀")),
    ]
    (first, second) = [finding for finding in check_library(entries, on=day) if finding.code == "near_duplicate"]
    assert (first.key, first.field) == ("price_too_high-02", "utterances/0")
    assert "price_too_high-01 utterances/0" in first.text.en
    assert (second.key, second.field) == ("no_time-01", "utterances/1")
    assert "price_too_high-02 utterances/0" in second.text.en


def test_a_warning_may_answer_to_the_words_of_a_case(entry_of: EntryOf, day: date) -> None:
    words = ("你们家这张书桌怎么卖这么贵啊",)
    entries = [
        entry_of(**_own("摸板边", *words)),
        entry_of("price_too_high-09", **_own("骂人", *words, kind="failure")),
    ]
    assert _codes(entries, day) == []


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("zh", "我先给您看看这张书桌的边角怎么包的", "我先给您看看这张餐桌的边角怎么包的"),
        ("zh", "书柜好不好，看书柜背板就知道了", "衣架好不好，看衣架背板就知道了"),
        ("en", "Let me show you how the desk is put together", "Let me show you how the wardrobe is put together"),
    ],
)
def test_texts_that_differ_in_one_noun_are_told_to_be_a_template(
    entry_of: EntryOf, day: date, language: str, one: str, other: str
) -> None:
    entries = [
        entry_of("no_need-01", language, talk_tracks=(one,), utterances=("用不着",)),
        entry_of("no_need-02", language, talk_tracks=(other,), utterances=("家里有呢",)),
    ]
    assert ("template_like", "talk_tracks/0") in _codes(entries, day)
    (earlier, later) = entries
    assert ("template_like", "talk_tracks/0") not in _codes([earlier, replace(later, objection_type="no_time")], day)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("这书桌太贵了", "这床太贵了"),
        ("我先给您看看这张书桌的边角", "您先坐下试试这把椅子的高度"),
        ("今天下雨您进来躲一躲再走吧", "今天太阳大您进来凉快凉快再走吧"),
    ],
    ids=["too short to tell", "other words", "two places"],
)
def test_texts_that_differ_in_more_than_a_noun_are_no_template(entry_of: EntryOf, one: str, other: str) -> None:
    entries = [entry_of("no_need-01", talk_tracks=(one,)), entry_of("no_need-02", talk_tracks=(other,))]
    assert [found for found in template_like(entries) if found.place.field.startswith("talk_tracks")] == []


def test_the_shipped_library_has_nothing_to_mend(day: date) -> None:
    assert check_library(shipped_entries(), on=day) == []
