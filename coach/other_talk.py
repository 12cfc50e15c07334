"""What people say at a stand that is no objection: small talk, agreement, other topics. "No match" is learned on it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from coach.entry import LANGUAGES
from common.errors import FieldProblem, InvalidInput, Text
from common.text_files import decode


@cache
def shipped_other_talk() -> dict[str, tuple[str, ...]]:
    """Return the examples that ship with the product, by language."""
    return read_other_talk((files("training_data") / "library" / "other_talk.tsv").read_bytes())


def read_other_talk(content: bytes) -> dict[str, tuple[str, ...]]:
    """Return the texts by language of a table with the columns lang and text, separated by tabs.

    Raises
    ------
    InvalidInput
        Naming every line that is not a known language, a tab and a text.
    """
    lines = decode(content, name="other_talk.tsv").splitlines()
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
        raise InvalidInput(Text("other_talk.tsv has broken rows", "other_talk.tsv 有损坏的行"), fields=problems)
    return {language: tuple(texts) for language, texts in found.items()}
