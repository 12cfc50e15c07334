"""The chart of a forecast, as options for ECharts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.console import texts
from api.console.server import ACCENT, RED
from api.console.visitor import Visitor
from operations.demand import DayForecast
from operations.demand_chart import ConsumptionDay

INK, SOFT, LINE = "#17211f", "#5a6a66", "#dfe5e2"
FONT = '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif'
# The tooltip leaves out the lower edge of the band, which is only there to carry it.
TOOLTIP = """(points) => {
  const lines = points.filter((point) => point.data != null && point.data.text);
  return [points[0].axisValue, ...lines.map((point) => point.marker + point.data.text)].join("<br>");
}"""


def chart_options(visitor: Visitor, used: Sequence[ConsumptionDay], ahead: Sequence[DayForecast]) -> dict[str, Any]:
    """Return the chart of what was used and what will be needed: one place on the axis for each day."""
    days = [*(item.day for item in used), *(item.day for item in ahead)]
    axis_text = {"color": SOFT, "fontFamily": FONT, "fontSize": 12}
    return {
        "animation": False,
        "aria": {"enabled": True},
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 28, "right": 40, "top": 44, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "textStyle": {**axis_text, "color": INK}, "data": _legend(visitor, ahead)},
        "tooltip": {"trigger": "axis", ":formatter": TOOLTIP},
        "xAxis": {
            "type": "category",
            "data": [day_name(visitor, day) for day in days],
            "boundaryGap": False,
            "axisLabel": {**axis_text, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": LINE}},
            "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "axisLabel": axis_text,
            "splitLine": {"lineStyle": {"color": LINE}},
        },
        "series": [_used(visitor, used), *_forecast(visitor, len(used), ahead)],
    }


def day_name(visitor: Visitor, day: date) -> str:
    """Return a day with its weekday, which is what demand follows."""
    return f"{day:%m-%d} {visitor.say(texts.WEEKDAYS[day.weekday()])}"


def _legend(visitor: Visitor, ahead: Sequence[DayForecast]) -> list[str]:
    named = (texts.FORECAST_USED, texts.FORECAST_MEDIAN, texts.FORECAST_BAND)
    return [visitor.say(name) for name in (named if ahead else named[:1])]


def _used(visitor: Visitor, used: Sequence[ConsumptionDay]) -> dict[str, Any]:
    name = visitor.say(texts.FORECAST_USED)
    return {
        "name": name,
        "type": "line",
        "data": [_used_point(visitor, name, item) for item in used],
        "symbol": "circle",
        "symbolSize": 5,
        "showAllSymbol": True,
        "lineStyle": {"color": INK, "width": 2},
        "itemStyle": {"color": INK},
    }


def _used_point(visitor: Visitor, name: str, item: ConsumptionDay) -> dict[str, Any]:
    units = round(item.quantity_units, 1)
    if item.available:
        return {"value": units, "text": f"{name} {units:,.0f}"}
    text = f"{name} {units:,.0f} · {visitor.say(texts.FORECAST_EMPTY_STOCK)}"
    return {"value": units, "text": text, "symbol": "emptyCircle", "symbolSize": 9, "itemStyle": {"color": RED}}


def _forecast(visitor: Visitor, offset: int, ahead: Sequence[DayForecast]) -> list[dict[str, Any]]:
    if not ahead:
        return []
    before: list[None] = [None] * offset
    median, band = visitor.say(texts.FORECAST_MEDIAN), visitor.say(texts.FORECAST_BAND)
    hidden = {"type": "line", "stack": "band", "symbol": "none", "lineStyle": {"opacity": 0}, "silent": True}
    low = [{"value": item.quantiles[0.1]} for item in ahead]
    width = [
        {
            "value": round(item.quantiles[0.9] - item.quantiles[0.1], 2),
            "text": f"{band} {item.quantiles[0.1]:,.0f}–{item.quantiles[0.9]:,.0f}",
        }
        for item in ahead
    ]
    middle = [{"value": item.quantiles[0.5], "text": f"{median} {item.quantiles[0.5]:,.0f}"} for item in ahead]
    return [
        {**hidden, "name": "low", "data": [*before, *low]},
        {
            **hidden,
            "name": band,
            "data": [*before, *width],
            "itemStyle": {"color": ACCENT, "opacity": 0.3},
            "areaStyle": {"color": ACCENT, "opacity": 0.2},
        },
        {
            "name": median,
            "type": "line",
            "data": [*before, *middle],
            "symbol": "circle",
            "symbolSize": 8,
            "showAllSymbol": True,
            "lineStyle": {"color": ACCENT, "width": 3, "type": "dashed"},
            "itemStyle": {"color": ACCENT},
        },
    ]
