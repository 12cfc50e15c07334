"""The request and answer of VROOM (1.15, docs/API.md of the VROOM project). Unknown fields are ignored, as there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[int, Field(ge=0, le=2**63 - 1)] | Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=1_000)]
Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\n]*$")]
Whole = Annotated[int, Field(ge=0, le=2**53)]
Seconds = Annotated[int, Field(ge=0, le=48 * 3600)]
Money = Annotated[int, Field(ge=0, le=1_000_000_000)]
Location = Annotated[
    tuple[
        Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)],
        Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)],
    ],
    Field(description="`[longitude, latitude]`"),
]
Window = Annotated[tuple[Whole, Whole], Field(description="`[start, end]`, both included")]
Windows = Annotated[list[Window], Field(max_length=100)]
Amounts = Annotated[list[Whole], Field(max_length=20)]
Skills = Annotated[list[Whole], Field(max_length=200)]
Rows = Annotated[list[list[Whole]], Field(min_length=1, max_length=5_000)]


class VroomPart(BaseModel):
    """Base of VROOM's objects: what is not known is ignored."""

    model_config = ConfigDict(extra="ignore")


class VroomStep(VroomPart):
    """A place where something is done."""

    id: Id = Field(examples=[1])
    description: Text | None = None
    location: Location | None = Field(None, examples=[[104.081, 30.657]])
    location_index: Annotated[int, Field(ge=0, le=5_000)] | None = None
    setup: Seconds = 0
    service: Seconds = 0
    setup_per_type: dict[Name, Seconds] | None = None
    service_per_type: dict[Name, Seconds] | None = None
    time_windows: Windows | None = None


class VroomShared(VroomPart):
    """What a job and a shipment have in common."""

    skills: Skills | None = None
    priority: int = Field(0, ge=0, le=100)


class VroomJob(VroomStep, VroomShared):
    """One task at one place."""

    delivery: Amounts | None = None
    pickup: Amounts | None = None
    amount: Amounts | None = Field(None, description="Old name of `delivery`.")


class VroomShipment(VroomShared):
    """A pickup and the delivery after it, by one vehicle."""

    pickup: VroomStep
    delivery: VroomStep
    amount: Amounts | None = None


class VroomBreak(VroomPart):
    """Time off that starts within one of its windows."""

    id: Id
    service: Seconds = 0
    time_windows: Windows | None = None
    description: Text | None = None


class VroomCosts(VroomPart):
    """What a vehicle costs."""

    fixed: Money = 0
    per_hour: Money = 3600
    per_km: Money = 0


class VroomVehicleStep(VroomPart):
    """A step of a given round."""

    type: Literal["start", "job", "pickup", "delivery", "break", "end"]
    id: Id | None = None
    service_at: Whole | None = None
    service_after: Whole | None = None
    service_before: Whole | None = None


class VroomVehicle(VroomPart):
    """One vehicle; `start` and `end` may be left out, but not both."""

    id: Id = Field(examples=[1])
    profile: Name | None = Field(None, examples=["car"])
    description: Text | None = None
    start: Location | None = Field(None, examples=[[104.07, 30.65]])
    start_index: Annotated[int, Field(ge=0, le=5_000)] | None = None
    end: Location | None = None
    end_index: Annotated[int, Field(ge=0, le=5_000)] | None = None
    capacity: Amounts | None = None
    costs: VroomCosts | None = None
    skills: Skills | None = None
    type: Name | None = None
    time_window: Window | None = None
    breaks: list[VroomBreak] | None = Field(None, max_length=10)
    speed_factor: float = Field(1.0, gt=0.01, le=5)
    max_tasks: Whole | None = None
    max_travel_time: Whole | None = None
    max_distance: Whole | None = None
    steps: list[VroomVehicleStep] | None = Field(None, max_length=5_000)


class VroomMatrices(VroomPart):
    """Matrices of one profile: seconds, metres, and costs instead of both."""

    durations: Rows
    distances: Rows | None = None
    costs: Rows | None = None


class VroomFlags(VroomPart):
    """Options of the `vroom` command, as its HTTP wrapper takes them."""

    g: bool = Field(False, description="Give each route's geometry.")
    c: bool = Field(False, description="Plan mode: time the rounds in the vehicles' `steps`.")
    x: Annotated[int, Field(ge=0, le=5)] | None = Field(None, description="Exploration level: less than 5 is quicker.")
    t: Whole | None = Field(None, description="Ignored: one search takes one thread.")
    limit: float | None = Field(None, alias="l", gt=0, le=3_600, description="Seconds that the search may take.")


class VroomRequest(VroomPart):
    """VROOM's input: jobs or shipments, vehicles, and matrices where travel times are one's own."""

    jobs: list[VroomJob] | None = Field(None, examples=[[{"id": 1, "location": [104.081, 30.657], "service": 600}]])
    shipments: list[VroomShipment] | None = None
    vehicles: list[VroomVehicle] = Field(examples=[[{"id": 1, "start": [104.07, 30.65], "end": [104.07, 30.65]}]])
    matrices: dict[Name, VroomMatrices] | None = None
    matrix: Rows | None = Field(None, description="Old name of the durations of `car`.")
    options: VroomFlags = Field(default_factory=VroomFlags)


class VroomAnswer(BaseModel):
    """VROOM's output: `code` 0, a summary, what was left out, and each vehicle's steps."""

    code: int = Field(examples=[0])
    summary: dict[str, Any]
    unassigned: list[dict[str, Any]]
    routes: list[dict[str, Any]]


class VroomError(BaseModel):
    """VROOM's error: `code` 1 (internal), 2 (input), 3 (routing) or 4 (too large), and what is wrong."""

    code: int = Field(examples=[2])
    error: str = Field(examples=["/jobs/0/location: coordinates are missing, and no matrix is given"])
