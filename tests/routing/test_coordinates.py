"""Coordinates of Chinese maps become true ones, and one bad customer is left out and named, never the whole day."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.chinese_coordinates import (
    SYSTEMS,
    bd09_from_gcj02,
    bd09_from_wgs84,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    in_chinese_rectangle,
    to_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from common.errors import InvalidInput
from common.places import Location, great_circle_m
from routing.problem import Rep, Visit
from routing.usable_visit_files import kept_travel, usable_day_from_mapping
from routing.usable_visits import Area, Conditions, read_or_keep, usable_day

INSIDE = st.builds(Location, st.floats(0.86, 55.80), st.floats(72.03, 137.80))
ANYWHERE = st.builds(Location, st.floats(-90, 90), st.floats(-180, 180))
TIAN_AN_MEN = Location(39.908823, 116.397470)


def apart(one, other):
    return max(abs(one.latitude - other.latitude), abs(one.longitude - other.longitude))


@given(INSIDE)
@example(Location(35.0, 105.0))
def test_the_way_to_gcj02_and_back_ends_where_it_began(place):
    assert apart(wgs84_from_gcj02(gcj02_from_wgs84(place)), place) < 1e-6


@given(INSIDE)
def test_the_way_to_bd09_and_back_ends_where_it_began(place):
    assert apart(wgs84_from_bd09(bd09_from_wgs84(place)), place) < 1e-6
    assert apart(gcj02_from_bd09(bd09_from_gcj02(place)), place) < 1e-6


@given(INSIDE)
def test_the_shift_is_some_hundred_metres_and_never_kilometres(place):
    assert great_circle_m(place, gcj02_from_wgs84(place)) < 1500
    assert great_circle_m(place, bd09_from_wgs84(place)) < 3500


@given(ANYWHERE.filter(lambda place: not in_chinese_rectangle(place)))
@example(Location(41.88, -87.63))
@example(Location(-33.87, 151.21))
def test_places_outside_china_stay_as_they_are_in_every_system(place):
    for system in SYSTEMS:
        assert to_wgs84(place, system) == place


@pytest.mark.parametrize(
    ("true", "shown"),
    [
        (Location(31.1774276, 121.5272106), Location(31.17530398364597, 121.531541859215)),
        (Location(22.543847, 113.912316), Location(22.540796131694766, 113.9171764808363)),
        (Location(39.911954, 116.377817), Location(39.91334545536069, 116.38404722455657)),
    ],
)
def test_gcj02_agrees_with_published_test_values(true, shown):
    assert apart(gcj02_from_wgs84(true), shown) < 1e-9
    assert apart(wgs84_from_gcj02(shown), true) < 1e-8


def test_bd09_agrees_with_a_published_test_value():
    assert apart(bd09_from_gcj02(Location(39.915, 116.404)), Location(39.92133699351022, 116.41036949371029)) < 1e-9


def test_a_system_that_nobody_knows_is_refused_and_wgs84_changes_nothing():
    assert to_wgs84(TIAN_AN_MEN, "wgs84") == TIAN_AN_MEN
    with pytest.raises(KeyError):
        to_wgs84(TIAN_AN_MEN, "mars")


# Visits that cannot be planned.


def item(name, latitude=30.66, longitude=104.06, **more):
    return {"id": name, "location": {"latitude": latitude, "longitude": longitude}, "service_s": 1200, **more}


def asked(*visits, **more):
    rep = {
        "id": "r",
        "start": {"latitude": 30.65, "longitude": 104.07},
        "shift_start_s": "09:00",
        "shift_end_s": "18:00",
    }
    return {"visits": list(visits), "reps": [rep | more.pop("rep", {})], **more}


def named(day):
    return [(entry.id, entry.field) for entry in day.unusable]


GOOD = item("good")


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (item("bad", 0, 0), "/visits/1/location", "unknown place"),
        (item("bad", 104.06, 30.66), "/visits/1/location/latitude", "swapped"),
        (item("bad", -20.5, 57.5), "/visits/1/location", "km from the other places"),
        (item("bad", float("nan")), "/visits/1/location/latitude", "finite"),
        (item("bad", service_s=-5), "/visits/1/service_s", "outside"),
        (item("bad", windows=[{"start_s": "11:00", "end_s": "09:00"}]), "/visits/1/windows/0", "ends before"),
        (item("bad", after="ghost"), "/visits/1/after", "no visit"),
        (item("bad", allowed_reps=["ghost"]), "/visits/1/allowed_reps", "no rep"),
        (item("bad", coordinate_system="mars"), "/visits/1/coordinate_system", "gcj02"),
        (item("bad", colour="red"), "/visits/1/colour", "known field"),
        (item("good"), "/visits/1/id", "also that of"),
        ({"id": "bad"}, "/visits/1/location", "object"),
        ("bad", "/visits/1", "object"),
    ],
)
def test_one_bad_visit_is_left_out_and_named_and_the_others_remain(bad, field, words):
    day = usable_day_from_mapping(asked(GOOD, bad))
    assert [visit.id for visit in day.problem.visits] == ["good"]
    assert (day.kept, day.given) == ((0,), 2)
    entry = next(entry for entry in day.unusable if entry.field == field)
    assert words in entry.text.en
    assert any("一" <= letter <= "鿿" for letter in entry.text.zh)


def test_swapped_places_that_are_possible_on_earth_are_seen_by_where_the_others_lie():
    chicago = [item(f"v{place}", 41.88 + place / 100, -87.63) for place in range(3)]
    rep = {"start": {"latitude": 41.9, "longitude": -87.6}}
    day = usable_day_from_mapping(asked(*chicago, item("swapped", -87.63, 41.88), rep=rep))
    assert named(day) == [("swapped", "/visits/3/location")]
    assert "look swapped" in day.unusable[0].text.en


def test_visits_outside_a_given_area_are_left_out():
    area = Area(Location(30.66, 104.06), 30)
    day = usable_day_from_mapping(asked(GOOD, item("far", 31.2)), conditions=Conditions(area=area))
    assert named(day) == [("far", "/visits/1/location")]
    assert "reaches 30 km" in day.unusable[0].text.en


def test_what_depends_on_a_bad_visit_is_left_out_with_it_and_locks_on_it_are_lifted():
    visits = [
        item("bad", 0, 0, load=2, after="depot"),
        item("next", after="bad"),
        item("depot", collect=2),
        GOOD,
    ]
    day = usable_day_from_mapping(asked(*visits, rep={"first_stops": ["bad", "good"]}))
    assert named(day) == [
        ("bad", "/visits/0/location"),
        ("next", "/visits/1/after"),
        ("depot", "/visits/2/collect"),
    ]
    assert day.problem.reps[0].first_stops == ("good",)
    assert day.kept == (3,)


def test_strict_refuses_the_day_and_names_every_field():
    with pytest.raises(InvalidInput) as refused:
        usable_day_from_mapping(
            asked(item("a", 0, 0), GOOD, item("b", service_s=-1)), conditions=Conditions(strict=True)
        )
    assert [field.pointer for field in refused.value.fields] == ["/visits/0/location", "/visits/2/service_s"]


def test_a_day_without_a_usable_visit_or_with_a_wrong_rep_is_refused_and_names_everything():
    with pytest.raises(InvalidInput) as nothing:
        usable_day_from_mapping(asked(item("a", 0, 0), item("b", service_s=-1)))
    assert {field.pointer for field in nothing.value.fields} == {"/visits/0/location", "/visits/1/service_s"}
    for wrong in ({"shift_end_s": "08:00"}, {"shift_end_s": "late"}, {"start": {"latitude": 0, "longitude": 0}}):
        with pytest.raises(InvalidInput) as refused:
            usable_day_from_mapping(asked(GOOD, "unreadable", rep=wrong))
        pointers = {field.pointer for field in refused.value.fields}
        assert any(pointer.startswith("/reps/0") for pointer in pointers)
        assert "/visits/1" in pointers


@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(any))
def test_exactly_the_good_visits_remain_in_their_order(good):
    visits = [
        item(f"v{place}", 30.6 + place / 1000 if fine else 0, 104 if fine else 0) for place, fine in enumerate(good)
    ]
    day = usable_day_from_mapping(asked(*visits))
    assert day.kept == tuple(place for place, fine in enumerate(good) if fine)
    assert [visit.id for visit in day.problem.visits] == [f"v{place}" for place in day.kept]
    assert len(day.unusable) == good.count(False)


def test_places_are_converted_by_the_system_of_the_item_or_of_the_request():
    true = Location(30.66, 104.06)
    amap, baidu = gcj02_from_wgs84(true), bd09_from_wgs84(true)
    visits = [
        item("amap", amap.latitude, amap.longitude),
        item("baidu", baidu.latitude, baidu.longitude, coordinate_system="bd09"),
        item("gps", true.latitude, true.longitude, coordinate_system="wgs84"),
    ]
    home = {"latitude": amap.latitude, "longitude": amap.longitude}
    day = usable_day_from_mapping(asked(*visits, rep={"start": home, "end": home}, coordinate_system="gcj02"))
    places = [visit.location for visit in day.problem.visits]
    assert all(apart(place, true) < 1e-6 for place in [*places, day.problem.reps[0].start, day.problem.reps[0].end])
    with pytest.raises(InvalidInput, match="coordinate_system"):
        usable_day_from_mapping(asked(GOOD, coordinate_system="mars"))


def test_a_travel_matrix_loses_the_rows_of_visits_that_are_left_out():
    day = usable_day_from_mapping(asked(GOOD, item("bad", 0, 0), item("last")))
    matrix = [[10 * row + column for column in range(4)] for row in range(4)]
    assert kept_travel({"duration_s": matrix}, day) == {"duration_s": [[0, 2, 3], [20, 22, 23], [30, 32, 33]]}
    assert kept_travel({"speed_kmh": 30}, day) == {"speed_kmh": 30}
    assert kept_travel(None, day) is None
    with pytest.raises(InvalidInput, match="4 rows"):
        kept_travel({"duration_s": [[0, 1], [1, 0]]}, day)


def test_a_record_with_an_impossible_place_is_kept_apart():
    broken = read_or_keep("c", lambda: Visit("c", "c", Location(95.0, 104.0), 600))
    fine = read_or_keep("d", lambda: Visit("d", "d", Location(30.6, 104.0), 600))
    rep = Rep("r", "r", Location(30.6, 104.0), 0, 3600)
    day = usable_day([broken, fine], [rep])
    assert named(day) == [("c", "/visits/0/latitude")]
    assert [visit.id for visit in day.problem.visits] == ["d"]
