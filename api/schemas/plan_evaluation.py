"""A plan of one's own to evaluate, and what it comes to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from api.schemas import Answer
from api.schemas.asked_day import AskedDay, Id
from api.schemas.routes import (
    RouteAnswer,
    UnassignedAnswer,
    UnusableAnswer,
    route_answers,
    unassigned_answers,
    unusable_answers,
)
from operations.plan_evaluation import EvaluatedPlan
from routing.check import CheckReport, PlanCost

Order = Annotated[list[Id], Field(max_length=2_000)]


class PlanEvaluationRequest(AskedDay):
    """A plan of one's own: a region's day or visits and reps, and for each rep the visits in their order."""

    routes: dict[Id, Order] = Field(
        max_length=300,
        examples=[{"R1": ["S001", "S002"]}],
        description="Visit ids in order, by rep id. Reps who are not named stay at home, other visits are left out.",
    )

    @model_validator(mode="after")
    def _some_length(self) -> PlanEvaluationRequest:
        if sum(len(order) for order in self.routes.values()) > 4_000:
            raise ValueError("the routes have more than 4000 stops")
        return self


class ViolationAnswer(Answer):
    """One breach of one constraint."""

    constraint: str = Field(examples=["time_windows"])
    rep_id: str | None
    visit_id: str | None
    amount: float = Field(description="By how much: seconds, metres, visits or packs.")
    text: str


class CostAnswer(Answer):
    """What the plan costs, in seconds of travel, and its parts."""

    total: float
    travel: float
    distance: float
    overtime: float
    left_out: float
    fixed: float
    change: float
    fairness: float


class PlanEvaluationAnswer(Answer):
    """What a plan of one's own comes to."""

    feasible: bool
    drivable: bool = Field(
        description="Every round holds as it stands; at most visits that had to be made are missing."
    )
    checked: list[str] = Field(description="The constraints that were looked at, broken or not.")
    violations: list[ViolationAnswer]
    cost: CostAnswer
    served: int
    travel_s: int
    distance_m: int
    wait_s: int
    overtime_s: int
    routes: list[RouteAnswer]
    unassigned: list[UnassignedAnswer]
    unusable: list[UnusableAnswer]

    @classmethod
    def of(cls, evaluated: EvaluatedPlan, language: str) -> PlanEvaluationAnswer:
        """Return the answer in the reader's language."""
        problem, plan, report = evaluated.problem, evaluated.plan, evaluated.report
        return cls(
            feasible=report.feasible,
            drivable=report.drivable,
            checked=list(report.checked),
            violations=_violations(report, language),
            cost=_cost(report.cost),
            served=report.served,
            travel_s=report.travel_s,
            distance_m=report.distance_m,
            wait_s=plan.summary.wait_s,
            overtime_s=plan.summary.overtime_s,
            routes=route_answers(problem, plan),
            unassigned=unassigned_answers(problem, plan, language),
            unusable=unusable_answers(evaluated.unusable, language),
        )


def _violations(report: CheckReport, language: str) -> list[ViolationAnswer]:
    return [
        ViolationAnswer(
            constraint=found.constraint,
            rep_id=found.rep_id,
            visit_id=found.visit_id,
            amount=found.amount,
            text=found.text.in_language(language),
        )
        for found in report.violations
    ]


def _cost(cost: PlanCost) -> CostAnswer:
    return CostAnswer(
        total=cost.total,
        travel=cost.travel,
        distance=cost.distance,
        overtime=cost.overtime,
        left_out=cost.left_out,
        fixed=cost.fixed,
        change=cost.change,
        fairness=cost.fairness,
    )
