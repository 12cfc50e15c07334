"""Lending reps between regions."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from api.schemas import Answer, Body, Code, Day
from operations.staffing import StoredReallocation
from routing.staffing_problem import LendingRules

Hours = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class RulesBody(Body):
    """What lending costs and where it ends."""

    speed_kmh: float = Field(40, gt=0, le=200, allow_inf_nan=False)
    detour_factor: float = Field(1.4, ge=1, le=5, allow_inf_nan=False)
    longest_way_min: float = Field(120, ge=0, le=1440, allow_inf_nan=False)
    move_cost_h: float = Field(1, ge=0, le=24, allow_inf_nan=False)

    def rules(self) -> LendingRules:
        """Return the rules for the engine."""
        return LendingRules(**self.model_dump())


class StaffReallocationRequest(Body):
    """Which day to look at, and what is known beyond the records."""

    work_date: Day = Field(examples=["2026-11-28"])
    work_h: dict[str, dict[str, Hours]] = Field(
        default_factory=dict,
        max_length=1_000,
        examples=[{"jinjiang": {"": 60, "fair": 24}}],
        description="Hours of work by region and skill (empty: anybody), instead of those predicted.",
    )
    absent: list[Code] = Field(default_factory=list, max_length=3_000, examples=[["R-WH-02"]])
    rules: RulesBody | None = None


class MoveAnswer(Answer):
    """One person lent for the day."""

    person: str
    from_region: str
    to_region: str
    hours_covered: float
    travel_min: float
    reason: str


class ShortfallAnswer(Answer):
    """Work that stays undone, and why."""

    region: str
    skill: str
    hours: float
    reasons: list[str]


class StaffReallocationAnswer(Answer):
    """Who goes where, and the hours of work left undone without and with the moves."""

    id: str
    work_date: date
    work_h: dict[str, dict[str, float]]
    moves: list[MoveAnswer]
    unserved_before_h: dict[str, float]
    unserved_after_h: dict[str, float]
    shortfalls: list[ShortfallAnswer]

    @classmethod
    def of(cls, stored: StoredReallocation, language: str) -> StaffReallocationAnswer:
        """Return the answer for a proposal, with reasons in the reader's language."""
        answer = stored.answer
        return cls(
            id=stored.id,
            work_date=stored.work_date,
            work_h={region.id: dict(region.work_h) for region in stored.problem.regions},
            moves=[
                MoveAnswer(
                    person=move.person_id,
                    from_region=move.from_region,
                    to_region=move.to_region,
                    hours_covered=round(move.hours_covered, 2),
                    travel_min=round(move.travel_min, 1),
                    reason=move.reason.in_language(language),
                )
                for move in answer.moves
            ],
            unserved_before_h={code: round(hours, 2) for code, hours in answer.unserved_before_h.items()},
            unserved_after_h={code: round(hours, 2) for code, hours in answer.unserved_after_h.items()},
            shortfalls=[
                ShortfallAnswer(
                    region=item.region_id,
                    skill=item.skill,
                    hours=round(item.hours, 2),
                    reasons=[reason.in_language(language) for reason in item.reasons],
                )
                for item in answer.shortfalls
            ],
        )
