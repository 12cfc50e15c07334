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
    "too_much_load",
    "unreachable_within_shift",
    "window_impossible",
    "visit_limit",
    "load_full",
    "day_full",
    "not_worth_it",
    "has_room",
    "not_tried",
)


class Explanations:
    """Reasons for visits left out beside the given rounds.

    After ``end_s`` (``time.monotonic()``) positions are no longer tried, and the reason says so.
    """

    def __init__(self, day: Day, rounds: Sequence[Round], alone: AloneTable, *, end_s: float = math.inf) -> None:
        self._day = day
        self._end_s = end_s
        self._rounds = rounds
        self._able = alone.able.tolist()
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
        day, rep = self._day, self._day.problem.reps[one.rep]
        if not day.has_skills(visit, one.rep):
            return "no_skill"
        if rep.capacity is not None and day.load[visit] > rep.capacity:
            return "too_much_load"
        if rep.max_visits == 0:
            return "visit_limit"
        if not self._able[one.rep][visit]:
            possible = self._at_any_hour[one.rep][visit]
            return "window_impossible" if possible else "unreachable_within_shift"
        return self._code_today(one, visit)

    def _code_today(self, one: Round, visit: int) -> str:
        day, rep = self._day, self._day.problem.reps[one.rep]
        if rep.max_visits is not None and len(one.stops) >= rep.max_visits:
            return "visit_limit"
        if rep.capacity is not None and one.load + day.load[visit] > rep.capacity:
            return "load_full"
        if one.stops and time.monotonic() > self._end_s:
            return "not_tried"
        # A visit that fits into an empty round (it is able to, or it would not be here) needs no trying.
        found = one.best_insertion(visit) if one.stops else (0.0, 0)
        if found is None:
            return "day_full"
        return "has_room" if is_worth_it(day, one, visit, found[1]) else "not_worth_it"


def _sentence(day: Day, visit: int, code: str, reps: Sequence[int]) -> Text:
    names = [day.problem.reps[rep].name or day.problem.reps[rep].id for rep in reps]
    everyone = len(reps) == len(day.problem.reps)
    who = "every rep" if everyone else ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    who_zh = "所有人员" if everyone else "、".join(names[:3]) + (f"等 {len(names)} 人" if len(names) > 3 else "")
    asked = ", ".join(sorted(day.problem.visits[visit].skills))
    minutes = round(day.service_s[visit] / 60)
    sentences = {
        "no_skill": (f"a skill that the visit asks for is missing ({asked})", f"缺少所需技能（{asked}）"),
        "too_much_load": (f"cannot carry its {day.load[visit]} packs", f"带不了所需的 {day.load[visit]} 份礼品包"),
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
        "day_full": ("no gap in the day: every position was tried", "行程已满：已逐一尝试所有插入位置"),
        "not_worth_it": ("the way there costs more than the visit is worth", "路程成本高于拜访价值"),
        "has_room": ("there is a gap for it, which this order leaves unused", "仍有可插入的空档，此顺序未使用"),
        "not_tried": ("the time limit left no time to try", "时间已用完，未能尝试"),
    }
    en, zh = sentences[code]
    return Text(f"{who}: {en}", f"{who_zh}：{zh}")
