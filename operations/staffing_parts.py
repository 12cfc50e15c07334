"""The part of a lending proposal that concerns one region, for those who decide about its people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from common.errors import Text
from routing.staffing.answer import RequiredGap

if TYPE_CHECKING:
    from operations.staffing import StoredReallocation


def part_of_region(stored: StoredReallocation, region: str) -> StoredReallocation:
    """Return the moves from and to a region with its own work, people and gaps; nothing else of other regions."""
    problem, answer = stored.problem, stored.answer

    def own(hours: Mapping[str, float]) -> dict[str, float]:
        return {region: hours[region]} if region in hours else {}

    part = replace(
        answer,
        moves=tuple(move for move in answer.moves if region in (move.from_region, move.to_region)),
        unserved_before_h=own(answer.unserved_before_h),
        unserved_after_h=own(answer.unserved_after_h),
        before_by_day_h={day: own(hours) for day, hours in answer.before_by_day_h.items()},
        after_by_day_h={day: own(hours) for day, hours in answer.after_by_day_h.items()},
        shortfalls=tuple(item for item in answer.shortfalls if item.region_id == region),
        relaxations=(),  # they name people of other regions
        required_gaps=tuple(_without_people(item) for item in answer.required_gaps if item.region_id == region),
        understaffed=(),
        quality=None,
    )
    regions = tuple(one for one in problem.regions if one.id == region)
    people = tuple(
        replace(one, refused_regions=frozenset(), wished_regions=frozenset())
        for one in problem.people
        if one.region_id == region
    )
    names = {move.person_id for move in part.moves} | {move.cover_id for move in part.moves if move.cover_id}
    return replace(
        stored,
        problem=replace(problem, regions=regions, people=people),
        answer=part,
        names={code: name for code, name in stored.names.items() if code in names},
    )


def _without_people(gap: RequiredGap) -> RequiredGap:
    """Return the gap without the people of other regions who could close it."""
    on, on_zh = (f" on {gap.day}", f" {gap.day} ") if gap.day else ("", "")
    text = Text(
        f"{gap.region_id} lacks {gap.hours:g} h of required work{on}",
        f"{gap.region_id}{on_zh}仍缺 {gap.hours:g} 小时必须完成的工作",
    )
    return replace(gap, people=(), text=text)
