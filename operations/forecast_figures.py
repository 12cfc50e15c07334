"""The figures of a forecast's picture: eight weeks of demand, the days ahead with their bands, and what marks the days.

They come from the installation's stored forecast, or from any demand file and a model of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import InvalidInput, Text
from forecasting.forecaster import Forecaster, quantile_column
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from operations.access import Actor
from operations.demand_chart import ConsumptionDay, MaterialCard, recent_consumption
from operations.demand_history import HORIZON_DAYS
from operations.demand_marks import DayMark, holiday_marks, marks
from operations.forecasts import DayForecast, ForecastQuestion, stored_forecast
from operations.people import require_region
from operations.store.tables import Forecast, Material

SHOWN_DAYS = 56
PICTURE_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_EARLIER_QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class ForecastFigures:
    """What a picture of one forecast shows.

    Attributes
    ----------
    region_name : Text
        Of the region.
    material : MaterialCard
        With the word for one unit.
    origin : date
        Last day that the forecast read.
    model_version : str
        Which model made it.
    used : tuple of ConsumptionDay
        Up to 56 days up to the origin; days that are not recorded have no item.
    ahead : tuple of DayForecast
        The days after the origin with the quantiles of `PICTURE_QUANTILES`; none where there is no forecast.
    marks : tuple of DayMark
        Holidays and events of all these days.
    earlier : tuple of DayForecast
        What was forecast for the days before from the day before each, where it is kept and asked for.
    """

    region_name: Text
    material: MaterialCard
    origin: date
    model_version: str
    used: tuple[ConsumptionDay, ...]
    ahead: tuple[DayForecast, ...]
    marks: tuple[DayMark, ...]
    earlier: tuple[DayForecast, ...] = ()

    @property
    def first_day(self) -> date:
        """The first day shown, whether recorded or not."""
        return self.origin - timedelta(days=SHOWN_DAYS - 1)


@dataclass(frozen=True, slots=True)
class FiguresQuestion:
    """Which picture is asked for.

    Attributes
    ----------
    region_code, material_code : str
        Of which forecast.
    country : str or None
        Whose holidays are marked.
    earlier : bool
        Whether earlier forecasts are shown beside what was used.
    """

    region_code: str
    material_code: str
    country: str | None = "CN"
    earlier: bool = False


def figures(session: Session, actor: Actor, question: FiguresQuestion) -> ForecastFigures:
    """Return the figures of the newest stored forecast of one region and material.

    Raises
    ------
    Forbidden
        When the actor may not see forecasts, or not of this region.
    InvalidInput
        For an unknown region or material.
    NotReady
        When nothing has been forecast yet.
    """
    region, material = question.region_code, question.material_code
    stored = stored_forecast(session, actor, ForecastQuestion(region, material, quantiles=PICTURE_QUANTILES))
    first, last = stored.origin - timedelta(days=SHOWN_DAYS - 1), stored.origin + timedelta(days=HORIZON_DAYS)
    recorded = recent_consumption(session, actor, region, material, days=SHOWN_DAYS + HORIZON_DAYS)
    place = require_region(session, region, pointer="query/region")
    row = session.get_one(Material, material)
    return ForecastFigures(
        region_name=Text(place.name_en, place.name_zh),
        material=MaterialCard(row.code, Text(row.name_en, row.name_zh), Text(row.unit_en, row.unit_zh)),
        origin=stored.origin,
        model_version=stored.model_version,
        used=tuple(item for item in recorded if first <= item.day <= stored.origin),
        ahead=stored.days,
        marks=tuple(marks(session, region, first, last, country=question.country)),
        earlier=_earlier(session, question, first, stored.origin) if question.earlier else (),
    )


def _earlier(session: Session, question: FiguresQuestion, first: date, last: date) -> tuple[DayForecast, ...]:
    """Return what was forecast for each day from the day before it."""
    query = (
        select(Forecast.day, Forecast.origin, Forecast.quantile, Forecast.quantity_units)
        .where(
            Forecast.region_code == question.region_code,
            Forecast.material_code == question.material_code,
            Forecast.day >= first,
            Forecast.day <= last,
            Forecast.quantile.in_(_EARLIER_QUANTILES),
        )
        .order_by(Forecast.day)
    )
    curves: dict[date, dict[float, float]] = {}
    for day, origin, quantile, units in session.execute(query):
        if (day - origin).days == 1:
            curves.setdefault(day, {})[quantile] = units
    return tuple(DayForecast(question.region_code, question.material_code, day, curve) for day, curve in curves.items())


def figures_of_panel(panel: Panel, forecaster: Forecaster, region: str, item: str) -> ForecastFigures:
    """Return the figures of a demand file's series, forecast from its last known day by a model of it.

    Raises
    ------
    InvalidInput
        When the file has no such series.
    NotReady
        When it holds no demand at all.
    """
    key = SeriesKey(region, item)
    if key not in panel.series:
        raise InvalidInput.at(
            "--region", f"the file has no {item!r} in {region!r}", f"文件中没有 {region!r} 的 {item!r}"
        )
    made = forecaster.predict(panel, quantiles=PICTURE_QUANTILES)
    own = made.days[(made.days["region"] == region) & (made.days["item"] == item)]
    ahead = tuple(
        DayForecast(region, item, row["date"].date(), {q: float(row[quantile_column(q)]) for q in PICTURE_QUANTILES})
        for row in own.to_dict("records")
    )
    first = made.origin - timedelta(days=SHOWN_DAYS - 1)
    last = ahead[-1].day if ahead else made.origin
    return ForecastFigures(
        region_name=Text(region, region),
        material=MaterialCard(item, Text(item, item), Text("", "")),
        origin=made.origin,
        model_version=forecaster.version,
        used=tuple(_known(panel, panel.series.index(key), first, made.origin)),
        ahead=ahead,
        marks=tuple(holiday_marks(first, last, forecaster.learned.country)),
    )


def _known(panel: Panel, row: int, first: date, last: date) -> list[ConsumptionDay]:
    start = max(0, panel.column_of(first))
    quantity = panel.quantity[row, start : panel.column_of(last) + 1]
    return [
        ConsumptionDay(panel.first_day + timedelta(days=start + offset), float(units), available=True)
        for offset, units in enumerate(quantity.tolist())
        if not np.isnan(units)
    ]
