"""From what a customer just said to lines that worked for others, or an honest "no match"."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coach.answer import FailureWarning, HintAnswer, HintQuestion, Suggestion, Why
from coach.encoder import Encoder
from coach.entry import LANGUAGES, LibraryEntry
from coach.filters import Allowed
from coach.index import HintIndex
from coach.listening import Heard, NearRows, Said
from coach.normalise import detect_language, normalise
from coach.objections import objection_name
from coach.open_questions import open_question
from coach.ranking import LEAST_TYPE_PROBABILITY, Candidate, Choice, Chooser, PlainChooser, evidence_for
from coach.rows import NO_ENTRY
from common.errors import Conflict, Text

__all__ = ["FailureWarning", "HintAnswer", "HintEngine", "HintQuestion", "Suggestion", "Why"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_WARNINGS = 2
"""Failure entries shown with one suggestion."""
MOST_CANDIDATES = 64
"""Entries that a choice is made from."""
LIKELY_TYPES = 3
"""Types whose entries may be suggested although no row of theirs was found."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What speaks for the cases that passed the filters.

    Attributes
    ----------
    near : NearRows
        Rows of those cases only.
    owners : int array, shape (found rows,)
        Case of each row.
    cases : int array, shape (found cases,)
        Each once, ascending.
    evidence : array, shape (found cases,)
    language : int
        Of the question.
    """

    near: NearRows
    owners: Ints
    cases: Ints
    evidence: Doubles
    language: int

    def of(self, cases: Ints) -> Doubles:
        """Return the evidence for each of ``cases``; 0 for one that was not found."""
        if len(self.cases) == 0:
            return np.zeros(len(cases))
        at = np.minimum(np.searchsorted(self.cases, cases), len(self.cases) - 1)
        return np.where(self.cases[at] == cases, self.evidence[at], 0.0)


class HintEngine:
    """Answers questions from one index. Safe for any number of threads; a new index takes a new engine.

    Parameters
    ----------
    index : HintIndex
    encoder : Encoder
        The one the index was built with.

    Raises
    ------
    Conflict
        When the index was built with another encoder.
    """

    def __init__(self, index: HintIndex, encoder: Encoder) -> None:
        if index.fingerprint != encoder.fingerprint():
            raise Conflict(Text("the index was built with another encoder", "索引由其他编码模型构建"))
        self.index = index
        self._encoder = encoder
        self._plain = PlainChooser()
        has_entry = index.listener.rows.entries != NO_ENTRY
        self._row_cases = np.where(has_entry, index.cases[index.listener.rows.entries], NO_ENTRY)
        self._case_rows = np.bincount(self._row_cases[has_entry], minlength=int(index.cases.max(initial=-1)) + 1)
        order = np.argsort(index.cases, kind="stable")
        self._entries_by_case = order
        self._case_starts = np.searchsorted(index.cases[order], np.arange(int(index.cases.max(initial=-1)) + 2))
        number = {code: at for at, code in enumerate(index.listener.rows.classes)}
        self._types = np.array([number[entry.objection_type or ""] for entry in index.entries], dtype=np.int64)

    def hint(self, question: HintQuestion, chooser: Chooser | None = None) -> HintAnswer:
        """Return up to ``k`` suggestions for the words, or why there is none and what to ask instead."""
        text = normalise(question.text)
        spoken = detect_language(text) or question.language or LANGUAGES[0]
        said = self.index.listener.weigh(text, LANGUAGES.index(spoken), self._encoder.encode_queries([text])[0])
        heard = self._heard(said, question.objection_type)
        classes = self.index.listener.rows.classes
        order = np.argsort(-heard.probabilities, kind="stable")[:3]
        types = tuple((classes[at], float(heard.probabilities[at])) for at in order)
        answer = HintAnswer(False, spoken, heard.confidence, types)
        if heard.confidence < self.index.listener.abstention.threshold:
            return _unmatched(answer, Text("this does not sound like an objection", "这句话听起来不像是异议"))
        allowed, notes = self._allowed(question, spoken)
        answer = replace(answer, notes=notes)
        if not allowed.any_entry:
            return _unmatched(answer, Text("no entry fits the filters", "没有符合筛选条件的条目"))
        found = self._find(said, heard, allowed)
        candidates = self._candidates(heard, allowed, found)
        chosen = (chooser or self._plain).choose(candidates, question.k, region=question.region)
        if not chosen:
            name = objection_name(types[0][0])
            text_left = Text(f"no entry about “{name.en}” fits the filters", f"没有符合筛选条件的「{name.zh}」条目")
            return _unmatched(answer, text_left)
        if len(chosen) < question.k:
            answer = replace(answer, notes=(*notes, _too_few(len(chosen), question.k)))
        warnings = self._warnings(allowed, found, {choice.candidate.objection_type for choice in chosen})
        suggestions = tuple(
            self._suggestion(rank, choice, found, warnings) for rank, choice in enumerate(chosen, start=1)
        )
        return replace(answer, matched=True, suggestions=suggestions, candidates=tuple(candidates))

    def _heard(self, said: Said, known_type: str | None) -> Heard:
        heard = self.index.listener.listen(said)
        classes = self.index.listener.rows.types_in_use
        if known_type is None or known_type not in classes:
            return heard
        certain = np.zeros(self.index.listener.rows.type_count)
        certain[classes.index(known_type)] = 1.0
        return Heard(certain, 1.0, heard.near)

    def _allowed(self, question: HintQuestion, spoken: str) -> tuple[Allowed, tuple[Text, ...]]:
        """Return what passes the filters, in the language wanted or another one, and what to note about it."""
        notes: list[Text] = []
        line = question.product_line
        if line is not None and line not in self.index.product_lines:
            notes.append(Text(f"no entry names the product line {line}", f"没有条目属于产品线 {line}"))
        wanted = question.language or spoken
        first = self.index.filters.allowed(question, wanted)
        if first.any_entry or question.language:
            return first, tuple(notes)
        for language in (each for each in self.index.languages if each != wanted):
            allowed = self.index.filters.allowed(question, language)
            if allowed.any_entry:
                en = f"no fitting entry in {wanted}; these are in {language}"
                notes.append(Text(en, f"没有合适的 {wanted} 条目，以下为 {language} 条目"))
                return allowed, tuple(notes)
        return first, tuple(notes)

    def _find(self, said: Said, heard: Heard, allowed: Allowed) -> _Found:
        near = heard.near if allowed.rows is None else self.index.listener.near(said, allowed.rows)
        owned = self._row_cases[near.rows] != NO_ENTRY
        near = near.only(owned)
        owners = self._row_cases[near.rows]
        cases, place = np.unique(owners, return_inverse=True)
        evidence = evidence_for(near.scores, place, self._case_rows[cases])
        return _Found(near, owners, cases, evidence, said.language)

    def _candidates(self, heard: Heard, allowed: Allowed, found: _Found) -> list[Candidate]:
        """Return the entries to choose from, best first: those with a row found, and some of the likely types."""
        rows = self.index.listener.rows
        probability = np.zeros(len(rows.classes))
        probability[: rows.type_count] = heard.probabilities
        likely = np.argsort(-heard.probabilities, kind="stable")[:LIKELY_TYPES]
        likely = likely[heard.probabilities[likely] >= LEAST_TYPE_PROBABILITY]
        none = np.zeros(0, dtype=np.int64)
        some = [allowed.first_of_type.get(rows.classes[at], none) for at in likely.tolist()]
        chosen = np.unique(np.concatenate([self._entries_of(found.cases), *some]))
        chosen = chosen[allowed.entries[chosen]]
        strengths, types = found.of(self.index.cases[chosen]), self._types[chosen]
        best = np.zeros(len(rows.classes))
        np.maximum.at(best, types, strengths)
        closeness = (1 + strengths) / (1 + best[types])
        order = np.argsort(-probability[types] * closeness, kind="stable")[:MOST_CANDIDATES]
        positions, numbers = chosen[order].tolist(), types[order].tolist()
        return [
            Candidate(
                position=position,
                key=self.index.entries[position].key,
                objection_type=rows.classes[number],
                approach=self.index.entries[position].approach,
                type_probability=float(probability[number]),
                closeness=near,
            )
            for position, number, near in zip(positions, numbers, closeness[order].tolist(), strict=True)
        ]

    def _entries_of(self, cases: Ints) -> Ints:
        """Return the positions of all entries of the cases, in every language."""
        spans = zip(self._case_starts[cases].tolist(), self._case_starts[cases + 1].tolist(), strict=True)
        return np.array([at for begin, end in spans for at in self._entries_by_case[begin:end]], dtype=np.int64)

    def _warnings(self, allowed: Allowed, found: _Found, codes: set[str]) -> dict[str, tuple[FailureWarning, ...]]:
        """Return the failure entries that hold, by objection type, the nearest first."""
        by_type: dict[str, tuple[FailureWarning, ...]] = {}
        for code in codes:
            number = self.index.listener.rows.classes.index(code)
            holding = allowed.warnings[self._types[allowed.warnings] == number]
            evidence = dict(zip(holding.tolist(), found.of(self.index.cases[holding]).tolist(), strict=True))
            nearest = sorted(evidence, key=lambda at: (-evidence[at], self.index.entries[at].key))
            by_type[code] = tuple(_warning(self.index.entries[at]) for at in nearest[:MOST_WARNINGS])
        return by_type

    def _suggestion(
        self, rank: int, choice: Choice, found: _Found, warnings: dict[str, tuple[FailureWarning, ...]]
    ) -> Suggestion:
        candidate = choice.candidate
        entry = self.index.entries[candidate.position]
        why = Why(
            objection_type=candidate.objection_type,
            objection_name=objection_name(candidate.objection_type),
            type_probability=candidate.type_probability,
            matched_utterance=self._nearest_saying(found, int(self.index.cases[candidate.position]), found.language),
        )
        return Suggestion(
            entry_key=entry.key,
            language=entry.language,
            rank=rank,
            score=candidate.score,
            talk_track=entry.talk_tracks[0],
            other_talk_tracks=entry.talk_tracks[1:],
            title=entry.title,
            approach=entry.approach,
            steps=entry.steps,
            effect=entry.effect,
            valid_until=entry.valid_until,
            why=why,
            warnings=warnings.get(candidate.objection_type, ()),
            propensity=choice.propensity,
        )

    def _nearest_saying(self, found: _Found, case: int, language: int) -> str | None:
        rows = self.index.listener.rows
        own = np.flatnonzero((found.owners == case) & rows.is_saying[found.near.rows])
        if len(own) == 0:
            return None
        # a rep reads the customer's language: a saying in it is shown if there is one
        same = own[rows.languages[found.near.rows[own]] == language]
        own = same if len(same) else own
        return rows.shown[int(found.near.rows[own[np.argmax(found.near.scores[own])]])]


def _warning(entry: LibraryEntry) -> FailureWarning:
    return FailureWarning(entry.key, entry.title, entry.talk_tracks, entry.steps, entry.effect)


def _too_few(left: int, wanted: int) -> Text:
    return Text(f"only {left} fitting entries, {wanted} wanted", f"合适的条目只有 {left} 条，要求 {wanted} 条")


def _unmatched(answer: HintAnswer, reason: Text) -> HintAnswer:
    code, probability = answer.objection_types[0]
    return replace(answer, reason=reason, open_question=open_question(code, probability))
