"""Road travel times and ways from a Valhalla server (https://valhalla.github.io/valhalla/api/matrix/api-reference/)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common.errors import InvalidInput
from common.places import Location
from routing.travel.polyline import decode_polyline
from routing.travel.road_server import RoadServer, too_far
from routing.travel.table_blocks import TableMemory, table_from_blocks
from routing.travel_times import Point, TravelTable, UnreachablePlaces

if TYPE_CHECKING:
    import httpx

    from routing.travel.table_blocks import Numbers

NO_EDGES_NEAR = 171
"""Valhalla's code for a place without a street near; it does not say which place."""


@dataclass(frozen=True, slots=True)
class ValhallaTravelTimes:
    """Asks a Valhalla server's matrix and route services.

    Attributes
    ----------
    base_url : str
        Such as ``http://localhost:8002``.
    costing : str
        How people travel: ``auto``, ``motor_scooter``, ``bicycle``, ``pedestrian`` …
    timeout_s : float
        For each request.
    retries : int
        How often a request that failed is sent again, after 0.2, 0.4, 0.8 … seconds.
    chunk : int
        Most sources, and most targets, in one request; servers allow 2,500 pairs unless set otherwise.
    route_chunk : int
        Most places in one request for a way; servers allow 20 unless set otherwise.
    snap_limit_m : float
        A place further than this from any street counts as unreachable.
    memory : TableMemory
        What was answered lately.
    """

    base_url: str
    costing: str = "auto"
    timeout_s: float = 10.0
    retries: int = 2
    chunk: int = 50
    route_chunk: int = 20
    snap_limit_m: float = 1000.0
    memory: TableMemory = field(default_factory=TableMemory, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.chunk < 1 or self.route_chunk < 2:
            raise InvalidInput.at(
                "/travel/chunk",
                "chunk must be at least 1, route_chunk at least 2",
                "chunk 至少为 1，route_chunk 至少为 2",
            )
        self._server()

    def _server(self) -> RoadServer:
        return RoadServer("Valhalla", self.base_url, self.timeout_s, self.retries)

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
        with server.client() as client:

            def ask(sources: Sequence[Location], targets: Sequence[Location]) -> tuple[Numbers, Numbers]:
                body = {"sources": self._asked(sources), "targets": self._asked(targets)}
                answer = server.ask(client, "/sources_to_targets", body=self._request(body))
                if (code := _error_code(answer)) is not None:
                    if code == NO_EDGES_NEAR:
                        self._refuse_far(server, client, locations)
                    raise server.refusal(_reason(answer))
                return self._numbers(server, answer, (len(sources), len(targets)))

            return table_from_blocks(locations, ask, self.chunk, memory=self.memory)

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "costing": self.costing, "units": "kilometers"}

    def _asked(self, places: Sequence[Location], **more: str) -> list[dict[str, Any]]:
        cutoff = {"search_cutoff": self.snap_limit_m}
        return [{"lat": place.latitude, "lon": place.longitude, **cutoff, **more} for place in places]

    def _numbers(self, server: RoadServer, answer: Any, shape: tuple[int, int]) -> tuple[Numbers, Numbers]:
        table = answer.get("sources_to_targets") if isinstance(answer, dict) else None
        if isinstance(table, dict):  # the short form of the answer
            seconds, kilometres = table.get("durations"), table.get("distances")
        else:
            try:
                seconds = [[cell.get("time") for cell in row] for row in table or ()]
                kilometres = [[cell.get("distance") for cell in row] for row in table or ()]
            except (AttributeError, TypeError):
                seconds = kilometres = None
        return (
            server.matrix("times", seconds, shape),
            server.matrix("distances", kilometres, shape) * 1000,
        )

    def _refuse_far(self, server: RoadServer, client: httpx.Client, locations: Sequence[Location]) -> None:
        """Ask where the streets are, and name all places that have none near: the server has not said which."""
        places, far = list(dict.fromkeys(locations)), set()
        for first in range(0, len(places), self.chunk):
            part = places[first : first + self.chunk]
            answer = server.ask(client, "/locate", body={"locations": self._asked(part), "costing": self.costing})
            if not isinstance(answer, list) or len(answer) != len(part):
                raise server.nonsense("it does not locate the places", "无法定位地点")
            for place, item in zip(part, answer, strict=True):
                if not (isinstance(item, dict) and (item.get("edges") or item.get("nodes"))):
                    far.add(place)
        if far:
            text = too_far("Valhalla", None, self.snap_limit_m)
            raise UnreachablePlaces({index: text for index, place in enumerate(locations) if place in far})

    def geometry(self, places: Sequence[Location]) -> list[Point]:
        """Return the points of the way through ``places``, as the route service draws it.

        Raises
        ------
        UnreachablePlaces, InvalidInput, Unavailable
            As for :meth:`table`.
        """
        server = self._server()
        return server.way_through(
            places, self.route_chunk, lambda client, part: self._way(server, client, places, part)
        )

    def _way(
        self, server: RoadServer, client: httpx.Client, locations: Sequence[Location], part: Sequence[Location]
    ) -> list[Point]:
        body = {"locations": self._asked(part, type="break"), "directions_type": "none"}
        answer = server.ask(client, "/route", body=self._request(body))
        code = _error_code(answer)
        if code == NO_EDGES_NEAR:
            self._refuse_far(server, client, locations)
        if code is not None:
            raise server.refusal(_reason(answer))
        try:
            legs = answer["trip"]["legs"]
            return [point for leg in legs for point in decode_polyline(leg["shape"], precision=6)]
        except (KeyError, TypeError, InvalidInput) as error:
            raise server.nonsense("there is no way in its answer", "回答中没有路线") from error


def _error_code(answer: Any) -> int | None:
    """Return the code of an error; None when the answer is none."""
    if not isinstance(answer, dict) or ("error" not in answer and "error_code" not in answer):
        return None
    code = answer.get("error_code")
    return code if isinstance(code, int) else 0


def _reason(answer: dict[str, Any]) -> str:
    return f"{answer.get('error_code', '')} {answer.get('error', '')}".strip()
