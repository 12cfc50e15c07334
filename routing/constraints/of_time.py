"""Constraints on time and way: windows, services, travel, shift and breaks, followed leg by leg."""

from __future__ import annotations

from collections.abc import Iterator

from common.errors import Text
from common.units import format_clock_time
from routing.constraints.case import Case, Violation
from routing.plan import BreakTaken, Route, Stop


def time_windows(case: Case) -> Iterator[Violation]:
    """Every visit starts within one of its windows."""
    for route, stop in case.stops():
        windows = case.visits[stop.visit_id].windows
        if windows and not any(window.start_s <= stop.start_s <= window.end_s for window in windows):
            away = min(max(window.start_s - stop.start_s, stop.start_s - window.end_s) for window in windows)
            clock = format_clock_time(stop.start_s)
            text = Text(
                f"visit {stop.visit_id} starts at {clock}, {away / 60:.0f} min outside its windows",
                f"拜访 {stop.visit_id} 于 {clock} 开始，超出时间窗 {away / 60:.0f} 分钟",
            )
            yield Violation("time_windows", route.rep_id, stop.visit_id, text, away)


def service_time(case: Case) -> Iterator[Violation]:
    """Every visit starts after arrival and lasts its service time."""
    for route, stop in case.stops():
        short = case.visits[stop.visit_id].service_s - (stop.departure_s - stop.start_s)
        early = stop.arrival_s - stop.start_s
        if short != 0 or early > 0:
            text = Text(
                f"visit {stop.visit_id} does not last its service time after arrival",
                f"拜访 {stop.visit_id} 到达后的服务时长不符",
            )
            yield Violation("service_time", route.rep_id, stop.visit_id, text, max(abs(short), early))


def travel_times(case: Case) -> Iterator[Violation]:
    """Between two places lies at least the travel time, and the plan states times and metres truly."""
    for route in case.plan.routes:
        travel = case.leg_times_s(route)
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


def _false_statements(case: Case, route: Route, travel_s: list[int]) -> Iterator[Violation]:
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


def shift(case: Case) -> Iterator[Violation]:
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


def breaks_taken(case: Case) -> Iterator[Violation]:
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


def breaks_undisturbed(case: Case) -> Iterator[Violation]:
    """No service, no travel and no other break falls into a break.

    Each break is followed on its leg: what was travelled before it must be done by its start. That what comes after it
    does not begin before its end is seen here for services and by ``travel_times`` for arrivals.
    """
    for route in case.plan.routes:
        travel = case.leg_times_s(route)
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


def travel_limit(case: Case) -> Iterator[Violation]:
    """No rep is on the way for longer than allowed."""
    for route in case.plan.routes:
        limit_s = case.reps[route.rep_id].max_travel_s
        over_s = case.travel_s(route) - limit_s if limit_s is not None else 0
        if over_s > 0:
            text = Text(
                f"rep {route.rep_id} travels {over_s / 60:.0f} min more than allowed",
                f"人员 {route.rep_id} 的路上时间超出上限 {over_s / 60:.0f} 分钟",
            )
            yield Violation("travel_limit", route.rep_id, None, text, over_s)


def distance_limit(case: Case) -> Iterator[Violation]:
    """No rep goes further than allowed."""
    for route in case.plan.routes:
        limit_m = case.reps[route.rep_id].max_distance_m
        over_m = case.distance_m(route) - limit_m if limit_m is not None else 0
        if over_m > 0:
            text = Text(
                f"rep {route.rep_id} goes {over_m / 1000:.1f} km further than allowed",
                f"人员 {route.rep_id} 的里程超出上限 {over_m / 1000:.1f} 公里",
            )
            yield Violation("distance_limit", route.rep_id, None, text, over_m)
