"""A day problem as other solvers want it: few distinct places, one matrix of whole costs, and what they cannot do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.problem import DayProblem
from routing.travel_times import TravelTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Wholes = NDArray[np.int64]

Sequences = dict[str, list[str]]
"""Visit ids in order, by rep id."""


class NotModelledError(Exception):
    """A rival has no way to say what the problem asks for."""


@dataclass(frozen=True, slots=True)
class RivalTask:
    """One solve.

    Attributes
    ----------
    problem : DayProblem
    table : TravelTable
    seconds : float
        Time limit on the wall.
    seed : int
    """

    problem: DayProblem
    table: TravelTable
    seconds: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a rival came to.

    Attributes
    ----------
    sequences : dict
        Visit ids in order, by rep id.
    first_plan_s : float or None
        When it had its first plan, where it says so.
    note : str
        How the problem was changed for it.
    """

    sequences: Sequences
    first_plan_s: float | None = None
    note: str = ""


class Places:
    """The distinct places of a problem: visits first, then each start or end once, and "nowhere" for open ends.

    Attributes
    ----------
    rows : list of int
        Rows of the travel table by place; -1 is nowhere, which is 0 s from everywhere.
    starts, ends : list of int
        Places by rep.
    """

    def __init__(self, task: RivalTask) -> None:
        problem, table = task.problem, task.table.duration_s
        self.rows = list(range(len(problem.visits)))
        known: dict[bytes, int] = {}

        def place(row: int) -> int:
            key = b"" if row < 0 else table[row].tobytes() + table[:, row].tobytes()
            if key not in known:
                known[key] = len(self.rows)
                self.rows.append(row)
            return known[key]

        self.starts = [place(row) for row in problem.start_places()]
        self.ends = [place(row) for row in problem.end_places()]
        self._task = task

    def durations(self) -> Wholes:
        """Return seconds between places."""
        return self._between(self._task.table.duration_s)

    def costs(self) -> tuple[Wholes, int]:
        """Return the cost of each way in whole numbers, and how many of them are a unit of the objective."""
        import numpy as np

        weights, table = self._task.problem.weights, self._task.table
        cost = weights.travel_s * table.duration_s.astype(float) + weights.distance_m * table.distance_m
        scale = 1 if bool((cost % 1 == 0).all()) else 100
        return self._between(np.rint(cost * scale)), scale

    def _between(self, matrix: NDArray[np.generic]) -> Wholes:
        import numpy as np

        rows = np.array(self.rows)
        chosen = matrix[np.ix_(rows, rows)].astype(np.int64)
        chosen[rows < 0, :] = 0
        chosen[:, rows < 0] = 0
        return chosen


def refuse(task: RivalTask, *, also: Sequence[str] = ()) -> None:
    """Raise for what no rival here models; ``also`` names ``skills``, ``collect``, ``overtime`` or ``spans``."""
    visits, reps, weights = task.problem.visits, task.problem.reps, task.problem.weights
    asked = {
        "orders between visits": any(visit.after for visit in visits),
        "locked stops": any(rep.first_stops for rep in reps),
        "usual reps": weights.change > 0 and any(visit.usual_rep for visit in visits),
        "fairness": weights.fairness > 0,
        "limits on travel": any(rep.max_travel_s is not None or rep.max_distance_m is not None for rep in reps),
        "skills": "skills" in also and any(visit.skills or visit.allowed_reps is not None for visit in visits),
        "collected packs": "collect" in also and any(visit.collect for visit in visits),
        "overtime": "overtime" in also and any(rep.overtime_s for rep in reps),
        "several windows": "spans" in also and any(len(visit.windows) > 1 for visit in visits),
    }
    missing = [name for name, needed in asked.items() if needed]
    if missing:
        raise NotModelledError(", ".join(missing))


def may_serve(task: RivalTask, visit: int, rep: int) -> bool:
    """Return whether skills and allowed reps let ``rep`` make ``visit``."""
    customer, person = task.problem.visits[visit], task.problem.reps[rep]
    allowed = customer.allowed_reps is None or person.id in customer.allowed_reps
    return allowed and customer.skills <= person.skills
