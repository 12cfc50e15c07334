"""Sayings whose objection type is known: what calibration and evaluation read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from coach.entry import LANGUAGES
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode

NONE = "none"
"""The type of a saying that must be abstained from."""


@dataclass(frozen=True, slots=True)
class SpokenQuery:
    """One saying.

    Attributes
    ----------
    objection_type : str
        The right type, or ``none``.
    language : str
        ``zh`` or ``en``: under which language it is counted.
    query : str
    """

    objection_type: str
    language: str
    query: str


@cache
def shipped_calibration() -> tuple[SpokenQuery, ...]:
    """Return the sayings on which weights and thresholds are set; nothing else is trained on them."""
    source = files("training_data") / "calibration" / "queries.tsv"
    return tuple(read_queries(source.read_bytes(), name=source.name))


def read_queries(content: bytes, *, name: str = "file") -> list[SpokenQuery]:
    """Return the sayings of a table with the columns type, lang, query, separated by tabs.

    Raises
    ------
    InvalidInput
        When a column is missing or a row is wrong; rows are named.
    """
    lines = decode(content, name=name).splitlines()
    header = [cell.strip() for cell in lines[0].split("\t")] if lines else []
    missing = [column for column in ("type", "lang", "query") if column not in header]
    if missing:
        raise InvalidInput(
            Text(f"{name} lacks the columns {', '.join(missing)}", f"{name} 缺少列 {'、'.join(missing)}"),
            fields=[FieldProblem(f"column {column}", Text("is missing", "缺失")) for column in missing],
        )
    queries: list[SpokenQuery] = []
    problems: list[FieldProblem] = []
    known = {*objection_types(), NONE}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = dict(zip(header, (cell.strip() for cell in line.split("\t")), strict=False))
        query = SpokenQuery(cells.get("type", ""), cells.get("lang", ""), cells.get("query", ""))
        wrong = _wrong_column(query, known)
        if wrong:
            text = Text(f"{cells.get(wrong, '')!r} is not allowed", f"{cells.get(wrong, '')!r} 不允许")
            problems.append(FieldProblem(f"row {number}, column {wrong}", text))
        queries.append(query)
    if problems:
        raise InvalidInput(Text(f"{name} has broken rows", f"{name} 有损坏的行"), fields=problems[:50])
    return queries


def _wrong_column(query: SpokenQuery, known_types: set[str]) -> str | None:
    if query.objection_type not in known_types:
        return "type"
    if query.language not in LANGUAGES:
        return "lang"
    return None if query.query else "query"
