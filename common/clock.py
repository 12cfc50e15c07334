"""The one source of the present moment, so that tests and replays can set it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment; its zone is UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved.

    Parameters
    ----------
    moment : datetime
        Where it stands; must carry a zone.
    """

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("a clock needs a moment with a time zone")
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment at which the clock stands, in UTC."""
        return self._moment

    def advance(self, step: timedelta) -> None:
        """Move the clock forward by ``step``."""
        self._moment += step


def local_date(moment: datetime, zone: tzinfo) -> date:
    """Return the calendar day of ``moment`` in ``zone``."""
    return moment.astimezone(zone).date()
