"""Daily demand of every material in every region, with the true mean behind it.

The mean is a product of known causes and of noise that nobody can know beforehand; the causes are those of the domain's
rules (weekday, holidays, make-up days, terms and exams, events, planned visits), their sizes are chosen by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.days import Days
from training_data.sample_organisation.geography import DISTRICTS
from training_data.sample_organisation.materials import MATERIALS, usual_levels

Array = NDArray[np.float64]

WEEKDAY_FACTORS = {
    "mall": (0.80, 0.78, 0.82, 0.90, 1.06, 1.62, 1.52),
    "community": (0.86, 0.88, 0.90, 0.92, 1.00, 1.34, 1.24),
    "campus": (1.04, 1.10, 1.12, 1.08, 1.00, 0.78, 0.68),
    "business": (1.10, 1.18, 1.18, 1.12, 1.00, 0.36, 0.14),
}
HOLIDAY_FACTORS = {"mall": 2.3, "community": 1.35, "campus": 0.4, "business": 0.08}
FESTIVAL_CLOSED_FACTORS = {"mall": 0.35, "community": 0.2, "campus": 0.02, "business": 0.02}
"""From the eve of Spring Festival to its third day."""
EVENT_FACTORS = {
    "exam": {"campus": 0.5},
    "term_start": {"campus": 2.8, "mall": 1.05},
    "fair": {"mall": 1.7, "community": 1.35, "business": 2.0},
    "promotion": {"mall": 1.45, "community": 1.25, "campus": 1.3, "business": 1.1},
    "opening": {"mall": 1.6, "community": 1.2},
    "community_day": {"community": 1.75, "mall": 1.1},
}
VACATION_FACTOR = 0.12
MAKE_UP_FACTOR = 1.04
BEFORE_HOLIDAY_GIFT_FACTOR = 1.25
BEFORE_FESTIVAL_FACTORS = {"mall": 1.5, "community": 1.6, "campus": 1.0, "business": 1.15}
"""Twelve to three days before Spring Festival."""
VISITS_ELASTICITY = 0.45
"""Demand rises by 0.45 % when one per cent more visits are planned than usual on that weekday."""
WEATHER_STRENGTH = {"mall": 0.7, "community": 1.2, "campus": 0.9, "business": 0.4}
WEATHER_SD, WEATHER_MEMORY = 0.10, 0.72
SERIES_SD, SERIES_MEMORY = 0.06, 0.9


@dataclass(frozen=True, slots=True)
class Causes:
    """What the logarithm of the true mean is made of; all arrays are of shape (regions, materials, days).

    Attributes
    ----------
    known : float array
        Level, trend, calendar, events and planned visits: what one who knew all rules could say beforehand.
    weather, own : float array
        Noise with memory that a region's materials share, each with a strength of its own, and noise of the series.
    """

    known: Array
    weather: Array
    own: Array

    @property
    def mean(self) -> Array:
        """True mean of each day, noise included; units a day."""
        mean: Array = np.exp(self.known + self.weather + self.own)
        return mean

    def mean_ahead(self, days_ahead: int) -> Array:
        """Return the mean of each day as the best forecaster could know it ``days_ahead`` days before, at least 1.

        Such a forecaster knows all rules and the noise of its origin, which nobody can observe, and expects it to fade
        as it does. The first ``days_ahead`` days are NaN.
        """
        expected = self.known.copy()
        expected[..., :days_ahead] = np.nan
        for noise, memory, sd in self._noises():
            kept = memory**days_ahead
            expected[..., days_ahead:] += kept * noise[..., :-days_ahead]
            # The mean of a log-normal value lies above its median by half the variance that is still open.
            expected += 0.5 * sd**2 * (1.0 - kept**2)
        mean: Array = np.exp(expected)
        return mean

    def _noises(self) -> tuple[tuple[Array, float, Array], ...]:
        strength = _weather_strength() * WEATHER_SD
        return (self.weather, WEATHER_MEMORY, strength), (self.own, SERIES_MEMORY, np.full_like(strength, SERIES_SD))


@dataclass(frozen=True, slots=True)
class Demand:
    """What regions would use if stock never ran out.

    Attributes
    ----------
    mean : float array, shape (regions, materials, days)
        True mean of each day, noise of weather included; units a day.
    wanted : int array, shape (regions, materials, days)
        One draw around the mean.
    """

    mean: Array
    wanted: NDArray[np.int64]


def make_demand(
    days: Days, planned_visits: NDArray[np.int64], events: list[dict[str, Any]], rng: np.random.Generator
) -> Demand:
    """Return the demand of the past days.

    Parameters
    ----------
    planned_visits : int array, shape (regions, days)
        What the regions had planned, the future included.
    events : list of dict
        Rows of the table ``event``.
    """
    mean = make_causes(days, planned_visits, events, rng).mean
    size = np.array([plan.dispersion for plan in MATERIALS])[None, :, None]
    wanted = rng.negative_binomial(size, size / (size + mean))
    return Demand(mean, wanted.astype(np.int64))


def make_causes(
    days: Days, planned_visits: NDArray[np.int64], events: list[dict[str, Any]], rng: np.random.Generator
) -> Causes:
    """Return what the demand of the past days is made of; parameters as for :func:`make_demand`."""
    count = days.history
    known = np.log(usual_levels(rng))[:, :, None] + _trend(count, rng)
    known += np.log(_calendar_factors(days))[None, :, :count]
    known += np.log(_event_factors(days, events))[:, :, :count]
    known += VISITS_ELASTICITY * _surplus_visits(days, planned_visits)[:, None, :count]
    weather = _memory_noise((len(DISTRICTS), 1, count), WEATHER_SD, WEATHER_MEMORY, rng)
    own = _memory_noise((len(DISTRICTS), len(MATERIALS), count), SERIES_SD, SERIES_MEMORY, rng)
    return Causes(known, weather * _weather_strength(), own)


def _weather_strength() -> Array:
    return np.array([WEATHER_STRENGTH[plan.pattern] for plan in MATERIALS])[None, :, None]


def _trend(count: int, rng: np.random.Generator) -> Array:
    """Return a slow change of each series: between 12 % down and 30 % up a year, with a wave of its own."""
    years = (np.arange(count) - count / 2) / 365.25
    shape = (len(DISTRICTS), len(MATERIALS), 1)
    slope = rng.uniform(np.log(0.88), np.log(1.30), shape)
    phase = rng.uniform(0.0, 2 * np.pi, shape)
    wave: Array = slope * years + 0.06 * np.sin(2 * np.pi * years + phase)
    return wave


def _calendar_factors(days: Days) -> Array:
    """Return the factor of the calendar, shape (materials, days)."""
    factors = np.empty((len(MATERIALS), len(days.days)))
    shut = (days.to_festival <= 1) & (days.to_festival >= -2)
    before_festival = (days.to_festival >= 3) & (days.to_festival <= 12) & ~days.holiday
    eve = np.append(days.holiday[1:] & ~days.holiday[:-1], False)
    # A long holiday is strongest on its first days.
    fading = 0.75 + 0.5 * np.exp(-0.35 * np.maximum(days.holiday_day - 1, 0))
    for row, plan in enumerate(MATERIALS):
        weekday = np.array(WEEKDAY_FACTORS[plan.pattern])
        factor = weekday[days.weekday]
        factor[days.make_up] = MAKE_UP_FACTOR * weekday[:4].mean()
        factor[days.holiday] = HOLIDAY_FACTORS[plan.pattern] * fading[days.holiday]
        factor[before_festival] *= BEFORE_FESTIVAL_FACTORS[plan.pattern]
        factor[shut] = FESTIVAL_CLOSED_FACTORS[plan.pattern]
        if plan.gift:
            factor[eve | before_festival] *= BEFORE_HOLIDAY_GIFT_FACTOR
        if plan.pattern == "campus":
            factor[days.vacation] *= VACATION_FACTOR
        factors[row] = factor
    return factors


def _event_factors(days: Days, events: list[dict[str, Any]]) -> Array:
    """Return the factor of all events, shape (regions, materials, days)."""
    factors = np.ones((len(DISTRICTS), len(MATERIALS), len(days.days)))
    regions = [district.code for district in DISTRICTS]
    for event in events:
        first, last = max(days.index(event["starts_on"]), 0), days.index(event["ends_on"]) + 1
        where = [regions.index(event["region_code"])] if event["region_code"] else list(range(len(regions)))
        for row, plan in enumerate(MATERIALS):
            factors[where, row, first:last] *= EVENT_FACTORS[event["kind"]].get(plan.pattern, 1.0)
    return factors


def _surplus_visits(days: Days, planned_visits: NDArray[np.int64]) -> Array:
    """Return the logarithm of planned visits over their usual number on that weekday, within ±0.7."""
    surplus = np.zeros(planned_visits.shape)
    working = np.maximum(planned_visits, 1)
    for weekday in range(7):
        same = days.weekday == weekday
        usual = np.median(working[:, same], axis=1, keepdims=True)
        surplus[:, same] = np.log(working[:, same] / usual)
    return np.clip(surplus, -0.7, 0.7)


def _memory_noise(shape: tuple[int, ...], sd: float, memory: float, rng: np.random.Generator) -> Array:
    """Return stationary AR(1) noise along the last axis."""
    shocks = rng.normal(0.0, sd * np.sqrt(1 - memory**2), shape)
    noise = np.empty(shape)
    noise[..., 0] = rng.normal(0.0, sd, shape[:-1])
    for step in range(1, shape[-1]):
        noise[..., step] = memory * noise[..., step - 1] + shocks[..., step]
    return noise
