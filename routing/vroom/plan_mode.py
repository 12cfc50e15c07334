"""VROOM's plan mode: times for given rounds, and what they violate (VROOM 1.15, docs/API.md, option ``-c``).

The rounds are timed as early as they can be and then set out as late as that allows. VROOM weighs all violations
against each other and may start a round at another time; the causes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from common.errors import InvalidInput
from routing.fleet.model import Rest, Span, Task, Vehicle
from routing.fleet.timetable import NO_BOUND, Event, Step, earliest, latest, lay_out
from routing.vroom.answer import Round
from routing.vroom.problem import KINDS, VroomProblem

Cause = Mapping[str, Any]
Item = tuple[Task | Rest, int | None]


def orders_in_steps(problem: VroomProblem) -> dict[str, list[str]]:
    """Return the tasks in the ``steps`` of each vehicle that has any, by vehicle id.

    Raises
    ------
    InvalidInput
        When a step names an unknown task, or a task stands in two places.
    """
    orders: dict[str, list[str]] = {}
    seen: set[str] = set()
    for number, (vehicle_id, asked) in enumerate(problem.vehicles.items()):
        for place, step in enumerate(asked.get("steps") or ()):
            if step["type"] not in KINDS:
                continue
            pointer, task_id = f"/vehicles/{number}/steps/{place}/id", f"{step['type']}:{step.get('id')}"
            if task_id not in problem.asked:
                text = f"there is no {step['type']} with id {step.get('id')}"
                raise InvalidInput.at(pointer, text, f"没有编号为 {step.get('id')} 的 {step['type']}")
            if task_id in seen:
                text = f"{step['type']} {step['id']} stands in two places"
                raise InvalidInput.at(pointer, text, f"{step['type']} {step['id']} 出现了两次")
            seen.add(task_id)
            orders.setdefault(vehicle_id, []).append(task_id)
    return orders


def rounds_of_steps(problem: VroomProblem) -> list[Round]:
    """Return the rounds that the vehicles' ``steps`` describe, with their times and violations.

    Raises
    ------
    InvalidInput
        When a step names an unknown task or break, or a task stands in two places.
    """
    orders_in_steps(problem)
    rounds = []
    for number, vehicle in enumerate(problem.fleet.vehicles):
        asked = [
            step for step in problem.vehicles[vehicle.id].get("steps") or () if step["type"] not in ("start", "end")
        ]
        if asked:
            rounds.append(_round(problem, vehicle, f"/vehicles/{number}/steps"))
    return rounds


def _round(problem: VroomProblem, vehicle: Vehicle, pointer: str) -> Round:
    asked: Sequence[Mapping[str, Any]] = problem.vehicles[vehicle.id]["steps"]
    tasks = {task.id: task for task in problem.fleet.tasks}
    rests = {rest.id: rest for rest in vehicle.rests}
    begin, items = vehicle.earliest_s or 0, list[Item]()
    for place, step in enumerate(asked):
        if step["type"] == "start":
            given = step.get("service_at", step.get("service_after"))
            begin = begin if given is None else given
        elif step["type"] == "break":
            rest = rests.get(str(step.get("id")))
            if rest is None:
                text = f"vehicle {vehicle.id} has no break with id {step.get('id')}"
                raise InvalidInput.at(
                    f"{pointer}/{place}/id", text, f"车辆 {vehicle.id} 没有编号为 {step.get('id')} 的休息"
                )
            rest = replace(rest, windows=_bounded(step, rest.windows))
            items.append((rest, _driven_before(problem, vehicle, [*items, (rest, 0)], begin)))
        elif step["type"] in KINDS:
            task = tasks[f"{step['type']}:{step['id']}"]
            items.append((replace(task, windows=_bounded(step, task.windows)), None))
    if vehicle.earliest_s is None and not any("service_at" in step or "service_after" in step for step in asked):
        begin = _first_use(items, begin)
    steps = latest(earliest(lay_out(problem.fleet, vehicle, items), begin), begin)
    violations = {number: list(_step_causes(problem, vehicle, steps, number)) for number in range(len(steps))}
    causes = [cause for found in violations.values() for cause in found]
    done = {step.id for step in steps if step.kind == "break"}
    causes += [{"cause": "missing_break"} for rest in vehicle.rests if rest.id not in done]
    return Round(vehicle, steps, violations, causes)


def _first_use(items: Sequence[Item], begin: int) -> int:
    """Return when a vehicle without hours may begin: no sooner than long before its first window."""
    starts = [start for item, _ in items for start, _ in item.windows[:1]]
    return max(begin, min(starts) - 24 * 3600) if starts else begin


def _bounded(step: Mapping[str, Any], windows: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the windows of a step: the bounds of its own where it has any."""
    if step.get("service_at") is not None:
        return ((step["service_at"], step["service_at"]),)
    after, before = step.get("service_after"), step.get("service_before")
    if after is None and before is None:
        return windows
    return ((after or 0, NO_BOUND if before is None else before),)


def _driven_before(problem: VroomProblem, vehicle: Vehicle, items: Sequence[Item], begin: int) -> int:
    """Return how much of the leg is driven before the last item, a rest: until its first window begins."""
    rest = items[-1][0]
    before: Event = earliest(lay_out(problem.fleet, vehicle, items), begin)[-2]
    opens = min((start for start, _ in rest.windows), default=0)
    return max(0, opens - before.step.arrival_s)


def _step_causes(problem: VroomProblem, vehicle: Vehicle, steps: Sequence[Step], number: int) -> Iterator[Cause]:
    step = steps[number]
    yield from _time_causes(_windows(problem, vehicle, step), step.start_s)
    if vehicle.capacity is not None and any(
        have > most for have, most in zip(step.load, vehicle.capacity, strict=False)
    ):
        yield {"cause": "load"}
    if vehicle.max_travel_s is not None and step.travel_s > vehicle.max_travel_s:
        yield {"cause": "max_travel_time"}
    if vehicle.max_distance_m is not None and step.distance_m > vehicle.max_distance_m:
        yield {"cause": "max_distance"}
    if step.kind != "task":
        return
    task = next(task for task in problem.fleet.tasks if task.id == step.id)
    before = [one.id for one in steps[:number] if one.kind == "task"]
    if vehicle.max_tasks is not None and len(before) >= vehicle.max_tasks:
        yield {"cause": "max_tasks"}
    if not task.skills <= vehicle.skills:
        yield {"cause": "skills"}
    partner = next((one.id for one in problem.fleet.tasks if one.after == step.id), "")
    alone = partner and all(one.id != partner for one in steps[number:])
    if alone or (task.after and task.after not in before):
        yield {"cause": "precedence"}


def _windows(problem: VroomProblem, vehicle: Vehicle, step: Step) -> tuple[Span, ...]:
    """Return the windows that the input gives for a step."""
    if step.kind == "task":
        return next(task.windows for task in problem.fleet.tasks if task.id == step.id)
    if step.kind == "break":
        return next(rest.windows for rest in vehicle.rests if rest.id == step.id)
    first = 0 if vehicle.earliest_s is None else vehicle.earliest_s
    return ((first, NO_BOUND if vehicle.latest_s is None else vehicle.latest_s),)


def _time_causes(windows: tuple[Span, ...], start_s: int) -> Iterator[Cause]:
    if not windows or any(start <= start_s <= end for start, end in windows):
        return
    late = min((start_s - end for _, end in windows if end < start_s), default=None)
    early = min((start - start_s for start, _ in windows if start > start_s), default=None)
    if late is None or (early is not None and early < late):
        yield {"cause": "lead_time", "duration": early}
    else:
        yield {"cause": "delay", "duration": late}
