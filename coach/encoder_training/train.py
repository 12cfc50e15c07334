"""Trains the embedded encoder from its sources: ``fieldwise coach train-encoder``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coach.embedded_encoder import EmbeddedEncoder
from coach.encoder_training.authored import AuthoredBatches, authored_losses
from coach.encoder_training.distil import Distillation, Lesson, Recipe, distillation_losses, train_steps
from coach.encoder_training.export import export_encoder
from coach.encoder_training.sources import (
    DictionaryWord,
    OwnText,
    checksum,
    own_checksum,
    own_prose,
    own_texts,
    read_dictionary,
    read_pairs,
)
from coach.encoder_training.student import DIMENSION, Student
from coach.encoder_training.teacher import NAME, Teacher
from coach.encoder_training.vocabulary import Vocabulary, VocabularySize, count_vocabulary
from coach.normalise import detect_language
from coach.objections import objection_types

Floats = npt.NDArray[np.float32]
Say = Callable[[str], None]

HELD_OUT_PAIRS = 1000
"""Sentence pairs that are never trained on, for the measures in the model card."""
_RARE = 2e-4
"""Pieces more frequent than about this start shorter (after Arora, Liang & Ma 2017): they say little."""


@dataclass(frozen=True)
class Material:
    """Everything that training reads, normalised."""

    pairs: Sequence[tuple[str, str]]
    held_out_pairs: Sequence[tuple[str, str]]
    dictionary: Sequence[DictionaryWord]
    own: Sequence[OwnText] = field(default_factory=tuple)
    prose: Sequence[str] = field(default_factory=tuple)


def read_material(tatoeba: Path, cedict: Path, *, seed: int = 0) -> Material:
    """Read the sources and set some sentence pairs apart.

    Raises
    ------
    InvalidInput
        When a file cannot be read or a row is broken.
    """
    pairs = read_pairs(tatoeba)
    order = np.random.default_rng(seed).permutation(len(pairs))
    apart = min(HELD_OUT_PAIRS, len(pairs) // 10)
    held = [pairs[at] for at in order[:apart]]
    # one sentence has several translations: none of a held-out sentence may be learned from
    taken = {text for pair in held for text in pair}
    kept = [pairs[at] for at in sorted(order[apart:]) if not taken & set(pairs[at])]
    return Material(kept, held, read_dictionary(cedict), own_texts(), own_prose())


def train_student(
    material: Material, teacher: Teacher, recipe: Recipe, *, size: VocabularySize, seed: int, say: Say
) -> Student:
    """Train both stages and return the student; the same seed and material give the same table."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    own_chinese = [text.text for text in material.own if text.language == "zh"]
    own_english = [text.text for text in material.own if text.language == "en"]
    own_chinese += [text for text in material.prose if detect_language(text) == "zh"]
    own_english += [text for text in material.prose if detect_language(text) == "en"]
    vocabulary = count_vocabulary(
        [*(zh for zh, _ in material.pairs), *own_chinese],
        [*(en for _, en in material.pairs), *own_english],
        material.dictionary,
        size,
    )
    say(f"{len(vocabulary.pieces)} pieces")
    known = _TeacherTexts(material, teacher, own_english, vocabulary)
    student = Student(vocabulary, _start(vocabulary, known))
    pairs = tuple(student.tokenise([pair[side] for pair in material.pairs]) for side in (0, 1))
    distillation = Distillation(student, _lessons(student, material, known, own_english), recipe, rng)
    first = distillation_losses(distillation, student, (pairs[0], pairs[1]), recipe, rng)
    _run(train_steps(student, first, recipe, steps=recipe.steps, rates=(recipe.first_rate, recipe.last_rate)), say)
    if recipe.authored_steps and material.own:
        batches = AuthoredBatches(
            material.own, student.tokenise([t.text for t in material.own]), tuple(objection_types()), rng
        )
        second = authored_losses(batches, distillation, student, recipe, rng)
        rates = (recipe.authored_rate, recipe.last_rate / 4)
        _run(train_steps(student, second, recipe, steps=recipe.authored_steps, rates=rates), say)
    return student


def make_encoder_files(
    tatoeba: Path, cedict: Path, folder: Path, *, cache: Path | None = None, seed: int = 1, threads: int = 1, say: Say
) -> dict[str, Any]:
    """Train the encoder and write its files to a folder.

    Returns
    -------
    dict
        The manifest: name, revision, sources with checksums, recipe, measures on held-out sentence pairs.

    Raises
    ------
    InvalidInput
        When a source cannot be read or has a broken row.
    Unavailable
        When the teacher is not installed.
    """
    import torch

    torch.set_num_threads(threads)
    material = read_material(tatoeba, cedict)
    teacher, recipe = Teacher(cache), Recipe()
    student = train_student(material, teacher, recipe, size=VocabularySize(), seed=seed, say=say)
    table = student.folded()
    revision = hashlib.sha256(table.tobytes()).hexdigest()[:12]
    manifest = {
        "name": "fieldwise-static-zh-en",
        "revision": revision,
        "dimension": DIMENSION,
        "pieces": len(student.vocabulary.pieces),
        "teacher": NAME,
        "seed": seed,
        "recipe": asdict(recipe),
        "sources": {
            "tatoeba": {"sha256": checksum(tatoeba), "pairs": len(material.pairs), "licence": "CC BY 2.0 FR"},
            "cedict": {"sha256": checksum(cedict), "words": len(material.dictionary), "licence": "CC BY-SA 4.0"},
            "own": {"sha256": own_checksum(material.own), "texts": len(material.own), "licence": "Apache-2.0"},
        },
    }
    export_encoder(table, student.tokenizer, folder, manifest=manifest)
    measures = translation_measures(EmbeddedEncoder(folder).encode_queries, material.held_out_pairs, teacher)
    size = export_encoder(table, student.tokenizer, folder, manifest={**manifest, "measures": measures})
    say(f"{size} bytes in {folder}")
    return {**manifest, "measures": measures, "bytes": size}


class _TeacherTexts:
    """Teacher vectors by text, encoded in few large calls."""

    def __init__(
        self, material: Material, teacher: Teacher, own_english: Sequence[str], vocabulary: Vocabulary
    ) -> None:
        sentences = [en for _, en in material.pairs]
        glosses = [gloss for word in material.dictionary for gloss in word.glosses]
        words = [piece for piece in vocabulary.pieces[1:] if detect_language(piece) == "en"]
        self.row: dict[str, int] = {}
        blocks = []
        for block in (sentences, glosses, words, own_english):
            new = [text for text in dict.fromkeys(block) if text not in self.row]
            self.row |= {text: len(self.row) + at for at, text in enumerate(new)}
            if new:
                blocks.append(teacher.vectors(new))
        self.vectors = np.concatenate(blocks)

    def rows(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        return np.array([self.row[text] for text in texts], dtype=np.int64)


def _start(vocabulary: Vocabulary, known: _TeacherTexts) -> Floats:
    """Return first values: an English piece its own teacher vector; Chinese ones learn from glosses."""
    rng = np.random.default_rng(0)
    start = rng.normal(0, 0.01, (len(vocabulary.pieces), DIMENSION)).astype(np.float32)
    for at, (piece, share) in enumerate(zip(vocabulary.pieces, vocabulary.frequencies, strict=True)):
        if piece in known.row:
            start[at] += known.vectors[known.row[piece]].astype(np.float32) * (_RARE / (_RARE + share))
    return start


def _lessons(student: Student, material: Material, known: _TeacherTexts, own_english: Sequence[str]) -> list[Lesson]:
    def lesson(texts: Sequence[str], taught: Sequence[str], share: float) -> Lesson:
        return Lesson(student.tokenise(texts), known.vectors, known.rows(taught), share)

    english = [en for _, en in material.pairs]
    words = [(word.word, gloss) for word in material.dictionary for gloss in word.glosses]
    lessons = [
        lesson([zh for zh, _ in material.pairs], english, 2.0),
        lesson([word for word, _ in words], [gloss for _, gloss in words], 1.5),
        lesson(english, english, 0.7),
        lesson([gloss for _, gloss in words], [gloss for _, gloss in words], 0.5),
    ]
    if own_english:
        lessons.append(lesson(own_english, own_english, 0.5))
    return lessons


def _run(steps: Iterator[tuple[int, float]], say: Say) -> None:
    window: list[float] = []
    for step, loss in steps:
        window.append(loss)
        if (step + 1) % 500 == 0:
            say(f"step {step + 1}, loss {np.mean(window):.3f}")
            window.clear()


def translation_measures(
    vectors: Callable[[Sequence[str]], Floats], pairs: Sequence[tuple[str, str]], teacher: Teacher
) -> dict[str, float]:
    """Return how well held-out sentence pairs are understood.

    Returns
    -------
    dict
        ``retrieval``: share of Chinese sentences whose translation is nearest among all; ``spearman``: rank
        correlation of Chinese sentence similarities with the teacher's on the translations.
    """
    from scipy.stats import spearmanr

    chinese, english = vectors([zh for zh, _ in pairs]), vectors([en for _, en in pairs])
    taught = teacher.vectors([en for _, en in pairs]).astype(np.float32)
    found = (chinese @ english.T).argmax(axis=1) == np.arange(len(pairs))
    above = np.triu_indices(len(pairs), 1)
    agreement = spearmanr((chinese @ chinese.T)[above], (taught @ taught.T)[above]).statistic
    return {"retrieval": float(found.mean()), "spearman": float(agreement)}
