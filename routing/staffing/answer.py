"""The answer to a staffing problem: moves with reasons and effects, what stays undone, which rule is in the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.errors import Text


@dataclass(frozen=True, slots=True)
class Effect:
    """Hours undone before and after a move, made after those listed before it: the effects add up to the plan's."""

    there_before_h: float
    there_after_h: float
    home_before_h: float
    home_after_h: float


@dataclass(frozen=True, slots=True)
class Move:
    """One person lent for one day.

    Attributes
    ----------
    hours_covered : float
        Work done there that nobody would have done otherwise.
    travel_min : float
        One way.
    day : str
        Name of the day.
    skill : str
        Of the work that it helps most; empty for work that anybody can do.
    begins : bool
        False where it goes on with the move of the working day before.
    cover_id : str or None
        The colleague at home who covers the customers as temporary support; None where nobody is left.
    price_h : float
        What it costs: ways, fairness, and the price of a move where it begins one.
    """

    person_id: str
    from_region: str
    to_region: str
    hours_covered: float
    travel_min: float
    reason: Text
    day: str = ""
    skill: str = ""
    begins: bool = True
    cover_id: str | None = None
    price_h: float = 0.0
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Work in a region that stays undone on a day, with the reasons why nobody (more) comes."""

    region_id: str
    skill: str
    hours: float
    reasons: tuple[Text, ...]
    day: str = ""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A rule that keeps one person from helping, and what giving way once would bring; found by trying it.

    Attributes
    ----------
    rule : str
        ``minimum_staff``, ``refused``, ``no_moves_left``, ``no_days_left``, ``too_far``, ``day_off`` or ``price``.
    hours : float
        So much less would stay undone in both regions together.
    """

    rule: str
    region_id: str
    day: str
    person_id: str
    hours: float
    text: Text


@dataclass(frozen=True, slots=True)
class RequiredGap:
    """Required work that the rules do not let be done.

    Attributes
    ----------
    people : tuple of (str, tuple of str)
        The fewest people who would do it, and the rules that each of them breaks; empty when nobody could.
    """

    region_id: str
    day: str
    hours: float
    people: tuple[tuple[str, tuple[str, ...]], ...]
    text: Text


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the plan is.

    Attributes
    ----------
    cost_h, bound_h : float, float or None
        Undone hours and prices where moves were considered, and what no plan over the considered ways can beat.
    gap_percent : float or None
        How much better a plan over the considered ways may at most be.
    proven : bool
        Whether it is known to be the best.
    """

    cost_h: float
    bound_h: float | None
    gap_percent: float | None
    proven: bool


@dataclass(frozen=True, slots=True)
class Reallocation:
    """Who goes where.

    Attributes
    ----------
    unserved_before_h, unserved_after_h : dict of str to float
        Hours of work left undone by region over all days, without and with the moves.
    before_by_day_h, after_by_day_h : dict of str to (dict of str to float)
        The same by day and region.
    relaxations : tuple of Relaxation
        Which rule would have to give way for more to be done, the most helpful first.
    required_gaps : tuple of RequiredGap
        Required work that cannot be done; when there is any, the plan does not do what was asked.
    understaffed : tuple of Text
        Regions that have fewer people at work on a day than their minimum, even with nobody lent.
    """

    moves: tuple[Move, ...]
    unserved_before_h: dict[str, float]
    unserved_after_h: dict[str, float]
    shortfalls: tuple[Shortfall, ...]
    before_by_day_h: dict[str, dict[str, float]] = field(default_factory=dict)
    after_by_day_h: dict[str, dict[str, float]] = field(default_factory=dict)
    relaxations: tuple[Relaxation, ...] = ()
    required_gaps: tuple[RequiredGap, ...] = ()
    understaffed: tuple[Text, ...] = ()
    quality: Quality | None = None

    @property
    def feasible(self) -> bool:
        """Whether all required work is done."""
        return not self.required_gaps
