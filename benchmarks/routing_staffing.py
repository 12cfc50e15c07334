"""Measures the lending of people between regions on random work (part ``staffing`` of ``benchmarks.routing``)."""

from __future__ import annotations

import random
import time

from common.places import Location
from routing.reallocate import reallocate
from routing.staffing.problem import Person, ReallocationProblem, Region

SKILLS = ("campus", "mall", "fair", "community", "demo")


def staffing(regions: int, people: int) -> None:
    """Print what lending brings on random work."""
    dice = random.Random(1)
    wide = 0.17 * regions**0.5  # degrees: as many regions to the square as in a province
    places = tuple(
        Region(
            f"G{n}",
            Location(30 + dice.random() * wide, 114 + dice.random() * wide),
            3,
            {**{skill: dice.choice((0.0, 0.0, 10.0, 25.0, 45.0)) for skill in SKILLS}, "": dice.random() * 20},
        )
        for n in range(regions)
    )
    persons = tuple(
        Person(f"P{n}", f"G{dice.randrange(regions)}", frozenset(dice.sample(SKILLS, dice.randint(0, 2))), 8.0, n % 3)
        for n in range(people)
    )
    began = time.perf_counter()
    result = reallocate(ReallocationProblem(places, persons))
    wall_s = time.perf_counter() - began
    print(f"{'regions':>8} {'people':>7} {'wall s':>7} {'moves':>6} {'undone before h':>16} {'after h':>9}")
    before, after = sum(result.unserved_before_h.values()), sum(result.unserved_after_h.values())
    print(f"{regions:8} {people:7} {wall_s:7.2f} {len(result.moves):6} {before:16.1f} {after:9.1f}")
