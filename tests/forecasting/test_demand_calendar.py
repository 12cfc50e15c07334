from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from common.errors import InvalidInput
from forecasting.calendar import build_calendar
from forecasting.model import holidays_show
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey


def day_of(first: date, day: date) -> int:
    return (day - first).days


def test_national_day_and_its_make_up_days_of_2025() -> None:
    first = date(2025, 9, 20)
    columns = build_calendar(first, 30).columns
    assert columns["holiday"][day_of(first, date(2025, 10, 1))] == 1
    sunday_at_work = day_of(first, date(2025, 9, 28))
    assert columns["make_up_day"][sunday_at_work] == 1
    assert columns["rest_day"][sunday_at_work] == 0
    assert columns["rest_days_in_a_row"][day_of(first, date(2025, 10, 4))] == 8
    assert columns["days_to_holiday"][day_of(first, date(2025, 9, 29))] == 2
    assert columns["weekday"][0] == 5


def test_spring_festival_counts_days_before_and_after() -> None:
    first = date(2026, 2, 1)
    distance = build_calendar(first, 40).columns["spring_festival"]
    assert distance[day_of(first, date(2026, 2, 17))] == 0
    assert distance[day_of(first, date(2026, 2, 15))] == -2
    assert np.isnan(distance[day_of(first, date(2026, 3, 8))])


def test_make_up_days_that_are_not_published_are_unknown_not_none() -> None:
    calendar = build_calendar(date(2049, 12, 20), 30)
    assert calendar.unknown_years == (2049, 2050)
    assert np.isnan(calendar.columns["make_up_day"]).all()


def test_a_country_without_make_up_days_has_no_unknown_years() -> None:
    assert build_calendar(date(2030, 1, 1), 400, country="US").unknown_years == ()


def test_a_subdivision_has_its_own_holidays() -> None:
    lincoln = date(2025, 2, 12)
    assert build_calendar(lincoln, 1, country="US-IL").columns["holiday"][0] == 1
    assert build_calendar(lincoln, 1, country="US").columns["holiday"][0] == 0


@pytest.mark.parametrize("country", ["XX", "US-ZZ", ""])
def test_an_unknown_country_is_wrong_input(country: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_calendar(date(2025, 1, 1), 3, country=country)
    assert caught.value.fields[0].pointer == "/country"


@pytest.mark.parametrize(("factor", "shows"), [(1.0, False), (2.5, True)])
def test_holidays_count_only_where_they_show_in_the_history(factor: float, shows: bool) -> None:
    first, days = date(2024, 1, 1), 500
    calendar = build_calendar(first, days)
    rng = np.random.default_rng(3)
    weekday_off = (calendar.columns["rest_day"] > 0) & (calendar.columns["weekday"] < 5)
    quantity = rng.poisson(50 * np.where(weekday_off, factor, 1.0), size=(3, days)).astype(float)
    panel = Panel(first, tuple(SeriesKey(str(row), "pack") for row in range(3)), quantity, {})
    assert holidays_show(panel, calendar) is shows
