"""Route plans: the day problem as it is asked, and the plan as it is answered."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from api.schemas import Answer, Body, Code, Day
from common.places import Location
from common.units import format_clock_time
from operations.day_plan import PlanSummary, StoredPlan

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Skill = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
ClockTime = Annotated[
    Annotated[int, Field(ge=0, le=48 * 3600)] | Annotated[str, StringConstraints(pattern=r"^\d{1,2}:\d{2}(:\d{2})?$")],
    Field(description="Clock time: `HH:MM`, or seconds since local midnight."),
]
Seconds = Annotated[int, Field(ge=0, le=48 * 3600)]
Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class LocationBody(Body):
    """A WGS-84 coordinate in degrees."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False, examples=[30.657])
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, examples=[104.081])


class WindowBody(Body):
    """A span in which the visit may start."""

    start_s: ClockTime = Field(examples=["09:30"])
    end_s: ClockTime = Field(examples=["11:30"])


class BreakBody(Body):
    """Time off that starts between two clock times."""

    earliest_s: ClockTime = Field(examples=["12:00"])
    latest_s: ClockTime = Field(examples=["12:30"])
    duration_s: Annotated[int, Field(gt=0, le=24 * 3600)] = Field(examples=[2700])


class VisitBody(Body):
    """A customer who could be visited."""

    id: Id = Field(examples=["S001"])
    name: Name = Field("", examples=["建设路 兄弟五金店"])
    location: LocationBody
    service_s: Seconds = Field(1200, examples=[1200])
    windows: list[WindowBody] = Field(default_factory=list, max_length=20)
    value: float = Field(1.0, ge=0, le=1e6, allow_inf_nan=False)
    grade: Literal["", "A", "B", "C"] = ""
    skills: list[Skill] = Field(default_factory=list, max_length=20)
    mandatory: bool = False
    load: int = Field(0, ge=0, le=1_000_000)


class RepBody(Body):
    """One person's working day."""

    id: Id = Field(examples=["R1"])
    name: Name = Field("", examples=["李伟"])
    start: LocationBody
    end: LocationBody | None = Field(None, description="Without it the round ends at the last visit.")
    shift_start_s: ClockTime = Field("09:00", examples=["09:00"])
    shift_end_s: ClockTime = Field("18:00", examples=["18:00"])
    breaks: list[BreakBody] = Field(default_factory=list, max_length=10)
    skills: list[Skill] = Field(default_factory=list, max_length=50)
    max_visits: int | None = Field(None, ge=0, le=1_000)
    capacity: int | None = Field(None, ge=0, le=1_000_000_000)
    overtime_s: Seconds = 0


Matrix = Annotated[list[list[float]], Field(min_length=1, max_length=2_700)]


class TravelBody(Body):
    """Travel times of one's own: a matrix, or a speed and a detour factor over the great circle.

    A matrix runs over the visits, then the reps' starts, then the ends of the reps who have one.
    """

    duration_s: Matrix | None = None
    distance_m: Matrix | None = None
    speed_kmh: float | None = Field(None, gt=0, le=200, allow_inf_nan=False)
    detour_factor: float | None = Field(None, ge=1, le=5, allow_inf_nan=False)


class WeightsBody(Body):
    """What a plan costs, in seconds of travel."""

    travel_s: Amount | None = None
    distance_m: Amount | None = None
    overtime_s: Amount | None = None
    value: Amount | None = None
    grade_factors: dict[Literal["A", "B", "C"], Amount] | None = None


class RoutePlanRequest(Body):
    """A day to plan: either a region of the organisation, or visits and reps of one's own."""

    plan_date: Day = Field(examples=["2026-11-23"])
    region: Code | None = Field(None, examples=["jinjiang"], description="Plan this region's customers who are due.")
    rep_codes: list[Code] | None = Field(None, min_length=1, max_length=300, description="Present; all by default.")
    visits: list[VisitBody] | None = Field(None, min_length=1, max_length=2_000)
    reps: list[RepBody] | None = Field(None, min_length=1, max_length=300)
    weights: WeightsBody | None = None
    travel: TravelBody | None = Field(None, description="For visits and reps of one's own.")
    time_limit_s: float = Field(5, gt=0, le=3_600, allow_inf_nan=False, examples=[5])
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _one_of_both(self) -> RoutePlanRequest:
        own = (self.visits is not None) + (self.reps is not None)
        if (self.region is None and own != 2) or (self.region is not None and own != 0):
            raise ValueError("give either a region, or both visits and reps")
        if self.region is not None and (self.travel or self.weights):
            raise ValueError("travel and weights go with visits and reps")
        if self.region is None and self.rep_codes is not None:
            raise ValueError("rep_codes go with a region")
        return self

    def mapping(self) -> dict[str, Any]:
        """Return the visits and reps of one's own in the shape of a problem file."""
        return self.model_dump(include={"visits", "reps", "weights", "travel"}, exclude_none=True)


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


class ReasonAnswer(Answer):
    """Why some reps cannot take a visit."""

    code: str = Field(examples=["day_full"])
    rep_ids: list[str]
    text: str


class UnassignedAnswer(Answer):
    """A visit left out, with reasons that were verified by trying."""

    visit_id: str
    name: str
    mandatory: bool
    reasons: list[ReasonAnswer]


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


class PlanSummariesAnswer(Answer):
    """The newest plans."""

    items: list[PlanSummaryAnswer]


class RoutePlanAnswer(PlanSummaryAnswer):
    """A plan: who visits whom, in which order, and what the checker says of it."""

    routes: list[RouteAnswer]
    unassigned: list[UnassignedAnswer]
    check: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredPlan, language: str) -> RoutePlanAnswer:
        """Return the answer for a stored plan, with reasons in the reader's language."""
        return cls(
            **summary_answer(stored.summary).model_dump(),
            routes=_routes(stored),
            unassigned=_unassigned(stored, language),
            check=stored.report,
        )


def summary_answer(summary: PlanSummary) -> PlanSummaryAnswer:
    """Return the answer for a plan in a line."""
    return PlanSummaryAnswer.model_validate(summary)


def _routes(stored: StoredPlan) -> list[RouteAnswer]:
    visits = {visit.id: visit for visit in stored.problem.visits}
    reps = {rep.id: rep for rep in stored.problem.reps}
    answers = []
    for route in stored.plan.routes:
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
            )
        )
    return answers


def _place(location: Location) -> LocationBody:
    return LocationBody(latitude=location.latitude, longitude=location.longitude)


def _unassigned(stored: StoredPlan, language: str) -> list[UnassignedAnswer]:
    names = {visit.id: visit.name for visit in stored.problem.visits}
    return [
        UnassignedAnswer(
            visit_id=item.visit_id,
            name=names[item.visit_id],
            mandatory=item.mandatory,
            reasons=[
                ReasonAnswer(code=reason.code, rep_ids=list(reason.rep_ids), text=reason.text.in_language(language))
                for reason in item.reasons
            ],
        )
        for item in stored.plan.unassigned
    ]
