"""The searchable library: built from entries, saved with a manifest, swapped whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coach.calibration import CalibrationReport, calibrate
from coach.dense import DenseIndex
from coach.encoder import Encoder
from coach.entry import LANGUAGES, LibraryEntry
from coach.filters import EntryFilters
from coach.heads import TypeHeads
from coach.lessons import Lessons
from coach.lexical import LexicalIndex
from coach.library_files import write_jsonl
from coach.listening import Listener
from coach.rows import RowTable, lay_out_rows
from common.errors import NotReady, Text

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SEARCHED_KINDS = ("success", "failure")


@dataclass(frozen=True)
class HintIndex:
    """Everything a hint is answered from; never changed after it is built.

    Attributes
    ----------
    entries : tuple of LibraryEntry
        The published success and failure entries of all languages, ordered by type, key, language.
    listener : Listener
        Rows, channels, and what was learned on them.
    report : CalibrationReport
        How held-out sayings came out.
    fingerprint : str
        Of the encoder that made the vectors; weights and thresholds belong to it.
    library_checksum : str
        Of the entries and lessons that went in.
    created_at : datetime
        When it was built, in UTC.
    """

    entries: tuple[LibraryEntry, ...]
    listener: Listener
    report: CalibrationReport
    fingerprint: str
    library_checksum: str
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def row_count(self) -> int:
        """Number of searchable rows."""
        return len(self.listener.rows)

    @property
    def version(self) -> str:
        """A short name of the library and the encoder that answer."""
        return f"{self.library_checksum[:16]}/{self.fingerprint[:16]}"

    @cached_property
    def cases(self) -> Ints:
        """Case of each entry, shape (entries,): versions of one key in two languages are one case."""
        number: dict[str, int] = {}
        return np.array([number.setdefault(entry.key, len(number)) for entry in self.entries], dtype=np.int64)

    @cached_property
    def filters(self) -> EntryFilters:
        """The filters over the entries."""
        return EntryFilters(self.entries, self.cases, self.listener.rows)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages that have an entry."""
        return tuple(each for each in LANGUAGES if any(entry.language == each for entry in self.entries))

    @cached_property
    def product_lines(self) -> frozenset[str]:
        """Every product line that an entry names."""
        return frozenset(entry.product_line for entry in self.entries)

    def vectors_by_text(self) -> dict[str, Floats]:
        """Return the vector of every normalised text in the index."""
        return dict(zip(self.listener.rows.texts, self.listener.dense.vectors(), strict=True))


def library_checksum(entries: Sequence[LibraryEntry], lessons: Lessons | None = None) -> str:
    """Return a checksum of what an index of ``entries`` depends on, whatever their order."""
    learned = (lessons or Lessons.shipped()).checksum()
    return hashlib.sha256(write_jsonl(searched_entries(entries)) + learned.encode()).hexdigest()


def build_index(
    entries: Sequence[LibraryEntry],
    encoder: Encoder,
    *,
    lessons: Lessons | None = None,
    previous: HintIndex | None = None,
) -> HintIndex:
    """Build the index of the published success and failure entries.

    Parameters
    ----------
    entries : sequence of LibraryEntry
        Entries of other kinds and status are passed over.
    encoder : Encoder
        Makes the vectors.
    lessons : Lessons, optional
        What is learned from beside the entries; without it, what ships with the product.
    previous : HintIndex, optional
        An older index whose vectors are taken over for unchanged texts when the encoder is the same.

    Raises
    ------
    NotReady
        When there is no published success entry.
    """
    lessons = lessons or Lessons.shipped()
    searched = searched_entries(entries)
    if not any(entry.kind == "success" for entry in searched):
        raise NotReady(Text("the library has no published success entry", "案例库中没有已发布的成功案例"))
    rows = lay_out_rows(searched, lessons)
    vectors = _vectors(rows, encoder, previous)
    lexical = LexicalIndex.fit(rows.texts)
    heads = TypeHeads.fit(vectors, lexical.rows, rows.types, len(rows.classes))
    listener = Listener(rows, (DenseIndex(vectors), lexical), heads)
    listener, report = calibrate(listener, encoder, lessons.calibration)
    return HintIndex(searched, listener, report, encoder.fingerprint(), library_checksum(entries, lessons))


def searched_entries(entries: Sequence[LibraryEntry]) -> tuple[LibraryEntry, ...]:
    """Return the published success and failure entries, ordered by type, key, language."""
    chosen = [entry for entry in entries if entry.status == "published" and entry.kind in SEARCHED_KINDS]
    return tuple(sorted(chosen, key=lambda entry: (entry.objection_type or "", entry.key, entry.language)))


def _vectors(rows: RowTable, encoder: Encoder, previous: HintIndex | None) -> Floats:
    known: Mapping[str, Floats] = {}
    if previous is not None and previous.fingerprint == encoder.fingerprint():
        known = previous.vectors_by_text()
    new = list(dict.fromkeys(text for text in rows.texts if text not in known))
    if not known:
        place = {text: at for at, text in enumerate(new)}
        return encoder.encode_documents(new)[[place[text] for text in rows.texts]]
    fresh = dict(zip(new, encoder.encode_documents(new), strict=True)) if new else {}
    return np.array([known[text] if text in known else fresh[text] for text in rows.texts], dtype=np.float32)
