"""Checks a plan without the solver: every constraint has a name, a function that looks for breaches, and a test.

Nothing here trusts a number that the plan states: times are followed leg by leg with the travel table, and cost is
recomputed from the order of the visits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from common.errors import Text
from common.units import format_clock_time
from routing.plan import BreakTaken, DayPlan, Route, Stop
from routing.problem import DayProblem, Rep, Visit
from routing.travel_times import TravelTable, TravelTimes


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of one constraint.

    Attributes
    ----------
    constraint : str
        A key of :data:`CONSTRAINTS`.
    rep_id, visit_id : str or None
        Whom and what it concerns.
    amount : float
        By how much: seconds, visits or packs.
    """

    constraint: str
    rep_id: str | None
    visit_id: str | None
    text: Text
    amount: float


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checker found.

    Attributes
    ----------
    feasible : bool
        No constraint is broken.
    drivable : bool
        Every route holds as it stands; at most mandatory visits are missing.
    objective : float
        Cost, recomputed.
    travel_s, distance_m, served : int
        Totals, recomputed.
    """

    feasible: bool
    drivable: bool
    violations: tuple[Violation, ...]
    objective: float
    travel_s: int
    distance_m: int
    served: int


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan beside its problem, with look-ups by id."""

    problem: DayProblem
    table: TravelTable
    plan: DayPlan
    visits: dict[str, Visit]
    reps: dict[str, Rep]
    place: dict[str, int]
    start: dict[str, int]
    end: dict[str, int]

    def legs(self, route: Route) -> list[tuple[int, int]]:
        """Return (from, to) of each leg between known places; the way home is left out for an open end."""
        places = [self.start[route.rep_id], *(self.place[stop.visit_id] for stop in route.stops)]
        if self.end[route.rep_id] >= 0 and route.stops:
            places.append(self.end[route.rep_id])
        return list(pairwise(places))

    def travel_s(self, route: Route) -> list[int]:
        """Return the true travel time of each leg; a round with an open end has a last leg of 0."""
        times = [int(self.table.duration_s[leg]) for leg in self.legs(route)]
        return times if self.end[route.rep_id] >= 0 and route.stops else [*times, 0]


def check(problem: DayProblem, travel: TravelTimes, plan: DayPlan) -> CheckReport:
    """Return everything that is wrong with ``plan``, and its recomputed cost.

    A plan that names unknown visits or reps is reported for that alone, because nothing else about it can be computed.
    """
    starts, ends = problem.start_places(), problem.end_places()
    case = _Case(
        problem,
        travel.table(problem.locations()),
        plan,
        {visit.id: visit for visit in problem.visits},
        {rep.id: rep for rep in problem.reps},
        {visit.id: index for index, visit in enumerate(problem.visits)},
        {rep.id: starts[index] for index, rep in enumerate(problem.reps)},
        {rep.id: ends[index] for index, rep in enumerate(problem.reps)},
    )
    unknown = tuple(known_ids(case))
    if unknown:
        return CheckReport(False, False, unknown, 0.0, 0, 0, 0)
    violations = tuple(found for constraint in CONSTRAINTS.values() for found in constraint(case))
    travel_s = sum(int(case.table.duration_s[leg]) for route in plan.routes for leg in case.legs(route))
    distance_m = sum(int(case.table.distance_m[leg]) for route in plan.routes for leg in case.legs(route))
    return CheckReport(
        feasible=not violations,
        drivable=all(found.constraint == "mandatory_served" for found in violations),
        violations=violations,
        objective=_objective(case, travel_s, distance_m),
        travel_s=travel_s,
        distance_m=distance_m,
        served=len({stop.visit_id for route in plan.routes for stop in route.stops}),
    )


def _objective(case: _Case, travel_s: int, distance_m: int) -> float:
    weights = case.problem.weights
    served = {stop.visit_id for route in case.plan.routes for stop in route.stops}
    missed = sum(weights.prize(visit) for visit in case.problem.visits if visit.id not in served)
    overtime_s = sum(max(0, route.end_s - case.reps[route.rep_id].shift_end_s) for route in case.plan.routes)
    return weights.travel_s * travel_s + weights.distance_m * distance_m + weights.overtime_s * overtime_s + missed


def known_ids(case: _Case) -> Iterator[Violation]:
    """Every rep and visit in the plan exists."""
    for route in case.plan.routes:
        if route.rep_id not in case.reps:
            text = Text(f"there is no rep {route.rep_id}", f"没有人员 {route.rep_id}")
            yield Violation("known_ids", route.rep_id, None, text, 1)
    named = [stop.visit_id for route in case.plan.routes for stop in route.stops]
    for visit_id in [*named, *(left.visit_id for left in case.plan.unassigned)]:
        if visit_id not in case.visits:
            text = Text(f"there is no visit {visit_id}", f"没有拜访 {visit_id}")
            yield Violation("known_ids", None, visit_id, text, 1)


def each_visit_once(case: _Case) -> Iterator[Violation]:
    """Every visit is on exactly one route, or left out by name."""
    count = Counter(stop.visit_id for route in case.plan.routes for stop in route.stops)
    count.update(left.visit_id for left in case.plan.unassigned)
    for visit_id in case.visits:
        if count[visit_id] != 1:
            text = Text(
                f"visit {visit_id} stands {count[visit_id]} times in the plan",
                f"拜访 {visit_id} 在计划中出现 {count[visit_id]} 次",
            )
            yield Violation("each_visit_once", None, visit_id, text, abs(count[visit_id] - 1))


def one_route_per_rep(case: _Case) -> Iterator[Violation]:
    """No rep has two routes."""
    for rep_id, count in Counter(route.rep_id for route in case.plan.routes).items():
        if count > 1:
            text = Text(f"rep {rep_id} has {count} routes", f"人员 {rep_id} 有 {count} 条路线")
            yield Violation("one_route_per_rep", rep_id, None, text, count - 1)


def mandatory_served(case: _Case) -> Iterator[Violation]:
    """Every mandatory visit is on a route."""
    served = {stop.visit_id for route in case.plan.routes for stop in route.stops}
    for visit in case.problem.visits:
        if visit.mandatory and visit.id not in served:
            text = Text(f"mandatory visit {visit.id} is not served", f"必访 {visit.id} 未安排")
            yield Violation("mandatory_served", None, visit.id, text, 1)


def time_windows(case: _Case) -> Iterator[Violation]:
    """Every visit starts within one of its windows."""
    for route, stop in _stops(case):
        windows = case.visits[stop.visit_id].windows
        if windows and not any(window.start_s <= stop.start_s <= window.end_s for window in windows):
            away = min(max(window.start_s - stop.start_s, stop.start_s - window.end_s) for window in windows)
            clock = format_clock_time(stop.start_s)
            text = Text(
                f"visit {stop.visit_id} starts at {clock}, {away / 60:.0f} min outside its windows",
                f"拜访 {stop.visit_id} 于 {clock} 开始，超出时间窗 {away / 60:.0f} 分钟",
            )
            yield Violation("time_windows", route.rep_id, stop.visit_id, text, away)


def service_time(case: _Case) -> Iterator[Violation]:
    """Every visit starts after arrival and lasts its service time."""
    for route, stop in _stops(case):
        short = case.visits[stop.visit_id].service_s - (stop.departure_s - stop.start_s)
        early = stop.arrival_s - stop.start_s
        if short != 0 or early > 0:
            text = Text(
                f"visit {stop.visit_id} does not last its service time after arrival",
                f"拜访 {stop.visit_id} 到达后的服务时长不符",
            )
            yield Violation("service_time", route.rep_id, stop.visit_id, text, max(abs(short), early))


def travel_times(case: _Case) -> Iterator[Violation]:
    """Between two places lies at least the travel time, and the plan states times and metres truly."""
    for route in case.plan.routes:
        travel = case.travel_s(route)
        ready = route.departure_s
        for number, needed in enumerate(travel):
            stop = route.stops[number] if number < len(route.stops) else None
            arrival = route.end_s if stop is None else stop.arrival_s
            earliest = _earliest_moment(route, number, ready, needed)
            if arrival < earliest:
                yield _travel_violation(route, stop, earliest - arrival)
            ready = arrival if stop is None else stop.departure_s
        yield from _false_statements(case, route, travel)


def _earliest_moment(route: Route, leg: int, ready_s: int, travel_s: int, upto: BreakTaken | None = None) -> int:
    """Return when ``travel_s`` of a leg can be behind the rep, given the breaks on the way before ``upto``."""
    driven = 0
    for pause in route.breaks:
        if pause is upto:
            break
        if pause.leg == leg and pause.travelled_s < travel_s:
            ready_s = max(ready_s + pause.travelled_s - driven, pause.end_s)
            driven = pause.travelled_s
    return ready_s + travel_s - driven


def _travel_violation(route: Route, stop: Stop | None, short_s: int) -> Violation:
    visit_id = None if stop is None else stop.visit_id
    place, place_zh = (f"visit {visit_id}", f"拜访 {visit_id}") if stop else ("the end", "终点")
    text = Text(
        f"rep {route.rep_id} reaches {place} {short_s} s sooner than the way takes",
        f"人员 {route.rep_id} 到达{place_zh}比路程所需早 {short_s} 秒",
    )
    return Violation("travel_times", route.rep_id, visit_id, text, short_s)


def _false_statements(case: _Case, route: Route, travel_s: list[int]) -> Iterator[Violation]:
    distances = [int(case.table.distance_m[leg]) for leg in case.legs(route)] + [0]
    stated = [(stop.travel_s, stop.distance_m) for stop in route.stops]
    stated.append((route.return_travel_s, route.return_distance_m))
    for number, (seconds, metres) in enumerate(stated[: len(travel_s)]):
        if (seconds, metres) != (travel_s[number], distances[number]):
            visit_id = route.stops[number].visit_id if number < len(route.stops) else None
            text = Text(
                f"rep {route.rep_id}: leg {number} states {seconds} s and {metres} m, not what the table says",
                f"人员 {route.rep_id}：第 {number} 段的时间或距离与路程表不符",
            )
            yield Violation("travel_times", route.rep_id, visit_id, text, abs(seconds - travel_s[number]) or 1)


def shift(case: _Case) -> Iterator[Violation]:
    """Hold the round within the shift and the allowed overtime."""
    for route in case.plan.routes:
        rep = case.reps[route.rep_id]
        over = max(
            rep.shift_start_s - route.departure_s,
            route.end_s - rep.shift_end_s - rep.overtime_s,
            (route.stops[-1].departure_s if route.stops else route.departure_s) - route.end_s,
        )
        if over > 0:
            text = Text(
                f"rep {rep.id} is on the way {over / 60:.0f} min outside the shift",
                f"人员 {rep.id} 的行程超出班次 {over / 60:.0f} 分钟",
            )
            yield Violation("shift", rep.id, None, text, over)


def breaks_taken(case: _Case) -> Iterator[Violation]:
    """Hold that a rep with a route takes every break, in order, in full, starting within its span."""
    for route in case.plan.routes:
        wanted = case.reps[route.rep_id].breaks
        missing = abs(len(wanted) - len(route.breaks))
        if missing:
            text = Text(f"rep {route.rep_id} does not take each break once", f"人员 {route.rep_id} 的休息次数不符")
            yield Violation("breaks_taken", route.rep_id, None, text, missing)
        for pause, taken in zip(wanted, route.breaks, strict=False):
            off = max(pause.earliest_s - taken.start_s, taken.start_s - pause.latest_s, 0)
            off += abs(taken.end_s - taken.start_s - pause.duration_s)
            if off:
                clock = format_clock_time(taken.start_s)
                text = Text(
                    f"rep {route.rep_id}: the break at {clock} is too early, too late or too short",
                    f"人员 {route.rep_id}：{clock} 的休息过早、过晚或时长不符",
                )
                yield Violation("breaks_taken", route.rep_id, None, text, off)


def breaks_undisturbed(case: _Case) -> Iterator[Violation]:
    """No service, no travel and no other break falls into a break.

    Each break is followed on its leg: what was travelled before it must be done by its start. That what comes after it
    does not begin before its end is seen here for services and by ``travel_times`` for arrivals.
    """
    for route in case.plan.routes:
        travel = case.travel_s(route)
        previous_end, previous = 0, (0, 0)
        for pause in route.breaks:
            position = (pause.leg, pause.travelled_s)
            wrong = not 0 <= pause.leg <= len(route.stops) or position < previous
            late = 0 if wrong else _disturbance(route, pause, travel[pause.leg])
            overlap = max(late, previous_end - pause.start_s, 1 if wrong else 0)
            if overlap > 0:
                clock = format_clock_time(pause.start_s)
                text = Text(
                    f"rep {route.rep_id}: the break at {clock} is disturbed by {overlap} s",
                    f"人员 {route.rep_id}：{clock} 的休息被占用 {overlap} 秒",
                )
                yield Violation("breaks_undisturbed", route.rep_id, None, text, overlap)
            previous_end, previous = pause.end_s, position


def _disturbance(route: Route, pause: BreakTaken, leg_s: int) -> int:
    """Return by how many seconds service or travel reaches into the break, on a leg of ``leg_s`` seconds of travel."""
    if not 0 <= pause.travelled_s <= leg_s:
        return max(-pause.travelled_s, pause.travelled_s - leg_s)
    after = route.stops[pause.leg] if pause.leg < len(route.stops) else None
    into_service = 0 if after is None else pause.end_s - after.start_s
    if pause.leg == 0 and pause.travelled_s == 0:
        return into_service  # at home, before setting out
    if pause.travelled_s == leg_s:
        arrival = route.end_s if after is None else after.arrival_s
        return max(arrival - pause.start_s, into_service)
    ready = route.stops[pause.leg - 1].departure_s if pause.leg else route.departure_s
    return max(_earliest_moment(route, pause.leg, ready, pause.travelled_s, pause) - pause.start_s, into_service)


def skills(case: _Case) -> Iterator[Violation]:
    """Each visit goes to a rep with all its skills."""
    for route, stop in _stops(case):
        missing = case.visits[stop.visit_id].skills - case.reps[route.rep_id].skills
        if missing:
            names = ", ".join(sorted(missing))
            text = Text(
                f"rep {route.rep_id} lacks {names} for visit {stop.visit_id}",
                f"人员 {route.rep_id} 缺少拜访 {stop.visit_id} 所需技能：{names}",
            )
            yield Violation("skills", route.rep_id, stop.visit_id, text, len(missing))


def visit_limit(case: _Case) -> Iterator[Violation]:
    """No rep has more visits than allowed."""
    for route in case.plan.routes:
        limit = case.reps[route.rep_id].max_visits
        if limit is not None and len(route.stops) > limit:
            text = Text(
                f"rep {route.rep_id} has {len(route.stops)} visits, at most {limit}",
                f"人员 {route.rep_id} 有 {len(route.stops)} 次拜访，上限 {limit}",
            )
            yield Violation("visit_limit", route.rep_id, None, text, len(route.stops) - limit)


def load_limit(case: _Case) -> Iterator[Violation]:
    """No rep carries more gift packs than allowed."""
    for route in case.plan.routes:
        limit = case.reps[route.rep_id].capacity
        load = sum(case.visits[stop.visit_id].load for stop in route.stops)
        if limit is not None and load > limit:
            text = Text(
                f"rep {route.rep_id} carries {load} packs, at most {limit}",
                f"人员 {route.rep_id} 携带 {load} 份，上限 {limit}",
            )
            yield Violation("load_limit", route.rep_id, None, text, load - limit)


def _stops(case: _Case) -> Iterator[tuple[Route, Stop]]:
    for route in case.plan.routes:
        for stop in route.stops:
            yield route, stop


CONSTRAINTS: dict[str, Callable[[_Case], Iterator[Violation]]] = {
    function.__name__: function
    for function in (
        each_visit_once,
        one_route_per_rep,
        mandatory_served,
        time_windows,
        service_time,
        travel_times,
        shift,
        breaks_taken,
        breaks_undisturbed,
        skills,
        visit_limit,
        load_limit,
    )
}
"""The constraints by name. ``known_ids`` comes before them: without it nothing can be computed."""
