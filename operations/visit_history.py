"""The visit history as the conversion engine reads it, and the model learnt from it, kept while the history stands."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forecasting.conversion import ConversionModel, ConversionSettings, train
from forecasting.conversion_report import Reliability, reliability
from forecasting.visit_memory import PastVisit
from operations.access import Actor
from operations.store.tables import Customer, PersonSkill, Region, Visit, VisitObjection

Learnt = TypeVar("Learnt")
KEPT_MODELS = 9
MOST_REPORTED = 100_000
"""The report looks at so many of the newest visits."""


def past_visits(
    session: Session, *, known_at: datetime, region_code: str | None = None, most: int | None = None
) -> list[PastVisit]:
    """Return the visits that were recorded before a moment, by time, in the zone of their customer's region.

    Parameters
    ----------
    region_code : str, optional
        Only visits to this region's customers.
    most : int, optional
        Only so many of the newest.
    """
    query = (
        select(
            Visit.id,
            Visit.customer_code,
            Visit.rep_code,
            Customer.customer_type,
            Visit.started_at,
            Visit.recorded_at,
            Visit.outcome,
            Visit.grade,
            Region.time_zone,
        )
        .join(Customer, Customer.code == Visit.customer_code)
        .join(Region, Region.code == Customer.region_code)
        .where(Visit.recorded_at < known_at)
        .order_by(Visit.started_at.desc(), Visit.id)
    )
    if region_code is not None:
        query = query.where(Customer.region_code == region_code)
    rows = session.execute(query if most is None else query.limit(most)).all()
    if not rows:
        return []
    objections = _objections(session, since=rows[-1].started_at, region_code=region_code)
    skills = _skills(session)
    return [
        PastVisit(
            row.customer_code,
            row.rep_code,
            row.customer_type,
            row.started_at.astimezone(_zone(row.time_zone)),
            row.recorded_at,
            row.outcome,
            row.grade or "",
            tuple(objections.get(row.id, ())),
            skills.get(row.rep_code, frozenset()),
        )
        for row in reversed(rows)
    ]


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _objections(session: Session, *, since: datetime, region_code: str | None) -> dict[str, list[str]]:
    query = (
        select(VisitObjection.visit_id, VisitObjection.objection_type)
        .join(Visit, Visit.id == VisitObjection.visit_id)
        .where(Visit.started_at >= since)
        .order_by(VisitObjection.visit_id, VisitObjection.objection_type)
    )
    if region_code is not None:
        query = query.join(Customer, Customer.code == Visit.customer_code).where(Customer.region_code == region_code)
    found: dict[str, list[str]] = {}
    for visit_id, objection in session.execute(query):
        found.setdefault(visit_id, []).append(objection)
    return found


def _skills(session: Session) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for code, skill in session.execute(select(PersonSkill.person_code, PersonSkill.skill)):
        found.setdefault(code, set()).add(skill)
    return {code: frozenset(skills) for code, skills in found.items()}


def conversion_model(session: Session, known_at: datetime, time_zone: str) -> ConversionModel:
    """Return the model of all regions' visits that were recorded before the day of ``known_at``.

    It is learnt when it is first asked for (about a second for 20,000 visits), and again when the day or the history
    has changed; nothing is kept in a file, and every process comes to the same model.
    """
    zone = _zone(time_zone)
    midnight = datetime.combine(known_at.astimezone(zone).date(), time(), zone)
    state = session.execute(
        select(func.count(), func.max(Visit.recorded_at), func.max(Visit.updated_at)).where(
            Visit.recorded_at < midnight
        )
    ).one()
    key = (str(session.get_bind().engine.url), midnight.timestamp(), *state)
    return _MODELS.get(
        key, lambda: train(past_visits(session, known_at=midnight, most=ConversionSettings().most_visits))
    )


class _Kept(Generic[Learnt]):
    """What was learnt last; two threads never learn the same twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Learnt] = OrderedDict()

    def get(self, key: tuple[Any, ...], learn: Callable[[], Learnt]) -> Learnt:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = learn()
                while len(self._kept) > KEPT_MODELS:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


_MODELS = _Kept[ConversionModel]()
_REPORTS = _Kept[Reliability | None]()


def conversion_report(session: Session, actor: Actor, *, later_share: float = 0.2) -> Reliability | None:
    """Return how far the probabilities can be trusted, measured on the newest visits; ``None`` without any history.

    It takes seconds, so it is kept while the history stands.

    Parameters
    ----------
    later_share : float
        Share of the visits that is measured on, taken as the nearest tenth from 0.1 to 0.9.

    Raises
    ------
    Forbidden
        When the actor may not see routes, or not those of all regions: the model learns from all of them.
    """
    actor.require("routes:read")
    actor.require_region(None)
    now: datetime = session.info["clock"].now()
    share = min(0.9, max(0.1, round(later_share, 1)))
    state = session.execute(
        select(func.count(), func.max(Visit.recorded_at), func.max(Visit.updated_at)).where(Visit.recorded_at < now)
    ).one()
    key = (str(session.get_bind().engine.url), share, *state)
    return _REPORTS.get(key, lambda: reliability(_reported(session, now), later_share=share))


def _reported(session: Session, now: datetime) -> Sequence[PastVisit]:
    return past_visits(session, known_at=now, most=MOST_REPORTED)
