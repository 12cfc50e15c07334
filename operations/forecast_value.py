"""What overrides were worth: forecast value added, once their days have come (Gilliland 2010)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.access import Actor
from operations.forecast_overrides import effective_units
from operations.store.tables import DailyConsumption, ForecastOverride

_Lived = tuple[ForecastOverride, float]


@dataclass(frozen=True, slots=True)
class OverrideValue:
    """What the overrides of a person, or with a reason, were worth.

    Attributes
    ----------
    days : int
        Overrides whose day has come with a known demand.
    better : int
        How many of them were nearer to it than the model.
    model_error_units, override_error_units : float
        Sums of absolute errors.
    value_added_units : float
        Error of the model minus error of the overrides: above zero they helped.
    """

    name: str
    days: int
    better: int
    model_error_units: float
    override_error_units: float

    @property
    def value_added_units(self) -> float:
        """Error of the model minus error of the overrides."""
        return self.model_error_units - self.override_error_units


@dataclass(frozen=True, slots=True)
class ValueReport:
    """Forecast value added in all, by person and by reason, the most overrides first; ``waiting`` days are to come."""

    total: OverrideValue
    by_person: tuple[OverrideValue, ...]
    by_reason: tuple[OverrideValue, ...]
    waiting: int


def override_value(
    session: Session, actor: Actor, *, region_code: str | None = None, since: date | None = None
) -> ValueReport:
    """Return what the overrides of the actor's regions were worth.

    Only those count that were not withdrawn. Days on which stock ran out tell nothing, since what was asked for is not
    known. Both errors are against the forecast as it stood when the override was made.

    Parameters
    ----------
    since : date, optional
        Only of days from this one on.
    """
    actor.require("forecasts:read")
    region = actor.region_or_own(region_code)
    query = (
        select(ForecastOverride, DailyConsumption)
        .outerjoin(
            DailyConsumption,
            (DailyConsumption.region_code == ForecastOverride.region_code)
            & (DailyConsumption.material_code == ForecastOverride.material_code)
            & (DailyConsumption.day == ForecastOverride.day),
        )
        .where(ForecastOverride.withdrawn_at.is_(None))
    )
    if region is not None:
        query = query.where(ForecastOverride.region_code == region)
    if since is not None:
        query = query.where(ForecastOverride.day >= since)
    lived: list[_Lived] = []
    waiting = 0
    for row, came in session.execute(query):
        if came is None:
            waiting += 1
        elif came.available:
            lived.append((row, came.quantity_units))
    by_person: dict[str, list[_Lived]] = defaultdict(list)
    by_reason: dict[str, list[_Lived]] = defaultdict(list)
    for row, units in lived:
        by_person[row.created_by].append((row, units))
        by_reason[row.reason].append((row, units))
    return ValueReport(_summed("", lived), _ranked(by_person), _ranked(by_reason), waiting)


def _ranked(groups: dict[str, list[_Lived]]) -> tuple[OverrideValue, ...]:
    values = [_summed(name, rows) for name, rows in groups.items()]
    return tuple(sorted(values, key=lambda value: (-value.days, value.name)))


def _summed(name: str, rows: Iterable[_Lived]) -> OverrideValue:
    model, override, better, days = 0.0, 0.0, 0, 0
    for row, came in rows:
        said = effective_units(row.model_units, quantity_units=row.quantity_units, factor=row.factor)
        model_error, override_error = abs(row.model_units - came), abs(said - came)
        model, override, days = model + model_error, override + override_error, days + 1
        better += override_error < model_error
    return OverrideValue(name, days, better, model, override)
