"""The word pieces of the embedded encoder, and the tokenizer that finds them.

A Unigram tokenizer (Kudo 2018) whose pieces and probabilities are counted, not estimated by expectation maximisation:
Chinese words by jieba's frequencies and by what this project's texts use, every character that the sources contain,
English words, and letter groups for English words outside the list.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from coach.encoder_training.sources import DictionaryWord

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HAN = r"[\u3400-\u9fff\U00020000-\U000323af]"
LATIN = r"[a-z\u00c0-\u024f]+(?:'[a-z]+)?"
TOKEN_PATTERN = rf"{HAN}+|{LATIN}|[0-9]|[?!%]"
"""What is looked up; everything else separates. Digits stand for themselves, one by one."""
UNKNOWN = "[UNK]"

_OWN_WEIGHT = 60.0
"""How many occurrences in jieba's corpus one occurrence in this project's texts counts for."""
_LONGEST_WORD = 6
_HAN_RUN = re.compile(rf"{HAN}+")
_LATIN_WORD = re.compile(LATIN)


@dataclass(frozen=True, slots=True)
class VocabularySize:
    """How many pieces of each kind; every row costs 386 bytes in the package."""

    chinese_words: int = 24_000
    characters: int = 7_000
    english_words: int = 10_000
    letter_groups: int = 1_500


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces with their log-probabilities and relative frequencies.

    Attributes
    ----------
    pieces : tuple of str
        The first is `UNKNOWN`.
    frequencies : tuple of float
        Share of each piece in running text of its language, 0 to 1.
    """

    pieces: tuple[str, ...]
    frequencies: tuple[float, ...]

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer that cuts normalised text into these pieces."""
        from tokenizers import Regex, Tokenizer
        from tokenizers.models import Unigram
        from tokenizers.pre_tokenizers import Split

        scored = [
            (piece, math.log(max(share, 1e-9))) for piece, share in zip(self.pieces, self.frequencies, strict=True)
        ]
        tokenizer = Tokenizer(Unigram(scored, unk_id=0, byte_fallback=False))
        tokenizer.pre_tokenizer = Split(Regex(TOKEN_PATTERN), behavior="removed", invert=True)
        return tokenizer


def count_vocabulary(
    chinese: Sequence[str], english: Sequence[str], dictionary: Sequence[DictionaryWord], size: VocabularySize
) -> Vocabulary:
    """Choose the pieces by frequency.

    Parameters
    ----------
    chinese, english : sequence of str
        Normalised running text, this project's and the sentence pairs'.
    dictionary : sequence of DictionaryWord
        Only its words, and words that stand three times in the running text, become pieces.
    size : VocabularySize
    """
    words, characters = _count_chinese(chinese, {entry.word for entry in dictionary})
    latin = Counter(chain.from_iterable(map(_LATIN_WORD.findall, english)))
    for entry in dictionary:
        # glosses say little about how often a word is used
        latin.update({word: 0.2 for gloss in entry.glosses for word in _LATIN_WORD.findall(gloss)})
    chosen: dict[str, float] = {UNKNOWN: 0.0}
    chosen |= _shares(words.most_common(size.chinese_words))
    # characters are cheaper than nothing, dearer than any word that contains them
    chosen |= {char: share * 0.2 for char, share in _shares(characters.most_common(size.characters)).items()}
    common = latin.most_common(size.english_words)
    chosen |= _shares(common)
    groups = _letter_groups(latin, {word for word, _ in common}, size.letter_groups)
    chosen |= {group: share * 1e-3 for group, share in _shares(groups).items() if group not in chosen}
    chosen |= dict.fromkeys("0123456789?!%", 1e-2)
    return Vocabulary(tuple(chosen), tuple(chosen.values()))


def _count_chinese(texts: Iterable[str], known: set[str]) -> tuple[Counter[str], Counter[str]]:
    import jieba

    jieba.setLogLevel("WARNING")
    jieba.initialize()
    corpus: dict[str, int] = jieba.dt.FREQ
    used: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for text in texts:
        for run in _HAN_RUN.findall(text):
            used.update(jieba.cut(run))
            characters.update(run)
    words: Counter[str] = Counter()
    for word in known | {word for word, count in used.items() if count >= 3}:
        if 2 <= len(word) <= _LONGEST_WORD and _HAN_RUN.fullmatch(word):
            words[word] = corpus.get(word, 0) + int(_OWN_WEIGHT * used[word])
    for char in {char for word in known for char in word if _HAN_RUN.fullmatch(char)} | set(characters):
        characters[char] = corpus.get(char, 0) + int(_OWN_WEIGHT * characters[char]) + 1
    return words, characters


def _letter_groups(latin: Counter[str], whole: set[str], most: int) -> list[tuple[str, float]]:
    groups: Counter[str] = Counter()
    for word in latin:
        if word not in whole or len(word) > 6:
            groups.update({word[at : at + n] for n in range(2, 6) for at in range(len(word) - n + 1)})
    letters = sorted({char for word in latin for char in word})
    frequent = [(group, float(count)) for group, count in groups.most_common(most - len(letters)) if "'" not in group]
    return [*((letter, 1.0) for letter in letters), *frequent]


def _shares(counted: Sequence[tuple[str, float]]) -> dict[str, float]:
    total = sum(count for _, count in counted) or 1.0
    return {piece: (count + 0.5) / total for piece, count in counted}
