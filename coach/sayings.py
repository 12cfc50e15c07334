"""Ways in which customers say each objection, written apart from the library's entries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from coach.entry import LANGUAGES
from coach.objections import objection_types
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode

Sayings = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By language, then by objection type."""


@cache
def shipped_sayings() -> Sayings:
    """Return the sayings that ship with the product.

    Raises
    ------
    InvalidInput
        When a shipped file is broken.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {language: {} for language in LANGUAGES}
    folder = files("training_data") / "sayings"
    for code in objection_types():
        source = folder / f"{code}.tsv"
        if source.is_file():
            for language, texts in read_texts(source.read_bytes(), name=source.name).items():
                found[language][code] = texts
    return found


def read_texts(content: bytes, *, name: str) -> dict[str, tuple[str, ...]]:
    """Return the texts by language of a table with the columns lang and text, separated by tabs.

    Raises
    ------
    InvalidInput
        Naming every line that is not a known language, a tab and a text.
    """
    lines = decode(content, name=name).splitlines()
    if not lines or lines[0].split("\t") != ["lang", "text"]:
        raise InvalidInput.at("row 1", "the header must be lang, text", "表头必须是 lang、text")
    found: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    problems: list[FieldProblem] = []
    for number, line in enumerate(lines[1:], start=2):
        language, _, text = line.partition("\t")
        if language in found and text.strip():
            found[language].append(text.strip())
        elif line.strip():
            problems.append(FieldProblem(f"row {number}", Text("needs zh or en, and a text", "需要 zh 或 en 以及文本")))
    if problems:
        raise InvalidInput(Text(f"{name} has broken rows", f"{name} 有损坏的行"), fields=problems)
    return {language: tuple(texts) for language, texts in found.items()}
