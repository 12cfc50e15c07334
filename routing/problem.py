"""The day problem: who goes out, whom they could visit, and what a good day is worth.

Times are seconds since local midnight (0 to 48 h, so that a night shift may run past midnight), places are WGS-84.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location, great_circle_m

LATEST_TIME_S = 48 * 3600
"""No clock time or duration of a day problem may lie beyond this."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A span in which a visit may **start**; both ends belong to it."""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Break:
    """Time off that starts within ``[earliest_s, latest_s]`` and lasts ``duration_s`` without interruption.

    No service and no travel falls inside it. A trip may pause for it. A rep whose round ends (or begins) early may take
    it after (or before) the round.
    """

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Rep:
    """One person's working day.

    Attributes
    ----------
    start, end : Location
        Where the round begins and ends; ``end=None``: it ends at the last visit.
    shift_start_s, shift_end_s : int
        The round begins not before and ends not after these times.
    breaks : tuple of Break
        In the order in which they are taken.
    skills : frozenset of str
        A visit goes only to a rep who has all skills that it asks for.
    max_visits, capacity : int or None
        Most visits, and most gift packs carried; ``None``: any number.
    overtime_s : int
        How far the round may run past ``shift_end_s``, at the price of ``ObjectiveWeights.overtime_s``.
    max_travel_s, max_distance_m : int or None
        Most seconds and metres on the way, the way home included; ``None``: any number.
    fixed_cost : float
        What it costs, in seconds of travel, that the rep goes out at all.
    first_stops : tuple of str
        Ids of visits with which the round begins, in this order and with nothing between them: what a dispatcher has
        locked. They are made by this rep whatever their value.
    """

    id: str
    name: str
    start: Location
    shift_start_s: int
    shift_end_s: int
    end: Location | None = None
    breaks: tuple[Break, ...] = ()
    skills: frozenset[str] = frozenset()
    max_visits: int | None = None
    capacity: int | None = None
    overtime_s: int = 0
    max_travel_s: int | None = None
    max_distance_m: int | None = None
    fixed_cost: float = 0.0
    first_stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer who could be visited.

    Attributes
    ----------
    service_s : int
        How long the visit takes, without travel.
    windows : tuple of TimeWindow
        The visit starts within one of them; none: at any time.
    value : float
        Worth of the visit in points, at least 0; multiplied by the factor of its grade.
    grade : str
        Customer's grade (``A``, ``B``, ``C``), or empty.
    mandatory : bool
        Comes before every optional visit; a plan without it is reported as breaking a rule.
    load : int
        Gift packs handed over.
    collect : int
        Gift packs taken in. They ride until the visit that names this one in ``after`` and hands them over (its
        ``load``), or to the end of the round. A visit that collects for another is only made together with it.
    after : str
        Id of a visit that the same rep makes earlier in the round; empty: none. Without that visit this one is left
        out.
    allowed_reps : frozenset of str or None
        Ids of the reps who may make the visit; ``None``: anybody.
    usual_rep : str
        Id of the rep who should make it where that costs little: anybody else costs ``ObjectiveWeights.change``.
    """

    id: str
    name: str
    location: Location
    service_s: int
    windows: tuple[TimeWindow, ...] = ()
    value: float = 1.0
    grade: str = ""
    skills: frozenset[str] = frozenset()
    mandatory: bool = False
    load: int = 0
    collect: int = 0
    after: str = ""
    allowed_reps: frozenset[str] | None = None
    usual_rep: str = ""


@dataclass(frozen=True, slots=True)
class ObjectiveWeights:
    """What a plan costs; the unit is one second of travel.

    A plan costs ``travel_s`` × seconds travelled + ``distance_m`` × metres + ``overtime_s`` × seconds past the shift's
    end + ``value`` × points of every visit left out + the fixed cost of every rep who goes out + ``change`` × visits
    that another than their usual rep makes + ``fairness`` × how unequal the reps' days are. The default puts four hours
    of travel against a visit of one point, so that reps serve as many visits as the day allows and drive as little as
    possible for them.

    How unequal the days are is the number of reps × the standard deviation, over all reps of the problem, of what
    ``fairness_measure`` counts: ``minutes`` (seconds of travel and service), ``visits``, or ``value`` (points times
    the factor of the grade).
    """

    travel_s: float = 1.0
    distance_m: float = 0.0
    overtime_s: float = 2.0
    value: float = 14_400.0
    change: float = 0.0
    fairness: float = 0.0
    fairness_measure: str = "minutes"
    grade_factors: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"A": 3.0, "B": 2.0, "C": 1.0}))

    def prize(self, visit: Visit) -> float:
        """Return what leaving ``visit`` out costs. A grade without a factor counts as 1."""
        return self.value * self.points(visit)

    def points(self, visit: Visit) -> float:
        """Return the value of ``visit`` times the factor of its grade. A grade without a factor counts as 1."""
        return visit.value * self.grade_factors.get(visit.grade, 1.0)

    def unfairness(self, amounts: Sequence[float]) -> float:
        """Return what it costs that the reps' days come to these amounts of ``fairness_measure``, one for each rep."""
        if not self.fairness or not amounts:
            return 0.0
        return self.fairness * len(amounts) * statistics.pstdev(amounts)

    def __reduce__(self) -> tuple[object, ...]:
        # A mapping proxy cannot be pickled, and problems travel to the search process.
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        return _weights, ({**plain, "grade_factors": dict(self.grade_factors)},)


FAIRNESS_MEASURES = ("minutes", "visits", "value")


def _weights(plain: dict[str, Any]) -> ObjectiveWeights:
    return ObjectiveWeights(**{**plain, "grade_factors": MappingProxyType(plain["grade_factors"])})


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What a problem may be at most.

    Attributes
    ----------
    visits, reps : int
        Most of each.
    outlier_km : float
        A place further than this from the median of all places is reported as wrong.
    """

    visits: int = 2000
    reps: int = 300
    outlier_km: float = 500.0


@dataclass(frozen=True, slots=True)
class DayProblem:
    """One day to plan.

    Raises
    ------
    InvalidInput
        When anything in it is wrong; **every** wrong field is named by its JSON pointer (``/visits/3/service_s``).
    """

    visits: tuple[Visit, ...]
    reps: tuple[Rep, ...]
    weights: ObjectiveWeights = ObjectiveWeights()
    limits: SizeLimits = SizeLimits()

    def __post_init__(self) -> None:
        problems = list(problems_of(self))
        if problems:
            count = len(problems)
            text = Text(
                f"the day problem has {count} wrong field{'s' if count > 1 else ''}", f"当日问题有 {count} 处错误"
            )
            raise InvalidInput(text, fields=problems)

    def locations(self) -> list[Location]:
        """Return the places in the order of a travel table: visits, reps' starts, ends of reps who have one."""
        ends = [rep.end for rep in self.reps if rep.end is not None]
        return [visit.location for visit in self.visits] + [rep.start for rep in self.reps] + ends

    def start_places(self) -> list[int]:
        """Return, by rep, the index of the start in :meth:`locations`."""
        return list(range(len(self.visits), len(self.visits) + len(self.reps)))

    def end_places(self) -> list[int]:
        """Return, by rep, the index of the end in :meth:`locations`, or -1 for a round that ends at its last visit."""
        place = len(self.visits) + len(self.reps)
        ends = []
        for rep in self.reps:
            ends.append(place if rep.end is not None else -1)
            place += rep.end is not None
        return ends

    def part(self, visits: Sequence[int], reps: Sequence[int]) -> tuple[DayProblem, list[int]]:
        """Return the problem of some visits and reps, and the rows of this problem's travel table that it needs."""
        starts, ends = self.start_places(), self.end_places()
        rows = [*visits, *(starts[rep] for rep in reps), *(ends[rep] for rep in reps if ends[rep] >= 0)]
        names = {self.reps[rep].id for rep in reps}
        chosen = DayProblem(
            tuple(_among(self.visits[visit], names) for visit in visits),
            tuple(self.reps[rep] for rep in reps),
            self.weights,
            # The whole was already found plausible; a part has another median.
            SizeLimits(self.limits.visits, self.limits.reps, math.inf),
        )
        return chosen, rows


def _among(visit: Visit, rep_ids: set[str]) -> Visit:
    """Return ``visit`` as it stands where only some of the reps are known."""
    if visit.allowed_reps is None or visit.allowed_reps <= rep_ids:
        return visit
    return replace(visit, allowed_reps=visit.allowed_reps & rep_ids)


def problems_of(problem: DayProblem) -> Iterator[FieldProblem]:
    """Yield everything that is wrong in ``problem``, in the order of its fields."""
    yield from _size_problems("visits", "拜访", len(problem.visits), problem.limits.visits)
    yield from _size_problems("reps", "人员", len(problem.reps), problem.limits.reps)
    yield from _repeated_ids("visits", [visit.id for visit in problem.visits])
    yield from _repeated_ids("reps", [rep.id for rep in problem.reps])
    for index, visit in enumerate(problem.visits):
        yield from visit_problems(f"/visits/{index}", visit)
    for index, rep in enumerate(problem.reps):
        yield from _rep_problems(f"/reps/{index}", rep)
    yield from _weight_problems(problem.weights)
    yield from reference_problems(problem)
    yield from _place_problems(problem)


def _at(pointer: str, en: str, zh: str) -> FieldProblem:
    return FieldProblem(pointer, Text(en, zh))


def _size_problems(name: str, name_zh: str, size: int, limit: int) -> Iterator[FieldProblem]:
    if size == 0:
        yield _at(f"/{name}", f"there must be at least one of {name}", f"至少需要一条{name_zh}")
    if size > limit:
        yield _at(f"/{name}", f"{size} {name}; at most {limit} are allowed", f"{size} 条{name_zh}，最多 {limit} 条")


def _repeated_ids(name: str, ids: Sequence[str]) -> Iterator[FieldProblem]:
    first: dict[str, int] = {}
    for index, text in enumerate(ids):
        if not isinstance(text, str) or not text.strip():
            yield _at(f"/{name}/{index}/id", "an id is needed", "缺少编号")
        elif text in first:
            yield _at(
                f"/{name}/{index}/id",
                f"id {text!r} is also that of item {first[text]}",
                f"编号 {text!r} 与第 {first[text]} 项重复",
            )
        else:
            first[text] = index


def _whole(pointer: str, value: object, *, highest: int = LATEST_TIME_S, lowest: int = 0) -> Iterator[FieldProblem]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _at(pointer, "must be a whole number", "必须是整数")
    elif not lowest <= value <= highest:
        yield _at(pointer, f"{value} lies outside {lowest} to {highest}", f"{value} 超出 {lowest} 至 {highest}")


def visit_problems(pointer: str, visit: Visit) -> Iterator[FieldProblem]:
    """Yield what is wrong in one visit, except its id and place."""
    yield from _whole(f"{pointer}/service_s", visit.service_s)
    yield from _whole(f"{pointer}/load", visit.load, highest=1_000_000)
    yield from _whole(f"{pointer}/collect", visit.collect, highest=1_000_000)
    yield from _amount(f"{pointer}/value", visit.value)
    for index, window in enumerate(visit.windows):
        here = f"{pointer}/windows/{index}"
        wrong = [*_whole(f"{here}/start_s", window.start_s), *_whole(f"{here}/end_s", window.end_s)]
        yield from wrong
        if not wrong and window.end_s < window.start_s:
            yield _at(here, "the window ends before it starts", "时间窗的结束早于开始")


def _rep_problems(pointer: str, rep: Rep) -> Iterator[FieldProblem]:
    names = ("shift_start_s", "shift_end_s", "overtime_s")
    wrong = [problem for name in names for problem in _whole(f"{pointer}/{name}", getattr(rep, name))]
    for name in ("max_visits", "capacity", "max_travel_s", "max_distance_m"):
        if getattr(rep, name) is not None:
            wrong += _whole(f"{pointer}/{name}", getattr(rep, name), highest=1_000_000_000)
    wrong += _amount(f"{pointer}/fixed_cost", rep.fixed_cost)
    yield from wrong
    if not wrong and rep.shift_end_s <= rep.shift_start_s:
        yield _at(f"{pointer}/shift_end_s", "the shift must end after it starts", "班次结束必须晚于开始")
    elif not wrong:
        for index, pause in enumerate(rep.breaks):
            yield from _break_problems(f"{pointer}/breaks/{index}", pause, rep)


def _break_problems(pointer: str, pause: Break, rep: Rep) -> Iterator[FieldProblem]:
    names = ("earliest_s", "latest_s", "duration_s")
    wrong = [problem for name in names for problem in _whole(f"{pointer}/{name}", getattr(pause, name))]
    yield from wrong
    if wrong:
        return
    if pause.duration_s == 0:
        yield _at(f"{pointer}/duration_s", "a break must last longer than 0 s", "休息时长必须大于 0 秒")
    if pause.latest_s < pause.earliest_s:
        yield _at(f"{pointer}/latest_s", "the latest start lies before the earliest", "最晚开始早于最早开始")
    elif pause.latest_s < rep.shift_start_s or pause.earliest_s > rep.shift_end_s + rep.overtime_s:
        yield _at(pointer, "the break cannot start within the shift", "休息无法在班次内开始")


def reference_problems(problem: DayProblem) -> Iterator[FieldProblem]:
    """Yield ids that name nobody or nothing, orders that run in a circle, and visits locked to two reps."""
    reps = {rep.id for rep in problem.reps}
    visits = {visit.id: visit for visit in problem.visits}
    for index, visit in enumerate(problem.visits):
        here = f"/visits/{index}"
        for rep_id in sorted(visit.allowed_reps or ()):
            if rep_id not in reps:
                yield _at(f"{here}/allowed_reps", f"there is no rep {rep_id!r}", f"没有人员 {rep_id!r}")
        if visit.after and visit.after not in visits:
            yield _at(f"{here}/after", f"there is no visit {visit.after!r}", f"没有拜访 {visit.after!r}")
        elif _comes_after_itself(visit, visits):
            yield _at(f"{here}/after", "the order runs in a circle", "先后顺序形成循环")
    locked: dict[str, str] = {}
    for index, rep in enumerate(problem.reps):
        for place, visit_id in enumerate(rep.first_stops):
            here = f"/reps/{index}/first_stops/{place}"
            if visit_id not in visits:
                yield _at(here, f"there is no visit {visit_id!r}", f"没有拜访 {visit_id!r}")
            elif visit_id in locked:
                yield _at(here, f"is locked to {locked[visit_id]} already", f"已锁定给 {locked[visit_id]}")
            else:
                locked[visit_id] = rep.id


def _comes_after_itself(visit: Visit, visits: Mapping[str, Visit]) -> bool:
    seen, before = {visit.id}, visit.after
    while before and before in visits:
        if before in seen:
            return True
        seen.add(before)
        before = visits[before].after
    return False


def _amount(pointer: str, value: object) -> Iterator[FieldProblem]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        yield _at(pointer, "must be a number from 0 to 1e9", "必须是 0 到 1e9 的数字")


def _weight_problems(weights: ObjectiveWeights) -> Iterator[FieldProblem]:
    for name in ("travel_s", "distance_m", "overtime_s", "value", "change", "fairness"):
        yield from _amount(f"/weights/{name}", getattr(weights, name))
    if weights.fairness_measure not in FAIRNESS_MEASURES:
        names = ", ".join(FAIRNESS_MEASURES)
        yield _at("/weights/fairness_measure", f"must be one of {names}", f"必须是 {names} 之一")
    for grade, factor in weights.grade_factors.items():
        yield from _amount(f"/weights/grade_factors/{grade}", factor)


def _place_problems(problem: DayProblem) -> Iterator[FieldProblem]:
    places = [(f"/visits/{i}/location", visit.location) for i, visit in enumerate(problem.visits)]
    places += [(f"/reps/{i}/start", rep.start) for i, rep in enumerate(problem.reps)]
    places += [(f"/reps/{i}/end", rep.end) for i, rep in enumerate(problem.reps) if rep.end is not None]
    known = []
    for pointer, place in places:
        if place.latitude == 0 and place.longitude == 0:
            yield _at(pointer, "(0, 0) stands for an unknown place", "(0, 0) 表示位置未知")
        else:
            known.append((pointer, place))
    if not known or math.isinf(problem.limits.outlier_km):
        return
    median = Location(
        statistics.median(place.latitude for _, place in known),
        statistics.median(place.longitude for _, place in known),
    )
    for pointer, place in known:
        yield from _outlier(pointer, place, median, problem.limits.outlier_km)


def _outlier(pointer: str, place: Location, median: Location, outlier_km: float) -> Iterator[FieldProblem]:
    away_km = great_circle_m(place, median) / 1000
    if away_km <= outlier_km:
        return
    swapped = abs(place.longitude) <= 90 and (
        great_circle_m(Location(place.longitude, place.latitude), median) / 1000 <= outlier_km
    )
    hint, hint_zh = ("; latitude and longitude look swapped", "；经纬度似乎写反了") if swapped else ("", "")
    yield _at(
        pointer,
        f"lies {away_km:.0f} km from the other places{hint}",
        f"距其他地点 {away_km:.0f} 公里{hint_zh}",
    )
