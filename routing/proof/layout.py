"""The arrays of :mod:`routing.proof.labels`: what is known of a rep, and what each column of a label means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NEVER = 10**9
"""A moment that is not reached, as in :mod:`routing.day`."""
NOBODY = -1
"""No label."""

# Columns of ``Labels.whole``.
STOPS, LAST, TAKEN, READY, TRAVEL, DISTANCE, PEAK, PARENT, FOLLOWING = range(9)
LABEL_COLUMNS = 9
# Entries of ``Person.limit``.
LATEST_END, SHIFT_END, MAX_VISITS, CAPACITY, MAX_TRAVEL, MAX_DISTANCE, COUNTS_WAY = range(7)
PERSON_LIMITS = 7
# Entries of ``Person.price``.
FIXED, OVERTIME, SLOPE = range(3)
PERSON_PRICES = 3
# Columns of ``Person.visit``.
ABLE, SERVICE, FROM_START, NET, BEFORE, WITH, SPAN, SPANS = range(8)
VISIT_COLUMNS = 8


class Person(NamedTuple):
    """One rep and the visits, as arrays.

    Attributes
    ----------
    way, metres : int64 arrays of shape (n + 1, n + 2)
        Seconds and metres; row n is the rep's start, column n + 1 the end (0 where the round ends at the last visit).
    leg : float64 array of shape (n + 1, n + 2)
        Cost of the way, and of the change of rep where the visit has another usual one.
    visit : int64 array of shape (n, VISIT_COLUMNS)
        Whether the rep may make it; service; packs that are on board from the start; change of the load; mask of what
        must be done before; mask of what must be in the same round; first span and number of spans.
    span : int64 array of shape (spans, 2)
    amount : float64 array of shape (n,)
        What each visit adds to the fairness measure, the way aside.
    pause : int64 array of shape (breaks, 3)
        Earliest, latest, duration.
    begin : int64 array of shape (breaks + 1,)
        Earliest moment to set out, by breaks taken before.
    first : int64 array
        Visits with which the round begins.
    limit, price : arrays, see above
        ``SLOPE``: most that a unit more or less of the fairness measure can change the cost.
    """

    way: NDArray[np.int64]
    metres: NDArray[np.int64]
    leg: NDArray[np.float64]
    visit: NDArray[np.int64]
    span: NDArray[np.int64]
    amount: NDArray[np.float64]
    pause: NDArray[np.int64]
    begin: NDArray[np.int64]
    first: NDArray[np.int64]
    limit: NDArray[np.int64]
    price: NDArray[np.float64]


class Labels(NamedTuple):
    """Labels and finished rounds, as linked lists by state and by set.

    Attributes
    ----------
    whole : int64 array of shape (most labels, LABEL_COLUMNS)
    cost : float64 array of shape (most labels,)
    head : int32 array of shape (2^n × (n + 1) × (breaks + 1),)
        First label of a state.
    round_cost, round_amount : float64 arrays of shape (most rounds,)
    round_link : int64 array of shape (most rounds, 2)
        Last label of the round, and the next round with the same visits.
    round_head : int64 array of shape (2^n,)
    used : int64 array of shape (2,)
        Labels and rounds so far.
    """

    whole: NDArray[np.int64]
    cost: NDArray[np.float64]
    head: NDArray[np.int32]
    round_cost: NDArray[np.float64]
    round_amount: NDArray[np.float64]
    round_link: NDArray[np.int64]
    round_head: NDArray[np.int64]
    used: NDArray[np.int64]


class RoundsOfRep(NamedTuple):
    """What is kept of one rep's labels.

    Attributes
    ----------
    first : int64 array of shape (2^n + 1,)
        Where the rounds of a set begin.
    cost, amount : float64 arrays of shape (rounds,)
    label : int64 array of shape (rounds,)
        Last label of the round, -1 for a day at home.
    stop, parent : int8 and int32 arrays of shape (labels,)
        Last stop of a label (n: the start) and the label before it.
    """

    first: NDArray[np.int64]
    cost: NDArray[np.float64]
    amount: NDArray[np.float64]
    label: NDArray[np.int64]
    stop: NDArray[np.int8]
    parent: NDArray[np.int32]


def no_labels(visits: int, breaks: int, most_labels: int) -> Labels:
    """Return empty lists with room for ``most_labels``; the system gives memory only for those that are used."""
    rounds = most_labels // 4 + 2**visits
    return Labels(
        np.empty((most_labels, LABEL_COLUMNS), dtype=np.int64),
        np.empty(most_labels),
        np.full(2**visits * (visits + 1) * (breaks + 1), NOBODY, dtype=np.int32),
        np.empty(rounds),
        np.empty(rounds),
        np.empty((rounds, 2), dtype=np.int64),
        np.full(2**visits, NOBODY, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )
