"""Routes that create something once, however often the same request arrives (``Idempotency-Key``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.security import authenticate
from operations import repeated_requests
from operations.repeated_requests import Answer

HEADER = "Idempotency-Key"
_KEPT_HEADERS = ("content-type", "location", "content-language")


class CreatingRoute(APIRoute):
    """A route whose POST answers are kept by the sender's ``Idempotency-Key``.

    The same key with the same request gets the first answer again, with ``Idempotency-Replayed: true``; with another
    request 422; while the first is still worked on, 409. Failed requests are not kept and may be tried again.
    """

    shown_once: ClassVar[frozenset[str]] = frozenset()
    """Fields of the answer that are never kept: a repeated request finds null there."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the keeping around it."""
        handle = super().get_route_handler()
        shown_once = self.shown_once

        async def handle_once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST":
                return await handle(request)
            return await _once(request, key, handle, shown_once)

        return handle_once


class SecretCreatingRoute(CreatingRoute):
    """The same for an answer that carries a new secret in its field ``secret``."""

    shown_once: ClassVar[frozenset[str]] = frozenset({"secret"})


async def _once(
    request: Request,
    key: str,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
    shown_once: frozenset[str],
) -> Response:
    actor = (await run_in_threadpool(authenticate, request)).code
    database = request.app.state.services.database
    content = b"\n".join([request.method.encode(), str(request.url).encode(), await request.body()])
    kept = await run_in_threadpool(repeated_requests.begin, database, actor, key, content)
    if kept is not None:
        return Response(kept.body, kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})
    try:
        response = await handle(request)
    except BaseException:
        await run_in_threadpool(repeated_requests.give_up, database, actor, key)
        raise
    answer = Answer(
        response.status_code,
        {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        _without(bytes(response.body), shown_once),
    )
    await run_in_threadpool(repeated_requests.finish, database, actor, key, answer)
    return response


def _without(body: bytes, fields: frozenset[str]) -> bytes:
    if not fields:
        return body
    return json.dumps({name: None if name in fields else value for name, value in json.loads(body).items()}).encode()


def job_id_for(request: Request, actor_code: str) -> str | None:
    """Return the job id that belongs to the request's ``Idempotency-Key``: a repetition finds the same job."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    return hashlib.sha256(f"{actor_code}\n{request.url.path}\n{key}".encode()).hexdigest()[:32]
