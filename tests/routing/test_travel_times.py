"""What is particular to each source of travel times; what they all promise stands in test_travel_contract.py."""

import httpx
import numpy as np
import pytest

from common.errors import InvalidInput, Unavailable
from common.places import Location, great_circle_m
from routing.travel.hours import HourlyTravelTimes, mean_over_hours
from routing.travel.osrm import OsrmTravelTimes
from routing.travel.table_blocks import TableMemory, table_from_blocks
from routing.travel.valhalla import ValhallaTravelTimes
from routing.travel_times import HaversineTravelTimes, MatrixTravelTimes, UnreachablePlaces, for_hours
from tests.routing.road_servers import OsrmLike, ValhallaLike, running

PLACES = [Location(30.50, 114.30), Location(30.52, 114.33), Location(30.55, 114.28), Location(30.50, 114.30)]
MANY = [Location(30.5 + step / 300, 114.3 + step % 5 / 70) for step in range(23)]


@pytest.fixture
def osrm():
    with running(OsrmLike) as server:
        yield server


@pytest.fixture
def valhalla():
    with running(ValhallaLike) as server:
        yield server


@pytest.fixture(params=["osrm", "valhalla"])
def server(request):
    """A server of each kind, and how to ask it."""
    kind, source = (OsrmLike, OsrmTravelTimes) if request.param == "osrm" else (ValhallaLike, ValhallaTravelTimes)
    with running(kind) as server:
        server.source = source
        yield server


def test_the_great_circle_is_driven_at_the_speed_and_detour_asked_for():
    table = HaversineTravelTimes(speed_kmh=36, detour_factor=2).table(PLACES)
    assert abs(table.distance_m[0, 2] - 2 * great_circle_m(PLACES[0], PLACES[2])) <= 1
    assert abs(table.duration_s[0, 2] - table.distance_m[0, 2] / 10) <= 1


@pytest.mark.parametrize(("speed", "detour"), [(0, 1.4), (-5, 1.4), (float("nan"), 1.4), (25, 0.5)])
def test_impossible_speeds_and_detours_are_refused(speed, detour):
    with pytest.raises(InvalidInput):
        HaversineTravelTimes(speed, detour)


def test_an_hour_at_10_and_one_at_30_take_as_long_as_two_at_15():
    speeds = [10.0] + [30.0] * 23
    assert mean_over_hours(speeds, 0, 2 * 3600) == pytest.approx(15)
    assert mean_over_hours(speeds, 1800, 3600) == pytest.approx(10)
    assert mean_over_hours(speeds, 3600, 3600) == 30


def test_hours_go_on_after_midnight():
    speeds = [10.0] + [30.0] * 23
    assert mean_over_hours(speeds, 24 * 3600, 25 * 3600) == pytest.approx(10)
    assert mean_over_hours(speeds, 23 * 3600, 25 * 3600) == pytest.approx(15)


def test_the_great_circle_by_hour_takes_the_hours_of_the_working_span():
    source = HaversineTravelTimes(speed_kmh_by_hour=tuple([50.0] * 9 + [20.0] * 9 + [50.0] * 6))
    day = for_hours(source, 9 * 3600, 18 * 3600).table(PLACES)
    assert (day.duration_s == HaversineTravelTimes(20.0).table(PLACES).duration_s).all()
    whole = source.table(PLACES).duration_s
    assert (HaversineTravelTimes(50.0).table(PLACES).duration_s[0, 1] < whole[0, 1]).all()
    assert whole[0, 1] < day.duration_s[0, 1]


def test_shares_of_the_free_speed_slow_another_source():
    source = HourlyTravelTimes(HaversineTravelTimes(30.0), tuple([1.0] * 8 + [0.5] + [1.0] * 15))
    rush = for_hours(source, 8 * 3600, 9 * 3600).table(PLACES)
    assert np.abs(rush.duration_s - HaversineTravelTimes(15.0).table(PLACES).duration_s).max() <= 1


@pytest.mark.parametrize(
    ("hours", "pointer"),
    [
        ((30.0,) * 23, "/travel/speed_kmh_by_hour"),
        ((30.0,) * 5 + (0.0,) * 19, "/travel/speed_kmh_by_hour/5"),
        ((30.0,) * 23 + (float("nan"),), "/travel/speed_kmh_by_hour/23"),
    ],
)
def test_wrong_speeds_by_hour_are_refused_and_the_hour_named(hours, pointer):
    with pytest.raises(InvalidInput) as refused:
        HaversineTravelTimes(speed_kmh_by_hour=hours)
    assert refused.value.fields[0].pointer == pointer


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(InvalidInput, match="before it starts"):
        mean_over_hours([30.0] * 24, 7200, 3600)


@pytest.mark.parametrize(
    ("matrix", "pointer"),
    [
        ([], "/travel/duration_s"),
        ([[0, 1]], "/travel/duration_s"),
        ([[0, 1], [1]], "/travel/duration_s"),
        ([["a"]], "/travel/duration_s"),
        ([[0, -1], [1, 0]], "/travel/duration_s/0/1"),
        ([[0, 1], [float("nan"), 0]], "/travel/duration_s/1/0"),
        ([[0, 1], [float("inf"), 0]], "/travel/duration_s/1/0"),
        ([[0, 1e12], [1, 0]], "/travel/duration_s/0/1"),
    ],
)
def test_a_wrong_matrix_is_refused_and_the_entry_named(matrix, pointer):
    with pytest.raises(InvalidInput) as refused:
        MatrixTravelTimes(matrix)
    assert refused.value.fields[0].pointer == pointer


def test_a_matrix_may_be_asymmetric_but_must_fit_the_places():
    given = MatrixTravelTimes([[0, 5], [9, 0]])
    assert given.table(PLACES[:2]).duration_s.tolist() == [[0, 5], [9, 0]]
    with pytest.raises(InvalidInput, match="2 rows"):
        given.table(PLACES)


def test_tables_in_blocks_equal_whole_ones_and_stay_below_the_servers_limit(server):
    whole = server.source(server.url, chunk=50).table(MANY)
    server.largest = 10
    parts = server.source(server.url, chunk=5).table(MANY)
    assert (whole.duration_s == parts.duration_s).all()
    assert (whole.distance_m == parts.distance_m).all()


def test_ways_through_many_places_are_asked_for_in_parts_that_join(osrm):
    whole = OsrmTravelTimes(osrm.url).geometry(MANY)
    osrm.largest = 4
    parts = OsrmTravelTimes(osrm.url, chunk=4).geometry(MANY)
    assert set(whole) == set(parts)
    assert len(osrm.requests) == 1 + 8


def test_the_short_form_of_valhallas_answer_says_the_same(valhalla):
    long = ValhallaTravelTimes(valhalla.url).table(MANY)
    valhalla.short = True
    short = ValhallaTravelTimes(valhalla.url).table(MANY)
    assert (long.duration_s == short.duration_s).all()
    assert (long.distance_m == short.distance_m).all()


def test_a_busy_server_is_asked_again(server):
    server.failures = [(503, b"busy"), (429, b"busy")]
    assert server.source(server.url, retries=2).table(PLACES).duration_s[0, 1] > 0
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "failure",
    [
        (503, b""),
        (200, b"<html>"),
        (200, [1, 2]),
        (200, {"code": "Ok"}),
        (200, {"code": "Ok", "durations": [[1]], "distances": [[1]], "sources_to_targets": [[{"time": 1}]]}),
        (200, {"code": "Ok", "sources_to_targets": [[1, 2], [3, 4]]}),
    ],
)
def test_a_server_that_fails_is_unavailable_and_named(server, failure):
    server.failures = [failure]
    with pytest.raises(Unavailable) as refused:
        server.source(server.url, retries=0).table(PLACES)
    assert server.url in refused.value.text.en
    assert server.url in refused.value.text.zh


@pytest.mark.parametrize("failure", [(200, {"code": "Ok", "routes": []}), (200, {"trip": {}}), (200, [])])
def test_a_server_without_a_way_in_its_answer_is_unavailable(server, failure):
    server.failures = [failure]
    with pytest.raises(Unavailable):
        server.source(server.url, retries=0).geometry(PLACES)


@pytest.mark.parametrize("source", [OsrmTravelTimes, ValhallaTravelTimes])
def test_a_closed_port_is_unavailable_and_named(source):
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9"):
        source("http://127.0.0.1:9", retries=0, timeout_s=0.5).table(PLACES)


def test_a_server_that_is_too_slow_is_unavailable(server, monkeypatch):
    def never(*_, **__):
        raise httpx.ReadTimeout("too slow")

    monkeypatch.setattr(httpx.Client, "get", never)
    monkeypatch.setattr(httpx.Client, "post", never)
    with pytest.raises(Unavailable, match="ReadTimeout"):
        server.source(server.url, retries=1).table(PLACES)


def test_what_a_server_refuses_is_the_inputs_fault(server):
    server.largest = 2
    with pytest.raises(InvalidInput, match=r"TooBig|Exceeded max locations"):
        server.source(server.url).table(PLACES)


def test_places_without_ways_to_the_others_are_named_the_others_are_not(server):
    server.islands = {(30.55, 114.28)}
    with pytest.raises(UnreachablePlaces, match=r"place 0 to place 2|place 2 to place 0") as refused:
        server.source(server.url).table(PLACES)
    assert refused.value.places == (2,)


def test_a_place_that_osrm_cannot_snap_is_named_by_its_message(osrm):
    osrm.failures = [(400, {"code": "NoSegment", "message": "Could not find a matching segment for coordinate 1"})]
    with pytest.raises(UnreachablePlaces) as refused:
        OsrmTravelTimes(osrm.url).table(PLACES)
    assert refused.value.fields[0].pointer == "/locations/1"


def test_an_osrm_server_that_does_not_say_how_far_streets_are_is_believed(osrm):
    osrm.tells_distance = False
    assert OsrmTravelTimes(osrm.url).table([PLACES[0], Location(29.0, 114.0)]).duration_s[0, 1] > 0


def test_a_known_day_is_not_asked_for_again_and_a_new_place_costs_its_own_ways_only(server):
    source = server.source(server.url)
    whole = source.table(MANY)
    asked = len(server.requests)
    assert (source.table(MANY[3:10]).duration_s == whole.part(range(3, 10)).duration_s).all()
    assert len(server.requests) == asked
    more = source.table([*MANY[:10], Location(30.6, 114.2)])
    assert len(server.requests) == asked + 2  # from the new place to all, and from the others to it
    assert (more.duration_s[:10, :10] == whole.duration_s[:10, :10]).all()
    assert (more.duration_s == server.source(server.url).table([*MANY[:10], Location(30.6, 114.2)]).duration_s).all()


def test_the_memory_forgets_the_tables_used_longest_ago_and_those_too_old():
    asked = []

    def ask(sources, targets):
        asked.append(len(sources))
        metres = np.array([[great_circle_m(start, end) for end in targets] for start in sources])
        return metres / 10, metres

    memory = TableMemory(most_entries=9)
    for places in (MANY[:3], MANY[10:12], MANY[:3]):
        table_from_blocks(places, ask, 10, memory=memory)
    assert asked == [3, 2, 3]
    memory = TableMemory(keep_s=-1)
    for _ in range(2):
        table_from_blocks(MANY[:3], ask, 10, memory=memory)
    assert asked[3:] == [3, 3]


@pytest.mark.parametrize("source", [OsrmTravelTimes, ValhallaTravelTimes])
@pytest.mark.parametrize("options", [{"base_url": "ftp://x"}, {"chunk": 0}, {"timeout_s": 0}, {"retries": -1}])
def test_impossible_server_settings_are_refused(source, options):
    with pytest.raises(InvalidInput):
        source(**{"base_url": "http://localhost"} | options)
