"""What the calendar says of days, against the sources that set them.

Notices of the State Council's General Office on the holidays of 2024 (国办发明电〔2023〕7号), 2025 (〔2024〕12号) and
2026 (of 4 November 2025); for the United States 5 U.S.C. 6103.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from forecasting.calendar import HORIZON_DAYS, Calendar, build_calendar
from forecasting.calendar_check import check_calendar
from forecasting.calendar_days import country_days, holiday_names
from forecasting.calendar_seasons import AcademicYear
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey
from forecasting.training import holidays_show

FIRST = date(2024, 1, 1)
DAYS = 1096
MAKE_UP = {
    2024: ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}


@pytest.fixture(scope="module")
def china() -> Calendar:
    return build_calendar(FIRST, DAYS)


def day_of(first: date, day: date) -> int:
    return (day - first).days


def value(calendar: Calendar, name: str, day: date) -> float:
    return float(calendar.columns[name][day_of(FIRST, day)])


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


@pytest.mark.parametrize("year", sorted(MAKE_UP))
def test_worked_weekends_are_those_of_the_notices(china: Calendar, year: int) -> None:
    worked = [
        (FIRST + timedelta(days=int(day))).strftime("%m-%d")
        for day in np.flatnonzero(china.columns["make_up_day"] == 1)
        if (FIRST + timedelta(days=int(day))).year == year
    ]
    assert worked == MAKE_UP[year]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 2, 10), date(2024, 2, 17)),
        (date(2024, 4, 4), date(2024, 4, 6)),
        (date(2024, 5, 1), date(2024, 5, 5)),
        (date(2024, 9, 15), date(2024, 9, 17)),
        (date(2025, 1, 28), date(2025, 2, 4)),
        (date(2025, 5, 31), date(2025, 6, 2)),
        (date(2026, 2, 15), date(2026, 2, 23)),
        (date(2026, 10, 1), date(2026, 10, 7)),
    ],
)
def test_holidays_last_as_long_as_the_notices_say(china: Calendar, first: date, last: date) -> None:
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    assert [value(china, "rest_days_in_a_row", day) for day in days] == [len(days)] * len(days)
    assert [value(china, "rest_position", day) for day in days] == list(range(1, len(days) + 1))


def test_spring_festival_counts_25_days_before_and_after(china: Calendar) -> None:
    festival = date(2026, 2, 17)
    for distance in (-25, -2, 0, 19, 25):
        assert value(china, "spring_festival", festival + timedelta(days=distance)) == distance
    assert np.isnan(value(china, "spring_festival", festival + timedelta(days=26)))
    assert np.isnan(value(china, "spring_festival", festival - timedelta(days=26)))


def test_days_around_a_long_holiday_differ_from_those_around_a_short_one(china: Calendar) -> None:
    assert value(china, "next_holiday_length", date(2025, 9, 29)) == 8  # National Day with Mid-Autumn
    assert value(china, "last_holiday_length", date(2025, 10, 10)) == 8
    assert value(china, "next_holiday_length", date(2025, 4, 2)) == 3  # Qingming
    assert value(china, "last_holiday_length", date(2025, 4, 8)) == 3
    assert value(china, "last_holiday_length", date(2025, 8, 15)) == 0
    between = date(2024, 9, 24)  # Mid-Autumn behind, National Day ahead
    assert (value(china, "last_holiday_length", between), value(china, "next_holiday_length", between)) == (3, 7)


def test_holidays_are_told_apart_by_name(china: Calendar) -> None:
    names = [text.zh for text in holiday_names("CN")]
    for day, name in (
        (date(2025, 10, 6), "国庆节"),  # Mid-Autumn lies in National Day's run that year
        (date(2024, 9, 16), "中秋节"),
        (date(2025, 5, 5), "劳动节"),
        (date(2026, 2, 15), "春节"),
        (date(2024, 4, 6), "清明节"),
        (date(2024, 3, 6), "非节假日"),
    ):
        assert names[int(value(china, "holiday_name", day))] == name
    assert names[int(value(china, "near_holiday", date(2025, 9, 29)))] == "国庆节"
    assert value(china, "holiday_name", date(2025, 9, 29)) == 0
    assert len(names) == len(set(names))


def test_holidays_of_the_united_states_are_named_and_have_no_make_up_days() -> None:
    first = date(2025, 11, 1)
    calendar = build_calendar(first, 60, country="US")
    names = [text.en for text in holiday_names("US")]
    thanksgiving, christmas = day_of(first, date(2025, 11, 27)), day_of(first, date(2025, 12, 25))
    assert names[int(calendar.columns["holiday_name"][thanksgiving])] == "Thanksgiving Day"
    assert names[int(calendar.columns["holiday_name"][christmas])] == "Christmas Day"
    assert calendar.columns["rest_day"][thanksgiving + 1] == 0
    assert not calendar.columns["make_up_day"].any()
    assert not {"spring_festival", "days_from_618", "campus_vacation"} & set(calendar.columns)


def test_shopping_festivals_count_from_their_peak_and_end_when_they_are_far(china: Calendar) -> None:
    assert value(china, "days_from_double_11", date(2025, 11, 11)) == 0
    assert value(china, "days_from_double_11", date(2025, 10, 20)) == -22
    assert value(china, "days_from_double_11", date(2025, 11, 18)) == 7
    assert np.isnan(value(china, "days_from_double_11", date(2025, 10, 19)))
    assert np.isnan(value(china, "days_from_double_11", date(2025, 11, 19)))
    assert value(china, "days_from_618", date(2024, 6, 1)) == -17
    on = [value(china, "shopping_festival", date(2024, 6, day)) for day in (1, 18, 20, 21)]
    assert on == [1, 1, 1, 0]


def test_campus_terms_vacations_and_exams(china: Calendar) -> None:
    assert value(china, "campus_vacation", date(2026, 2, 17)) == 1
    assert value(china, "campus_vacation", date(2025, 8, 1)) == 1
    assert value(china, "campus_vacation", date(2025, 4, 15)) == 0
    assert value(china, "campus_term_day", date(2025, 9, 1)) == 1  # as Harbin Institute of Technology's calendar has it
    assert value(china, "campus_term_day", date(2025, 11, 3)) == 28
    assert value(china, "campus_exams", date(2025, 6, 30)) == 1
    assert value(china, "campus_exams", date(2025, 7, 20)) == 0


def test_a_campus_may_have_its_own_dates() -> None:
    own = AcademicYear(exam_days=7, vacations=((date(2026, 1, 12), date(2026, 3, 1)),))
    first = date(2026, 1, 1)
    columns = build_calendar(first, 90, academic=own).columns
    free = np.flatnonzero(columns["campus_vacation"])
    assert (first + timedelta(days=int(free[0])), first + timedelta(days=int(free[-1]))) == own.vacations[0]
    assert np.flatnonzero(columns["campus_exams"]).tolist() == list(range(4, 11))
    assert columns["campus_term_day"][day_of(first, date(2026, 3, 2))] == 1
    with pytest.raises(InvalidInput) as caught:
        AcademicYear(vacations=((date(2026, 3, 1), date(2026, 1, 12)),))
    assert caught.value.fields[0].pointer == "/vacations/0"


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 900),
    days=st.integers(1, 120),
    country=st.sampled_from(["CN", "US-IL", "VN", "DE"]),
)
def test_a_day_has_the_same_columns_whatever_range_is_asked_for(start: int, days: int, country: str) -> None:
    whole = build_calendar(FIRST, DAYS, country=country).columns
    part = build_calendar(FIRST + timedelta(days=start), days, country=country).columns
    assert set(part) == set(whole)
    for name, cells in part.items():
        np.testing.assert_array_equal(cells, whole[name][start : start + days], err_msg=name)


@settings(max_examples=30, deadline=None)
@given(first=st.dates(date(2002, 1, 1), date(2040, 1, 1)), country=st.sampled_from(["CN", "US", "JP", "VN"]))
def test_the_columns_of_a_day_agree_with_each_other(first: date, country: str) -> None:
    columns = build_calendar(first, 400, country=country).columns
    rest, position, run = columns["rest_day"] > 0, columns["rest_position"], columns["rest_days_in_a_row"]
    assert ((position > 0) == rest).all()
    assert (position <= run).all()
    assert (rest | (columns["holiday"] == 0)).all()
    assert (columns["days_to_holiday"] == 0).tolist() == (columns["holiday"] > 0).tolist()
    for name in ("days_to_holiday", "days_since_holiday"):
        assert ((columns[name] >= 0) & (columns[name] <= HORIZON_DAYS)).all()
    inside = columns["holiday_name"] > 0
    assert (run[inside] == columns["next_holiday_length"][inside]).all()
    assert (columns["holiday_name"][inside] == columns["near_holiday"][inside]).all()
    assert inside[columns["holiday"] > 0].all()


def test_make_up_days_that_are_not_published_are_unknown_not_none() -> None:
    calendar = build_calendar(date(2049, 12, 20), 30)
    assert calendar.unknown_years == (2049, 2050)
    assert np.isnan(calendar.columns["make_up_day"]).all()
    weekend = calendar.columns["weekday"] >= 5
    assert (calendar.columns["rest_day"][weekend] == 1).all()


def test_the_last_days_of_the_last_published_year_wait_for_the_next_notice() -> None:
    last = country_days("CN", 2024, 2024).last_known
    assert last is not None
    unknown = np.isnan(build_calendar(date(last, 12, 20), 12).columns["make_up_day"])
    assert unknown.tolist() == [False] * 5 + [True] * 7


def test_the_check_of_a_published_year_lists_what_the_notice_says() -> None:
    found = check_calendar("CN", 2025)
    assert found.published
    assert [day.strftime("%m-%d") for day in found.weekend_workdays] == MAKE_UP[2025]
    assert [day.strftime("%m-%d") for day in found.make_up_days] == ["02-03", "02-04", "05-05", "10-07", "10-08"]
    spans = [(run.name.zh, run.first_day.strftime("%m-%d"), run.days) for run in found.holidays]
    assert spans[0] == ("元旦", "01-01", 1)
    assert spans[1] == ("春节", "01-28", 8)
    assert spans[-1] == ("国庆节", "10-01", 8)
    assert found.note.zh == "已公布"


def test_the_check_of_a_year_without_notice_says_unknown() -> None:
    last = country_days("CN", 2024, 2024).last_known
    assert last is not None
    found = check_calendar("CN", last + 1)
    assert not found.published
    assert found.weekend_workdays == ()
    assert found.make_up_days == ()
    assert "unknown" in found.note.en
    assert str(last) in found.note.en
    assert any(run.name.zh == "国庆节" for run in found.holidays)


def test_the_check_finds_days_off_without_a_worked_day(monkeypatch: pytest.MonkeyPatch) -> None:
    worked, off = date(2025, 1, 26), date(2025, 2, 3)
    monkeypatch.setattr("forecasting.calendar_check.exchanged_days", lambda country, year: {off: date(2025, 1, 25)})
    note = check_calendar("CN", 2025).note.en
    assert "do not match" in note
    assert worked.isoformat() in note
    assert "2025-01-25" in note


def test_a_country_without_make_up_days_has_no_unknown_years() -> None:
    assert build_calendar(date(2030, 1, 1), 400, country="US").unknown_years == ()
    assert check_calendar("US", 2030).published


def test_a_country_that_gave_up_make_up_days_has_no_unknown_years() -> None:
    assert build_calendar(date(2025, 1, 1), 60, country="BG").unknown_years == ()


@pytest.mark.parametrize("year", [1969, 2101, -1])
def test_a_year_out_of_range_is_wrong_input(year: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_calendar("CN", year)
    assert caught.value.fields[0].pointer == "/year"


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
