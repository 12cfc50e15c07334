"""What a curator should mend in a library: findings, never errors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from coach.entry import LANGUAGES, LibraryEntry
from coach.library_repetition import Repetition, near_copies, same_sayings, template_like
from coach.objections import objection_name, objection_types
from coach.offers import quotes_offer
from coach.personal_data import personal_data
from common.errors import Text

LONGEST_TALK_TRACK = {"zh": 120, "en": 300}
"""Characters that a line to send may have."""
LEAST_SUCCESSES = 3
"""Published success entries that each type should have in each language in use, unless the caller wants more."""

# a share or a money effect claimed in the telling of a case
_FIGURE = re.compile(r"\d+(?:\.\d+)?\s*(?:%|％|percent\b)|百分之[一二三四五六七八九十\d]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LibraryFinding:
    """One thing to mend.

    Attributes
    ----------
    code : str
        ``missing_part``, ``figure_without_evidence``, ``offer_without_period``, ``expired``, ``long_talk_track``,
        ``personal_data``, ``thin_coverage``, ``duplicate_utterance``, ``near_duplicate``, ``template_like`` or
        ``unknown_type``.
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


def check_library(
    entries: Sequence[LibraryEntry], *, on: date, least_successes: int = LEAST_SUCCESSES
) -> list[LibraryFinding]:
    """Return the findings in the entries that are not retired, as of the day ``on``.

    Besides what `check_entry` looks for: types with fewer than ``least_successes`` published success entries in a
    language in use; the same way of saying under two types; near-copies between entries; texts of a type that differ
    in one noun only.
    """
    live = [entry for entry in entries if entry.status != "retired"]
    findings = [finding for entry in live for finding in check_entry(entry, on=on)]
    return [
        *findings,
        *_thin_coverage(live, least_successes),
        *_duplicate_utterances(live),
        *_near_duplicates(live),
        *_template_like(live),
    ]


def check_entry(entry: LibraryEntry, *, on: date) -> list[LibraryFinding]:
    """Return the findings in one entry, as of the day ``on``.

    Looked for: missing parts; success and failure entries without figures; figures told in an entry that has no
    effect with n and period; lines that quote a price or promotion in an entry without an end of validity; offers
    whose validity is over; talk tracks too long to send; personal data; types that do not exist.
    """
    checks: tuple[Callable[[LibraryEntry], Iterable[LibraryFinding]], ...] = (
        _unknown_type,
        _missing_parts,
        _figures_without_evidence,
        _offers_without_period,
        lambda entry: _expired(entry, on),
        _long_talk_tracks,
        _personal_data,
    )
    return [finding for check in checks for finding in check(entry)]


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


def _offers_without_period(entry: LibraryEntry) -> Iterator[LibraryFinding]:
    # the lines of a warning are never sent
    if entry.valid_until is not None or entry.kind == "failure":
        return
    for position, line in enumerate(entry.talk_tracks):
        if quotes_offer(line):
            text = Text(
                "quotes a price or promotion, but the entry has no last day", "提到价格或优惠，但条目没有有效期结束日"
            )
            yield _found(entry, "offer_without_period", f"talk_tracks/{position}", text)


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
        for kind in personal_data(text):
            found = Text(f"contains what looks like a {kind.en}", f"疑似含有{kind.zh}")
            yield _found(entry, "personal_data", name, found)


def _texts(entry: LibraryEntry, *, talk_tracks: bool) -> Iterator[tuple[str, str]]:
    yield "title", entry.title
    yield "background", entry.background
    for name in ("steps", *(("talk_tracks", "utterances") if talk_tracks else ())):
        for position, text in enumerate(getattr(entry, name)):
            yield f"{name}/{position}", text


def _thin_coverage(entries: Sequence[LibraryEntry], least: int) -> Iterator[LibraryFinding]:
    counts = Counter(
        (entry.language, entry.objection_type)
        for entry in entries
        if entry.kind == "success" and entry.status == "published"
    )
    used = [language for language in LANGUAGES if any(entry.language == language for entry in entries)]
    for language in used:
        for code in objection_types():
            count = counts[language, code]
            if count < least:
                name = objection_name(code)
                text = Text(
                    f"“{name.en}” has {count} published success entries, {least} are wanted",
                    f"「{name.zh}」只有 {count} 条已发布的成功案例，至少要 {least} 条",
                )
                yield LibraryFinding("thin_coverage", code, language, "", text)


def _duplicate_utterances(entries: Sequence[LibraryEntry]) -> Iterator[LibraryFinding]:
    for found in same_sayings(entries):
        other = found.earlier.entry
        text = Text(f"also stands under {other.key}", f"同样的说法也在 {other.key} 里")
        yield _repeated(found, "duplicate_utterance", text)


def _near_duplicates(entries: Sequence[LibraryEntry]) -> Iterator[LibraryFinding]:
    for found in near_copies(entries):
        earlier, percent = found.earlier, f"{found.similarity:.0%}"
        text = Text(
            f"is nearly {earlier.entry.key} {earlier.field} ({percent} alike): {earlier.text}",
            f"与 {earlier.entry.key} {earlier.field} 相近（{percent}）：{earlier.text}",
        )
        yield _repeated(found, "near_duplicate", text)


def _template_like(entries: Sequence[LibraryEntry]) -> Iterator[LibraryFinding]:
    for found in template_like(entries):
        earlier, (theirs, ours) = found.earlier, found.differs
        text = Text(
            f"differs from {earlier.entry.key} {earlier.field} only in “{ours}” for “{theirs}”",
            f"与 {earlier.entry.key} {earlier.field} 只差「{theirs}」换成「{ours}」",
        )
        yield _repeated(found, "template_like", text)


def _repeated(found: Repetition, code: str, text: Text) -> LibraryFinding:
    return _found(found.place.entry, code, found.place.field, text)
