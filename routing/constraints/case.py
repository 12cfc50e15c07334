"""What every constraint looks at: a plan beside its problem, with look-ups by id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from common.errors import Text
from routing.plan import DayPlan, Route, Stop
from routing.problem import DayProblem, Rep, Visit
from routing.travel_times import TravelTable


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of one constraint.

    Attributes
    ----------
    constraint : str
        A key of :data:`routing.check.CONSTRAINTS`, or ``known_ids``.
    rep_id, visit_id : str or None
        Whom and what it concerns.
    amount : float
        By how much: seconds, metres, visits or packs.
    """

    constraint: str
    rep_id: str | None
    visit_id: str | None
    text: Text
    amount: float


@dataclass(frozen=True)
class Case:
    """A plan beside its problem."""

    problem: DayProblem
    table: TravelTable
    plan: DayPlan

    @cached_property
    def visits(self) -> dict[str, Visit]:
        """Visits by id."""
        return {visit.id: visit for visit in self.problem.visits}

    @cached_property
    def reps(self) -> dict[str, Rep]:
        """Reps by id."""
        return {rep.id: rep for rep in self.problem.reps}

    @cached_property
    def served(self) -> frozenset[str]:
        """Ids of the visits that stand on a route."""
        return frozenset(stop.visit_id for _, stop in self.stops())

    @cached_property
    def _place(self) -> dict[str, int]:
        return {visit.id: index for index, visit in enumerate(self.problem.visits)}

    @cached_property
    def _start(self) -> dict[str, int]:
        return dict(zip(self.reps, self.problem.start_places(), strict=True))

    @cached_property
    def _end(self) -> dict[str, int]:
        return dict(zip(self.reps, self.problem.end_places(), strict=True))

    def stops(self) -> Iterator[tuple[Route, Stop]]:
        """Yield every stop with its route."""
        for route in self.plan.routes:
            for stop in route.stops:
                yield route, stop

    def legs(self, route: Route) -> list[tuple[int, int]]:
        """Return (from, to) of each leg between known places; the way home is left out for an open end."""
        places = [self._start[route.rep_id], *(self._place[stop.visit_id] for stop in route.stops)]
        if self._end[route.rep_id] >= 0 and route.stops:
            places.append(self._end[route.rep_id])
        return list(pairwise(places))

    def leg_times_s(self, route: Route) -> list[int]:
        """Return the true travel time of each leg; a round with an open end has a last leg of 0."""
        times = [int(self.table.duration_s[leg]) for leg in self.legs(route)]
        return times if self._end[route.rep_id] >= 0 and route.stops else [*times, 0]

    def travel_s(self, route: Route) -> int:
        """Return the true seconds on the way."""
        return sum(int(self.table.duration_s[leg]) for leg in self.legs(route))

    def distance_m(self, route: Route) -> int:
        """Return the true metres of the way."""
        return sum(int(self.table.distance_m[leg]) for leg in self.legs(route))
