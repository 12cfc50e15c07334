"""Which rule would have to give way for more work to be done, found by trying it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from common.errors import Text
from routing.staffing.answer import Relaxation, RequiredGap
from routing.staffing.choices import Choice, Staffing
from routing.staffing.effects import DayBooks, PlaceDay
from routing.staffing.reasons import Standing
from routing.staffing.search import hours
from routing.staffing.work import able_min

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACES_TRIED = 20
"""Of the places where most stays undone."""
TRIED_PER_RULE = 5
"""Of the nearest people whom only that rule keeps at home."""
PEOPLE_FOR_A_GAP = 60
EFFORT = 2.0
_PER_BROKEN_RULE = 10_000

_WHAT = {
    "minimum_staff": ("let {home} fall one below its minimum staff", "{home} 的最低在岗人数放宽 1 人"),
    "refused": ("win {who} over, who does not want to", "说服不愿外派的 {who}"),
    "no_moves_left": ("allow {who} one more move", "允许 {who} 多调动 1 次"),
    "no_days_left": ("allow {who} one more day away", "允许 {who} 多外派 1 天"),
    "too_far": ("accept the way of {way} min for {who}", "接受 {who} 单程 {way} 分钟的路程"),
    "day_off": ("ask {who} to work on the day off", "请 {who} 当天加班"),
    "price": ("accept the price of {price} h for {who}", "接受 {who} 的调动成本 {price} 小时"),
}


def relaxations_of(staffing: Staffing, standing: Standing, books: DayBooks) -> list[Relaxation]:
    """Return for the places where most stays undone and each rule the one person whom it hurts most to keep at home.

    A person counts for a rule when it is the only one in the way, and only when sending them would leave less undone in
    both regions together: this is tried in ``books``.
    """
    found: list[Relaxation] = []
    for place in _worst(staffing, books):
        broken = standing.broken(*place)
        for rule in (*broken, "price"):
            best = _best(staffing, books, place, rule, _only(standing, place, broken, rule))
            if best is not None:
                found.append(best)
    return sorted(found, key=lambda one: (-one.hours, one.region_id, one.day, one.rule))


def _worst(staffing: Staffing, books: DayBooks) -> list[PlaceDay]:
    undone = {
        (region, day): (books.required_undone((region, day)), sum(books.undone((region, day)).values()))
        for region in range(len(staffing.problem.regions))
        for day in staffing.days
    }
    lacking = [place for place, (_, minutes) in undone.items() if minutes]
    return sorted(lacking, key=lambda place: (-undone[place][0], -undone[place][1], place))[:PLACES_TRIED]


def _only(standing: Standing, place: PlaceDay, broken: Mapping[str, NDArray[np.bool_]], rule: str) -> list[int]:
    """Return the nearest people whom no other rule keeps at home."""
    import numpy as np

    flags = standing.able(*place, 0) & broken.get(rule, True)
    for other, others in broken.items():
        if other != rule:
            flags = flags & ~others
    who = np.flatnonzero(flags)
    ways = standing.staffing.ways_min[who, place[0]]
    return [int(person) for person in who[np.argsort(ways, kind="stable")][: TRIED_PER_RULE * 4]]


def _best(staffing: Staffing, books: DayBooks, place: PlaceDay, rule: str, people: Sequence[int]) -> Relaxation | None:
    best: tuple[int, Choice] | None = None
    tried = 0
    for person in people:
        choice = _choice(staffing, person, place, rule)
        if choice is None or tried >= TRIED_PER_RULE:
            continue
        tried += 1
        gain = _gain(staffing, books, choice)
        worth = gain - choice.price - choice.start_price
        if gain > 0 and (worth <= 0) == (rule == "price") and (best is None or gain > best[0]):
            best = (gain, choice)
    return None if best is None else _told(staffing, best[1], rule, best[0])


def _choice(staffing: Staffing, person: int, place: PlaceDay, rule: str) -> Choice | None:
    region, day = place
    if rule != "day_off":
        return staffing.choice(person, day, region)
    usual = max((staffing.shift_min(person, other) for other in staffing.days), default=0)
    way = float(staffing.ways_min[person, region])
    minutes = min(int(usual - 2 * way), staffing.open_min[region][day])
    if minutes <= 0 or way > staffing.problem.rules.longest_way_min:
        return None
    move_min = round(staffing.problem.rules.move_cost_h * 60)
    return Choice(person, day, region, minutes, 0, way, round(2 * way), move_min)


def _gain(staffing: Staffing, books: DayBooks, choice: Choice) -> int:
    places = ((choice.region, choice.day), (staffing.homes[choice.person], choice.day))
    before = sum(sum(books.undone(place).values()) for place in places)
    books.move(choice)
    after = sum(sum(books.undone(place).values()) for place in places)
    books.move(choice, back=True)
    return before - after


def _told(staffing: Staffing, choice: Choice, rule: str, gain: int) -> Relaxation:
    problem = staffing.problem
    who, region, day = problem.people[choice.person].id, problem.regions[choice.region].id, problem.days[choice.day]
    en, zh = _sentence(staffing, choice, rule)
    on, on_zh = (f" on {day}", f" {day} ") if day else ("", "")
    text = Text(
        f"{en}: {region} would have {hours(gain):g} h less undone{on}, by {who}",
        f"{zh}：由 {who} 支援，{region}{on_zh}可少留 {hours(gain):g} 小时工作",
    )
    return Relaxation(rule, region, day, who, hours(gain), text)


def _sentence(staffing: Staffing, choice: Choice, rule: str) -> tuple[str, str]:
    names = {
        "home": staffing.problem.regions[staffing.homes[choice.person]].id,
        "who": staffing.problem.people[choice.person].id,
        "way": f"{choice.way_min:.0f}",
        "price": f"{hours(choice.price + choice.start_price):g}",
    }
    en, zh = _WHAT[rule]
    return en.format(**names), zh.format(**names)


def required_gaps_of(staffing: Staffing, standing: Standing, books: DayBooks, *, seed: int) -> Iterator[RequiredGap]:
    """Yield the required work that the rules do not let be done, with the fewest rules that would have to give way."""
    for region in range(len(staffing.problem.regions)):
        for day in staffing.days:
            missing = books.required_undone((region, day))
            if missing:
                yield _gap(staffing, standing, books, place=(region, day), seed=seed, missing=missing)


def _gap(
    staffing: Staffing, standing: Standing, books: DayBooks, *, place: PlaceDay, seed: int, missing: int
) -> RequiredGap:
    problem = staffing.problem
    name, day = problem.regions[place[0]].id, problem.days[place[1]]
    offers = _offers(staffing, standing, books, place)
    sent = _fewest(staffing, books, place, offers, seed)
    on, on_zh = (f" on {day}", f" {day} ") if day else ("", "")
    head = f"{name} lacks {hours(missing):g} h of required work{on}"
    head_zh = f"{name}{on_zh}仍缺 {hours(missing):g} 小时必须完成的工作"
    if sent is None:
        text = Text(f"{head}: nobody who could come has the skill", f"{head_zh}：没有具备技能且可到达的人员")
        return RequiredGap(name, day, hours(missing), (), text)
    parts = [_sentence(staffing, choice, rule) for choice, rules in sent for rule in rules or ("price",)]
    text = Text(f"{head}: {'; '.join(en for en, _ in parts)}", f"{head_zh}：{'；'.join(zh for _, zh in parts)}")
    people = tuple((problem.people[choice.person].id, rules) for choice, rules in sent)
    return RequiredGap(name, day, hours(missing), people, text)


Offer = tuple[Choice, tuple[str, ...]]


def _offers(staffing: Staffing, standing: Standing, books: DayBooks, place: PlaceDay) -> list[Offer]:
    """Return people who could do a part of the required work, with the rules that each would break."""
    broken = standing.broken(*place)
    needed = sum(staffing.places[place[0]][place[1]].required)
    offers = []
    for person in standing.able(*place, 0).nonzero()[0].tolist():
        rules = tuple(rule for rule, flags in broken.items() if flags[person])
        choice = _choice(staffing, person, place, "day_off" if "day_off" in rules else "")
        anybody = 0 in staffing.places[place[0]][place[1]].required
        if choice is not None and (anybody or staffing.masks[person] & needed):
            offers.append((choice, rules))
    offers.sort(key=lambda offer: (len(offer[1]), offer[0].way_min, offer[0].person))
    return offers[:PEOPLE_FOR_A_GAP]


def _fewest(
    staffing: Staffing, books: DayBooks, place: PlaceDay, offers: Sequence[Offer], seed: int
) -> list[Offer] | None:
    """Return the people who do all of it and break the fewest rules, by CP-SAT; None when they cannot all together."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    sent = [model.new_bool_var("") for _ in offers]
    capacity = books.capacity(place)
    for row in staffing.places[place[0]][place[1]].required_rows:
        missing = row.minutes - able_min(row, capacity)
        if missing > 0:
            parts = [
                choice.minutes * flag
                for (choice, _), flag in zip(offers, sent, strict=True)
                if row.holds(staffing.masks[choice.person])
            ]
            if not parts:
                return None
            model.add(sum(parts) >= missing)
    prices = [_PER_BROKEN_RULE * len(rules) + choice.price + choice.start_price for choice, rules in offers]
    model.minimize(sum(price * flag for price, flag in zip(prices, sent, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = EFFORT
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return [offer for offer, flag in zip(offers, sent, strict=True) if solver.boolean_value(flag)]
