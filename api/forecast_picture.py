"""The picture of a forecast for reports: PNG or SVG, eight weeks of demand beside the days ahead with their bands.

Drawn with matplotlib's objects only (no pyplot, no global settings), so that requests can draw side by side. Colours
are those of Okabe and Ito, which people with any colour vision tell apart; shapes and shades tell them apart on grey
paper.
"""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from api.picture_marks import LANE_POINTS, Bar, Placed, draw_bars, place_bars
from common.errors import Text
from forecasting.explanation_days import WEEKDAYS
from operations.demand import DayForecast
from operations.demand_history import HORIZON_DAYS
from operations.forecast_figures import SHOWN_DAYS, ForecastFigures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

PictureFormat = Literal["png", "svg"]
MEDIA_TYPES: dict[str, str] = {"png": "image/png", "svg": "image/svg+xml"}

TITLE = Text("{material}, {region}: the need of the coming {days} days", "{region} · {material}：未来 {days} 天需求")
SUBTITLE = Text(
    "as seen from the end of {origin} · model {model}",
    "预测起点：{origin} 结束时 · 模型 {model}",
)
Y_LABEL = Text("units per day ({unit})", "每日用量（{unit}）")
Y_LABEL_PLAIN = Text("units per day", "每日用量")
USED = Text("used", "实际用量")
STOCKOUT = Text("stock ran out: more may have been asked for", "缺货：实际需求可能更高")
MEDIAN = Text("median", "中位数")
BAND_50 = Text("50 % band", "50% 区间")
BAND_80 = Text("80 % band", "80% 区间")
MODEL_MEDIAN = Text("model's median, overridden", "模型中位数（已人工调整）")
EARLIER = Text("forecast of the day before, 80 % band", "前一天的预测及 80% 区间")
FORECAST = Text("forecast", "预测")
NO_FORECAST = Text("no forecast", "无预测")

WIDTH_IN, HEIGHT_IN, DPI = 10.0, 4.8, 160
_LEFT, _RIGHT, _BOTTOM = 0.065, 0.985, 0.175
_AHEAD_SHARE, _BETWEEN = 0.2, 0.012
_HEAD_IN, _PLOT_TOP_GAP_IN = 0.62, 0.05
_INK, _SOFT, _GRID, _WEEKEND = "#17211f", "#5a6a66", "#dfe5e2", "#f1f4f3"
_BLUE, _BAND_80, _BAND_50, _RED = "#0072b2", "#c6dcec", "#7fb2d6", "#d55e00"
_ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def picture(found: ForecastFigures, language: str, form: PictureFormat = "png") -> bytes:
    """Return the picture of a forecast's figures.

    Parameters
    ----------
    found : ForecastFigures
        What to show.
    language : str
        ``zh`` or ``en``.
    form : {"png", "svg"}
        PNG of 1600 × 768 pixels, or SVG with its letters as outlines, which shows everywhere.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    painter = _Painter(figure, found, language)
    painter.paint()
    target = io.BytesIO()
    about = {"Title": painter.title, "Description": painter.subtitle}
    about |= {"Creator": "Fieldwise", "Date": ""} if form == "svg" else {"Software": "Fieldwise"}
    figure.savefig(target, format=form, metadata={name: value or None for name, value in about.items()})
    return target.getvalue()


class _Painter:
    """Paints one figure."""

    def __init__(self, figure: Figure, found: ForecastFigures, language: str) -> None:
        self._figure, self._found, self._language = figure, found, language
        names = {"material": self._say(found.material.name), "region": self._say(found.region_name)}
        self.title = self._say(TITLE).format(**names, days=len(found.ahead) or HORIZON_DAYS)
        self.subtitle = self._say(SUBTITLE).format(
            origin=self._date(found.origin, year=True), model=found.model_version
        )
        self._small, self._tiny = _font(8.5), _font(7.5)

    def _say(self, text: Text) -> str:
        """Return a text in one line of letters that can be printed: people give names to events and materials."""
        line = " ".join(text.in_language(self._language).split())
        return "".join(letter for letter in line if letter.isprintable())

    def _date(self, day: date, *, year: bool = False) -> str:
        if self._language.startswith("zh"):
            return f"{day.year} 年 {day.month} 月 {day.day} 日" if year else f"{day.month}/{day.day}"
        months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        return f"{day.day} {months[day.month - 1]}" + (f" {day.year}" if year else "")

    def _weekday(self, day: date) -> str:
        name = self._say(WEEKDAYS[day.weekday()])
        return name if self._language.startswith("zh") else name[:3]

    def paint(self) -> None:
        """Paint all parts."""
        past, ahead = self._marks_of_past(), self._marks_ahead()
        lanes = 1 + max((one.lane for one in (*past, *ahead)), default=-1)
        strip = lanes * LANE_POINTS / 72 / HEIGHT_IN
        top = 1 - (_HEAD_IN + _PLOT_TOP_GAP_IN) / HEIGHT_IN - strip
        history, days = self._panels(_BOTTOM, top - _BOTTOM)
        for axes, placed in zip(
            self._panels(top + _PLOT_TOP_GAP_IN / HEIGHT_IN, strip or 0.001), (past, ahead), strict=True
        ):
            draw_bars(axes, placed, lanes, self._tiny)
        self._limits(history, days)
        self._paint_history(history)
        self._paint_ahead(days)
        self._paint_words(history, days)

    def _panels(self, bottom: float, height: float) -> tuple[Axes, Axes]:
        """Return the axes of the days before and of the days ahead at some height of the figure."""
        share = _AHEAD_SHARE * (_RIGHT - _LEFT)
        middle = _RIGHT - share
        history = self._figure.add_axes((_LEFT, bottom, middle - _BETWEEN - _LEFT, height))
        days = self._figure.add_axes((middle, bottom, share, height))
        history.set_xlim(*self._past_span())
        days.set_xlim(*self._ahead_span())
        return history, days

    def _past_span(self) -> tuple[float, float]:
        return -0.7, SHOWN_DAYS - 0.3

    def _ahead_span(self) -> tuple[float, float]:
        return -0.55, max(1, len(self._found.ahead)) - 0.25

    def _marks_of_past(self) -> list[Placed]:
        found, span = self._found, self._past_span()
        wide = (_RIGHT - _LEFT) * (1 - _AHEAD_SHARE) - _BETWEEN
        return self._placed(found.first_day, found.origin, span, wide)

    def _marks_ahead(self) -> list[Placed]:
        first = self._found.origin + timedelta(days=1)
        last = first + timedelta(days=max(1, len(self._found.ahead)) - 1)
        return self._placed(first, last, self._ahead_span(), (_RIGHT - _LEFT) * _AHEAD_SHARE)

    def _placed(self, first: date, last: date, span: tuple[float, float], share: float) -> list[Placed]:
        """Return the marks of a panel on its strip; ``share`` is the panel's width as part of the figure's."""
        bars = [
            Bar(
                (max(mark.first, first) - first).days - 0.45,
                (min(mark.last, last) - first).days + 0.45,
                self._say(mark.name),
                mark.kind in ("holiday", "make_up"),
            )
            for mark in sorted(self._found.marks, key=lambda mark: mark.kind not in ("holiday", "make_up"))
            if mark.first <= last and mark.last >= first
        ]
        return place_bars(bars, span, share * WIDTH_IN * 72 / (span[1] - span[0]), self._tiny)

    def _limits(self, history: Axes, days: Axes) -> None:
        found = self._found
        highest = max(
            [item.quantity_units for item in found.used]
            + [units for item in (*found.ahead, *found.earlier) for units in item.quantiles.values()]
            + [1.0]
        )
        for axes in (history, days):
            axes.set_ylim(0, 1.2 * highest)
            axes.grid(axis="y", color=_GRID, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(length=0, colors=_SOFT, pad=4)
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
            axes.spines["bottom"].set_color(_SOFT)
        days.set_yticklabels([])

    def _paint_history(self, axes: Axes) -> None:
        found = self._found
        for offset in range(SHOWN_DAYS):
            if (found.first_day + timedelta(days=offset)).weekday() >= 5:
                axes.axvspan(offset - 0.5, offset + 0.5, color=_WEEKEND, linewidth=0, zorder=0)
        self._paint_earlier(axes)
        units = {(item.day - found.first_day).days: item for item in found.used}
        line = [units[offset].quantity_units if offset in units else float("nan") for offset in range(SHOWN_DAYS)]
        style: dict[str, Any] = {
            "color": _INK,
            "linewidth": 1.3,
            "marker": "o",
            "markersize": 3.2,
            "clip_on": False,
            "zorder": 3,
        }
        axes.plot(range(SHOWN_DAYS), line, label=self._say(USED), **style)
        empty = [(offset, item.quantity_units) for offset, item in units.items() if not item.available]
        if empty:
            axes.plot(
                *zip(*empty, strict=True),
                linestyle="none",
                marker="o",
                markersize=8,
                markerfacecolor="white",
                markeredgecolor=_RED,
                markeredgewidth=1.8,
                clip_on=False,
                zorder=4,
                label=self._say(STOCKOUT),
            )
        mondays = [offset for offset in range(SHOWN_DAYS) if (found.first_day + timedelta(days=offset)).weekday() == 0]
        axes.set_xticks(mondays)
        axes.set_xticklabels([self._day_label(found.first_day + timedelta(days=offset)) for offset in mondays])

    def _paint_earlier(self, axes: Axes) -> None:
        found = self._found
        if not found.earlier:
            return
        places = [(item.day - found.first_day).days for item in found.earlier]
        bands = [[item.quantiles[quantile] for item in found.earlier] for quantile in (0.1, 0.5, 0.9)]
        axes.vlines(places, bands[0], bands[2], color=_BAND_80, linewidth=5, zorder=1, label=self._say(EARLIER))
        axes.plot(places, bands[1], linestyle="none", marker="_", markersize=6, color=_BLUE, zorder=2)

    def _day_label(self, day: date) -> str:
        return f"{self._weekday(day)}\n{self._date(day)}"

    def _paint_ahead(self, axes: Axes) -> None:
        found = self._found
        if not found.ahead:
            middle: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "bbox": _ON_WHITE}
            axes.text(0.5, 0.5, self._say(NO_FORECAST), color=_SOFT, fontproperties=self._small, **middle)
            axes.set_xticks([])
            return
        for place, item in enumerate(found.ahead):
            self._paint_day(axes, place, item)
        axes.text(
            0.02,
            0.975,
            self._say(FORECAST),
            transform=axes.transAxes,
            va="top",
            color=_BLUE,
            fontproperties=self._small,
            bbox=_ON_WHITE,
        )
        axes.set_xticks(range(len(found.ahead)))
        axes.set_xticklabels([self._day_label(item.day) for item in found.ahead])

    def _paint_day(self, axes: Axes, place: int, item: DayForecast) -> None:
        """Paint one day ahead: both bands, the median with its figure, and the figures of the wide band's ends."""
        at = item.quantiles
        first = place == 0
        axes.bar(
            place,
            at[0.9] - at[0.1],
            0.52,
            at[0.1],
            color=_BAND_80,
            label=self._say(BAND_80) if first else None,
        )
        axes.bar(
            place,
            at[0.75] - at[0.25],
            0.52,
            at[0.25],
            color=_BAND_50,
            label=self._say(BAND_50) if first else None,
        )
        axes.plot(
            [place - 0.26, place + 0.26],
            [at[0.5], at[0.5]],
            color=_BLUE,
            linewidth=2.6,
            solid_capstyle="butt",
            label=self._say(MEDIAN) if first else None,
        )
        # Below the band there is no room for its figure where it begins near zero.
        low_inside = at[0.1] < 0.07 * axes.get_ylim()[1]
        for quantile, below in ((0.9, False), (0.1, not low_inside)):
            axes.annotate(
                _figure(at[quantile]),
                (place, at[quantile]),
                (0, -2 if below else 2),
                textcoords="offset points",
                ha="center",
                va="top" if below else "bottom",
                color=_SOFT,
                fontproperties=self._tiny,
            )
        axes.annotate(
            _figure(at[0.5]),
            (place + 0.28, at[0.5]),
            (1, 0),
            textcoords="offset points",
            va="center",
            color=_BLUE,
            fontproperties=self._small,
        )
        if item.model_quantiles:
            label = (
                None if axes.get_legend_handles_labels()[1].count(self._say(MODEL_MEDIAN)) else self._say(MODEL_MEDIAN)
            )
            axes.plot(
                place,
                item.model_quantiles[0.5],
                linestyle="none",
                marker="D",
                markersize=5,
                markerfacecolor="white",
                markeredgecolor=_INK,
                label=label,
            )

    def _paint_words(self, history: Axes, days: Axes) -> None:
        figure, found = self._figure, self._found
        unit = self._say(found.material.unit)
        label = self._say(Y_LABEL).format(unit=unit) if unit else self._say(Y_LABEL_PLAIN)
        top = 1 - 0.12 / HEIGHT_IN
        figure.text(_LEFT, top, self.title, fontproperties=_font(13), color=_INK, va="top", parse_math=False)
        figure.text(
            _LEFT,
            top - 0.27 / HEIGHT_IN,
            f"{label} · {self.subtitle}",
            fontproperties=self._small,
            color=_SOFT,
            va="top",
            parse_math=False,
        )
        for axes in (history, days):
            for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
                text.set_fontproperties(self._small)
        entries = [axes.get_legend_handles_labels() for axes in (history, days)]
        figure.legend(
            [handle for handles, _ in entries for handle in handles],
            [name for _, names in entries for name in names],
            loc="lower left",
            bbox_to_anchor=(_LEFT - 0.012, 0.0),
            ncols=6 if sum(len(names) for _, names in entries) <= 5 else 4,
            borderpad=0.2,
            labelspacing=0.3,
            frameon=False,
            prop=self._small,
            labelcolor=_INK,
            handlelength=1.6,
            columnspacing=1.6,
        )


def _figure(units: float) -> str:
    return f"{units:,.0f}" if units >= 10 or units == 0 else f"{units:.1f}"


def _font(size: float) -> FontProperties:
    """Return the font at a size: Noto Sans SC (SIL Open Font License), which holds Latin and Chinese letters."""
    from matplotlib.font_manager import FontProperties
    from pylopdf_fonts_zh_cn import sans_path

    return FontProperties(fname=str(sans_path()), size=size)
