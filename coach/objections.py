"""The objection types that entries, questions and evaluations use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from common.errors import Text
from common.text_files import read_csv

_COLUMNS = ("code", "zh", "en", "definition")


@dataclass(frozen=True, slots=True)
class ObjectionType:
    """One type of objection.

    Attributes
    ----------
    code : str
        Stable code, such as ``cheaper_competitor``.
    zh, en : str
        Its name for people.
    definition : str
        What belongs to it, in English.
    """

    code: str
    zh: str
    en: str
    definition: str

    @property
    def name(self) -> Text:
        """The name in both languages."""
        return Text(self.en, self.zh)


@cache
def objection_types(path: Path | None = None) -> dict[str, ObjectionType]:
    """Return the objection types by code, in the order of the file.

    Parameters
    ----------
    path : Path, optional
        A CSV file with the columns code, zh, en, definition; without it, the list that ships with the product.

    Raises
    ------
    InvalidInput
        When the file lacks a column or has broken rows.
    """
    source = path if path is not None else files("training_data") / "objection_types.csv"
    rows = read_csv(source.read_bytes(), required=_COLUMNS, name="objection_types.csv")
    return {row.values["code"]: ObjectionType(*(row.values[column] for column in _COLUMNS)) for row in rows}


def objection_name(code: str) -> Text:
    """Return the name of an objection type; a code outside the list is its own name."""
    known = objection_types().get(code)
    return known.name if known else Text(code, code)
