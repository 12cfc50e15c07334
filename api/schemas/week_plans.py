"""Several days planned together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field

from api.schemas import Answer, Body, Code, Day
from api.schemas.asked_day import RepeatReasons
from api.schemas.routes import ReasonAnswer
from operations.week_plan import MOST_DAYS


class WeekPlanRequest(Body):
    """A region's days to plan together."""

    region: Code = Field(examples=["jinjiang"])
    start: Day = Field(examples=["2026-11-30"], description="The first day.")
    days: int = Field(MOST_DAYS, ge=1, le=MOST_DAYS, examples=[7])
    days_off: Literal["none", "holidays", "rest_days"] = Field(
        "holidays",
        description="Days without a plan: none, public holidays, or weekends as well. Make-up working days are worked.",
    )
    rep_codes: list[Code] | None = Field(None, min_length=1, max_length=300, description="Present; all by default.")
    repeat_reasons: RepeatReasons | None = Field(
        None, description="Customers to visit although that is a repeat or they are not due, each with the reason."
    )
    time_limit_s: float = Field(20, gt=0, le=3_600, allow_inf_nan=False, description="Of all days together.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class SkippedAnswer(Answer):
    """Why a day has no plan."""

    code: Literal["holiday", "weekend", "nobody_due"]
    text: str


class PlannedDayAnswer(Answer):
    """One of the days: its plan, or why it has none."""

    day: date
    skipped: SkippedAnswer | None
    route_plan_id: str | None = None
    feasible: bool | None = None
    assigned: int = 0
    unassigned: int = 0


class NotPlacedAnswer(Answer):
    """A customer whom no day serves, with the reasons of the last day that tried."""

    visit_id: str
    name: str
    grade: str
    reasons: list[ReasonAnswer]


class WeekPlanAnswer(Answer):
    """The days; each plan can be read by its id."""

    region: str
    days: list[PlannedDayAnswer]
    not_placed: list[NotPlacedAnswer]

    @classmethod
    def of(cls, result: Mapping[str, Any], language: str) -> WeekPlanAnswer:
        """Return the answer for what the job has stored, in the reader's language."""
        told = "zh" if language.lower().startswith("zh") else "en"
        return cls(
            region=result["region"],
            days=[_day(day, told) for day in result["days"]],
            not_placed=[
                NotPlacedAnswer(
                    visit_id=item["visit_id"],
                    name=item["name"],
                    grade=item["grade"],
                    reasons=[
                        ReasonAnswer(code=why["code"], rep_ids=why["rep_ids"], text=why[told])
                        for why in item["reasons"]
                    ],
                )
                for item in result["not_placed"]
            ],
        )


def _day(day: Mapping[str, Any], told: str) -> PlannedDayAnswer:
    skipped = day["skipped"]
    return PlannedDayAnswer(
        day=date.fromisoformat(day["date"]),
        skipped=SkippedAnswer(code=skipped["code"], text=skipped[told]) if skipped else None,
        route_plan_id=day.get("route_plan_id"),
        feasible=day.get("feasible"),
        assigned=day.get("assigned", 0),
        unassigned=day.get("unassigned", 0),
    )
