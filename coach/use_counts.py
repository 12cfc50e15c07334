"""What became of library entries that hints showed, counted by entry, region and rank."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UseCount:
    """How often an entry was shown at one rank in one region, and what came of it.

    Each event counts by its weight, which falls with its age; all sums are sums of weights.

    Attributes
    ----------
    key : str
        The entry; its versions in all languages count together.
    region : str or None
    rank : int
        From 1.
    shown : float
        Suggestions shown.
    adopted : float
        Those that were used, as they stood or edited.
    known : float
        Those adopted whose visit's outcome is known.
    won : float
        Those adopted whose visit was won.
    shown_squared, known_squared : float
        The same sums over squared weights: how much of the spread is chance.
    """

    key: str
    region: str | None
    rank: int
    shown: float
    adopted: float
    known: float
    won: float
    shown_squared: float
    known_squared: float


def weight_at(age_days: float, half_life_days: float) -> float:
    """Return what an event of that age counts: 1 today, a half after the half-life."""
    weight: float = 0.5 ** (max(age_days, 0.0) / half_life_days)
    return weight
