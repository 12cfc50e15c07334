"""People and API keys: who somebody is."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, NotFound, Text
from operations.access import Actor, check_scopes
from operations.store.tables import ApiKey, Person, Region

KEY_PREFIX = "fw_"
_USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is needed to check a password: the actor, its name, and the stored hash (None: may not sign in)."""

    actor: Actor
    name: str
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person as others may see them."""

    code: str
    name: str
    role: str
    region_code: str | None
    skills: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class KeyCard:
    """An API key without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    region_code: str | None
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegionCard:
    """A region."""

    code: str
    name_zh: str
    name_en: str
    latitude: float
    longitude: float


def regions(session: Session) -> list[RegionCard]:
    """Return all regions by code."""
    return [
        RegionCard(row.code, row.name_zh, row.name_en, row.latitude, row.longitude)
        for row in session.scalars(select(Region).order_by(Region.code))
    ]


def require_region(session: Session, code: str, *, pointer: str = "/region") -> Region:
    """Return a region.

    Raises
    ------
    InvalidInput
        When there is none of that code; the problem stands at ``pointer``.
    """
    row = session.get(Region, code)
    if row is None:
        raise InvalidInput.at(pointer, f"there is no region {code!r}", f"没有区域 {code!r}")
    return row


def sign_in_record(session: Session, code: str) -> SignIn | None:
    """Return what is needed to sign a person in, or None for an unknown or inactive one; case does not matter."""
    row = session.scalars(select(Person).where(func.lower(Person.code) == code.strip().lower())).one_or_none()
    if row is None or not row.active:
        return None
    return SignIn(_actor(row), row.name, row.password_hash)


def actor_of_person(session: Session, code: str) -> Actor | None:
    """Return the actor for a person who is signed in, with the role and region of this moment."""
    row = session.get(Person, code)
    return _actor(row) if row is not None and row.active else None


def people(session: Session, actor: Actor, *, role: str | None = None) -> list[PersonCard]:
    """Return the people whom the actor may see, by code."""
    actor.require("people:read")
    query = select(Person).order_by(Person.code)
    if actor.region_code is not None:
        query = query.where(Person.region_code == actor.region_code)
    if role is not None:
        query = query.where(Person.role == role)
    return [_card(row) for row in session.scalars(query)]


def first_of_each_role(session: Session) -> list[PersonCard]:
    """Return one person of each role who may sign in, for the list of sign-in names of a new installation."""
    query = select(Person).where(Person.active, Person.password_hash.is_not(None)).order_by(Person.code)
    by_role: dict[str, PersonCard] = {}
    for row in session.scalars(query):
        by_role.setdefault(row.role, _card(row))
    return list(by_role.values())


def make_key(
    session: Session, actor: Actor, *, name: str, scopes: list[str], region_code: str | None = None
) -> tuple[KeyCard, str]:
    """Make an API key and return it with its secret, which is shown this once and stored as a hash only.

    Raises
    ------
    InvalidInput
        For an unknown scope or region.
    Conflict
        When a key of that name exists.
    """
    actor.require("keys:manage")
    actor.require_region(region_code)
    check_scopes(scopes)
    if region_code is not None:
        require_region(session, region_code)
    if session.scalar(select(ApiKey.id).where(ApiKey.name == name)):
        raise Conflict(Text(f"there is a key named {name!r} already", f"已有名为 {name!r} 的密钥"))
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        id=uuid4().hex,
        name=name,
        secret_hash=_hash(secret),
        scopes=sorted(scopes),
        region_code=region_code,
    )
    session.add(row)
    session.flush()
    return _key_card(row), secret


def keys(session: Session, actor: Actor) -> list[KeyCard]:
    """Return all API keys by name, without their secrets."""
    actor.require("keys:manage")
    return [_key_card(row) for row in session.scalars(select(ApiKey).order_by(ApiKey.name))]


def revoke_key(session: Session, actor: Actor, key_id: str) -> KeyCard:
    """Make a key useless from now on; revoking it twice changes nothing.

    Raises
    ------
    NotFound
        When there is no such key.
    """
    actor.require("keys:manage")
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFound(Text(f"there is no key {key_id!r}", f"没有密钥 {key_id!r}"))
    row.revoked_at = row.revoked_at or session.info["clock"].now()
    return _key_card(row)


def actor_of_key(session: Session, secret: str) -> tuple[Actor, bool] | None:
    """Return the actor of an API key and whether its use should be noted, or None for an unknown or revoked key."""
    row = session.scalar(select(ApiKey).where(ApiKey.secret_hash == _hash(secret)))
    if row is None or row.revoked_at is not None:
        return None
    now = session.info["clock"].now()
    stale = row.last_used_at is None or now - row.last_used_at > _USE_NOTED_EVERY
    return Actor(f"key:{row.id}", "key", frozenset(row.scopes), region_code=row.region_code), stale


def note_key_use(session: Session, actor: Actor) -> None:
    """Note that a key was used just now."""
    row = session.get(ApiKey, actor.code.removeprefix("key:"))
    if row is not None:
        row.last_used_at = session.info["clock"].now()


def _actor(row: Person) -> Actor:
    return Actor.person(row.code, row.role, row.region_code, row.language)


def _card(row: Person) -> PersonCard:
    skills = tuple(sorted(skill.skill for skill in row.skills))
    return PersonCard(row.code, row.name, row.role, row.region_code, skills, row.active)


def _key_card(row: ApiKey) -> KeyCard:
    return KeyCard(
        row.id, row.name, tuple(row.scopes), row.region_code, row.created_at, row.revoked_at, row.last_used_at
    )


def _hash(secret: str) -> str:
    # A key is 256 random bits, so a plain hash cannot be guessed back; passwords are hashed with argon2 instead.
    return hashlib.sha256(secret.encode()).hexdigest()
