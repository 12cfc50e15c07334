"""Made instances are the same for a seed, can be read, and have a plan; their solution files say what it costs."""

import pytest

from benchmarks.large_instances import (
    KINDS,
    draw_instance,
    solomon_text,
    solution_text,
    vrplib_text,
    write_instances,
)
from routing.instances.best_known import best_of_solution
from routing.instances.model import read_instance
from routing.solve import evaluate

EXPECTED = {"PCR1": "PCVRPTW", "PCRC2": "PCVRPTW", "MDR1": "MDVRPTW", "MDRC2": "MDVRPTW", "X": "CVRP"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_as_what_it_is_and_every_customer_can_be_served_alone(kind, tmp_path):
    (path,) = write_instances(tmp_path, [kind], [100], [7])
    instance = read_instance(path.read_bytes(), name=path.stem)
    problem = instance.problem
    assert instance.kind == EXPECTED.get(kind, "VRPTW")
    assert len(problem.visits) == 100
    homes = {}
    for rep, start in zip(problem.reps, problem.start_places(), strict=True):
        homes.setdefault(instance.table.distance_m[start].tobytes(), (rep.id, start))
    assert len(homes) == (4 if kind.startswith("MD") else 1)
    for number, visit in enumerate(problem.visits[:4]):
        rep, _ = min(homes.values(), key=lambda home: instance.table.distance_m[home[1], number])
        _, report = evaluate(problem, instance.table, {rep: [visit.id]})
        assert report.drivable


def test_the_same_seed_makes_the_same_instance_and_another_seed_another():
    assert draw_instance("RC2", 200, 3) == draw_instance("RC2", 200, 3)
    assert draw_instance("RC2", 200, 3).nodes != draw_instance("RC2", 200, 4).nodes


def test_both_formats_say_the_same():
    drawn = draw_instance("R1", 50, 1)
    classic = read_instance(solomon_text(drawn).encode())
    modern = read_instance(vrplib_text(drawn).encode())
    assert (classic.table.distance_m == modern.table.distance_m).all()
    assert [visit.windows for visit in classic.problem.visits] == [visit.windows for visit in modern.problem.visits]
    assert [visit.service_s for visit in classic.problem.visits] == [visit.service_s for visit in modern.problem.visits]


@pytest.mark.parametrize("kind", ["C2", "PCR1", "MDR1", "X"])
def test_a_written_solution_costs_the_checked_way_and_the_prizes_left(kind):
    drawn = draw_instance(kind, 60, 2)
    text = solomon_text(drawn) if kind == "C2" else vrplib_text(drawn)
    instance = read_instance(text.encode())
    reps, visits = instance.problem.reps, instance.problem.visits
    sequences = {}
    for number, visit in enumerate(visits):
        sequences.setdefault(reps[number % len(reps)].id, []).append(visit.id)
    left = sequences.pop(reps[0].id) if kind == "PCR1" else []
    lost = sum(visit.value for visit in visits if visit.id in left) / instance.scale
    # These rounds come late; what they cost as a solution file counts it is their way and the prizes left.
    _, report = evaluate(instance.problem, instance.table, sequences)
    cost = best_of_solution(solution_text(instance, sequences).encode(), instance)
    assert cost == pytest.approx(instance.distance(report) + lost)
