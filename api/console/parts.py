"""Small parts that pages are built of: texts with meaning, boxes for states, tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement


def words(tag: str, text: str, classes: str = "") -> TextElement:
    """Put a text in an element of its own kind, such as ``h1`` or ``p``."""
    element = TextElement(tag=tag, text=text)
    element.classes(classes)
    return element


def box(tag: str = "div", classes: str = "", *, label: str = "") -> Element:
    """Put a container; ``label`` names it for screen readers."""
    element = ui.element(tag).classes(classes)
    if label:
        element.props["aria-label"] = label
    return element


def state(title: str, text: str = "", *, kind: str = "empty") -> Element:
    """Put a box that says why there is nothing to see and what to do; ``kind`` is ``empty`` or ``error``."""
    element = box("section", f"fw-state fw-state-{kind}")
    if kind == "error":
        element.props["role"] = "alert"
    with element:
        words("h2", title)
        if text:
            words("p", text)
    return element


def busy(text: str) -> Element:
    """Put a turning wheel with what is being waited for."""
    element = box("div", "fw-busy")
    element.props["role"] = "status"
    with element:
        ui.spinner(size="1.4em")
        words("span", text)
    return element


def button(text: str, act: Callable[..., object], *, primary: bool = False) -> ui.button:
    """Put a button: filled for what the page is for, outlined otherwise."""
    made = ui.button(text, on_click=act, color="primary").props("no-caps unelevated" if primary else "no-caps outline")
    return made.classes("fw-button")


def link(text: str, target: str, classes: str = "") -> Element:
    """Put a link to another page."""
    element = words("a", text, classes)
    element.props["href"] = target
    return element


def select(label: str, options: dict[str, str], value: str | None, chosen: Callable[..., object]) -> ui.select:
    """Put a choice from a list."""
    made = ui.select(options, value=value, label=label, on_change=chosen).props("outlined dense options-dense")
    made.classes("fw-field")
    return made


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    figures: Sequence[int] = (),
    stacked: bool = False,
) -> Element:
    """Put a table of texts; the columns in ``figures`` are set right, as numbers are.

    A ``stacked`` table, for sentences, shows each row as a block on a narrow screen. Lines in a cell stay lines.
    """
    with box("div", "fw-table fw-stacked" if stacked else "fw-table") as whole, ui.element("table"):
        words("caption", caption, "fw-unseen")
        with ui.element("thead"), ui.element("tr"):
            for place, head in enumerate(heads):
                words("th", head, "fw-figure" if place in figures else "").props["scope"] = "col"
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for place, cell in enumerate(row):
                        made = words("td", cell, "fw-figure" if place in figures else "")
                        made.props["data-head"] = heads[place]
    return whole
