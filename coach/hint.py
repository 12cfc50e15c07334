"""From what a customer just said to lines that worked for others, or an honest "no match"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from coach.answer import FailureWarning, HintAnswer, HintQuestion, Suggestion, Why
from coach.encoder import Encoder
from coach.entry import ANY_PRODUCT_LINE, LANGUAGES, LibraryEntry
from coach.index import HintIndex
from coach.language_rows import Heard, LanguageRows, Matches
from coach.normalise import detect_language, normalise
from coach.objections import objection_name
from coach.open_questions import open_question
from coach.ranking import Candidate, choose
from common.errors import Conflict, Text

__all__ = ["FailureWarning", "HintAnswer", "HintEngine", "HintQuestion", "Suggestion", "Why"]

Floats = npt.NDArray[np.float32]

MOST_WARNINGS = 2
"""Failure entries shown with one suggestion."""


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

    def hint(self, question: HintQuestion) -> HintAnswer:
        """Return up to ``k`` suggestions for the words, or why there is none and what to ask instead."""
        text = normalise(question.text)
        spoken = detect_language(text) or question.language or LANGUAGES[0]
        part = self.index.parts[self._heard_in(spoken)]
        vector = self._encoder.encode_queries([text])[0]
        heard = part.listen(text, vector)
        order = np.argsort(-heard.probabilities, kind="stable")[:3]
        types = tuple((part.classes[at], float(heard.probabilities[at])) for at in order)
        answer = HintAnswer(False, spoken, heard.confidence, types)
        if heard.confidence < part.abstention.threshold:
            return _unmatched(answer, Text("this does not sound like an objection", "这句话听起来不像是异议"))
        language, allowed, notes = self._allowed(question, spoken)
        answer = replace(answer, notes=notes)
        if not allowed:
            return _unmatched(answer, Text("no entry fits the filters", "没有符合筛选条件的条目"))
        matches, keys = self._match(question, (text, vector), spoken, language)
        chosen = _choose(allowed, (matches, keys), heard, part, question.k)
        if not chosen:
            name = objection_name(types[0][0])
            text_left = Text(f"no entry about “{name.en}” fits the filters", f"没有符合筛选条件的「{name.zh}」条目")
            return _unmatched(answer, text_left)
        if len(chosen) < question.k:
            left = len(chosen)
            note = Text(
                f"only {left} fitting entries, {question.k} wanted", f"合适的条目只有 {left} 条，要求 {question.k} 条"
            )
            answer = replace(answer, notes=(*notes, note))
        warnings = self._warnings(question, language, (matches, keys))
        return replace(
            answer,
            matched=True,
            suggestions=tuple(
                _suggestion(allowed[each.position], rank, each, (part, matches, keys), warnings)
                for rank, each in enumerate(chosen, start=1)
            ),
        )

    def _heard_in(self, spoken: str) -> str:
        return spoken if spoken in self.index.parts else next(iter(self.index.parts))

    def _allowed(self, question: HintQuestion, spoken: str) -> tuple[str, tuple[LibraryEntry, ...], tuple[Text, ...]]:
        """Return the language answered in, the entries that pass the filters, and what to note about them."""
        notes: list[Text] = []
        line = question.product_line
        if line is not None and line not in self.index.product_lines:
            notes.append(Text(f"no entry names the product line {line}", f"没有条目属于产品线 {line}"))
        wanted = question.language or spoken
        fallbacks = () if question.language else tuple(each for each in LANGUAGES if each != wanted)
        for language in (wanted, *fallbacks):
            entries = self.index.entries.get(language, ())
            allowed = tuple(e for e in entries if e.kind == "success" and _fits(e, question))
            if allowed:
                if language != wanted:
                    notes.append(
                        Text(
                            f"no fitting entry in {wanted}; these are in {language}",
                            f"没有合适的 {wanted} 条目，以下为 {language} 条目",
                        )
                    )
                return language, allowed, tuple(notes)
        return wanted, (), tuple(notes)

    def _match(
        self, question: HintQuestion, said: tuple[str, Floats], spoken: str, language: str
    ) -> tuple[Matches, dict[str, int]]:
        """Return the evidence for the entries that fit, and where each case stands in it.

        The words are compared with sayings in their own language; a case is found through its other version too.
        """
        heard_in = self._heard_in(spoken)
        fitting = {entry.key for entry in self.index.entries.get(language, ()) if _fits(entry, question)}
        entries = self.index.entries[heard_in]
        mask = np.array([entry.key in fitting for entry in entries], dtype=np.bool_)
        keys = {entry.key: position for position, entry in enumerate(entries) if mask[position]}
        return self.index.parts[heard_in].match(*said, mask), keys

    def _warnings(
        self, question: HintQuestion, language: str, found: tuple[Matches, dict[str, int]]
    ) -> dict[str, tuple[FailureWarning, ...]]:
        """Return the failure entries that hold for the question by objection type, the nearest first."""
        matches, keys = found
        failures = [
            entry
            for entry in self.index.entries[language]
            if entry.kind == "failure" and _in_region(entry, question.region) and entry.valid_on(question.on)
        ]
        failures.sort(key=lambda entry: (-_evidence(matches, keys, entry.key), entry.key))
        by_type: dict[str, tuple[FailureWarning, ...]] = {}
        for entry in failures:
            code = entry.objection_type or ""
            warning = FailureWarning(entry.key, entry.title, entry.talk_tracks, entry.steps, entry.effect)
            by_type[code] = (*by_type.get(code, ()), warning)[:MOST_WARNINGS]
        return by_type


def _fits(entry: LibraryEntry, question: HintQuestion) -> bool:
    lines = (None, entry.product_line)
    return (
        (question.product_line in lines or entry.product_line == ANY_PRODUCT_LINE)
        and (
            question.customer_type is None or not entry.customer_types or question.customer_type in entry.customer_types
        )
        and (question.scene is None or not entry.scenes or question.scene in entry.scenes)
        and _in_region(entry, question.region)
        and entry.valid_on(question.on)
        and entry.objection_type not in question.excluded_types
    )


def _in_region(entry: LibraryEntry, region: str | None) -> bool:
    # without a region only what every region may use is safe to show
    return entry.region is None or entry.region == region


def _evidence(matches: Matches, keys: dict[str, int], key: str) -> float:
    return float(matches.evidence[keys[key]]) if key in keys else 0.0


def _choose(
    allowed: tuple[LibraryEntry, ...],
    found: tuple[Matches, dict[str, int]],
    heard: Heard,
    part: LanguageRows,
    k: int,
) -> list[Candidate]:
    evidence = [_evidence(*found, entry.key) for entry in allowed]
    best: dict[str, float] = {}
    for entry, strength in zip(allowed, evidence, strict=True):
        code = entry.objection_type or ""
        best[code] = max(best.get(code, 0.0), strength)
    probability = dict(zip(part.classes, heard.probabilities.tolist(), strict=True))
    candidates = [
        Candidate(
            position=position,
            objection_type=entry.objection_type or "",
            approach=entry.approach,
            type_probability=probability.get(entry.objection_type or "", 0.0),
            closeness=(1 + strength) / (1 + best[entry.objection_type or ""]),
        )
        for position, (entry, strength) in enumerate(zip(allowed, evidence, strict=True))
    ]
    return choose(candidates, k)


def _suggestion(
    entry: LibraryEntry,
    rank: int,
    candidate: Candidate,
    found: tuple[LanguageRows, Matches, dict[str, int]],
    warnings: dict[str, tuple[FailureWarning, ...]],
) -> Suggestion:
    part, matches, keys = found
    row = int(matches.best_row[keys[entry.key]]) if entry.key in keys else -1
    why = Why(
        objection_type=candidate.objection_type,
        objection_name=objection_name(candidate.objection_type),
        type_probability=candidate.type_probability,
        matched_utterance=part.plan.shown[row] if row >= 0 else None,
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
    )


def _unmatched(answer: HintAnswer, reason: Text) -> HintAnswer:
    code, probability = answer.objection_types[0]
    return replace(answer, reason=reason, open_question=open_question(code, probability))
