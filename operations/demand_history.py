"""Consumption with all that was and is known beforehand: the history that the forecaster learns from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.clock import local_date
from common.errors import NotReady, Text
from forecasting.panel import Panel
from operations.store.tables import DailyConsumption, Event, PlannedActivity, Region
from operations.vocabulary import EVENT_KINDS

if TYPE_CHECKING:
    import pandas as pd

HORIZON_DAYS = 3
"""Days ahead that logistics can act on."""


def history(session: Session) -> Panel:
    """Return consumption with its known-future covariates: planned visits, and events by kind.

    Days on which stock ran out are unknown demand, not low demand. A day that is not over yet where its region lies is
    left out: half a day's consumption is not the day's demand. Covariates reach as far as plans do.

    Raises
    ------
    NotReady
        When no consumption is recorded for a day that is over.
    """
    import pandas as pd

    closed = last_closed_days(session)
    columns = (
        DailyConsumption.day,
        DailyConsumption.region_code,
        DailyConsumption.material_code,
        DailyConsumption.quantity_units,
        DailyConsumption.available,
    )
    names = ["date", "region", "item", "quantity", "available"]
    rows = (tuple(row) for row in session.execute(select(*columns)) if row.day <= closed[row.region_code])
    demand = pd.DataFrame(rows, columns=names)
    if demand.empty:
        raise NotReady(Text("no consumption is recorded yet", "尚无物料消耗记录"))
    frame = with_plans(session, pd.concat([demand, _days_ahead(demand)], ignore_index=True))
    frame["available"] = frame["available"].fillna(True).astype(bool)
    return Panel.from_frame(frame)


def with_plans(session: Session, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows (``region``, ``date``) with their known-future covariates: planned visits, and events by kind."""
    frame = frame.merge(_planned_visits(session), on=["region", "date"], how="left")
    for kind, strength in _event_strengths(session, frame).items():
        frame[f"event_{kind}"] = strength
    return frame


def last_closed_days(session: Session) -> dict[str, date]:
    """Return for each region the last day that is over there: yesterday by its own time zone."""
    now = session.info["clock"].now()
    regions = session.execute(select(Region.code, Region.time_zone))
    return {code: local_date(now, ZoneInfo(zone)) - timedelta(days=1) for code, zone in regions}


def _days_ahead(demand: pd.DataFrame) -> pd.DataFrame:
    """Return rows without a quantity for the days to forecast, which carry covariates only."""
    import pandas as pd

    last = demand["date"].max()
    series = demand[["region", "item"]].drop_duplicates()
    days = pd.DataFrame({"date": [last + timedelta(days=ahead) for ahead in range(1, HORIZON_DAYS + 1)]})
    return series.merge(days, how="cross")


def _planned_visits(session: Session) -> pd.DataFrame:
    import pandas as pd

    query = select(PlannedActivity.region_code, PlannedActivity.day, PlannedActivity.planned_visits)
    rows = [tuple(row) for row in session.execute(query)]
    return pd.DataFrame(rows, columns=["region", "date", "planned_visits"])


def _event_strengths(session: Session, frame: pd.DataFrame) -> dict[str, list[float]]:
    """Return for each kind of event its strength by row: thousands of expected visitors, at least 1 on its days."""
    by_day: dict[str, dict[tuple[str | None, date], float]] = {kind: {} for kind in EVENT_KINDS}
    for event in session.scalars(select(Event)):
        strength = max(1.0, event.expected_visitors / 1000)
        for offset in range((event.ends_on - event.starts_on).days + 1):
            place = (event.region_code, event.starts_on + timedelta(days=offset))
            by_day[event.kind][place] = by_day[event.kind].get(place, 0.0) + strength
    places = list(zip(frame["region"], frame["date"], strict=True))
    return {
        kind: [days.get((region, day), 0.0) + days.get((None, day), 0.0) for region, day in places]
        for kind, days in by_day.items()
        if days
    }
