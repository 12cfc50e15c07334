"""What a curator should mend in a library: findings, never errors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from coach.entry import LANGUAGES, LibraryEntry
from coach.normalise import normalise
from coach.objections import objection_name, objection_types
from common.errors import Text

LONGEST_TALK_TRACK = {"zh": 120, "en": 300}
"""Characters that a line to send may have."""
LEAST_SUCCESSES = 3
"""Published success entries that each type should have in each language in use."""

_PERSONAL = {
    "phone number": (
        "电话号码",
        re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)"),
    ),
    "ID number": (
        "身份证号",
        re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![\dXx])"),
    ),
    "e-mail address": ("邮箱地址", re.compile(r"[\w.+-]+@[\w-]+\.[a-zA-Z]{2,}")),
}
# a share or a money effect claimed in the telling of a case
_FIGURE = re.compile(r"\d+(?:\.\d+)?\s*(?:%|％|percent\b)|百分之[一二三四五六七八九十\d]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LibraryFinding:
    """One thing to mend.

    Attributes
    ----------
    code : str
        ``missing_part``, ``figure_without_evidence``, ``expired``, ``long_talk_track``, ``personal_data``,
        ``thin_coverage``, ``duplicate_utterance`` or ``unknown_type``.
    key, language : str
        The entry; for ``thin_coverage`` the type code and the language.
    field : str
        Where in the entry; empty when it is about the whole.
    text : Text
        What to mend.
    """

    code: str
    key: str
    language: str
    field: str
    text: Text


def check_library(entries: Sequence[LibraryEntry], *, on: date) -> list[LibraryFinding]:
    """Return the findings in the entries that are not retired, as of the day ``on``.

    Looked for: missing parts; success and failure entries without figures; percentages told in an entry that has no
    effect with n and period; offers whose validity is over; talk tracks too long to send; phone numbers, ID numbers
    and e-mail addresses; types with fewer than 3 published success entries in a language in use; the same way of
    saying under two types; types that do not exist.
    """
    live = [entry for entry in entries if entry.status != "retired"]
    checks: tuple[Callable[[LibraryEntry], Iterable[LibraryFinding]], ...] = (
        _unknown_type,
        _missing_parts,
        _figures_without_evidence,
        lambda entry: _expired(entry, on),
        _long_talk_tracks,
        _personal_data,
    )
    findings = [finding for entry in live for check in checks for finding in check(entry)]
    return [*findings, *_thin_coverage(live), *_duplicate_utterances(live)]


def _found(entry: LibraryEntry, code: str, field: str, text: Text) -> LibraryFinding:
    return LibraryFinding(code, entry.key, entry.language, field, text)


def _unknown_type(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    code = entry.objection_type
    if code is not None and code not in objection_types():
        yield _found(
            entry, "unknown_type", "objection_type", Text(f"{code} is no objection type", f"没有异议类型 {code}")
        )


def _missing_parts(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    wanted = ["background", "steps"]
    if entry.kind in ("success", "failure"):
        wanted += ["talk_tracks", "utterances", "effect"]
    for name in wanted:
        if not getattr(entry, name):
            yield _found(entry, "missing_part", name, Text(f"{name} is missing", f"缺少 {name}"))


def _figures_without_evidence(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    if entry.effect is not None:
        return
    for name, text in _texts(entry, talk_tracks=False):
        if _FIGURE.search(text):
            message = Text("tells a figure, but the entry has no n and period", "写了数字，但条目没有样本数和统计期")
            yield _found(entry, "figure_without_evidence", name, message)


def _expired(entry: LibraryEntry, on: date) -> Iterator[LibraryFinding]:
    if entry.valid_until is not None and entry.valid_until < on:
        text = Text(f"was valid until {entry.valid_until}", f"有效期已于 {entry.valid_until} 结束")
        yield _found(entry, "expired", "valid_until", text)


def _long_talk_tracks(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    limit = LONGEST_TALK_TRACK[entry.language]
    for position, line in enumerate(entry.talk_tracks):
        if len(line) > limit:
            text = Text(f"has {len(line)} characters, more than {limit}", f"有 {len(line)} 个字符，超过 {limit}")
            yield _found(entry, "long_talk_track", f"talk_tracks/{position}", text)


def _personal_data(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    for name, text in _texts(entry, talk_tracks=True):
        for en, (zh, pattern) in _PERSONAL.items():
            if pattern.search(text):
                yield _found(entry, "personal_data", name, Text(f"contains what looks like a {en}", f"疑似含有{zh}"))


def _texts(entry: LibraryEntry, *, talk_tracks: bool) -> Iterator[tuple[str, str]]:
    yield "title", entry.title
    yield "background", entry.background
    for name in ("steps", *(("talk_tracks", "utterances") if talk_tracks else ())):
        for position, text in enumerate(getattr(entry, name)):
            yield f"{name}/{position}", text


def _thin_coverage(entries: Sequence[LibraryEntry]) -> Iterator[LibraryFinding]:
    counts = Counter(
        (entry.language, entry.objection_type)
        for entry in entries
        if entry.kind == "success" and entry.status == "published"
    )
    used = [language for language in LANGUAGES if any(entry.language == language for entry in entries)]
    for language in used:
        for code in objection_types():
            count = counts[language, code]
            if count < LEAST_SUCCESSES:
                name = objection_name(code)
                text = Text(
                    f"“{name.en}” has {count} published success entries, {LEAST_SUCCESSES} are wanted",
                    f"「{name.zh}」只有 {count} 条已发布的成功案例，至少要 {LEAST_SUCCESSES} 条",
                )
                yield LibraryFinding("thin_coverage", code, language, "", text)


def _duplicate_utterances(entries: Sequence[LibraryEntry]) -> Iterator[LibraryFinding]:
    first: dict[tuple[str, str], LibraryEntry] = {}
    for entry in entries:
        for position, utterance in enumerate(entry.utterances):
            bare = re.sub(r"\W+", "", normalise(utterance))
            other = first.setdefault((entry.language, bare), entry)
            if other.objection_type != entry.objection_type:
                text = Text(f"also stands under {other.key}", f"同样的说法也在 {other.key} 里")
                yield _found(entry, "duplicate_utterance", f"utterances/{position}", text)
