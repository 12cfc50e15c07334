"""What the forecast page shows of one region and material, read in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from api.services import Services
from common.errors import NotReady, Text
from operations.access import Actor
from operations.demand import Accuracy, StoredForecast, accuracy, newest_forecast
from operations.demand_chart import ConsumptionDay, recent_consumption
from operations.stock import StockLevel, stock_levels

HISTORY_DAYS = 28


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was used, what is forecast for the whole region, its stock, and how good the forecast is.

    Forecast and quality are None as long as they cannot be told; ``missing`` says why.
    """

    used: list[ConsumptionDay]
    forecast: StoredForecast | None
    levels: list[StockLevel]
    quality: Accuracy | None
    missing: Text | None


def look(services: Services, region: str, material: str, actor: Actor) -> Outlook:
    """Return the outlook of a region with the recent use of one material."""
    forecast, quality, missing = None, None, None
    with services.database.read() as session:
        used = recent_consumption(session, actor, region, material, days=HISTORY_DAYS)
        levels = stock_levels(session, actor, region_code=region)
        try:
            forecast = newest_forecast(session, actor, region_code=region)
            quality = accuracy(session, actor)
        except NotReady as error:
            missing = error.text
    return Outlook(used, forecast, levels, quality, missing)


def stockout_chance(level: StockLevel) -> float | None:
    """Return how likely a material has run out at the end of the forecast, 0 to 1, or None without a forecast."""
    return level.outlook[-1].stockout_probability if level.outlook else None


def most_pressing(levels: Iterable[StockLevel], known: Collection[str]) -> dict[str, str]:
    """Return for each region the material that is likeliest to run out; the first known one where nothing can be said.

    Parameters
    ----------
    known : collection of str
        Codes of all materials, at least one.
    """
    worst: dict[str, StockLevel] = {}
    for level in levels:
        if level.region_code not in worst or _risk(level) > _risk(worst[level.region_code]):
            worst[level.region_code] = level
    first = next(iter(known))
    return defaultdict(lambda: first, {region: level.material_code for region, level in worst.items()})


def _risk(level: StockLevel) -> float:
    return stockout_chance(level) or 0.0
