"""The lexical channel: TF-IDF over character n-grams and words.

It needs no training text beyond the library itself, and carries Chinese while the bundled encoder knows only English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

Floats = npt.NDArray[np.float32]

NUMBER = "#"
"""Feature that every number shares, whatever its digits."""

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


class LexicalChannel:
    """TF-IDF rows of a set of texts, and the similarity of a question to each.

    Parameters
    ----------
    vectorizer : TfidfVectorizer
        Fitted on the rows.
    rows : csr_matrix of float32, shape (texts, features)
        One L2-normalised row a text.
    """

    def __init__(self, vectorizer: TfidfVectorizer, rows: csr_matrix) -> None:
        self.rows = rows
        self._vectorizer = vectorizer
        # a column layout, because a question has some thirty features and the rows are many
        self._columns = rows.tocsc()

    @classmethod
    def fit(cls, texts: Sequence[str]) -> LexicalChannel:
        """Build the channel over normalised texts, of which at least one has a letter or digit."""
        vectorizer = _vectorizer(None)
        return cls(vectorizer, vectorizer.fit_transform(texts).tocsr())

    @property
    def feature_count(self) -> int:
        """Number of distinct features in the rows."""
        return int(self.rows.shape[1])

    def weigh(self, text: str) -> csr_matrix:
        """Return the L2-normalised TF-IDF row of a normalised text, shape (1, features)."""
        weighed: csr_matrix = self._vectorizer.transform([text])
        return weighed

    def scores(self, weighed: csr_matrix) -> Floats:
        """Return the cosine of a weighed text to every row, shape (texts,), 0 to 1."""
        columns = self._columns
        scores = np.zeros(columns.shape[0], dtype=np.float32)
        for feature, weight in zip(weighed.indices, weighed.data, strict=True):
            span = slice(columns.indptr[feature], columns.indptr[feature + 1])
            scores[columns.indices[span]] += columns.data[span] * weight
        return scores

    def state(self) -> tuple[list[str], dict[str, npt.NDArray[Any]]]:
        """Return what `restore` needs: the features in column order, and arrays."""
        names = sorted(self._vectorizer.vocabulary_, key=self._vectorizer.vocabulary_.__getitem__)
        rows = self.rows
        return names, {"idf": self._vectorizer.idf_, "data": rows.data, "indices": rows.indices, "indptr": rows.indptr}

    @classmethod
    def restore(cls, names: Sequence[str], arrays: dict[str, npt.NDArray[Any]]) -> LexicalChannel:
        """Rebuild the channel from its `state`."""
        from scipy.sparse import csr_matrix

        vectorizer = _vectorizer({name: column for column, name in enumerate(names)})
        vectorizer.idf_ = arrays["idf"]
        shape = (len(arrays["indptr"]) - 1, len(names))
        return cls(vectorizer, csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape))


def _vectorizer(vocabulary: dict[str, int] | None) -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=features, vocabulary=vocabulary, sublinear_tf=True, dtype=np.float32)
