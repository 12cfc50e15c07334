"""Talks JSON with a routing server: tries again when it is busy, and says clearly what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import InvalidInput, Text, Unavailable

if TYPE_CHECKING:
    import httpx

    from common.places import Location
    from routing.travel.table_blocks import Numbers
    from routing.travel_times import Point

TRY_AGAIN_STATUS = frozenset({429, 500, 502, 503, 504})
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class RoadServer:
    """A server of travel times and ways.

    Attributes
    ----------
    kind : str
        What it is called in messages, such as ``OSRM``.
    base_url : str
        Such as ``http://localhost:5000``.
    timeout_s : float
        For each request.
    retries : int
        How often a request that failed is sent again, after 0.2, 0.4, 0.8 … seconds (at most 5).

    Raises
    ------
    InvalidInput
        When one of these makes no sense.
    """

    kind: str
    base_url: str
    timeout_s: float
    retries: int

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise InvalidInput.at("/travel/base_url", "must be an http(s) address", "必须是 http(s) 地址")
        if self.timeout_s <= 0 or self.retries < 0:
            raise InvalidInput.at(
                "/travel", "timeout_s must be above 0, retries not negative", "timeout_s 必须大于 0，retries 不得为负"
            )

    def client(self) -> httpx.Client:
        """Return a client that keeps its connection; to be closed."""
        import httpx

        # Certificates are read for https alone: reading them takes longer than a small table. Redirects are not
        # followed, so nothing turns into https on the way.
        return httpx.Client(timeout=self.timeout_s, verify=self.base_url.startswith("https://"))

    def ask(
        self,
        client: httpx.Client,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the JSON that the server answers, whatever its status; a body is posted.

        Raises
        ------
        Unavailable
            When it cannot be reached, stays busy, is too slow, or does not answer JSON.
        """
        import httpx

        url, problem = f"{self.base_url.rstrip('/')}{path}", ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(min(LONGEST_PAUSE_S, 0.1 * 2**attempt))
            try:
                response = client.get(url, params=parameters) if body is None else client.post(url, json=body)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if response.status_code not in TRY_AGAIN_STATUS:
                return self._json(response)
            problem = f"HTTP {response.status_code}"
        raise Unavailable(
            Text(
                f"the {self.kind} server {self.base_url} does not answer ({problem})",
                f"{self.kind} 服务器 {self.base_url} 没有响应（{problem}）",
            )
        )

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self.nonsense("its answer is not JSON", "回答不是 JSON") from error

    def nonsense(self, en: str, zh: str) -> Unavailable:
        """Return the error for an answer that cannot be understood."""
        text = Text(
            f"the {self.kind} server {self.base_url} does not make sense: {en}",
            f"{self.kind} 服务器 {self.base_url} 的回答无法理解：{zh}",
        )
        return Unavailable(text)

    def refusal(self, why: str) -> InvalidInput:
        """Return the error for a request that the server refuses."""
        return InvalidInput.at(
            "/travel", f"the {self.kind} server refuses: {why}", f"{self.kind} 服务器拒绝请求：{why}"
        )

    def way_through(
        self, places: Sequence[Location], most: int, ask: Callable[[httpx.Client, Sequence[Location]], list[Point]]
    ) -> list[Point]:
        """Return the points of the way through ``places``, asked for in stretches of at most ``most`` places."""
        points: list[Point] = [(places[0].latitude, places[0].longitude)]
        if len(set(places)) > 1:
            with self.client() as client:
                for first in range(0, len(places) - 1, most - 1):
                    points += ask(client, places[first : first + most])
        return [*points, (places[-1].latitude, places[-1].longitude)]

    def matrix(self, name: str, given: Any, shape: tuple[int, int]) -> Numbers:
        """Return numbers of the given shape; null becomes NaN.

        Raises
        ------
        Unavailable
            When they are not that.
        """
        import numpy as np

        try:
            numbers = np.array(given, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        if numbers.shape != shape:
            raise self.nonsense(f"its {name} have the wrong shape", f"{name} 形状不对")
        return numbers


def too_far(kind: str, away_m: float | None, limit_m: float) -> Text:
    """Return why a place has no street: the nearest one is ``away_m`` metres away, if that is known."""
    if away_m is None:
        return Text(
            f"no street of the {kind} network lies within {limit_m:.0f} m of this place",
            f"{kind} 路网中该地点 {limit_m:.0f} 米内没有道路",
        )
    far = away_m >= 10_000
    away, away_zh = (
        (f"{away_m / 1000:.0f} km", f"{away_m / 1000:.0f} 公里") if far else (f"{away_m:.0f} m", f"{away_m:.0f} 米")
    )
    return Text(
        f"the nearest street of the {kind} network is {away} away, further than {limit_m:.0f} m",
        f"{kind} 路网中最近的道路距此 {away_zh}，超过 {limit_m:.0f} 米",
    )
