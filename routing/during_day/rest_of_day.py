"""The rest of a day under way as a problem of its own, and its plan joined to what has been made.

In the rest a rep starts at the place of the last stop made when the next leg begins; breaks taken, visits made and
travel used are behind. The whole day is checked as it was lived: facts count as facts (a visit that lasted longer had
that service time), so that every other constraint is held against the true day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from routing.during_day.running import END, START, Fixed, RunningDay, table_today
from routing.plan import BreakTaken, DayPlan, Route, Stop
from routing.problem import LATEST_TIME_S, Break, DayProblem, Rep, SizeLimits, TimeWindow, Visit
from routing.travel_times import TravelTable

MISSED_BREAK_S = 1800
"""A break whose time has passed untaken is taken within so many seconds after the rep is free."""
ANY_SIZE = SizeLimits(10**9, 10**9, float("inf"))
"""The whole day was found plausible when it was asked."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to be planned.

    Attributes
    ----------
    problem : DayProblem or None
        The visits not made, and every rep from where and when the next leg begins; None when every visit is made.
    table : TravelTable
        Of the problem's places.
    day : RunningDay
        The whole day that it is the rest of.
    fixed : mapping of rep id to Fixed
    lived : TravelTable
        Of the whole day, with delays, and with the legs made as they were.
    orders : dict of rep id to visit ids
        What the plan still holds for each rep, as far as these are visits of the problem.
    homeward : dict of rep id to Route
        The round of every rep with stops made, when nothing more comes.
    pending : dict of rep id to Breaks
        Breaks still to be taken.
    """

    problem: DayProblem | None
    table: TravelTable
    day: RunningDay
    fixed: Mapping[str, Fixed]
    lived: TravelTable
    orders: dict[str, list[str]]
    homeward: dict[str, Route]
    pending: dict[str, tuple[Break, ...]]


def rest_of(day: RunningDay, fixed: Mapping[str, Fixed], *, change: float = 0.0) -> Rest:
    """Return the rest of the day.

    Parameters
    ----------
    change : float
        Price of giving a visit to another rep than the plan does, where the problem's weights have none.
    """
    made = {visit_id: rep_id for rep_id, part in fixed.items() for visit_id in part.visit_ids}
    lived = _with_ways_home(day, fixed, table_today(day, fixed))
    headings = {part.heading: rep_id for rep_id, part in fixed.items() if part.heading}
    orders = {rep.id: _still_planned(day, rep.id, made, headings) for rep in day.problem.reps}
    holder = {visit_id: rep_id for rep_id, order in orders.items() for visit_id in order}
    pending = {rep.id: _pending(rep, fixed[rep.id]) for rep in day.problem.reps}
    homeward = {rep.id: _homeward(day, rep, fixed[rep.id], lived, pending[rep.id]) for rep in day.problem.reps}
    visits, rows = [], []
    for row, visit in enumerate(day.problem.visits):
        if visit.id not in made:
            rows.append(row)
            open_visit = _open_visit(visit, made, day.now_s if visit.id in headings else 0)
            visits.append(replace(open_visit, usual_rep=holder.get(visit.id, visit.usual_rep)))
    places, ends, reps = day.places(), day.problem.end_places(), []
    for rep in day.problem.reps:
        part, home = fixed[rep.id], homeward[rep.id]
        rows.append(places[part.visit_ids[-1] if part.stops else START + rep.id])
        later = _rep_from_now(day, rep, part, pending[rep.id], home.end_s if part.stops else 0)
        later = _with_limits(day, later, part, made, most=len(orders[rep.id]))
        locked = (*([part.heading] if part.heading else []), *_locked(rep, made, headings))
        start = day.problem.locations()[rows[-1]]
        reps.append(replace(later, start=start, first_stops=locked if later.max_visits != 0 else ()))
    rows += [row for row, rep in zip(ends, reps, strict=True) if rep.end is not None]
    weights = replace(day.problem.weights, change=day.problem.weights.change or change)
    problem = DayProblem(tuple(visits), tuple(reps), weights, ANY_SIZE) if visits else None
    kept = {rep_id: home for rep_id, home in homeward.items() if home.stops}
    return Rest(problem, lived.part(rows), day, fixed, lived, orders, kept, pending)


def _with_ways_home(day: RunningDay, fixed: Mapping[str, Fixed], table: TravelTable) -> TravelTable:
    """Return the table in which the ways home that have begun are as long as they were told."""
    duration_s, places = table.duration_s, day.places()
    for rep in day.problem.reps:
        old, part = day.route(rep.id), fixed[rep.id]
        if rep.end is not None and old is not None and _on_the_way_home(day, rep, part, old):
            duration_s[places[part.visit_ids[-1]], places[END + rep.id]] = old.return_travel_s
    return TravelTable(duration_s, table.distance_m)


def _still_planned(day: RunningDay, rep_id: str, made: Mapping[str, str], headings: Mapping[str, str]) -> list[str]:
    """Return what the plan still holds for a rep, the visit that the rep is on the way to before all others."""
    known = {visit.id for visit in day.problem.visits}
    route = day.route(rep_id)
    order = [stop.visit_id for stop in (route.stops if route else ()) if stop.visit_id in known]
    heading = [visit_id for visit_id, rep in headings.items() if rep == rep_id]
    return heading + [visit_id for visit_id in order if visit_id not in made and visit_id not in headings]


def _locked(rep: Rep, made: Mapping[str, str], headings: Mapping[str, str]) -> list[str]:
    return [visit_id for visit_id in rep.first_stops if visit_id not in made and visit_id not in headings]


def _open_visit(visit: Visit, made: Mapping[str, str], not_before_s: int) -> Visit:
    """Return a visit as the rest of the day sees it."""
    if visit.after in made:
        visit = replace(visit, after="", allowed_reps=frozenset({made[visit.after]}))
    if not_before_s:
        # The way there began in the past, the visit does not.
        windows = visit.windows or (TimeWindow(0, LATEST_TIME_S),)
        later = [TimeWindow(max(span.start_s, not_before_s), span.end_s) for span in windows]
        kept = tuple(span for span in later if span.start_s <= span.end_s)
        visit = replace(visit, windows=kept or visit.windows)
    return visit


def _pending(rep: Rep, part: Fixed) -> tuple[Break, ...]:
    """Return the breaks still to be taken; those on a leg under way lie where they lie."""
    begun = tuple(Break(pause.start_s, pause.start_s, pause.end_s - pause.start_s) for pause in part.begun)
    later, free_s = [], part.free_s
    for pause in rep.breaks[len(part.breaks) + len(begun) :]:
        latest_s = free_s + MISSED_BREAK_S if pause.latest_s < free_s else pause.latest_s
        later.append(replace(pause, earliest_s=max(pause.earliest_s, free_s), latest_s=latest_s))
        free_s = later[-1].earliest_s + pause.duration_s
    return (*begun, *later)


def _rep_from_now(day: RunningDay, rep: Rep, part: Fixed, breaks: tuple[Break, ...], home_s: int) -> Rep:
    """Return the rep from now on; whoever is away or has ended the round has no more visits."""
    since_s = day.absences.get(rep.id, LATEST_TIME_S)
    limit_s = rep.shift_end_s + rep.overtime_s
    if part.over or since_s <= max(day.now_s, part.free_s) or (not part.stops and part.free_s >= limit_s):
        begin_s = min(part.free_s, LATEST_TIME_S - 1)
        return replace(
            rep, shift_start_s=begin_s, shift_end_s=begin_s + 1, overtime_s=0, breaks=(), end=None, max_visits=0
        )
    end_s = max(rep.shift_end_s, part.free_s + 1)
    # A rep who is late has to come home all the same.
    overtime_s = max(limit_s, home_s) - end_s
    return replace(rep, shift_start_s=part.free_s, shift_end_s=end_s, overtime_s=max(0, overtime_s), breaks=breaks)


def _with_limits(day: RunningDay, rep: Rep, part: Fixed, made: Mapping[str, str], *, most: int) -> Rep:
    """Return the rep with what is left of the limits; a rep who is slowed down gets nothing new."""

    def left(limit: int | None, used: int) -> int | None:
        return None if limit is None else max(0, limit - used)

    visits = left(rep.max_visits, len(part.stops)) if rep.max_visits != 0 else 0
    if any(delay.rep_id == rep.id for delay in day.delays):
        visits = most if visits is None else min(visits, most)
    return replace(
        rep,
        max_visits=visits,
        capacity=left(rep.capacity, _packs_used(day.problem.visits, part.visit_ids, made)),
        max_travel_s=left(rep.max_travel_s, sum(stop.travel_s for stop in part.stops)),
        max_distance_m=left(rep.max_distance_m, sum(stop.distance_m for stop in part.stops)),
        fixed_cost=0.0 if part.stops else rep.fixed_cost,
    )


def _packs_used(visits: Sequence[Visit], mine: Sequence[str], made: Mapping[str, str]) -> int:
    """Return the packs that take room no more for others: handed over from the morning's load, or taken in for good."""
    by_id = {visit.id: visit for visit in visits}
    awaited = {visit.after for visit in visits if visit.after}
    used = 0
    for visit_id in mine:
        visit = by_id[visit_id]
        handed_on = visit.after in made and by_id[visit.after].collect > 0
        used += 0 if handed_on else visit.load
        used += 0 if visit_id in awaited else visit.collect
    return used


def _homeward(day: RunningDay, rep: Rep, part: Fixed, table: TravelTable, breaks: Sequence[Break]) -> Route:
    """Return the round that ends after what is made; who is on the way home already goes on."""
    old = day.route(rep.id)
    if old is not None and _on_the_way_home(day, rep, part, old):
        return old
    home_s = home_m = 0
    if rep.end is not None and part.stops:
        places = day.places()
        leg = places[part.visit_ids[-1]], places[END + rep.id]
        home_s, home_m = int(table.duration_s[leg]), int(table.distance_m[leg])
    end_s, taken = _way_home(part, breaks, home_s, late=True)
    if any(pause.start_s > asked.latest_s for pause, asked in zip(taken, breaks, strict=True)):
        end_s, taken = _way_home(part, breaks, home_s, late=False)
    if rep.end is None and part.stops:
        end_s = part.stops[-1].departure_s
    overtime_s = max(0, end_s - rep.shift_end_s)
    return Route(rep.id, part.departure_s, part.stops, (*part.breaks, *taken), home_s, home_m, end_s, overtime_s)


def _on_the_way_home(day: RunningDay, rep: Rep, part: Fixed, old: Route) -> bool:
    left = bool(part.stops) and old.stops == part.stops and day.now_s > part.stops[-1].departure_s
    return left and (rep.end is not None or old.return_travel_s == 0) and len(part.breaks) <= len(old.breaks)


def _way_home(part: Fixed, breaks: Sequence[Break], home_s: int, *, late: bool) -> tuple[int, list[BreakTaken]]:
    """Return when the rep is at home, and the breaks: on the way as soon as they may begin, or ``late`` at home."""
    now, driven, taken = part.free_s, 0, []
    arrival_s = now if home_s == 0 else None
    for pause in breaks:
        left_s = home_s - driven
        ride_s = min(left_s, max(0, pause.earliest_s - now))
        if late and now + left_s <= pause.latest_s:
            ride_s = left_s
        now, driven = now + ride_s, driven + ride_s
        if arrival_s is None and driven == home_s:
            arrival_s = now
        start_s = max(now, pause.earliest_s)
        now = start_s + pause.duration_s
        taken.append(BreakTaken(start_s, now, len(part.stops), driven))
    return (now + home_s - driven if arrival_s is None else arrival_s), taken


def near_times(problem: DayProblem, starts: Mapping[str, int], most_s: int) -> DayProblem:
    """Return the problem in which visits start within ``most_s`` of the given starts, where their windows allow any."""
    visits = []
    for visit in problem.visits:
        told_s = starts.get(visit.id)
        if told_s is None:
            visits.append(visit)
            continue
        band = TimeWindow(max(0, told_s - most_s), min(LATEST_TIME_S, told_s + most_s))
        spans = [(max(one.start_s, band.start_s), min(one.end_s, band.end_s)) for one in visit.windows or (band,)]
        kept = tuple(TimeWindow(start, end) for start, end in spans if start <= end)
        visits.append(replace(visit, windows=kept or visit.windows))
    return replace(problem, visits=tuple(visits))


def joined(rest: Rest, found: DayPlan) -> DayPlan:
    """Return the plan of the whole day: what is made, then the rest as found. A round that stays is not touched."""
    later = {route.rep_id: route for route in found.routes if route.stops}
    routes = []
    for rep in rest.day.problem.reps:
        old = rest.day.route(rep.id)
        route = _whole_route(rest, rep, later.get(rep.id))
        if route is not None:
            same = old is not None and _times_of(old, rest.day.now_s) == _times_of(route, rest.day.now_s)
            routes.append(old if old is not None and same else route)
    return DayPlan(tuple(routes), found.unassigned, found.objective, found.search)


def _whole_route(rest: Rest, rep: Rep, later: Route | None) -> Route | None:
    part = rest.fixed[rep.id]
    if later is None:
        return rest.homeward.get(rep.id)
    count = len(part.stops)
    breaks = tuple(replace(pause, leg=pause.leg + count) for pause in later.breaks)
    return Route(
        rep.id,
        part.departure_s if part.stops else later.departure_s,
        (*part.stops, *later.stops),
        (*part.breaks, *breaks),
        later.return_travel_s,
        later.return_distance_m,
        later.end_s,
        max(0, later.end_s - rep.shift_end_s),
    )


def _times_of(route: Route, now_s: int) -> tuple[object, ...]:
    had = [(pause.start_s, pause.end_s) for pause in route.breaks if pause.start_s <= now_s]
    stops = [(stop.visit_id, stop.start_s, stop.departure_s, stop.travel_s) for stop in route.stops]
    return (*stops, *had, len(route.breaks), route.return_travel_s, route.end_s, route.overtime_s)


def lived_problem(rest: Rest) -> DayProblem:
    """Return the problem of the whole day with the facts in the place of what was asked."""
    stops = {stop.visit_id: stop for part in rest.fixed.values() for stop in part.stops}
    visits = tuple(
        _lived_visit(visit, stops[visit.id]) if visit.id in stops else visit for visit in rest.day.problem.visits
    )
    later = {rep.id: rep for rep in rest.problem.reps} if rest.problem else {}
    reps = tuple(_lived_rep(rest, rep, later.get(rep.id, rep)) for rep in rest.day.problem.reps)
    return DayProblem(visits, reps, rest.day.problem.weights, ANY_SIZE)


def _lived_visit(visit: Visit, stop: Stop) -> Visit:
    return replace(
        visit,
        windows=(TimeWindow(stop.start_s, stop.start_s),),
        service_s=stop.departure_s - stop.start_s,
        skills=frozenset(),
        allowed_reps=None,
        after="",
    )


def _lived_rep(rest: Rest, rep: Rep, later: Rep) -> Rep:
    part = rest.fixed[rep.id]
    made = {visit_id for other in rest.fixed.values() for visit_id in other.visit_ids}
    facts = tuple(Break(pause.start_s, pause.start_s, pause.end_s - pause.start_s) for pause in part.breaks)
    begin_s = min(
        [rep.shift_start_s, *([part.departure_s] if part.stops else []), *(pause.earliest_s for pause in facts)]
    )
    home = rest.homeward.get(rep.id)
    over_s = home.end_s - rep.shift_end_s if home else 0

    def at_least(limit: int | None, used: int) -> int | None:
        return None if limit is None else max(limit, used)

    locked = tuple(visit_id for visit_id in later.first_stops if visit_id not in made)
    return replace(
        rep,
        shift_start_s=begin_s,
        overtime_s=max(rep.overtime_s, over_s),
        breaks=(*facts, *rest.pending[rep.id]),
        max_visits=at_least(rep.max_visits, len(part.stops)),
        capacity=at_least(rep.capacity, _packs_used(rest.day.problem.visits, part.visit_ids, {})),
        max_travel_s=at_least(rep.max_travel_s, home.travel_s if home else 0),
        max_distance_m=at_least(rep.max_distance_m, home.distance_m if home else 0),
        first_stops=(*part.visit_ids, *locked),
    )
