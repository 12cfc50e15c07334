"""Credit for authors whose entries were accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from operations.access import Actor
from operations.library_records import NaturalKey
from operations.store.tables import LibraryCredit, Person

REWARD_CNY = 200.0
"""What an accepted entry earns its author unless the organisation sets another sum."""


@dataclass(frozen=True, slots=True)
class AuthorCredit:
    """What an author has earned.

    Attributes
    ----------
    author : str
        Code of the person, or the name under which an import credited somebody.
    accepted : int
        Cases that were accepted, or merged into an accepted one.
    reward_cny : float
        What they earned at the rewards of their days.
    last_credited_at : datetime
        When the newest of them was accepted.
    """

    author: str
    accepted: int
    reward_cny: float
    last_credited_at: datetime


def credit(
    session: Session, authors: Iterable[str | None], entry: NaturalKey, *, reason: str, reward_cny: float
) -> None:
    """Credit authors for a case; a case earns each author once, in whichever languages it is told.

    Parameters
    ----------
    authors : iterable of str or None
        None is nobody.
    reason : {"accepted", "merged"}
        Whether the entry itself was accepted, or merged into one that was.
    """
    key, language = entry
    for author in dict.fromkeys(filter(None, authors)):
        if session.get(LibraryCredit, (author, key)) is None:
            session.add(
                LibraryCredit(
                    author=author,
                    entry_key=key,
                    language=language,
                    reason=reason,
                    reward_cny=reward_cny,
                    credited_at=session.info["clock"].now(),
                    credited_by=session.info["actor"],
                )
            )
            session.flush()


def credits_by_author(
    session: Session, actor: Actor, *, since: datetime | None = None, until: datetime | None = None
) -> list[AuthorCredit]:
    """Return what each author earned in ``[since, until)``, who earned most first.

    Who curates sees the authors of the own region, or all; others see themselves.
    """
    actor.require("library:read")
    accepted, reward = func.count(), func.sum(LibraryCredit.reward_cny)
    query = select(LibraryCredit.author, accepted, reward, func.max(LibraryCredit.credited_at))
    query = query.group_by(LibraryCredit.author).order_by(accepted.desc(), LibraryCredit.author)
    if since is not None:
        query = query.where(LibraryCredit.credited_at >= since)
    if until is not None:
        query = query.where(LibraryCredit.credited_at < until)
    own = LibraryCredit.author == actor.code
    if not actor.may("library:write"):
        query = query.where(own)
    elif actor.region_code is not None:
        here = select(Person.code).where(Person.region_code == actor.region_code)
        query = query.where(or_(own, LibraryCredit.author.in_(here)))
    return [AuthorCredit(*row) for row in session.execute(query)]
