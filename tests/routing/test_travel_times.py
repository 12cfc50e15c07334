"""Every implementation of TravelTimes keeps one contract; each names what is wrong with its input."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from common.errors import InvalidInput, Unavailable
from common.places import Location, great_circle_m
from routing.osrm import OsrmTravelTimes
from routing.travel_times import HaversineTravelTimes, MatrixTravelTimes

PLACES = [Location(30.50, 114.30), Location(30.52, 114.33), Location(30.55, 114.28), Location(30.50, 114.30)]


class OsrmLike(BaseHTTPRequestHandler):
    """Speaks OSRM's table service: 10 m/s as the crow flies, 3 s slower towards higher indices."""

    def do_GET(self):
        server = self.server
        server.requests.append(self.path)
        if server.failures:
            status, body = server.failures.pop(0)
            return self._answer(status, body)
        parts = urlsplit(self.path)
        places = [Location(*map(float, pair.split(",")[::-1])) for pair in parts.path.split("/")[-1].split(";")]
        if len(places) > server.largest:
            return self._answer(400, {"code": "TooBig", "message": "Too many table coordinates"})
        query = {
            name: list(map(int, value[0].split(";")))
            for name, value in parse_qs(parts.query).items()
            if name != "annotations"
        }
        metres = [[great_circle_m(places[a], places[b]) for b in query["destinations"]] for a in query["sources"]]
        seconds = [[value / 10 for value in row] for row in metres]
        if server.no_way:
            seconds[0][-1] = None
        return self._answer(200, {"code": "Ok", "durations": seconds, "distances": metres})

    def _answer(self, status, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture
def osrm():
    server = ThreadingHTTPServer(("127.0.0.1", 0), OsrmLike)
    server.requests, server.failures, server.largest, server.no_way = [], [], 100, False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["great circle", "matrix", "table", "osrm", "osrm in chunks"])
def travel(request, osrm):
    plain = HaversineTravelTimes()
    if request.param == "great circle":
        return plain
    if request.param.startswith("osrm"):
        return OsrmTravelTimes(osrm.url, chunk=2 if "chunks" in request.param else 100)
    table = plain.table(PLACES)
    given = MatrixTravelTimes(table.duration_s.tolist(), table.distance_m.tolist())
    return given if request.param == "matrix" else given.table(PLACES)


def test_a_table_is_whole_square_not_negative_and_zero_on_its_diagonal(travel):
    table = travel.table(PLACES)
    for matrix in (table.duration_s, table.distance_m):
        assert matrix.shape == (4, 4)
        assert matrix.dtype == np.int32
        assert (matrix >= 0).all()
        assert not matrix.diagonal().any()


def test_ways_are_at_least_as_long_as_the_great_circle_and_take_time(travel):
    table = travel.table(PLACES)
    for a, start in enumerate(PLACES):
        for b, end in enumerate(PLACES):
            assert table.distance_m[a, b] >= great_circle_m(start, end) - 1
            assert (table.duration_s[a, b] > 0) == (start != end)


def test_the_same_places_have_the_same_ways(travel):
    table = travel.table(PLACES)
    assert (table.duration_s[0] == table.duration_s[3]).all()
    assert table.part([2, 0]).duration_s.tolist() == [[0, table.duration_s[2, 0]], [table.duration_s[0, 2], 0]]


def test_the_great_circle_is_driven_at_the_speed_and_detour_asked_for():
    table = HaversineTravelTimes(speed_kmh=36, detour_factor=2).table(PLACES)
    assert abs(table.distance_m[0, 2] - 2 * great_circle_m(PLACES[0], PLACES[2])) <= 1
    assert abs(table.duration_s[0, 2] - table.distance_m[0, 2] / 10) <= 1


@pytest.mark.parametrize(("speed", "detour"), [(0, 1.4), (-5, 1.4), (float("nan"), 1.4), (25, 0.5)])
def test_impossible_speeds_and_detours_are_refused(speed, detour):
    with pytest.raises(InvalidInput):
        HaversineTravelTimes(speed, detour)


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


def test_chunked_osrm_tables_equal_whole_ones_and_stay_below_the_servers_limit(osrm):
    places = [Location(30.5 + step / 300, 114.3 + step % 5 / 70) for step in range(23)]
    whole = OsrmTravelTimes(osrm.url).table(places)
    osrm.largest = 10
    parts = OsrmTravelTimes(osrm.url, chunk=10).table(places)
    assert (whole.duration_s == parts.duration_s).all()
    assert (whole.distance_m == parts.distance_m).all()


def test_a_busy_osrm_server_is_asked_again(osrm):
    osrm.failures = [(503, b"busy"), (429, b"busy")]
    assert OsrmTravelTimes(osrm.url, retries=2).table(PLACES).duration_s[0, 1] > 0
    assert len(osrm.requests) == 3


@pytest.mark.parametrize(
    "failure",
    [
        (503, b""),
        (200, b"<html>"),
        (200, {"code": "Ok"}),
        (200, {"code": "Ok", "durations": [[1]], "distances": [[1]]}),
    ],
)
def test_an_osrm_server_that_fails_is_unavailable(osrm, failure):
    osrm.failures = [failure]
    with pytest.raises(Unavailable):
        OsrmTravelTimes(osrm.url, retries=0).table(PLACES)


def test_a_closed_port_is_unavailable_and_named():
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9"):
        OsrmTravelTimes("http://127.0.0.1:9", retries=0, timeout_s=0.5).table(PLACES)


def test_osrm_refusals_and_missing_ways_are_the_inputs_fault(osrm):
    osrm.largest = 2
    with pytest.raises(InvalidInput, match="TooBig"):
        OsrmTravelTimes(osrm.url).table(PLACES)
    osrm.largest, osrm.no_way = 100, True
    with pytest.raises(InvalidInput, match="place 0 to place 3"):
        OsrmTravelTimes(osrm.url).table(PLACES)


@pytest.mark.parametrize("options", [{"base_url": "ftp://x"}, {"chunk": 1}, {"timeout_s": 0}, {"retries": -1}])
def test_impossible_osrm_settings_are_refused(options):
    with pytest.raises(InvalidInput):
        OsrmTravelTimes(**{"base_url": "http://localhost"} | options)
