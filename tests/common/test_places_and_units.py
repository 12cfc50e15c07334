"""Coordinates and clock times."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location, great_circle_m
from common.units import format_clock_time, parse_clock_time

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)


def test_swapped_coordinates_are_called_swapped() -> None:
    with pytest.raises(InvalidInput, match="swapped"):
        Location(104.06, 30.66)


@pytest.mark.parametrize(("latitude", "longitude"), [(math.nan, 0), (0, math.inf), (-91, -170), (0, 181), (True, 0)])
def test_points_off_the_earth_are_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInput):
        Location(latitude, longitude)


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert great_circle_m(Location(30, 104), Location(31, 104)) == pytest.approx(111_195, rel=1e-4)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distance_is_symmetric_and_at_most_half_the_earth(a: float, b: float, c: float, d: float) -> None:
    start, end = Location(a, b), Location(c, d)
    assert great_circle_m(start, end) == pytest.approx(great_circle_m(end, start), abs=1e-6)
    assert 0 <= great_circle_m(start, end) <= 20_015_200


@given(st.integers(0, 24 * 60).map(lambda minutes: minutes * 60))
def test_clock_times_survive_writing_and_reading(seconds: int) -> None:
    assert parse_clock_time(format_clock_time(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "9", "9:5", "25:00", "24:01", "09:60", "nine", "-1:00"])
def test_wrong_clock_times_are_refused_with_their_place(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_clock_time(text, pointer="/reps/0/shift_start")
    assert caught.value.fields[0].pointer == "/reps/0/shift_start"
