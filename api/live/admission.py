"""Who may open a socket: the same tokens and keys as everywhere, in a header, and no page of another site."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.websockets import WebSocket

from api.errors import SignInNeeded
from api.security import Gatekeeper
from common.errors import FieldwiseError, Forbidden, Text
from operations.access import Actor

SUBPROTOCOL = "fieldwise"
TOKEN_PREFIX = "bearer."
SIGN_IN_NEEDED, FORBIDDEN, IDLE, TRY_AGAIN_LATER = 4401, 4403, 4408, 1013
"""Codes with which sockets are closed; 4xxx are our own, after the HTTP status that says the same."""
_LONGEST_REASON_BYTES = 123


@dataclass(frozen=True, slots=True)
class Caller:
    """Who opened a socket, with the credential, which is looked at again while the socket is open."""

    actor: Actor
    credential: str


def admit(gatekeeper: Gatekeeper, websocket: WebSocket, allowed_origins: str) -> Caller:
    """Return who opens a socket.

    Raises
    ------
    SignInNeeded
        When no token or key is sent, or a wrong one.
    Forbidden
        When the socket is opened by a page of another site, or the caller may not ask for hints.
    """
    _check_origin(websocket, allowed_origins)
    credential = _credential(websocket)
    return Caller(let_in(gatekeeper, credential), credential)


def let_in(gatekeeper: Gatekeeper, credential: str) -> Actor:
    """Return whose credential this is, if it may ask for hints at this moment.

    Raises
    ------
    SignInNeeded, Forbidden
        When it is not valid (any more), or may not.
    """
    actor = gatekeeper.actor(credential)
    actor.require("hints:ask")
    return actor


def chosen_subprotocol(websocket: WebSocket) -> str | None:
    """Return the subprotocol to answer with; never the one that carries the token."""
    return SUBPROTOCOL if SUBPROTOCOL in websocket.scope.get("subprotocols", ()) else None


def close_code(error: FieldwiseError) -> int:
    """Return the code with which a socket is closed for an error."""
    if isinstance(error, SignInNeeded):
        return SIGN_IN_NEEDED
    return FORBIDDEN if isinstance(error, Forbidden) else TRY_AGAIN_LATER


def close_reason(text: str) -> str:
    """Return a text as short as the protocol asks for."""
    return text.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")


def _credential(websocket: WebSocket) -> str:
    scheme, _, credential = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential.strip():
        return credential.strip()
    # browsers cannot set a header for a socket, but name its subprotocols
    for offered in websocket.scope.get("subprotocols", ()):
        if offered.startswith(TOKEN_PREFIX) and len(offered) > len(TOKEN_PREFIX):
            return str(offered.removeprefix(TOKEN_PREFIX))
    raise SignInNeeded(
        Text(
            "send a session token or an API key: Authorization: Bearer …, or the subprotocols fieldwise, bearer.…",
            "请在请求头或子协议中提供会话令牌或 API 密钥：Authorization: Bearer …，或 fieldwise, bearer.…",
        )
    )


def _check_origin(websocket: WebSocket, allowed_origins: str) -> None:
    """Refuse pages of other sites. Programs send no origin; what they may is up to their token."""
    origin = websocket.headers.get("origin")
    if origin is None:
        return
    allowed = {each.strip().rstrip("/").lower() for each in allowed_origins.split(",") if each.strip()}
    host = websocket.headers.get("host", "").lower()
    if urlsplit(origin).netloc.lower() != host and origin.lower() not in allowed:
        raise Forbidden(
            Text(f"pages of {origin} may not open this socket", f"来自 {origin} 的页面不能使用此通道"),
        )
