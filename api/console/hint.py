"""The hint page: from what the customer said to lines that a rep can send, made for a phone in one hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from api.console import frame, texts
from api.console.hint_evidence import evidence
from api.console.parts import box, busy, button, state, words
from api.console.sign_in import enter
from api.console.visitor import Visitor, explained
from api.services import Services
from coach.answer import FailureWarning, HintQuestion, Suggestion
from common.errors import FieldwiseError
from operations.access import Actor
from operations.hints import Feedback, HintGiven, ask, give_feedback

PAUSE_MS = 400
"""How long typing pauses before the words are looked up."""
SHORTEST = 2
ACTIONS = (("used", texts.HINT_USED), ("edited", texts.HINT_EDITED), ("rejected", texts.HINT_REJECTED))
# Enter asks; but not the Enter that picks a word in a Chinese input method, and not Shift+Enter.
ON_ENTER = "(e) => { if (!e.isComposing && !e.shiftKey) { e.preventDefault(); emit(e.target.value); } }"


def register(services: Services) -> None:
    """Register the page."""

    @ui.page(frame.HINT.path)
    async def hint() -> None:
        visitor = await enter(services, frame.HINT)
        if visitor is not None:
            HintPage(visitor).show()


class HintPage:
    """The box and the newest answer. ``_turn`` numbers the questions, so that late answers to old ones are dropped."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._turn = 0
        self._asked = ""

    def show(self) -> None:
        """Put the page."""
        say = self._visitor.say
        with frame.full(self._visitor, frame.HINT), box("div", "fw-narrow"):
            words("h1", say(texts.HINT_HEADING))
            self._box = ui.textarea(label=say(texts.HINT_BOX), placeholder=say(texts.HINT_PLACEHOLDER))
            self._box.props(f"outlined autogrow clearable autofocus maxlength=500 debounce={PAUSE_MS}")
            self._box.classes("fw-said").on_value_change(lambda event: self._look_up(event.value or ""))
            self._box.on("keydown.enter", self._enter, js_handler=ON_ENTER)
            words("p", say(texts.HINT_HELP), "fw-soft fw-small")
            self._warming = box("div")
            self._answers = box("div", "fw-answers")
            self._answers.props["aria-live"] = "polite"
            self._show_examples()
        if not self._visitor.services.hint_desk.ready:
            ui.timer(0.05, self._warm_up, once=True)

    async def _warm_up(self) -> None:
        with self._warming:
            busy(self._visitor.say(texts.HINT_WARMING))
        try:
            await asyncio.to_thread(self._visitor.services.hint_desk.engine)
        except FieldwiseError as error:
            self._warming.clear()
            with self._warming:
                frame.trouble(self._visitor, explained(error, self._visitor.language))
            return
        self._warming.clear()

    def _show_examples(self) -> None:
        self._answers.clear()
        with self._answers, box("section", "fw-examples"):
            words("h2", self._visitor.say(texts.HINT_EXAMPLES_TITLE), "fw-soft fw-small")
            for example in texts.HINT_EXAMPLES:
                line = self._visitor.say(example)
                button(line, partial(self._box.set_value, line)).props("align=left").classes("fw-example")

    async def _enter(self, event: GenericEventArguments) -> None:
        await self._look_up(str(event.args or ""), again=True)

    async def _look_up(self, text: str, *, again: bool = False) -> None:
        text = text.strip()
        if text == self._asked and not (again and not self._answers_shown()):
            return
        self._turn, self._asked = self._turn + 1, text
        turn = self._turn
        if len(text) < SHORTEST:
            self._show_examples()
            return
        self._answers.classes("fw-old")
        if not self._answers_shown():
            self._fill(lambda: busy(self._visitor.say(texts.HINT_SEARCHING)))
        given = await self._visitor.attempt(partial(self._ask, text))
        if turn != self._turn:
            return
        self._answers.classes(remove="fw-old")
        if given is None:
            self._asked = ""
            self._show_examples()
        else:
            self._fill(lambda: self._show(given))

    def _answers_shown(self) -> bool:
        return any("fw-answer" in child.classes for child in self._answers.default_slot.children)

    def _ask(self, text: str, actor: Actor) -> HintGiven:
        services = self._visitor.services
        question = HintQuestion(text, services.today())
        return ask(services.database, services.hint_desk, actor, question, evidence_desk=services.evidence_desk)

    def _fill(self, put: Callable[[], object]) -> None:
        self._answers.clear()
        with self._answers:
            put()

    def _show(self, given: HintGiven) -> None:
        answer, language = given.answer, self._visitor.language
        if not answer.matched:
            self._show_no_match(given)
            return
        warned: set[str] = set()
        for suggestion in answer.suggestions:
            fresh = [warning for warning in suggestion.warnings if warning.entry_key not in warned]
            warned.update(warning.entry_key for warning in fresh)
            Card(self._visitor, given.id, suggestion).show(fresh)
        for note in answer.notes:
            words("p", note.in_language(language), "fw-soft fw-small")

    def _show_no_match(self, given: HintGiven) -> None:
        say, answer = self._visitor.say, given.answer
        reason = say(answer.reason) if answer.reason else ""
        with state(say(texts.HINT_NO_MATCH), reason) as whole:
            whole.classes("fw-answer fw-no-match")
            if answer.open_question:
                words("p", say(texts.HINT_ASK_BACK), "fw-soft fw-small")
                line = answer.open_question.in_language(answer.language)
                words("p", line, "fw-line")
                copy_button(self._visitor, line)


class Card:
    """One suggestion: the line to send, and what became of it."""

    def __init__(self, visitor: Visitor, hint_id: str, suggestion: Suggestion) -> None:
        self._visitor = visitor
        self._hint_id = hint_id
        self._suggestion = suggestion
        self._buttons: dict[str, ui.button] = {}

    def show(self, warnings: list[FailureWarning]) -> None:
        """Put the card; ``warnings`` are those that no card above carries."""
        say, suggestion = self._visitor.say, self._suggestion
        rank = say(texts.HINT_LINE, rank=suggestion.rank)
        with box("article", "fw-card fw-answer", label=rank):
            with box("div", "fw-card-head"):
                words("span", say(suggestion.why.objection_name), "fw-tag")
                if suggestion.valid_until is not None:
                    words("span", say(texts.HINT_VALID_UNTIL, day=suggestion.valid_until.isoformat()), "fw-soft")
            words("p", suggestion.talk_track, "fw-line").props["lang"] = suggestion.language
            copy_button(self._visitor, suggestion.talk_track)
            self._show_feedback()
            for warning in warnings:
                show_warning(self._visitor, warning)
            evidence(self._visitor, suggestion)

    def _show_feedback(self) -> None:
        with box("div", "fw-feedback", label=self._visitor.say(texts.HINT_FEEDBACK)) as row:
            row.props["role"] = "group"
            for action, name in ACTIONS:
                act = self._edit if action == "edited" else partial(self._give, action)
                made = button(self._visitor.say(name), act)
                made.props["aria-pressed"] = "false"
                self._buttons[action] = made

    async def _give(self, action: str, edited_text: str | None = None) -> bool:
        feedback = Feedback(self._suggestion.rank, action, edited_text)

        def store(actor: Actor) -> bool:
            with self._visitor.services.database.write(actor.code) as session:
                give_feedback(session, actor, self._hint_id, feedback)
            return True

        stored = await self._visitor.attempt(store)
        if not stored:
            return False
        for name, made in self._buttons.items():
            made.props["aria-pressed"] = "true" if name == action else "false"
            made.classes(add="fw-chosen" if name == action else None, remove=None if name == action else "fw-chosen")
        self._visitor.tell(texts.HINT_NOTED)
        return True

    def _edit(self) -> None:
        say = self._visitor.say
        with ui.dialog() as dialog, box("div", "fw-dialog"):
            words("h2", say(texts.HINT_EDIT_TITLE))
            said = ui.textarea(label=say(texts.HINT_EDIT_BOX), value=self._suggestion.talk_track)
            said.props("outlined autogrow autofocus maxlength=4000")

            async def save() -> None:
                if await self._give("edited", said.value):
                    dialog.close()

            with box("div", "fw-row"):
                button(say(texts.HINT_CANCEL), dialog.close)
                button(say(texts.HINT_SAVE), save, primary=True)
        dialog.on("hide", dialog.delete)
        dialog.open()


def copy_button(visitor: Visitor, line: str) -> None:
    """Put a button that copies a line; the browser does it, since only a click there may touch the clipboard."""

    def copied(event: GenericEventArguments) -> None:
        if event.args:
            visitor.tell(texts.HINT_COPIED)
        else:
            visitor.warn(visitor.say(texts.HINT_COPY_FAILED))

    made = ui.button(visitor.say(texts.HINT_COPY), icon="content_copy", color="primary")
    made.props("no-caps unelevated").classes("fw-button fw-copy")
    made.on("click", copied, js_handler=f"async () => emit(await window.fieldwise.copy({json.dumps(line)}))")


def show_warning(visitor: Visitor, warning: FailureWarning) -> None:
    """Put what must not be said, and why."""
    with box("aside", "fw-warning", label=visitor.say(texts.HINT_WARNING)):
        words("strong", visitor.say(texts.HINT_WARNING))
        for line in warning.bad_lines:
            words("p", f"“{line}”" if visitor.language == "en" else f"「{line}」", "fw-bad-line")
        for why in warning.why:
            words("p", why, "fw-small")
