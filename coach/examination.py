"""How likely a rep reads the line at each place of a hint: what position bias is corrected by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.use_counts import UseCount
from common.errors import InvalidInput

Doubles = npt.NDArray[np.float64]

PRIOR_READINGS = 100.0
"""How many readings of each place the starting point weighs in an estimate."""
LEAST_ADOPTIONS = 200
"""Below this many adoptions nothing is estimated: the starting point stands."""
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Examination:
    """Probability that a rep reads the line at a rank, given that the hint was shown.

    The position-based model (Craswell et al. 2008): a line is adopted when it is read and, independently, fits.

    Attributes
    ----------
    shares : tuple of float
        For rank 1, 2, …, each more than 0 and at most 1; lower ranks are read as often as the last one given.

    Raises
    ------
    InvalidInput
        When there is no share, or one is out of range.
    """

    shares: tuple[float, ...] = (1.0, 0.8, 0.65, 0.55, 0.5)

    def __post_init__(self) -> None:
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            raise InvalidInput.at(
                "/examination", "must be shares more than 0 and at most 1", "须为大于 0、不超过 1 的比例"
            )

    def at(self, ranks: npt.ArrayLike) -> Doubles:
        """Return the shares for ranks counted from 1, in the shape of ``ranks``."""
        places = np.asarray(ranks, dtype=np.int64)
        shares: Doubles = np.array(self.shares)[np.clip(places, 1, len(self.shares)) - 1]
        return shares


def estimate_examination(counts: Sequence[UseCount], start: Examination) -> Examination:
    """Return the examination under which the counts are most likely, held back towards ``start``.

    Expectation–maximisation for the position-based model (Chuklin, Markov & de Rijke 2015, chapter 4). Only entries
    that were shown at different ranks say anything, so it needs a ranking that varies, such as one that explores. An
    entry at rank 1 fits the question better than the same entry at rank 3, which the model does not know: with little
    exploration the lower shares come out too small.

    Parameters
    ----------
    counts : sequence of UseCount
    start : Examination
        Returned as it is when the counts hold fewer than `LEAST_ADOPTIONS` adoptions.
    """
    most = len(start.shares)
    keys = {key: row for row, key in enumerate(sorted({count.key for count in counts}))}
    shown, adopted = np.zeros((2, len(keys), most))
    for count in counts:
        at = keys[count.key], min(count.rank, most) - 1
        shown[at] += count.shown
        adopted[at] += min(count.adopted, count.shown)
    if adopted.sum() < LEAST_ADOPTIONS:
        return start
    prior = np.array(start.shares)
    read = prior.copy()
    fits = np.clip(adopted.sum(axis=1) / np.maximum(shown.sum(axis=1), 1e-9), 1e-3, 1 - 1e-3)
    for _ in range(_ROUNDS):
        missed = (shown - adopted) / np.maximum(1 - fits[:, None] * read, 1e-9)
        read_again = adopted + missed * read * (1 - fits[:, None])
        fits_again = adopted + missed * fits[:, None] * (1 - read)
        read = (read_again.sum(axis=0) + PRIOR_READINGS * prior) / (shown.sum(axis=0) + PRIOR_READINGS)
        fits = np.clip(fits_again.sum(axis=1) / np.maximum(shown.sum(axis=1), 1e-9), 1e-6, 1 - 1e-6)
    # only ratios between ranks can be told: the first place is read always, by convention
    return Examination(tuple(float(share) for share in np.clip(read / read[0] * prior[0], 0.02, 1.0)))
