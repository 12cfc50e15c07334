"""The lexical channel: TF-IDF over character n-grams and words, searched through postings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NUMBER = "#"
"""Feature that every number shares, whatever its digits."""
MOST_FEATURES = 300_000
"""The most frequent features that are kept; what stands once in a million rows finds nothing."""
MOST_POSTINGS = 15_000
"""Postings read for one question, the rarest features first: what half of all rows contain tells them apart least."""

_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]+|[a-z\u00c0-\u024f']+|\d+(?:[.,]\d+)*")
# Longer Chinese n-grams and jieba words measured worse on held-out entries: decision 0010
_HAN_NGRAMS = (1, 2)
_LATIN_NGRAMS = (3, 5)


def features(text: str) -> list[str]:
    """Return the lexical features of a normalised text, repeated ones repeatedly.

    Chinese runs give single characters and pairs; Latin words give themselves, pairs of words, and character n-grams
    of 3 to 5 inside the word; numbers give themselves and one feature that all numbers share. Marks give nothing.
    """
    found: list[str] = []
    previous = ""
    for run in _RUN.findall(text):
        first = run[0]
        if first.isdigit():
            found += (run, NUMBER)
        elif first < "\u3400":
            found += _latin(run)
            if previous:
                found.append(f"{previous} {run}")
            previous = run
        else:
            found += _grams(run, _HAN_NGRAMS)
    return found


def _latin(word: str) -> list[str]:
    return [f"={word}", *_grams(f"<{word}>", _LATIN_NGRAMS)]


def _grams(text: str, lengths: tuple[int, int]) -> list[str]:
    low, high = lengths
    return [text[at : at + n] for n in range(low, high + 1) for at in range(len(text) - n + 1)]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An L2-normalised TF-IDF vector.

    Attributes
    ----------
    columns : int array, shape (features,)
    weights : float32 array, shape (features,)
    """

    columns: Ints
    weights: Floats


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which rows share features with a text, and how much.

    Attributes
    ----------
    rows : int array, shape (met,)
        Ascending.
    cosines : float32 array, shape (met,)
        0 to 1, over the features whose postings were read.
    mean, deviation : float
        Of the cosine over all rows.
    """

    rows: Ints
    cosines: Floats
    mean: float
    deviation: float

    def best(self, k: int, allowed: Bools | None = None) -> Ints:
        """Return up to ``k`` rows that share the most, out of those ``allowed`` (a truth value a row), in no order."""
        rows, cosines = self.rows, self.cosines
        if allowed is not None:
            kept = allowed[rows]
            rows, cosines = rows[kept], cosines[kept]
        return rows[np.argpartition(-cosines, k)[:k]] if len(rows) > k else rows

    def of(self, rows: Ints) -> Floats:
        """Return the cosine of each of ``rows``; 0 where nothing is shared."""
        if len(self.rows) == 0:
            return np.zeros(len(rows), dtype=np.float32)
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[at] == rows, self.cosines[at], np.float32(0))


class LexicalIndex:
    """TF-IDF rows of a set of texts, and the similarity of a question to them.

    Parameters
    ----------
    names : sequence of str
        Features in column order.
    idf : float32 array, shape (features,)
    rows : csr_matrix of float32, shape (texts, features)
        One L2-normalised row a text.
    """

    def __init__(self, names: Sequence[str], idf: Floats, rows: csr_matrix) -> None:
        self.names, self.idf, self.rows = names, idf, rows
        self._column = {name: column for column, name in enumerate(names)}
        # a column layout, because a question has some thirty features and the rows are many
        columns = rows.tocsc()
        self._starts, self._rows, self._weights = columns.indptr.astype(np.int64), columns.indices, columns.data
        self._mean = np.asarray(rows.mean(axis=0), dtype=np.float32).ravel()
        squares = np.bincount(rows.indices, weights=rows.data.astype(np.float64) ** 2, minlength=rows.shape[1])
        self._variance = np.maximum(squares / max(1, rows.shape[0]) - self._mean**2, 0.0).astype(np.float32)

    @classmethod
    def fit(cls, texts: Sequence[str]) -> LexicalIndex:
        """Build the channel over normalised texts, of which at least one has a letter or digit."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=features, sublinear_tf=True, dtype=np.float32, max_features=MOST_FEATURES)
        rows = vectorizer.fit_transform(texts).tocsr()
        names = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
        return cls(names, vectorizer.idf_.astype(np.float32), rows)

    @property
    def feature_count(self) -> int:
        """Number of distinct features in the rows."""
        return len(self.names)

    def weigh(self, text: str) -> Weighed:
        """Return the TF-IDF vector of a normalised text; features that no row has count for nothing."""
        counts = Counter(features(text))
        known = [(self._column[name], count) for name, count in counts.items() if name in self._column]
        columns = np.array([column for column, _ in known], dtype=np.int64)
        weights = (1 + np.log(np.array([count for _, count in known], dtype=np.float32))) * self.idf[columns]
        length = float(np.sqrt(weights @ weights))
        return Weighed(columns, weights / np.float32(length) if length > 0 else weights)

    def overlap(self, weighed: Weighed) -> Overlap:
        """Return the rows that share features with a weighed text.

        Of a text with many common features only the rarest are read, `MOST_POSTINGS` postings in all; every row is
        compared by the same ones. The deviation takes features as independent. Those that contain each other are not,
        so it is too small by a factor that hardly depends on the question; the weights of the channels, set by
        calibration, absorb it. A scan of all rows would cost more than the search.
        """
        starts = self._starts[weighed.columns]
        lengths = self._starts[weighed.columns + 1] - starts
        order = np.argsort(lengths, kind="stable")
        read = order[: max(1, int(np.searchsorted(np.cumsum(lengths[order]), MOST_POSTINGS, side="right")))]
        columns, weights = weighed.columns[read], weighed.weights[read]
        places = _ranges(starts[read], lengths[read])
        parts = self._weights[places] * np.repeat(weights, lengths[read])
        rows, cosines = _sum_by_row(self._rows[places], parts, self.rows.shape[0])
        mean, variance = float(self._mean[columns] @ weights), float(self._variance[columns] @ weights**2)
        return Overlap(rows, cosines, mean, variance**0.5)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays that `restore` needs."""
        rows = self.rows
        return {"idf": self.idf, "data": rows.data, "indices": rows.indices, "indptr": rows.indptr}

    @classmethod
    def restore(cls, names: Sequence[str], arrays: dict[str, npt.NDArray[Any]]) -> LexicalIndex:
        """Rebuild the channel from its features and `arrays`."""
        from scipy.sparse import csr_matrix

        shape = (len(arrays["indptr"]) - 1, len(names))
        return cls(names, arrays["idf"], csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape))


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the positions ``start … start + length - 1`` of all ranges, one after the other."""
    before = np.cumsum(lengths) - lengths
    places: Ints = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return places


def _sum_by_row(rows: npt.NDArray[np.integer], parts: Floats, count: int) -> tuple[Ints, Floats]:
    if count <= 4 * len(rows):
        totals = np.bincount(rows, weights=parts, minlength=count)
        met = np.flatnonzero(totals).astype(np.int64)
        return met, totals[met].astype(np.float32)
    found, place = np.unique(rows, return_inverse=True)
    return found.astype(np.int64), np.bincount(place, weights=parts).astype(np.float32)
