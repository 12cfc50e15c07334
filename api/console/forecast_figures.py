"""The figures beside the forecast's chart: stock with its outlook, and the accuracy in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from nicegui import ui

from api.console import texts
from api.console.forecast_outlook import Outlook, stockout_chance
from api.console.parts import box, words
from api.console.visitor import Visitor
from operations.demand import Accuracy, StoredForecast
from operations.demand_chart import MaterialCard
from operations.stock import StockLevel

LIKELY, POSSIBLE = 0.5, 0.2
"""From which chance on a material that runs out is marked strongly, and from which at all."""


def show_stock(
    visitor: Visitor, title: str, found: Outlook, cards: Mapping[str, MaterialCard], pick: Callable[[str], None]
) -> None:
    """Put the table of a region's stock, what is likeliest to run out first; a material's name picks it."""
    say = visitor.say
    heads = (
        texts.FORECAST_MATERIAL,
        texts.FORECAST_ON_HAND,
        texts.FORECAST_NEED,
        texts.FORECAST_RUNNING_OUT,
        texts.FORECAST_ORDER,
    )
    with box("section", "fw-section"):
        words("h2", title)
        if not found.levels:
            words("p", say(texts.FORECAST_NO_STOCK_LIST), "fw-soft")
            return
        with box("div", "fw-table"), ui.element("table"):
            words("caption", title, "fw-unseen")
            with ui.element("thead"), ui.element("tr"):
                for place, head in enumerate(heads):
                    words("th", say(head), "fw-figure" if place else "").props["scope"] = "col"
            with ui.element("tbody"):
                for level in sorted(found.levels, key=lambda level: stockout_chance(level) or 0.0, reverse=True):
                    _row(visitor, level, found.forecast, cards[level.material_code], pick)


def _row(
    visitor: Visitor,
    level: StockLevel,
    forecast: StoredForecast | None,
    card: MaterialCard,
    pick: Callable[[str], None],
) -> None:
    say, unit = visitor.say, visitor.say(card.unit)
    chance = stockout_chance(level) or 0.0
    mark = "fw-likely" if chance >= LIKELY else "fw-possible" if chance >= POSSIBLE else ""
    with ui.element("tr"):
        with ui.element("td"):
            name = ui.button(say(card.name), on_click=partial(pick, card.code), color=None)
            name.props("flat dense no-caps").classes("fw-pick")
        words("td", f"{level.on_hand_units:,} {unit}", "fw-figure")
        words("td", _need(visitor, forecast, card.code), "fw-figure")
        words("td", f"{chance:.0%}" if level.outlook else say(texts.NOTHING), f"fw-figure {mark}")
        words("td", _order(visitor, level, unit), "fw-figure")


def _need(visitor: Visitor, forecast: StoredForecast | None, material: str) -> str:
    totals: Sequence[dict[float, float]] = [
        total.quantiles for total in (forecast.totals if forecast else ()) if total.material_code == material
    ]
    if not totals:
        return visitor.say(texts.NOTHING)
    return visitor.say(texts.FORECAST_NEED_BAND, low=f"{totals[0][0.1]:,.0f}", high=f"{totals[0][0.9]:,.0f}")


def _order(visitor: Visitor, level: StockLevel, unit: str) -> str:
    if level.order is None:
        return visitor.say(texts.NOTHING)
    if level.order.order_units == 0:
        return visitor.say(texts.FORECAST_NO_ORDER)
    return f"{level.order.order_units:,} {unit}"


def show_accuracy(visitor: Visitor, quality: Accuracy) -> None:
    """Put how good the model was in its backtest and since."""
    say, measures = visitor.say, quality.model.measures
    model, naive = measures.get("model"), measures.get("seasonal_naive")
    with box("section", "fw-section"):
        words("h2", say(texts.FORECAST_ACCURACY))
        if model and naive:
            words("p", _against_naive(visitor, model["mase"], naive["mase"]))
            words("p", say(texts.FORECAST_COVERAGE, share=f"{100 * model['coverage80']:.0f}"))
            span = {"first": measures["first_origin"], "last": measures["last_origin"]}
            words("p", say(texts.FORECAST_TESTED, **span), "fw-soft fw-small")
        else:
            words("p", say(texts.FORECAST_NOT_TESTED), "fw-soft")
        if quality.lived_wape is not None and quality.lived_coverage80 is not None:
            lived = {"wape": f"{100 * quality.lived_wape:.0f}", "coverage": f"{100 * quality.lived_coverage80:.0f}"}
            words("p", say(texts.FORECAST_LIVED, days=quality.lived_days, **lived))


def _against_naive(visitor: Visitor, mase: float, naive: float) -> str:
    figures = {"mase": f"{mase:.2f}", "naive": f"{naive:.2f}"}
    if mase >= naive:
        return visitor.say(texts.FORECAST_MASE_WORSE, **figures)
    return visitor.say(texts.FORECAST_MASE, better=f"{100 * (1 - mase / naive):.0f}", **figures)
