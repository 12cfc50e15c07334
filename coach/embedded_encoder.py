"""The encoder that comes with the package: a table of word pieces for Chinese and English in one space.

A text's vector is the mean of its pieces' rows, as in sentence-transformers' ``StaticEmbedding``;
`EmbeddedEncoder.to_sentence_transformer` returns that very model. It is served without torch, so that loading takes a
fraction of a second.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from common.errors import Text, Unavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]

TABLE, TOKENIZER, MANIFEST = "table.npz", "tokenizer.json.gz", "manifest.json"
"""Files of a saved encoder: int8 rows with a half-precision scale each; a tokenizer; what it was made from."""


class EmbeddedEncoder:
    """Texts to unit vectors by table. Safe for any number of threads.

    Parameters
    ----------
    folder : Traversable, optional
        Where the three files lie; without it, the encoder that ships with the package.

    Raises
    ------
    Unavailable
        When a file is missing or damaged.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        from tokenizers import Tokenizer

        source = folder if folder is not None else files("coach") / "embedded"
        try:
            self.manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
            tokenizer, table = (source / TOKENIZER).read_bytes(), (source / TABLE).read_bytes()
            _require_checksums(self.manifest["files"], {TOKENIZER: tokenizer, TABLE: table})
            self._tokenizer: Tokenizer = Tokenizer.from_str(gzip.decompress(tokenizer).decode())
            self._table = _dequantised(table)
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable(
                Text(f"the embedded encoder cannot be loaded: {error}", f"无法加载内置编码模型：{error}")
            ) from error

    @property
    def name(self) -> str:
        """Name of the encoder."""
        return str(self.manifest["name"])

    @property
    def revision(self) -> str:
        """Version of its training."""
        return str(self.manifest["revision"])

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._table.shape[1])

    def fingerprint(self) -> str:
        """Return a checksum over name, revision, dimension, tokenizer, table and the tokenizer library's version."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        parts = [self.name, self.revision, str(self.dimension), version("tokenizers").split(".")[0]]
        parts += [f"{name}:{checksum}" for name, checksum in sorted(self.manifest["files"].items())]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a question, shape (texts, dimension)."""
        return self.encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a text, shape (texts, dimension); a text without any letter gets a fixed one."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if len(texts) == 1:
            pieces = self._tokenizer.encode(texts[0], add_special_tokens=False).ids
            sums = self._table[pieces or [0]].sum(axis=0)[None, :]
        else:
            encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
            sums = self._sums([each.ids or [0] for each in encoded])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return cast(Floats, sums / np.maximum(lengths, 1e-9))

    def to_sentence_transformer(self) -> SentenceTransformer:
        """Return the same encoder as a sentence-transformers model, for use and export elsewhere (loads torch)."""
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Normalize, StaticEmbedding

        return SentenceTransformer(
            modules=[StaticEmbedding(self._tokenizer, embedding_weights=self._table), Normalize()], device="cpu"
        )

    def _sums(self, pieces: Sequence[Sequence[int]]) -> Floats:
        """Return the sum of rows of each text, some thousand texts at once, so that memory stays small."""
        sums = np.empty((len(pieces), self.dimension), dtype=np.float32)
        for begin in range(0, len(pieces), 4096):
            part = pieces[begin : begin + 4096]
            starts = np.concatenate([[0], np.cumsum([len(each) for each in part])[:-1]])
            flat = np.fromiter((piece for each in part for piece in each), dtype=np.int64)
            sums[begin : begin + len(part)] = np.add.reduceat(self._table[flat], starts, axis=0)
        return sums


def _dequantised(table: bytes) -> Floats:
    with np.load(io.BytesIO(table), allow_pickle=False) as stored:
        rows, scales = stored["rows"], stored["scales"]
    return cast(Floats, rows.astype(np.float32) * scales.astype(np.float32)[:, None])


def _require_checksums(expected: dict[str, str], contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != expected[name]:
            raise ValueError(f"{name} does not match its checksum")
