"""What is around every page: its head, the bar with the pages one may open, and the pages for what went wrong."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from fastapi import Request, Response
from nicegui import app as pages
from nicegui import ui
from nicegui.client import Client
from nicegui.element import Element
from nicegui.page import page as page_definition

from api.console import texts
from api.console.parts import box, button, link, state, words
from api.console.server import asset_folder
from api.console.visitor import Browser, Visitor
from api.services import Services
from common.errors import Text


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the bar and the right that opens it."""

    path: str
    title: Text
    scope: str
    icon: str


HINT = Page("/hint", texts.HINT_TITLE, "hints:ask", "chat_bubble_outline")
PLAN = Page("/plan", texts.PLAN_TITLE, "routes:plan", "route")
FORECAST = Page("/forecast", texts.FORECAST_TITLE, "forecasts:read", "insights")
PAGES = (HINT, PLAN, FORECAST)
HOMES = {
    "rep": HINT,
    "recorder": HINT,
    "logistics": PLAN,
    "region_manager": FORECAST,
    "analyst": FORECAST,
    "director": FORECAST,
}


def register(services: Services) -> None:
    """Register the pages for what does not exist and for what went wrong."""

    async def not_found(request: Request, _error: Exception) -> Response:
        with Client(page_definition(""), request=request) as client:
            _wrong(Browser.here(services), texts.NOT_FOUND_TITLE, texts.NOT_FOUND)
            return client.build_response(request, 404)

    pages.exception_handler(404)(not_found)
    pages.on_page_exception(lambda: _wrong(Browser.here(services), texts.ERROR_TITLE, texts.UNEXPECTED))


def _wrong(browser: Browser, title: Text, text: Text) -> None:
    with bare(browser, title), state(browser.say(title), browser.say(text), kind="error"):
        link(browser.say(texts.TO_START), "/", "fw-link")


def head(browser: Browser, title: Text) -> None:
    """Set title, language, style and scripts of the page being built."""
    client = ui.context.client
    client.title = f"{browser.say(title)} · {browser.say(texts.PRODUCT)}"
    # The definition of the page is shared by all its visitors, so the language goes to a copy.
    client.page = copy(client.page)
    client.page.language = "zh-CN" if browser.language == "zh" else "en-US"
    ui.add_head_html(f'<link rel="stylesheet" href="{asset_folder()}/console.css">')
    ui.add_head_html(f'<script defer src="{asset_folder()}/console.js"></script>')


def bare(browser: Browser, title: Text) -> Element:
    """Return the content of a page without the bar of pages."""
    head(browser, title)
    with box("header", "fw-bar"):
        _brand()
        ui.space()
        _language_switch(browser)
    return _content()


def full(visitor: Visitor, here: Page) -> Element:
    """Return the content of a page for somebody who is signed in."""
    head(visitor.browser, here.title)
    with box("header", "fw-bar"):
        _brand()
        _navigation(visitor, here)
        ui.space()
        role = visitor.say(texts.ROLES[visitor.actor.role]) if visitor.actor.role in texts.ROLES else ""
        with box("div", "fw-person"):
            words("span", visitor.name, "fw-name")
            words("span", role, "fw-role")
        _language_switch(visitor.browser)
        _quiet_button(visitor.say(texts.SIGN_OUT), "logout", lambda: _sign_out(visitor))
    content = _content()
    ui.skip_link(visitor.say(texts.SKIP), target=content)
    return content


def not_allowed(visitor: Visitor, here: Page) -> None:
    """Build the page for somebody whose role may not see it; it holds no data."""
    ui.context.client.status_code = 403
    role = visitor.say(texts.ROLES[visitor.actor.role]) if visitor.actor.role in texts.ROLES else visitor.name
    text = visitor.say(texts.NOT_ALLOWED, role=role)
    with full(visitor, here), state(visitor.say(texts.NOT_ALLOWED_TITLE), text, kind="error"):
        link(visitor.say(texts.TO_START), "/", "fw-link")


def trouble(visitor: Visitor, message: str) -> None:
    """Put a box with what went wrong and a button to try again."""
    with state(visitor.say(texts.ERROR_TITLE), message, kind="error"):
        button(visitor.say(texts.RELOAD), ui.navigate.reload)


def _content() -> Element:
    # Quasar makes the whole page a main element; here the bar stands in it, so its content takes that role.
    page = ui.context.client.content.parent_slot
    if page is not None:
        page.parent.props["role"] = "none"
    main = box("div", "fw-main")
    main.props.update({"role": "main", "tabindex": "-1"})
    return main


def _brand() -> None:
    with box("a", "fw-brand", label="Fieldwise") as brand:
        brand.props["href"] = "/"
        with ui.element("img") as mark:
            mark.props.update({"src": f"{asset_folder()}/favicon.svg", "alt": "", "width": 28, "height": 28})
        words("span", "Fieldwise")


def _navigation(visitor: Visitor, here: Page) -> None:
    allowed = [page for page in PAGES if visitor.actor.may(page.scope)]
    if len(allowed) < 2:
        return
    with box("nav", "fw-pages", label=visitor.say(texts.NAVIGATION)):
        for page in allowed:
            with box("a", "fw-page") as entry:
                entry.props["href"] = page.path
                if page == here:
                    entry.props["aria-current"] = "page"
                ui.icon(page.icon).props("aria-hidden=true")
                words("span", visitor.say(page.title))


def _language_switch(browser: Browser) -> None:
    def switch() -> None:
        browser.choose_language("en" if browser.language == "zh" else "zh")
        ui.navigate.reload()

    made = ui.button(browser.say(texts.OTHER_LANGUAGE), on_click=switch, color=None).props("flat dense no-caps")
    made.classes("fw-quiet").props["aria-label"] = browser.say(texts.SWITCH_LANGUAGE)


def _quiet_button(label: str, icon: str, act: object) -> None:
    made = ui.button(icon=icon, on_click=act, color=None).props("flat dense round")  # type: ignore[arg-type]
    made.classes("fw-quiet").props["aria-label"] = label
    made.tooltip(label)


def _sign_out(visitor: Visitor) -> None:
    visitor.browser.end(texts.SIGNED_OUT)
    ui.navigate.to("/")
