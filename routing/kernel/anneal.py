"""Simulated annealing over ruin and recreate steps."""

from __future__ import annotations

import math

from routing.kernel.chance import below, share
from routing.kernel.compiling import compiled, inlined
from routing.kernel.fields import (
    BEFORE,
    COUNT,
    HAS_CHANGE,
    HAS_FAIRNESS,
    HAS_OVERTIME,
    INFINITE,
    LATE,
    NEXT,
    NOWHERE,
    OVERTIME_PRICE,
    PLACE,
    ROUTE,
    TOTALS,
)
from routing.kernel.recreate import recreate, unfairness
from routing.kernel.ruin import change_cost, count_in, ruin
from routing.kernel.timing import refresh

MOST_OTHERS = 6
"""How many of the visits that were left out already are tried again in a step."""
BY_LUCK = 2
"""How many of them are drawn from anywhere, the rest near the removed ones."""


@inlined
def copy_table(source, target):
    """Copy one table over another; a slice would ask for memory of its own."""
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


@compiled
def copy_plan(source, target):
    """Copy one plan over another."""
    copy_table(source.link, target.link)
    copy_table(source.early, target.early)
    copy_table(source.late, target.late)
    copy_table(source.total, target.total)
    for node in range(len(source.gap)):
        target.gap[node] = source.gap[node]


@compiled
def extras(search, plan):
    """Return the cost that is no sum over legs and visits: overtime and unequal days."""
    cost = 0.0
    if search.has[HAS_OVERTIME]:
        for rep in range(len(search.fixed)):
            cost += plan.total[rep, LATE] * search.price[OVERTIME_PRICE]
    if search.has[HAS_FAIRNESS]:
        cost += unfairness(search, plan)
    return cost


@compiled
def add_left_out(search, plan, queue, size, left, dice):
    """Add visits that were left out before this step to the queue: ``left`` are out in all, those removed included."""
    link = plan.link
    others = left - size
    if others <= 0:
        return size
    removed = size
    if others <= MOST_OTHERS:
        for visit in search.possible:
            if link[ROUTE, visit] == NOWHERE:
                known = False
                for index in range(removed):
                    known = known or queue[index] == visit
                if not known:
                    queue[size] = visit
                    size += 1
        return size
    centre = queue[below(dice, removed)] if removed else search.possible[below(dice, len(search.possible))]
    for index in range(search.near.shape[1] + BY_LUCK):
        if index < search.near.shape[1]:
            visit = search.near[centre, index]
        else:
            visit = search.possible[below(dice, len(search.possible))]
        if visit < 0 or link[ROUTE, visit] != NOWHERE:
            continue
        known = False
        for place in range(size):
            known = known or queue[place] == visit
        if known:
            continue
        if index < search.near.shape[1] and size - removed >= MOST_OTHERS - BY_LUCK:
            continue
        queue[size] = visit
        size += 1
    return size


@compiled
def anneal(search, plans, costs, scratch, dice, schedule):
    """Make ``schedule[0]`` steps, cooling from ``schedule[1]`` to ``schedule[2]``, and return improvements of the best.

    Parameters
    ----------
    plans : (current, trial, best)
        ``trial`` equals ``current`` on entry and on return.
    costs : float64 array
        Cost of current, less the bonus for each route in use, and true cost of best.
    scratch : tuple
        ``queue``, ``touched`` and the scratch of :func:`recreate`.
    schedule : float64 array
        Steps, first temperature, last temperature, visits removed on average, bonus.
    """
    current, trial, best = plans
    queue, touched, rest = scratch
    steps = int(schedule[0])
    temperature = schedule[1]
    cooling = (schedule[2] / schedule[1]) ** (1.0 / max(1, steps))
    improvements = 0
    placed = 0
    for rep in range(len(search.fixed)):
        placed += current.total[rep, COUNT]
    extra = extras(search, current)
    for _ in range(steps):
        size, change = ruin(search, trial, schedule[3], dice, queue, touched)
        size = add_left_out(search, trial, queue, size, len(search.possible) - placed + size, dice)
        allowed = -temperature * math.log(1.0 - share(dice))
        # Where days must be equal, a visit may cost less than nothing.
        most = INFINITE if search.has[HAS_FAIRNESS] else allowed - change + 1e-6
        change += recreate(search, trial, queue, size, most, rest, dice)
        more = extras(search, trial)
        change += more - extra
        if change < allowed:
            costs[0] += change
            extra = more
            placed, used = 0, 0
            for rep in range(len(search.fixed)):
                placed += trial.total[rep, COUNT]
                used += trial.total[rep, COUNT] > 0
            copy_plan(trial, current)
            true_cost = costs[0] + schedule[4] * used
            if true_cost < costs[1] - 1e-6:
                costs[1] = true_cost
                copy_plan(current, best)
                improvements += 1
        else:
            copy_plan(current, trial)
        temperature *= cooling
    return improvements


@compiled
def build(search, plan, scratch, dice):
    """Put every visit that is left out into the plan where it fits best, and return the cost change."""
    queue, _, rest = scratch
    size = 0
    for visit in search.possible:
        if plan.link[ROUTE, visit] == NOWHERE:
            queue[size] = visit
            size += 1
    before = extras(search, plan)
    change = recreate(search, plan, queue, size, INFINITE, rest, dice)
    return change + extras(search, plan) - before


@compiled
def load_orders(search, plan, first, stops):
    """Make a plan of given orders: ``stops[first[r]:first[r + 1]]`` for rep ``r``. Nothing is checked."""
    visits, reps = len(search.prize), len(search.fixed)
    link = plan.link
    for visit in range(visits):
        link[ROUTE, visit] = NOWHERE
    for rep in range(reps):
        for column in range(TOTALS):
            plan.total[rep, column] = 0
    for rep in range(reps):
        start, end = visits + rep, visits + reps + rep
        link[ROUTE, start] = rep
        link[ROUTE, end] = rep
        link[NEXT, start] = end
        link[BEFORE, end] = start
        link[BEFORE, start] = NOWHERE
        link[NEXT, end] = NOWHERE
        before = start
        for index in range(first[rep], first[rep + 1]):
            visit = stops[index]
            count_in(search, plan, rep, before, visit, end, 1)
            link[NEXT, before], link[BEFORE, visit] = visit, before
            link[NEXT, visit], link[BEFORE, end] = end, visit
            link[ROUTE, visit] = rep
            plan.gap[before] = search.leg[search.node[before, PLACE], search.node[visit, PLACE]]
            plan.gap[visit] = search.leg[search.node[visit, PLACE], search.node[end, PLACE]]
            before = visit
        refresh(search, plan, rep)


@compiled
def whole_cost(search, plan):
    """Return the plan's cost, added up from nothing."""
    visits, link = len(search.prize), plan.link
    cost = extras(search, plan)
    for visit in range(visits):
        if link[ROUTE, visit] == NOWHERE:
            cost += search.prize[visit]
    for rep in range(len(search.fixed)):
        if plan.total[rep, COUNT] == 0:
            continue
        cost += search.fixed[rep]
        before = visits + rep
        while link[NEXT, before] != NOWHERE:
            node = link[NEXT, before]
            cost += search.leg[search.node[before, PLACE], search.node[node, PLACE]]
            if node < visits and search.has[HAS_CHANGE]:
                cost += change_cost(search, node, rep)
            before = node
    return cost
