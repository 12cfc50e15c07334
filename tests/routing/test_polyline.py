"""Encoded polylines: known examples, every line comes back, shorter lines stay near."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.places import Location, great_circle_m
from routing.travel.polyline import decode_polyline, encode_polyline, shortened

points = st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=30)
near_points = st.lists(st.tuples(st.floats(30.0, 30.05), st.floats(104.0, 104.05)), min_size=2, max_size=40)


def test_the_published_example_is_written_and_read():
    line = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]
    assert encode_polyline(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
    assert decode_polyline("_p~iF~ps|U_ulLnnqC_mqNvxq`@") == line


@given(line=points, precision=st.sampled_from([5, 6]))
def test_every_line_comes_back_to_its_last_decimal(line, precision):
    back = decode_polyline(encode_polyline(line, precision=precision), precision=precision)
    assert len(back) == len(line)
    for before, after in zip(line, back, strict=True):
        assert after == pytest.approx(before, abs=0.51 * 10**-precision)


@given(line=points)
def test_what_was_read_is_written_the_same_again(line):
    text = encode_polyline(line)
    assert encode_polyline(decode_polyline(text)) == text


@pytest.mark.parametrize("text", ["_p~iF", "_p~iF~", "\n", "中文", " "])
def test_other_texts_are_refused(text):
    with pytest.raises(InvalidInput):
        decode_polyline(text)


@given(line=near_points, most=st.integers(2, 10))
def test_a_shortened_line_keeps_its_ends_its_order_and_its_limit(line, most):
    short = shortened(line, most=most)
    assert len(short) <= max(2, min(most, len(line)))
    assert (short[0], short[-1]) == (line[0], line[-1])
    rest = iter(line)
    assert all(point in rest for point in short)


def test_points_that_say_nothing_go_first():
    straight = [(30.0, 104.0 + step / 1000) for step in range(50)]
    assert shortened(straight, most=100) == [straight[0], straight[-1]]
    corner = [*straight, (30.02, straight[-1][1])]
    assert shortened(corner, most=3) == [straight[0], straight[-1], corner[-1]]


@settings(max_examples=50, deadline=None)
@given(line=near_points)
def test_every_point_of_a_line_stays_within_the_tolerance_of_the_short_one(line):
    short = shortened(line, most=10**6, within_m=50)
    for point in line:
        assert min(_away_m(point, start, end) for start, end in zip(short, short[1:] or short, strict=False)) < 51


def _away_m(point, start, end):
    """The distance to the segment's point that is nearest on a plane, on the globe."""
    north, east = end[0] - start[0], (end[1] - start[1]) * 0.866  # at 30 degrees
    square = north**2 + east**2 or 1.0
    share = ((point[0] - start[0]) * north + (point[1] - start[1]) * 0.866 * east) / square
    share = min(1.0, max(0.0, share))
    there = Location(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
    return great_circle_m(Location(*point), there)
