"""The staffing problem: regions with predicted work by day, people who may be lent, and the rules of lending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location

WorkByDay = Mapping[str, float] | tuple[Mapping[str, float], ...]
"""Hours by skill: one mapping for every day, or a single one that holds on each of them."""
HoursByDay = float | tuple[float, ...]
"""Hours: one figure for every day, or a single one that holds on each of them."""
MOST_DAYS = 14


@dataclass(frozen=True, slots=True)
class Region:
    """A region and its predicted work.

    Attributes
    ----------
    minimum_staff : int
        So many of its own people who are at work stay each day, whatever is needed elsewhere.
    work_h : mapping of str to float, or a tuple of them
        Predicted hours by skill; the skill ``""`` is work that anybody can do.
    required_h : mapping of str to float, or a tuple of them
        The part of ``work_h`` that must be done, such as a stand at a fair: it counts `LendingRules.required_weight`
        times as much, and when it cannot be done, the answer says which rule would have to give way.
    open_h : float or tuple of float
        Hours of the day on which there is anybody to visit; nobody works longer than that there.
    """

    id: str
    location: Location
    minimum_staff: int
    work_h: WorkByDay
    required_h: WorkByDay = field(default_factory=dict)
    open_h: HoursByDay = 24.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be lent.

    Attributes
    ----------
    hours : float or tuple of float
        Working hours of a day, 0 on a day off; the way to another region and back counts in them.
    moves_left : int
        How often this person may still be lent; at 0 they stay. A stay of several working days in a row in one
        region is one move.
    location : Location, optional
        Where they set out from; the centre of their region by default.
    days_left : int, optional
        On how many days they may be away in all; no limit by default.
    refused_regions, wished_regions : frozenset of str
        Never lent there; lent there rather than elsewhere.
    refused_days, wished_days : frozenset of int
        Positions of days on which they are never lent, or rather than on others.
    lent_days : int
        Days on which they were lent in the weeks before: who was lent often is spared.
    """

    id: str
    region_id: str
    skills: frozenset[str]
    hours: HoursByDay = 8.0
    moves_left: int = 1
    location: Location | None = None
    days_left: int | None = None
    refused_regions: frozenset[str] = frozenset()
    wished_regions: frozenset[str] = frozenset()
    refused_days: frozenset[int] = frozenset()
    wished_days: frozenset[int] = frozenset()
    lent_days: int = 0


@dataclass(frozen=True, slots=True)
class LendingRules:
    """What lending costs and where it ends.

    Attributes
    ----------
    speed_kmh, detour_factor : float
        For the way between regions.
    longest_way_min : float
        Nobody is sent further, one way.
    move_cost_h : float
        A move must bring at least about so many hours of work more than staying; the travel comes on top.
    fairness_cost_h : float
        Price of a day away for each day on which the person was lent in the weeks before.
    wish_bonus_h : float
        So much less is the price of a move that the person wishes for; it never falls below a minute.
    required_weight : float
        An hour of required work left undone weighs as much as so many hours of other work.
    """

    speed_kmh: float = 40.0
    detour_factor: float = 1.4
    longest_way_min: float = 120.0
    move_cost_h: float = 1.0
    fairness_cost_h: float = 0.25
    wish_bonus_h: float = 0.5
    required_weight: float = 5.0


@dataclass(frozen=True, slots=True)
class ReallocationProblem:
    """Regions, people and rules of one day or of several.

    Attributes
    ----------
    days : tuple of str
        Names of the days in their order, such as ``2026-11-30``; a single nameless one by default.

    Raises
    ------
    InvalidInput
        Names every wrong field by its JSON pointer.
    """

    regions: tuple[Region, ...]
    people: tuple[Person, ...]
    rules: LendingRules = field(default_factory=LendingRules)
    days: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InvalidInput(
                Text(
                    f"the staffing problem has {len(problems)} wrong fields", f"人员调配问题有 {len(problems)} 处错误"
                ),
                fields=problems,
            )


def work_on(work: WorkByDay, day: int) -> Mapping[str, float]:
    """Return the hours by skill of a day."""
    return work[day] if isinstance(work, tuple) else work


def hours_on(hours: HoursByDay, day: int) -> float:
    """Return the hours of a day."""
    return hours[day] if isinstance(hours, tuple) else hours


def _problems(problem: ReallocationProblem) -> Iterator[FieldProblem]:
    count = len(problem.days)
    if not 1 <= count <= MOST_DAYS or len(set(problem.days)) != count:
        yield FieldProblem(
            "/days", Text(f"1 to {MOST_DAYS} different days are needed", f"需要 1 到 {MOST_DAYS} 个不同日期")
        )
        return
    if not problem.regions:
        yield FieldProblem("/regions", Text("at least one region is needed", "至少需要一个区域"))
    seen: set[str] = set()
    for index, region in enumerate(problem.regions):
        yield from _region_problems(f"/regions/{index}", region, count, seen)
        seen.add(region.id)
    people: set[str] = set()
    for index, person in enumerate(problem.people):
        yield from _person_problems(f"/people/{index}", person, count, (seen, people))
        people.add(person.id)
    rules = problem.rules
    costs = (rules.longest_way_min, rules.move_cost_h, rules.fairness_cost_h, rules.wish_bonus_h)
    if not (rules.speed_kmh > 0 and rules.detour_factor >= 1 and min(costs) >= 0 and rules.required_weight >= 1):
        yield FieldProblem("/rules", Text("speed, detour, way and cost must be sensible", "规则数值不合理"))


def _region_problems(at: str, region: Region, days: int, seen: set[str]) -> Iterator[FieldProblem]:
    if not region.id or region.id in seen:
        yield FieldProblem(f"{at}/id", Text("ids must be given and differ", "编号不能为空或重复"))
    if region.minimum_staff < 0:
        yield FieldProblem(f"{at}/minimum_staff", Text("must not be negative", "不得为负"))
    yield from _work_problems(f"{at}/work_h", region.work_h, days)
    yield from _work_problems(f"{at}/required_h", region.required_h, days)
    yield from _hours_problems(f"{at}/open_h", region.open_h, days)


def _work_problems(at: str, work: WorkByDay, days: int) -> Iterator[FieldProblem]:
    if isinstance(work, tuple):
        if len(work) != days:
            yield FieldProblem(at, Text(f"one entry for each of the {days} days is needed", f"需要 {days} 天的数值"))
        parts = [(f"{at}/{day}", hours) for day, hours in enumerate(work)]
    else:
        parts = [(at, work)]
    for pointer, by_skill in parts:
        for skill, hours in by_skill.items():
            if not 0 <= hours <= 1e6:
                yield FieldProblem(f"{pointer}/{skill}", Text("must be 0 to 1e6 hours", "必须在 0 到 1e6 小时之间"))


def _hours_problems(at: str, hours: HoursByDay, days: int) -> Iterator[FieldProblem]:
    if isinstance(hours, tuple) and len(hours) != days:
        yield FieldProblem(at, Text(f"one entry for each of the {days} days is needed", f"需要 {days} 天的数值"))
    elif not all(0 <= value <= 24 for value in (hours if isinstance(hours, tuple) else (hours,))):
        yield FieldProblem(at, Text("must be 0 to 24", "必须在 0 到 24 之间"))


def _person_problems(at: str, person: Person, days: int, known: tuple[set[str], set[str]]) -> Iterator[FieldProblem]:
    regions, people = known
    if not person.id or person.id in people:
        yield FieldProblem(f"{at}/id", Text("ids must be given and differ", "编号不能为空或重复"))
    if person.region_id not in regions:
        text = Text(f"there is no region {person.region_id!r}", f"没有区域 {person.region_id!r}")
        yield FieldProblem(f"{at}/region_id", text)
    yield from _hours_problems(f"{at}/hours", person.hours, days)
    for name, count in (
        ("moves_left", person.moves_left),
        ("days_left", person.days_left),
        ("lent_days", person.lent_days),
    ):
        if count is not None and count < 0:
            yield FieldProblem(f"{at}/{name}", Text("must not be negative", "不得为负"))
    for name, places in (("refused_regions", person.refused_regions), ("wished_regions", person.wished_regions)):
        for region in sorted(places - regions):
            yield FieldProblem(f"{at}/{name}", Text(f"there is no region {region!r}", f"没有区域 {region!r}"))
    for name, chosen in (("refused_days", person.refused_days), ("wished_days", person.wished_days)):
        if not all(0 <= day < days for day in chosen):
            yield FieldProblem(f"{at}/{name}", Text(f"must be 0 to {days - 1}", f"必须在 0 到 {days - 1} 之间"))
