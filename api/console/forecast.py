"""The forecast page: what was used, what will be needed with its band, stock that runs out, and how good this is."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from api.console import frame, texts
from api.console.forecast_chart import chart_options, day_name
from api.console.forecast_figures import show_accuracy, show_stock
from api.console.forecast_outlook import Outlook, look, most_pressing
from api.console.parts import box, select, state, table, words
from api.console.sign_in import enter
from api.console.visitor import Visitor
from api.services import Services
from common.errors import Text
from operations.access import Actor
from operations.demand_chart import MaterialCard, materials
from operations.people import RegionCard, regions
from operations.stock import stock_levels


def register(services: Services) -> None:
    """Register the page; region and material may stand in its address."""

    @ui.page(frame.FORECAST.path, response_timeout=30)
    async def forecast(region: str = "", material: str = "") -> None:
        visitor = await enter(services, frame.FORECAST)
        if visitor is not None:
            await ForecastPage(visitor).show(region, material)


class ForecastPage:
    """Two choices, and below them what belongs to them."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    async def show(self, region: str, material: str) -> None:
        """Put the page; it begins with the material of the region that is likeliest to run out."""
        visitor, say = self._visitor, self._visitor.say
        with frame.full(visitor, frame.FORECAST), box("div", "fw-wide"):
            words("h1", say(texts.FORECAST_HEADING))
            found = await visitor.attempt(self._choices)
            if found is None:
                frame.trouble(visitor, say(texts.UNEXPECTED))
                return
            areas, self._cards, pressing = found
            self._areas = {area.code: say(Text(area.name_en, area.name_zh)) for area in areas}
            if not self._areas or not self._cards:
                state(say(texts.FORECAST_NO_HISTORY))
                return
            region = region if region in self._areas else next(iter(self._areas))
            self._show_choices(region, material if material in self._cards else pressing[region])
            self._below = box("div")
            await self._show_below()

    def _choices(self, actor: Actor) -> tuple[list[RegionCard], dict[str, MaterialCard], dict[str, str]]:
        with self._visitor.services.database.read() as session:
            areas = [area for area in regions(session) if actor.region_code in (None, area.code)]
            cards = {card.code: card for card in materials(session, actor)}
            return areas, cards, most_pressing(stock_levels(session, actor), cards)

    def _show_choices(self, region: str, material: str) -> None:
        say = self._visitor.say
        names = {code: say(card.name) for code, card in self._cards.items()}
        with box("section", "fw-form"):
            self._region = select(say(texts.FORECAST_REGION), self._areas, region, self._chosen)
            self._material = select(say(texts.FORECAST_MATERIAL), names, material, self._chosen)

    async def _chosen(self) -> None:
        address = f"{frame.FORECAST.path}?region={self._region.value}&material={self._material.value}"
        ui.navigate.history.replace(address)
        await self._show_below()

    async def _show_below(self) -> None:
        region, material = str(self._region.value), str(self._material.value)
        found = await self._visitor.attempt(partial(look, self._visitor.services, region, material))
        if (region, material) != (self._region.value, self._material.value):
            return  # another choice was made meanwhile
        self._below.clear()
        with self._below:
            if found is None:
                frame.trouble(self._visitor, self._visitor.say(texts.UNEXPECTED))
            else:
                self._show_outlook(found)

    def _show_outlook(self, found: Outlook) -> None:
        say = self._visitor.say
        if found.missing is not None:
            state(say(found.missing))
        if found.used:
            self._show_chart(found)
        else:
            state(say(texts.FORECAST_NO_HISTORY))
        region = self._areas[str(self._region.value)]
        show_stock(self._visitor, say(texts.FORECAST_STOCK, region=region), found, self._cards, self._pick)
        if found.quality is not None:
            show_accuracy(self._visitor, found.quality)

    def _pick(self, material: str) -> None:
        self._material.value = material

    def _show_chart(self, found: Outlook) -> None:
        say, card = self._visitor.say, self._cards[str(self._material.value)]
        ahead = [day for day in found.forecast.days if day.material_code == card.code] if found.forecast else []
        region = self._areas[str(self._region.value)]
        title = say(texts.FORECAST_CHART, material=say(card.name), region=region, days=len(found.used))
        with box("section", "fw-section"):
            words("h2", title)
            chart = ui.echart(chart_options(self._visitor, found.used, ahead)).classes("fw-chart")
            chart.props.update({"role": "img", "aria-label": title})
            if found.forecast is not None:
                origin = day_name(self._visitor, found.forecast.origin)
                words("p", say(texts.FORECAST_AS_OF, origin=origin, unit=say(card.unit)), "fw-soft fw-small")
            if any(not day.available for day in found.used):
                words("p", say(texts.FORECAST_BREAKS), "fw-soft fw-small")
            if ahead:
                self._show_days(found, title)
            elif found.forecast is not None:
                words("p", say(texts.FORECAST_NOT_FOR_PAIR), "fw-soft")

    def _show_days(self, found: Outlook, title: str) -> None:
        say, material = self._visitor.say, self._material.value
        assert found.forecast is not None, "there are days of it"
        heads = (texts.FORECAST_DAY, texts.FORECAST_LOW, texts.FORECAST_MIDDLE, texts.FORECAST_HIGH)
        curves = [
            (day_name(self._visitor, item.day), item.quantiles)
            for item in found.forecast.days
            if item.material_code == material
        ]
        curves += [
            (say(texts.FORECAST_TOTAL), item.quantiles)
            for item in found.forecast.totals
            if item.material_code == material
        ]
        rows = [[name, *(f"{curve[quantile]:,.0f}" for quantile in (0.1, 0.5, 0.9))] for name, curve in curves]
        table(title, [say(head) for head in heads], rows, figures=(1, 2, 3))
