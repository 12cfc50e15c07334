"""One contract for every source of travel times: what a table and a way promise, whoever makes them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from common.errors import InvalidInput
from common.places import Location, great_circle_m
from routing.roads.travel import RoadTravelTimes
from routing.travel.hours import HourlyTravelTimes
from routing.travel.osrm import OsrmTravelTimes
from routing.travel.valhalla import ValhallaTravelTimes
from routing.travel_times import (
    HaversineTravelTimes,
    MatrixTravelTimes,
    TravelTable,
    UnreachablePlaces,
    for_hours,
    way_through,
)
from tests.routing.road_servers import OsrmLike, ValhallaLike, running

PLAIN = [Location(30.5, 114.3), Location(30.52, 114.33), Location(30.55, 114.28), Location(30.51, 114.35)]
TOWN = [
    Location(42.506258, 1.529337),
    Location(42.50813, 1.522817),
    Location(42.510395, 1.530758),
    Location(42.504208, 1.519266),
]
EXTRACT = Path(__file__).parent / "andorra_la_vella.osm.pbf"
BY_HOUR = tuple(20.0 if hour in (8, 9, 17, 18) else 30.0 for hour in range(24))
SHARES = tuple(0.5 if hour in (8, 9, 17, 18) else 1.0 for hour in range(24))
LIMITED = ("osrm", "osrm in blocks", "valhalla", "valhalla in blocks", "streets", "streets by hour")
NAMES = ("great circle", "great circle by hour", "matrix", "table", *LIMITED)


class Case:
    """A source of travel times with places that it knows."""

    def __init__(self, source, places, asks_places=True, draws=False):
        self.source, self.places, self.asks_places, self.draws = source, places, asks_places, draws


@pytest.fixture(scope="module")
def osrm():
    with running(OsrmLike) as server:
        yield server


@pytest.fixture(scope="module")
def valhalla():
    with running(ValhallaLike) as server:
        yield server


@pytest.fixture(scope="module")
def streets():
    return RoadTravelTimes(EXTRACT, "scooter")


@pytest.fixture
def make(osrm, valhalla, streets):
    """A function from a name to its case, with a fresh source that remembers nothing."""
    plain = HaversineTravelTimes()
    table = plain.table(PLAIN)
    cases = {
        "great circle": lambda: Case(plain, PLAIN),
        "great circle by hour": lambda: Case(HaversineTravelTimes(speed_kmh_by_hour=BY_HOUR), PLAIN),
        "matrix": lambda: Case(MatrixTravelTimes(table.duration_s.tolist(), table.distance_m.tolist()), PLAIN, False),
        "table": lambda: Case(table, PLAIN, False),
        "osrm": lambda: Case(OsrmTravelTimes(osrm.url), PLAIN, draws=True),
        "osrm in blocks": lambda: Case(OsrmTravelTimes(osrm.url, chunk=3), PLAIN, draws=True),
        "valhalla": lambda: Case(ValhallaTravelTimes(valhalla.url), PLAIN, draws=True),
        "valhalla in blocks": lambda: Case(
            ValhallaTravelTimes(valhalla.url, chunk=2, route_chunk=2), PLAIN, draws=True
        ),
        "streets": lambda: Case(streets, TOWN, draws=True),
        "streets by hour": lambda: Case(HourlyTravelTimes(streets, SHARES), TOWN, draws=True),
    }
    return lambda name: cases[name]()


@pytest.fixture(params=NAMES)
def case(request, make):
    return make(request.param)


@pytest.fixture(params=[name for name in NAMES if name not in ("matrix", "table")])
def asked(request, make):
    """A source that can be asked for any places."""
    return make(request.param)


@pytest.fixture(params=LIMITED)
def limited(request, make):
    """A source that knows the streets of one area only."""
    return make(request.param)


def test_a_table_is_of_whole_numbers_square_not_negative_and_zero_on_its_diagonal(case):
    table = case.source.table(case.places)
    for matrix in (table.duration_s, table.distance_m):
        assert matrix.shape == (4, 4)
        assert matrix.dtype == np.int32
        assert (matrix >= 0).all()
        assert not matrix.diagonal().any()


def test_ways_between_different_places_take_time_and_are_at_least_as_long_as_the_great_circle(case):
    table = case.source.table(case.places)
    for a, start in enumerate(case.places):
        for b, end in enumerate(case.places):
            assert table.distance_m[a, b] >= great_circle_m(start, end) - 1
            assert (table.duration_s[a, b] > 0) == (a != b)


def test_speeds_are_those_of_people_in_a_town(case):
    table = case.source.table(case.places)
    off = ~np.eye(4, dtype=bool)
    speeds_kmh = table.distance_m[off] / table.duration_s[off] * 3.6
    assert speeds_kmh.min() > 3
    assert speeds_kmh.max() < 120


def test_the_same_places_have_the_same_ways_when_asked_again(case):
    once, again = case.source.table(case.places), case.source.table(case.places)
    assert (once.duration_s == again.duration_s).all()
    assert (once.distance_m == again.distance_m).all()


def test_the_way_between_two_places_does_not_depend_on_who_else_is_asked_for(asked):
    whole = asked.source.table(asked.places)
    for rows in ([0, 1], [3, 1, 2]):
        part = asked.source.table([asked.places[row] for row in rows])
        assert (part.duration_s == whole.part(rows).duration_s).all()
        assert (part.distance_m == whole.part(rows).distance_m).all()


def test_a_place_named_twice_is_no_way_from_itself_and_has_the_same_ways(asked):
    twice = asked.source.table([*asked.places, asked.places[1]])
    assert twice.duration_s[1, 4] == twice.duration_s[4, 1] == 0
    assert (twice.duration_s[1, :4] == twice.duration_s[4, :4]).all()
    assert (twice.distance_m[:4, 1] == twice.distance_m[:4, 4]).all()


def test_one_place_has_a_table_of_one_zero(asked):
    table = asked.source.table(asked.places[:1])
    assert table.duration_s.tolist() == [[0]]
    assert table.distance_m.tolist() == [[0]]


def test_a_table_can_be_handed_on_as_a_source_of_the_same_places(case):
    table = case.source.table(case.places)
    assert isinstance(table, TravelTable)
    assert table.table(case.places) is table
    with pytest.raises(InvalidInput, match="4 rows"):
        table.table(case.places[:3])


def test_hours_change_times_but_not_lengths_and_a_busy_hour_takes_longer(case):
    night, rush = (for_hours(case.source, hour * 3600, (hour + 1) * 3600).table(case.places) for hour in (3, 8))
    assert (night.distance_m == rush.distance_m).all()
    assert (rush.duration_s >= night.duration_s).all()


def test_every_place_outside_is_named_and_the_others_are_not(limited):
    outside = Location(12.0, 114.3)
    with pytest.raises(UnreachablePlaces) as refused:
        limited.source.table([limited.places[0], outside, *limited.places[1:], Location(12.5, 114.3), outside])
    assert refused.value.places == (1, 5, 6)
    assert [field.pointer for field in refused.value.fields] == ["/locations/1", "/locations/5", "/locations/6"]
    for field in refused.value.fields:
        assert "1000 m" in field.text.en
        assert "1000 米" in field.text.zh


def test_a_way_begins_and_ends_at_its_places_and_passes_the_others(limited):
    points = way_through(limited.source, limited.places)
    assert points[0] == (limited.places[0].latitude, limited.places[0].longitude)
    assert points[-1] == (limited.places[-1].latitude, limited.places[-1].longitude)
    for place in limited.places:
        assert min(great_circle_m(place, Location(*point)) for point in points) < 50
    assert len(points) > len(limited.places)


def test_the_way_from_a_place_to_itself_is_that_place(limited):
    home = limited.places[0]
    points = way_through(limited.source, [home, home])
    assert len(points) >= 2
    assert set(points) == {(home.latitude, home.longitude)}


def test_the_length_of_a_drawn_way_is_the_distance_of_the_table(make):
    streets = make("streets")
    table, points = streets.source.table(streets.places), way_through(streets.source, streets.places)
    drawn_m = sum(great_circle_m(Location(*start), Location(*end)) for start, end in pairwise(points))
    assert drawn_m == pytest.approx(sum(table.distance_m[leg] for leg in pairwise(range(4))), abs=5)


def test_a_source_without_streets_draws_nothing(case):
    assert (way_through(case.source, case.places) is not None) == case.draws
