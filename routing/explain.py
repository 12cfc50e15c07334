"""Why a visit was left out: every cause is verified by trying it with each rep."""

from __future__ import annotations

from collections.abc import Sequence

from common.errors import Text
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
)


def reasons_for(day: Day, rounds: Sequence[Round], visit: int) -> tuple[Reason, ...]:
    """Return the reasons why no rep takes ``visit`` beside the given rounds; each rep stands under exactly one."""
    by_code: dict[str, list[int]] = {}
    for one in rounds:
        by_code.setdefault(_reason(day, one, visit), []).append(one.rep)
    found = []
    for code in ORDER:
        if code in by_code:
            reps = by_code[code]
            ids = tuple(day.problem.reps[rep].id for rep in reps)
            found.append(Reason(code, ids, _sentence(day, visit, code, reps)))
    return tuple(found)


def _reason(day: Day, one: Round, visit: int) -> str:
    """Return the first cause in the order from what the rep can never do to what this day does not allow."""
    alone = Round(day, one.rep, [])
    if not day.has_skills(visit, one.rep):
        return "no_skill"
    capacity, limit = day.problem.reps[one.rep].capacity, day.problem.reps[one.rep].max_visits
    if capacity is not None and day.load[visit] > capacity:
        return "too_much_load"
    if not Round(day, one.rep, [], ignore_windows=True).fits(visit, 0):
        return "unreachable_within_shift"
    if not alone.fits(visit, 0):
        return "window_impossible"
    if limit is not None and len(one.stops) >= limit:
        return "visit_limit"
    if capacity is not None and one.load + day.load[visit] > capacity:
        return "load_full"
    found = one.best_insertion(visit)
    if found is None or is_worth_it(day, one, visit, found[1]):
        # What would fit and pay was inserted before; an order that cannot be kept itself has no room either.
        return "day_full"
    return "not_worth_it"


def _sentence(day: Day, visit: int, code: str, reps: Sequence[int]) -> Text:
    names = [day.problem.reps[rep].name or day.problem.reps[rep].id for rep in reps]
    everyone = len(reps) == len(day.problem.reps)
    who = "every rep" if everyone else ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    who_zh = "所有人员" if everyone else "、".join(names[:3]) + (f"等 {len(names)} 人" if len(names) > 3 else "")
    asked = ", ".join(sorted(day.problem.visits[visit].skills))
    minutes = round(day.service_s[visit] / 60)
    sentences = {
        "no_skill": (f"lacks a skill that the visit asks for ({asked})", f"缺少所需技能（{asked}）"),
        "too_much_load": (
            f"cannot carry the {day.load[visit]} packs for it",
            f"带不了所需的 {day.load[visit]} 份礼品包",
        ),
        "unreachable_within_shift": (
            f"cannot get there, stay {minutes} min and finish within the shift, even with nothing else to do",
            f"即使没有其他任务，也无法在班次内往返并停留 {minutes} 分钟",
        ),
        "window_impossible": (
            "cannot be there within its time windows, even with nothing else to do",
            "即使没有其他任务，也无法在时间窗内到达",
        ),
        "visit_limit": ("already has the most visits allowed", "拜访数已达上限"),
        "load_full": ("has no room left for its packs", "携带量已满"),
        "day_full": (
            "has no gap for it: every position of the round was tried",
            "行程已满：已逐一尝试所有插入位置",
        ),
        "not_worth_it": (
            "could take it, but the way costs more than the visit is worth",
            "可以安排，但路程成本高于拜访价值",
        ),
    }
    en, zh = sentences[code]
    return Text(f"{who} {en}", f"{who_zh}{zh}")
