"""Random small days in which every field of the model occurs: a hypothesis strategy for all tests of routing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from common.places import Location
from routing.problem import Break, DayProblem, ObjectiveWeights, Rep, TimeWindow, Visit
from routing.travel_times import LARGEST_ENTRY, MatrixTravelTimes, TravelTable

H = 3600
PLACE = Location(30.5, 114.3)
SKILLS = ("fair", "demo")
AWAY = "away"
"""A usual rep who is not at work on the day."""
LONGEST_WAY_S = 2400
LOCKED_SHIFT_S = 6 * H
"""Long enough for two locked visits, both breaks, the ways and the waits, wherever the breaks lie."""

FEATURES = (
    "windows", "breaks", "skills", "allowed_reps", "after", "collect", "first_stops", "max_visits", "capacity",
    "max_travel_s", "max_distance_m", "overtime", "fixed_cost", "change", "fairness", "mandatory", "distance",
    "unreachable",
)  # fmt: skip
"""What a random day may have; each is there on half of the days."""


class RichDay(NamedTuple):
    """A day and the travel table of its places."""

    problem: DayProblem
    table: TravelTable


@st.composite
def rich_days(
    draw: Any,
    *,
    least_visits: int = 1,
    most_visits: int = 6,
    most_reps: int = 3,
    without: tuple[str, ...] = (),
    always: tuple[str, ...] = (),
) -> RichDay:
    """Draw a day; ``without`` and ``always`` name :data:`FEATURES`.

    Locked stops can always be kept, if the rep does nothing else. Orders (``after``) form chains and trees. A visit
    that collects has at most one visit after it, which hands over as much.
    """
    on = {name for name in FEATURES if name in always or (name not in without and draw(st.booleans()))}
    rep_ids = [f"r{number}" for number in range(draw(st.integers(1, most_reps)))]
    count = draw(st.integers(least_visits, most_visits))
    visits = [_visit(draw, f"v{number}", rep_ids, on) for number in range(count)]
    visits = _in_order(draw, visits, on)
    reps = [_rep(draw, rep_id, on) for rep_id in rep_ids]
    if "first_stops" in on:
        visits, reps = _lock(draw, visits, reps)
    shuffled = draw(st.permutations(visits))
    problem = DayProblem(tuple(shuffled), tuple(reps), _weights(draw, on))
    return RichDay(problem, _table(draw, problem, on))


def _visit(draw: Any, visit_id: str, rep_ids: list[str], on: set[str]) -> Visit:
    windows = []
    for _ in range(draw(st.integers(0, 2)) if "windows" in on else 0):
        start = 8 * H + 900 * draw(st.integers(0, 24))
        windows.append(TimeWindow(start, start + draw(st.sampled_from([0, 600, 3600, 7200]))))
    allowed = None
    if "allowed_reps" in on and draw(st.booleans()):
        allowed = draw(st.frozensets(st.sampled_from(rep_ids), min_size=draw(st.integers(0, 9)) > 0))
    return Visit(
        visit_id,
        visit_id,
        PLACE,
        draw(st.sampled_from([0, 600, 1800])),
        tuple(windows),
        value=draw(st.sampled_from([0.0, 0.05, 0.2, 1.0])),
        grade=draw(st.sampled_from(["", "A", "B"])),
        skills=draw(st.frozensets(st.sampled_from(SKILLS), max_size=1)) if "skills" in on else frozenset(),
        mandatory="mandatory" in on and draw(st.booleans()),
        load=draw(st.integers(0, 2)) if "capacity" in on else 0,
        allowed_reps=allowed,
        usual_rep=draw(st.sampled_from(["", AWAY, *rep_ids])) if "change" in on else "",
    )


def _in_order(draw: Any, visits: list[Visit], on: set[str]) -> list[Visit]:
    """Return the visits, some of them after others and some collecting for others."""
    led = [visits[0]]
    followed: set[str] = set()
    collecting: set[str] = set()
    for visit in visits[1:]:
        # A visit that collects has no second visit after it.
        open_to_others = [number for number, other in enumerate(led) if other.id not in collecting]
        after = draw(st.sampled_from([None, None, *open_to_others])) if on & {"after", "collect"} else None
        if after is None:
            led.append(visit)
            continue
        before = led[after]
        if "collect" in on and before.id not in followed and ("after" not in on or draw(st.booleans())):
            packs = draw(st.integers(1, 2))
            led[after] = replace(before, collect=packs)
            visit = replace(visit, load=packs)  # noqa: PLW2901
            collecting.add(before.id)
        elif "after" not in on:
            led.append(visit)
            continue
        followed.add(before.id)
        led.append(replace(visit, after=before.id))
    if "collect" in on:
        led = [
            replace(visit, collect=draw(st.integers(0, 2))) if visit.id not in followed | collecting else visit
            for visit in led
        ]
    return led


def _rep(draw: Any, rep_id: str, on: set[str]) -> Rep:
    def limit(name: str, *values: int) -> int | None:
        return draw(st.sampled_from([None, *values])) if name in on else None

    breaks = []
    for earliest in draw(st.sampled_from([(), (9 * H,), (10 * H,), (9 * H, 11 * H)])) if "breaks" in on else ():
        latest = earliest + draw(st.sampled_from([0, 900, 3600]))
        breaks.append(Break(earliest, latest, draw(st.sampled_from([900, 2700]))))
    return Rep(
        rep_id,
        rep_id,
        PLACE,
        8 * H,
        draw(st.sampled_from([11, 12, 14])) * H,
        draw(st.sampled_from([None, PLACE])),
        tuple(breaks),
        draw(st.frozensets(st.sampled_from(SKILLS))) if "skills" in on else frozenset(),
        limit("max_visits", 1, 2, 3),
        limit("capacity", 0, 2, 3),
        draw(st.sampled_from([0, 1800])) if "overtime" in on else 0,
        limit("max_travel_s", 2000, 4500),
        limit("max_distance_m", 10_000, 30_000),
        draw(st.sampled_from([0.0, 600.0, 4000.5])) if "fixed_cost" in on else 0.0,
    )


def _lock(draw: Any, visits: list[Visit], reps: list[Rep]) -> tuple[list[Visit], list[Rep]]:
    """Return visits and reps, the first one or two visits of some reps locked, so that they can be kept."""
    paired = {visit.after for visit in visits if visit.after} & {visit.id for visit in visits if visit.collect}
    free = [index for index, visit in enumerate(visits) if not visit.after and visit.id not in paired]
    visits = list(visits)
    locked = []
    for rep in reps:
        first: list[str] = []
        for _ in range(draw(st.integers(0, 2))):
            if free:
                index = free.pop(draw(st.integers(0, len(free) - 1)))
                visit = visits[index]
                allowed = visit.allowed_reps if visit.allowed_reps is None else visit.allowed_reps | {rep.id}
                visits[index] = replace(
                    visit, service_s=min(visit.service_s, 600), windows=(), skills=frozenset(), load=0, collect=0,
                    allowed_reps=allowed,
                )  # fmt: skip
                first.append(visit.id)
        if first:
            rep = replace(  # noqa: PLW2901
                rep, first_stops=tuple(first), shift_end_s=rep.shift_start_s + LOCKED_SHIFT_S, max_travel_s=None,
                max_distance_m=None, max_visits=None if rep.max_visits is None else max(rep.max_visits, len(first)),
            )  # fmt: skip
        locked.append(rep)
    return visits, locked


def _weights(draw: Any, on: set[str]) -> ObjectiveWeights:
    return ObjectiveWeights(
        travel_s=draw(st.sampled_from([1.0, 1.0, 2.5])),
        distance_m=draw(st.sampled_from([0.1, 0.35])) if "distance" in on else 0.0,
        overtime_s=draw(st.sampled_from([0.0, 0.5, 2.0])),
        value=draw(st.sampled_from([2000.0, 14_400.0])),
        change=draw(st.sampled_from([300.0, 3000.0])) if "change" in on else 0.0,
        fairness=draw(st.sampled_from([0.3, 2.0])) if "fairness" in on else 0.0,
        fairness_measure=draw(st.sampled_from(["minutes", "visits", "value"])),
    )


def _table(draw: Any, problem: DayProblem, on: set[str]) -> TravelTable:
    numbers = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = len(problem.locations())
    duration_s = numbers.integers(0, draw(st.sampled_from([5, 900, LONGEST_WAY_S])), (size, size))
    distance_m = numbers.integers(0, 8000, (size, size)) if "distance" in on else duration_s * 7
    if draw(st.booleans()):
        duration_s, distance_m = np.triu(duration_s), np.triu(distance_m)
        duration_s, distance_m = duration_s + duration_s.T, distance_m + distance_m.T
    if "unreachable" in on and not any(rep.first_stops for rep in problem.reps):
        duration_s[numbers.random((size, size)) < 0.1] = LARGEST_ENTRY
    np.fill_diagonal(duration_s, 0)
    np.fill_diagonal(distance_m, 0)
    return MatrixTravelTimes(duration_s, distance_m).table(problem.locations())
