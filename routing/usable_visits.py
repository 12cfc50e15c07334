"""Sorts out visits that cannot be planned, so that one bad customer never fails a whole day.

Everything that :class:`routing.problem.DayProblem` finds wrong in a visit (an id twice, a place at (0, 0), swapped or
far from all others, a window that ends before it starts, an unknown predecessor …) takes that visit out and names it.
What is wrong in the reps or the weights is an error: without them there is nothing to plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location, great_circle_m
from routing.problem import DayProblem, ObjectiveWeights, Rep, SizeLimits, Visit

_VISIT = re.compile(r"/visits/(\d+)(/.*)?")


@dataclass(frozen=True, slots=True)
class Unusable:
    """A visit that was left out of a day because a field of it is wrong; one for each wrong field.

    Attributes
    ----------
    id : str
        As it was given; empty when even that cannot be read.
    field : str
        JSON pointer of the field.
    text : Text
        What is wrong.
    """

    id: str
    field: str
    text: Text


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of a visit that could not be read; the problems' pointers begin at the visit (``/location``)."""

    id: str
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """Where visits may lie: within ``radius_km`` of ``centre``."""

    centre: Location
    radius_km: float


@dataclass(frozen=True, slots=True)
class UsableDay:
    """A day without the visits that cannot be planned.

    Attributes
    ----------
    problem : DayProblem
        The others.
    unusable : tuple of Unusable
        What was taken out and why, in the order in which the visits were given.
    kept : tuple of int
        Which of the given visits the problem's are, by position.
    given : int
        How many visits were given.
    """

    problem: DayProblem
    unusable: tuple[Unusable, ...]
    kept: tuple[int, ...]
    given: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """What visits are held to.

    Attributes
    ----------
    limits : SizeLimits
    area : Area or None
        Visits outside it are taken out.
    strict : bool
        A single wrong visit is an error.
    pointer : callable
        From the position and the id of a visit to the JSON pointer under which its fields are named.
    """

    limits: SizeLimits = field(default_factory=SizeLimits)
    area: Area | None = None
    strict: bool = False
    pointer: Callable[[int, str], str] = field(default=lambda place, _: f"/visits/{place}")


def usable_day(
    visits: Sequence[Visit | Unreadable],
    reps: Sequence[Rep],
    weights: ObjectiveWeights | None = None,
    *,
    conditions: Conditions | None = None,
) -> UsableDay:
    """Return the day of all visits that can be planned, and the others by name.

    A visit whose predecessor is taken out goes too, as does one that collects for such a visit; locks on it are lifted.

    Raises
    ------
    InvalidInput
        When no visit remains, when reps or weights are wrong, or when ``strict`` is asked for and a visit is wrong;
        every wrong field is named.
    """
    conditions = conditions or Conditions()
    sorting = _Sorting(visits, conditions)
    while True:
        kept = sorting.kept()
        if not kept and visits:
            raise sorting.error("none of the visits can be used", "没有可用的拜访")
        chosen = tuple(visit for visit in (visits[place] for place in kept) if isinstance(visit, Visit))
        free = tuple(sorting.unlocked(rep) for rep in reps)
        try:
            problem = DayProblem(chosen, free, weights or ObjectiveWeights(), conditions.limits)
        except InvalidInput as error:
            sorting.blame(kept, error)
            continue
        if sorting.problems and conditions.strict:
            raise sorting.error("some visits cannot be used", "部分拜访不可用")
        return UsableDay(problem, tuple(sorting.unusable()), tuple(kept), len(visits))


def unreadable_fields(visits: Sequence[Visit | Unreadable]) -> list[FieldProblem]:
    """Return what is wrong in those that could not be read."""
    return _Sorting(visits, Conditions()).all_fields()


class _Sorting:
    """What is known to be wrong, by position of the visit."""

    def __init__(self, visits: Sequence[Visit | Unreadable], conditions: Conditions) -> None:
        self.visits = visits
        self.problems: dict[int, list[FieldProblem]] = {}
        self._pointer = conditions.pointer
        for place, visit in enumerate(visits):
            if isinstance(visit, Unreadable):
                self.problems[place] = [self._at(place, problem.pointer, problem.text) for problem in visit.problems]
            elif conditions.area is not None and not _is_nowhere(visit.location):
                self._hold_to_area(place, visit, conditions.area)

    def _at(self, place: int, field_pointer: str, text: Text) -> FieldProblem:
        return FieldProblem(self._pointer(place, self.visits[place].id) + field_pointer, text)

    def _hold_to_area(self, place: int, visit: Visit, area: Area) -> None:
        away_km = great_circle_m(visit.location, area.centre) / 1000
        if away_km > area.radius_km:
            text = Text(
                f"lies {away_km:.0f} km from the centre of the area, which reaches {area.radius_km:g} km",
                f"距区域中心 {away_km:.0f} 公里，超出区域半径 {area.radius_km:g} 公里",
            )
            self.problems[place] = [self._at(place, "/location", text)]

    def kept(self) -> list[int]:
        """Return the positions of the visits with which nothing is wrong, after following who depends on whom."""
        while True:
            kept = [place for place in range(len(self.visits)) if place not in self.problems]
            ids = {self.visits[place].id for place in kept}
            lost = {visit.id for place, visit in enumerate(self.visits) if place in self.problems} - ids
            found = dict(self._dependents(kept, lost))
            if not found:
                return kept
            self.problems |= found

    def _dependents(self, kept: Sequence[int], lost: set[str]) -> Iterator[tuple[int, list[FieldProblem]]]:
        receivers = {
            visit.after: visit.id for visit in self.visits if isinstance(visit, Visit) and visit.id in lost
        }  # whom they collect for
        for place in kept:
            visit = self.visits[place]
            assert isinstance(visit, Visit)
            if visit.after and visit.after in lost:
                text = Text(
                    f"visit {visit.after!r}, which must come before it, cannot be used",
                    f"须先完成的拜访 {visit.after!r} 不可用",
                )
                yield place, [self._at(place, "/after", text)]
            elif visit.collect and visit.id in receivers:
                other = receivers[visit.id]
                text = Text(f"collects for visit {other!r}, which cannot be used", f"为不可用的拜访 {other!r} 取货")
                yield place, [self._at(place, "/collect", text)]

    def unlocked(self, rep: Rep) -> Rep:
        """Return ``rep`` without locks on visits that are taken out."""
        ids = {visit.id for place, visit in enumerate(self.visits) if place not in self.problems}
        lost = {visit.id for place, visit in enumerate(self.visits) if place in self.problems} - ids
        if not lost.intersection(rep.first_stops):
            return rep
        return replace(rep, first_stops=tuple(visit for visit in rep.first_stops if visit not in lost))

    def blame(self, kept: Sequence[int], error: InvalidInput) -> None:
        """Take out the visits that an error names; raise it when it names none."""
        blamed: dict[int, list[FieldProblem]] = {}
        for problem in error.fields:
            match = _VISIT.fullmatch(problem.pointer)
            if match:
                place = kept[int(match[1])]
                blamed.setdefault(place, []).append(self._at(place, match[2] or "", problem.text))
        if not blamed:
            raise InvalidInput(error.text, fields=[*error.fields, *self.all_fields()]) from error
        self.problems |= blamed

    def unusable(self) -> Iterator[Unusable]:
        """Yield what is wrong, visit by visit."""
        for place in sorted(self.problems):
            for problem in self.problems[place]:
                yield Unusable(self.visits[place].id, problem.pointer, problem.text)

    def error(self, en: str, zh: str) -> InvalidInput:
        """Return an error that names everything."""
        return InvalidInput(Text(en, zh), fields=self.all_fields())

    def all_fields(self) -> list[FieldProblem]:
        """Return every wrong field."""
        return [problem for place in sorted(self.problems) for problem in self.problems[place]]


def _is_nowhere(place: Location) -> bool:
    return place.latitude == 0 and place.longitude == 0


def read_or_keep(visit_id: str, make: Callable[[], Visit]) -> Visit | Unreadable:
    """Return the visit that ``make`` makes, or in its place what is wrong with it."""
    try:
        return make()
    except InvalidInput as error:
        fields = error.fields or (FieldProblem("", error.text),)
        return Unreadable(visit_id, tuple(fields))
