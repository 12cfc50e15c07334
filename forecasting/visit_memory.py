"""What was known of a customer and a rep before a visit: the one place where a visit turns into features.

Training and planning both go through :class:`VisitMemory`, so that a feature cannot mean two things. Nothing of a visit
is remembered before its record was written down: a visit on Tuesday cannot know of Monday's visit that was recorded
on Wednesday.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.errors import InvalidInput

WON = "won"
REFUSALS = frozenset({"refused", "complaint"})
ABSENT = "absent"
GAP_EDGES_DAYS = (1, 3, 7, 14, 30, 45)
SALE_EDGES_DAYS = (7, 30, 60, 120)
HOUR_EDGES = (10, 12, 14, 16, 18)
REMEMBERED_RATE_VISITS = 20.0
"""A customer's own rate counts like so many visits at the rate of everybody."""
REMEMBERED_REP_VISITS = 100.0
MOST_REFUSALS = 5

Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class PastVisit:
    """One visit that took place.

    Attributes
    ----------
    customer, rep, customer_type : str
        Codes; a type that was never seen before is no error.
    started_at, recorded_at : datetime
        Start in the customer's zone (weekday and hour are read off it), and when the record was written; both with a
        zone or both without.
    outcome : str
        ``won`` is a conversion; ``refused``, ``complaint`` and ``absent`` are remembered; anything else is neither.
    grade : str
        Grade given **on** the visit, empty when none was.
    objections : tuple of str
        Heard on the visit.
    rep_skills : frozenset of str
    """

    customer: str
    rep: str
    customer_type: str
    started_at: datetime
    recorded_at: datetime
    outcome: str
    grade: str = ""
    objections: tuple[str, ...] = ()
    rep_skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VisitAhead:
    """A visit that could be made.

    Attributes
    ----------
    at : datetime
        Planned start in the customer's zone.
    grade : str or None
        The customer's grade now; ``None``: the last one given on a visit.
    """

    customer: str
    rep: str
    customer_type: str
    at: datetime
    grade: str | None = None
    rep_skills: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Customer:
    visits: int = 0
    won: int = 0
    last_at: datetime | None = None
    last_won_at: datetime | None = None
    refusals: int = 0
    outcome: str = ""
    grade: str = ""
    objections: tuple[str, ...] = ()


_NOBODY = _Customer()
"""Somebody of whom nothing is known."""


@dataclass(slots=True)
class _Tally:
    visits: int = 0
    won: int = 0

    def log_odds(self, rate: float, weight: float) -> float:
        """Return the log odds of a won visit, drawn towards ``rate`` as if ``weight`` visits had come to it."""
        share = (self.won + weight * rate) / (self.visits + weight)
        return math.log(share / (1 - share))


@dataclass(slots=True)
class VisitMemory:
    """What is known so far. Questions come in the order of time: what has once become known is not forgotten again.

    Parameters
    ----------
    rate : float
        Share of won visits towards which the rates of customers and reps are drawn; fixed, and not learnt from later
        visits.
    """

    rate: float = 0.15
    _customers: dict[str, _Customer] = field(default_factory=dict)
    _reps: dict[str, _Tally] = field(default_factory=dict)
    _waiting: list[tuple[datetime, int, PastVisit]] = field(default_factory=list)
    _added: int = 0

    @classmethod
    def of(cls, visits: Iterable[PastVisit], *, rate: float = 0.15) -> VisitMemory:
        """Return the memory of all these visits, in whatever order they come."""
        memory = cls(rate)
        for visit in in_order(visits):
            memory.add(visit)
        return memory

    def add(self, visit: PastVisit) -> None:
        """Take note of a visit; it counts from the moment at which it was recorded."""
        heapq.heappush(self._waiting, (max(visit.started_at, visit.recorded_at), self._added, visit))
        self._added += 1

    def before(self, visit: PastVisit) -> Features:
        """Return the features of a past visit as they could have been known when it began."""
        ahead = VisitAhead(
            visit.customer, visit.rep, visit.customer_type, visit.started_at, rep_skills=visit.rep_skills
        )
        return self.features(ahead)

    def features(self, ahead: VisitAhead) -> Features:
        """Return the features of a visit that could be made, by name; what is not named is 0."""
        known = self._known(ahead.customer, ahead.at)
        grade = known.grade if ahead.grade is None else ahead.grade
        weekend = ahead.at.weekday() >= 5
        found = {
            f"type={ahead.customer_type}": 1.0,
            f"grade={grade or 'none'}": 1.0,
            f"weekday={ahead.at.weekday()}": 1.0,
            f"hour={_step(ahead.at.hour, HOUR_EDGES)}": 1.0,
            f"gap={_days_step(known.last_at, ahead.at, GAP_EDGES_DAYS)}": 1.0,
            f"since_sale={_days_step(known.last_won_at, ahead.at, SALE_EDGES_DAYS)}": 1.0,
            f"last={known.outcome or 'none'}": 1.0,
            "earlier_visits": math.log1p(known.visits) / 3.0,
            "refusals": min(known.refusals, MOST_REFUSALS) / MOST_REFUSALS,
            "customer_rate": _Tally(known.visits, known.won).log_odds(self.rate, REMEMBERED_RATE_VISITS),
            "rep_rate": self._reps.get(ahead.rep, _Tally()).log_odds(self.rate, REMEMBERED_REP_VISITS),
        }
        found.update((f"objection={code}", 1.0) for code in known.objections)
        found.update((f"type={ahead.customer_type}&skill={skill}", 1.0) for skill in ahead.rep_skills)
        if weekend:
            found[f"type={ahead.customer_type}&weekend"] = 1.0
        return found

    def grade_of(self, customer: str, at: datetime) -> str:
        """Return the last grade given on a visit that was recorded by ``at``; empty: none."""
        return self._known(customer, at).grade

    def _known(self, code: str, at: datetime) -> _Customer:
        while self._waiting and self._waiting[0][0] <= at:
            self._learn(heapq.heappop(self._waiting)[2])
        return self._customers.get(code, _NOBODY)

    def _learn(self, visit: PastVisit) -> None:
        customer = self._customers.setdefault(visit.customer, _Customer())
        won = visit.outcome == WON
        customer.visits += 1
        customer.won += won
        rep = self._reps.setdefault(visit.rep, _Tally())
        rep.visits += 1
        rep.won += won
        if won and (customer.last_won_at is None or visit.started_at > customer.last_won_at):
            customer.last_won_at = visit.started_at
        if customer.last_at is not None and visit.started_at < customer.last_at:
            return  # recorded late: what came after it is already known
        customer.last_at, customer.outcome = visit.started_at, visit.outcome
        if visit.outcome != ABSENT:
            customer.refusals = customer.refusals + 1 if visit.outcome in REFUSALS else 0
            customer.objections = visit.objections
        if visit.grade:
            customer.grade = visit.grade


def in_order(visits: Iterable[PastVisit]) -> list[PastVisit]:
    """Return the visits by time; of the same moment, by customer and rep, so that the order is always the same.

    Raises
    ------
    InvalidInput
        When some moments carry a zone and others do not.
    """
    listed = list(visits)
    zoned = {moment.tzinfo is not None for visit in listed for moment in (visit.started_at, visit.recorded_at)}
    if len(zoned) > 1:
        raise InvalidInput.at("/visits", "moments with and without a zone are mixed", "时间有的带时区，有的不带")
    return sorted(listed, key=lambda visit: (visit.started_at, visit.customer, visit.rep))


def rows_before(visits: Iterable[PastVisit], memory: VisitMemory) -> Iterator[tuple[PastVisit, Features]]:
    """Yield each visit with what was known before it, and take note of it afterwards."""
    for visit in in_order(visits):
        yield visit, memory.before(visit)
        memory.add(visit)


def _days_step(since: datetime | None, at: datetime, edges: tuple[int, ...]) -> str:
    if since is None:
        return "never"
    return str(_step((at - since) / timedelta(days=1), edges))


def _step(value: float, edges: tuple[int, ...]) -> int:
    """Return the number of edges that ``value`` has reached."""
    return sum(value >= edge for edge in edges)
