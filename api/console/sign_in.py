"""The way in: the sign-in form, the start page, and who may open which page."""

from __future__ import annotations

import asyncio

from fastapi import Response
from fastapi.responses import RedirectResponse
from nicegui import ui

from api.console import frame, texts
from api.console.frame import HOMES, Page
from api.console.parts import box, button, words
from api.console.visitor import Browser, Visitor
from api.services import Services
from common.errors import FieldwiseError


def register(services: Services) -> None:
    """Register the start page."""

    @ui.page("/")
    async def start() -> Response | None:
        browser = Browser.here(services)
        visitor = await browser.visitor()
        if visitor is None:
            SignInForm(browser).show()
            return None
        return RedirectResponse(HOMES[visitor.actor.role or "rep"].path)


async def enter(services: Services, page: Page) -> Visitor | None:
    """Return who opens a page; None when the sign-in form or the word that it is not allowed was put instead.

    The form stands at the page's own address, so that a link to a page leads there after signing in.
    """
    browser = Browser.here(services)
    visitor = await browser.visitor()
    if visitor is None:
        ui.context.client.status_code = 401
        SignInForm(browser).show()
        return None
    if not visitor.actor.may(page.scope):
        frame.not_allowed(visitor, page)
        return None
    return visitor


class SignInForm:
    """Name, password, and what was wrong with them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def show(self) -> None:
        """Put the form."""
        say = self._browser.say
        with frame.bare(self._browser, texts.SIGN_IN_TITLE), box("section", "fw-sign-in"):
            words("h1", say(texts.SIGN_IN_TITLE))
            words("p", say(texts.TAGLINE), "fw-soft")
            self._message = words("p", "", "fw-message")
            self._message.props["role"] = "alert"
            self._name = ui.input(say(texts.SIGN_IN_NAME)).props("outlined autofocus autocomplete=username")
            self._name.props("autocapitalize=none spellcheck=false").on("keydown.enter", self._sign_in)
            self._password = ui.input(say(texts.SIGN_IN_PASSWORD), password=True, password_toggle_button=True)
            self._password.props("outlined autocomplete=current-password").on("keydown.enter", self._sign_in)
            self._button = button(say(texts.SIGN_IN), self._sign_in, primary=True)
        notice = self._browser.take_notice()
        self._say(say(notice) if notice else "")

    def _say(self, message: str) -> None:
        self._message.text = message
        self._message.set_visibility(bool(message))

    async def _sign_in(self) -> None:
        name, password = (self._name.value or "").strip(), self._password.value or ""
        if not name or not password:
            self._say(self._browser.say(texts.SIGN_IN_INCOMPLETE))
            return
        self._button.props("loading")
        address = ui.context.client.ip
        gatekeeper = self._browser.services.gatekeeper
        try:
            session = await asyncio.to_thread(gatekeeper.sign_in, name, password, address=address)
        except FieldwiseError as error:
            self._say(error.text.in_language(self._browser.language))
            self._password.value = ""
            return
        finally:
            self._button.props(remove="loading")
        self._browser.begin(session)
        ui.navigate.reload()
