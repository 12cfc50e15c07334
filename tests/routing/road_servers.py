"""Servers of travel times for tests: real HTTP servers on this machine that answer in OSRM's and Valhalla's shapes.

Both know a plane world: 10 m/s along a way 1.25 times as long as the great circle, and streets only between 30 and 31
degrees north. What they were asked is in ``requests``; ``failures`` are answered first; ``islands`` are places that
have streets but no ways to others.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from common.places import Location, great_circle_m
from routing.travel.polyline import encode_polyline

DETOUR, SPEED_M_S = 1.25, 10.0


def away_m(place):
    """How far a place is from the streets."""
    south, north = Location(30, place.longitude), Location(31, place.longitude)
    if 30 <= place.latitude <= 31:
        return 5.0
    return great_circle_m(place, south if place.latitude < 30 else north)


class RoadServerLike(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def way(self, start, end):
        """Metres and seconds, or None."""
        if start != end and {(start.latitude, start.longitude), (end.latitude, end.longitude)} & self.server.islands:
            return None
        metres = DETOUR * great_circle_m(start, end)
        return metres, metres / SPEED_M_S

    def line(self, places):
        """The way bulges to the north between two places, and begins and ends on the street, not at the place."""
        points = []
        for start, end in pairwise(places):
            middle = ((start.latitude + end.latitude) / 2 + 1e-3, (start.longitude + end.longitude) / 2)
            points += [(start.latitude + 4e-5, start.longitude), middle, (end.latitude + 4e-5, end.longitude)]
        return encode_polyline(points, precision=6)

    def answered_by_failure(self):
        if self.server.failures:
            self.answer(*self.server.failures.pop(0))
            return True
        return False

    def answer(self, status, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Stay silent."""


class OsrmLike(RoadServerLike):
    """Speaks OSRM's table and route services."""

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.answered_by_failure():
            return
        parts = urlsplit(self.path)
        _, service, _, _, coordinates = parts.path.split("/")
        places = [Location(*map(float, pair.split(",")[::-1])) for pair in coordinates.split(";")]
        if len(places) > self.server.largest:
            self.answer(400, {"code": "TooBig", "message": "Too many table coordinates"})
        elif service == "route":
            self.answer(200, {"code": "Ok", "routes": [{"geometry": self.line(places)}], "waypoints": []})
        else:
            query = {name: value[0] for name, value in parse_qs(parts.query).items()}
            self.table(
                places, *([int(index) for index in query[name].split(";")] for name in ("sources", "destinations"))
            )

    def table(self, places, sources, destinations):
        ways = [[self.way(places[a], places[b]) for b in destinations] for a in sources]
        answer = {
            "code": "Ok",
            "durations": [[way and way[1] for way in row] for row in ways],
            "distances": [[way and way[0] for way in row] for row in ways],
        }
        if self.server.tells_distance:
            answer["sources"] = [{"distance": away_m(places[a])} for a in sources]
            answer["destinations"] = [{"distance": away_m(places[b])} for b in destinations]
        self.answer(200, answer)


class ValhallaLike(RoadServerLike):
    """Speaks Valhalla's matrix, route and locate services."""

    def do_POST(self):
        self.server.requests.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.answered_by_failure():
            return
        if self.path == "/locate":
            near = [away_m(place) <= item["search_cutoff"] for place, item in self.asked(body["locations"])]
            self.answer(200, [{"edges": [{"way_id": 1}] if one else None, "nodes": None} for one in near])
            return
        named = [*body.get("sources", ()), *body.get("targets", ()), *body.get("locations", ())]
        if len(named) > self.server.largest:
            self.answer(400, {"error_code": 150, "error": "Exceeded max locations", "status_code": 400})
        elif any(away_m(place) > item["search_cutoff"] for place, item in self.asked(named)):
            self.answer(400, {"error_code": 171, "error": "No suitable edges near location", "status_code": 400})
        elif self.path == "/route":
            places = [place for place, _ in self.asked(body["locations"])]
            legs = [{"shape": self.line(pair)} for pair in pairwise(places)]
            self.answer(200, {"trip": {"legs": legs, "status": 0}})
        else:
            self.matrix(body)

    def matrix(self, body):
        sources, targets = ([place for place, _ in self.asked(body[name])] for name in ("sources", "targets"))
        ways = [[self.way(start, end) for end in targets] for start in sources]
        if self.server.short:
            seconds = [[way and round(way[1]) for way in row] for row in ways]
            kilometres = [[way and round(way[0] / 1000, 3) for way in row] for row in ways]
            self.answer(200, {"sources_to_targets": {"durations": seconds, "distances": kilometres}})
            return
        cells = [
            [
                {
                    "from_index": a,
                    "to_index": b,
                    "time": way and round(way[1]),
                    "distance": way and round(way[0] / 1000, 3),
                }
                for b, way in enumerate(row)
            ]
            for a, row in enumerate(ways)
        ]
        self.answer(200, {"sources_to_targets": cells, "units": "kilometers"})

    @staticmethod
    def asked(items):
        return [(Location(item["lat"], item["lon"]), item) for item in items]


@contextmanager
def running(kind):
    """Run a server of a kind; its address is ``url``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    server.requests, server.failures, server.islands = [], [], set()
    server.largest, server.tells_distance, server.short = 100, True, False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
