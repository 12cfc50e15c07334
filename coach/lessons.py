"""What an index learns from beside the library's own entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from coach.other_talk import OtherTalk, shipped_other_talk
from coach.queries import SpokenQuery, shipped_calibration
from coach.sayings import Sayings, shipped_sayings


@dataclass(frozen=True)
class Lessons:
    """Texts written for learning, not for showing.

    Attributes
    ----------
    sayings : mapping
        By language, then type: ways in which customers say an objection.
    other_talk : mapping
        By kind (`coach.other_talk.KINDS`), then language: what people say that is no objection.
    calibration : sequence of SpokenQuery
        Held out from the two above; weights and thresholds are set on it.
    """

    sayings: Sayings = field(default_factory=dict)
    other_talk: OtherTalk = field(default_factory=dict)
    calibration: Sequence[SpokenQuery] = ()

    @classmethod
    def shipped(cls) -> Lessons:
        """Return those that ship with the product."""
        return _shipped()

    def learned_texts(self) -> list[str]:
        """Return the sayings and the other talk: what must hold no copy of a text that is evaluated."""
        return [
            text
            for texts in (self.sayings, self.other_talk)
            for found in texts.values()
            for each in found.values()
            for text in each
        ]

    def checksum(self) -> str:
        """Return a checksum of all texts."""
        calibration = [(q.objection_type, q.language, q.query) for q in self.calibration]
        plain = [_plain(self.sayings), _plain(self.other_talk), calibration]
        return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(texts: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, dict[str, list[str]]]:
    return {outer: {inner: list(each) for inner, each in found.items()} for outer, found in texts.items()}


@cache
def _shipped() -> Lessons:
    return Lessons(shipped_sayings(), shipped_other_talk(), shipped_calibration())
