"""When a route can be kept: the compiled twin of :mod:`routing.day`."""

from __future__ import annotations

from routing.kernel.compiling import compiled, inlined
from routing.kernel.fields import (
    BEFORE,
    BREAKS,
    CLOSES,
    LATE,
    LIMIT,
    NEVER,
    NEXT,
    OPENS,
    OVERTIME,
    PLACE,
    SERVICE,
    SHIFT_END,
    SPAN,
    SPANS,
)


@inlined
def first_start(search, visit, arrival):
    """Return the first moment from ``arrival`` on at which the visit may start, or NEVER."""
    if search.node[visit, SPANS] == 1:
        if arrival > search.node[visit, CLOSES]:
            return NEVER
        return max(arrival, search.node[visit, OPENS])
    first = search.node[visit, SPAN]
    for index in range(first, first + search.node[visit, SPANS]):
        if arrival <= search.span[index, 1]:
            return max(arrival, search.span[index, 0])
    return NEVER


@inlined
def last_start(search, visit, bound):
    """Return the last moment up to ``bound`` at which the visit may start, or -NEVER."""
    if search.node[visit, SPANS] == 1:
        if bound < search.node[visit, OPENS]:
            return -NEVER
        return min(bound, search.node[visit, CLOSES])
    first = search.node[visit, SPAN]
    for index in range(first + search.node[visit, SPANS] - 1, first - 1, -1):
        if search.span[index, 0] <= bound:
            return min(bound, search.span[index, 1])
    return -NEVER


@inlined
def drive(search, rep, ready, travel, had, taken):
    """Return the earliest arrival with breaks ``had … taken-1`` on the way, or NEVER (``routing.day.drive``)."""
    paused_until = ready
    time_off = 0
    for index in range(had, taken):
        start = max(paused_until, search.pause[rep, index, 0])
        if start > search.pause[rep, index, 1]:
            return NEVER
        paused_until = start + search.pause[rep, index, 2]
        time_off += search.pause[rep, index, 2]
    return max(paused_until, ready + travel + time_off)


@inlined
def latest_departure(search, rep, arrival, travel, had, taken):
    """Return the latest departure for an arrival with breaks ``had … taken-1`` on the way, or -NEVER."""
    resume = arrival
    time_off = 0
    for index in range(taken - 1, had - 1, -1):
        start = min(search.pause[rep, index, 1], resume - search.pause[rep, index, 2])
        if start < search.pause[rep, index, 0]:
            return -NEVER
        resume = start
        time_off += search.pause[rep, index, 2]
    return min(resume, arrival - travel - time_off)


@inlined
def leave(search, plan, rep, before, visit, taken):
    """Return the earliest moment to leave ``visit`` right after ``before`` with ``taken`` breaks behind, or NEVER."""
    travel = search.travel[search.node[before, PLACE], search.node[visit, PLACE]]
    best = NEVER
    for had in range(taken + 1):
        ready = plan.early[before, had]
        if ready < NEVER:
            arrival = drive(search, rep, ready, travel, had, taken)
            if arrival < NEVER:
                best = min(best, first_start(search, visit, arrival) + search.node[visit, SERVICE])
    return best


@inlined
def fits(search, plan, rep, before, visit, following):
    """Return whether the route can be kept with ``visit`` between the two nodes."""
    travel, node = search.travel, search.node
    here, there = node[visit, PLACE], node[following, PLACE]
    breaks = search.rep[rep, BREAKS]
    if breaks == 0:
        ready = plan.early[before, 0]
        if ready >= NEVER:
            return False
        start = first_start(search, visit, ready + travel[node[before, PLACE], here])
        return start + node[visit, SERVICE] + travel[here, there] <= plan.late[following, 0]
    # Most places fail by far too much: fewest breaks behind and most breaks taken in time bound all ways through.
    had = 0
    while had < breaks and plan.early[before, had] >= NEVER:
        had += 1
    soonest = first_start(search, visit, plan.early[before, had] + travel[node[before, PLACE], here])
    if soonest + node[visit, SERVICE] + travel[here, there] > plan.late[following, breaks]:
        return False
    for had in range(breaks + 1):
        ready = leave(search, plan, rep, before, visit, had)
        if ready >= NEVER:
            continue
        for taken in range(had, breaks + 1):
            if drive(search, rep, ready, travel[here, there], had, taken) <= plan.late[following, taken]:
                return True
    return False


@compiled
def update_early(search, plan, rep, first, whole):
    """Recompute leaving times from node ``first`` to the route's end; unless ``whole``, only as far as they change."""
    visits = len(search.prize)
    breaks = search.rep[rep, BREAKS]
    node = first
    before = plan.link[BEFORE, node]
    while node < visits:
        changed = False
        if breaks == 0:
            arrival = plan.early[before, 0] + search.travel[search.node[before, PLACE], search.node[node, PLACE]]
            moment = min(NEVER, first_start(search, node, arrival) + search.node[node, SERVICE])
            if plan.early[node, 0] != moment:
                plan.early[node, 0] = moment
                changed = True
        else:
            for taken in range(breaks + 1):
                moment = min(NEVER, leave(search, plan, rep, before, node, taken))
                if plan.early[node, taken] != moment:
                    plan.early[node, taken] = moment
                    changed = True
        if not (changed or whole):
            return
        before = node
        node = plan.link[NEXT, node]


@compiled
def update_late(search, plan, rep, last, whole):
    """Recompute latest arrivals from node ``last`` back to the start; unless ``whole``, only as far as they change."""
    visits = len(search.prize)
    breaks = search.rep[rep, BREAKS]
    node = last
    following = plan.link[NEXT, node]
    while node < visits:
        changed = False
        travel = search.travel[search.node[node, PLACE], search.node[following, PLACE]]
        service = search.node[node, SERVICE]
        if breaks == 0:
            moment = last_start(search, node, plan.late[following, 0] - travel - service)
            if plan.late[node, 0] != moment:
                plan.late[node, 0] = moment
                changed = True
        else:
            for had in range(breaks + 1):
                leave_by = -NEVER
                for taken in range(had, breaks + 1):
                    arrival = plan.late[following, taken]
                    leave_by = max(leave_by, latest_departure(search, rep, arrival, travel, had, taken))
                moment = last_start(search, node, leave_by - service)
                if plan.late[node, had] != moment:
                    plan.late[node, had] = moment
                    changed = True
        if not (changed or whole):
            return
        following = node
        node = plan.link[BEFORE, node]


@inlined
def set_ends(search, plan, rep):
    """Set the earliest departure of a route's start and the latest arrival at its end."""
    visits, reps = len(search.prize), len(search.fixed)
    start, end = visits + rep, visits + reps + rep
    breaks = search.rep[rep, BREAKS]
    for taken in range(breaks + 1):
        plan.early[start, taken] = search.begin[rep, taken]
        # Breaks that are left are taken after the round.
        afterwards = latest_departure(search, rep, NEVER, 0, taken, breaks)
        plan.late[end, taken] = min(search.rep[rep, LIMIT], afterwards)


@inlined
def way_home(search, rep, ready, travel, had):
    """Return the earliest end of a round that leaves its last visit at ``ready`` with ``had`` breaks, or NEVER."""
    breaks = search.rep[rep, BREAKS]
    best = NEVER
    for taken in range(had, breaks + 1):
        end = drive(search, rep, ready, travel, had, taken)
        if end <= search.rep[rep, LIMIT] and drive(search, rep, end, 0, taken, breaks) < NEVER:
            best = min(best, end)
    return best


@compiled
def lateness(search, plan, rep):
    """Return by how many seconds the route ends after the shift; 0 for reps without overtime."""
    visits, reps = len(search.prize), len(search.fixed)
    if search.rep[rep, OVERTIME] == 0:
        return 0
    end = visits + reps + rep
    last = plan.link[BEFORE, end]
    if last >= visits:
        return 0
    travel = search.travel[search.node[last, PLACE], search.node[end, PLACE]]
    best = NEVER
    for had in range(search.rep[rep, BREAKS] + 1):
        if plan.early[last, had] < NEVER:
            best = min(best, way_home(search, rep, plan.early[last, had], travel, had))
    return max(0, best - search.rep[rep, SHIFT_END]) if best < NEVER else 0


@compiled
def lateness_with(search, plan, rep, before, visit, moments):
    """Return the route's lateness with ``visit`` after ``before``; ``moments`` is scratch of shape (2, breaks + 1)."""
    visits = len(search.prize)
    breaks = search.rep[rep, BREAKS]
    for taken in range(breaks + 1):
        moments[0, taken] = min(NEVER, leave(search, plan, rep, before, visit, taken))
    node, following = visit, plan.link[NEXT, before]
    while True:
        travel = search.travel[search.node[node, PLACE], search.node[following, PLACE]]
        if following >= visits:
            break
        for taken in range(breaks + 1):
            best = NEVER
            for had in range(taken + 1):
                if moments[0, had] < NEVER:
                    arrival = drive(search, rep, moments[0, had], travel, had, taken)
                    if arrival < NEVER:
                        service = search.node[following, SERVICE]
                        best = min(best, first_start(search, following, arrival) + service)
            moments[1, taken] = best
        for taken in range(breaks + 1):
            moments[0, taken] = moments[1, taken]
        node = following
        following = plan.link[NEXT, node]
    best = NEVER
    for had in range(breaks + 1):
        if moments[0, had] < NEVER:
            best = min(best, way_home(search, rep, moments[0, had], travel, had))
    return max(0, best - search.rep[rep, SHIFT_END])


@compiled
def refresh(search, plan, rep):
    """Recompute all times of a route."""
    visits, reps = len(search.prize), len(search.fixed)
    set_ends(search, plan, rep)
    update_early(search, plan, rep, plan.link[NEXT, visits + rep], True)
    update_late(search, plan, rep, plan.link[BEFORE, visits + reps + rep], True)
    plan.total[rep, LATE] = lateness(search, plan, rep)
