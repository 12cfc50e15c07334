"""The staffing problem of a day: regions with predicted work, people who may be lent, and the rules of lending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location


@dataclass(frozen=True, slots=True)
class Region:
    """A region and its predicted work.

    Attributes
    ----------
    minimum_staff : int
        So many of its own people stay, whatever is needed elsewhere.
    work_h : mapping of str to float
        Predicted hours by skill; the skill ``""`` is work that anybody can do.
    """

    id: str
    location: Location
    minimum_staff: int
    work_h: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be lent.

    Attributes
    ----------
    hours : float
        Working hours of the day; the way to another region and back counts in them.
    moves_left : int
        How often this person may still be lent; at 0 they stay.
    """

    id: str
    region_id: str
    skills: frozenset[str]
    hours: float = 8.0
    moves_left: int = 1


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
    """

    speed_kmh: float = 40.0
    detour_factor: float = 1.4
    longest_way_min: float = 120.0
    move_cost_h: float = 1.0


@dataclass(frozen=True, slots=True)
class ReallocationProblem:
    """Regions, people and rules of one day.

    Raises
    ------
    InvalidInput
        Names every wrong field by its JSON pointer.
    """

    regions: tuple[Region, ...]
    people: tuple[Person, ...]
    rules: LendingRules = field(default_factory=LendingRules)

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InvalidInput(
                Text(
                    f"the staffing problem has {len(problems)} wrong fields", f"人员调配问题有 {len(problems)} 处错误"
                ),
                fields=problems,
            )


def _problems(problem: ReallocationProblem) -> Iterator[FieldProblem]:
    if not problem.regions:
        yield FieldProblem("/regions", Text("at least one region is needed", "至少需要一个区域"))
    seen: set[str] = set()
    for index, region in enumerate(problem.regions):
        at = f"/regions/{index}"
        if not region.id or region.id in seen:
            yield FieldProblem(f"{at}/id", Text("ids must be given and differ", "编号不能为空或重复"))
        seen.add(region.id)
        if region.minimum_staff < 0:
            yield FieldProblem(f"{at}/minimum_staff", Text("must not be negative", "不得为负"))
        for skill, hours in region.work_h.items():
            if not 0 <= hours <= 1e6:
                yield FieldProblem(f"{at}/work_h/{skill}", Text("must be 0 to 1e6 hours", "必须在 0 到 1e6 小时之间"))
    people: set[str] = set()
    for index, person in enumerate(problem.people):
        at = f"/people/{index}"
        if not person.id or person.id in people:
            yield FieldProblem(f"{at}/id", Text("ids must be given and differ", "编号不能为空或重复"))
        people.add(person.id)
        if person.region_id not in seen:
            text = Text(f"there is no region {person.region_id!r}", f"没有区域 {person.region_id!r}")
            yield FieldProblem(f"{at}/region_id", text)
        if not 0 <= person.hours <= 24:
            yield FieldProblem(f"{at}/hours", Text("must be 0 to 24", "必须在 0 到 24 之间"))
        if person.moves_left < 0:
            yield FieldProblem(f"{at}/moves_left", Text("must not be negative", "不得为负"))
    rules = problem.rules
    if not (rules.speed_kmh > 0 and rules.detour_factor >= 1 and rules.longest_way_min >= 0 and rules.move_cost_h >= 0):
        yield FieldProblem("/rules", Text("speed, detour, way and cost must be sensible", "规则数值不合理"))
