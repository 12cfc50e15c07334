"""A day as it is asked: a region, or visits and reps of one's own, of which single ones may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from api.field_problems import field_problem
from api.schemas import Body, Code, Day
from common.errors import FieldProblem
from common.places import Location
from routing.usable_visit_files import unreadable, usable_day_from_mapping
from routing.usable_visits import Area, Conditions, Unreadable, UsableDay

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Skill = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
ClockTime = Annotated[
    Annotated[int, Field(ge=0, le=48 * 3600)] | Annotated[str, StringConstraints(pattern=r"^\d{1,2}:\d{2}(:\d{2})?$")],
    Field(description="Clock time: `HH:MM`, or seconds since local midnight."),
]
Seconds = Annotated[int, Field(ge=0, le=48 * 3600)]
Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
CoordinateSystem = Literal["wgs84", "gcj02", "bd09"]


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
    load: int = Field(0, ge=0, le=1_000_000, description="Gift packs handed over.")
    collect: int = Field(
        0, ge=0, le=1_000_000, description="Gift packs taken in for the visit that names this one in `after`."
    )
    after: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        "", description="A visit that the same rep makes earlier in the round."
    )
    allowed_reps: list[Id] | None = Field(None, max_length=300, description="Who may make it; anybody by default.")
    usual_rep: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        "", description="Who should make it: anybody else costs `weights.change`."
    )
    coordinate_system: CoordinateSystem | None = Field(None, description="Of its location; the request's by default.")


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
    max_travel_s: int | None = Field(None, ge=0, le=1_000_000_000, description="Most seconds on the way.")
    max_distance_m: int | None = Field(None, ge=0, le=1_000_000_000, description="Most metres on the way.")
    fixed_cost: Amount = Field(0.0, description="What it costs that the rep goes out at all, in seconds of travel.")
    first_stops: list[Id] = Field(
        default_factory=list, max_length=2_000, description="Locked: the round begins with these visits, in order."
    )
    coordinate_system: CoordinateSystem | None = Field(
        None, description="Of its start and end; the request's by default."
    )


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
    change: Amount | None = Field(None, description="For each visit that another than its usual rep makes.")
    fairness: Amount | None = Field(None, description="Times how unequal the reps' days are.")
    fairness_measure: Literal["minutes", "visits", "value"] | None = None
    grade_factors: dict[Literal["A", "B", "C"], Amount] | None = None


def _kept_apart(value: Any, read: ValidatorFunctionWrapHandler) -> VisitBody | Unreadable:
    """Return the visit, or what is wrong with it: one bad customer does not fail the request."""
    try:
        visit: VisitBody = read(value)
    except ValidationError as error:
        return unreadable(value, [_within_item(item) for item in error.errors()])
    return visit


def _within_item(item: Mapping[str, Any]) -> FieldProblem:
    """Return one entry of ``errors()`` with a pointer that begins at the visit."""
    problem = field_problem({**item, "loc": ("body", *item["loc"])})
    return FieldProblem("", problem.text) if problem.pointer == "/" else problem


VisitItem = Annotated[VisitBody, WrapValidator(_kept_apart)]


class AreaBody(Body):
    """Where visits may lie."""

    centre: LocationBody
    radius_km: float = Field(gt=0, le=20_000, allow_inf_nan=False, examples=[60])


RepeatReason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
RepeatReasons = Annotated[dict[Code, RepeatReason], Field(max_length=300, examples=[{"C-JJ-0012": "asked us back"}])]


class AskedDay(Body):
    """A day: either a region of the organisation, or visits and reps of one's own."""

    plan_date: Day = Field(examples=["2026-11-23"])
    region: Code | None = Field(None, examples=["jinjiang"], description="Take this region's customers who are due.")
    rep_codes: list[Code] | None = Field(None, min_length=1, max_length=300, description="Present; all by default.")
    visits: list[VisitItem] | None = Field(None, min_length=1, max_length=2_000)
    reps: list[RepBody] | None = Field(None, min_length=1, max_length=300)
    weights: WeightsBody | None = None
    travel: TravelBody | None = Field(None, description="For visits and reps of one's own.")
    coordinate_system: CoordinateSystem = Field(
        "wgs84", description="Of all places of the request: GPS, Amap and Tencent (gcj02), or Baidu (bd09)."
    )
    area: AreaBody | None = Field(None, description="Visits outside it are left out and named; its centre is WGS-84.")
    repeat_reasons: RepeatReasons | None = Field(
        None, description="Customers to visit although that is a repeat or they are not due, each with the reason."
    )
    strict: bool = Field(
        False, description="Fail when a visit cannot be used, instead of leaving it out and naming it in `unusable`."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        own = (self.visits is not None) + (self.reps is not None)
        if (self.region is None and own != 2) or (self.region is not None and own != 0):
            raise ValueError("give either a region, or both visits and reps")
        if self.region is not None and (self.travel or self.weights):
            raise ValueError("travel and weights go with visits and reps")
        if self.region is None and self.rep_codes is not None:
            raise ValueError("rep_codes go with a region")
        return self

    def mapping(self) -> dict[str, Any]:
        """Return the day of one's own in the shape of a problem file; unreadable visits stay as they are."""
        mapping = self.model_dump(include={"reps", "weights", "travel", "coordinate_system"}, exclude_none=True)
        visits = [
            item if isinstance(item, Unreadable) else item.model_dump(exclude_none=True) for item in self.visits or ()
        ]
        return {**mapping, "visits": visits}

    def conditions(self) -> Conditions:
        """Return what visits are held to."""
        area = None
        if self.area is not None:
            centre = Location(self.area.centre.latitude, self.area.centre.longitude)
            area = Area(centre, self.area.radius_km)
        return Conditions(area=area, strict=self.strict)

    def usable_day(self) -> UsableDay:
        """Return the day of one's own without the visits that cannot be used.

        Raises
        ------
        InvalidInput
            When no visit can be used, or a rep is wrong.
        """
        return usable_day_from_mapping(self.mapping(), conditions=self.conditions())
