"""Why the stored forecast is what it is: each day against the same weekday a week earlier, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import InvalidInput
from forecasting.explanation import WEEK_DAYS, Asked, Explanation, explain_without_history
from forecasting.explanation import explain as explain_forecasts
from forecasting.forecaster import Forecaster
from forecasting.model_file import load_forecaster
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from operations.access import Actor
from operations.demand_history import HORIZON_DAYS, history, with_plans
from operations.demand_marks import DayMark, marks, on_day
from operations.forecast_models import model_file
from operations.forecast_overrides import OverrideCard
from operations.forecast_words import WORDING
from operations.forecasts import ForecastQuestion, stored_forecast
from operations.store.tables import DailyConsumption

OWN_DAYS = 28
"""A series with so many recorded days in the year before is described by itself; one with fewer leans on others."""
_YEAR_DAYS = 364


@dataclass(frozen=True, slots=True)
class DayExplanation:
    """What moved the forecast of one day.

    Attributes
    ----------
    explanation : Explanation
        Of the model's mean forecast.
    override : OverrideCard or None
        What a person made of it instead: that is not part of the explanation.
    marks, marks_before : tuple of DayMark
        Holidays and events by name, of the day and of the day a week earlier.
    """

    explanation: Explanation
    override: OverrideCard | None
    marks: tuple[DayMark, ...]
    marks_before: tuple[DayMark, ...]


@dataclass(frozen=True, slots=True)
class ForecastExplanations:
    """Explanations of the newest stored forecast, seen from the end of ``origin``, by the model that made it."""

    origin: date
    model_version: str
    days: tuple[DayExplanation, ...]


def explain(
    session: Session, folder: Path, actor: Actor, region_code: str, material_code: str, *, day: date | None = None
) -> ForecastExplanations:
    """Explain the newest stored forecast of one region and material, with the model that made it.

    History and plans are read as they are recorded now, up to the forecast's origin: what was corrected since is
    explained as corrected.

    Parameters
    ----------
    session : Session
        To read from.
    folder : Path
        Where models are kept.
    actor : Actor
        Who asks.
    region_code, material_code : str
        Which forecast.
    day : date, optional
        Only this day; all days ahead by default.

    Raises
    ------
    Forbidden
        When the actor may not see forecasts, or not of this region.
    InvalidInput
        For an unknown region or material, or a day that is not forecast.
    NotReady
        When nothing has been forecast yet, or the model's file is gone.
    """
    stored = stored_forecast(session, actor, ForecastQuestion(region_code, material_code))
    possible = [stored.origin + timedelta(days=ahead) for ahead in range(1, HORIZON_DAYS + 1)]
    if day is not None and day not in possible:
        raise InvalidInput.at(
            "query/day",
            f"{day} is not among the days forecast: {possible[0]} to {possible[-1]}",
            f"{day} 不在预测范围内：{possible[0]} 至 {possible[-1]}",
        )
    days = possible if day is None else [day]
    forecaster = _forecaster(folder, stored.model_version)
    found = _explanations(session, forecaster, SeriesKey(region_code, material_code), stored.origin, days)
    overrides = {item.day: item.override for item in stored.days}
    country = forecaster.learned.config.country
    span = marks(session, region_code, days[0] - timedelta(days=WEEK_DAYS), days[-1], country=country)
    return ForecastExplanations(
        stored.origin,
        stored.model_version,
        tuple(
            DayExplanation(
                one, overrides.get(one.day), on_day(span, one.day), on_day(span, one.day - timedelta(days=WEEK_DAYS))
            )
            for one in found
        ),
    )


def _explanations(
    session: Session, forecaster: Forecaster, key: SeriesKey, origin: date, days: list[date]
) -> tuple[Explanation, ...]:
    recorded = _own_days(session, key, origin)
    panel = _own_history(session, key, origin) if recorded >= OWN_DAYS else history(session)
    if key not in panel.series:
        return tuple(explain_without_history(key, day) for day in days)
    return explain_forecasts(forecaster, panel, Asked(origin, [key], days), wording=WORDING)


def _own_days(session: Session, key: SeriesKey, origin: date) -> int:
    """Return on how many days of the year before the earlier of both origins demand is known."""
    last = origin - timedelta(days=WEEK_DAYS)
    query = select(func.count()).where(
        DailyConsumption.region_code == key.region,
        DailyConsumption.material_code == key.item,
        DailyConsumption.available.is_(True),
        DailyConsumption.day > last - timedelta(days=_YEAR_DAYS),
        DailyConsumption.day <= last,
    )
    return session.scalar(query) or 0


def _own_history(session: Session, key: SeriesKey, origin: date) -> Panel:
    """Return the history of one region and material up to ``origin`` with its plans for the days ahead.

    A series with a history of its own is described by nothing else, so there is no need to read all the others.
    """
    import pandas as pd

    query = select(DailyConsumption.day, DailyConsumption.quantity_units, DailyConsumption.available).where(
        DailyConsumption.region_code == key.region,
        DailyConsumption.material_code == key.item,
        DailyConsumption.day <= origin,
    )
    rows = [(row.day, row.quantity_units, row.available) for row in session.execute(query)]
    rows += [(origin + timedelta(days=ahead), None, True) for ahead in range(1, HORIZON_DAYS + 1)]
    frame = pd.DataFrame(rows, columns=["date", "quantity", "available"])
    frame.insert(1, "region", key.region)
    frame.insert(2, "item", key.item)
    return Panel.from_frame(with_plans(session, frame))


def _forecaster(folder: Path, version: str) -> Forecaster:
    """Return a model, kept in memory from one question to the next.

    Raises
    ------
    NotReady
        When its file is gone or damaged.
    """
    path = model_file(folder, version)
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _loaded(path, stamp)


@lru_cache(maxsize=2)
def _loaded(path: Path, stamp: int) -> Forecaster:
    """Return the model of a file as it was written at ``stamp``."""
    return load_forecaster(path)
