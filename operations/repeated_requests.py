"""Answers kept for requests that carry an idempotency key, so that a repeated request changes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, Text
from operations.store.database import Database
from operations.store.tables import KeptAnswer

IN_FLIGHT_FOR = timedelta(minutes=5)
"""After this long without an answer, the process that worked on the request is taken for dead."""
KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def begin(database: Database, actor: str, key: str, request: bytes) -> Answer | None:
    """Claim a key for a request, or return the answer that the same request got before.

    Parameters
    ----------
    request : bytes
        All that makes the request what it is: method, path and body.

    Raises
    ------
    InvalidInput
        When the key was used for a different request.
    Conflict
        When the first request of this key is still being worked on.
    """
    if not 1 <= len(key) <= 200:
        raise InvalidInput.at("Idempotency-Key", "must have 1 to 200 characters", "长度应为 1 到 200 个字符")
    request_hash = hashlib.sha256(request).hexdigest()
    # When another process claims the key between our look and our insert, the unit of work ends in a conflict too.
    with database.write(actor) as session:
        return _claim(session, actor, key, request_hash)


def _claim(session: Session, actor: str, key: str, request_hash: str) -> Answer | None:
    now = session.info["clock"].now()
    row = session.get(KeptAnswer, (actor, key), with_for_update=True)
    if row is None:
        session.add(KeptAnswer(actor=actor, key=key, request_hash=request_hash, begun_at=now))
        return None
    if row.request_hash != request_hash:
        raise InvalidInput.at(
            "Idempotency-Key", "was used before for a different request", "该键已用于另一个不同的请求"
        )
    if row.status is not None:
        return Answer(row.status, row.headers or {}, row.body or b"")
    if now - row.begun_at < IN_FLIGHT_FOR:
        raise _in_flight()
    row.begun_at = now
    return None


def finish(database: Database, actor: str, key: str, answer: Answer) -> None:
    """Keep the answer for later repetitions."""
    with database.write(actor) as session:
        row = session.get_one(KeptAnswer, (actor, key))
        row.status, row.headers, row.body = answer.status, dict(answer.headers), answer.body


def give_up(database: Database, actor: str, key: str) -> None:
    """Release a key whose request failed, so that it can be tried again."""
    with database.write(actor) as session:
        session.execute(
            delete(KeptAnswer).where(KeptAnswer.actor == actor, KeptAnswer.key == key, KeptAnswer.status.is_(None))
        )


def forget_old(session: Session) -> int:
    """Delete answers older than a day and return how many they were."""
    before = session.info["clock"].now() - KEPT_FOR
    result = session.execute(delete(KeptAnswer).where(KeptAnswer.begun_at < before))
    return int(result.rowcount)  # type: ignore[attr-defined]


def _in_flight() -> Conflict:
    return Conflict(
        Text("the first request with this Idempotency-Key is still being worked on", "使用该键的第一个请求仍在处理中")
    )
