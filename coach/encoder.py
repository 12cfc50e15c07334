"""The dense channel's encoders: texts to unit vectors. The home of sentence-transformers and torch."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import numpy.typing as npt

from common.errors import InvalidInput, Text, Unavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors whose inner product says how close their meanings are.

    Equal fingerprints promise equal vectors for equal texts, up to rounding. Both methods may be called from many
    threads at once.
    """

    @property
    def name(self) -> str:
        """What the encoder is called."""
        ...

    @property
    def revision(self) -> str:
        """Which version of it this is; empty when it has only one."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def fingerprint(self) -> str:
        """Return a short hexadecimal name of everything that shapes the vectors."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a question, shape (texts, dimension)."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a library text, shape (texts, dimension)."""
        ...


class SentenceTransformerEncoder:
    """Any sentence-transformers model: a folder, or a name on a model hub.

    Parameters
    ----------
    model : str or Path
        Folder or hub name.
    revision : str, optional
        Branch, tag or commit on the hub.
    query_prompt, document_prompt : str
        Put before each text, for models trained with prompts.
    truncate_dim : int, optional
        Keep only the first so many dimensions.
    device : str
        A torch device such as ``cpu`` or ``cuda``.

    Raises
    ------
    Unavailable
        When the model cannot be loaded.
    InvalidInput
        When ``truncate_dim`` is not positive.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        revision: str | None = None,
        query_prompt: str = "",
        document_prompt: str = "",
        truncate_dim: int | None = None,
        device: str = "cpu",
    ) -> None:
        if truncate_dim is not None and truncate_dim < 1:
            raise InvalidInput.at("/truncate_dim", "must be at least 1", "必须至少为 1")
        self._query_prompt, self._document_prompt = query_prompt, document_prompt
        self._revision = revision or ""
        self._name = str(model)
        self._model = _load(model, revision=revision, truncate_dim=truncate_dim, device=device)
        self._dimension = int(self._model.encode(["."], show_progress_bar=False).shape[1])
        self._fingerprint = _fingerprint(
            self._model,
            (
                *(self._name, self._revision, str(self._dimension), query_prompt, document_prompt),
                version("sentence-transformers"),
            ),
        )
        # fast tokenizers keep their padding in shared state and fail when two threads set it
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Folder or hub name of the model."""
        return self._name

    @property
    def revision(self) -> str:
        """Branch, tag or commit on the hub; empty for folders."""
        return self._revision

    @property
    def dimension(self) -> int:
        """Length of every vector, after truncation."""
        return self._dimension

    def fingerprint(self) -> str:
        """Return a checksum over name, revision, prompts, dimension, tokenizer, weights and the library's version."""
        return self._fingerprint

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a question, shape (texts, dimension)."""
        return self._encode(texts, self._query_prompt)

    def encode_documents(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a library text, shape (texts, dimension)."""
        return self._encode(texts, self._document_prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Floats:
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        with self._lock:
            vectors = self._model.encode(
                [prompt + text for text in texts],
                batch_size=64,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return cast(Floats, np.asarray(vectors, dtype=np.float32))


def _load(model: str | Path, *, revision: str | None, truncate_dim: int | None, device: str) -> SentenceTransformer:
    # a missing package, folder, network or a broken file all surface as different classes
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return SentenceTransformer(
            str(model),
            revision=revision,
            truncate_dim=truncate_dim,
            device=device,
            local_files_only=Path(model).exists(),
        )
    except Exception as error:
        cause = str(error).strip().splitlines()
        why = cause[0][:200] if cause else type(error).__name__
        raise Unavailable(
            Text(f"the encoder {model} cannot be loaded: {why}", f"无法加载编码模型 {model}：{why}")
        ) from error


def _fingerprint(model: SentenceTransformer, settings: tuple[str, ...]) -> str:
    checksum = hashlib.blake2b("\n".join(settings).encode(), digest_size=16)
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    checksum.update(backend.to_str().encode() if backend is not None else repr(model.tokenizer).encode())
    for name, weights in sorted(model.state_dict().items()):
        checksum.update(name.encode())
        checksum.update(np.ascontiguousarray(weights.detach().cpu().float().numpy()).data)
    return checksum.hexdigest()
