"""Second stage: sayings of one objection come together, away from other objections and from small talk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coach.encoder_training.distil import Distillation, Recipe
from coach.encoder_training.sources import OwnText
from coach.encoder_training.student import Ragged, Student

if TYPE_CHECKING:
    import torch

Ints = npt.NDArray[np.int64]

OTHER_TALK_SHARE = 0.25
"""Of a batch: lines without a common meaning, which only push away."""
TEMPERATURE = 0.07


class AuthoredBatches:
    """Draws sayings of all types evenly, both languages mixed, with other talk between them."""

    def __init__(
        self, texts: Sequence[OwnText], tokens: Ragged, types: Sequence[str], rng: np.random.Generator
    ) -> None:
        self._tokens, self._rng = tokens, rng
        number = {code: at for at, code in enumerate(types)}
        labels = np.array([number.get(text.group, -1) for text in texts], dtype=np.int64)
        languages = np.array([text.language for text in texts])
        self._members = [
            [np.flatnonzero((labels == at) & (languages == language)) for language in np.unique(languages)]
            for at in range(len(types))
        ]
        self._other = np.flatnonzero(labels < 0)

    def draw(self, size: int) -> tuple[Ragged, Ints]:
        """Return about ``size`` tokenised texts and their labels; -1 for other talk."""
        rng = self._rng
        others = rng.choice(self._other, size=int(size * OTHER_TALK_SHARE)) if len(self._other) else self._other
        each = max(2, (size - len(others)) // max(1, len(self._members)))
        rows, labels = [others], [np.full(len(others), -1)]
        for label, by_language in enumerate(self._members):
            pools = [pool for pool in by_language if len(pool)]
            for pool, count in (
                zip(pools, np.bincount(rng.integers(len(pools), size=each)), strict=False) if pools else ()
            ):
                rows.append(rng.choice(pool, size=int(count), replace=int(count) > len(pool)))
                labels.append(np.full(int(count), label))
        return self._tokens.take(np.concatenate(rows)), np.concatenate(labels)


def supervised_contrast(vectors: torch.Tensor, labels: Ints, temperature: float = TEMPERATURE) -> torch.Tensor:
    """Return the supervised contrastive loss (Khosla et al. 2020) of unit vectors; label -1 has no partner."""
    import torch

    label = torch.from_numpy(labels)
    logits = vectors @ vectors.T / temperature
    itself = torch.eye(len(label), dtype=torch.bool)
    logits = logits.masked_fill(itself, float("-inf"))
    log_share = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    partner = (label[:, None] == label[None, :]) & (label[:, None] >= 0) & ~itself
    count = partner.sum(dim=1)
    loss = -log_share.masked_fill(~partner, 0.0).sum(dim=1) / count.clamp(min=1)
    return loss[count > 0].mean()


def authored_losses(
    batches: AuthoredBatches, distillation: Distillation, student: Student, recipe: Recipe, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    """Yield losses for ever: two of three steps go on distilling, so that the space stays general."""
    step = 0
    while True:
        if step % 3 == 2:
            tokens, labels = batches.draw(recipe.batch)
            vectors = student.vectors(tokens, dropout=recipe.token_dropout, rng=rng)
            yield supervised_contrast(vectors, labels)
        else:
            yield distillation.loss()
        step += 1
