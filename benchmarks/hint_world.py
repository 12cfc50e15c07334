"""A synthetic world of customers' questions, for measuring how the hints learn: its true rates are known.

Nothing in it comes from a real organisation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coach.evidence import EntryRates
from coach.examination import Examination
from coach.logged_hints import LoggedHint, LoggedLine
from coach.ranking import Candidate, Chooser
from coach.use_counts import UseCount

SHOWN = 3
OUTCOME_KNOWN = 0.7
"""Share of adopted lines on visits that are recorded."""


@dataclass
class Tally:
    """What became of the lines shown so far, as the store would count it."""

    counts: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))

    def add(self, lines: Sequence[LoggedLine]) -> None:
        """Count the lines of one hint."""
        for rank, line in enumerate(lines, start=1):
            count = self.counts[line.key, rank]
            count[0] += 1
            count[1] += line.adopted
            count[2] += line.adopted and line.won is not None
            count[3] += line.adopted and line.won is True

    def use_counts(self) -> list[UseCount]:
        """Return the counts for `EntryRates.fit`."""
        return [
            UseCount(key, None, rank, shown, adopted, known, won, shown_squared=shown, known_squared=known)
            for (key, rank), (shown, adopted, known, won) in self.counts.items()
        ]


class World:
    """Questions of several kinds, entries with hidden rates, and reps who read from the top.

    Parameters
    ----------
    seed : int
    types, entries, kinds : int
        Objection types, entries of each, and kinds of question.
    """

    def __init__(self, seed: int, *, types: int = 8, entries: int = 8, kinds: int = 60) -> None:
        rng = np.random.default_rng(seed)
        self.types = {f"type{t}-{e:02d}": f"type{t}" for t in range(types) for e in range(entries)}
        self.adoption = {key: float(rng.beta(3, 7)) for key in self.types}
        self.conversion = {key: float(rng.beta(3, 12)) for key in self.types}
        self.examination = Examination((1.0, 0.7, 0.5))
        self.questions = [self._question(rng) for _ in range(kinds)]

    def _question(self, rng: np.random.Generator) -> list[Candidate]:
        first, second = rng.choice(sorted(set(self.types.values())), size=2, replace=False)
        likely = {str(first): 0.8, str(second): 0.15}
        found = []
        for position, (key, code) in enumerate(self.types.items()):
            if code in likely:
                closeness = float(rng.uniform(0.5, 1.0))
                found.append(Candidate(position, key, code, key[-2:], likely[code], closeness))
        return found

    def chance(self, candidate: Candidate) -> float:
        """Return the true probability that a line is adopted when it is read."""
        fits = candidate.closeness * (1.0 if candidate.type_probability > 0.5 else 0.3)
        return self.adoption[candidate.key] * fits

    def ask(
        self, chooser: Chooser, rng: np.random.Generator, *, examination: Examination | None = None
    ) -> tuple[int, list[LoggedLine]]:
        """Return the kind of a question and what became of the lines that the chooser showed."""
        kind = int(rng.integers(len(self.questions)))
        read = (examination or self.examination).at(np.arange(1, SHOWN + 1))
        lines = []
        for place, choice in enumerate(chooser.choose(self.questions[kind], SHOWN, region=None)):
            adopted = bool(rng.random() < read[place] * self.chance(choice.candidate))
            won = bool(rng.random() < self.conversion[choice.candidate.key])
            known = adopted and rng.random() < OUTCOME_KNOWN
            lines.append(LoggedLine(choice.candidate.key, choice.propensity, adopted, won if known else None))
        return kind, lines

    def shown_by(self, chooser: Chooser) -> list[tuple[str, ...]]:
        """Return what a chooser without chance shows for each kind of question."""
        return [
            tuple(choice.candidate.key for choice in chooser.choose(question, SHOWN, region=None))
            for question in self.questions
        ]

    def values(self, lists: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
        """Return the true mean adoptions and wins of a hint for lists by kind of question, shape (2,)."""
        read = self.examination.at(np.arange(1, SHOWN + 1))
        total = np.zeros(2)
        for question, keys in zip(self.questions, lists, strict=True):
            by_key = {candidate.key: candidate for candidate in question}
            for place, key in enumerate(keys):
                adopted = read[place] * self.chance(by_key[key])
                total += adopted, adopted * self.conversion[key]
        return total / len(self.questions)

    def best_lists(self) -> list[tuple[str, ...]]:
        """Return the lists that win most, one for each kind of question."""
        return [
            tuple(
                candidate.key
                for candidate in sorted(question, key=lambda each: -self.chance(each) * self.conversion[each.key])[
                    :SHOWN
                ]
            )
            for question in self.questions
        ]

    def rates(self, tally: Tally) -> EntryRates:
        """Return the rates that the counts so far give."""
        return EntryRates.fit(tally.use_counts(), self.types, self.examination)

    def log(
        self, logging: Chooser, new: Chooser, current: Chooser, hints: int, rng: np.random.Generator
    ) -> list[LoggedHint]:
        """Return hints that one chooser gave, with what two others would have shown."""
        lists = self.shown_by(new), self.shown_by(current)
        logged = []
        for number in range(hints):
            kind, lines = self.ask(logging, rng)
            logged.append(LoggedHint(str(number), tuple(lines), lists[0][kind], lists[1][kind]))
        return logged
