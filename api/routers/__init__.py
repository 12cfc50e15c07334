"""HTTP routes, one file a resource."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from api.schemas import Problem
from api.services import Services


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CurrentServices = Annotated[Services, Depends(_services)]
"""Parameter of a route: everything that was wired together at the start."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text of yours: the same request sent again with it gets the first answer and changes nothing.",
    ),
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of the problem answers that a route may give, besides 400, 401 and 422."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": _MEANING[status], "content": content}
        for status in sorted({400, 401, 422, *statuses})
    }
    return described


_MEANING = {
    400: "The body cannot be read at all.",
    401: "Nobody, or nobody known, asks.",
    403: "The asker may not do this.",
    404: "There is no such thing, or the asker may not know that there is.",
    406: "The format asked for is not offered.",
    409: "It contradicts what is stored now, or the first request with this key is still being worked on.",
    412: "Somebody else has changed it since the version that was seen.",
    413: "The body is too large.",
    422: "Fields are wrong; each is named by its pointer.",
    429: "Too many failures: wait as long as Retry-After says.",
    503: "Not available now: try again later.",
}
