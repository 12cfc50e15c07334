"""The evidence under a suggestion: why it fits, what was done, what it changed; folded until somebody asks."""

from __future__ import annotations

from nicegui import ui

from api.console import texts
from api.console.parts import box, words
from api.console.visitor import Visitor
from coach.answer import Suggestion
from coach.entry import Effect


def evidence(visitor: Visitor, suggestion: Suggestion) -> None:
    """Put the fold with all that the case tells."""
    say = visitor.say
    with ui.element("details").classes("fw-fold"):
        words("summary", say(texts.HINT_MORE))
        with box("div", "fw-evidence"):
            words("h3", suggestion.title)
            _part(say(texts.HINT_WHY), [_why(visitor, suggestion)])
            if suggestion.steps:
                words("h4", say(texts.HINT_STEPS))
                with ui.element("ol"):
                    for step in suggestion.steps:
                        words("li", step)
            effect = _effect(visitor, suggestion.effect) if suggestion.effect else say(texts.HINT_NO_EFFECT)
            _part(say(texts.HINT_EFFECT), [effect])
            if suggestion.other_talk_tracks:
                _part(say(texts.HINT_OTHER_LINES), list(suggestion.other_talk_tracks))
            words("p", say(texts.HINT_SOURCE, key=suggestion.entry_key), "fw-soft fw-small")


def _part(title: str, paragraphs: list[str]) -> None:
    words("h4", title)
    for paragraph in paragraphs:
        words("p", paragraph)


def _why(visitor: Visitor, suggestion: Suggestion) -> str:
    why = suggestion.why
    known = {"objection": visitor.say(why.objection_name), "probability": f"{why.type_probability:.0%}"}
    if why.matched_utterance is None:
        return visitor.say(texts.HINT_WHY_TYPE_ONLY, **known)
    return visitor.say(texts.HINT_WHY_TEXT, utterance=why.matched_utterance, **known)


def _effect(visitor: Visitor, effect: Effect) -> str:
    name = texts.METRICS.get(effect.metric)
    return visitor.say(
        texts.HINT_EFFECT_TEXT,
        metric=visitor.say(name) if name else effect.metric.replace("_", " "),
        before=_figure(effect.metric, effect.before),
        after=_figure(effect.metric, effect.after),
        n=effect.n,
        start=effect.period_start.isoformat(),
        end=effect.period_end.isoformat(),
    )


def _figure(metric: str, value: float) -> str:
    return f"{value:.0%}" if metric.endswith("_rate") else f"{value:,.0f}"
