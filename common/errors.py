"""Errors that every package raises. None of them knows HTTP: ``api.errors`` gives each class its status.

Every error carries its text in English and in Chinese, written at the place where it is raised, and may point at the
fields, rows or items that caused it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One message for people, in the two languages of the product."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """Return the Chinese text for ``zh`` and its variants (``zh-CN``), the English one otherwise."""
        return self.zh if language.lower().startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, row or item.

    Attributes
    ----------
    pointer : str
        Where it is: an RFC 6901 JSON pointer (``/visits/3/service_s``), or ``row 12, column date`` for tables.
    text : Text
        What is wrong there.
    """

    pointer: str
    text: Text


class FieldwiseError(Exception):
    """Base of all errors that Fieldwise raises on purpose.

    Parameters
    ----------
    text : Text
        The whole problem in one sentence.
    fields : sequence of FieldProblem
        The places that caused it, when they are known.
    """

    def __init__(self, text: Text, *, fields: Sequence[FieldProblem] = ()) -> None:
        super().__init__(text.en)
        self.text = text
        self.fields = tuple(fields)

    def __str__(self) -> str:
        places = "; ".join(f"{field.pointer}: {field.text.en}" for field in self.fields[:5])
        return f"{self.text.en} ({places})" if places else self.text.en


class InvalidInput(FieldwiseError):
    """The input is wrong; nothing was changed."""

    @classmethod
    def at(cls, pointer: str, en: str, zh: str) -> InvalidInput:
        """Build the error for a single field: its text is both the sentence and the field's problem."""
        text = Text(en, zh)
        return cls(text, fields=[FieldProblem(pointer, text)])


class NotFound(FieldwiseError):
    """The thing asked for does not exist, or the asker may not know that it does."""


class Conflict(FieldwiseError):
    """The change contradicts what is stored now."""


class NotReady(FieldwiseError):
    """A thing that is needed first (an index, a trained model) does not exist yet."""


class Unavailable(FieldwiseError):
    """Something outside this process (database, travel-time server) does not answer."""


class Forbidden(FieldwiseError):
    """The asker is known but may not do this."""
