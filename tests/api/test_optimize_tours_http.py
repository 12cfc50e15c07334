"""A client of Google's Route Optimization finds its own names: routes, transitions, skipped shipments with reasons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Client

HOME = {"latitude": 30.65, "longitude": 104.07}


def at(clock: str) -> str:
    return f"2026-11-23T{clock}:00+08:00"


def visit(longitude: float, **more: Any) -> list[dict[str, Any]]:
    return [{"arrivalLocation": {"latitude": 30.66, "longitude": longitude}, "duration": "600s", **more}]


def model(**more: Any) -> dict[str, Any]:
    return {
        "globalStartTime": at("09:00"),
        "globalEndTime": at("18:00"),
        "shipments": [
            {"label": "a", "deliveries": visit(104.06), "loadDemands": {"packs": {"amount": "2"}}},
            {
                "label": "b",
                "deliveries": visit(104.08, timeWindows=[{"startTime": at("10:00"), "endTime": at("11:00")}]),
                "penaltyCost": 100,
            },
            {
                "label": "c",
                "pickups": visit(104.05),
                "deliveries": visit(104.09),
                "loadDemands": {"packs": {"amount": 3}},
            },
        ],
        "vehicles": [
            {
                "label": "李伟",
                "startLocation": HOME,
                "endLocation": HOME,
                "costPerHour": 30,
                "costPerKilometer": 1,
                "loadLimits": {"packs": {"maxLoad": "4"}},
                "breakRule": {
                    "breakRequests": [
                        {
                            "earliestStartTime": at("12:00"),
                            "latestStartTime": at("13:00"),
                            "minDuration": "2700s",
                        }
                    ]
                },
            },
            {"label": "王芳", "startLocation": HOME, "costPerHour": 30, "loadLimits": {"packs": {"maxLoad": 1}}},
        ],
        **more,
    }


@pytest.fixture(scope="module")
def planner(signed_in: Client) -> TestClient:
    return signed_in("logistics")


def ask(planner: TestClient, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = planner.post("/v1/optimize-tours", json={"model": given, "timeout": "1s", **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_every_shipment_is_on_a_route_whose_transitions_and_visits_fill_its_time(planner: TestClient) -> None:
    found = ask(planner, model(), label="monday", populatePolylines=True)
    assert (found["requestLabel"], found["skippedShipments"]) == ("monday", [])
    assert [route["vehicleIndex"] for route in found["routes"]] == [0, 1]
    used = [route for route in found["routes"] if route["visits"]]
    served = [(visit["shipmentLabel"], visit["isPickup"]) for route in used for visit in route["visits"]]
    assert sorted(served) == [("a", False), ("b", False), ("c", False), ("c", True)]
    for route in used:
        assert len(route["transitions"]) == len(route["visits"]) + 1
        visited = sum(600 for _ in route["visits"])
        between = sum(seconds(one["totalDuration"]) for one in route["transitions"])
        total = moment(route["vehicleEndTime"]) - moment(route["vehicleStartTime"])
        assert visited + between == total == seconds(route["metrics"]["totalDuration"])
        for one in route["transitions"]:
            parts = [seconds(one[f"{part}Duration"]) for part in ("travel", "break", "wait")]
            assert sum(parts) == seconds(one["totalDuration"])
        assert route["routePolyline"]["points"]
    first = found["routes"][0]
    starts = {visit["shipmentLabel"] + str(visit["isPickup"]): visit["startTime"] for visit in first["visits"]}
    assert starts["cTrue"] < starts["cFalse"]
    assert int(first["metrics"]["maxLoads"]["packs"]["amount"]) <= 4
    whole = [visit for route in used for visit in route["visits"] if visit["shipmentLabel"] == "b"]
    assert moment(at("10:00")) <= moment(whole[0]["startTime"]) <= moment(at("11:00"))


def test_costs_and_metrics_add_up(planner: TestClient) -> None:
    found = ask(planner, model())
    used = [route for route in found["routes"] if route["visits"]]
    assert found["metrics"]["totalCost"] == pytest.approx(sum(route["routeTotalCost"] for route in used))
    assert found["metrics"]["usedVehicleCount"] == len(used)
    first = found["routes"][0]
    hours = seconds(first["metrics"]["totalDuration"]) / 3600
    costs = first["routeCosts"]
    assert costs["model.vehicles.cost_per_hour"] == pytest.approx(30 * hours)
    assert costs["model.vehicles.cost_per_kilometer"] == pytest.approx(first["metrics"]["travelDistanceMeters"] / 1000)


def only(shipment: dict[str, Any], **vehicle: Any) -> dict[str, Any]:
    base = {"startLocation": HOME, "endLocation": HOME, "costPerHour": 30, **vehicle}
    return model(shipments=[{"deliveries": visit(104.06), **shipment}], vehicles=[base])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (
            only({"loadDemands": {"packs": {"amount": 9}}}, loadLimits={"packs": {"maxLoad": 4}}),
            "DEMAND_EXCEEDS_VEHICLE_CAPACITY",
        ),
        (
            only({"deliveries": visit(104.06, timeWindows=[{"endTime": at("09:00")}])}),
            "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TIME_WINDOWS",
        ),
        (
            only({"deliveries": visit(104.06, duration="40000s")}),
            "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TIME_WINDOWS",
        ),
        (only({}, routeDistanceLimit={"maxMeters": 10}), "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_DISTANCE_LIMIT"),
        (
            only({}, travelDurationLimit={"maxDuration": "10s"}),
            "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TRAVEL_DURATION_LIMIT",
        ),
        (only({"penaltyCost": 0}), "ZERO_PENALTY_COST"),
        (only({"ignore": True}), "SHIPMENT_IGNORED"),
        (only({}, ignore=True), "NO_VEHICLE"),
    ],
)
def test_a_shipment_that_cannot_be_done_is_skipped_with_googles_reason(
    planner: TestClient, given: dict[str, Any], code: str
) -> None:
    found = ask(planner, given)
    (skipped,) = found["skippedShipments"]
    assert skipped["index"] == 0
    assert code in {reason["code"] for reason in skipped["reasons"]}


def test_a_vehicle_that_is_not_allowed_is_named_with_the_reason(planner: TestClient) -> None:
    tight = {"endTimeWindows": [{"endTime": at("09:05")}]}
    given = model(
        shipments=[{"deliveries": visit(104.06), "allowedVehicleIndices": [1]}],
        vehicles=[{"startLocation": HOME}, {"startLocation": HOME, "endLocation": HOME, **tight}],
    )
    (skipped,) = ask(planner, given)["skippedShipments"]
    reasons = {reason["code"]: reason.get("exampleVehicleIndex") for reason in skipped["reasons"]}
    assert reasons == {"VEHICLE_NOT_ALLOWED": 0, "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TIME_WINDOWS": 1}
    assert all(reason["explanation"] for reason in skipped["reasons"])


def test_googles_own_path_answers_too(planner: TestClient) -> None:
    answer = planner.post("/v1/projects/anything:optimizeTours", json={"model": model(), "timeout": "1s"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["metrics"]["skippedMandatoryShipmentCount"] == 0


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (model(shipments=[{}]), "/model/shipments/0"),
        (model(shipments=[{"deliveries": [{"duration": "5s"}]}]), "/model/shipments/0/deliveries/0/arrivalLocation"),
        (model(shipments=[{"deliveries": visit(104.06, duration="5")}]), "/model/shipments/0/deliveries/0/duration"),
        (model(shipments=[{"deliveries": visit(104.06) * 2}]), "/model/shipments/0/deliveries/1"),
        (model(shipments=[{"deliveries": visit(204.0)}]), "/model/shipments/0/deliveries/0/arrivalLocation/longitude"),
        (
            model(shipments=[{"deliveries": visit(104.06), "allowedVehicleIndices": [5]}]),
            "/model/shipments/0/allowedVehicleIndices/0",
        ),
        (model(vehicles=[{"costPerDay": 3}]), "/model/vehicles/0/costPerDay"),
        (
            model(vehicles=[{"startTimeWindows": [{"startTime": at("12:00"), "endTime": at("11:00")}]}]),
            "/model/vehicles/0/startTimeWindows/0",
        ),
        (model(globalStartTime="tomorrow"), "/model/globalStartTime"),
    ],
)
def test_wrong_input_names_its_field(planner: TestClient, given: dict[str, Any], pointer: str) -> None:
    answer = planner.post("/v1/optimize-tours", json={"model": given})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_whoever_may_not_plan_may_not_plan_in_this_shape_either(signed_in: Client) -> None:
    assert signed_in("rep").post("/v1/optimize-tours", json={"model": model()}).status_code == 403
