"""Other solvers get the same day as ours: what they plan holds by our checker, breaks, windows and skills included."""

import importlib.util
import pickle
from dataclasses import replace

import pytest

from benchmarks.realistic_days import realistic_day, verdicts
from benchmarks.routing_pyvrp import fit_breaks
from benchmarks.routing_rivals import SOLVERS, answer_task
from benchmarks.routing_tables import LIBRARIES, means_of
from benchmarks.routing_tasks import RivalTask
from routing.instances.model import read_instance
from routing.problem import DayProblem, ObjectiveWeights
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes
from tests.routing.instance_texts import CVRP, DEPOTS, PRIZES, SOLOMON

SMALL = realistic_day(5, 12, 2)
RIVALS = [name for name, library in LIBRARIES.items() if importlib.util.find_spec(library)]


def _task(problem: DayProblem, seconds: float = 0.5) -> RivalTask:
    return RivalTask(problem, HaversineTravelTimes().table(problem.locations()), seconds)


@pytest.mark.parametrize("name", RIVALS)
def test_a_rivals_day_holds_with_lunch_and_windows(name):
    task = _task(SMALL)
    found = SOLVERS[name](task).sequences
    _, report = evaluate(SMALL, task.table, found)
    assert report.feasible
    assert report.served >= 8


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize(
    ("text", "best"), [(SOLOMON, 22.6), (CVRP, 34), (PRIZES, 125), (DEPOTS, 8)], ids=["solomon", "cvrp", "pc", "md"]
)
def test_a_rival_solves_each_kind_of_instance(name, text, best):
    instance = read_instance(text.encode())
    found = SOLVERS[name](RivalTask(instance.problem, instance.table, 0.3)).sequences
    _, report = evaluate(instance.problem, instance.table, found)
    assert report.feasible
    if name == "vroom" and text == PRIZES:
        assert instance.objective(report) >= best  # VROOM takes all worth that fits, at any distance
    else:
        assert instance.objective(report) == pytest.approx(best)


@pytest.mark.parametrize("name", [name for name in RIVALS if name != "pyvrp"])
def test_skills_reach_the_rivals_that_know_them(name):
    visits = tuple(
        replace(visit, skills=frozenset({"demo"}) if n < 3 else frozenset()) for n, visit in enumerate(SMALL.visits)
    )
    first, second = SMALL.reps
    problem = DayProblem(visits, (first, replace(second, skills=frozenset({"demo"}))))
    _, report = evaluate(problem, _task(problem).table, SOLVERS[name](_task(problem)).sequences)
    assert report.feasible


@pytest.mark.parametrize("name", RIVALS)
def test_what_a_rival_cannot_say_is_told_and_not_passed_over(name):
    task = _task(replace(SMALL, weights=ObjectiveWeights(fairness=1.0)))
    answer = answer_task(name, pickle.dumps(task))
    assert answer.found is None
    assert answer.problem == "fairness"


def test_an_order_without_room_for_lunch_loses_its_least_valuable_visits():
    task = _task(SMALL)
    everything = {SMALL.reps[0].id: [visit.id for visit in SMALL.visits]}
    kept, dropped = fit_breaks(task, everything)
    _, report = evaluate(SMALL, task.table, kept)
    assert report.feasible
    assert dropped == 12 - report.served > 0


def test_verdicts_count_only_plans_that_hold():
    ours = {"solver": "fieldwise", "seconds": 5, "feasible": True, "value": 200, "cost": 50, "first_plan_s": 0.2}
    vroom = {"solver": "vroom", "seconds": 5, "feasible": True, "value": 190, "cost": 70}
    late = {"solver": "vroom", "seconds": 20, "feasible": True, "value": 201, "cost": 60}
    broken = {"solver": "pyvrp", "seconds": 20, "feasible": False, "value": 300, "cost": 10}
    assert verdicts([ours, vroom, late, broken], 5, 20) == {
        "first_plan_in_time": True, "value_not_below_vroom": True, "cost_below_all": True
    }  # fmt: skip
    assert verdicts([ours | {"cost": 61}, vroom, late], 5, 20)["cost_below_all"] is False
    assert verdicts([ours], 5, 20)["cost_below_all"] is None
    assert verdicts([ours | {"feasible": False}, vroom, late], 5, 20)["value_not_below_vroom"] is False


def test_mean_gaps_are_by_solver_limit_and_class():
    runs = [
        {"solver": "a", "seconds": 1.0, "class": "C1", "gap_percent": 1.0},
        {"solver": "a", "seconds": 1.0, "class": "R1", "gap_percent": 2.0},
        {"solver": "a", "seconds": 1.0, "class": "R1", "gap_percent": None},
    ]
    assert means_of(runs) == {"a": {"1": {"C1": 1.0, "R1": 2.0, "all": 1.5}}}
