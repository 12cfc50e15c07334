"""Who asks: sign-in with a password, session tokens, API keys, and a brake on wrong passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pwdlib import PasswordHash

from api.errors import SignInNeeded, TooManyRequests
from api.settings import Settings
from common.clock import Clock
from common.errors import Text
from operations import people
from operations.access import Actor
from operations.store.database import Database

ALGORITHM = "HS256"
FAILURES_PER_NAME = parse("5/5 minutes")
FAILURES_PER_ADDRESS = parse("30/5 minutes")
bearer = HTTPBearer(
    auto_error=False,
    description="A session token from `POST /v1/sign-in`, or an API key (begins with `fw_`).",
)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in: its token, until when it holds, and whose it is."""

    token: str
    expires_at: datetime
    actor: Actor
    name: str


class Gatekeeper:
    """Lets people and systems in.

    Failures are counted in the memory of this process: several service processes brake each on its own.
    """

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._failures = MovingWindowRateLimiter(MemoryStorage())
        self._hashes = PasswordHash.recommended()

    def hash_password(self, password: str) -> str:
        """Return the argon2 hash of a password."""
        return self._hashes.hash(password)

    def sign_in(self, code: str, password: str, *, address: str) -> Session:
        """Check a password and begin a session.

        Raises
        ------
        SignInNeeded
            When the name or the password is wrong; the answer does not tell which.
        TooManyRequests
            After five failures of a name, or thirty of an address, within five minutes.
        """
        name = code.strip().lower()
        self._brake(name, address)
        with self._database.read() as session:
            found = people.sign_in_record(session, name)
        # An unknown name costs as much time as a wrong password, so that names cannot be found out by the clock.
        known_hash = found.password_hash if found and found.password_hash else self._nobodys_hash
        right = self._hashes.verify(password, known_hash)
        if not right or found is None or found.password_hash is None:
            self._failures.hit(FAILURES_PER_NAME, "name", name)
            self._failures.hit(FAILURES_PER_ADDRESS, "address", address)
            raise SignInNeeded(Text("the name or the password is wrong", "用户名或密码不正确"))
        return self._begin(found)

    def _begin(self, found: people.SignIn) -> Session:
        expires_at = self._clock.now() + timedelta(minutes=self._settings.session_minutes)
        claims = {"sub": found.actor.code, "exp": expires_at, "iss": "fieldwise"}
        token = jwt.encode(claims, self._settings.signing_secret, algorithm=ALGORITHM)
        return Session(token, expires_at, found.actor, found.name)

    @cached_property
    def _nobodys_hash(self) -> str:
        return self._hashes.hash("nobody's password")

    def _brake(self, name: str, address: str) -> None:
        for limit, parts in ((FAILURES_PER_NAME, ("name", name)), (FAILURES_PER_ADDRESS, ("address", address))):
            if not self._failures.test(limit, *parts):
                reset = self._failures.get_window_stats(limit, *parts).reset_time
                wait_s = max(1, int(reset - datetime.now(UTC).timestamp()) + 1)
                raise TooManyRequests(
                    Text(f"too many failures: try again in {wait_s} s", f"失败次数过多，请 {wait_s} 秒后再试"),
                    retry_after_s=wait_s,
                )

    def actor(self, credential: str) -> Actor:
        """Return whose token or key this is.

        Raises
        ------
        SignInNeeded
            When the token is wrong or has expired, or the key is unknown or revoked.
        """
        if credential.startswith(people.KEY_PREFIX):
            return self._actor_of_key(credential)
        try:
            claims = jwt.decode(
                credential,
                self._settings.signing_secret,
                algorithms=[ALGORITHM],
                issuer="fieldwise",
                options={"require": ["exp", "sub"], "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise SignInNeeded(Text("the session token is not valid", "会话令牌无效")) from error
        if self._clock.now().timestamp() >= claims["exp"]:
            raise SignInNeeded(Text("the session has expired: sign in again", "会话已过期，请重新登录"))
        with self._database.read() as session:
            actor = people.actor_of_person(session, claims["sub"])
        if actor is None:
            raise SignInNeeded(Text("this person may not sign in any more", "该用户已停用"))
        return actor

    def _actor_of_key(self, secret: str) -> Actor:
        with self._database.read() as session:
            found = people.actor_of_key(session, secret)
        if found is None:
            raise SignInNeeded(Text("the API key is unknown or revoked", "API 密钥无效或已吊销"))
        actor, note_use = found
        if note_use:
            with self._database.write(actor.code) as session:
                people.note_key_use(session, actor)
        return actor


def authenticate(request: Request) -> Actor:
    """Return who sends this request; looked up once a request."""
    if not hasattr(request.state, "actor"):
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential.strip():
            raise SignInNeeded(
                Text(
                    "send a session token or an API key: Authorization: Bearer …",
                    "请在请求头中提供会话令牌或 API 密钥：Authorization: Bearer …",
                )
            )
        request.state.actor = request.app.state.services.gatekeeper.actor(credential.strip())
    actor: Actor = request.state.actor
    return actor


def _current_actor(
    request: Request, _credential: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Actor:
    return authenticate(request)


CurrentActor = Annotated[Actor, Depends(_current_actor)]
"""Parameter of a route: who asks. A route that has it answers 401 to nobody."""
