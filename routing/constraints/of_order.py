"""Constraints on what belongs together: predecessors, what is collected for somebody, and locked beginnings."""

from __future__ import annotations

from collections.abc import Iterator

from common.errors import Text
from routing.constraints.case import Case, Violation


def stop_order(case: Case) -> Iterator[Violation]:
    """Hold that a visit which comes after another follows it on the same route."""
    for route in case.plan.routes:
        behind: set[str] = set()
        for stop in route.stops:
            before = case.visits[stop.visit_id].after
            if before and before not in behind:
                text = Text(
                    f"visit {stop.visit_id} comes without visit {before} earlier on the route of {route.rep_id}",
                    f"拜访 {stop.visit_id} 之前，{route.rep_id} 的路线上应先有拜访 {before}",
                )
                yield Violation("stop_order", route.rep_id, stop.visit_id, text, 1)
            behind.add(stop.visit_id)


def collected_together(case: Case) -> Iterator[Violation]:
    """Hold that what is collected for a visit is collected only on a route that also makes that visit."""
    receivers: dict[str, list[str]] = {}
    for visit in case.problem.visits:
        if visit.after and case.visits[visit.after].collect:
            receivers.setdefault(visit.after, []).append(visit.id)
    for route in case.plan.routes:
        here = {stop.visit_id for stop in route.stops}
        for stop in route.stops:
            for receiver in receivers.get(stop.visit_id, ()):
                if receiver not in here:
                    text = Text(
                        f"{route.rep_id} collects at visit {stop.visit_id} for visit {receiver} and does not go there",
                        f"{route.rep_id} 在 {stop.visit_id} 为 {receiver} 取货，却没有前往 {receiver}",
                    )
                    yield Violation("collected_together", route.rep_id, stop.visit_id, text, 1)


def first_stops(case: Case) -> Iterator[Violation]:
    """Hold that locked visits are made, and that the round begins with them in their order.

    Locked visits that are left out altogether are named as that; the others must stand at their place.
    """
    orders = {route.rep_id: [stop.visit_id for stop in route.stops] for route in case.plan.routes}
    for rep in case.problem.reps:
        for visit_id in rep.first_stops:
            if visit_id not in case.served:
                text = Text(
                    f"visit {visit_id}, locked to rep {rep.id}, is not served",
                    f"已锁定给 {rep.id} 的拜访 {visit_id} 未安排",
                )
                yield Violation("first_stops", rep.id, visit_id, text, 1)
        order, locked = orders.get(rep.id, []), list(rep.first_stops)
        for place, visit_id in enumerate(locked, start=1):
            if visit_id in case.served and order[:place] != locked[:place]:
                text = Text(
                    f"the locked visit {visit_id} is not stop {place} of rep {rep.id}, right after those locked before",
                    f"已锁定的拜访 {visit_id} 不在 {rep.id} 的第 {place} 站（紧接此前锁定的各站）",
                )
                yield Violation("first_stops", rep.id, visit_id, text, 1)
