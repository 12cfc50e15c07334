"""Counting what became of the hints that were given: one query, weighed by age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from coach.use_counts import UseCount, weight_at
from operations.store.tables import Hint, HintFeedback, HintSuggestion, LibraryEntryRow, Visit

HALF_LIVES_COUNTED = 5
"""Older hints would count less than a thirtieth and are left out."""
STEPS_A_HALF_LIFE = 8
"""Ages are told apart in so many steps a half-life, which puts a weight off by 4.4 % at most."""
ADOPTED = HintFeedback.action.in_(("used", "edited"))
"""The rep said the line, as it stood or edited; null without feedback."""
OUTCOME_KNOWN = and_(ADOPTED, Visit.id.is_not(None), Visit.outcome != "absent")
"""The visit took place and was recorded: nobody can be won who was not there."""
WON = and_(ADOPTED, Visit.outcome == "won")


def count_use(session: Session, *, until: datetime, half_life_days: float) -> list[UseCount]:
    """Return what became of the entries shown before ``until``, by entry, region and rank.

    The outcome of a visit counts as soon as the visit is recorded, whenever the feedback named it.

    Parameters
    ----------
    half_life_days : float
        Age at which a hint counts half.
    """
    oldest = until - timedelta(days=half_life_days * HALF_LIVES_COUNTED)
    # materialised, so that a hint is weighed once and not for each of its lines and sums
    hint = (
        select(Hint.id, Hint.region_code, Hint.superseded, _weight_by_age(until, half_life_days).label("weight"))
        .where(Hint.asked_at >= oldest, Hint.asked_at < until)
        .cte("hint_weighed")
        .prefix_with("MATERIALIZED")
    )
    weight = hint.c.weight
    columns = (
        HintSuggestion.entry_key,
        hint.c.region_code,
        HintSuggestion.rank,
        func.sum(weight),
        _sum_where(ADOPTED, weight),
        _sum_where(OUTCOME_KNOWN, weight),
        _sum_where(WON, weight),
        func.sum(weight * weight),
        _sum_where(OUTCOME_KNOWN, weight * weight),
    )
    query = (
        select(*columns)
        .join(hint, hint.c.id == HintSuggestion.hint_id)
        .outerjoin(
            HintFeedback,
            and_(HintFeedback.hint_id == HintSuggestion.hint_id, HintFeedback.rank == HintSuggestion.rank),
        )
        .outerjoin(Visit, Visit.id == HintFeedback.visit_id)
        .where(was_read(hint.c.superseded))
        .group_by(HintSuggestion.entry_key, hint.c.region_code, HintSuggestion.rank)
    )
    return [UseCount(*row) for row in session.execute(query)]


def was_read(superseded: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[bool]:
    """Return whether an answer stood long enough to be read: its words were not typed further, or there is feedback."""
    return or_(superseded.is_(False), HintFeedback.hint_id.is_not(None))


def entry_types(session: Session) -> dict[str, str]:
    """Return the objection type of each published success entry by its key."""
    query = select(LibraryEntryRow.key, LibraryEntryRow.objection_type).where(
        LibraryEntryRow.status == "published",
        LibraryEntryRow.kind == "success",
        LibraryEntryRow.objection_type.is_not(None),
    )
    return {key: code for key, code in session.execute(query) if code is not None}


def _weight_by_age(now: datetime, half_life_days: float) -> ColumnElement[float]:
    # Steps instead of a power: SQLite may be built without one, and a sum over steps can be grouped by the database.
    step_days = half_life_days / STEPS_A_HALF_LIFE
    steps = [
        (
            Hint.asked_at >= now - timedelta(days=step_days * (step + 1)),
            weight_at(step_days * (step + 0.5), half_life_days),
        )
        for step in range(STEPS_A_HALF_LIFE * HALF_LIVES_COUNTED)
    ]
    weight: ColumnElement[float] = case(*steps, else_=0.0)
    return weight


def _sum_where(condition: ColumnElement[bool], weight: ColumnElement[float]) -> Any:
    return func.sum(case((condition, weight), else_=0.0))
