"""What marks days beside the demand: public holidays, make-up working days, and events, by their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from common.errors import Text
from forecasting.explanation_days import MAKE_UP, nature_of
from operations.store.tables import Event


@dataclass(frozen=True, slots=True)
class DayMark:
    """Something that marks a span of days.

    Attributes
    ----------
    kind : str
        ``holiday``, ``make_up``, or a kind of event.
    name : Text
        What it is called.
    first, last : date
        Its days within the range asked for.
    """

    kind: str
    name: Text
    first: date
    last: date


def marks(session: Session, region_code: str, first: date, last: date, *, country: str | None) -> list[DayMark]:
    """Return what marks the days from ``first`` to ``last`` in a region, by first day; holidays before events.

    Parameters
    ----------
    country : str or None
        Whose holidays (``CN``, ``US-IL``); ``None`` for none.
    """
    found = [*holiday_marks(first, last, country), *_events(session, region_code, first, last)]
    return sorted(found, key=lambda mark: (mark.first, mark.kind not in ("holiday", "make_up"), mark.name.en))


def on_day(found: list[DayMark], day: date) -> tuple[DayMark, ...]:
    """Return those marks that a day carries."""
    return tuple(mark for mark in found if mark.first <= day <= mark.last)


def holiday_marks(first: date, last: date, country: str | None) -> Iterator[DayMark]:
    """Yield runs of days off with a holiday in them, and make-up days, each under its name."""
    open_run: DayMark | None = None
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        nature = nature_of(day, country)
        said = nature.said
        if open_run is not None and said == open_run.name and nature.position != 1:
            open_run = DayMark(open_run.kind, open_run.name, open_run.first, day)
            continue
        if open_run is not None:
            yield open_run
        open_run = None if said is None else DayMark(nature.kind, _short(nature.kind, said), day, day)
    if open_run is not None:
        yield open_run


def _short(kind: str, said: Text) -> Text:
    return Text("make-up working day", "调休上班") if kind == MAKE_UP else said


def _events(session: Session, region_code: str, first: date, last: date) -> Iterator[DayMark]:
    query = select(Event).where(
        or_(Event.region_code == region_code, Event.region_code.is_(None)),
        Event.starts_on <= last,
        Event.ends_on >= first,
    )
    for row in session.scalars(query):
        yield DayMark(row.kind, Text(row.name_en, row.name_zh), max(first, row.starts_on), min(last, row.ends_on))
