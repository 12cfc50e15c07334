"""A request and an answer in the shape of Google's Route Optimization (``google.maps.routeoptimization.v1``, REST)."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from api.schemas import Body

LONGEST_S = 48 * 3600


_DURATION = re.compile(r"\d{1,9}(\.\d{1,9})?s")


def _whole_seconds(given: object) -> int:
    if not isinstance(given, str) or not _DURATION.fullmatch(given):
        raise ValueError("must be written like 300s")
    seconds = math.ceil(float(given.removesuffix("s")))
    if seconds > LONGEST_S:
        raise ValueError(f"must be at most {LONGEST_S}s")
    return seconds


Duration = Annotated[
    int,
    BeforeValidator(_whole_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,5}s$", "examples": ["300s"]}),
]
"""Seconds, written like ``300s``."""
Whole = Annotated[int, Field(ge=0, le=2**53)]
"""An int64: a number, or the same as text."""
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Label = Annotated[str, StringConstraints(max_length=200)]
Moment = Annotated[AwareDatetime, Field(examples=["2026-11-23T09:00:00+08:00"])]


class TourLatLng(Body):
    """A WGS-84 coordinate in degrees."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False, examples=[30.657])
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, examples=[104.081])


class TourWaypointLocation(Body):
    """A place as a waypoint holds it."""

    latLng: TourLatLng  # noqa: N815


class TourWaypoint(Body):
    """A place to go through."""

    location: TourWaypointLocation


class TourTimeWindow(Body):
    """A span in which something starts or ends; a side left out is open."""

    startTime: Moment | None = None  # noqa: N815
    endTime: Moment | None = None  # noqa: N815


class TourLoad(Body):
    """How much of one kind of load."""

    amount: Whole = 0


class TourLoadLimit(Body):
    """How much of one kind of load a vehicle carries."""

    maxLoad: Whole  # noqa: N815


class TourVisitRequest(Body):
    """A visit at one place."""

    arrivalLocation: TourLatLng | None = None  # noqa: N815
    arrivalWaypoint: TourWaypoint | None = None  # noqa: N815
    timeWindows: list[TourTimeWindow] = Field(default_factory=list, max_length=100)  # noqa: N815
    duration: Duration | None = None
    label: Label = ""


class TourShipment(Body):
    """A pickup, a delivery, or both by one vehicle; without `penaltyCost` it comes before every other."""

    pickups: list[TourVisitRequest] = Field(default_factory=list, max_length=20)
    deliveries: list[TourVisitRequest] = Field(default_factory=list, max_length=20)
    loadDemands: dict[Label, TourLoad] = Field(default_factory=dict)  # noqa: N815
    penaltyCost: Money | None = None  # noqa: N815
    allowedVehicleIndices: list[Annotated[int, Field(ge=0)]] | None = Field(None, max_length=300)  # noqa: N815
    label: Label = ""
    displayName: Label = ""  # noqa: N815
    ignore: bool = False


class TourBreakRequest(Body):
    """A break that starts between two moments."""

    earliestStartTime: Moment | None = None  # noqa: N815
    latestStartTime: Moment | None = None  # noqa: N815
    minDuration: Duration  # noqa: N815


class TourBreakRule(Body):
    """A vehicle's breaks, in order."""

    breakRequests: list[TourBreakRequest] = Field(default_factory=list, max_length=10)  # noqa: N815


class TourDurationLimit(Body):
    """Most time."""

    maxDuration: Duration  # noqa: N815


class TourDistanceLimit(Body):
    """Most metres."""

    maxMeters: Whole  # noqa: N815


class TourVehicle(Body):
    """A vehicle and its driver: one day of one rep."""

    startLocation: TourLatLng | None = None  # noqa: N815
    endLocation: TourLatLng | None = None  # noqa: N815
    startWaypoint: TourWaypoint | None = None  # noqa: N815
    endWaypoint: TourWaypoint | None = None  # noqa: N815
    startTimeWindows: list[TourTimeWindow] = Field(default_factory=list, max_length=20)  # noqa: N815
    endTimeWindows: list[TourTimeWindow] = Field(default_factory=list, max_length=20)  # noqa: N815
    loadLimits: dict[Label, TourLoadLimit] = Field(default_factory=dict)  # noqa: N815
    costPerHour: Money = 0.0  # noqa: N815
    costPerTraveledHour: Money = 0.0  # noqa: N815
    costPerKilometer: Money = 0.0  # noqa: N815
    fixedCost: Money = 0.0  # noqa: N815
    travelDurationMultiple: float = Field(1.0, ge=0.001, le=1000, allow_inf_nan=False)  # noqa: N815
    routeDurationLimit: TourDurationLimit | None = None  # noqa: N815
    travelDurationLimit: TourDurationLimit | None = None  # noqa: N815
    routeDistanceLimit: TourDistanceLimit | None = None  # noqa: N815
    breakRule: TourBreakRule | None = None  # noqa: N815
    label: Label = ""
    displayName: Label = ""  # noqa: N815
    ignore: bool = False


class TourModel(Body):
    """What is to be planned."""

    shipments: list[TourShipment] = Field(default_factory=list, max_length=2_000)
    vehicles: list[TourVehicle] = Field(default_factory=list, max_length=300)
    globalStartTime: Moment | None = None  # noqa: N815
    globalEndTime: Moment | None = None  # noqa: N815


class TourInjectedVisit(BaseModel):
    """A visit of a plan to begin with; more of an answer's visit may stand here."""

    model_config = ConfigDict(extra="ignore")

    shipmentIndex: int = Field(0, ge=0)  # noqa: N815
    isPickup: bool = False  # noqa: N815


class TourInjectedRoute(BaseModel):
    """A route of a plan to begin with; more of an answer's route may stand here."""

    model_config = ConfigDict(extra="ignore")

    vehicleIndex: int = Field(0, ge=0)  # noqa: N815
    visits: list[TourInjectedVisit] = Field(default_factory=list, max_length=4_000)


class OptimizeToursRequest(Body):
    """The model to plan; what would change the plan's meaning and is not offered, is named as an unknown field."""

    model: TourModel = Field(
        examples=[
            {
                "globalStartTime": "2026-11-23T09:00:00+08:00",
                "globalEndTime": "2026-11-23T18:00:00+08:00",
                "shipments": [
                    {
                        "label": "S001",
                        "penaltyCost": 50,
                        "deliveries": [
                            {"arrivalLocation": {"latitude": 30.66, "longitude": 104.06}, "duration": "900s"}
                        ],
                    }
                ],
                "vehicles": [
                    {"label": "R1", "startLocation": {"latitude": 30.65, "longitude": 104.07}, "costPerHour": 30}
                ],
            }
        ]
    )
    timeout: Duration | None = Field(None, description="Longest time of the search.")
    injectedFirstSolutionRoutes: list[TourInjectedRoute] = Field(default_factory=list, max_length=300)  # noqa: N815
    populatePolylines: bool = False  # noqa: N815
    label: Label = ""
    parent: Label = ""
    solvingMode: Literal["DEFAULT_SOLVE"] = "DEFAULT_SOLVE"  # noqa: N815
    searchMode: Literal["SEARCH_MODE_UNSPECIFIED", "RETURN_FAST", "CONSUME_ALL_AVAILABLE_TIME"] = (  # noqa: N815
        "SEARCH_MODE_UNSPECIFIED"
    )
    considerRoadTraffic: bool = False  # noqa: N815
    useGeodesicDistances: bool = False  # noqa: N815


class OptimizeToursAnswer(BaseModel):
    """Routes in the order of the vehicles, shipments left out with their reasons, and totals."""

    requestLabel: str = ""  # noqa: N815
    routes: list[dict[str, Any]]
    skippedShipments: list[dict[str, Any]]  # noqa: N815
    metrics: dict[str, Any]
