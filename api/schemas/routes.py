"""Route plans: the day problem as it is asked, and the plan as it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from api.schemas import Answer
from api.schemas.asked_day import AskedDay, LocationBody, RepBody, VisitBody, WeightsBody
from api.schemas.due_customers import RhythmAnswer
from common.places import Location
from common.units import format_clock_time
from operations.day_plan import PlanSummary, StoredPlan
from routing.plan import DayPlan
from routing.problem import DayProblem
from routing.usable_visits import Unusable

__all__ = [
    "LocationBody",
    "PlanSummariesAnswer",
    "PlanSummaryAnswer",
    "RepBody",
    "RouteAnswer",
    "RoutePlanAnswer",
    "RoutePlanRequest",
    "StopAnswer",
    "UnassignedAnswer",
    "UnusableAnswer",
    "VisitBody",
    "WeightsBody",
    "route_answers",
    "summary_answer",
    "unassigned_answers",
    "unusable_answers",
]


class RoutePlanRequest(AskedDay):
    """A day to plan: either a region of the organisation, or visits and reps of one's own."""

    time_limit_s: float = Field(5, gt=0, le=3_600, allow_inf_nan=False, examples=[5])
    seed: int = Field(0, ge=0, le=2**31 - 1)


class StopAnswer(Answer):
    """One stop with its clock times."""

    position: int
    visit_id: str
    name: str
    location: LocationBody
    arrival: str = Field(examples=["09:42"])
    start: str = Field(examples=["09:42"])
    departure: str = Field(examples=["10:02"])
    wait_s: int
    travel_s: int
    distance_m: int


class BreakAnswer(Answer):
    """A break as planned."""

    start: str = Field(examples=["12:10"])
    end: str = Field(examples=["12:55"])


class RouteAnswer(Answer):
    """One rep's round."""

    rep_id: str
    rep_name: str
    start: LocationBody
    end: LocationBody | None
    departure: str
    finish: str
    stops: list[StopAnswer]
    breaks: list[BreakAnswer]
    travel_s: int
    distance_m: int
    overtime_s: int
    geometry: str | None = Field(
        None,
        description="The way on the streets, when the travel source knows it: an encoded polyline (precision 5).",
    )


class ReasonAnswer(Answer):
    """Why some reps cannot take a visit."""

    code: str = Field(examples=["day_full"])
    rep_ids: list[str]
    text: str


class RelaxationAnswer(Answer):
    """A change that would bring a visit into the plan, verified by trying; the amount is the least that is enough."""

    code: str = Field(examples=["extend_day"])
    rep_id: str | None
    visit_id: str | None = Field(description="With `drop_visit`: the visit that would go.")
    amount: float = Field(description="Seconds, metres, visits, packs, points or the stop's number, by the code.")
    text: str = Field(examples=["extend Li Wei's day by 25 min"])


class UnassignedAnswer(Answer):
    """A visit left out, with reasons and possible changes that were verified by trying."""

    visit_id: str
    name: str
    mandatory: bool
    reasons: list[ReasonAnswer]
    relaxations: list[RelaxationAnswer] = Field(description="The change that asks for least stands first.")


class UnusableAnswer(Answer):
    """A visit that could not be planned because a field of it is wrong."""

    id: str
    field: str = Field(examples=["/visits/3/location"])
    text: str


class PlanSummaryAnswer(Answer):
    """A plan in a line."""

    id: str
    plan_date: date
    region_code: str | None
    status: str
    feasible: bool
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    solve_s: float
    created_at: AwareDatetime
    created_by: str
    version: int = 1
    published_version: int | None = Field(None, description="The version that the reps see; none: the newest.")
    published_at: AwareDatetime | None = None
    published_by: str | None = None


class PlanSummariesAnswer(Answer):
    """The newest plans."""

    items: list[PlanSummaryAnswer]


class RoutePlanAnswer(PlanSummaryAnswer):
    """A plan: who visits whom, in which order, and what the checker says of it."""

    routes: list[RouteAnswer]
    unassigned: list[UnassignedAnswer]
    unusable: list[UnusableAnswer]
    rhythm: RhythmAnswer
    check: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredPlan, language: str) -> RoutePlanAnswer:
        """Return the answer for a stored plan, with reasons in the reader's language."""
        return cls(
            **summary_answer(stored.summary).model_dump(),
            routes=route_answers(stored.problem, stored.plan, stored.lines),
            unassigned=unassigned_answers(stored.problem, stored.plan, language),
            unusable=unusable_answers(stored.unusable, language),
            rhythm=RhythmAnswer.of(stored.rhythm, language),
            check={name: value for name, value in stored.report.items() if name != "geometry"},
        )


def summary_answer(summary: PlanSummary) -> PlanSummaryAnswer:
    """Return the answer for a plan in a line."""
    return PlanSummaryAnswer.model_validate(summary)


def route_answers(problem: DayProblem, plan: DayPlan, lines: Mapping[str, str] | None = None) -> list[RouteAnswer]:
    """Return each rep's round as it is answered; ``lines`` are the rounds on the streets by rep id."""
    visits = {visit.id: visit for visit in problem.visits}
    reps = {rep.id: rep for rep in problem.reps}
    answers = []
    for route in plan.routes:
        rep = reps[route.rep_id]
        stops = [
            StopAnswer(
                position=position,
                visit_id=stop.visit_id,
                name=visits[stop.visit_id].name,
                location=_place(visits[stop.visit_id].location),
                arrival=format_clock_time(stop.arrival_s),
                start=format_clock_time(stop.start_s),
                departure=format_clock_time(stop.departure_s),
                wait_s=stop.wait_s,
                travel_s=stop.travel_s,
                distance_m=stop.distance_m,
            )
            for position, stop in enumerate(route.stops, start=1)
        ]
        answers.append(
            RouteAnswer(
                rep_id=rep.id,
                rep_name=rep.name,
                start=_place(rep.start),
                end=_place(rep.end) if rep.end else None,
                departure=format_clock_time(route.departure_s),
                finish=format_clock_time(route.end_s),
                stops=stops,
                breaks=[
                    BreakAnswer(start=format_clock_time(item.start_s), end=format_clock_time(item.end_s))
                    for item in route.breaks
                ],
                travel_s=route.travel_s,
                distance_m=route.distance_m,
                overtime_s=route.overtime_s,
                geometry=(lines or {}).get(rep.id),
            )
        )
    return answers


def _place(location: Location) -> LocationBody:
    return LocationBody(latitude=location.latitude, longitude=location.longitude)


def unassigned_answers(problem: DayProblem, plan: DayPlan, language: str) -> list[UnassignedAnswer]:
    """Return what is left out, with reasons and possible changes in the reader's language."""
    names = {visit.id: visit.name for visit in problem.visits}
    return [
        UnassignedAnswer(
            visit_id=item.visit_id,
            name=names[item.visit_id],
            mandatory=item.mandatory,
            reasons=[
                ReasonAnswer(code=reason.code, rep_ids=list(reason.rep_ids), text=reason.text.in_language(language))
                for reason in item.reasons
            ],
            relaxations=[
                RelaxationAnswer(
                    code=found.code,
                    rep_id=found.rep_id,
                    visit_id=found.visit_id,
                    amount=found.amount,
                    text=found.text.in_language(language),
                )
                for found in item.relaxations
            ],
        )
        for item in plan.unassigned
    ]


def unusable_answers(unusable: Sequence[Unusable], language: str) -> list[UnusableAnswer]:
    """Return the visits that could not be planned, in the reader's language."""
    return [UnusableAnswer(id=item.id, field=item.field, text=item.text.in_language(language)) for item in unusable]
