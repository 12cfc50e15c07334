"""Several amounts as one: a day problem knows one kind of load, other planners know any number of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from routing.fleet.model import Amounts, Task, Vehicle

LARGEST_LOAD = 1_000_000
"""Most units of one visit in a day problem."""


@dataclass(frozen=True, slots=True)
class OneAmount:
    """What is taken and left by each task, and each vehicle's capacity, in one unit.

    A round that holds in this unit holds in every dimension. ``capacities`` are ``None`` where nothing can bind.
    ``exact``: the other way round holds too.
    """

    takes: tuple[int, ...]
    leaves: tuple[int, ...]
    capacities: tuple[int | None, ...]
    exact: bool = True


def one_amount(tasks: Sequence[Task], vehicles: Sequence[Vehicle]) -> OneAmount:
    """Return the amounts in one unit.

    Dimensions that cannot bind (all tasks together fit into the smallest vehicle) are left aside. Where one is left, it
    is the unit. Where several are, a task counts by the largest share of the largest vehicle's capacity that it takes
    in any of them: such a plan never overloads, but may leave out what would just fit.
    """
    carriers = [vehicle.capacity for vehicle in vehicles if vehicle.capacity is not None]
    binding = [place for place in range(len(carriers[0]) if carriers else 0) if _binds(tasks, carriers, place)]
    if not binding:
        none = (0,) * len(tasks)
        return _tied(tasks, OneAmount(none, none, (None,) * len(vehicles)))
    # More than everything together is never needed, however much a vehicle would hold.
    total = {place: _total(tasks, place) for place in binding}
    largest = {place: min(total[place], max(capacity[place] for capacity in carriers)) for place in binding}
    pairs = sum(1 for task in tasks if task.after)
    unit = _unit([size for size in largest.values() if size], LARGEST_LOAD // (2 * pairs + 2))

    def counts(amounts: Amounts) -> int:
        return max((_share(amounts[place], largest[place], unit) for place in binding), default=0) if amounts else 0

    def holds(capacity: Amounts | None) -> int | None:
        if capacity is None:
            return None
        return min(min(capacity[at], total[at]) * unit // max(1, largest[at]) for at in binding)

    takes, leaves = (tuple(counts(one) for one in given) for given in _amounts(tasks))
    return _tied(tasks, OneAmount(takes, leaves, tuple(holds(one.capacity) for one in vehicles), len(binding) == 1))


def _amounts(tasks: Sequence[Task]) -> tuple[list[Amounts], list[Amounts]]:
    return [task.takes for task in tasks], [task.leaves for task in tasks]


def _tied(tasks: Sequence[Task], amounts: OneAmount) -> OneAmount:
    """Return the amounts with a crumb for each pair of tasks that passes nothing on: a day problem ties the two by it.

    Everything else is counted in units so much larger that the crumbs of all pairs together are less than one.
    """
    first = {task.after for task in tasks if task.after}
    empty = {task.id for task, taken in zip(tasks, amounts.takes, strict=True) if task.id in first and not taken}
    if not empty:
        return amounts
    unit = len(empty) + 1
    return OneAmount(
        tuple(
            min(LARGEST_LOAD, taken * unit) + (task.id in empty)
            for task, taken in zip(tasks, amounts.takes, strict=True)
        ),
        tuple(
            min(LARGEST_LOAD, left * unit) + (task.after in empty)
            for task, left in zip(tasks, amounts.leaves, strict=True)
        ),
        tuple(None if most is None else most * unit + len(empty) for most in amounts.capacities),
        amounts.exact,
    )


def _binds(tasks: Sequence[Task], carriers: Sequence[Amounts], place: int) -> bool:
    return _total(tasks, place) > min(capacity[place] for capacity in carriers)


def _total(tasks: Sequence[Task], place: int) -> int:
    return sum(amounts[place] for task in tasks for amounts in (task.takes, task.leaves) if amounts)


def _unit(sizes: Sequence[int], most: int) -> int:
    """Return how many units the largest capacity has: one in which every share is whole, or the ``most`` allowed."""
    unit = math.lcm(*sizes) if sizes else 1
    return unit if unit <= most else most


def _share(amount: int, largest: int, unit: int) -> int:
    if amount > largest:
        return unit + 1  # more than any vehicle holds
    return -(-amount * unit // largest) if largest else 0
