"""One case of the success-case library, in one language, and what makes it valid."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from common.errors import FieldProblem, InvalidInput, Text

LANGUAGES = ("zh", "en")
KINDS = ("success", "failure", "conflict", "risk", "tool")
STATUSES = ("draft", "review", "published", "retired")
ANY_PRODUCT_LINE = "any"

MAX_TEXT_CHARS = 4000
"""Longest background, step, title or talk track that an entry may carry."""
MAX_UTTERANCE_CHARS = 500
"""Longest way of saying an objection; a question to the engine has the same limit."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_Report = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a case changed, in figures.

    Attributes
    ----------
    metric : str
        What was measured, such as ``conversion_rate`` or ``average_order_cny``.
    n : int
        Customers observed; at least 1.
    before, after : float
        The measure without and with what the entry describes. Metrics ending in ``_rate`` are shares, 0 to 1.
    period_start, period_end : date
        First and last day of the observation.

    Raises
    ------
    InvalidInput
        When a figure is missing, not finite, outside its range, or the period runs backwards.
    """

    metric: str
    n: int
    before: float
    after: float
    period_start: date
    period_end: date

    def __post_init__(self) -> None:
        problems: list[FieldProblem] = []

        def report(pointer: str, en: str, zh: str) -> None:
            problems.append(FieldProblem(pointer, Text(en, zh)))

        _slug(self.metric, "/effect/metric", report)
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            report("/effect/n", "must be a whole number of customers, at least 1", "必须是至少为 1 的整数（客户数）")
        for name in ("before", "after"):
            self._check_figure(name, report)
        for name in ("period_start", "period_end"):
            _date(getattr(self, name), f"/effect/{name}", report)
        if not problems and self.period_start > self.period_end:
            report("/effect/period_end", "lies before the start of the period", "早于统计期的开始")
        _raise(problems)

    def _check_figure(self, name: str, report: _Report) -> None:
        figure = getattr(self, name)
        if isinstance(figure, bool) or not isinstance(figure, int | float) or not math.isfinite(figure):
            report(f"/effect/{name}", "must be a finite number", "必须是有限的数字")
        elif str(self.metric).endswith("_rate") and not 0 <= figure <= 1:
            report(f"/effect/{name}", "is a share and must lie between 0 and 1", "是比例，必须在 0 到 1 之间")


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """One case of the library in one language; its natural key is ``(key, language)``.

    Attributes
    ----------
    key : str
        The case; the Chinese and the English version of one case share it.
    language : str
        ``zh`` or ``en``.
    kind : str
        ``success`` (a line that worked), ``failure`` (what not to say), ``conflict``, ``risk`` or ``tool``.
    objection_type : str or None
        Code of the objection; required for ``success`` and ``failure``.
    title, background : str
        What the case is about; who, where, which objection.
    steps, talk_tracks, utterances : tuple of str
        What was done; lines that can be sent as they stand (for ``failure`` the bad lines); ways in which a customer
        says the objection.
    effect : Effect or None
        The figures, when they were counted.
    approach : str
        What kind of answer this is; suggestions of one hint differ in it.
    product_line : str
        Where it fits, ``any`` for all.
    customer_types, scenes : tuple of str
        For whom and where it fits; empty means everywhere.
    region : str or None
        The only region that may use it; None means all.
    status : str
        ``draft``, ``review``, ``published`` or ``retired``; only published entries are suggested.
    valid_from, valid_until : date or None
        First and last day on which the lines may be sent.
    author : str or None
        Who is credited.

    Raises
    ------
    InvalidInput
        Naming every field that is wrong, each with a JSON pointer.
    """

    key: str
    language: str
    kind: str
    objection_type: str | None
    title: str
    background: str = ""
    steps: tuple[str, ...] = ()
    talk_tracks: tuple[str, ...] = ()
    utterances: tuple[str, ...] = ()
    effect: Effect | None = None
    approach: str = "general"
    product_line: str = ANY_PRODUCT_LINE
    customer_types: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    region: str | None = None
    status: str = "draft"
    valid_from: date | None = None
    valid_until: date | None = None
    author: str | None = None

    def __post_init__(self) -> None:
        problems: list[FieldProblem] = []

        def report(pointer: str, en: str, zh: str) -> None:
            problems.append(FieldProblem(pointer, Text(en, zh)))

        self._check_codes(report)
        self._check_texts(report)
        self._check_validity(report)
        _raise(problems)

    @property
    def natural_key(self) -> tuple[str, str]:
        """The pair that names the entry: case key and language."""
        return (self.key, self.language)

    def valid_on(self, day: date) -> bool:
        """Whether the lines may be sent on ``day`` (both ends of the validity period included)."""
        starts = self.valid_from is None or self.valid_from <= day
        return starts and (self.valid_until is None or day <= self.valid_until)

    def _check_codes(self, report: _Report) -> None:
        _one_of(self.language, LANGUAGES, "/language", report)
        _one_of(self.kind, KINDS, "/kind", report)
        _one_of(self.status, STATUSES, "/status", report)
        for name in ("key", "approach", "product_line"):
            _slug(getattr(self, name), f"/{name}", report)
        for name in ("customer_types", "scenes"):
            for position, code in enumerate(_tuple(getattr(self, name), f"/{name}", report)):
                _slug(code, f"/{name}/{position}", report)
        if self.objection_type is not None:
            _slug(self.objection_type, "/objection_type", report)
        elif self.kind in ("success", "failure"):
            report("/objection_type", f"is required for a {self.kind} entry", f"{self.kind} 类条目必须填写异议类型")

    def _check_texts(self, report: _Report) -> None:
        _text(self.title, "/title", report)
        _text(self.background, "/background", report, required=False)
        for name, limit in (
            ("steps", MAX_TEXT_CHARS),
            ("talk_tracks", MAX_TEXT_CHARS),
            ("utterances", MAX_UTTERANCE_CHARS),
        ):
            for position, text in enumerate(_tuple(getattr(self, name), f"/{name}", report)):
                _text(text, f"/{name}/{position}", report, limit=limit)
                if isinstance(text, str) and len(text.splitlines()) > 1:
                    report(f"/{name}/{position}", "must be a single line", "必须写成一行")
        for name in ("region", "author"):
            value = getattr(self, name)
            if value is not None:
                _text(value, f"/{name}", report, limit=200)
        if self.kind == "success" and self.status == "published" and not self.talk_tracks:
            report("/talk_tracks", "a published success entry needs a line to send", "已发布的成功案例至少要有一句话术")

    def _check_validity(self, report: _Report) -> None:
        sound = True
        for name in ("valid_from", "valid_until"):
            day = getattr(self, name)
            sound = sound and (day is None or _date(day, f"/{name}", report))
        if sound and self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            report("/valid_until", "lies before valid_from", "早于 valid_from")
        if self.effect is not None and not isinstance(self.effect, Effect):
            report("/effect", "must be an Effect", "必须是 Effect")


def _one_of(value: object, allowed: tuple[str, ...], pointer: str, report: _Report) -> None:
    if value not in allowed:
        report(pointer, f"must be one of {', '.join(allowed)}", f"必须是 {'、'.join(allowed)} 之一")


def _slug(value: object, pointer: str, report: _Report) -> None:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        report(
            pointer,
            "must be a short code of lower-case letters, digits, _ . or -",
            "必须是由小写字母、数字、_ . - 组成的短代码",
        )


def _tuple(value: object, pointer: str, report: _Report) -> tuple[object, ...]:
    if isinstance(value, tuple):
        return value
    report(pointer, "must be a list", "必须是列表")
    return ()


def _text(value: object, pointer: str, report: _Report, *, required: bool = True, limit: int = MAX_TEXT_CHARS) -> None:
    if not isinstance(value, str):
        report(pointer, "must be text", "必须是文本")
    elif required and not value.strip():
        report(pointer, "must not be empty", "不能为空")
    elif len(value) > limit:
        report(pointer, f"is longer than {limit} characters", f"超过 {limit} 个字符")
    elif _CONTROL.search(value):
        report(pointer, "contains control characters", "含有控制字符")


def _date(value: object, pointer: str, report: _Report) -> bool:
    # datetime is a subclass of date but does not compare with one
    if isinstance(value, date) and not isinstance(value, datetime):
        return True
    report(pointer, "must be a date such as 2026-11-01", "必须是日期，例如 2026-11-01")
    return False


def _raise(problems: list[FieldProblem]) -> None:
    if problems:
        raise InvalidInput(
            Text("the library entry has wrong fields", "案例条目中有字段不正确")
            if len(problems) > 1
            else Text(f"{problems[0].pointer} {problems[0].text.en}", f"{problems[0].pointer} {problems[0].text.zh}"),
            fields=problems,
        )
