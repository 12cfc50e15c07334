"""Turns an order of visits into a route with times, also when the order cannot be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.day import NEVER, Day, Round, drive, earliest_start
from routing.plan import BreakTaken, Route, Stop
from routing.problem import Break


@dataclass(slots=True)
class _Leg:
    """One leg under way: the clock, and how much has been travelled."""

    number: int
    now_s: int
    travel_s: int
    travelled_s: int = 0
    arrival_s: int | None = None
    breaks: list[BreakTaken] = field(default_factory=list)

    def pause(self, pause: Break, *, last: bool) -> None:
        """Take a break: before setting out when it may begin by now, else on arrival, else on the way."""
        left_s = self.travel_s - self.travelled_s
        if self.now_s < pause.earliest_s:
            gap_s = pause.earliest_s - self.now_s
            whole = left_s <= gap_s or (last and self.now_s + left_s <= pause.latest_s)
            self.travel(left_s if whole else gap_s)
        start_s = max(self.now_s, pause.earliest_s)
        self.now_s = start_s + pause.duration_s
        if self.travelled_s == self.travel_s and self.arrival_s is None:
            self.arrival_s = start_s  # nothing to travel: the rep is there already
        self.breaks.append(BreakTaken(start_s, self.now_s, self.number, self.travelled_s))

    def travel(self, seconds: int) -> None:
        """Drive for some seconds."""
        self.now_s += seconds
        self.travelled_s += seconds
        if self.travelled_s == self.travel_s and self.arrival_s is None:
            self.arrival_s = self.now_s  # once there, a second break does not make it an arrival later

    def arrive(self) -> int:
        """Drive the rest and return the time of arrival."""
        if self.arrival_s is None:
            self.travel(self.travel_s - self.travelled_s)
        assert self.arrival_s is not None
        return self.arrival_s


def earliest_route(day: Day, rep: int, stops: Sequence[int]) -> Route:
    """Return the round with its times.

    When the order can be kept, every constraint holds and the round ends as early as it can. When it cannot, visits
    start on arrival even after their windows, and breaks come as soon as waiting longer would miss them; the checker
    then names what is broken.
    """
    timing = Round(day, rep, stops)
    counts = _breaks_by_leg(timing) if timing.feasible and stops else None
    if counts is None:
        counts = _hurried_breaks_by_leg(timing)
    before, by_leg = counts
    return _lay_out(timing, before, by_leg)


def _breaks_by_leg(timing: Round) -> tuple[int, list[int]] | None:
    """Return how many breaks come before the round, and how many on each leg (the way home last; the rest follows)."""
    day, stops, breaks = timing.day, timing.stops, timing.day.problem.reps[timing.rep].breaks
    ends = timing.ways_home()
    if not ends:
        return None
    _, taken, home = min(ends)
    by_leg = [home]
    for index in range(len(stops) - 1, -1, -1):
        place = stops[index - 1] if index else day.start_place[timing.rep]
        stop, target = stops[index], timing.earliest[index + 1][taken]
        for had in range(taken, -1, -1):
            ready = timing.earliest[index][had]
            if ready >= NEVER:
                continue
            arrival = drive(ready, day.travel_s[place][stop], breaks[had:taken])
            if arrival < NEVER and earliest_start(day.spans[stop], arrival) + day.service_s[stop] == target:
                by_leg.append(taken - had)
                taken = had
                break
    return taken, by_leg[::-1]


def _hurried_breaks_by_leg(timing: Round) -> tuple[int, list[int]]:
    """Return breaks by leg of an order that cannot be kept: each break on the last leg before it would be missed."""
    day, rep = timing.day, timing.day.problem.reps[timing.rep]
    now, taken, by_leg = rep.shift_start_s, 0, []
    place = day.start_place[timing.rep]
    for stop in timing.stops:
        travel_s, had = day.travel_s[place][stop], taken
        while True:
            arrival = _late_drive(now, travel_s, rep.breaks[had:taken])
            done = _late_start(day, stop, arrival) + day.service_s[stop]
            if taken == len(rep.breaks) or done <= rep.breaks[taken].latest_s:
                break
            taken += 1
        by_leg.append(taken - had)
        now, place = done, stop
    return 0, [*by_leg, 0]


def _late_drive(ready_s: int, travel_s: int, breaks: Sequence[Break]) -> int:
    leg = _Leg(0, ready_s, travel_s)
    for pause in breaks:
        leg.pause(pause, last=False)
    return max(leg.arrive(), leg.now_s)


def _late_start(day: Day, stop: int, arrival_s: int) -> int:
    start = earliest_start(day.spans[stop], arrival_s)
    return arrival_s if start >= NEVER else start


def _lay_out(timing: Round, before: int, by_leg: Sequence[int]) -> Route:
    """Return the route once it is known on which leg each break falls."""
    day, rep = timing.day, timing.day.problem.reps[timing.rep]
    breaks: list[BreakTaken] = []
    now = 0
    for pause in rep.breaks[:before]:
        start = max(now, pause.earliest_s)
        now = start + pause.duration_s
        breaks.append(BreakTaken(start, now, 0, 0))
    now = departure = max(now, rep.shift_start_s)
    taken, place, stops = before, day.start_place[timing.rep], []
    for number, stop in enumerate(timing.stops):
        chosen = rep.breaks[taken : taken + by_leg[number]]
        leg = _travel_leg(number, now, day.travel_s[place][stop], chosen)
        arrival = leg.arrive()
        ready = max(arrival, leg.now_s)
        start = _late_start(day, stop, ready)
        if number == 0 and not chosen:
            # No one leaves home to wait at the first customer's door.
            departure += start - ready
            arrival = ready = start
        now = start + day.service_s[stop]
        distance_m = day.distance_m[place][stop]
        off_s = sum(pause.end_s - max(arrival, pause.start_s) for pause in leg.breaks if pause.end_s > arrival)
        stops.append(
            Stop(day.problem.visits[stop].id, arrival, start, now, start - arrival - off_s, leg.travel_s, distance_m)
        )
        breaks += leg.breaks
        taken, place = taken + len(chosen), stop
    home = _travel_leg(len(stops), now, timing.home_travel_s(), rep.breaks[taken : taken + by_leg[-1]])
    end = home.arrive()
    for pause in rep.breaks[taken + by_leg[-1] :]:
        home.pause(pause, last=False)
    way_home = day.distance_m[place][day.end_place[timing.rep]] if day.end_place[timing.rep] >= 0 else 0
    overtime = max(0, end - rep.shift_end_s)
    return Route(rep.id, departure, tuple(stops), (*breaks, *home.breaks), home.travel_s, way_home, end, overtime)


def _travel_leg(number: int, now_s: int, travel_s: int, breaks: Sequence[Break]) -> _Leg:
    leg = _Leg(number, now_s, travel_s)
    for index, pause in enumerate(breaks):
        leg.pause(pause, last=index == len(breaks) - 1)
    return leg
