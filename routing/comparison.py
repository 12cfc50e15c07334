"""What differs between two plans: who is visited by whom and when, in words, and what each plan costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.errors import Text
from common.units import format_clock_time
from routing.plan import DayPlan
from routing.problem import DayProblem

SHIFT_WORTH_TELLING_S = 300
"""A visit that starts later or earlier by more than this is told."""

CHANGES = ("added", "moved", "later", "earlier", "left_out", "removed")
"""What can happen to a visit; ``left_out`` is still asked for, ``removed`` is not."""

REASONS: dict[str, Text] = {
    "new": Text("a new customer", "新增客户"),
    "cancelled": Text("the visit was cancelled", "拜访已取消"),
    "cancelled_with": Text("it depends on a cancelled visit", "所依赖的拜访已取消"),
    "rep_absent": Text("the rep is away", "人员不在岗"),
    "by_hand": Text("moved by the dispatcher", "调度员手动调整"),
    "late": Text("the round could not be kept any more", "原行程已无法按时完成"),
    "made_room": Text("it makes room for a more urgent visit", "为更紧要的拜访让位"),
    "gap": Text("it fills a gap", "填补空档"),
    "search": Text("rearranged so that more customers are served", "重新编排以服务更多客户"),
    "visit_before": Text("another visit comes before it", "前面增加了拜访"),
    "less_before": Text("there is less before it", "前面的拜访减少"),
    "slower_ways": Text("ways take longer", "路上耗时增加"),
    "progress": Text("the round runs ahead or behind", "行程进度有变"),
    "no_room": Text("no rep has room for it", "没有人员能安排"),
    "not_possible": Text("the wished place cannot be kept", "所要的安排无法实现"),
}


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to one visit.

    Attributes
    ----------
    change : str
        One of :data:`CHANGES`.
    from_rep, from_s, to_rep, to_s
        Rep and start before and after; None where the visit stands on no route.
    reason : str
        A key of :data:`REASONS`, or empty where two plans are compared that know nothing of each other.
    text : Text
        One sentence for people.
    promised_s : int or None
        When the visit starts by the published plan.
    """

    visit_id: str
    change: str
    from_rep: str | None
    from_s: int | None
    to_rep: str | None
    to_s: int | None
    reason: str
    text: Text
    promised_s: int | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """What the words need: names by id, reasons by visit, promised starts.

    Attributes
    ----------
    visits, reps : mapping of id to name
    reasons : mapping of visit id to reason code
    by_rep : mapping of rep id to reason code
        Why the times on a rep's round shift.
    promised : mapping of visit id to int
    """

    visits: Mapping[str, str]
    reps: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    by_rep: Mapping[str, str] = field(default_factory=dict)
    promised: Mapping[str, int] = field(default_factory=dict)


def names_in(*problems: DayProblem) -> Telling:
    """Return the names of all visits and reps of the problems; who has none is named by id."""
    visits = {visit.id: visit.name or visit.id for problem in problems for visit in problem.visits}
    reps = {rep.id: rep.name or rep.id for problem in problems for rep in problem.reps}
    return Telling(visits, reps)


def moves_between(before: DayPlan, after: DayPlan, telling: Telling) -> tuple[Move, ...]:
    """Return what happens to each visit, in the order of :data:`CHANGES` and then of time.

    A visit that is left out by both plans is not told, unless there is a reason to (a new customer without a place).
    """
    was, now = _starts(before), _starts(after)
    left = {item.visit_id for item in after.unassigned}
    moves = [
        move
        for visit_id in dict.fromkeys([*was, *now, *left])
        if (move := _move(visit_id, was.get(visit_id), now.get(visit_id), visit_id in left, telling)) is not None
    ]

    def place(move: Move) -> tuple[int, int, str]:
        moment = move.to_s if move.to_s is not None else (move.from_s or 0)
        return CHANGES.index(move.change), moment, move.visit_id

    return tuple(sorted(moves, key=place))


Place = tuple[str, int]
"""Rep and start."""


def _starts(plan: DayPlan) -> dict[str, Place]:
    return {stop.visit_id: (route.rep_id, stop.start_s) for route in plan.routes for stop in route.stops}


def _move(visit_id: str, was: Place | None, now: Place | None, left: bool, telling: Telling) -> Move | None:
    change = _change(was, now, left)
    if change is None or (was is None and now is None and visit_id not in telling.reasons):
        return None
    reason = telling.reasons.get(visit_id, "")
    if change in ("later", "earlier") and now is not None and reason != "by_hand":
        reason = telling.by_rep.get(now[0], "")
    text = _sentence(visit_id, change, was, now, reason, telling)
    from_rep, from_s = was or (None, None)
    to_rep, to_s = now or (None, None)
    return Move(visit_id, change, from_rep, from_s, to_rep, to_s, reason, text, telling.promised.get(visit_id))


def _change(was: Place | None, now: Place | None, left: bool) -> str | None:
    if now is None:
        return "left_out" if left else "removed"
    if was is None:
        return "added"
    if was[0] != now[0]:
        return "moved"
    shift_s = now[1] - was[1]
    if abs(shift_s) <= SHIFT_WORTH_TELLING_S:
        return None
    return "later" if shift_s > 0 else "earlier"


def _sentence(visit_id: str, change: str, was: Place | None, now: Place | None, reason: str, telling: Telling) -> Text:
    name = telling.visits.get(visit_id, visit_id)

    def place(where: Place | None) -> str:
        return "" if where is None else f"{telling.reps.get(where[0], where[0])} {format_clock_time(where[1])}"

    minutes = round(abs(now[1] - was[1]) / 60) if was and now else 0
    came, came_zh = (f" (was {place(was)})", f"（原为 {place(was)}）") if was else ("", "")
    en, zh = {
        "added": (f"{name}: {place(now)}", f"{name}：{place(now)}"),
        "moved": (f"{name}: {place(was)} → {place(now)}", f"{name}：{place(was)} → {place(now)}"),
        "later": (f"{name}: {place(now)}, {minutes} min later", f"{name}：{place(now)}，推迟 {minutes} 分钟"),
        "earlier": (f"{name}: {place(now)}, {minutes} min earlier", f"{name}：{place(now)}，提前 {minutes} 分钟"),
        "left_out": (f"{name} is left out{came}", f"{name} 未能安排{came_zh}"),
        "removed": (f"{name} is off the plan{came}", f"{name} 已移出计划{came_zh}"),
    }[change]
    why = REASONS.get(reason)
    return Text(f"{en}: {why.en}" if why else en, f"{zh}：{why.zh}" if why else zh)


def cause_by_rep(before: DayPlan, after: DayPlan, slower: bool) -> Iterator[tuple[str, str]]:
    """Yield (rep id, reason) why the times on a round shift, for each rep who has one in both plans."""
    old = before.sequences()
    for rep_id, order in after.sequences().items():
        had = old.get(rep_id, [])
        if set(order) - set(had):
            yield rep_id, "visit_before"
        elif set(had) - set(order):
            yield rep_id, "less_before"
        else:
            yield rep_id, "slower_ways" if slower else "progress"
