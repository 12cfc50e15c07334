"""The kinds of change that may bring a visit into a round; each finds the least that is enough and verifies it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from common.errors import Text
from common.units import format_clock_time
from routing.day import Round
from routing.plan import Relaxation
from routing.problem import LATEST_TIME_S, Rep, TimeWindow, Visit
from routing.trial import Found, Trial

LONGEST_S = 4 * 3600
"""A day is not made longer, and a window not wider, than by this."""
DROPS_TRIED = 6
"""So many stops, the least valuable first, are tried to be dropped."""
NOT_IN_QUESTION = ("no_skill", "not_allowed")
"""Reasons that concern the rep for good, and not the day."""

_BURDEN = {
    "add_to_round": 0.0,
    "one_more_visit": 10.0,
    "carry_more": 10.0,
    "allow_rep": 40.0,
    "drop_visit": 60.0,
    "worth_more": 90.0,
    "add_skill": 120.0,
}
"""How much is asked for, in minutes of somebody's working day; changes of times and ways count as they are."""


def burden_min(found: Relaxation) -> float:
    """Return how much a change asks for, roughly in minutes, so that the smallest can be named first."""
    if found.code == "distance_more":
        return found.amount / 500  # 30 km/h
    if found.code in _BURDEN:
        return _BURDEN[found.code] + (found.amount if found.code in ("one_more_visit", "carry_more") else 0.0)
    return found.amount / 60


@dataclass(frozen=True)
class Asked:
    """One rep's round, and what was found with other reps before."""

    trial: Trial
    best: Mapping[str, Relaxation]

    @property
    def rep(self) -> Rep:
        """The rep who would make the visit."""
        return self.trial.rep

    @property
    def name(self) -> str:
        """What the rep is called."""
        return self.rep.name or self.rep.id

    @cached_property
    def as_it_is(self) -> list[Found]:
        """The orders that can be kept without any change, whatever they cost."""
        return list(self.trial.orders())

    def relaxation(self, code: str, amount: float, text: Text, visit_id: str | None = None) -> Relaxation:
        """Return the change as it is told; visits that come along are named."""
        others = [_name(visit) for visit in self.trial.joining if visit != self.trial.visit]
        if others:
            text = Text(f"{text.en}, together with {', '.join(others)}", f"{text.zh}，并一并安排 {'、'.join(others)}")
        return Relaxation(code, self.rep.id, visit_id, amount, text)

    def in_question_s(self, code: str, most_s: int) -> int:
        """Return up to how many seconds a change is worth looking for, given what was found before."""
        known = self.best.get(code)
        return min(most_s, math.ceil(known.amount) - 1 if known else most_s)

    def least(self, change: Callable[[int], tuple[Rep | None, Visit | None]], most: int) -> int | None:
        """Return the least number from 1 to ``most`` whose change makes the visit fit and worth its way, or None.

        More must never be worse than less.
        """
        if most < 1 or not any(self.trial.orders(*change(most))):
            return None
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            if any(self.trial.orders(*change(middle))):
                high = middle
            else:
                low = middle
        return high if self.trial.worthwhile(*change(high)) else None


def _name(visit: Visit) -> str:
    return visit.name or visit.id


def add_to_round(asked: Asked) -> Relaxation | None:
    """Nothing has to change: the visit fits and is worth it."""
    for found in asked.trial.worthwhile() if asked.as_it_is else ():
        place = found.order.index(asked.trial.place) + 1
        text = Text(f"add it to {asked.name}'s round as stop {place}", f"加入{asked.name}的路线，作为第 {place} 站")
        return asked.relaxation("add_to_round", place, text)
    return None


def worth_more(asked: Asked) -> Relaxation | None:
    """Raise the worth of a visit that fits and would be made if it were not worth too little."""
    if not asked.as_it_is:
        return None
    needed = asked.trial.value_for(min(found.added_cost for found in asked.as_it_is))
    value = math.ceil(needed * 100) / 100 if needed < 1e6 else math.inf
    visit = asked.trial.visit
    if value <= visit.value or value == math.inf:
        return None
    if not asked.trial.worthwhile(None, replace(visit, value=value)):
        return None
    text = Text(
        f"{asked.name} would go if it were worth {value:g} points instead of {visit.value:g}",
        f"价值由 {visit.value:g} 分提高到 {value:g} 分，{asked.name}即可前往",
    )
    return asked.relaxation("worth_more", value, text)


def extend_day(asked: Asked) -> Relaxation | None:
    """Let the rep end later."""
    rep = asked.rep
    longest_s = min(LONGEST_S, LATEST_TIME_S - rep.shift_end_s)
    if longest_s <= 0:
        return None
    open_ended = replace(rep, shift_end_s=rep.shift_end_s + longest_s)
    ends = [found.round.end_s() for found in asked.trial.orders(open_ended)]
    over_s = min(ends, default=math.inf) - rep.shift_end_s - rep.overtime_s
    if not 0 < over_s <= longest_s:
        return None
    minutes = math.ceil(over_s / 60)
    if not asked.trial.worthwhile(replace(rep, shift_end_s=rep.shift_end_s + 60 * minutes)):
        return None
    text = Text(f"extend {asked.name}'s day by {minutes} min", f"将{asked.name}的工作时间延长 {minutes} 分钟")
    return asked.relaxation("extend_day", 60 * minutes, text)


def start_earlier(asked: Asked) -> Relaxation | None:
    """Let the rep set out earlier."""
    rep = asked.rep

    def earlier(minutes: int) -> tuple[Rep | None, Visit | None]:
        return replace(rep, shift_start_s=rep.shift_start_s - 60 * minutes), None

    most_s = asked.in_question_s("start_earlier", min(LONGEST_S, rep.shift_start_s))
    minutes = asked.least(earlier, most_s // 60)
    if minutes is None:
        return None
    text = Text(f"let {asked.name} start {minutes} min earlier", f"让{asked.name}提前 {minutes} 分钟出发")
    return asked.relaxation("start_earlier", 60 * minutes, text)


def open_window(asked: Asked) -> Relaxation | None:
    """Widen one of the visit's windows at one end."""
    visit = asked.trial.visit
    if not visit.windows or not any(asked.trial.orders(None, replace(visit, windows=()))):
        return None
    found = [
        change
        for place, window in enumerate(visit.windows)
        for change in (_open_until(asked, place, window), _open_from(asked, place, window))
        if change is not None
    ]
    return min(found, key=burden_min, default=None)


def _open_until(asked: Asked, place: int, window: TimeWindow) -> Relaxation | None:
    first_s = math.ceil((window.end_s + 1) / 60) * 60  # a whole minute, as it will be told

    def later(step: int) -> tuple[Rep | None, Visit | None]:
        return None, _with_window(asked.trial.visit, place, TimeWindow(window.start_s, first_s + 60 * (step - 1)))

    most_s = asked.in_question_s("open_window", min(LONGEST_S, LATEST_TIME_S - first_s))
    step = asked.least(later, most_s // 60)
    if step is None:
        return None
    end_s = first_s + 60 * (step - 1)
    clock = format_clock_time(end_s)
    text = Text(f"open the window to {clock} ({asked.name})", f"将时间窗延长到 {clock}（{asked.name}）")
    return asked.relaxation("open_window", end_s - window.end_s, text)


def _open_from(asked: Asked, place: int, window: TimeWindow) -> Relaxation | None:
    first_s = (window.start_s - 1) // 60 * 60

    def sooner(step: int) -> tuple[Rep | None, Visit | None]:
        return None, _with_window(asked.trial.visit, place, TimeWindow(first_s - 60 * (step - 1), window.end_s))

    most_s = asked.in_question_s("open_window", min(LONGEST_S, first_s))
    step = asked.least(sooner, most_s // 60)
    if step is None:
        return None
    start_s = first_s - 60 * (step - 1)
    clock = format_clock_time(start_s)
    text = Text(f"open the window from {clock} ({asked.name})", f"将时间窗提前到 {clock} 开始（{asked.name}）")
    return asked.relaxation("open_window", window.start_s - start_s, text)


def _with_window(visit: Visit, place: int, window: TimeWindow) -> Visit:
    return replace(visit, windows=(*visit.windows[:place], window, *visit.windows[place + 1 :]))


def one_more_visit(asked: Asked) -> Relaxation | None:
    """Raise the rep's visit limit by what joins the round."""
    rep, more = asked.rep, len(asked.trial.joining)
    if rep.max_visits is None:
        return None
    needed = len(asked.trial.stops) + more - rep.max_visits
    if needed <= 0 or not asked.trial.worthwhile(replace(rep, max_visits=rep.max_visits + needed)):
        return None
    words = "one more visit" if needed == 1 else f"{needed} more visits"
    text = Text(f"give {asked.name} {words}", f"让{asked.name}多拜访 {needed} 家")
    return asked.relaxation("one_more_visit", needed, text)


def carry_more(asked: Asked) -> Relaxation | None:
    """Let the rep carry more packs."""
    rep, capacity = asked.rep, asked.rep.capacity
    if capacity is None:
        return None

    def more(packs: int) -> tuple[Rep | None, Visit | None]:
        return replace(rep, capacity=capacity + packs), None

    packs = asked.least(more, sum(visit.load + visit.collect for visit in asked.trial.joining) or 1)
    if packs is None:
        return None
    text = Text(f"let {asked.name} carry {packs} more packs", f"让{asked.name}多带 {packs} 份礼品包")
    return asked.relaxation("carry_more", packs, text)


def travel_more(asked: Asked) -> Relaxation | None:
    """Let the rep be on the way for longer."""
    rep = asked.rep
    if rep.max_travel_s is None:
        return None
    ways = [_travel_s(found.round) for found in asked.trial.orders(replace(rep, max_travel_s=None))]
    minutes = math.ceil((min(ways, default=0) - rep.max_travel_s) / 60)
    if minutes <= 0 or not asked.trial.worthwhile(replace(rep, max_travel_s=rep.max_travel_s + 60 * minutes)):
        return None
    text = Text(f"let {asked.name} travel {minutes} min more", f"将{asked.name}的路上时间上限提高 {minutes} 分钟")
    return asked.relaxation("travel_more", 60 * minutes, text)


def distance_more(asked: Asked) -> Relaxation | None:
    """Let the rep go further."""
    rep = asked.rep
    if rep.max_distance_m is None:
        return None
    ways = [_distance_m(found.round) for found in asked.trial.orders(replace(rep, max_distance_m=None))]
    metres = math.ceil((min(ways, default=0) - rep.max_distance_m) / 100) * 100
    if metres <= 0 or not asked.trial.worthwhile(replace(rep, max_distance_m=rep.max_distance_m + metres)):
        return None
    kilometres = f"{metres / 1000:.1f}"
    text = Text(f"let {asked.name} go {kilometres} km further", f"将{asked.name}的里程上限提高 {kilometres} 公里")
    return asked.relaxation("distance_more", metres, text)


def _travel_s(one: Round) -> int:
    return sum(int(one.day.table.duration_s[leg]) for leg in one.day.legs(0, one.stops))


def _distance_m(one: Round) -> int:
    return sum(int(one.day.table.distance_m[leg]) for leg in one.day.legs(0, one.stops))


def drop_visit(asked: Asked) -> Relaxation | None:
    """Leave out a stop that is worth less, the least valuable first."""
    trial = asked.trial
    locked = set(asked.rep.first_stops)
    worth = {
        place: trial.prize_of(visit)
        for place, visit in enumerate(trial.stops)
        if not visit.mandatory and visit.id not in locked and all(other.after != visit.id for other in trial.stops)
    }
    less = sorted((place for place in worth if worth[place] < trial.prize), key=lambda place: (worth[place], place))
    for place in less[:DROPS_TRIED]:
        if trial.worthwhile(without=place):
            visit = trial.stops[place]
            text = Text(
                f"drop {_name(visit)} (worth less) from {asked.name}'s round",
                f"从{asked.name}的路线中去掉价值较低的 {_name(visit)}",
            )
            return asked.relaxation("drop_visit", visit.value, text, visit.id)
    return None


def allow_rep(asked: Asked) -> Relaxation | None:
    """Let a rep make the visit who is not named for it."""
    visit = asked.trial.visit
    if visit.allowed_reps is None or asked.rep.id in visit.allowed_reps:
        return None
    if not asked.trial.worthwhile(None, replace(visit, allowed_reps=None)):
        return None
    return asked.relaxation("allow_rep", 1, Text(f"allow {asked.name} to make it", f"允许由{asked.name}前往"))


def add_skill(asked: Asked) -> Relaxation | None:
    """Let a rep make the visit who lacks a skill for it."""
    visit, rep = asked.trial.visit, asked.rep
    missing = visit.skills - rep.skills
    if not missing or not asked.trial.worthwhile(replace(rep, skills=rep.skills | missing)):
        return None
    names = ", ".join(sorted(missing))
    text = Text(f"teach {asked.name} what it asks for ({names})", f"让{asked.name}掌握所需技能（{names}）")
    return asked.relaxation("add_skill", len(missing), text)


KINDS: tuple[Callable[[Asked], Relaxation | None], ...] = (
    add_to_round,
    worth_more,
    one_more_visit,
    carry_more,
    extend_day,
    open_window,
    start_earlier,
    travel_more,
    distance_more,
    allow_rep,
    drop_visit,
    add_skill,
)
"""In the order in which they are tried; the cheap ones first, so that a short time limit still finds something."""
