"""What use says about library entries: how often a line is adopted when it is read, and how often it wins then.

Both rates have Beta posteriors in a hierarchy (empirical Bayes): an entry in a region is held towards the entry in all
regions, that one towards the mean of its objection type, the type towards the mean of all. How strongly is estimated
from the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.examination import Examination
from coach.use_counts import UseCount

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

WEAKEST_PRIOR, STRONGEST_PRIOR = 5.0, 500.0
"""Bounds of an estimated prior strength, in shown lines."""
USUAL_PRIOR = 30.0
"""Prior strength while the counts cannot tell."""
LEAST_COMPARISONS = 10
"""Counts that must stand beside another one of their group before a prior strength is estimated."""
TYPE_PRIOR = 30.0
"""How strongly the mean of a type is held towards the mean of all, in shown lines."""
LEVEL_PRIOR = 3.0
"""How strongly the level of a region is held towards 1, in expected adoptions."""
LEAST_IN_REGION = 20.0
"""Lines of an entry read in a region from which on the region counts by itself."""
LOWEST_FACTOR, HIGHEST_FACTOR = 0.5, 2.0
"""Bounds of what use can make of a score: words decide first."""
_FIRST_MEAN = {"adoption": 0.3, "conversion": 0.2}
_FIRST_MEAN_WEIGHT = 5.0
_LEVEL_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class BetaRates:
    """Independent Beta posteriors of one rate, with the mean of the objection type that each is compared with.

    Attributes
    ----------
    alpha, beta : array, shape (rows,)
        Positive.
    type_mean : array, shape (rows,)
        Between 0 and 1, both excluded.
    """

    alpha: Doubles
    beta: Doubles
    type_mean: Doubles

    @property
    def mean(self) -> Doubles:
        """Posterior means, shape (rows,)."""
        return self.alpha / (self.alpha + self.beta)

    def draw(self, draws: int, rng: np.random.Generator) -> Doubles:
        """Return draws from the posteriors, shape (draws, rows)."""
        return rng.beta(self.alpha, self.beta, size=(draws, len(self.alpha)))


@dataclass(frozen=True, slots=True, eq=False)
class EntryRates:
    """Adoption and conversion rates of entries, in all regions together and in each region that has enough counts.

    Regional rates are standardised: they say what the entry would do in a region where reps adopt as much as in all
    regions together, so that a region that adopts little does not make its entries look bad.

    Attributes
    ----------
    rows : mapping of (key, region or None) to int
        Where a rate stands; None is all regions together and exists for every key.
    adoption : BetaRates
        That a line is used or edited when it is read.
    conversion : BetaRates
        That the visit is won when the line was adopted.
    adoptions : float
        Adoptions behind it all, by weight.
    """

    rows: Mapping[tuple[str, str | None], int]
    adoption: BetaRates
    conversion: BetaRates
    adoptions: float

    @classmethod
    def fit(cls, counts: Sequence[UseCount], types: Mapping[str, str], examination: Examination) -> EntryRates:
        """Return the posteriors.

        Parameters
        ----------
        counts : sequence of UseCount
            Counts of keys that ``types`` does not name are left out.
        types : mapping of str to str
            Objection type of each key; keys without counts get the mean of their type.
        examination : Examination
            A line shown at a rank counts as read that often: adoptions over expected readings, the ratio form of
            inverse propensity weighting (Zhang & Jones 2007).
        """
        counts = [count for count in counts if count.key in types]
        cells = _Cells.of(counts, types)
        read = examination.at([count.rank for count in counts]) if counts else np.zeros(0)
        columns = np.array(
            [(c.shown, c.shown_squared, c.adopted, c.known, c.known_squared, c.won) for c in counts]
        ).reshape(len(counts), 6)
        shown, shown_squared, adopted, known, known_squared, won = columns.T
        adoption = _Tally(adopted, shown * read, shown_squared * read, shown_squared * read**2).grouped(
            cells.of_count, len(cells.entry)
        )
        conversion = _Tally(won, known, known_squared, known_squared).grouped(cells.of_count, len(cells.entry))
        separate = cells.with_rates_of_their_own(adoption.trials >= LEAST_IN_REGION)
        return cls(
            rows=cells.rows(separate),
            adoption=_posteriors(adoption, cells, separate, _FIRST_MEAN["adoption"]),
            conversion=_posteriors(conversion, cells, separate, _FIRST_MEAN["conversion"]),
            adoptions=float(adopted.sum()),
        )

    def factors(self) -> Doubles:
        """Return what the posterior means make of a score, shape (rows,): 1 for an entry like its type."""
        return _factors(self.adoption.mean, self.conversion.mean, self)

    def draw_factors(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return the same for rates drawn from the posteriors, shape (draws, rows)."""
        drawn = _factors(self.adoption.draw(draws, rng), self.conversion.draw(draws, rng), self)
        return drawn.astype(np.float32)


def prior_strength(successes: Doubles, trials: Doubles, noise: tuple[Doubles, Doubles], groups: Ints) -> float:
    """Return how strongly rates are held towards the mean of their group, in trials.

    Method of moments for a beta-binomial model (Kleinman 1973; the sum over groups and the noise of weighted counts
    after DerSimonian & Laird 1986): what the rates of a group differ by more than chance explains is real, and the
    more of it, the weaker the prior.

    Parameters
    ----------
    successes, trials : array, shape (n,)
    noise : two arrays, shape (n,)
        Sums of squared weights times the probability of being read, and times its square: the successes of a rate
        ``m`` scatter with the variance ``m * noise[0] - m**2 * noise[1]``.
    groups : int array, shape (n,)

    Returns
    -------
    float
        Between `WEAKEST_PRIOR` and `STRONGEST_PRIOR`; `USUAL_PRIOR` when there are too few counts to compare.
    """
    counted = trials > 0
    s, n, group = successes[counted], trials[counted], groups[counted]
    if len(n) == 0:
        return USUAL_PRIOR
    totals, won = np.bincount(group, n), np.bincount(group, s)
    mean = np.clip(won / np.maximum(totals, 1e-12), 0.0, 1.0)
    comparisons = np.maximum(np.bincount(group) - 1, 0) * ((mean > 0) & (mean < 1))
    if comparisons.sum() < LEAST_COMPARISONS:
        return USUAL_PRIOR
    m, share = mean[group], n / totals[group]
    chance = (m * noise[0][counted] - m**2 * noise[1][counted]) / n
    excess = float(np.sum(n * (s / n - m) ** 2 - chance * (1 - share)))
    # rates that scatter leave less to chance: the square of the mean stood for the mean of the squares
    room = float(np.sum(m * (1 - m) * (n - noise[1][counted] / n) * (1 - share)))
    if room < 1e-9:
        return USUAL_PRIOR
    correlation = excess / room
    if correlation <= 1 / (STRONGEST_PRIOR + 1):
        return STRONGEST_PRIOR
    return float(max(1 / correlation - 1, WEAKEST_PRIOR))


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Successes and trials of one rate, one position a cell, with the noise that `prior_strength` describes."""

    successes: Doubles
    trials: Doubles
    noise: Doubles
    squared_noise: Doubles

    def grouped(self, groups: Ints, most: int) -> _Tally:
        """Return the sums over the positions of each group."""

        def total(column: Doubles) -> Doubles:
            sums: Doubles = np.bincount(groups, column, most).astype(np.float64)
            return sums

        return _Tally(total(self.successes), total(self.trials), total(self.noise), total(self.squared_noise))

    @property
    def moments(self) -> tuple[Doubles, Doubles, tuple[Doubles, Doubles]]:
        """What `prior_strength` needs of it."""
        return self.successes, self.trials, (self.noise, self.squared_noise)

    def levelled(self, level: Doubles) -> _Tally:
        """Return the tally as if every cell lay in a region of level 1."""
        return _Tally(self.successes, self.trials * level, self.noise * level, self.squared_noise * level**2)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The cells (entry, region) that have counts, and the entries and types that they belong to."""

    keys: list[str]
    regions: list[str | None]
    of_count: Ints
    entry: Ints
    region: Ints
    type_of_entry: Ints

    @classmethod
    def of(cls, counts: Sequence[UseCount], types: Mapping[str, str]) -> _Cells:
        keys = sorted(types)
        codes = {code: number for number, code in enumerate(sorted(set(types.values())))}
        entries = {key: number for number, key in enumerate(keys)}
        regions = {region: number for number, region in enumerate(dict.fromkeys(count.region for count in counts))}
        pairs = {pair: cell for cell, pair in enumerate(dict.fromkeys((c.key, c.region) for c in counts))}
        return cls(
            keys=keys,
            regions=list(regions),
            of_count=np.array([pairs[count.key, count.region] for count in counts], dtype=np.int64),
            entry=np.array([entries[key] for key, _ in pairs], dtype=np.int64),
            region=np.array([regions[region] for _, region in pairs], dtype=np.int64),
            type_of_entry=np.array([codes[types[key]] for key in keys], dtype=np.int64),
        )

    def with_rates_of_their_own(self, enough: npt.NDArray[np.bool_]) -> Ints:
        """Return the cells that get rates of their own; hints without a region belong to none."""
        named = np.array([self.regions[region] is not None for region in self.region], dtype=np.bool_)
        return np.flatnonzero(enough & named)

    def rows(self, separate: Ints) -> dict[tuple[str, str | None], int]:
        """Return where each rate stands: all entries first, then the separate cells."""
        pooled: dict[tuple[str, str | None], int] = {(key, None): row for row, key in enumerate(self.keys)}
        for row, cell in enumerate(separate, start=len(self.keys)):
            pooled[self.keys[self.entry[cell]], self.regions[self.region[cell]]] = row
        return pooled


def _posteriors(tally: _Tally, cells: _Cells, separate: Ints, first_mean: float) -> BetaRates:
    type_of_cell, most = cells.type_of_entry[cells.entry], len(cells.type_of_entry)
    levelled, means = tally, _type_means(tally, type_of_cell, most, first_mean)
    for _ in range(_LEVEL_ROUNDS):
        levelled = tally.levelled(_levels(tally, cells, means[type_of_cell]))
        means = _type_means(levelled, type_of_cell, most, first_mean)
    mean, pooled = means[cells.type_of_entry], levelled.grouped(cells.entry, most)
    strength = np.full(most, prior_strength(*pooled.moments, cells.type_of_entry))
    alpha, beta = _updated(mean, strength, pooled.successes, pooled.trials)
    own, entry = separate, cells.entry[separate]
    regional = _regional(levelled, cells, separate, (mean[entry], strength[entry], pooled))
    enough = levelled.trials[own] >= LEAST_IN_REGION
    return BetaRates(
        alpha=np.concatenate([alpha, np.where(enough, regional[0], alpha[entry])]),
        beta=np.concatenate([beta, np.where(enough, regional[1], beta[entry])]),
        type_mean=np.concatenate([mean, mean[entry]]),
    )


def _regional(
    tally: _Tally, cells: _Cells, own: Ints, above: tuple[Doubles, Doubles, _Tally]
) -> tuple[Doubles, Doubles]:
    """Return alpha and beta of the cells ``own``, held towards the same entry in the other regions.

    A cell's own counts are taken out of what it is held towards: they must not speak twice.
    """
    mean, strength, pooled = above
    entry = cells.entry[own]
    successes, trials = pooled.successes[entry] - tally.successes[own], pooled.trials[entry] - tally.trials[own]
    others = _updated(mean, strength, successes, trials)
    known = others[0] + others[1]
    between = prior_strength(*tally.moments, cells.entry)
    return _updated(others[0] / known, np.minimum(between, known), tally.successes[own], tally.trials[own])


def _updated(mean: Doubles, strength: Doubles, successes: Doubles, trials: Doubles) -> tuple[Doubles, Doubles]:
    # a lucky line low in the list can be adopted more often than it is expected to be read
    failures = np.maximum(trials - successes, 0.0)
    return mean * strength + np.maximum(successes, 0.0), (1 - mean) * strength + failures


def _type_means(tally: _Tally, types: Ints, most: int, first_mean: float) -> Doubles:
    successes, trials = (np.bincount(types, values, most) for values in (tally.successes, tally.trials))
    overall = (successes.sum() + first_mean * _FIRST_MEAN_WEIGHT) / (trials.sum() + _FIRST_MEAN_WEIGHT)
    means: Doubles = (successes + overall * TYPE_PRIOR) / (trials + TYPE_PRIOR)
    return np.clip(means, 1e-4, 1 - 1e-4)


def _levels(tally: _Tally, cells: _Cells, expected_rate: Doubles) -> Doubles:
    """Return how much more than expected each cell's region adopts (indirect standardisation), one a cell."""
    most = len(cells.regions)
    seen = np.bincount(cells.region, tally.successes, most)
    expected = np.bincount(cells.region, tally.trials * expected_rate, most)
    levels = (seen + LEVEL_PRIOR) / (expected + LEVEL_PRIOR)
    # only differences between regions are told: together they adopt as much as they do
    overall = float(expected @ levels) / max(float(expected.sum()), 1e-12)
    return levels[cells.region] / (overall or 1.0)


def _factors(adoption: Doubles, conversion: Doubles, rates: EntryRates) -> Doubles:
    relative = adoption / rates.adoption.type_mean * (conversion / rates.conversion.type_mean)
    return np.clip(relative, LOWEST_FACTOR, HIGHEST_FACTOR)
