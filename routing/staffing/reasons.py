"""Why somebody moves, and why work stays undone, in English and Chinese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from common.errors import Text
from routing.staffing.answer import Effect, Move, Shortfall
from routing.staffing.choices import Choice, Staffing
from routing.staffing.effects import DayBooks, Step
from routing.staffing.search import hours
from routing.staffing.work import undone_by_kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

SENTENCES = {
    "day_off": ("have that day off", "人当天休息"),
    "refused": ("do not want to go there or on that day", "人不愿前往该区域或当天不愿外派"),
    "no_moves_left": ("have no moves left", "人已用完调动次数"),
    "no_days_left": ("may not be away on more days", "人外派天数已满"),
    "too_far": ("are too far away", "人距离过远"),
    "minimum_staff": ("are their home region's minimum staff", "人为所在区域的最低在岗人数"),
    "needed_or_dear": (
        "have work at home, or their way and move would cost more than they bring",
        "人本区有工作，或其调动成本高于可完成的工作",
    ),
}


def moves_of(staffing: Staffing, steps: Sequence[Step]) -> Iterator[Move]:
    """Yield the moves with their reasons."""
    problem = staffing.problem
    spared = Counter((staffing.homes[s.choice.person], s.choice.region, s.choice.day) for s in steps)
    lacking: dict[tuple[int, int], dict[int, int]] = {}
    for step in steps:
        choice = step.choice
        home, place = staffing.homes[choice.person], (choice.region, choice.day)
        if place not in lacking:
            at = staffing.places[place[0]][place[1]]
            lacking[place] = undone_by_kind(at.work, at.own)
        yield Move(
            problem.people[choice.person].id,
            problem.regions[home].id,
            problem.regions[choice.region].id,
            hours(step.there[0] - step.there[1]),
            round(choice.way_min, 1),
            _reason(staffing, step, lacking[place][step.kind], spared[home, choice.region, choice.day]),
            problem.days[choice.day],
            staffing.skill_of(step.kind),
            step.begins,
            None if step.cover is None else problem.people[step.cover].id,
            hours(choice.price + choice.start_price * step.begins),
            Effect(hours(step.there[0]), hours(step.there[1]), hours(step.at_home[0]), hours(step.at_home[1])),
        )


def _reason(staffing: Staffing, step: Step, lacking_min: int, count: int) -> Text:
    choice, problem = step.choice, staffing.problem
    target, home = problem.regions[choice.region].id, problem.regions[staffing.homes[choice.person]].id
    skill, day = staffing.skill_of(step.kind), problem.days[choice.day]
    kind, kind_zh = (f" of {skill}", skill) if skill else ("", "")
    on, on_zh = (f" on {day}", f" {day} ") if day else ("", "")
    return Text(
        f"{target} lacks {hours(lacking_min):g} h{kind} work{on} that its own people cannot do; "
        f"{home} can spare {count} and is {choice.way_min:.0f} min away",
        f"{target}{on_zh}缺 {hours(lacking_min):g} 小时{kind_zh}工作，自有人员无法完成；"
        f"{home} 可抽调 {count} 人，路程 {choice.way_min:.0f} 分钟",
    )


class Standing:
    """Which rule keeps each person at home, for many people at once.

    Parameters
    ----------
    chosen : sequence of Choice
        The plan.
    """

    def __init__(self, staffing: Staffing, chosen: Sequence[Choice]) -> None:
        import numpy as np

        people = staffing.problem.people
        count, days = len(people), len(staffing.days)
        self.staffing = staffing
        self.homes = np.array(staffing.homes, dtype=np.int64)
        self.masks = np.array(staffing.masks, dtype=np.int64)
        self.shift = np.array([[staffing.shift_min(p, d) for d in staffing.days] for p in range(count)]).reshape(
            -1, days
        )
        self.away: Flags = np.zeros((count, days), dtype=bool)
        self.region_then = np.full((count, days), -1, dtype=np.int64)
        for choice in chosen:
            self.away[choice.person, choice.day] = True
            self.region_then[choice.person, choice.day] = choice.region
        most = np.array([days if one.days_left is None else one.days_left for one in people], dtype=np.int64)
        self.no_days: Flags = self.away.sum(axis=1) >= most
        self.moves_left = np.array([one.moves_left for one in people], dtype=np.int64) - self._moves()
        gone = np.zeros((len(staffing.problem.regions), days), dtype=np.int64)
        np.add.at(gone, (self.homes[:, None].repeat(days, axis=1)[self.away], np.nonzero(self.away)[1]), 1)
        spare = np.array([[staffing.spare(r, d) for d in staffing.days] for r in range(len(staffing.problem.regions))])
        self.full: Flags = gone >= spare.reshape(gone.shape)

    def _moves(self) -> NDArray[np.int64]:
        import numpy as np

        moves = np.zeros(len(self.homes), dtype=np.int64)
        before = np.full(len(self.homes), -1, dtype=np.int64)
        for day in self.staffing.days:
            at_work = self.shift[:, day] > 0
            now = self.region_then[:, day]
            moves += at_work & (now >= 0) & (now != before)
            before = np.where(at_work, now, before)
        return moves

    def broken(self, region: int, day: int) -> dict[str, Flags]:
        """Return for each rule who would break it by going to a region on a day, besides the plan."""
        import numpy as np

        rules, problem = self.staffing.problem.rules, self.staffing.problem
        way = self.staffing.ways_min[:, region]
        name = problem.regions[region].id
        refused = np.array(
            [name in one.refused_regions or day in one.refused_days for one in problem.people], dtype=bool
        )
        stays_on = (self.region_then == region)[:, max(0, day - 1) : day + 2].any(axis=1)
        off = self.shift[:, day] == 0
        shift = np.where(off, self.shift.max(axis=1), self.shift[:, day])
        return {
            "day_off": off,
            "refused": refused,
            "no_moves_left": (self.moves_left <= 0) & ~stays_on,
            "no_days_left": self.no_days,
            "too_far": (way > rules.longest_way_min) | (2 * way >= shift),
            # who is off is not missed at home
            "minimum_staff": self.full[self.homes, day] & ~off,
        }

    def able(self, region: int, day: int, kind: int) -> Flags:
        """Return who of another region has the skill and is not lent on that day."""
        usable = (self.masks & kind) > 0 if kind else self.masks >= 0
        able: Flags = usable & (self.homes != region) & ~self.away[:, day]
        return able


def shortfalls_of(staffing: Staffing, standing: Standing, books: DayBooks) -> Iterator[Shortfall]:
    """Yield what stays undone, each with how many people each rule keeps from helping."""
    import numpy as np

    problem = staffing.problem
    for region in range(len(problem.regions)):
        for day in staffing.days:
            undone = {kind: minutes for kind, minutes in books.undone((region, day)).items() if minutes}
            broken = standing.broken(region, day) if undone else {}
            for kind, minutes in undone.items():
                left = standing.able(region, day, kind)
                texts = []
                for rule, flags in broken.items():
                    texts.append(_cause(rule, int(np.count_nonzero(left & flags))))
                    left = left & ~flags
                texts.append(_cause("needed_or_dear", int(np.count_nonzero(left))))
                reasons = tuple(text for text in texts if text) or (_NOBODY,)
                yield Shortfall(
                    problem.regions[region].id, staffing.skill_of(kind), hours(minutes), reasons, problem.days[day]
                )


_NOBODY = Text(
    "no other region has people with the skill who still stay there", "其他区域没有具备该技能且未被调出的人员"
)


def _cause(rule: str, count: int) -> Text | None:
    if not count:
        return None
    en, zh = SENTENCES[rule]
    return Text(f"{count} people with the skill {en}", f"具备技能的 {count} {zh}")
