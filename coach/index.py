"""The searchable library: built from entries, saved with a manifest, swapped whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coach.encoder import Encoder
from coach.entry import LANGUAGES, LibraryEntry
from coach.language_rows import LanguageRows, RowPlan, plan_rows
from coach.library_files import write_jsonl
from coach.objections import objection_name
from coach.other_talk import shipped_other_talk
from coach.training import HeldOut, train
from common.errors import NotReady, Text

Floats = npt.NDArray[np.float32]

SEARCHED_KINDS = ("success", "failure")


@dataclass(frozen=True)
class HintIndex:
    """Everything a hint is answered from; never changed after it is built.

    Attributes
    ----------
    entries : dict of str to tuple of LibraryEntry
        By language: the published success and failure entries, ordered by type, then key.
    parts : dict of str to LanguageRows
        By language, for languages that have entries.
    held_out : dict of str to HeldOut
        By language: how well the library's own sayings are understood when their entry is left out.
    fingerprint : str
        Of the encoder that made the vectors.
    library_checksum : str
        Of the entries and the other talk that went in.
    created_at : datetime
        When it was built, in UTC.
    """

    entries: dict[str, tuple[LibraryEntry, ...]]
    parts: dict[str, LanguageRows]
    held_out: dict[str, HeldOut]
    fingerprint: str
    library_checksum: str
    created_at: datetime

    @property
    def row_count(self) -> int:
        """Number of searchable rows of all languages."""
        return sum(part.plan.entry_rows for part in self.parts.values())

    @cached_property
    def product_lines(self) -> frozenset[str]:
        """Every product line that an entry names."""
        return frozenset(entry.product_line for entries in self.entries.values() for entry in entries)

    def vectors_by_text(self) -> dict[str, Floats]:
        """Return the vector of every normalised text in the index."""
        known: dict[str, Floats] = {}
        for part in self.parts.values():
            known.update(zip(part.plan.texts, part.dense.vectors(), strict=True))
        return known


def library_checksum(entries: Sequence[LibraryEntry], other_talk: dict[str, tuple[str, ...]] | None = None) -> str:
    """Return a checksum of what an index of ``entries`` depends on, whatever their order."""
    searched = [entry for language in LANGUAGES for entry in searched_entries(entries, language)]
    talk = json.dumps(other_talk if other_talk is not None else shipped_other_talk(), sort_keys=True)
    return hashlib.sha256(write_jsonl(searched) + talk.encode()).hexdigest()


def build_index(
    entries: Sequence[LibraryEntry],
    encoder: Encoder,
    *,
    other_talk: dict[str, tuple[str, ...]] | None = None,
    previous: HintIndex | None = None,
) -> HintIndex:
    """Build the index of the published success and failure entries.

    Parameters
    ----------
    entries : sequence of LibraryEntry
        Entries of other kinds and status are passed over.
    encoder : Encoder
        Makes the vectors.
    other_talk : dict of str to tuple of str, optional
        By language: what people say that is no objection, for the calibration of "no match"; without it, the
        examples that ship with the product.
    previous : HintIndex, optional
        An older index whose vectors are taken over for unchanged texts when the encoder is the same.

    Raises
    ------
    NotReady
        When there is no published success entry.
    """
    talk = shipped_other_talk() if other_talk is None else other_talk
    by_language = {language: searched_entries(entries, language) for language in LANGUAGES}
    if not any(entry.kind == "success" for chosen in by_language.values() for entry in chosen):
        raise NotReady(Text("the library has no published success entry", "案例库中没有已发布的成功案例"))
    fingerprint = encoder.fingerprint()
    known = previous.vectors_by_text() if previous is not None and previous.fingerprint == fingerprint else {}
    parts: dict[str, LanguageRows] = {}
    held_out: dict[str, HeldOut] = {}
    for language, chosen in by_language.items():
        if chosen:
            plan = plan_of(chosen, talk.get(language, ()))
            parts[language], held_out[language] = train(plan, _vectors(plan, encoder, known))
    return HintIndex(
        entries={language: chosen for language, chosen in by_language.items() if chosen},
        parts=parts,
        held_out=held_out,
        fingerprint=fingerprint,
        library_checksum=library_checksum(entries, talk),
        created_at=datetime.now(UTC),
    )


def searched_entries(entries: Sequence[LibraryEntry], language: str) -> tuple[LibraryEntry, ...]:
    """Return the published success and failure entries of one language, ordered by type, then key."""
    chosen = [
        entry
        for entry in entries
        if entry.language == language and entry.status == "published" and entry.kind in SEARCHED_KINDS
    ]
    return tuple(sorted(chosen, key=lambda entry: (entry.objection_type or "", entry.key)))


def plan_of(entries: Sequence[LibraryEntry], other_talk: Sequence[str]) -> RowPlan:
    """Return the rows of entries of one language.

    One row a way of saying, one for title and background, one for the name of the objection type: authors avoid the
    name in their sayings, but customers do not.
    """
    rows = []
    for entry in entries:
        code = entry.objection_type or ""
        name = objection_name(code).in_language(entry.language)
        rows.append((code, entry.utterances, (f"{entry.title} {entry.background}".strip(), name)))
    return plan_rows(rows, other_talk)


def _vectors(plan: RowPlan, encoder: Encoder, known: dict[str, Floats]) -> Floats:
    new = list(dict.fromkeys(text for text in plan.texts if text not in known))
    fresh = dict(zip(new, encoder.encode_documents(new), strict=True)) if new else {}
    return np.array([known[text] if text in known else fresh[text] for text in plan.texts], dtype=np.float32)
