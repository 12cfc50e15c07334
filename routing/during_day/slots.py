"""When could a new customer be visited today: the best reps and times, found without any search.

Every position on every round is looked at. The span of a position is exact: at any moment in it the visit can start
and everything after it can still be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import FieldProblem, InvalidInput
from routing.day import NEVER, Day, Round, Spans, drive, earliest_start, latest_departure, latest_start
from routing.during_day.changes import AddVisit, apply_changes
from routing.during_day.progress import fixed_parts
from routing.during_day.rest_of_day import Rest, near_times, rest_of
from routing.during_day.running import RunningDay
from routing.plan import Reason
from routing.problem import DayProblem, Visit
from routing.solve import evaluate
from routing.travel_times import TravelTimes

STEP_S = 300
"""Offered times are whole five minutes."""


@dataclass(frozen=True, slots=True)
class SlotWishes:
    """How slots are offered.

    Attributes
    ----------
    limit, per_rep : int
        Most slots, and most of one rep, so that there is a choice.
    width_s : int
        Longest span of start times in one offer.
    promise_s, promise
        As in :class:`routing.during_day.replan.Calm`: a slot that shifts a promised start by more than ``promise_s``
        counts as so many seconds of travel more.
    later : float
        What each second by which the next stop is put off counts, in seconds of travel.
    """

    limit: int = 5
    per_rep: int = 2
    width_s: int = 3600
    promise_s: int = 900
    promise: float = 600.0
    later: float = 0.1


@dataclass(frozen=True, slots=True)
class Slot:
    """One way to fit the visit in.

    Attributes
    ----------
    position : int
        Which stop of the rep's round it becomes, from 1.
    after, before : str or None
        The visits between which it lies; None: the start or the end of the round.
    spans : tuple of (earliest, latest)
        All moments at which the visit can start there.
    offer : (from, to)
        The part of them to offer to the customer, in whole five minutes where there are any.
    added_travel_s, added_distance_m : int
        What the detour takes.
    added_cost : float
        What the plan costs more, without the worth of the visit.
    others_later_s : int
        The most that a later stop shifts when the visit starts as early as it can.
    keeps_promises : bool
        No promised start shifts by more than is allowed.
    """

    rep_id: str
    position: int
    after: str | None
    before: str | None
    spans: tuple[tuple[int, int], ...]
    offer: tuple[int, int]
    added_travel_s: int
    added_distance_m: int
    added_cost: float
    others_later_s: int
    keeps_promises: bool


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots, the best first; without any, the reasons why no rep has room."""

    found: tuple[Slot, ...]
    reasons: tuple[Reason, ...] = ()


def slots(day: RunningDay, visit: Visit, ways: TravelTimes, wishes: SlotWishes | None = None) -> Slots:
    """Return where a new visit fits into a day under way at ``day.now_s``.

    Raises
    ------
    InvalidInput
        When the visit is wrong, by its pointer (``/visit/location``).
    """
    wishes = wishes or SlotWishes()
    try:
        changed = apply_changes(day, fixed_parts(day), [AddVisit(visit)], ways)
    except InvalidInput as error:
        fields = [FieldProblem(field.pointer.removeprefix("/changes/0"), field.text) for field in error.fields]
        raise InvalidInput(error.text, fields=fields) from error
    rest = rest_of(changed.day, changed.fixed)
    assert rest.problem is not None  # the new visit is in it
    offers = _Offers(rest, rest.problem, visit, wishes)
    found = _best(offers.all(), wishes)
    if found:
        return Slots(tuple(offers.slot(offer) for offer in found))
    plan, _ = evaluate(rest.problem, rest.table, rest.orders)
    return Slots((), next(item.reasons for item in plan.unassigned if item.visit_id == visit.id))


@dataclass(frozen=True, slots=True)
class _Offer:
    """A position that fits; what else a slot says is worked out for those that are shown."""

    price: float
    one: Round
    position: int
    spans: Spans
    keeps_promises: bool
    added_cost: float


def _best(offers: list[_Offer], wishes: SlotWishes) -> list[_Offer]:
    chosen: list[_Offer] = []
    for offer in sorted(offers, key=lambda offer: (offer.price, offer.one.rep, offer.position)):
        if sum(other.one.rep == offer.one.rep for other in chosen) < wishes.per_rep:
            chosen.append(offer)
    return chosen[: wishes.limit]


class _Offers:
    """All positions for one visit in the rest of a day."""

    def __init__(self, rest: Rest, problem: DayProblem, visit: Visit, wishes: SlotWishes) -> None:
        self._rest, self._problem, self._wishes = rest, problem, wishes
        self._at = {one.id: index for index, one in enumerate(problem.visits)}
        self._visit = self._at[visit.id]
        self._day = Day(problem, rest.table)
        promised = rest.day.promised.keys() & self._at.keys()
        near = near_times(problem, rest.day.promised, wishes.promise_s) if promised else None
        self._near = None if near is None else Day(near, rest.table)

    def all(self) -> list[_Offer]:
        """Return every position that fits."""
        offers = []
        for rep, person in enumerate(self._problem.reps):
            order = [self._at[visit_id] for visit_id in self._rest.orders[person.id]]
            one = Round(self._day, rep, order)
            if not one.has_room_for(self._visit):
                continue
            calm = Round(self._near, rep, order) if self._near is not None else one
            for position in range(min(len(person.first_stops), len(order)), len(order) + 1):
                offer = self._offer(one, calm, position)
                if offer is not None:
                    offers.append(offer)
        return offers

    def _offer(self, one: Round, calm: Round, position: int) -> _Offer | None:
        if not one.fits(self._visit, position):
            return None
        calm_spans = start_spans_at(calm, self._visit, position)
        spans = calm_spans or start_spans_at(one, self._visit, position)
        if not spans:
            return None
        cost = self._added_cost(one, position)
        price = cost + (0 if calm_spans else self._wishes.promise)
        price += self._wishes.later * self._put_off_s(one, position, spans[0][0])
        return _Offer(price, one, position, spans, bool(calm_spans), cost)

    def _put_off_s(self, one: Round, position: int, start_s: int) -> int:
        """Return by how much the next stop starts later when the visit starts at ``start_s``."""
        if position == len(one.stops):
            return 0
        day, following = self._day, one.stops[position]
        done_s = start_s + day.service_s[self._visit] + day.travel_s[self._visit][following]
        return max(0, done_s - (min(one.earliest[position + 1]) - day.service_s[following]))

    def slot(self, offer: _Offer) -> Slot:
        """Return the slot of an offer."""
        one, position = offer.one, offer.position
        person, visits = self._problem.reps[one.rep], self._problem.visits
        made = self._rest.fixed[person.id].visit_ids
        before = visits[one.stops[position - 1]].id if position else (made[-1] if made else None)
        longer = self._longer(one, position)
        return Slot(
            rep_id=person.id,
            position=len(made) + position + 1,
            after=before,
            before=visits[one.stops[position]].id if position < len(one.stops) else None,
            spans=offer.spans,
            offer=_offered(offer.spans, self._wishes.width_s),
            added_travel_s=self._added(self._day.travel_s, one, position),
            added_distance_m=self._added(self._day.distance_m, one, position),
            added_cost=offer.added_cost,
            others_later_s=max(
                (min(longer.earliest[k + 2]) - min(one.earliest[k + 1]) for k in range(position, len(one.stops))),
                default=0,
            ),
            keeps_promises=offer.keeps_promises,
        )

    def _longer(self, one: Round, position: int) -> Round:
        return Round(one.day, one.rep, [*one.stops[:position], self._visit, *one.stops[position:]])

    def _added(self, table: list[list[int]], one: Round, position: int) -> int:
        """Return the detour in a table; a rep who is out goes home anyhow."""
        day, home, visit = self._day, self._day.end_place[one.rep], self._visit
        out = bool(one.stops) or bool(self._rest.fixed[self._problem.reps[one.rep].id].stops)
        start = one.stops[position - 1] if position else day.start_place[one.rep]
        end = one.stops[position] if position < len(one.stops) else home
        if end < 0:
            return table[start][visit]
        return table[start][visit] + table[visit][end] - (table[start][end] if out else 0)

    def _added_cost(self, one: Round, position: int) -> float:
        weights, person = self._problem.weights, self._problem.reps[one.rep]
        cost = weights.travel_s * self._added(self._day.travel_s, one, position)
        cost += weights.distance_m * self._added(self._day.distance_m, one, position)
        if person.overtime_s:
            cost += weights.overtime_s * (self._longer(one, position).overtime_s() - one.overtime_s())
        return cost + (0.0 if one.stops else person.fixed_cost)


def start_spans_at(one: Round, visit: int, position: int) -> Spans:
    """Return all moments at which ``visit`` can start before the stop at ``position`` so that the round is kept.

    By breaks taken until then: from the first moment at which the rep can be there, to the last from which the rest can
    be kept; waiting is always possible in between.
    """
    day, breaks = one.day, one.day.problem.reps[one.rep].breaks
    before = one.stops[position - 1] if position else day.start_place[one.rep]
    spans, service_s = day.spans[visit], day.service_s[visit]
    found: list[tuple[int, int]] = []
    for taken, latest in enumerate(_latest_ready(one, visit, position)):
        arrivals = [
            drive(ready, day.travel_s[before][visit], breaks[had:taken])
            for had, ready in enumerate(one.earliest[position][: taken + 1])
            if ready < NEVER
        ]
        first = earliest_start(spans, min(arrivals, default=NEVER))
        last = latest_start(spans, latest - service_s)
        found += [(max(start, first), min(end, last)) for start, end in spans if max(start, first) <= min(end, last)]
    return _merged(found)


def _latest_ready(one: Round, visit: int, position: int) -> list[int]:
    """Return by breaks taken the latest moment at which ``visit`` may end so that the rest can be kept."""
    day, breaks = one.day, one.day.problem.reps[one.rep].breaks
    if position < len(one.stops):
        following = one.stops[position]
        way_s = day.travel_s[visit][following]
        starts = [
            (latest_start(day.spans[following], moment - day.service_s[following]), taken)
            for taken, moment in enumerate(one.latest[position + 1])
        ]
    else:
        way_s = day.travel_s[visit][day.end_place[one.rep]] if day.end_place[one.rep] >= 0 else 0
        starts = []
    latest = []
    for had in range(len(breaks) + 1):
        ends = [(end, taken) for end, taken in starts if taken >= had] if starts else one.latest_ends(had)
        options = [latest_departure(end, way_s, breaks[had:taken]) for end, taken in ends]
        latest.append(max(options, default=-NEVER))
    return latest


def _merged(spans: list[tuple[int, int]]) -> Spans:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _offered(spans: Spans, width_s: int) -> tuple[int, int]:
    """Return the first part of the spans that can be offered, in whole steps where possible."""
    for start, end in spans:
        first, last = -(-start // STEP_S) * STEP_S, end // STEP_S * STEP_S
        if first <= last:
            return first, min(last, first + width_s)
    start, end = spans[0]
    return start, min(end, start + width_s)
