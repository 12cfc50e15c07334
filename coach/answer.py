"""The question to the coach and its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from coach.entry import LANGUAGES, MAX_UTTERANCE_CHARS, Effect
from coach.normalise import normalise
from coach.objections import objection_types
from coach.ranking import Candidate
from common.errors import FieldProblem, InvalidInput, Text

MOST_SUGGESTIONS = 10
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class HintQuestion:
    """What a customer said, and which entries may answer.

    Attributes
    ----------
    text : str
        The customer's words, 1 to 500 characters.
    on : date
        The day on which a line would be sent; entries outside their validity are left out.
    language : str or None
        Language of the entries wanted; None for that of the words.
    region, product_line, customer_type, scene : str or None
        Entries that name another one are left out; entries that name none fit all.
    excluded_types : tuple of str
        Objection types that must not be suggested.
    objection_type : str or None
        The type, when it is known already: then it is answered whatever the words sound like.
    k : int
        Suggestions wanted, 1 to 10.

    Raises
    ------
    InvalidInput
        When a field is wrong; every wrong field is named.
    """

    text: str
    on: date
    language: str | None = None
    region: str | None = None
    product_line: str | None = None
    customer_type: str | None = None
    scene: str | None = None
    excluded_types: tuple[str, ...] = ()
    objection_type: str | None = None
    k: int = 3

    def __post_init__(self) -> None:
        problems: list[FieldProblem] = []
        if not isinstance(self.text, str) or not normalise(self.text):
            problems.append(FieldProblem("/text", Text("must not be empty", "不能为空")))
        elif len(self.text) > MAX_UTTERANCE_CHARS:
            limit = MAX_UTTERANCE_CHARS
            problems.append(FieldProblem("/text", Text(f"is longer than {limit} characters", f"超过 {limit} 个字符")))
        elif _CONTROL.search(self.text):
            problems.append(FieldProblem("/text", Text("contains control characters", "含有控制字符")))
        if self.language is not None and self.language not in LANGUAGES:
            problems.append(FieldProblem("/language", Text("must be zh or en", "必须是 zh 或 en")))
        if self.objection_type is not None and self.objection_type not in objection_types():
            problems.append(FieldProblem("/objection_type", Text("is no objection type", "不是异议类型")))
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= MOST_SUGGESTIONS:
            problems.append(
                FieldProblem("/k", Text(f"must be 1 to {MOST_SUGGESTIONS}", f"必须在 1 到 {MOST_SUGGESTIONS} 之间"))
            )
        if problems:
            raise InvalidInput(Text("the question has wrong fields", "提问中有字段不正确"), fields=problems)


@dataclass(frozen=True, slots=True)
class Why:
    """Why a suggestion fits.

    Attributes
    ----------
    objection_type : str
    objection_name : Text
    type_probability : float
        How likely the customer means this type, 0 to 1.
    matched_utterance : str or None
        The way of saying it in the library that is nearest to the words; None when none is near.
    """

    objection_type: str
    objection_name: Text
    type_probability: float
    matched_utterance: str | None


@dataclass(frozen=True, slots=True)
class FailureWarning:
    """What not to say, from a ``failure`` entry of the same objection type.

    Attributes
    ----------
    entry_key, title : str
    bad_lines : tuple of str
        What was said and went wrong.
    why : tuple of str
        What happened, and what to do instead.
    effect : Effect or None
    """

    entry_key: str
    title: str
    bad_lines: tuple[str, ...]
    why: tuple[str, ...]
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One entry as it is shown to a rep; every text and figure is the entry's own.

    Attributes
    ----------
    entry_key, language : str
        Natural key of the entry.
    rank : int
        1 is best.
    score : float
        Probability of the type times closeness within it, 0 to 1. It may rise again down the list, where an entry of
        another type or approach was preferred to more of the same.
    talk_track : str
        The line to send.
    other_talk_tracks : tuple of str
    title, approach : str
    steps : tuple of str
    effect : Effect or None
    valid_until : date or None
    why : Why
    warnings : tuple of FailureWarning
    propensity : float
        How likely it was to be shown at this rank; 1 when nothing was left to chance.
    """

    entry_key: str
    language: str
    rank: int
    score: float
    talk_track: str
    other_talk_tracks: tuple[str, ...]
    title: str
    approach: str
    steps: tuple[str, ...]
    effect: Effect | None
    valid_until: date | None
    why: Why
    warnings: tuple[FailureWarning, ...]
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class HintAnswer:
    """The answer to a question.

    Attributes
    ----------
    matched : bool
        Whether there are suggestions.
    language : str
        Language of the customer's words.
    confidence : float
        That the words are an objection the library knows, 0 to 1.
    objection_types : tuple of (code, probability)
        The three most likely; they are given without a match too.
    suggestions : tuple of Suggestion
        Best first; of different approach.
    reason : Text or None
        Why there is no match.
    open_question : Text or None
        Without a match: what to ask the customer instead.
    notes : tuple of Text
        What a rep should know, such as that the filters left fewer entries than wanted.
    candidates : tuple of Candidate
        What the suggestions were chosen from, best first.
    """

    matched: bool
    language: str
    confidence: float
    objection_types: tuple[tuple[str, float], ...]
    suggestions: tuple[Suggestion, ...] = ()
    reason: Text | None = None
    open_question: Text | None = None
    notes: tuple[Text, ...] = ()
    candidates: tuple[Candidate, ...] = ()
