"""A day under way: what has happened, what is fixed by it, and the table of ways as they are today.

What is known is kept as facts: a stop that was made lies where and when it lay, whatever the plan had said. Without a
report a rep is taken to be where the plan says. A rep who is on the way to a customer goes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile

from routing.plan import BreakTaken, DayPlan, Route, Stop
from routing.problem import DayProblem, Rep
from routing.travel_times import LARGEST_ENTRY, TravelTable, TravelTimes

START, END = "start:", "end:"
"""Before a rep's id: the places where the round begins and ends. Every other place is the id of a visit."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Ways that take longer: ``factor`` times as long and ``add_s`` more.

    Empty places mean any place, an empty rep means everybody. For one rep it holds on the ways of that rep's own rest
    of the day, and the rep gets no further visits.
    """

    factor: float = 1.0
    add_s: int = 0
    rep_id: str = ""
    from_place: str = ""
    to_place: str = ""


@dataclass(frozen=True, slots=True)
class RunningDay:
    """A day under way.

    Attributes
    ----------
    problem, plan : DayProblem, DayPlan
        As they stand, with every change so far.
    table : TravelTable
        Of ``problem.locations()``, without the delays.
    now_s : int
        The moment of the last change.
    reported : mapping of rep id to int
        How many of the first stops of the route have been reported; they never change again.
    delays : tuple of Delay
    absences : mapping of rep id to int
        From when on a rep is away.
    promised : mapping of visit id to int
        When the visit starts by the published plan.
    pinned : mapping of visit id to tuple of rep ids, or None
        Visits locked to a rep, with the reps who were allowed before.
    """

    problem: DayProblem
    plan: DayPlan
    table: TravelTable
    now_s: int = 0
    reported: Mapping[str, int] = field(default_factory=dict)
    delays: tuple[Delay, ...] = ()
    absences: Mapping[str, int] = field(default_factory=dict)
    promised: Mapping[str, int] = field(default_factory=dict)
    pinned: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    def route(self, rep_id: str) -> Route | None:
        """Return the rep's route, or None when the rep stays at home."""
        return next((route for route in self.plan.routes if route.rep_id == rep_id), None)

    def places(self) -> dict[str, int]:
        """Return the rows of the table by name of the place."""
        problem = self.problem
        rows = {visit.id: row for row, visit in enumerate(problem.visits)}
        rows |= {START + rep.id: row for rep, row in zip(problem.reps, problem.start_places(), strict=True)}
        ends = zip(problem.reps, problem.end_places(), strict=True)
        return rows | {END + rep.id: row for rep, row in ends if row >= 0}


@dataclass(frozen=True, slots=True)
class Fixed:
    """What cannot be changed any more on a rep's round.

    Attributes
    ----------
    departure_s : int
        When the round began.
    stops, breaks : tuple
        Those made; the running stop is the last one.
    heading : str
        The visit that the rep is on the way to.
    free_s : int
        When the next leg begins; that of the visit ``heading`` has begun already.
    reported : int
        How many of the stops are known by report.
    begun : tuple of BreakTaken
        Breaks on the leg to ``heading`` that have begun.
    over : bool
        The round has ended; the rep gets nothing more.
    """

    departure_s: int
    stops: tuple[Stop, ...] = ()
    breaks: tuple[BreakTaken, ...] = ()
    heading: str = ""
    free_s: int = 0
    reported: int = 0
    begun: tuple[BreakTaken, ...] = ()
    over: bool = False

    @property
    def visit_ids(self) -> list[str]:
        """The visits made, in order."""
        return [stop.visit_id for stop in self.stops]

    def called_off(self, now_s: int) -> Fixed:
        """Return the same without the visit ``heading``: the rep is taken to be at the place before, free from now."""
        if not self.heading:
            return self
        begun = tuple(replace(pause, travelled_s=0) for pause in self.begun)
        free_s = max([now_s, self.free_s, *(pause.end_s for pause in begun)])
        return replace(self, heading="", free_s=free_s, breaks=(*self.breaks, *begun), begun=())


def as_planned(day: RunningDay, rep: Rep, route: Route | None) -> Fixed:
    """Return what is fixed when all went as planned so far."""
    now, begins = day.now_s, max(day.now_s, rep.shift_start_s)
    if route is None:
        return Fixed(begins, (), _at_home(rep, now), free_s=begins)
    made = tuple(takewhile(lambda stop: stop.start_s <= now, route.stops))
    count = len(made)
    left_s = made[-1].departure_s if made else route.departure_s
    breaks = tuple(pause for pause in route.breaks if pause.leg < count)
    on_leg = tuple(pause for pause in route.breaks if pause.leg == count and pause.start_s <= now)
    reported = min(day.reported.get(rep.id, 0), count)
    following = route.stops[count] if count < len(route.stops) else None
    # Who would only wait at the next door may still be sent elsewhere.
    if following is not None and now > left_s + following.wait_s:
        at_home = tuple(pause for pause in on_leg if pause.end_s <= left_s)
        begun = on_leg[len(at_home) :]
        return Fixed(route.departure_s, made, (*breaks, *at_home), following.visit_id, left_s, reported, begun)
    at_rest = tuple(replace(pause, travelled_s=0) for pause in on_leg)
    free_s = max([now, left_s, *(pause.end_s for pause in on_leg)]) if made else begins
    if not made:
        free_s = max([begins, *(pause.end_s for pause in on_leg)])
    over = following is None and now >= route.end_s
    departure_s = route.departure_s if made else free_s
    return Fixed(departure_s, made, (*breaks, *at_rest), "", free_s, reported, (), over)


def _at_home(rep: Rep, now_s: int) -> tuple[BreakTaken, ...]:
    """Return the breaks that a rep who is at home has had by now."""
    had: list[BreakTaken] = []
    for pause in rep.breaks:
        start_s = max([pause.earliest_s, *(other.end_s for other in had)])
        if start_s + pause.duration_s > now_s or start_s > pause.latest_s:
            break
        had.append(BreakTaken(start_s, start_s + pause.duration_s, 0, 0))
    return tuple(had)


def table_today(day: RunningDay, fixed: Mapping[str, Fixed]) -> TravelTable:
    """Return the table with the delays, and with the legs made as they were."""
    duration_s = day.table.duration_s.copy()
    rows = day.places()
    for delay in day.delays:
        if delay.rep_id:
            _slow_one_rep(day, delay, fixed.get(delay.rep_id), duration_s)
        else:
            _slow(delay, rows, duration_s)
    for rep_id, part in fixed.items():
        places = [rows[START + rep_id], *(rows[visit_id] for visit_id in part.visit_ids)]
        for leg, stop in zip(pairwise(places), part.stops, strict=True):
            duration_s[leg] = stop.travel_s
    return TravelTable(duration_s, day.table.distance_m)


def _slow(delay: Delay, rows: Mapping[str, int], duration_s: object) -> None:
    import numpy as np

    table: np.ndarray[tuple[int, int], np.dtype[np.int32]] = duration_s  # type: ignore[assignment]
    every = list(range(len(table)))
    starts = [rows[delay.from_place]] if delay.from_place else every
    ends = [rows[delay.to_place]] if delay.to_place else every
    part = np.ix_(starts, ends)
    slower = np.minimum(np.rint(table[part] * delay.factor) + delay.add_s, LARGEST_ENTRY)
    table[part] = slower.astype(np.int32)
    np.fill_diagonal(table, 0)


def _slow_one_rep(day: RunningDay, delay: Delay, part: Fixed | None, duration_s: object) -> None:
    """Slow the ways among the places that the rep's rest of the day touches."""
    route, rows = day.route(delay.rep_id), day.places()
    if part is None or route is None:
        return
    made = part.visit_ids
    places = [made[-1] if made else START + delay.rep_id]
    places += [stop.visit_id for stop in route.stops if stop.visit_id not in made and stop.visit_id in rows]
    places += [END + delay.rep_id] if END + delay.rep_id in rows else []
    for start in places:
        for end in places:
            fits = delay.from_place in ("", start) and delay.to_place in ("", end)
            if start != end and fits:
                _slow(replace(delay, from_place=start, to_place=end), rows, duration_s)


def grown_table(before: RunningDay, problem: DayProblem, ways: TravelTimes) -> TravelTable:
    """Return the table of a problem with visits more or fewer than before: what was known stays as it was."""
    import numpy as np

    after = replace(before, problem=problem)
    old, new = before.places(), after.places()
    names = list(new)
    kept = [name for name in names if name in old]
    size = len(problem.locations())
    duration_s = np.zeros((size, size), dtype=np.int32)
    distance_m = np.zeros((size, size), dtype=np.int32)
    if len(kept) < len(names):
        asked = ways.table(problem.locations())
        duration_s, distance_m = asked.duration_s.copy(), asked.distance_m.copy()
    to, source = np.ix_(*[[new[name] for name in kept]] * 2), np.ix_(*[[old[name] for name in kept]] * 2)
    duration_s[to], distance_m[to] = before.table.duration_s[source], before.table.distance_m[source]
    return TravelTable(duration_s, distance_m)


def ways_like(problem: DayProblem, table: TravelTable) -> TravelTimes:
    """Return a great circle as fast and as long as a given matrix is on the whole, for places beyond the matrix.

    A matrix says nothing of a new customer; the day goes on, and the estimate is near where streets are alike.
    """
    import numpy as np

    from routing.travel_times import HaversineTravelTimes

    plain = HaversineTravelTimes(1.0, 1.0).table(problem.locations())
    air_m, way_m = float(np.sum(plain.distance_m, dtype=np.float64)), float(np.sum(table.distance_m, dtype=np.float64))
    spent_s = float(np.sum(table.duration_s, dtype=np.float64))
    if air_m == 0 or spent_s == 0:
        return HaversineTravelTimes()
    detour = min(10.0, max(1.0, way_m / air_m)) if way_m else HaversineTravelTimes().detour_factor
    speed_kmh = min(1000.0, max(0.1, 3.6 * detour * air_m / spent_s))
    return HaversineTravelTimes(speed_kmh, detour)
