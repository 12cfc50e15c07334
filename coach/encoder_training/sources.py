"""What the embedded encoder learns from: sentence pairs, a dictionary, and the project's own texts."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.library_files import shipped_entries
from coach.normalise import normalise
from coach.other_talk import shipped_other_talk
from coach.sayings import shipped_sayings
from common.errors import InvalidInput, Text

GLOSSES_A_WORD = 2
"""First senses of a dictionary word that are learned from; later ones are rare or technical."""

_WORD_LINE = re.compile(r"(\S+) (\S+) \[[^\]]*\] /(.+)/\s*$")
_PRONUNCIATION = re.compile(r"\[[^\]]*\]|\bCL:.*")


@dataclass(frozen=True, slots=True)
class DictionaryWord:
    """A Chinese word in simplified script with its first English glosses."""

    word: str
    glosses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text written for this project, with the group of texts that mean the same.

    Attributes
    ----------
    text : str
        Normalised.
    language : str
    group : str
        The objection type, or the kind of other talk.
    case : str
        The library case whose saying it is; empty for sayings of a type.
    """

    text: str
    language: str
    group: str
    case: str


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Return (Chinese, English) sentence pairs of a Tatoeba export, normalised, in the order of the file.

    Raises
    ------
    InvalidInput
        When a line has no two texts separated by a tab.
    """
    pairs: list[tuple[str, str]] = []
    for number, line in _lines(path):
        cells = line.split("\t")
        if len(cells) < 2:
            raise InvalidInput.at(f"row {number}", "needs English, tab, Chinese", "需要英文、制表符和中文")
        pairs.append((normalise(cells[1]), normalise(cells[0])))
    return pairs


def read_dictionary(path: Path) -> list[DictionaryWord]:
    """Return the words of a CC-CEDICT file that have a gloss, normalised; comments are passed over.

    Raises
    ------
    InvalidInput
        When a line is not in the format of CC-CEDICT.
    """
    words: list[DictionaryWord] = []
    for number, line in _lines(path):
        if line.startswith("#") or not line.strip():
            continue
        found = _WORD_LINE.match(line)
        if found is None:
            raise InvalidInput.at(f"row {number}", "is no line of CC-CEDICT", "不是 CC-CEDICT 的格式")
        senses = (_PRONUNCIATION.sub("", sense).strip() for sense in found[3].split("/"))
        glosses = tuple(normalise(sense) for sense in senses if sense)[:GLOSSES_A_WORD]
        if glosses:
            words.append(DictionaryWord(normalise(found[2]), glosses))
    return words


def own_texts() -> list[OwnText]:
    """Return every saying and every line of other talk that ships with the product; never an evaluation file."""
    texts = [
        OwnText(normalise(saying), entry.language, entry.objection_type or "", entry.key)
        for entry in shipped_entries()
        for saying in entry.utterances
    ]
    for language, by_type in shipped_sayings().items():
        texts += [OwnText(normalise(each), language, code, "") for code, found in by_type.items() for each in found]
    for kind, by_language in shipped_other_talk().items():
        for language, talk in by_language.items():
            texts += [OwnText(normalise(each), language, kind, "") for each in talk]
    return list({text.text: text for text in texts if text.text}.values())


def own_prose() -> list[str]:
    """Return the other texts of the shipped library (titles, backgrounds, steps, lines), normalised."""
    prose = [
        text
        for entry in shipped_entries()
        for text in (entry.title, entry.background, *entry.steps, *entry.talk_tracks)
        if text
    ]
    return [normalise(text) for text in prose]


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def own_checksum(texts: Sequence[OwnText]) -> str:
    """Return the SHA-256 of this project's own texts."""
    return hashlib.sha256("\n".join(sorted(text.text for text in texts)).encode()).hexdigest()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(Text(f"{path} cannot be read: {error.strerror}", f"无法读取 {path}")) from error
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    # universal line ends only: these files contain marks that str.splitlines would cut at
    yield from enumerate(content.decode("utf-8").rstrip("\n").split("\n"), start=1)
