"""Invariants over random days: timing is exact, evaluated and solved plans pass the checker, tampered plans do not."""

import dataclasses
import itertools
import time

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.places import Location
from routing.alone import AloneTable
from routing.check import check
from routing.construct import cost_of, drop, fill, rounds_of
from routing.day import Day, Round
from routing.plan import DayPlan, Route
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.search import SearchTask, search
from routing.solve import assemble, candidates
from routing.travel_times import MatrixTravelTimes

H = 3600
PLACE = Location(30.5, 114.3)
SKILLS = ("fair", "demo")


@st.composite
def days(draw, most_visits=6, most_reps=2, breaks=((), (9 * H,), (8 * H, 10 * H))):
    moments = st.integers(0, 20).map(lambda quarter: 8 * H + quarter * 900)
    skills = st.frozensets(st.sampled_from(SKILLS), max_size=1)

    def window():
        start = draw(moments)
        return TimeWindow(start, start + draw(st.sampled_from([0, 600, 3600, 7200])))

    def pause(earliest):
        span = draw(st.sampled_from([0, 900, 3600]))
        return Break(earliest, earliest + span, draw(st.sampled_from([900, 2700])))

    visits = tuple(
        Visit(
            f"v{index}", f"v{index}", PLACE, draw(st.sampled_from([0, 600, 1800])),
            tuple(window() for _ in range(draw(st.integers(0, 2)))),
            value=draw(st.sampled_from([0.1, 1.0, 3.0])), skills=draw(skills), mandatory=draw(st.booleans()),
            load=draw(st.integers(0, 2)),
        )
        for index in range(draw(st.integers(1, most_visits)))
    )  # fmt: skip
    reps = tuple(
        Rep(
            f"r{index}", f"r{index}", PLACE, 8 * H, draw(st.sampled_from([11, 14])) * H,
            draw(st.sampled_from([None, PLACE])),
            tuple(pause(earliest) for earliest in draw(st.sampled_from(breaks))),
            frozenset(SKILLS) if draw(st.booleans()) else frozenset(),
            draw(st.sampled_from([None, 2])), draw(st.sampled_from([None, 3])), draw(st.sampled_from([0, 1800])),
        )
        for index in range(draw(st.integers(1, most_reps)))
    )  # fmt: skip
    problem = DayProblem(visits, reps, ObjectiveWeights())
    size = len(problem.locations())
    numbers = np.random.default_rng(draw(st.integers(0, 10_000))).integers(0, 2400, (size, size))
    return problem, MatrixTravelTimes(numbers, numbers * 7).table(problem.locations())


def keeps(problem, table, order):
    """Whether the checker accepts the order, judged only by times."""
    day = Day(problem, table)
    plan = assemble(
        day, [Round(day, 0, order), *(Round(day, rep) for rep in range(1, len(problem.reps)))], AloneTable(day)
    )
    return check(problem, table, plan).drivable, plan


@settings(max_examples=60, deadline=None)
@given(days(), st.randoms(use_true_random=False))
def test_an_order_is_called_feasible_exactly_when_its_schedule_passes_the_checker(case, random):
    problem, table = case
    order = list(range(len(problem.visits)))
    random.shuffle(order)
    order = order[: random.randint(1, len(order))]
    assert Round(Day(problem, table), 0, order).feasible == keeps(problem, table, order)[0]


@settings(max_examples=50, deadline=None)
@given(days(), st.data())
def test_a_visit_fits_exactly_where_the_longer_round_is_feasible(case, data):
    problem, table = case
    day = Day(problem, table)
    order = data.draw(st.permutations(range(len(problem.visits))))
    visit, rest = order[0], list(order[1:])
    rounds = [Round(day, 0, rest[:count]) for count in range(len(rest) + 1)]
    one = [candidate for candidate in rounds if candidate.feasible or not candidate.stops][-1]
    for position in range(len(one.stops) + 1):
        longer = Round(day, 0, [*one.stops[:position], visit, *one.stops[position:]])
        assert (one.has_room_for(visit) and one.fits(visit, position)) == longer.feasible


@settings(max_examples=80, deadline=None)
@given(days())
def test_the_table_of_lone_visits_says_what_empty_rounds_say(case):
    problem, table = case
    day = Day(problem, table)
    able = AloneTable(day).able
    for rep, visit in np.ndindex(able.shape):
        empty = Round(day, rep)
        assert able[rep, visit] == (empty.has_room_for(visit) and empty.fits(visit, 0))


@settings(max_examples=50, deadline=None)
@given(days(most_visits=4, most_reps=1, breaks=((),)))
def test_a_round_without_breaks_ends_as_early_as_its_order_allows(case):
    problem, table = case
    order = list(range(len(problem.visits)))
    while order and not keeps(problem, table, order)[0]:
        order.pop()
    if not order:
        return
    route = keeps(problem, table, order)[1].routes[0]
    now, place = problem.reps[0].shift_start_s, problem.start_places()[0]
    for index in order:
        visit = problem.visits[index]
        now += int(table.duration_s[place, index])
        spans = visit.windows or (TimeWindow(0, 10**6),)
        now = min(max(now, span.start_s) for span in spans if span.end_s >= now) + visit.service_s
        place = index
    home = problem.end_places()[0]
    assert route.end_s == now + (int(table.duration_s[place, home]) if home >= 0 else 0)


@settings(max_examples=50, deadline=None)
@given(days())
def test_a_first_plan_passes_the_checker_at_the_cost_that_it_states(case):
    problem, table = case
    day = Day(problem, table)
    rounds = rounds_of(day, [[] for _ in problem.reps])
    fill(day, rounds, candidates(AloneTable(day)), end_s=time.monotonic() + 5)
    plan = assemble(day, rounds, AloneTable(day))
    report = check(problem, table, plan)
    assert report.drivable, report.violations
    assert abs(report.objective - plan.objective) < 1e-6
    assert abs(cost_of(day, rounds)[1] - report.objective) < 1e-6
    assert all(
        len({rep for reason in left.reasons for rep in reason.rep_ids}) == len(problem.reps) for left in plan.unassigned
    )
    reasons = {reason.code for left in plan.unassigned for reason in left.reasons}
    assert "has_room" not in reasons


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(most_visits=5), st.integers(0, 3))
def test_every_order_that_the_search_finds_passes_the_checker(case, seed):
    problem, table = case
    day = Day(problem, table)
    found = []
    search(SearchTask(day, candidates(AloneTable(day)), time.monotonic() + 0.15, seed), found.append)
    for orders in [one.orders for one in found if one.orders is not None]:
        rounds = [Round(day, rep, order) for rep, order in enumerate(orders)]
        assert all(one.feasible or not one.stops for one in rounds)
        assert check(problem, table, assemble(day, rounds, AloneTable(day))).drivable


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(most_visits=4, most_reps=1))
def test_the_search_finds_the_best_of_all_orders_on_tiny_days(case):
    problem, table = case
    day = Day(problem, table)
    options = candidates(AloneTable(day))
    costs = [cost_of(day, [Round(day, 0)])]
    for count in range(1, len(problem.visits) + 1):
        for order in itertools.permutations(range(len(problem.visits)), count):
            one = Round(day, 0, order)
            if one.feasible:
                costs.append(cost_of(day, [one]))
    found = [cost_of(day, [Round(day, 0)])]
    end_s = time.monotonic() + 0.3
    search(
        SearchTask(day, options, end_s),
        lambda one: found.append(touched_up(day, one.orders)) if one.orders is not None else None,
    )
    assert min(found) == min(costs)


def touched_up(day, orders):
    rounds = rounds_of(day, orders)
    drop(day, rounds)
    return cost_of(day, rounds)


def solved():
    """A plan with waits, breaks, skills, limits and a way home, on which every tampering is visible."""
    here = [Location(30.5 + step / 100, 114.3) for step in range(6)]
    visits = tuple(
        Visit(f"v{index}", f"v{index}", here[index], 1200, (TimeWindow(8 * H, 17 * H),), mandatory=index == 0, load=1)
        for index in range(6)
    )
    reps = tuple(
        Rep(f"r{index}", f"r{index}", here[index], 9 * H, 18 * H, here[index], (Break(12 * H, 13 * H, H),), capacity=6)
        for index in range(2)
    )
    problem = DayProblem(visits, reps)
    gaps = np.abs(np.subtract.outer(range(6), range(6))) * 900 + 600 * ~np.eye(6, dtype=bool)
    rows = [*range(6), 0, 1, 0, 1]
    table = MatrixTravelTimes(gaps[np.ix_(rows, rows)], gaps[np.ix_(rows, rows)]).table(problem.locations())
    day = Day(problem, table)
    return problem, table, assemble(day, [Round(day, 0, [0, 2, 4]), Round(day, 1, [1, 3, 5])], AloneTable(day))


def tamperings(route: Route):
    """Yield changed routes, each wrong."""
    stops, breaks = route.stops, route.breaks
    for index, stop in enumerate(stops):
        yield dataclasses.replace(route, stops=(*stops[:index], *stops[index + 1 :]))
        yield dataclasses.replace(route, stops=(*stops[: index + 1], stop, *stops[index + 1 :]))
        for change in (
            {"arrival_s": stop.arrival_s - 61},
            {"start_s": stop.start_s + 30},
            {"start_s": stop.arrival_s - 1},
            {"departure_s": stop.departure_s - 1},
            {"travel_s": stop.travel_s + 1},
            {"distance_m": stop.distance_m + 1},
            {"visit_id": "nobody"},
        ):
            changed = dataclasses.replace(stop, **change)
            yield dataclasses.replace(route, stops=(*stops[:index], changed, *stops[index + 1 :]))
    yield dataclasses.replace(route, stops=stops[::-1])
    yield dataclasses.replace(route, rep_id="nobody")
    yield dataclasses.replace(route, breaks=())
    for change in (
        {"start_s": breaks[0].start_s - 2 * H, "end_s": breaks[0].end_s - 2 * H},
        {"end_s": breaks[0].end_s - 60},
        {"leg": 0},
        {"leg": 99},
        {"travelled_s": breaks[0].travelled_s + 10**6},
        {"start_s": 17 * H, "end_s": 18 * H},
    ):
        yield dataclasses.replace(route, breaks=(dataclasses.replace(breaks[0], **change),))
    yield dataclasses.replace(route, end_s=route.end_s - 1)
    yield dataclasses.replace(route, departure_s=8 * H)
    yield dataclasses.replace(route, departure_s=route.departure_s + 10 * H)


def test_the_checker_rejects_every_tampered_plan_and_accepts_the_true_one():
    problem, table, plan = solved()
    assert check(problem, table, plan).feasible
    accepted = []
    for index, route in enumerate(plan.routes):
        for changed in tamperings(route):
            routes = (*plan.routes[:index], changed, *plan.routes[index + 1 :])
            if check(problem, table, DayPlan(routes, plan.unassigned, plan.objective)).feasible:
                accepted.append(changed)
    assert accepted == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_checker_rejects_any_time_moved_against_the_way_of_things(data):
    problem, table, plan = solved()
    index = data.draw(st.integers(0, 1))
    route = plan.routes[index]
    stop_index = data.draw(st.integers(0, len(route.stops) - 1))
    stop = route.stops[stop_index]
    name = data.draw(st.sampled_from(["arrival_s", "start_s", "departure_s", "travel_s", "distance_m"]))
    step = data.draw(st.integers(1, 5 * H))
    sign = 1 if name in {"start_s"} else -1
    changed = dataclasses.replace(stop, **{name: getattr(stop, name) + sign * step})
    stops = (*route.stops[:stop_index], changed, *route.stops[stop_index + 1 :])
    routes = tuple(
        dataclasses.replace(route, stops=stops) if i == index else other for i, other in enumerate(plan.routes)
    )
    assert not check(problem, table, DayPlan(routes, plan.unassigned, plan.objective)).feasible
