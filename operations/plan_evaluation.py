"""Evaluating a plan that somebody made: times, breaches and cost, without solving and without keeping anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from operations.access import Actor
from operations.visit_candidates import RegionDay, Wishes, region_day
from routing.check import CheckReport
from routing.plan import DayPlan
from routing.problem import DayProblem
from routing.relaxations import with_relaxations
from routing.solve import evaluate
from routing.travel.for_problem import travel_for
from routing.travel_times import TravelTimes
from routing.usable_visits import Unusable, UsableDay

RELAXATIONS_WITHIN_S = 1.0
"""How long changes are tried that would bring left-out visits into the plan."""


@dataclass(frozen=True, slots=True)
class EvaluatedPlan:
    """A plan of somebody's own with its times, and what the checker says of it.

    Attributes
    ----------
    unusable : tuple of Unusable
        Visits that could not be part of the day; they are taken out of the routes that name them.
    """

    problem: DayProblem
    plan: DayPlan
    report: CheckReport
    unusable: tuple[Unusable, ...]


def region_day_with(
    session: Session, actor: Actor, asked: tuple[str, date], wishes: Wishes, named: Collection[str]
) -> RegionDay:
    """Return the day of a region (code and date) with the customers whom a plan names, due or not.

    Raises
    ------
    InvalidInput
        When the region or a rep does not exist.
    NotReady
        When nobody is present.
    """
    found = region_day(session, actor, *asked, wishes)
    not_due = {item.customer.code for item in found.excluded} & set(named)
    if not_due:
        again = {**dict.fromkeys(not_due, "named in the plan that is evaluated"), **wishes.again}
        found = region_day(session, actor, *asked, replace(wishes, again=again))
    # Those whom the plan names come first, so that a limit on candidates does not cut them off.
    return replace(found, due=tuple(sorted(found.due, key=lambda item: item.customer.code not in named)))


def evaluate_plan(day: UsableDay, travel_times: TravelTimes, routes: Mapping[str, Sequence[str]]) -> EvaluatedPlan:
    """Return what the plan ``routes`` (visit ids in order, by rep id) of a day comes to.

    Raises
    ------
    InvalidInput
        When a route names a rep or a visit that is not part of the day, each by its pointer (``/routes/R1/0``).
    """
    known = {visit.id for visit in day.problem.visits}
    lost = {item.id for item in day.unusable} - known
    orders = {rep_id: [visit for visit in order if visit not in lost] for rep_id, order in routes.items()}
    table = travel_for(day.problem, travel_times).table
    plan, report = evaluate(day.problem, table, orders)
    plan = with_relaxations(day.problem, table, plan, within_s=RELAXATIONS_WITHIN_S)
    return EvaluatedPlan(day.problem, plan, report, day.unusable)
