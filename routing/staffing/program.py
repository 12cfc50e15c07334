"""The program of lending: whole numbers, rows and prices, its relaxation, and exact searches in parts of it.

Columns are the choices (0 or 1), stays (1 where a choice goes on with that of the working day before, which saves the
price of a new move), and for each place that choices touch the undone minutes of all and of required work. Rows that no
choice can break are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routing.staffing.choices import Choice, Staffing
from routing.staffing.work import Row, able_min

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The relaxation's solution: values and reduced costs of all columns, and its cost, which no plan can beat.

    The bound holds for the choices that the program has.
    """

    values: Floats
    reduced_costs: Floats
    bound: float


class Program:
    """The program over some choices: minimise ``costs @ x`` with ``matrix @ x <= limits``, ``0 <= x <= most``."""

    def __init__(self, staffing: Staffing, choices: Sequence[Choice]) -> None:
        self.staffing, self.choices = staffing, choices
        self._entries: tuple[list[int], list[int], list[int]] = ([], [], [])
        self._limits: list[int] = []
        self._costs = [choice.price + choice.start_price for choice in choices]
        self._most = [1] * len(choices)
        self.stays: list[tuple[int, int]] = list(_stays(staffing, choices))
        self.stays_of: dict[int, list[int]] = defaultdict(list)
        for number, pair in enumerate(self.stays):
            for place in pair:
                self.stays_of[place].append(len(choices) + number)
        self.undone_at: dict[Place, list[int]] = defaultdict(list)
        for _, after in self.stays:
            self._column(-choices[after].start_price, 1)
        self._count_stays()
        self._limit_people()
        self._limit_places()
        self._finish()

    def _column(self, cost: int, most: int) -> int:
        self._costs.append(cost)
        self._most.append(most)
        return len(self._costs) - 1

    def _row(self, terms: Sequence[tuple[int, int]], limit: int) -> None:
        rows, columns, values = self._entries
        rows += [len(self._limits)] * len(terms)
        columns += [column for column, _ in terms]
        values += [value for _, value in terms]
        self._limits.append(limit)

    def _count_stays(self) -> None:
        for number, pair in enumerate(self.stays):
            for choice in pair:
                self._row([(len(self.choices) + number, 1), (choice, -1)], 0)

    def _limit_people(self) -> None:
        by_day: dict[tuple[int, int], list[int]] = defaultdict(list)
        by_person: dict[int, list[int]] = defaultdict(list)
        stays: dict[int, list[int]] = defaultdict(list)
        for column, choice in enumerate(self.choices):
            by_day[choice.person, choice.day].append(column)
            by_person[choice.person].append(column)
        for number, (_, after) in enumerate(self.stays):
            stays[self.choices[after].person].append(len(self.choices) + number)
        for columns in by_day.values():
            if len(columns) > 1:
                self._row([(column, 1) for column in columns], 1)
        for person, columns in by_person.items():
            asked = self.staffing.problem.people[person]
            days = len({self.choices[column].day for column in columns})
            if asked.days_left is not None and asked.days_left < days:
                self._row([(column, 1) for column in columns], asked.days_left)
            if asked.moves_left < days:
                terms = [(column, 1) for column in columns] + [(column, -1) for column in stays[person]]
                self._row(terms, asked.moves_left)

    def _limit_places(self) -> None:
        coming: dict[Place, list[int]] = defaultdict(list)
        leaving: dict[Place, list[int]] = defaultdict(list)
        for column, choice in enumerate(self.choices):
            coming[choice.region, choice.day].append(column)
            leaving[self.staffing.homes[choice.person], choice.day].append(column)
        for place in sorted({*coming, *leaving}):
            self._work(place, coming.get(place, []), leaving.get(place, []))
        for (region, day), columns in sorted(leaving.items()):
            self._row([(column, 1) for column in columns], self.staffing.spare(region, day))

    def _work(self, place: Place, coming: Sequence[int], leaving: Sequence[int]) -> None:
        at = self.staffing.places[place[0]][place[1]]
        for rows, weight in ((at.rows, 1), (at.required_rows, self.staffing.required_extra)):
            if not weight or not rows:
                continue
            undone = self._column(weight, max(row.minutes for row in rows))
            self.undone_at[place].append(undone)
            for row in rows:
                self._surplus(row, at.own, undone=undone, moving=(coming, leaving))

    def _surplus(
        self, row: Row, own: Mapping[int, int], *, undone: int, moving: tuple[Sequence[int], Sequence[int]]
    ) -> None:
        """Let no less stay undone than a set of kinds of work exceeds the people who could do one of them."""
        masks = self.staffing.masks
        coming, leaving = (
            [column for column in columns if row.holds(masks[self.choices[column].person])] for columns in moving
        )
        able = able_min(row, own)
        gone = {self.choices[column].person: self.choices[column].home_minutes for column in leaving}
        if row.minutes <= able - sum(gone.values()):
            return
        terms = [(undone, -1)]
        terms += [(column, -self.choices[column].minutes) for column in coming]
        terms += [(column, self.choices[column].home_minutes) for column in leaving]
        self._row(terms, able - row.minutes)

    def _finish(self) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        rows, columns, values = self._entries
        shape = (len(self._limits), len(self._costs))
        self.matrix: Any = csr_matrix((values, (rows, columns)), shape=shape, dtype=np.int64)
        self.by_column: Any = self.matrix.tocsc()
        self.costs: Ints = np.array(self._costs, dtype=np.int64)
        self.most: Ints = np.array(self._most, dtype=np.int64)
        self.limits: Ints = np.array(self._limits, dtype=np.int64)
        del self._entries, self._limits, self._costs, self._most

    def relax(self, time_limit_s: float) -> Relaxed | None:
        """Return the solution in fractions of people (HiGHS by way of SciPy), or None without one in time."""
        from scipy.optimize import linprog

        solved = linprog(
            self.costs,
            A_ub=self.matrix,
            b_ub=self.limits,
            bounds=[(0, int(most)) for most in self.most],
            method="highs-ds",
            options={"time_limit": max(0.1, time_limit_s)},
        )
        if solved.status != 0 or solved.x is None or solved.fun is None:
            return None
        reduced = solved.lower.marginals + solved.upper.marginals
        return Relaxed(solved.x, reduced, float(solved.fun))

    def complete(self, chosen: Sequence[int]) -> Ints:
        """Return all columns for the choices that are made: stays and undone minutes follow from them."""
        import numpy as np

        x = np.zeros(len(self.costs), dtype=np.int64)
        x[list(chosen)] = 1
        for number, (before, after) in enumerate(self.stays):
            x[len(self.choices) + number] = x[before] & x[after]
        undone = np.array([column for columns in self.undone_at.values() for column in columns], dtype=np.int64)
        if len(undone):
            over = self.matrix @ x - self.limits
            part = self.by_column[:, undone].tocoo()
            np.maximum.at(x, undone[part.coords[1]], over[part.coords[0]])
        return x

    def cost(self, x: Ints) -> int:
        """Return what a plan costs: minutes undone and prices. Places that no choice touches are left out."""
        return int(self.costs @ x)

    def improve(self, x: Ints, free: Sequence[int], *, seed: int, effort: float, seconds: float = 60.0) -> Solved:
        """Search with CP-SAT for a better plan that differs in some choices only.

        Parameters
        ----------
        x : int array
            A plan; it is never made worse.
        free : sequence of int
            The choices that may change.
        effort : float
            CP-SAT's deterministic time, so that a seed gives the same plan on every machine.
        """
        import numpy as np
        from ortools.sat.python import cp_model

        columns = self._freed(free)
        part, limits = self._part(x, columns)
        model = cp_model.CpModel()
        variables = [model.new_int_var(0, int(self.most[column]), "") for column in columns]
        starts, places, values = part.indptr.tolist(), part.indices.tolist(), part.data.tolist()
        for row, limit in enumerate(limits.tolist()):
            inside = slice(starts[row], starts[row + 1])
            terms = cp_model.LinearExpr.weighted_sum([variables[place] for place in places[inside]], values[inside])
            model.add(terms <= limit)
        model.minimize(cp_model.LinearExpr.weighted_sum(variables, self.costs[columns].tolist()))
        for variable, value in zip(variables, x[columns].tolist(), strict=True):
            model.add_hint(variable, value)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % 2**31
        solver.parameters.max_deterministic_time = effort
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.linearization_level = 2
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Solved(x, False)
        found = x.copy()
        found[columns] = np.array([solver.value(variable) for variable in variables], dtype=np.int64)
        better = self.cost(found) <= self.cost(x)
        return Solved(found if better else x, status == cp_model.OPTIMAL)

    def _freed(self, free: Sequence[int]) -> Ints:
        """Return the columns that follow the choices: themselves, their stays, and what is undone in their places."""
        import numpy as np

        chosen = set(free)
        columns = sorted(chosen)
        columns += sorted({stay for choice in chosen for stay in self.stays_of.get(choice, ())})
        places = {
            (region, self.choices[choice].day)
            for choice in chosen
            for region in (self.choices[choice].region, self.staffing.homes[self.choices[choice].person])
        }
        columns += [column for place in sorted(places) for column in self.undone_at.get(place, ())]
        return np.array(columns, dtype=np.int64)

    def _part(self, x: Ints, columns: Ints) -> tuple[Any, Ints]:
        """Return the rows that hold some columns, over those only, and their limits with all others as they are."""
        import numpy as np

        rows = np.unique(self.by_column[:, columns].indices)
        touched = self.matrix[rows]
        part = touched[:, columns].tocsr()
        limits = self.limits[rows] - touched @ x + part @ x[columns]
        # a row that even the worst values keep is no help
        worst = part.maximum(0) @ self.most[columns]
        binding = worst > limits
        return part[binding], limits[binding]


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan, and whether nothing better exists among what was free."""

    x: Ints
    proven: bool


def _stays(staffing: Staffing, choices: Sequence[Choice]) -> Iterator[tuple[int, int]]:
    """Return pairs of choices of one person in one region on working days that follow each other."""
    at = {(choice.person, choice.region, choice.day): column for column, choice in enumerate(choices)}
    for column, choice in enumerate(choices):
        day = choice.day - 1
        while day >= 0 and not staffing.shift_min(choice.person, day):
            day -= 1
        before = at.get((choice.person, choice.region, day))
        if before is not None:
            yield before, column
