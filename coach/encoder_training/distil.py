"""First stage: the table learns the teacher's space, Chinese from translations and glosses, English from itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coach.encoder_training.student import Ragged, Student

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of both stages; chosen by measurement (decision 0011).

    Attributes
    ----------
    steps, authored_steps : int
        Of the first and the second stage.
    batch : int
        Texts a step.
    first_rate, last_rate, authored_rate : float
        Learning rates of SparseAdam, falling along a cosine; the last for the second stage.
    token_dropout : float
        Share of the word pieces left out of a text while training.
    cosine, contrast, geometry : float
        Weights of the parts of the distillation loss.
    temperature : float
        Of the contrastive parts.
    """

    steps: int = 8000
    authored_steps: int = 1500
    batch: int = 256
    first_rate: float = 4e-3
    last_rate: float = 4e-4
    authored_rate: float = 2e-3
    token_dropout: float = 0.1
    cosine: float = 5.0
    contrast: float = 0.3
    geometry: float = 64.0
    temperature: float = 0.05


@dataclass(frozen=True)
class Lesson:
    """Texts whose teacher vectors the student shall reach.

    Attributes
    ----------
    texts : Ragged
        Tokenised, shape (examples,).
    targets : float16 array, shape (distinct texts of the teacher, 384)
    target_of : int array, shape (examples,)
        Row of ``targets`` for each text.
    share : float
        How often a step takes its batch from here, relative to the other lessons.
    """

    texts: Ragged
    targets: npt.NDArray[np.float16]
    target_of: Ints
    share: float


class Distillation:
    """Batches of several lessons, and the loss on them."""

    def __init__(self, student: Student, lessons: Sequence[Lesson], recipe: Recipe, rng: np.random.Generator) -> None:
        self._student, self._lessons, self._recipe, self._rng = student, lessons, recipe, rng
        shares = np.array([lesson.share for lesson in lessons])
        self._shares = shares / shares.sum()

    def loss(self) -> torch.Tensor:
        """Return the loss on a batch of one lesson."""
        import torch

        recipe, rng = self._recipe, self._rng
        lesson = self._lessons[int(rng.choice(len(self._lessons), p=self._shares))]
        rows = rng.integers(len(lesson.texts), size=recipe.batch)
        wanted = torch.from_numpy(lesson.targets[lesson.target_of[rows]].astype(np.float32))
        got = self._student.vectors(lesson.texts.take(rows), dropout=recipe.token_dropout, rng=rng)
        similarity = got @ wanted.T
        close = 1 - similarity.diagonal().mean()
        contrast = torch.nn.functional.cross_entropy(similarity / recipe.temperature, torch.arange(len(rows)))
        geometry = torch.nn.functional.mse_loss(got @ got.T, wanted @ wanted.T)
        return recipe.cosine * close + recipe.contrast * contrast + recipe.geometry * geometry


def ranking_loss(left: torch.Tensor, right: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the symmetric multiple-negatives ranking loss of unit vectors; row ``i`` belongs to row ``i``."""
    import torch

    similarity = left @ right.T / temperature
    own = torch.arange(len(left))
    entropy = torch.nn.functional.cross_entropy
    return (entropy(similarity, own) + entropy(similarity.T, own)) / 2


def train_steps(
    student: Student, losses: Iterator[torch.Tensor], recipe: Recipe, *, steps: int, rates: tuple[float, float]
) -> Iterator[tuple[int, float]]:
    """Take ``steps`` steps on the losses drawn one by one; yields each step's number and loss."""
    import torch

    optimiser = torch.optim.SparseAdam(student.table.parameters(), lr=rates[0])
    first, last = rates
    for step in range(steps):
        rate = last + (first - last) * 0.5 * (1 + np.cos(np.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = next(losses)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()  # type: ignore[no-untyped-call]
        yield step, float(loss.detach())


def distillation_losses(
    distillation: Distillation, student: Student, pairs: tuple[Ragged, Ragged], recipe: Recipe, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    """Yield losses for ever: five of six steps distil, one brings sentence pairs together."""
    left, right = pairs
    step = 0
    while True:
        if step % 6 == 5:
            rows = rng.integers(len(left), size=recipe.batch)
            first, second = (
                student.vectors(side.take(rows), dropout=recipe.token_dropout, rng=rng) for side in (left, right)
            )
            yield ranking_loss(first, second, recipe.temperature)
        else:
            yield distillation.loss()
        step += 1
