"""The searchable rows: every way of saying, every background, the sayings of the types, and other talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.entry import LANGUAGES, LibraryEntry
from coach.lessons import Lessons
from coach.normalise import normalise
from coach.objections import objection_name, objection_types
from coach.other_talk import KINDS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_ENTRY = -1


@dataclass(frozen=True, slots=True)
class RowTable:
    """Which texts are searched, and what they belong to; every array has one element a row.

    Attributes
    ----------
    texts : tuple of str
        Normalised.
    shown : tuple of str
        The same texts as they were written.
    languages : int array
        Position in `coach.entry.LANGUAGES`.
    entries : int array
        Position of the entry; `NO_ENTRY` for sayings of a type and other talk.
    types : int array
        Position in ``classes``.
    is_saying : bool array
        True for what customers say, False for descriptions and other talk.
    classes : tuple of str
        Objection types, then the kinds of other talk.
    type_count : int
        How many of the classes are objection types.
    """

    texts: tuple[str, ...]
    shown: tuple[str, ...]
    languages: Ints
    entries: Ints
    types: Ints
    is_saying: Bools
    classes: tuple[str, ...]
    type_count: int

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def types_in_use(self) -> tuple[str, ...]:
        """The objection types, without other talk."""
        return self.classes[: self.type_count]


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    language: str
    entry: int
    code: str
    is_saying: bool


def lay_out_rows(entries: Sequence[LibraryEntry], lessons: Lessons) -> RowTable:
    """Return the rows of entries of all languages, followed by those of the lessons.

    One row a way of saying, one for title and background; for each type its sayings and its name, which authors avoid
    in their sayings but customers do not; then other talk.
    """
    rows = [row for position, entry in enumerate(entries) for row in _entry_rows(position, entry)]
    used = {entry.objection_type for entry in entries} | {code for found in lessons.sayings.values() for code in found}
    codes = tuple(code for code in objection_types() if code in used)
    classes = (*codes, *KINDS)
    spoken = {entry.language for entry in entries} | set(lessons.sayings)
    for language in (each for each in LANGUAGES if each in spoken):
        for code in codes:
            texts = (*lessons.sayings.get(language, {}).get(code, ()), objection_name(code).in_language(language))
            rows += [_Row(text, language, NO_ENTRY, code, True) for text in texts]
    for kind, by_language in lessons.other_talk.items():
        for language, talk in by_language.items():
            rows += [_Row(text, language, NO_ENTRY, kind, False) for text in talk]
    number = {code: at for at, code in enumerate(classes)}
    return RowTable(
        texts=tuple(normalise(row.text) for row in rows),
        shown=tuple(row.text for row in rows),
        languages=np.array([LANGUAGES.index(row.language) for row in rows], dtype=np.int64),
        entries=np.array([row.entry for row in rows], dtype=np.int64),
        types=np.array([number[row.code] for row in rows], dtype=np.int64),
        is_saying=np.array([row.is_saying for row in rows], dtype=np.bool_),
        classes=classes,
        type_count=len(codes),
    )


def _entry_rows(position: int, entry: LibraryEntry) -> list[_Row]:
    code = entry.objection_type or ""
    described = f"{entry.title} {entry.background}".strip()
    return [
        *(_Row(text, entry.language, position, code, True) for text in entry.utterances),
        _Row(described, entry.language, position, code, False),
    ]
