"""Lends reps between regions so that the predicted work gets done: who goes where, and why.

A mixed-integer program (SCIP by way of OR-Tools) over groups of like reps (same home region, skills and hours) and only
those ways that can help: from a region to the nearest regions whose own people cannot do their work. That keeps 300
regions and 3,000 people small. Why not CP-SAT: docs/decisions/0021.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import InvalidInput, Text
from common.places import great_circle_m
from routing.staffing_problem import ReallocationProblem

MINUTES = 60
GAP = 0.001
"""The search ends when the plan's worth is at most this share below the best possible one over the chosen ways."""
TARGETS_PER_GROUP = 10
"""To how many of the nearest regions in need a group may go."""


@dataclass(frozen=True, slots=True)
class Move:
    """One person lent for the day.

    Attributes
    ----------
    hours_covered : float
        Work done there that nobody would have done otherwise.
    travel_min : float
        One way.
    """

    person_id: str
    from_region: str
    to_region: str
    hours_covered: float
    travel_min: float
    reason: Text


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Work in a region that stays undone, with the reasons why nobody (more) comes."""

    region_id: str
    skill: str
    hours: float
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Reallocation:
    """Who goes where.

    Attributes
    ----------
    unserved_before_h, unserved_after_h : dict of str to float
        Hours of work left undone by region, without and with the moves.
    """

    moves: tuple[Move, ...]
    unserved_before_h: dict[str, float]
    unserved_after_h: dict[str, float]
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Like people: indices into the problem's people, those who may move first."""

    region: int
    skills: frozenset[str]
    minutes: int
    movable: tuple[int, ...]
    size: int


def reallocate(problem: ReallocationProblem, *, time_limit_s: float = 15.0) -> Reallocation:
    """Return the moves that leave the fewest hours of work undone, weighed against travel and the cost of a move.

    Parameters
    ----------
    time_limit_s : float
        For each of three solves: as things are, lending in fractions of people, lending of people.

    Returns
    -------
    Reallocation
        Its moves keep every region's minimum of own people, every person's moves, and the longest way. Work that stays
        undone is listed with reasons; nothing to do is a result without moves.

    Raises
    ------
    InvalidInput
        When the time limit is not positive.
    """
    if not time_limit_s > 0:
        raise InvalidInput.at("/time_limit_s", "must be more than 0", "必须大于 0")
    groups = _groups(problem)
    stay = _Program(problem, groups, [[] for _ in groups], whole=False)
    stay.solve(time_limit_s)
    need = stay.undone()
    lend = _lend(problem, groups, [_targets(problem, group, need) for group in groups], time_limit_s)
    if lend.worth() < stay.worth():
        lend = stay
    left = lend.undone()
    moves = tuple(_moves(problem, groups, lend, need))
    names = [region.id for region in problem.regions]
    return Reallocation(
        moves,
        {names[region]: _hours(sum(work.values())) for region, work in enumerate(need)},
        {names[region]: _hours(sum(work.values())) for region, work in enumerate(left)},
        tuple(_shortfalls(problem, groups, lend, left)),
    )


def _lend(
    problem: ReallocationProblem, groups: Sequence[_Group], targets: Sequence[Sequence[int]], time_limit_s: float
) -> _Program:
    """Return the solved program. Its linear relaxation first shows which ways are worth considering: few."""
    relaxed = _Program(problem, groups, targets, whole=False)
    relaxed.solve(time_limit_s)
    if relaxed.solved:
        targets = [
            [region for region in regions if relaxed.value(relaxed.sent[number, region]) > 1e-6]
            for number, regions in enumerate(targets)
        ]
    lend = _Program(problem, groups, targets, whole=True)
    lend.solve(time_limit_s)
    return lend


def _hours(minutes: int) -> float:
    return round(minutes / MINUTES, 2)


def _groups(problem: ReallocationProblem) -> list[_Group]:
    region_at = {region.id: index for index, region in enumerate(problem.regions)}
    members: dict[tuple[int, frozenset[str], int], list[int]] = defaultdict(list)
    for index, person in enumerate(problem.people):
        members[region_at[person.region_id], person.skills, round(person.hours * MINUTES)].append(index)
    return [
        _Group(region, skills, minutes, tuple(i for i in who if problem.people[i].moves_left > 0), len(who))
        for (region, skills, minutes), who in members.items()
    ]


def way_min(problem: ReallocationProblem, start: int, end: int) -> float:
    """Return the minutes of one way between two regions, by position."""
    metres = great_circle_m(problem.regions[start].location, problem.regions[end].location)
    return metres * problem.rules.detour_factor / 1000 / problem.rules.speed_kmh * 60


def _usable(skills: frozenset[str], work: Mapping[str, int]) -> bool:
    return any(minutes > 0 and (not skill or skill in skills) for skill, minutes in work.items())


def _targets(problem: ReallocationProblem, group: _Group, need: Sequence[Mapping[str, int]]) -> list[int]:
    """Return the nearest regions where the group could do work that is undone, and be in time to do some."""
    if not group.movable:
        return []
    ways = sorted(
        (way_min(problem, group.region, region), region)
        for region, work in enumerate(need)
        if region != group.region and _usable(group.skills, work)
    )
    longest = min(problem.rules.longest_way_min, group.minutes / 2)
    return [region for way, region in ways if way < longest][:TARGETS_PER_GROUP]


class _Program:
    """The mixed-integer program: people of a group in a region, and the minutes of each skill that they work there."""

    def __init__(
        self, problem: ReallocationProblem, groups: Sequence[_Group], targets: Sequence[Sequence[int]], *, whole: bool
    ) -> None:
        from ortools.linear_solver.python import model_builder

        self.problem = problem
        self.groups = groups
        self.model: Any = model_builder.Model()  # type: ignore[no-untyped-call]
        self.solver = model_builder.Solver("scip" if whole else "glop")
        self.solved = False
        self.whole = whole
        self.sent: dict[tuple[int, int], Any] = {}
        self.worked: dict[tuple[int, int, str], Any] = {}
        self.work = [
            {skill: hours * MINUTES for skill, hours in region.work_h.items() if hours > 0}
            for region in problem.regions
        ]
        lent: dict[int, list[Any]] = defaultdict(list)
        for number, group in enumerate(groups):
            gone = []
            for region in targets[number]:
                most = len(group.movable)
                people = self.model.new_int_var(0, most, "") if whole else self.model.new_num_var(0, most, "")
                minutes = group.minutes - 2 * way_min(problem, group.region, region)
                self._work(number, region, minutes * people)
                self.sent[number, region] = people
                gone.append(people)
            if gone:
                self.model.add(sum(gone) <= len(group.movable))
            lent[group.region] += gone
            self._work(number, group.region, group.minutes * (group.size - sum(gone)))
        self._keep_minimum(lent)
        self._limit_work()
        self._weigh()

    def _work(self, number: int, region: int, minutes: Any) -> None:
        """Let the people of a group who are in ``region`` work there at most ``minutes`` together."""
        parts = []
        for skill, needed in self.work[region].items():
            if not skill or skill in self.groups[number].skills:
                part = self.model.new_num_var(0, needed, "")
                self.worked[number, region, skill] = part
                parts.append(part)
        if parts:
            self.model.add(sum(parts) - minutes <= 0)

    def _limit_work(self) -> None:
        done: dict[tuple[int, str], list[Any]] = defaultdict(list)
        for (_, region, skill), part in self.worked.items():
            done[region, skill].append(part)
        for (region, skill), parts in done.items():
            self.model.add(sum(parts) <= self.work[region][skill])

    def _keep_minimum(self, lent: Mapping[int, list[Any]]) -> None:
        own: dict[int, int] = defaultdict(int)
        for group in self.groups:
            own[group.region] += group.size
        for region, gone in lent.items():
            if gone:
                self.model.add(sum(gone) <= max(0, own[region] - self.problem.regions[region].minimum_staff))

    def _weigh(self) -> None:
        """Maximise minutes worked less minutes travelled and the cost of each move."""
        cost = self.problem.rules.move_cost_h * MINUTES
        price = [
            people * (cost + 2 * way_min(self.problem, self.groups[number].region, region))
            for (number, region), people in self.sent.items()
        ]
        self.model.maximize(sum(self.worked.values()) - sum(price))

    def solve(self, time_limit_s: float) -> None:
        """Solve; staying at home and doing nothing is always a solution."""
        self.solver.set_time_limit_in_seconds(time_limit_s)
        if self.whole:
            self.solver.set_solver_specific_parameters(f"limits/gap = {GAP}")
        status = self.solver.solve(self.model).name
        self.solved = status in {"OPTIMAL", "FEASIBLE"}

    def worth(self) -> float:
        """Return what is maximised: minutes worked less the cost of moves; below everything without a solution."""
        return float(self.solver.objective_value) if self.solved else float("-inf")

    def moved(self, number: int, region: int) -> int:
        """Return how many of a group go to a region."""
        return round(self.value(self.sent[number, region]))

    def value(self, variable: Any) -> float:
        """Return a variable's value; without any solution in time everybody stays and nothing is known to be done."""
        return float(self.solver.value(variable)) if self.solved else 0.0

    def undone(self) -> list[dict[str, int]]:
        """Return the whole minutes of work left, by region and skill."""
        left = [dict(work) for work in self.work]
        for (_, region, skill), part in self.worked.items():
            left[region][skill] -= self.value(part)
        return [{skill: max(0, round(minutes)) for skill, minutes in work.items()} for work in left]


def _moves(
    problem: ReallocationProblem, groups: Sequence[_Group], lend: _Program, need: Sequence[Mapping[str, int]]
) -> Iterator[Move]:
    used: dict[int, int] = defaultdict(int)
    for number, region in lend.sent:
        count = lend.moved(number, region)
        if not count:
            continue
        group = groups[number]
        home, target = problem.regions[group.region].id, problem.regions[region].id
        done = {
            skill: lend.value(part)
            for (who, where, skill), part in lend.worked.items()
            if who == number and where == region
        }
        main = max(done, key=lambda skill: done[skill])
        way = way_min(problem, group.region, region)
        kind, kind_zh = (f" of {main}", f"{main}") if main else ("", "")
        text = Text(
            f"{target} lacks {_hours(need[region][main]):g} h{kind} work that its own people cannot do; "
            f"{home} can spare {count} and is {way:.0f} min away",
            f"{target} 缺 {_hours(need[region][main]):g} 小时{kind_zh}工作，自有人员无法完成；"
            f"{home} 可抽调 {count} 人，路程 {way:.0f} 分钟",
        )
        for person in group.movable[used[number] : used[number] + count]:
            covered = _hours(round(sum(done.values()) / count))
            yield Move(problem.people[person].id, home, target, covered, round(way, 1), text)
        used[number] += count


def _shortfalls(
    problem: ReallocationProblem, groups: Sequence[_Group], lend: _Program, left: Sequence[Mapping[str, int]]
) -> Iterator[Shortfall]:
    away: dict[int, int] = defaultdict(int)
    at_home: dict[int, int] = defaultdict(int)
    for number, region in lend.sent:
        away[number] += lend.moved(number, region)
    for number, group in enumerate(groups):
        at_home[group.region] += group.size - away[number]
    for region, work in enumerate(left):
        for skill, minutes in work.items():
            if not minutes:
                continue
            causes: dict[str, int] = defaultdict(int)
            for number, group in enumerate(groups):
                if group.region != region and (not skill or skill in group.skills):
                    spent = group.size - len(group.movable)
                    causes["no_moves_left"] += spent
                    cause = _cause(problem, group, region, at_home[group.region])
                    causes[cause] += len(group.movable) - away[number]
            texts = tuple(_cause_text(cause, count) for cause, count in sorted(causes.items()) if count)
            nobody = Text(
                "no other region has people with the skill who still stay there",
                "其他区域没有具备该技能且未被调出的人员",
            )
            yield Shortfall(problem.regions[region].id, skill, _hours(minutes), texts or (nobody,))


def _cause(problem: ReallocationProblem, group: _Group, region: int, at_home: int) -> str:
    minutes = way_min(problem, group.region, region)
    if minutes > problem.rules.longest_way_min or 2 * minutes >= group.minutes:
        return "too_far"
    if at_home <= problem.regions[group.region].minimum_staff:
        return "minimum_staff"
    return "needed_or_dear"


def _cause_text(cause: str, count: int) -> Text:
    sentences = {
        "no_moves_left": ("have no moves left", "人已用完调动次数"),
        "too_far": ("are too far away", "人距离过远"),
        "minimum_staff": ("are their home region's minimum staff", "人为所在区域的最低在岗人数"),
        "needed_or_dear": (
            "have work at home, or their way and move would cost more than they bring",
            "人本区有工作，或其调动成本高于可完成的工作",
        ),
    }
    en, zh = sentences[cause]
    return Text(f"{count} people with the skill {en}", f"具备技能的 {count} {zh}")
