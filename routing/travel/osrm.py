"""Road travel times and ways from an OSRM server (https://project-osrm.org/docs/v5.24.0/api/)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common.errors import InvalidInput, Text
from common.places import Location
from routing.travel.polyline import decode_polyline
from routing.travel.road_server import RoadServer, too_far
from routing.travel.table_blocks import TableMemory, table_from_blocks
from routing.travel_times import Point, TravelTable, UnreachablePlaces

if TYPE_CHECKING:
    import httpx

    from routing.travel.table_blocks import Numbers


@dataclass(frozen=True, slots=True)
class OsrmTravelTimes:
    """Asks an OSRM server's table and route services.

    Attributes
    ----------
    base_url : str
        Such as ``http://localhost:5000``.
    profile : str
        The server's profile, such as ``driving``, ``bike`` or ``foot``.
    timeout_s : float
        For each request.
    retries : int
        How often a request that failed is sent again, after 0.2, 0.4, 0.8 … seconds.
    chunk : int
        Most places in one request (sources and destinations together); servers allow 100 unless set otherwise.
    snap_limit_m : float
        A place further than this from any street counts as unreachable; OSRM itself would move it there however far.
    memory : TableMemory
        What was answered lately.
    """

    base_url: str
    profile: str = "driving"
    timeout_s: float = 10.0
    retries: int = 2
    chunk: int = 100
    snap_limit_m: float = 1000.0
    memory: TableMemory = field(default_factory=TableMemory, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.chunk < 2:
            raise InvalidInput.at("/travel/chunk", "must be at least 2", "至少为 2")
        self._server()

    def _server(self) -> RoadServer:
        return RoadServer("OSRM", self.base_url, self.timeout_s, self.retries)

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return road times and distances along the fastest ways.

        Raises
        ------
        UnreachablePlaces
            When places are too far from any street, or have no way to others.
        InvalidInput
            When the server refuses the request.
        Unavailable
            When it cannot be reached, is too slow, or answers nonsense.
        """
        server = self._server()
        size = len(set(locations))
        block = size if size <= self.chunk else self.chunk // 2
        far: dict[Location, Text] = {}
        with server.client() as client:

            def ask(sources: Sequence[Location], targets: Sequence[Location]) -> tuple[Numbers, Numbers]:
                seconds_and_metres, found = self._block(server, client, locations, (sources, targets))
                far.update(found)
                return seconds_and_metres

            return table_from_blocks(locations, ask, block, memory=self.memory, far=far)

    def _block(
        self,
        server: RoadServer,
        client: httpx.Client,
        locations: Sequence[Location],
        asked: tuple[Sequence[Location], Sequence[Location]],
    ) -> tuple[tuple[Numbers, Numbers], dict[Location, Text]]:
        sources, targets = asked
        places = list(dict.fromkeys([*sources, *targets]))
        position = {place: index for index, place in enumerate(places)}
        parameters = {
            "annotations": "duration,distance",
            "sources": ";".join(str(position[place]) for place in sources),
            "destinations": ";".join(str(position[place]) for place in targets),
        }
        answer = server.ask(client, f"/table/v1/{self.profile}/{_coordinates(places)}", parameters=parameters)
        answer = self._accepted(server, answer, places, locations)
        shape = (len(sources), len(targets))
        names = ("durations", "distances")
        seconds, metres = (server.matrix(name, answer.get(name), shape) for name in names)
        return (seconds, metres), self._far(answer, sources, targets)

    def geometry(self, places: Sequence[Location]) -> list[Point]:
        """Return the points of the way through ``places``, as the route service draws it.

        Raises
        ------
        UnreachablePlaces, InvalidInput, Unavailable
            As for :meth:`table`.
        """
        server = self._server()
        return server.way_through(places, self.chunk, lambda client, part: self._way(server, client, places, part))

    def _way(
        self, server: RoadServer, client: httpx.Client, locations: Sequence[Location], part: Sequence[Location]
    ) -> list[Point]:
        parameters = {"overview": "full", "geometries": "polyline6", "steps": "false"}
        answer = server.ask(client, f"/route/v1/{self.profile}/{_coordinates(part)}", parameters=parameters)
        answer = self._accepted(server, answer, part, locations)
        try:
            return decode_polyline(answer["routes"][0]["geometry"], precision=6)
        except (KeyError, IndexError, TypeError, InvalidInput) as error:
            raise server.nonsense("there is no way in its answer", "回答中没有路线") from error

    def _accepted(
        self, server: RoadServer, answer: Any, places: Sequence[Location], locations: Sequence[Location]
    ) -> dict[str, Any]:
        """Return the answer when the server accepts the request, and name the place when it says which is wrong."""
        if not isinstance(answer, dict) or not isinstance(answer.get("code"), str):
            raise server.nonsense("its answer has no code", "回答中没有 code")
        if answer.get("code") == "Ok":
            return answer
        message = str(answer.get("message", ""))
        at_fault = re.search(r"coordinate (\d+)", message) if answer.get("code") == "NoSegment" else None
        if at_fault and int(at_fault[1]) < len(places):
            text = too_far("OSRM", None, self.snap_limit_m)
            wrong = places[int(at_fault[1])]
            raise UnreachablePlaces({index: text for index, place in enumerate(locations) if place == wrong})
        raise server.refusal(f"{answer.get('code')}: {message}")

    def _far(
        self, answer: dict[str, Any], sources: Sequence[Location], targets: Sequence[Location]
    ) -> dict[Location, Text]:
        """Return the places that the server moved too far to a street; older servers do not say how far."""
        far: dict[Location, Text] = {}
        for name, asked in (("sources", sources), ("destinations", targets)):
            snapped = answer.get(name)
            if not isinstance(snapped, list) or len(snapped) != len(asked):
                continue
            for place, item in zip(asked, snapped, strict=True):
                away_m = item.get("distance") if isinstance(item, dict) else None
                if isinstance(away_m, int | float) and away_m > self.snap_limit_m:
                    far[place] = too_far("OSRM", float(away_m), self.snap_limit_m)
        return far


def _coordinates(places: Sequence[Location]) -> str:
    return ";".join(f"{place.longitude:.6f},{place.latitude:.6f}" for place in places)
