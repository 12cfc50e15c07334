"""Streets from OpenStreetMap: who may use which in which direction, the nearest street, the fastest way."""

import json
import logging
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, NotReady
from common.places import Location, great_circle_m
from routing.problem import Break, DayProblem, TimeWindow
from routing.roads.extract import RawStreets
from routing.roads.fastest import PlacesOnStreets, StreetGraph
from routing.roads.network import network_from_streets
from routing.roads.profiles import CAR, FOOT, SCOOTER, parse_speed_kmh
from routing.roads.snap import StreetIndex, in_space
from routing.roads.travel import RoadTravelTimes
from routing.solve import check, solve
from routing.travel.for_problem import travel_for, travel_record
from routing.visit_files import spread_reps, visits_from_csv

FOLDER = Path(__file__).parent
EXTRACT = FOLDER / "andorra_la_vella.osm.pbf"
COUNTRY = FOLDER.parents[2] / "shared" / "data" / "osm" / "andorra.osm.pbf"


def osm_file(folder, nodes, ways):
    """Write an OpenStreetMap file: nodes {id: (lat, lon) or (lat, lon, tags)}, ways [(node ids, tags)]."""

    def tags_of(tags):
        return "".join(f'<tag k="{name}" v="{value}"/>' for name, value in tags.items())

    lines = ['<?xml version="1.0"?><osm version="0.6">']
    for number, (latitude, longitude, *tags) in nodes.items():
        inner = tags_of(tags[0] if tags else {})
        lines.append(f'<node id="{number}" version="1" lat="{latitude}" lon="{longitude}">{inner}</node>')
    for number, (refs, tags) in enumerate(ways, start=1):
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        lines.append(f'<way id="{number}" version="1">{inner}{tags_of(tags)}</way>')
    path = folder / "streets.osm"
    path.write_text("\n".join([*lines, "</osm>"]))
    return path


SQUARE = {1: (30.0, 104.0), 2: (30.0, 104.01), 3: (30.01, 104.01), 4: (30.01, 104.0)}
"""Corners in a circle: south-west, south-east, north-east, north-west; the sides are about 1 km."""
SIDES = [([1, 2], {}), ([2, 3], {}), ([3, 4], {}), ([4, 1], {})]
SOUTH, NORTH = Location(30.0, 104.005), Location(30.01, 104.005)


def square(folder, changes=None, nodes=None, profile="car", kind="residential"):
    """Streets around a square; ``changes`` are tags of some of its sides by number."""
    ways = [(refs, {"highway": kind} | tags | (changes or {}).get(side, {})) for side, (refs, tags) in enumerate(SIDES)]
    return RoadTravelTimes(osm_file(folder, SQUARE | (nodes or {}), ways), profile)


def metres(source, start, end):
    return int(source.table([start, end]).distance_m[0, 1])


def test_without_one_ways_both_directions_are_equally_long(tmp_path):
    source = square(tmp_path)
    west, east = Location(30.002, 104.0), Location(30.002, 104.01)
    assert metres(source, west, east) == metres(source, east, west)
    assert metres(source, west, east) == pytest.approx(965 + 2 * 222, abs=5)


@pytest.mark.parametrize("tags", [{"oneway": "yes"}, {"oneway": "1"}, {"junction": "roundabout"}])
def test_one_ways_and_roundabouts_lead_only_forward(tmp_path, tags):
    source = square(tmp_path, dict.fromkeys(range(4), tags))
    near, far = Location(30.0, 104.002), Location(30.0, 104.008)
    assert metres(source, near, far) == pytest.approx(0.6 * 965, abs=5)
    around_m = sum(great_circle_m(Location(*SQUARE[a]), Location(*SQUARE[b])) for a, b in pairwise([1, 2, 3, 4, 1]))
    assert metres(source, near, far) + metres(source, far, near) == pytest.approx(around_m, abs=5)


def test_a_roundabout_drawn_as_one_closed_line_is_a_network(tmp_path):
    ring = [([1, 2, 3, 4, 1], {"highway": "primary", "junction": "roundabout"})]
    source = RoadTravelTimes(osm_file(tmp_path, SQUARE, ring))
    near, far = Location(30.0, 104.002), Location(30.0, 104.008)
    assert metres(source, near, far) == pytest.approx(0.6 * 965, abs=5)
    assert metres(source, far, near) > 3000


def test_one_way_minus_one_leads_only_backward(tmp_path):
    source = square(tmp_path, {side: {"oneway": "-1"} for side in range(4)})
    near, far = Location(30.0, 104.002), Location(30.0, 104.008)
    assert metres(source, far, near) == pytest.approx(0.6 * 965, abs=5)
    assert metres(source, near, far) > 3000


def test_cars_keep_to_one_ways_but_walkers_do_not(tmp_path):
    one_way = {side: {"oneway": "yes"} for side in range(4)}
    near, far = Location(30.0, 104.002), Location(30.0, 104.008)
    assert metres(square(tmp_path, one_way), far, near) > 3000
    assert metres(square(tmp_path, one_way, profile="foot"), far, near) < 600


def test_bicycles_may_ride_against_a_one_way_that_says_so(tmp_path):
    open_to_bicycles = {side: {"oneway": "yes", "oneway:bicycle": "no"} for side in range(4)}
    near, far = Location(30.0, 104.002), Location(30.0, 104.008)
    assert metres(square(tmp_path, open_to_bicycles), far, near) > 3000
    assert metres(square(tmp_path, open_to_bicycles, profile="scooter"), far, near) < 600


@pytest.mark.parametrize("tags", [{"access": "private"}, {"motor_vehicle": "no"}, {"access": "no", "foot": "yes"}])
def test_closed_streets_are_gone_around(tmp_path, tags):
    source = square(tmp_path, {0: tags})
    assert metres(source, Location(30.0005, 104.0), Location(30.0005, 104.01)) > 2900


def test_the_more_particular_access_tag_decides(tmp_path):
    source = square(tmp_path, {0: {"access": "no", "motor_vehicle": "destination"}})
    assert metres(source, Location(30.0, 104.0), Location(30.0, 104.01)) < 1000


def test_bollards_stop_cars_and_let_people_through(tmp_path):
    ways = [([1, 5, 2], {"highway": "residential"}), *[(refs, {"highway": "residential"}) for refs, _ in SIDES[1:]]]
    nodes = SQUARE | {5: (30.0, 104.005, {"barrier": "bollard"})}
    file = osm_file(tmp_path, nodes, ways)
    west, east = Location(30.0, 104.003), Location(30.0, 104.007)
    assert metres(RoadTravelTimes(file, "car"), west, east) > 3000
    assert metres(RoadTravelTimes(file, "foot"), west, east) < 400
    assert metres(RoadTravelTimes(file, "car"), west, Location(30.0, 104.0049)) < 200  # up to the bollard


def test_gates_open_unless_their_tags_say_otherwise(tmp_path):
    ways = [([1, 5, 2], {"highway": "residential"}), *[(refs, {"highway": "residential"}) for refs, _ in SIDES[1:]]]
    west, east = Location(30.0, 104.003), Location(30.0, 104.007)
    for access, passes in (({}, True), ({"access": "private"}, False), ({"access": "private", "foot": "yes"}, False)):
        file = osm_file(tmp_path, SQUARE | {5: (30.0, 104.005, {"barrier": "gate"} | access)}, ways)
        assert (metres(RoadTravelTimes(file, "car"), west, east) < 400) == passes


def test_streets_that_cannot_be_left_again_are_not_used(tmp_path):
    ways = [(refs, {"highway": "residential"}) for refs, _ in SIDES]
    trap = {5: (30.005, 104.02), 6: (30.005, 104.021)}
    ways += [([2, 5], {"highway": "residential", "oneway": "yes"}), ([5, 6], {"highway": "residential"})]
    source = RoadTravelTimes(osm_file(tmp_path, SQUARE | trap, ways), snap_limit_m=5000)
    assert len(source.network().tail) == 4
    back = source.table([Location(30.005, 104.02), Location(30.0, 104.0)])
    assert back.duration_s.min() >= 0  # snapped to the square instead


def test_the_faster_street_is_taken_although_it_is_longer(tmp_path):
    # South to north: over the west side, or over the longer east side with a motorway's speed.
    nodes = {1: (30.0, 104.0), 2: (30.03, 104.0), 3: (30.015, 104.02)}
    slow, fast = {"highway": "living_street"}, {"highway": "primary", "maxspeed": "100"}
    source = RoadTravelTimes(osm_file(tmp_path, nodes, [([1, 2], slow), ([1, 3, 2], fast)]))
    table = source.table([Location(30.0, 104.0), Location(30.03, 104.0)])
    assert table.distance_m[0, 1] > 4500
    assert table.duration_s[0, 1] == pytest.approx(table.distance_m[0, 1] / (80 / 3.6), abs=2)


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("30 mph", 48.28032),
        ("90;30;90", 30),
        ("walk", 6),
        ("none", None),
        ("CN:urban", None),
        ("", None),
        ("0", None),
    ],
)
def test_speed_limits_are_read_as_they_are_written(text, kmh):
    assert parse_speed_kmh(text) == (None if kmh is None else pytest.approx(kmh))


def test_speeds_follow_class_limit_and_profile():
    assert CAR.speeds_kmh({"highway": "primary"}) == (45, 45)
    assert CAR.speeds_kmh({"highway": "primary", "maxspeed": "60", "maxspeed:backward": "40"}) == (48, 32)
    assert CAR.speeds_kmh({"highway": "motorway"}) == (90, 0)
    assert CAR.speeds_kmh({"highway": "footway"}) == (0, 0)
    assert CAR.speeds_kmh({"highway": "primary", "oneway": "reversible"}) == (0, 0)
    assert SCOOTER.speeds_kmh({"highway": "primary", "maxspeed": "80"}) == (22, 22)
    assert SCOOTER.speeds_kmh({"highway": "motorway"}) == (0, 0)
    assert SCOOTER.speeds_kmh({"highway": "trunk", "motorroad": "yes"}) == (0, 0)
    assert SCOOTER.speeds_kmh({"highway": "pedestrian"}) == (0, 0)
    assert SCOOTER.speeds_kmh({"highway": "pedestrian", "bicycle": "yes"}) == (6, 6)
    assert FOOT.speeds_kmh({"highway": "steps"}) == (2, 2)
    assert FOOT.speeds_kmh({"highway": "primary", "foot": "no"}) == (0, 0)


def test_streets_from_which_nobody_can_come_back_are_no_network(tmp_path):
    away = [([1, 2], {"highway": "residential", "oneway": "yes"})]
    with pytest.raises(NotReady, match="no street"):
        RoadTravelTimes(osm_file(tmp_path, SQUARE, away)).table([SOUTH, NORTH])


def test_an_unknown_profile_is_refused():
    with pytest.raises(InvalidInput, match="car, scooter, foot"):
        RoadTravelTimes(EXTRACT, "boat")


def test_a_missing_file_and_one_that_is_no_map_are_named(tmp_path):
    with pytest.raises(NotReady, match=r"nowhere\.osm\.pbf"):
        RoadTravelTimes(tmp_path / "nowhere.osm.pbf", cache_folder=tmp_path).table([SOUTH, NORTH])
    wrong = tmp_path / "wrong.osm.pbf"
    wrong.write_bytes(b"this is no map" * 100)
    with pytest.raises(NotReady, match=r"wrong\.osm\.pbf"):
        RoadTravelTimes(wrong).table([SOUTH, NORTH])
    empty = osm_file(tmp_path, SQUARE, [([1, 2], {"building": "yes"})])
    with pytest.raises(NotReady, match="no street"):
        RoadTravelTimes(empty).table([SOUTH, NORTH])


def test_a_kept_network_gives_the_same_table_and_is_made_anew_when_the_file_changes(tmp_path):
    cache, places = tmp_path / "cache", [Location(30.0005, 104.0), Location(30.0005, 104.01)]
    square(tmp_path)
    fresh = RoadTravelTimes(tmp_path / "streets.osm", cache_folder=cache).table(places)
    (kept,) = cache.iterdir()
    again = RoadTravelTimes(tmp_path / "streets.osm", cache_folder=cache).table(places)
    assert (again.duration_s == fresh.duration_s).all()
    square(tmp_path, {0: {"access": "no"}})
    changed = RoadTravelTimes(tmp_path / "streets.osm", cache_folder=cache).table(places)
    assert changed.distance_m[0, 1] != fresh.distance_m[0, 1]
    assert len(list(cache.iterdir())) == 2
    assert kept.exists()


def test_a_broken_kept_network_is_made_anew(tmp_path, caplog):
    source = square(tmp_path)
    cached = RoadTravelTimes(source.extract, cache_folder=tmp_path / "cache")
    cached.warm()
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(b"broken")
    with caplog.at_level(logging.WARNING):
        again = RoadTravelTimes(source.extract, cache_folder=tmp_path / "cache").table([SOUTH, NORTH])
    assert (again.duration_s == source.table([SOUTH, NORTH]).duration_s).all()
    assert "made anew" in caplog.text


@pytest.fixture(scope="module")
def town():
    return RoadTravelTimes(EXTRACT, "car")


in_town = st.builds(Location, st.floats(42.503, 42.512), st.floats(1.515, 1.54))


@settings(max_examples=25, deadline=None)
@given(place=in_town)
def test_no_point_of_any_street_is_nearer_than_the_one_a_place_is_taken_to(town, place):
    network = town.network()
    snapped = StreetIndex(network).snap([place])
    at = in_space(np.array([place.latitude]), np.array([place.longitude]))[0]
    nearest_m = np.inf
    for first, last in zip(network.first, network.last, strict=True):
        line = in_space(network.latitude[first : last + 1], network.longitude[first : last + 1])
        way, to = line[1:] - line[:-1], at - line[:-1]
        square = np.maximum((way * way).sum(axis=1), 1e-9)
        share = np.clip((to * way).sum(axis=1) / square, 0, 1)[:, None]
        nearest_m = min(nearest_m, np.linalg.norm(to - share * way, axis=1).min())
    assert snapped.away_m[0] == pytest.approx(nearest_m, abs=1e-6)
    there = Location(float(snapped.latitude[0]), float(snapped.longitude[0]))
    assert great_circle_m(place, there) == pytest.approx(nearest_m, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(places=st.lists(in_town, min_size=3, max_size=6, unique=True))
def test_no_detour_over_a_third_place_is_quicker(town, places):
    table = town.table(places)
    for via in range(len(places)):
        over = table.duration_s[:, via, None] + table.duration_s[None, via, :]
        assert (table.duration_s <= over + 2).all()


@settings(max_examples=20, deadline=None)
@given(places=st.lists(in_town, min_size=2, max_size=5, unique=True))
def test_a_drawn_way_is_as_long_as_the_table_says(town, places):
    table, points = town.table(places), town.geometry(places)
    drawn_m = sum(great_circle_m(Location(*start), Location(*end)) for start, end in pairwise(points))
    stated_m = sum(int(table.distance_m[leg]) for leg in pairwise(range(len(places))))
    assert drawn_m == pytest.approx(stated_m, abs=3 * len(places))


@st.composite
def raw_streets(draw):
    """A few streets between ten points, some one-way, at 36 km/h."""
    size = draw(st.integers(3, 10))
    points = [
        (number, 300_000_000 + draw(st.integers(0, 90_000)), 1_040_000_000 + number * 7_919) for number in range(size)
    ]
    streets = RawStreets()
    for _ in range(draw(st.integers(2, 14))):
        refs = draw(st.lists(st.sampled_from(points), min_size=2, max_size=4, unique=True))
        streets.add(refs, draw(st.sampled_from([(36.0, 36.0), (36.0, 0.0), (0.0, 36.0)])))
    return streets


@settings(max_examples=50, deadline=None)
@given(streets=raw_streets(), seed=st.integers(0, 1000))
def test_times_equal_those_of_a_search_over_single_steps(streets, seed):
    try:
        network = network_from_streets(streets)
    except NotReady:
        return
    dice = np.random.default_rng(seed)
    rows = dice.integers(0, len(network.latitude), 4)
    places = [Location(float(network.latitude[row]), float(network.longitude[row])) for row in rows]
    graph = PlacesOnStreets(StreetGraph(network), StreetIndex(network).snap(places))
    every = np.arange(4)
    seconds, _ = graph.times_and_metres(every, every, likely_s=1.0)
    backwards, _ = graph.times_and_metres(every, every[:2], likely_s=1.0)
    assert seconds == pytest.approx(_by_single_steps(network, places), abs=1.0)
    assert backwards == pytest.approx(seconds[:, :2])


def _by_single_steps(network, places):
    """Floyd and Warshall over the points of the streets, every step an edge."""
    names = sorted(set(zip(network.latitude.tolist(), network.longitude.tolist(), strict=True)))
    index = {name: row for row, name in enumerate(names)}
    best = np.full((len(names), len(names)), np.inf)
    np.fill_diagonal(best, 0)
    for stretch, (first, last) in enumerate(zip(network.first, network.last, strict=True)):
        for point in range(first, last):
            one, other = (index[network.latitude[at], network.longitude[at]] for at in (point, point + 1))
            step_s = (network.along_m[point + 1] - network.along_m[point]) / 10
            if np.isfinite(network.ahead_s[stretch]):
                best[one, other] = min(best[one, other], step_s)
            if np.isfinite(network.back_s[stretch]):
                best[other, one] = min(best[other, one], step_s)
    for via in range(len(names)):
        best = np.minimum(best, best[:, via, None] + best[None, via, :])
    rows = [index[place.latitude, place.longitude] for place in places]
    return best[np.ix_(rows, rows)]


def capital():
    visits = visits_from_csv((FOLDER / "andorra_customers.csv").read_bytes(), service_s=20 * 60)
    lunch = Break(12 * 3600, 13 * 3600, 45 * 60)
    return DayProblem(visits, spread_reps(visits, 4, shift=TimeWindow(9 * 3600, 18 * 3600), breaks=(lunch,)))


def test_forty_customers_of_the_capital_are_planned_on_its_real_streets(town):
    problem = capital()
    travel = travel_for(problem, town)
    plan = solve(problem, travel.table, time_limit_s=1.5, seed=1)
    assert check(problem, travel.table, plan).feasible
    assert plan.summary.served == 40
    record = json.loads(json.dumps(travel_record(problem, plan, travel)))
    assert set(record["geometry"]) == {route.rep_id for route in plan.routes}
    assert record["travel"]["asymmetric_share"] > 0.2  # one-ways
    assert record["travel"]["hints"] == []
    assert plan.summary.distance_m > sum(
        great_circle_m(start, end)
        for route in plan.routes
        for start, end in pairwise(
            [v.location for stop in route.stops for v in problem.visits if v.id == stop.visit_id]
        )
    )


@pytest.mark.skipif(not COUNTRY.exists(), reason="the whole country's file lies outside the repository")
def test_the_whole_country_is_read_and_its_ways_are_never_slower_than_those_of_the_cut(town, tmp_path):
    country = RoadTravelTimes(COUNTRY, "car", cache_folder=tmp_path)
    places = [visit.location for visit in capital().visits]
    whole, part = country.table(places), town.table(places)
    assert country.network().length_m.sum() > 350_000
    # A street at the edge may belong to the whole network only, and then a place is taken to it.
    assert (whole.duration_s <= part.duration_s + 60).mean() > 0.95
