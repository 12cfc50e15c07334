"""A day problem names everything that is wrong with it."""

import dataclasses
import pickle

import pytest

from common.errors import InvalidInput
from common.places import Location
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, SizeLimits, TimeWindow, Visit

H = 3600
VISIT = Visit("v", "Shop", Location(30.5, 114.3), 1200)
REP = Rep("r", "Li", Location(30.6, 114.4), 9 * H, 18 * H, breaks=(Break(12 * H, 13 * H, H),))


def pointers(visits=(VISIT,), reps=(REP,), **options):
    with pytest.raises(InvalidInput) as refused:
        DayProblem(tuple(visits), tuple(reps), **options)
    for field in refused.value.fields:
        assert field.text.en
        assert field.text.zh
    return [field.pointer for field in refused.value.fields]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"service_s": -1}, "/visits/0/service_s"),
        ({"service_s": 1.5}, "/visits/0/service_s"),
        ({"service_s": 10**9}, "/visits/0/service_s"),
        ({"value": -1.0}, "/visits/0/value"),
        ({"value": float("nan")}, "/visits/0/value"),
        ({"load": -3}, "/visits/0/load"),
        ({"windows": (TimeWindow(10, 5),)}, "/visits/0/windows/0"),
        ({"windows": (TimeWindow(0, 5), TimeWindow(-1, 5))}, "/visits/0/windows/1/start_s"),
        ({"id": " "}, "/visits/0/id"),
        ({"location": Location(0, 0)}, "/visits/0/location"),
    ],
)
def test_each_wrong_field_of_a_visit_is_named(change, pointer):
    assert pointers([dataclasses.replace(VISIT, **change)]) == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"shift_end_s": 9 * H}, "/reps/0/shift_end_s"),
        ({"shift_start_s": -1}, "/reps/0/shift_start_s"),
        ({"overtime_s": -1}, "/reps/0/overtime_s"),
        ({"max_visits": -1}, "/reps/0/max_visits"),
        ({"capacity": True}, "/reps/0/capacity"),
        ({"breaks": (Break(12 * H, 11 * H, H),)}, "/reps/0/breaks/0/latest_s"),
        ({"breaks": (Break(12 * H, 13 * H, 0),)}, "/reps/0/breaks/0/duration_s"),
        ({"breaks": (Break(20 * H, 21 * H, H),)}, "/reps/0/breaks/0"),
        ({"start": Location(0, 0)}, "/reps/0/start"),
    ],
)
def test_each_wrong_field_of_a_rep_is_named(change, pointer):
    assert pointers(reps=[dataclasses.replace(REP, **change)]) == [pointer]


def test_all_problems_come_at_once():
    wrong = dataclasses.replace(VISIT, service_s=-1, value=-1)
    assert pointers([wrong, VISIT], [REP, REP]) == [
        "/visits/1/id", "/reps/1/id", "/visits/0/service_s", "/visits/0/value",
    ]  # fmt: skip


def test_nothing_to_plan_and_too_much_to_plan_are_refused():
    assert pointers((), ()) == ["/visits", "/reps"]
    many = [dataclasses.replace(VISIT, id=str(number)) for number in range(3)]
    assert pointers(many, limits=SizeLimits(visits=2)) == ["/visits"]


def test_swapped_coordinates_are_recognised_among_the_others():
    visits = [dataclasses.replace(VISIT, id=str(number)) for number in range(4)]
    visits[2] = dataclasses.replace(visits[2], location=Location(41.9, -87.6))
    assert pointers(visits) == ["/visits/2/location"]
    here = [dataclasses.replace(VISIT, id=str(number), location=Location(41.9, -87.6)) for number in range(4)]
    here[1] = dataclasses.replace(here[1], location=Location(-87.6, 41.9))
    with pytest.raises(InvalidInput, match="swapped"):
        DayProblem(tuple(here), (dataclasses.replace(REP, start=Location(41.9, -87.6)),))


def test_an_outlier_is_allowed_when_the_limit_says_so():
    far = dataclasses.replace(VISIT, id="far", location=Location(39.9, 116.4))
    visits = (VISIT, dataclasses.replace(VISIT, id="w"), far)
    assert pointers(visits) == ["/visits/2/location"]
    DayProblem(visits, (REP,), limits=SizeLimits(outlier_km=5000))


def test_wrong_weights_are_named():
    weights = ObjectiveWeights(travel_s=-1, grade_factors={"A": float("inf")})
    assert pointers(weights=weights) == ["/weights/travel_s", "/weights/grade_factors/A"]


def test_a_problem_survives_the_way_to_another_process():
    problem = DayProblem((VISIT,), (REP,), ObjectiveWeights(grade_factors={"A": 9.0}))
    copy = pickle.loads(pickle.dumps(problem))
    assert copy == problem
    assert copy.weights.prize(dataclasses.replace(VISIT, grade="A")) == 9 * 14_400


def test_a_grade_multiplies_the_value_of_a_visit():
    weights = ObjectiveWeights(value=100.0)
    assert [weights.prize(dataclasses.replace(VISIT, grade=grade, value=2.0)) for grade in "ABC?"] == [
        600,
        400,
        200,
        200,
    ]


def test_places_are_visits_then_starts_then_known_ends():
    home = Location(30.7, 114.5)
    problem = DayProblem((VISIT,), (REP, dataclasses.replace(REP, id="s", end=home)))
    assert problem.locations() == [VISIT.location, REP.start, REP.start, home]
    assert problem.start_places() == [1, 2]
    assert problem.end_places() == [-1, 3]
