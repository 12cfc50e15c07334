"""Why a visit was left out: every cause is verified by trying it with each rep."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from common.errors import Text
from routing.alone import AloneTable
from routing.construct import is_worth_it
from routing.day import Day, Round
from routing.plan import Reason

ORDER = (
    "no_skill",
    "not_allowed",
    "order",
    "too_much_load",
    "too_far",
    "too_long_a_way",
    "unreachable_within_shift",
    "window_impossible",
    "visit_limit",
    "load_full",
    "distance_limit",
    "travel_limit",
    "day_full",
    "not_worth_it",
    "has_room",
    "not_tried",
)


LONGEST_S = 10.0
"""Positions are never tried for longer than this."""


class Explanations:
    """Reasons for visits left out beside the given rounds.

    After ``end_s`` (``time.monotonic()``), or :data:`LONGEST_S`, positions are no longer tried, and the reason says so.
    """

    def __init__(self, day: Day, rounds: Sequence[Round], alone: AloneTable, *, end_s: float = math.inf) -> None:
        self._day = day
        self._end_s = min(end_s, time.monotonic() + LONGEST_S)
        self._rounds = rounds
        self._able = alone.able.tolist()
        self._receivers: dict[str, set[str]] = {}
        collected = {item.id for item in day.problem.visits if item.collect}
        for item in day.problem.visits:
            if item.after in collected:
                self._receivers.setdefault(item.after, set()).add(item.id)
        self._at_any_hour = alone.in_time_at_any_hour.tolist()

    def of(self, visit: int) -> tuple[Reason, ...]:
        """Return why no rep takes ``visit``; each rep stands under exactly one reason."""
        by_code: dict[str, list[int]] = {}
        for one in self._rounds:
            by_code.setdefault(self._code(one, visit), []).append(one.rep)
        return tuple(
            Reason(
                code,
                tuple(self._day.problem.reps[rep].id for rep in by_code[code]),
                _sentence(self._day, visit, code, by_code[code]),
            )
            for code in ORDER
            if code in by_code
        )

    def _code(self, one: Round, visit: int) -> str:
        """Return the first cause, from what the rep can never do to what only this day does not allow."""
        asked = self._day.problem.visits[visit]
        together = {asked.after} - {""} | self._receivers.get(asked.id, set())
        code = self._forbidden(one, visit)
        if not code and not together <= {self._day.problem.visits[stop].id for stop in one.stops}:
            code = "order"
        # What only goes together with others says nothing when it is tried alone.
        return code or ("" if together else self._never(one, visit)) or self._code_today(one, visit)

    def _forbidden(self, one: Round, visit: int) -> str:
        """Return which rule about the rep speaks against the visit, or nothing."""
        asked, rep = self._day.problem.visits[visit], self._day.problem.reps[one.rep]
        if not asked.skills <= rep.skills:
            return "no_skill"
        return "" if self._day.may_visit(visit, one.rep) else "not_allowed"

    def _never(self, one: Round, visit: int) -> str:
        """Return why the rep could not make the visit with nothing else to do, or nothing."""
        day, rep = self._day, self._day.problem.reps[one.rep]
        if rep.capacity is not None and day.load[visit] > rep.capacity:
            return "too_much_load"
        if rep.max_visits == 0:
            return "visit_limit"
        legs = day.legs(one.rep, [visit])
        if rep.max_distance_m is not None and sum(day.distance_m[a][b] for a, b in legs) > rep.max_distance_m:
            return "too_far"
        if rep.max_travel_s is not None and sum(day.travel_s[a][b] for a, b in legs) > rep.max_travel_s:
            return "too_long_a_way"
        if self._able[one.rep][visit]:
            return ""
        return "window_impossible" if self._at_any_hour[one.rep][visit] else "unreachable_within_shift"

    def _code_today(self, one: Round, visit: int) -> str:
        day, rep = self._day, self._day.problem.reps[one.rep]
        asked = day.problem.visits[visit]
        if rep.max_visits is not None and len(one.stops) >= rep.max_visits:
            return "visit_limit"
        # Packs that are collected on the way are on board for a part of it only: then the positions are tried.
        plain = all(not item.collect for item in [asked, *(day.problem.visits[stop] for stop in one.stops)])
        if plain and rep.capacity is not None and sum(day.load[stop] for stop in [*one.stops, visit]) > rep.capacity:
            return "load_full"
        if one.stops and time.monotonic() > self._end_s:
            return "not_tried"
        # A visit that fits into an empty round (it is able to, or it would not be here) needs no trying.
        found = one.best_insertion(visit) if one.stops else (0.0, 0)
        if found is None:
            return self._limit(one, visit)
        return "has_room" if is_worth_it(day, one, visit, found[1]) else "not_worth_it"

    def _limit(self, one: Round, visit: int) -> str:
        """Return the limit that every position would break, or that the day is full."""
        day, rep = self._day, self._day.problem.reps[one.rep]
        if rep.max_distance_m is None and rep.max_travel_s is None:
            return "day_full"
        orders = [[*one.stops[:at], visit, *one.stops[at:]] for at in range(len(one.stops) + 1)]
        ways = [day.legs(one.rep, order) for order in orders]
        if rep.max_distance_m is not None:
            shortest_m = min(sum(day.distance_m[a][b] for a, b in way) for way in ways)
            if shortest_m > rep.max_distance_m:
                return "distance_limit"
        if rep.max_travel_s is not None:
            shortest_s = min(sum(day.travel_s[a][b] for a, b in way) for way in ways)
            if shortest_s > rep.max_travel_s:
                return "travel_limit"
        return "day_full"


def _sentence(day: Day, visit: int, code: str, reps: Sequence[int]) -> Text:
    names = [day.problem.reps[rep].name or day.problem.reps[rep].id for rep in reps]
    everyone = len(reps) == len(day.problem.reps)
    who = "every rep" if everyone else ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    who_zh = "所有人员" if everyone else "、".join(names[:3]) + (f"等 {len(names)} 人" if len(names) > 3 else "")
    asked = ", ".join(sorted(day.problem.visits[visit].skills))
    packs = max(day.problem.visits[visit].load, day.problem.visits[visit].collect)
    minutes = round(day.service_s[visit] / 60)
    sentences = {
        "no_skill": (f"a skill that the visit asks for is missing ({asked})", f"缺少所需技能（{asked}）"),
        "not_allowed": ("may not make it: it is for others, or locked to one", "不可承担：此拜访指定或已锁定给他人"),
        "order": (
            "a visit that has to be made with it on the same round is not there",
            "同一路线上缺少须与其一起完成的拜访",
        ),
        "too_much_load": (f"cannot carry its {packs} packs", f"带不了所需的 {packs} 份礼品包"),
        "too_far": ("the way there and back alone is longer than allowed", "仅往返路程就超出里程上限"),
        "too_long_a_way": ("the way there and back alone takes longer than allowed", "仅往返路程就超出路上时间上限"),
        "unreachable_within_shift": (
            f"the way and {minutes} min of visit do not fit into the shift, even with nothing else to do",
            f"即使没有其他任务，路程加上 {minutes} 分钟拜访也超出班次",
        ),
        "window_impossible": (
            "its time windows cannot be met, even with nothing else to do",
            "即使没有其他任务，也无法在时间窗内到达",
        ),
        "visit_limit": ("no more visits are allowed", "拜访数已达上限"),
        "load_full": ("no room left for its packs", "携带量已满"),
        "distance_limit": ("it would make the way longer than allowed", "将超出里程上限"),
        "travel_limit": ("it would make the way take longer than allowed", "将超出路上时间上限"),
        "day_full": ("no gap in the day: every position was tried", "行程已满：已逐一尝试所有插入位置"),
        "not_worth_it": ("the way there costs more than the visit is worth", "路程成本高于拜访价值"),
        "has_room": ("there is a gap for it, which this order leaves unused", "仍有可插入的空档，此顺序未使用"),
        "not_tried": ("the time limit left no time to try", "时间已用完，未能尝试"),
    }
    en, zh = sentences[code]
    return Text(f"{who}: {en}", f"{who_zh}：{zh}")
