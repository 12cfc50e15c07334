"""A travel table tells what is odd about it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.places import Location
from routing.travel.sanity import examine
from routing.travel_times import LARGEST_ENTRY, HaversineTravelTimes, TravelTable

PLACES = [Location(30.5 + step * 0.01, 114.3 + (step * 7 % 5) * 0.01) for step in range(8)]
PLAIN = HaversineTravelTimes(24).table(PLACES)


def scaled(seconds=1.0, metres=1.0):
    return TravelTable(
        np.rint(PLAIN.duration_s * seconds).astype(np.int32), np.rint(PLAIN.distance_m * metres).astype(np.int32)
    )


def codes(table, locations=PLACES):
    return [hint.code for hint in examine(table, locations).hints]


def test_the_great_circle_is_symmetric_keeps_triangles_and_has_one_speed():
    sanity = examine(PLAIN, PLACES)
    assert (sanity.places, sanity.pairs, sanity.unreachable_pairs) == (8, 56, 0)
    assert (sanity.asymmetric_share, sanity.largest_ratio, sanity.most_asymmetric) == (0, 1, None)
    assert (sanity.triangle_share, sanity.worst_triangle) == (0, None)
    assert sanity.speed_kmh == pytest.approx((24, 24, 24), rel=0.01)
    assert sanity.hints == ()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (scaled(seconds=1 / 60), ["durations_in_minutes"]),
        (scaled(seconds=1000), ["durations_in_milliseconds"]),
        (scaled(metres=1 / 1000), ["distances_in_km"]),
        (scaled(seconds=1 / 60, metres=1 / 1000), ["distances_in_km", "durations_in_minutes"]),
        (scaled(metres=0), []),
        (scaled(seconds=25), ["speeds_unlikely"]),
    ],
)
def test_wrong_units_are_recognised(table, expected):
    assert codes(table) == expected


def test_without_distances_speeds_come_from_the_straight_lines():
    assert codes(scaled(seconds=1 / 60, metres=0)) == ["durations_in_minutes"]
    assert examine(scaled(metres=0)).speed_kmh is None


def test_a_matrix_in_another_order_than_the_places_is_recognised():
    order = [3, 7, 0, 5, 1, 6, 2, 4]
    assert codes(PLAIN.part(order)) == ["other_order"]


def test_one_way_pairs_and_the_worst_of_them_are_told():
    seconds = PLAIN.duration_s.copy()
    seconds[2, 5] *= 3
    sanity = examine(TravelTable(seconds, PLAIN.distance_m), PLACES)
    assert sanity.asymmetric_share == pytest.approx(2 / 56)
    assert sanity.largest_ratio == pytest.approx(3)
    assert sanity.most_asymmetric == (2, 5)


def test_the_worst_triangle_is_told_with_what_it_gains():
    seconds = PLAIN.duration_s.copy()
    seconds[0, 7] += 1000
    sanity = examine(TravelTable(seconds, PLAIN.distance_m), PLACES)
    worst = sanity.worst_triangle
    assert (worst.start, worst.end) == (0, 7)
    assert worst.gain_s == seconds[0, 7] - seconds[0, worst.via] - seconds[worst.via, 7]
    assert worst.gain_s == max(seconds[0, 7] - seconds[0, via] - seconds[via, 7] for via in range(1, 7))


def test_missing_ways_are_counted_and_counted_nowhere_else():
    seconds = PLAIN.duration_s.copy()
    seconds[3, :] = seconds[:, 3] = LARGEST_ENTRY
    seconds[3, 3] = 0
    sanity = examine(TravelTable(seconds, PLAIN.distance_m), PLACES)
    assert sanity.unreachable_pairs == 14
    assert [hint.code for hint in sanity.hints] == ["no_way"]
    assert sanity.largest_ratio == 1


@given(
    seconds=st.lists(st.integers(0, 2_000_000), min_size=25, max_size=25),
    metres=st.lists(st.integers(0, 20_000_000), min_size=25, max_size=25),
)
def test_any_table_can_be_examined_and_the_shares_are_true(seconds, metres):
    table = TravelTable(*(np.array(values, dtype=np.int32).reshape(5, 5) for values in (seconds, metres)))
    for matrix in (table.duration_s, table.distance_m):
        np.fill_diagonal(matrix, 0)
    sanity = examine(table, PLACES[:5])
    json.dumps(sanity.short_record(), allow_nan=False)
    assert sanity.unreachable_pairs == int((table.duration_s >= LARGEST_ENTRY).sum())
    times = [[int(value) for value in row] for row in table.duration_s]
    gains = [
        times[a][c] - times[a][b] - times[b][c]
        for a in range(5)
        for b in range(5)
        for c in range(5)
        if len({a, b, c}) == 3 and max(times[a][c], times[a][b], times[b][c]) < LARGEST_ENTRY
    ]
    assert (sanity.worst_triangle.gain_s if sanity.worst_triangle else 0) == max([0, *(g for g in gains if g > 2)])
    assert 0 <= sanity.triangle_share <= 1
    assert sanity.largest_ratio >= 1


def test_one_place_alone_has_nothing_wrong():
    assert examine(PLAIN.part([0]), PLACES[:1]).hints == ()
