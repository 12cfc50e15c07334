"""Who looks at a page: the person, the language, and how the page calls use cases for that person."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

from nicegui import app as pages
from nicegui import ui
from nicegui.client import Client

from api.console import texts
from api.errors import SignInNeeded
from api.security import Session
from api.services import Services
from common.errors import FieldwiseError, Text
from operations.access import Actor

log = logging.getLogger("fieldwise.console")

Result = TypeVar("Result")
_TOKEN, _NAME, _LANGUAGE, _NOTICE = "token", "name", "language", "notice"


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser: what the server keeps for it between pages.

    Attributes
    ----------
    services : Services
        What the pages work with.
    kept : mutable mapping
        The server-side storage that belongs to this browser's cookie.
    """

    services: Services
    kept: MutableMapping[str, Any]

    @classmethod
    def here(cls, services: Services) -> Browser:
        """Return the browser that asks for the page being built."""
        return cls(services, pages.storage.user)

    @property
    def language(self) -> str:
        """``zh`` or ``en``: what was chosen here, else what the installation speaks."""
        return str(self.kept.get(_LANGUAGE) or self.services.settings.language)

    def say(self, text: Text, **fields: object) -> str:
        """Return a text in the reader's language with its fields filled in."""
        return text.in_language(self.language).format(**fields) if fields else text.in_language(self.language)

    def choose_language(self, language: str) -> None:
        """Remember the language for this and all later pages."""
        self.kept[_LANGUAGE] = language

    def begin(self, session: Session) -> None:
        """Remember a sign-in."""
        self.kept.update({_TOKEN: session.token, _NAME: session.name})
        self.kept.setdefault(_LANGUAGE, session.actor.language)

    def end(self, notice: Text | None = None) -> None:
        """Forget the sign-in; the sign-in form shows the notice once."""
        for key in (_TOKEN, _NAME):
            self.kept.pop(key, None)
        if notice is not None:
            self.kept[_NOTICE] = [notice.en, notice.zh]

    def take_notice(self) -> Text | None:
        """Return what the sign-in form should say, once."""
        notice = self.kept.pop(_NOTICE, None)
        return Text(*notice) if notice else None

    def actor_now(self) -> Actor:
        """Return who is signed in at this moment.

        Raises
        ------
        SignInNeeded
            When nobody is, or not any more.
        """
        token = self.kept.get(_TOKEN)
        if not token:
            raise SignInNeeded(texts.SIGN_IN_FIRST)
        return self.services.gatekeeper.actor(token)

    async def visitor(self) -> Visitor | None:
        """Return the person who is signed in, or None; an ended session leaves its reason as a notice."""
        if not self.kept.get(_TOKEN):
            return None
        try:
            actor = await asyncio.to_thread(self.actor_now)
        except SignInNeeded as error:
            self.end(error.text)
            return None
        return Visitor(self, ui.context.client, actor, str(self.kept.get(_NAME, actor.code)))


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in and looks at a page; ``client`` is that page in the browser."""

    browser: Browser
    client: Client
    actor: Actor
    name: str

    @property
    def services(self) -> Services:
        """What the pages work with."""
        return self.browser.services

    @property
    def language(self) -> str:
        """``zh`` or ``en``."""
        return self.browser.language

    def say(self, text: Text, **fields: object) -> str:
        """Return a text in the reader's language with its fields filled in."""
        return self.browser.say(text, **fields)

    async def call(self, use_case: Callable[[Actor], Result]) -> Result:
        """Run a use case beside the event loop, for the person as he or she may act at this moment.

        Raises
        ------
        FieldwiseError
            What the use case raised; SignInNeeded when the session ended meanwhile.
        """
        return await asyncio.to_thread(lambda: use_case(self.browser.actor_now()))

    async def attempt(self, use_case: Callable[[Actor], Result]) -> Result | None:
        """Run a use case as ``call`` does; what goes wrong is shown to the person, and the answer is None."""
        try:
            return await self.call(use_case)
        except SignInNeeded as error:
            self.browser.end(error.text)
            with self.client:
                ui.navigate.reload()
        except FieldwiseError as error:
            self.warn(explained(error, self.language))
        except Exception:
            log.exception("unexpected error in the console")
            self.warn(self.say(texts.UNEXPECTED))
        return None

    def warn(self, message: str) -> None:
        """Show a message that something did not work."""
        with self.client:  # the part of the page that asked may be gone by now
            ui.notify(message, type="negative", position="top", multi_line=True, timeout=8000)

    def tell(self, text: Text, **fields: object) -> None:
        """Show that something was done."""
        with self.client:
            ui.notify(self.say(text, **fields), type="positive", position="top", timeout=2000)


def explained(error: FieldwiseError, language: str) -> str:
    """Return an error as one sentence with what is wrong in each field."""
    sentence = error.text.in_language(language)
    details = [field.text.in_language(language) for field in error.fields if field.text != error.text]
    return f"{sentence}（{'；'.join(details[:3])}）" if details else sentence
