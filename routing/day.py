"""One rep's round as numbers: can this order of visits be kept, and where does one more fit.

The round moves through *points*: the rep's start (point 0), each stop, and the rep's end. A state is "ready to leave a
point with b breaks taken". Waiting is always allowed, so being ready earlier is never worse, and the earliest ready
time by (point, b) decides exactly whether an order is feasible; the latest ready time by (point, b) from which the rest
can still be kept decides in constant time whether a visit fits between two points. Both need only (breaks + 1)² steps
a leg.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from routing.problem import Break, DayProblem, Rep, Visit
from routing.travel_times import TravelTable

NEVER = 10**9
"""A ready time that is not reached."""

Spans = tuple[tuple[int, int], ...]


def drive(ready_s: int, travel_s: int, breaks: Sequence[Break]) -> int:
    """Return the earliest arrival when all ``breaks`` are taken on this leg, or ``NEVER`` when one would start late.

    Travel pauses for a break, so it fills the time until the break may start.
    """
    paused_until, time_off = ready_s, 0
    for pause in breaks:
        start = max(paused_until, pause.earliest_s)
        if start > pause.latest_s:
            return NEVER
        paused_until = start + pause.duration_s
        time_off += pause.duration_s
    return max(paused_until, ready_s + travel_s + time_off)


def latest_departure(arrival_s: int, travel_s: int, breaks: Sequence[Break]) -> int:
    """Return the latest ready time from which :func:`drive` still arrives by ``arrival_s``, or ``-NEVER``."""
    resume, time_off = arrival_s, 0
    for pause in reversed(breaks):
        start = min(pause.latest_s, resume - pause.duration_s)
        if start < pause.earliest_s:
            return -NEVER
        resume = start
        time_off += pause.duration_s
    return min(resume, arrival_s - travel_s - time_off)


def earliest_start(spans: Spans, arrival_s: int) -> int:
    """Return the first moment not before ``arrival_s`` at which a visit may start, or ``NEVER``."""
    for start, end in spans:
        if arrival_s <= end:
            return max(start, arrival_s)
    return NEVER


def latest_start(spans: Spans, bound_s: int) -> int:
    """Return the last moment not after ``bound_s`` at which a visit may start, or ``-NEVER``."""
    for start, end in reversed(spans):
        if start <= bound_s:
            return min(end, bound_s)
    return -NEVER


def start_spans(visit: Visit) -> Spans:
    """Return the spans in which ``visit`` may start, in order of time."""
    if not visit.windows:
        return ((0, NEVER),)
    # Merged, because latest_start and earliest_start look at one span at a time.
    merged: list[tuple[int, int]] = []
    for start, end in sorted((window.start_s, window.end_s) for window in visit.windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


class Day:
    """A problem and its travel table, laid out for fast look-ups by index. Visits and reps are given by position."""

    def __init__(self, problem: DayProblem, table: TravelTable) -> None:
        self.problem = problem
        self.table = table
        self.travel_s: list[list[int]] = table.duration_s.tolist()
        self.distance_m: list[list[int]] = table.distance_m.tolist()
        self.start_place = problem.start_places()
        self.end_place = problem.end_places()
        self.spans = [start_spans(visit) for visit in problem.visits]
        self.service_s = [visit.service_s for visit in problem.visits]
        self.load = [visit.load for visit in problem.visits]
        self.prize = [problem.weights.prize(visit) for visit in problem.visits]
        weights = problem.weights
        self.leg_cost = (weights.travel_s * table.duration_s + weights.distance_m * table.distance_m).tolist()
        self._note_references(problem)

    def _note_references(self, problem: DayProblem) -> None:
        """Turn ids in the problem into positions."""
        visit_at = {visit.id: index for index, visit in enumerate(problem.visits)}
        rep_at = {rep.id: index for index, rep in enumerate(problem.reps)}
        self.first_stops = [[visit_at[visit] for visit in rep.first_stops] for rep in problem.reps]
        self.locked_to = [-1] * len(problem.visits)
        for rep, locked in enumerate(self.first_stops):
            for visit in locked:
                self.locked_to[visit] = rep
        self.after = [visit_at.get(visit.after, -1) for visit in problem.visits]
        # -2: the usual rep is not there, so that anybody is another.
        self.usual = [rep_at.get(visit.usual_rep, -2) if visit.usual_rep else -1 for visit in problem.visits]
        self.collect = [visit.collect for visit in problem.visits]
        self.dependants: list[list[int]] = [[] for _ in problem.visits]
        for visit, first in enumerate(self.after):
            if first >= 0:
                self.dependants[first].append(visit)
        # Packs that another visit collects are not on board from the start.
        self.start_load = [
            0 if self.after[visit] >= 0 and self.collect[self.after[visit]] else load
            for visit, load in enumerate(self.load)
        ]
        self.firm = [visit.mandatory or self.locked_to[at] >= 0 for at, visit in enumerate(problem.visits)]

    def has_skills(self, visit: int, rep: int) -> bool:
        """Return whether the rep has every skill that the visit asks for."""
        return self.problem.visits[visit].skills <= self.problem.reps[rep].skills

    def may_visit(self, visit: int, rep: int) -> bool:
        """Return whether skills, the visit's own choice of reps, and locks let the rep make the visit."""
        asked, person = self.problem.visits[visit], self.problem.reps[rep]
        if asked.allowed_reps is not None and person.id not in asked.allowed_reps:
            return False
        return self.locked_to[visit] in (-1, rep) and asked.skills <= person.skills

    def change_cost(self, visit: int, rep: int) -> float:
        """Return what it costs that ``rep`` makes the visit and not its usual rep."""
        return self.problem.weights.change if self.usual[visit] not in (-1, rep) else 0.0

    def legs(self, rep: int, stops: Sequence[int]) -> list[tuple[int, int]]:
        """Return (from place, to place) of each leg; a round that ends at its last visit has no leg home."""
        places = [self.start_place[rep], *stops]
        if self.end_place[rep] >= 0:
            places.append(self.end_place[rep])
        return list(pairwise(places))

    def route_cost(self, rep: int, stops: Sequence[int]) -> float:
        """Return the cost of a round, 0 without stops: travel, distance, changes of rep and the rep's fixed cost."""
        if not stops:
            return 0.0
        way: float = sum(self.leg_cost[start][end] for start, end in self.legs(rep, stops))
        changes = sum(self.change_cost(stop, rep) for stop in stops) if self.problem.weights.change else 0.0
        return way + changes + self.problem.reps[rep].fixed_cost

    def fairness_amount(self, rep: int, stops: Sequence[int]) -> float:
        """Return how much a round adds to what ``ObjectiveWeights.fairness_measure`` counts."""
        weights = self.problem.weights
        if weights.fairness_measure == "visits":
            return len(stops)
        if weights.fairness_measure == "value":
            return sum(weights.points(self.problem.visits[stop]) for stop in stops)
        way_s = sum(self.travel_s[start][end] for start, end in self.legs(rep, stops)) if stops else 0
        return way_s + sum(self.service_s[stop] for stop in stops)

    def unfairness(self, orders: Sequence[Sequence[int]]) -> float:
        """Return what it costs that the rounds, one for each rep, are unequal."""
        if not self.problem.weights.fairness:
            return 0.0
        return self.problem.weights.unfairness([self.fairness_amount(rep, stops) for rep, stops in enumerate(orders)])


class Round:
    """The timing of one rep's round, kept for quick answers about one more visit.

    Parameters
    ----------
    day : Day
    rep : int
    stops : sequence of int
        Visits in order; may be an order that cannot be kept (then :attr:`feasible` is false).
    """

    def __init__(self, day: Day, rep: int, stops: Sequence[int] = ()) -> None:
        self.day = day
        self.rep = rep
        self.stops = list(stops)
        person: Rep = day.problem.reps[rep]
        self._breaks = person.breaks
        self._shift_start_s = person.shift_start_s
        self._limit_s = person.shift_end_s + person.overtime_s
        self._max_visits = NEVER if person.max_visits is None else person.max_visits
        self._capacity = NEVER if person.capacity is None else person.capacity
        self._max_travel_s = NEVER if person.max_travel_s is None else person.max_travel_s
        self._max_distance_m = NEVER if person.max_distance_m is None else person.max_distance_m
        self._ways_are_limited = person.max_travel_s is not None or person.max_distance_m is not None
        self._time()

    def _time(self) -> None:
        count = len(self._breaks)
        self.load = sum(self.day.start_load[stop] for stop in self.stops)
        ready = [NEVER] * (count + 1)
        # A break may lie before the round; the day then begins when it is over.
        for taken in range(count + 1):
            begin = drive(-NEVER, 0, self._breaks[:taken]) if taken else self._shift_start_s
            ready[taken] = max(begin, self._shift_start_s) if begin < NEVER else NEVER
        self.earliest = [ready]
        place = self.day.start_place[self.rep]
        for stop in self.stops:
            ready = self._forward(ready, self.day.travel_s[place][stop], stop)
            self.earliest.append(ready)
            place = stop
        self.latest = [self._latest_end(place)]
        for index in range(len(self.stops) - 1, -1, -1):
            place = self.stops[index - 1] if index else self.day.start_place[self.rep]
            self.latest.append(self._backward(self.latest[-1], place, self.stops[index]))
        self.latest.reverse()
        self.feasible = (
            len(self.stops) <= self._max_visits
            and all(self.day.may_visit(stop, self.rep) for stop in self.stops)
            and self._keeps_order(self.stops)
            and self._carries(self.stops)
            and self._keeps_limits(self.stops)
            and (not self.stops or self._meets(self.earliest[-1], self.latest[-1]))
        )

    def _keeps_order(self, stops: Sequence[int]) -> bool:
        """Return whether locked visits come first and in their order, and each visit after the one it follows."""
        locked = self.day.first_stops[self.rep]
        if locked:
            there = [stop for stop in stops if self.day.locked_to[stop] == self.rep]
            if stops[: len(there)] != locked[: len(there)]:
                return False
        seen: set[int] = set()
        for stop in stops:
            if self.day.after[stop] >= 0 and self.day.after[stop] not in seen:
                return False
            seen.add(stop)
        return True

    def _carries(self, stops: Sequence[int]) -> bool:
        """Return whether no more packs than allowed are ever on board."""
        on_board = sum(self.day.start_load[stop] for stop in stops)
        if on_board > self._capacity:
            return False
        for stop in stops:
            on_board += self.day.collect[stop] - self.day.load[stop]
            if on_board > self._capacity:
                return False
        return True

    def _keeps_limits(self, stops: Sequence[int]) -> bool:
        """Return whether the way is short enough in seconds and in metres."""
        if not self._ways_are_limited or not stops:
            return True
        legs = self.day.legs(self.rep, stops)
        return (
            sum(self.day.travel_s[start][end] for start, end in legs) <= self._max_travel_s
            and sum(self.day.distance_m[start][end] for start, end in legs) <= self._max_distance_m
        )

    def waits_for_others(self, stops: Sequence[int] | None = None) -> list[int]:
        """Return the visits on the round that collect for others who are not on it."""
        there = set(self.stops if stops is None else stops)
        return [stop for stop in there if self.day.collect[stop] and not there.issuperset(self.day.dependants[stop])]

    @staticmethod
    def _meets(earliest: Sequence[int], latest: Sequence[int]) -> bool:
        return any(ready <= last for ready, last in zip(earliest, latest, strict=True))

    def _forward(self, ready: Sequence[int], travel_s: int, stop: int) -> list[int]:
        """Earliest ready times after ``stop`` by breaks taken, from those at the point before."""
        breaks, spans, service = self._breaks, self.day.spans[stop], self.day.service_s[stop]
        after = [NEVER] * len(ready)
        for before, moment in enumerate(ready):
            if moment >= NEVER:
                continue
            for taken in range(before, len(ready)):
                arrival = drive(moment, travel_s, breaks[before:taken]) if taken > before else moment + travel_s
                if arrival >= NEVER:
                    break
                done = earliest_start(spans, arrival) + service
                after[taken] = min(after[taken], done, NEVER)
        return after

    def _backward(self, latest: Sequence[int], place: int, stop: int) -> list[int]:
        """Latest ready times at ``place`` by breaks taken, from those after the next stop."""
        breaks, spans, service = self._breaks, self.day.spans[stop], self.day.service_s[stop]
        travel_s = self.day.travel_s[place][stop]
        before = [-NEVER] * len(latest)
        for taken, moment in enumerate(latest):
            start = latest_start(spans, moment - service)
            for had in range(taken + 1):
                before[had] = max(before[had], latest_departure(start, travel_s, breaks[had:taken]))
        return before

    def latest_ends(self, had: int) -> list[tuple[int, int]]:
        """Return (latest end of the round, breaks taken by then) for a rep with ``had`` breaks before the leg home.

        Breaks that are left over are taken after the round.
        """
        ends = []
        for taken in range(had, len(self._breaks) + 1):
            afterwards = latest_departure(NEVER, 0, self._breaks[taken:])
            ends.append((min(self._limit_s, afterwards), taken))
        return ends

    def _latest_end(self, place: int) -> list[int]:
        """Latest ready times at the last stop, by breaks taken."""
        home = self.day.end_place[self.rep]
        travel_s = self.day.travel_s[place][home] if home >= 0 else 0
        return [
            max(latest_departure(end, travel_s, self._breaks[had:taken]) for end, taken in self.latest_ends(had))
            for had in range(len(self._breaks) + 1)
        ]

    def has_room_for(self, visit: int) -> bool:
        """Return whether skills, locks, visit limit and load allow ``visit``, whatever its time."""
        return (
            len(self.stops) < self._max_visits
            and self.load + self.day.start_load[visit] <= self._capacity
            and self.day.collect[visit] <= self._capacity
            and self.day.may_visit(visit, self.rep)
        )

    def fits(self, visit: int, position: int) -> bool:
        """Return whether the round can be kept with ``visit`` before the stop at ``position`` (skills aside)."""
        day, travel = self.day, self.day.travel_s
        if self._ways_are_limited or day.first_stops[self.rep] or day.after[visit] >= 0 or any(day.collect):
            stops = [*self.stops[:position], visit, *self.stops[position:]]
            if not (self._keeps_order(stops) and self._carries(stops) and self._keeps_limits(stops)):
                return False
        before = self.stops[position - 1] if position else self.day.start_place[self.rep]
        ready = self._forward(self.earliest[position], travel[before][visit], visit)
        if position == len(self.stops):
            return self._meets(ready, self._latest_end(visit))
        following = self.stops[position]
        return self._meets(self._forward(ready, travel[visit][following], following), self.latest[position + 1])

    def added_cost(self, visit: int, position: int) -> float:
        """Return the cost of ``visit`` before the stop at ``position``: the detour, and the change of rep."""
        cost = self.day.leg_cost
        if not self.stops:
            return self.day.route_cost(self.rep, [visit])
        before = self.stops[position - 1] if position else self.day.start_place[self.rep]
        after = self.stops[position] if position < len(self.stops) else self.day.end_place[self.rep]
        detour: float = cost[before][visit] + self.day.change_cost(visit, self.rep)
        return detour + (cost[visit][after] - cost[before][after] if after >= 0 else 0.0)

    def best_insertion(self, visit: int) -> tuple[float, int] | None:
        """Return (added cost, position) of the cheapest place that fits, or None.

        Positions are tried from the cheapest on, so that most are never checked.
        """
        if not self.has_room_for(visit):
            return None
        if not self.stops:
            return (self.added_cost(visit, 0), 0) if self.fits(visit, 0) else None
        options = sorted((self.added_cost(visit, position), position) for position in range(len(self.stops) + 1))
        return next((option for option in options if self.fits(visit, option[1])), None)

    def insert(self, visit: int, position: int) -> None:
        """Put ``visit`` before the stop at ``position``."""
        self.stops.insert(position, visit)
        self._time()

    def keep(self, stops: Sequence[int]) -> None:
        """Go on with these stops only."""
        self.stops = list(stops)
        self._time()

    def end_s(self) -> int:
        """Return the earliest end of the round, ``NEVER`` when it cannot be kept."""
        return min((end for end, _, _ in self.ways_home()), default=NEVER)

    def overtime_s(self) -> int:
        """Return how far the round runs past the shift's end, 0 without stops."""
        if not self.stops or not self.day.problem.reps[self.rep].overtime_s:
            return 0
        return max(0, self.end_s() - self.day.problem.reps[self.rep].shift_end_s)

    def home_travel_s(self) -> int:
        """Return the travel time of the leg home, 0 for a round that ends at its last visit."""
        home = self.day.end_place[self.rep]
        last = self.stops[-1] if self.stops else self.day.start_place[self.rep]
        return self.day.travel_s[last][home] if home >= 0 else 0

    def ways_home(self) -> list[tuple[int, int, int]]:
        """Return (end of the round, breaks before the leg home, breaks on it) of all ways to end it in time."""
        travel_s, breaks, ways = self.home_travel_s(), self._breaks, []
        for had, ready in enumerate(self.earliest[-1]):
            for taken in range(had, len(breaks) + 1):
                if ready < NEVER:
                    end = drive(ready, travel_s, breaks[had:taken])
                    if end <= self._limit_s and drive(end, 0, breaks[taken:]) < NEVER:
                        ways.append((end, had, taken - had))
        return ways
