"""What people say that is no objection, by kind. "No match" is learned on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from coach.sayings import read_texts

KINDS = ("everyday", "agreement", "other_matters")
"""Small talk and other topics; acceptance, praise and neutral business; the words of objections about other things.

They are kept apart because each is told from objections by something else: one class of them all would need a border
that no linear model has (measured in decision 0010).
"""

OtherTalk = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By kind, then by language."""


@cache
def shipped_other_talk() -> OtherTalk:
    """Return the examples that ship with the product.

    Raises
    ------
    InvalidInput
        When a shipped file is broken.
    """
    folder = files("training_data") / "other_talk"
    return {kind: read_texts((folder / f"{kind}.tsv").read_bytes(), name=f"{kind}.tsv") for kind in KINDS}
