"""Makes larger instances from seeds, since none may be copied here, and finds reference solutions for them.

``python -m benchmarks.large_instances FOLDER --sizes 200,400 --reference-seconds 60`` writes files in Solomon's format
and VRPLIB's, in the manner of Gehring and Homberger (1999), of the prize-collecting files of Bulhões et al. (2018:
prize = demand × 0.75 to 2.25), of multi-depot files, and of the X set of Uchoa et al. (2017). A reference is the best
plan of a long run of PyVRP, written as a ``.sol`` file beside the instance: no proven optimum, and it can be beaten.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.routing_rivals import run_rival
from benchmarks.routing_tasks import RivalTask, Sequences
from routing.instances.model import Instance, read_instance
from routing.solve import evaluate

KINDS = ("C1", "C2", "R1", "R2", "RC1", "RC2", "PCR1", "PCRC2", "MDR1", "MDRC2", "X")
"""Clustered, random, mixed, each with short (1) and long (2) days; PC: prizes; MD: four depots; X: no windows."""
SIDES = {200: 140, 400: 200, 600: 300, 800: 400, 1000: 500}
"""Side of the square by number of customers, as in Homberger's files."""
DEPOTS = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A random instance; nodes are the depots, then the customers.

    Attributes
    ----------
    windows : list of (int, int), or empty
    service : int
        Of every customer.
    """

    name: str
    nodes: list[tuple[int, int]]
    depots: int
    demand: list[int]
    windows: list[tuple[int, int]]
    service: int
    vehicles: int
    capacity: int
    prizes: list[int]


def draw_instance(kind: str, customers: int, seed: int) -> Drawn:
    """Return the instance of a kind, a size and a seed: the same each time.

    A customer's window lies so that a vehicle could serve this customer alone.
    """
    dice = random.Random(f"{kind} {customers} {seed}")
    plain = kind.removeprefix("PC").removeprefix("MD")
    side = SIDES.get(customers, round(14 * math.sqrt(customers)))
    depots = DEPOTS if kind.startswith("MD") else 1
    homes = [(side // 2, side // 2)] if depots == 1 else [_anywhere(dice, side) for _ in range(depots)]
    places = _places(dice, plain, customers, side)
    demand = [0] * depots + [dice.choice((10, 10, 20, 20, 30, 40)) for _ in places]
    short = plain.endswith("1")
    service = 90 if plain.startswith("C") else 10
    horizon = round((1000 if plain == "C1" else 400 if short else 2500) + 2.2 * side)
    nodes = homes + places
    windows = [] if kind == "X" else [(0, horizon)] * depots + _windows(dice, nodes, depots, (horizon, service, short))
    prizes = [0] * depots + [round(need * dice.uniform(0.75, 2.25)) for need in demand[depots:]]
    return Drawn(
        name=f"X-n{customers + 1}-s{seed}" if kind == "X" else f"{kind}_{customers // 100}_{seed}",
        nodes=nodes,
        depots=depots,
        demand=demand,
        windows=windows,
        service=0 if kind == "X" else service,
        vehicles=max(depots, customers // 4),
        capacity=200 if short or kind == "X" else 1000,
        prizes=prizes if kind.startswith("PC") else [],
    )


def _anywhere(dice: random.Random, side: int) -> tuple[int, int]:
    return dice.randint(0, side), dice.randint(0, side)


def _places(dice: random.Random, plain: str, customers: int, side: int) -> list[tuple[int, int]]:
    """Return customers spread evenly (R, X), in clusters (C), or half and half (RC)."""
    centres = [_anywhere(dice, side) for _ in range(max(1, customers // 12))]
    clustered = {"C": 1.0, "RC": 0.5}.get(plain.rstrip("12"), 0.0)

    def within(value: float) -> int:
        return min(side, max(0, round(value)))

    places = []
    for _ in range(customers):
        if dice.random() < clustered:
            x, y = dice.choice(centres)
            places.append((within(dice.gauss(x, side / 50)), within(dice.gauss(y, side / 50))))
        else:
            places.append(_anywhere(dice, side))
    return places


def _windows(
    dice: random.Random, nodes: list[tuple[int, int]], depots: int, day: tuple[int, int, bool]
) -> list[tuple[int, int]]:
    """Return customers' windows; a quarter to all customers have a narrow one."""
    horizon, service, short = day
    share = dice.choice((0.25, 0.5, 0.75, 1.0))
    windows = []
    for node in nodes[depots:]:
        away = math.ceil(min(math.dist(node, home) for home in nodes[:depots])) + 1
        first, last = away, horizon - service - away
        if dice.random() < share:
            middle, half = dice.randint(first, last), dice.randint(5, 30) if short else dice.randint(30, 120)
            windows.append((max(first, middle - half), min(last, middle + half)))
        else:
            windows.append((first, last))
    return windows


def solomon_text(drawn: Drawn) -> str:
    """Return the instance in Solomon's format; it must have one depot, windows and no prizes."""
    lines = [drawn.name, "", "VEHICLE", "NUMBER     CAPACITY", f"  {drawn.vehicles}         {drawn.capacity}", ""]
    lines += ["CUSTOMER", "CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME", ""]
    for number, ((x, y), need, (ready, due)) in enumerate(zip(drawn.nodes, drawn.demand, drawn.windows, strict=True)):
        service = drawn.service if number else 0
        lines.append("".join(f"{value:10}" for value in (number, x, y, need, ready, due, service)))
    return "\n".join(lines) + "\n"


def vrplib_text(drawn: Drawn) -> str:
    """Return the instance in VRPLIB's format, in the dialect that PyVRP documents."""
    kind = "CVRP" if not drawn.windows else f"{'PC' if drawn.prizes else ''}{'MD' if drawn.depots > 1 else ''}VRPTW"
    lines = [f"NAME : {drawn.name}", f"TYPE : {kind}", f"DIMENSION : {len(drawn.nodes)}"]
    # A file of the X set does not limit the number of vehicles.
    lines += [f"VEHICLES : {drawn.vehicles}"] if drawn.windows else []
    lines += [f"CAPACITY : {drawn.capacity}", "EDGE_WEIGHT_TYPE : EUC_2D"]
    sections: dict[str, Sequence[object]] = {
        "NODE_COORD": [f"{x} {y}" for x, y in drawn.nodes],
        "DEMAND": drawn.demand,
        "TIME_WINDOW": [f"{early} {late}" for early, late in drawn.windows],
        "SERVICE_TIME": [0] * drawn.depots + [drawn.service] * (len(drawn.nodes) - drawn.depots),
        "PRIZE": drawn.prizes,
        "VEHICLES_DEPOT": [1 + n * drawn.depots // drawn.vehicles for n in range(drawn.vehicles)],
    }
    unused = {"SERVICE_TIME": not drawn.windows, "VEHICLES_DEPOT": drawn.depots == 1}
    for name, values in sections.items():
        if values and not unused.get(name, False):
            lines += [f"{name}_SECTION", *(f"{number} {value}" for number, value in enumerate(values, start=1))]
    return "\n".join([*lines, "DEPOT_SECTION", *map(str, range(1, drawn.depots + 1)), "-1", "EOF"]) + "\n"


def write_instances(folder: Path, kinds: Sequence[str], sizes: Sequence[int], seeds: Sequence[int]) -> list[Path]:
    """Write the files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in kinds:
        for size in sizes:
            for seed in seeds:
                drawn = draw_instance(kind, size, seed)
                classic = kind[0] in "CR"
                path = folder / f"{drawn.name}{'.txt' if classic else '.vrp'}"
                path.write_text(solomon_text(drawn) if classic else vrplib_text(drawn))
                paths.append(path)
    return paths


def write_reference(path: Path, seconds: float) -> float | None:
    """Solve an instance with PyVRP for so long, write the solution beside it, and return its cost.

    None, and no file, when PyVRP finds no plan that our checker accepts.
    """
    instance = read_instance(path.read_bytes(), name=path.stem)
    answer = run_rival("pyvrp", RivalTask(instance.problem, instance.table, seconds))
    if answer.found is None:
        return None
    _, report = evaluate(instance.problem, instance.table, answer.found.sequences)
    if not report.feasible:
        return None
    path.with_suffix(".sol").write_text(solution_text(instance, answer.found.sequences))
    return instance.objective(report)


def solution_text(instance: Instance, sequences: Sequences) -> str:
    """Return a VRPLIB solution file: one line for each vehicle in use, under its number, and the cost."""
    problem, far = instance.problem, instance.table.distance_m
    row_of = {problem.visits[place].id: row for row, place in instance.visit_at.items()}
    place_of = {visit.id: place for place, visit in enumerate(problem.visits)}
    lines, cost = [], 0.0
    for number, rep in enumerate(problem.reps):
        if order := sequences.get(rep.id):
            lines.append(f"Route #{number + 1}: {' '.join(str(row_of[visit]) for visit in order)}")
            home = problem.start_places()[number]
            legs = pairwise([home, *(place_of[visit] for visit in order), home])
            cost += rep.fixed_cost + sum(int(far[leg]) for leg in legs)
    served = {visit for order in sequences.values() for visit in order}
    cost += sum(problem.weights.prize(visit) for visit in problem.visits if visit.id not in served)
    return "\n".join([*lines, f"Cost {round(cost / instance.scale, 3)}"]) + "\n"


def main() -> None:
    """Write the files that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_instances", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS), help="default: %(default)s")
    parser.add_argument("--sizes", default="200,400,1000", help="customers (default: %(default)s)")
    parser.add_argument("--seeds", default="1", help="default: %(default)s")
    parser.add_argument("--reference-seconds", type=float, default=0, help="PyVRP's time for each; 0: no references")
    asked = parser.parse_args()
    sizes, seeds = ([int(text) for text in given.split(",")] for given in (asked.sizes, asked.seeds))
    for path in write_instances(asked.folder, asked.kinds.split(","), sizes, seeds):
        cost = write_reference(path, asked.reference_seconds) if asked.reference_seconds else None
        print(path.name, "-" if cost is None else f"{cost:.1f}")


if __name__ == "__main__":
    main()
