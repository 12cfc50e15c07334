"""The table under training: a vector a word piece, and one a character that all pieces with it share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from coach.encoder_training.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DIMENSION = 384


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of different length in one array: list ``i`` is ``flat[bounds[i]:bounds[i + 1]]``."""

    flat: Ints
    bounds: Ints

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Ragged:
        """Pack lists."""
        bounds = np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64)
        flat = np.fromiter((value for each in lists for value in each), np.int64, count=int(bounds[-1]))
        return cls(flat, bounds)

    def take(self, rows: Ints) -> Ragged:
        """Return the lists ``rows``, in that order."""
        lengths = self.bounds[rows + 1] - self.bounds[rows]
        bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        shifts = np.repeat(self.bounds[rows] - bounds[:-1], lengths)
        return Ragged(self.flat[np.arange(bounds[-1]) + shifts], bounds)

    def where(self, kept: npt.NDArray[np.bool_]) -> Ragged:
        """Return the lists without the elements that are not ``kept``, shape (flat,)."""
        return Ragged(self.flat[kept], np.concatenate([[0], np.cumsum(kept)])[self.bounds].astype(np.int64))


class Student:
    """Texts to vectors by a sum of rows; only the rows of a batch are touched by a step.

    Parameters
    ----------
    vocabulary : Vocabulary
    start : float32 array, shape (pieces, 384)
        First values of the piece rows; character rows start at 0.
    """

    def __init__(self, vocabulary: Vocabulary, start: Floats) -> None:
        import torch

        self.vocabulary = vocabulary
        self.tokenizer: Tokenizer = vocabulary.tokenizer()
        pieces = vocabulary.pieces
        characters = sorted({char for piece in pieces[1:] for char in piece if char > "\u3400"})
        position = {char: len(pieces) + at for at, char in enumerate(characters)}
        self._parts = Ragged.of(
            [[number, *(position[char] for char in piece if char in position)] for number, piece in enumerate(pieces)]
        )
        self.table = torch.nn.EmbeddingBag(
            len(pieces) + len(characters), DIMENSION, mode="sum", sparse=True, include_last_offset=True
        )
        with torch.no_grad():
            self.table.weight.zero_()
            self.table.weight[: len(pieces)] = torch.from_numpy(start)

    def tokenise(self, texts: Sequence[str]) -> Ragged:
        """Return the piece numbers of normalised texts; a text without any gets the unknown piece."""
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return Ragged.of([each.ids or [0] for each in encoded])

    def vectors(self, batch: Ragged, *, dropout: float = 0.0, rng: np.random.Generator | None = None) -> torch.Tensor:
        """Return unit vectors of tokenised texts, shape (texts, 384), with a share of the pieces left out."""
        import torch

        if rng is not None and dropout > 0:
            kept = rng.random(len(batch.flat)) >= dropout
            kept[batch.bounds[:-1]] |= np.add.reduceat(kept, batch.bounds[:-1]) == 0
            batch = batch.where(kept)
        parts = self._parts.take(batch.flat)
        offsets = parts.bounds[batch.bounds]
        sums = self.table(torch.from_numpy(parts.flat), torch.from_numpy(offsets))
        return torch.nn.functional.normalize(sums, dim=1)

    def folded(self) -> Floats:
        """Return the plain table that serves: row = piece + its characters, shape (pieces, 384)."""
        import torch

        with torch.no_grad():
            rows = self.table(torch.from_numpy(self._parts.flat), torch.from_numpy(self._parts.bounds))
        return cast(Floats, rows.numpy().copy())
