"""Which entries may answer a question: prepared once an index, looked up a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coach.answer import HintQuestion
from coach.entry import ANY_PRODUCT_LINE, LibraryEntry
from coach.rows import NO_ENTRY, RowTable

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

ENTRIES_OF_A_TYPE = 16
"""Entries of a likely type that may be suggested although no row of theirs was found."""
_REMEMBERED = 64
"""Combinations of filters whose answer is kept; one costs about nine bits a row."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What passes a filter.

    Attributes
    ----------
    entries : bool array, shape (entries,)
        The success entries that may be shown.
    any_entry : bool
        Whether there is one.
    first_of_type : dict of str to int array
        By objection type: positions of its first `ENTRIES_OF_A_TYPE` entries that may be shown.
    rows : (uint8 array, bool array) or None
        The rows of their cases, a bit a row and a truth value a row; None when nothing is filtered away. A case is
        found through its version in another language too.
    warnings : int array
        Positions of failure entries that hold, ascending.
    """

    entries: Bools
    any_entry: bool
    first_of_type: dict[str, Ints]
    rows: tuple[Bytes, Bools] | None
    warnings: Ints


@dataclass(frozen=True, slots=True)
class _Wanted:
    language: str
    on: date
    region: str | None
    product_line: str | None
    customer_type: str | None
    scene: str | None
    excluded_types: tuple[str, ...]


class EntryFilters:
    """The filters of one index. Safe for any number of threads.

    Parameters
    ----------
    entries : sequence of LibraryEntry
    cases : int array, shape (entries,)
        Case of each entry: the same for its versions in other languages.
    rows : RowTable
    """

    def __init__(self, entries: Sequence[LibraryEntry], cases: Ints, rows: RowTable) -> None:
        self._entries, self._cases = entries, cases
        has_entry = rows.entries != NO_ENTRY
        self._row_cases = np.where(has_entry, cases[rows.entries] if len(cases) else NO_ENTRY, NO_ENTRY)
        self._language = np.array([entry.language for entry in entries])
        self._success = np.array([entry.kind == "success" for entry in entries], dtype=np.bool_)
        self._line = np.array([entry.product_line for entry in entries])
        self._region = np.array([entry.region or "" for entry in entries])
        self._type = np.array([entry.objection_type or "" for entry in entries])
        self._from = np.array([(entry.valid_from or date.min).toordinal() for entry in entries], dtype=np.int64)
        self._until = np.array([(entry.valid_until or date.max).toordinal() for entry in entries], dtype=np.int64)
        self._customers = _membership([entry.customer_types for entry in entries])
        self._scenes = _membership([entry.scenes for entry in entries])
        self._remember = lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def allowed(self, question: HintQuestion, language: str) -> Allowed:
        """Return what may answer the question in ``language``."""
        wanted = _Wanted(
            language,
            question.on,
            question.region,
            question.product_line,
            question.customer_type,
            question.scene,
            tuple(sorted(question.excluded_types)),
        )
        return self._remember(wanted)

    def _look_up(self, wanted: _Wanted) -> Allowed:
        day = wanted.on.toordinal()
        # without a region only what every region may use is safe to show
        here = (self._region == "") | (self._region == (wanted.region or ""))
        usable = (self._language == wanted.language) & here & (self._from <= day) & (day <= self._until)
        fitting = usable & self._success & ~np.isin(self._type, wanted.excluded_types)
        if wanted.product_line is not None:
            fitting &= (self._line == wanted.product_line) | (self._line == ANY_PRODUCT_LINE)
        fitting &= _fits(self._customers, wanted.customer_type) & _fits(self._scenes, wanted.scene)
        warnings = usable & ~self._success
        cases = np.zeros(int(self._cases.max(initial=-1)) + 1, dtype=np.bool_)
        cases[self._cases[fitting | warnings]] = True
        positions = np.flatnonzero(fitting)
        types = self._type[positions]
        first = {str(code): positions[types == code][:ENTRIES_OF_A_TYPE] for code in np.unique(types)}
        return Allowed(fitting, len(positions) > 0, first, self._rows_of(cases), np.flatnonzero(warnings))

    def _rows_of(self, cases: Bools) -> tuple[Bytes, Bools] | None:
        if cases.all():
            return None
        truths = np.zeros(len(self._row_cases), dtype=np.bool_)
        owned = self._row_cases != NO_ENTRY
        truths[owned] = cases[self._row_cases[owned]]
        return np.packbits(truths, bitorder="little"), truths


def _membership(sets: Sequence[tuple[str, ...]]) -> tuple[dict[str, Bools], Bools]:
    """Return for each code which entries name it, and which entries name none."""
    named: dict[str, Bools] = {}
    for position, codes in enumerate(sets):
        for code in codes:
            named.setdefault(code, np.zeros(len(sets), dtype=np.bool_))[position] = True
    return named, np.array([not codes for codes in sets], dtype=np.bool_)


def _fits(membership: tuple[dict[str, Bools], Bools], code: str | None) -> Bools:
    named, unnamed = membership
    if code is None:
        return np.ones(len(unnamed), dtype=np.bool_)
    return named[code] | unnamed if code in named else unnamed
