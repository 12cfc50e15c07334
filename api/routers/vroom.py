"""VROOM's interface: a VROOM client works by changing its address to ``/vroom``.

Everything here, errors too, is in VROOM's shape: the HTTP statuses and codes are those of its HTTP wrapper. A client
that cannot send a header puts an API key into the address: ``https://key:fw_…@host/vroom`` (HTTP Basic).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.errors import STATUS, SignInNeeded, preferred_language
from api.field_problems import field_problem
from api.routers import CurrentServices
from api.schemas.vroom import VroomAnswer, VroomError, VroomRequest
from api.security import CurrentActor
from common.errors import FieldProblem, FieldwiseError, InvalidInput, Text
from routing.problem import SizeLimits
from routing.travel_times import UnreachablePlaces
from routing.vroom.translation import VroomOptions, answer_vroom

INTERNAL, INPUT, ROUTING, TOO_LARGE = 1, 2, 3, 4
DEFAULT_SEARCH_S = 1.0
"""Time of a search that says nothing else, up to so many tasks; larger ones get more."""
TASKS_PER_S = 200
LONGEST_WAIT_S = 10.0
FULL_EXPLORATION = 5


class TooLarge(FieldwiseError):
    """More tasks or vehicles than one plan takes."""


class VroomRoute(APIRoute):
    """A route whose errors are in VROOM's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the errors turned."""
        handle = super().get_route_handler()

        async def handle_as_vroom(request: Request) -> Response:
            try:
                await run_in_threadpool(_sign_in_by_address, request)
                return await handle(request)
            except RequestValidationError as error:
                fields = [field_problem(item) for item in error.errors()]
                return _error(request, 400, INPUT, InvalidInput(Text("invalid input", "输入有误"), fields=fields))
            except FieldwiseError as error:
                return _error(request, *_status_and_code(error), error)

        return handle_as_vroom


router = APIRouter(tags=["other planners' formats"], route_class=VroomRoute)


def _vroom_errors() -> dict[int | str, dict[str, Any]]:
    meanings = {
        400: "The input is wrong (code 2).",
        401: "Nobody, or nobody known, asks.",
        403: "The asker may not make plans.",
        422: "Not used here: wrong input is 400, as in VROOM.",
        413: "Too many tasks or vehicles (code 4).",
        500: "The travel times cannot be had (code 3).",
        503: "Too many plans are being made: try again soon (code 1).",
    }
    return {status: {"model": VroomError, "description": meaning} for status, meaning in meanings.items()}


@router.post("/v1/vroom", response_model=None, responses={200: {"model": VroomAnswer}, **_vroom_errors()})
@router.post("/v1/vroom/", include_in_schema=False, response_model=None)
@router.post("/vroom", include_in_schema=False, response_model=None)
@router.post("/vroom/", include_in_schema=False, response_model=None)
def vroom(body: VroomRequest, services: CurrentServices, actor: CurrentActor) -> JSONResponse:
    """Plan a VROOM problem, in VROOM's own format, and answer at once.

    Also at `/vroom`. Without `matrices`, ways take what this installation's travel times say. `options.l` sets the time
    of the search in seconds (1 s by default, more above 200 tasks); `options.c` times given rounds and names their
    violations; `options.g` gives geometries. Two things are narrower than in VROOM: all vehicles' times lie within
    48 h, and several binding amounts, or vehicles of different speeds, are planned on the safe side.
    """
    actor.require("routes:plan")
    tasks = len(body.jobs or ()) + 2 * len(body.shipments or ())
    _check_size(tasks, len(body.vehicles))
    seconds = _search_s(body, tasks, services.settings.max_solve_s)
    options = VroomOptions(seconds, body.options.c, body.options.g)
    given = body.model_dump(exclude_none=True, exclude={"options"})
    with services.solves_at_once.turn(wait_s=LONGEST_WAIT_S):
        return JSONResponse(answer_vroom(given, services.travel_times, options))


@router.get("/vroom/health", include_in_schema=False, response_model=None)
def vroom_health() -> Response:
    """Say that the service answers, where VROOM's clients ask."""
    return Response("healthy", media_type="text/plain")


def _check_size(tasks: int, vehicles: int) -> None:
    limits = SizeLimits()
    for name, zh, count, most in (
        ("locations", "地点", tasks, limits.visits),
        ("vehicles", "车辆", vehicles, limits.reps),
    ):
        if count > most:
            raise TooLarge(Text(f"too many {name} ({count}), at most {most}", f"{zh}过多（{count}），最多 {most}"))


def _search_s(body: VroomRequest, tasks: int, longest_s: float) -> float:
    if body.options.limit is not None:
        if body.options.limit > longest_s:
            raise InvalidInput.at("/options/l", f"must be at most {longest_s:g}", f"不能超过 {longest_s:g}")
        return body.options.limit
    level = FULL_EXPLORATION if body.options.x is None else max(1, body.options.x)
    return min(longest_s, max(DEFAULT_SEARCH_S, tasks / TASKS_PER_S) * level / FULL_EXPLORATION)


def _sign_in_by_address(request: Request) -> None:
    """Take an API key from HTTP Basic: as the password, or as the name where there is no password."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SignInNeeded(Text("the Basic credentials cannot be read", "无法读取 Basic 凭据")) from error
    request.state.actor = request.app.state.services.gatekeeper.actor(password or name)


def _status_and_code(error: FieldwiseError) -> tuple[int, int]:
    if isinstance(error, TooLarge):
        return 413, TOO_LARGE
    if isinstance(error, UnreachablePlaces):
        return 500, ROUTING
    if isinstance(error, InvalidInput):
        return 400, INPUT
    status = int(next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS))
    return status, INPUT if status < 500 else INTERNAL


def _error(request: Request, status: int, code: int, error: FieldwiseError) -> JSONResponse:
    language = preferred_language(request.headers.get("accept-language"), "en")

    def told(field: FieldProblem) -> str:
        return f"{field.pointer}: {field.text.in_language(language)}"

    text = "; ".join(told(field) for field in error.fields[:5]) or error.text.in_language(language)
    headers = {"WWW-Authenticate": 'Basic realm="fieldwise"'} if status == 401 else {}
    if status == 503:
        headers["Retry-After"] = "5"
    return JSONResponse({"code": code, "error": text}, status, headers=headers)
