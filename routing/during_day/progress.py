"""What reps report of their day, and what is fixed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from common.errors import FieldProblem, InvalidInput, Text
from common.units import format_clock_time
from routing.during_day.running import START, Fixed, RunningDay, as_planned
from routing.plan import BreakTaken, Route, Stop
from routing.problem import Rep

Span = tuple[int, int]
"""Begin and end."""


@dataclass(frozen=True, slots=True)
class StopMade:
    """A stop as it was: begin, end, and arrival where it is known.

    A running one has its expected end; -1 is its service time after the start. It is never before the present moment.
    """

    visit_id: str
    start_s: int
    departure_s: int
    arrival_s: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What a rep has reported.

    Attributes
    ----------
    made : tuple of StopMade
        Finished stops in their order; those reported before may be left out.
    running : StopMade or None
        The stop that the rep is at.
    breaks : tuple of (start, end) or None
        Breaks taken; ``None``: as planned.
    heading : str
        The visit that the rep is on the way to, or empty.
    pointer : str
        Where the report stands in the request, for problems with it.
    """

    rep_id: str
    made: tuple[StopMade, ...] = ()
    running: StopMade | None = None
    breaks: tuple[tuple[int, int], ...] | None = None
    heading: str = ""
    pointer: str = "/progress"


def fixed_parts(day: RunningDay, progress: Sequence[Progress] = ()) -> dict[str, Fixed]:
    """Return what is fixed at ``day.now_s``, by rep id.

    Raises
    ------
    InvalidInput
        When a report cannot be true: unknown names, times that overlap or lie ahead, or another tale than before.
    """
    reports = {report.rep_id: report for report in progress}
    problems: list[FieldProblem] = []
    fixed = {}
    for rep in day.problem.reps:
        report = reports.pop(rep.id, None)
        route = day.route(rep.id)
        fixed[rep.id] = as_planned(day, rep, route) if report is None else _as_reported(day, rep, report, problems)
    problems += [
        _problem(f"{report.pointer}/rep_id", f"there is no rep {report.rep_id!r}", f"没有人员 {report.rep_id!r}")
        for report in reports.values()
    ]
    problems += _made_twice(fixed, progress)
    if problems:
        raise InvalidInput(Text("the progress cannot be as reported", "上报的进度有误"), fields=problems)
    return fixed


def _problem(pointer: str, en: str, zh: str) -> FieldProblem:
    return FieldProblem(pointer, Text(en, zh))


def _made_twice(fixed: Mapping[str, Fixed], progress: Sequence[Progress]) -> list[FieldProblem]:
    """Return a problem for every reporting rep who made what another rep has made."""
    made: dict[str, set[str]] = {}
    for rep_id, part in fixed.items():
        for visit_id in part.visit_ids:
            made.setdefault(visit_id, set()).add(rep_id)
    return [
        _problem(
            f"{report.pointer}/made",
            f"visit {visit_id} was made by {', '.join(sorted(made[visit_id] - {report.rep_id}))}",
            f"拜访 {visit_id} 已由他人完成",
        )
        for report in progress
        if report.rep_id in fixed
        for visit_id in fixed[report.rep_id].visit_ids
        if len(made[visit_id]) > 1
    ]


def _as_reported(day: RunningDay, rep: Rep, report: Progress, problems: list[FieldProblem]) -> Fixed:
    """Return what is fixed by a report."""
    report = replace(report, running=_expected(day, report.running))
    route = day.route(rep.id)
    known = day.reported.get(rep.id, 0)
    before = route.stops[:known] if route else ()
    wrong = list(_report_problems(day, report, before))
    problems += wrong
    begins = max(day.now_s, rep.shift_start_s)
    if wrong:
        return Fixed(begins, before, (), "", begins, known)
    new = report.made[len(before) :] if _repeats(report, before) else report.made
    told = [StopMade(stop.visit_id, stop.start_s, stop.departure_s, stop.arrival_s) for stop in before]
    services = [*told, *new, *([report.running] if report.running else [])]
    pauses = _pauses(day, route, report, services)
    departure_s, stops, breaks = _laid_out(day, rep, services, pauses)
    at_once = [pause.end_s for pause in breaks if pause.leg == len(stops)]
    last_s = stops[-1].departure_s if stops else 0
    free_s = max([begins if not stops else day.now_s, last_s, *at_once])
    if report.heading:
        free_s = max([last_s or min(begins, route.departure_s if route else begins), *at_once])
    # The first stops keep the very times that they were told with.
    stops = (*before, *stops[len(before) :])
    reported = len(told) + len(new)
    return Fixed(departure_s if stops else free_s, stops, breaks, report.heading, free_s, reported)


def _expected(day: RunningDay, running: StopMade | None) -> StopMade | None:
    """Return the running stop with the end that is to be expected now."""
    if running is None:
        return None
    service_s = next((visit.service_s for visit in day.problem.visits if visit.id == running.visit_id), 0)
    end_s = running.start_s + service_s if running.departure_s < 0 else running.departure_s
    return replace(running, departure_s=max(end_s, day.now_s if running.start_s <= day.now_s else end_s))


def _repeats(report: Progress, before: Sequence[Stop]) -> bool:
    return bool(before) and bool(report.made) and report.made[0].visit_id == before[0].visit_id


def _report_problems(day: RunningDay, report: Progress, before: Sequence[Stop]) -> list[FieldProblem]:
    visits = {visit.id for visit in day.problem.visits}
    at = report.pointer
    entries = [(f"{at}/made/{index}", stop) for index, stop in enumerate(report.made)]
    problems: list[FieldProblem] = []
    if _repeats(report, before):
        for (pointer, told), known in zip(entries, before, strict=False):
            if (told.visit_id, told.start_s, told.departure_s) != (known.visit_id, known.start_s, known.departure_s):
                clock = f"{format_clock_time(known.start_s)}–{format_clock_time(known.departure_s)}"
                en = f"was reported before as {known.visit_id}, {clock}; a report does not change"
                problems.append(_problem(pointer, en, f"此前已上报为 {known.visit_id}，{clock}，不能更改"))
        if len(entries) < len(before):
            problems.append(_problem(f"{at}/made", "stops reported before are missing", "缺少此前已上报的拜访"))
        entries = entries[len(before) :]
    entries += [(f"{at}/running", report.running)] if report.running else []
    behind_s, seen = (before[-1].departure_s if before else 0), {stop.visit_id for stop in before}
    for pointer, stop in entries:
        running = stop is report.running
        if stop.visit_id not in visits:
            problems.append(_problem(f"{pointer}/visit_id", f"there is no visit {stop.visit_id!r}", "没有这个拜访"))
        elif stop.visit_id in seen:
            problems.append(_problem(f"{pointer}/visit_id", "stands twice in the report", "在进度中重复出现"))
        if not behind_s <= (stop.start_s if stop.arrival_s is None else stop.arrival_s) <= stop.start_s:
            en = "begins before the stop before it has ended, or before its own arrival"
            problems.append(_problem(f"{pointer}/start", en, "早于上一站结束或早于到达时间"))
        if stop.departure_s < stop.start_s:
            problems.append(_problem(f"{pointer}/departure", "lies before the start", "早于开始时间"))
        if (stop.start_s if running else stop.departure_s) > day.now_s:
            name = "start" if running else "departure"
            en = f"lies after the present moment ({format_clock_time(day.now_s)})"
            problems.append(_problem(f"{pointer}/{name}", en, f"晚于当前时刻（{format_clock_time(day.now_s)}）"))
        behind_s = max(behind_s, stop.departure_s)
        seen.add(stop.visit_id)
    services = [(stop.start_s, stop.departure_s) for _, stop in entries]
    services += [(stop.start_s, stop.departure_s) for stop in before]
    problems += _break_problems(day, report, services)
    if report.heading and (report.heading not in visits or report.heading in seen or report.running):
        en = "must name a visit that is not made yet, while the rep is at none"
        problems.append(_problem(f"{at}/heading", en, "须为尚未完成的拜访，且人员不在拜访中"))
    return problems


def _break_problems(day: RunningDay, report: Progress, services: list[Span]) -> list[FieldProblem]:
    problems, behind_s = [], 0
    for index, (start_s, end_s) in enumerate(report.breaks or ()):
        pointer = f"{report.pointer}/breaks/{index}"
        if not behind_s <= start_s < end_s or start_s > day.now_s:
            en = "must end after it starts, follow the break before, and have begun by now"
            problems.append(_problem(pointer, en, "须先开始后结束、晚于上一次休息，且已经开始"))
        elif any(start_s < end and begin < end_s for begin, end in services):
            problems.append(_problem(pointer, "overlaps a visit", "与拜访时间重叠"))
        behind_s = max(behind_s, end_s)
    return problems


def _pauses(day: RunningDay, route: Route | None, report: Progress, services: Sequence[StopMade]) -> list[Span]:
    """Return the breaks taken: those told, or the planned ones that may have been taken beside the services told."""
    if report.breaks is not None:
        return list(report.breaks)
    planned = [(pause.start_s, pause.end_s) for pause in (route.breaks if route else ()) if pause.start_s <= day.now_s]
    taken = []
    for start_s, end_s in planned:
        if any(start_s < stop.departure_s and stop.start_s < end_s for stop in services):
            break  # breaks are taken in order
        taken.append((start_s, end_s))
    return taken


def _laid_out(
    day: RunningDay, rep: Rep, services: Sequence[StopMade], pauses: Sequence[Span]
) -> tuple[int, tuple[Stop, ...], tuple[BreakTaken, ...]]:
    """Return departure, stops and breaks of what was told: the ways between take as long as the table or less."""
    rows = day.places()
    place, waiting, ready_s, departure_s = rows[START + rep.id], list(pauses), -1, 0
    stops: list[Stop] = []
    breaks: list[BreakTaken] = []
    for number, told in enumerate(services):
        row = rows[told.visit_id]
        on_leg = [pause for pause in waiting if pause[0] < told.start_s]
        waiting = waiting[len(on_leg) :]
        table_s = int(day.table.duration_s[place, row])
        if ready_s < 0:
            reached_s = told.start_s if told.arrival_s is None else told.arrival_s
            off_s = sum(end - start for start, end in on_leg if end <= reached_s)
            departure_s = ready_s = max(0, reached_s - table_s - off_s)
        arrival_s, travel_s, driven = _way(told, ready_s, table_s, on_leg)
        breaks += [BreakTaken(*pause, number, behind_s) for pause, behind_s in zip(on_leg, driven, strict=True)]
        wait_s = max(0, told.start_s - arrival_s - sum(end - start for start, end in on_leg if end > arrival_s))
        distance_m = int(day.table.distance_m[place, row])
        stops.append(Stop(told.visit_id, arrival_s, told.start_s, told.departure_s, wait_s, travel_s, distance_m))
        ready_s, place = told.departure_s, row
    breaks += [BreakTaken(start, end, len(stops), 0) for start, end in waiting]
    return departure_s, tuple(stops), tuple(breaks)


def _way(told: StopMade, ready_s: int, table_s: int, pauses: Sequence[Span]) -> tuple[int, int, list[int]]:
    """Return arrival, seconds of travel, and how much of them lies before each break on the way.

    Without a told arrival the rep went at once. A rep who came with the end of a break is taken to have been there
    before it.
    """
    arrival_s = told.arrival_s
    if arrival_s is None:
        arrival_s, left_s = ready_s, table_s
        for start, end in pauses:
            if arrival_s + left_s <= start:
                break
            left_s -= max(0, start - arrival_s)
            arrival_s = end
        arrival_s = min(told.start_s, arrival_s + left_s)
    while True:
        before = [pause for pause in pauses if pause[0] < arrival_s]
        off_s = sum(end - start for start, end in before)
        travel_s = min(table_s, max(0, arrival_s - ready_s - off_s))
        if not before or (arrival_s > before[-1][1] and travel_s):
            break
        arrival_s = max(ready_s, before[-1][0])
    driven, later_s = [], 0
    for start, end in reversed(pauses):
        if start >= arrival_s:
            driven.append(travel_s)
        else:
            driven.append(max(0, travel_s - (arrival_s - end - later_s)))
            later_s += end - start
    return arrival_s, travel_s, driven[::-1]
