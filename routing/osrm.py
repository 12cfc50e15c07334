"""Road travel times from an OSRM server (https://project-osrm.org/docs/v5.24.0/api/#table-service)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import InvalidInput, Text, Unavailable
from common.places import Location
from routing.travel_times import LARGEST_ENTRY, TravelTable

if TYPE_CHECKING:
    import httpx

TRY_AGAIN_STATUS = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class OsrmTravelTimes:
    """Asks an OSRM server's table service, in blocks, and tries again when it is busy.

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
    """

    base_url: str
    profile: str = "driving"
    timeout_s: float = 10.0
    retries: int = 2
    chunk: int = 100

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise InvalidInput.at("/travel/base_url", "must be an http(s) address", "必须是 http(s) 地址")
        if self.chunk < 2 or self.timeout_s <= 0 or self.retries < 0:
            raise InvalidInput.at(
                "/travel",
                "chunk must be at least 2, timeout_s above 0, retries not negative",
                "chunk 至少为 2，timeout_s 大于 0，retries 不得为负",
            )

    def table(self, locations: Sequence[Location]) -> TravelTable:
        """Return road times and distances.

        Raises
        ------
        InvalidInput
            When the server refuses the request, or finds no way between two places, which are named.
        Unavailable
            When it cannot be reached, is too slow, or answers nonsense.
        """
        import httpx
        import numpy as np

        size = len(locations)
        durations, distances = np.zeros((size, size)), np.zeros((size, size))
        block = size if size <= self.chunk else max(1, self.chunk // 2)
        starts = range(0, size, block)
        with httpx.Client(timeout=self.timeout_s) as client:
            for row in starts:
                for column in starts:
                    rows, columns = range(row, min(row + block, size)), range(column, min(column + block, size))
                    answer = self._block(client, locations, rows, columns)
                    part = np.s_[row : rows.stop, column : columns.stop]
                    durations[part] = _numbers(answer, "durations", (len(rows), len(columns)))
                    distances[part] = _numbers(answer, "distances", (len(rows), len(columns)))
        _refuse_missing_ways(durations)
        np.fill_diagonal(durations, 0)
        np.fill_diagonal(distances, 0)
        durations = np.minimum(np.rint(durations), LARGEST_ENTRY)
        return TravelTable(durations.astype(np.int32), np.rint(np.nan_to_num(distances)).astype(np.int32))

    def _block(
        self, client: httpx.Client, locations: Sequence[Location], rows: range, columns: range
    ) -> dict[str, Any]:
        places = sorted({*rows, *columns})
        position = {place: index for index, place in enumerate(places)}
        path = ";".join(f"{locations[place].longitude:.6f},{locations[place].latitude:.6f}" for place in places)
        parameters = {
            "annotations": "duration,distance",
            "sources": ";".join(str(position[place]) for place in rows),
            "destinations": ";".join(str(position[place]) for place in columns),
        }
        url = f"{self.base_url.rstrip('/')}/table/v1/{self.profile}/{path}"
        return self._ask(client, url, parameters)

    def _ask(self, client: httpx.Client, url: str, parameters: dict[str, str]) -> dict[str, Any]:
        import httpx

        problem = ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(0.1 * 2**attempt)
            try:
                response = client.get(url, params=parameters)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if response.status_code not in TRY_AGAIN_STATUS:
                return _read_answer(response)
            problem = f"HTTP {response.status_code}"
        raise Unavailable(
            Text(
                f"the OSRM server {self.base_url} does not answer ({problem})",
                f"OSRM 服务器 {self.base_url} 没有响应（{problem}）",
            )
        )


def _read_answer(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unavailable(Text("the OSRM server's answer is not JSON", "OSRM 服务器的回答不是 JSON"))
    if answer.get("code") != "Ok":
        why = f"{answer.get('code')}: {answer.get('message', '')}"
        raise InvalidInput.at("/travel", f"the OSRM server refuses: {why}", f"OSRM 服务器拒绝请求：{why}")
    return answer


def _numbers(answer: dict[str, Any], name: str, shape: tuple[int, int]) -> Any:
    import numpy as np

    try:
        numbers = np.array(answer.get(name), dtype=np.float64)  # None (no way) becomes nan
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != shape:
        raise Unavailable(Text(f"the OSRM server's {name} have the wrong shape", f"OSRM 服务器返回的 {name} 形状不对"))
    return numbers


def _refuse_missing_ways(durations: Any) -> None:
    import numpy as np

    missing = np.argwhere(~(np.isfinite(durations) & (durations >= 0)))
    if len(missing):
        row, column = missing[0]
        raise InvalidInput.at(
            f"/locations/{row}",
            f"the road network has no way from place {row} to place {column}",
            f"路网中地点 {row} 到地点 {column} 没有通路",
        )
