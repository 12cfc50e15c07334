"""Takes visits out of a plan: strings around a seed, split strings, whole routes (SISR).

Source: Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing problems,
Transportation Science 54(2).
"""

from __future__ import annotations

from routing.kernel.chance import below, share
from routing.kernel.compiling import compiled, inlined
from routing.kernel.fields import (
    AMOUNT,
    BEFORE,
    CARRIED,
    CHANGE_PRICE,
    COUNT,
    DISTANCE,
    HAS_CHANGE,
    HAS_LIMITS,
    HAS_ORDER,
    LOAD,
    LOCKED,
    NEXT,
    NOWHERE,
    PLACE,
    ROUTE,
    TRAVEL,
    USUAL,
    WAY_COUNTS,
)
from routing.kernel.timing import refresh

AVERAGE_REMOVED = 11.0
LONGEST_STRING = 10
SPLIT_SHARE = 0.5
KEEP_GROWING = 0.99
WHOLE_ROUTE_SHARE = 0.04
LONGEST_WHOLE_ROUTE = 40


@inlined
def detour(search, rep, before, visit, following):
    """Return the cost that ``visit`` adds to the route between the two nodes; an empty route costs nothing."""
    visits = len(search.prize)
    here, there = search.node[before, PLACE], search.node[following, PLACE]
    place = search.node[visit, PLACE]
    added = search.leg[here, place] + search.leg[place, there]
    if before >= visits and following >= visits:
        return added + search.fixed[rep]
    return added - search.leg[here, there]


@inlined
def change_cost(search, visit, rep):
    """Return what it costs that ``rep`` makes the visit and not its usual rep."""
    usual = search.node[visit, USUAL]
    return search.price[CHANGE_PRICE] if usual != NOWHERE and usual != rep else 0.0


@inlined
def added_way(search, table, before, visit, following):
    """Return what ``visit`` adds to the sum of ``table`` (seconds or metres) between the two nodes."""
    visits = len(search.prize)
    here, there, place = search.node[before, PLACE], search.node[following, PLACE], search.node[visit, PLACE]
    way = table[here, place] + table[place, there]
    return way if before >= visits and following >= visits else way - table[here, there]


@inlined
def count_in(search, plan, rep, before, visit, following, sign):
    """Add a visit's part of the route's totals, or take it away (``sign`` -1)."""
    plan.total[rep, COUNT] += sign
    plan.total[rep, CARRIED] += sign * search.node[visit, LOAD]
    if search.has[HAS_LIMITS]:
        way = added_way(search, search.travel, before, visit, following)
        plan.total[rep, TRAVEL] += sign * way
        plan.total[rep, AMOUNT] += sign * (search.weight[visit] + way * search.has[WAY_COUNTS])
        if len(search.distance) > 1:
            plan.total[rep, DISTANCE] += sign * added_way(search, search.distance, before, visit, following)


@inlined
def take_out(search, plan, visit):
    """Take a visit off its route without renewing times, and return by how much the cost changes."""
    link = plan.link
    rep = link[ROUTE, visit]
    before, following = link[BEFORE, visit], link[NEXT, visit]
    change = search.prize[visit] - detour(search, rep, before, visit, following)
    if search.has[HAS_CHANGE]:
        change -= change_cost(search, visit, rep)
    count_in(search, plan, rep, before, visit, following, -1)
    link[NEXT, before] = following
    link[BEFORE, following] = before
    link[ROUTE, visit] = NOWHERE
    plan.gap[before] = search.leg[search.node[before, PLACE], search.node[following, PLACE]]
    return change


@compiled
def string_start(search, plan, visit, length, dice):
    """Return the first node of a random string of ``length`` nodes that contains ``visit``, inside its route."""
    visits, link = len(search.prize), plan.link
    back = 0
    node = visit
    while back < length - 1 and link[BEFORE, node] < visits and not search.node[link[BEFORE, node], LOCKED]:
        node = link[BEFORE, node]
        back += 1
    ahead = 0
    node = visit
    while ahead < length - 1 and link[NEXT, node] < visits:
        node = link[NEXT, node]
        ahead += 1
    least = max(0, length - 1 - ahead)
    steps = least + below(dice, back - least + 1) if back > least else back
    node = visit
    for _ in range(steps):
        node = link[BEFORE, node]
    return node


@compiled
def remove_string(search, plan, visit, longest, dice, queue, size):
    """Take a string around ``visit`` out, now and then one with a gap; return (visits in ``queue``, cost change)."""
    visits, link = len(search.prize), plan.link
    rep = link[ROUTE, visit]
    count = plan.total[rep, COUNT]
    length = 1 + below(dice, min(longest, count))
    kept = 0
    if length > 1 and length < count and share(dice) < SPLIT_SHARE:
        kept = 1
        while length + kept < count and share(dice) > KEEP_GROWING:
            kept += 1
    node = string_start(search, plan, visit, length + kept, dice)
    gap = 1 + below(dice, length - 1) if kept else -1
    change = 0.0
    for index in range(length + kept):
        if node >= visits:
            break
        following = link[NEXT, node]
        if not (kept and gap <= index < gap + kept):
            queue[size] = node
            size += 1
            change += take_out(search, plan, node)
        node = following
    return size, change


@compiled
def remove_route(search, plan, rep, queue, size):
    """Take every visit of a route out, the locked ones aside."""
    visits, reps = len(search.prize), len(search.fixed)
    change = 0.0
    node = plan.link[BEFORE, visits + reps + rep]
    while node < visits and not search.node[node, LOCKED]:
        before = plan.link[BEFORE, node]
        queue[size] = node
        size += 1
        change += take_out(search, plan, node)
        node = before
    return size, change


@compiled
def remove_dependants(search, plan, queue, size, touched):
    """Take out whatever comes after a visit that was taken out."""
    change = 0.0
    index = 0
    while index < size:
        visit = queue[index]
        for row in range(search.dependant_row[visit], search.dependant_row[visit + 1]):
            other = search.dependant[row]
            rep = plan.link[ROUTE, other]
            if rep != NOWHERE and not search.node[other, LOCKED]:
                touched[rep] = 1
                queue[size] = other
                size += 1
                change += take_out(search, plan, other)
        index += 1
    return size, change


@compiled
def ruin(search, plan, removed_on_average, dice, queue, touched):
    """Take some visits out of the plan, renew the times of its routes, and return (how many, cost change).

    The visits stand in ``queue``. ``touched`` is scratch of zeros, one for each rep, and is left as zeros.
    """
    link = plan.link
    seed = search.possible[below(dice, len(search.possible))]
    used, served = 0, 0
    for rep in range(len(search.fixed)):
        if plan.total[rep, COUNT]:
            used += 1
            served += plan.total[rep, COUNT]
    if not served:
        return 0, 0.0
    longest = min(float(LONGEST_STRING), served / used)
    most_strings = 4.0 * removed_on_average / (1.0 + longest) - 1.0
    strings = int(1.0 + share(dice) * max(0.0, most_strings))
    whole = share(dice) < WHOLE_ROUTE_SHARE
    size, change, done = 0, 0.0, 0
    for index in range(-1, search.near.shape[1]):
        visit = seed if index < 0 else search.near[seed, index]
        if visit < 0:
            break
        rep = link[ROUTE, visit]
        if rep == NOWHERE or touched[rep] or search.node[visit, LOCKED]:
            continue
        touched[rep] = 1
        if whole and plan.total[rep, COUNT] <= LONGEST_WHOLE_ROUTE:
            size, more = remove_route(search, plan, rep, queue, size)
        else:
            size, more = remove_string(search, plan, visit, int(longest), dice, queue, size)
        whole = False
        change += more
        done += 1
        if done >= strings:
            break
    if search.has[HAS_ORDER]:
        size, more = remove_dependants(search, plan, queue, size, touched)
        change += more
    for rep in range(len(touched)):
        if touched[rep]:
            touched[rep] = 0
            refresh(search, plan, rep)
    return size, change
