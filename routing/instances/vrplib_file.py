"""The lines of a VRPLIB file: keys with a value, and sections of rows, each with the number of its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from common.errors import InvalidInput, Text
from routing.instances.plain import numbers_of


@dataclass(frozen=True, slots=True)
class Key:
    """``NAME : value`` and its line."""

    name: str
    value: str
    line: int

    def wrong(self, en: str, zh: str) -> InvalidInput:
        """Return the error that something is wrong with this line."""
        return InvalidInput.at(f"row {self.line}, {self.name}", en, zh)

    def number(self, *, lowest: float = 0.0) -> float:
        """Return the value as a number of at least ``lowest``."""
        words = self.value.split()
        number = numbers_of(words, f"row {self.line}, {self.name}", 1)[0]
        if number < lowest:
            raise self.wrong(f"must be at least {lowest:g}", f"至少为 {lowest:g}")
        return number

    def whole(self, *, lowest: int = 1, highest: int = 100_000) -> int:
        """Return the value as a whole number."""
        number = self.number(lowest=lowest)
        if number != int(number) or number > highest:
            raise self.wrong(f"must be a whole number up to {highest}", f"应为不超过 {highest} 的整数")
        return int(number)


@dataclass(frozen=True, slots=True)
class Section:
    """``NAME_SECTION``, its line, and its rows as (line, words)."""

    name: str
    line: int
    rows: list[tuple[int, list[str]]] = field(default_factory=list)

    def pointer(self, line: int) -> str:
        """Return the place of a line for a problem report."""
        return f"row {line}, {self.name}_SECTION"

    def wrong(self, en: str, zh: str, *, line: int | None = None) -> InvalidInput:
        """Return the error that something is wrong with a line (the heading, when none is named)."""
        return InvalidInput.at(self.pointer(line or self.line), en, zh)


@dataclass(frozen=True, slots=True)
class VrplibFile:
    """All keys and sections of a file."""

    name: str
    keys: dict[str, Key]
    sections: dict[str, Section]

    def text(self, name: str, default: str = "") -> str:
        """Return the value of a key in capital letters."""
        key = self.keys.get(name)
        return key.value.upper() if key else default


def looks_like_vrplib(text: str) -> bool:
    """Return whether a file has the keys and sections of the format."""
    return "DIMENSION" in text and "_SECTION" in text


def split_vrplib(text: str, *, name: str = "instance") -> VrplibFile:
    """Return the keys and sections of a file; what follows ``EOF`` is not read.

    Raises
    ------
    InvalidInput
        When a line is neither, or a key or section stands twice; the line is named.
    """
    file = VrplibFile(name, {}, {})
    current: Section | None = None
    for line, words in _lines(text):
        first = words[0].rstrip(":").upper()
        if first == "EOF":
            break
        if first.endswith("_SECTION"):
            current = Section(first.removesuffix("_SECTION"), line)
            if current.name in file.sections:
                raise current.wrong("this section stands twice", "该部分重复")
            file.sections[current.name] = current
        elif ":" in (whole := " ".join(words)):
            label, _, value = (part.strip() for part in whole.partition(":"))
            key = Key(label.upper(), value, line)
            if key.name in file.keys and key.name != "COMMENT":  # remarks may run over several lines
                raise key.wrong("this key stands twice", "该键重复")
            file.keys[key.name] = key
        elif current is not None:
            current.rows.append((line, words))
        else:
            raise InvalidInput.at(f"row {line}", "is neither a key with a value nor a section", "既不是键值也不是部分")
    if "DIMENSION" not in file.keys:
        raise InvalidInput(
            Text(f"{name} is not a VRPLIB file: it has no DIMENSION", f"{name} 不是 VRPLIB 文件：缺少 DIMENSION")
        )
    return file


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, content in enumerate(text.splitlines(), start=1):
        words = content.split()
        if words and not words[0].startswith("#"):
            yield line, words
