"""From a day as it is asked to the problem, without the visits that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.schemas.asked_day import AskedDay
from api.services import Services
from operations.access import Actor
from operations.visit_candidates import RhythmPolicy, Wishes, region_day, usable_day_of
from operations.visit_repeats import record_of
from routing.problem_files import travel_from_mapping
from routing.usable_visit_files import kept_travel
from routing.usable_visits import UsableDay


def usable_region_day(services: Services, actor: Actor, body: AskedDay) -> UsableDay:
    """Return the day of the region that ``body`` asks for, from its records.

    Raises
    ------
    InvalidInput
        When the region or a rep does not exist, or no customer can be used.
    NotReady
        When nobody is present, or nobody is due.
    """
    return region_day_and_rhythm(services, actor, body)[0]


def region_day_and_rhythm(services: Services, actor: Actor, body: AskedDay) -> tuple[UsableDay, dict[str, Any]]:
    """Return the same with what the plan keeps of the rhythm: repeats with their reasons, and who was not offered."""
    actor.require("routes:plan")
    assert body.region is not None
    wishes = wishes_of(services, body.rep_codes, body.repeat_reasons)
    with services.database.read() as session:
        found = region_day(session, actor, body.region, body.plan_date, wishes)
        return usable_day_of(found, wishes.policy, body.conditions()), record_of(found, wishes)


def wishes_of(services: Services, rep_codes: Sequence[str] | None, reasons: Mapping[str, str] | None) -> Wishes:
    """Return what is wanted of a region's day, with the installation's holidays."""
    policy = RhythmPolicy(country=services.settings.holiday_country)
    return Wishes(None if rep_codes is None else tuple(rep_codes), reasons or {}, policy)


def own_day(body: AskedDay) -> tuple[UsableDay, dict[str, Any] | None]:
    """Return the day of visits and reps that ``body`` brings along, and its travel times, if it has any.

    Raises
    ------
    InvalidInput
        When no visit can be used, a rep is wrong, or a travel matrix does not fit.
    """
    mapping = body.mapping()
    day = body.usable_day()
    travel = kept_travel(mapping.get("travel"), day)
    if travel is not None:
        # Tried once here, so that a wrong matrix is a problem of this request and not of a job.
        travel_from_mapping(travel).table(day.problem.locations())
    return day, travel
