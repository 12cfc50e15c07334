"""Puts visits back into a plan, each at its cheapest place, in an order drawn by chance (SISR)."""

from __future__ import annotations

import math

from routing.kernel.chance import below, share
from routing.kernel.compiling import compiled, inlined
from routing.kernel.fields import (
    AFTER,
    AMOUNT,
    BEFORE,
    CAPACITY,
    CARRIED,
    CLOSES,
    COLLECT,
    COUNT,
    DISTANCE,
    DROP,
    FAIRNESS_PRICE,
    HAS_CHANGE,
    HAS_COLLECT,
    HAS_FAIRNESS,
    HAS_LIMITS,
    HAS_OPTIONAL,
    HAS_ORDER,
    HAS_OVERTIME,
    INFINITE,
    IS_RICH,
    KIND,
    LATE,
    LOAD,
    LOCKED,
    MANDATORY_FROM,
    MAX_DISTANCE,
    MAX_TRAVEL,
    MAX_VISITS,
    NEXT,
    NOWHERE,
    OPENS,
    OVERTIME,
    OVERTIME_PRICE,
    PLACE,
    ROUTE,
    SERVICE,
    TRAVEL,
    WAY_COUNTS,
)
from routing.kernel.ruin import added_way, change_cost, count_in, detour, take_out
from routing.kernel.timing import fits, lateness, lateness_with, refresh, update_early, update_late

BLINK = 0.01
"""Share of places that are overlooked, so that the same visits do not always go back to the same places."""
NEW_ROUTE_SHARE = 0.02
"""Share of steps in which the first visit begins a new route."""
BY_CHANCE, BY_LOAD, FARTHEST, NEAREST, NARROWEST, EARLIEST, FIRST_TO_CLOSE, WORTHIEST, DENSEST = range(9)


@compiled
def draw_order(search, dice):
    """Return by what the visits are put back."""
    ticket = below(dice, 26 if search.has[HAS_OPTIONAL] else 20)
    if ticket < 6:
        return BY_CHANCE
    if ticket < 9:
        return BY_LOAD
    if ticket < 12:
        return FARTHEST
    if ticket < 13:
        return NEAREST
    if ticket < 16:
        return NARROWEST
    if ticket < 18:
        return EARLIEST
    if ticket < 20:
        return FIRST_TO_CLOSE
    return WORTHIEST if ticket < 23 else DENSEST


@compiled
def key_of(search, visit, order, depot, dice):
    """Return the number by which a visit is ordered, the smallest first."""
    node = search.node
    if order == BY_CHANCE:
        return share(dice)
    if order == BY_LOAD:
        return -float(node[visit, DROP])
    if order == FARTHEST:
        return -float(search.travel[node[depot, PLACE], node[visit, PLACE]])
    if order == NEAREST:
        return float(search.travel[node[depot, PLACE], node[visit, PLACE]])
    if order == NARROWEST:
        return float(node[visit, CLOSES] - node[visit, OPENS])
    if order == EARLIEST:
        return float(node[visit, OPENS])
    if order == FIRST_TO_CLOSE:
        return float(node[visit, CLOSES])
    if order == WORTHIEST:
        return -search.prize[visit]
    return -search.prize[visit] / (1.0 + node[visit, SERVICE])


@compiled
def sort_by_keys(queue, size, keys):
    """Sort the first ``size`` visits of ``queue`` by their keys; equal keys keep their order."""
    for index in range(1, size):
        key, visit, place = keys[index], queue[index], index
        while place > 0 and keys[place - 1] > key:
            keys[place], queue[place] = keys[place - 1], queue[place - 1]
            place -= 1
        keys[place], queue[place] = key, visit


@compiled
def sort_queue(search, queue, size, keys, dice):
    """Put the first ``size`` visits of ``queue`` into the order in which they are tried."""
    order = draw_order(search, dice)
    depot = len(search.prize) + below(dice, len(search.fixed))
    for index in range(size):
        keys[index] = key_of(search, queue[index], order, depot, dice)
    sort_by_keys(queue, size, keys)


@compiled
def comes_after(search, plan, rep, before, visit):
    """Return whether the visit that must come first lies at or before ``before`` on the route."""
    first = search.node[visit, AFTER]
    if first == NOWHERE:
        return True
    if plan.link[ROUTE, first] != rep:
        return False
    node = before
    while node < len(search.prize):
        if node == first:
            return True
        node = plan.link[BEFORE, node]
    return False


@compiled
def load_fits(search, plan, rep, before, visit):
    """Return whether no more than allowed is ever on board with ``visit`` after ``before``."""
    visits, node, link = len(search.prize), search.node, plan.link
    capacity = search.rep[rep, CAPACITY]
    on_board = plan.total[rep, CARRIED] + node[visit, LOAD]
    if on_board > capacity:
        return False
    at = visits + rep
    while True:
        if at < visits:
            on_board += node[at, COLLECT] - node[at, DROP]
            if on_board > capacity:
                return False
        if at == before:
            on_board += node[visit, COLLECT] - node[visit, DROP]
            if on_board > capacity:
                return False
        at = link[NEXT, at]
        if at >= visits:
            return True


@compiled
def unfairness(search, plan):
    """Return what the unequal days cost."""
    reps = len(search.fixed)
    total, squares = 0.0, 0.0
    for rep in range(reps):
        amount = float(plan.total[rep, AMOUNT])
        total += amount
        squares += amount * amount
    return search.price[FAIRNESS_PRICE] * reps * math.sqrt(max(0.0, squares / reps - (total / reps) ** 2))


@compiled
def rich_cost(search, plan, rep, before, visit, following, cost, best):
    """Return ``cost`` with what rarer rules add, INFINITE where they forbid the place or it is no better than best."""
    if following < len(search.prize) and search.node[following, LOCKED]:
        return INFINITE
    if search.has[HAS_CHANGE]:
        cost += change_cost(search, visit, rep)
    if search.has[HAS_LIMITS]:
        way = added_way(search, search.travel, before, visit, following)
        if plan.total[rep, TRAVEL] + way > search.rep[rep, MAX_TRAVEL]:
            return INFINITE
        if len(search.distance) > 1:
            metres = added_way(search, search.distance, before, visit, following)
            if plan.total[rep, DISTANCE] + metres > search.rep[rep, MAX_DISTANCE]:
                return INFINITE
        if search.has[HAS_FAIRNESS]:
            amount = search.weight[visit] + way * search.has[WAY_COUNTS]
            without = unfairness(search, plan)
            plan.total[rep, AMOUNT] += amount
            cost += unfairness(search, plan) - without
            plan.total[rep, AMOUNT] -= amount
    if cost >= best:
        return INFINITE
    if search.has[HAS_ORDER] and not comes_after(search, plan, rep, before, visit):
        return INFINITE
    if search.has[HAS_COLLECT] and not load_fits(search, plan, rep, before, visit):
        return INFINITE
    return cost


@inlined
def allowed_cost(search, plan, before, visit, following, cost, best, moments):
    """Return what ``visit`` costs between the nodes, from its detour's ``cost``; INFINITE where it may not be there."""
    rep = plan.link[ROUTE, before]
    if not search.able[visit, rep] or plan.total[rep, COUNT] >= search.rep[rep, MAX_VISITS]:
        return INFINITE
    if plan.total[rep, CARRIED] + search.node[visit, LOAD] > search.rep[rep, CAPACITY]:
        return INFINITE
    if search.has[IS_RICH]:
        cost = rich_cost(search, plan, rep, before, visit, following, cost, best)
        if cost >= best:
            return INFINITE
    if not fits(search, plan, rep, before, visit, following):
        return INFINITE
    if search.has[HAS_OVERTIME] and search.rep[rep, OVERTIME] > 0:
        later = lateness_with(search, plan, rep, before, visit, moments) - plan.total[rep, LATE]
        cost += later * search.price[OVERTIME_PRICE]
    return cost


@compiled
def cost_at(search, plan, before, visit, best, moments):
    """Return what ``visit`` costs right after ``before``; INFINITE where it does not fit or is no better than best."""
    following = plan.link[NEXT, before]
    cost = detour(search, plan.link[ROUTE, before], before, visit, following)
    if cost >= best:
        return INFINITE
    return allowed_cost(search, plan, before, visit, following, cost, best, moments)


@inlined
def until_blink(dice):
    """Return after how many places the next one is overlooked."""
    return 1 + int(math.log(1.0 - share(dice)) / math.log(1.0 - BLINK))


@compiled
def best_place(search, plan, visit, free, dice, skip, moments):
    """Return (cost, node before) of the cheapest place beside the visit's neighbours or on an empty route."""
    link, leg, node = plan.link, search.leg, search.node
    best, place, left = INFINITE, NOWHERE, skip[0]
    for index in range(search.pred.shape[1]):
        before = search.pred[visit, index]
        if before < 0:
            break
        if link[ROUTE, before] == NOWHERE:
            continue
        following = link[NEXT, before]
        cost = search.pred_leg[visit, index] + leg[visit, node[following, PLACE]] - plan.gap[before]
        if cost < best:
            left -= 1
            if left <= 0:
                left = until_blink(dice)
                continue
            cost = allowed_cost(search, plan, before, visit, following, cost, best, moments)
            if cost < best:
                best, place = cost, before
    for index in range(search.succ.shape[1]):
        following = search.succ[visit, index]
        if following < 0:
            break
        if link[ROUTE, following] == NOWHERE:
            continue
        before = link[BEFORE, following]
        cost = search.succ_leg[visit, index] + leg[node[before, PLACE], visit] - plan.gap[before]
        if cost < best:
            left -= 1
            if left <= 0:
                left = until_blink(dice)
                continue
            cost = allowed_cost(search, plan, before, visit, following, cost, best, moments)
            if cost < best:
                best, place = cost, before
    skip[0] = left
    for kind in range(len(free)):
        if free[kind] != NOWHERE:
            before = len(search.prize) + free[kind]
            cost = cost_at(search, plan, before, visit, best, moments)
            if cost < best:
                best, place = cost, before
    return best, place


@compiled
def best_place_anywhere(search, plan, visit, moments):
    """Return (cost, node before) of the cheapest place of all."""
    visits = len(search.prize)
    best, place = INFINITE, NOWHERE
    for rep in range(len(search.fixed)):
        before = visits + rep
        while before < visits or before == visits + rep:
            cost = cost_at(search, plan, before, visit, best, moments)
            if cost < best:
                best, place = cost, before
            before = plan.link[NEXT, before]
    return best, place


@compiled
def best_new_route(search, plan, visit, free, moments):
    """Return (cost, node before) of the cheapest empty route."""
    best, place = INFINITE, NOWHERE
    for kind in range(len(free)):
        if free[kind] != NOWHERE:
            cost = cost_at(search, plan, len(search.prize) + free[kind], visit, best, moments)
            if cost < best:
                best, place = cost, len(search.prize) + free[kind]
    return best, place


@inlined
def put_in(search, plan, before, visit):
    """Put ``visit`` after ``before``, renew times and totals, and return by how much the cost changes."""
    link = plan.link
    rep, following = link[ROUTE, before], link[NEXT, before]
    change = detour(search, rep, before, visit, following) - search.prize[visit]
    if search.has[HAS_CHANGE]:
        change += change_cost(search, visit, rep)
    count_in(search, plan, rep, before, visit, following, 1)
    link[NEXT, before], link[BEFORE, visit] = visit, before
    link[NEXT, visit], link[BEFORE, following] = following, visit
    link[ROUTE, visit] = rep
    place = search.node[visit, PLACE]
    plan.gap[before] = search.leg[search.node[before, PLACE], place]
    plan.gap[visit] = search.leg[place, search.node[following, PLACE]]
    for taken in range(plan.early.shape[1]):
        # Whatever stood there must not look like an unchanged time.
        plan.early[visit, taken] = -1
        plan.late[visit, taken] = -1
    update_early(search, plan, rep, visit, False)
    update_late(search, plan, rep, visit, False)
    if search.has[HAS_OVERTIME]:
        plan.total[rep, LATE] = lateness(search, plan, rep)
    return change


@inlined
def find_free(search, plan, free, kind):
    """Set ``free[kind]`` to the first rep of the kind without a stop."""
    free[kind] = NOWHERE
    for index in range(search.kinds[kind, 0], search.kinds[kind, 1]):
        rep = search.member[index]
        if plan.total[rep, COUNT] == 0:
            free[kind] = rep
            return


@compiled
def withdraw_incomplete(search, plan, visit):
    """Take a visit out again that collects for others who are not all on its route; return the cost change."""
    if search.node[visit, COLLECT] == 0 or plan.link[ROUTE, visit] == NOWHERE or search.node[visit, LOCKED]:
        return 0.0
    first, last = search.dependant_row[visit], search.dependant_row[visit + 1]
    complete = True
    for row in range(first, last):
        if plan.link[ROUTE, search.dependant[row]] == NOWHERE:
            complete = False
    if complete:
        return 0.0
    rep = plan.link[ROUTE, visit]
    change = 0.0
    for row in range(first, last):
        other = search.dependant[row]
        if plan.link[ROUTE, other] != NOWHERE and not search.node[other, LOCKED]:
            change += take_out(search, plan, other)
    change += take_out(search, plan, visit)
    refresh(search, plan, rep)
    return change


@compiled
def dependants_last(search, queue, size, keys):
    """Reorder the queue so that what must come first is put back first."""
    # Depth in the chain of predecessors decides; equal depths keep their order.
    for index in range(size):
        depth, node = 0, search.node[queue[index], AFTER]
        while node != NOWHERE:
            depth += 1
            node = search.node[node, AFTER]
        keys[index] = depth
    sort_by_keys(queue, size, keys)


@compiled
def recreate(search, plan, queue, size, most, scratch, dice):
    """Put the visits in ``queue`` back where that costs less than leaving them out; return the cost change.

    As soon as the change must come to more than ``most`` the rest is not tried, and the answer is INFINITE.
    """
    keys, free, skip, moments = scratch
    for kind in range(len(free)):
        find_free(search, plan, free, kind)
    sort_queue(search, queue, size, keys, dice)
    if search.has[HAS_ORDER]:
        dependants_last(search, queue, size, keys)
    begins_new = share(dice) < NEW_ROUTE_SHARE
    # No way back costs less than nothing, so what the rest can still save is at most its prizes.
    rest = 0.0
    for index in range(size):
        rest += search.prize[queue[index]]
    change = 0.0
    for index in range(size):
        visit = queue[index]
        if change - rest > most:
            return INFINITE
        rest -= search.prize[visit]
        if begins_new and index == 0:
            cost, before = best_new_route(search, plan, visit, free, moments)
        else:
            cost, before = best_place(search, plan, visit, free, dice, skip, moments)
        if before == NOWHERE and (search.prize[visit] >= search.price[MANDATORY_FROM] or share(dice) < 0.05):
            cost, before = best_place_anywhere(search, plan, visit, moments)
        if before != NOWHERE and cost < search.prize[visit]:
            rep = plan.link[ROUTE, before]
            change += put_in(search, plan, before, visit)
            kind = search.rep[rep, KIND]
            if free[kind] == rep:
                find_free(search, plan, free, kind)
    if search.has[HAS_COLLECT]:
        for index in range(size):
            change += withdraw_incomplete(search, plan, queue[index])
            collector = search.node[queue[index], AFTER]
            if collector != NOWHERE:
                change += withdraw_incomplete(search, plan, collector)
    return change
