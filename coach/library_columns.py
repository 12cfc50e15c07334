"""The columns of library tables: their names in English and Chinese, and how coded cells may be spelled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from coach.objections import objection_types

TEXT_FIELDS = ("key", "language", "kind", "objection_type", "title", "background")
LIST_FIELDS = ("steps", "talk_tracks", "utterances", "customer_types", "scenes")
CODE_LISTS = ("customer_types", "scenes")
EFFECT_FIELDS = ("metric", "n", "before", "after", "period_start", "period_end")
OPTIONAL_FIELDS = ("region", "author")
DEFAULTED_FIELDS = ("approach", "product_line", "status")
DAY_FIELDS = ("valid_from", "valid_until")
COLUMNS = (
    *TEXT_FIELDS,
    *("steps", "talk_tracks", "utterances"),
    *(f"effect_{name}" for name in EFFECT_FIELDS),
    *("approach", "product_line", "customer_types", "scenes", "region", "status"),
    *(*DAY_FIELDS, "author"),
)
"""Columns of the table layouts (CSV and XLSX)."""
REQUIRED_COLUMNS = ("key", "language", "kind", "title")

CHINESE_NAMES: Mapping[str, str] = {
    "key": "编号",
    "language": "语言",
    "kind": "类别",
    "objection_type": "异议类型",
    "title": "标题",
    "background": "背景",
    "steps": "步骤",
    "talk_tracks": "话术",
    "utterances": "客户说法",
    "effect_metric": "效果指标",
    "effect_n": "样本数",
    "effect_before": "改进前",
    "effect_after": "改进后",
    "effect_period_start": "统计开始",
    "effect_period_end": "统计结束",
    "approach": "应对方式",
    "product_line": "产品线",
    "customer_types": "客户类型",
    "scenes": "场景",
    "region": "区域",
    "status": "状态",
    "valid_from": "有效期开始",
    "valid_until": "有效期结束",
    "author": "作者",
}
"""The Chinese heading of each column, as exports write it."""
_OTHER_NAMES: Mapping[str, str] = {
    "案例编号": "key",
    "类型": "kind",
    "案例类别": "kind",
    "异议": "objection_type",
    "案例背景": "background",
    "做法": "steps",
    "说法": "utterances",
    "客户原话": "utterances",
    "指标": "effect_metric",
    "客户数": "effect_n",
    "之前": "effect_before",
    "之后": "effect_after",
    "方法": "approach",
    "产品": "product_line",
    "地区": "region",
    "生效日期": "valid_from",
    "失效日期": "valid_until",
    "提供人": "author",
}
_CODES: Mapping[str, Mapping[str, str]] = {
    "language": {"中文": "zh", "汉语": "zh", "chinese": "zh", "英文": "en", "英语": "en", "english": "en"},
    "kind": {"成功": "success", "成功案例": "success", "失败": "failure", "失败案例": "failure"}
    | {"冲突": "conflict", "风险": "risk", "工具": "tool"},
    "status": {"草稿": "draft", "待审核": "review", "审核中": "review", "已发布": "published"}
    | {"发布": "published", "已停用": "retired", "停用": "retired"},
}
_PART = re.compile(r"(.*?)[ _]*(\d{1,3})")


def heading(column: str, language: str) -> str:
    """Return the heading of a column in ``zh`` or ``en``; continued columns (``steps_2``) keep their number."""
    base, separator, number = column.rpartition("_")
    if separator and number.isdigit():
        return f"{heading(base, language)}{separator}{number}"
    return CHINESE_NAMES[column] if language == "zh" else column


def column_of(text: str) -> tuple[str, int] | None:
    """Return the column that a heading names, and which part of it; None when there is no such column.

    Width, case and blanks do not matter. Columns with lists may be spread over several (``话术1``, ``话术2`` …): their
    parts are counted from 1.
    """
    bare = unicodedata.normalize("NFKC", text).strip().lower()
    name = _NAMES.get(bare.replace(" ", "_"))
    if name is not None:
        return name, 1
    numbered = _PART.fullmatch(bare)
    name = _NAMES.get(numbered[1].replace(" ", "_")) if numbered else None
    return (name, int(numbered[2])) if numbered and name in LIST_FIELDS else None


def code_of(column: str, text: str) -> str:
    """Return the code that a cell spells: ``中文`` is ``zh``, the name of an objection type its code, and so on."""
    spellings = _objection_names() if column == "objection_type" else _CODES.get(column, {})
    return spellings.get(text.strip().lower(), text)


@cache
def _objection_names() -> dict[str, str]:
    return {name.lower(): each.code for each in objection_types().values() for name in (each.zh, each.en)}


_NAMES: Mapping[str, str] = {
    **{name: name for name in COLUMNS},
    **{name: column for column, name in CHINESE_NAMES.items()},
    **_OTHER_NAMES,
}
