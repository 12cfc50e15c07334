"""Searching a plan of lending: relaxation, first plan, then exact searches of one neighbourhood after the other."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.staffing.choices import MINUTES, Choice, Staffing
from routing.staffing.program import Program, Relaxed
from routing.staffing.start import FirstPlan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALL = 1_500
"""With at most so many choices the whole program is searched at once."""
SMALL_EFFORT = 3.0
"""CP-SAT's deterministic seconds for a whole small program."""
NEAR_ENOUGH_MIN = 30.0
"""Choices of a large program are left out when the relaxation says that making one would cost so much more."""
NEIGHBOURS = 8
"""Regions of a neighbourhood that is searched exactly, on one day or over all."""
EFFORT = 0.15
ROUNDS, SMALL_ROUNDS = 300, 30
"""Neighbourhoods searched at most, fewer after a whole search: fixed numbers, so that a seed gives the same plan."""
RELAXATION_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Found:
    """A plan of lending.

    Attributes
    ----------
    chosen : tuple of Choice
        By day, then by person.
    cost_min, bound_min : int, float or None
        Undone minutes and prices, in the places that choices touch, and what no plan over the same choices can beat.
    proven : bool
        Whether the plan is the best over its choices, within the program's whole numbers.
    """

    chosen: tuple[Choice, ...]
    cost_min: int
    bound_min: float | None
    proven: bool


def search(staffing: Staffing, choices: Sequence[Choice], *, seed: int, until: float) -> Found:
    """Return a good plan; staying at home is where it starts, so it is never worse than that.

    Parameters
    ----------
    seed : int
        The same seed gives the same plan, unless the time runs out before the search ends.
    until : float
        Moment of `time.monotonic` at which the search stops.
    """
    if not choices:
        return Found((), 0, 0.0, True)
    program = Program(staffing, choices)
    small = len(choices) <= SMALL
    relaxed = program.relax((until - time.monotonic()) * RELAXATION_SHARE)
    pool = _pool(len(choices), relaxed, everything=small)
    guide = relaxed.values[: len(choices)].tolist() if relaxed else [1.0] * len(choices)
    x = program.complete(FirstPlan(staffing, choices, guide).choose(pool))
    proven = False
    if small:
        left_s = max(0.1, (until - time.monotonic()) / 2)
        solved = program.improve(x, pool, seed=seed, effort=SMALL_EFFORT, seconds=left_s)
        x, proven = solved.x, solved.proven
    if not proven:
        x = _improve_in_parts(program, x, pool, seed=seed, until=until)
    chosen = sorted(
        (choices[place] for place in range(len(choices)) if x[place]), key=lambda one: (one.day, one.person)
    )
    return Found(tuple(chosen), program.cost(x), relaxed.bound if relaxed else None, proven)


def _pool(count: int, relaxed: Relaxed | None, *, everything: bool) -> list[int]:
    if everything or relaxed is None:
        return list(range(count))
    promising = (relaxed.values[:count] > 1e-6) | (relaxed.reduced_costs[:count] < NEAR_ENOUGH_MIN)
    return [int(place) for place in promising.nonzero()[0]]


def _improve_in_parts(
    program: Program, x: NDArray[np.int64], pool: Sequence[int], *, seed: int, until: float
) -> NDArray[np.int64]:
    rounds = SMALL_ROUNDS if len(program.choices) <= SMALL else ROUNDS
    for number, free in enumerate(_neighbourhoods(program, pool, seed)):
        if number >= rounds or time.monotonic() >= until:
            break
        left_s = max(0.05, until - time.monotonic())
        x = program.improve(x, free, seed=seed + number, effort=EFFORT, seconds=left_s).x
    return x


def _neighbourhoods(program: Program, pool: Sequence[int], seed: int) -> Iterator[list[int]]:
    """Yield sets of choices among regions that lie together: on one day, now and then over all days."""
    staffing, choices = program.staffing, program.choices
    touching: dict[tuple[int, int], set[int]] = defaultdict(set)
    for place in pool:
        choice = choices[place]
        for region in (choice.region, staffing.homes[choice.person]):
            touching[region, choice.day].add(place)
    near = _nearest_regions(staffing, NEIGHBOURS)
    centres = sorted(touching)
    dice = random.Random(seed)
    while centres:
        dice.shuffle(centres)
        for number, (region, day) in enumerate(centres):
            whole_week = number % 5 == 4 and len(staffing.days) > 1
            regions = near[region][: NEIGHBOURS // 3] if whole_week else near[region]
            inside = set(regions)
            days = staffing.days if whole_week else (day,)
            free = {place for at in regions for on in days for place in touching.get((at, on), ())}
            within = [p for p in free if choices[p].region in inside and staffing.homes[choices[p].person] in inside]
            if within:
                yield sorted(within)


def _nearest_regions(staffing: Staffing, count: int) -> list[list[int]]:
    import numpy as np

    at = np.array([(one.location.latitude, one.location.longitude) for one in staffing.problem.regions])
    scaled = at * [1.0, float(np.cos(np.radians(at[:, 0].mean())))]
    apart = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
    return [[int(region) for region in row] for row in np.argsort(apart, axis=1, kind="stable")[:, :count]]


def gap_percent(found: Found) -> float | None:
    """Return by how much the plan may at most be better over the same choices, in per cent of its cost."""
    if found.proven or found.cost_min <= 0:
        return 0.0
    if found.bound_min is None:
        return None
    return round(max(0.0, 100 * (found.cost_min - found.bound_min) / found.cost_min), 3)


def hours(minutes: float) -> float:
    """Return hours for people to read."""
    return round(minutes / MINUTES, 2)
