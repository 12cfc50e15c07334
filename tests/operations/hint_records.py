"""Records for tests of what hints teach: a library of two types, hints that were given, visits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy.orm import Session

from coach.entry import LibraryEntry
from coach.ranking import Candidate
from operations import library
from operations.access import Actor
from operations.hint_log import pack_candidates
from operations.store.database import Database
from operations.store.tables import Customer, Hint, HintFeedback, HintSuggestion, Person, Region, Visit

SYSTEM = Actor.system("test")
KEYS = [f"{code}-{number:02d}" for code in ("price_too_high", "no_time") for number in range(1, 5)]


def line_of(key: str) -> str:
    """Return the talk track of a test entry."""
    return f"这句话术属于 {key}"


def set_up(database: Database) -> None:
    """Store two regions, two reps, a customer and eight published entries."""
    with database.write("test") as session:
        for code in ("wuhou", "jinniu"):
            session.add(Region(code=code, name_zh=code, name_en=code, latitude=30.6, longitude=104.0))
        session.flush()
        for code, region in (("rep-1", "wuhou"), ("rep-2", "jinniu")):
            session.add(Person(code=code, name=code, role="rep", region_code=region))
        session.add(
            Customer(
                code="c1", name="客户", customer_type="elderly", region_code="wuhou", latitude=30.6, longitude=104.0
            )
        )
        entries = [
            LibraryEntry(
                key=key,
                language="zh",
                kind="success",
                objection_type=key.rpartition("-")[0],
                title=f"案例 {key}",
                talk_tracks=(line_of(key),),
                utterances=("太贵了",),
                approach=f"way{key[-2:]}",
                product_line="furniture",
                scenes=("mall",),
                status="published",
            )
            for key in KEYS
        ]
        library.import_entries(session, SYSTEM, entries)


def candidates(code: str = "price_too_high") -> list[Candidate]:
    """Return the entries of a type as candidates, the first one nearest."""
    return [
        Candidate(number, key, code, f"way{key[-2:]}", 0.8, round(1 - number / 10, 3))
        for number, key in enumerate(KEYS)
        if key.startswith(code)
    ]


def give_hint(
    session: Session,
    keys: list[str],
    *,
    at: datetime,
    by: str = "rep-1",
    region: str | None = "wuhou",
    question: str = "这也太贵了吧",
    propensities: list[float] | None = None,
    **columns: Any,
) -> str:
    """Store a hint that showed these entries and return its id."""
    hint = Hint(
        id=uuid4().hex,
        asked_at=at,
        asked_by=by,
        region_code=region,
        question=question,
        language="zh",
        matched=True,
        confidence=0.9,
        index_version="test",
        answer={},
        candidates=pack_candidates(candidates(keys[0].rpartition("-")[0])),
        **columns,
    )
    session.add(hint)
    session.flush()
    for rank, key in enumerate(keys, start=1):
        propensity = propensities[rank - 1] if propensities else 1.0
        session.add(
            HintSuggestion(
                hint_id=hint.id,
                rank=rank,
                entry_key=key,
                language="zh",
                talk_track=line_of(key),
                score=0.5,
                propensity=propensity,
            )
        )
    return hint.id


def say(
    session: Session, hint_id: str, rank: int, action: str, *, at: datetime, by: str = "rep-1", **words: str | None
) -> None:
    """Store feedback on a suggestion."""
    session.add(HintFeedback(hint_id=hint_id, rank=rank, action=action, given_at=at, given_by=by, **words))


def record_visit(session: Session, visit_id: str, outcome: str, *, at: datetime, rep: str = "rep-1") -> None:
    """Store a visit."""
    session.add(
        Visit(
            id=visit_id,
            customer_code="c1",
            rep_code=rep,
            started_at=at - timedelta(minutes=20),
            ended_at=at,
            outcome=outcome,
            recorded_at=at,
        )
    )


def log_by_chance(store: Database, first: datetime, hints: int, seed: int = 1) -> None:
    """Hints that showed two of the four entries by pure chance; the last entry is used far more often than others."""
    rng = np.random.default_rng(seed)
    chance = dict(zip(KEYS[:4], (0.1, 0.15, 0.2, 0.8), strict=True))
    with store.write("test") as session:
        for number in range(hints):
            at = first + timedelta(minutes=20 * number)
            keys = [str(key) for key in rng.permutation(KEYS[:4])[:2]]
            hint_id = give_hint(session, keys, at=at, propensities=[0.25, 0.25], by=f"rep-{number % 2 + 1}")
            for rank, key in enumerate(keys, start=1):
                if rng.random() < chance[key]:
                    say(session, hint_id, rank, "used", at=at)
