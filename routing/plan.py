"""A day plan: each rep's stops with their times, the breaks taken, and the visits left out with reasons."""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import Text


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit on a route.

    Attributes
    ----------
    arrival_s, start_s, departure_s : int
        Arrival, begin and end of the service, in seconds since midnight.
    wait_s : int
        Idle time between arrival and start; a break taken on arrival is not counted.
    travel_s, distance_m : int
        The way here from the stop before (or from the rep's start).
    """

    visit_id: str
    arrival_s: int
    start_s: int
    departure_s: int
    wait_s: int
    travel_s: int
    distance_m: int


@dataclass(frozen=True, slots=True)
class BreakTaken:
    """A break as planned.

    Attributes
    ----------
    leg : int
        After how many stops it is taken: 0 on the way to the first stop, ``len(stops)`` on the way home or afterwards.
    travelled_s : int
        How much of that leg's travel lies before the break: 0 means before setting out, all of it means on arrival.
    """

    start_s: int
    end_s: int
    leg: int
    travelled_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """One rep's round. ``return_travel_s`` and ``return_distance_m`` are 0 when it ends at the last visit."""

    rep_id: str
    departure_s: int
    stops: tuple[Stop, ...]
    breaks: tuple[BreakTaken, ...]
    return_travel_s: int
    return_distance_m: int
    end_s: int
    overtime_s: int = 0

    @property
    def travel_s(self) -> int:
        """Seconds on the way, the way home included."""
        return sum(stop.travel_s for stop in self.stops) + self.return_travel_s

    @property
    def distance_m(self) -> int:
        """Metres travelled, the way home included."""
        return sum(stop.distance_m for stop in self.stops) + self.return_distance_m

    @property
    def service_s(self) -> int:
        """Seconds spent with customers."""
        return sum(stop.departure_s - stop.start_s for stop in self.stops)

    @property
    def wait_s(self) -> int:
        """Seconds idle before stops."""
        return sum(stop.wait_s for stop in self.stops)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some reps cannot take a visit, found by trying.

    Attributes
    ----------
    code : str
        ``no_skill``, ``not_allowed``, ``order`` (its predecessor is not on the rep's round), ``too_much_load``,
        ``unreachable_within_shift``, ``window_impossible``, ``too_far``, ``too_long_a_way``, ``visit_limit``,
        ``load_full``, ``distance_limit``, ``travel_limit``, ``day_full``, ``not_worth_it``; ``has_room`` in orders that
        were given or when time ran out, and ``not_tried`` when the time limit is too short for so large a day.
    rep_ids : tuple of str
        Those whom it holds for.
    text : Text
        One sentence for people.
    """

    code: str
    rep_ids: tuple[str, ...]
    text: Text


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A change that would bring a visit into the plan, found and verified by trying it.

    Attributes
    ----------
    code : str
        ``add_to_round``, ``extend_day``, ``start_earlier``, ``open_window``, ``one_more_visit``, ``carry_more``,
        ``travel_more``, ``distance_more``, ``drop_visit``, ``allow_rep``, ``add_skill``, ``worth_more``;
        ``none_found`` when no single change was enough, and ``not_tried`` when there was no time to try.
    rep_id : str or None
        Who would make the visit.
    visit_id : str or None
        With ``drop_visit``: the visit that would go.
    amount : float
        By how much, the least that is enough: whole minutes in seconds, metres, visits, packs, points, or a stop's
        number.
    text : Text
        One sentence for people.
    """

    code: str
    rep_id: str | None
    visit_id: str | None
    amount: float
    text: Text


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A visit left out; together the reasons' reps are all reps.

    ``relaxations`` stand in the order of how little they ask for; plans that were stored before there were any have
    none.
    """

    visit_id: str
    mandatory: bool
    reasons: tuple[Reason, ...]
    relaxations: tuple[Relaxation, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """How the plan was found.

    Attributes
    ----------
    wall_s, first_plan_s : float
        Time used, and time until the first whole plan.
    improvements : int
        How often a better plan was found.
    ended : str
        ``limit``, ``stopped`` (asked to), ``finished`` (nothing to search), ``proven`` (no plan is better) or
        ``not_searched`` (an evaluated plan).
    steps : int
        Ruin and recreate steps.
    """

    wall_s: float = 0.0
    first_plan_s: float = 0.0
    improvements: int = 0
    ended: str = "not_searched"
    steps: int = 0


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """Totals of a plan."""

    served: int
    unassigned: int
    reps_used: int
    travel_s: int
    distance_m: int
    service_s: int
    wait_s: int
    overtime_s: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The plan of a day.

    Attributes
    ----------
    routes : tuple of Route
        One for every rep who has a stop, in the order of the problem's reps.
    objective : float
        Cost by :class:`routing.problem.ObjectiveWeights`; lower is better.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    objective: float
    search: SearchSummary = SearchSummary()

    @property
    def summary(self) -> PlanSummary:
        """Totals over all routes."""
        return PlanSummary(
            served=sum(len(route.stops) for route in self.routes),
            unassigned=len(self.unassigned),
            reps_used=len(self.routes),
            travel_s=sum(route.travel_s for route in self.routes),
            distance_m=sum(route.distance_m for route in self.routes),
            service_s=sum(route.service_s for route in self.routes),
            wait_s=sum(route.wait_s for route in self.routes),
            overtime_s=sum(route.overtime_s for route in self.routes),
        )

    def sequences(self) -> dict[str, list[str]]:
        """Return the visit ids in order, by rep id."""
        return {route.rep_id: [stop.visit_id for stop in route.stops] for route in self.routes}
