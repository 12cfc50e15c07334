"""A fleet's plan in the shape of Google's Route Optimization answer: routes, skipped shipments, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from routing.fleet.model import Task, Vehicle
from routing.fleet.plan import FleetPlan
from routing.fleet.timetable import Step, costs_of, is_outside
from routing.plan import Reason, Route
from routing.tours.problem import KINDS, ToursProblem

CODES = {
    "too_much_load": "DEMAND_EXCEEDS_VEHICLE_CAPACITY",
    "not_allowed": "VEHICLE_NOT_ALLOWED",
    "too_far": "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_DISTANCE_LIMIT",
    "too_long_a_way": "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TRAVEL_DURATION_LIMIT",
    "unreachable_within_shift": "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TIME_WINDOWS",
    "window_impossible": "CANNOT_BE_PERFORMED_WITHIN_VEHICLE_TIME_WINDOWS",
}
"""Our reasons that hold for a vehicle with nothing else to do; every other one concerns this plan: CODE_UNSPECIFIED."""
IN_THIS_PLAN = "CODE_UNSPECIFIED"


def answer_of_tours(problem: ToursProblem, found: FleetPlan, language: str) -> dict[str, Any]:
    """Return the answer. Reasons carry our own ``explanation`` in the reader's language beside Google's code."""
    planned = {route.rep_id: route for route in found.plan.routes}
    vehicles = {vehicle.id: vehicle for vehicle in found.day.fleet.vehicles}
    routes = []
    for number, asked in enumerate(problem.model["vehicles"]):
        empty: dict[str, Any] = {"vehicleIndex": number, "vehicleLabel": asked.get("label", "")}
        route = planned.get(str(number))
        if route is None:
            routes.append({**empty, "visits": [], "transitions": [], "metrics": {"performedShipmentCount": 0}})
        else:
            steps = found.rounds[route.rep_id]
            routes.append({**empty, **_route(problem, found, vehicles[route.rep_id], route, steps)})
    skipped = [*_ignored(problem), *_skipped(problem, found, language)]
    skipped.sort(key=lambda item: item["index"])
    return {"routes": routes, "skippedShipments": skipped, "metrics": _metrics(problem, routes, skipped)}


def nothing_to_plan(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a model without shipments or without vehicles."""
    shipments = model.get("shipments") or ()
    code = "NO_VEHICLE"
    skipped = [
        _skip(number, one, [{"code": "SHIPMENT_IGNORED" if one.get("ignore") else code}])
        for number, one in enumerate(shipments)
    ]
    routes = [
        {"vehicleIndex": number, "vehicleLabel": one.get("label", ""), "visits": [], "transitions": []}
        for number, one in enumerate(model.get("vehicles") or ())
    ]
    mandatory = sum(1 for one in shipments if one.get("penaltyCost") is None and not one.get("ignore"))
    metrics = {"skippedMandatoryShipmentCount": mandatory, "usedVehicleCount": 0, "totalCost": 0.0}
    return {"routes": routes, "skippedShipments": skipped, "metrics": metrics}


def _route(
    problem: ToursProblem, found: FleetPlan, vehicle: Vehicle, route: Route, steps: Sequence[Step]
) -> dict[str, Any]:
    visits = [step for step in steps if step.kind == "task"]
    asked = problem.model["vehicles"][int(vehicle.id)]
    end_s = max(steps[-1].start_s, _end_opens(asked))
    costs = {name: amount for name, amount in _costs(problem, found, vehicle, steps, end_s).items() if amount}
    transitions = _transitions(problem, steps, end_s)
    rests = [step for step in steps if step.kind == "break"]
    outer = [pause for pause in route.breaks if is_outside(route, pause)]
    breaks = [(step.start_s, step.service_s) for step in rests]
    breaks += [(found.day.origin_s + pause.start_s, pause.end_s - pause.start_s) for pause in outer]
    return {
        "vehicleStartTime": _moment(steps[0].start_s),
        "vehicleEndTime": _moment(end_s),
        "visits": [_visit(problem, found, vehicle, steps, step) for step in visits],
        "transitions": transitions,
        "breaks": [{"startTime": _moment(start), "duration": _duration(length)} for start, length in sorted(breaks)],
        "metrics": _route_metrics(problem, steps, transitions, end_s),
        "routeCosts": costs,
        "routeTotalCost": sum(costs.values()),
    }


def _end_opens(asked: Mapping[str, Any]) -> int:
    """Return when the vehicle's end window begins: one who is early waits there."""
    windows = asked.get("endTimeWindows") or ()
    start = windows[0].get("startTime") if windows else None
    return 0 if start is None else int(start.timestamp())


def _costs(
    problem: ToursProblem, found: FleetPlan, vehicle: Vehicle, steps: Sequence[Step], end_s: int
) -> dict[str, float]:
    asked = problem.model["vehicles"][int(vehicle.id)]
    total_s = end_s - steps[0].start_s
    return {
        "model.vehicles.fixed_cost": float(vehicle.fixed_cost),
        "model.vehicles.cost_per_hour": total_s / 3600 * (asked.get("costPerHour") or 0),
        "model.vehicles.cost_per_traveled_hour": steps[-1].travel_s / 3600 * (asked.get("costPerTraveledHour") or 0),
        "model.vehicles.cost_per_kilometer": costs_of(found.day.fleet, vehicle, steps)["distance"],
    }


def _visit(
    problem: ToursProblem, found: FleetPlan, vehicle: Vehicle, steps: Sequence[Step], step: Step
) -> dict[str, Any]:
    number, kind = problem.tasks[step.id]
    shipment = problem.model["shipments"][number]
    sign = 1 if kind == "pickups" else -1
    demands = shipment.get("loadDemands") or {}
    return {
        "shipmentIndex": number,
        "isPickup": kind == "pickups",
        "visitRequestIndex": 0,
        "startTime": _moment(step.start_s),
        "loadDemands": {name: {"amount": str(sign * one.get("amount", 0))} for name, one in demands.items()},
        "detour": _duration(_detour_s(found, vehicle, steps, step)),
        "shipmentLabel": shipment.get("label", ""),
        "visitLabel": shipment[kind][0].get("label", ""),
    }


def _detour_s(found: FleetPlan, vehicle: Vehicle, steps: Sequence[Step], step: Step) -> int:
    """Return how much later the visit begins than on the direct way from the vehicle's start, or from its pickup."""
    tasks: dict[str, Task] = {task.id: task for task in found.day.fleet.tasks}
    task = tasks[step.id]
    before = next((one for one in steps if one.id == task.after and one.kind == "task"), None) if task.after else None
    begun = steps[0].start_s if before is None else before.end_s
    origin = steps[0].place if before is None else before.place
    direct = 0 if origin is None else int(found.day.fleet.tables[vehicle.travel].duration_s[origin, task.place])
    return max(0, step.start_s - begun - direct)


def _transitions(problem: ToursProblem, steps: Sequence[Step], end_s: int) -> list[dict[str, Any]]:
    """Return the ways between visits, each with the breaks taken on it."""
    transitions: list[dict[str, Any]] = []
    before, break_s, wait_s = steps[0], 0, 0
    for step in steps[1:]:
        wait_s += step.wait_s
        if step.kind == "break":
            break_s += step.service_s
            continue
        if step.kind == "end":
            wait_s += end_s - step.start_s
        finish = end_s if step.kind == "end" else step.start_s
        transitions.append(
            {
                "travelDuration": _duration(step.travel_s - before.travel_s),
                "travelDistanceMeters": step.distance_m - before.distance_m,
                "breakDuration": _duration(break_s),
                "waitDuration": _duration(wait_s),
                "totalDuration": _duration(finish - before.end_s),
                "startTime": _moment(before.end_s),
                "vehicleLoads": _loads(problem, before),
            }
        )
        before, break_s, wait_s = step, 0, 0
    return transitions


def _loads(problem: ToursProblem, step: Step) -> dict[str, dict[str, str]]:
    return {name: {"amount": str(amount)} for name, amount in zip(problem.load_types, step.load, strict=False)}


def _route_metrics(
    problem: ToursProblem, steps: Sequence[Step], transitions: Sequence[Mapping[str, Any]], end_s: int
) -> dict[str, Any]:
    visits = [step for step in steps if step.kind == "task"]
    both = {number for number, _ in (problem.tasks[step.id] for step in visits)}
    total = end_s - steps[0].start_s
    most = {
        name: {"amount": str(max(step.load[place] for step in steps if step.load))}
        for place, name in enumerate(problem.load_types)
    }
    return {
        "performedShipmentCount": len(both),
        "travelDuration": _duration(steps[-1].travel_s),
        "waitDuration": _duration(sum(_whole(one["waitDuration"]) for one in transitions)),
        "breakDuration": _duration(sum(_whole(one["breakDuration"]) for one in transitions)),
        "visitDuration": _duration(sum(step.service_s for step in visits)),
        "totalDuration": _duration(total),
        "travelDistanceMeters": steps[-1].distance_m,
        "maxLoads": most,
    }


def _whole(duration: str) -> int:
    return int(duration.removesuffix("s"))


def _skip(number: int, shipment: Mapping[str, Any], reasons: list[dict[str, Any]]) -> dict[str, Any]:
    skipped = {"index": number, "label": shipment.get("label", ""), "reasons": reasons}
    if shipment.get("penaltyCost") is not None:
        skipped["penaltyCost"] = shipment["penaltyCost"]
    return skipped


def _ignored(problem: ToursProblem) -> list[dict[str, Any]]:
    shipments = problem.model["shipments"]
    return [_skip(number, shipments[number], [{"code": "SHIPMENT_IGNORED"}]) for number in problem.ignored_shipments]


def _skipped(problem: ToursProblem, found: FleetPlan, language: str) -> list[dict[str, Any]]:
    """Return the shipments left out; both steps of one have their reasons, each told once."""
    reasons: dict[int, list[Reason]] = {}
    for left in found.plan.unassigned:
        reasons.setdefault(problem.tasks[left.visit_id][0], []).extend(left.reasons)
    skipped = []
    for number, causes in reasons.items():
        shipment = problem.model["shipments"][number]
        told: dict[str, dict[str, Any]] = {}
        for cause in causes:
            told.setdefault(cause.code, _reason(problem, number, cause, language))
        told.pop("order", None)  # the step goes only with the other one, whose reasons are told
        shown = [*told.values()]
        if shipment.get("penaltyCost") == 0:
            shown.append({"code": "ZERO_PENALTY_COST"})
        skipped.append(_skip(number, shipment, shown))
    return skipped


def _reason(problem: ToursProblem, number: int, reason: Reason, language: str) -> dict[str, Any]:
    indices = [int(rep_id) for rep_id in reason.rep_ids]
    shown: dict[str, Any] = {"code": CODES.get(reason.code, IN_THIS_PLAN)}
    if indices:
        shown |= {"exampleVehicleIndex": indices[0], "exampleVehicleIndices": indices}
    if reason.code == "too_much_load":
        exceeded = _exceeded(problem, number, indices[0])
        shown |= {"exampleExceededCapacityType": exceeded} if exceeded else {}
    return {**shown, "explanation": reason.text.in_language(language)}


def _exceeded(problem: ToursProblem, number: int, vehicle: int) -> str | None:
    demands = problem.model["shipments"][number].get("loadDemands") or {}
    limits = problem.model["vehicles"][vehicle].get("loadLimits") or {}
    for name in problem.load_types:
        most = (limits.get(name) or {}).get("maxLoad")
        if most is not None and (demands.get(name) or {}).get("amount", 0) > most:
            return name
    return None


def _metrics(
    problem: ToursProblem, routes: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    used = [route for route in routes if route["visits"]]
    costs: dict[str, float] = {}
    for route in used:
        for name, amount in route["routeCosts"].items():
            costs[name] = costs.get(name, 0.0) + amount
    missed = [item for item in skipped if item["index"] not in problem.ignored_shipments]
    penalty = sum(item.get("penaltyCost", 0.0) for item in missed)
    if penalty:
        costs["model.shipments.penalty_cost"] = penalty
    metrics: dict[str, Any] = {
        "aggregatedRouteMetrics": _aggregated([route["metrics"] for route in used]),
        "skippedMandatoryShipmentCount": sum(1 for item in missed if "penaltyCost" not in item),
        "usedVehicleCount": len(used),
        "costs": costs,
        "totalCost": sum(costs.values()),
    }
    if used:
        metrics["earliestVehicleStartTime"] = min(route["vehicleStartTime"] for route in used)
        metrics["latestVehicleEndTime"] = max(route["vehicleEndTime"] for route in used)
    return metrics


def _aggregated(metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    durations = ("travelDuration", "waitDuration", "breakDuration", "visitDuration", "totalDuration")
    total: dict[str, Any] = {name: _duration(sum(_whole(one[name]) for one in metrics)) for name in durations}
    total["performedShipmentCount"] = sum(one["performedShipmentCount"] for one in metrics)
    total["travelDistanceMeters"] = sum(one["travelDistanceMeters"] for one in metrics)
    return total


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(seconds: int) -> str:
    return f"{seconds}s"


def injected_start(problem: ToursProblem, routes: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the plan to begin with, from ``injectedFirstSolutionRoutes``: task ids by vehicle id."""
    start: dict[str, list[str]] = {}
    for route in routes:
        for visit in route.get("visits") or ():
            kind = KINDS[0] if visit.get("isPickup") else KINDS[1]
            task_id = f"{kind}:{visit.get('shipmentIndex', 0)}"
            if task_id in problem.tasks:
                start.setdefault(str(route.get("vehicleIndex", 0)), []).append(task_id)
    return start
