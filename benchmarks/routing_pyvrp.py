"""PyVRP on a day problem: prizes and windows as it has them, lunch by folding the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.routing_tasks import Found, NotModelledError, Places, RivalTask, refuse
from routing.day import Day, Round
from routing.problem import Break, Visit

NEVER = 10**9


def solve_with_pyvrp(task: RivalTask) -> Found:
    """Return PyVRP's best plan.

    PyVRP has no breaks. Where every rep has the same one, the clock is folded: lunch is taken in the middle of the span
    in which it may start, and what comes later happens that much earlier. The order that PyVRP finds so is then timed
    with real breaks; a visit that does not fit is dropped, the least valuable first.
    """
    import pyvrp
    from pyvrp.stop import MaxRuntime

    refuse(task, also=("skills", "overtime", "spans"))
    if any(rep.max_visits is not None for rep in task.problem.reps):
        raise NotModelledError("limits on visits")
    fold, lunch_s = _folding(task)
    result = pyvrp.solve(_problem_data(task, fold), MaxRuntime(task.seconds), seed=task.seed, display=False)
    if not result.is_feasible():
        raise NotModelledError("no plan within the time limit")
    sequences = _sequences(task, result.best)
    if not lunch_s:
        return Found(sequences)
    kept, dropped = fit_breaks(task, sequences)
    return Found(kept, note=f"no breaks: clock folded over lunch, {dropped} visits dropped when timed with it")


def _folding(task: RivalTask) -> tuple[Callable[[int], int], int]:
    """Return how a clock time is folded, and by how much."""
    breaks = {rep.breaks for rep in task.problem.reps}
    if breaks == {()}:
        return lambda moment: moment, 0
    (pauses,) = breaks if len(breaks) == 1 else ((),)
    if len(pauses) != 1:
        raise NotModelledError("breaks that differ between reps")
    pause: Break = pauses[0]
    middle = (pause.earliest_s + pause.latest_s) // 2
    return lambda moment: moment if moment <= middle else max(middle, moment - pause.duration_s), pause.duration_s


def _problem_data(task: RivalTask, fold: Callable[[int], int]) -> Any:
    import pyvrp

    places, problem = Places(task), task.problem
    costs, scale = places.costs()
    count = len(problem.visits)
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in places.rows],
        clients=[_client(task, number, scale, fold) for number in range(count)],
        depots=[pyvrp.Depot(location=place) for place in range(count, len(places.rows))],
        vehicle_types=[
            pyvrp.VehicleType(
                num_available=len(numbers),
                capacity=[NEVER if rep.capacity is None else rep.capacity],
                start_depot=places.starts[numbers[0]] - count,
                end_depot=places.ends[numbers[0]] - count,
                fixed_cost=round(rep.fixed_cost * scale),
                tw_early=fold(rep.shift_start_s),
                tw_late=fold(rep.shift_end_s),
            )
            for numbers, rep in ((numbers, problem.reps[numbers[0]]) for numbers in _alike(task, places))
        ],
        distance_matrices=[costs],
        duration_matrices=[places.durations()],
    )


def _client(task: RivalTask, number: int, scale: int, fold: Callable[[int], int]) -> Any:
    import pyvrp

    visit: Visit = task.problem.visits[number]
    window = visit.windows[0] if visit.windows else None
    return pyvrp.Client(
        location=number,
        delivery=[visit.load],
        pickup=[visit.collect],
        service_duration=visit.service_s,
        prize=0 if visit.mandatory else round(task.problem.weights.prize(visit) * scale),
        required=visit.mandatory,
        **({} if window is None else {"tw_early": fold(window.start_s), "tw_late": fold(window.end_s)}),
    )


def _alike(task: RivalTask, places: Places) -> list[list[int]]:
    """Return the reps in groups whose members only differ in name."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, rep in enumerate(task.problem.reps):
        hours = (rep.shift_start_s, rep.shift_end_s, rep.capacity, rep.fixed_cost)
        groups.setdefault((places.starts[number], places.ends[number], *hours), []).append(number)
    return list(groups.values())


def _sequences(task: RivalTask, solution: Any) -> dict[str, list[str]]:
    groups = [list(numbers) for numbers in _alike(task, Places(task))]
    sequences = {}
    for route in solution.routes():
        stops = [activity.idx for activity in route.schedule() if activity.is_client()]
        if stops:
            rep = task.problem.reps[groups[route.vehicle_type()].pop(0)]
            sequences[rep.id] = [task.problem.visits[stop].id for stop in stops]
    return sequences


def fit_breaks(task: RivalTask, sequences: dict[str, list[str]]) -> tuple[dict[str, list[str]], int]:
    """Return the orders without the visits that do not fit beside the breaks, and how many these are."""
    day = Day(task.problem, task.table)
    visit_at = {visit.id: place for place, visit in enumerate(task.problem.visits)}
    rep_at = {rep.id: place for place, rep in enumerate(task.problem.reps)}
    kept, dropped = {}, 0
    for rep_id, ids in sequences.items():
        stops = [visit_at[visit] for visit in ids]
        while not Round(day, rep_at[rep_id], stops).feasible:
            cheapest = sorted(stops, key=lambda stop: task.problem.weights.prize(task.problem.visits[stop]))
            without = [[stop for stop in stops if stop != left] for left in cheapest]
            stops = next((rest for rest in without if Round(day, rep_at[rep_id], rest).feasible), without[0])
            dropped += 1
        kept[rep_id] = [task.problem.visits[stop].id for stop in stops]
    return kept, dropped
