"""Where a library repeats itself: the same saying under two types, near-copies, texts from one template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from coach.entry import LANGUAGES, LibraryEntry
from coach.near_duplicates import bare, similar_pairs
from coach.normalise import normalise

NEAR_TEXT = 0.75
"""Similarity (see `coach.near_duplicates`) from which two texts of different entries count as near-copies."""
_TOKEN = re.compile(r"[a-z0-9'\u00c0-\u024f]+|[^\W_]")
_LONGEST_SLOT = {"zh": 4, "en": 2}  # tokens that a noun may have: characters in Chinese, words in English
_SHORTEST_FRAME = {"zh": 6, "en": 4}
_FRAME_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """A text and where it stands: ``field`` is ``utterances/3`` or ``talk_tracks/0``."""

    entry: LibraryEntry
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Repetition:
    """A text that repeats an earlier one.

    Attributes
    ----------
    place, earlier : Place
        The text to mend, and the one that it repeats.
    similarity : float
        0 to 1; 1 for texts that are the same but for spelling.
    differs : tuple of str
        For texts from one template: the words in which they differ.
    """

    place: Place
    earlier: Place
    similarity: float = 1.0
    differs: tuple[str, str] = ("", "")


def same_sayings(entries: Sequence[LibraryEntry]) -> Iterator[Repetition]:
    """Yield the ways of saying that stand word for word under two types."""
    first: dict[tuple[str, str], Place] = {}
    for place in _places(entries, "utterances"):
        earlier = first.setdefault((place.entry.language, bare(place.text)), place)
        if earlier.entry.objection_type != place.entry.objection_type:
            yield Repetition(place, earlier)


def near_copies(entries: Sequence[LibraryEntry], *, least: float = NEAR_TEXT) -> Iterator[Repetition]:
    """Yield the ways of saying and lines that nearly repeat one of another entry, of the same or another type.

    Each text is named once, with the text that it is nearest to. Warnings are compared with warnings only: they may
    answer to the same words as the cases. What `same_sayings` yields is left out.
    """
    for field in ("utterances", "talk_tracks"):
        for language in LANGUAGES:
            places = [place for place in _places(entries, field) if place.entry.language == language]
            nearest: dict[int, Repetition] = {}
            for first, second, similarity in similar_pairs([place.text for place in places], least=least):
                earlier, place = places[first], places[second]
                if _comparable(place, earlier) and similarity > getattr(nearest.get(second), "similarity", 0):
                    nearest[second] = Repetition(place, earlier, similarity)
            yield from (nearest[at] for at in sorted(nearest))


def template_like(entries: Sequence[LibraryEntry]) -> Iterator[Repetition]:
    """Yield the texts that differ from one of another entry of their type in one noun only.

    The rest must be the same words in the same order: at least 6 characters in Chinese, 4 words in English, and 60 %
    of the longer text. Each text is named once.
    """
    groups: dict[tuple[str, str | None, str], list[Place]] = {}
    for field in ("utterances", "talk_tracks"):
        for place in _places(entries, field):
            groups.setdefault((place.entry.language, place.entry.objection_type, field), []).append(place)
    for (language, _, _), places in groups.items():
        tokens = [tuple(_TOKEN.findall(normalise(place.text))) for place in places]
        distinct = [frozenset(words) for words in tokens]
        found: set[int] = set()
        for first, second in combinations(range(len(places)), 2):
            if second in found or places[first].entry is places[second].entry:
                continue
            # cheap and safe: so many distinct words must a frame have in common
            doubled = len(tokens[first]) - len(distinct[first])
            least = _least_frame(tokens[first], tokens[second], language)
            if len(distinct[first] & distinct[second]) + doubled < least:
                continue
            differs = _one_noun(tokens[first], tokens[second], language)
            if differs is not None:
                found.add(second)
                yield Repetition(places[second], places[first], differs=differs)


def _comparable(place: Place, earlier: Place) -> bool:
    one, other = place.entry, earlier.entry
    if one is other or (one.kind == "failure") != (other.kind == "failure"):
        return False
    same_saying = place.field.startswith("utterances") and bare(place.text) == bare(earlier.text)
    return not (same_saying and one.objection_type != other.objection_type)


def _least_frame(first: Sequence[str], second: Sequence[str], language: str) -> float:
    return max(_SHORTEST_FRAME[language], _FRAME_SHARE * max(len(first), len(second)))


def _one_noun(first: Sequence[str], second: Sequence[str], language: str) -> tuple[str, str] | None:
    """Return what stands in the one slot in which two texts differ, None when they differ in more or not at all."""
    steps = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    slots = {(tuple(first[a:b]), tuple(second[c:d])) for tag, a, b, c, d in steps if tag != "equal"}
    frame = sum(b - a for tag, a, b, _, _ in steps if tag == "equal")
    if len(slots) != 1 or frame < _least_frame(first, second, language):
        return None
    (one, other) = next(iter(slots))
    if not one or not other or max(len(one), len(other)) > _LONGEST_SLOT[language]:
        return None
    space = "" if language == "zh" else " "
    return space.join(one), space.join(other)


def _places(entries: Sequence[LibraryEntry], field: str) -> Iterator[Place]:
    for entry in entries:
        for position, text in enumerate(getattr(entry, field)):
            yield Place(entry, f"{field}/{position}", text)
