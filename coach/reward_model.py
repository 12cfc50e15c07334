"""What a line is expected to earn, by a model that has not seen the hint in question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from coach.evidence import EntryRates
from coach.examination import Examination
from coach.logged_hints import Doubles, Ints, LoggedHint, LoggedHints, Reward
from coach.use_counts import UseCount

FOLDS = 5


class RewardModel:
    """Expected rewards of an entry at a place: read with the probability of the place, adopted and won by the rates.

    Each hint asks the model that was fitted without the hints of its own fold (cross-fitting, Chernozhukov et al.
    2018): a model that knew the answer would make the estimate too good and its interval too narrow.

    Parameters
    ----------
    by_fold : array, shape (folds, keys)
        Expected reward of each entry when it is read.
    fold_of : int array, shape (hints,)
    read : array, shape (places,)
    """

    def __init__(self, by_fold: Doubles, fold_of: Ints, read: Doubles) -> None:
        self._by_fold = by_fold
        self._fold_of = fold_of
        self._read = read

    def expected(self, keys: Ints) -> Doubles:
        """Return the expected rewards of the entries at their places, shape (hints, places); 0 where nothing stands."""
        rates = self._by_fold[self._fold_of[:, None], keys]
        expected: Doubles = np.where(keys >= 0, rates * self._read, 0.0)
        return expected


def cross_fitted_rewards(
    hints: Sequence[LoggedHint],
    log: LoggedHints,
    types: Mapping[str, str],
    *,
    examination: Examination,
    reward: Reward,
) -> RewardModel:
    """Return the model, fitted to the hints in five folds; clusters are never split between folds."""
    fold_of = log.clusters % FOLDS
    types = {key: types.get(key, "") for key in log.keys}
    by_fold = np.zeros((FOLDS, len(log.keys)))
    for fold in range(FOLDS):
        rest = [hint for hint, own in zip(hints, fold_of, strict=True) if own != fold]
        rates = EntryRates.fit(_counted(rest), types, examination)
        rows = [rates.rows[key, None] for key in log.keys]
        by_fold[fold] = rates.adoption.mean[rows]
        if reward == "conversion":
            by_fold[fold] *= rates.conversion.mean[rows]
    return RewardModel(by_fold, fold_of, examination.at(np.arange(1, log.shown.shape[1] + 1)))


def _counted(hints: Sequence[LoggedHint]) -> list[UseCount]:
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for hint in hints:
        for rank, line in enumerate(hint.lines, start=1):
            count = sums[line.key, rank]
            count[0] += 1
            count[1] += line.adopted
            count[2] += line.adopted and line.won is not None
            count[3] += line.adopted and line.won is True
    return [
        UseCount(key, None, rank, shown, adopted, known, won, shown_squared=shown, known_squared=known)
        for (key, rank), (shown, adopted, known, won) in sums.items()
    ]
