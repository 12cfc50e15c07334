"""VROOM on a day problem (PyPI ``pyvroom``): one thread, deepest exploration, and it stops by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benchmarks.routing_tasks import Found, Places, RivalTask, may_serve, refuse

DEEPEST = 5
HIGHEST_PRIORITY = 100


def solve_with_vroom(task: RivalTask) -> Found:
    """Return VROOM's plan. A visit's worth becomes its priority: VROOM serves the highest sum, whatever the way costs.

    Worths are scaled to whole priorities up to 100; mandatory visits get 100.
    """
    import vroom

    refuse(task, also=("overtime",))
    places, problem = Places(task), task.problem
    costs, scale = places.costs()
    durations = places.durations()
    special = {
        number
        for number, visit in enumerate(problem.visits)
        if (visit.skills or visit.allowed_reps is not None)
        and not all(may_serve(task, number, rep) for rep in range(len(problem.reps)))
    }
    instance = vroom.Input()
    instance.set_durations_matrix("car", durations)
    if (costs != durations).any():
        instance.set_costs_matrix("car", costs)
    for number in range(len(problem.reps)):
        instance.add_vehicle(_vehicle(task, places, number, (scale, special)))
    dearest = max((problem.weights.prize(visit) for visit in problem.visits if not visit.mandatory), default=1.0)
    for number in range(len(problem.visits)):
        instance.add_job(_job(task, number, dearest, special=number in special))
    solution = instance.solve(DEEPEST, nb_threads=1, timeout=timedelta(seconds=task.seconds))
    optional = any(not visit.mandatory for visit in problem.visits)
    note = "worth as priority: most worth first, then the way" if optional else ""
    return Found(_sequences(task, solution.to_dict()), note=note)


def _vehicle(task: RivalTask, places: Places, number: int, scale_and_special: tuple[int, set[int]]) -> Any:
    import vroom

    rep, (scale, special) = task.problem.reps[number], scale_and_special
    end = places.ends[number]
    return vroom.Vehicle(
        number,
        start=places.starts[number],
        end=None if places.rows[end] < 0 else end,
        capacity=[10**9 if rep.capacity is None else rep.capacity],
        # A skill for each visit that is not for everybody, held by those whom it is for.
        skills={visit for visit in special if may_serve(task, visit, number)},
        time_window=(rep.shift_start_s, rep.shift_end_s),
        breaks=[
            vroom.Break(place, [vroom.TimeWindow(pause.earliest_s, pause.latest_s)], pause.duration_s)
            for place, pause in enumerate(rep.breaks)
        ],
        costs=vroom.VehicleCosts(fixed=round(rep.fixed_cost * scale)),
        **({} if rep.max_visits is None else {"max_tasks": rep.max_visits}),
    )


def _job(task: RivalTask, number: int, dearest: float, *, special: bool) -> Any:
    import vroom

    visit, problem = task.problem.visits[number], task.problem
    worth = max(1, round(HIGHEST_PRIORITY * problem.weights.prize(visit) / max(dearest, 1e-9)))
    return vroom.Job(
        number,
        location=number,
        default_service=visit.service_s,
        delivery=[visit.load],
        pickup=[visit.collect],
        skills={number} if special else set(),
        priority=HIGHEST_PRIORITY if visit.mandatory else min(HIGHEST_PRIORITY, worth),
        time_windows=[vroom.TimeWindow(window.start_s, window.end_s) for window in visit.windows],
    )


def _sequences(task: RivalTask, answer: dict[str, Any]) -> dict[str, list[str]]:
    visits, reps = task.problem.visits, task.problem.reps
    return {
        reps[route["vehicle"]].id: [visits[step["id"]].id for step in route["steps"] if step["type"] == "job"]
        for route in answer["routes"]
    }
