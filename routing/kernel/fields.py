"""The layout of the search's arrays: what each column means.

Nodes are the visits ``0 … n-1``, then the reps' starts ``n … n+R-1``, then their ends ``n+R … n+2R-1``. A route is a
doubly linked list from its start to its end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NEVER = 10**9
"""A moment that is not reached, as in :mod:`routing.day`."""
INFINITE = 1e18
"""Cost of what cannot be done."""
NOWHERE = -1
"""Route of a visit that is left out; also "no such node"."""

# Columns of ``Search.node``.
# LOAD is on board from the start, DROP handed over: they differ where another visit collects it.
PLACE, SERVICE, OPENS, CLOSES, SPAN, SPANS, LOAD, DROP, COLLECT, AFTER, LOCKED, USUAL = range(12)
NODE_COLUMNS = 12
# Columns of ``Search.rep``.
SHIFT_END, LIMIT, OVERTIME, BREAKS, MAX_VISITS, CAPACITY, MAX_TRAVEL, MAX_DISTANCE, KIND = range(9)
REP_COLUMNS = 9
# Rows of the links.
NEXT, BEFORE, ROUTE = range(3)
# Columns of the route totals.
COUNT, CARRIED, TRAVEL, DISTANCE, LATE, AMOUNT = range(6)
TOTALS = 6
# Entries of ``Search.price``.
# MANDATORY_FROM is no price of its own: a prize from there on belongs to a mandatory visit.
OVERTIME_PRICE, CHANGE_PRICE, FAIRNESS_PRICE, MANDATORY_FROM = range(4)
PRICES = 4
# Entries of ``Search.has``: what the problem asks for beyond windows and plain loads.
HAS_OPTIONAL, HAS_LIMITS, HAS_CHANGE, HAS_FAIRNESS, HAS_ORDER, HAS_COLLECT, HAS_OVERTIME, WAY_COUNTS, IS_RICH = range(9)
HAS_COLUMNS = 9


class Search(NamedTuple):
    """What the search knows and never changes.

    Attributes
    ----------
    travel : int32 array of shape (places, places)
        Seconds.
    leg : float64 array of shape (places, places)
        Cost of the way.
    distance : int32 array of shape (places, places)
        Metres; of shape (1, 1) when no rep has a limit.
    node, rep : int32 arrays of shape (nodes, NODE_COLUMNS) and (reps, REP_COLUMNS)
    pause : int32 array of shape (reps, most breaks, 3)
        Earliest, latest, duration.
    begin : int32 array of shape (reps, most breaks + 1)
        Earliest moment to set out, by breaks taken before the round.
    span : int32 array of shape (spans, 2)
        Start spans of all visits, one after another.
    prize : float64 array of shape (n,)
        What leaving the visit out costs.
    weight : int32 array of shape (n,)
        What the visit adds to the fairness measure (the way aside).
    fixed : float64 array of shape (reps,)
    able : uint8 array of shape (n, reps)
        Whether the rep could make the visit with nothing else to do.
    near : int32 array of shape (n, many)
        Other visits by distance.
    pred, succ : int32 arrays of shape (n, few)
        Visits after which, and before which, the visit is tried.
    pred_leg, succ_leg : float64 arrays of shape (n, few)
        The cost of the way from, and to, each of them.
    kinds : int32 array of shape (kinds, 2)
        First and last + 1 of reps who are alike, in ``member``.
    member : int32 array of shape (reps,)
    dependants : int32 arrays (n + 1,) and (m,)
        Visits that come after a visit (compressed rows).
    price, has : arrays of prices and of switches, see above.
    possible : int32 array
        Visits that somebody could make.
    """

    travel: NDArray[np.int32]
    leg: NDArray[np.float64]
    distance: NDArray[np.int32]
    node: NDArray[np.int32]
    rep: NDArray[np.int32]
    pause: NDArray[np.int32]
    begin: NDArray[np.int32]
    span: NDArray[np.int32]
    prize: NDArray[np.float64]
    weight: NDArray[np.int32]
    fixed: NDArray[np.float64]
    able: NDArray[np.uint8]
    near: NDArray[np.int32]
    pred: NDArray[np.int32]
    succ: NDArray[np.int32]
    pred_leg: NDArray[np.float64]
    succ_leg: NDArray[np.float64]
    kinds: NDArray[np.int32]
    member: NDArray[np.int32]
    dependant_row: NDArray[np.int32]
    dependant: NDArray[np.int32]
    price: NDArray[np.float64]
    has: NDArray[np.uint8]
    possible: NDArray[np.int32]


class Plan(NamedTuple):
    """Routes as the search changes them.

    Attributes
    ----------
    link : int32 array of shape (3, nodes)
        Next, before, route.
    early : int32 array of shape (nodes, most breaks + 1)
        Earliest moment to leave the node, by breaks taken.
    late : int32 array of shape (nodes, most breaks + 1)
        Latest moment to arrive at the node so that the rest can be kept, by breaks taken on arrival.
    total : int32 array of shape (reps, TOTALS)
    gap : float64 array of shape (nodes,)
        Cost of the way from the node to the next.
    """

    link: NDArray[np.int32]
    early: NDArray[np.int32]
    late: NDArray[np.int32]
    total: NDArray[np.int32]
    gap: NDArray[np.float64]
