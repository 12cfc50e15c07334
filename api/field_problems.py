"""What pydantic says about a field, as a JSON pointer and a sentence in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.errors import FieldProblem, Text

_CHINESE = {
    "missing": "缺少该字段",
    "extra_forbidden": "不认识的字段",
    "json_invalid": "不是有效的 JSON",
    "string_type": "应为文字",
    "string_too_short": "至少需要 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不符：{pattern}",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数，不能有小数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "list_type": "应为列表",
    "too_short": "至少需要 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "literal_error": "应为以下之一：{expected}",
    "enum": "应为以下之一：{expected}",
    "date_type": "应为日期，如 2026-11-23",
    "date_parsing": "应为日期，如 2026-11-23",
    "date_from_datetime_parsing": "应为日期，如 2026-11-23",
    "date_from_datetime_inexact": "应为日期，不带时刻",
    "datetime_type": "应为带时区的时间，如 2026-11-23T09:00:00+08:00",
    "datetime_parsing": "应为带时区的时间，如 2026-11-23T09:00:00+08:00",
    "datetime_from_date_parsing": "应为带时区的时间，如 2026-11-23T09:00:00+08:00",
    "timezone_aware": "时间须带时区",
    "value_error": "值无效：{error}",
}
_SOURCES = ("body", "query", "path", "header", "cookie")


def field_problem(item: Mapping[str, Any]) -> FieldProblem:
    """Return one entry of ``ValidationError.errors()`` as a field problem.

    Fields of the body become RFC 6901 pointers; a query parameter ``limit`` becomes ``query/limit``.
    """
    source, *path = item["loc"]
    if source not in _SOURCES:
        source, path = "body", list(item["loc"])
    steps = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    if item["type"] == "json_invalid":
        steps = []
    pointer = "/" + "/".join(steps) if source == "body" else "/".join([source, *steps])
    return FieldProblem(pointer, Text(_english(item), _chinese(item)))


def _english(item: Mapping[str, Any]) -> str:
    message = str(item["msg"])
    return message.removeprefix("Value error, ") if item["type"] == "value_error" else message


def _chinese(item: Mapping[str, Any]) -> str:
    template = _CHINESE.get(item["type"])
    if template is None:
        return f"值无效（{item['msg']}）"
    try:
        return template.format(**(item.get("ctx") or {}))
    except KeyError:
        return template
