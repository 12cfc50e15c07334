"""All rounds of one rep that may belong to a best plan, by dynamic programming over sets of visits (numba).

A *label* stands for one order of some visits, with some breaks taken: its cost so far and when the rep is ready again.
A label is dropped when another with the same visits, the same last stop and as many breaks is nowhere worse; being
ready earlier is never worse (:mod:`routing.day`), so nothing that could be best is lost. Sets are bit masks and are
worked through in rising order: every order of a set is complete before it is continued.

Source: label setting for the elementary shortest path problem with resource constraints (Feillet, Dejax, Gendreau and
Gueguen 2004), without completion bounds, because all sets are wanted.
"""

from __future__ import annotations

import numpy as np
from numba import njit

import routing.kernel  # noqa: F401  (chooses the folder of compiled code)
from routing.proof.layout import (
    ABLE,
    BEFORE,
    CAPACITY,
    COUNTS_WAY,
    DISTANCE,
    FIXED,
    FOLLOWING,
    FROM_START,
    LAST,
    LATEST_END,
    MAX_DISTANCE,
    MAX_TRAVEL,
    MAX_VISITS,
    NET,
    NEVER,
    NOBODY,
    OVERTIME,
    PARENT,
    PEAK,
    READY,
    SERVICE,
    SHIFT_END,
    SLOPE,
    SPAN,
    SPANS,
    STOPS,
    TAKEN,
    TRAVEL,
    WITH,
    Labels,
    RoundsOfRep,
)

MOST_ALIKE = 300
"""Labels of one state, and rounds of one set. More only come about where unfairness costs more than the way, so that a
longer way may be better; such days are given up, because each label is held against all of these."""


@njit(cache=True, nogil=True)
def drive(pause, ready, travel, had, taken):  # type: ignore[no-untyped-def]
    """Return the earliest arrival with breaks ``had … taken-1`` on the way, or NEVER (``routing.day.drive``)."""
    paused_until = ready
    time_off = 0
    for index in range(had, taken):
        start = max(paused_until, pause[index, 0])
        if start > pause[index, 1]:
            return NEVER
        paused_until = start + pause[index, 2]
        time_off += pause[index, 2]
    return max(paused_until, ready + travel + time_off)


@njit(cache=True, nogil=True)
def first_start(person, visit, arrival):  # type: ignore[no-untyped-def]
    """Return the first moment from ``arrival`` on at which the visit may start, or NEVER."""
    first = person.visit[visit, SPAN]
    for index in range(first, first + person.visit[visit, SPANS]):
        if arrival <= person.span[index, 1]:
            return max(arrival, person.span[index, 0])
    return NEVER


@njit(cache=True, nogil=True)
def count_bits(mask):  # type: ignore[no-untyped-def]
    """Return how many visits are in a set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def sum_over(values, mask):  # type: ignore[no-untyped-def]
    """Return the sum of ``values`` over a set."""
    total = values[0] * 0
    for index in range(len(values)):
        if mask >> index & 1:
            total += values[index]
    return total


@njit(cache=True, nogil=True)
def _beats(person, labels, one, other):  # type: ignore[no-untyped-def]
    """Return whether label ``one`` is nowhere worse than label ``other`` of the same state."""
    mine, yours, limit = labels.whole[one], labels.whole[other], person.limit
    if mine[READY] > yours[READY] or mine[PEAK] > yours[PEAK]:
        return False
    if limit[MAX_TRAVEL] < NEVER and mine[TRAVEL] > yours[TRAVEL]:
        return False
    if limit[MAX_DISTANCE] < NEVER and mine[DISTANCE] > yours[DISTANCE]:
        return False
    apart = person.price[SLOPE] * abs(mine[TRAVEL] - yours[TRAVEL])
    return labels.cost[one] + apart <= labels.cost[other]


@njit(cache=True, nogil=True)
def _keep_newest(person, labels):  # type: ignore[no-untyped-def]
    """Count the label behind the last one in unless another beats it, and take out what it beats; False: too many."""
    whole, new = labels.whole, labels.used[0]
    visits, breaks = len(person.visit), len(person.begin)
    state = (whole[new, STOPS] * (visits + 1) + whole[new, LAST]) * breaks + whole[new, TAKEN]
    one, previous, alike = labels.head[state], NOBODY, 0
    while one != NOBODY:
        following = whole[one, FOLLOWING]
        if _beats(person, labels, one, new):
            return True
        if _beats(person, labels, new, one):
            if previous == NOBODY:
                labels.head[state] = following
            else:
                whole[previous, FOLLOWING] = following
        else:
            previous = one
            alike += 1
        one = following
    labels.used[0] += 1
    whole[new, FOLLOWING] = labels.head[state]
    labels.head[state] = new
    return alike < MOST_ALIKE


@njit(cache=True, nogil=True)
def _continue(person, labels, one, visit):  # type: ignore[no-untyped-def]
    """Continue label ``one`` with a visit, in every way that holds; False: too many labels."""
    whole, limit = labels.whole, person.limit
    last, had = whole[one, LAST], whole[one, TAKEN]
    stops = whole[one, STOPS] | 1 << visit
    travel = whole[one, TRAVEL] + person.way[last, visit]
    distance = whole[one, DISTANCE] + person.metres[last, visit]
    if travel > limit[MAX_TRAVEL] or distance > limit[MAX_DISTANCE]:
        return True
    peak = whole[one, PEAK]
    if limit[CAPACITY] < NEVER:
        peak = max(peak, sum_over(person.visit[:, NET], stops))
        if peak + sum_over(person.visit[:, FROM_START], stops) > limit[CAPACITY]:
            return True
    for taken in range(had, len(person.begin)):
        arrival = drive(person.pause, whole[one, READY], person.way[last, visit], had, taken)
        ready = first_start(person, visit, arrival) + person.visit[visit, SERVICE]
        if ready > limit[LATEST_END]:
            break
        new = labels.used[0]
        if new == len(whole):
            return False
        whole[new, STOPS], whole[new, LAST], whole[new, TAKEN], whole[new, READY] = stops, visit, taken, ready
        whole[new, TRAVEL], whole[new, DISTANCE], whole[new, PEAK], whole[new, PARENT] = travel, distance, peak, one
        labels.cost[new] = labels.cost[one] + person.leg[last, visit]
        if not _keep_newest(person, labels):
            return False
    return True


@njit(cache=True, nogil=True)
def _earliest_end(person, ready, travel, had):  # type: ignore[no-untyped-def]
    """Return the earliest end of a round that is ready for the way home, NEVER when it cannot be in time."""
    breaks = len(person.begin)
    best = NEVER
    for taken in range(had, breaks):
        end = drive(person.pause, ready, travel, had, taken)
        if end <= person.limit[LATEST_END] and drive(person.pause, end, 0, taken, breaks - 1) < NEVER:
            best = min(best, end)
    return best


@njit(cache=True, nogil=True)
def _finish(person, labels, one):  # type: ignore[no-untyped-def]
    """Let label ``one`` end its round, if that holds; False: too many rounds."""
    old, limit, home = labels.whole[one], person.limit, len(person.visit) + 1
    stops, last = old[STOPS], old[LAST]
    travel = old[TRAVEL] + person.way[last, home]
    end = _earliest_end(person, old[READY], person.way[last, home], old[TAKEN])
    if end >= NEVER or travel > limit[MAX_TRAVEL] or old[DISTANCE] + person.metres[last, home] > limit[MAX_DISTANCE]:
        return True
    cost = labels.cost[one] + person.leg[last, home] + person.price[OVERTIME] * max(0, end - limit[SHIFT_END])
    amount = sum_over(person.amount, stops) + travel * limit[COUNTS_WAY]
    found, previous, alike = labels.round_head[stops], NOBODY, 0
    while found != NOBODY:
        following = labels.round_link[found, 1]
        apart = person.price[SLOPE] * abs(labels.round_amount[found] - amount)
        if labels.round_cost[found] + apart <= cost:
            return True
        if cost + apart <= labels.round_cost[found]:
            if previous == NOBODY:
                labels.round_head[stops] = following
            else:
                labels.round_link[previous, 1] = following
        else:
            previous = found
            alike += 1
        found = following
    new = labels.used[1]
    if new == len(labels.round_cost):
        return False
    labels.used[1] += 1
    labels.round_cost[new], labels.round_amount[new] = cost, amount
    labels.round_link[new, 0], labels.round_link[new, 1] = one, labels.round_head[stops]
    labels.round_head[stops] = new
    return alike < MOST_ALIKE


@njit(cache=True, nogil=True)
def _may_end(person, stops):  # type: ignore[no-untyped-def]
    """Return whether a round of exactly these visits is whole."""
    if count_bits(stops) < len(person.first):
        return False
    whole = True
    for visit in range(len(person.visit)):
        whole &= not (stops >> visit & 1 and person.visit[visit, WITH] & ~stops)
    return whole


@njit(cache=True, nogil=True)
def begin(person, labels):  # type: ignore[no-untyped-def]
    """Add the labels of a rep who has not set out yet, and the day at home where nothing is locked."""
    start = len(person.visit)
    if len(person.first) == 0:
        labels.used[1] = 1
        labels.round_cost[0], labels.round_amount[0] = 0.0, 0.0
        labels.round_link[0, 0], labels.round_link[0, 1] = NOBODY, NOBODY
        labels.round_head[0] = 0
    for taken in range(len(person.begin)):
        if person.begin[taken] < NEVER:
            new = labels.used[0]
            labels.whole[new] = 0
            labels.whole[new, LAST], labels.whole[new, TAKEN] = start, taken
            labels.whole[new, READY], labels.whole[new, PARENT] = person.begin[taken], NOBODY
            labels.cost[new] = person.price[FIXED]
            _keep_newest(person, labels)


@njit(cache=True, nogil=True)
def extend(person, labels, first_set, last_set):  # type: ignore[no-untyped-def]
    """Finish and continue all labels of the sets ``first_set … last_set-1``; False: there are too many."""
    visits, breaks = len(person.visit), len(person.begin)
    for stops in range(first_set, last_set):
        count, whole = count_bits(stops), _may_end(person, stops)
        for last in range(visits + 1):
            for taken in range(breaks):
                one = labels.head[(stops * (visits + 1) + last) * breaks + taken]
                while one != NOBODY:
                    if stops and whole and not _finish(person, labels, one):
                        return False
                    for visit in range(visits):
                        facts = person.visit[visit]
                        if stops >> visit & 1 or not facts[ABLE] or facts[BEFORE] & ~stops:
                            continue
                        if count >= person.limit[MAX_VISITS]:
                            continue
                        if count < len(person.first) and person.first[count] != visit:
                            continue
                        if not _continue(person, labels, one, visit):
                            return False
                    one = labels.whole[one, FOLLOWING]
    return True


def sort_rounds(labels: Labels) -> RoundsOfRep:
    """Return the finished rounds sorted by set."""
    first, order = _sorted(labels)
    used = labels.whole[: labels.used[0]]
    return RoundsOfRep(
        first,
        labels.round_cost[order],
        labels.round_amount[order],
        labels.round_link[order, 0],
        used[:, LAST].astype(np.int8),
        used[:, PARENT].astype(np.int32),
    )


@njit(cache=True, nogil=True)
def _sorted(labels):  # type: ignore[no-untyped-def]
    """Return where each set's rounds begin, and the rounds that are still in the lists, sorted by set."""
    sets = len(labels.round_head)
    first, order = np.empty(sets + 1, dtype=np.int64), np.empty(labels.used[1], dtype=np.int64)
    count = 0
    for stops in range(sets):
        first[stops] = count
        one = labels.round_head[stops]
        while one != NOBODY:
            order[count] = one
            count += 1
            one = labels.round_link[one, 1]
    first[sets] = count
    return first, order[:count]
