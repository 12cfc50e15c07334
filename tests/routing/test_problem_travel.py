"""A whole problem's travel times: its working span, places without streets, lines on the map."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import InvalidInput, Text, Unavailable
from common.places import Location, great_circle_m
from routing.check import check
from routing.problem import DayProblem, Rep, SizeLimits, Visit
from routing.render import to_geojson
from routing.roads.travel import RoadTravelTimes
from routing.solve import evaluate, solve
from routing.travel.for_problem import MOST_POINTS, places_of, reachable_table, travel_for, travel_record
from routing.travel.polyline import decode_polyline
from routing.travel_times import LARGEST_ENTRY, HaversineTravelTimes, MatrixTravelTimes, UnreachablePlaces

H = 3600
TOWN = [(42.506258, 1.529337), (42.50813, 1.522817), (42.510395, 1.530758), (42.504208, 1.519266)]
MOUNTAIN, SEA = (42.65, 1.55), (42.0, 4.0)


@pytest.fixture(scope="module")
def streets():
    return RoadTravelTimes(Path(__file__).parent / "andorra_la_vella.osm.pbf")


def problem(places, reps=2, start=TOWN[0], end=None, shift=(9, 18)):
    return DayProblem(
        tuple(Visit(f"C{n}", f"customer {n}", Location(*place), 600) for n, place in enumerate(places)),
        tuple(
            Rep(f"R{n}", f"rep {n}", Location(*start), shift[0] * H, shift[1] * H, end and Location(*end))
            for n in range(reps)
        ),
        limits=SizeLimits(outlier_km=20_000),
    )


def test_the_table_is_that_of_the_hours_in_which_anybody_works():
    source = HaversineTravelTimes(speed_kmh_by_hour=tuple([60.0] * 9 + [20.0] * 9 + [60.0] * 6))
    day = problem(TOWN)
    slow = HaversineTravelTimes(20.0).table(day.locations())
    assert (travel_for(day, source).table.duration_s == slow.duration_s).all()
    longer = replace(day, reps=(day.reps[0], replace(day.reps[1], shift_start_s=6 * H)))
    assert (travel_for(longer, source).table.duration_s.max() < slow.duration_s.max()).all()


def test_one_customer_without_a_street_fails_nobody_and_is_named_with_the_reason(streets):
    day = problem([TOWN[1], MOUNTAIN, TOWN[2], SEA])
    travel = travel_for(day, streets)
    assert [item.visit_id for item in travel.unreachable] == ["C1", "C3"]
    assert "km away" in travel.unreachable[1].text.en
    assert "公里" in travel.unreachable[1].text.zh
    plan = solve(day, travel.table, time_limit_s=0.5)
    assert {stop.visit_id for route in plan.routes for stop in route.stops} == {"C0", "C2"}
    assert {reason.code for left in plan.unassigned for reason in left.reasons} == {"unreachable_within_shift"}
    assert check(day, travel.table, plan).feasible
    record = travel_record(day, plan, travel)
    assert [item["visit_id"] for item in record["travel"]["unreachable_visits"]] == ["C1", "C3"]


def test_a_reps_start_and_end_without_a_street_are_wrong_input_and_named(streets):
    with pytest.raises(InvalidInput) as refused:
        travel_for(problem([TOWN[1], MOUNTAIN], start=SEA, end=MOUNTAIN), streets)
    assert [field.pointer for field in refused.value.fields] == [
        "/reps/0/start",
        "/reps/1/start",
        "/reps/0/end",
        "/reps/1/end",
    ]


def test_unreachable_places_are_far_from_everybody_and_the_others_keep_their_ways(streets):
    places = [Location(*place) for place in (TOWN[0], SEA, TOWN[1], TOWN[2])]
    table, why = reachable_table(streets, places)
    assert list(why) == [1]
    assert (table.duration_s[1, [0, 2, 3]] == LARGEST_ENTRY).all()
    assert table.duration_s[1, 1] == 0
    plain = streets.table([places[0], *places[2:]])
    assert (table.part([0, 2, 3]).duration_s == plain.duration_s).all()
    nowhere, why = reachable_table(streets, [Location(*SEA)] * 2)
    assert list(why) == [0, 1]
    assert nowhere.duration_s.tolist() == [[0, LARGEST_ENTRY], [LARGEST_ENTRY, 0]]


def test_places_that_drop_out_one_after_another_keep_their_numbers():
    class Picky:
        """Refuses the southernmost place as long as there are more than two."""

        def table(self, locations):
            if len(locations) <= 2:
                return HaversineTravelTimes().table(locations)
            south = min(range(len(locations)), key=lambda place: locations[place].latitude)
            raise UnreachablePlaces({south: Text(f"no way from place {south} to place 0", "没有通路")})

    places = [Location(30.5 + step / 100, 114.3) for step in (3, 0, 2, 1)]
    _, why = reachable_table(Picky(), places)
    assert {place: text.en for place, text in why.items()} == {
        1: "no way from place 1 to place 0",
        3: "no way from place 3 to place 0",
    }


def test_each_round_has_its_line_on_the_streets_and_geojson_draws_it(streets):
    day = problem(TOWN[1:], reps=1, end=TOWN[0])
    travel = travel_for(day, streets)
    plan, _ = evaluate(day, travel.table, {"R0": ["C0", "C1", "C2"]})
    record = json.loads(json.dumps(travel_record(day, plan, travel)))
    points = decode_polyline(record["geometry"]["R0"])
    assert 20 < len(points) <= MOST_POINTS
    places = places_of(day, plan.routes[0])
    assert points[0] == points[-1] == pytest.approx((places[0].latitude, places[0].longitude), abs=1e-5)
    for place in places:
        assert min(great_circle_m(place, Location(*point)) for point in points) < 30
    drawing = to_geojson(day, plan, record["geometry"])
    assert "OpenStreetMap" in drawing["attribution"]
    (line,) = [f for f in drawing["features"] if f["properties"]["kind"] == "route"]
    assert line["geometry"]["coordinates"] == [[longitude, latitude] for latitude, longitude in points]
    assert line["properties"]["drawn"] == "streets"
    (straight,) = [f for f in to_geojson(day, plan)["features"] if f["properties"]["kind"] == "route"]
    assert len(straight["geometry"]["coordinates"]) == 5
    assert straight["properties"]["drawn"] == "straight"


def test_a_source_without_streets_leaves_the_lines_straight():
    day = problem(TOWN)
    travel = travel_for(day, HaversineTravelTimes())
    plan, _ = evaluate(day, travel.table, {"R0": ["C1", "C2"]})
    assert travel_record(day, plan, travel)["geometry"] == {}


def test_a_plan_is_kept_although_its_lines_cannot_be_had():
    class Silent:
        def table(self, locations):
            return HaversineTravelTimes().table(locations)

        def geometry(self, places):
            raise Unavailable(Text("the server is gone", "服务器已停止"))

    day = problem(TOWN)
    travel = travel_for(day, Silent())
    plan, _ = evaluate(day, travel.table, {"R0": ["C1", "C2"]})
    assert travel_record(day, plan, travel)["geometry"] == {}


def test_a_given_matrix_is_examined_too():
    day = problem(TOWN, reps=1)
    table = HaversineTravelTimes(24).table(day.locations())
    minutes = MatrixTravelTimes((table.duration_s / 60).tolist(), table.distance_m.tolist())
    travel = travel_for(day, minutes)
    plan, _ = evaluate(day, travel.table, {"R0": ["C1", "C2"]})
    hints = travel_record(day, plan, travel)["travel"]["hints"]
    assert [hint["code"] for hint in hints] == ["durations_in_minutes"]
    assert hints[0]["zh"]
