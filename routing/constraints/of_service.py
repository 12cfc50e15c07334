"""Constraints on who makes which visits: once each, by somebody who may and can, in numbers that are allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from common.errors import Text
from routing.constraints.case import Case, Violation


def known_ids(case: Case) -> Iterator[Violation]:
    """Every rep and visit in the plan exists."""
    for route in case.plan.routes:
        if route.rep_id not in case.reps:
            text = Text(f"there is no rep {route.rep_id}", f"没有人员 {route.rep_id}")
            yield Violation("known_ids", route.rep_id, None, text, 1)
    named = [stop.visit_id for _, stop in case.stops()]
    for visit_id in [*named, *(left.visit_id for left in case.plan.unassigned)]:
        if visit_id not in case.visits:
            text = Text(f"there is no visit {visit_id}", f"没有拜访 {visit_id}")
            yield Violation("known_ids", None, visit_id, text, 1)


def each_visit_once(case: Case) -> Iterator[Violation]:
    """Every visit is on exactly one route, or left out by name."""
    count = Counter(stop.visit_id for _, stop in case.stops())
    count.update(left.visit_id for left in case.plan.unassigned)
    for visit_id in case.visits:
        if count[visit_id] != 1:
            text = Text(
                f"visit {visit_id} stands {count[visit_id]} times in the plan",
                f"拜访 {visit_id} 在计划中出现 {count[visit_id]} 次",
            )
            yield Violation("each_visit_once", None, visit_id, text, abs(count[visit_id] - 1))


def one_route_per_rep(case: Case) -> Iterator[Violation]:
    """No rep has two routes."""
    for rep_id, count in Counter(route.rep_id for route in case.plan.routes).items():
        if count > 1:
            text = Text(f"rep {rep_id} has {count} routes", f"人员 {rep_id} 有 {count} 条路线")
            yield Violation("one_route_per_rep", rep_id, None, text, count - 1)


def mandatory_served(case: Case) -> Iterator[Violation]:
    """Every mandatory visit is on a route."""
    for visit in case.problem.visits:
        if visit.mandatory and visit.id not in case.served:
            text = Text(f"mandatory visit {visit.id} is not served", f"必访 {visit.id} 未安排")
            yield Violation("mandatory_served", None, visit.id, text, 1)


def skills(case: Case) -> Iterator[Violation]:
    """Each visit goes to a rep with all its skills."""
    for route, stop in case.stops():
        missing = case.visits[stop.visit_id].skills - case.reps[route.rep_id].skills
        if missing:
            names = ", ".join(sorted(missing))
            text = Text(
                f"rep {route.rep_id} lacks {names} for visit {stop.visit_id}",
                f"人员 {route.rep_id} 缺少拜访 {stop.visit_id} 所需技能：{names}",
            )
            yield Violation("skills", route.rep_id, stop.visit_id, text, len(missing))


def allowed_reps(case: Case) -> Iterator[Violation]:
    """Each visit is made by one of the reps who may make it."""
    for route, stop in case.stops():
        allowed = case.visits[stop.visit_id].allowed_reps
        if allowed is not None and route.rep_id not in allowed:
            names = ", ".join(sorted(allowed)) or "–"
            text = Text(
                f"visit {stop.visit_id} is not for rep {route.rep_id}; allowed: {names}",
                f"拜访 {stop.visit_id} 不可由 {route.rep_id} 承担；可承担：{names}",
            )
            yield Violation("allowed_reps", route.rep_id, stop.visit_id, text, 1)


def visit_limit(case: Case) -> Iterator[Violation]:
    """No rep has more visits than allowed."""
    for route in case.plan.routes:
        limit = case.reps[route.rep_id].max_visits
        if limit is not None and len(route.stops) > limit:
            text = Text(
                f"rep {route.rep_id} has {len(route.stops)} visits, at most {limit}",
                f"人员 {route.rep_id} 有 {len(route.stops)} 次拜访，上限 {limit}",
            )
            yield Violation("visit_limit", route.rep_id, None, text, len(route.stops) - limit)


def load_limit(case: Case) -> Iterator[Violation]:
    """At no time does a rep carry more gift packs than allowed.

    On board from the start is what is handed over without having been collected on the way; see ``Visit.collect``.
    """
    for route in case.plan.routes:
        limit = case.reps[route.rep_id].capacity
        if limit is None:
            continue
        most, where = heaviest_load(case, [stop.visit_id for stop in route.stops])
        if most > limit:
            place, place_zh = (f"after visit {where}", f"离开 {where} 时") if where else ("at the start", "出发时")
            text = Text(
                f"rep {route.rep_id} carries {most} packs {place}, at most {limit}",
                f"人员 {route.rep_id} {place_zh}携带 {most} 份，上限 {limit}",
            )
            yield Violation("load_limit", route.rep_id, where, text, most - limit)


def heaviest_load(case: Case, order: list[str]) -> tuple[int, str | None]:
    """Return the most packs on board on a round, and the visit after which it is so; None: from the start."""
    visits = [case.visits[visit_id] for visit_id in order]
    on_board = sum(visit.load for visit in visits if not visit.after or not case.visits[visit.after].collect)
    most: tuple[int, str | None] = (on_board, None)
    for visit in visits:
        on_board += visit.collect - visit.load
        if on_board > most[0]:
            most = (on_board, visit.id)
    return most
