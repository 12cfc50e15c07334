"""Plans the rest of a day anew after changes, with as little change as possible.

In this order, and only as far as needed: every round stays as it is; a visit goes into a gap that keeps the promised
times; into a gap that shifts others; in the place of visits worth less; and only when visits would stay out that were
planned or are new, a short search rearranges the rest, at a price for every customer who changes hands. See
docs/decisions (changes during the day).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from common.errors import Text
from routing.check import CheckReport, check
from routing.comparison import Move, cause_by_rep, moves_between, names_in
from routing.day import Day, Round
from routing.during_day.changes import AddVisit, Change, Changed, LockVisit, MoveVisit, apply_changes, let_go
from routing.during_day.insertion import Hand, Insertion
from routing.during_day.progress import Progress, fixed_parts
from routing.during_day.rest_of_day import Rest, joined, lived_problem, near_times, rest_of
from routing.during_day.running import RunningDay
from routing.plan import DayPlan
from routing.problem import DayProblem
from routing.relaxations import with_relaxations
from routing.solve import evaluate, solve
from routing.travel_times import TravelTimes


@dataclass(frozen=True, slots=True)
class News:
    """What has happened by a moment: reports of reps, and changes in the order in which they apply."""

    now_s: int
    changes: tuple[Change, ...] = ()
    progress: tuple[Progress, ...] = ()


@dataclass(frozen=True, slots=True)
class Calm:
    """How much is given up for little change.

    Attributes
    ----------
    search : {"needed", "always", "never"}
        When to search: only if visits would stay out that were planned or are new, or to improve the rest anyway.
    search_s : float
        Seconds of search.
    change : float
        Price in seconds of travel of a customer who changes hands, where the problem's weights have none.
    promise_s : int
        A promised start that shifts by no more than this is kept; a search keeps to twice as much.
    promise : float
        Price in seconds of travel of a promised start that shifts by more.
    relax_s : float
        Seconds in which changes are tried that would bring left-out visits into the plan; 0 for none.
    """

    search: Literal["needed", "always", "never"] = "needed"
    search_s: float = 1.0
    change: float = 900.0
    promise_s: int = 900
    promise: float = 600.0
    seed: int = 0
    relax_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish of the dispatcher that cannot be kept."""

    visit_id: str
    rep_id: str
    text: Text


@dataclass(frozen=True, slots=True)
class Replanned:
    """The day planned anew.

    Attributes
    ----------
    day : RunningDay
        With the new plan and the new problem in it.
    report : CheckReport
        Of the whole day as it was lived and as it is planned.
    moves : tuple of Move
        What changes for whom, and why.
    method : str
        ``kept`` (no order has changed), ``inserted``, ``made_room`` or ``searched``.
    refused : tuple of Refused
        Wishes of the dispatcher that cannot be kept; the visits stay where they were.
    """

    day: RunningDay
    report: CheckReport
    moves: tuple[Move, ...]
    method: str
    refused: tuple[Refused, ...] = ()

    @property
    def plan(self) -> DayPlan:
        """The new plan."""
        return self.day.plan


def replan(day: RunningDay, news: News, ways: TravelTimes, calm: Calm | None = None) -> Replanned:
    """Return the day planned anew; what is done, running or under way stays as it is.

    Parameters
    ----------
    ways : TravelTimes
        Asked for the ways of new places only.

    Returns
    -------
    Replanned
        Visits that find no place are a result with reasons. The plan has passed the checker, whose report says what
        of the day cannot be kept any more (a mandatory visit that nobody can make, for instance).

    Raises
    ------
    InvalidInput
        When a change or a report is wrong, by its pointer.
    """
    calm = calm or Calm()
    day = replace(day, now_s=max(news.now_s, day.now_s))
    fixed = fixed_parts(day, news.progress)
    changes, refused = news.changes, []
    released: set[str] = set()
    while True:
        changed = let_go(apply_changes(day, fixed, changes, ways), released)
        rest = rest_of(changed.day, changed.fixed, change=calm.change)
        near = _near_promises(rest, calm)
        outcome = _outcome(rest, changed, calm, near)
        if outcome.unlocked:
            released |= outcome.unlocked
        elif outcome.impossible:
            hands = {hand.visit_id: hand for hand in outcome.impossible}
            refused += [_refusal(day, changed, hand) for hand in hands.values()]
            changes = tuple(kept for change in changes if (kept := _without_wish(change, hands)) is not None)
        else:
            break
    plan, report = plan_of(rest, outcome.orders, near)
    plan = _with_ways_in(rest, plan, within_s=calm.relax_s)
    reported = {rep_id: part.reported for rep_id, part in rest.fixed.items() if part.reported}
    after = replace(changed.day, plan=plan, reported={**day.reported, **reported})
    telling = replace(
        names_in(day.problem, after.problem),
        reasons=outcome.reasons,
        by_rep=dict(cause_by_rep(day.plan, plan, changed.slower)),
        promised=day.promised,
    )
    return Replanned(after, report, moves_between(day.plan, plan, telling), outcome.method, tuple(refused))


def _without_wish(change: Change, hands: Mapping[str, Hand]) -> Change | None:
    """Return the change without the dispatcher's wish, or None when nothing is left of it."""
    if isinstance(change, AddVisit) and change.visit.id in hands:
        return replace(change, rep_id="", position=None)
    if isinstance(change, MoveVisit | LockVisit) and change.visit_id in hands:
        return None
    return change


def _refusal(day: RunningDay, changed: Changed, hand: Hand) -> Refused:
    names = names_in(day.problem, changed.day.problem)
    visit, rep = names.visits[hand.visit_id], names.reps[hand.rep_id]
    place, place_zh = (f" as stop {hand.position}", f"第 {hand.position} 站") if hand.position else ("", "")
    text = Text(
        f"{visit} cannot be kept on the round of {rep}{place}, whatever else is left out",
        f"{visit} 无法安排在 {rep} 的行程{place_zh}，即使去掉其他拜访也不行",
    )
    return Refused(hand.visit_id, hand.rep_id, text)


def plan_of(
    rest: Rest, orders: Mapping[str, Sequence[str]], near: DayProblem | None = None
) -> tuple[DayPlan, CheckReport]:
    """Return the plan of the whole day with these orders for its rest, and what the checker says of it.

    Parameters
    ----------
    near : DayProblem, optional
        The rest with promised times as windows: a rep who would come before them waits, where the whole round allows
        it.
    """
    found = DayPlan((), (), 0.0)
    if rest.problem is not None:
        problem = rest.problem if near is None else _patient(rest, near, orders)
        found = _with_known_reasons(rest, problem, orders)
    plan = joined(rest, found)
    report = check(lived_problem(rest), rest.lived, plan)
    return replace(plan, objective=report.objective), report


def _with_ways_in(rest: Rest, plan: DayPlan, *, within_s: float) -> DayPlan:
    """Return the plan with what would bring left-out visits in, those first that the plan before still had.

    What was found for an earlier plan was tried on other rounds, so nothing of it is kept.
    """
    if rest.problem is None or not plan.unassigned or within_s <= 0:
        return plan
    known = {item.visit_id for item in rest.day.plan.unassigned}
    still_open = {visit.id for visit in rest.problem.visits}
    routes = tuple(
        replace(route, stops=tuple(stop for stop in route.stops if stop.visit_id in still_open))
        for route in plan.routes
    )
    found = with_relaxations(
        rest.problem,
        rest.table,
        replace(plan, routes=routes),
        within_s=within_s,
        first={item.visit_id for item in plan.unassigned} - known,
        without=("start_earlier",),  # the day is under way
    )
    return replace(plan, unassigned=found.unassigned)


def _with_known_reasons(rest: Rest, problem: DayProblem, orders: Mapping[str, Sequence[str]]) -> DayPlan:
    """Return the plan of the rest. Where rounds have only become fuller, old reasons for a visit's absence still hold.

    To try every position for every visit left out takes longer than all the rest.
    """
    known = {item.visit_id: item for item in rest.day.plan.unassigned}
    fuller = all(set(order) <= set(orders.get(rep_id, ())) for rep_id, order in rest.orders.items())
    served = {visit_id for order in orders.values() for visit_id in order}
    awaited = {visit.after for visit in problem.visits if visit.id not in served}
    awaited |= {visit_id for rep in problem.reps for visit_id in rep.first_stops}
    skipped = {visit.id for visit in problem.visits if visit.id in known.keys() - served - awaited}
    if not fuller or not skipped or len(skipped) == len(problem.visits):
        return evaluate(problem, rest.table, orders)[0]
    kept = [index for index, visit in enumerate(problem.visits) if visit.id not in skipped]
    part, rows = problem.part(kept, range(len(problem.reps)))
    found, _ = evaluate(part, rest.table.part(rows), orders)
    left = {item.visit_id: item for item in found.unassigned} | {visit_id: known[visit_id] for visit_id in skipped}
    return replace(found, unassigned=tuple(left[visit.id] for visit in problem.visits if visit.id in left))


def _patient(rest: Rest, near: DayProblem, orders: Mapping[str, Sequence[str]]) -> DayProblem:
    """Return the problem in which the rounds that can keep their promises do."""
    assert rest.problem is not None
    at = {visit.id: index for index, visit in enumerate(near.visits)}
    day, visits = Day(near, rest.table), list(rest.problem.visits)
    for rep, person in enumerate(near.reps):
        order = [at[visit_id] for visit_id in orders.get(person.id, ())]
        if Round(day, rep, order).feasible:
            for visit in order:
                visits[visit] = near.visits[visit]
    return replace(rest.problem, visits=tuple(visits))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Orders of the rest by rep id, reasons by visit, how they were found; or what has to be given up before that."""

    orders: dict[str, list[str]]
    reasons: dict[str, str]
    method: str
    impossible: list[Hand] = field(default_factory=list)
    unlocked: set[str] = field(default_factory=set)


def _near_promises(rest: Rest, calm: Calm) -> DayProblem | None:
    """Return the rest with promised times as windows, or None when nothing of it is promised."""
    if rest.problem is None or not {visit.id for visit in rest.problem.visits} & rest.day.promised.keys():
        return None
    return near_times(rest.problem, rest.day.promised, calm.promise_s)


def _outcome(rest: Rest, changed: Changed, calm: Calm, near: DayProblem | None) -> _Outcome:
    reasons = dict(changed.reasons)
    if rest.problem is None:
        return _Outcome({}, reasons, "kept")
    hands = [Hand(visit_id, wanted.rep_id, wanted.position) for visit_id, wanted in changed.placements.items()]
    work = Insertion(rest, near, reasons)
    work.place_by_hand(hands)
    if work.impossible:
        return _Outcome({}, reasons, "kept", impossible=work.impossible)
    work.keep_what_can_be_kept()
    if work.unlocked:
        return _Outcome({}, reasons, "kept", unlocked=work.unlocked)
    placed = {visit_id for order in rest.orders.values() for visit_id in order} | set(changed.placements)
    new = [visit.id for visit in rest.problem.visits if reasons.get(visit.id) == "new" and visit.id not in placed]
    work.insert([*new, *work.displaced])
    work.make_room()
    work.fill_gaps()
    orders, left = work.orders(), work.left_out()
    if calm.search == "always" or (calm.search == "needed" and left):
        searched = _searched(rest, rest.problem, orders, calm)
        if searched is not None:
            _explain_search(rest.problem, orders, searched, reasons)
            return _Outcome(searched, reasons, "searched")
    for visit_id in left:
        if reasons.get(visit_id) in (None, "new"):
            reasons[visit_id] = "no_room"
    return _Outcome(orders, reasons, work.method)


def _searched(rest: Rest, problem: DayProblem, orders: dict[str, list[str]], calm: Calm) -> dict[str, list[str]] | None:
    """Return better orders, or None when the search finds none that are worth their changes."""
    start, _ = evaluate(problem, rest.table, orders)
    promised = rest.day.promised
    kept = {
        stop.visit_id: promised[stop.visit_id]
        for route in start.routes
        for stop in route.stops
        if stop.visit_id in promised and abs(stop.start_s - promised[stop.visit_id]) <= 2 * calm.promise_s
    }
    # The search keeps near the promises that the plan so far keeps.
    task = near_times(problem, kept, 2 * calm.promise_s) if kept else problem
    found = solve(task, rest.table, time_limit_s=calm.search_s, seed=calm.seed, start=orders)
    if _price(rest, found, calm) < _price(rest, start, calm):
        return {rep.id: found.sequences().get(rep.id, []) for rep in problem.reps}
    return None


def _price(rest: Rest, plan: DayPlan, calm: Calm) -> tuple[int, float]:
    """Return (mandatory visits left out, cost with what the broken promises cost)."""
    promised = rest.day.promised
    broken = sum(
        abs(stop.start_s - promised[stop.visit_id]) > calm.promise_s
        for route in plan.routes
        for stop in route.stops
        if stop.visit_id in promised
    )
    missed = sum(item.mandatory for item in plan.unassigned)
    return missed, plan.objective + calm.promise * broken


def _explain_search(
    problem: DayProblem, orders: Mapping[str, list[str]], found: Mapping[str, list[str]], reasons: dict[str, str]
) -> None:
    """Give a reason to every visit that the search has moved, left out or taken in."""
    was = {visit_id: rep_id for rep_id, order in orders.items() for visit_id in order}
    now = {visit_id: rep_id for rep_id, order in found.items() for visit_id in order}
    for visit in problem.visits:
        if was.get(visit.id) != now.get(visit.id) and reasons.get(visit.id) in (None, "gap", "made_room"):
            reasons[visit.id] = "search"
        if visit.id not in now and reasons.get(visit.id) == "new":
            reasons[visit.id] = "no_room"
