"""Texts and entries that say nearly the same: for reviewers, for merging, and for the check of a library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from coach.entry import LibraryEntry
from coach.normalise import normalise

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEAR = 0.6
"""Similarity from which an entry is shown to a reviewer as a near-duplicate."""
COPY = 0.8
"""Similarity from which a line counts as a copy of another; of copies one is kept when entries are merged."""
_NGRAMS = (2, 3)
_BLOCK_ROWS = 512
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Near:
    """An entry that says nearly the same as the texts asked about.

    Attributes
    ----------
    key, language : str
        The entry.
    similarity : float
        0 (nothing in common) to 1 (the same but for spelling), of its nearest text.
    text : str
        That text of the entry.
    """

    key: str
    language: str
    similarity: float
    text: str


class NearDuplicates(Protocol):
    """Finds entries near to texts."""

    def __call__(self, texts: Sequence[str]) -> list[Near]:
        """Return the entries near to any of ``texts``, each once with its nearest text, nearest first.

        An entry that the texts come from is among them.
        """
        ...


class LexicalNearDuplicates:
    """Near-duplicates by their characters: pairs and triples weighted by rarity, cosine; no model is needed.

    Parameters
    ----------
    entries : sequence of LibraryEntry
        The library to look in.
    least : float
        Similarity from which an entry counts as near.
    limit : int
        Most entries of an answer.
    """

    def __init__(self, entries: Sequence[LibraryEntry], *, least: float = NEAR, limit: int = 10) -> None:
        self._least = least
        self._limit = limit
        self._owners = [(entry, text) for entry in entries for text in texts_of(entry) if bare(text)]
        self._vectoriser = _vectoriser()
        self._texts = (
            self._vectoriser.fit_transform([_spelled(text) for _, text in self._owners]) if self._owners else None
        )

    def __call__(self, texts: Sequence[str]) -> list[Near]:
        """Return the entries near to any of ``texts``, nearest first."""
        wanted = [_spelled(text) for text in texts if bare(text)]
        if self._texts is None or not wanted:
            return []
        best = (self._vectoriser.transform(wanted) @ self._texts.T).max(axis=0).toarray().ravel()
        found: dict[tuple[str, str], Near] = {}
        for at in best.argsort(kind="stable")[::-1]:
            similarity = min(1.0, float(best[at]))
            if similarity < self._least or len(found) == self._limit:
                break
            entry, text = self._owners[at]
            found.setdefault(entry.natural_key, Near(entry.key, entry.language, similarity, text))
        return list(found.values())


def texts_of(entry: LibraryEntry) -> tuple[str, ...]:
    """Return the texts of an entry by which near-duplicates are found: lines and ways of saying, or else its telling.

    Titles are often alike between cases that are not.
    """
    return (*entry.talk_tracks, *entry.utterances) or (f"{entry.title} {entry.background}", *entry.steps)


def similar_pairs(texts: Sequence[str], *, least: float) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of positions ``(i, j)``, i < j, whose texts are at least so similar, with the similarity."""
    spelled = [_spelled(text) for text in texts]
    if not any(spelled):
        return
    vectors: csr_matrix[Any] = _vectoriser(weighted=False).fit_transform(spelled)
    for start in range(0, len(texts), _BLOCK_ROWS):
        block = (vectors[start : start + _BLOCK_ROWS] @ vectors.T).tocoo()
        near = (block.data >= least) & (block.row + start < block.col)
        for row, other, similarity in zip(block.row[near], block.col[near], block.data[near], strict=True):
            yield int(start + row), int(other), min(1.0, float(similarity))


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, 0 to 1: the share of pairs of characters that they have in common (Dice)."""
    first, second = _pairs(bare(one)), _pairs(bare(other))
    return 2 * len(first & second) / (len(first) + len(second)) if first or second else 1.0


def without_copies(kept: Sequence[str], more: Iterable[str], *, copy: float = COPY) -> tuple[str, ...]:
    """Return ``kept``, and after it those of ``more`` that are no near-copy of a text before them."""
    united = list(kept)
    for text in more:
        if all(likeness(text, other) < copy for other in united):
            united.append(text)
    return tuple(united)


@lru_cache(maxsize=50_000)
def bare(text: str) -> str:
    """Return the spelling under which texts are compared, without blanks and marks."""
    return _MARKS.sub("", normalise(text))


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(max(1, len(text) - 1))} if text else set()


def _spelled(text: str) -> str:
    # with marks at its ends, so that a text of one character has pairs too
    return f"^{bare(text)}$" if bare(text) else ""


def _vectoriser(*, weighted: bool = True) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char", ngram_range=_NGRAMS, sublinear_tf=True, lowercase=False, use_idf=weighted)
