"""Random numbers of the compiled search: xorshift64* (Vigna 2016), one 64-bit word of state."""

from __future__ import annotations

import numpy as np
from numba import uint64

from routing.kernel.compiling import inlined

_SHIFT_A, _SHIFT_B, _SHIFT_C = np.uint64(12), np.uint64(25), np.uint64(27)
_FACTOR = np.uint64(2685821657736338717)
_TO_FLOAT = np.uint64(11)


@inlined
def draw(dice):
    """Return 64 random bits and move the state in ``dice[0]`` on."""
    word = dice[0]
    word ^= word >> _SHIFT_A
    word ^= word << _SHIFT_B
    word ^= word >> _SHIFT_C
    dice[0] = word
    return uint64(word * _FACTOR)


@inlined
def share(dice):
    """Return a random number from 0 to 1, without 1."""
    return np.float64(draw(dice) >> _TO_FLOAT) * (1.0 / 9007199254740992.0)


@inlined
def below(dice, count):
    """Return a whole random number from 0 to ``count - 1``."""
    return np.int64(share(dice) * count)
