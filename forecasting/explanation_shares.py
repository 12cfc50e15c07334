"""Sharing a change out among its causes: Shapley values, exact for few causes, sampled for many.

The change of a forecast between two sets of inputs is a game whose players are groups of inputs and whose coalitions
have taken their new values while all others keep the old ones. A player's share is its mean gain over all orders in
which the players can arrive (Shapley 1953; as explanations of models Lundberg & Lee 2017). The shares add up to the
change; a player that never changes anything gets exactly nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput

Coalitions = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SharingPlan:
    """How shares are computed.

    Attributes
    ----------
    most_exact : int
        Up to this many players every coalition is evaluated (2 to their number), 1 … 16; beyond, orders are sampled.
    orders : int
        Orders sampled, each together with its reverse, at least 4.
    seed : int
        Of the sample: the same question gets the same answer.
    """

    most_exact: int = 11
    orders: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.most_exact <= 16:
            raise InvalidInput.at("/most_exact", "most_exact must lie in 1 to 16", "most_exact 必须在 1 到 16 之间")
        if self.orders < 4:
            raise InvalidInput.at("/orders", "orders must be at least 4", "orders 至少为 4")


@dataclass(frozen=True, slots=True)
class Shares:
    """Each player's part of the change.

    Attributes
    ----------
    gain : float array, shape (players,)
        Adds up to the difference between all players and none.
    error : float array, shape (players,)
        Standard error of the sample; 0 where every coalition was evaluated.
    """

    gain: NDArray[np.float64]
    error: NDArray[np.float64]


class Game:
    """Which coalitions have to be evaluated, and what their values say of the players.

    Parameters
    ----------
    players : int
        How many there are.
    plan : SharingPlan
        Exact or sampled.
    """

    def __init__(self, players: int, plan: SharingPlan) -> None:
        self.players = players
        self.exact = players <= plan.most_exact
        if self.exact:
            self._masks = np.arange(2**players, dtype=np.int64)
            return
        rng = np.random.default_rng((plan.seed, players))
        forth = np.argsort(rng.random((-(-plan.orders // 2), players)), axis=1)
        self._orders = np.stack([forth, forth[:, ::-1]], axis=1)
        steps = np.cumsum(np.left_shift(np.int64(1), self._orders), axis=2)
        self._paths = np.concatenate([np.zeros((*steps.shape[:2], 1), dtype=np.int64), steps], axis=2)
        self._masks = np.unique(self._paths)

    def coalitions(self) -> Coalitions:
        """Return the coalitions to evaluate, shape (coalitions, players): who has the new values. All are last."""
        members: Coalitions = (self._masks[:, None] >> np.arange(self.players)) & 1 == 1
        return members

    def shares(self, values: NDArray[np.float64]) -> Shares:
        """Return the shares, given the value of each coalition in the order of :meth:`coalitions`."""
        return self._exactly(values) if self.exact else self._sampled(values)

    def _exactly(self, values: NDArray[np.float64]) -> Shares:
        players, size = self.players, self.coalitions().sum(axis=1)
        weight = np.array([factorial(k) * factorial(players - 1 - k) / factorial(players) for k in range(players)])
        gain = np.zeros(players)
        for player in range(players):
            without = self._masks[(self._masks >> player) & 1 == 0]
            steps = values[without | (1 << player)] - values[without]
            gain[player] = weight[size[without]] @ steps
        return Shares(gain, np.zeros(players))

    def _sampled(self, values: NDArray[np.float64]) -> Shares:
        along = values[np.searchsorted(self._masks, self._paths)]
        steps = np.zeros(self._orders.shape)
        np.put_along_axis(steps, self._orders, np.diff(along, axis=2), axis=2)
        # An order and its reverse are one draw: their errors cancel in part, so only their mean is independent.
        pairs = steps.mean(axis=1)
        return Shares(pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)))
