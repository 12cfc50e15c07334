"""Finds texts that stand, word for word or nearly so, in another set of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from coach.normalise import normalise

NEAR = 0.9
"""Share of characters in common order from which two texts are copies of each other."""
_MARKS = re.compile(r"[\W_]+")


def near_copies(texts: Sequence[str], among: Sequence[str], *, near: float = NEAR) -> list[tuple[str, str]]:
    """Return the texts that have a copy in ``among``, each with the nearest one.

    Texts are compared without marks and blanks, in one script and case. Candidates are found by shared character
    pairs; what decides is the share of characters in common order (`difflib`), and texts of up to three characters
    must be equal.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    bare_texts, bare_among = [_bare(text) for text in texts], [_bare(text) for text in among]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=1)
    if not any(bare_among):
        return []
    rows = vectorizer.fit_transform(bare_among)
    found: list[tuple[str, str]] = []
    for text, bare, asked in zip(texts, bare_texts, vectorizer.transform(bare_texts), strict=True):
        scores = np.asarray((rows @ asked.T).todense()).ravel()
        nearest = np.argsort(-scores)[:5]
        copies = [int(at) for at in nearest if _alike(bare, bare_among[int(at)], near)]
        if copies:
            found.append((text, among[copies[0]]))
    return found


def _alike(left: str, right: str, near: float) -> bool:
    from difflib import SequenceMatcher

    if left == right:
        return True
    if min(len(left), len(right)) <= 3:
        return False
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= near


def _bare(text: str) -> str:
    return _MARKS.sub("", normalise(text))
